// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The register files of the S3 Trio64: VGA's with S3's extensions, and what they come to.
 *
 * Extensions are locked behind SR08, CR38 and CR39. Old and new forms of one setting (bank in CR35 and
 * CR51 or CR6A, start address in CR31 and CR51 or CR69, linear address in CR59 and CR5A or in PCI
 * configuration space) are one storage: each write is mirrored.
 */
#include "s3_chip.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define CRYSTAL_HZ 14318180u
#define ADVFUNC_LINEAR 0x10u
#define ADVFUNC_MMIO 0x20u

/* --- what registers come to */

static uint32_t dclk_hz(const struct vga_state *s)
{
	uint32_t m = s->seq[SR_DCLK_M] & 0x7fu, n = s->seq[SR_DCLK_NR] & 0x1fu;
	uint32_t r = s->seq[SR_DCLK_NR] >> 5 & 3u;

	return (uint32_t)((uint64_t)CRYSTAL_HZ * (m + 2) / ((uint64_t)(n + 2) << r));
}

/* Bits per pixel of the colour mode; *ret_divide dot clocks for each. */
static uint8_t color_mode(const struct vga_state *s, uint8_t *ret_divide)
{
	static const struct {
		uint8_t mode, bits, divide;
	} modes[] = { { 3, 15, 2 }, { 5, 16, 2 }, { 7, 24, 3 }, { 13, 32, 1 } };
	bool enhanced = s->crtc[CR_MISC_1] & CR_MISC_1_ENHANCED_256;

	*ret_divide = 1;
	if (!(s->gfx[GFX_MISC] & GFX_MISC_GRAPHICS) ||
	    (!enhanced && !(s->gfx[GFX_MODE] & GFX_MODE_256)))
		return 0;
	for (unsigned int i = 0; i < ARRAY_LEN(modes); i++) {
		if (s->crtc[CR_MISC_CONTROL_2] >> 4 == modes[i].mode) {
			*ret_divide = modes[i].divide;
			return modes[i].bits;
		}
	}
	return enhanced ? 8 : 0;
}

static uint32_t bank_of(const struct vga_state *s)
{
	return (s->crtc[CR_BANK] & 0x7fu) << 16;
}

bool s3_mmio(const struct s3_trio64 *s3)
{
	return (s3->s.vga.crtc[CR_MEMORY_CONTROL_1] & CR_MEMORY_MMIO) ||
	       (s3->s.engine.advfunc & ADVFUNC_MMIO);
}

static void derive_timing(const struct vga_state *s, struct vga_ext *ext)
{
	uint8_t h = s->crtc[CR_OVERFLOW_HORIZONTAL], v = s->crtc[CR_OVERFLOW_VERTICAL];

	ext->htotal = (h & 1u) << 8;
	ext->hdisplay = (h >> 1 & 1u) << 8;
	ext->vtotal = (v & 1u) << 10;
	ext->vdisplay = (v >> 1 & 1u) << 10;
	ext->vretrace = (v >> 4 & 1u) << 10;
	ext->line_compare = (v >> 6 & 1u) << 10;
	ext->dclk_hz = dclk_hz(s);
	ext->dac_locked = s->crtc[CR_BACKWARD_2] & 0x10;
	ext->interlace = s->crtc[CR_MODE_CONTROL] & 0x20;
	/* Either sync held off tells a monitor to sleep. */
	ext->sleeping = (s->seq[SR_DPMS] & 0x50) || (s->crtc[CR_SYNC_1] & 0x06);
	ext->start = (s->crtc[CR_START_HIGH] & 0x1fu) << 16;
	ext->offset = (s->crtc[CR_SYSTEM_2] >> 4 & 3u) << 8;
	if (!ext->offset)
		ext->offset = (s->crtc[CR_EXTENDED_MODE] >> 2 & 1u) << 8;
}

struct display_aperture s3_linear(const struct s3_trio64 *s3)
{
	static const uint32_t sizes[4] = { 0x10000, 0x100000, 0x200000, 0x400000 };
	const uint8_t *crtc = s3->s.vga.crtc;
	uint32_t size = sizes[crtc[CR_LINEAR_CONTROL] & 3];
	uint32_t base = (uint32_t)crtc[CR_LINEAR_HIGH] << 24 | (uint32_t)crtc[CR_LINEAR_LOW] << 16;
	struct display_aperture linear = { 0 };

