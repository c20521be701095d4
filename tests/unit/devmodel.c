// SPDX-License-Identifier: GPL-2.0-or-later
/* The contracts of devmodel/: registers, I/O dispatch, timers, interrupt lines, state, PCI. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"

/* --- a device with one of everything */

struct probe_sub {
	uint16_t value;
	uint8_t small;
	uint8_t other;
};

struct probe_state {
	uint64_t deadline_ns;
	uint32_t wide;
	uint16_t half;
	uint8_t low, flags;
	struct probe_sub sub[2];
	uint8_t bytes[8];
	uint16_t buffer[6000];
};

struct probe {
	struct device dev;
	struct probe_state s;
	struct vtimer timer;
	struct irq_line irq;
	unsigned int expired, writes;
	uint32_t last_old, last_value;
};

static const struct state_field probe_sub_fields[] = {
	STATE_SUBFIELD(struct probe_sub, value),
	STATE_SUBFIELD(struct probe_sub, small, .max = 3),
	STATE_SUBFIELD(struct probe_sub, other),
	STATE_END,
};

static const struct state_field probe_fields[] = {
	STATE_FIELD(struct probe, deadline_ns),
	STATE_FIELD(struct probe, wide),
	STATE_FIELD(struct probe, half),
	STATE_FIELD(struct probe, low),
	STATE_FIELD(struct probe, flags),
	STATE_STRUCTS(struct probe, sub, probe_sub_fields),
	STATE_ARRAY(struct probe, bytes),
	STATE_ARRAY(struct probe, buffer, .zeros_left_out = true),
	STATE_END,
};

static void probe_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct probe *probe = container_of(dev, struct probe, dev);

	(void)reg;
	probe->writes++;
	probe->last_old = old;
	probe->last_value = value;
}

static const struct reg probe_regs[] = {
	REG(struct probe, s.wide, 0, 4, "WIDE", 0x11223344, 0xffff0000, .on_write = probe_on_write),
	REG(struct probe, s.half, 4, 2, "HALF", 0xf00f, 0, .w1c = 0xf000, .rc = 0x000f),
	REG(struct probe, s.low, 7, 1, "LOW", 0x5a, 0x0f),
	REG_HOOKED(8, 2, "COMMAND", .on_write = probe_on_write),
};

static const struct reg_bank probe_bank = { "probe", probe_regs, ARRAY_LEN(probe_regs), 16, 0xee };

static uint32_t probe_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&probe_bank, dev, offset, size);
}

static void probe_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&probe_bank, dev, offset, size, value);
}

static void probe_expired(struct device *dev)
{
	container_of(dev, struct probe, dev)->expired++;
}

static int probe_init(struct device *dev, const void *config)
{
	struct probe *probe = container_of(dev, struct probe, dev);

	(void)config;
	timer_init(&probe->timer, dev->env->timers, dev, &probe->s.deadline_ns, probe_expired);
	return 0;
}

static void probe_reset(struct device *dev, enum reset_kind kind)
{
	(void)kind;
	reg_bank_reset(&probe_bank, dev);
}

static bool probe_check(const void *state)
{
	return ((const struct probe_state *)state)->flags != 0xff;
}

static void probe_fini(struct device *dev)
{
	timer_fini(&container_of(dev, struct probe, dev)->timer);
}

static const struct io_region_desc probe_regions[] = {
	{ .name = "probe",
	  .space = IO_PORT,
	  .base = 0x300,
	  .length = 16,
	  .read = probe_read,
	  .write = probe_write },
	{ .name = "exact",
	  .space = IO_PORT,
	  .base = 0xcf8,
	  .length = 4,
	  .flags = IO_EXACT,
	  .read = probe_read,
	  .write = probe_write },
	{ .name = "memory",
	  .space = IO_MEMORY,
	  .base = 0xfe000000,
	  .length = 16,
	  .read = probe_read,
	  .write = probe_write },
	{ .name = NULL },
};

static const struct device_class probe_class = {
	.name = "probe",
	DEVICE_STATE(struct probe),
	.regions = probe_regions,
	.fields = probe_fields,
	.init = probe_init,
	.reset = probe_reset,
	.check = probe_check,
	.fini = probe_fini,
};

