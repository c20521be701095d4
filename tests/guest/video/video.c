// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that calls every function of the video BIOS and looks at what came of it: in the BIOS's data
 * area, in the registers, in the video memory. It says "video: ok NAME" or "video: FAILED NAME" on COM1
 * for each, and "video: done" in the end. 16-bit code, all segments 0.
 */
#include "guest.h"

/* The first thing that was wrong in a test. */
static const char *wrong;
static u32 wrong_value, wrong_expected;

static void expect(const char *what, u32 value, u32 expected)
{
	if (wrong || value == expected)
		return;
	wrong = what;
	wrong_value = value;
	wrong_expected = expected;
}

/* --- tests */

static void text_mode(void)
{
	struct registers r = call(0x0003, 0, 0, 0);

	r = call(0x0f00, 0, 0, 0);
	expect("mode", r.ax, 0x5003);
	expect("page", r.bx >> 8, 0);
	expect("rows", bda(0x84), 24);
	expect("character height", bda(0x85), 16);
	expect("CR9", indexed(0x3d4, 0x09), 0x4f);
	expect("GR6", indexed(0x3ce, 0x06), 0x0e);
	unlock();
	expect("the linear window is closed, but of all the memory", indexed(0x3d4, 0x58), 3);
	expect("cleared", word_at(0xb800, 0), 0x0720);
	expect("to the end", word_at(0xb800, 3998), 0x0720);
}

static void cursor(void)
{
	struct registers r;

	call(0x0200, 0, 0, 0x0c14);
	r = call(0x0300, 0, 0, 0);
	expect("position", r.dx, 0x0c14);
	expect("shape", r.cx, 0x0d0e);
	expect("CRE", indexed(0x3d4, 0x0e) << 8 | indexed(0x3d4, 0x0f), 12 * 80 + 20);
	call(0x0100, 0, 0x0607, 0);
	expect("scaled shape", indexed(0x3d4, 0x0a), 13);
	expect("scaled shape's end", indexed(0x3d4, 0x0b), 14);
	call(0x0100, 0, 0x2000, 0);
	expect("hidden", indexed(0x3d4, 0x0a) & 0x20, 0x20);
}

static void teletype(void)
{
	struct registers r;

	call(0x0003, 0, 0, 0);
	for (const char *c = "Main\r\nstay\b"; *c; c++)
		call((u16)(0x0e00 | (u8)*c), 7, 0, 0);
	r = call(0x0300, 0, 0, 0);
	expect("position", r.dx, 0x0103);
	expect("text", word_at(0xb800, 0), 0x0700 | 'M');
	expect("second line", word_at(0xb800, 160), 0x0700 | 's');
	r = call(0x0800, 0, 0, 0);
	expect("read back", r.ax, 0x0700 | 'y');
}

static void characters(void)
{
	call(0x0003, 0, 0, 0);
	call(0x0941, 0x001e, 3, 0);
	expect("with attribute", word_at(0xb800, 4), 0x1e41);
	expect("no more", word_at(0xb800, 6), 0x0720);
	call(0x0a42, 0x0055, 2, 0);
	expect("without attribute", word_at(0xb800, 2), 0x1e42);
}

static void string(void)
{
	static const char text[] = "ab\x01"
				   "c";
	struct registers r = { .ax = 0x1301, .bx = 0x0030, .cx = 4, .dx = 0x0203 };

	call(0x0003, 0, 0, 0);
	r.bp = (u16)(u32)text;
	int10(&r);
	expect("string", word_at(0xb800, (2 * 80 + 3) * 2), 0x3061);
	expect("end of it", word_at(0xb800, (2 * 80 + 6) * 2), 0x3063);
	r = call(0x0300, 0, 0, 0);
	expect("cursor", r.dx, 0x0207);
}

