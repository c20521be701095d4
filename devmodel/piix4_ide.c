// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IDE function of the PIIX4: PCI function 8086:7111, usually at 00:01.1.
 *
 * Document: Intel 82371AB (PIIX4) datasheet, 290562-001, chapters 6 and 9. Both channels are in
 * compatibility mode, the only one of this chip: ports 1F0h/3F6h with interrupt 14, 170h/376h with
 * interrupt 15. Timing registers keep their values and have no effect. Not emulated: the ISA DMA
 * path, the tri-state and reset bits that later chips have.
 *
 * Firmware of our time leaves what a BIOS of 1998 set for the drivers of NT 4.0, so that it is in
 * the reset values: the bus-master enable bit, and the "drive can do DMA" bits of present drives.
 *
 * A channel's ports are decoded when both IOSE and the IDE decode enable bit of its IDETIM are set.
 * The channels (ata_channel.c) and the bus masters (ide_busmaster.c) are engines of this file.
 */
#include "piix4_ide.h"

#include <errno.h>

#include "ata_channel.h"
#include "ata_disk.h"
#include "atapi_cd.h"
#include "ide_busmaster.h"
#include "../base/bits.h"
#include "../base/bytes.h"

#define CHANNELS 2

/* Strides of the banks of registers that both channels have. */
#define BUSMASTER_STRIDE 8
#define CHANNEL_STRIDE 16
#define CONTROL_BLOCK 8 /* behind the command block */

/* Configuration registers behind the header. */
#define BMIBA 0x20
#define IDETIM 0x40 /* primary; secondary at 42h */
#define SIDETIM 0x44
#define UDMACTL 0x48
#define UDMATIM 0x4a

#define IDETIM_IDE BIT(15) /* decode enable */

#define PCISTS_RESET 0x0280
#define PCISTS_W1C 0x3800 /* STA, RTA, RMA */
#define CLASS_IDE_BUSMASTER 0x010180

/* Indices of regions. */
enum { COMMAND_P, CONTROL_P, COMMAND_S, CONTROL_S, BUSMASTER };

struct piix4_ide_state {
	struct ata_channel_state channel[CHANNELS];
	struct ata_drive_state drive[CHANNELS * ATA_DRIVES];
	struct atapi_cd_state cd[CHANNELS * ATA_DRIVES];
	struct ide_busmaster_state busmaster[CHANNELS];
	uint8_t config[PCI_CONFIG_SIZE];
};

struct piix4_ide {
	struct pci_function function;
	struct piix4_ide_state s;
	struct irq_line intrq[CHANNELS];
	struct ata_channel channel[CHANNELS];
	struct atapi_cd cd[CHANNELS * ATA_DRIVES];
	struct ide_busmaster busmaster[CHANNELS];
};

static const struct state_field piix4_ide_fields[] = {
	STATE_STRUCTS(struct piix4_ide, channel, ata_channel_fields),
	STATE_STRUCTS(struct piix4_ide, drive, ata_drive_fields),
	STATE_STRUCTS(struct piix4_ide, cd, atapi_cd_fields),
	STATE_STRUCTS(struct piix4_ide, busmaster, ide_busmaster_fields),
	STATE_ARRAY(struct piix4_ide, config),
	STATE_END,
};

static struct piix4_ide *ide_of(struct device *dev)
{
	return container_of(dev, struct piix4_ide, function.dev);
}

/* --- the bus masters' registers: one table, base address register 4 */

static void bmic_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct piix4_ide *ide = ide_of(dev);
	unsigned int n = reg->offset / BUSMASTER_STRIDE;

	switch (ide_busmaster_command(&ide->busmaster[n], old, value)) {
	case BUSMASTER_STARTED:
		ata_channel_dma_started(&ide->channel[n]);
		break;
	case BUSMASTER_STOPPED:
		ata_channel_dma_stopped(&ide->channel[n]);
		break;
	case BUSMASTER_NOTHING:
		break;
	}
}

static const struct reg busmaster_regs[] = {
	IDE_BUSMASTER_ROWS(struct piix4_ide, s.busmaster[0], 0, "P", bmic_on_write),
	IDE_BUSMASTER_ROWS(struct piix4_ide, s.busmaster[1], BUSMASTER_STRIDE, "S", bmic_on_write),
};

static const struct reg_bank busmaster_bank = {
	.name = "busmaster",
	.regs = busmaster_regs,
	.count = ARRAY_LEN(busmaster_regs),
	.size = CHANNELS * BUSMASTER_STRIDE,
};

