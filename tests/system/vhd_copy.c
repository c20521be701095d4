// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moves a disk's contents between an image and a raw file with the library, for vhd_tool.sh:
 *
 *	vhd_copy to IMAGE RAW		writes RAW into IMAGE, odd pieces out of order
 *	vhd_copy from IMAGE RAW		reads IMAGE into RAW
 *	vhd_copy hold IMAGE		locks IMAGE, says so, and waits for the end of its input
 *	vhd_copy saved IMAGE		makes IMAGE part of a saved state
 *	vhd_copy member NAME		prints that member of the JSON object in its input
 *	vhd_copy count NAME VALUE	... how many objects of the JSON list have that member
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../vhd/vhd.h"

#define PIECE 100003u

static void check(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "vhd_copy: %s: %s\n", what, strerror(-r));
		exit(1);
	}
}

/* Piece @i of @count: all once, neighbours far apart. */
static uint64_t shuffle(uint64_t i, uint64_t count)
{
	uint64_t half = (count + 1) / 2;

	return i < half ? 2 * i : 2 * (count - 1 - i) + 1;
}

static void copy(struct vhd *vhd, int raw, bool to)
{
	uint64_t size = vhd_size_bytes(vhd), count = (size + PIECE - 1) / PIECE;
	static char data[PIECE];

	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = shuffle(i, count) * PIECE;
		size_t n = size - at < PIECE ? size - at : PIECE;
		const struct iovec iov = { data, n };

		if (to && pread(raw, data, n, (off_t)at) != (ssize_t)n)
			check(-5, "raw file");
		check(to ? vhd_write(vhd, at, &iov, 1) : vhd_read(vhd, at, &iov, 1),
		      vhd_error(vhd));
		if (!to && pwrite(raw, data, n, (off_t)at) != (ssize_t)n)
			check(-5, "raw file");
		if (to && i % 50 == 0)
			check(vhd_flush(vhd), vhd_error(vhd));
	}
}

/* All of the input must be one object or list and nothing else. */
static struct json_object *read_json(void)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;
	static char text[65536];
	size_t size = fread(text, 1, sizeof(text), stdin);

	if (size && text[size - 1] == '\n')
		size--;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int)size);
	return object && json_tokener_get_parse_end(tokener) == size ? object : NULL;
}

static int print_member(const char *name)
{
	struct json_object *object = read_json(), *member;

	if (!json_object_object_get_ex(object, name, &member))
		return 1;
	puts(json_object_get_string(member));
	return 0;
}

static int print_count(const char *name, const char *value)
{
	struct json_object *list = read_json(), *member;
	size_t count = 0;

	if (!json_object_is_type(list, json_type_array))
		return 1;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		count += json_object_object_get_ex(json_object_array_get_idx(list, i), name,
						   &member) &&
			 !strcmp(json_object_get_string(member), value);
	printf("%zu\n", count);
	return 0;
}

int main(int argc, char **argv)
{
	bool to = argc > 1 && (!strcmp(argv[1], "to") || !strcmp(argv[1], "saved"));
	const struct vhd_open_options options = { .read_only = !to };
	char error[VHD_ERROR_BYTES];
	struct vhd_file file = { .name = argc > 2 ? argv[2] : "" };
	struct vhd *vhd;
	int raw;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "member"))
		return print_member(argv[2]);
	if (!strcmp(argv[1], "count") && argc > 3)
		return print_count(argv[2], argv[3]);
	file.fd = open(argv[2], O_RDWR);
	if (!strcmp(argv[1], "hold")) {
		check(vhd_lock(file.fd, true), "lock");
		puts("locked");
		fflush(stdout);
		return getchar() == EOF ? 0 : 1;
	}
	check(vhd_open(&file, 1, &options, &vhd, error, sizeof(error)), error);
	if (!strcmp(argv[1], "saved")) {
		check(vhd_set_saved_state(vhd, true), vhd_error(vhd));
		check(vhd_close(vhd), "close");
		return 0;
	}
	raw = open(argv[3], to ? O_RDONLY : O_RDWR | O_CREAT | O_TRUNC, 0666);
	copy(vhd, raw, to);
	check(vhd_close(vhd), "close");
	return 0;
}
