#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Takes md's private headers out of the installed Debian package of the kernel's source:
#
#	headers.sh OUT KDIR
#
# OUT becomes a directory with md.h, md-bitmap.h, md-cluster.h, raid1.h and the package's version.
# Only the version that the kernel headers in KDIR were made of will do.
set -eu

out=$1 kdir=$2

fail() {
	echo "md-cluster: $1" >&2
	echo "md-cluster: MD_HDRS=DIR names a directory with these headers, if you have them." >&2
	exit 1
}

[ -d "$kdir" ] ||
	fail "$kdir is missing: install the headers of that kernel (Debian: linux-headers-amd64)."
package=$(cat "$kdir"/include/generated/package.h "$kdir"/include/generated/compile.h 2> /dev/null |
	sed -n 's/.*LINUX_PACKAGE_ID *" *Debian \([^ "]*\)".*/\1/p' | head -n 1)
[ -n "$package" ] || fail "$kdir does not say which Debian package its kernel is of."

if [ -r "$out/version" ] && [ -r "$out/raid1.h" ] && [ "$(cat "$out/version")" = "$package" ]; then
	exit 0
fi
series=$(echo "$package" | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')
name=linux-source-$series
installed=$(dpkg-query -W -f '${Version}' "$name" 2> /dev/null) || installed=
[ -n "$installed" ] ||
	fail "md's headers are in the package $name: install it, version $package."
[ "$installed" = "$package" ] ||
	fail "$name is of version $installed, and the kernel headers in $kdir of $package:
md-cluster: install the same version of both."

rm -rf "$out"
mkdir "$out"
# The first occurrence is the last: so that the better half of the archive is not unpacked.
tar --occurrence=1 -xJf "/usr/src/$name.tar.xz" -C "$out" --strip-components=3 \
	"$name/drivers/md/md.h" "$name/drivers/md/md-bitmap.h" "$name/drivers/md/md-cluster.h" \
	"$name/drivers/md/raid1.h" ||
	fail "the headers could not be taken out of /usr/src/$name.tar.xz: install $name again."
echo "$package" > "$out/version"
