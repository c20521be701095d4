// SPDX-License-Identifier: GPL-2.0-or-later
#include "save_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/crc32c.h"
#include "state/stream.h"
#include "sandbox.h"

#define PAGE STATEFILE_PAGE_BYTES
#define STACK_BYTES (256u << 10)
#define RUN_BYTES_MAX MIB(4)

#define REST_NS 30000000

enum order { ORDER_NONE, ORDER_PAGES, ORDER_REST, ORDER_FINISH, ORDER_END };

struct save_writer {
	struct loop *loop;
	pthread_t thread;
	bool started;
	uint32_t order; /* atomic, futex: what to do; ORDER_NONE when it is done */
	struct save_job *job;
	struct loop_post *done;
};

/* --- writing */

static int send_all(int fd, const void *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -EPIPE : errno == EAGAIN ? -ETIMEDOUT : -errno;
		data = (const uint8_t *)data + n;
		size -= (size_t)n;
	}
	return 0;
}

static int send_record(int fd, enum stream_kind kind, uint64_t offset, uint64_t bytes)
{
	const struct stream_head head = { kind, offset, bytes };
	uint8_t raw[STREAM_HEAD_BYTES];

	stream_encode(&head, raw);
	return send_all(fd, raw, sizeof(raw));
}

static int send_data(int fd, const uint8_t *data, size_t size, uint64_t offset)
{
	int r = 0;

	while (size && r == 0) {
		size_t n = size < STREAM_DATA_BYTES_MAX ? size : STREAM_DATA_BYTES_MAX;

		r = send_record(fd, STREAM_DATA, offset, n);
		if (r == 0)
			r = send_all(fd, data, n);
		data += n;
		size -= n;
		offset += n;
	}
	return r;
}

