// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making images.
 *
 * The creator code is that of Windows: some readers believe the size in bytes only from a list of
 * known creators, and cut any other disk, Virtual Server's own included, to what its geometry says.
 */
#include "vhd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "image.h"
#include "names.h"

#define CREATOR "win "
#define CREATOR_OS "Wi2k"
#define CREATOR_VERSION 0x000a0000u

/* The block table is written in pieces of this many bytes, many at a time. */
#define FILL_BYTES 65536u

static int check_options(struct vhd *v, const struct vhd_create_options *options)
{
	bool fixed = options->type == VHD_FIXED;
	uint64_t max = fixed ? VHD_FIXED_SIZE_MAX : VHD_DYNAMIC_SIZE_MAX;
	uint32_t block = options->block_bytes;

	if (!fixed && options->type != VHD_DYNAMIC && options->type != VHD_DIFFERENCING)
		return vhd_fail(v, -EINVAL, "no type of disk is called %u", options->type);
	if ((options->type == VHD_DIFFERENCING) != (options->parent != NULL))
		return vhd_fail(v, -EINVAL, "a %s disk %s a parent", vhd_type_name(options->type),
				options->parent ? "has not" : "needs");
	if (options->size_bytes > max)
		return vhd_fail(v, -EFBIG, "a %s disk has at most %llu GiB",
				vhd_type_name(options->type), (unsigned long long)(max >> 30));
	if (options->size_bytes < VHD_SIZE_MIN || options->size_bytes % VHD_SECTOR_BYTES)
		return vhd_fail(
			v, -EINVAL, "a size of %llu bytes: give a multiple of 512, at least %llu",
			(unsigned long long)options->size_bytes, (unsigned long long)VHD_SIZE_MIN);
	if (fixed ? block != 0
		  : block && (!is_power_of_two(block) || block < VHD_BLOCK_BYTES_MIN ||
			      block > VHD_BLOCK_BYTES_MAX))
		return vhd_fail(
			v, -EINVAL,
			"a block size of %u bytes: dynamic disks take a power of two from %u "
			"to %u",
			block, VHD_BLOCK_BYTES_MIN, VHD_BLOCK_BYTES_MAX);
	if (!fixed && options->preallocate)
		return vhd_fail(v, -EINVAL, "only a fixed disk can be preallocated");
	return 0;
}

/* As random ids are made: version 4, variant 1. */
int vhd_random_id(struct vhd *v, uint8_t ret_id[16])
{
	if (getrandom(ret_id, 16, 0) != 16)
		return vhd_fail(v, -EIO, "no random numbers for its id");
	ret_id[6] = (uint8_t)((ret_id[6] & 0x0f) | 0x40);
	ret_id[8] = (uint8_t)((ret_id[8] & 0x3f) | 0x80);
	return 0;
}

static int make_footer(struct vhd *v, const struct vhd_create_options *options)
{
	static const struct vhd_creator windows = { CREATOR, CREATOR_OS, CREATOR_VERSION };
	const struct vhd_creator *creator = options->creator ? options->creator : &windows;
	int64_t now = options->created_unix ? options->created_unix : (int64_t)time(NULL);
	struct vhd_footer *footer = &v->footer;

	*footer = (struct vhd_footer){
		.features = FEATURE_RESERVED | (options->temporary ? FEATURE_TEMPORARY : 0),
		.version = VHD_VERSION_1_0,
		.data_offset = options->type == VHD_FIXED ? VHD_OFFSET_NONE : VHD_FOOTER_BYTES,
		.time = vhd_time(now),
		.creator_version = creator->version,
		.original_size = options->size_bytes,
		.current_size = options->size_bytes,
		.geometry =
			options->geometry ? *options->geometry : vhd_geometry(options->size_bytes),
		.type = options->type,
	};
	memcpy(footer->creator, creator->application, 4);
	memcpy(footer->creator_os, creator->host_os, 4);
	if (options->id)
		memcpy(footer->id, options->id, 16);
	else if (vhd_random_id(v, footer->id) < 0)
		return -EIO;
	vhd_footer_encode(footer, v->footer_raw);
	return 0;
}

static int write_fixed(struct vhd *v, bool preallocate)
{
	uint64_t bytes = v->footer.current_size;
	int r = -EOPNOTSUPP;

	if (preallocate) {
		r = v->io->ops->zero(v->io, 0, bytes, false);
		if (r == -EOPNOTSUPP)
			r = vhd_file_write_zeroes(v, 0, bytes);
		else if (r < 0)
			vhd_fail(v, r, "cannot reserve %llu bytes: %s", (unsigned long long)bytes,
				 strerrordesc_np(-r));
		if (r < 0)
			return r;
	}
	return vhd_file_write(v, bytes, v->footer_raw, VHD_FOOTER_BYTES);
}

