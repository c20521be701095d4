// SPDX-License-Identifier: GPL-2.0-or-later
/* Cursor, characters, scrolling, pixels: int 10h functions 01h to 0Eh and 13h. */
#include "bios.h"

static u16 page_start(u8 page)
{
	return page * bda16(BDA_PAGE_BYTES);
}

/* --- cursor */

void set_cursor_shape(u8 first, u8 last)
{
	u8 height = bda8(BDA_CHARACTER_HEIGHT);

	set_bda16(BDA_CURSOR_SHAPE, (u16)(last | first << 8));
	/* Shapes are given for cells of 8 lines; in taller ones they are moved to the bottom. */
	if (!(bda8(BDA_VIDEO_CONTROL) & CONTROL_NO_CURSOR_EMULATION) && height > 8 && last < 8 &&
	    !(first & 0x20)) {
		first = (u8)(last == first + 1 ? height - 3 : first * height / 8);
		last = height - 2;
	}
	crtc_write(0x0a, first);
	crtc_write(0x0b, last);
}

void set_cursor(u8 page, u8 column, u8 row)
{
	u16 address;

	set_bda16(BDA_CURSOR + (page & 7) * 2, (u16)(column | row << 8));
	if (page != bda8(BDA_PAGE))
		return;
	address = (u16)(bda16(BDA_PAGE_START) / 2 + row * bda16(BDA_COLUMNS) + column);
	crtc_write(0x0e, (u8)(address >> 8));
	crtc_write(0x0f, (u8)address);
}

void int10_cursor(struct regs *r)
{
	u16 position;

	switch (r->ah) {
	case 0x01:
		set_cursor_shape(r->ch, r->cl);
		break;
	case 0x02:
		set_cursor(r->bh & 7, r->dl, r->dh);
		break;
	case 0x03:
		position = bda16(BDA_CURSOR + (r->bh & 7) * 2);
		r->dx = position;
		r->cx = bda16(BDA_CURSOR_SHAPE);
		r->ax = 0;
		break;
	default: /* 04h: there is no light pen */
		r->ah = 0;
		break;
	}
}

void int10_page(struct regs *r)
{
	u8 page = r->al & 7;
	u16 position = bda16(BDA_CURSOR + page * 2), start = page_start(page), address = start;
	struct mode mode;

	current_mode(&mode);
	if (mode.kind == TEXT)
		address /= 2;
	set_bda8(BDA_PAGE, page);
	set_bda16(BDA_PAGE_START, start);
	crtc_write(0x0c, (u8)(address >> 8));
	crtc_write(0x0d, (u8)address);
	set_cursor(page, (u8)position, (u8)(position >> 8));
}

/* --- video memory of graphics modes */

/* Offset in the window of the byte that holds pixel @x of line @y; the bank is set. */
static u16 pixel_offset(const struct mode *mode, u8 page, u16 x, u16 y)
{
	u32 at;

	switch (mode->kind) {
	case CGA:
		return (u16)((y >> 1) * 80 + (y & 1) * 0x2000 + x * mode->bits / 8);
	case PLANAR:
		at = (u32)y * line_bytes() + x / 8;
		if (mode->number < 0x100)
			return (u16)(at + page_start(page));
		set_bank((u8)(at >> 14 & 0xfc));
		return (u16)at;
	default:
		if (mode->number < 0x100)
			return (u16)(y * 320 + x);
		at = (u32)y * line_bytes() + (u32)x * ((mode->bits + 7) / 8);
		set_bank((u8)(at >> 16));
		return (u16)at;
	}
}

static void planar_write_mode(u8 mode, u8 function, u8 mask)
{
	gfx_write(5, mode);
	gfx_write(3, function);
	gfx_write(8, mask);
}

static void planar_done(void)
{
	planar_write_mode(0, 0, 0xff);
}

/* Pixels @mask of the byte at FS:@at. Bit 7 of @color: exclusive or. */
static void planar_pixels(u16 at, u8 mask, u8 color)
{
	planar_write_mode(2, color & 0x80 ? 0x18 : 0, mask);
	(void)FAR(u8, at);
	FAR(u8, at) = color & 15;
}

static void put_pixel(const struct mode *mode, u8 page, u16 x, u16 y, u8 color)
{
	u16 at = pixel_offset(mode, page, x, y);
	u8 bytes = (mode->bits + 7) / 8, shift, mask;

	set_fs(mode->segment);
	if (mode->kind == PLANAR) {
		planar_pixels(at, 0x80 >> (x & 7), color);
		planar_done();
	} else if (mode->kind == CGA) {
		mask = (u8)((1 << mode->bits) - 1);
		shift = (u8)(8 - mode->bits - x * mode->bits % 8);
		if (color & 0x80)
			FAR(u8, at) ^= (color & mask) << shift;
		else
			FAR(u8, at) = (FAR(u8, at) & ~(mask << shift)) | (color & mask) << shift;
	} else {
		for (u8 i = 0; i < bytes; i++)
			FAR(u8, at + i) = color;
	}
}

