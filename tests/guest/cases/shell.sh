# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154,SC2016
# A person at the serial port: what is typed arrives, and what is changed on the disk stays.
copy_disk shell disk.vhd
mkfifo shell.input
exec {keys}<>shell.input
start shell disk.vhd --cpu nt4
must "the shell's prompt comes" serial shell 'guest:' 300
# The words are not in what is echoed.
echo 'echo six times seven is $((6 * 7))' >&"$keys"
check "what is typed is carried out" serial shell 'six times seven is 42' 120
echo 'for i in 1 2 3 4 5 6 7 8 9; do echo a line of some length to show that nothing is lost $i; done; echo en""d' >&"$keys"
check "a longer line" serial shell '^end' 120
check "no line was lost" is "$(count shell '^a line of some length to show that nothing is lost [1-9]')" = 9
# The same person at the keyboard, which the guest reads on its first virtual console.
echo 'echo rea""dy; read -r line </dev/tty1; echo "typed: $line"' >&"$keys"
must "the guest reads its keyboard" serial shell '^ready' 60
check "a text is typed" "$mainstay" type shell $'Mainstay (42) types "this".\n'
check "what is typed on the keyboard arrives" serial shell '^typed: Mainstay \(42\) types "this"\.' 60
check "a picture of the screen is taken" "$mainstay" screenshot shell shell.png
check "it is one" is "$(od -An -c -j1 -N3 shell.png | tr -d ' ')" = PNG
echo 'echo kept >/disk/kept.txt; exit' >&"$keys"
check "the shell's end" serial shell 'mainstay-guest: bye' 120
must "power-off ends the machine" ends shell 0
check "the image is sound" "$mainstay_vhd" check disk.vhd
must "another reader of the format can read it" raw_of disk.vhd
check "what was changed is kept" is "$(mtype -i disk.vhd.raw@@1M ::kept.txt)" = kept
