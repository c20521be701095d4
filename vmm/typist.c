// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * All keys go through one queue, so that their order is kept whoever they are from. An entry says
 * how long to wait before it: nothing for keys of people, some milliseconds for typed text, since a
 * BIOS keeps 15 keys and DOS programs often empty that buffer before they ask. The queue is emptied
 * into the keyboard at once as far as that goes; a timer of the host's does the rest. A key that
 * the keyboard refuses, its buffer being full, is offered again shortly after.
 */
#include "typist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../devmodel/input.h"
#include "../devmodel/timer.h"
#include "keymap.h"
#include "loop.h"

#define QUEUE_MAX 8192u /* a power of two */
/* What one key of people takes at most, modifiers and all. */
#define PRESS_MAX 12u
#define RETRY_MS 5
/* 25 keys in a second: slower than a quick typist at his best, and no guest loses one. */
#define TYPE_MS 20
/* A text is all or nothing, and may fill the queue but for what people press meanwhile. */
#define TEXT_ROOM 256u

struct typist_event {
	uint8_t key;
	bool down;
	uint16_t wait_ms;
};

struct typist {
	struct loop *loop;
	struct input *input;
	const struct keymap *keymap;
	int timer_fd;
	struct loop_watch *watch;
	void (*room)(void *opaque);
	void *opaque;
	bool refused; /* somebody waits for room */
	bool waiting; /* the timer runs */
	bool waited;  /* for the first of the queue */
	uint32_t head, tail;
	uint32_t busy_ms;
	uint8_t held[32]; /* keys as they are when the queue has been typed */
	struct typist_event queue[QUEUE_MAX];
};

/* --- the queue */

static uint32_t queue_room(const struct typist *typist)
{
	return QUEUE_MAX - (typist->head - typist->tail);
}

static void start_timer(struct typist *typist, uint32_t ms)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * (long)NSEC_PER_MSEC },
	};

	(void)timerfd_settime(typist->timer_fd, 0, &when, NULL);
	typist->waiting = true;
}

/* Into the keyboard what it takes now. */
static void drain(struct typist *typist)
{
	while (typist->tail != typist->head && !typist->waiting) {
		const struct typist_event *event = &typist->queue[typist->tail % QUEUE_MAX];

		if (event->wait_ms && !typist->waited) {
			typist->waited = true;
			start_timer(typist, event->wait_ms);
		} else if (!input_key(typist->input, event->key, event->down)) {
			start_timer(typist, RETRY_MS);
		} else {
			typist->waited = false;
			typist->busy_ms -= event->wait_ms;
			typist->tail++;
		}
	}
	if (typist->refused && queue_room(typist) >= PRESS_MAX) {
		typist->refused = false;
		if (typist->room)
			typist->room(typist->opaque);
	}
}

static void timer_due(void *opaque, uint32_t events)
{
	struct typist *typist = opaque;
	uint64_t expirations;

	(void)events;
	if (read(typist->timer_fd, &expirations, sizeof(expirations)) < 0)
		return;
	typist->waiting = false;
	drain(typist);
}

static bool is_held(const struct typist *typist, uint8_t key)
{
	return typist->held[key / 8] >> (key % 8) & 1;
}

/* The caller has made sure that there is room. */
static void push(struct typist *typist, uint8_t key, bool down, uint16_t wait_ms)
{
	typist->queue[typist->head++ % QUEUE_MAX] = (struct typist_event){ key, down, wait_ms };
	typist->busy_ms += wait_ms;
	if (down)
		typist->held[key / 8] |= (uint8_t)BIT(key % 8);
	else
		typist->held[key / 8] &= (uint8_t)~BIT(key % 8);
}

static bool has_room(struct typist *typist)
{
	if (queue_room(typist) >= PRESS_MAX)
		return true;
	typist->refused = true;
	return false;
}

bool typist_key(struct typist *typist, uint8_t key, bool down)
{
	if (!has_room(typist))
		return false;
	push(typist, key, down, 0);
	drain(typist);
	return true;
}

void typist_release_all(struct typist *typist)
{
	/* What was to be typed is not wanted any more either. */
	typist->tail = typist->head;
	typist->busy_ms = 0;
	memset(typist->held, 0, sizeof(typist->held));
	input_release_all(typist->input);
	drain(typist);
}

/* --- characters */

/* Brings a modifier to where a character wants it, and says so that it can be put back. */
static bool want_modifier(struct typist *typist, uint8_t key, bool down, uint16_t wait_ms)
{
	if (is_held(typist, key) == down)
		return false;
	push(typist, key, down, wait_ms);
	return true;
}

static bool wants_shift(const struct typist *typist, const struct keymap_key *key)
{
	const bool shifted = key->level == KEYMAP_SHIFTED;

	return key->letter && (typist->input->leds & INPUT_LED_CAPS) ? !shifted : shifted;
}