static u8 get_pixel(const struct mode *mode, u8 page, u16 x, u16 y)
{
	u16 at = pixel_offset(mode, page, x, y);
	u8 color = 0;

	set_fs(mode->segment);
	if (mode->kind == CGA)
		return FAR(u8, at) >> (8 - mode->bits - x * mode->bits % 8) &
		       ((1 << mode->bits) - 1);
	if (mode->kind == PACKED)
		return FAR(u8, at);
	for (u8 plane = 0; plane < 4; plane++) {
		gfx_write(4, plane);
		color |= (FAR(u8, at) >> (7 - (x & 7)) & 1) << plane;
	}
	gfx_write(4, 0);
	return color;
}

void int10_pixel(struct regs *r)
{
	struct mode mode;

	current_mode(&mode);
	if (mode.kind == TEXT || r->cx >= mode.width || r->dx >= mode.height)
		return;
	if (r->ah == 0x0c)
		put_pixel(&mode, r->bh, r->cx, r->dx, r->al);
	else
		r->al = get_pixel(&mode, r->bh, r->cx, r->dx);
}

/* --- characters of graphics modes */

/* Scan line @line of character @c; its font is where interrupt vectors 43h and 1Fh say. */
static u8 font_byte(const struct mode *mode, u8 c, u8 line)
{
	u8 vector = 0x43;
	u16 offset;

	if (mode->kind == CGA && c >= 128) {
		vector = 0x1f;
		c -= 128;
	}
	set_fs(0);
	offset = FAR(u16, vector * 4);
	set_fs(FAR(u16, vector * 4 + 2));
	return FAR(u8, (u16)(offset + c * mode->character_height + line));
}

static void draw_character(const struct mode *mode, u8 page, u8 column, u8 row, u8 c, u8 color)
{
	for (u8 line = 0; line < mode->character_height; line++) {
		u16 y = (u16)(row * mode->character_height + line);
		u8 bits = font_byte(mode, c, line);

		if (mode->kind == PLANAR) {
			u16 at = pixel_offset(mode, page, column * 8, y);

			set_fs(mode->segment);
			planar_pixels(at, bits, color);
			if (!(color & 0x80))
				planar_pixels(at, ~bits, 0);
			continue;
		}
		for (u8 i = 0; i < 8; i++) {
			if (bits & 0x80 >> i)
				put_pixel(mode, page, column * 8 + i, y, color);
			else if (mode->kind == PACKED || !(color & 0x80))
				put_pixel(mode, page, column * 8 + i, y, 0);
		}
	}
	if (mode->kind == PLANAR)
		planar_done();
}

/* The pixels of a line of a cell that are not black, leftmost in bit 7. */
static u8 cell_line(const struct mode *mode, u8 page, u8 column, u16 y)
{
	u8 bits = 0;

	if (mode->kind == PLANAR) {
		u16 at = pixel_offset(mode, page, column * 8, y);

		for (u8 plane = 0; plane < 4; plane++) {
			gfx_write(4, plane);
			set_fs(mode->segment);
			bits |= FAR(u8, at);
		}
		gfx_write(4, 0);
		return bits;
	}
	for (u8 i = 0; i < 8; i++)
		bits |= (get_pixel(mode, page, column * 8 + i, y) != 0) << (7 - i);
	return bits;
}

/* Finds the character by its picture; 0 when it is none. */
static u8 read_character(const struct mode *mode, u8 page, u8 column, u8 row)
{
	u8 picture[32], height = mode->character_height & 31;

	for (u8 line = 0; line < height; line++)
		picture[line] = cell_line(mode, page, column, (u16)(row * height + line));
	for (u16 c = 0; c < 256; c++) {
		u8 line = 0;

		while (line < height && font_byte(mode, (u8)c, line) == picture[line])
			line++;
		if (line == height)
			return (u8)c;
	}
	return 0;
}

/* --- characters */

static u16 cell_offset(u8 page, u8 column, u8 row)
{
	return (u16)(page_start(page) + (row * bda16(BDA_COLUMNS) + column) * 2);
}

