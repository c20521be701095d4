// SPDX-License-Identifier: GPL-2.0-or-later
/* The wan filter, and capture files. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bytes.h"
#include "../../net/pcapng.h"
#include "../../net/wan.h"

#define MS UINT64_C(1000000)

static struct wan *wan_with(struct wan_settings settings)
{
	struct wan *wan = malloc(sizeof(*wan));

	cr_assert_not_null(wan);
	wan_init(wan, 42);
	wan->settings = settings;
	return wan;
}

static void wan_end(struct wan *wan)
{
	wan_fini(wan);
	free(wan);
}

Test(wan, frames_arrive_after_the_latency_in_order)
{
	struct wan *wan = wan_with((struct wan_settings){ .latency_ms = 50 });
	uint8_t frame[100] = { 0 };

	for (unsigned int i = 0; i < 100; i++) {
		frame[99] = (uint8_t)i;
		cr_assert(wan_put(wan, NULL, frame, 100, i % 10 * MS / 10));
	}
	cr_assert_eq(wan_next(wan), 50 * MS);
	cr_assert_null(wan_take(wan, 50 * MS - 1));
	for (unsigned int i = 0; i < 100; i++) {
		struct wan_frame *out = wan_take(wan, 60 * MS);

		cr_assert_not_null(out);
		cr_assert_eq(out->bytes[99] % 10, i / 10, "by time");
		cr_assert_eq(out->bytes[99] / 10, i % 10, "then by arrival");
		free(out);
	}
	cr_assert_eq(wan_next(wan), WAN_IDLE);
	wan_end(wan);
}

Test(wan, bandwidth_spaces_frames)
{
	struct wan *wan = wan_with((struct wan_settings){ .bytes_per_s = 100000 });
	uint8_t frame[1000] = { 0 };

	for (unsigned int i = 0; i < 10; i++)
		cr_assert(wan_put(wan, NULL, frame, 1000, 0));
	for (unsigned int i = 1; i <= 10; i++) {
		struct wan_frame *out;

		cr_assert_eq(wan_next(wan), i * 10 * MS);
		out = wan_take(wan, i * 10 * MS);
		free(out);
	}
	wan_end(wan);
}

Test(wan, loss_is_what_was_asked_for)
{
	struct wan *wan = wan_with((struct wan_settings){ .loss_ppm = 100000 });
	uint8_t frame[64] = { 0 };
	unsigned int lost = 0;

	for (unsigned int i = 0; i < 100000; i++) {
		if (!wan_put(wan, NULL, frame, 64, i))
			lost++;
		free(wan_take(wan, i));
	}
	cr_assert_geq(lost, 9500);
	cr_assert_leq(lost, 10500);
	wan_end(wan);
}

Test(wan, queue_is_bounded_and_forgets_a_port)
{
	struct wan *wan = wan_with((struct wan_settings){ .latency_ms = 1000, .jitter_ms = 500 });
	struct vswitch_port *a = (void *)0x10, *b = (void *)0x20;
	uint8_t frame[64] = { 0 };
	unsigned int taken = 0;
	uint64_t last = 0;

	for (unsigned int i = 0; i < WAN_FRAMES_MAX; i++)
		cr_assert(wan_put(wan, i & 1 ? a : b, frame, 64, 0));
	cr_assert_not(wan_put(wan, a, frame, 64, 0));
	wan_forget(wan, a);
	for (;;) {
		struct wan_frame *out = wan_take(wan, 1500 * MS);

		if (!out)
			break;
		cr_assert_eq(out->from, b);
		cr_assert_geq(out->due_ns, last);
		last = out->due_ns;
		taken++;
		free(out);
	}
	cr_assert_eq(taken, WAN_FRAMES_MAX / 2);
	wan_end(wan);
}

/* --- pcapng */

Test(pcapng, blocks_are_as_the_draft_says)
{
	uint8_t head[PCAPNG_HEAD_MAX], block[100 + PCAPNG_FRAME_OVERHEAD], frame[61];
	size_t size = pcapng_head("lab", head), first;

	cr_assert_eq(get_le32(head), 0x0a0d0d0a);
	cr_assert_eq(get_le32(head + 8), 0x1a2b3c4d);
	first = get_le32(head + 4);
	cr_assert_eq(get_le32(head + first - 4), first);
	cr_assert_eq(get_le32(head + first), 1);
	cr_assert_eq(first + get_le32(head + first + 4), size);
	cr_assert_eq(get_le32(head + size - 4), get_le32(head + first + 4));
	cr_assert_eq(get_le16(head + first + 8), 1, "Ethernet");
	memset(frame, 0x55, sizeof(frame));
	size = pcapng_frame(frame, 61, UINT64_C(0x123456789abcdef0), PCAPNG_IN, block);
	cr_assert_eq(size % 4, 0);
	cr_assert_eq(get_le32(block), 6);
	cr_assert_eq(get_le32(block + 4), size);
	cr_assert_eq(get_le32(block + size - 4), size);
	cr_assert_eq(get_le32(block + 12), 0x12345678);
	cr_assert_eq(get_le32(block + 16), 0x9abcdef0);
	cr_assert_eq(get_le32(block + 20), 61);
	cr_assert_eq(memcmp(block + 28, frame, 61), 0);
	cr_assert_eq(block[28 + 61], 0, "padding");
}
