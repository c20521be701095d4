// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Firmware configuration: numbered items that the firmware reads through ports.
 *
 * Source: the interface's specification in QEMU's documentation, "QEMU Firmware Configuration
 * (fw_cfg) Device", docs/specs/fw_cfg.rst.
 *
 * Not emulated: items that the firmware can write. Bytes written to the data port go nowhere, a DMA
 * write ends with the error bit.
 *
 * Theory of operation
 *
 * A write to 510h selects an item, reads of 511h give its bytes one after the other and zeros
 * behind its end; an unknown key is an empty item. The DMA interface does the same with a command
 * in memory, whose address goes big-endian to 514h and 518h; writing the latter carries it out at
 * once.
 */
#include "fwcfg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

/* Ports. */
#define FWCFG_PORT 0x510
#define SELECTOR 0
#define DATA 1
#define FWCFG_DMA_PORT 0x514
#define DMA_HIGH 0
#define DMA_LOW 4

/* class->regions. */
enum { REGION_SELECT, REGION_DMA };

#define KEY_WRITE_CHANNEL 0x4000u

#define FEATURE_TRADITIONAL BIT(0)
#define FEATURE_DMA BIT(1)

/* The DMA command in memory, big-endian. */
#define DMA_COMMAND_BYTES 16
#define DMA_ERROR BIT(0)
#define DMA_READ BIT(1)
#define DMA_SKIP BIT(2)
#define DMA_SELECT BIT(3)
#define DMA_WRITE BIT(4)
#define DMA_KEY_SHIFT 16
/* Bounds the zeros that a command can ask for behind an item's end. */
#define DMA_ZEROS_MAX (64u << 20)
#define DMA_ZEROS 4096

#define DIRECTORY_ENTRY_BYTES 64
#define DIRECTORY_HEADER_BYTES 4

static const char dma_signature[] = "QEMU CFG";

struct fwcfg_state {
	uint64_t dma_address;
	uint32_t offset; /* of the byte to be read next */
	uint32_t key;
};

struct fwcfg_item {
	uint16_t key;
	char name[FWCFG_NAME_BYTES]; /* empty: no file */
	uint8_t *data;
	uint32_t size;
};

struct fwcfg {
	struct device dev;
	struct fwcfg_state s;
	unsigned int files, count;
	struct fwcfg_item items[FWCFG_ITEMS_MAX];
};

static const struct state_field fwcfg_fields[] = {
	STATE_FIELD(struct fwcfg, dma_address),
	STATE_FIELD(struct fwcfg, offset),
	STATE_FIELD(struct fwcfg, key, .max = 0xffff),
	STATE_END,
};

static struct fwcfg *fwcfg_of(struct device *dev)
{
	return container_of(dev, struct fwcfg, dev);
}

/* --- items */

static struct fwcfg_item *find_item(struct fwcfg *f, uint32_t key)
{
	for (unsigned int i = 0; i < f->count; i++) {
		if (f->items[i].key == key)
			return &f->items[i];
	}
	return NULL;
}

/* @data belongs to the item if it is made. */
static int own_item(struct fwcfg *f, uint16_t key, const char *name, void *data, size_t size)
{
	struct fwcfg_item *item = &f->items[f->count];

	if (find_item(f, key))
		return -EEXIST;
	if (f->count == FWCFG_ITEMS_MAX)
		return -ENOSPC;
	*item = (struct fwcfg_item){ .key = key, .data = data, .size = (uint32_t)size };
	strncpy(item->name, name, sizeof(item->name) - 1);
	f->count++;
	return 0;
}

static int add_item(struct fwcfg *f, uint16_t key, const char *name, const void *data, size_t size)
{
	uint8_t *copy;
	int r;

	if (size > FWCFG_ITEM_BYTES_MAX)
		return -E2BIG;
	copy = malloc(size + 1);
	if (!copy)
		return -ENOMEM;
	if (size)
		memcpy(copy, data, size);
	r = own_item(f, key, name, copy, size);
	if (r < 0)
		free(copy);
	return r;
}

static int compare_names(const void *a, const void *b)
{
	const struct fwcfg_item *const *item_a = a, *const *item_b = b;

	return strcmp((*item_a)->name, (*item_b)->name);
}

