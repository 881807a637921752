#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A Pacemaker alert agent for mdcluster: tells when an array is degraded, broken, or well again,
# when adding a disk was refused, and when two nodes have one slot. A sample: copy it to every
# node, to the same path, and change it as you like.
#
# It looks at two node attributes, mdcluster-ID-state and mdcluster-ID-alarm, and at no other
# kind of alert. Pacemaker runs it as user hacluster, once for each recipient:
#
#   /a/file            one line is appended; the file must be there and hacluster's to write
#   someone@somewhere  a mail (program mail)
#   syslog, or none    the system log (program logger)
#
# With a file, what it has said before of an array on a node tells what is new: a state that was
# said last is not said again, and "clean" after trouble is "recovered". Each node has a file of
# its own, and Pacemaker runs the agent on one node at a time, which may become another one.

id='' about='' level='' event='' text=''

# The state's word, and what stands in the file for it.
from_state() {
	case $1 in
	clean)
		level=notice event=clean text='all disks are in sync' ;;
	degraded)
		level=warning event=degraded
		text="a disk is missing; see mdclusterctl status $id" ;;
	broken)
		level=crit event=broken
		text="it cannot be used here; see mdclusterctl status $id and the kernel log" ;;
	recover)
		level=notice event=recover text='a disk is being filled' ;;
	resync)
		level=notice event=resync text='the disks are being compared' ;;
	reshape)
		level=notice event=reshape text='its shape is being changed' ;;
	*)
		return 1 ;;
	esac
}

# refused:DISK:UUID[:NODE=WHY,...]   missing:DISK:UUID   slot:SLOT:NODE,NODE
from_alarm() {
	word=${1%%:*}
	rest=${1#*:}
	first=${rest%%:*}
	last=${rest#*:}
	[ "$rest" != "$1" ] && [ "$last" != "$rest" ] || return 1
	case $word in
	refused)
		level=warning event=refused
		uuid=${last%%:*}
		why=${last#*:}
		[ "$why" != "$last" ] || why='when the kernel asked'
		text="adding disk $first (device UUID $uuid...) was refused: $why" ;;
	missing)
		level=warning event=refused
		text="adding disk $first (device UUID $last...) was refused here: it is not seen" ;;
	slot)
		level=crit event=slot
		text="nodes $last both have slot $first: stop the array on one of them now" ;;
	*)
		return 1 ;;
	esac
}

# Appends to a file, unless that is what was said last of this array's state on this node.
to_file() {
	if ! [ -f "$1" ] || ! [ -w "$1" ]; then
		printf '%s\n' "alert_mdcluster: $1 is no file that $(id -un) may write" >&2
		return 1
	fi
	before=$(grep -F " $about: " "$1" | tail -n 1)
	before=${before##*" $about: "}
	before=${before%%:*}
	case $event:$before in
	slot:* | refused:*)
		;;
	clean:degraded | clean:broken | clean:recover)
		event=recovered ;;
	clean:recovered | "$before:$event")
		return 0 ;;
	esac
	printf '%s\n' "$when $level $about: $event: $text" >>"$1"
}

to_mail() {
	case $event in
	recover | resync | reshape)
		return 0 ;;
	esac
	printf '%s\n' "$when $about: $event: $text" | mail -s "$about: $event" "$1"
}

[ "${CRM_alert_kind:-}" = attribute ] || exit 0
name=${CRM_alert_attribute_name:-}
# Other nodes wrote these; what a terminal might act upon is dropped.
value=$(printf %s "${CRM_alert_attribute_value:-}" | tr -d '[:cntrl:]')
node=$(printf %s "${CRM_alert_node:-}" | tr -d '[:cntrl:]')
case $name in
mdcluster-?*-state)
	id=${name#mdcluster-}
	id=${id%-state}
	about="array $id on $node"
	from_state "$value" || exit 0 ;;
mdcluster-?*-alarm)
	id=${name#mdcluster-}
	id=${id%-alarm}
	about="array $id on $node, alarm"
	from_alarm "$value" || exit 0 ;;
*)
	exit 0 ;;
esac
when=${CRM_alert_timestamp:-$(date '+%F %T')}

case ${CRM_alert_recipient:-syslog} in
/*)
	to_file "$CRM_alert_recipient" ;;
-*)
	printf '%s\n' "alert_mdcluster: '$CRM_alert_recipient' is no recipient" >&2
	exit 1 ;;
*@*)
	to_mail "$CRM_alert_recipient" ;;
syslog)
	logger -t mdcluster-alert -p "daemon.$level" -- "$about: $event: $text" ;;
*)
	printf '%s\n' "alert_mdcluster: '$CRM_alert_recipient' is no file, address, or syslog" >&2
	exit 1 ;;
esac
