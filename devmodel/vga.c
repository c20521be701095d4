// SPDX-License-Identifier: GPL-2.0-or-later
/* The ports of a VGA, 3B0h to 3DFh: index and data pairs, palette, status. */
#include "vga.h"

#include <string.h>

#include "../base/bits.h"
#include "vga_scan.h"

/* Ports; those of the CRTC and status 1 are at 3Bxh for monochrome modes. */
#define ATTR_INDEX 0x3c0
#define ATTR_DATA 0x3c1
#define MISC_WRITE 0x3c2 /* input status 0 when read */
#define SEQ_INDEX 0x3c4
#define SEQ_DATA 0x3c5
#define DAC_MASK 0x3c6
#define DAC_READ_INDEX 0x3c7 /* state when read */
#define DAC_WRITE_INDEX 0x3c8
#define DAC_DATA 0x3c9
#define FEATURE_READ 0x3ca
#define MISC_READ 0x3cc
#define GFX_INDEX 0x3ce
#define GFX_DATA 0x3cf
#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define STATUS_1 0x3da /* feature control when written */

#define STATUS_0_SENSE 0x10u
#define STATUS_0_VSYNC 0x80u
#define STATUS_1_DISABLED 0x01u
#define STATUS_1_RETRACE 0x08u
#define DAC_STATE_READ 0x03u

void vga_picture_changed(struct vga *vga)
{
	vga->picture_changed = true;
}

void vga_memory_path_changed(struct vga *vga)
{
	vga->pace = (struct vga_pace){ 0 };
	vga->window_changed(vga);
}

bool vga_color_ports(const struct vga *vga)
{
	return vga->s->misc & MISC_COLOR_PORTS;
}

/* A write to a register file, less what is protected. */
static void file_write(struct vga *vga, const struct reg_bank *bank, uint8_t index, uint8_t value)
{
	const struct reg *reg = reg_bank_find(bank, index);
	uint8_t locked = vga->locked_bits(vga, bank, index);

	if (!reg || locked == 0xff)
		return;
	if (locked)
		value = (uint8_t)blend32(value, locked, reg_load(vga->dev, reg));
	reg_bank_write(bank, vga->dev, index, 1, value);
}

/* --- status */

/* Bit 0: outside of the displayed area; bit 3: vertical retrace; bits 4 and 5: what is shown there. */
static uint8_t status_1(struct vga *vga)
{
	struct vga_timing timing;
	uint64_t at;
	uint32_t line;
	uint8_t status = 0;

	vga_timing_decode(vga->s, &vga->ext, &timing);
	at = vga->dev->env->timers->now(vga->dev->env->timers) % timing.frame_ns;
	line = (uint32_t)(at / timing.line_ns);
	if (line >= timing.active_lines || at % timing.line_ns >= timing.active_ns)
		status |= STATUS_1_DISABLED;
	if (line >= timing.retrace_first && line - timing.retrace_first < timing.retrace_lines)
		status |= STATUS_1_RETRACE;
	/* Firmware checks that these two move when it feeds them through ATTR12. */
	if (!(status & STATUS_1_DISABLED))
		status = (uint8_t)(status | ((vga->s->attr[ATTR_OVERSCAN] >>
					      (vga->s->attr[ATTR_PLANE_ENABLE] >> 4 & 3)) &
					     1) << 4);
	return status;
}

/* The switch sense bit tells a monitor's type: a comparator finds light where the palette is bright. */
static uint8_t status_0(const struct vga *vga)
{
	const uint8_t *entry = vga->s->dac;
	bool dim = entry[0] + entry[1] + entry[2] >= 0x4e;

	return (uint8_t)((dim ? 0 : STATUS_0_SENSE) | (vga->s->vsync_latched ? STATUS_0_VSYNC : 0));
}

/* --- palette */

static void dac_advance(struct vga_state *s)
{
	if (++s->dac_component < 3)
		return;
	s->dac_component = 0;
	s->dac_index++;
}

static void dac_write(struct vga *vga, uint8_t value)
{
	struct vga_state *s = vga->s;
	uint8_t *entry = &s->dac[3 * s->dac_index];

	s->dac_latch[s->dac_component] = value & 0x3f;
	/* The entry changes as a whole, when its blue comes. */
	if (s->dac_component == 2 && !vga->ext.dac_locked && memcmp(entry, s->dac_latch, 3) != 0) {
		memcpy(entry, s->dac_latch, 3);
		vga_picture_changed(vga);
	}
	dac_advance(s);
}

static uint8_t dac_read(struct vga_state *s)
{
	uint8_t value = s->dac[3 * s->dac_index + s->dac_component];

	dac_advance(s);
	return value;
}

static void dac_set_index(struct vga_state *s, uint8_t index, bool reading)
{
	s->dac_index = index;
	s->dac_component = 0;
	s->dac_reading = reading;
}

/* --- attribute controller: index and data at one port */

