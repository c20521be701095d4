// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What every device class gets from its tables: reset values, write masks, clear-on-one and
 * clear-on-read bits, accesses of all widths and places, and saved states good and bad. A new class
 * needs nothing here, but a row in tests/lib/class_setup.c when its default configuration wants
 * something of a board.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bench.h"
#include "../lib/class_setup.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"

#define CLASSES_MAX 64
#define STREAM_MAX (1u << 20)
#define RANDOM_ACCESSES 10000

/* Registers that tell about the configuration. */
static const struct exception {
	const char *class;
	const char *name; /* or how it begins */
	const char *why;
} exceptions[] = {
	{ "i440bx", "DRB", "tell the memory's size" },
	{ "piix4_ide", "BMIS", "tell which drives are there" },
};

static bool excepted(const struct device_class *class, const struct reg *reg)
{
	for (unsigned int i = 0; i < ARRAY_LEN(exceptions); i++) {
		const struct exception *e = &exceptions[i];

		if (!strcmp(e->class, class->name) && !strncmp(e->name, reg->name, strlen(e->name)))
			return true;
	}
	return false;
}

/* --- random numbers, the same each time */

static uint32_t random_next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

/* --- one run for each class */

static unsigned int class_index[CLASSES_MAX];

static struct criterion_test_params all_classes(void)
{
	unsigned int count = 0;

	for (; device_classes[count]; count++) {
		cr_assert_lt(count, CLASSES_MAX);
		class_index[count] = count;
	}
	return cr_make_param_array(unsigned int, class_index, count);
}

#define EACH_CLASS(name)                                                                           \
	ParameterizedTestParameters(classes, name)                                                 \
	{                                                                                          \
		return all_classes();                                                              \
	}                                                                                          \
	static void name(const struct device_class *class);                                        \
	ParameterizedTest(const unsigned int *index, classes, name)                                \
	{                                                                                          \
		name(device_classes[*index]);                                                      \
	}                                                                                          \
	static void name(const struct device_class *class)

#define EACH_REG(class, bank, reg)                                                                 \
	for (const struct reg_bank *const *bank = (class)->banks; bank && *bank; bank++)           \
		for (const struct reg *reg = (*bank)->regs; reg < (*bank)->regs + (*bank)->count;  \
		     reg++)

/* --- tables */

Test(classes, are_sorted_and_found)
{
	for (unsigned int i = 0; device_classes[i]; i++) {
		const char *name = device_classes[i]->name;

		cr_assert(!i || strcmp(device_classes[i - 1]->name, name) < 0, "%s", name);
		cr_assert_eq(device_class_find(name), device_classes[i]);
		cr_assert_not_null(device_classes[i]->summary, "%s", name);
	}
	cr_assert_null(device_class_find("no such class"));
}

EACH_CLASS(register_tables_are_sound)
{
	EACH_REG(class, bank, reg)
	{
		uint32_t width = mask32(reg->width * 8u);
		bool first = reg == (*bank)->regs;

		cr_assert(reg->width == 1 || reg->width == 2 || reg->width == 4, "%s %s",
			  class->name, reg->name);
		cr_assert_not_null(reg->name, "%s %s", class->name, (*bank)->name);
		cr_assert(first || reg[-1].offset + reg[-1].width <= reg->offset,
			  "%s %s: %s overlaps", class->name, (*bank)->name, reg->name);
		cr_assert_leq(reg->offset + reg->width, (*bank)->size, "%s %s", class->name,
			      reg->name);
		cr_assert_eq((reg->reset | reg->writable | reg->w1c | reg->rc | reg->command) &
				     ~width,
			     0, "%s %s: bits beyond the width", class->name, reg->name);
		cr_assert_eq(reg->writable & reg->w1c, 0, "%s %s: written or cleared?", class->name,
			     reg->name);
		cr_assert_eq(reg->command & (reg->writable | reg->w1c), 0,
			     "%s %s: kept or acted upon?", class->name, reg->name);
		if (reg->storage == REG_NO_STORAGE)
			continue;
		cr_assert(reg->storage >= class->state_offset &&
				  reg->storage + reg->width <=
					  class->state_offset + class->state_size,
			  "%s %s is stored outside the state", class->name, reg->name);
	}
}