/* @attribute is not written when @keep. */
static void put_cell(const struct mode *mode, u8 page, u8 column, u8 row, u8 c, u8 attribute,
		     u8 keep)
{
	u16 at;

	if (mode->kind != TEXT) {
		draw_character(mode, page, column, row, c, attribute);
		return;
	}
	at = cell_offset(page, column, row);
	set_fs(mode->segment);
	FAR(u8, at) = c;
	if (!keep)
		FAR(u8, at + 1) = attribute;
}

static void next_cell(u8 *column, u8 *row)
{
	if (++*column >= bda16(BDA_COLUMNS)) {
		*column = 0;
		++*row;
	}
}

static void scroll(const struct mode *mode, u8 page, u8 lines, u8 attribute, u16 top_left,
		   u16 bottom_right, u8 down);

/* The teletype: control characters move the cursor, the last line scrolls. */
static void teletype(u8 page, u8 c, u8 attribute, u8 keep)
{
	u16 position = bda16(BDA_CURSOR + page * 2), columns = bda16(BDA_COLUMNS);
	u8 column = (u8)position, row = (u8)(position >> 8), last = bda8(BDA_ROWS), below = 0;
	struct mode mode;

	current_mode(&mode);
	switch (c) {
	case 0x07: /* no bell: it would have to wait */
		return;
	case 0x08:
		if (column)
			column--;
		break;
	case 0x0a:
		row++;
		break;
	case 0x0d:
		column = 0;
		break;
	default:
		put_cell(&mode, page, column, row, c, attribute, keep);
		next_cell(&column, &row);
		break;
	}
	if (row > last) {
		row = last;
		if (mode.kind == TEXT) {
			u16 at = cell_offset(page, column, row);

			set_fs(mode.segment);
			below = FAR(u8, at + 1);
		}
		scroll(&mode, page, 1, below, 0, (u16)((columns - 1) | last << 8), 0);
	}
	set_cursor(page, column, row);
}

static void write_characters(struct regs *r, u8 keep)
{
	u8 page = r->bh & 7;
	u16 position, limit;
	u8 column, row;
	struct mode mode;

	current_mode(&mode);
	/* In 256 colours BH is the background, which is 0 here, and there is one page. */
	if (mode.kind == PACKED)
		page = 0;
	position = bda16(BDA_CURSOR + page * 2);
	column = (u8)position;
	row = (u8)(position >> 8);
	limit = bda16(BDA_COLUMNS) * (bda8(BDA_ROWS) + 1);
	for (u16 i = 0; i < r->cx && i < limit && row <= bda8(BDA_ROWS); i++) {
		put_cell(&mode, page, column, row, r->al, r->bl, keep);
		next_cell(&column, &row);
	}
}

void int10_character(struct regs *r)
{
	u8 page = r->bh & 7;
	u16 position = bda16(BDA_CURSOR + page * 2);
	struct mode mode;

	switch (r->ah) {
	case 0x08:
		current_mode(&mode);
		if (mode.kind == TEXT) {
			u16 at = cell_offset(page, (u8)position, (u8)(position >> 8));

			set_fs(mode.segment);
			r->ax = FAR(u16, at);
		} else {
			r->al = read_character(&mode, page, (u8)position, (u8)(position >> 8));
			r->ah = 0;
		}
		break;
	case 0x09:
	case 0x0a:
		write_characters(r, r->ah == 0x0a);
		break;
	default:
		teletype(bda8(BDA_PAGE), r->al, r->bl, 1);
		break;
	}
}

/* 13h. AL bit 0: the cursor moves; bit 1: attributes lie between the characters. */
void int10_string(struct regs *r)
{
	u8 page = r->bh & 7;
	u16 saved = bda16(BDA_CURSOR + page * 2), at = r->bp;

	set_cursor(page, r->dl, r->dh);
	for (u16 i = 0; i < r->cx; i++) {
		u8 c, attribute = r->bl;

		set_fs(r->es);
		c = FAR(u8, at++);
		if (r->al & 2)
			attribute = FAR(u8, at++);
		teletype(page, c, attribute, 0);
	}
	if (!(r->al & 1))
		set_cursor(page, (u8)saved, (u8)(saved >> 8));
}

/* --- scrolling */

/* Text: rows @from to row @to, both from the top left corner of the window. */
static void move_text_row(const struct mode *mode, u8 page, u8 column, u8 to, u8 from, u8 columns)
{
	far_copy(mode->segment, cell_offset(page, column, to), mode->segment,
		 cell_offset(page, column, from), columns * 2);
}

static void fill_text_row(const struct mode *mode, u8 page, u8 column, u8 row, u8 columns,
			  u8 attribute)
{
	far_fill(mode->segment, cell_offset(page, column, row), (u16)(' ' | attribute << 8),
		 columns);
}