/* All entries absent, and the padding behind them alike. */
static int write_table(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	size_t fill = (size_t)min_u64(bytes, FILL_BYTES);
	uint8_t *ones = malloc(fill);
	int r = 0;

	if (!ones)
		return vhd_fail(v, -ENOMEM, "out of memory");
	memset(ones, 0xff, fill);
	while (bytes && r == 0) {
		struct iovec iov[VHD_IO_IOV_MAX];
		struct vhd_span span = { iov, 0, 0 };
		uint64_t sum = 0;

		for (; span.count < VHD_IO_IOV_MAX - 2 && sum < bytes; span.count++) {
			iov[span.count].iov_base = ones;
			iov[span.count].iov_len = (size_t)min_u64(fill, bytes - sum);
			sum += iov[span.count].iov_len;
		}
		r = vhd_file_write_span(v, offset, &span, sum, NULL);
		offset += sum;
		bytes -= sum;
	}
	free(ones);
	return r;
}

/* The parent's names lie between header and table. */
static int write_names(struct vhd *v, const struct vhd_parent *parent, struct vhd_header *header)
{
	const uint64_t offset = VHD_FOOTER_BYTES + VHD_HEADER_BYTES;
	uint8_t *texts = malloc(VHD_NAMES_BYTES_MAX);
	uint32_t bytes;
	int r;

	if (!texts)
		return vhd_fail(v, -ENOMEM, "out of memory");
	memcpy(header->parent_id, parent->id, sizeof(header->parent_id));
	header->parent_time = parent->modified_unix ? vhd_time(parent->modified_unix) : 0;
	r = vhd_encode_names(v, parent, offset, header, texts, &bytes);
	if (r == 0)
		r = vhd_file_write(v, offset, texts, bytes);
	if (r == 0)
		header->table_offset = offset + bytes;
	free(texts);
	return r;
}

static int write_dynamic(struct vhd *v, uint32_t block_bytes, const struct vhd_parent *parent)
{
	uint8_t raw[VHD_HEADER_BYTES];
	uint64_t entries = (v->footer.current_size + block_bytes - 1) / block_bytes;
	uint64_t table_bytes = round_up(entries * VHD_ENTRY_BYTES, VHD_SECTOR_BYTES);
	struct vhd_header header = {
		.table_offset = VHD_FOOTER_BYTES + VHD_HEADER_BYTES,
		.table_entries = (uint32_t)entries,
		.block_bytes = block_bytes,
	};
	int r = 0;

	if (entries > VHD_TABLE_ENTRIES_MAX)
		return vhd_fail(v, -EINVAL, "a disk of this size needs larger blocks than %u bytes",
				block_bytes);
	if (parent)
		r = write_names(v, parent, &header);
	vhd_header_encode(&header, raw);
	if (r == 0)
		r = vhd_file_write(v, 0, v->footer_raw, VHD_FOOTER_BYTES);
	if (r == 0)
		r = vhd_file_write(v, VHD_FOOTER_BYTES, raw, sizeof(raw));
	if (r == 0)
		r = write_table(v, header.table_offset, table_bytes);
	if (r == 0)
		r = vhd_file_write(v, header.table_offset + table_bytes, v->footer_raw,
				   VHD_FOOTER_BYTES);
	return r;
}

static int create(struct vhd *v, const struct vhd_create_options *options)
{
	int r = check_options(v, options);

	if (r < 0)
		return r;
	r = v->io->ops->size(v->io, &v->file_bytes);
	if (r < 0)
		return vhd_fail(v, r, "cannot tell its size: %s", strerrordesc_np(-r));
	if (v->file_bytes)
		return vhd_fail(v, -EEXIST, "the file is not empty");
	r = make_footer(v, options);
	if (r < 0)
		return r;
	if (options->type == VHD_FIXED)
		return write_fixed(v, options->preallocate);
	return write_dynamic(v,
			     options->block_bytes ? options->block_bytes : VHD_BLOCK_BYTES_DEFAULT,
			     options->parent);
}

int vhd_create(const struct vhd_file *file, const struct vhd_create_options *options, char *error,
	       size_t error_size)
{
	struct vhd *v = calloc(1, sizeof(*v));
	int r;

	if (!v) {
		snprintf(error, error_size, "%s: out of memory", file->name);
		return -ENOMEM;
	}
	vhd_set_file(v, file);
	r = create(v, options);
	if (r < 0)
		snprintf(error, error_size, "%s", v->error);
	vhd_free(v);
	return r;
}
