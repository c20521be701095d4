// SPDX-License-Identifier: GPL-2.0-or-later
#include "vhd_lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"

#define SECTOR 512u

static void set_size(struct lab_bytes *b, uint64_t size)
{
	if (size > b->room) {
		size_t room = b->room ? b->room : 65536;

		while (room < size)
			room *= 2;
		b->data = realloc(b->data, room);
		if (!b->data)
			abort();
		b->room = room;
	}
	if (size > b->size)
		memset(b->data + b->size, 0, size - b->size);
	b->size = size;
}

static void put(struct lab_bytes *b, uint64_t offset, const uint8_t *data, uint64_t bytes)
{
	if (offset + bytes > b->size)
		set_size(b, offset + bytes);
	memcpy(b->data + offset, data, bytes);
}

static void clear(struct lab_bytes *b, uint64_t offset, uint64_t bytes)
{
	if (offset < b->size)
		memset(b->data + offset, 0, min_u64(bytes, b->size - offset));
}

static void copy(struct lab_bytes *to, const struct lab_bytes *from)
{
	to->size = 0;
	set_size(to, from->size);
	if (from->size)
		memcpy(to->data, from->data, from->size);
}

static struct lab_file *of(struct vhd_io *io)
{
	return container_of(io, struct lab_file, io);
}

static int chance(struct lab_file *file, unsigned int one_in)
{
	return one_in && lab_random(&file->seed) % one_in == 0;
}

static int fails(struct lab_file *file, unsigned int one_in)
{
	if (!chance(file, one_in))
		return 0;
	file->failures++;
	return -file->fail_with;
}

static void record(struct lab_file *file, struct lab_op op)
{
	if (file->op_count == file->op_room) {
		file->op_room = file->op_room ? 2 * file->op_room : 64;
		file->ops = realloc(file->ops, file->op_room * sizeof(*file->ops));
		if (!file->ops)
			abort();
	}
	file->ops[file->op_count++] = op;
	if (file->after)
		file->after(file, file->opaque);
}

static ssize_t lab_preadv(struct vhd_io *io, const struct iovec *iov, unsigned int count,
			  uint64_t offset)
{
	struct lab_file *file = of(io);
	int r = fails(file, file->fail_reads);
	ssize_t total = 0;

	file->reads++;
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < count && offset < file->now.size; i++) {
		size_t n = min_u64(iov[i].iov_len, file->now.size - offset);

		if (n > 1 && chance(file, file->short_transfers))
			n /= 2;
		memcpy(iov[i].iov_base, file->now.data + offset, n);
		total += (ssize_t)n;
		offset += n;
		if (n < iov[i].iov_len)
			break;
	}
	return total;
}

/* What reaches the disk is whole sectors, with all that earlier writes have put into them. */
static void record_write(struct lab_file *file, uint64_t offset, uint64_t bytes)
{
	uint64_t first = round_down(offset, SECTOR);
	struct lab_op op = { .kind = LAB_WRITE, .offset = first };

	op.bytes = min_u64(round_up(offset + bytes, SECTOR), file->now.size) - first;
	op.data = malloc(op.bytes);
	if (!op.data)
		abort();
	memcpy(op.data, file->now.data + first, op.bytes);
	record(file, op);
}

/* How much of a write is done: a page cache does not stop in the middle of a sector. */
static uint64_t write_amount(struct lab_file *file, uint64_t offset, uint64_t bytes)
{
	uint64_t end = offset + bytes;

	if (chance(file, file->short_transfers))
		end = round_up(offset + 1 + bytes / 2, SECTOR);
	if (file->most_bytes)
		end = min_u64(end, round_down(file->most_bytes, SECTOR));
	return end > offset ? min_u64(end - offset, bytes) : 0;
}

static ssize_t lab_pwritev(struct vhd_io *io, const struct iovec *iov, unsigned int count,
			   uint64_t offset)
{
	struct lab_file *file = of(io);
	int r = fails(file, file->fail_writes);
	uint64_t bytes = 0, done = 0;

	file->writes++;
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < count; i++)
		bytes += iov[i].iov_len;
	bytes = write_amount(file, offset, bytes);
	if (!bytes) {
		file->failures++;
		return -ENOSPC;
	}
	for (unsigned int i = 0; i < count && done < bytes; i++) {
		uint64_t n = min_u64(iov[i].iov_len, bytes - done);

		put(&file->now, offset + done, iov[i].iov_base, n);
		done += n;
	}
	record_write(file, offset, bytes);
	return (ssize_t)bytes;
}

