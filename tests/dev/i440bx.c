// SPDX-License-Identifier: GPL-2.0-or-later
/* The 82443BX host bridge: what SeaBIOS does to it, what memory it shows, and its two identities.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/cursor.h"
#include "../../devmodel/i440bx.h"

#define CONFADD 0xcf8
#define CONFDATA 0xcfc
#define ID_440FX 0x12378086u
#define ID_440BX 0x71928086u
#define WRITABLE (I440BX_PAM_RE | I440BX_PAM_WE)

static struct device *add_bridge(struct bench *b, uint64_t memory_bytes)
{
	struct i440bx_config config = { .bus = &b->pci, .memory_bytes = memory_bytes };

	return bench_add(b, &i440bx_class, &config);
}

static uint32_t config_in(struct bench *b, uint8_t devfn, uint8_t reg, unsigned int size)
{
	outl(b, CONFADD, BIT(31) | (uint32_t)devfn << 8 | (reg & 0xfcu));
	return io_port_read(&b->io, (uint16_t)(CONFDATA + (reg & 3)), size);
}

static void config_out(struct bench *b, uint8_t devfn, uint8_t reg, unsigned int size,
		       uint32_t value)
{
	outl(b, CONFADD, BIT(31) | (uint32_t)devfn << 8 | (reg & 0xfcu));
	io_port_write(&b->io, (uint16_t)(CONFDATA + (reg & 3)), size, value);
}

/* What POST of SeaBIOS 1.16 does first and last. */
static void seabios_unlocks(struct bench *b)
{
	cr_assert_eq(config_in(b, 0, 0x02, 2), 0x1237);
	config_out(b, 0, 0x58, 4, (config_in(b, 0, 0x58, 4) & 0xff) | 0x33333000);
	config_out(b, 0, 0x5c, 4, 0x33333333);
}

static void seabios_locks(struct bench *b)
{
	cr_assert_eq(config_in(b, 0, 0x02, 2), 0x1237, "the id is read again before the lock");
	config_in(b, 0, 0x58, 4);
	config_in(b, 0, 0x5c, 4);
	config_out(b, 0, 0x58, 4, 0x11111000);
	config_out(b, 0, 0x5c, 4, 0x33111111);
}

Test(i440bx, power_on_shows_rom_and_no_hole)
{
	struct bench *b = bench_new();
	struct device *dev = add_bridge(b, MIB(64));
	struct i440bx_memory memory, zero = { .fdhc = I440BX_HOLE_NONE };

	i440bx_memory(dev, &memory);
	cr_assert_eq(memcmp(memory.pam, zero.pam, sizeof(memory.pam)), 0);
	cr_assert_eq(memory.fdhc, I440BX_HOLE_NONE);
	cr_assert_not(memory.smram_open || memory.smram_enabled || memory.locked);
	cr_assert_eq(b->memory_changes, 0);
	cr_assert_eq(config_in(b, 0, 0x00, 4), ID_440FX);
	cr_assert_eq(config_in(b, 0, 0x04, 4), 0x02000006);
	cr_assert_eq(config_in(b, 0, 0x08, 4), 0x06000002);
	cr_assert_eq(config_in(b, 0, 0x10, 4), 0, "no APBASE without AGP");
	cr_assert_eq(config_in(b, 0, 0x34, 1), 0, "no AGP capability");
	cr_assert_eq(config_in(b, 0, 0x72, 2), 0x3802);
	bench_free(b);
}

Test(i440bx, seabios_post_unlocks_copies_locks_and_ends_as_440bx)
{
	struct bench *b = bench_new();
	struct device *dev = add_bridge(b, MIB(64));
	struct i440bx_memory memory;

	seabios_unlocks(b);
	cr_assert_eq(b->memory_changes, 2, "one change for each dword");
	i440bx_memory(dev, &memory);
	for (unsigned int i = 0; i < I440BX_PAM_REGIONS; i++)
		cr_assert_eq(memory.pam[i], WRITABLE, "region %u", i);
	seabios_locks(b);
	cr_assert_eq(b->memory_changes, 4);
	i440bx_memory(dev, &memory);
	for (unsigned int i = 0; i < I440BX_PAM_REGIONS; i++)
		cr_assert_eq(memory.pam[i], i >= 11 ? WRITABLE : I440BX_PAM_RE, "region %u", i);
	cr_assert_eq(config_in(b, 0, 0x00, 4), ID_440BX);
	cr_assert_eq(config_in(b, 0, 0x08, 1), 0x02);
	bench_free(b);
}