static int write_at(const struct save_job *job, const void *data, size_t size, uint64_t offset)
{
	if (job->stream)
		return send_data(job->fd, data, size, offset);
	while (size) {
		struct iovec iov = { (void *)(uintptr_t)data, size };
		ssize_t n = pwritev(job->fd, &iov, 1, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		data = (const uint8_t *)data + n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* What has become zeros again becomes a hole again, or zeros where the file system has no holes. */
static int clear_page(const struct save_job *job, uint64_t offset)
{
	static const uint8_t zeros[PAGE];

	if (job->stream)
		return send_record(job->fd, STREAM_HOLE, offset, PAGE);
	if (fallocate(job->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, PAGE) ==
	    0)
		return 0;
	return errno == EOPNOTSUPP ? write_at(job, zeros, sizeof(zeros), offset) : -errno;
}

/* A run of pages that follow each other and are to be written as they are. */
struct run {
	uint64_t first, count; /* pages of the block */
};

static int write_run(struct save_job *job, unsigned int block, struct run *run)
{
	int r;

	if (!run->count)
		return 0;
	r = write_at(job, (uint8_t *)job->blocks[block] + run->first * PAGE, run->count * PAGE,
		     job->header.blocks[block].offset + run->first * PAGE);
	job->written += run->count;
	run->count = 0;
	return r;
}

/*
 * Sum first, then write: a page that the guest changes in between is in the next log of changed pages, and
 * is written again with its sum.
 */
static int write_page(struct save_job *job, unsigned int block, uint64_t page, struct run *run)
{
	uint32_t *sum = &job->sums[statefile_first_page(&job->header, block) + page];
	uint32_t before = *sum;
	int r = 0;

	*sum = statefile_page_sum((uint8_t *)job->blocks[block] + page * PAGE);
	if (*sum && run->count && run->first + run->count == page &&
	    run->count < RUN_BYTES_MAX / PAGE) {
		run->count++;
		return 0;
	}
	r = write_run(job, block, run);
	if (r == 0 && *sum)
		*run = (struct run){ page, 1 };
	else if (r == 0 && before)
		r = clear_page(job, job->header.blocks[block].offset + page * PAGE);
	return r;
}

static int write_wanted(struct save_job *job)
{
	uint64_t words = (job->header.blocks[0].bytes / PAGE + 63) / 64;
	struct run run = { 0 };
	int r = 0;

	for (uint64_t i = 0; i < words && r == 0; i++) {
		for (uint64_t bits = job->wanted[i]; bits && r == 0; bits &= bits - 1)
			r = write_page(job, 0, i * 64 + (unsigned int)__builtin_ctzll(bits), &run);
	}
	return r < 0 ? r : write_run(job, 0, &run);
}

static int write_block(struct save_job *job, unsigned int block)
{
	uint64_t pages = job->header.blocks[block].bytes / PAGE;
	struct run run = { 0 };
	int r = 0;

	for (uint64_t page = 0; page < pages && r == 0; page++)
		r = write_page(job, block, page, &run);
	return r < 0 ? r : write_run(job, block, &run);
}

/* --- jobs */

/* Where the stream and the index will stand, and as much behind as the last pages may need. */
static int reserve(const struct save_job *job)
{
	if (!job->reserve || fallocate(job->fd, FALLOC_FL_KEEP_SIZE,
				       (off_t)job->header.devices.offset, (off_t)job->reserve) == 0)
		return 0;
	return errno == EOPNOTSUPP ? 0 : -errno;
}

/* What was written so far reaches the disk while the guest still runs. */
static int write_pages(struct save_job *job)
{
	int r = write_wanted(job);

	if (r < 0 || job->stream)
		return r;
	r = reserve(job);
	if (r == 0 && fdatasync(job->fd) < 0)
		r = -errno;
	return r;
}

static void sum_index(struct save_job *job)
{
	uint64_t chunks = job->header.index.bytes / 4;

	for (uint64_t i = 0; i < chunks; i++)
		put_le32(job->index + 4 * i,
			 statefile_chunk_sum(job->sums + i * STATEFILE_CHUNK_PAGES));
	job->header.index.sum = crc32c(0, job->index, job->header.index.bytes);
	job->header.devices.sum = crc32c(0, job->devices, job->header.devices.bytes);
}

static int finish(struct save_job *job)
{
	const struct statefile_header *header = &job->header;
	uint8_t bytes[STATEFILE_HEADER_BYTES];
	int r = 0;

	/* The promise is kept by giving it back. */
	if (job->reserve && !job->stream)
		(void)fallocate(job->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)header->devices.offset, (off_t)job->reserve);
	r = write_wanted(job);
	for (unsigned int i = 1; i < header->block_count && r == 0; i++)
		r = write_block(job, i);
	sum_index(job);
	if (r == 0)
		r = write_at(job, job->devices, header->devices.bytes, header->devices.offset);
	if (r == 0)
		r = write_at(job, job->index, header->index.bytes, header->index.offset);
	statefile_encode(header, bytes);
	if (r == 0 && job->stream) {
		r = write_at(job, bytes, sizeof(bytes), 0);
		return r < 0 ? r : send_record(job->fd, STREAM_END, header->file_bytes, 0);
	}
	if (r == 0 && (ftruncate(job->fd, (off_t)header->file_bytes) < 0 || fdatasync(job->fd) < 0))
		r = -errno;
	if (r == 0)
		r = write_at(job, bytes, sizeof(bytes), 0);
	if (r == 0 && fdatasync(job->fd) < 0)
		r = -errno;
	return r;
}

/* --- the thread */

static enum order next_order(struct save_writer *writer)
{
	uint32_t order;

	while ((order = __atomic_load_n(&writer->order, __ATOMIC_ACQUIRE)) == ORDER_NONE)
		syscall(SYS_futex, &writer->order, FUTEX_WAIT_PRIVATE, ORDER_NONE, NULL, NULL, 0);
	return order;
}

/* Nothing, for a while, unless the end is ordered. */
static int rest(struct save_writer *writer)
{
	const struct timespec time = { .tv_nsec = REST_NS };

	syscall(SYS_futex, &writer->order, FUTEX_WAIT_PRIVATE, ORDER_REST, &time, NULL, 0);
	return 0;
}

static int carry_out(struct save_writer *writer, enum order order)
{
	switch (order) {
	case ORDER_FINISH:
		return finish(writer->job);
	case ORDER_REST:
		return rest(writer);
	default:
		return write_pages(writer->job);
	}
}

static void *work(void *opaque)
{
	struct save_writer *writer = opaque;
	enum order order;

	sandbox_thread(SANDBOX_WORKER);
	while ((order = next_order(writer)) != ORDER_END) {
		uint32_t done = order;

		writer->job->result = carry_out(writer, order);
		/* Unless the end was ordered meanwhile. */
		__atomic_compare_exchange_n(&writer->order, &done, ORDER_NONE, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
		loop_post(writer->loop, writer->done);
	}
	return NULL;
}

static void give_order(struct save_writer *writer, enum order order)
{
	__atomic_store_n(&writer->order, order, __ATOMIC_RELEASE);
	syscall(SYS_futex, &writer->order, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void save_writer_pages(struct save_writer *writer, struct save_job *job, struct loop_post *done)
{
	writer->job = job;
	writer->done = done;
	give_order(writer, ORDER_PAGES);
}

void save_writer_rest(struct save_writer *writer, struct save_job *job, struct loop_post *done)
{
	writer->job = job;
	writer->done = done;
	give_order(writer, ORDER_REST);
}

void save_writer_finish(struct save_writer *writer, struct save_job *job, struct loop_post *done)
{
	writer->job = job;
	writer->done = done;
	give_order(writer, ORDER_FINISH);
}

/* --- life */

int save_writer_new(struct loop *loop, struct save_writer **ret_writer)
{
	struct save_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return -ENOMEM;
	writer->loop = loop;
	*ret_writer = writer;
	return 0;
}

int save_writer_start(struct save_writer *writer)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int r;

	/* But one: memory that is gone must end the process with its line. */
	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&writer->thread, &attr, work, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	writer->started = r == 0;
	return -r;
}

void save_writer_free(struct save_writer *writer)
{
	if (!writer)
		return;
	if (writer->started) {
		give_order(writer, ORDER_END);
		pthread_join(writer->thread, NULL);
	}
	free(writer);
}