	if ((!(crtc[CR_LINEAR_CONTROL] & CR_LINEAR_ENABLE) &&
	     !(s3->s.engine.advfunc & ADVFUNC_LINEAR)) ||
	    !(get_le16(s3->s.config + PCI_CMD) & PCI_CMD_MSE))
		return linear;
	base &= ~(size - 1);
	/* Address 0 and the last one are what sizing leaves; below 1 MiB is others' land. */
	if (base < 0x100000 || base > UINT32_MAX - 0x800000)
		return linear;
	linear.gpa = base;
	linear.size = (uint32_t)min_u64(size, s3->memory->size);
	return linear;
}

static void derive(const struct s3_trio64 *s3, struct vga_ext *ext)
{
	const struct vga_state *s = &s3->s.vga;
	uint8_t config = s->crtc[CR_MEMORY_CONFIG];

	memset(ext, 0, sizeof(*ext));
	derive_timing(s, ext);
	ext->bits = color_mode(s, &ext->dclk_divide);
	ext->linear_window = config & CR_MEMORY_CONFIG_ENHANCED;
	ext->whole_memory = ext->linear_window || ext->bits;
	ext->linear_seen = s3_linear(s3).size;
	if (config & (CR_MEMORY_CONFIG_BANKING | CR_MEMORY_CONFIG_ENHANCED))
		ext->bank = bank_of(s) & (s3->memory->size - 1);
	ext->window_taken = s3_mmio(s3);
}

static bool same_path(const struct vga_ext *a, const struct vga_ext *b)
{
	return a->bits == b->bits && a->linear_window == b->linear_window && a->bank == b->bank &&
	       a->linear_seen == b->linear_seen && a->window_taken == b->window_taken;
}

void s3_update(struct s3_trio64 *s3)
{
	struct vga_ext old = s3->vga.ext;
	struct display_aperture linear = s3_linear(s3);

	derive(s3, &s3->vga.ext);
	s3_engine_configure(&s3->engine, s3->s.vga.crtc[CR_MEMORY_CONFIG],
			    s3->s.vga.crtc[CR_SYSTEM_1]);
	s3_place_regions(s3);
	s3_interrupt_update(s3);
	if (memcmp(&old, &s3->vga.ext, sizeof(old)) == 0 &&
	    memcmp(&linear, &s3->linear, sizeof(linear)) == 0)
		return;
	vga_picture_changed(&s3->vga);
	if (!same_path(&old, &s3->vga.ext) || memcmp(&linear, &s3->linear, sizeof(linear)) != 0)
		vga_memory_path_changed(&s3->vga);
}

/* --- hooks */

static void picture_hook(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if (old != value)
		vga_picture_changed(&s3_of(dev)->vga);
}

static void path_hook(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if (old != value)
		vga_memory_path_changed(&s3_of(dev)->vga);
}

/* The register belongs to the path and to the picture. */
static void graphics_hook(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if (old == value)
		return;
	vga_picture_changed(&s3_of(dev)->vga);
	vga_memory_path_changed(&s3_of(dev)->vga);
	s3_update(s3_of(dev));
}

/* Keeps the other place of a setting like this one: bits @mask of @from at @shift of @to. */
static void mirror(struct s3_trio64 *s3, uint8_t to, uint8_t to_mask, unsigned int value)
{
	uint8_t *crtc = s3->s.vga.crtc;

	crtc[to] = (uint8_t)blend32(crtc[to], to_mask, value);
}

static void mirror_settings(struct s3_trio64 *s3, uint8_t index)
{
	const uint8_t *crtc = s3->s.vga.crtc;
	uint8_t bank = crtc[CR_BANK], start = crtc[CR_START_HIGH];

	switch (index) {
	case CR_MEMORY_CONFIG:
		mirror(s3, CR_START_HIGH, 0x03, crtc[index] >> 4);
		break;
	case CR_REGISTER_LOCK:
		mirror(s3, CR_BANK, 0x0f, crtc[index]);
		break;
	case CR_SYSTEM_2:
		mirror(s3, CR_BANK, 0x30, (crtc[index] & 0x0cu) << 2);
		mirror(s3, CR_START_HIGH, 0x0c, (crtc[index] & 3u) << 2);
		break;
	case CR_START_HIGH:
		mirror(s3, CR_MEMORY_CONFIG, 0x30, (start & 3u) << 4);
		mirror(s3, CR_SYSTEM_2, 0x03, start >> 2);
		break;
	case CR_BANK:
		mirror(s3, CR_REGISTER_LOCK, 0x0f, bank);
		mirror(s3, CR_SYSTEM_2, 0x0c, (bank & 0x30u) >> 2);
		break;
	case CR_LINEAR_HIGH:
		s3->s.config[PCI_BAR0 + 3] = crtc[index];
		break;
	case CR_LINEAR_LOW:
		s3->s.config[PCI_BAR0 + 2] = crtc[index] & 0x80;
		break;
	default:
		break;
	}
}

