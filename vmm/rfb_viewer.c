// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Input is a table of messages: how long the fixed part is, and what to do with it. A message whose
 * length is the viewer's own word (encodings, cut text) is taken as it comes and never collected. A
 * message that cannot be carried out now (the keyboard is full, an update is half sent, no room for
 * its answer) stays in the buffer, and so does all behind it.
 */
#include "rfb_viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../devmodel/input.h"
#include "rfb_viewer_impl.h"

#define VERSION_BYTES 12
#define OBSERVER_MINOR "808"
#define SECURITY_NONE 1
#define SHARED_BYTES 1
/* A clipboard that is larger than this is not one. */
#define CUT_TEXT_MAX MIB(16)
#define FENCE_PAYLOAD_MAX 64
#define FENCE_FLAGS 0x7u /* block before, block after, synchronise next */
#define FENCE_REQUEST BIT(31)
#define WHEEL_UP BIT(3)
#define WHEEL_DOWN BIT(4)
#define BUTTON_SIDE BIT(7)
#define MOTION_BIAS 0x7fff

/* Messages to the viewer. */
#define SAY_END_OF_CONTINUOUS 150
#define SAY_FENCE 248

/* How the pieces of the protocol are called in the viewer's list of encodings. */
static const struct {
	int32_t number;
	enum feature feature;
	uint32_t news; /* told at once */
} features[] = {
	{ RFB_COPY_RECT, CAN_COPY, 0 },
	{ RFB_CURSOR, CAN_CURSOR, NEWS_CURSOR },
	{ RFB_DESKTOP_SIZE, CAN_RESIZE, 0 },
	{ RFB_EXTENDED_DESKTOP_SIZE, CAN_RESIZE_EXTENDED, NEWS_SIZE },
	{ RFB_POINTER_MOTION, CAN_MOTION, NEWS_MOTION },
	{ RFB_EXTENDED_KEYS, CAN_EXTENDED_KEYS, NEWS_EXTENDED_KEYS },
	{ RFB_LED_STATE, CAN_LEDS, NEWS_LEDS },
	{ RFB_FENCE, CAN_FENCE, 0 },
	{ RFB_CONTINUOUS_UPDATES, CAN_CONTINUE, 0 },
};

const uint8_t *rfb_viewer_output(const struct rfb_viewer *viewer, size_t *ret_count)
{
	*ret_count = viewer->out_count;
	return viewer->out + viewer->out_at;
}

void rfb_viewer_sent(struct rfb_viewer *viewer, size_t count)
{
	viewer->out_at += count;
	viewer->out_count -= count;
	if (!viewer->out_count)
		viewer->out_at = 0;
}

static void say_reason(struct cursor *to, const char *reason)
{
	cursor_put_be32(to, (uint32_t)strlen(reason));
	cursor_put_bytes(to, reason, strlen(reason));
}

/* --- greeting. Each takes its bytes off the buffer: how many, or 0 when they are not there yet */

static uint8_t minor_of(const uint8_t *version)
{
	if (memcmp(version, "RFB ", 4) || version[7] != '.' || version[11] != '\n')
		return 0;
	if (memcmp(version + 4, "003", 3))
		return memcmp(version + 4, "004", 3) ? 0 : 8;
	/* Others than these never were; who asks for one gets the oldest, as the RFC has it. */
	return !memcmp(version + 8, "008", 3) || !memcmp(version + 8, OBSERVER_MINOR, 3) ? 8
	       : !memcmp(version + 8, "007", 3)						 ? 7
											 : 3;
}

