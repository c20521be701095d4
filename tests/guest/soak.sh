#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests in make soak: cases that take too long for make check, or go further there when SOAK is set.
SOAK=1 TIME=4800 exec "$(dirname "$0")/all.sh" memtest installer net
