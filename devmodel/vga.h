/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA inside a display adapter: register files, memory path, CRT controller and palette.
 *
 * It is an engine, not a device: an adapter (s3_trio64.c) embeds struct vga_state in its state and
 * struct vga in its instance, brings the register tables, and tells through struct vga_ext what its
 * own registers add.
 *
 * Sources: IBM PS/2 Hardware Interface Technical Reference, Video Subsystem (1992); for what the S3
 * does differently see s3_trio64.c. Registers are named as IBM prints them.
 */
#ifndef DEVMODEL_VGA_H
#define DEVMODEL_VGA_H

#include "device.h"
#include "display.h"

/* Indexes into the register files. */
#define SEQ_RESET 0x00
#define SEQ_CLOCKING 0x01
#define SEQ_MAP_MASK 0x02
#define SEQ_CHAR_MAP 0x03
#define SEQ_MEMORY 0x04
#define GFX_SET_RESET 0x00
#define GFX_ENABLE_SET_RESET 0x01
#define GFX_COLOR_COMPARE 0x02
#define GFX_ROTATE 0x03
#define GFX_READ_MAP 0x04
#define GFX_MODE 0x05
#define GFX_MISC 0x06
#define GFX_DONT_CARE 0x07
#define GFX_BIT_MASK 0x08
#define ATTR_MODE 0x10
#define ATTR_OVERSCAN 0x11
#define ATTR_PLANE_ENABLE 0x12
#define ATTR_PANNING 0x13
#define ATTR_COLOR_SELECT 0x14
#define CRTC_OVERFLOW 0x07
#define CRTC_PRESET_ROW 0x08
#define CRTC_MAX_SCAN 0x09
#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_END 0x0b
#define CRTC_START_HIGH 0x0c
#define CRTC_START_LOW 0x0d
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f
#define CRTC_VRE 0x11
#define CRTC_OFFSET 0x13
#define CRTC_UNDERLINE 0x14
#define CRTC_MODE 0x17

#define SEQ_CLOCKING_8DOT 0x01u
#define SEQ_CLOCKING_HALF 0x08u
#define SEQ_CLOCKING_OFF 0x20u
#define SEQ_MEMORY_SEQUENTIAL 0x04u
#define SEQ_MEMORY_CHAIN4 0x08u
#define GFX_MODE_READ1 0x08u
#define GFX_MODE_ODD_EVEN 0x10u
#define GFX_MODE_INTERLEAVE 0x20u
#define GFX_MODE_256 0x40u
#define GFX_MISC_GRAPHICS 0x01u
#define ATTR_MODE_MONO 0x02u
#define ATTR_MODE_LINE_GRAPHICS 0x04u
#define ATTR_MODE_BLINK 0x08u
#define ATTR_MODE_PAN_BOTH 0x20u
#define ATTR_MODE_256 0x40u
#define ATTR_MODE_COLOR_SELECT 0x80u
#define ATTR_INDEX_VIDEO 0x20u
#define MISC_COLOR_PORTS 0x01u
#define MISC_RAM_ENABLE 0x02u
#define CRTC_VRE_CLEAR_INTERRUPT 0x10u
#define CRTC_VRE_DISABLE_INTERRUPT 0x20u
#define CRTC_VRE_PROTECT 0x80u

#define VGA_PLANE_BYTES 0x10000u
#define VGA_PLANAR_BYTES (4 * VGA_PLANE_BYTES) /* what plain VGA modes reach */
#define VGA_SEQ_REGS 0x20
#define VGA_GFX_REGS 0x10
#define VGA_ATTR_REGS 0x20
#define VGA_CRTC_REGS 0x80

/*
 * How the first 256 KiB hold the four planes, so that what the processor sees in the present mode
 * can be given to it as memory. Byte @a of plane @p stands at:
 */
enum vga_layout {
	VGA_PACKED, /* 4a + p: what every byte beyond 256 KiB has, and all linear modes */
	VGA_PAIRED, /* planes 0 and 1 alternate, even addresses first; 2 and 3 as below: text */
	VGA_PLANAR, /* p * 64 KiB + a */
};

struct vga_state {
	uint32_t latch; /* byte p: plane p */
	uint8_t layout; /* enum vga_layout */
	uint8_t misc;
	uint8_t feature;
	uint8_t seq_index;
	uint8_t gfx_index;
	uint8_t crtc_index;
	uint8_t attr_index; /* with the video enable bit */
	uint8_t attr_data;  /* 1: the next write to 3C0h is data */
	uint8_t dac_mask;
	uint8_t dac_index;
	uint8_t dac_component; /* of the entry: 0 red, 1 green, 2 blue */
	uint8_t dac_reading;   /* 1: the index was set for reading */
	uint8_t dac_latch[3];  /* red and green wait for blue */
	uint8_t vsync_latched; /* the vertical interrupt is pending */
	uint8_t seq[VGA_SEQ_REGS];
	uint8_t gfx[VGA_GFX_REGS];
	uint8_t attr[VGA_ATTR_REGS];
	uint8_t crtc[VGA_CRTC_REGS];
	uint8_t dac[768];
};

