// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changing who a disk is: its parent, its id.
 *
 * Theory of operation
 *
 * A parent's id, time and names take both sectors of the header and some behind, so they cannot
 * change in one step where they are. But a footer says where the header is. So the new header with
 * its texts is written behind the last block, and the footer leads there; then it is written to its
 * old place, where readers that do not follow the footer expect it, and the footer leads back. The
 * footer is one sector, synced each time. Texts that do not fit into the old ones' place stay at the
 * end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/bytes.h"
#include "names.h"
#include "vhd_job.h"

struct change {
	struct vhd *v;
	const struct vhd_parent *parent;
	uint8_t raw[VHD_HEADER_BYTES];
	uint8_t *texts;
	uint32_t bytes; /* of them */
};

/* The header as it is to be, with its texts at @texts_at of the file. */
static int encode(struct change *c, uint64_t texts_at)
{
	struct vhd_header header = c->v->header;
	int r = vhd_encode_names(c->v, c->parent, texts_at, &header, c->texts, &c->bytes);

	if (r < 0)
		return r;
	memcpy(c->raw + HEADER_PARENT_ID, c->parent->id, 16);
	put_be32(c->raw + HEADER_PARENT_TIME,
		 c->parent->modified_unix ? vhd_time(c->parent->modified_unix) : 0);
	memcpy(c->raw + HEADER_PARENT_NAME, header.parent_name, HEADER_PARENT_NAME_BYTES);
	memcpy(c->raw + HEADER_LOCATORS, header.locators, sizeof(header.locators));
	put_be32(c->raw + HEADER_CHECKSUM, vhd_checksum(c->raw, sizeof(c->raw), HEADER_CHECKSUM));
	return 0;
}

/* Writes header and texts, which nothing leads to, and then lets the footer lead to them. */
static int write_at(struct change *c, uint64_t header_at, uint64_t texts_at)
{
	struct vhd_footer footer = c->v->footer;
	int r = vhd_file_write(c->v, texts_at, c->texts, c->bytes);

	if (r == 0)
		r = vhd_file_write(c->v, header_at, c->raw, sizeof(c->raw));
	if (r == 0)
		r = vhd_file_sync(c->v);
	footer.data_offset = header_at;
	return r < 0 ? r : vhd_tail_change(c->v, &footer);
}

/* Where the present texts begin; the table's end when there are none. */
static uint64_t old_texts(const struct vhd *v)
{
	uint64_t at = UINT64_MAX;

	for (unsigned int i = 0; i < VHD_LOCATORS; i++) {
		const uint8_t *locator = v->header.locators + i * VHD_LOCATOR_BYTES;
		uint64_t offset = get_be64(locator + LOCATOR_OFFSET);

		if (get_be32(locator + LOCATOR_CODE) && offset >= VHD_FOOTER_BYTES &&
		    offset < v->file_bytes)
			at = min_u64(at, round_up(offset, VHD_SECTOR_BYTES));
	}
	return at != UINT64_MAX
		       ? at
		       : round_up(v->header.table_offset +
					  (uint64_t)v->header.table_entries * VHD_ENTRY_BYTES,
				  VHD_SECTOR_BYTES);
}

static int change_parent(struct change *c)
{
	struct vhd *v = c->v;
	uint64_t home = v->footer.data_offset, texts = old_texts(v), end, room;
	int r = vhd_file_read(v, home, c->raw, sizeof(c->raw));

	if (r == 0)
		r = vhd_tail_scan(v);
	if (r == 0)
		r = vhd_tail_trim(v); /* also refuses a table that is not sound */
	if (r == 0)
		r = vhd_room_end(v, texts, &room);
	end = v->alloc_end;
	if (r == 0)
		r = encode(c, end);
	if (r == 0)
		r = vhd_tail_move(v, end + c->bytes + VHD_HEADER_BYTES);
	if (r == 0)
		r = write_at(c, end + c->bytes, end);
	if (r < 0)
		return r;
	if (texts < end && texts + c->bytes <= room) {
		r = encode(c, texts);
		if (r == 0)
			r = write_at(c, home, texts);
	} else {
		r = write_at(c, home, end);
		end += c->bytes;
	}
	return r < 0 ? r : vhd_tail_move(v, end);
}

int vhd_set_parent(const struct vhd_file *file, const struct vhd_parent *parent, char *error,
		   size_t error_size)
{
	struct change c = { .parent = parent, .texts = malloc(VHD_NAMES_BYTES_MAX) };
	int r;

	if (!c.texts) {
		snprintf(error, error_size, "%s: out of memory", file->name);
		return -ENOMEM;
	}
	r = vhd_open_alone(file, parent->ignore_saved_state, &c.v, error, error_size);
	if (r == 0) {
		r = c.v->footer.type == VHD_DIFFERENCING
			    ? change_parent(&c)
			    : vhd_fail(c.v, -EINVAL, "a %s disk has no parent",
				       vhd_type_name((enum vhd_type)c.v->footer.type));
		if (r < 0)
			snprintf(error, error_size, "%s", c.v->error);
		vhd_free(c.v);
	}
	free(c.texts);
	return r;
}

int vhd_set_id(const struct vhd_file *file, const uint8_t *id, char *error, size_t error_size)
{
	struct vhd_footer footer;
	struct vhd *v;
	int r = vhd_open_alone(file, false, &v, error, error_size);

	if (r < 0)
		return r;
	footer = v->footer;
	footer.time = vhd_time((int64_t)time(NULL));
	if (id)
		memcpy(footer.id, id, sizeof(footer.id));
	else
		r = vhd_random_id(v, footer.id);
	if (r == 0)
		r = vhd_tail_change(v, &footer);
	if (r < 0)
		snprintf(error, error_size, "%s", v->error);
	vhd_free(v);
	return r;
}