static uint32_t busmaster_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&busmaster_bank, dev, offset, size);
}

static void busmaster_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&busmaster_bank, dev, offset, size, value);
}

/* --- the channels' ports */

/*
 * Both command blocks and control blocks in one bank, CHANNEL_STRIDE apart. These registers act by
 * direction and belong to the selected drive: the rows name them, the channel does the rest. The
 * data port takes all sizes, though it lies below other registers, and is handled before the bank.
 */
static struct ata_channel *channel_of(struct device *dev, const struct reg *reg)
{
	return &ide_of(dev)->channel[reg->offset / CHANNEL_STRIDE];
}

static uint32_t command_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)value;
	return ata_channel_read(channel_of(dev, reg), reg->offset % CHANNEL_STRIDE);
}

static void command_on_write(struct device *dev, const struct reg *reg, uint32_t old,
			     uint32_t value)
{
	(void)old;
	ata_channel_write(channel_of(dev, reg), reg->offset % CHANNEL_STRIDE, (uint8_t)value);
}

static uint32_t control_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)value;
	return ata_channel_alt_status(channel_of(dev, reg));
}

static void control_on_write(struct device *dev, const struct reg *reg, uint32_t old,
			     uint32_t value)
{
	(void)old;
	ata_channel_control(channel_of(dev, reg), (uint8_t)value);
}

#define COMMAND_ROW(offset, name)                                                                  \
	REG_HOOKED(offset, 1, name, .on_read = command_on_read, .on_write = command_on_write)
#define CHANNEL_ROWS(base)                                                                         \
	COMMAND_ROW((base) + ATA_ERROR, "ERROR/FEATURES"),                                         \
		COMMAND_ROW((base) + ATA_COUNT, "SECTOR COUNT"),                                   \
		COMMAND_ROW((base) + ATA_LBA_LOW, "LBA LOW"),                                      \
		COMMAND_ROW((base) + ATA_LBA_MID, "LBA MID"),                                      \
		COMMAND_ROW((base) + ATA_LBA_HIGH, "LBA HIGH"),                                    \
		COMMAND_ROW((base) + ATA_DEVICE, "DEVICE"),                                        \
		COMMAND_ROW((base) + ATA_STATUS, "STATUS/COMMAND"),                                \
		REG_HOOKED((base) + CONTROL_BLOCK, 1, "ALTERNATE STATUS/DEVICE CONTROL",           \
			   .on_read = control_on_read, .on_write = control_on_write)

static const struct reg channel_regs[] = {
	CHANNEL_ROWS(0),
	CHANNEL_ROWS(CHANNEL_STRIDE),
};

static const struct reg_bank channel_bank = {
	.name = "channels",
	.regs = channel_regs,
	.count = ARRAY_LEN(channel_regs),
	.size = CHANNELS * CHANNEL_STRIDE,
	.open = 0xff,
};

/* @port: of the bank, with the channel in bit 4. */
static uint32_t port_read(struct device *dev, uint32_t port, unsigned int size)
{
	if (port % CHANNEL_STRIDE == ATA_DATA)
		return ata_channel_data_read(&ide_of(dev)->channel[port / CHANNEL_STRIDE], size);
	return reg_bank_read(&channel_bank, dev, port, size);
}

static void port_write(struct device *dev, uint32_t port, unsigned int size, uint32_t value)
{
	if (port % CHANNEL_STRIDE == ATA_DATA)
		ata_channel_data_write(&ide_of(dev)->channel[port / CHANNEL_STRIDE], size, value);
	else
		reg_bank_write(&channel_bank, dev, port, size, value);
}

/*
 * A write that might be the last of a block must be seen at once, and any while the drive is about to
 * ask for one.
 */
static uint32_t post_room(const struct ata_channel *channel)
{
	const struct ata_channel_state *s = channel->s;

	switch (s->phase) {
	case ATA_IDLE:
	case ATA_DATA_IN:
	case ATA_DMA:
		return IO_POST_ANY;
	case ATA_DATA_OUT:
		/* The host may write dwords. */
		return (uint32_t)max_u64((s->block_end - s->data_pos) / 4, 1);
	default:
		return 1;
	}
}