static void scrolling(void)
{
	call(0x0003, 0, 0, 0);
	for (u16 row = 0; row < 25; row++) {
		call(0x0200, 0, 0, (u16)(row << 8));
		call((u16)(0x0941 + row), 7, 80, 0);
	}
	call(0x0601, 0x4f00, 0x0000, 0x184f);
	expect("row 0", word_at(0xb800, 0), 0x0742);
	expect("row 23", word_at(0xb800, 23 * 160), 0x0759);
	expect("row 24", word_at(0xb800, 24 * 160), 0x4f20);
	call(0x0702, 0x2000, 0x0505, 0x0a0a);
	expect("inside", word_at(0xb800, (7 * 80 + 5) * 2), 0x0747);
	expect("cleared", word_at(0xb800, (6 * 80 + 10) * 2), 0x2020);
	expect("outside", word_at(0xb800, (6 * 80 + 11) * 2), 0x0748);
	for (u16 i = 0; i < 30; i++)
		call(0x0e0a, 7, 0, 0);
	expect("teletype scrolls", word_at(0xb800, 0) & 0xff, 0x20);
}

static void pages(void)
{
	call(0x0003, 0, 0, 0);
	call(0x0502, 0, 0, 0);
	expect("page", bda(0x62), 2);
	expect("start", indexed(0x3d4, 0x0c) << 8 | indexed(0x3d4, 0x0d), 0x1000);
	call(0x0958, 0x0207, 1, 0);
	expect("its memory", word_at(0xb800, 0x2000), 0x0758);
	call(0x0500, 0, 0, 0);
}

static const struct {
	u8 number;
	u16 width, height;
	u8 colors, gr5, gr6, columns, rows;
} modes[] = {
	{ 0x00, 0, 0, 0, 0x10, 0x0e, 40, 25 },	    { 0x01, 0, 0, 0, 0x10, 0x0e, 40, 25 },
	{ 0x02, 0, 0, 0, 0x10, 0x0e, 80, 25 },	    { 0x04, 320, 200, 4, 0x30, 0x0f, 40, 25 },
	{ 0x05, 320, 200, 4, 0x30, 0x0f, 40, 25 },  { 0x06, 640, 200, 2, 0x00, 0x0d, 80, 25 },
	{ 0x07, 0, 0, 0, 0x10, 0x0a, 80, 25 },	    { 0x0d, 320, 200, 16, 0x00, 0x05, 40, 25 },
	{ 0x0e, 640, 200, 16, 0x00, 0x05, 80, 25 }, { 0x0f, 640, 350, 16, 0x00, 0x05, 80, 25 },
	{ 0x10, 640, 350, 16, 0x00, 0x05, 80, 25 }, { 0x11, 640, 480, 16, 0x00, 0x05, 80, 30 },
	{ 0x12, 640, 480, 16, 0x00, 0x05, 80, 30 }, { 0x13, 320, 200, 0, 0x40, 0x05, 40, 25 },
};

static void pixels(u16 width, u16 height, u16 colors)
{
	static const u16 places[][2] = { { 0, 0 }, { 1, 0 }, { 9, 7 }, { 0, 1 } };
	struct registers r;

	for (u32 i = 0; i < ARRAY_LEN(places); i++) {
		u16 color = (u16)((i * 5 + 3) & (colors - 1));

		call((u16)(0x0c00 | color), 0, width - 1 - places[i][0], height - 1 - places[i][1]);
		r = call(0x0d00, 0, width - 1 - places[i][0], height - 1 - places[i][1]);
		expect("pixel", r.ax & 0xff, color);
	}
	if (colors > 256)
		return;
	call(0x0c81, 0, 8, 8);
	r = call(0x0d00, 0, 8, 8);
	expect("exclusive or", r.ax & 0xff, colors == 256 ? 0x81 : 1);
}

