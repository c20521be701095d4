/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The S3 Trio64 from inside: what the files of this device share. */
#ifndef DEVMODEL_S3_CHIP_H
#define DEVMODEL_S3_CHIP_H

#include "display.h"
#include "pci.h"
#include "s3_engine.h"
#include "timer.h"
#include "vga.h"
#include "vga_render.h"

/* Extended sequencer registers. */
#define SR_UNLOCK 0x08
#define SR_DPMS 0x0d
#define SR_MCLK_NR 0x10
#define SR_DCLK_NR 0x12
#define SR_DCLK_M 0x13
#define SR_UNLOCKED 0x06u

/* Extended CRTC registers. */
#define CR_CHIP_ID_HIGH 0x2d
#define CR_CHIP_ID_LOW 0x2e
#define CR_REVISION 0x2f
#define CR_CHIP_ID 0x30
#define CR_MEMORY_CONFIG 0x31
#define CR_BACKWARD_1 0x32
#define CR_BACKWARD_2 0x33
#define CR_BACKWARD_3 0x34
#define CR_REGISTER_LOCK 0x35
#define CR_CONFIG_1 0x36
#define CR_CONFIG_2 0x37
#define CR_LOCK_1 0x38
#define CR_LOCK_2 0x39
#define CR_MISC_1 0x3a
#define CR_SYSTEM 0x40
#define CR_MODE_CONTROL 0x42
#define CR_EXTENDED_MODE 0x43
#define CR_CURSOR_MODE 0x45
#define CR_CURSOR_X 0x46 /* high byte, then low */
#define CR_CURSOR_Y 0x48
#define CR_CURSOR_FOREGROUND 0x4a
#define CR_CURSOR_BACKGROUND 0x4b
#define CR_CURSOR_ADDRESS 0x4c
#define CR_CURSOR_PATTERN_X 0x4e
#define CR_CURSOR_PATTERN_Y 0x4f
#define CR_SYSTEM_1 0x50
#define CR_SYSTEM_2 0x51
#define CR_MEMORY_CONTROL_1 0x53
#define CR_DAC_CONTROL 0x55
#define CR_SYNC_1 0x56
#define CR_LINEAR_CONTROL 0x58
#define CR_LINEAR_HIGH 0x59
#define CR_LINEAR_LOW 0x5a
#define CR_GENERAL_STATUS 0x5c
#define CR_OVERFLOW_HORIZONTAL 0x5d
#define CR_OVERFLOW_VERTICAL 0x5e
#define CR_MISC_CONTROL_2 0x67
#define CR_START_HIGH 0x69
#define CR_BANK 0x6a

#define CR_MEMORY_CONFIG_BANKING 0x01u
#define CR_MEMORY_CONFIG_ENHANCED 0x08u
#define CR_MISC_1_ENHANCED_256 0x10u
#define CR_SYSTEM_ENGINE 0x01u
#define CR_LINEAR_ENABLE 0x10u
#define CR_MEMORY_MMIO 0x10u
#define CR_CURSOR_ENABLE 0x01u
#define CR_DAC_CURSOR_X11 0x10u

/* PCI: the ROM's base address register, which pci.h has no use for. */
#define S3_ROM_BAR 0x30
#define S3_ROM_BYTES 0x10000u

/* Regions, in the order of the class's table. */
enum s3_region {
	S3_PORTS_3B0,
	S3_PORTS_3C0,
	S3_PORTS_SEQ,
	S3_PORTS_3C6,
	S3_PORTS_GFX,
	S3_PORTS_3D0,
	/* The same ports; one of each two is mapped. */
	S3_PORTS_SEQ_POSTED,
	S3_PORTS_GFX_POSTED,
	S3_WINDOW,
	S3_LINEAR,
	S3_ROM,
	S3_SETUP,
	S3_SLEEP,
	S3_SUBSYS,
	S3_ADVFUNC,
	S3_ENGINE_FIRST, /* one for each row of engine_ports[] */
};

#define S3_ENGINE_REGIONS 18

struct s3_state {
	uint64_t retrace_deadline_ns;
	struct vga_state vga;
	struct s3_engine_state engine;
	uint32_t vsync_cleared; /* vertical retraces that had begun when 42E8h bit 0 was cleared */
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t setup;	 /* 46E8h */
	uint8_t enabled; /* 102h */
	/* Cursor: where reading and writing the colour stacks stand, and the position as latched. */
	uint8_t cursor_stack_at[2];
	uint8_t cursor_stack[2][4];
	uint16_t cursor_x, cursor_y;
};

struct s3_trio64 {
	struct pci_function function;
	struct s3_state s;
	struct vga vga;
	struct s3_engine engine;
	struct vtimer retrace_timer;
	struct vga_picture picture;
	struct display_memory *memory;
	struct display_aperture linear; /* as last told to the machine */
	bool posting; /* writes to sequencer and graphics controller may come late */
	const uint8_t *rom;
	uint32_t rom_bytes;
	uint32_t cursor_serial;
	uint8_t cursor_seen[1024 + 16]; /* what the serial stands for */
};

static inline struct s3_trio64 *s3_of(struct device *dev)
{
	return (struct s3_trio64 *)(void *)dev;
}

/* --- s3_registers.c */

extern const struct reg_bank s3_seq_bank, s3_gfx_bank, s3_attr_bank, s3_crtc_bank;

/* Straps tell how much memory there is. */
void s3_registers_reset(struct s3_trio64 *s3);
/* Bits of @index of the register file @bank that are locked at present. */
uint8_t s3_locked_bits(const struct vga *vga, const struct reg_bank *bank, uint8_t index);
/* Works out what the registers come to, and tells who is concerned. */
void s3_update(struct s3_trio64 *s3);
/* Whether A0000h to AFFFFh is the engine's. */
bool s3_mmio(const struct s3_trio64 *s3);
/* The linear frame buffer as the registers have it: size 0 when it is off. */
struct display_aperture s3_linear(const struct s3_trio64 *s3);

/* --- s3_interrupt.c */

/* How many vertical retraces have begun since the machine was built, at the present pace. */
uint32_t s3_retraces(struct s3_trio64 *s3);
/* 42E8h: the engine's, and in bit 0 the beam's: a retrace has begun since it was cleared. */
uint32_t s3_subsys_status(struct s3_trio64 *s3);
/* Derives INTA#, and when to look again. */
void s3_interrupt_update(struct s3_trio64 *s3);
void s3_interrupt_expired(struct device *dev);

/* --- s3_cursor.c */

void s3_cursor(struct s3_trio64 *s3, struct display_cursor *ret_cursor);

/* --- s3_trio64.c: shows and hides regions as the registers say. */
void s3_place_regions(struct s3_trio64 *s3);

#endif
