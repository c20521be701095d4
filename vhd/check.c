// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Examining image files: the description of each, then its blocks (check_blocks.c), and whether the
 * files of a chain fit together. Repairing is the same walk with the permission to write.
 */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/bytes.h"

/* A host's clock may be ahead of ours. */
#define FUTURE_S 1800
#define CHECK_CACHE_BYTES 262144u

/* --- telling */

static bool tell(struct vhd_checker *c, struct vhd_verdict verdict, const char *field,
		 const char *text)
{
	bool mends = c->repair && verdict.repairable && (!verdict.lossy || c->drop_lost);
	const struct vhd_finding finding = {
		.severity = verdict.severity,
		.layer = c->v->layer,
		.name = c->v->name,
		.field = field,
		.text = text,
		.repairable = verdict.repairable,
		.lossy = verdict.lossy,
		.repaired = mends,
	};

	c->result->found[verdict.severity]++;
	c->result->repairable += verdict.repairable;
	c->result->repaired += mends;
	if (++c->kinds[verdict.kind] <= VHD_CHECK_EACH_MAX && c->options->found)
		c->options->found(&finding, c->options->opaque);
	return mends && !c->dry_run;
}

void vhd_check_tell(struct vhd_checker *c, struct vhd_verdict verdict, const char *field,
		    const char *format, ...)
{
	char text[VHD_ERROR_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tell(c, verdict, field, text);
}

bool vhd_check_tell_block(struct vhd_checker *c, struct vhd_verdict verdict, uint32_t block,
			  const char *format, ...)
{
	char text[VHD_ERROR_BYTES], field[32];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(field, sizeof(field), "block %u", block);
	return tell(c, verdict, field, text);
}

/* What was more of a kind than is told one by one. */
static void tell_rest(struct vhd_checker *c)
{
	for (unsigned int kind = 0; kind < KINDS; kind++) {
		char text[64];
		const struct vhd_finding finding = {
			.severity = VHD_NOTE,
			.layer = c->v->layer,
			.name = c->v->name,
			.field = "...",
			.text = text,
		};

		if (c->kinds[kind] <= VHD_CHECK_EACH_MAX || !c->options->found)
			continue;
		snprintf(text, sizeof(text), "%llu more like the last of its kind",
			 (unsigned long long)(c->kinds[kind] - VHD_CHECK_EACH_MAX));
		c->options->found(&finding, c->options->opaque);
	}
}

#define TELL(kind, severity, field, ...)                                                           \
	vhd_check_tell(c, (struct vhd_verdict){ kind, severity, false, false }, field, __VA_ARGS__)
#define TELL_REPAIRABLE(kind, severity, field, ...)                                                \
	vhd_check_tell(c, (struct vhd_verdict){ kind, severity, true, false }, field, __VA_ARGS__)

/* --- footers */

static void check_tail(struct vhd_checker *c)
{
	const struct vhd *v = c->v;

	switch (v->tail_state) {
	case VHD_FOOTER_GOOD:
	case VHD_FOOTER_STALE:
		return;
	case VHD_FOOTER_MISSING:
		TELL_REPAIRABLE(
			KIND_FOOTER, VHD_ERROR, "footer",
			"is not at the end of the file: that was cut, or something follows");
		break;
	case VHD_FOOTER_DAMAGED:
		TELL_REPAIRABLE(KIND_FOOTER, VHD_ERROR, "footer", "is damaged; its copy is good");
		break;
	case VHD_FOOTER_SHORT:
		TELL_REPAIRABLE(KIND_FOOTER, VHD_WARNING, "footer",
				"has 511 bytes, as the oldest programs wrote it; many readers "
				"refuse that");
		break;
	case VHD_FOOTER_INSIDE:
		TELL_REPAIRABLE(
			KIND_FOOTER, VHD_ERROR, "footer",
			"is followed by %llu bytes that are not the disk's",
			(unsigned long long)(v->file_bytes - v->tail_offset - VHD_FOOTER_BYTES));
		break;
	}
	c->wants_tail = true;
}

static void check_head(struct vhd_checker *c)
{
	const struct vhd *v = c->v;

	if (v->footer.type == VHD_FIXED || v->head_state == VHD_FOOTER_GOOD)
		return;
	if (v->head_state == VHD_FOOTER_STALE)
		TELL_REPAIRABLE(KIND_FOOTER, VHD_WARNING, "footer copy at the start",
				"differs from the footer: the power failed while they changed");
	else
		TELL_REPAIRABLE(KIND_FOOTER, VHD_ERROR, "footer copy at the start", "is %s",
				v->head_state == VHD_FOOTER_MISSING ? "missing" : "damaged");
	c->wants_footers = true;
}

static void check_geometry(struct vhd_checker *c)
{
	const struct vhd_footer *footer = &c->v->footer;
	struct vhd_geometry honest = vhd_geometry(footer->current_size);
	uint64_t bytes = vhd_geometry_bytes(footer->geometry);

	if (!bytes)
		TELL(KIND_FOOTER, VHD_WARNING, "footer",
		     "has no geometry; some readers then see no disk");
	else if (bytes > footer->current_size && bytes > vhd_geometry_bytes(honest) &&
		 bytes != vhd_geometry_bytes(vhd_geometry(UINT64_MAX)))
		TELL(KIND_FOOTER, VHD_WARNING, "footer",
		     "geometry %u/%u/%u is %llu bytes, more than the disk's %llu",
		     footer->geometry.cylinders, footer->geometry.heads,
		     footer->geometry.sectors_per_track, (unsigned long long)bytes,
		     (unsigned long long)footer->current_size);
	if (c->v->size_bytes != footer->current_size)
		TELL(KIND_FOOTER, VHD_WARNING, "footer",
		     "size %llu and geometry %u/%u/%u (%llu bytes) differ: readers disagree about "
		     "the disk's end",
		     (unsigned long long)footer->current_size, footer->geometry.cylinders,
		     footer->geometry.heads, footer->geometry.sectors_per_track,
		     (unsigned long long)bytes);
}

static void check_footer(struct vhd_checker *c)
{
	const struct vhd_footer *footer = &c->v->footer;
	int64_t made = (int64_t)footer->time + VHD_EPOCH_UNIX;

	if (!(footer->features & FEATURE_RESERVED)) {
		TELL_REPAIRABLE(KIND_FOOTER, VHD_WARNING, "footer",
				"features 0x%x lack the bit that is always set", footer->features);
		c->wants_footers = true;
	}
	if (footer->features & FEATURE_TEMPORARY)
		TELL(KIND_FOOTER, VHD_NOTE, "footer", "says that the disk is temporary");
	if (made > (int64_t)time(NULL) + FUTURE_S)
		TELL(KIND_FOOTER, VHD_NOTE, "footer", "time of creation is in the future");
	if (footer->saved_state == 1)
		TELL(KIND_FOOTER, VHD_NOTE, "footer",
		     "says that the disk belongs to a saved state");
	else if (footer->saved_state)
		TELL(KIND_FOOTER, VHD_WARNING, "footer", "saved state is %u, neither 0 nor 1",
		     footer->saved_state);
	if (footer->type != VHD_FIXED && footer->current_size > VHD_DYNAMIC_SIZE_MAX)
		TELL(KIND_FOOTER, VHD_WARNING, "footer",
		     "size %llu is more than the 2040 GiB that others read",
		     (unsigned long long)footer->current_size);
	check_geometry(c);
	if (footer->type != VHD_FIXED)
		return;
	if (footer->data_offset != VHD_OFFSET_NONE)
		TELL(KIND_FOOTER, VHD_NOTE, "footer", "data offset is not all ones");
	if (c->v->tail_offset > footer->current_size)
		TELL(KIND_FOOTER, VHD_WARNING, "footer",
		     "stands %llu bytes behind the end of the data",
		     (unsigned long long)(c->v->tail_offset - footer->current_size));
}

/* --- header */

static void check_locator(struct vhd_checker *c, const uint8_t *locator, unsigned int number)
{
	const struct vhd *v = c->v;
	uint64_t offset = get_be64(locator + LOCATOR_OFFSET);
	uint32_t length = get_be32(locator + LOCATOR_LENGTH);
	uint64_t table_end =
		v->header.table_offset + (uint64_t)v->header.table_entries * VHD_ENTRY_BYTES;
	char field[32];

	if (!get_be32(locator + LOCATOR_CODE))
		return;
	snprintf(field, sizeof(field), "parent locator %u", number);
	if (offset > v->file_bytes || length > v->file_bytes - offset)
		TELL(KIND_LOCATOR, VHD_WARNING, field, "of %u bytes at %llu is not in the file",
		     length, (unsigned long long)offset);
	else if (offset < table_end && offset + length > v->header.table_offset)
		TELL(KIND_LOCATOR, VHD_WARNING, field, "lies on the block table");
	else if (!length)
		TELL(KIND_LOCATOR, VHD_NOTE, field, "is empty");
}

static int check_header(struct vhd_checker *c)
{
	struct vhd *v = c->v;
	const struct vhd_header *header = &v->header;
	uint8_t raw[VHD_HEADER_BYTES];
	int r = vhd_file_read(v, v->footer.data_offset, raw, sizeof(raw));

	if (r < 0)
		return r;
	if (get_be64(raw + HEADER_NEXT) != VHD_OFFSET_NONE)
		TELL(KIND_HEADER, VHD_WARNING, "header",
		     "offset of a next header is not all ones; Xen refuses that");
	if (header->table_entries > v->block_count)
		TELL(KIND_HEADER, VHD_NOTE, "header",
		     "block table of %u entries for %u blocks; Azure wants as many as blocks",
		     header->table_entries, v->block_count);
	if (v->footer.type != VHD_DIFFERENCING) {
		if (get_be64(raw + HEADER_PARENT_ID) || get_be64(raw + HEADER_PARENT_ID + 8))
			TELL(KIND_HEADER, VHD_NOTE, "header",
			     "names a parent, but the disk is dynamic and has none");
		return 0;
	}
	for (unsigned int i = 0; i < VHD_LOCATORS; i++)
		check_locator(c, raw + HEADER_LOCATORS + i * VHD_LOCATOR_BYTES, i);
	if (!v->header.locators_end && !get_be16(raw + HEADER_PARENT_NAME))
		TELL(KIND_LOCATOR, VHD_ERROR, "header", "does not name the parent at all");
	return 0;
}

/* --- files */

int vhd_check_file(struct vhd_checker *c)
{
	struct vhd *v = c->v;
	int r;

	if (v->raw) {
		if (v->file_bytes % VHD_SECTOR_BYTES)
			TELL(KIND_FOOTER, VHD_NOTE, "file",
			     "of %llu bytes ends inside a sector, the rest of which reads as zeros",
			     (unsigned long long)v->file_bytes);
		if (!v->layer)
			c->result->end_bytes = v->file_bytes;
		return 0;
	}
	check_tail(c);
	check_head(c);
	check_footer(c);
	if (v->footer.type == VHD_FIXED) {
		if (!v->layer)
			c->result->end_bytes = v->tail_offset + VHD_FOOTER_BYTES;
		return 0;
	}
	r = check_header(c);
	if (r == 0)
		r = vhd_check_blocks(c);
	return r;
}

/* "NAME: FIELD: TEXT", an error of the handle, as a finding. */
static void tell_error(struct vhd_checker *c, enum vhd_check_kind kind, const char *error)
{
	const char *text = error + strlen(c->v->name) + 2;
	const char *colon = strstr(text, ": ");
	char field[32] = "file";

	if (strncmp(error, c->v->name, strlen(c->v->name)))
		text = error;
	else if (colon && (size_t)(colon - text) < sizeof(field)) {
		snprintf(field, sizeof(field), "%.*s", (int)(colon - text), text);
		text = colon + 2;
	}
	TELL(kind, VHD_ERROR, field, "%s", text);
}

static int check_one(struct vhd_checker *c, const struct vhd_file *file)
{
	int r = vhd_describe(c->v, file);

	if (r == -EUCLEAN || r == -EOPNOTSUPP) {
		char error[VHD_ERROR_BYTES];

		memcpy(error, c->v->error, sizeof(error));
		tell_error(c, KIND_HEADER, error);
		return 0;
	}
	if (r < 0)
		return r;
	r = vhd_cache_init(c->v, CHECK_CACHE_BYTES);
	if (r < 0)
		return vhd_fail(c->v, r, "out of memory");
	r = vhd_check_file(c);
	/* Blocks that overlap would be read again and again. */
	if (r == 0 && c->options->deep && c->v->footer.type == VHD_DYNAMIC &&
	    !c->kinds[KIND_OVERLAP])
		r = vhd_check_bitmaps(c);
	return r;
}

/* Whether the files fit together is what opening them finds. */
static void check_chain(struct vhd_checker *c, const struct vhd_file *files, unsigned int count)
{
	const struct vhd_open_options options = {
		.read_only = true,
		.cache_bytes = CHECK_CACHE_BYTES,
	};
	char error[VHD_ERROR_BYTES];
	struct vhd *chain;

	if (vhd_open(files, count, &options, &chain, error, sizeof(error)) < 0) {
		tell_error(c, KIND_CHAIN, error);
		return;
	}
	for (unsigned int i = 0; vhd_warning(chain, i); i++) {
		if (strstr(vhd_warning(chain, i), "parent"))
			TELL(KIND_CHAIN, VHD_WARNING, "chain", "%s", vhd_warning(chain, i));
	}
	vhd_free(chain);
}

static int check_layer(const struct vhd_file *files, unsigned int layer, unsigned int count,
		       const struct vhd_check_options *options, struct vhd_check_result *result,
		       char *error, size_t error_size)
{
	struct vhd *v = calloc(1, sizeof(*v));
	struct vhd_checker c = { .v = v, .options = options, .result = result };
	int r;

	if (!v) {
		snprintf(error, error_size, "%s: out of memory", files[layer].name);
		return -ENOMEM;
	}
	v->read_only = true;
	v->layer = layer;
	r = check_one(&c, &files[layer]);
	if (r == 0 && layer == 0 && count > 1)
		check_chain(&c, files, count);
	else if (r == 0 && layer == 0 && v->footer.type == VHD_DIFFERENCING)
		tell(&c, (struct vhd_verdict){ .kind = KIND_CHAIN }, "file",
		     "its parents were not looked at");
	if (r == 0)
		tell_rest(&c);
	else
		snprintf(error, error_size, "%s", v->error);
	vhd_free(v);
	return r;
}

int vhd_check(const struct vhd_file *files, unsigned int count,
	      const struct vhd_check_options *options, struct vhd_check_result *ret_result,
	      char *error, size_t error_size)
{
	static const struct vhd_check_options defaults = { 0 };
	struct vhd_check_result result = { 0 };

	if (!count || count > VHD_CHAIN_MAX) {
		snprintf(error, error_size, "a chain of %u disks; 1 to %u are possible", count,
			 VHD_CHAIN_MAX);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < count; i++) {
		int r = check_layer(files, i, count, options ? options : &defaults, &result, error,
				    error_size);

		if (r < 0)
			return r;
	}
	*ret_result = result;
	return 0;
}

/* --- repair */

/* The end of a fixed disk's file is its footer's. */
static int mend_fixed(struct vhd *v)
{
	int r = vhd_file_write(v, v->tail_offset, v->footer_raw, VHD_FOOTER_BYTES);

	if (r == 0)
		r = vhd_file_sync(v);
	if (r == 0 && v->file_bytes > v->tail_offset + VHD_FOOTER_BYTES)
		r = vhd_file_truncate(v, v->tail_offset + VHD_FOOTER_BYTES);
	return r == 0 ? vhd_file_sync(v) : r;
}

/* The good footer stays until the other is good as well. */
static int mend(struct vhd_checker *c)
{
	struct vhd *v = c->v;
	int r;

	vhd_footer_encode(&v->footer, v->footer_raw);
	if (v->footer.type == VHD_FIXED)
		return c->wants_tail || c->wants_footers ? mend_fixed(v) : 0;
	r = vhd_file_sync(v);
	if (r == 0 && v->head_state != VHD_FOOTER_GOOD)
		r = vhd_tail_copy_to_head(v);
	if (r == 0)
		r = vhd_tail_scan(v);
	if (r == 0 && c->wants_tail && v->bad_block == VHD_BLOCK_ABSENT) {
		r = vhd_tail_trim(v);
	} else if (r == 0 && c->wants_tail) {
		/* Something may be where the entry leads: nothing is cut off. */
		r = vhd_tail_move(
			v, max_u64(v->alloc_end, round_up(vhd_data_limit(v), VHD_SECTOR_BYTES)));
	} else if (r == 0 && c->wants_footers && v->tail_offset != VHD_OFFSET_NONE) {
		r = vhd_file_write(v, v->tail_offset, v->footer_raw, VHD_FOOTER_BYTES);
		if (r == 0)
			r = vhd_file_sync(v);
	}
	if (r == 0 && (c->wants_tail || c->wants_footers))
		r = vhd_tail_copy_to_head(v);
	return r == 0 ? vhd_file_sync(v) : r;
}

int vhd_repair(const struct vhd_file *file, const struct vhd_repair_options *options,
	       struct vhd_check_result *ret_result, char *error, size_t error_size)
{
	const struct vhd_check_options check = {
		.found = options->found,
		.opaque = options->opaque,
	};
	struct vhd_check_result result = { 0 };
	struct vhd *v = calloc(1, sizeof(*v));
	struct vhd_checker c = {
		.v = v,
		.options = &check,
		.result = &result,
		.repair = true,
		.dry_run = options->dry_run,
		.drop_lost = options->drop_lost,
	};
	int r;

	if (!v) {
		snprintf(error, error_size, "%s: out of memory", file->name);
		return -ENOMEM;
	}
	r = check_one(&c, file);
	if (r == 0 && v->cache && !options->dry_run)
		r = mend(&c);
	else if (r == 0 && v->footer.type == VHD_FIXED && !options->dry_run)
		r = mend(&c);
	if (r == 0) {
		tell_rest(&c);
		*ret_result = result;
	} else {
		snprintf(error, error_size, "%s", v->error);
	}
	vhd_free(v);
	return r;
}