static void extended_hook(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)old;
	(void)value;
	mirror_settings(s3_of(dev), (uint8_t)reg->offset);
	s3_update(s3_of(dev));
}

static void sequencer_hook(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	(void)value;
	s3_update(s3_of(dev));
}

/* Reading CR45 sets both colour stacks to their first byte. */
static uint32_t cursor_mode_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	memset(s3_of(dev)->s.cursor_stack_at, 0, sizeof(s3_of(dev)->s.cursor_stack_at));
	return value;
}

static uint8_t *stack_slot(struct s3_trio64 *s3, const struct reg *reg)
{
	unsigned int stack = reg->offset - CR_CURSOR_FOREGROUND;
	uint8_t *at = &s3->s.cursor_stack_at[stack];
	uint8_t *slot = &s3->s.cursor_stack[stack][*at];

	*at = (*at + 1) & 3;
	return slot;
}

static uint32_t stack_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)value;
	return *stack_slot(s3_of(dev), reg);
}

static void stack_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)old;
	*stack_slot(s3_of(dev), reg) = (uint8_t)value;
}

/* The cursor moves when the last of its position registers, the high byte of Y, is written. */
static void cursor_moved(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct s3_trio64 *s3 = s3_of(dev);
	const uint8_t *crtc = s3->s.vga.crtc;

	(void)reg;
	(void)old;
	(void)value;
	s3->s.cursor_x = (uint16_t)(crtc[CR_CURSOR_X] << 8 | crtc[CR_CURSOR_X + 1]);
	s3->s.cursor_y = (uint16_t)(crtc[CR_CURSOR_Y] << 8 | crtc[CR_CURSOR_Y + 1]);
}

/* All ones while both locks are closed: old software takes the chip for a plain VGA then. */
static uint32_t chip_id_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const uint8_t *crtc = s3_of(dev)->s.vga.crtc;
	bool open = (crtc[CR_LOCK_1] & 0xcc) == 0x48 || (crtc[CR_LOCK_2] & 0xe0) == 0xa0;

	(void)reg;
	return open ? value : 0xff;
}

static uint32_t latch_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const struct vga_state *s = &s3_of(dev)->s.vga;

	(void)reg;
	(void)value;
	return s->latch >> (8 * (s->gfx[GFX_READ_MAP] & 3)) & 0xff;
}

static uint32_t flip_flop_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	(void)value;
	return s3_of(dev)->s.vga.attr_data ? 0x80 : 0;
}

static uint32_t attr_index_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	(void)value;
	return s3_of(dev)->s.vga.attr_index;
}

/* The low nibble tells which clock is selected. */
static uint32_t general_status_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const struct vga_state *s = &s3_of(dev)->s.vga;
	uint32_t select = s->misc >> 2 & 3;

	(void)reg;
	if (select == 3)
		select = s->crtc[CR_MODE_CONTROL] & 15;
	return (value & 0xf0) | select;
}

/* Boot code waits until this test register of the clock synthesizer changes. */
static uint32_t clock_test_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	s3_of(dev)->s.vga.seq[reg->offset] ^= 1;
	return value;
}

/* CR11: bit 4 low clears the vertical interrupt. */
static void vre_hook(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	if (!(value & CRTC_VRE_CLEAR_INTERRUPT))
		s3_of(dev)->s.vga.vsync_latched = 0;
	picture_hook(dev, reg, old, value);
	s3_interrupt_update(s3_of(dev));
}

/* --- tables */

#define ROW(file, off, nam, res, wr, ...)                                                          \
	REG(struct s3_trio64, s.vga.file[off], off, 1, nam, res, wr, __VA_ARGS__)
