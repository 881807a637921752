#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Compares the types that our module shares with md core, as they were compiled, with those of the
# md core that it will meet:
#
#	layout.sh OBJECT MD_MOD BTF_BASE [KDIR [KVER]]
#
# OBJECT    an object file with debug information, mdport.o
# MD_MOD    the kernel's md-mod.ko, which may be compressed; raid1.ko lies beside it
# BTF_BASE  a file with the BTF of the kernel itself; if empty, it is looked for
#
# The versions of the kernel's symbols do not catch a header of the wrong version, and a module
# built with one writes where it must not. So whatever cannot be compared counts as different.
set -eu

# In the kernel and here alike, or in neither.
structs="mddev md_rdev md_thread md_personality md_cluster_operations md_bitmap_stats
	bitmap_operations md_submodule_head"
enums="flag_bits mddev_flags mddev_sb_flags recovery_flags md_submodule_type md_submodule_id"
# Every kernel has these.
always=" mddev md_rdev md_thread md_personality md_cluster_operations md_bitmap_stats flag_bits
	mddev_flags mddev_sb_flags recovery_flags r1conf "
# The kernel may keep these to itself.
private="bitmap bitmap_counts"
# Of raid1.ko.
raid1="r1conf"

fail() {
	echo "md-cluster: $1" >&2
	echo "md-cluster: the module was not checked against the kernel, so it is not built." >&2
	exit 1
}

object=$1 module=$2 base=$3 kdir=${4-} kver=${5-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has_btf() {
	[ -r "$1" ] && { [ "$1" = /sys/kernel/btf/vmlinux ] ||
		objdump -h "$1" 2> /dev/null | grep -q ' \.BTF '; }
}

# The kernel in a compressed image $1, which has a loader before it, in $work/vmlinux.
unpack_image() {
	for way in '\03757zXZ xz' '\0037\0213\0010 gzip' '\0050\0265\0057\0375 zstd'; do
		magic=$(printf '%b' "${way% *}")
		for offset in $(LC_ALL=C grep -aboF "$magic" "$1" | cut -d: -f1 | head -n 8); do
			# What follows the kernel has them complain at the end.
			tail -c "+$((offset + 1))" "$1" | "${way#* }" -dcq > "$work/vmlinux" \
				2> /dev/null || true
			has_btf "$work/vmlinux" && return 0
		done
	done
	return 1
}

# The kernel's own BTF: of the headers package, of the running kernel, or of the kernel's image.
find_base() {
	if has_btf "$kdir/vmlinux"; then
		base=$kdir/vmlinux
		return
	fi
	if [ "$kver" = "$(uname -r)" ] && has_btf /sys/kernel/btf/vmlinux; then
		base=/sys/kernel/btf/vmlinux
		return
	fi
	for image in "/boot/vmlinuz-$kver" "/lib/modules/$kver/vmlinuz"; do
		if [ -r "$image" ] && unpack_image "$image"; then
			base=$work/vmlinux
			return
		fi
	done
	fail "the BTF of kernel $kver was not found. BTF_BASE=FILE names a file that has it: a
md-cluster: vmlinux, or /sys/kernel/btf/vmlinux copied from a machine that runs this kernel."
}

command -v pahole > /dev/null || fail "pahole is missing (Debian package: dwarves)."
command -v objdump > /dev/null || fail "objdump is missing (Debian package: binutils)."
[ -n "$base" ] || find_base
has_btf "$base" || [ "$(od -An -tx2 -N2 "$base" 2> /dev/null)" = " eb9f" ] ||
	fail "$base has no BTF."

# The module $1 as $work/$2.
unpack_module() {
	case $1 in
	*.xz) xz -dc "$1" > "$work/$2" || fail "$1 could not be unpacked." ;;
	*.zst) zstd -dcq "$1" > "$work/$2" || fail "$1 could not be unpacked." ;;
	*.gz) gzip -dc "$1" > "$work/$2" || fail "$1 could not be unpacked." ;;
	*) cp "$1" "$work/$2" ;;
	esac
	has_btf "$work/$2" || fail "$1 has no BTF: this kernel was built without it."
}

[ -r "$module" ] ||
	fail "the kernel's md-mod.ko was not found${module:+ ($module)}. MD_MOD=FILE names it."
unpack_module "$module" md-mod.ko
raid1_module=
for file in "${module%/*}"/raid1.ko*; do
	raid1_module=$file
done
[ -r "$raid1_module" ] || fail "the kernel's raid1.ko was not found beside $module."
unpack_module "$raid1_module" raid1.ko

# Both sides are read from BTF, and so differ only where the types do.
cp "$object" "$work/ours.o"
objcopy --remove-section=.BTF "$work/ours.o"
if ! LLVM_OBJCOPY=objcopy pahole -J --btf_base="$base" "$work/ours.o" > "$work/said" 2>&1 ||
	! has_btf "$work/ours.o"; then
	cat "$work/said" >&2
	fail "pahole made no BTF of $object (above: what it says)."
fi

type_of() {
	pahole -F btf --btf_base "$base" -C "$1" "$2" 2> "$work/said" | sed '/^$/d'
}

bad=
count=0
for name in $structs $enums $private $raid1; do
	theirs=md-mod.ko
	case " $raid1 " in *" $name "*) theirs=raid1.ko ;; esac
	type_of "$name" "$work/ours.o" > "$work/ours"
	type_of "$name" "$work/$theirs" > "$work/theirs"
	case " $private " in *" $name "*) [ -s "$work/ours" ] || continue ;; esac
	if [ ! -s "$work/ours" ] && [ ! -s "$work/theirs" ]; then
		case $always in *[[:space:]]"$name"[[:space:]]*)
			cat "$work/said" >&2
			fail "neither $object nor $theirs tells what $name is." ;;
		esac
	elif ! cmp -s "$work/ours" "$work/theirs"; then
		bad="$bad $name"
		echo "md-cluster: $name, as compiled (-) and in the kernel (+):" >&2
		diff -u "$work/ours" "$work/theirs" | sed '1,2d' >&2 || true
	else
		count=$((count + 1))
	fi
done
if [ -n "$bad" ]; then
	echo "md-cluster: md.h and its friends are not those of this kernel: these differ:$bad." >&2
	echo "md-cluster: take them from the source package of the very same version." >&2
	exit 1
fi
echo "  LAYOUT  $count types are those of $module and raid1.ko"
