#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Finds out what the kernel at hand has, by compiling probe/*.c as its own build would:
#
#	gen.sh OUT COMPILER-AND-FLAGS...
#
# OUT becomes a header with "#define HAVE_X 1" for each probe x.c that compiles. A set that
# known/ does not list ends the build: the code was never tried with it.
set -eu

here=$(dirname "$0")
out=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compiles() {
	"$@" -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
		-Werror=int-conversion -c -o "$work/probe.o" "$probe" > "$work/said" 2>&1
}

probe=$here/probe/sane.c
if ! compiles "$@"; then
	cat "$work/said" >&2
	echo "md-cluster: nothing compiles against this kernel (above: what the compiler says)." >&2
	echo "md-cluster: the kernel headers must be complete, the compiler the kernel's own, and" >&2
	echo "md-cluster: MD_HDRS must have md.h, md-bitmap.h and md-cluster.h of that very kernel." >&2
	exit 1
fi

for probe in "$here"/probe/*.c; do
	name=$(basename "$probe" .c | tr '[:lower:]' '[:upper:]')
	if [ "$name" != SANE ] && compiles "$@"; then
		echo "HAVE_$name"
	fi
done | LC_ALL=C sort > "$work/set"

match=
for known in "$here"/known/*; do
	if [ -f "$known" ] && grep -v "^#" "$known" | cmp -s - "$work/set"; then
		match=$(basename "$known")
	fi
done
if [ -z "$match" ]; then
	echo "md-cluster: this kernel has a set of features that this source was never tried with:" >&2
	tr '\n' ' ' < "$work/set" | sed 's/^/md-cluster:   /; s/$/\n/' >&2
	echo "md-cluster: known sets are in $here/known. A newer mdcluster may support this kernel." >&2
	exit 1
fi

{
	echo "/* Made by compat/gen.sh: the features of $match. */"
	sed 's/.*/#define & 1/' "$work/set"
} > "$work/compat.h"
mv "$work/compat.h" "$out"
