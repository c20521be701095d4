// SPDX-License-Identifier: GPL-2.0-or-later
/* base/: parsing, cursors, FIFOs, options, files. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../base/bits.h"
#include "../../base/cursor.h"
#include "../../base/fifo.h"
#include "../../base/log.h"
#include "../../base/opt.h"
#include "../../base/parse.h"

Test(parse, sizes_with_units)
{
	static const struct {
		const char *text;
		int result;
		uint64_t bytes;
	} rows[] = {
		{ "0", 0, 0 },
		{ "512", 0, 512 },
		{ "128M", 0, MIB(128) },
		{ "128mib", 0, MIB(128) },
		{ "1.5G", 0, GIB(1) + MIB(512) },
		{ "2 TiB", 0, GIB(2048) },
		{ "16E", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "0.3", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1Q", -EINVAL, 0 },
		{ "1MM", -EINVAL, 0 },
		{ "1.M", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t bytes = 0;

		cr_assert_eq(parse_size(rows[i].text, &bytes), rows[i].result, "%s", rows[i].text);
		cr_assert_eq(bytes, rows[i].bytes, "%s", rows[i].text);
	}
}

Test(parse, numbers_are_strict)
{
	uint64_t value = 7;

	cr_assert_eq(parse_u64("0x1F", 0, 100, &value), 0);
	cr_assert_eq(value, 31);
	cr_assert_eq(parse_u64("101", 0, 100, &value), -ERANGE);
	cr_assert_eq(parse_u64("99999999999999999999", 0, UINT64_MAX, &value), -ERANGE);
	cr_assert_eq(parse_u64("12x", 0, 100, &value), -EINVAL);
	cr_assert_eq(parse_u64(" 12", 0, 100, &value), -EINVAL);
	cr_assert_eq(parse_u64("", 0, 100, &value), -EINVAL);
	cr_assert_eq(value, 31);
}

Test(parse, uuid_round_trip)
{
	uint8_t uuid[16];
	char text[UUID_TEXT_SIZE];

	cr_assert_eq(parse_uuid("{00112233-4455-6677-8899-AABBCCDDEEFF}", uuid), 0);
	format_uuid(uuid, text);
	cr_assert_str_eq(text, "00112233-4455-6677-8899-aabbccddeeff");
	cr_assert_eq(parse_uuid("00112233-4455-6677-8899-aabbccddeef", uuid), -EINVAL);
	cr_assert_eq(parse_uuid("{00112233-4455-6677-8899-aabbccddeeff", uuid), -EINVAL);
	cr_assert_eq(parse_uuid("00112233-4455-6677-8899-aabbccddeeff ", uuid), -EINVAL);
}

Test(parse, mac_addresses)
{
	uint8_t mac[6];

	cr_assert_eq(parse_mac("00:03:ff:12:34:56", mac), 0);
	cr_assert_eq(mac[2], 0xff);
	cr_assert_eq(parse_mac("00-03-ff-12-34-56", mac), 0);
	cr_assert_eq(parse_mac("00-03:ff-12-34-56", mac), -EINVAL);
	cr_assert_eq(parse_mac("01:03:ff:12:34:56", mac), -EINVAL, "multicast");
	cr_assert_eq(parse_mac("00:03:ff:12:34", mac), -EINVAL);
}

Test(parse, sizes_for_people)
{
	char text[16];

	format_size(0, text);
	cr_assert_str_eq(text, "0 B");
	format_size(1536, text);
	cr_assert_str_eq(text, "1.5 KiB");
	format_size(GIB(2040), text);
	cr_assert_str_eq(text, "1.99 TiB");
	format_size(UINT64_MAX, text);
	cr_assert_str_eq(text, "15.99 EiB");
}

Test(parse, names_are_utf8_without_traps)
{
	cr_assert(name_is_valid("nt4 server"));
	cr_assert(name_is_valid("会計サーバー"));
	cr_assert_not(name_is_valid(""));
	cr_assert_not(name_is_valid("../etc"));
	cr_assert_not(name_is_valid("a/b"));
	cr_assert_not(name_is_valid("-x"));
	cr_assert_not(name_is_valid("a\n"));
	cr_assert_not(name_is_valid("x "));
	cr_assert_not(name_is_valid("\xc0\x80"), "overlong");
	cr_assert_not(name_is_valid("\xed\xa0\x80"), "surrogate");
	cr_assert_not(name_is_valid("\xf5\x80\x80\x80"), "beyond Unicode");
	cr_assert_not(name_is_valid("\xe3\x81"), "cut short");
}

Test(cursor, stays_failed_after_the_end)
{
	const uint8_t bytes[] = { 1, 2, 3, 4, 5 };
	struct cursor c = cursor_reader(bytes, sizeof(bytes));

	cr_assert_eq(cursor_get_be32(&c), 0x01020304);
	cr_assert_eq(cursor_get_be16(&c), 0);
	cr_assert_not(cursor_ok(&c));
	cr_assert_eq(cursor_get_u8(&c), 0, "nothing more comes");
	cursor_seek(&c, 0);
	cr_assert_not(cursor_ok(&c));
}

Test(cursor, writes_end_at_the_buffer)
{
	uint8_t bytes[6] = { 0 };
	struct cursor c = cursor_writer(bytes, 5);

	cursor_put_le32(&c, 0x04030201);
	cursor_put_be16(&c, 0xffff);
	cr_assert_not(cursor_ok(&c));
	cr_assert_eq(bytes[3], 4);
	cr_assert_eq(bytes[4], 0);
}

struct fifo_owner {
	FIFO_STORAGE(queue, 3);
};

Test(fifo, wraps_and_refuses)
{
	struct fifo_owner owner = { 0 };
	struct fifo f = FIFO(&owner, queue);
	uint8_t byte;

	cr_assert_not(fifo_pop(f, &byte));
	for (uint8_t i = 0; i < 10; i++) {
		cr_assert(fifo_push(f, i));
		cr_assert(fifo_push(f, (uint8_t)(i + 100)));
		cr_assert(fifo_pop(f, &byte) && byte == i);
		cr_assert(fifo_pop(f, &byte) && byte == i + 100);
	}
	for (uint8_t i = 0; i < 3; i++)
		cr_assert(fifo_push(f, i));
	cr_assert_not(fifo_push(f, 9));
	cr_assert_eq(fifo_room(f), 0);
}

struct options {
	bool force;
	const char *name;
	uint32_t cpus;
	uint64_t memory;
};

static const struct opt options_table[] = {
	{ "force", 'f', OPT_FLAG, NULL, "overwrite", offsetof(struct options, force), 0, 0, NULL },
	{ "name", 'n', OPT_STRING, "NAME", "name", offsetof(struct options, name), 0, 0, NULL },
	{ "cpus", 0, OPT_U32, "N", "processors", offsetof(struct options, cpus), 1, 8, NULL },
	{ "memory", 'm', OPT_SIZE, "SIZE", "memory", offsetof(struct options, memory), 1, 0, NULL },
	{ NULL, 0, OPT_FLAG, NULL, NULL, 0, 0, 0, NULL },
};

Test(opt, reads_every_form)
{
	char *argv[] = { "a", "--name=x", "-m128M", "--cpus", "2", "b", "-f", "--", "-c" };
	struct options options = { 0 };
	char error[128];

	cr_assert_eq(opt_parse(options_table, &options, 9, argv, error, sizeof(error)), 3);
	cr_assert_str_eq(argv[0], "a");
	cr_assert_str_eq(argv[1], "b");
	cr_assert_str_eq(argv[2], "-c");
	cr_assert_str_eq(options.name, "x");
	cr_assert_eq(options.memory, MIB(128));
	cr_assert_eq(options.cpus, 2);
	cr_assert(options.force);
}

Test(opt, refuses_what_it_does_not_know)
{
	static const char *const bad[] = { "--nam=x",	"--cpus=9", "--cpus=x",
					   "--force=1", "--memory", "-z" };
	struct options options = { 0 };
	char error[128];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *argv[] = { (char *)bad[i] };

		error[0] = '\0';
		cr_assert_eq(opt_parse(options_table, &options, 1, argv, error, sizeof(error)), -1,
			     "%s", bad[i]);
		cr_assert(strstr(error, "--") || strstr(error, "-z"), "%s", error);
	}
}

Test(log, limit_lets_bursts_pass_and_refills)
{
	struct log_limit limit = { .interval_ns = 1000, .burst = 3 };
	int passed = 0;

	for (int i = 0; i < 10; i++)
		passed += log_limit_pass(&limit, 5000);
	cr_assert_eq(passed, 3);
	cr_assert_eq(limit.suppressed, 7);
	cr_assert(log_limit_pass(&limit, 1000000));
}