#define SR(off, nam, res, wr, ...) ROW(seq, off, nam, res, wr, __VA_ARGS__)
#define GR(off, nam, wr, hook) ROW(gfx, off, nam, 0, wr, .on_write = hook)
#define AR(off, nam, wr) ROW(attr, off, nam, 0, wr, .on_write = picture_hook)
#define CR(off, nam, res, wr, ...) ROW(crtc, off, nam, res, wr, __VA_ARGS__)
#define CR_VGA(off, nam) CR(off, nam, 0, 0xff, .on_write = picture_hook)
#define CR_EXT(off, nam, res) CR(off, nam, res, 0xff, .on_write = extended_hook)
#define CR_KEPT(off, nam, res) CR(off, nam, res, 0xff)

static const struct reg seq_regs[] = {
	SR(0x00, "SR0 Reset", 0x03, 0x03),
	SR(0x01, "SR1 Clocking Mode", 0, 0x3f, .on_write = picture_hook),
	SR(0x02, "SR2 Enable Write Plane", 0, 0x0f, .on_write = path_hook),
	SR(0x03, "SR3 Character Font Select", 0, 0x3f, .on_write = picture_hook),
	SR(0x04, "SR4 Memory Mode Control", 0, 0x0e, .on_write = graphics_hook),
	SR(0x08, "SR8 Unlock Extended Sequencer", 0, 0x0f),
	SR(0x09, "SR9 Extended Sequencer 9", 0, 0x80),
	SR(0x0a, "SRA External Bus Request", 0, 0x80),
	SR(0x0b, "SRB Miscellaneous Extended Sequencer", 0, 0xff),
	SR(0x0d, "SRD Extended Sequencer D", 0, 0xff, .on_write = sequencer_hook),
	/* After reset: 45 MHz for the memory. */
	SR(0x10, "SR10 MCLK Value Low", 0x42, 0xff),
	SR(0x11, "SR11 MCLK Value High", 0x41, 0xff),
	SR(0x12, "SR12 DCLK Value Low", 0x49, 0xff, .on_write = sequencer_hook),
	SR(0x13, "SR13 DCLK Value High", 0x38, 0xff, .on_write = sequencer_hook),
	SR(0x14, "SR14 CLKSYN Control 1", 0, 0xff),
	SR(0x15, "SR15 CLKSYN Control 2", 0, 0xff, .on_write = sequencer_hook),
	SR(0x16, "SR16 CLKSYN Test High", 0, 0xff),
	SR(0x17, "SR17 CLKSYN Test Low", 0, 0xff, .on_read = clock_test_on_read),
	SR(0x18, "SR18 RAMDAC/CLKSYN Control", 0, 0xff, .on_write = sequencer_hook),
	SR(0x1a, "SR1A Extended Sequencer 1A", 0, 0xff),
	SR(0x1b, "SR1B Extended Sequencer 1B", 0, 0xff),
	SR(0x1c, "SR1C Extended Sequencer 1C", 0, 0xff),
};

static const struct reg gfx_regs[] = {
	GR(0x00, "GR0 Set/Reset", 0x0f, path_hook),
	GR(0x01, "GR1 Enable Set/Reset", 0x0f, path_hook),
	GR(0x02, "GR2 Color Compare", 0x0f, NULL),
	GR(0x03, "GR3 Raster Operation/Rotate Counter", 0x1f, path_hook),
	GR(0x04, "GR4 Read Plane Select", 0x03, path_hook),
	GR(0x05, "GR5 Graphics Controller Mode", 0x7b, graphics_hook),
	GR(0x06, "GR6 Memory Map Mode Control", 0x0f, graphics_hook),
	GR(0x07, "GR7 Color Don't Care", 0x0f, NULL),
	GR(0x08, "GR8 Bit Mask", 0xff, path_hook),
};

