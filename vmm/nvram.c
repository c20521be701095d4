// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A change of the clock chip's memory starts a timer; when it is due all of it is written at once,
 * so that firmware and guests that write many bytes cost one write. The write goes to the older of
 * the file's two slots and is flushed (base/nvram.h); it runs on a worker like those of disks, which
 * logs a failure. What changes meanwhile waits for the next write; what has changed at the end is
 * written before the worker goes.
 */
#include "nvram.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/nvram.h"
#include "../devmodel/block.h"
#include "../devmodel/mc146818.h"
#include "blockio.h"
#include "config.h"
#include "loop.h"

#define DELAY_MS 500

struct keeper {
	struct loop *loop;
	struct block_backend *backend;
	struct device *rtc;
	struct loop_timer *timer;
	struct loop_post post;
	bool had_content;
	bool dirty;   /* something is to be written */
	bool waiting; /* for the timer */
	bool writing;
	bool ending;
	struct nvram nvram;
	/* The second one is for the end, when the first may still be under way. */
	struct save {
		uint8_t slot[NVRAM_SLOT_BYTES];
		struct iovec iov;
		struct block_request write, flush;
	} saves[2];
};

static void wait_for_more(struct keeper *keeper)
{
	if (!keeper->dirty || keeper->waiting || keeper->writing)
		return;
	keeper->waiting = true;
	loop_timer_set(keeper->timer, true);
}

static void flushed(struct block_request *request, int error)
{
	struct keeper *keeper = request->owner;

	(void)error;
	keeper->writing = false;
	if (!keeper->ending)
		wait_for_more(keeper);
}

static void written(struct block_request *request, int error)
{
	(void)request;
	(void)error;
}

/* Both requests at once: the worker keeps their order. */
static void write_now(struct keeper *keeper, struct save *save)
{
	struct nvram *nvram = &keeper->nvram;

	mc146818_kept(keeper->rtc, nvram->cmos, &nvram->rtc_offset_s);
	nvram->sequence++;
	nvram_encode(nvram, save->slot);
	keeper->dirty = false;
	keeper->writing = true;
	save->iov = (struct iovec){ save->slot, sizeof(save->slot) };
	save->write = (struct block_request){
		.op = BLOCK_WRITE,
		.offset_bytes = nvram->sequence % NVRAM_SLOTS * NVRAM_SLOT_BYTES,
		.size_bytes = sizeof(save->slot),
		.iov = &save->iov,
		.iov_count = 1,
		.complete = written,
		.owner = keeper,
	};
	save->flush =
		(struct block_request){ .op = BLOCK_FLUSH, .complete = flushed, .owner = keeper };
	block_submit(keeper->backend, &save->write);
	block_submit(keeper->backend, &save->flush);
}

static void timer_due(void *opaque)
{
	struct keeper *keeper = opaque;

	loop_timer_set(keeper->timer, false);
	keeper->waiting = false;
	if (keeper->dirty && !keeper->writing)
		write_now(keeper, &keeper->saves[0]);
}

static void change_posted(struct loop_post *post)
{
	wait_for_more(container_of(post, struct keeper, post));
}

void keeper_changed(void *opaque)
{
	struct keeper *keeper = opaque;

	if (keeper->dirty)
		return;
	keeper->dirty = true;
	loop_post(keeper->loop, &keeper->post);
}

const struct nvram *keeper_content(const struct keeper *keeper)
{
	return keeper && keeper->had_content ? &keeper->nvram : NULL;
}

void keeper_attach(struct keeper *keeper, struct device *rtc)
{
	if (!keeper)
		return;
	keeper->rtc = rtc;
	/* A new machine, or another identity. */
	if (!keeper->had_content || keeper->dirty) {
		keeper->dirty = false;
		keeper_changed(keeper);
	}
}

static int read_file(struct keeper *keeper, const struct vm_config *config, char *error,
		     size_t error_size)
{
	uint8_t file[NVRAM_FILE_BYTES];
	int r = fd_pread_full(config->nvram.disk.fd, file, sizeof(file), 0);

	if (r < 0) {
		snprintf(error, error_size, "%s: %s", config->nvram.disk.name, strerror(-r));
		return r;
	}
	keeper->had_content = nvram_decode(file, &keeper->nvram);
	keeper->dirty = memcmp(keeper->nvram.uuid, config->uuid, sizeof(config->uuid)) != 0;
	memcpy(keeper->nvram.uuid, config->uuid, sizeof(config->uuid));
	return 0;
}

int keeper_new(struct loop *loop, const struct vm_config *config, struct keeper **ret_keeper,
	       char *error, size_t error_size)
{
	struct keeper *keeper;
	int r;

	*ret_keeper = NULL;
	if (!config->nvram.present)
		return 0;
	keeper = calloc(1, sizeof(*keeper));
	if (!keeper) {
		snprintf(error, error_size, "%s: out of memory", config->nvram.disk.name);
		return -ENOMEM;
	}
	keeper->loop = loop;
	keeper->post.run = change_posted;
	r = read_file(keeper, config, error, error_size);
	if (r == 0)
		r = blockio_new(loop, &config->nvram.disk, &keeper->backend, error, error_size);
	if (r == 0) {
		r = loop_timer_new(loop, DELAY_MS * 1000, timer_due, keeper, &keeper->timer);
		if (r < 0)
			snprintf(error, error_size, "creating a timer: %s", strerror(-r));
	}
	if (r < 0) {
		keeper_free(keeper);
		return r;
	}
	*ret_keeper = keeper;
	return 0;
}

int keeper_start(struct keeper *keeper)
{
	return keeper ? blockio_start(keeper->backend) : 0;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	loop_post_cancel(keeper->loop, &keeper->post);
	loop_timer_free(keeper->timer);
	loop_lock(keeper->loop);
	keeper->ending = true;
	if (keeper->dirty && keeper->rtc)
		write_now(keeper, &keeper->saves[1]);
	loop_unlock(keeper->loop);
	blockio_free(keeper->backend);
	free(keeper);
}
