# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Every function and mode of the video BIOS, called by a guest of ours (tests/guest/video): in real mode, and in
# virtual-8086 mode, in which systems of the age call it.
for guest in video video-v86; do
	cp --sparse=always "$disks/$guest.img" $guest.img
	start $guest --drive=$guest.img,format=raw
	must "$guest: the guest comes to its end" serial $guest 'video: done' 300
	while IFS= read -r line; do
		check "$guest: ${line#video: ok }" [ "${line#video: ok }" != "$line" ]
	done < <(tr -d '\r' <$guest.serial | grep -aE '^video: (ok|FAILED)|FAILED exception')
	check "$guest: all of it was tried" is "$(count $guest 'video: (ok|FAILED)')" -ge 15
	check "$guest: its plug is pulled" "$mainstay" quit $guest
done
