#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libmainstay-vhd as others use it: installed, found by pkg-config, linked both ways; and nothing of ours leaks.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/vhd.bash

if nm -u "$build/lib/vhd.a" 2>/dev/null | grep -q __asan_init; then
	echo "a library with sanitizers is not for others"
	exit 77
fi
root=$work/root
installs() { make -s -C "$top" install-vhd BUILD="${BUILD:-build}" DESTDIR="$root" PREFIX=/opt/mainstay; }
check "make install-vhd" installs
cat >user.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <vhd.h>

int main(int argc, char **argv)
{
	struct vhd_create_options options = { .type = VHD_DYNAMIC, .size_bytes = 64 << 20 };
	struct vhd_file file = { .name = argv[argc - 1] };
	struct iovec iov = { (char *)"hello", 5 };
	char error[VHD_ERROR_BYTES];
	struct vhd *vhd;
	uint32_t blocks;

	file.fd = open(file.name, O_RDWR | O_CREAT | O_EXCL, 0666);
	if (vhd_create(&file, &options, error, sizeof(error)) < 0 ||
	    vhd_open(&file, 1, NULL, &vhd, error, sizeof(error)) < 0)
		return fprintf(stderr, "%s\n", error), 1;
	if (vhd_write(vhd, 12345, &iov, 1) < 0 || vhd_count_blocks(vhd, &blocks) < 0)
		return fprintf(stderr, "%s\n", vhd_error(vhd)), 1;
	printf("%u\n", blocks);
	return vhd_close(vhd) < 0;
}
END
export PKG_CONFIG_PATH=$root/opt/mainstay/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
shared() {
	cc -Wall -Wextra -pedantic -std=gnu11 -o shared user.c $(pkg-config --cflags --libs libmainstay-vhd) &&
		[[ $(LD_LIBRARY_PATH=$root/opt/mainstay/lib ./shared one.vhd) == 1 && $("$tool" read -o 12345 -l 5 one.vhd) == hello ]]
}
check "a program with the shared library" shared
static() {
	cc -o static user.c $(pkg-config --cflags libmainstay-vhd) "$root/opt/mainstay/lib/libmainstay-vhd.a" &&
		[[ $(./static two.vhd) == 1 ]] && "$tool" check --quiet two.vhd && ! ldd static | grep mainstay
}
check "a program with the static library" static
declared() { sed -n 's/.*[ *]\(vhd_[a-z0-9_]*\)(.*/\1/p' <(grep -h '^[a-z]' "$root"/opt/mainstay/include/mainstay/*.h) | sort -u; }
exports() {
	diff <(declared) <(nm -D --defined-only "$root/opt/mainstay/lib/libmainstay-vhd.so.1" | awk '$2 == "T" { sub("@.*", "", $3); print $3 }' | sort) &&
		diff <(declared) <(nm --defined-only "$root/opt/mainstay/lib/libmainstay-vhd.a" | awk '$2 ~ /^[TDB]$/ { print $3 }' | sort)
}
check "what the headers declare is there, and nothing else" exports
exit $failed
