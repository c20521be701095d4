// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A refresh draws the lines that may have changed into a line buffer and compares that with the
 * surface: what differs is the damage, exact in both directions. Which lines may have changed is
 * told by the memory's dirty pages, in text modes by comparing the characters of a row with those
 * drawn last. A register that changes the picture makes all lines candidates.
 */
#include "vga_render.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

/* The beam's frames that the text cursor, and blinking characters, stay as they are. */
#define CURSOR_FRAMES 8
#define BLINK_FRAMES 16
/* Changed lines this near to each other become one rectangle. */
#define BAND_GAP 8

/* A cell of the text cache: character and attribute, and: */
#define CELL_CURSOR BIT(16)
#define CELL_HIDDEN BIT(17)
#define CELL_INVALID UINT32_MAX

void vga_line_decode(const struct vga_scan *scan, uint32_t y, struct vga_line *ret_line)
{
	bool lower = y >= scan->split;
	uint32_t height = scan->scan_height << scan->double_scan;
	uint32_t at = lower ? y - scan->split
			    : y + ((scan->preset_row % scan->scan_height) << scan->double_scan);
	bool pans = !lower || scan->split_pans;

	ret_line->counter =
		(lower ? 0 : scan->start) + at / height * scan->pitch + (pans ? scan->byte_pan : 0);
	ret_line->row = at % height >> scan->double_scan;
	ret_line->pan = pans ? scan->pixel_pan : 0;
	ret_line->first = y == 0 || y == scan->split || at % height == 0;
}

void vga_palette(const struct vga_state *s, const struct vga_scan *scan, uint32_t palette[256])
{
	bool deep = scan->kind == VGA_SCAN_256 || scan->kind == VGA_SCAN_PACKED;

	for (unsigned int i = 0; i < (deep ? 256 : 16); i++)
		palette[i] = vga_palette_color(s, deep ? i : vga_attribute_color(s, i));
}

/* --- lines of pixels */