void lab_settle(struct lab_file *file)
{
	copy(&file->stable, &file->now);
	for (size_t i = 0; i < file->op_count; i++)
		free(file->ops[i].data);
	file->op_count = 0;
}

static void apply(struct lab_bytes *to, const struct lab_op *op)
{
	switch (op->kind) {
	case LAB_WRITE:
		put(to, op->offset, op->data, op->bytes);
		break;
	case LAB_TRUNCATE:
		set_size(to, op->bytes);
		break;
	case LAB_ZERO:
		clear(to, op->offset, op->bytes);
		break;
	}
}

/* Each sector of a write by itself. */
static void survive(struct lab_bytes *to, const struct lab_op *op, unsigned int keep,
		    uint64_t *seed)
{
	uint64_t end = op->offset + op->bytes;

	if (op->kind != LAB_WRITE) {
		if (lab_random(seed) % 8 < keep)
			apply(to, op);
		return;
	}
	for (uint64_t at = op->offset; at < end;) {
		uint64_t next = min_u64(round_down(at, SECTOR) + SECTOR, end);

		if (lab_random(seed) % 8 < keep)
			put(to, at, op->data + (at - op->offset), next - at);
		at = next;
	}
}

static int lab_sync(struct vhd_io *io)
{
	struct lab_file *file = of(io);
	int r = fails(file, file->fail_syncs);

	file->syncs++;
	file->failed_syncs += r < 0;
	for (size_t i = 0; i < file->op_count; i++) {
		const struct lab_op *op = &file->ops[i];

		/* As Linux does it: what could not be written is lost, and not tried again. */
		if (r < 0 && op->kind == LAB_WRITE)
			survive(&file->stable, op, 4, &file->seed);
		else
			apply(&file->stable, op);
		free(op->data);
	}
	file->op_count = 0;
	return r;
}

static int lab_size(struct vhd_io *io, uint64_t *ret_bytes)
{
	*ret_bytes = of(io)->now.size;
	return 0;
}

static int lab_truncate(struct vhd_io *io, uint64_t bytes)
{
	struct lab_file *file = of(io);
	int r = fails(file, file->fail_truncates);

	if (r < 0)
		return r;
	set_size(&file->now, bytes);
	record(file, (struct lab_op){ .kind = LAB_TRUNCATE, .bytes = bytes });
	return 0;
}

static int lab_zero(struct vhd_io *io, uint64_t offset, uint64_t bytes, bool release)
{
	struct lab_file *file = of(io);

	if (file->no_holes)
		return -EOPNOTSUPP;
	if (!release && offset + bytes > file->now.size)
		set_size(&file->now, offset + bytes);
	bytes = offset < file->now.size ? min_u64(bytes, file->now.size - offset) : 0;
	clear(&file->now, offset, bytes);
	/* Sectors at the edges are written as any others. */
	if (bytes && offset % SECTOR) {
		uint64_t n = min_u64(bytes, SECTOR - offset % SECTOR);

		record_write(file, offset, n);
		offset += n;
		bytes -= n;
	}
	if (bytes % SECTOR)
		record_write(file, offset + round_down(bytes, SECTOR), bytes % SECTOR);
	bytes = round_down(bytes, SECTOR);
	record(file, (struct lab_op){ .kind = LAB_ZERO, .offset = offset, .bytes = bytes });
	return 0;
}

static const struct vhd_io_ops lab_ops = {
	.preadv = lab_preadv,
	.pwritev = lab_pwritev,
	.sync = lab_sync,
	.size = lab_size,
	.truncate = lab_truncate,
	.zero = lab_zero,
};

void lab_init(struct lab_file *file, uint64_t seed)
{
	*file = (struct lab_file){ .io.ops = &lab_ops, .seed = seed };
}

void lab_fini(struct lab_file *file)
{
	for (size_t i = 0; i < file->op_count; i++)
		free(file->ops[i].data);
	free(file->ops);
	free(file->now.data);
	free(file->stable.data);
}

void lab_crash(struct lab_file *file, struct lab_file *survivor)
{
	/* From nothing to everything of the list. */
	unsigned int keep = lab_random(&file->seed) % 9;

	survivor->seed = lab_random(&file->seed);
	copy(&survivor->now, &file->stable);
	for (size_t i = 0; i < file->op_count; i++)
		survive(&survivor->now, &file->ops[i], keep, &file->seed);
	lab_settle(survivor);
}
