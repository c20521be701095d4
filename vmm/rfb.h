/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The remote console: the machine's display, keyboard and pointer for RFB viewers on a unix socket
 * that the starter has bound.
 *
 * At most 8 viewers at a time. Who may connect is up to the file mode of the socket; there is no
 * password here (the proxy of "mainstay view --listen" has one). A viewer that does not finish its
 * greeting within 10 s, or sends what is no RFB, is dropped. Whatever viewers do, the guest never
 * waits for them, and each costs a fixed amount of memory.
 *
 * Everything needs the loop thread and the machine lock, which is let go while pictures are
 * compared, encoded and sent.
 */
#ifndef VMM_RFB_H
#define VMM_RFB_H

#include <stdbool.h>
#include <stdint.h>

struct display;
struct input;
struct loop;
struct pointer;
struct rfb;
struct surface;
struct typist;

/* Who may look at the same time. */
enum rfb_sharing {
	RFB_SHARED,    /* everybody */
	RFB_EXCLUSIVE, /* the first; others are told so until it leaves */
};

struct rfb_settings {
	int listen_fd; /* the server's, unless it fails */
	enum rfb_sharing sharing;
	bool view_only; /* keys and pointers of viewers are ignored */
	uint32_t
		idle_timeout_s; /* without keys and motion for so long a viewer is dropped; 0: never */
	const char *title;
};

/* What the machine has; all by reference. */
struct rfb_machine {
	struct loop *loop;
	struct surface *surface;
	struct input *input;
	struct typist *typist;
	struct pointer *pointer;
};

/* 0 or -errno. */
int rfb_new(const struct rfb_machine *machine, const struct rfb_settings *settings,
	    struct rfb **ret_rfb);
void rfb_free(struct rfb *rfb);

struct rfb_stats {
	unsigned int viewers;
	uint64_t pulls, changes; /* pictures asked of the display, and those that were new */
};
void rfb_get_stats(const struct rfb *rfb, struct rfb_stats *ret_stats);

#endif
