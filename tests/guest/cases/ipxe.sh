# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# iPXE's CD comes to its command line.
mkfifo ipxe.input
exec {keys}<>ipxe.input
start ipxe "--cdrom=$disks/ipxe.iso" --memory 32M --firmware-console 1
must "iPXE starts from CD" serial ipxe 'Ctrl-B' 180
printf '\002' >&"$keys"
must "it comes to its prompt" serial ipxe 'iPXE>' 60
# The firmware's keyboard buffer holds 15 keys.
printf 'echo ' >&"$keys"
nap
nap
printf '${version}\r' >&"$keys"
check "and answers" serial ipxe '^1[.]0[.]0' 60