static struct probe *add_probe(struct bench *b)
{
	return container_of(bench_add(b, &probe_class, NULL), struct probe, dev);
}

/* --- registers */

Test(regs, masks_and_hooks)
{
	struct bench *b = bench_new();
	struct probe *probe = add_probe(b);

	cr_assert_eq(inl(b, 0x300), 0x11223344);
	outl(b, 0x300, 0xaabbccdd);
	cr_assert_eq(inl(b, 0x300), 0xaabb3344, "only the upper half is writable");
	cr_assert_eq(probe->last_old, 0x11223344);
	cr_assert_eq(probe->last_value, 0xaabb3344);
	outb(b, 0x303, 0x01);
	cr_assert_eq(inl(b, 0x300), 0x01bb3344, "a byte of it");
	cr_assert_eq(probe->writes, 2);
	bench_free(b);
}

Test(regs, clear_on_one_and_on_read)
{
	struct bench *b = bench_new();

	add_probe(b);
	outw(b, 0x304, 0x1000);
	cr_assert_eq(inw(b, 0x304), 0xe00f);
	cr_assert_eq(inw(b, 0x304), 0xe000, "the read cleared the low bits");
	outb(b, 0x304, 0xff);
	cr_assert_eq(inw(b, 0x304), 0xe000, "bytes that are not written are not cleared");
	bench_free(b);
}

Test(regs, one_access_over_several_registers)
{
	struct bench *b = bench_new();
	struct probe *probe = add_probe(b);

	cr_assert_eq(inl(b, 0x304), 0x5aeef00f, "register, gap, register");
	outl(b, 0x305, 0x0100ff00);
	cr_assert_eq(probe->s.low, 0x50, "0x307 took its byte");
	cr_assert_eq(probe->writes, 1, "0x308 is COMMAND");
	cr_assert_eq(probe->last_value, 0x01);
	cr_assert_eq(inl(b, 0x30c), 0xeeeeeeee, "open");
	bench_free(b);
}

/* --- I/O */

Test(io, exact_regions_leave_their_ports_to_others)
{
	struct bench *b = bench_new();

	add_probe(b);
	cr_assert_eq(inl(b, 0xcf8), 0x11223344);
	cr_assert_eq(inb(b, 0xcf8), 0xff);
	cr_assert_eq(inw(b, 0xcf8), 0xffff);
	cr_assert_eq(inl(b, 0xcf9), 0xffffffff);
	bench_free(b);
}

Test(io, overlap_is_refused_and_unmapping_frees)
{
	struct bench *b = bench_new();
	struct probe *probe = add_probe(b);
	struct device *other;

	cr_assert_eq(device_new(&probe_class, "second", &b->env, NULL, &other), -EBUSY);
	cr_assert_eq(inl(b, 0x300), 0x11223344, "the first is untouched");
	device_move_region(&probe->dev, 0, 0x340);
	cr_assert_eq(inl(b, 0x300), 0xffffffff);
	cr_assert_eq(inl(b, 0x340), 0x11223344);
	device_move_region(&probe->dev, 0, 0xfff8);
	cr_assert_eq(inl(b, 0x340), 0xffffffff);
	cr_assert_eq(probe->dev.regions[0].base, IO_UNMAPPED, "it does not fit there");
	cr_assert_eq(b->guest_logs, 1);
	bench_free(b);
}

Test(io, memory_is_split_at_region_ends)
{
	struct bench *b = bench_new();
	uint8_t bytes[8];

	add_probe(b);
	io_memory_read(&b->io, 0xfe000000 - 2, bytes, 8);
	cr_assert_eq(bytes[0], 0xff);
	cr_assert_eq(get_le32(bytes + 2), 0x11223344);
	io_memory_read(&b->io, 0xfe00000c, bytes, 8);
	cr_assert_eq(get_le32(bytes), 0xeeeeeeee);
	cr_assert_eq(get_le32(bytes + 4), 0xffffffff);
	io_memory_write(&b->io, UINT64_MAX - 3, bytes, 8);
	bench_free(b);
}