EACH_CLASS(fields_cover_the_state)
{
	cr_assert_eq(state_coverage(class), (long)class->state_size, "%s: %ld of %u bytes",
		     class->name, state_coverage(class), class->state_size);
}

/* --- registers */

EACH_CLASS(registers_reset_to_their_table)
{
	struct bench *b = bench_new();
	struct device *dev = class_setup(b, class);

	EACH_REG(class, bank, reg)
	{
		if (reg->storage != REG_NO_STORAGE && !excepted(class, reg))
			cr_assert_eq(reg_load(dev, reg), reg->reset, "%s %s: %x, table %x",
				     class->name, reg->name, reg_load(dev, reg), reg->reset);
	}
	bench_free(b);
}

static void write_all(const struct reg_bank *bank, struct device *dev, const struct reg *reg,
		      uint32_t value)
{
	reg_bank_write(bank, dev, reg->offset, reg->width, value);
}

EACH_CLASS(writes_reach_writable_bits_only)
{
	struct bench *b = bench_new();
	struct device *dev = class_setup(b, class);

	EACH_REG(class, bank, reg)
	{
		if (reg->storage == REG_NO_STORAGE || excepted(class, reg))
			continue;
		for (unsigned int bit = 0; bit < reg->width * 8u; bit++) {
			uint32_t old;

			device_reset(dev, RESET_POWER);
			write_all(*bank, dev, reg, 0);
			old = reg_load(dev, reg) & ~reg->writable & ~reg->w1c;
			write_all(*bank, dev, reg, BIT(bit));
			/* Status bits may rise by what the write sets off, but not as written. */
			cr_assert_eq(reg_load(dev, reg) & ~reg->w1c & ~reg->rc,
				     (old | (BIT(bit) & reg->writable)) & ~reg->rc,
				     "%s %s bit %u: %x", class->name, reg->name, bit,
				     reg_load(dev, reg));
		}
	}
	bench_free(b);
}

EACH_CLASS(bits_clear_by_one_or_by_reading)
{
	struct bench *b = bench_new();
	struct device *dev = class_setup(b, class);

	EACH_REG(class, bank, reg)
	{
		uint32_t bits = reg->w1c | reg->rc;

		if (reg->storage == REG_NO_STORAGE || !bits)
			continue;
		device_reset(dev, RESET_POWER);
		for (unsigned int bit = 0; bit < reg->width * 8u; bit++) {
			if (!(reg->w1c & BIT(bit)))
				continue;
			reg_store(dev, reg, reg_load(dev, reg) | bits);
			write_all(*bank, dev, reg, reg->reset & reg->writable);
			cr_assert_eq(reg_load(dev, reg) & bits, bits, "%s %s: zeros clear nothing",
				     class->name, reg->name);
			write_all(*bank, dev, reg, BIT(bit) | (reg->reset & reg->writable));
			cr_assert_eq(reg_load(dev, reg) & bits, bits & ~BIT(bit), "%s %s bit %u",
				     class->name, reg->name, bit);
		}
		if (!reg->rc)
			continue;
		reg_store(dev, reg, reg_load(dev, reg) | bits);
		reg_bank_read(*bank, dev, reg->offset, reg->width);
		cr_assert_eq(reg_load(dev, reg) & bits, bits & ~reg->rc, "%s %s", class->name,
			     reg->name);
	}
	bench_free(b);
}

/* --- accesses */

/* Shows regions that only a base address register would place. */
static void show_regions(struct device *dev)
{
	for (unsigned int i = 0; i < DEVICE_REGIONS_MAX && dev->regions[i].desc; i++) {
		bool port = dev->regions[i].desc->space == IO_PORT;

		if (dev->regions[i].base == IO_UNMAPPED)
			device_move_region(dev, i, (port ? 0xa000 : 0xe0000000) + i * 0x800u);
	}
}

