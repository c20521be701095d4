#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzers in make check: the corpus, and a minute in all from there.
exec "$(dirname "$0")/run" -t 2 -b 14