/* The handlers of channel @n, which a region cannot tell. */
#define CHANNEL_HANDLERS(n)                                                                        \
	static uint32_t command_read_##n(struct device *dev, uint32_t offset, unsigned int size)   \
	{                                                                                          \
		return port_read(dev, n * CHANNEL_STRIDE + offset, size);                          \
	}                                                                                          \
	static void command_write_##n(struct device *dev, uint32_t offset, unsigned int size,      \
				      uint32_t value)                                              \
	{                                                                                          \
		port_write(dev, n *CHANNEL_STRIDE + offset, size, value);                          \
	}                                                                                          \
	static size_t read_bulk_##n(struct device *dev, uint32_t offset, unsigned int size,        \
				    void *items, size_t count)                                     \
	{                                                                                          \
		if (offset != ATA_DATA)                                                            \
			return 0;                                                                  \
		return ata_channel_data_read_bulk(&ide_of(dev)->channel[n], size, items, count);   \
	}                                                                                          \
	static size_t write_bulk_##n(struct device *dev, uint32_t offset, unsigned int size,       \
				     const void *items, size_t count)                              \
	{                                                                                          \
		if (offset != ATA_DATA)                                                            \
			return 0;                                                                  \
		return ata_channel_data_write_bulk(&ide_of(dev)->channel[n], size, items, count);  \
	}                                                                                          \
	static uint32_t post_room_##n(struct device *dev)                                          \
	{                                                                                          \
		return post_room(&ide_of(dev)->channel[n]);                                        \
	}                                                                                          \
	static uint32_t control_read_##n(struct device *dev, uint32_t offset, unsigned int size)   \
	{                                                                                          \
		return port_read(dev, n * CHANNEL_STRIDE + CONTROL_BLOCK + offset, size);          \
	}                                                                                          \
	static void control_write_##n(struct device *dev, uint32_t offset, unsigned int size,      \
				      uint32_t value)                                              \
	{                                                                                          \
		port_write(dev, n *CHANNEL_STRIDE + CONTROL_BLOCK + offset, size, value);          \
	}                                                                                          \
	static void expired_##n(struct device *dev)                                                \
	{                                                                                          \
		ata_channel_expired(&ide_of(dev)->channel[n]);                                     \
	}

CHANNEL_HANDLERS(0)
CHANNEL_HANDLERS(1)

/* --- configuration space */

/* Shows the ports of the channels that are enabled. */
static void place_channels(struct piix4_ide *ide)
{
	static const uint16_t command_base[CHANNELS] = { 0x1f0, 0x170 };
	static const uint16_t control_base[CHANNELS] = { 0x3f6, 0x376 };
	const uint8_t *config = ide->s.config;
	struct device *dev = &ide->function.dev;

	for (unsigned int n = 0; n < CHANNELS; n++) {
		bool enabled = (get_le16(config + PCI_CMD) & PCI_CMD_IOSE) &&
			       (get_le16(config + IDETIM + 2 * n) & IDETIM_IDE);

		device_move_region(dev, COMMAND_P + 2 * n, enabled ? command_base[n] : IO_UNMAPPED);
		device_move_region(dev, CONTROL_P + 2 * n, enabled ? control_base[n] : IO_UNMAPPED);
	}
}

static void config_written(struct device *dev)
{
	place_channels(ide_of(dev));
}

#define ROW(...) PCI_ROW(struct piix4_ide, __VA_ARGS__)

static const struct reg config_regs[] = {
	ROW(PCI_VID, 2, "VID", 0x8086, 0),
	ROW(PCI_DID, 2, "DID", 0x7111, 0),
	ROW(PCI_CMD, 2, "PCICMD", PCI_CMD_BME, PCI_CMD_IOSE | PCI_CMD_BME,
	    .on_write = pci_on_decode),
	ROW(PCI_STS, 2, "PCISTS", PCISTS_RESET, 0, .w1c = PCISTS_W1C),
	ROW(PCI_RID, 1, "RID", 0x01, 0),
	ROW(0x09, 1, "PI", CLASS_IDE_BUSMASTER & 0xff, 0),
	ROW(0x0a, 1, "SUBC", CLASS_IDE_BUSMASTER >> 8 & 0xff, 0),
	ROW(0x0b, 1, "BCC", CLASS_IDE_BUSMASTER >> 16, 0),
	ROW(PCI_MLT, 1, "MLT", 0, 0xf0),
	ROW(PCI_HEADT, 1, "HEDT", 0, 0),
	/* The chip holds bits 31:16 at 0; SeaBIOS sizes by all 32 bits and takes that for 4 GiB. */
	ROW(BMIBA, 4, "BMIBA", PCI_BAR_IO, 0xfffffff0, .on_write = pci_on_decode),
	ROW(IDETIM, 2, "IDETIMP", 0, 0xf3ff),
	ROW(IDETIM + 2, 2, "IDETIMS", 0, 0xf3ff),
	ROW(SIDETIM, 1, "SIDETIM", 0, 0xff),
	ROW(UDMACTL, 1, "UDMACTL", 0, 0x0f),
	ROW(UDMATIM, 2, "UDMATIM", 0, 0x3333),
};