static void character_in_graphics(void)
{
	struct registers r;

	call(0x0200, 0, 0, 0x0302);
	call(0x0947, 0x0001, 1, 0);
	r = call(0x0800, 0, 0, 0);
	expect("character", r.ax & 0xff, 'G');
	call(0x0601, 0, 0, 0x184f);
	call(0x0200, 0, 0, 0x0202);
	r = call(0x0800, 0, 0, 0);
	expect("scrolled", r.ax & 0xff, 'G');
	call(0x0701, 0, 0, 0x184f);
	call(0x0200, 0, 0, 0x0302);
	r = call(0x0800, 0, 0, 0);
	expect("and back", r.ax & 0xff, 'G');
}

static void standard_modes(void)
{
	struct registers r;

	for (u32 i = 0; i < ARRAY_LEN(modes) && !wrong; i++) {
		call(modes[i].number, 0, 0, 0);
		r = call(0x0f00, 0, 0, 0);
		expect("mode", r.ax, (u16)(modes[i].columns << 8 | modes[i].number));
		expect("rows", bda(0x84) + 1, modes[i].rows);
		expect("GR5", indexed(0x3ce, 5), modes[i].gr5);
		expect("GR6", indexed(0x3ce, 6), modes[i].gr6);
		if (modes[i].width) {
			pixels(modes[i].width, modes[i].height,
			       modes[i].colors ? modes[i].colors : 256);
			character_in_graphics();
		}
		if (wrong) {
			print("video: in mode ");
			print_hex(modes[i].number);
			print("\r\n");
		}
	}
}

static void palette(void)
{
	struct registers r;

	call(0x0003, 0, 0, 0);
	call(0x1000, 0x2a05, 0, 0);
	r = call(0x1007, 0x0005, 0, 0);
	expect("attribute", r.bx >> 8, 0x2a);
	call(0x1001, 0x3300, 0, 0);
	r = call(0x1008, 0, 0, 0);
	expect("border", r.bx >> 8, 0x33);
	call(0x1010, 0x0040, 0x1122, 0x3300);
	r = call(0x1015, 0x0040, 0, 0);
	expect("green and blue", r.cx, 0x1122);
	expect("red", r.dx >> 8, 0x33);
	call(0x1013, 0x0100, 0, 0);
	r = call(0x101a, 0, 0, 0);
	expect("paging", r.bx & 0xff, 1);
	call(0x101b, 0x0040, 1, 0);
	r = call(0x1015, 0x0040, 0, 0);
	expect("grey", r.cx & 0xff, r.cx >> 8);
	call(0x0003, 0, 0, 0);
	r = call(0x1015, 0x003f, 0, 0);
	expect("white", r.cx, 0x3f3f);
}

static void fonts(void)
{
	struct registers r;

	call(0x0003, 0, 0, 0);
	r = call(0x1130, 0x0600, 0, 0);
	expect("height", r.cx, 16);
	expect("A has a picture", byte_at(r.es, r.bp + 'A' * 16 + 8) != 0, 1);
	call(0x1112, 0, 0, 0);
	expect("50 rows", bda(0x84), 49);
	expect("8 lines", indexed(0x3d4, 9) & 31, 7);
	call(0x0003, 0, 0, 0);
	r = call(0x1130, 0x0300, 0, 0);
	expect("8x8", byte_at(r.es, r.bp + 'A' * 8 + 3) != 0, 1);
}

static void alternate(void)
{
	struct registers r = call(0x1200, 0x0010, 0, 0);

	expect("colour, 256 KiB", r.bx, 3);
	r = call(0x1201, 0x0030, 0, 0);
	expect("accepted", r.ax & 0xff, 0x12);
	call(0x0003, 0, 0, 0);
	expect("350 lines", bda(0x85), 14);
	call(0x1202, 0x0030, 0, 0);
	call(0x0003, 0, 0, 0);
	expect("400 lines", bda(0x85), 16);
	r = call(0x1a00, 0, 0, 0);
	expect("display code", r.ax & 0xff, 0x1a);
	expect("VGA", r.bx & 0xff, 8);
	r = call_buffer(0x1b00, 0, 0, 0);
	expect("functionality", r.ax & 0xff, 0x1b);
	expect("its mode", byte_at(0, BUFFER + 4), 3);
	expect("its rows", byte_at(0, BUFFER + 0x22), 25);
}

