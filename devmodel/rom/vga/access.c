// SPDX-License-Identifier: GPL-2.0-or-later
/* The BIOS data area, vectors and registers: functions, since code in line would not fit into the ROM. */
#include "bios.h"

u8 bda8(u16 offset)
{
	set_fs(BDA_SEGMENT);
	return FAR(u8, offset);
}

u16 bda16(u16 offset)
{
	set_fs(BDA_SEGMENT);
	return FAR(u16, offset);
}

void set_bda8(u16 offset, u8 value)
{
	set_fs(BDA_SEGMENT);
	FAR(u8, offset) = value;
}

void set_bda16(u16 offset, u16 value)
{
	set_fs(BDA_SEGMENT);
	FAR(u16, offset) = value;
}

void set_vector(u8 number, u16 segment, u16 offset)
{
	set_fs(0);
	FAR(u16, number * 4) = offset;
	FAR(u16, number * 4 + 2) = segment;
}

void seq_write(u8 index, u8 value)
{
	outw(PORT_SEQ, (u16)(index | value << 8));
}

void gfx_write(u8 index, u8 value)
{
	outw(PORT_GFX, (u16)(index | value << 8));
}

u8 seq_read(u8 index)
{
	outb(PORT_SEQ, index);
	return inb(PORT_SEQ + 1);
}

u8 gfx_read(u8 index)
{
	outb(PORT_GFX, index);
	return inb(PORT_GFX + 1);
}

static u16 select_attr(u8 index)
{
	u16 status = crtc_port() + 6;

	(void)inb(status);
	outb(PORT_ATTR, index);
	return status;
}

void attr_write(u8 index, u8 value)
{
	select_attr(index);
	outb(PORT_ATTR, value);
	outb(PORT_ATTR, 0x20);
}

u8 attr_read(u8 index)
{
	u16 status = select_attr(index);
	u8 value = inb(PORT_ATTR + 1);

	(void)inb(status);
	outb(PORT_ATTR, 0x20);
	return value;
}
