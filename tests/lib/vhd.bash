# SPDX-License-Identifier: GPL-2.0-or-later
# What system tests of mainstay-vhd share; sourced. Sets $tool, goes to the temporary folder $work.
build=$(realpath "${BUILD:-build}")
tool=$build/bin/mainstay-vhd
copy=$build/vhd_copy
top=$PWD
work=$(mktemp -d)
holder=
trap '[[ $holder ]] && kill $holder 2>/dev/null; rm -rf "$work"' EXIT
failed=0

# check NAME COMMAND...: one test; the command's output is shown when it fails.
check() {
	local name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$work/log"
		failed=1
	fi
}
# refuses STATUS TEXT COMMAND...: fails with this status and says TEXT in one line.
refuses() {
	local status=$1 text=$2 out
	shift 2
	out=$("$@" 2>&1 >/dev/null)
	[[ $? == "$status" && $out == *"$text"* && $(wc -l <<<"$out") == 1 ]] && return
	echo "said: $out"
	return 1
}
json() {
	"$tool" info --json "$1" | "$copy" member "$2"
}

# A test that sets no_copy does without $copy.
if [[ -z ${no_copy:-} ]]; then
	cc -D_GNU_SOURCE -O1 -o "$copy.$$" tests/system/vhd_copy.c "$build/lib/vhd.a" "$build/lib/base.a" \
		$(pkg-config --cflags --libs json-c) && mv "$copy.$$" "$copy" || {
		echo "not ok - the copying program cannot be built"
		exit 1
	}
fi
cd "$work" || exit 1
