// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory path of a VGA: what an access to the window A0000h to BFFFFh does to the four planes.
 *
 * Theory of operation
 *
 * The planes are kept in the layout in which the present mode shows them to the processor, so that
 * the machine can give it that part of the memory itself (vga_window_aperture()):
 *
 *	chain 4, linear		VGA_PACKED: the window is a run of the memory
 *	odd/even (text)		VGA_PAIRED: character and attribute alternate
 *	one plane		VGA_PLANAR, for planes 2 and 3 VGA_PAIRED too: fonts are loaded without
 *				turning the memory over
 *	all planes alike	VGA_PLANAR, where the four planes have equal pages: the processor
 *				writes those of one plane, vga_window_settle() copies them to the others
 *
 * The layout changes when an access needs it, not when a register is written: mode sets pass through
 * states in which nobody looks at the memory. Mapping costs as much as dozens of trapped accesses, so
 * the window is mapped only after so many of them (struct vga_pace). Latches are not loaded by reads of
 * mapped memory, so one-plane and all-plane windows are mapped only while they are not read.
 */
#include "vga.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define WINDOW_BASE 0xa0000u
#define WINDOW_BYTES 0x20000u

#define PACE_LINEAR 32u	   /* trapped accesses before the window is mapped */
#define POST_ACCESSES 128u /* trapped planar accesses before the ports beside them are posted */
#define PACE_PLANAR 256u   /* of a planar window: its states change more often */

enum path_kind { PATH_LINEAR, PATH_CHAIN4, PATH_ODD_EVEN, PATH_SEQUENTIAL };

struct path {
	enum path_kind kind;
	uint32_t base, size; /* from A0000h */
	uint32_t bank;	     /* bytes of the linear memory, or addresses within a plane */
	uint32_t mask;	     /* of byte offsets (linear, chain 4) or plane addresses */
};

/* Bits 3:0 to bytes: planes that take part. */
static uint32_t expand(unsigned int planes)
{
	static const uint32_t bytes[16] = {
		0x00000000, 0x000000ff, 0x0000ff00, 0x0000ffff, 0x00ff0000, 0x00ff00ff,
		0x00ffff00, 0x00ffffff, 0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff,
		0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff,
	};

	return bytes[planes & 15];
}

static uint32_t replicate(uint32_t byte)
{
	return (byte & 0xff) * 0x01010101u;
}

static struct path decode_path(const struct vga *vga)
{
	static const struct {
		uint32_t base, size;
	} maps[4] = { { 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 } };
	const struct vga_state *s = vga->s;
	unsigned int map = s->gfx[GFX_MISC] >> 2 & 3;
	struct path path = { .base = maps[map].base, .size = maps[map].size };

	if (vga->ext.linear_window) {
		path.base = 0;
		path.size = 0x10000;
	}
	path.mask = vga->ext.linear_window ? vga->memory->size - 1 : VGA_PLANAR_BYTES - 1;
	path.bank = vga->ext.bank;
	if (vga->ext.linear_window && vga->ext.bits) {
		path.kind = PATH_LINEAR;
	} else if (s->seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4) {
		path.kind = PATH_CHAIN4;
	} else {
		path.kind = s->seq[SEQ_MEMORY] & SEQ_MEMORY_SEQUENTIAL ? PATH_SEQUENTIAL
								       : PATH_ODD_EVEN;
		path.mask >>= 2;
		path.bank >>= 2;
	}
	return path;
}

/* --- layouts */

static uint32_t plane_offset(enum vga_layout layout, unsigned int plane, uint32_t address)
{
	if (address >= VGA_PLANE_BYTES || layout == VGA_PACKED)
		return 4 * address + plane;
	if (layout == VGA_PAIRED && plane < 2)
		return (address & 1) * VGA_PLANE_BYTES + (address & 0xfffe) + plane;
	return plane * VGA_PLANE_BYTES + address;
}

