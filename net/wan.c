// SPDX-License-Identifier: GPL-2.0-or-later
#include "wan.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

bool wan_settings_active(const struct wan_settings *settings)
{
	return settings->latency_ms || settings->jitter_ms || settings->loss_ppm ||
	       settings->bytes_per_s;
}

void wan_init(struct wan *wan, uint64_t seed)
{
	memset(wan, 0, sizeof(*wan));
	wan->random = seed | 1;
}

void wan_fini(struct wan *wan)
{
	while (wan->count)
		free(wan->heap[wan->count--]);
}

/* Chance for a model of a line; nothing secret depends on it. */
static uint32_t next_random(struct wan *wan)
{
	wan->random ^= wan->random << 13;
	wan->random ^= wan->random >> 7;
	wan->random ^= wan->random << 17;
	return (uint32_t)(wan->random >> 32);
}

static bool earlier(const struct wan_frame *a, const struct wan_frame *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void sift_up(struct wan *wan, unsigned int at)
{
	struct wan_frame *frame = wan->heap[at];

	for (; at > 1 && earlier(frame, wan->heap[at / 2]); at /= 2)
		wan->heap[at] = wan->heap[at / 2];
	wan->heap[at] = frame;
}

static void sift_down(struct wan *wan, unsigned int at)
{
	struct wan_frame *frame = wan->heap[at];

	for (;;) {
		unsigned int child = at * 2;

		if (child > wan->count)
			break;
		if (child < wan->count && earlier(wan->heap[child + 1], wan->heap[child]))
			child++;
		if (!earlier(wan->heap[child], frame))
			break;
		wan->heap[at] = wan->heap[child];
		at = child;
	}
	wan->heap[at] = frame;
}

/* When the frame is at the other end. */
static uint64_t due(struct wan *wan, size_t size, uint64_t now_ns)
{
	const struct wan_settings *s = &wan->settings;
	uint64_t at = now_ns, jitter = s->jitter_ms * NS_PER_MS;

	if (s->bytes_per_s) {
		at = max_u64(at, wan->line_free_ns) + mul_div_u64(size, NS_PER_S, s->bytes_per_s);
		wan->line_free_ns = at;
	}
	at += s->latency_ms * NS_PER_MS;
	if (jitter)
		at += mul_div_u64(next_random(wan), jitter, UINT32_MAX);
	return at;
}

bool wan_put(struct wan *wan, struct vswitch_port *from, const uint8_t *bytes, size_t size,
	     uint64_t now_ns)
{
	struct wan_frame *frame;

	if (wan->count == WAN_FRAMES_MAX || size > FRAME_MAX)
		return false;
	if (wan->settings.loss_ppm && next_random(wan) % 1000000 < wan->settings.loss_ppm)
		return false;
	frame = malloc(sizeof(*frame));
	if (!frame)
		return false;
	frame->due_ns = due(wan, size, now_ns);
	frame->number = wan->sent++;
	frame->from = from;
	frame->size = (uint32_t)size;
	memcpy(frame->bytes, bytes, size);
	wan->heap[++wan->count] = frame;
	sift_up(wan, wan->count);
	return true;
}

uint64_t wan_next(const struct wan *wan)
{
	return wan->count ? wan->heap[1]->due_ns : WAN_IDLE;
}

struct wan_frame *wan_take(struct wan *wan, uint64_t now_ns)
{
	struct wan_frame *first;

	if (wan_next(wan) > now_ns)
		return NULL;
	first = wan->heap[1];
	wan->heap[1] = wan->heap[wan->count--];
	if (wan->count)
		sift_down(wan, 1);
	return first;
}

void wan_forget(struct wan *wan, const struct vswitch_port *from)
{
	unsigned int kept = 0;

	for (unsigned int i = 1; i <= wan->count; i++) {
		if (wan->heap[i]->from == from)
			free(wan->heap[i]);
		else
			wan->heap[++kept] = wan->heap[i];
	}
	wan->count = kept;
	for (unsigned int i = kept / 2; i >= 1; i--)
		sift_down(wan, i);
}