#define VGA_STATE_FIELDS(type)                                                                     \
	STATE_FIELD(type, vga.latch), STATE_FIELD(type, vga.layout, .max = VGA_PLANAR),            \
		STATE_FIELD(type, vga.misc), STATE_FIELD(type, vga.feature),                       \
		STATE_FIELD(type, vga.seq_index, .max = VGA_SEQ_REGS - 1),                         \
		STATE_FIELD(type, vga.gfx_index, .max = VGA_GFX_REGS - 1),                         \
		STATE_FIELD(type, vga.crtc_index, .max = VGA_CRTC_REGS - 1),                       \
		STATE_FIELD(type, vga.attr_index, .max = 0x3f),                                    \
		STATE_FIELD(type, vga.attr_data, .max = 1), STATE_FIELD(type, vga.dac_mask),       \
		STATE_FIELD(type, vga.dac_index), STATE_FIELD(type, vga.dac_component, .max = 2),  \
		STATE_FIELD(type, vga.dac_reading, .max = 1), STATE_ARRAY(type, vga.dac_latch),    \
		STATE_FIELD(type, vga.vsync_latched, .max = 1), STATE_ARRAY(type, vga.seq),        \
		STATE_ARRAY(type, vga.gfx), STATE_ARRAY(type, vga.attr),                           \
		STATE_ARRAY(type, vga.crtc), STATE_ARRAY(type, vga.dac, .max = 0x3f)

/* What an adapter's own registers add; all 0: a plain VGA. */
struct vga_ext {
	uint32_t start;		   /* bits above the 16 of the start address */
	uint32_t offset;	   /* bits above the 8 of the offset register */
	uint32_t htotal, hdisplay; /* bits above those of the timing registers, in place */
	uint32_t vtotal, vdisplay, vretrace, line_compare;
	uint32_t dclk_hz;    /* of clock select 3; 0: none */
	uint8_t bits;	     /* per pixel of a packed mode: 8, 15, 16, 24, 32; 0: VGA's own */
	uint8_t dclk_divide; /* dot clocks for each pixel of a packed mode: 1, 2 or 3 */
	bool interlace;
	bool dac_locked;    /* the palette cannot be written */
	bool sleeping;	    /* the monitor gets no picture */
	bool linear_window; /* A0000h is 64 KiB of the whole memory from @bank on */
	bool whole_memory;  /* the CRTC does not wrap at 256 KiB */
	bool linear_seen;   /* the linear frame buffer is there: VGA_PACKED it must be */
	bool window_taken;  /* A0000h belongs to somebody else: memory-mapped registers */
	uint32_t bank;	    /* bytes to add to window addresses */
};

/* The pace at which the processor's window is used, to tell when mapping it pays. */
struct vga_pace {
	uint32_t writes, reads; /* trapped since the memory path changed */
	uint32_t last;		/* offset of the last one */
	bool direct;		/* the window is given to the processor as memory, if it can be */
};

struct vga_scan;    /* vga_scan.h */
struct vga_picture; /* vga_render.h */

struct vga {
	struct vga_state *s;
	struct device *dev;
	struct display_memory *memory;
	const struct reg_bank *seq, *gfx, *attr, *crtc;
	/* Bits of register @index of @bank, one of the four, that are write-protected at present. */
	uint8_t (*locked_bits)(const struct vga *vga, const struct reg_bank *bank, uint8_t index);
	/* Told when what the window shows, or whether it can be mapped, changed. */
	void (*window_changed)(struct vga *vga);
	struct vga_ext ext;
	struct vga_pace pace;
	uint32_t planar_accesses;	/* trapped since the memory was not planar */
	struct display_aperture window; /* as last told to the machine */
	bool window_all_planes;		/* writes to it are for all planes: see vga_memory.c */
	bool picture_changed;		/* all of it, by a register */
	struct vga_picture *picture;	/* what the viewer has; the adapter's instance holds it */
	uint8_t scratch[VGA_PLANAR_BYTES];
};

/* --- vga.c: ports 3B0h to 3DFh; @port is absolute, accesses are of one byte */

uint8_t vga_port_read(struct vga *vga, uint16_t port);
void vga_port_write(struct vga *vga, uint16_t port, uint8_t value);
/* Whether the CRTC and status 1 answer at 3Dxh (or else at 3Bxh). */
bool vga_color_ports(const struct vga *vga);
void vga_reset(struct vga *vga);

/* For hooks of the register tables: a register of the picture, or of the memory path, changed. */
void vga_picture_changed(struct vga *vga);
void vga_memory_path_changed(struct vga *vga);

/* --- vga_memory.c: the window A0000h to BFFFFh */

/* Write mode 1 in a planar mode: what was read last is written, whatever the data. */
bool vga_moves_latches(const struct vga *vga);
/* @offset from A0000h; @size 1, 2 or 4. */
uint32_t vga_window_read(struct vga *vga, uint32_t offset, unsigned int size);
void vga_window_write(struct vga *vga, uint32_t offset, unsigned int size, uint32_t value);
/* The four planes at @address, byte p of plane p. */
uint32_t vga_planes(const struct vga *vga, uint32_t address);
/* The part of the window that the processor can be given now; size 0: none. */
void vga_window_aperture(struct vga *vga, struct display_aperture *ret_aperture);
/* Pages of the window that the processor wrote itself reach the planes that they are meant for. */
void vga_window_settle(struct vga *vga);
/* Brings the memory into the layout that the registers want. */
void vga_layout_update(struct vga *vga);
/* Whether it pays, and does no harm, that writes to the sequencer and graphics controller come late. */
bool vga_may_post(struct vga *vga);

#endif
