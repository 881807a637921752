#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The sample alert agent with the environment that Pacemaker gives it, and stand-ins for the
# programs that it sends with.
set -eu

agent=$(cd "${srcdir:-.}" && pwd)/crm-templates/alert_mdcluster.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
log=$tmp/log
failed=0

mkdir "$tmp/bin"
for tool in mail logger; do
	printf '#!/bin/sh\n{ echo "%s $*"; [ %s = logger ] || cat; } >>"%s"\n' "$tool" "$tool" \
		"$tmp/sent" >"$tmp/bin/$tool"
	chmod +x "$tmp/bin/$tool"
done

# alert RECIPIENT KIND NAME VALUE: one call, as for node n2
alert() {
	env PATH="$tmp/bin:$PATH" CRM_alert_kind="$2" CRM_alert_attribute_name="$3" \
		CRM_alert_attribute_value="$4" CRM_alert_node=n2 CRM_alert_nodeid=2 \
		CRM_alert_timestamp=12:00 ${1:+CRM_alert_recipient="$1"} "$agent"
}

# said FILE TEXT: what was sent since the last time
said() {
	printf '%s' "$2" >"$tmp/want"
	touch "$1"
	if ! diff -u "$tmp/want" "$1"; then
		echo "FAIL: see above; wanted is '-'"
		failed=1
	fi
	: >"$1"
}

state() {
	alert "$log" attribute mdcluster-raid-state "$1"
}

# The life of an array, in a file that is kept.
: >"$log"
for word in clean clean degraded degraded recover clean clean '' clean resync clean broken clean; do
	state "$word"
done
alert "$log" attribute mdcluster-raid-alarm refused:2:1a2b3c4d:n2=unseen,n3=small=vdb
state clean
alert "$log" attribute mdcluster-raid-alarm ''
alert "$log" attribute mdcluster-raid-alarm refused:2:1a2b3c4d
alert "$log" attribute mdcluster-raid-alarm missing:2:1a2b3c4d
alert "$log" attribute mdcluster-raid-alarm slot:1:n1,n3
alert "$log" attribute mdcluster-r.id-state degraded
said "$log" '12:00 notice array raid on n2: clean: all disks are in sync
12:00 warning array raid on n2: degraded: a disk is missing; see mdclusterctl status raid
12:00 notice array raid on n2: recover: a disk is being filled
12:00 notice array raid on n2: recovered: all disks are in sync
12:00 notice array raid on n2: resync: the disks are being compared
12:00 notice array raid on n2: clean: all disks are in sync
12:00 crit array raid on n2: broken: it cannot be used here; see mdclusterctl status raid and the kernel log
12:00 notice array raid on n2: recovered: all disks are in sync
12:00 warning array raid on n2, alarm: refused: adding disk 2 (device UUID 1a2b3c4d...) was refused: n2=unseen,n3=small=vdb
12:00 warning array raid on n2, alarm: refused: adding disk 2 (device UUID 1a2b3c4d...) was refused: when the kernel asked
12:00 warning array raid on n2, alarm: refused: adding disk 2 (device UUID 1a2b3c4d...) was refused here: it is not seen
12:00 crit array raid on n2, alarm: slot: nodes n1,n3 both have slot 1: stop the array on one of them now
12:00 warning array r.id on n2: degraded: a disk is missing; see mdclusterctl status r.id
'

# What is none of its business, or makes no sense, is passed over without an error.
for kind in node fencing resource ''; do
	alert "$log" "$kind" mdcluster-raid-state degraded
done
for name in mdcluster-raid-slot mdcluster-raid-sync mdcluster-raid-add mdcluster--state pingd ''; do
	alert "$log" attribute "$name" degraded
done
for value in odd refused refused: refused:2 slot:1 'x:1:2' ':'; do
	alert "$log" attribute mdcluster-raid-state "$value"
	alert "$log" attribute mdcluster-raid-alarm "$value"
done
said "$log" ''

# Nothing in a value is carried out, or reaches a terminal.
alert "$log" attribute mdcluster-raid-alarm "refused:2:\$(touch $tmp/bad):\`touch $tmp/bad\`;%s\\n$(printf '\033[31m')"
said "$log" "12:00 warning array raid on n2, alarm: refused: adding disk 2 (device UUID \$(touch $tmp/bad)...) was refused: \`touch $tmp/bad\`;%s\\n[31m
"
if [ -e "$tmp/bad" ]; then
	echo "FAIL: a value was carried out"
	failed=1
fi

alert syslog attribute mdcluster-raid-state degraded
alert '' attribute mdcluster-raid-state degraded
said "$tmp/sent" 'logger -t mdcluster-alert -p daemon.warning -- array raid on n2: degraded: a disk is missing; see mdclusterctl status raid
logger -t mdcluster-alert -p daemon.warning -- array raid on n2: degraded: a disk is missing; see mdclusterctl status raid
'
alert root@localhost attribute mdcluster-raid-state degraded
alert root@localhost attribute mdcluster-raid-state recover
alert root@localhost attribute mdcluster-raid-state clean
said "$tmp/sent" 'mail -s array raid on n2: degraded root@localhost
12:00 array raid on n2: degraded: a disk is missing; see mdclusterctl status raid
mail -s array raid on n2: clean root@localhost
12:00 array raid on n2: clean: all disks are in sync
'

# What it cannot send is an error that Pacemaker logs.
for recipient in "$tmp/none" "$tmp" somebody -x -x@y; do
	if alert "$recipient" attribute mdcluster-raid-state degraded 2>"$tmp/err"; then
		echo "FAIL: recipient $recipient was taken"
		failed=1
	fi
	if [ "$(wc -l <"$tmp/err")" != 1 ] || ! grep -q '^alert_mdcluster: ' "$tmp/err"; then
		echo "FAIL: recipient $recipient: no reason was given, or more than one"
		failed=1
	fi
done
said "$tmp/sent" ''

if command -v shellcheck >/dev/null && ! shellcheck -s sh "$agent"; then
	failed=1
fi
exit $failed
