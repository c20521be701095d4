#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A hundred saves of the guest that compares its clocks, where make check has four.
SOAK=1 SAVES=${SAVES:-100} TIME=3600 exec "$(dirname "$0")/all.sh" clock
