#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Kills at every step of making, merging and going back, where make check takes every third or fourth.
export SOAK=1
"${BUILD:-build}/tests/unit/checkpoints_running" --tap --timeout 3600
exec "${BUILD:-build}/tests/unit/checkpoints" --tap --timeout 3600
