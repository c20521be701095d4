// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * S3 Trio64 (86C764) on PCI: the device around the VGA, the registers and the cursor.
 *
 * Sources: S3 Trio64 databook; VGADOC's S3.TXT; what Linux's s3fb and X.org's s3 driver rely on.
 *
 * Deliberately not emulated: clock synthesizer locking times, memory wait states, feature connector,
 * the order of bytes on a big-endian bus. Clocks take effect when they are written.
 *
 * Theory of operation
 *
 * vga.c has the ports of a VGA, vga_memory.c its memory path, vga_scan.c and vga_render.c the picture;
 * s3_registers.c the tables, and s3_update(), which derives from S3's registers what they add (struct
 * vga_ext); s3_interrupt.c has INTA#. Here regions are placed, which depends on PCI configuration and registers alike, and the
 * machine is told which parts of the memory the processor can be given.
 */
#include "s3_trio64.h"

#include <errno.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "s3_chip.h"
#include "vga.h"

#define VIDEO_WINDOW 0xa0000u
#define VIDEO_WINDOW_BYTES 0x20000u
#define LINEAR_BYTES 0x400000u
#define MMIO_BYTES 0x10000u
#define SUBSYS_VSYNC 0x01u
#define SETUP_ENABLE 0x08u /* 46E8h */
#define SETUP_MODE 0x10u
#define SLEEP_AWAKE 0x01u /* 102h */
#define CLASS_VGA 0x030000u

static const struct state_field s3_fields[] = {
	VGA_STATE_FIELDS(struct s3_trio64),
	S3_ENGINE_FIELDS(struct s3_trio64),
	STATE_FIELD(struct s3_trio64, retrace_deadline_ns),
	STATE_FIELD(struct s3_trio64, vsync_cleared),
	STATE_ARRAY(struct s3_trio64, config),
	STATE_FIELD(struct s3_trio64, setup),
	STATE_FIELD(struct s3_trio64, enabled, .max = 1),
	STATE_ARRAY(struct s3_trio64, cursor_stack_at, .max = 3),
	{ .name = "cursor_stack",
	  .offset = offsetof(struct s3_trio64, s.cursor_stack),
	  .size = 1,
	  .count = 8 },
	STATE_FIELD(struct s3_trio64, cursor_x),
	STATE_FIELD(struct s3_trio64, cursor_y),
	STATE_END,
};

/* --- what is where */

/* The engine's ports: four bytes each, of which some have only two. */
static const uint16_t engine_ports[S3_ENGINE_REGIONS] = {
	0x82e8, 0x86e8, 0x8ae8, 0x8ee8, 0x92e8, 0x96e8, 0x9ae8, 0x9ee8, 0xa2e8,
	0xa6e8, 0xaae8, 0xaee8, 0xb2e8, 0xb6e8, 0xbae8, 0xbee8, 0xcae8, 0xe2e8,
};

static void place(struct s3_trio64 *s3, unsigned int region, bool shown, uint64_t base)
{
	device_move_region(&s3->function.dev, region, shown ? base : IO_UNMAPPED);
}