static size_t take_version(struct rfb_viewer *viewer)
{
	struct cursor out = begin(viewer);
	const char *refused;

	if (viewer->in_count < VERSION_BYTES)
		return 0;
	viewer->minor = minor_of(viewer->in);
	if (!viewer->minor) {
		drop(viewer, "it does not speak RFB");
		return VERSION_BYTES;
	}
	viewer->observer = !memcmp(viewer->in + 8, OBSERVER_MINOR, 3);
	refused = viewer->ops->admit(viewer);
	if (refused) {
		/* No kinds of security, and why. */
		if (viewer->minor == 3)
			cursor_put_be32(&out, 0);
		else
			cursor_put_u8(&out, 0);
		say_reason(&out, refused);
		commit(viewer, &out);
		drop(viewer, refused);
		return VERSION_BYTES;
	}
	if (viewer->minor == 3) {
		cursor_put_be32(&out, SECURITY_NONE);
		viewer->state = RFB_CLIENT_INIT;
	} else {
		cursor_put_u8(&out, 1);
		cursor_put_u8(&out, SECURITY_NONE);
		viewer->state = RFB_SECURITY;
	}
	commit(viewer, &out);
	return VERSION_BYTES;
}

static size_t take_security(struct rfb_viewer *viewer)
{
	struct cursor out = begin(viewer);

	if (!viewer->in_count)
		return 0;
	if (viewer->in[0] != SECURITY_NONE) {
		if (viewer->minor >= 8) {
			cursor_put_be32(&out, 1);
			say_reason(&out, "this kind of security was not offered");
			commit(viewer, &out);
		}
		drop(viewer, "it asked for a kind of security that was not offered");
		return 1;
	}
	if (viewer->minor >= 8) {
		cursor_put_be32(&out, 0);
		commit(viewer, &out);
	}
	viewer->state = RFB_CLIENT_INIT;
	return 1;
}

/* Whether others may stay is the machine's setting, not the viewer's wish. */
static size_t take_client_init(struct rfb_viewer *viewer)
{
	struct cursor out = begin(viewer);

	if (!viewer->in_count)
		return 0;
	viewer->width = viewer->screen->width;
	viewer->height = viewer->screen->height;
	cursor_put_be16(&out, (uint16_t)viewer->width);
	cursor_put_be16(&out, (uint16_t)viewer->height);
	rfb_format_put(&out, &rfb_format_default);
	say_reason(&out, viewer->title);
	commit(viewer, &out);
	viewer->state = RFB_RUNNING;
	return SHARED_BYTES;
}

/* --- messages. True when carried out, false: not now */

static bool set_pixel_format(struct rfb_viewer *viewer, struct cursor *in)
{
	struct rfb_format format;
	struct cursor out = begin(viewer);

	cursor_skip(in, 3);
	format = rfb_format_get(in);
	if (!format.true_colour) {
		rfb_put_palette(&out);
		if (!commit(viewer, &out))
			return false;
	}
	if (!rfb_encoder_set_format(&viewer->encoder, &format)) {
		drop(viewer, "it asked for a pixel format that does not exist");
		return true;
	}
	/* The pointer's shape is in the viewer's format too. */
	if (can(viewer, CAN_CURSOR))
		viewer->news |= NEWS_CURSOR;
	return true;
}

static bool set_encodings(struct rfb_viewer *viewer, struct cursor *in)
{
	cursor_skip(in, 1);
	viewer->encodings_left = cursor_get_be16(in);
	viewer->encoding = RFB_RAW;
	viewer->encoding_chosen = false;
	viewer->features &= BIT(CAN_FENCE) | BIT(CAN_CONTINUE);
	viewer->news &= NEWS_SIZE;
	/* It may not know any more how to move lines. */
	viewer->watcher.can_move = false;
	if (viewer->watcher.move.height)
		screen_watch_anew(viewer->screen, &viewer->watcher);
	return true;
}

/* What the viewer prefers comes first. */
static void take_encoding(struct rfb_viewer *viewer, int32_t number)
{
	if (!viewer->encoding_chosen &&
	    (number == RFB_ZRLE || number == RFB_ZLIB || number == RFB_RAW)) {
		viewer->encoding = (enum rfb_encoding)number;
		viewer->encoding_chosen = true;
	}
	if (number > RFB_COMPRESS_LEVEL_0 && number <= RFB_COMPRESS_LEVEL_9)
		viewer->encoder.level = number - RFB_COMPRESS_LEVEL_0;
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if (features[i].number != number)
			continue;
		viewer->features |= BIT(features[i].feature);
		viewer->news |= features[i].news;
	}
}

