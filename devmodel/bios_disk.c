// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The fast way from int 13h to a disk: two ports that only our option ROM (rom/bios_disk.S) knows.
 *
 * It is no chip of any board. A packet in guest memory names unit, blocks and buffer; writing its
 * physical address to PACKET moves the blocks; STATUS is 1 until that is done, then 0, or 80h when
 * anything at all was wrong, after which the ROM lets the firmware's own code find out what. The
 * disks are those of the IDE drives, through the same back ends, which keep nothing back from each
 * other.
 */
#include "bios_disk.h"

#include "../base/bits.h"
#include "../base/bytes.h"

/* Ports, from the base. */
#define PACKET 0
#define STATUS 4

#define STATUS_DONE 0x00
#define STATUS_BUSY 0x01
#define STATUS_FAILED 0x80

/* The packet: u8 command, u8 unit, u16 sectors, u32 buffer, u64 block; little-endian. */
#define PACKET_BYTES 16
#define COMMAND_READ 0
#define COMMAND_WRITE 1

#define SECTORS_MAX 255

struct bios_disk_state {
	uint64_t lba;
	uint32_t buffer;
	uint16_t sectors;
	uint8_t unit;
	uint8_t command;
	uint8_t status;
	uint8_t reserved[7]; /* keeps the struct free of padding; 0 */
};

struct bios_disk {
	struct device dev;
	struct bios_disk_state s;
	struct block_backend *disks[BIOS_DISK_UNITS];
	struct block_request request;
	struct iovec iov;
	uint64_t gpa;	/* of the request's memory: the packet may be another's by its end */
	bool in_flight; /* the request is with the back end, perhaps from before a reset */
	bool stale;	/* its completion means nothing any more */
};

static const struct state_field bios_disk_fields[] = {
	STATE_FIELD(struct bios_disk, lba),
	STATE_FIELD(struct bios_disk, buffer),
	STATE_FIELD(struct bios_disk, sectors, .max = SECTORS_MAX),
	STATE_FIELD(struct bios_disk, unit, .max = BIOS_DISK_UNITS - 1),
	STATE_FIELD(struct bios_disk, command, .max = COMMAND_WRITE),
	STATE_FIELD(struct bios_disk, status),
	STATE_ARRAY(struct bios_disk, reserved),
	STATE_END,
};

static struct bios_disk *of(struct device *dev)
{
	return container_of(dev, struct bios_disk, dev);
}

static void completed(struct block_request *request, int error)
{
	struct bios_disk *disk = request->owner;

	disk->in_flight = false;
	/* A failed or forgotten one may have written some of it, too. */
	if (request->op == BLOCK_READ)
		dma_written(disk->dev.env->dma, disk->iov.iov_base, disk->iov.iov_len);
	if (!disk->stale) {
		disk->s.status = error ? STATUS_FAILED : STATUS_DONE;
		disk->dev.env->poll_done(disk->dev.env, &disk->dev);
	}
	disk->stale = false;
}

/* Hands what the state describes to the back end; false when it cannot be done. */
static bool submit(struct bios_disk *disk)
{
	struct block_backend *backend = disk->disks[disk->s.unit];
	uint64_t offset = disk->s.lba * BLOCK_SECTOR_BYTES;
	uint64_t size = (uint64_t)disk->s.sectors * BLOCK_SECTOR_BYTES;
	struct block_info info;

	if (!backend || disk->in_flight)
		return false;
	block_info(backend, &info);
	if (disk->s.lba > info.size_bytes / BLOCK_SECTOR_BYTES || size > info.size_bytes - offset)
		return false;
	if (disk->s.command == COMMAND_WRITE && info.read_only)
		return false;
	disk->iov.iov_base = dma_map(disk->dev.env->dma, disk->s.buffer, size);
	disk->iov.iov_len = size;
	if (!disk->iov.iov_base)
		return false;
	disk->request = (struct block_request){
		.op = disk->s.command == COMMAND_WRITE ? BLOCK_WRITE : BLOCK_READ,
		.offset_bytes = offset,
		.size_bytes = size,
		.iov = &disk->iov,
		.iov_count = 1,
		.complete = completed,
		.owner = disk,
	};
	disk->in_flight = true;
	block_submit(backend, &disk->request);
	return true;
}

