// SPDX-License-Identifier: GPL-2.0-or-later
#include "play.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/input.h"

#define TIME_NS (4 * NSEC_PER_SEC)
#define STRING_ITEMS_MAX 512u
#define STREAM_BYTES (256u << 10)
#define PCI_PORTS 0xc000u
#define PCI_MEMORY 0xe0000000u

/* The bytes not yet played. */
struct script {
	const uint8_t *at, *end;
	bool over;
};

static uint32_t take(struct script *script, unsigned int bytes)
{
	uint32_t value = 0;

	if ((size_t)(script->end - script->at) < bytes) {
		script->over = true;
		script->at = script->end;
		return 0;
	}
	value = (uint32_t)get_le(script->at, bytes == 3 ? 2 : bytes);
	script->at += bytes;
	return value;
}

static unsigned int take_size(struct script *script)
{
	return 1u << take(script, 1) % 3;
}

/* --- a guest's accesses */

/* Some place in some region of some device; NULL: there is none. */
static const struct io_region *take_place(struct play *play, struct script *script,
					  uint32_t *ret_offset)
{
	unsigned int device = take(script, 1), region = take(script, 1);
	uint32_t offset = take(script, 2);
	struct bench *b = play->b;
	struct device *dev = b->devices[device % b->device_count];
	unsigned int count = 0;

	while (count < DEVICE_REGIONS_MAX && dev->regions[count].desc)
		count++;
	if (!count)
		return NULL;
	*ret_offset = offset % dev->regions[region % count].desc->length;
	return &dev->regions[region % count];
}

static void op_write(struct play *play, struct script *script)
{
	uint32_t offset = 0;
	const struct io_region *region = take_place(play, script, &offset);
	unsigned int size = take_size(script);
	uint32_t value = take(script, 4);
	uint8_t bytes[4];

	if (script->over || !region || region->base == IO_UNMAPPED)
		return;
	put_le32(bytes, value);
	if (region->desc->space == IO_PORT)
		io_port_write(&play->b->io, (uint16_t)(region->base + offset), size, value);
	else
		io_memory_write(&play->b->io, region->base + offset, bytes, size);
}

static void op_read(struct play *play, struct script *script)
{
	uint32_t offset = 0;
	const struct io_region *region = take_place(play, script, &offset);
	unsigned int size = take_size(script);
	uint8_t bytes[4];

	if (script->over || !region || region->base == IO_UNMAPPED)
		return;
	if (region->desc->space == IO_PORT)
		io_port_read(&play->b->io, (uint16_t)(region->base + offset), size);
	else
		io_memory_read(&play->b->io, region->base + offset, bytes, size);
}

static void op_string(struct play *play, struct script *script)
{
	static uint8_t items[STRING_ITEMS_MAX * 4];
	uint32_t offset = 0;
	const struct io_region *region = take_place(play, script, &offset);
	unsigned int size = take_size(script);
	uint32_t count = take(script, 2), seed = take(script, 1);

	if (script->over || !region || region->base == IO_UNMAPPED ||
	    region->desc->space != IO_PORT)
		return;
	memset(items, (int)seed, sizeof(items));
	if (count & 0x8000)
		io_port_write_string(&play->b->io, (uint16_t)(region->base + offset), size, items,
				     count % STRING_ITEMS_MAX);
	else
		io_port_read_string(&play->b->io, (uint16_t)(region->base + offset), size, items,
				    count % STRING_ITEMS_MAX);
}

static void op_port(struct play *play, struct script *script)
{
	uint16_t port = (uint16_t)take(script, 2);
	unsigned int size = take_size(script);
	uint32_t value = take(script, 4);

	if (script->over)
		return;
	io_port_write(&play->b->io, port, size, value);
	io_port_read(&play->b->io, port, size);
}

static void op_pci(struct play *play, struct script *script)
{
	uint8_t devfn = (uint8_t)(take(script, 1) % 64), offset = (uint8_t)take(script, 1);
	unsigned int size = take_size(script);
	uint32_t value = take(script, 4);

	if (script->over)
		return;
	offset &= (uint8_t) ~(size - 1);
	bench_config_write(play->b, devfn, offset, size, value);
	bench_config_read(play->b, devfn, offset, size);
}