static const struct reg_bank config_bank = {
	.name = "config",
	.regs = config_regs,
	.count = ARRAY_LEN(config_regs),
	.size = PCI_CONFIG_SIZE,
};

/* --- media */

/* The CD-ROM drive in @slot; NULL: it is something else, or nothing. */
static struct ata_drive *cdrom_at(struct device *dev, unsigned int slot)
{
	struct ata_drive *drive;

	if (slot >= PIIX4_IDE_DRIVES)
		return NULL;
	drive = &ide_of(dev)->channel[slot / ATA_DRIVES].drives[slot % ATA_DRIVES];
	return drive->kind == &atapi_cd_kind ? drive : NULL;
}

int piix4_ide_cdrom(struct device *dev, unsigned int slot, struct piix4_ide_cdrom *ret_cdrom)
{
	const struct ata_drive *drive = cdrom_at(dev, slot);

	if (!drive)
		return -ENODEV;
	*ret_cdrom = (struct piix4_ide_cdrom){
		.medium = drive->sectors,
		.tray_open = drive->cd->s->tray_open,
		.locked = drive->cd->s->locked,
	};
	return 0;
}

int piix4_ide_insert(struct device *dev, unsigned int slot, struct block_backend *backend)
{
	struct ata_drive *drive = cdrom_at(dev, slot);

	if (!drive)
		return -ENODEV;
	atapi_cd_insert(drive, backend);
	return 0;
}

int piix4_ide_eject(struct device *dev, unsigned int slot, bool force)
{
	struct ata_drive *drive = cdrom_at(dev, slot);

	return drive ? atapi_cd_eject(drive, force) : -ENODEV;
}

/* --- life */

/* Wires the engines of channel @n; the drives are those of slots 2n and 2n + 1. */
static void wire_channel(struct piix4_ide *ide, unsigned int n,
			 const struct piix4_ide_config *config)
{
	struct ata_channel *chan = &ide->channel[n];

	ide->busmaster[n].s = &ide->s.busmaster[n];
	ide->busmaster[n].function = &ide->function;
	chan->dev = &ide->function.dev;
	chan->s = &ide->s.channel[n];
	chan->busmaster = &ide->busmaster[n];
	chan->intrq = &ide->intrq[n];
	chan->irq_delay_ns = config->irq_delay_ns;
	chan->dma_irq_delay_ns = config->dma_irq_delay_ns;
	for (uint8_t i = 0; i < ATA_DRIVES; i++) {
		const struct piix4_ide_drive *slot = &config->drives[n * ATA_DRIVES + i];
		struct ata_drive *drive = &chan->drives[i];

		drive->chan = chan;
		drive->s = &ide->s.drive[n * ATA_DRIVES + i];
		drive->index = i;
		ide->cd[n * ATA_DRIVES + i].s = &ide->s.cd[n * ATA_DRIVES + i];
		if (slot->kind == PIIX4_IDE_CDROM)
			atapi_cd_init(drive, &ide->cd[n * ATA_DRIVES + i], slot->backend);
		else if (slot->backend)
			ata_disk_init(drive, slot->backend,
				      (struct ata_geometry){ slot->cylinders, slot->heads,
							     slot->sectors_per_track });
	}
}

/* Bits of the bus-master status register for the drives of @chan. */
static uint8_t dma_capable(const struct ata_channel *chan)
{
	return (uint8_t)((chan->drives[0].kind ? BMIS_DMA0CAP : 0) |
			 (chan->drives[1].kind ? BMIS_DMA1CAP : 0));
}

static bool media_usable(const struct piix4_ide_config *config)
{
	for (unsigned int i = 0; i < PIIX4_IDE_DRIVES; i++) {
		struct block_info info;

		if (!config->drives[i].backend || config->drives[i].kind == PIIX4_IDE_CDROM)
			continue;
		block_info(config->drives[i].backend, &info);
		if (!info.size_bytes || info.size_bytes % BLOCK_SECTOR_BYTES ||
		    info.size_bytes / BLOCK_SECTOR_BYTES > BIT64(48))
			return false;
	}
	return true;
}