/* Writes the directory anew; its buffer has had room for all files from the start. */
static void write_directory(struct fwcfg *f)
{
	struct fwcfg_item *directory = find_item(f, FWCFG_KEY_DIRECTORY);
	const struct fwcfg_item *files[FWCFG_ITEMS_MAX];
	uint8_t *entry = directory->data + DIRECTORY_HEADER_BYTES;
	unsigned int count = 0;

	for (unsigned int i = 0; i < f->count; i++) {
		if (f->items[i].name[0])
			files[count++] = &f->items[i];
	}
	qsort(files, count, sizeof(files[0]), compare_names);
	put_be32(directory->data, count);
	for (unsigned int i = 0; i < count; i++, entry += DIRECTORY_ENTRY_BYTES) {
		memset(entry, 0, DIRECTORY_ENTRY_BYTES);
		put_be32(entry, files[i]->size);
		put_be16(entry + 4, files[i]->key);
		memcpy(entry + 8, files[i]->name, FWCFG_NAME_BYTES);
	}
	directory->size = DIRECTORY_HEADER_BYTES + count * DIRECTORY_ENTRY_BYTES;
}

/* Neither the interface's own nor a file's. */
static bool key_is_free_to_use(uint16_t key)
{
	return !(key & KEY_WRITE_CHANNEL) &&
	       (key < FWCFG_KEY_FILES || key >= FWCFG_KEY_FILES + FWCFG_ITEMS_MAX);
}

int fwcfg_give(struct device *dev, uint16_t key, void *data, size_t size)
{
	if (!key_is_free_to_use(key))
		return -EINVAL;
	if (size > FWCFG_GIVEN_BYTES_MAX)
		return -E2BIG;
	return own_item(fwcfg_of(dev), key, "", data, size);
}

int fwcfg_add(struct device *dev, uint16_t key, const void *data, size_t size)
{
	if (!key_is_free_to_use(key))
		return -EINVAL;
	return add_item(fwcfg_of(dev), key, "", data, size);
}

int fwcfg_add_file(struct device *dev, const char *name, const void *data, size_t size)
{
	struct fwcfg *f = fwcfg_of(dev);
	int r;

	if (!name[0] || strlen(name) >= FWCFG_NAME_BYTES)
		return -EINVAL;
	for (unsigned int i = 0; i < f->count; i++) {
		if (!strcmp(f->items[i].name, name))
			return -EEXIST;
	}
	r = add_item(f, (uint16_t)(FWCFG_KEY_FILES + f->files), name, data, size);
	if (r < 0)
		return r;
	f->files++;
	write_directory(f);
	return 0;
}

/* --- reading */

static void select_item(struct fwcfg *f, uint32_t key)
{
	f->s.key = key & 0xffff & ~KEY_WRITE_CHANNEL;
	f->s.offset = 0;
}

/* What is left of the selected item: how many bytes, and in *ret_data where. */
static uint32_t item_left(struct fwcfg *f, const uint8_t **ret_data)
{
	const struct fwcfg_item *item = find_item(f, f->s.key);

	if (!item || f->s.offset >= item->size)
		return 0;
	*ret_data = item->data + f->s.offset;
	return item->size - f->s.offset;
}

/* Moves on, and stays at the very end: the next byte there is 0 too. */
static void skip(struct fwcfg *f, uint32_t count)
{
	f->s.offset = (uint32_t)min_u64((uint64_t)f->s.offset + count, UINT32_MAX);
}

static void read_item(struct fwcfg *f, uint8_t *bytes, size_t count)
{
	const uint8_t *data = NULL;
	size_t n = min_u64(item_left(f, &data), count);

	if (n)
		memcpy(bytes, data, n);
	memset(bytes + n, 0, count - n);
	skip(f, (uint32_t)min_u64(count, UINT32_MAX));
}

/* --- the DMA interface */

static int dma_read_item(struct fwcfg *f, uint64_t gpa, uint32_t length)
{
	static const uint8_t zeros[DMA_ZEROS];
	struct dma *dma = f->dev.env->dma;
	const uint8_t *data = NULL;
	uint32_t n = (uint32_t)min_u64(item_left(f, &data), length);
	int r;

	if (length - n > DMA_ZEROS_MAX)
		return -EINVAL;
	r = n ? dma_write(dma, gpa, data, n) : 0;
	for (uint64_t done = n; done < length && r == 0; done += n) {
		n = (uint32_t)min_u64(length - done, sizeof(zeros));
		r = dma_write(dma, gpa + done, zeros, n);
	}
	skip(f, length);
	return r;
}

static void dma_command(struct fwcfg *f)
{
	struct dma *dma = f->dev.env->dma;
	uint64_t gpa = f->s.dma_address;
	uint8_t command[DMA_COMMAND_BYTES], result[4];
	uint32_t control, length;
	int r = 0;

	f->s.dma_address = 0;
	/* There is no place to write an error to if the command itself is nowhere. */
	if (dma_read(dma, gpa, command, sizeof(command)) < 0) {
		device_log(&f->dev, "DMA command at %llx, outside memory", (unsigned long long)gpa);
		return;
	}
	control = get_be32(command);
	length = get_be32(command + 4);
	if (control & DMA_SELECT)
		select_item(f, control >> DMA_KEY_SHIFT);
	if (control & DMA_READ)
		r = dma_read_item(f, get_be64(command + 8), length);
	else if (control & DMA_WRITE)
		r = -EROFS;
	else if (control & DMA_SKIP)
		skip(f, length);
	put_be32(result, r < 0 ? DMA_ERROR : 0);
	dma_write(dma, gpa, result, sizeof(result));
}

