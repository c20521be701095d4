# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest of ours (tests/guest/video/show.c) draws in the modes of the video BIOS, and each screenshot is compared with
# what a person has looked at. In make check one of each kind, in make soak all of them.
short=' mode-003 mode-004 mode-012 latches unchained vbe-101 vbe-112 '
mkfifo show.input
exec {keys}<>show.input
cp --sparse=always "$disks/show.img" show.img
start show --drive=show.img,format=raw
must "the guest starts" serial show 'show\?' 120
pictures_seen=0
exec {said}<show.serial
line=""
while [[ $line != *'show: done'* ]]; do
	if ! IFS= read -r -u "$said" part; then
		line+=$part
		[[ ! -e show.status ]] || break
		nap
		continue
	fi
	line+=$part
	name=${line##*[ ]} name=${name%$'\r'}
	case $line in
	*'show? '*)
		answer=n
		[[ -z ${SOAK-} && $short != *" $name "* ]] || answer=y
		printf '%s' $answer >&"$keys"
		;;
	*'show: done'*) break ;;
	*'show: '*)
		check "$name looks as it should" looks show "$name" "$name.png"
		((pictures_seen += 1))
		printf y >&"$keys"
		;;
	esac
	line=""
done
check "it comes to its end" serial show 'show: done' 10
expected=7
[[ -z ${SOAK-} ]] || expected=57
check "all were looked at" is "$pictures_seen" -ge $expected
check "its plug is pulled" "$mainstay" quit show