static uint32_t access_region(struct bench *b, const struct io_region *region, uint32_t offset,
			      unsigned int size, bool write, uint32_t value)
{
	uint64_t at = region->base + offset;

	if (region->base == IO_UNMAPPED)
		return 0;
	if (region->desc->space == IO_PORT) {
		if (!write)
			return io_port_read(&b->io, (uint16_t)at, size);
		io_port_write(&b->io, (uint16_t)at, size, value);
	} else if (write) {
		io_memory_write(&b->io, at, &value, size);
	} else {
		io_memory_read(&b->io, at, &value, size);
	}
	return value;
}

EACH_CLASS(regions_take_every_width_everywhere)
{
	static const uint32_t patterns[] = { 0, UINT32_MAX, 0x55aa33cc };
	struct bench *b = bench_new();
	struct device *dev = class_setup(b, class);

	show_regions(dev);
	for (unsigned int i = 0; i < DEVICE_REGIONS_MAX && dev->regions[i].desc; i++) {
		uint32_t length = dev->regions[i].desc->length;
		uint32_t step = length > 4096 ? length / 4096 * 2 + 1 : 1;

		for (uint32_t offset = 0; offset < length; offset += step) {
			for (unsigned int size = 1; size <= 4; size *= 2) {
				for (unsigned int p = 0; p < ARRAY_LEN(patterns); p++) {
					access_region(b, &dev->regions[i], offset, size, true,
						      patterns[p]);
					access_region(b, &dev->regions[i], offset, size, false, 0);
				}
			}
		}
	}
	advance(b, NSEC_PER_SEC);
	bench_free(b);
}

static void random_access(struct bench *b, struct device *dev, uint64_t *seed)
{
	unsigned int count = 0, size = 1u << random_next(seed) % 3;
	bool write = random_next(seed) & 1;
	uint32_t value = random_next(seed) << (random_next(seed) & 7 ? 0 : 16);
	struct io_region *region;

	while (count < DEVICE_REGIONS_MAX && dev->regions[count].desc)
		count++;
	if (dev->class->pci && random_next(seed) % 4 == 0) {
		uint8_t devfn = ((struct pci_function *)(void *)dev)->devfn;
		uint8_t offset = (uint8_t)(random_next(seed) & 0xff & ~(size - 1));

		if (write)
			bench_config_write(b, devfn, offset, size, value);
		else
			bench_config_read(b, devfn, offset, size);
	} else if (count) {
		region = &dev->regions[random_next(seed) % count];
		access_region(b, region, random_next(seed) % region->desc->length, size, write,
			      value);
	}
	if (random_next(seed) % 8 == 0)
		advance(b, random_next(seed) % (4 * NSEC_PER_MSEC));
}

/* --- saved states */

struct stream {
	uint8_t *bytes;
	size_t size;
};

static struct stream save(const struct device *dev)
{
	struct stream stream = { malloc(STREAM_MAX), 0 };
	struct cursor to;

	cr_assert_not_null(stream.bytes);
	to = cursor_writer(stream.bytes, STREAM_MAX);
	state_save(dev, &to);
	cr_assert(cursor_ok(&to), "%s: the state is larger than the test's buffer",
		  dev->class->name);
	stream.size = to.pos;
	return stream;
}

static int load(struct device *dev, const uint8_t *bytes, size_t size)
{
	struct cursor from = cursor_reader(bytes, size);
	char error[256] = "";
	int r = state_load(dev, &from, error, sizeof(error));

	cr_assert((r == 0) == !error[0], "%s: an error says why", dev->class->name);
	if (r == 0 && dev->class->post_load)
		dev->class->post_load(dev);
	timer_queue_changed(dev->env->timers);
	return r;
}

/* Another machine at the same moment, with a fresh device. */
static struct bench *twin_of(const struct bench *b, const struct device_class *class,
			     struct device **ret_dev)
{
	struct bench *twin = bench_new();

	twin->now_ns = b->now_ns;
	twin->wall_clock_s = b->wall_clock_s;
	memcpy(twin->ram, b->ram, BENCH_RAM_BYTES);
	*ret_dev = class_setup(twin, class);
	return twin;
}