static void start(struct bios_disk *disk, uint32_t address)
{
	uint8_t packet[PACKET_BYTES];

	if (disk->s.status == STATUS_BUSY)
		return;
	disk->s.status = STATUS_FAILED;
	if (dma_read(disk->dev.env->dma, address, packet, sizeof(packet)) < 0)
		return;
	if (packet[0] > COMMAND_WRITE || packet[1] >= BIOS_DISK_UNITS)
		return;
	if (!get_le16(packet + 2) || get_le16(packet + 2) > SECTORS_MAX)
		return;
	disk->s.command = packet[0];
	disk->s.unit = packet[1];
	disk->s.sectors = get_le16(packet + 2);
	disk->s.buffer = get_le32(packet + 4);
	disk->s.lba = get_le64(packet + 8);
	if (submit(disk)) {
		disk->s.status = STATUS_BUSY;
		disk->dev.env->poll_wait(disk->dev.env, &disk->dev);
	}
}

static void packet_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	start(of(dev), value);
}

static uint32_t status_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	if (value == STATUS_BUSY)
		dev->env->poll_wait(dev->env, dev);
	return value;
}

static const struct reg bios_disk_regs[] = {
	REG_HOOKED(PACKET, 4, "PACKET", .on_write = packet_on_write),
	REG(struct bios_disk, s.status, STATUS, 1, "STATUS", STATUS_DONE, 0,
	    .on_read = status_on_read),
};

static const struct reg_bank bios_disk_bank = {
	.name = "bios_disk",
	.regs = bios_disk_regs,
	.count = ARRAY_LEN(bios_disk_regs),
	.size = 5,
	.open = 0xff,
};

static uint32_t bios_disk_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&bios_disk_bank, dev, offset, size);
}

static void bios_disk_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	/* A packet's address comes in one piece; anything else is not from our ROM. */
	if (offset == PACKET && size == 4)
		reg_bank_write(&bios_disk_bank, dev, offset, size, value);
}

static int bios_disk_init(struct device *dev, const void *config)
{
	const struct bios_disk_config *bios_disk_config = config;

	for (unsigned int i = 0; i < BIOS_DISK_UNITS; i++)
		of(dev)->disks[i] = bios_disk_config->disks[i];
	return 0;
}

static void abandon(struct bios_disk *disk)
{
	if (!disk->in_flight || disk->stale)
		return;
	disk->stale = true;
	block_cancel(disk->disks[disk->s.unit], &disk->request);
}

static void bios_disk_reset(struct device *dev, enum reset_kind kind)
{
	(void)kind;
	abandon(of(dev));
	memset(&of(dev)->s, 0, sizeof(of(dev)->s));
	reg_bank_reset(&bios_disk_bank, dev);
}

static bool bios_disk_check(const void *state)
{
	const struct bios_disk_state *s = state;

	return s->status == STATUS_DONE || s->status == STATUS_FAILED ||
	       (s->status == STATUS_BUSY && s->sectors);
}

/* A transfer that was under way is done again: the same blocks, the same memory. */
static void bios_disk_post_load(struct device *dev)
{
	struct bios_disk *disk = of(dev);

	if (disk->s.status == STATUS_BUSY && !submit(disk))
		disk->s.status = STATUS_FAILED;
}

static const struct io_region_desc bios_disk_regions[] = {
	{
		.name = "bios_disk",
		.space = IO_PORT,
		.base = 0x520,
		.length = 5,
		.read = bios_disk_read,
		.write = bios_disk_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const bios_disk_banks[] = { &bios_disk_bank, NULL };

static const struct bios_disk_config bios_disk_default;

const struct device_class bios_disk_class = {
	.name = "bios_disk",
	.summary = "transfers for the option ROM that speeds up int 13h",
	DEVICE_STATE(struct bios_disk),
	.regions = bios_disk_regions,
	.banks = bios_disk_banks,
	.fields = bios_disk_fields,
	.default_config = &bios_disk_default,
	.init = bios_disk_init,
	.reset = bios_disk_reset,
	.check = bios_disk_check,
	.post_load = bios_disk_post_load,
};