/* Reads give the signature, as the interface's specification wants. */
static uint32_t fwcfg_dma_read(struct device *dev, uint32_t offset, unsigned int size)
{
	uint32_t value = 0;

	(void)dev;
	for (unsigned int i = 0; i < size; i++)
		value |= (uint32_t)(uint8_t)dma_signature[offset + i] << 8 * i;
	return value;
}

static void fwcfg_dma_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	struct fwcfg *f = fwcfg_of(dev);

	/* The two halves come whole; anything else means nothing. */
	if (size != 4 || (offset != DMA_HIGH && offset != DMA_LOW))
		return;
	value = __builtin_bswap32(value);
	if (offset == DMA_HIGH) {
		f->s.dma_address = (uint64_t)value << 32 | (uint32_t)f->s.dma_address;
		return;
	}
	f->s.dma_address = (f->s.dma_address & ~(uint64_t)UINT32_MAX) | value;
	dma_command(f);
}

/* --- the selector and data ports */

static uint32_t fwcfg_read(struct device *dev, uint32_t offset, unsigned int size)
{
	uint8_t byte;

	if (offset != DATA || size != 1)
		return 0;
	read_item(fwcfg_of(dev), &byte, 1);
	return byte;
}

static size_t fwcfg_read_bulk(struct device *dev, uint32_t offset, unsigned int size, void *items,
			      size_t count)
{
	if (offset != DATA || size != 1)
		return 0;
	read_item(fwcfg_of(dev), items, count);
	return count;
}

static void fwcfg_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	if (offset == SELECTOR && size == 2)
		select_item(fwcfg_of(dev), value);
}

/* --- life */

static void fwcfg_fini(struct device *dev)
{
	struct fwcfg *f = fwcfg_of(dev);

	while (f->count)
		free(f->items[--f->count].data);
}

static int fwcfg_init(struct device *dev, const void *config)
{
	bool dma = ((const struct fwcfg_config *)config)->dma;
	struct fwcfg *f = fwcfg_of(dev);
	const size_t directory_max =
		DIRECTORY_HEADER_BYTES + (size_t)FWCFG_ITEMS_MAX * DIRECTORY_ENTRY_BYTES;
	uint8_t *directory = calloc(1, directory_max);
	uint8_t features[4];
	int r = -ENOMEM;

	put_le32(features, FEATURE_TRADITIONAL | (dma ? FEATURE_DMA : 0));
	if (directory)
		r = add_item(f, FWCFG_KEY_SIGNATURE, "", "QEMU", 4);
	if (r == 0)
		r = add_item(f, FWCFG_KEY_FEATURES, "", features, sizeof(features));
	if (r == 0)
		r = add_item(f, FWCFG_KEY_DIRECTORY, "", directory, directory_max);
	free(directory);
	if (r < 0) {
		fwcfg_fini(dev);
		return r;
	}
	write_directory(f);
	if (dma)
		device_move_region(dev, REGION_DMA, FWCFG_DMA_PORT);
	return 0;
}

static void fwcfg_reset(struct device *dev, enum reset_kind kind)
{
	(void)kind;
	fwcfg_of(dev)->s = (struct fwcfg_state){ .key = FWCFG_KEY_SIGNATURE };
}

static const struct io_region_desc fwcfg_regions[] = {
	[REGION_SELECT] = {
		.name = "fwcfg",
		.space = IO_PORT,
		.base = FWCFG_PORT,
		.length = 2,
		.read = fwcfg_read,
		.write = fwcfg_write,
		.read_bulk = fwcfg_read_bulk,
	},
	[REGION_DMA] = {
		.name = "fwcfg-dma",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = 8,
		.read = fwcfg_dma_read,
		.write = fwcfg_dma_write,
	},
	{ .name = NULL },
};

static const struct fwcfg_config fwcfg_default = { .dma = true };

const struct device_class fwcfg_class = {
	.name = "fwcfg",
	.summary = "firmware configuration",
	DEVICE_STATE(struct fwcfg),
	.regions = fwcfg_regions,
	.fields = fwcfg_fields,
	.default_config = &fwcfg_default,
	.init = fwcfg_init,
	.reset = fwcfg_reset,
	.fini = fwcfg_fini,
};
