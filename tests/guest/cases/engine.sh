# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest of ours (asm/engine.S) keeps the adapter's engine at work without an end, with writes that the kernel
# collects: the machine answers all the same, shows its screen, and ends when told.
cp --sparse=always "$disks/engine.img" engine.img
start engine --drive=engine.img,format=raw --memory 8M
must "the engine is at work" serial engine 'engine: ready'
for _ in 1 2 3 4 5 6 7 8 9 10; do
	nap
done
answers() { # COMMAND...
	timeout $((40 * scale)) "$mainstay" "$@"
}
check "the machine says how it is" answers status engine
check "its screen is seen" answers screenshot engine engine-at-work.png
check "a key is pressed" answers key engine enter
check "its plug is pulled" answers quit engine