static const struct reg attr_regs[] = {
	AR(0x00, "AR0 Palette 0", 0x3f),
	AR(0x01, "AR1 Palette 1", 0x3f),
	AR(0x02, "AR2 Palette 2", 0x3f),
	AR(0x03, "AR3 Palette 3", 0x3f),
	AR(0x04, "AR4 Palette 4", 0x3f),
	AR(0x05, "AR5 Palette 5", 0x3f),
	AR(0x06, "AR6 Palette 6", 0x3f),
	AR(0x07, "AR7 Palette 7", 0x3f),
	AR(0x08, "AR8 Palette 8", 0x3f),
	AR(0x09, "AR9 Palette 9", 0x3f),
	AR(0x0a, "ARA Palette 10", 0x3f),
	AR(0x0b, "ARB Palette 11", 0x3f),
	AR(0x0c, "ARC Palette 12", 0x3f),
	AR(0x0d, "ARD Palette 13", 0x3f),
	AR(0x0e, "ARE Palette 14", 0x3f),
	AR(0x0f, "ARF Palette 15", 0x3f),
	AR(0x10, "AR10 Attribute Mode Control", 0xef),
	AR(0x11, "AR11 Border Color", 0xff),
	AR(0x12, "AR12 Color Plane Enable", 0x3f),
	AR(0x13, "AR13 Horizontal Pixel Panning", 0x0f),
	AR(0x14, "AR14 Pixel Padding", 0x0f),
};