Test(io, strings_without_bulk_handlers)
{
	struct bench *b = bench_new();
	uint16_t items[3];

	add_probe(b);
	io_port_read_string(&b->io, 0x300, 2, items, 3);
	cr_assert_eq(items[0], 0x3344);
	cr_assert_eq(items[2], 0x3344);
	io_port_read_string(&b->io, 0x400, 2, items, 3);
	cr_assert_eq(items[1], 0xffff);
	bench_free(b);
}

/* --- timers */

Test(timers, expire_in_order_at_their_moment)
{
	struct bench *b = bench_new();
	struct probe *probe = add_probe(b);
	uint64_t start = b->now_ns;

	timer_arm(&probe->timer, start + 1000);
	advance(b, 999);
	cr_assert_eq(probe->expired, 0);
	advance(b, 1);
	cr_assert_eq(probe->expired, 1);
	cr_assert_eq(probe->s.deadline_ns, TIMER_OFF);
	timer_arm(&probe->timer, start);
	cr_assert_eq(probe->expired, 1, "never inside timer_arm()");
	advance(b, 0);
	cr_assert_eq(probe->expired, 2);
	timer_arm(&probe->timer, b->now_ns + 10);
	timer_cancel(&probe->timer);
	advance(b, 100);
	cr_assert_eq(probe->expired, 2);
	bench_free(b);
}

static void rearm_now(struct device *dev)
{
	struct probe *probe = container_of(dev, struct probe, dev);

	probe->expired++;
	timer_arm(&probe->timer, 0);
}

Test(timers, one_that_rearms_for_ever_does_not_hang)
{
	struct bench *b = bench_new();
	struct probe *probe = add_probe(b);

	probe->timer.expired = rearm_now;
	timer_arm(&probe->timer, 0);
	timer_queue_run(&b->timers, b->now_ns);
	cr_assert_eq(probe->expired, 64);
	timer_cancel(&probe->timer);
	bench_free(b);
}

/* --- interrupt lines */

static unsigned int sink_calls;
static bool sink_level;

static void sink(void *opaque, unsigned int n, bool level)
{
	(void)opaque;
	(void)n;
	sink_calls++;
	sink_level = level;
}

Test(irq, shared_lines_are_a_wired_or)
{
	struct irq_hub hub = { .sink = sink };
	struct irq_line first = { 0 }, second = { 0 };

	sink_calls = 0;
	irq_set(&second, true);
	irq_connect(&first, irq_hub_set, &hub, 10);
	irq_connect(&second, irq_hub_set, &hub, 10);
	cr_assert_eq(sink_calls, 1, "a line that is high when it is connected counts");
	irq_set(&first, true);
	irq_set(&first, true);
	irq_set(&second, false);
	cr_assert_eq(sink_calls, 1);
	irq_set(&first, false);
	cr_assert_eq(sink_calls, 2);
	cr_assert_not(sink_level);
}

/* --- state */

static size_t save(struct device *dev, uint8_t *buffer, size_t size)
{
	struct cursor c = cursor_writer(buffer, size);

	state_save(dev, &c);
	cr_assert(cursor_ok(&c));
	return c.pos;
}

Test(state, round_trip_and_coverage)
{
	struct bench *b = bench_new();
	struct probe *probe = add_probe(b);
	uint8_t first[1024], second[1024];
	struct probe_state before;
	char error[128];
	size_t size;
	struct cursor c;

	cr_assert_eq(state_coverage(&probe_class), (long)sizeof(struct probe_state));
	probe->s.sub[1].value = 0x1234;
	probe->s.bytes[7] = 9;
	size = save(&probe->dev, first, sizeof(first));
	before = probe->s;
	probe->s.sub[1].value = 0;
	probe->s.wide = 0;
	c = cursor_reader(first, size);
	cr_assert_eq(state_load(&probe->dev, &c, error, sizeof(error)), 0);
	cr_assert(!memcmp(&before, &probe->s, sizeof(before)));
	cr_assert_eq(save(&probe->dev, second, sizeof(second)), size);
	cr_assert(!memcmp(first, second, size));
	bench_free(b);
}

