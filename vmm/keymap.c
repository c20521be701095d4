// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Layouts are what Windows NT 4.0 calls them, and say which character is on which key with which
 * modifier. A key that waits for a second one is named in "dead".
 */
#include "keymap.h"

#include <string.h>
#include <strings.h>
#include <uchar.h>

#include "../base/bits.h"
#include "../devmodel/input.h"

#define E(code) (INPUT_EXTENDED | (code))
#define KEYSYM_UNICODE 0x01000000u

/* Where the characters of a layout's strings are, row by row: the keys in set 1 codes. */
static const uint8_t places[] = {
	0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, /* digits */
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, /* Q */
	0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, /* A */
	0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35,	/* Z */
	0x56, 0x73, 0x7d, /* left of Z, Japanese Ro and Yen */
};

struct keymap {
	const char *name;
	/* A character for each of places[]; a blank: none. */
	const char32_t *levels[3];
	const char32_t *dead;
};

/* The strings are as wide as the keyboard: the rows of places[] stand below each other. */
static const struct keymap keymaps[] = {
	{ "us",
	  { U"1234567890-="
	    U"qwertyuiop[]"
	    U"asdfghjkl;'`"
	    U"\\zxcvbnm,./"
	    U"   ",
	    U"!@#$%^&*()_+"
	    U"QWERTYUIOP{}"
	    U"ASDFGHJKL:\"~"
	    U"|ZXCVBNM<>?"
	    U"   ",
	    U"" },
	  U"" },
	{ "uk",
	  { U"1234567890-="
	    U"qwertyuiop[]"
	    U"asdfghjkl;'`"
	    U"#zxcvbnm,./"
	    U"\\  ",
	    U"!\"£$%^&*()_+"
	    U"QWERTYUIOP{}"
	    U"ASDFGHJKL:@¬"
	    U"~ZXCVBNM<>?"
	    U"|  ",
	    U"   €        "
	    U"  é   úíó   "
	    U"á          ¦" },
	  U"" },
	{ "de",
	  { U"1234567890ß´"
	    U"qwertzuiopü+"
	    U"asdfghjklöä^"
	    U"#yxcvbnm,.-"
	    U"<  ",
	    U"!\"§$%&/()=?`"
	    U"QWERTZUIOPÜ*"
	    U"ASDFGHJKLÖÄ°"
	    U"'YXCVBNM;:_"
	    U">  ",
	    U" ²³   {[]}\\ "
	    U"@ €        ~"
	    U"            "
	    U"       µ   "
	    U"|  " },
	  U"´`^" },
	{ "jp106",
	  { U"1234567890-^"
	    U"qwertyuiop@["
	    U"asdfghjkl;: "
	    U"]zxcvbnm,./"
	    U" \\¥",
	    U"!\"#$%&'() =~"
	    U"QWERTYUIOP`{"
	    U"ASDFGHJKL+* "
	    U"}ZXCVBNM<>?"
	    U" _|",
	    U"" },
	  U"" },
};

const char *const keymap_names = "us, uk, de and jp106";

