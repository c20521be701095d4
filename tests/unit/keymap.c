// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/keymap: from characters, keysyms and names to keys. */
#include <criterion/criterion.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../devmodel/input.h"
#include "../../vmm/keymap.h"

static const char *const layouts[] = { "us", "uk", "de", "jp106" };

Test(keymap, there_are_the_layouts_that_are_named)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		cr_assert(keymap_find(layouts[i]));
		cr_assert(strstr(keymap_names, layouts[i]));
	}
	cr_assert_null(keymap_find("fr"));
	cr_assert_null(keymap_find(""));
}

/* What everybody types. */
Test(keymap, every_layout_has_all_of_ascii)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		const struct keymap *map = keymap_find(layouts[i]);
		bool taken[256][3] = { { false } };

		for (uint32_t c = ' '; c < 0x7f; c++) {
			struct keymap_key key;

			cr_assert(keymap_character(map, c, &key), "%s has no %c", layouts[i], c);
			cr_assert_not(taken[key.key][key.level], "%s: %c is not alone", layouts[i],
				      c);
			taken[key.key][key.level] = true;
			cr_assert_eq(key.letter, (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'),
				     "%s: %c", layouts[i], c);
		}
	}
}

Test(keymap, characters_are_where_keyboards_have_them)
{
	static const struct {
		const char *layout;
		uint32_t character;
		uint8_t key;
		enum keymap_level level;
	} rows[] = {
		{ "us", '\\', 0x2b, KEYMAP_PLAIN },    { "us", '"', 0x28, KEYMAP_SHIFTED },
		{ "us", '/', 0x35, KEYMAP_PLAIN },     { "uk", '"', 0x03, KEYMAP_SHIFTED },
		{ "uk", '\\', 0x56, KEYMAP_PLAIN },    { "uk", 0x20ac, 0x05, KEYMAP_THIRD },
		{ "uk", 0xa3, 0x04, KEYMAP_SHIFTED },  { "de", 'z', 0x15, KEYMAP_PLAIN },
		{ "de", 'y', 0x2c, KEYMAP_PLAIN },     { "de", '\\', 0x0c, KEYMAP_THIRD },
		{ "de", '@', 0x10, KEYMAP_THIRD },     { "de", '|', 0x56, KEYMAP_THIRD },
		{ "de", 0xdf, 0x0c, KEYMAP_PLAIN },    { "de", '-', 0x35, KEYMAP_PLAIN },
		{ "jp106", '@', 0x1a, KEYMAP_PLAIN },  { "jp106", '_', 0x73, KEYMAP_SHIFTED },
		{ "jp106", '\\', 0x73, KEYMAP_PLAIN }, { "jp106", '|', 0x7d, KEYMAP_SHIFTED },
		{ "jp106", 0xa5, 0x7d, KEYMAP_PLAIN }, { "jp106", '"', 0x03, KEYMAP_SHIFTED },
		{ "jp106", ':', 0x28, KEYMAP_PLAIN },  { "jp106", '~', 0x0d, KEYMAP_SHIFTED },
		{ "us", '\n', 0x1c, KEYMAP_PLAIN },    { "us", '\t', 0x0f, KEYMAP_PLAIN },
	};
	struct keymap_key key;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert(keymap_character(keymap_find(rows[i].layout), rows[i].character, &key));
		cr_assert_eq(key.key, rows[i].key, "%s %x: %02x", rows[i].layout, rows[i].character,
			     key.key);
		cr_assert_eq(key.level, rows[i].level, "%s %x", rows[i].layout, rows[i].character);
	}
	cr_assert(keymap_character(keymap_find("de"), '^', &key) && key.dead);
	cr_assert_not(keymap_character(keymap_find("us"), 0, &key));
	cr_assert_not(keymap_character(keymap_find("us"), 0xe4, &key));
}

Test(keymap, keysyms_that_are_no_characters)
{
	static const struct {
		uint32_t keysym;
		uint8_t key;
	} rows[] = {
		{ 0xff0d, 0x1c },
		{ 0xffe4, INPUT_EXTENDED | 0x1d },
		{ 0xff55, INPUT_EXTENDED | 0x49 },
		{ 0xff9a, 0x49 },
		{ 0xffb5, 0x4c },
		{ 0xff13, INPUT_KEY_PAUSE },
		{ 0xff61, INPUT_KEY_PRINT_SCREEN },
		{ 0xff2a, 0x29 },
		{ 0xff22, 0x7b },
		{ 0xffc9, 0x58 },
	};
	const struct keymap *map = keymap_find("jp106");
	struct keymap_key key;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert(keymap_keysym(map, rows[i].keysym, &key), "%x", rows[i].keysym);
		cr_assert_eq(key.key, rows[i].key);
		cr_assert_eq(key.level, KEYMAP_NO_LEVEL);
	}
	/* Latin 1 by its own number, others by Unicode's. */
	cr_assert(keymap_keysym(map, 0xa5, &key) && key.key == 0x7d);
	cr_assert(keymap_keysym(map, 0x010000a5, &key) && key.key == 0x7d);
	cr_assert(keymap_keysym(keymap_find("uk"), 0x20ac, &key) && key.level == KEYMAP_THIRD);
	cr_assert_not(keymap_keysym(map, 0, &key));
	cr_assert_not(keymap_keysym(map, 0x0d, &key));
	cr_assert_not(keymap_keysym(map, 0xffffffff, &key));
	cr_assert_not(keymap_keysym(map, 0x0100fffe, &key));
}

Test(keymap, keys_have_names)
{
	const struct keymap *map = keymap_find("us");
	struct keymap_key key;

	cr_assert(keymap_name(map, "Ctrl", 4, &key) && key.key == 0x1d);
	cr_assert(keymap_name(map, "del+x", 3, &key) && key.key == 0xd3);
	cr_assert(keymap_name(map, "f11", 3, &key) && key.key == 0x57);
	cr_assert(keymap_name(map, "A", 1, &key) && key.level == KEYMAP_SHIFTED);
	cr_assert(keymap_name(keymap_find("de"), "ü", 2, &key) && key.key == 0x1a);
	cr_assert_not(keymap_name(map, "f13", 3, &key));
	cr_assert_not(keymap_name(map, "", 0, &key));
	cr_assert_not(keymap_name(map, "ab", 2, &key));
}
