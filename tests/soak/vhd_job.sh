#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The power cut of tests/unit/vhd_job.c, many times over with other seeds; SEEDS says how many.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
# What the filter leaves out is no skip.
MAINSTAY_SOAK=${SEEDS:-60} "${BUILD:-build}/tests/unit/vhd_job" --tap --timeout 36000 \
	--filter 'vhd_job/*power*' | grep -v '# SKIP'
