#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Saves after every access of every operation of tests/unit/midway.c, where make check takes some of them.
MIDWAY_ALL=1 exec "${BUILD:-build}/tests/unit/midway" --tap --timeout 3600
