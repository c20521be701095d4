#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 200 random moments of saving, ending and restoring guests, where make check has 10.
SOAK=1 MOMENTS=${MOMENTS:-200} TIME=7200 exec "$(dirname "$0")/all.sh" state
