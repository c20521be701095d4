/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard's other end: keys that viewers press and texts that are typed, in order and at a speed
 * that the guest can follow, into devmodel/input.h.
 *
 * Keys wait in a queue of fixed size while the keyboard's own buffer is full or, for typed text,
 * until the guest has had time to read the one before. Everything needs the machine lock and the
 * loop thread.
 */
#ifndef VMM_TYPIST_H
#define VMM_TYPIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input;
struct keymap;
struct loop;
struct typist;

/* 0 or -errno. @keymap is what viewers without true scan codes, and texts, are read with. */
int typist_new(struct loop *loop, struct input *input, const struct keymap *keymap,
	       struct typist **ret_typist);
void typist_free(struct typist *typist);

/* Called when the queue has room again after one of the next two said false. */
void typist_on_room(struct typist *typist, void (*room)(void *opaque), void *opaque);
/* A key by its place goes down or up. False: no room, try later. */
bool typist_key(struct typist *typist, uint8_t key, bool down);
/*
 * A key by its meaning. Modifiers that the character needs and nobody holds are pressed for the
 * moment, and others are let go. *ret_key is the key; 0: the layout has none, and nothing happens.
 */
bool typist_keysym(struct typist *typist, uint32_t keysym, bool down, uint8_t *ret_key);
/* Whoever held keys has left. */
void typist_release_all(struct typist *typist);

/*
 * Types @text (UTF-8) as on a keyboard with @keymap, NULL: the machine's. NULL, or one line that
 * says why nothing of it was typed.
 */
const char *typist_text(struct typist *typist, const char *text, const struct keymap *keymap);
/* Presses "ctrl+alt+del": down in this order, up in the other. NULL or one line. */
const char *typist_combination(struct typist *typist, const char *keys);
/* How long, in milliseconds, until all that was given is typed if the guest reads it. */
uint32_t typist_busy_ms(const struct typist *typist);

#endif
