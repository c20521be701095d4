#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The power cut of tests/unit/vhd_data.c, many times over with other seeds; SEEDS says how many.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
# What the filter leaves out is no skip.
MAINSTAY_SOAK=${SEEDS:-95} "${BUILD:-build}/tests/unit/vhd_data" --tap --timeout 36000 \
	--filter 'vhd_data/*power*' | grep -v '# SKIP'
