// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 64x64 hardware cursor. Its image is 1 KiB of the memory: for each row and each 16 pixels an AND
 * word, then an XOR word, leftmost pixel in bit 7 of the first byte. It is shown beside the picture,
 * never drawn into it.
 */
#include "s3_chip.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define IMAGE_BYTES 1024u
#define OPAQUE 0xff000000u

/* The colour in a stack, as wide as the mode's pixels. */
static uint32_t stack_color(const struct s3_trio64 *s3, const uint8_t stack[4])
{
	uint32_t low = get_le16(stack);

	switch (s3->vga.ext.bits) {
	case 15:
		return (low >> 10 & 31) * 255 / 31 << 16 | (low >> 5 & 31) * 255 / 31 << 8 |
		       (low & 31) * 255 / 31;
	case 16:
		return (low >> 11 & 31) * 255 / 31 << 16 | (low >> 5 & 63) * 255 / 63 << 8 |
		       (low & 31) * 255 / 31;
	case 24:
	case 32:
		return low | (uint32_t)stack[2] << 16;
	default:
		return vga_palette_color(&s3->s.vga, stack[0]);
	}
}

static uint32_t image_offset(const struct s3_trio64 *s3)
{
	const uint8_t *crtc = s3->s.vga.crtc;
	uint32_t unit = (crtc[CR_CURSOR_ADDRESS] & 0x0fu) << 8 | crtc[CR_CURSOR_ADDRESS + 1];

	return unit * IMAGE_BYTES & (s3->memory->size - 1);
}

/* Bytes of AND and XOR for eight pixels, @column of 8. */
static void image_bytes(const uint8_t *image, uint32_t row, uint32_t column, uint8_t *ret_and,
			uint8_t *ret_xor)
{
	const uint8_t *group = image + row * 16 + column / 2 * 4 + column % 2;

	*ret_and = group[0];
	*ret_xor = group[2];
}

struct colors {
	uint32_t fg, bg;
	bool x11;
};

static void draw_pixel(const struct colors *colors, bool and, bool xor, uint32_t *pixel,
		       uint64_t *invert, uint64_t bit)
{
	if (colors->x11)
		*pixel = !and? 0 : OPAQUE | (xor? colors->fg : colors->bg);
	else if (!and)
		*pixel = OPAQUE | (xor? colors->fg : colors->bg);
	else if (xor)
		*invert |= bit;
}

static void draw_row(const uint8_t *image, const struct colors *colors, uint32_t row,
		     uint32_t first_x, uint32_t *pixels, uint64_t *invert)
{
	for (uint32_t x = first_x; x < DISPLAY_CURSOR_SIZE; x++) {
		uint8_t and, xor;
		uint32_t bit = 7 - x % 8;

		image_bytes(image, row, x / 8, &and, &xor);
		draw_pixel(colors, and >> bit & 1, xor >> bit & 1, &pixels[x - first_x], invert,
			   BIT64(63 - (x - first_x)));
	}
}

/* The serial moves when anything that makes up the image does. */
static void update_serial(struct s3_trio64 *s3, const uint8_t *image, const struct colors *colors,
			  const uint8_t pattern[2])
{
	uint8_t seen[sizeof(s3->cursor_seen)] = { 0 };

	memcpy(seen, image, IMAGE_BYTES);
	put_le32(seen + IMAGE_BYTES, colors->fg);
	put_le32(seen + IMAGE_BYTES + 4, colors->bg);
	seen[IMAGE_BYTES + 8] = colors->x11;
	seen[IMAGE_BYTES + 9] = pattern[0];
	seen[IMAGE_BYTES + 10] = pattern[1];
	if (memcmp(seen, s3->cursor_seen, sizeof(seen)) == 0)
		return;
	memcpy(s3->cursor_seen, seen, sizeof(seen));
	s3->cursor_serial++;
}

void s3_cursor(struct s3_trio64 *s3, struct display_cursor *ret_cursor)
{
	const uint8_t *crtc = s3->s.vga.crtc, *image = s3->memory->bytes + image_offset(s3);
	uint8_t pattern[2] = { crtc[CR_CURSOR_PATTERN_X] & 63, crtc[CR_CURSOR_PATTERN_Y] & 63 };
	struct colors colors = {
		.fg = stack_color(s3, s3->s.cursor_stack[0]),
		.bg = stack_color(s3, s3->s.cursor_stack[1]),
		.x11 = crtc[CR_DAC_CONTROL] & CR_DAC_CURSOR_X11,
	};

	memset(ret_cursor, 0, sizeof(*ret_cursor));
	ret_cursor->visible = (crtc[CR_CURSOR_MODE] & CR_CURSOR_ENABLE) && s3->vga.ext.bits;
	if (!ret_cursor->visible)
		return;
	update_serial(s3, image, &colors, pattern);
	ret_cursor->serial = s3->cursor_serial;
	ret_cursor->x = s3->s.cursor_x & 0x7ff;
	ret_cursor->y = s3->s.cursor_y & 0x7ff;
	for (uint32_t row = pattern[1]; row < DISPLAY_CURSOR_SIZE; row++)
		draw_row(image, &colors, row, pattern[0],
			 &ret_cursor->image[(row - pattern[1]) * DISPLAY_CURSOR_SIZE],
			 &ret_cursor->invert[row - pattern[1]]);
}
