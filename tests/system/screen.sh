#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The verbs around the screen and the keyboard, on a machine without a processor: view, screenshot, record, type
# and key. Prints TAP lines. The machine is real, and so are its sockets; tests/interop/ has the real viewers.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
mainstay=$build/bin/mainstay

work=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
export MAINSTAY_VMM=$build/bin/mainstay-vmm MAINSTAY_RUNTIME_DIR=$work/run HOME=$work
export LC_ALL=C
unset DISPLAY WAYLAND_DISPLAY
cd "$work" || exit 1
count=0 failed=0

result() # STATUS DESCRIPTION
{
	((count++))
	if (($1 == 0)); then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' out err 2>/dev/null | tail -20
		failed=1
	fi
}

m()
{
	timeout 20 "$mainstay" "$@" >out 2>err </dev/null
	status=$?
}

# Status 1, nothing on standard output, and one line on standard error with each of the words.
refused() # DESCRIPTION WORD... -- ARGUMENT...
{
	local description=$1 words=() word bad=0
	shift
	while [[ $1 != -- ]]; do words+=("$1"); shift; done
	shift
	m "$@"
	((status == 1)) && [[ $(wc -l <err) == 1 && ! -s out ]] || bad=1
	for word in "${words[@]}"; do grep -qF -e "$word" err || bad=1; done
	result $bad "$description"
}

# The text of a PNG chunk's first bytes: type, then width and height of IHDR.
png_size()
{
	od -An -tu1 -j16 -N8 "$1" | awk '{ print $1 * 16777216 + $2 * 65536 + $3 * 256 + $4 "x" \
		$5 * 16777216 + $6 * 65536 + $7 * 256 + $8 }'
}

wait_for() # COMMAND...
{
	for ((i = 0; i < 100; i++)); do "$@" 2>/dev/null && return 0; sleep 0.1; done
	return 1
}

"$mainstay" run --devtest unix:port --name pc --serial none --display idle=600 --keyboard jp106 2>run.err &
wait_for "$mainstay" status pc >/dev/null
result $? "a machine runs"

# --- screenshots

m screenshot pc a.png
[[ $status == 0 && ! -s out && ! -s err && $(head -c 4 a.png | tail -c 3) == PNG ]]
result $? "screenshot_makes_a_png"
[[ $(png_size a.png) =~ ^[1-9][0-9]+x[1-9][0-9]+$ ]]
result $? "screenshot_has_a_size"
m screenshot pc small.png --thumbnail
[[ $status == 0 && $(png_size small.png) == 160x120 ]]
result $? "thumbnail_is_160_by_120"
before=$(cksum a.png)
refused "screenshot_does_not_overwrite" a.png exists remove -- screenshot pc a.png
[[ $(cksum a.png) == "$before" ]]
result $? "the_file_that_exists_is_as_it_was"
refused "screenshot_into_no_folder" no/b.png folder -- screenshot pc no/b.png
refused "screenshot_of_no_machine" nobody "no such machine" -- screenshot nobody b.png
[[ ! -e b.png ]]
result $? "nothing_is_left_of_a_failure"

# --- recording

m record pc r.png --seconds 1
[[ $status == 0 && $(head -c 4 r.png | tail -c 3) == PNG ]] && grep -q acTL r.png && grep -q IEND r.png
result $? "record_makes_an_animated_png"
refused "record_does_not_overwrite" r.png exists -- record pc r.png
"$mainstay" record pc s.png >out 2>err &
recorder=$!
wait_for grep -q IEND s.png
kill -INT $recorder
wait $recorder
result $? "record_ends_by_a_signal"

# --- keys

m type pc 'dir @:\'
[[ $status == 0 && ! -s err ]]
result $? "type_types_in_the_machines_layout"
m type pc 'a@b' --layout de
[[ $status == 0 && ! -s err ]]
result $? "type_types_in_a_layout"
refused "type_what_is_on_no_key" pc "no key" -- type pc $'\xe6\xbc\xa2'
refused "type_in_no_layout" xx jp106 -- type pc a --layout xx
refused "type_what_is_no_text" UTF-8 -- type pc $'\xff'
m key pc ctrl+alt+del enter F1 a
[[ $status == 0 && ! -s err ]]
result $? "key_presses_keys"
refused "key_that_is_none" pc "no such key" -- key pc ctrl+hyper
refused "key_of_no_machine" nobody -- key nobody enter