static int piix4_ide_init(struct device *dev, const void *opaque)
{
	const struct piix4_ide_config *config = opaque;
	struct piix4_ide *ide = ide_of(dev);
	int r;

	if (!media_usable(config))
		return -EINVAL;
	r = pci_attach(&ide->function, config->bus, config->devfn);
	if (r < 0)
		return r;
	for (unsigned int n = 0; n < CHANNELS; n++) {
		wire_channel(ide, n, config);
		ata_channel_init(&ide->channel[n], n ? expired_1 : expired_0);
	}
	return 0;
}

static void piix4_ide_reset(struct device *dev, enum reset_kind kind)
{
	struct piix4_ide *ide = ide_of(dev);

	pci_reset(&ide->function, kind);
	place_channels(ide);
	for (unsigned int n = 0; n < CHANNELS; n++) {
		ide_busmaster_reset(&ide->busmaster[n], dma_capable(&ide->channel[n]));
		ata_channel_reset(&ide->channel[n]);
	}
}

static bool piix4_ide_check(const void *state)
{
	const struct piix4_ide_state *s = state;

	return ata_channel_check(&s->channel[0]) && ata_channel_check(&s->channel[1]);
}

static void piix4_ide_post_load(struct device *dev)
{
	struct piix4_ide *ide = ide_of(dev);

	pci_post_load(&ide->function);
	place_channels(ide);
	for (unsigned int n = 0; n < CHANNELS; n++)
		ata_channel_post_load(&ide->channel[n]);
}

static void piix4_ide_fini(struct device *dev)
{
	struct piix4_ide *ide = ide_of(dev);

	for (unsigned int n = 0; n < CHANNELS; n++)
		ata_channel_fini(&ide->channel[n]);
	pci_detach(&ide->function);
}

#define CHANNEL_REGIONS(n, title)                                                                  \
	{                                                                                          \
		.name = title " command block",                                                    \
		.space = IO_PORT,                                                                  \
		.base = IO_UNMAPPED,                                                               \
		.length = 8,                                                                       \
		.flags = IO_POSTED,                                                                \
		.posted_length = ATA_DEVICE, /* selecting the other drive can raise INTRQ */       \
		.post_room = post_room_##n,                                                        \
		.read = command_read_##n,                                                          \
		.write = command_write_##n,                                                        \
		.read_bulk = read_bulk_##n,                                                        \
		.write_bulk = write_bulk_##n,                                                      \
	},                                                                                         \
	{                                                                                          \
		.name = title " control block", .space = IO_PORT, .base = IO_UNMAPPED,             \
		.length = 1, .read = control_read_##n, .write = control_write_##n,                 \
	}

static const struct io_region_desc piix4_ide_regions[] = {
	CHANNEL_REGIONS(0, "primary"),
	CHANNEL_REGIONS(1, "secondary"),
	{
		.name = "bus master",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = 16,
		.read = busmaster_read,
		.write = busmaster_write,
	},
	{ .name = NULL },
};

static const struct pci_bar piix4_ide_bars[] = { { BMIBA, BUSMASTER }, { 0, 0 } };

static const struct pci_class piix4_ide_pci = {
	.config = &config_bank,
	.config_offset = offsetof(struct piix4_ide, s.config),
	.bars = piix4_ide_bars,
	.config_written = config_written,
};

static const struct device_irq piix4_ide_irqs[] = {
	DEVICE_IRQ(struct piix4_ide, intrq[0], "primary", 14),
	DEVICE_IRQ(struct piix4_ide, intrq[1], "secondary", 15),
	{ .name = NULL },
};

static const struct reg_bank *const piix4_ide_banks[] = { &config_bank, &busmaster_bank,
							  &channel_bank, NULL };

static const struct piix4_ide_config piix4_ide_default = {
	.devfn = PCI_DEVFN(1, 1),
	.irq_delay_ns = PIIX4_IDE_IRQ_DELAY_NS,
};

const struct device_class piix4_ide_class = {
	.name = "piix4_ide",
	.summary = "Intel PIIX4 IDE controller, two channels with bus mastering",
	DEVICE_STATE(struct piix4_ide),
	.regions = piix4_ide_regions,
	.banks = piix4_ide_banks,
	.fields = piix4_ide_fields,
	.irqs = piix4_ide_irqs,
	.pci = &piix4_ide_pci,
	.default_config = &piix4_ide_default,
	.init = piix4_ide_init,
	.reset = piix4_ide_reset,
	.check = piix4_ide_check,
	.post_load = piix4_ide_post_load,
	.fini = piix4_ide_fini,
};