static u16 row_bytes(const struct mode *mode, u8 columns)
{
	return (u16)(mode->kind == PLANAR ? columns : columns * mode->bits * 8 / 8);
}

/* Lines of pixels, through a small buffer where banks may lie between them. */
static void move_banked(const struct mode *mode, u16 x, u16 to, u16 from, u16 bytes)
{
	u8 buffer[64], size = (mode->bits + 7) / 8;
	u16 stack;

	__asm__("movw %%ss, %0" : "=r"(stack));
	while (bytes) {
		u16 n = bytes < sizeof(buffer) ? bytes : sizeof(buffer);

		far_copy(stack, (u16)(u32)buffer, 0xa000, pixel_offset(mode, 0, x, from), n);
		far_copy(0xa000, pixel_offset(mode, 0, x, to), stack, (u16)(u32)buffer, n);
		x += sizeof(buffer) / size;
		bytes -= n;
	}
}

static void move_graphics_row(const struct mode *mode, u8 page, u8 column, u8 to, u8 from,
			      u8 columns)
{
	u16 bytes = row_bytes(mode, columns), x = column * 8;

	if (mode->kind == PLANAR)
		gfx_write(5, 1);
	for (u8 line = 0; line < mode->character_height; line++) {
		u16 y_to = (u16)(to * mode->character_height + line);
		u16 y_from = (u16)(from * mode->character_height + line);

		if (mode->kind == PLANAR)
			far_copy_latched(mode->segment, pixel_offset(mode, page, x, y_to),
					 mode->segment, pixel_offset(mode, page, x, y_from), bytes);
		else if (mode->number >= 0x100)
			move_banked(mode, x, y_to, y_from, bytes);
		else
			far_copy(mode->segment, pixel_offset(mode, page, x, y_to), mode->segment,
				 pixel_offset(mode, page, x, y_from), bytes);
	}
	if (mode->kind == PLANAR)
		gfx_write(5, 0);
}

static void fill_graphics_row(const struct mode *mode, u8 page, u8 column, u8 row, u8 columns,
			      u8 color)
{
	u16 bytes = row_bytes(mode, columns);

	if (mode->kind == PLANAR) {
		/* Set/reset gives the colour to all planes at once. */
		gfx_write(0, color & 15);
		gfx_write(1, 15);
	}
	for (u8 line = 0; line < mode->character_height; line++) {
		u16 at = pixel_offset(mode, page, column * 8,
				      (u16)(row * mode->character_height + line));

		far_fill(mode->segment, at, (u16)(color | color << 8), bytes / 2);
		if (bytes & 1) {
			set_fs(mode->segment);
			FAR(u8, at + bytes - 1) = color;
		}
	}
	if (mode->kind == PLANAR) {
		gfx_write(1, 0);
		gfx_write(0, 0);
	}
}

static void scroll(const struct mode *mode, u8 page, u8 lines, u8 attribute, u16 top_left,
		   u16 bottom_right, u8 down)
{
	u8 left = (u8)top_left, top = (u8)(top_left >> 8);
	u8 right = (u8)bottom_right, bottom = (u8)(bottom_right >> 8);
	u8 rows, columns;

	if (right >= bda16(BDA_COLUMNS))
		right = (u8)(bda16(BDA_COLUMNS) - 1);
	if (bottom > bda8(BDA_ROWS))
		bottom = bda8(BDA_ROWS);
	if (left > right || top > bottom)
		return;
	rows = bottom - top + 1;
	columns = right - left + 1;
	if (!lines || lines > rows)
		lines = rows;
	for (u8 i = 0; i < rows; i++) {
		u8 to = down ? bottom - i : top + i, from = down ? to - lines : to + lines;
		u8 moved = i + lines < rows;

		if (mode->kind == TEXT) {
			if (moved)
				move_text_row(mode, page, left, to, from, columns);
			else
				fill_text_row(mode, page, left, to, columns, attribute);
		} else if (moved) {
			move_graphics_row(mode, page, left, to, from, columns);
		} else {
			fill_graphics_row(mode, page, left, to, columns, attribute);
		}
	}
}

void int10_scroll(struct regs *r)
{
	struct mode mode;

	current_mode(&mode);
	scroll(&mode, bda8(BDA_PAGE), r->al, r->bh, r->cx, r->dx, r->ah == 7);
}

void clear_screen(const struct mode *mode)
{
	if (mode->kind == TEXT)
		far_fill(mode->segment, 0, 0x0720, 0x4000);
	else if (mode->kind == CGA)
		far_fill(mode->segment, 0, 0, 0x2000);
	else
		far_fill(mode->segment, 0, 0, mode->kind == PLANAR ? 0x8000 - 1 : 32000);
}