Test(state, zeros_at_the_end_of_a_buffer_are_left_out)
{
	static const unsigned int used[] = { 0, 1, 300, 2048, 2049, 5999, 6000 };
	struct bench *b = bench_new();
	struct probe *probe = add_probe(b);
	static uint8_t stream[16384];
	size_t empty = save(&probe->dev, stream, sizeof(stream)), size;
	char error[128];
	struct cursor c;

	for (unsigned int i = 0; i < ARRAY_LEN(used); i++) {
		memset(probe->s.buffer, 0, sizeof(probe->s.buffer));
		if (used[i])
			probe->s.buffer[used[i] - 1] = 0x100; /* its first byte is 0 */
		size = save(&probe->dev, stream, sizeof(stream));
		cr_assert_eq(size, empty + 2 * used[i], "%u", used[i]);
		/* Whatever was there before is gone. */
		memset(probe->s.buffer, 0xaa, sizeof(probe->s.buffer));
		c = cursor_reader(stream, size);
		cr_assert_eq(state_load(&probe->dev, &c, error, sizeof(error)), 0, "%s", error);
		for (unsigned int n = 0; n < ARRAY_LEN(probe->s.buffer); n++)
			cr_assert_eq(probe->s.buffer[n], n + 1 == used[i] ? 0x100 : 0, "%u", n);
	}
	bench_free(b);
}

Test(state, hostile_streams_change_nothing)
{
	struct bench *b = bench_new();
	struct probe *probe = add_probe(b);
	uint8_t good[1024], bad[1024];
	struct probe_state before;
	char error[128];
	size_t size, cut;
	struct cursor c;
	uint8_t *at;

	size = save(&probe->dev, good, sizeof(good));
	before = probe->s;
	for (cut = 0; cut < size; cut++) {
		c = cursor_reader(good, cut);
		cr_assert_eq(state_load(&probe->dev, &c, error, sizeof(error)), -EINVAL, "%zu",
			     cut);
	}
	memcpy(bad, good, size);
	at = memmem(bad, size, "sub.1.small", 11);
	at[11 + 5] = 4;
	c = cursor_reader(bad, size);
	cr_assert_eq(state_load(&probe->dev, &c, error, sizeof(error)), -EINVAL);
	cr_assert_str_eq(error, "field sub.1.small is out of range");
	memcpy(bad, good, size);
	at = memmem(bad, size, "flags", 5);
	at[5 + 5] = 0xff;
	c = cursor_reader(bad, size);
	cr_assert_eq(state_load(&probe->dev, &c, error, sizeof(error)), -EINVAL, "check() refuses");
	memcpy(bad, good, size);
	at = memmem(bad, size, "wide", 4);
	at[0] = 'x';
	c = cursor_reader(bad, size);
	cr_assert_eq(state_load(&probe->dev, &c, error, sizeof(error)), -EINVAL);
	cr_assert_str_eq(error, "field xide is not known");
	cr_assert(!memcmp(&before, &probe->s, sizeof(before)));
	bench_free(b);
}

/* --- PCI */

struct card_state {
	uint8_t config[PCI_CONFIG_SIZE];
};

struct card {
	struct pci_function pci;
	struct card_state s;
};

static const struct reg card_regs[] = {
	PCI_COMMON_ROWS(struct card, 0x1234, 0x5678, 0, 0x0007, 0x0280, 0xf900, 1, 0x020000, 0xf8,
			0),
	PCI_ROW(struct card, 0x10, 4, "CBIO", 1, 0xffffff80, .on_write = pci_on_decode),
	PCI_ROW(struct card, 0x14, 4, "CBMA", 0, 0xffffff80, .on_write = pci_on_decode),
	PCI_ROW(struct card, 0x3c, 1, "INTLN", 0, 0xff),
	PCI_ROW(struct card, 0x3d, 1, "INTPN", 1, 0),
};

static const struct reg_bank card_bank = { "card", card_regs, ARRAY_LEN(card_regs), 256, 0 };

static uint32_t card_read(struct device *dev, uint32_t offset, unsigned int size)
{
	(void)dev;
	(void)size;
	return 0xc0 + offset;
}

static const struct io_region_desc card_regions[] = {
	{ .name = "ports",
	  .space = IO_PORT,
	  .base = IO_UNMAPPED,
	  .length = 128,
	  .read = card_read },
	{ .name = "memory",
	  .space = IO_MEMORY,
	  .base = IO_UNMAPPED,
	  .length = 128,
	  .read = card_read },
	{ .name = NULL },
};

