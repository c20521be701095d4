# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# The host's processor passed through, two of them, and as much memory as fits below 4 GiB.
copy_disk once disk.vhd
start host disk.vhd --cpu host --cpus 2 --memory 3584M --serial file:host.port
ln -sf host.port host.serial
must "model host boots to the proof line" serial host 'mainstay-guest: ok ' 300
check "two processors are online" is "$(value host cpus)" = 2
check "3584 MiB of memory" is "$(value host memory | tr -d M)" -ge 3300
check "power-off ends the machine" ends host 0