/* What descriptors and packets for a device's DMA are made of. */
static void op_memory(struct play *play, struct script *script)
{
	uint32_t gpa = take(script, 2) * 16, count = take(script, 1) % 64;

	for (uint32_t i = 0; i < count && !script->over; i++)
		play->b->ram[gpa + i] = (uint8_t)take(script, 1);
}

/* --- the world around */

static void op_time(struct play *play, struct script *script)
{
	uint64_t ns = (uint64_t)take(script, 1) << take(script, 1) % 24;

	ns = min_u64(ns, play->time_left_ns);
	play->time_left_ns -= ns;
	advance(play->b, ns);
}

static void op_disk(struct play *play, struct script *script)
{
	static const int errors[] = { 0, -EIO, -ENOSPC, -EROFS, -ECANCELED, -ENOMEDIUM };
	unsigned int which = take(script, 1), how = take(script, 1);
	struct bench *b = play->b;

	if (!script->over && b->disk_count) {
		b->disks[which % b->disk_count]->fail_with = errors[how % ARRAY_LEN(errors)];
		b->disks[which % b->disk_count]->read_only = how & 0x80;
	}
	bench_complete_block(b);
}

static void op_peer(struct play *play, struct script *script)
{
	struct bench_chario *peer = &play->charios[take(script, 1) % PLAY_CHARIOS];
	uint32_t how = take(script, 1);
	uint8_t bytes[64];

	if (!peer->chario.dev)
		return;
	memset(bytes, (int)take(script, 1), sizeof(bytes));
	peer->out_count = 0;
	peer->accept = how & 0x80 ? how & 7 : SIZE_MAX;
	if (peer->accept && peer->chario.dev_ops->tx_ready)
		peer->chario.dev_ops->tx_ready(peer->chario.dev);
	if ((how & 0x60) == 0x60 && peer->chario.dev_ops->connected)
		peer->chario.dev_ops->connected(peer->chario.dev, how & 1);
	bench_chario_feed(peer, bytes, how % sizeof(bytes));
}

static void op_input(struct play *play, struct script *script)
{
	uint32_t kind = take(script, 1), a = take(script, 1), c = take(script, 1);

	if (!play->input || script->over)
		return;
	switch (kind % 4) {
	case 0:
		input_key(play->input, (uint8_t)a, c & 1);
		break;
	case 1:
		input_release_all(play->input);
		break;
	default:
		input_move(play->input, (int8_t)a * (kind & 0x80 ? 1 << 20 : 1), (int8_t)c,
			   (int8_t)(kind >> 2), kind >> 3);
		break;
	}
}

static void reset_all(struct bench *b, enum reset_kind kind)
{
	for (unsigned int i = 0; i < b->device_count; i++)
		device_reset(b->devices[i], kind);
	timer_queue_changed(&b->timers);
}

static void op_reset(struct play *play, struct script *script)
{
	static const enum reset_kind kinds[] = { RESET_HARD, RESET_POWER, RESET_SLEEP };

	reset_all(play->b, kinds[take(script, 1) % ARRAY_LEN(kinds)]);
}

/*
 * A device is saved, damaged or not, and loaded again. A whole state loads, and saves as the same
 * bytes; a damaged one loads or is refused.
 */
static void op_state(struct play *play, struct script *script)
{
	static uint8_t stream[STREAM_BYTES], again[STREAM_BYTES];
	struct device *dev = play->b->devices[take(script, 1) % play->b->device_count];
	uint32_t at = take(script, 2), flip = take(script, 1);
	struct cursor to = cursor_writer(stream, sizeof(stream)), from;
	char error[128];
	size_t size;
	int r;

	state_save(dev, &to);
	if (script->over || !cursor_ok(&to))
		return;
	size = to.pos;
	stream[at % size] ^= (uint8_t)flip;
	/* What is under way belongs to the state that goes. */
	bench_complete_block(play->b);
	from = cursor_reader(stream, size);
	r = state_load(dev, &from, error, sizeof(error));
	if (r < 0) {
		if (!flip)
			abort();
		return;
	}
	if (!flip) {
		to = cursor_writer(again, sizeof(again));
		state_save(dev, &to);
		if (to.pos != size || memcmp(stream, again, size) != 0)
			abort();
	}
	if (dev->class->post_load)
		dev->class->post_load(dev);
	timer_queue_changed(&play->b->timers);
}

