#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the built agent prints is the source with the version put in, and fits Pacemaker's
# schema (Debian 13: package pacemaker-common; xmllint: package libxml2-utils).
set -eu

agent=./agent/mdcluster
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

"$agent" meta-data >"$tmp/meta.xml"
# In its own words, with the one difference there may be.
sed 's/ version="[0-9][^"]*">$/ version="@VERSION@">/' "$tmp/meta.xml" >"$tmp/source.xml"
cmp "$tmp/source.xml" "${srcdir:-.}/ocf/mdcluster.xml"
if grep -q '@' "$tmp/meta.xml"; then
	echo "FAIL: a placeholder was left in the meta-data"
	exit 1
fi

# crmsh hands the text to its parser as characters, which then must not name an encoding.
if grep -q 'encoding=' "$tmp/meta.xml"; then
	echo "FAIL: crmsh cannot read meta-data that names an encoding"
	exit 1
fi

if ! command -v xmllint >/dev/null; then
	echo "SKIP: no xmllint here (Debian package: libxml2-utils)"
	exit 77
fi
xmllint --noout "$tmp/meta.xml"
if [ -n "${OCF_RA_RNG:-}" ]; then
	schema=$OCF_RA_RNG
else
	schema=$(pkg-config --variable=schemadir4api pacemaker-schemas 2>/dev/null ||
		echo /usr/share/pacemaker/api)/ocf-ra-1.1.rng
fi
if [ ! -f "$schema" ]; then
	echo "SKIP: no $schema here (it came with Pacemaker 2.1.6 or later: package pacemaker-common)"
	exit 77
fi
xmllint --noout --relaxng "$schema" "$tmp/meta.xml"