/* These two are announced by a message of their own, once. */
static void announce(struct rfb_viewer *viewer, uint32_t had)
{
	const uint32_t now = viewer->features & ~had;
	struct cursor out = begin(viewer);

	if (now & BIT(CAN_FENCE)) {
		cursor_put_u8(&out, SAY_FENCE);
		cursor_put_zeros(&out, 3);
		cursor_put_be32(&out, FENCE_REQUEST);
		cursor_put_u8(&out, 0);
	}
	if (now & BIT(CAN_CONTINUE))
		cursor_put_u8(&out, SAY_END_OF_CONTINUOUS);
	commit(viewer, &out);
}

static bool request_update(struct rfb_viewer *viewer, struct cursor *in)
{
	const bool incremental = cursor_get_u8(in);
	struct display_rect rect;

	rect.x = cursor_get_be16(in);
	rect.y = cursor_get_be16(in);
	rect.width = cursor_get_be16(in);
	rect.height = cursor_get_be16(in);
	viewer->requested = true;
	if (!incremental) {
		screen_tiles_fill(&viewer->watcher.dirty, viewer->screen, &rect);
		/* The size too, for those whose window it is that was lost. */
		if (can(viewer, CAN_RESIZE_EXTENDED))
			viewer->news |= NEWS_SIZE;
	}
	return true;
}

static bool is_held(const struct rfb_viewer *viewer, uint8_t key)
{
	return viewer->down[key / 8] >> (key % 8) & 1;
}

void rfb_viewer_note_key(struct rfb_viewer *viewer, uint8_t key, bool down)
{
	if (down)
		viewer->down[key / 8] |= (uint8_t)BIT(key % 8);
	else
		viewer->down[key / 8] &= (uint8_t)~BIT(key % 8);
}

static bool key_by_meaning(struct rfb_viewer *viewer, struct cursor *in)
{
	const bool down = cursor_get_u8(in);

	cursor_skip(in, 2);
	viewer->events++;
	return viewer->ops->keysym(viewer, cursor_get_be32(in), down);
}

/* Viewers name three keys in a way of their own. */
static uint8_t key_from_code(uint32_t code)
{
	switch (code) {
	case INPUT_EXTENDED | 0x45: /* Num Lock */
		return 0x45;
	case 0x54: /* Print Screen, as it is with Alt */
		return INPUT_KEY_PRINT_SCREEN;
	default:
		return code > UINT8_MAX ? 0 : (uint8_t)code;
	}
}

static bool key_by_place(struct rfb_viewer *viewer, struct cursor *in)
{
	uint32_t keysym, code;
	uint8_t key;
	bool down;

	if (cursor_get_u8(in) != 0) {
		drop(viewer, "it sent a QEMU message that was not offered");
		return true;
	}
	down = cursor_get_be16(in);
	keysym = cursor_get_be32(in);
	code = cursor_get_be32(in);
	key = key_from_code(code);
	viewer->events++;
	/* Some know only of some keys where they are. */
	if (!(key & 0x7f))
		return viewer->ops->keysym(viewer, keysym, down);
	if (!down && !is_held(viewer, key))
		return true;
	if (!viewer->ops->key(viewer, key, down))
		return false;
	rfb_viewer_note_key(viewer, key, down);
	return true;
}

/* Buttons 4 and 5 of the protocol are the wheel: each press is a step. */
static int32_t wheel_steps(uint32_t buttons, uint32_t before)
{
	const uint32_t pressed = buttons & ~before;

	return (pressed & WHEEL_DOWN ? 1 : 0) - (pressed & WHEEL_UP ? 1 : 0);
}

static uint32_t buttons_of(uint32_t mask)
{
	return (mask & BIT(0) ? INPUT_BUTTON_LEFT : 0) | (mask & BIT(1) ? INPUT_BUTTON_MIDDLE : 0) |
	       (mask & BIT(2) ? INPUT_BUTTON_RIGHT : 0) |
	       (mask & BUTTON_SIDE ? INPUT_BUTTON_SIDE : 0);
}