static uint32_t get_planes(const uint8_t *bytes, enum vga_layout layout, uint32_t address)
{
	uint32_t value = 0;

	if (address >= VGA_PLANE_BYTES || layout == VGA_PACKED)
		return get_le32(bytes + 4 * (size_t)address);
	if (layout == VGA_PLANAR) {
		bytes += address;
		return bytes[0] | (uint32_t)bytes[VGA_PLANE_BYTES] << 8 |
		       (uint32_t)bytes[2 * VGA_PLANE_BYTES] << 16 |
		       (uint32_t)bytes[3 * VGA_PLANE_BYTES] << 24;
	}
	for (unsigned int plane = 0; plane < 4; plane++)
		value |= (uint32_t)bytes[plane_offset(layout, plane, address)] << (8 * plane);
	return value;
}

static void put_planes(uint8_t *bytes, enum vga_layout layout, uint32_t address, uint32_t value)
{
	if (address >= VGA_PLANE_BYTES || layout == VGA_PACKED) {
		put_le32(bytes + 4 * (size_t)address, value);
		return;
	}
	if (layout == VGA_PLANAR) {
		bytes += address;
		bytes[0] = (uint8_t)value;
		bytes[VGA_PLANE_BYTES] = (uint8_t)(value >> 8);
		bytes[2 * VGA_PLANE_BYTES] = (uint8_t)(value >> 16);
		bytes[3 * VGA_PLANE_BYTES] = (uint8_t)(value >> 24);
		return;
	}
	for (unsigned int plane = 0; plane < 4; plane++)
		bytes[plane_offset(layout, plane, address)] = (uint8_t)(value >> (8 * plane));
}

uint32_t vga_planes(const struct vga *vga, uint32_t address)
{
	return get_planes(vga->memory->bytes, vga->s->layout,
			  address & (vga->memory->size / 4 - 1));
}

/* The layout that serves the window's next access; the present one when it does as well. */
static enum vga_layout wanted_layout(const struct vga *vga)
{
	const struct vga_state *s = vga->s;

	if (vga->ext.linear_seen || vga->ext.linear_window || vga->ext.bits ||
	    (s->seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4))
		return VGA_PACKED;
	if (!(s->seq[SEQ_MEMORY] & SEQ_MEMORY_SEQUENTIAL))
		return VGA_PAIRED;
	/* Fonts live in planes 2 and 3, which the two others keep alike. */
	if (s->layout == VGA_PAIRED && !(s->seq[SEQ_MAP_MASK] & 3))
		return VGA_PAIRED;
	return VGA_PLANAR;
}

static void set_layout(struct vga *vga, enum vga_layout layout)
{
	uint8_t *bytes = vga->memory->bytes;
	enum vga_layout old = vga->s->layout;

	memcpy(vga->scratch, bytes, VGA_PLANAR_BYTES);
	for (uint32_t address = 0; address < VGA_PLANE_BYTES; address++)
		put_planes(bytes, layout, address, get_planes(vga->scratch, old, address));
	vga->s->layout = (uint8_t)layout;
	display_mark_dirty(vga->memory, 0, VGA_PLANAR_BYTES);
}

void vga_layout_update(struct vga *vga)
{
	enum vga_layout layout = wanted_layout(vga);

	if (layout != vga->s->layout)
		set_layout(vga, layout);
}

/* --- accesses */

static void mark_address(struct vga *vga, uint32_t address, unsigned int planes)
{
	enum vga_layout layout = vga->s->layout;

	if (layout == VGA_PACKED || address >= VGA_PLANE_BYTES) {
		display_mark_dirty(vga->memory, 4 * address, 4);
		return;
	}
	if (layout == VGA_PLANAR) {
		/* The 64 pages of the four planes are one word: the same page of each, 16 apart. */
		vga->memory->dirty[0] |= UINT64_C(0x0001000100010001)
					 << (address / DISPLAY_PAGE_BYTES);
		return;
	}
	for (unsigned int plane = 0; plane < 4; plane++) {
		if (planes & BIT(plane))
			display_mark_dirty(vga->memory, plane_offset(layout, plane, address), 1);
	}
}