static void attr_write(struct vga *vga, uint8_t value)
{
	struct vga_state *s = vga->s;
	uint8_t index = s->attr_index & 0x1f;

	if (!s->attr_data) {
		if ((s->attr_index ^ value) & ATTR_INDEX_VIDEO)
			vga_picture_changed(vga);
		s->attr_index = value & 0x3f;
	} else if (index > 15 || !(s->attr_index & ATTR_INDEX_VIDEO)) {
		/* The internal palette is the beam's while the picture is on. */
		file_write(vga, vga->attr, index, value);
	}
	s->attr_data ^= 1;
}

/* --- ports */

static void set_misc(struct vga *vga, uint8_t value)
{
	uint8_t changed = vga->s->misc ^ value;

	vga->s->misc = value;
	if (changed & MISC_RAM_ENABLE)
		vga_memory_path_changed(vga);
	if (changed & 0x0c)
		vga_picture_changed(vga);
}

/* The port as colour modes name it; 0 when it is not there in the present ones. */
static uint16_t color_port(const struct vga *vga, uint16_t port)
{
	bool crtc = (port & 0xf) <= 7 || (port & 0xf) == 0xa;

	if (port >= 0x3c0 && port <= 0x3cf)
		return port;
	if (!crtc || (port >= 0x3d0) != vga_color_ports(vga))
		return 0;
	if ((port & 0xf) == 0xa)
		return STATUS_1;
	/* Bits 2 and 1 of the port are decoded loosely: 3D0h to 3D7h, even and odd. */
	return port & 1 ? CRTC_DATA : CRTC_INDEX;
}

uint8_t vga_port_read(struct vga *vga, uint16_t port)
{
	struct vga_state *s = vga->s;

	switch (color_port(vga, port)) {
	case ATTR_INDEX:
		return s->attr_index;
	case ATTR_DATA:
		return (uint8_t)reg_bank_read(vga->attr, vga->dev, s->attr_index & 0x1f, 1);
	case MISC_WRITE:
		return status_0(vga);
	case SEQ_INDEX:
		return s->seq_index;
	case SEQ_DATA:
		return (uint8_t)reg_bank_read(vga->seq, vga->dev, s->seq_index, 1);
	case DAC_MASK:
		return s->dac_mask;
	case DAC_READ_INDEX:
		return s->dac_reading ? DAC_STATE_READ : 0;
	case DAC_WRITE_INDEX:
		return s->dac_index;
	case DAC_DATA:
		return dac_read(s);
	case FEATURE_READ:
		return s->feature;
	case MISC_READ:
		return s->misc;
	case GFX_INDEX:
		return s->gfx_index;
	case GFX_DATA:
		return (uint8_t)reg_bank_read(vga->gfx, vga->dev, s->gfx_index, 1);
	case CRTC_INDEX:
		return s->crtc_index;
	case CRTC_DATA:
		return (uint8_t)reg_bank_read(vga->crtc, vga->dev, s->crtc_index, 1);
	case STATUS_1:
		s->attr_data = 0;
		return status_1(vga);
	default:
		return 0xff;
	}
}

void vga_port_write(struct vga *vga, uint16_t port, uint8_t value)
{
	struct vga_state *s = vga->s;

	switch (color_port(vga, port)) {
	case ATTR_INDEX:
	case ATTR_DATA:
		attr_write(vga, value);
		break;
	case MISC_WRITE:
		set_misc(vga, value);
		break;
	case SEQ_INDEX:
		s->seq_index = value & (VGA_SEQ_REGS - 1);
		break;
	case SEQ_DATA:
		file_write(vga, vga->seq, s->seq_index, value);
		break;
	case DAC_MASK:
		if (s->dac_mask != value)
			vga_picture_changed(vga);
		s->dac_mask = value;
		break;
	case DAC_READ_INDEX:
		dac_set_index(s, value, true);
		break;
	case DAC_WRITE_INDEX:
		dac_set_index(s, value, false);
		break;
	case DAC_DATA:
		dac_write(vga, value);
		break;
	case GFX_INDEX:
		s->gfx_index = value & (VGA_GFX_REGS - 1);
		break;
	case GFX_DATA:
		file_write(vga, vga->gfx, s->gfx_index, value);
		break;
	case CRTC_INDEX:
		s->crtc_index = value & (VGA_CRTC_REGS - 1);
		break;
	case CRTC_DATA:
		file_write(vga, vga->crtc, s->crtc_index, value);
		break;
	case STATUS_1:
		s->feature = value;
		break;
	default:
		break;
	}
}

void vga_reset(struct vga *vga)
{
	struct vga_state *s = vga->s;
	uint8_t layout = s->layout;

	memset(s, 0, sizeof(*s));
	/* The memory keeps its contents and with them their order. */
	s->layout = layout;
	s->dac_mask = 0xff;
	reg_bank_reset(vga->seq, vga->dev);
	reg_bank_reset(vga->gfx, vga->dev);
	reg_bank_reset(vga->attr, vga->dev);
	reg_bank_reset(vga->crtc, vga->dev);
	vga->pace = (struct vga_pace){ 0 };
	vga_picture_changed(vga);
}
