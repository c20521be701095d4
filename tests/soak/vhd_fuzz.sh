#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hostile VHD images (tests/fuzz/vhd.c) for an hour, or SECONDS_EACH.
exec "$(dirname "$0")/../fuzz/run" -t "${SECONDS_EACH:-3600}" vhd