static uint32_t combine(const struct vga_state *s, uint32_t data, uint32_t bits)
{
	switch (s->gfx[GFX_ROTATE] >> 3 & 3) {
	case 1:
		data &= s->latch;
		break;
	case 2:
		data |= s->latch;
		break;
	case 3:
		data ^= s->latch;
		break;
	default:
		break;
	}
	return blend32(s->latch, replicate(bits), data);
}

/* What the graphics controller makes of @value for the four planes. */
static uint32_t write_data(const struct vga_state *s, uint8_t value)
{
	unsigned int rotate = s->gfx[GFX_ROTATE] & 7;
	uint32_t rotated = (uint32_t)(value >> rotate | value << (8 - rotate)) & 0xff;
	uint32_t data;

	switch (s->gfx[GFX_MODE] & 3) {
	case 0:
		data = blend32(replicate(rotated), expand(s->gfx[GFX_ENABLE_SET_RESET]),
			       expand(s->gfx[GFX_SET_RESET]));
		return combine(s, data, s->gfx[GFX_BIT_MASK]);
	case 1:
		return s->latch;
	case 2:
		return combine(s, expand(value), s->gfx[GFX_BIT_MASK]);
	default:
		return combine(s, expand(s->gfx[GFX_SET_RESET]), rotated & s->gfx[GFX_BIT_MASK]);
	}
}

/* Which planes an access to window offset @at reaches, and where. */
static unsigned int route(const struct vga *vga, const struct path *path, uint32_t at,
			  uint32_t *ret_address)
{
	unsigned int planes = vga->s->seq[SEQ_MAP_MASK] & 15;

	switch (path->kind) {
	case PATH_CHAIN4:
		at = (at + path->bank) & path->mask;
		*ret_address = at >> 2;
		return planes & BIT(at & 3);
	case PATH_ODD_EVEN:
		planes &= at & 1 ? 0x0au : 0x05u;
		at = (at & ~1u) | (path->size > 0x10000 ? at >> 16 & 1 : 0);
		*ret_address = (at + path->bank) & path->mask;
		return planes;
	default:
		*ret_address = (at + path->bank) & path->mask;
		return planes;
	}
}

static void write_byte(struct vga *vga, const struct path *path, uint32_t at, uint8_t value)
{
	struct vga_state *s = vga->s;
	uint8_t *bytes = vga->memory->bytes;
	uint32_t address, data;
	unsigned int planes = route(vga, path, at, &address);

	if (!planes)
		return;
	data = write_data(s, value);
	if (planes != 15)
		data = blend32(get_planes(bytes, s->layout, address), expand(planes), data);
	put_planes(bytes, s->layout, address, data);
	mark_address(vga, address, planes);
}

static uint8_t read_byte(struct vga *vga, const struct path *path, uint32_t at)
{
	struct vga_state *s = vga->s;
	unsigned int plane = s->gfx[GFX_READ_MAP] & 3;
	uint32_t address, differs;

	route(vga, path, at, &address);
	s->latch = get_planes(vga->memory->bytes, s->layout, address);
	if (path->kind == PATH_CHAIN4)
		return (uint8_t)(s->latch >> (8 * (at & 3)));
	if (s->gfx[GFX_MODE] & GFX_MODE_READ1) {
		differs = (s->latch ^ expand(s->gfx[GFX_COLOR_COMPARE])) &
			  expand(s->gfx[GFX_DONT_CARE]);
		differs |= differs >> 16;
		return (uint8_t) ~(differs | differs >> 8);
	}
	if (s->gfx[GFX_MODE] & GFX_MODE_ODD_EVEN)
		plane = (plane & 2) | (at & 1);
	return (uint8_t)(s->latch >> (8 * plane));
}

/* Nothing changes a byte between the processor and the planes of the map mask. */
static bool is_plain(const struct vga_state *s)
{
	return !(s->gfx[GFX_MODE] & (3 | GFX_MODE_READ1)) && !(s->gfx[GFX_ROTATE] & 0x1f) &&
	       !(s->gfx[GFX_ENABLE_SET_RESET] & 15) && s->gfx[GFX_BIT_MASK] == 0xff;
}

