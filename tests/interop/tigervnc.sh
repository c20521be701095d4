#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The remote console in TigerVNC's viewer on a virtual X server: the screen is compared pixel by pixel with the
# picture that is shown, in each encoding, and keys are pressed on it. Prints TAP lines.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build

for program in xtigervncviewer Xvfb xdotool; do
	command -v $program >/dev/null || { echo "$program is not installed"; exit 77; }
done
work=$(mktemp -d)
trap 'exec 3>&-; jobs -p | xargs -r kill 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
count=0 failed=0

result() # STATUS DESCRIPTION
{
	((count++))
	if (($1 == 0)); then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		tail -n 5 "$work/viewer.log" "$work/compare" | sed 's/^/# /'
		failed=1
	fi
}

shows() # NUMBER TOLERATED DESCRIPTION
{
	"$build/tests/interop/xwd_compare" "$work/fb/Xvfb_screen0" "$1" "$2" 20 >"$work/compare" 2>&1
	result $? "$3"
}

# Waits until the last keys that came are those given.
keys() # DESCRIPTION KEY...
{
	local description=$1 expected i
	shift
	expected=$(for i; do printf 'key %s down\nkey %s up\n' "$i" "$i"; done)
	for ((i = 0; i < 100; i++)); do
		[[ $(grep '^key' "$work/out" | tail -n $((2 * $#))) == "$expected" ]] && break
		sleep 0.1
	done
	grep '^key' "$work/out" | tail -n 20 | tr '\n' ',' >"$work/compare"
	((i < 100))
	result $? "$description"
}

mkfifo "$work/orders"
mkdir "$work/fb"
"$build/tests/interop/rfb_show" "$work/socket" 1024 768 <"$work/orders" >"$work/out" 2>&1 &
exec 3>"$work/orders"
Xvfb -displayfd 4 -screen 0 1024x768x24 -fbdir "$work/fb" -nolisten tcp -noreset 4>"$work/number" >/dev/null 2>&1 &
for ((i = 0; i < 100; i++)); do [[ -s $work/number ]] && break; sleep 0.1; done
[[ -s $work/number ]] || { echo "Xvfb does not start"; exit 1; }
DISPLAY=:$(<"$work/number")
export DISPLAY HOME=$work

number=0
for encoding in ZRLE Raw; do
	xtigervncviewer -FullScreen -AutoSelect=0 -PreferredEncoding=$encoding -Log='*:stderr:30' \
		"$work/socket" >"$work/viewer.log" 2>&1 &
	viewer=$!
	# The viewer's pointer is a dot of at most 25 pixels.
	shows $number 25 "TigerVNC shows the picture ($encoding)"
	echo next >&3
	((number++))
	shows $number 25 "TigerVNC shows the next one ($encoding)"
	[[ $encoding == Raw ]] || { kill $viewer; wait $viewer 2>/dev/null; }
done

# Without a window manager a click is what gives the viewer the keyboard.
xdotool mousemove 512 384 click 1 2>/dev/null
for ((i = 0; i < 50; i++)); do grep -q '^move .* 1$' "$work/out" && break; sleep 0.1; done
grep -q '^move .* 1$' "$work/out"
result $? "TigerVNC's pointer and buttons arrive"
xdotool key a shift+F4 2>/dev/null
for ((i = 0; i < 50; i++)); do grep -q 'key 3e up' "$work/out" && break; sleep 0.1; done
grep '^key' "$work/out" | tr '\n' ',' >"$work/compare"
grep -q '^key 1e down,key 1e up,key 2a down,key 3e down,' "$work/compare"
result $? "TigerVNC's keys arrive as scan codes"
# Places of the Japanese keyboard that no other has, whatever layout the viewer has: Yen, Ro, Henkan,
# Muhenkan, Katakana, Zenkaku (X11 key codes).
xdotool key --delay 60 132 97 100 102 101 49 2>/dev/null
keys "TigerVNC's Japanese keys arrive by their places" 7d 73 79 7b 70 29

# --- from the network: TLS and a password, on a machine without a processor

kill $viewer
wait $viewer 2>/dev/null
export MAINSTAY_VMM=$build/bin/mainstay-vmm MAINSTAY_RUNTIME_DIR=$work/run
mainstay=$build/bin/mainstay
echo "a password" >"$work/password"
"$mainstay" run --devtest "unix:$work/port" --name pc --serial none --headless >"$work/run.log" 2>&1 &
for ((i = 0; i < 100; i++)); do "$mainstay" status pc >/dev/null 2>&1 && break; sleep 0.1; done
"$mainstay" view pc --listen 127.0.0.1:0 --password-file "$work/password" --certificate "$work/view.pem" \
	>"$work/compare" 2>"$work/view.log" &
for ((i = 0; i < 100; i++)); do grep -q Certificate "$work/compare" && break; sleep 0.1; done
port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$work/compare")

connects() # PASSWORD WORDS DESCRIPTION
{
	VNC_USERNAME=x VNC_PASSWORD=$1 timeout 20 xtigervncviewer -SecurityTypes=X509Plain -X509CA="$work/view.pem" \
		"127.0.0.1::$port" >"$work/viewer.log" 2>&1 &
	viewer=$!
	for ((i = 0; i < 150; i++)); do grep -q "$2" "$work/view.log" && break; sleep 0.1; done
	grep -q "$2" "$work/view.log"
	result $? "$3"
	kill $viewer 2>/dev/null
	wait $viewer 2>/dev/null
}
connects "a passwort" "wrong password" "TigerVNC with a wrong password is turned away"
connects "a password" "is connected" "TigerVNC with TLS and the password is let in"
"$mainstay" quit pc
exit $failed
