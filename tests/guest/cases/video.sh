# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Every function and mode of the video BIOS, called by a guest of ours (tests/guest/video).
cp --sparse=always "$disks/video.img" video.img
start video --drive=video.img,format=raw
must "the guest comes to its end" serial video 'video: done' 200
while IFS= read -r line; do
	check "${line#video: ok }" [ "${line#video: ok }" != "$line" ]
done < <(tr -d '\r' <video.serial | grep -aE '^video: (ok|FAILED)')
check "all of it was tried" is "$(count video 'video: (ok|FAILED)')" -ge 15
check "its plug is pulled" "$mainstay" quit video