static const struct reg crtc_regs[] = {
	CR_VGA(0x00, "CR0 Horizontal Total"),
	CR_VGA(0x01, "CR1 Horizontal Display End"),
	CR_VGA(0x02, "CR2 Start Horizontal Blank"),
	CR_VGA(0x03, "CR3 End Horizontal Blank"),
	CR_VGA(0x04, "CR4 Start Horizontal Sync Position"),
	CR_VGA(0x05, "CR5 End Horizontal Sync Position"),
	CR_VGA(0x06, "CR6 Vertical Total"),
	CR_VGA(0x07, "CR7 CRTC Overflow"),
	CR_VGA(0x08, "CR8 Preset Row Scan"),
	CR_VGA(0x09, "CR9 Maximum Scan Line"),
	CR_VGA(0x0a, "CRA Cursor Start Scan Line"),
	CR_VGA(0x0b, "CRB Cursor End Scan Line"),
	CR_VGA(0x0c, "CRC Start Address High"),
	CR_VGA(0x0d, "CRD Start Address Low"),
	CR_KEPT(0x0e, "CRE Cursor Location Address High", 0),
	CR_KEPT(0x0f, "CRF Cursor Location Address Low", 0),
	CR_VGA(0x10, "CR10 Vertical Retrace Start"),
	CR(0x11, "CR11 Vertical Retrace End", 0, 0xff, .on_write = vre_hook),
	CR_VGA(0x12, "CR12 Vertical Display End"),
	CR_VGA(0x13, "CR13 Offset"),
	CR_VGA(0x14, "CR14 Underline Location"),
	CR_VGA(0x15, "CR15 Start Vertical Blank"),
	CR_VGA(0x16, "CR16 End Vertical Blank"),
	CR_VGA(0x17, "CR17 CRTC Mode Control"),
	CR_VGA(0x18, "CR18 Line Compare"),
	REG_HOOKED(0x22, 1, "CR22 CPU Latch Data", .on_read = latch_on_read),
	REG_HOOKED(0x24, 1, "CR24 Attribute Controller Flag", .on_read = flip_flop_on_read),
	REG_HOOKED(0x26, 1, "CR26 Attribute Controller Index", .on_read = attr_index_on_read),
	CR(CR_CHIP_ID_HIGH, "CR2D Chip ID High", 0x88, 0),
	CR(CR_CHIP_ID_LOW, "CR2E Chip ID Low", 0x11, 0),
	CR(CR_REVISION, "CR2F Revision", 0x00, 0),
	CR(CR_CHIP_ID, "CR30 Chip ID/Rev", 0xe1, 0, .on_read = chip_id_on_read),
	CR_EXT(CR_MEMORY_CONFIG, "CR31 Memory Configuration", 0),
	CR_EXT(CR_BACKWARD_1, "CR32 Backward Compatibility 1", 0),
	CR_EXT(CR_BACKWARD_2, "CR33 Backward Compatibility 2", 0),
	CR_EXT(CR_BACKWARD_3, "CR34 Backward Compatibility 3", 0),
	CR_EXT(CR_REGISTER_LOCK, "CR35 CRT Register Lock", 0),
	/* Straps: PCI, fast page memory; s3_registers_reset() adds its size. */
	CR(CR_CONFIG_1, "CR36 Configuration 1", 0x1e, 0xff),
	CR(CR_CONFIG_2, "CR37 Configuration 2", 0xe5, 0xff),
	CR_KEPT(CR_LOCK_1, "CR38 Register Lock 1", 0),
	CR_KEPT(CR_LOCK_2, "CR39 Register Lock 2", 0),
	CR_EXT(CR_MISC_1, "CR3A Miscellaneous 1", 0),
	CR_KEPT(0x3b, "CR3B Data Transfer Execute Position", 0),
	CR_KEPT(0x3c, "CR3C Interlace Retrace Start", 0),
	CR_EXT(CR_SYSTEM, "CR40 System Configuration", 0x30),
	CR_KEPT(0x41, "CR41 BIOS Flag", 0),
	CR_EXT(CR_MODE_CONTROL, "CR42 Mode Control", 0),
	CR_EXT(CR_EXTENDED_MODE, "CR43 Extended Mode", 0),
	CR(CR_CURSOR_MODE, "CR45 Hardware Graphics Cursor Mode", 0, 0xff,
	   .on_read = cursor_mode_on_read),
	CR_KEPT(0x46, "CR46 Hardware Graphics Cursor Origin X High", 0),
	CR_KEPT(0x47, "CR47 Hardware Graphics Cursor Origin X Low", 0),
	CR(0x48, "CR48 Hardware Graphics Cursor Origin Y High", 0, 0xff, .on_write = cursor_moved),
	CR_KEPT(0x49, "CR49 Hardware Graphics Cursor Origin Y Low", 0),
	REG_HOOKED(CR_CURSOR_FOREGROUND, 1, "CR4A Hardware Graphics Cursor Foreground Stack",
		   .on_read = stack_on_read, .on_write = stack_on_write),
	REG_HOOKED(CR_CURSOR_BACKGROUND, 1, "CR4B Hardware Graphics Cursor Background Stack",
		   .on_read = stack_on_read, .on_write = stack_on_write),
	CR_KEPT(0x4c, "CR4C Hardware Graphics Cursor Start Address High", 0),
	CR_KEPT(0x4d, "CR4D Hardware Graphics Cursor Start Address Low", 0),
	CR_KEPT(0x4e, "CR4E Hardware Graphics Cursor Pattern Display Start X", 0),
	CR_KEPT(0x4f, "CR4F Hardware Graphics Cursor Pattern Display Start Y", 0),
	CR_EXT(CR_SYSTEM_1, "CR50 Extended System Control 1", 0),
	CR_EXT(CR_SYSTEM_2, "CR51 Extended System Control 2", 0),
	CR_KEPT(0x52, "CR52 Extended BIOS Flag 1", 0),
	CR_EXT(CR_MEMORY_CONTROL_1, "CR53 Extended Memory Control 1", 0),
	CR_KEPT(0x54, "CR54 Extended Memory Control 2", 0),
	CR_EXT(CR_DAC_CONTROL, "CR55 Extended RAMDAC Control", 0),
	CR_EXT(CR_SYNC_1, "CR56 External Sync Control 1", 0),
	CR_KEPT(0x57, "CR57 External Sync Control 2", 0),
	CR_EXT(CR_LINEAR_CONTROL, "CR58 Linear Address Window Control", 0),
	CR_EXT(CR_LINEAR_HIGH, "CR59 Linear Address Window Position High", 0),
	CR_EXT(CR_LINEAR_LOW, "CR5A Linear Address Window Position Low", 0),
	CR_KEPT(0x5b, "CR5B Extended BIOS Flag 2", 0),
	CR(CR_GENERAL_STATUS, "CR5C General Output Port", 0, 0xf0,
	   .on_read = general_status_on_read),
	CR_EXT(CR_OVERFLOW_HORIZONTAL, "CR5D Extended Horizontal Overflow", 0),
	CR_EXT(CR_OVERFLOW_VERTICAL, "CR5E Extended Vertical Overflow", 0),
	CR_KEPT(0x60, "CR60 Extended Memory Control 3", 0x07),
	CR_KEPT(0x61, "CR61 Extended Memory Control 4", 0x80),
	CR_KEPT(0x62, "CR62 Extended Memory Control 5", 0xa1),
	CR_KEPT(0x63, "CR63 External Sync Delay Adjust High", 0),
	CR_KEPT(0x64, "CR64 Genlocking Adjustment", 0),
	CR_KEPT(0x65, "CR65 Extended Miscellaneous Control", 0),
	CR_KEPT(0x66, "CR66 Extended Miscellaneous Control 1", 0),
	CR_EXT(CR_MISC_CONTROL_2, "CR67 Extended Miscellaneous Control 2", 0),
	CR_KEPT(0x68, "CR68 Configuration 3", 0),
	CR(CR_START_HIGH, "CR69 Extended System Control 3", 0, 0x1f, .on_write = extended_hook),
	CR(CR_BANK, "CR6A Extended System Control 4", 0, 0x7f, .on_write = extended_hook),
	CR_KEPT(0x6b, "CR6B Extended BIOS Flag 3", 0),
	CR_KEPT(0x6c, "CR6C Extended BIOS Flag 4", 0),
	CR_KEPT(0x6d, "CR6D Extended BIOS Flag 5", 0),
};

