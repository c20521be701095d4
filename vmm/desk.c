// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "keymap.h"
#include "pointer.h"
#include "rfb.h"
#include "rfb_viewer.h"
#include "surface.h"
#include "typist.h"

_Static_assert((int)VM_SHARED == RFB_SHARED && (int)VM_EXCLUSIVE == RFB_EXCLUSIVE, "sharing");

struct desk {
	struct surface surface;
	struct pointer pointer;
	struct typist *typist;
	struct rfb *rfb;
	char title[RFB_TITLE_BYTES];
};

static int serve_viewers(struct desk *desk, struct loop *loop, const struct vm_config *config,
			 struct input *input)
{
	const struct rfb_machine machine = {
		.loop = loop,
		.surface = &desk->surface,
		.input = input,
		.typist = desk->typist,
		.pointer = &desk->pointer,
	};
	const struct rfb_settings settings = {
		.listen_fd = config->display.listen_fd,
		.sharing = (enum rfb_sharing)config->display.sharing,
		.view_only = config->display.view_only,
		.idle_timeout_s = config->display.idle_timeout_s,
		.title = desk->title,
	};

	return rfb_new(&machine, &settings, &desk->rfb);
}

int desk_new(struct loop *loop, const struct vm_config *config, struct display *display,
	     struct input *input, struct desk **ret_desk, char *error, size_t error_size)
{
	const struct keymap *keymap = keymap_find(config->keyboard);
	struct desk *desk;
	int r;

	if (!keymap) {
		snprintf(error, error_size, "keyboard layout %s is not known; there are %s",
			 config->keyboard, keymap_names);
		return -EINVAL;
	}
	desk = calloc(1, sizeof(*desk));
	if (!desk) {
		snprintf(error, error_size, "screen and keyboard: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	surface_init(&desk->surface, display);
	pointer_init(&desk->pointer, input);
	snprintf(desk->title, sizeof(desk->title), "%s", config->name);
	r = typist_new(loop, input, keymap, &desk->typist);
	if (r == 0 && config->display.listen_fd >= 0)
		r = serve_viewers(desk, loop, config, input);
	if (r < 0) {
		snprintf(error, error_size, "remote console: %s", strerror(-r));
		desk_free(desk);
		return r;
	}
	*ret_desk = desk;
	return 0;
}

void desk_free(struct desk *desk)
{
	if (!desk)
		return;
	rfb_free(desk->rfb);
	typist_free(desk->typist);
	surface_fini(&desk->surface);
	free(desk);
}

struct typist *desk_typist(struct desk *desk)
{
	return desk->typist;
}

unsigned int desk_viewers(const struct desk *desk)
{
	struct rfb_stats stats = { 0 };

	if (desk->rfb)
		rfb_get_stats(desk->rfb, &stats);
	return stats.viewers;
}