static void save_and_restore(void)
{
	struct registers r;

	call(0x0003, 0, 0, 0);
	call(0x1010, 0x0021, 0x0a0b, 0x0c00);
	r = call(0x1c00, 0, 7, 0);
	expect("size", r.bx > 0 && r.bx < 32, 1);
	call(0x1c01, BUFFER, 7, 0);
	call(0x0013, 0, 0, 0);
	call(0x1c02, BUFFER, 7, 0);
	r = call(0x0f00, 0, 0, 0);
	expect("mode", r.ax, 0x5003);
	expect("registers", indexed(0x3ce, 5), 0x10);
	r = call(0x1015, 0x0021, 0, 0);
	expect("palette", r.cx, 0x0a0b);
}

/* --- VBE */

static u16 vbe_list[64];

static void vbe_information(void)
{
	struct registers r;
	u16 at, segment, n = 0;

	set_fs(0);
	FAR(u32, BUFFER) = 0x32454256;
	r = call_buffer(0x4f00, 0, 0, 0);
	expect("supported", r.ax, 0x004f);
	expect("VE", word_at(0, BUFFER), 0x4556);
	expect("version", word_at(0, BUFFER + 4), 0x0200);
	expect("4 MiB", word_at(0, BUFFER + 18), 64);
	at = word_at(0, BUFFER + 14);
	segment = word_at(0, BUFFER + 16);
	for (; n < ARRAY_LEN(vbe_list) - 1 && word_at(segment, at) != 0xffff; at += 2)
		vbe_list[n++] = word_at(segment, at);
	vbe_list[n] = 0xffff;
	expect("many modes", n > 25, 1);
	at = word_at(0, BUFFER + 6);
	segment = word_at(0, BUFFER + 8);
	expect("S3", word_at(segment, at), 'S' | '3' << 8);
}

static void vbe_pixels(u16 line, u16 height, u8 bits)
{
	u32 last = (u32)line * (height - 1);
	u16 bank = (u16)(last >> 16);
	struct registers r;

	if (bits == 4) {
		pixels((u16)(line * 8), height, 16);
		return;
	}
	call(0x4f05, 0, 0, bank);
	r = call(0x4f05, 0x0100, 0, 0);
	expect("bank", r.dx, bank);
	set_fs(0xa000);
	expect("cleared", FAR(u8, (u16)last), 0);
	FAR(u8, (u16)last) = 0x5a;
	call(0x4f05, 0, 0, 0);
	set_fs(0xa000);
	FAR(u8, (u16)last) = bank ? 0xa5 : 0x5a;
	call(0x4f05, 0, 0, bank);
	set_fs(0xa000);
	expect("its own bank", FAR(u8, (u16)last), 0x5a);
	if (bits == 8)
		pixels(line, height, 256);
}

static void vbe_modes(void)
{
	static const struct {
		u8 bits, cr67, cr50;
	} depths[] = { { 4, 0, 0 }, { 8, 0, 0 }, { 15, 3, 1 }, { 16, 5, 1 }, { 32, 13, 3 } };
	struct registers r;

	for (u32 i = 0; vbe_list[i] != 0xffff && !wrong; i++) {
		u16 line, height;
		u8 bits, found = 0;

		r = call_buffer(0x4f01, 0, vbe_list[i], 0);
		expect("information", r.ax, 0x004f);
		expect("supported", word_at(0, BUFFER) & 1, 1);
		line = word_at(0, BUFFER + 16);
		height = word_at(0, BUFFER + 20);
		bits = byte_at(0, BUFFER + 25);
		r = call(0x4f02, vbe_list[i], 0, 0);
		expect("set", r.ax, 0x004f);
		r = call(0x4f03, 0, 0, 0);
		expect("get", r.ax, 0x004f);
		unlock();
		for (u32 d = 0; d < ARRAY_LEN(depths); d++) {
			if (depths[d].bits != bits)
				continue;
			found = 1;
			expect("CR67", indexed(0x3d4, 0x67) >> 4, depths[d].cr67);
			expect("CR50", indexed(0x3d4, 0x50) >> 4 & 3, depths[d].cr50);
		}
		expect("depth", found, 1);
		expect("pitch",
		       (u32)(indexed(0x3d4, 0x13) | (indexed(0x3d4, 0x51) & 0x30) << 4) *
			       (bits == 4 ? 2 : 8),
		       line);
		expect("engine", indexed(0x3d4, 0x40) & 1, 1);
		expect("linear window", indexed(0x3d4, 0x58), 3);
		vbe_pixels(line, height, bits);
		if (wrong) {
			print("video: in VBE mode ");
			print_hex(vbe_list[i]);
			print("\r\n");
		}
	}
}

