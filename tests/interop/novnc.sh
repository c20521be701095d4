#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The remote console in noVNC's core, run by a headless Chromium (novnc.mjs). noVNC comes from npm.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
version=1.7.0
sum=32689f18d6abe96bc6530828a6bd0b9ae33bda07c083a6575ed255b5a8f2e903

skip()
{
	echo "$1"
	exit 77
}
for program in node npm chromium-headless-shell; do
	command -v $program >/dev/null || skip "$program is not installed"
done
folder=$build/interop/novnc-$version
if [[ ! -f $folder/package/core/rfb.js ]]; then
	mkdir -p "$folder"
	(cd "$folder" && npm pack --silent "@novnc/novnc@$version" >/dev/null 2>&1 && tar xf ./*.tgz) ||
		skip "noVNC $version cannot be fetched with npm"
fi
sha256sum --quiet -c <<<"$sum  $folder/novnc-novnc-$version.tgz" || { echo "noVNC $version is not what it was"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HOME=$work timeout 150 node tests/interop/novnc.mjs "$build/tests/interop/rfb_show" "$work/socket" \
	"$folder/package" "$(command -v chromium-headless-shell)"
