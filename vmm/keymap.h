/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what a key means to where it is: for viewers that name only characters, for text that is
 * typed, and for keys that people name. Viewers that name places need none of this.
 */
#ifndef VMM_KEYMAP_H
#define VMM_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYMAP_SHIFT_LEFT 0x2a
#define KEYMAP_SHIFT_RIGHT 0x36
#define KEYMAP_ALT_GR 0xb8
#define KEYMAP_SPACE 0x39

enum keymap_level {
	KEYMAP_PLAIN,
	KEYMAP_SHIFTED,
	KEYMAP_THIRD,	/* with AltGr */
	KEYMAP_NO_LEVEL /* the key is no character: modifiers do not matter */
};

struct keymap_key {
	uint8_t key; /* as devmodel/input.h names it */
	enum keymap_level level;
	bool letter; /* Caps Lock shifts it */
	bool dead;   /* waits for a second key: Space gives the character itself */
};

/* A keyboard's layout, as the guest's system believes it to be. */
struct keymap;

extern const char *const keymap_names; /* all of them, for messages */
/* NULL: no such layout. */
const struct keymap *keymap_find(const char *name);

/* The key for a character; false: it has none. Control characters are Enter, Tab, Backspace, Esc.
 */
bool keymap_character(const struct keymap *map, uint32_t character, struct keymap_key *ret_key);
/* The key for an X11 keysym. */
bool keymap_keysym(const struct keymap *map, uint32_t keysym, struct keymap_key *ret_key);
/* The key that people call @name of @length: "ctrl", "f1", "del", or one character in UTF-8. */
bool keymap_name(const struct keymap *map, const char *name, size_t length,
		 struct keymap_key *ret_key);

/* Takes a character off @text, valid UTF-8 that is not at its end. */
uint32_t keymap_next_character(const char **text);

#endif