Test(i440bx, every_pam_nibble_is_one_region)
{
	struct bench *b = bench_new();
	struct device *dev = add_bridge(b, MIB(64));

	for (unsigned int region = 0; region < I440BX_PAM_REGIONS; region++) {
		uint8_t reg = (uint8_t)(0x59 + (region + 1) / 2);
		unsigned int shift = region % 2 || !region ? 0 : 4;
		struct i440bx_memory memory;

		if (!region)
			shift = 4;
		bench_config_write(b, 0, reg, 1, (uint32_t)I440BX_PAM_WE << shift);
		i440bx_memory(dev, &memory);
		for (unsigned int i = 0; i < I440BX_PAM_REGIONS; i++)
			cr_assert_eq(memory.pam[i], i == region ? I440BX_PAM_WE : 0);
		bench_config_write(b, 0, reg, 1, 0);
	}
	bench_config_write(b, 0, 0x59, 1, 0xff);
	cr_assert_eq(bench_config_read(b, 0, 0x59, 1), 0x30, "the rest is reserved");
	bench_config_write(b, 0, 0x5a, 1, 0xff);
	cr_assert_eq(bench_config_read(b, 0, 0x5a, 1), 0x33);
	bench_free(b);
}

Test(i440bx, memory_changes_are_told_only_when_there_are_any)
{
	struct bench *b = bench_new();

	add_bridge(b, MIB(64));
	bench_config_write(b, 0, 0x5c, 4, 0x11111111);
	cr_assert_eq(b->memory_changes, 1);
	bench_config_write(b, 0, 0x5c, 4, 0x11111111);
	bench_config_write(b, 0, 0x5c, 1, 0xdd);
	bench_config_write(b, 0, 0x0d, 1, 0x40);
	bench_config_write(b, 0, 0x57, 1, 0x08);
	cr_assert_eq(b->memory_changes, 1, "reserved bits and other registers change nothing");
	bench_config_write(b, 0, 0x68, 1, 0x80);
	bench_config_write(b, 0, 0x72, 1, 0x4a);
	cr_assert_eq(b->memory_changes, 3);
	bench_config_write(b, 0, 0x68, 1, 0xc0);
	bench_config_write(b, 0, 0x68, 1, 0x00);
	cr_assert_eq(b->memory_changes, 4, "the reserved hole is no hole");
	bench_free(b);
}

Test(i440bx, identity_changes_at_pam0_10h_only)
{
	struct bench *b = bench_new();
	static const uint8_t others[] = { 0x00, 0x20, 0x30 };

	add_bridge(b, MIB(64));
	for (size_t i = 0; i < sizeof(others); i++) {
		bench_config_write(b, 0, 0x59, 1, others[i]);
		cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440FX, "%02x", others[i]);
	}
	bench_config_write(b, 0, 0x5a, 1, 0x10);
	bench_config_write(b, 0, 0x58, 1, 0x10);
	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440FX, "neighbours do not count");
	bench_config_write(b, 0, 0x58, 2, 0x1000);
	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440BX);
	bench_config_write(b, 0, 0x59, 1, 0x30);
	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440BX, "it never flips back by itself");
	bench_config_write(b, 0, 0x02, 2, 0x1237);
	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440BX, "the id is read-only");
	bench_free(b);
}

Test(i440bx, hard_reset_restores_rom_and_440fx)
{
	struct bench *b = bench_new();
	struct device *dev = add_bridge(b, MIB(64));
	struct i440bx_memory memory;
	unsigned int changes;

	seabios_unlocks(b);
	seabios_locks(b);
	bench_config_write(b, 0, 0x72, 1, 0x1a);
	changes = b->memory_changes;
	device_reset(dev, RESET_HARD);
	cr_assert_eq(b->memory_changes, changes + 1);
	i440bx_memory(dev, &memory);
	cr_assert_eq(memory.pam[0], 0);
	cr_assert_not(memory.locked);
	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440FX);
	cr_assert_eq(inl(b, CONFADD), 0);
	device_reset(dev, RESET_HARD);
	cr_assert_eq(b->memory_changes, changes + 1);
	bench_free(b);
}

Test(i440bx, wake_from_sleep_keeps_shadow_and_flips_again)
{
	struct bench *b = bench_new();
	struct device *dev = add_bridge(b, MIB(96));
	struct i440bx_memory before, after;
	unsigned int changes;

	seabios_unlocks(b);
	seabios_locks(b);
	i440bx_memory(dev, &before);
	changes = b->memory_changes;
	device_reset(dev, RESET_SLEEP);
	i440bx_memory(dev, &after);
	cr_assert_eq(memcmp(&before, &after, sizeof(before)), 0);
	cr_assert_eq(b->memory_changes, changes);
	cr_assert_eq(bench_config_read(b, 0, 0x67, 1), 12, "DRAM stays sized");
	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440FX);
	/* The resume path writes 10h over 10h. */
	seabios_locks(b);
	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440BX);
	bench_free(b);
}