/* Keys that are no characters, or are elsewhere than those: X11 keysym, key, what people say. */
static const struct named_key {
	uint16_t keysym;
	uint8_t key;
	const char *name;
} named_keys[] = {
	{ 0xff08, 0x0e, "backspace" },
	{ 0xff09, 0x0f, "tab" },
	{ 0xff0d, 0x1c, "enter" },
	{ 0xff0d, 0x1c, "return" },
	{ 0xff1b, 0x01, "esc" },
	{ 0xff1b, 0x01, "escape" },
	{ 0x0020, KEYMAP_SPACE, "space" },
	{ 0xff63, E(0x52), "insert" },
	{ 0xff63, E(0x52), "ins" },
	{ 0xffff, E(0x53), "delete" },
	{ 0xffff, E(0x53), "del" },
	{ 0xff50, E(0x47), "home" },
	{ 0xff57, E(0x4f), "end" },
	{ 0xff55, E(0x49), "pageup" },
	{ 0xff55, E(0x49), "pgup" },
	{ 0xff56, E(0x51), "pagedown" },
	{ 0xff56, E(0x51), "pgdn" },
	{ 0xff51, E(0x4b), "left" },
	{ 0xff52, E(0x48), "up" },
	{ 0xff53, E(0x4d), "right" },
	{ 0xff54, E(0x50), "down" },
	{ 0xffbe, 0x3b, "f1" },
	{ 0xffbf, 0x3c, "f2" },
	{ 0xffc0, 0x3d, "f3" },
	{ 0xffc1, 0x3e, "f4" },
	{ 0xffc2, 0x3f, "f5" },
	{ 0xffc3, 0x40, "f6" },
	{ 0xffc4, 0x41, "f7" },
	{ 0xffc5, 0x42, "f8" },
	{ 0xffc6, 0x43, "f9" },
	{ 0xffc7, 0x44, "f10" },
	{ 0xffc8, 0x57, "f11" },
	{ 0xffc9, 0x58, "f12" },
	{ 0xffe1, KEYMAP_SHIFT_LEFT, "shift" },
	{ 0xffe2, KEYMAP_SHIFT_RIGHT, "rightshift" },
	{ 0xffe3, 0x1d, "ctrl" },
	{ 0xffe3, 0x1d, "control" },
	{ 0xffe4, E(0x1d), "rightctrl" },
	{ 0xffe9, 0x38, "alt" },
	{ 0xffea, KEYMAP_ALT_GR, "altgr" },
	{ 0xffea, KEYMAP_ALT_GR, "rightalt" },
	{ 0xfe03, KEYMAP_ALT_GR, NULL }, /* third level */
	{ 0xff7e, KEYMAP_ALT_GR, NULL }, /* mode switch */
	{ 0xffeb, E(0x5b), "win" },
	{ 0xffec, E(0x5c), "rightwin" },
	{ 0xffe7, E(0x5b), NULL }, /* meta */
	{ 0xffe8, E(0x5c), NULL },
	{ 0xff67, E(0x5d), "menu" },
	{ 0xffe5, 0x3a, "capslock" },
	{ 0xff7f, 0x45, "numlock" },
	{ 0xff14, 0x46, "scrolllock" },
	{ 0xff61, INPUT_KEY_PRINT_SCREEN, "print" },
	{ 0xff15, INPUT_KEY_PRINT_SCREEN, "sysrq" },
	{ 0xff13, INPUT_KEY_PAUSE, "pause" },
	{ 0xff6b, INPUT_KEY_PAUSE, "break" },
	{ 0xfe20, 0x0f, NULL }, /* Tab with Shift */
	/* The keypad, with Num Lock and without. */
	{ 0xffb0, 0x52, "kp0" },
	{ 0xffb1, 0x4f, "kp1" },
	{ 0xffb2, 0x50, "kp2" },
	{ 0xffb3, 0x51, "kp3" },
	{ 0xffb4, 0x4b, "kp4" },
	{ 0xffb5, 0x4c, "kp5" },
	{ 0xffb6, 0x4d, "kp6" },
	{ 0xffb7, 0x47, "kp7" },
	{ 0xffb8, 0x48, "kp8" },
	{ 0xffb9, 0x49, "kp9" },
	{ 0xffae, 0x53, "kpdot" },
	{ 0xffac, 0x53, NULL },
	{ 0xffab, 0x4e, "kpplus" },
	{ 0xffad, 0x4a, "kpminus" },
	{ 0xffaa, 0x37, "kptimes" },
	{ 0xffaf, E(0x35), "kpslash" },
	{ 0xff8d, E(0x1c), "kpenter" },
	{ 0xff95, 0x47, NULL },
	{ 0xff96, 0x4b, NULL },
	{ 0xff97, 0x48, NULL },
	{ 0xff98, 0x4d, NULL },
	{ 0xff99, 0x50, NULL },
	{ 0xff9a, 0x49, NULL },
	{ 0xff9b, 0x51, NULL },
	{ 0xff9c, 0x4f, NULL },
	{ 0xff9d, 0x4c, NULL },
	{ 0xff9e, 0x52, NULL },
	{ 0xff9f, 0x53, NULL },
	/* The Japanese 106-key keyboard. */
	{ 0xff22, 0x7b, "muhenkan" },
	{ 0xff23, 0x79, "henkan" },
	{ 0xff27, 0x70, "katakana" },
	{ 0xff24, 0x70, NULL },
	{ 0xff25, 0x70, NULL },
	{ 0xff26, 0x70, NULL },
	{ 0xff2a, 0x29, "hankaku" },
	{ 0xff21, 0x29, "kanji" },
	{ 0xff30, 0x3a, NULL },
};

