#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzers in make soak: 30 seconds for each device class, an hour for the whole board.
exec "$(dirname "$0")/run" -t 30 -b 3600