void s3_place_regions(struct s3_trio64 *s3)
{
	uint16_t command = get_le16(s3->s.config + PCI_CMD);
	uint32_t rom = get_le32(s3->s.config + S3_ROM_BAR);
	bool awake = (s3->s.setup & SETUP_ENABLE) && s3->s.enabled;
	bool ports = (command & PCI_CMD_IOSE) && awake, memory = command & PCI_CMD_MSE;
	struct display_aperture linear = s3_linear(s3);
	bool engine;

	place(s3, S3_SETUP, command & PCI_CMD_IOSE, 0x46e8);
	place(s3, S3_SLEEP, (command & PCI_CMD_IOSE) && (s3->s.setup & SETUP_MODE), 0x102);
	place(s3, S3_PORTS_3B0, ports, 0x3b0);
	place(s3, S3_PORTS_3C0, ports, 0x3c0);
	place(s3, S3_PORTS_3C6, ports, 0x3c6);
	place(s3, S3_PORTS_3D0, ports, 0x3d0);
	/* What goes makes room first. */
	place(s3, s3->posting ? S3_PORTS_SEQ : S3_PORTS_SEQ_POSTED, false, 0);
	place(s3, s3->posting ? S3_PORTS_GFX : S3_PORTS_GFX_POSTED, false, 0);
	place(s3, s3->posting ? S3_PORTS_SEQ_POSTED : S3_PORTS_SEQ, ports, 0x3c4);
	place(s3, s3->posting ? S3_PORTS_GFX_POSTED : S3_PORTS_GFX, ports, 0x3ce);
	engine = (command & PCI_CMD_IOSE) && (s3->s.vga.crtc[CR_SYSTEM] & CR_SYSTEM_ENGINE);
	place(s3, S3_SUBSYS, engine, 0x42e8);
	place(s3, S3_ADVFUNC, engine, 0x4ae8);
	for (unsigned int i = 0; i < S3_ENGINE_REGIONS; i++)
		place(s3, S3_ENGINE_FIRST + i, engine, engine_ports[i]);
	place(s3, S3_WINDOW, memory && awake, VIDEO_WINDOW);
	place(s3, S3_LINEAR, linear.size != 0, linear.gpa);
	rom &= ~(S3_ROM_BYTES - 1) | 1;
	place(s3, S3_ROM,
	      memory && s3->rom_bytes && (rom & 1) && rom > 1 && rom < 0u - S3_ROM_BYTES,
	      rom & ~1u);
}

/* Planar drawing goes register, memory, register, memory: both are collected, in their order. */
static void update_posting(struct s3_trio64 *s3)
{
	bool posting = vga_may_post(&s3->vga);

	if (posting == s3->posting)
		return;
	s3->posting = posting;
	s3_place_regions(s3);
}

static void window_changed(struct vga *vga)
{
	struct s3_trio64 *s3 = container_of(vga, struct s3_trio64, vga);
	struct display_aperture linear = s3_linear(s3);

	update_posting(s3);

	/* Nothing is mapped, and nothing is to be. */
	if (!vga->window.size && !vga->pace.direct &&
	    memcmp(&linear, &s3->linear, sizeof(linear)) == 0)
		return;
	vga->dev->env->memory_changed(vga->dev->env);
}

void s3_trio64_apertures(struct device *dev, struct display_aperture ret[S3_TRIO64_APERTURES])
{
	struct s3_trio64 *s3 = s3_of(dev);

	s3->linear = s3_linear(s3);
	if (dev->regions[S3_LINEAR].base == IO_UNMAPPED)
		s3->linear.size = 0;
	if (s3->linear.size)
		vga_layout_update(&s3->vga);
	ret[0] = s3->linear;
	memset(&ret[1], 0, sizeof(ret[1]));
	if (dev->regions[S3_WINDOW].base != IO_UNMAPPED)
		vga_window_aperture(&s3->vga, &ret[1]);
	update_posting(s3);
}

void s3_trio64_settle(struct device *dev)
{
	vga_window_settle(&s3_of(dev)->vga);
}

/* --- ports */

static uint32_t ports_read(struct device *dev, uint32_t port, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint32_t)vga_port_read(&s3_of(dev)->vga, (uint16_t)(port + i)) << (8 * i);
	return value;
}

static void ports_write(struct device *dev, uint32_t port, unsigned int size, uint32_t value)
{
	for (unsigned int i = 0; i < size; i++)
		vga_port_write(&s3_of(dev)->vga, (uint16_t)(port + i), (uint8_t)(value >> (8 * i)));
}

