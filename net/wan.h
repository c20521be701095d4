/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A far-away link in the middle of a network: frames wait for bandwidth and latency, some are lost.
 *
 * A queue of copies, ordered by the moment at which each is due. It is bounded; what finds no room is
 * lost, as in a real router.
 */
#ifndef NET_WAN_H
#define NET_WAN_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

#define WAN_FRAMES_MAX 4096u
#define WAN_LATENCY_MS_MAX 60000u
#define WAN_LOSS_PPM_MAX 1000000u
#define WAN_IDLE UINT64_MAX

struct vswitch_port;

struct wan_settings {
	uint32_t latency_ms, jitter_ms;
	uint32_t loss_ppm;
	uint64_t bytes_per_s; /* 0: no limit */
};

struct wan_frame {
	uint64_t due_ns;
	uint64_t number; /* frames that are due together stay in order */
	struct vswitch_port *from;
	uint32_t size;
	uint8_t bytes[FRAME_MAX];
};

struct wan {
	struct wan_settings settings;
	uint64_t random;
	uint64_t sent, line_free_ns;
	unsigned int count;
	struct wan_frame *heap[WAN_FRAMES_MAX + 1]; /* from 1; the earliest first */
};

/* Whether the settings change anything. */
bool wan_settings_active(const struct wan_settings *settings);

/* @seed: any number. */
void wan_init(struct wan *wan, uint64_t seed);
void wan_fini(struct wan *wan);

/* A frame from @from; false: lost. */
bool wan_put(struct wan *wan, struct vswitch_port *from, const uint8_t *bytes, size_t size,
	     uint64_t now_ns);
/* When the next frame is due, or WAN_IDLE. */
uint64_t wan_next(const struct wan *wan);
/* The next frame that is due, the caller's to free; NULL: none. */
struct wan_frame *wan_take(struct wan *wan, uint64_t now_ns);
/* What comes from @from is lost. */
void wan_forget(struct wan *wan, const struct vswitch_port *from);

#endif