static bool point(struct rfb_viewer *viewer, struct cursor *in)
{
	const uint32_t mask = cursor_get_u8(in);
	const uint32_t x = cursor_get_be16(in), y = cursor_get_be16(in);
	const int32_t wheel = wheel_steps(mask, viewer->buttons);

	viewer->events++;
	viewer->buttons = mask;
	if (can(viewer, CAN_MOTION) && !viewer->pointer_absolute)
		viewer->ops->motion(viewer, (int32_t)x - MOTION_BIAS, (int32_t)y - MOTION_BIAS,
				    wheel, buttons_of(mask));
	else
		viewer->ops->point(viewer, x, y, wheel, buttons_of(mask));
	return true;
}

/* A negative length, of the extended clipboard that was not offered, is beyond the limit. */
static bool cut_text(struct rfb_viewer *viewer, struct cursor *in)
{
	cursor_skip(in, 3);
	viewer->skip = cursor_get_be32(in);
	if (viewer->skip > CUT_TEXT_MAX)
		drop(viewer, "it sent a clipboard beyond all measure");
	return true;
}

static bool enable_continuous(struct rfb_viewer *viewer, struct cursor *in)
{
	const bool enable = cursor_get_u8(in);
	struct cursor out = begin(viewer);

	if (viewer->continuous && !enable) {
		cursor_put_u8(&out, SAY_END_OF_CONTINUOUS);
		if (!commit(viewer, &out))
			return false;
	}
	viewer->continuous = enable;
	return true;
}

/* The answer says that all before it has been done, which is so. */
static bool fence(struct rfb_viewer *viewer, struct cursor *in)
{
	uint8_t payload[FENCE_PAYLOAD_MAX];
	struct cursor out = begin(viewer);
	uint32_t flags;
	uint8_t size;

	cursor_skip(in, 3);
	flags = cursor_get_be32(in);
	size = cursor_get_u8(in);
	if (size > FENCE_PAYLOAD_MAX) {
		drop(viewer, "it sent a fence that is too long");
		return true;
	}
	cursor_get_bytes(in, payload, size);
	if (!cursor_ok(in))
		return false;
	if (!(flags & FENCE_REQUEST))
		return true;
	cursor_put_u8(&out, SAY_FENCE);
	cursor_put_zeros(&out, 3);
	cursor_put_be32(&out, flags & FENCE_FLAGS);
	cursor_put_u8(&out, size);
	cursor_put_bytes(&out, payload, size);
	return commit(viewer, &out);
}

/* The size is the guest's. */
static bool set_desktop_size(struct rfb_viewer *viewer, struct cursor *in)
{
	cursor_skip(in, 5);
	viewer->skip = cursor_get_u8(in) * 16u;
	cursor_skip(in, 1);
	if (can(viewer, CAN_RESIZE_EXTENDED))
		viewer->news |= NEWS_SIZE_REFUSED;
	return true;
}

static const struct message {
	uint8_t type, bytes; /* the fixed part, the type included */
	bool between;	     /* answers, or changes what an update is made with */
	bool (*run)(struct rfb_viewer *viewer, struct cursor *in);
} messages[] = {
	{ 0, 20, true, set_pixel_format },
	{ 2, 4, true, set_encodings },
	{ 3, 10, false, request_update },
	{ 4, 8, false, key_by_meaning },
	{ 5, 6, false, point },
	{ 6, 8, false, cut_text },
	{ 150, 10, true, enable_continuous },
	{ 248, 9, true, fence },
	{ 251, 8, false, set_desktop_size },
	{ 255, 12, false, key_by_place },
};

static const struct message *find_message(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		if (messages[i].type == type)
			return &messages[i];
	}
	return NULL;
}

static size_t take_message(struct rfb_viewer *viewer)
{
	const struct message *message;
	struct cursor in;

	if (!viewer->in_count)
		return 0;
	message = find_message(viewer->in[0]);
	if (!message) {
		drop(viewer, "it sent a message that this server does not know");
		return 1;
	}
	if (viewer->in_count < message->bytes || (message->between && updating(viewer)))
		return 0;
	in = cursor_reader(viewer->in, viewer->in_count);
	cursor_skip(&in, 1);
	if (!message->run(viewer, &in))
		return 0;
	/* A fence brings its payload along. */
	return max_u64(message->bytes, in.pos);
}