#define PORT_HANDLERS(base)                                                                        \
	static uint32_t read_##base(struct device *dev, uint32_t offset, unsigned int size)        \
	{                                                                                          \
		return ports_read(dev, 0x##base + offset, size);                                   \
	}                                                                                          \
	static void write_##base(struct device *dev, uint32_t offset, unsigned int size,           \
				 uint32_t value)                                                   \
	{                                                                                          \
		ports_write(dev, 0x##base + offset, size, value);                                  \
	}

PORT_HANDLERS(3b0)
PORT_HANDLERS(3c0)
PORT_HANDLERS(3c4)
PORT_HANDLERS(3c6)
PORT_HANDLERS(3ce)
PORT_HANDLERS(3d0)

/* Video subsystem setup: what is asleep answers only here. */
static void setup_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	(void)size;
	if (offset != 0)
		return;
	s3_of(dev)->s.setup = (uint8_t)value;
	s3_place_regions(s3_of(dev));
	vga_memory_path_changed(&s3_of(dev)->vga);
}

static uint32_t setup_read(struct device *dev, uint32_t offset, unsigned int size)
{
	(void)size;
	return offset ? UINT32_MAX : 0xffffff00 | s3_of(dev)->s.setup;
}

static void sleep_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	(void)offset;
	(void)size;
	s3_of(dev)->s.enabled = value & SLEEP_AWAKE;
	s3_place_regions(s3_of(dev));
}

static uint32_t sleep_read(struct device *dev, uint32_t offset, unsigned int size)
{
	(void)offset;
	(void)size;
	return s3_of(dev)->s.enabled;
}

/* The engine draws into the linear memory. */
static struct s3_engine *engine_of(struct device *dev)
{
	vga_layout_update(&s3_of(dev)->vga);
	return &s3_of(dev)->engine;
}

