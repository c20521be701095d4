# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest of ours (tests/guest/video/show.c) draws in the modes of the video BIOS, and each screenshot is compared with
# what a person has looked at. In make check one of each kind, in make soak all of them, and those again in
# virtual-8086 mode.
short=' mode-003 mode-004 mode-012 latches unchained vbe-101 vbe-112 '

show() { # GUEST COUNT NAMES: so many pictures at least; NAMES empty: all
	local guest=$1 least=$2 names=$3 seen=0 line="" part name keys said
	mkfifo "$guest.input"
	exec {keys}<>"$guest.input"
	cp --sparse=always "$disks/$guest.img" "$guest.img"
	start "$guest" "--drive=$guest.img,format=raw"
	must "$guest: the guest starts" serial "$guest" 'show\?' 120
	exec {said}<"$guest.serial"
	while true; do
		if ! IFS= read -r -u "$said" part; then
			line+=$part
			[[ ! -e $guest.status ]] || break
			nap
			continue
		fi
		line+=$part
		name=${line##*[ ]} name=${name%$'\r'}
		case $line in
		*'show: done'*) break ;;
		*'show? '*)
			if [[ -z $names || $names == *" $name "* ]]; then printf y; else printf n; fi >&"$keys"
			;;
		*'show: '*)
			check "$guest: $name looks as it should" looks "$guest" "$guest-$name" "$name.png"
			((seen += 1))
			printf y >&"$keys"
			;;
		esac
		line=""
	done
	check "$guest: it comes to its end" serial "$guest" 'show: done' 10
	check "$guest: all were looked at" is $seen -ge "$least"
	check "$guest: its plug is pulled" "$mainstay" quit "$guest"
}

if [[ -z ${SOAK-} ]]; then
	show show 7 "$short"
else
	show show 57 ''
	show show-v86 7 "$short"
fi