static size_t take_encodings(struct rfb_viewer *viewer)
{
	const uint32_t had = viewer->features;
	size_t taken = 0;

	while (viewer->encodings_left && viewer->in_count - taken >= 4) {
		take_encoding(viewer, (int32_t)get_be32(viewer->in + taken));
		viewer->encodings_left--;
		taken += 4;
	}
	announce(viewer, had);
	return taken;
}

static size_t take_skipped(struct rfb_viewer *viewer)
{
	const size_t taken = min_u64(viewer->skip, viewer->in_count);

	viewer->skip -= (uint32_t)taken;
	return taken;
}

static size_t take_next(struct rfb_viewer *viewer)
{
	switch (viewer->state) {
	case RFB_VERSION:
		return take_version(viewer);
	case RFB_SECURITY:
		return take_security(viewer);
	case RFB_CLIENT_INIT:
		return take_client_init(viewer);
	case RFB_CLOSING:
		return 0;
	case RFB_RUNNING:
		break;
	}
	if (viewer->skip)
		return take_skipped(viewer);
	return viewer->encodings_left ? take_encodings(viewer) : take_message(viewer);
}

void rfb_viewer_parse(struct rfb_viewer *viewer)
{
	size_t taken;

	while ((taken = take_next(viewer))) {
		viewer->in_count -= taken;
		memmove(viewer->in, viewer->in + taken, viewer->in_count);
	}
}

uint8_t *rfb_viewer_room(struct rfb_viewer *viewer, size_t *ret_room)
{
	*ret_room = viewer->state == RFB_CLOSING ? 0 : RFB_IN_BYTES - viewer->in_count;
	return viewer->in + viewer->in_count;
}

void rfb_viewer_received(struct rfb_viewer *viewer, size_t count)
{
	viewer->in_count += count;
	rfb_viewer_parse(viewer);
}

/* --- news from the machine */

bool rfb_viewer_can_draw_cursor(const struct rfb_viewer *viewer)
{
	return can(viewer, CAN_CURSOR);
}

void rfb_viewer_set_cursor(struct rfb_viewer *viewer, const struct rfb_cursor *cursor)
{
	const uint32_t serial = cursor ? cursor->serial : 0;

	if (viewer->cursor == cursor && viewer->cursor_serial == serial)
		return;
	viewer->cursor = cursor;
	viewer->cursor_serial = serial;
	if (can(viewer, CAN_CURSOR))
		viewer->news |= NEWS_CURSOR;
}

void rfb_viewer_set_leds(struct rfb_viewer *viewer, uint8_t leds)
{
	if (viewer->leds == leds)
		return;
	viewer->leds = leds;
	if (can(viewer, CAN_LEDS))
		viewer->news |= NEWS_LEDS;
}

void rfb_viewer_set_absolute(struct rfb_viewer *viewer, bool absolute)
{
	if (viewer->pointer_absolute == absolute)
		return;
	viewer->pointer_absolute = absolute;
	if (can(viewer, CAN_MOTION))
		viewer->news |= NEWS_MOTION;
}

/* --- life */

struct rfb_viewer *rfb_viewer_new(struct screen *screen, const struct rfb_viewer_ops *ops,
				  const char *title)
{
	struct rfb_viewer *viewer = malloc(sizeof(*viewer));
	struct cursor out;

	if (!viewer)
		return NULL;
	/* All but the buffers. */
	memset(viewer, 0, offsetof(struct rfb_viewer, in));
	rfb_encoder_init(&viewer->encoder);
	viewer->ops = ops;
	viewer->screen = screen;
	snprintf(viewer->title, sizeof(viewer->title), "%s", title);
	out = begin(viewer);
	cursor_put_bytes(&out, "RFB 003.008\n", VERSION_BYTES);
	commit(viewer, &out);
	screen_watch(screen, &viewer->watcher);
	return viewer;
}

void rfb_viewer_free(struct rfb_viewer *viewer, struct screen *screen)
{
	if (!viewer)
		return;
	screen_unwatch(screen, &viewer->watcher);
	rfb_encoder_fini(&viewer->encoder);
	free(viewer);
}