static void assert_same_after_load(struct bench *b, struct device *dev, const char *when)
{
	struct stream saved = save(dev), again;
	struct device *copy;
	struct bench *twin = twin_of(b, dev->class, &copy);

	cr_assert_eq(load(copy, saved.bytes, saved.size), 0, "%s %s: its own state is refused",
		     dev->class->name, when);
	again = save(copy);
	cr_assert_eq(saved.size, again.size);
	cr_assert_eq(memcmp(saved.bytes, again.bytes, saved.size), 0, "%s %s: another state",
		     dev->class->name, when);
	cr_assert_eq(memcmp(b->irq, twin->irq, sizeof(b->irq)), 0, "%s %s: interrupt lines",
		     dev->class->name, when);
	cr_assert_eq(memcmp(b->pirq, twin->pirq, sizeof(b->pirq)), 0, "%s %s: PIRQ lines",
		     dev->class->name, when);
	free(saved.bytes);
	free(again.bytes);
	bench_free(twin);
}

EACH_CLASS(state_survives_saving_and_loading)
{
	uint64_t seed = 1;
	struct bench *b = bench_new();
	struct device *dev = class_setup(b, class);

	assert_same_after_load(b, dev, "at reset");
	for (unsigned int i = 1; i <= RANDOM_ACCESSES; i++) {
		random_access(b, dev, &seed);
		if (i % 1000 == 0)
			assert_same_after_load(b, dev, "after random accesses");
	}
	device_reset(dev, RESET_HARD);
	assert_same_after_load(b, dev, "after a hard reset");
	bench_free(b);
}

/* The row of the field that the stream calls @name. */
static const struct state_field *find_field(const struct state_field *table, const char *name)
{
	for (; table->name; table++) {
		size_t length = strlen(table->name);

		if (!table->table && !strcmp(table->name, name))
			return table;
		if (table->table && !strncmp(table->name, name, length) && name[length] == '.')
			return find_field(table->table, strchr(name + length + 1, '.') + 1);
	}
	return NULL;
}

static void assert_refused(struct device *dev, const uint8_t *bytes, size_t size, const char *what,
			   const char *name)
{
	struct stream before = save(dev), after;

	cr_assert_lt(load(dev, bytes, size), 0, "%s: %s %s", dev->class->name, what, name);
	after = save(dev);
	cr_assert_eq(memcmp(before.bytes, after.bytes, before.size), 0, "%s changed by a bad state",
		     dev->class->name);
	free(before.bytes);
	free(after.bytes);
}

/* Corrupts one field of a good stream in each way that the loader must see. */
static size_t corrupt_field(struct device *dev, struct stream good, size_t pos)
{
	char name[256];
	uint8_t length = good.bytes[pos], size = good.bytes[pos + 1 + length];
	uint8_t *value = good.bytes + pos + 1 + length + 1 + 4;
	uint32_t count = get_le32(value - 4);
	const struct state_field *field;

	memcpy(name, good.bytes + pos + 1, length);
	name[length] = 0;
	field = find_field(dev->class->fields, name);
	cr_assert_not_null(field, "%s: %s", dev->class->name, name);

	good.bytes[pos + 1] ^= 0x80;
	assert_refused(dev, good.bytes, good.size, "unknown field", name);
	good.bytes[pos + 1] ^= 0x80;
	good.bytes[pos + 1 + length] ^= 0x08;
	assert_refused(dev, good.bytes, good.size, "other element size of", name);
	good.bytes[pos + 1 + length] ^= 0x08;
	put_le32(value - 4, count + 1);
	assert_refused(dev, good.bytes, good.size, "other length of", name);
	put_le32(value - 4, count);
	if (field->max && (size == 8 || field->max < BIT64(size * 8) - 1)) {
		uint64_t kept = get_le(value, size);

		put_le(value, size, field->max + 1);
		assert_refused(dev, good.bytes, good.size, "too large a value of", name);
		put_le(value, size, kept);
	}
	return pos + 1 + length + 1 + 4 + (size_t)size * count;
}