static void (*const operations[])(struct play *play, struct script *script) = {
	op_write, op_read, op_time, op_string, op_memory, op_pci,
	op_disk,  op_peer, op_port, op_input,  op_reset,  op_state,
};

/* What the machine would do between two instructions. */
static void settle(struct bench *b)
{
	if (b->requests[REQUEST_RESET_HARD] || b->requests[REQUEST_RESET_INIT])
		reset_all(b, RESET_HARD);
	if (b->requests[REQUEST_SUSPEND])
		reset_all(b, RESET_SLEEP);
	memset(b->requests, 0, sizeof(b->requests));
}

void play_bytes(struct play *play, const uint8_t *data, size_t size)
{
	struct script script = { .at = data, .end = data + size };

	play->time_left_ns = TIME_NS;
	while (script.at < script.end) {
		operations[take(&script, 1) % ARRAY_LEN(operations)](play, &script);
		settle(play->b);
	}
}

void play_enable_pci(struct bench *b)
{
	uint32_t port = PCI_PORTS, memory = PCI_MEMORY;

	for (unsigned int i = 0; i < b->device_count; i++) {
		const struct device *dev = b->devices[i];
		const struct pci_bar *bar = dev->class->pci ? dev->class->pci->bars : NULL;
		uint8_t devfn;

		if (!dev->class->pci)
			continue;
		devfn = ((const struct pci_function *)(const void *)dev)->devfn;
		for (; bar && bar->config_offset; bar++) {
			bool ports = dev->class->regions[bar->region].space == IO_PORT;

			bench_config_write(b, devfn, bar->config_offset, 4, ports ? port : memory);
			port += ports ? 0x100 : 0;
			memory += ports ? 0 : 0x4000000;
		}
		bench_config_write(b, devfn, PCI_CMD, 2, PCI_CMD_IOSE | PCI_CMD_MSE | PCI_CMD_BME);
	}
}

/* --- the dictionary */

static void print_entry(FILE *to, const uint8_t *bytes, size_t size)
{
	fputc('"', to);
	for (size_t i = 0; i < size; i++)
		fprintf(to, "\\x%02x", bytes[i]);
	fputs("\"\n", to);
}

static void print_access(FILE *to, unsigned int index, unsigned int region, const struct reg *reg,
			 bool config, uint8_t devfn, uint32_t value)
{
	uint8_t size = reg->width == 4 ? 2 : reg->width - 1;
	uint8_t access[10] = { 0, (uint8_t)index, (uint8_t)region };
	uint8_t pci[8] = { 5, devfn, (uint8_t)reg->offset, size };

	put_le16(access + 3, reg->offset);
	access[5] = size;
	put_le32(access + 6, value);
	put_le32(pci + 4, value);
	if (config)
		print_entry(to, pci, sizeof(pci));
	else
		print_entry(to, access, sizeof(access));
}

static void print_row(FILE *to, const struct device *dev, unsigned int index,
		      const struct reg_bank *bank, const struct reg *reg)
{
	const struct pci_class *pci = dev->class->pci;
	bool config = pci && pci->config == bank;
	uint8_t devfn = config ? ((const struct pci_function *)(const void *)dev)->devfn : 0;
	uint32_t values[] = { reg->reset, reg->writable, reg->w1c, reg->command,
			      mask32(reg->width * 8u) };

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		for (unsigned int region = 0;
		     dev->class->regions && dev->class->regions[region].name; region++) {
			if (config ? region == 0
				   : dev->class->regions[region].length >= reg->offset + reg->width)
				print_access(to, index, region, reg, config, devfn, values[i]);
		}
	}
}

void play_print_dictionary(const struct device *dev, unsigned int index, FILE *to)
{
	for (const struct reg_bank *const *bank = dev->class->banks; bank && *bank; bank++) {
		const struct reg *reg = (*bank)->regs;

		for (; reg < (*bank)->regs + (*bank)->count; reg++)
			print_row(to, dev, index, *bank, reg);
	}
}
