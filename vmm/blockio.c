// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Two stacks of requests without locks join the machine and the worker, since nobody may wait for a
 * lock while holding the machine's. submit() pushes to one; the worker takes all of it with one
 * exchange and turns it round, so that requests are carried out in their order. Done requests are
 * pushed to the other and one post tells the loop, which takes all and calls complete(), in order
 * as well.
 *
 * An idle worker sleeps on a futex, the word "asleep". It sets the word, looks at the queue once
 * more, and sleeps; submit() pushes first and then clears the word, and wakes only a worker that
 * had set it. So a request costs one system call here when the worker sleeps, and none when it is
 * busy.
 *
 * A request's own "error" says how far it is. Only the exchange from WAITING decides between the
 * worker that begins and a cancel() that comes in time.
 *
 * The worker allocates nothing and makes no call that its filter does not allow. What it has to say
 * about a failure goes into a line that the loop writes to the log.
 *
 * A drive's medium is changed by a request of our own in the queue: what was submitted before it is
 * carried out on the old image, which is flushed then, and what comes after on the new one. The
 * worker swaps the images, the loop opens and frees them.
 */
#include "blockio.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "clock.h"
#include "loop.h"
#include "sandbox.h"

#define WORKER_STACK_BYTES (256u << 10)

/* Of block_request.error, until complete(). Negative: the errno it ends with. */
enum request_phase {
	WAITING = 0,
	BEGUN = 1, /* and, once on the done list, succeeded */
};

struct blockio {
	struct block_backend backend;
	struct loop *loop;
	struct block_image *image; /* NULL: a drive without a medium */
	struct block_info info;
	char name[256]; /* the worker's */

	/* A change of the medium; changed is NULL when none is under way. */
	struct block_request change;
	struct block_image *other; /* to be put in, and then the one taken out */
	char other_name[256];
	void (*changed)(void *opaque);
	void *changed_opaque;
	int fd, other_fd; /* ours, of media that were put in; -1: the starter's */

	struct block_request *queue; /* atomic; newest first */
	uint32_t asleep;	     /* atomic, futex: the worker waits for the queue */
	uint32_t stopping;	     /* atomic */
	struct block_request *done;  /* atomic; newest first */
	struct loop_post post;
	/* A request of our own that leaves the file as a saved state wants it. */
	struct block_request seal;
	struct loop_post *sealed; /* NULL: none is under way */
	bool seal_saved;
	int seal_result;
	bool sealed_off; /* the worker's: nothing was done since a seal with a mark */

	uint32_t under_way; /* submitted and not completed; under the machine lock */
	void (*idle)(void *opaque);
	void *idle_opaque;

	pthread_t worker;
	bool started;

	/* The worker writes failure while it is 0, the loop reads while it is 1. */
	uint32_t failed; /* atomic */
	char failure[512];
	struct log_limit log_limit;
};

static struct blockio *of(struct block_backend *backend)
{
	return container_of(backend, struct blockio, backend);
}

/* --- stacks */

static void push(struct block_request **stack, struct block_request *request)
{
	struct block_request *newest = __atomic_load_n(stack, __ATOMIC_RELAXED);

	do
		request->next = newest;
	while (!__atomic_compare_exchange_n(stack, &newest, request, true, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED));
}

/* Everything, oldest first. */
static struct block_request *take_all(struct block_request **stack)
{
	struct block_request *request = __atomic_exchange_n(stack, NULL, __ATOMIC_SEQ_CST);
	struct block_request *oldest = NULL;

	while (request) {
		struct block_request *next = request->next;

		request->next = oldest;
		oldest = request;
		request = next;
	}
	return oldest;
}

/* --- worker */