#define ENGINE_HANDLERS(base)                                                                      \
	static uint32_t engine_read_##base(struct device *dev, uint32_t offset, unsigned int size) \
	{                                                                                          \
		return s3_engine_read(engine_of(dev), (uint16_t)(0x##base + offset), size);        \
	}                                                                                          \
	static void engine_write_##base(struct device *dev, uint32_t offset, unsigned int size,    \
					uint32_t value)                                            \
	{                                                                                          \
		s3_engine_write(engine_of(dev), (uint16_t)(0x##base + offset), size, value);       \
	}

ENGINE_HANDLERS(82e8)
ENGINE_HANDLERS(86e8)
ENGINE_HANDLERS(8ae8)
ENGINE_HANDLERS(8ee8)
ENGINE_HANDLERS(92e8)
ENGINE_HANDLERS(96e8)
ENGINE_HANDLERS(9ae8)
ENGINE_HANDLERS(9ee8)
ENGINE_HANDLERS(a2e8)
ENGINE_HANDLERS(a6e8)
ENGINE_HANDLERS(aae8)
ENGINE_HANDLERS(aee8)
ENGINE_HANDLERS(b2e8)
ENGINE_HANDLERS(b6e8)
ENGINE_HANDLERS(bae8)
ENGINE_HANDLERS(bee8)
ENGINE_HANDLERS(cae8)
ENGINE_HANDLERS(e2e8)

static uint32_t engine_read_42e8(struct device *dev, uint32_t offset, unsigned int size)
{
	uint32_t value = s3_engine_read(&s3_of(dev)->engine, (uint16_t)(0x42e8 + offset), size);

	return offset ? value : (value & ~0xffu) | s3_subsys_status(s3_of(dev));
}

static void engine_write_42e8(struct device *dev, uint32_t offset, unsigned int size,
			      uint32_t value)
{
	if (!offset && (value & SUBSYS_VSYNC))
		s3_of(dev)->s.vsync_cleared = s3_retraces(s3_of(dev));
	s3_engine_write(&s3_of(dev)->engine, (uint16_t)(0x42e8 + offset), size, value);
	s3_interrupt_update(s3_of(dev));
}

static uint32_t engine_read_4ae8(struct device *dev, uint32_t offset, unsigned int size)
{
	return s3_engine_read(&s3_of(dev)->engine, (uint16_t)(0x4ae8 + offset), size);
}

/* Memory-mapped registers and the linear frame buffer depend on it. */
static void engine_write_4ae8(struct device *dev, uint32_t offset, unsigned int size,
			      uint32_t value)
{
	s3_engine_write(&s3_of(dev)->engine, (uint16_t)(0x4ae8 + offset), size, value);
	s3_update(s3_of(dev));
}

/* --- memory */

static uint32_t window_read(struct device *dev, uint32_t offset, unsigned int size)
{
	if (s3_of(dev)->vga.ext.window_taken && offset < MMIO_BYTES)
		return s3_engine_mmio_read(engine_of(dev), offset, size);
	return vga_window_read(&s3_of(dev)->vga, offset, size);
}

static void window_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	if (s3_of(dev)->vga.ext.window_taken && offset < MMIO_BYTES)
		s3_engine_mmio_write(engine_of(dev), offset, size, value);
	else
		vga_window_write(&s3_of(dev)->vga, offset, size, value);
}

static bool window_latched(struct device *dev)
{
	return !s3_of(dev)->vga.ext.window_taken && vga_moves_latches(&s3_of(dev)->vga);
}

static bool in_linear(const struct s3_trio64 *s3, uint32_t offset, unsigned int size)
{
	struct display_aperture linear = s3_linear(s3);

	return offset < linear.size && size <= linear.size - offset;
}

static uint32_t linear_read(struct device *dev, uint32_t offset, unsigned int size)
{
	struct s3_trio64 *s3 = s3_of(dev);

	vga_layout_update(&s3->vga);
	if (!in_linear(s3, offset, size))
		return UINT32_MAX;
	return (uint32_t)get_le(s3->memory->bytes + offset, size);
}

static void linear_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	struct s3_trio64 *s3 = s3_of(dev);

	vga_layout_update(&s3->vga);
	if (!in_linear(s3, offset, size))
		return;
	put_le(s3->memory->bytes + offset, size, value);
	display_mark_dirty(s3->memory, offset, size);
}

static uint32_t rom_read(struct device *dev, uint32_t offset, unsigned int size)
{
	const struct s3_trio64 *s3 = s3_of(dev);
	uint32_t value = 0;

	for (unsigned int i = 0; i < size; i++) {
		uint32_t byte = offset + i < s3->rom_bytes ? s3->rom[offset + i] : 0xff;

		value |= byte << (8 * i);
	}
	return value;
}

/* --- configuration space */

static void base_hook(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	uint8_t *crtc = s3_of(dev)->s.vga.crtc;

	(void)reg;
	(void)old;
	crtc[CR_LINEAR_HIGH] = (uint8_t)(value >> 24);
	crtc[CR_LINEAR_LOW] = (uint8_t)blend32(crtc[CR_LINEAR_LOW], 0x80, value >> 16);
}

static void config_written(struct device *dev)
{
	s3_place_regions(s3_of(dev));
	s3_update(s3_of(dev));
}

#define CROW(...) PCI_ROW(struct s3_trio64, __VA_ARGS__)

static const struct reg config_regs[] = {
	PCI_COMMON_ROWS(struct s3_trio64, 0x5333, 0x8811, 0, 0x0023, 0x0200, 0, 0, CLASS_VGA, 0, 0),
	CROW(PCI_BAR0, 4, "BASE 0", 0, 0xff800000, .on_write = base_hook),
	CROW(S3_ROM_BAR, 4, "BIOS BASE", 0, 0xffff0001),
	CROW(PCI_INTLN, 1, "INTERRUPT LINE", 0, 0xff),
	CROW(PCI_INTPN, 1, "INTERRUPT PIN", 1, 0),
};

static const struct reg_bank config_bank = {
	.name = "config",
	.regs = config_regs,
	.count = ARRAY_LEN(config_regs),
	.size = PCI_CONFIG_SIZE,
};

/* --- the picture */

static void geometry(struct device *dev, struct display_geometry *ret_geometry)
{
	vga_geometry(&s3_of(dev)->vga, ret_geometry);
}

static void refresh(struct device *dev, struct display_surface *surface)
{
	vga_refresh(&s3_of(dev)->vga, surface);
}

static void cursor(struct device *dev, struct display_cursor *ret_cursor)
{
	s3_cursor(s3_of(dev), ret_cursor);
}

static void text(struct device *dev, struct display_text *ret_text)
{
	vga_text(&s3_of(dev)->vga, ret_text);
}

static const struct display_ops display_ops = {
	.geometry = geometry,
	.refresh = refresh,
	.cursor = cursor,
	.text = text,
};

/* --- life */

static bool config_usable(const struct s3_trio64_config *config)
{
	const struct display_memory *memory = config->memory;

	return memory && is_power_of_two(memory->size) && memory->size >= MIB(1) &&
	       memory->size <= DISPLAY_MEMORY_MAX && config->rom_bytes <= S3_ROM_BYTES;
}

static int s3_init(struct device *dev, const void *opaque)
{
	const struct s3_trio64_config *config = opaque;
	struct s3_trio64 *s3 = s3_of(dev);
	int r;

	if (!config_usable(config))
		return -EINVAL;
	r = pci_attach(&s3->function, config->bus, config->devfn);
	if (r < 0)
		return r;
	s3->memory = config->memory;
	s3->rom = config->rom;
	s3->rom_bytes = config->rom_bytes;
	s3->vga.s = &s3->s.vga;
	s3->vga.dev = dev;
	s3->vga.memory = config->memory;
	s3->vga.picture = &s3->picture;
	s3->engine.s = &s3->s.engine;
	s3->engine.memory = config->memory;
	s3->vga.seq = &s3_seq_bank;
	s3->vga.gfx = &s3_gfx_bank;
	s3->vga.attr = &s3_attr_bank;
	s3->vga.crtc = &s3_crtc_bank;
	s3->vga.locked_bits = s3_locked_bits;
	s3->vga.window_changed = window_changed;
	timer_init(&s3->retrace_timer, dev->env->timers, dev, &s3->s.retrace_deadline_ns,
		   s3_interrupt_expired);
	display_attach(config->display, dev, &display_ops);
	return 0;
}

static void s3_reset(struct device *dev, enum reset_kind kind)
{
	struct s3_trio64 *s3 = s3_of(dev);

	pci_reset(&s3->function, kind);
	if (kind != RESET_SLEEP) {
		vga_reset(&s3->vga);
		s3_registers_reset(s3);
		s3_engine_reset(&s3->engine);
		s3->s.vsync_cleared = 0;
		timer_cancel(&s3->retrace_timer);
		s3->s.setup = SETUP_ENABLE;
		s3->s.enabled = SLEEP_AWAKE;
	}
	s3_update(s3);
	s3_place_regions(s3);
	vga_memory_path_changed(&s3->vga);
}

static void s3_post_load(struct device *dev)
{
	struct s3_trio64 *s3 = s3_of(dev);

	pci_post_load(&s3->function);
	s3_update(s3);
	s3_place_regions(s3);
	vga_memory_path_changed(&s3->vga);
	vga_picture_changed(&s3->vga);
	dev->env->memory_changed(dev->env);
}

static void s3_fini(struct device *dev)
{
	timer_fini(&s3_of(dev)->retrace_timer);
	pci_detach(&s3_of(dev)->function);
}

#define PORTS(nam, at, len, ...)                                                                   \
	{                                                                                          \
		.name = nam, .space = IO_PORT, .base = IO_UNMAPPED, .length = (len),               \
		.read = read_##at, .write = write_##at, __VA_ARGS__                                \
	}

#define ENGINE(at, len, flag)                                                                      \
	{                                                                                          \
		.name = "engine " #at "h", .space = IO_PORT, .base = IO_UNMAPPED, .length = (len), \
		.flags = (flag), .read = engine_read_##at, .write = engine_write_##at,             \
	}

static const struct io_region_desc s3_regions[] = {
	[S3_PORTS_3B0] = PORTS("monochrome CRTC", 3b0, 12),
	[S3_PORTS_3C0] = PORTS("attributes", 3c0, 4),
	[S3_PORTS_SEQ] = PORTS("sequencer", 3c4, 2),
	[S3_PORTS_3C6] = PORTS("palette", 3c6, 8),
	[S3_PORTS_GFX] = PORTS("graphics controller", 3ce, 2),
	[S3_PORTS_3D0] = PORTS("colour CRTC", 3d0, 16),
	[S3_PORTS_SEQ_POSTED] = PORTS("sequencer, posted", 3c4, 2, .flags = IO_POSTED),
	[S3_PORTS_GFX_POSTED] = PORTS("graphics controller, posted", 3ce, 2, .flags = IO_POSTED),
	[S3_WINDOW] = {
		.name = "video window",
		.space = IO_MEMORY,
		.base = IO_UNMAPPED,
		.length = VIDEO_WINDOW_BYTES,
		.flags = IO_POSTED,
		.read = window_read,
		.write = window_write,
		.latched = window_latched,
	},
	[S3_LINEAR] = {
		.name = "linear frame buffer",
		.space = IO_MEMORY,
		.base = IO_UNMAPPED,
		.length = LINEAR_BYTES,
		.read = linear_read,
		.write = linear_write,
	},
	[S3_ROM] = {
		.name = "video BIOS",
		.space = IO_MEMORY,
		.base = IO_UNMAPPED,
		.length = S3_ROM_BYTES,
		.read = rom_read,
	},
	[S3_SETUP] = {
		.name = "video setup",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = 2,
		.read = setup_read,
		.write = setup_write,
	},
	[S3_SLEEP] = {
		.name = "video sleep",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = 1,
		.read = sleep_read,
		.write = sleep_write,
	},
	[S3_SUBSYS] = ENGINE(42e8, 2, 0),
	[S3_ADVFUNC] = ENGINE(4ae8, 2, 0),
	[S3_ENGINE_FIRST] = ENGINE(82e8, 4, IO_POSTED),
	ENGINE(86e8, 4, IO_POSTED),
	ENGINE(8ae8, 4, IO_POSTED),
	ENGINE(8ee8, 4, IO_POSTED),
	ENGINE(92e8, 4, IO_POSTED),
	ENGINE(96e8, 4, IO_POSTED),
	ENGINE(9ae8, 4, IO_POSTED),
	ENGINE(9ee8, 2, IO_POSTED),
	ENGINE(a2e8, 4, IO_POSTED),
	ENGINE(a6e8, 4, IO_POSTED),
	ENGINE(aae8, 4, IO_POSTED),
	ENGINE(aee8, 4, IO_POSTED),
	ENGINE(b2e8, 4, IO_POSTED),
	ENGINE(b6e8, 2, IO_POSTED),
	ENGINE(bae8, 2, IO_POSTED),
	ENGINE(bee8, 2, IO_POSTED),
	ENGINE(cae8, 2, IO_POSTED),
	ENGINE(e2e8, 4, IO_POSTED),
	{ .name = NULL },
};

static const struct pci_class s3_pci = {
	.config = &config_bank,
	.config_offset = offsetof(struct s3_trio64, s.config),
	.config_written = config_written,
};

static const struct reg_bank *const s3_banks[] = {
	&config_bank, &s3_seq_bank, &s3_gfx_bank, &s3_attr_bank, &s3_crtc_bank, NULL,
};

static const struct s3_trio64_config s3_default = { .devfn = PCI_DEVFN(8, 0) };

const struct device_class s3_trio64_class = {
	.name = "s3_trio64",
	.summary = "S3 Trio64 display adapter",
	DEVICE_STATE(struct s3_trio64),
	.regions = s3_regions,
	.banks = s3_banks,
	.fields = s3_fields,
	.pci = &s3_pci,
	.default_config = &s3_default,
	.init = s3_init,
	.reset = s3_reset,
	.post_load = s3_post_load,
	.fini = s3_fini,
};