EACH_CLASS(bad_states_are_refused_and_change_nothing)
{
	struct bench *b = bench_new();
	struct device *dev = class_setup(b, class);
	struct stream good = save(dev);
	size_t step = good.size / 400 + 1;

	for (size_t size = 0; size < good.size; size += step)
		assert_refused(dev, good.bytes, size, "truncated", "stream");
	assert_refused(dev, good.bytes, good.size - 1, "truncated", "stream");
	for (size_t pos = 4; pos < good.size;)
		pos = corrupt_field(dev, good, pos);
	cr_assert_eq(load(dev, good.bytes, good.size), 0, "%s: the stream was restored",
		     class->name);
	free(good.bytes);
	bench_free(b);
}

/* Where the field after that at @pos begins. */
static size_t next_field(struct stream stream, size_t pos)
{
	uint8_t length = stream.bytes[pos], size = stream.bytes[pos + 1 + length];

	return pos + 1 + length + 1 + 4 + (size_t)size * get_le32(stream.bytes + pos + 2 + length);
}

/* The last field of @good first. */
static struct stream reversed(struct stream good)
{
	struct stream other = { malloc(good.size), good.size };
	size_t to = good.size;

	cr_assert_not_null(other.bytes);
	memcpy(other.bytes, good.bytes, 4);
	for (size_t pos = 4, next; pos < good.size; pos = next) {
		next = next_field(good, pos);
		to -= next - pos;
		memcpy(other.bytes + to, good.bytes + pos, next - pos);
	}
	cr_assert_eq(to, 4u);
	return other;
}

EACH_CLASS(fields_come_in_any_order)
{
	uint64_t seed = 3;
	struct bench *b = bench_new(), *twin;
	struct device *dev = class_setup(b, class), *copy;
	struct stream good, other, again;

	for (unsigned int i = 0; i < 300; i++)
		random_access(b, dev, &seed);
	good = save(dev);
	other = reversed(good);
	twin = twin_of(b, class, &copy);
	cr_assert_eq(load(copy, other.bytes, other.size), 0, "%s", class->name);
	again = save(copy);
	cr_assert_eq(again.size, good.size);
	cr_assert_eq(memcmp(again.bytes, good.bytes, good.size), 0, "%s", class->name);
	free(good.bytes);
	free(other.bytes);
	free(again.bytes);
	bench_free(twin);
	bench_free(b);
}

/* Whether @class has fields of all the names in @stream. */
static bool knows_all(const struct device_class *class, struct stream stream)
{
	for (size_t pos = 4; pos < stream.size; pos = next_field(stream, pos)) {
		char name[256] = "";

		memcpy(name, stream.bytes + pos + 1, stream.bytes[pos]);
		if (!find_field(class->fields, name))
			return false;
	}
	return true;
}

EACH_CLASS(states_of_other_classes_are_refused)
{
	struct bench *b = bench_new();
	struct device *dev = class_setup(b, class);

	for (unsigned int i = 0; device_classes[i]; i++) {
		struct bench *others = bench_new();
		struct stream foreign = save(class_setup(others, device_classes[i]));

		if (device_classes[i] != class && !knows_all(class, foreign))
			assert_refused(dev, foreign.bytes, foreign.size, "state of",
				       device_classes[i]->name);
		free(foreign.bytes);
		bench_free(others);
	}
	bench_free(b);
}

/* A state that passes the checks may be absurd, but the device must live with it. */
EACH_CLASS(absurd_states_do_no_harm)
{
	uint64_t seed = 2;
	struct bench *b = bench_new();
	struct device *dev = class_setup(b, class);
	struct stream good = save(dev);
	uint8_t *bad = malloc(good.size);

	cr_assert_not_null(bad);
	for (unsigned int round = 0; round < 300; round++) {
		memcpy(bad, good.bytes, good.size);
		for (unsigned int i = 0; i <= round % 8; i++) {
			size_t at = 4 + random_next(&seed) % (good.size - 4);

			bad[at] = round & 1 ? 0xff : (uint8_t)random_next(&seed);
		}
		if (load(dev, bad, good.size) < 0)
			continue;
		for (unsigned int i = 0; i < 50; i++)
			random_access(b, dev, &seed);
		device_reset(dev, RESET_POWER);
	}
	free(bad);
	free(good.bytes);
	bench_free(b);
}