static void wake(struct blockio *io)
{
	if (__atomic_exchange_n(&io->asleep, 0, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &io->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void sleep_until_woken(struct blockio *io)
{
	__atomic_store_n(&io->asleep, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&io->queue, __ATOMIC_SEQ_CST) ||
	    __atomic_load_n(&io->stopping, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&io->asleep, 0, __ATOMIC_SEQ_CST);
		return;
	}
	while (__atomic_load_n(&io->asleep, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &io->asleep, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
}

static const char *const op_names[] = {
	[BLOCK_READ] = "reading",
	[BLOCK_WRITE] = "writing",
	[BLOCK_FLUSH] = "flushing",
	[BLOCK_DISCARD] = "discarding",
};

/* Leaves one line for the loop to log, unless it has not read the last one yet. */
static void note_failure(struct blockio *io, const char *what, int error)
{
	const char *text = io->image ? io->image->ops->error(io->image) : "";

	if (__atomic_load_n(&io->failed, __ATOMIC_ACQUIRE))
		return;
	if (*text)
		snprintf(io->failure, sizeof(io->failure), "%s", text);
	else
		snprintf(io->failure, sizeof(io->failure), "%s: %s failed: %s", io->name, what,
			 strerrordesc_np(-error));
	__atomic_store_n(&io->failed, 1, __ATOMIC_RELEASE);
}

static int carry_out(struct blockio *io, const struct block_request *request)
{
	struct block_image *image = io->image;
	bool changes = request->op == BLOCK_WRITE || request->op == BLOCK_DISCARD;
	int r = -EINVAL;

	if (!image)
		return -ENOMEDIUM;
	io->sealed_off = false;
	if (changes && image->info.read_only)
		return -EROFS;
	switch (request->op) {
	case BLOCK_READ:
		r = image->ops->read(image, request->offset_bytes, request->iov,
				     request->iov_count);
		break;
	case BLOCK_WRITE:
		r = image->ops->write(image, request->offset_bytes, request->iov,
				      request->iov_count);
		break;
	case BLOCK_FLUSH:
		r = image->ops->flush(image);
		break;
	case BLOCK_DISCARD:
		r = image->ops->discard(image, request->offset_bytes, request->size_bytes);
		if (r == -EOPNOTSUPP)
			r = 0;
		break;
	}
	if (r < 0)
		note_failure(io, op_names[request->op], r);
	return r;
}

static bool exchange_phase(struct block_request *request, int phase)
{
	int waiting = WAITING;

	return __atomic_compare_exchange_n(&request->error, &waiting, phase, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Leaves the file as other programs want it. */
static int finish(struct blockio *io)
{
	int r = 0;

	if (io->image && !io->image->info.read_only && !io->sealed_off)
		r = io->image->ops->finish(io->image);

	if (r < 0)
		note_failure(io, "closing", r);
	return r;
}

static void swap_images(struct blockio *io)
{
	struct block_image *old = io->image;

	(void)finish(io);
	io->sealed_off = false;
	io->image = io->other;
	io->other = old;
	memcpy(io->name, io->other_name, sizeof(io->name));
}

static int mark(struct blockio *io, bool saved)
{
	struct block_image *image = io->image;

	return image && image->ops->mark && !image->info.read_only ? image->ops->mark(image, saved)
								   : 0;
}

static int seal(struct blockio *io)
{
	int r = finish(io);

	if (r == 0)
		r = mark(io, io->seal_saved);
	io->sealed_off = r == 0 && io->seal_saved;
	return r;
}

static void handle(struct blockio *io, struct block_request *request)
{
	if (request == &io->change) {
		swap_images(io);
	} else if (exchange_phase(request, BEGUN)) {
		int r = request == &io->seal ? seal(io) : carry_out(io, request);

		if (r < 0)
			__atomic_store_n(&request->error, r, __ATOMIC_RELEASE);
	}
	push(&io->done, request);
	loop_post(io->loop, &io->post);
}

static void *work(void *opaque)
{
	struct blockio *io = opaque;

	sandbox_thread(SANDBOX_WORKER);
	for (;;) {
		/* Before the queue is taken: what was submitted before the stop is carried out. */
		bool stopping = __atomic_load_n(&io->stopping, __ATOMIC_SEQ_CST);
		struct block_request *request = take_all(&io->queue);

		if (!request && stopping)
			break;
		if (!request)
			sleep_until_woken(io);
		while (request) {
			struct block_request *next = request->next;

			handle(io, request);
			request = next;
		}
	}
	finish(io);
	return NULL;
}

/* --- loop */

static void log_failure(struct blockio *io)
{
	if (!__atomic_load_n(&io->failed, __ATOMIC_ACQUIRE))
		return;
	if (log_limit_pass(&io->log_limit, monotonic_ns()))
		log_error("%s", io->failure);
	__atomic_store_n(&io->failed, 0, __ATOMIC_RELEASE);
}

static void complete_done(struct blockio *io)
{
	struct block_request *request = take_all(&io->done);

	log_failure(io);
	while (request) {
		struct block_request *next = request->next;
		int phase = __atomic_load_n(&request->error, __ATOMIC_ACQUIRE);

		io->under_way--;
		request->complete(request, phase == BEGUN ? 0 : phase);
		request = next;
		if (!io->under_way && io->idle)
			io->idle(io->idle_opaque);
	}
}

static void posted(struct loop_post *post)
{
	complete_done(container_of(post, struct blockio, post));
}

/* --- backend */

static void submit(struct block_backend *backend, struct block_request *request)
{
	struct blockio *io = of(backend);

	request->error = WAITING;
	io->under_way++;
	push(&io->queue, request);
	wake(io);
}

static void cancel(struct block_backend *backend, struct block_request *request)
{
	(void)backend;
	exchange_phase(request, -ECANCELED);
}

static void get_info(struct block_backend *backend, struct block_info *ret_info)
{
	*ret_info = of(backend)->info;
}

static void seal_complete(struct block_request *request, int error)
{
	struct blockio *io = container_of(request, struct blockio, seal);
	struct loop_post *done = io->sealed;

	io->seal_result = error;
	io->sealed = NULL;
	loop_post(io->loop, done);
}

void blockio_seal(struct block_backend *backend, bool saved, struct loop_post *done)
{
	struct blockio *io = of(backend);

	io->seal = (struct block_request){ .op = BLOCK_FLUSH, .complete = seal_complete };
	io->seal_saved = saved;
	io->sealed = done;
	submit(backend, &io->seal);
}

bool blockio_sealing(const struct block_backend *backend)
{
	return of((struct block_backend *)backend)->sealed;
}

int blockio_seal_result(const struct block_backend *backend)
{
	return of((struct block_backend *)backend)->seal_result;
}

int blockio_mark(struct block_backend *backend, bool saved)
{
	return mark(of(backend), saved);
}

static const struct block_ops blockio_ops = {
	.submit = submit,
	.cancel = cancel,
	.info = get_info,
};

/* --- life */

/* The image behind @disk, as its drive shows it. */
int block_image_open(const struct vm_disk *disk, struct block_image **ret_image, char *error,
		     size_t error_size)
{
	struct block_info *info;
	int r;

	if (disk->format == VM_DISK_RAW)
		r = block_raw_open(disk, ret_image, error, error_size);
	else
		r = block_vhd_open(disk, ret_image, error, error_size);
	if (r < 0)
		return r;
	info = &(*ret_image)->info;
	info->read_only = disk->read_only;
	if (!disk->cylinders && !disk->heads && !disk->sectors_per_track)
		return 0;
	info->cylinders = disk->cylinders;
	info->heads = disk->heads;
	info->sectors_per_track = disk->sectors_per_track;
	return 0;
}

static void image_free(struct block_image *image)
{
	if (image)
		image->ops->free(image);
}

int blockio_new(struct loop *loop, const struct vm_disk *disk, struct block_backend **ret_backend,
		char *error, size_t error_size)
{
	struct blockio *io = calloc(1, sizeof(*io));
	int r = 0;

	if (!io) {
		snprintf(error, error_size, "%s: out of memory", disk ? disk->name : "a drive");
		return -ENOMEM;
	}
	if (disk)
		r = block_image_open(disk, &io->image, error, error_size);
	if (r < 0) {
		free(io);
		return r;
	}
	io->backend.ops = &blockio_ops;
	io->loop = loop;
	io->post.run = posted;
	io->fd = io->other_fd = -1;
	io->log_limit = (struct log_limit){ .interval_ns = UINT64_C(10000000000), .burst = 5 };
	if (disk) {
		snprintf(io->name, sizeof(io->name), "%s", disk->name);
		io->info = io->image->info;
	}
	*ret_backend = &io->backend;
	return 0;
}

const struct block_image *blockio_image(struct block_backend *backend)
{
	return of(backend)->image;
}

/* The worker has swapped the images: "other" is the old one, or NULL. */
static void change_complete(struct block_request *request, int error)
{
	struct blockio *io = container_of(request, struct blockio, change);
	void (*changed)(void *opaque) = io->changed;

	(void)error;
	image_free(io->other);
	io->other = NULL;
	fd_close(io->fd);
	io->fd = io->other_fd;
	io->other_fd = -1;
	io->info = io->image ? io->image->info : (struct block_info){ 0 };
	io->changed = NULL;
	changed(io->changed_opaque);
}

int blockio_change(struct block_backend *backend, struct block_image *image,
		   const struct vm_disk *disk, void (*changed)(void *opaque), void *opaque)
{
	struct blockio *io = of(backend);

	if (io->changed)
		return -EBUSY;
	io->other = image;
	io->other_fd = disk ? disk->fd : -1;
	snprintf(io->other_name, sizeof(io->other_name), "%s", disk ? disk->name : "");
	io->changed = changed;
	io->changed_opaque = opaque;
	io->change = (struct block_request){ .complete = change_complete };
	submit(&io->backend, &io->change);
	return 0;
}

int blockio_start(struct block_backend *backend)
{
	struct blockio *io = of(backend);
	sigset_t all, before;
	pthread_attr_t attr;
	int r;

	/* Signals are for the loop and the vCPUs. */
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&io->worker, &attr, work, io);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	io->started = r == 0;
	return -r;
}

bool blockio_busy(const struct block_backend *backend)
{
	return of((struct block_backend *)backend)->under_way;
}

void blockio_watch_idle(struct block_backend *backend, void (*idle)(void *opaque), void *opaque)
{
	of(backend)->idle = idle;
	of(backend)->idle_opaque = opaque;
}

void blockio_free(struct block_backend *backend)
{
	struct blockio *io;
	struct block_request *request;

	if (!backend)
		return;
	io = of(backend);
	if (io->started) {
		__atomic_store_n(&io->stopping, 1, __ATOMIC_SEQ_CST);
		wake(io);
		pthread_join(io->worker, NULL);
	}
	loop_post_cancel(io->loop, &io->post);
	loop_lock(io->loop);
	/* Without a worker nothing was carried out. */
	for (request = take_all(&io->queue); request;) {
		struct block_request *next = request->next;

		/* A medium that was to be put in is not. */
		if (request == &io->change)
			swap_images(io);
		exchange_phase(request, -ECANCELED);
		push(&io->done, request);
		request = next;
	}
	complete_done(io);
	loop_unlock(io->loop);
	image_free(io->image);
	fd_close(io->fd);
	free(io);
}
