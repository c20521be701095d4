# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of whole machines that python drives (tests/system/net_machine.py), sourced in the tree's top folder: a
# folder $work of the test's own, which goes with it, with the machines and networks.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MAINSTAY=$PWD/${BUILD:-build}/bin/mainstay
export MAINSTAY_RUNTIME_DIR=$work/run MAINSTAY_NETWORKS=$work/networks
export PYTHONPATH=$PWD/tests/system PYTHONDONTWRITEBYTECODE=1
unset XDG_RUNTIME_DIR
