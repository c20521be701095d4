# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154,SC2016
# Two guests with Linux's tulip driver, a 21140 and a 21143, on one network of the switch: pings, and 4 MiB
# each way compared by checksum. traffic.sh has the rest.
copy_disk shell a.vhd
copy_disk shell b.vhd
mkfifo a.input b.input
exec {keys_a}<>a.input {keys_b}<>b.input
start a a.vhd --net internal:lab --memory 64M
start b b.vhd --net internal:lab,model=21143 --memory 64M
must "the first guest boots" serial a 'guest:' 300
must "the second guest boots" serial b 'guest:' 300
check "their starters have nothing to say" is "$(cat a.err b.err)" = ""
echo "insmod /data/tulip.ko; ifconfig eth0 10.9.0.1; echo tulip is u''p" >&"$keys_a"
echo "insmod /data/tulip.ko; ifconfig eth0 10.9.0.2; echo tulip is u''p; nc -l -p 5000 </data/bytes | md5sum" >&"$keys_b"
must "the 21140's driver starts" serial a '^tulip is up' 120
must "the 21143's driver starts" serial b '^tulip is up' 120
echo 'ping -c 3 -W 9 10.9.0.2; echo ping en""ded' >&"$keys_a"
must "ping ends" serial a '^ping ended' 120
check "pings are answered" is "$(count a '3 packets received')" = 1
echo 'nc 10.9.0.2 5000 </data/bytes | md5sum' >&"$keys_a"
sum=$(head -c 4M "$disks/../debs/guest-kernel/vmlinuz" | md5sum | cut -c 1-32)
check "4 MiB arrive at the first guest as they are" serial a "^$sum" 180
check "4 MiB arrive at the second guest as they are" serial b "^$sum" 180