bool vga_moves_latches(const struct vga *vga)
{
	return (vga->s->gfx[GFX_MODE] & 3) == 1 && decode_path(vga).kind == PATH_SEQUENTIAL;
}

/* --- mapping */

static bool planar_kind(enum path_kind kind)
{
	return kind == PATH_SEQUENTIAL;
}

/* Counts a trapped access; so many of them are the reason to map the window. */
static void keep_pace(struct vga *vga, const struct path *path, uint32_t at, bool write)
{
	struct vga_pace *pace = &vga->pace;
	uint32_t limit = planar_kind(path->kind) ? PACE_PLANAR : PACE_LINEAR, count;

	pace->last = at;
	if (planar_kind(path->kind) && ++vga->planar_accesses == POST_ACCESSES)
		vga->window_changed(vga);
	if (write)
		pace->writes++;
	else
		pace->reads++;
	/* Where it could not be mapped the question is asked again, but ever more rarely. */
	count = pace->writes + pace->reads;
	if (count < limit || !is_power_of_two(count) || (planar_kind(path->kind) && pace->reads))
		return;
	pace->direct = true;
	vga->window_changed(vga);
}

static bool pages_equal(const struct vga *vga, uint32_t page)
{
	const uint8_t *first = vga->memory->bytes + (size_t)page * DISPLAY_PAGE_BYTES;

	for (unsigned int plane = 1; plane < 4; plane++) {
		if (memcmp(first, first + plane * VGA_PLANE_BYTES, DISPLAY_PAGE_BYTES) != 0)
			return false;
	}
	return true;
}

/* The run of pages around the last access in which all planes are alike. */
static void all_planes_aperture(struct vga *vga, const struct path *path,
				struct display_aperture *aperture)
{
	uint32_t pages = VGA_PLANE_BYTES / DISPLAY_PAGE_BYTES;
	uint32_t first = (vga->pace.last - path->base) / DISPLAY_PAGE_BYTES, last = first;

	if (first >= pages || !pages_equal(vga, first))
		return;
	while (first && pages_equal(vga, first - 1))
		first--;
	while (last + 1 < pages && pages_equal(vga, last + 1))
		last++;
	aperture->gpa = WINDOW_BASE + path->base + first * DISPLAY_PAGE_BYTES;
	aperture->size = (last - first + 1) * DISPLAY_PAGE_BYTES;
	aperture->offset =
		(vga->s->gfx[GFX_READ_MAP] & 3) * VGA_PLANE_BYTES + first * DISPLAY_PAGE_BYTES;
	vga->window_all_planes = true;
}

static void sequential_aperture(struct vga *vga, const struct path *path,
				struct display_aperture *aperture)
{
	const struct vga_state *s = vga->s;
	unsigned int planes = s->seq[SEQ_MAP_MASK] & 15, plane = s->gfx[GFX_READ_MAP] & 3;

	if ((s->gfx[GFX_MODE] & GFX_MODE_ODD_EVEN) || s->layout == VGA_PACKED || path->bank ||
	    path->size > VGA_PLANE_BYTES || vga->pace.reads)
		return;
	if (planes == BIT(plane))
		aperture->offset = plane * VGA_PLANE_BYTES;
	else if (planes == 15 && s->layout == VGA_PLANAR && path->size == VGA_PLANE_BYTES)
		return all_planes_aperture(vga, path, aperture);
	else
		return;
	aperture->gpa = WINDOW_BASE + path->base;
	aperture->size = path->size;
}

