#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests in make soak: cases that take too long for make check, or go further there when SOAK is set. The video case is
# here because the nested host stands still in it now and then, idle, with one processor; tests/dev/video_bios tries the
# same functions in make check without KVM, and the v86 case some of them with it.
SOAK=1 TIME=6000 exec "$(dirname "$0")/all.sh" memtest installer net traffic drivers grub board video show framebuffer xorg installer_screen