Test(i440bx, identity_can_be_honest_from_the_start)
{
	struct bench *b = bench_new();
	struct i440bx_config config = { .bus = &b->pci,
					.memory_bytes = MIB(64),
					.no_post_identity = true };
	struct device *dev = bench_add(b, &i440bx_class, &config);

	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440BX);
	device_reset(dev, RESET_HARD);
	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440BX);
	device_reset(dev, RESET_SLEEP);
	cr_assert_eq(bench_config_read(b, 0, 0, 4), ID_440BX);
	bench_free(b);
}

Test(i440bx, smram_lock_holds_until_reset)
{
	struct bench *b = bench_new();
	struct device *dev = add_bridge(b, MIB(64));
	struct i440bx_memory memory;

	bench_config_write(b, 0, 0x72, 1, 0x4a);
	i440bx_memory(dev, &memory);
	cr_assert(memory.smram_open && memory.smram_enabled && !memory.locked);
	bench_config_write(b, 0, 0x73, 1, 0x85);
	i440bx_memory(dev, &memory);
	cr_assert(memory.smram_high);
	cr_assert_eq(memory.tseg, 4, "512 KiB");
	bench_config_write(b, 0, 0x72, 1, 0x5a);
	cr_assert_eq(bench_config_read(b, 0, 0x72, 1), 0x1a, "the lock closes");
	bench_config_write(b, 0, 0x72, 1, 0x40);
	cr_assert_eq(bench_config_read(b, 0, 0x72, 1), 0x1a);
	bench_config_write(b, 0, 0x72, 1, 0x20);
	cr_assert_eq(bench_config_read(b, 0, 0x72, 1), 0x3a, "D_CLS stays writable");
	bench_config_write(b, 0, 0x73, 1, 0x00);
	cr_assert_eq(bench_config_read(b, 0, 0x73, 1), 0xbd);
	device_reset(dev, RESET_HARD);
	cr_assert_eq(bench_config_read(b, 0, 0x72, 2), 0x3802);
	bench_free(b);
}