#define BANK(file, bytes)                                                                          \
	const struct reg_bank s3_##file##_bank = {                                                 \
		.name = #file,                                                                     \
		.regs = file##_regs,                                                               \
		.count = ARRAY_LEN(file##_regs),                                                   \
		.size = (bytes),                                                                   \
	}

BANK(seq, VGA_SEQ_REGS);
BANK(gfx, VGA_GFX_REGS);
BANK(attr, VGA_ATTR_REGS);
BANK(crtc, VGA_CRTC_REGS);

/* --- locks */

static bool horizontal_timing(uint8_t index)
{
	return index <= 0x05;
}

static bool vertical_timing(uint8_t index)
{
	return index == 0x06 || index == 0x07 || index == 0x09 || index == 0x10 || index == 0x11 ||
	       index == 0x15 || index == 0x16;
}

static uint8_t locked_crtc_bits(const struct vga_state *s, uint8_t index)
{
	uint8_t lock = s->crtc[CR_REGISTER_LOCK], locked = 0;
	bool open_1 = (s->crtc[CR_LOCK_1] & 0xcc) == 0x48,
	     open_2 = (s->crtc[CR_LOCK_2] & 0xe0) == 0xa0;

	if (index <= CRTC_OVERFLOW && (s->crtc[CRTC_VRE] & CRTC_VRE_PROTECT))
		locked = index == CRTC_OVERFLOW ? 0xef : 0xff;
	if ((lock & 0x20) && horizontal_timing(index))
		locked = 0xff;
	if ((lock & 0x10) && vertical_timing(index))
		/* Parts that are not timing: line compare, scan lines of a row, the protection. */
		locked |= index == 0x07 ? 0xef : index == 0x09 ? 0x20 : index == 0x11 ? 0x0f : 0xff;
	if (index == CR_LOCK_1 || index == CR_LOCK_2)
		return 0;
	if (index == CR_CONFIG_1 || index == 0x68)
		return s->crtc[CR_LOCK_2] == 0xa5 ? 0 : 0xff;
	if (index >= 0x20 && index < 0x40 && !open_1)
		return 0xff;
	if (index >= 0x40 && !open_2)
		return 0xff;
	return locked;
}

uint8_t s3_locked_bits(const struct vga *vga, const struct reg_bank *bank, uint8_t index)
{
	const struct vga_state *s = vga->s;

	if (bank == &s3_crtc_bank)
		return locked_crtc_bits(s, index);
	if (bank == &s3_seq_bank) {
		if (index > SR_UNLOCK && (s->seq[SR_UNLOCK] & 0x0f) != SR_UNLOCKED)
			return 0xff;
		/* CR34: the dots of a character stay. */
		return index == SEQ_CLOCKING && (s->crtc[CR_BACKWARD_3] & 0x20) ? 0x01 : 0;
	}
	/* CR33: the palette and the border colour stay. */
	if (bank == &s3_attr_bank && (index < 16 || index == ATTR_OVERSCAN))
		return s->crtc[CR_BACKWARD_2] & 0x40 ? 0xff : 0;
	return 0;
}

/* --- reset */

void s3_registers_reset(struct s3_trio64 *s3)
{
	uint8_t size = s3->memory->size >= MIB(4) ? 0 : s3->memory->size >= MIB(2) ? 4 : 6;

	s3->s.vga.crtc[CR_CONFIG_1] |= (uint8_t)(size << 5);
	memset(s3->s.cursor_stack, 0, sizeof(s3->s.cursor_stack));
	memset(s3->s.cursor_stack_at, 0, sizeof(s3->s.cursor_stack_at));
	s3->s.cursor_x = 0;
	s3->s.cursor_y = 0;
}