/* What control characters in a text stand for. */
static const struct {
	uint8_t character, key;
} control_keys[] = {
	{ '\n', 0x1c }, { '\r', 0x1c }, { '\t', 0x0f }, { '\b', 0x0e }, { 0x1b, 0x01 }
};

const struct keymap *keymap_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(keymaps); i++) {
		if (!strcmp(keymaps[i].name, name))
			return &keymaps[i];
	}
	return NULL;
}

static bool contains(const char32_t *string, uint32_t character)
{
	while (*string && *string != character)
		string++;
	return *string;
}

/* Whether Caps Lock changes a key: its shifted character is the plain one's capital. */
static bool is_letter(const struct keymap *map, size_t place)
{
	const char32_t plain = map->levels[0][place], shifted = map->levels[1][place];

	return plain - shifted == 'a' - 'A' &&
	       ((plain >= 'a' && plain <= 'z') || (plain >= 0xe0 && plain <= 0xfe));
}

bool keymap_character(const struct keymap *map, uint32_t character, struct keymap_key *ret_key)
{
	*ret_key = (struct keymap_key){ .level = KEYMAP_PLAIN };
	for (size_t i = 0; i < ARRAY_LEN(control_keys); i++) {
		if (control_keys[i].character == character)
			ret_key->key = control_keys[i].key;
	}
	if (character == ' ')
		ret_key->key = KEYMAP_SPACE;
	if (ret_key->key)
		return true;
	for (unsigned int level = KEYMAP_PLAIN; character && level <= KEYMAP_THIRD; level++) {
		const char32_t *string = map->levels[level];

		for (size_t i = 0; i < ARRAY_LEN(places) && string[i]; i++) {
			if (string[i] != character)
				continue;
			ret_key->key = places[i];
			ret_key->level = (enum keymap_level)level;
			ret_key->letter = level != KEYMAP_THIRD && is_letter(map, i);
			ret_key->dead = contains(map->dead, character);
			return true;
		}
	}
	return false;
}

bool keymap_keysym(const struct keymap *map, uint32_t keysym, struct keymap_key *ret_key)
{
	for (size_t i = 0; i < ARRAY_LEN(named_keys); i++) {
		if (named_keys[i].keysym != keysym)
			continue;
		*ret_key = (struct keymap_key){ named_keys[i].key, KEYMAP_NO_LEVEL, false, false };
		return true;
	}
	if ((keysym & 0xff000000) == KEYSYM_UNICODE)
		keysym &= 0xffffff;
	else if (keysym == 0x20ac) /* the euro sign has its Unicode number */
		return keymap_character(map, keysym, ret_key);
	else if (keysym > 0xff)
		return false;
	/* Latin 1 has its own numbers in both; control characters are no keysyms. */
	return keysym >= ' ' && keymap_character(map, keysym, ret_key);
}

bool keymap_name(const struct keymap *map, const char *name, size_t length,
		 struct keymap_key *ret_key)
{
	const char *end = name;

	for (size_t i = 0; i < ARRAY_LEN(named_keys); i++) {
		const char *known = named_keys[i].name;

		if (known && strlen(known) == length && !strncasecmp(known, name, length)) {
			*ret_key = (struct keymap_key){ named_keys[i].key, KEYMAP_NO_LEVEL, false,
							false };
			return true;
		}
	}
	if (!length)
		return false;
	if (!keymap_character(map, keymap_next_character(&end), ret_key))
		return false;
	return end == name + length;
}

uint32_t keymap_next_character(const char **text)
{
	const uint8_t *at = (const uint8_t *)*text;
	const unsigned int more = at[0] < 0x80 ? 0 : at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
	uint32_t character = more ? at[0] & (0x3fu >> more) : at[0];

	for (unsigned int i = 1; i <= more; i++)
		character = character << 6 | (at[i] & 0x3f);
	*text += 1 + more;
	return character;
}