# --- viewers

m view pc
[[ $status == 0 && ! -s err ]] && grep -q "$work/run/pc/display" out && grep -q -e --listen out
result $? "view_says_where_to_connect_without_a_display"
mkdir empty
status=0
DISPLAY=:77 PATH=$work/empty "$mainstay" view pc >out 2>err || status=$?
[[ $status == 1 && $(wc -l <err) == 1 ]] && grep -q 'no viewer found; install' err
result $? "view_without_a_viewer_says_what_to_install"
printf '#!/bin/sh\necho "$@" >%s/called\n' "$work" >xtigervncviewer
mkdir tigervnc
chmod +x xtigervncviewer && mv xtigervncviewer tigervnc/
status=0
DISPLAY=:77 PATH=$work/tigervnc:$PATH "$mainstay" view pc >out 2>err || status=$?
[[ $status == 0 && $(<called) == "$work/run/pc/display" ]]
result $? "view_opens_the_viewer_on_the_socket"
refused "listen_nowhere" 300.1.1.1 ADDRESS -- view pc --listen 300.1.1.1:5 --certificate made.pem
echo short >password
refused "a_password_must_be_long" password 8 -- view pc --listen 127.0.0.1:0 --password-file password --certificate made.pem
refused "a_password_file_must_be_there" nofile -- view pc --listen 127.0.0.1:0 --password-file nofile --certificate made.pem
head -c 100 /dev/urandom >junk.pem
refused "a_certificate_must_be_one" junk.pem PEM -- view pc --listen 127.0.0.1:0 --certificate junk.pem
refused "listen_options_belong_to_listen" --listen -- view pc --password-file password

"$mainstay" view pc --listen 127.0.0.1:0 --certificate made.pem >view.out 2>view.err &
view=$!
wait_for grep -q Certificate view.out
grep -qE '^Password: [a-z2-9]{12} ' view.out && grep -qE 'SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$' view.out
result $? "listen_prints_password_and_fingerprint"
[[ $(stat -c %a made.pem) == 600 ]]
result $? "the_key_is_for_nobody_else"
port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\) .*/\1/p' view.out)
# Whoever speaks no VeNCrypt, and rubbish: one line each.
exec 5<>"/dev/tcp/127.0.0.1/$port" && printf 'GET / HTTP/1.0\r\n\r\n' >&5 && timeout 10 cat <&5 >/dev/null 2>&1
exec 5>&-
wait_for grep -q 'turned away' view.err
[[ $(wc -l <view.err) == 1 ]] && grep -q 'VeNCrypt' view.err
result $? "a_browser_is_turned_away"
kill $view
wait $view
result $? "listen_ends_by_a_signal"

# run opens a viewer by itself, and --headless does not.
rm -f called
DISPLAY=:77 PATH=$work/tigervnc:$PATH "$mainstay" run --devtest unix:port2 --name seen --serial none 2>err &
seen=$!
wait_for grep -q "run/seen/display" called
result $? "run_opens_a_viewer_where_there_is_a_display"
m quit seen
wait $seen
rm -f called
DISPLAY=:77 PATH=$work/tigervnc:$PATH "$mainstay" run --devtest unix:port3 --name unseen --serial none --headless 2>err &
unseen=$!
wait_for "$mainstay" status unseen >/dev/null
[[ ! -e called ]]
result $? "headless_opens_none"
m quit unseen
wait $unseen

m status pc
grep -qE "^viewers +0$" out
result $? "nobody_looks_any_more"
"$mainstay" view pc --listen 127.0.0.1:0 --certificate made.pem >view.out 2>view.err &
view=$!
wait_for grep -q Certificate view.out
m stop pc --force
wait $view
[[ $? == 0 ]] && grep -q 'the machine has ended' view.err
result $? "listen_ends_with_the_machine"
wait %1
[[ $? == 0 && ! -e run/pc/display ]]
result $? "the_socket_goes_with_the_machine"
exit $failed