static void vbe_others(void)
{
	struct registers r;
	u8 sum = 0;

	r = call(0x4f02, 0x4101, 0, 0);
	expect("linear", r.ax, 0x004f);
	r = call(0x4f03, 0, 0, 0);
	expect("linear mode", r.bx, 0x4101);
	r = call(0x4f05, 0, 0, 1);
	expect("no banks then", r.ax, 0x034f);
	call(0x4f02, 0x0101, 0, 0);
	r = call(0x4f06, 0, 1024, 0);
	expect("line length", r.bx, 1024);
	r = call(0x4f07, 0, 16, 3);
	expect("start", r.ax, 0x004f);
	r = call(0x4f07, 1, 0, 0);
	expect("start x", r.cx, 16);
	expect("start y", r.dx, 3);
	r = call(0x4f08, 0x0800, 0, 0);
	expect("6 bits", r.bx >> 8, 6);
	r = call(0x4f10, 0x0401, 0, 0);
	expect("off", r.ax, 0x004f);
	r = call(0x4f10, 2, 0, 0);
	expect("is off", r.bx >> 8, 4);
	call(0x4f10, 1, 0, 0);
	r = call_buffer(0x4f15, 1, 0, 0);
	expect("EDID", r.ax, 0x004f);
	for (u16 i = 0; i < 128; i++)
		sum = (u8)(sum + byte_at(0, BUFFER + i));
	expect("its sum", sum, 0);
	r = call(0x4f04, BUFFER, 15, 0);
	expect("state", r.ax, 0x004f);
	call(0x4f04, BUFFER, 15, 1);
	call(0x0003, 0, 0, 0);
	call(0x4f04, BUFFER, 15, 2);
	r = call(0x4f03, 0, 0, 0);
	expect("restored", r.bx, 0x0101);
	r = call(0x4f02, 0x01ff, 0, 0);
	expect("no such mode", r.ax, 0x014f);
	r = call(0x4fee, 0, 0, 0);
	expect("no such function", r.ax, 0x0100);
	call(0x0003, 0, 0, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "text mode", text_mode },
	{ "cursor", cursor },
	{ "teletype", teletype },
	{ "characters", characters },
	{ "string", string },
	{ "scrolling", scrolling },
	{ "pages", pages },
	{ "standard modes", standard_modes },
	{ "palette", palette },
	{ "fonts", fonts },
	{ "alternate", alternate },
	{ "save and restore", save_and_restore },
	{ "VBE information", vbe_information },
	{ "VBE modes", vbe_modes },
	{ "VBE others", vbe_others },
};

void guest_main(void)
{
	outb(COM1 + 3, 3); /* eight bits */
	for (u32 i = 0; i < ARRAY_LEN(tests); i++) {
		wrong = 0;
		tests[i].run();
		print(wrong ? "video: FAILED " : "video: ok ");
		print(tests[i].name);
		if (wrong) {
			print(": ");
			print(wrong);
			print(" is ");
			print_hex(wrong_value);
			print(", not ");
			print_hex(wrong_expected);
		}
		print("\r\n");
	}
	print("video: done\r\n");
}