Test(i440bx, drb_tells_the_memory_up_to_the_chips_limit)
{
	static const struct {
		uint64_t memory_bytes;
		uint8_t drb[8];
	} rows[] = {
		{ MIB(4), { 1, 1, 1, 1, 1, 1, 1, 1 } },
		{ MIB(64), { 8, 8, 8, 8, 8, 8, 8, 8 } },
		{ MIB(96), { 8, 12, 12, 12, 12, 12, 12, 12 } },
		{ MIB(120), { 8, 12, 14, 15, 15, 15, 15, 15 } },
		{ MIB(512), { 16, 32, 48, 64, 64, 64, 64, 64 } },
		{ MIB(1000), { 16, 32, 48, 64, 80, 96, 112, 125 } },
		{ GIB(1), { 16, 32, 48, 64, 80, 96, 112, 128 } },
		{ GIB(3), { 16, 32, 48, 64, 80, 96, 112, 128 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench *b = bench_new();

		add_bridge(b, rows[i].memory_bytes);
		for (uint8_t n = 0; n < 8; n++)
			cr_assert_eq(bench_config_read(b, 0, (uint8_t)(0x60 + n), 1),
				     rows[i].drb[n], "%llu MiB, DRB%u",
				     (unsigned long long)(rows[i].memory_bytes >> 20), n);
		bench_free(b);
	}
}

Test(i440bx, confadd_takes_dwords_only)
{
	struct bench *b = bench_new();

	add_bridge(b, MIB(64));
	outl(b, CONFADD, 0xffffffff);
	cr_assert_eq(inl(b, CONFADD), 0x80fffffc);
	outl(b, CONFADD, 0x80000058);
	outb(b, CONFADD, 0x12);
	outw(b, CONFADD, 0x3456);
	cr_assert_eq(inl(b, CONFADD), 0x80000058);
	cr_assert_eq(inb(b, CONFADD), 0xff);
	cr_assert_eq(inb(b, 0xcf9), 0xff, "that port is another device's");
	bench_free(b);
}

Test(i440bx, confdata_cycles)
{
	struct bench *b = bench_new();

	add_bridge(b, MIB(64));
	cr_assert_eq(inl(b, CONFDATA), 0xffffffff, "no cycle without CONE");
	cr_assert_eq(config_in(b, 0, 0x00, 1), 0x86);
	cr_assert_eq(config_in(b, 0, 0x01, 1), 0x80);
	cr_assert_eq(config_in(b, 0, 0x02, 2), 0x1237);
	cr_assert_eq(config_in(b, PCI_DEVFN(7, 0), 0x00, 4), 0xffffffff, "nobody there");
	config_out(b, PCI_DEVFN(7, 0), 0x04, 2, 0xffff);
	outl(b, CONFADD, 0x80010000);
	cr_assert_eq(inl(b, CONFDATA), 0xffffffff, "there is no bus 1");
	outl(b, CONFADD, 0x00000058);
	outl(b, CONFDATA, 0x11111111);
	cr_assert_eq(bench_config_read(b, 0, 0x5a, 1), 0, "writes need CONE too");
	bench_free(b);
}

Test(i440bx, pm2_control_appears_with_scre)
{
	struct bench *b = bench_new();
	struct device *dev = add_bridge(b, MIB(64));

	cr_assert_eq(inb(b, 0x22), 0xff);
	bench_config_write(b, 0, 0x7a, 1, 0x40);
	outb(b, 0x22, 0xff);
	cr_assert_eq(inb(b, 0x22), 0x01);
	cr_assert_eq(bench_config_read(b, 0, 0x7a, 1), 0x42, "AGP_DIS is a strap");
	device_reset(dev, RESET_HARD);
	cr_assert_eq(inb(b, 0x22), 0xff);
	bench_free(b);
}

Test(i440bx, subsystem_ids_are_written_once)
{
	struct bench *b = bench_new();

	add_bridge(b, MIB(64));
	bench_config_write(b, 0, 0x2c, 4, 0x56781234);
	bench_config_write(b, 0, 0x2c, 4, 0xffffffff);
	cr_assert_eq(bench_config_read(b, 0, 0x2c, 4), 0x56781234);
	bench_free(b);
}

Test(i440bx, state_travels_and_a_false_one_is_refused)
{
	struct bench *b = bench_new(), *c = bench_new();
	struct device *from = add_bridge(b, MIB(64)), *to = add_bridge(c, MIB(64));
	static uint8_t stream[4096], again[4096];
	struct cursor w = cursor_writer(stream, sizeof(stream)), r;
	struct i440bx_memory sent, got;
	char error[128];
	uint8_t *did;

	seabios_unlocks(b);
	bench_config_write(b, 0, 0x7a, 1, 0x40);
	state_save(from, &w);
	cr_assert(cursor_ok(&w));
	r = cursor_reader(stream, w.pos);
	cr_assert_eq(state_load(to, &r, error, sizeof(error)), 0, "%s", error);
	to->class->post_load(to);
	i440bx_memory(from, &sent);
	i440bx_memory(to, &got);
	cr_assert_eq(memcmp(&sent, &got, sizeof(sent)), 0);
	cr_assert_eq(c->memory_changes, 1);
	cr_assert_eq(inb(c, 0x22), 0, "PM2_CTL is there again");
	r = cursor_writer(again, sizeof(again));
	state_save(to, &r);
	cr_assert_eq(r.pos, w.pos);
	cr_assert_eq(memcmp(stream, again, w.pos), 0);
	/* An identity that no bridge of ours has. */
	did = memmem(stream, w.pos, "\x86\x80\x37\x12", 4);
	cr_assert_not_null(did);
	did[2] = 0x38;
	r = cursor_reader(stream, w.pos);
	cr_assert_eq(state_load(to, &r, error, sizeof(error)), -EINVAL);
	cr_assert_eq(state_coverage(&i440bx_class), (long)i440bx_class.state_size);
	bench_free(b);
	bench_free(c);
}

Test(i440bx, rude_guest)
{
	struct bench *b = bench_new();
	struct device *dev = add_bridge(b, MIB(64));
	struct i440bx_memory memory;
	uint32_t seed = 1;

	for (unsigned int i = 0; i < 50000; i++) {
		unsigned int size = 1u << (seed >> 9) % 3;

		seed = seed * 1664525u + 1013904223u;
		if (seed >> 30 == 0)
			outl(b, CONFADD, BIT(31) | (seed >> 8 & 0xff));
		else
			io_port_write(&b->io, (uint16_t)(CONFADD + (seed >> 12) % 8), size, seed);
		io_port_read(&b->io, (uint16_t)(CONFADD + (seed >> 16) % 8), size);
		i440bx_memory(dev, &memory);
		cr_assert_not(memory.locked && memory.smram_open);
	}
	cr_assert_eq(bench_config_read(b, 0, 0, 2), 0x8086);
	bench_free(b);
}

Test(i440bx, needs_a_bus_and_its_place)
{
	struct bench *b = bench_new();
	struct i440bx_config config = { .bus = &b->pci, .memory_bytes = MIB(64) };
	struct device *dev;

	cr_assert_eq(device_new(&i440bx_class, "x", &b->env, NULL, &dev), -EINVAL);
	add_bridge(b, MIB(64));
	cr_assert_eq(device_new(&i440bx_class, "x", &b->env, &config, &dev), -EBUSY);
	bench_free(b);
}
