/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The video BIOS from inside. 16-bit code by gcc -m16, for real mode and virtual-8086 mode alike: it
 * changes no control register, loads no table, calls no other BIOS service and needs about 400 bytes of
 * the caller's stack.
 *
 * Segments while C code runs: DS and SS are the caller's stack, so that pointers to local variables work;
 * GS is the ROM (ROM constants are "static const ROM"); FS is whatever set_fs() last chose (FAR(type,
 * offset) is there).
 */
#ifndef VGA_BIOS_H
#define VGA_BIOS_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef signed char s8;
typedef short s16;
typedef int s32;

#define ROM __seg_gs
#define FAR(type, offset) (*(volatile __seg_fs type *)(u32)(offset))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define NULL ((void *)0)

/* As entry.S pushes them. */
struct regs {
	u16 es, ds;
	u32 fs_gs;
	union {
		struct {
			u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
		};
		struct {
			u16 di, edi_high, si, esi_high, bp, ebp_high, sp, esp_high;
			u16 bx, ebx_high, dx, edx_high, cx, ecx_high, ax, eax_high;
		};
		struct {
			u8 unused[16];
			u8 bl, bh, ebx_2, ebx_3, dl, dh, edx_2, edx_3;
			u8 cl, ch, ecx_2, ecx_3, al, ah, eax_2, eax_3;
		};
	};
};

/* --- the processor */

static inline void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline u32 inl(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void outl(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void set_fs(u16 segment)
{
	__asm__ volatile("movw %0, %%fs" : : "r"(segment) : "memory");
}

static inline u16 rom_segment(void)
{
	u16 segment;

	__asm__("movw %%gs, %0" : "=r"(segment));
	return segment;
}

/* String instructions between far places; they go upwards. */
void far_copy(u16 to_segment, u16 to, u16 from_segment, u16 from, u16 bytes);
/* As single bytes, which is what latches of planar memory need. */
void far_copy_latched(u16 to_segment, u16 to, u16 from_segment, u16 from, u16 bytes);
/* The same downwards: @to and @from are the last bytes. */
void far_copy_down(u16 to_segment, u16 to, u16 from_segment, u16 from, u16 bytes);
void far_fill(u16 segment, u16 to, u16 value, u16 words);

/* --- the BIOS data area, segment 40h */

#define BDA_SEGMENT 0x40
#define BDA_EQUIPMENT 0x10
#define BDA_MODE 0x49
#define BDA_COLUMNS 0x4a
#define BDA_PAGE_BYTES 0x4c
#define BDA_PAGE_START 0x4e
#define BDA_CURSOR 0x50 /* of eight pages: column, row */
#define BDA_CURSOR_SHAPE 0x60
#define BDA_PAGE 0x62
#define BDA_CRTC_PORT 0x63
#define BDA_MODE_CONTROL 0x65
#define BDA_PALETTE 0x66
#define BDA_ROWS 0x84 /* less one */
#define BDA_CHARACTER_HEIGHT 0x85
#define BDA_VIDEO_CONTROL 0x87
#define BDA_SWITCHES 0x88
#define BDA_MODESET_CONTROL 0x89
#define BDA_DISPLAY_CODE 0x8a
#define BDA_SAVE_POINTER 0xa8

#define CONTROL_NO_CURSOR_EMULATION 0x01
#define CONTROL_NO_CLEAR 0x80
#define MODESET_LINES_400 0x10
#define MODESET_LINES_200 0x80
#define MODESET_NO_PALETTE 0x08
#define MODESET_GREY 0x02
#define MODESET_MONO 0x04

u8 bda8(u16 offset);
u16 bda16(u16 offset);
void set_bda8(u16 offset, u8 value);
void set_bda16(u16 offset, u16 value);

void set_vector(u8 number, u16 segment, u16 offset);

/* --- registers */

#define PORT_ATTR 0x3c0
#define PORT_MISC 0x3c2
#define PORT_SEQ 0x3c4
#define PORT_DAC_MASK 0x3c6
#define PORT_DAC_READ 0x3c7
#define PORT_DAC_WRITE 0x3c8
#define PORT_DAC_DATA 0x3c9
#define PORT_GFX 0x3ce

void seq_write(u8 index, u8 value);
void gfx_write(u8 index, u8 value);
/* The picture is on after these, as far as the attribute controller goes. */
void attr_write(u8 index, u8 value);
u8 attr_read(u8 index);
u8 seq_read(u8 index);
u8 gfx_read(u8 index);

u16 crtc_port(void);
void crtc_write(u8 index, u8 value);
u8 crtc_read(u8 index);
/* S3's extended registers are open between these two, unless they were open before. */
u32 s3_unlock(void);
void s3_lock(u32 before);

/* --- modes.c */

enum memory_kind { TEXT, CGA, PLANAR, PACKED };

/* What a function of int 10h must know about the present mode, standard or not. */
struct mode {
	u16 number; /* of int 10h, or of VBE */
	u8 kind;    /* enum memory_kind */
	u8 bits;    /* per pixel */
	u16 width, height;
	u16 segment; /* of the video memory */
	u8 character_height;
};

struct vbe_mode {
	u16 number, alias; /* VESA's number, S3's own; 0: none */
	u16 width, height;
	u8 bits;
	u8 timing; /* row of the timings' table */
};

extern const ROM struct vbe_mode vbe_modes[];
#define VBE_MODES_END 0xffff

void set_mode(u8 number, u8 clear);
void set_vbe_mode(const ROM struct vbe_mode *vbe, u8 clear, u8 linear);
/* The VBE mode that is on, or NULL. */
const ROM struct vbe_mode *current_vbe_mode(void);
void current_mode(struct mode *mode);
u32 memory_bytes(void);
u32 linear_base(void);
/* Bytes of a line of pixels, from the registers. */
u16 line_bytes(void);
void set_line_bytes(u16 bytes);
void set_bank(u8 bank);
u8 get_bank(void);
void screen_off(u8 off);
extern const ROM u8 video_parameters[];

/* --- text.c */

void int10_cursor(struct regs *r);
void int10_page(struct regs *r);
void int10_scroll(struct regs *r);
void int10_character(struct regs *r);
void int10_pixel(struct regs *r);
void int10_string(struct regs *r);
void set_cursor_shape(u8 first, u8 last);
void set_cursor(u8 page, u8 column, u8 row);
void clear_screen(const struct mode *mode);

/* --- palette.c */

void int10_palette(struct regs *r);
void int10_color(struct regs *r);
void load_default_palette(u8 kind);
void grey_palette(u16 first, u16 count);
enum palette_kind { PALETTE_EGA, PALETTE_CGA, PALETTE_MONO, PALETTE_256 };

/* --- fonts.c */

extern const u8 font_8x16[], font_8x14[], font_8x8[];
void int10_font(struct regs *r);
/* Fonts of the ROM into block 0, for a text mode of that character height. */
void load_rom_font(u8 height);
u16 font_offset(u8 height);

/* --- state.c */

void int10_alternate(struct regs *r);
void int10_display_code(struct regs *r);
void int10_functionality(struct regs *r);
void int10_state(struct regs *r);
u16 state_bytes(u16 parts);
void save_state(u16 parts, u16 segment, u16 offset);
void restore_state(u16 parts, u16 segment, u16 offset);

/* --- vbe.c */

void int10_vbe(struct regs *r);

void int10(struct regs *r);
void initialise(void);

#endif