/* Pixel i of eight at byte i, leftmost first: the bits of @byte. */
static uint64_t spread(uint8_t byte)
{
	uint64_t bits = byte * UINT64_C(0x0101010101010101) & UINT64_C(0x0102040810204080);

	return (bits + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
}

static uint32_t *put(uint32_t *out, uint32_t color, uint32_t times)
{
	for (uint32_t i = 0; i < times; i++)
		*out++ = color;
	return out;
}

static uint32_t *draw_planar(const struct vga_picture *picture, uint32_t planes, uint32_t *out)
{
	uint64_t index = spread((uint8_t)planes) | spread((uint8_t)(planes >> 8)) << 1 |
			 spread((uint8_t)(planes >> 16)) << 2 |
			 spread((uint8_t)(planes >> 24)) << 3;

	for (unsigned int i = 0; i < 8; i++, index >>= 8)
		out = put(out, picture->palette[index & 15], picture->scan.widen);
	return out;
}

/* Two shift registers of 16 bits: planes 0 and 1 give the low two bits, 2 and 3 the high two. */
static uint32_t *draw_cga(const struct vga_picture *picture, uint32_t planes, uint32_t *out)
{
	uint32_t low = (planes & 0xff) << 8 | (planes >> 8 & 0xff);
	uint32_t high = (planes >> 16 & 0xff) << 8 | planes >> 24;

	for (int shift = 14; shift >= 0; shift -= 2)
		out = put(out, picture->palette[(low >> shift & 3) | (high >> shift & 3) << 2],
			  picture->scan.widen);
	return out;
}

static uint32_t *draw_256(const struct vga_picture *picture, uint32_t planes, uint32_t *out)
{
	for (unsigned int i = 0; i < 4; i++, planes >>= 8)
		out = put(out, picture->palette[planes & 0xff], picture->scan.widen);
	return out;
}

static void draw_addressed(const struct vga *vga, struct vga_picture *picture,
			   const struct vga_line *line)
{
	uint32_t *(*draw)(const struct vga_picture *, uint32_t, uint32_t *);
	uint32_t *out = picture->line;

	draw = picture->scan.kind == VGA_SCAN_PLANAR ? draw_planar
	       : picture->scan.kind == VGA_SCAN_CGA  ? draw_cga
						     : draw_256;
	/* One more than is seen, for panning. */
	for (uint32_t i = 0; i <= picture->scan.columns; i++) {
		uint32_t address = vga_scan_address(&picture->scan, line->counter + i, line->row);

		out = draw(picture, vga_planes(vga, address), out);
	}
}

static uint32_t pixel_15(uint32_t value)
{
	uint32_t r = value >> 10 & 31, g = value >> 5 & 31, b = value & 31;

	return (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
}

static uint32_t pixel_16(uint32_t value)
{
	uint32_t r = value >> 11 & 31, g = value >> 5 & 63, b = value & 31;

	return (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
}

static void convert(struct vga_picture *picture, const uint8_t *from)
{
	uint32_t *out = picture->line, width = picture->scan.width;

	switch (picture->scan.bits) {
	case 8:
		for (uint32_t x = 0; x < width; x++)
			out[x] = picture->palette[from[x]];
		break;
	case 15:
		for (uint32_t x = 0; x < width; x++)
			out[x] = pixel_15(get_le16(from + 2 * (size_t)x));
		break;
	case 16:
		for (uint32_t x = 0; x < width; x++)
			out[x] = pixel_16(get_le16(from + 2 * (size_t)x));
		break;
	case 24:
		for (uint32_t x = 0; x < width; x++)
			out[x] = get_le16(from + 3 * (size_t)x) | (uint32_t)from[3 * (size_t)x + 2]
									  << 16;
		break;
	default:
		for (uint32_t x = 0; x < width; x++)
			out[x] = get_le32(from + 4 * (size_t)x) & 0xffffff;
		break;
	}
}

static uint32_t packed_line_bytes(const struct vga_scan *scan)
{
	return scan->width * ((scan->bits + 7) / 8);
}

static void draw_packed(const struct vga *vga, struct vga_picture *picture,
			const struct vga_line *line)
{
	const struct display_memory *memory = vga->memory;
	uint32_t bytes = packed_line_bytes(&picture->scan);
	uint32_t at = (line->counter & picture->scan.mask) * 4;
	uint8_t wrapped[DISPLAY_WIDTH_MAX * 4];
	uint32_t end = (picture->scan.mask + 1) * 4;

	if (at + bytes <= end) {
		convert(picture, memory->bytes + at);
		return;
	}
	memcpy(wrapped, memory->bytes + at, end - at);
	memcpy(wrapped + (end - at), memory->bytes, bytes - (end - at));
	convert(picture, wrapped);
}

/* --- text */

static uint32_t read_cell(const struct vga *vga, const struct vga_picture *picture,
			  uint32_t counter, uint32_t row)
{
	const struct vga_scan *scan = &picture->scan;
	uint32_t cell = vga_planes(vga, vga_scan_address(scan, counter, row)) & 0xffff;

	if (scan->blink && (cell & 0x8000) && !picture->blink_on)
		cell |= CELL_HIDDEN;
	if (picture->cursor_on && counter == scan->cursor_address &&
	    scan->cursor_first <= scan->cursor_last)
		cell |= CELL_CURSOR;
	return cell;
}

/* The dots of a cell on scan line @row, leftmost in bit 8. */
static uint32_t cell_dots(const struct vga *vga, const struct vga_scan *scan, uint32_t cell,
			  uint32_t row)
{
	uint32_t character = cell & 0xff, attribute = cell >> 8 & 0xff;
	uint32_t font = scan->font[attribute >> 3 & 1];
	uint32_t dots = vga_planes(vga, font + character * 32 + row) >> 16 & 0xff;

	dots <<= 1;
	if (scan->line_graphics && (character & 0xe0) == 0xc0)
		dots |= dots >> 1 & 1;
	if (row == scan->underline && (attribute & 7) == 1)
		dots = 0x1ff;
	if (cell & CELL_HIDDEN)
		dots = 0;
	if ((cell & CELL_CURSOR) && row >= scan->cursor_first && row <= scan->cursor_last)
		dots = 0x1ff;
	return dots;
}

static void draw_text(const struct vga *vga, struct vga_picture *picture,
		      const struct vga_line *line)
{
	const struct vga_scan *scan = &picture->scan;
	unsigned int width = scan->nine ? 9 : 8;
	uint32_t *out = picture->line;

	for (uint32_t i = 0; i <= scan->columns; i++) {
		uint32_t cell = read_cell(vga, picture, line->counter + i, line->row);
		uint32_t dots = cell_dots(vga, scan, cell, line->row);
		uint32_t back = cell >> 12 & (scan->blink ? 7 : 15);
		uint32_t colors[2] = { picture->palette[back], picture->palette[cell >> 8 & 15] };

		for (unsigned int dot = 0; dot < width; dot++)
			out = put(out, colors[dots >> (8 - dot) & 1], scan->widen);
	}
}

const uint32_t *vga_draw_line(const struct vga *vga, struct vga_picture *picture, uint32_t y)
{
	struct vga_line line;

	vga_line_decode(&picture->scan, y, &line);
	switch (picture->scan.kind) {
	case VGA_SCAN_BLANK:
		memset(picture->line, 0, picture->scan.width * sizeof(picture->line[0]));
		return picture->line;
	case VGA_SCAN_TEXT:
		draw_text(vga, picture, &line);
		break;
	case VGA_SCAN_PACKED:
		draw_packed(vga, picture, &line);
		break;
	default:
		draw_addressed(vga, picture, &line);
		break;
	}
	return picture->line + line.pan;
}

/* --- which lines may have changed */

static bool pages_dirty(const struct display_memory *memory, uint32_t first, uint32_t last)
{
	for (uint32_t page = first / DISPLAY_PAGE_BYTES; page <= last / DISPLAY_PAGE_BYTES;
	     page++) {
		if (memory->dirty[page / 64] & BIT64(page % 64))
			return true;
	}
	return false;
}

static bool addresses_dirty(const struct vga *vga, uint32_t first, uint32_t last)
{
	const struct display_memory *memory = vga->memory;

	if (vga->s->layout == VGA_PACKED || last >= VGA_PLANE_BYTES)
		return pages_dirty(memory, 4 * first, 4 * last + 3);
	for (uint32_t plane = 0; plane < 4; plane++) {
		uint32_t at = plane * VGA_PLANE_BYTES;

		/* With paired planes the same ranges hold even and odd addresses. */
		if (pages_dirty(memory, at + (first & ~1u), at + (last | 1)))
			return true;
	}
	return false;
}

static bool line_dirty(const struct vga *vga, const struct vga_scan *scan,
		       const struct vga_line *line)
{
	uint32_t first, last;

	if (scan->kind == VGA_SCAN_PACKED) {
		first = (line->counter & scan->mask) * 4;
		last = first + packed_line_bytes(scan) - 1;
		return last > scan->mask * 4 + 3 || pages_dirty(vga->memory, first, last);
	}
	first = vga_scan_address(scan, line->counter, line->row);
	last = vga_scan_address(scan, line->counter + scan->columns, line->row);
	return last < first || addresses_dirty(vga, first, last);
}

/* Whether the characters of a row are others than were drawn last; they are noted. */
static bool cells_changed(const struct vga *vga, struct vga_picture *picture, uint32_t y,
			  const struct vga_line *line)
{
	const struct vga_scan *scan = &picture->scan;
	uint32_t rows = DISPLAY_TEXT_CELLS / (scan->columns + 1);
	uint32_t height = scan->scan_height << scan->double_scan;
	uint32_t *cells = &picture->cells[(y + height - 1) / height % rows * (scan->columns + 1)];
	bool changed = false;

	for (uint32_t i = 0; i <= scan->columns; i++) {
		uint32_t cell = read_cell(vga, picture, line->counter + i, line->row);

		changed |= cells[i] != cell;
		cells[i] = cell;
	}
	return changed;
}

/* --- surface and damage */

/* Copies what differs; the band of changes grows by it. */
static void update_line(struct display_surface *surface, uint32_t y, const uint32_t *line,
			struct display_rect *band)
{
	uint32_t *to = surface->pixels + (size_t)y * surface->stride_pixels;
	uint32_t left = 0, right = surface->width;

	if (memcmp(to, line, surface->width * sizeof(line[0])) == 0)
		return;
	while (to[left] == line[left])
		left++;
	while (to[right - 1] == line[right - 1])
		right--;
	memcpy(to + left, line + left, (right - left) * sizeof(line[0]));
	if (band->height && y - (band->y + band->height) > BAND_GAP) {
		display_damage(surface, *band);
		band->height = 0;
	}
	if (!band->height) {
		*band = (struct display_rect){ left, y, right - left, 1 };
		return;
	}
	right = (uint32_t)max_u64(right, band->x + band->width);
	band->x = (uint32_t)min_u64(left, band->x);
	band->width = right - band->x;
	band->height = y + 1 - band->y;
}

/* Cursor and characters blink with the beam's frames. */
static bool update_phase(struct vga *vga, struct vga_picture *picture)
{
	struct timer_queue *timers = vga->dev->env->timers;
	struct vga_timing timing;
	uint64_t frame;
	bool cursor_on, blink_on, changed;

	vga_timing_decode(vga->s, &vga->ext, &timing);
	frame = timers->now(timers) / timing.frame_ns;
	cursor_on = !(frame / CURSOR_FRAMES & 1);
	blink_on = !(frame / BLINK_FRAMES & 1);
	changed = picture->scan.kind == VGA_SCAN_TEXT &&
		  (cursor_on != picture->cursor_on || blink_on != picture->blink_on);
	picture->cursor_on = cursor_on;
	picture->blink_on = blink_on;
	return changed;
}

/* True: every line is a candidate. */
static bool update_scan(struct vga *vga, struct vga_picture *picture)
{
	struct vga_scan old = picture->scan, now;

	vga_scan_decode(vga->s, &vga->ext, vga->memory, &picture->scan);
	now = picture->scan;
	old.cursor_address = now.cursor_address;
	if (!vga->picture_changed && memcmp(&old, &now, sizeof(now)) == 0)
		return false;
	vga->picture_changed = false;
	vga_palette(vga->s, &picture->scan, picture->palette);
	memset(picture->cells, 0xff, sizeof(picture->cells));
	return true;
}

static bool fonts_dirty(const struct vga *vga)
{
	uint32_t plane = 2 * VGA_PLANE_BYTES;

	if (vga->s->layout == VGA_PACKED)
		return true;
	return pages_dirty(vga->memory, plane, plane + VGA_PLANE_BYTES - 1);
}

static bool any_dirty(const struct display_memory *memory)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < ARRAY_LEN(memory->dirty); i++)
		any |= memory->dirty[i];
	return any;
}

static void draw_lines(struct vga *vga, struct display_surface *surface, bool all)
{
	struct vga_picture *picture = vga->picture;
	const struct vga_scan *scan = &picture->scan;
	struct display_rect band = { 0 };
	bool row_changed = true;

	for (uint32_t y = 0; y < surface->height; y++) {
		struct vga_line line;

		vga_line_decode(scan, y, &line);
		if (scan->kind == VGA_SCAN_TEXT && line.first)
			row_changed = cells_changed(vga, picture, y, &line);
		if (all ||
		    (scan->kind == VGA_SCAN_TEXT ? row_changed : line_dirty(vga, scan, &line)))
			update_line(surface, y, vga_draw_line(vga, picture, y), &band);
	}
	display_damage(surface, band);
}

void vga_refresh(struct vga *vga, struct display_surface *surface)
{
	struct vga_picture *picture = vga->picture;
	uint32_t cursor = picture->scan.cursor_address;
	bool all = update_scan(vga, picture), dirty = any_dirty(vga->memory);
	bool phase = update_phase(vga, picture);

	if (surface->width != picture->scan.width || surface->height != picture->scan.height) {
		/* The viewer comes again with the right size and gets everything then. */
		vga->picture_changed = true;
		return;
	}
	all |= surface->stale;
	if (surface->stale)
		memset(picture->cells, 0xff, sizeof(picture->cells));
	if (picture->scan.kind == VGA_SCAN_TEXT && dirty && fonts_dirty(vga))
		all = true;
	if (all || dirty || phase || cursor != picture->scan.cursor_address)
		draw_lines(vga, surface, all);
	if (surface->stale) {
		surface->stale = false;
		surface->damage_count = 0;
		display_damage(surface,
			       (struct display_rect){ 0, 0, surface->width, surface->height });
	}
	memset(vga->memory->dirty, 0, sizeof(vga->memory->dirty));
}

void vga_geometry(struct vga *vga, struct display_geometry *ret_geometry)
{
	struct vga_timing timing;
	struct vga_scan scan;

	vga_scan_decode(vga->s, &vga->ext, vga->memory, &scan);
	vga_timing_decode(vga->s, &vga->ext, &timing);
	*ret_geometry = (struct display_geometry){
		.width = scan.width,
		.height = scan.height,
		.refresh_millihertz = (uint32_t)(1000 * NSEC_PER_SEC / timing.frame_ns),
		.blank = scan.kind == VGA_SCAN_BLANK,
	};
}

void vga_text(struct vga *vga, struct display_text *ret_text)
{
	struct vga_scan scan;
	uint32_t rows, cursor;

	vga_scan_decode(vga->s, &vga->ext, vga->memory, &scan);
	memset(ret_text, 0, sizeof(*ret_text));
	if (scan.kind != VGA_SCAN_TEXT)
		return;
	rows = scan.height / (scan.scan_height << scan.double_scan);
	ret_text->columns = scan.columns;
	ret_text->rows = (uint32_t)min_u64(rows, DISPLAY_TEXT_CELLS / scan.columns);
	for (uint32_t i = 0; i < ret_text->rows * scan.columns; i++) {
		uint32_t counter = scan.start + i / scan.columns * scan.pitch + i % scan.columns;

		ret_text->cells[i] = (uint16_t)vga_planes(vga, vga_scan_address(&scan, counter, 0));
	}
	cursor = scan.cursor_address - scan.start;
	ret_text->cursor_row = UINT32_MAX;
	ret_text->cursor_column = UINT32_MAX;
	if (scan.cursor_first > scan.cursor_last || !scan.pitch)
		return;
	ret_text->cursor_row = cursor / scan.pitch;
	ret_text->cursor_column = cursor % scan.pitch;
}