static const struct pci_bar card_bars[] = { { 0x10, 0 }, { 0x14, 1 }, { 0, 0 } };

static const struct pci_class card_pci = {
	.config = &card_bank,
	.config_offset = offsetof(struct card, s.config),
	.bars = card_bars,
};

static const struct state_field card_fields[] = {
	STATE_ARRAY(struct card, config),
	STATE_END,
};

struct card_config {
	struct pci_bus *bus;
	uint8_t devfn;
};

static int card_init(struct device *dev, const void *config)
{
	const struct card_config *card_config = config;

	return pci_attach(container_of(dev, struct pci_function, dev), card_config->bus,
			  card_config->devfn);
}

static void card_reset(struct device *dev, enum reset_kind kind)
{
	pci_reset(container_of(dev, struct pci_function, dev), kind);
}

static void card_fini(struct device *dev)
{
	pci_detach(container_of(dev, struct pci_function, dev));
}

static const struct device_class card_class = {
	.name = "card",
	DEVICE_STATE(struct card),
	.regions = card_regions,
	.fields = card_fields,
	.pci = &card_pci,
	.init = card_init,
	.reset = card_reset,
	.fini = card_fini,
};

static struct card *add_card(struct bench *b, uint8_t devfn)
{
	struct card_config config = { &b->pci, devfn };

	return container_of(bench_add(b, &card_class, &config), struct card, pci.dev);
}

Test(pci, sizing_and_decoding)
{
	struct bench *b = bench_new();
	uint8_t devfn = PCI_DEVFN(3, 0), byte;

	add_card(b, devfn);
	cr_assert_eq(bench_config_read(b, devfn, 0, 4), 0x56781234);
	cr_assert_eq(bench_config_read(b, PCI_DEVFN(4, 0), 0, 4), 0xffffffff);
	bench_config_write(b, devfn, 0x10, 4, 0xffffffff);
	cr_assert_eq(bench_config_read(b, devfn, 0x10, 4), 0xffffff81, "128 ports");
	bench_config_write(b, devfn, 4, 2, 3);
	cr_assert_eq(inb(b, 0xff80), 0xff, "a sizing probe is mapped nowhere");
	bench_config_write(b, devfn, 0x10, 4, 0xc001);
	cr_assert_eq(inb(b, 0xc005), 0xc5);
	bench_config_write(b, devfn, 0x14, 4, 0xfebf0000);
	io_memory_read(&b->io, 0xfebf0001, &byte, 1);
	cr_assert_eq(byte, 0xc1);
	bench_config_write(b, devfn, 4, 2, 2);
	cr_assert_eq(inb(b, 0xc005), 0xff, "I/O space is off");
	bench_free(b);
}

Test(pci, busmaster_bit_gates_dma)
{
	struct bench *b = bench_new();
	struct card *card = add_card(b, PCI_DEVFN(3, 0));
	uint8_t byte = 1;

	cr_assert_eq(pci_dma_write(&card->pci, 0, &byte, 1), -EACCES);
	cr_assert_null(pci_dma_map(&card->pci, 0, 1));
	bench_config_write(b, PCI_DEVFN(3, 0), 4, 2, 4);
	cr_assert_eq(pci_dma_write(&card->pci, 0, &byte, 1), 0);
	cr_assert_eq(pci_dma_write(&card->pci, BENCH_RAM_BYTES, &byte, 1), -EFAULT);
	bench_free(b);
}

Test(pci, interrupt_pins_rotate_and_share)
{
	struct bench *b = bench_new();
	struct card *first = add_card(b, PCI_DEVFN(1, 0));
	struct card *fifth = add_card(b, PCI_DEVFN(5, 0));
	struct card *second = add_card(b, PCI_DEVFN(2, 0));

	pci_set_intx(&first->pci, true);
	cr_assert(b->pirq[0]);
	pci_set_intx(&fifth->pci, true);
	pci_set_intx(&first->pci, false);
	cr_assert(b->pirq[0], "slot 5 still pulls it");
	pci_set_intx(&second->pci, true);
	cr_assert(b->pirq[1]);
	device_reset(&fifth->pci.dev, RESET_HARD);
	cr_assert_not(b->pirq[0]);
	bench_free(b);
}