/* A character's key goes down, and its modifiers around it are what it needs for that moment. */
static void press_character(struct typist *typist, const struct keymap_key *key, uint16_t wait_ms)
{
	const bool shift = wants_shift(typist, key), third = key->level == KEYMAP_THIRD;
	const bool left = is_held(typist, KEYMAP_SHIFT_LEFT);
	const bool right = is_held(typist, KEYMAP_SHIFT_RIGHT);
	bool pressed = false, dropped_left = false, dropped_right = false, alt;

	if (shift && !left && !right)
		pressed = want_modifier(typist, KEYMAP_SHIFT_LEFT, true, wait_ms);
	if (!shift) {
		dropped_left = want_modifier(typist, KEYMAP_SHIFT_LEFT, false, wait_ms);
		dropped_right = want_modifier(typist, KEYMAP_SHIFT_RIGHT, false, wait_ms);
	}
	alt = want_modifier(typist, KEYMAP_ALT_GR, third, wait_ms);
	push(typist, key->key, true, wait_ms);
	if (alt)
		push(typist, KEYMAP_ALT_GR, !third, wait_ms);
	if (pressed)
		push(typist, KEYMAP_SHIFT_LEFT, false, wait_ms);
	if (dropped_left)
		push(typist, KEYMAP_SHIFT_LEFT, true, wait_ms);
	if (dropped_right)
		push(typist, KEYMAP_SHIFT_RIGHT, true, wait_ms);
}

/* With Ctrl or Alt a key is a command: it is pressed as it is. */
static bool is_command(const struct typist *typist)
{
	return is_held(typist, 0x1d) || is_held(typist, INPUT_EXTENDED | 0x1d) ||
	       is_held(typist, 0x38);
}

bool typist_keysym(struct typist *typist, uint32_t keysym, bool down, uint8_t *ret_key)
{
	struct keymap_key key;

	*ret_key = 0;
	if (!keymap_keysym(typist->keymap, keysym, &key))
		return true;
	if (!has_room(typist))
		return false;
	if (down && key.level != KEYMAP_NO_LEVEL && !is_command(typist))
		press_character(typist, &key, 0);
	else if (down || is_held(typist, key.key))
		push(typist, key.key, down, 0);
	*ret_key = key.key;
	drain(typist);
	return true;
}

/* --- texts */

static void type_character(struct typist *typist, const struct keymap_key *key)
{
	press_character(typist, key, TYPE_MS);
	push(typist, key->key, false, TYPE_MS);
	if (!key->dead)
		return;
	push(typist, KEYMAP_SPACE, true, TYPE_MS);
	push(typist, KEYMAP_SPACE, false, TYPE_MS);
}

const char *typist_text(struct typist *typist, const char *text, const struct keymap *keymap)
{
	struct keymap_key key;
	size_t count = 0;

	if (!keymap)
		keymap = typist->keymap;
	for (const char *at = text; *at; count++) {
		if (!keymap_character(keymap, keymap_next_character(&at), &key))
			return "the text has a character that is on no key of this keyboard layout";
	}
	if (count * PRESS_MAX + TEXT_ROOM > queue_room(typist))
		return "too much waits to be typed; wait, or give shorter texts";
	for (const char *at = text; *at;) {
		keymap_character(keymap, keymap_next_character(&at), &key);
		type_character(typist, &key);
	}
	drain(typist);
	return NULL;
}

static const char *next_name(const char *at, size_t *ret_length)
{
	/* "ctrl++" means the plus key. */
	*ret_length = *at == '+' ? 1 : strcspn(at, "+");
	at += *ret_length;
	return *at == '+' ? at + 1 : at;
}

const char *typist_combination(struct typist *typist, const char *keys)
{
	uint8_t pressed[PRESS_MAX];
	size_t count = 0, length;

	for (const char *at = keys, *next; *at; at = next) {
		struct keymap_key key;

		next = next_name(at, &length);
		if (!keymap_name(typist->keymap, at, length, &key))
			return "there is no such key; keys are named like ctrl, alt, del, f1, a";
		if (count + 2 > PRESS_MAX)
			return "that is more keys than hands can hold";
		if (key.level == KEYMAP_SHIFTED)
			pressed[count++] = KEYMAP_SHIFT_LEFT;
		if (key.level == KEYMAP_THIRD)
			pressed[count++] = KEYMAP_ALT_GR;
		pressed[count++] = key.key;
	}
	if (!count)
		return "no key was given";
	if (queue_room(typist) < 2 * PRESS_MAX)
		return "too much waits to be typed; wait a moment";
	for (size_t i = 0; i < count; i++)
		push(typist, pressed[i], true, TYPE_MS);
	while (count)
		push(typist, pressed[--count], false, TYPE_MS);
	drain(typist);
	return NULL;
}

uint32_t typist_busy_ms(const struct typist *typist)
{
	return typist->busy_ms;
}

void typist_on_room(struct typist *typist, void (*room)(void *opaque), void *opaque)
{
	typist->room = room;
	typist->opaque = opaque;
}

int typist_new(struct loop *loop, struct input *input, const struct keymap *keymap,
	       struct typist **ret_typist)
{
	struct typist *typist = malloc(sizeof(*typist));
	int r;

	if (!typist)
		return -ENOMEM;
	memset(typist, 0, offsetof(struct typist, queue));
	typist->loop = loop;
	typist->input = input;
	typist->keymap = keymap;
	typist->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r = typist->timer_fd < 0 ? -errno
				 : loop_watch_new(loop, typist->timer_fd, EPOLLIN, timer_due,
						  typist, &typist->watch);
	if (r < 0) {
		typist_free(typist);
		return r;
	}
	*ret_typist = typist;
	return 0;
}

void typist_free(struct typist *typist)
{
	if (!typist)
		return;
	loop_watch_free(typist->watch);
	fd_close(typist->timer_fd);
	free(typist);
}
