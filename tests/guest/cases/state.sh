# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A machine with two processors is saved at random moments of its boot and of writing to its disk. Each time its
# process ends, and another one goes on from the file. In the end all is as if nobody had touched it; then, for make
# soak, the next guest, until there have been MOMENTS moments.
moments=${MOMENTS:-10} moment=0
options=(--cpu p3 --cpus 2 --memory 64M)

runs() { # the machine answers
	local tries
	for ((tries = 0; tries < 200 * scale; tries++)); do
		"$mainstay" status state >/dev/null 2>&1 && return
		[[ ! -e state.status ]] || break
		nap
	done
	shown state
	return 1
}
refused() {
	! "$mainstay" run disk.vhd --name other 2>refused.txt && grep -q 'saved state' refused.txt
}
used_up() {
	[[ ! -e now.state ]]
}
one_guest() {
	rm -f disk.vhd* ./*.serial ./*.state state.status
	copy_disk write disk.vhd
	start state disk.vhd "${options[@]}"
	while ((moment < moments)); do
		must "moment $((moment + 1)): the machine runs" runs
		sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
		[[ ! -e state.status ]] || break # it has done all its work meanwhile
		moment=$((moment + 1))
		must "moment $moment: save" "$mainstay" save state now.state
		must "moment $moment: its process has ended" ends state 0
		check "moment $moment: the state is sound" "$mainstay" state check now.state
		if ((moment == 2)); then
			check "nobody else can use the disk meanwhile" refused
			check "the disk is sound" "$mainstay_vhd" check disk.vhd
			must "compact" "$mainstay" state compact now.state small.state
			check "the compact state is sound" "$mainstay" state check small.state
			mv small.state now.state
		fi
		cat state.serial >>all.serial
		rm state.serial state.status
		start state disk.vhd "${options[@]}" --restore now.state
	done
	must "it comes to its end" ends state 0 300
	check "a state is used up by restoring it" used_up
	cat all.serial state.serial >whole.serial
	check "every piece was written once" is "$(count whole 'mainstay-guest: flushed [0-9]+')" = 128
	check "and none after another's time" is "$(grep -aoE 'flushed [0-9]+' whole.serial | sort -c -k2n && echo sorted)" = sorted
	check "it has seen its end" is "$(count whole 'mainstay-guest: all flushed')" = 1
	check "the image is sound" "$mainstay_vhd" check disk.vhd
	must "another reader of the format can read it" raw_of disk.vhd
	check "what it wrote is what an untouched guest writes" all_written disk.vhd.raw
}
one_guest
while ((moment < moments)) && [[ -n ${MOMENTS:-} ]]; do
	one_guest
done