void vga_window_aperture(struct vga *vga, struct display_aperture *ret_aperture)
{
	const struct vga_state *s = vga->s;
	struct path path = decode_path(vga);
	struct display_aperture aperture = { 0 };
	uint32_t linear;

	vga->window_all_planes = false;
	if (vga->pace.direct && !vga->ext.window_taken && (s->misc & MISC_RAM_ENABLE))
		vga_layout_update(vga);
	else
		path.size = 0;
	linear = path.bank & path.mask;
	if (!path.size) {
		/* nothing */
	} else if (path.kind == PATH_LINEAR ||
		   (path.kind == PATH_CHAIN4 && is_plain(s) && (s->seq[SEQ_MAP_MASK] & 15) == 15)) {
		aperture.gpa = WINDOW_BASE + path.base;
		aperture.size = (uint32_t)min_u64(path.size, path.mask + 1 - linear);
		aperture.offset = linear;
	} else if (path.kind == PATH_ODD_EVEN && is_plain(s) && s->layout == VGA_PAIRED &&
		   !path.bank && path.size <= VGA_PLANE_BYTES && (s->seq[SEQ_MAP_MASK] & 15) == 3 &&
		   !(s->gfx[GFX_READ_MAP] & 2) && (s->gfx[GFX_MODE] & GFX_MODE_ODD_EVEN)) {
		aperture.gpa = WINDOW_BASE + path.base;
		aperture.size = path.size;
	} else if (path.kind == PATH_SEQUENTIAL && is_plain(s)) {
		sequential_aperture(vga, &path, &aperture);
	}
	vga->window = aperture;
	*ret_aperture = aperture;
}

void vga_window_settle(struct vga *vga)
{
	const struct display_aperture *window = &vga->window;
	struct display_memory *memory = vga->memory;
	uint32_t first = window->offset % VGA_PLANE_BYTES;

	if (!window->size || !vga->window_all_planes)
		return;
	for (uint32_t at = 0; at < window->size; at += DISPLAY_PAGE_BYTES) {
		uint32_t page = (window->offset + at) / DISPLAY_PAGE_BYTES;
		const uint8_t *from = memory->bytes + window->offset + at;

		if (!(memory->dirty[page / 64] & BIT64(page % 64)))
			continue;
		for (uint32_t plane = 0; plane < 4; plane++) {
			uint32_t to = plane * VGA_PLANE_BYTES + first + at;

			memmove(memory->bytes + to, from, DISPLAY_PAGE_BYTES);
			display_mark_dirty(memory, to, DISPLAY_PAGE_BYTES);
		}
	}
}

bool vga_may_post(struct vga *vga)
{
	const struct vga_state *s = vga->s;

	if ((s->seq[SEQ_MEMORY] & (SEQ_MEMORY_SEQUENTIAL | SEQ_MEMORY_CHAIN4)) !=
	    SEQ_MEMORY_SEQUENTIAL)
		vga->planar_accesses = 0;
	/* While memory is mapped a register must take effect before the next access to it. */
	return !vga->window.size && vga->planar_accesses >= POST_ACCESSES;
}

/* --- the window */

static bool reaches(const struct vga *vga, const struct path *path, uint32_t offset)
{
	return (vga->s->misc & MISC_RAM_ENABLE) && offset >= path->base &&
	       offset - path->base < path->size;
}

static uint32_t linear_at(const struct path *path, uint32_t at)
{
	return (path->bank + at) & path->mask;
}

uint32_t vga_window_read(struct vga *vga, uint32_t offset, unsigned int size)
{
	struct path path = decode_path(vga);
	uint32_t value = 0;

	vga_layout_update(vga);
	for (unsigned int i = 0; i < size; i++) {
		uint32_t at = offset + i - path.base, byte = 0xff;

		if (reaches(vga, &path, offset + i)) {
			byte = path.kind == PATH_LINEAR ? vga->memory->bytes[linear_at(&path, at)]
							: read_byte(vga, &path, at);
		}
		value |= byte << (8 * i);
	}
	keep_pace(vga, &path, offset, false);
	return value;
}

void vga_window_write(struct vga *vga, uint32_t offset, unsigned int size, uint32_t value)
{
	struct path path = decode_path(vga);

	vga_layout_update(vga);
	for (unsigned int i = 0; i < size; i++) {
		uint32_t at = offset + i - path.base;
		uint8_t byte = (uint8_t)(value >> (8 * i));

		if (!reaches(vga, &path, offset + i))
			continue;
		if (path.kind == PATH_LINEAR) {
			vga->memory->bytes[linear_at(&path, at)] = byte;
			display_mark_dirty(vga->memory, linear_at(&path, at), 1);
		} else {
			write_byte(vga, &path, at, byte);
		}
	}
	keep_pace(vga, &path, offset, true);
}
