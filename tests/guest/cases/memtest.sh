# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# memtest86+ tests a small memory. In make check it begins; in make soak it passes once.
start memtest "--kernel=$disks/memtest" --memory 8M --append 'console=ttyS0,115200'
must "memtest86+ starts" serial memtest 'Memtest86\+' 120
must "it sees the memory" serial memtest '[0-9.]+ *MB|[0-9]+K' 60
[[ -z ${SOAK-} ]] || must "it passes once without an error" serial memtest 'Pass: +1 +Errors: 0' 3000
check "no error is shown" test -z "$(grep -aoE 'FAIL|Failing Address|Errors: +[1-9]' memtest.serial)"
