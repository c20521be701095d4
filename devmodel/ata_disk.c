// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An ATA disk: what its commands do. The reader starts at disk_commands, at the end.
 *
 * Document: ATA/ATAPI-6 (INCITS 361) and, for the retired commands and addressing by cylinder, head
 * and sector, ATA-1 to ATA-4. Not emulated: READ and WRITE LONG, FORMAT TRACK, the host protected
 * area (SET MAX), passwords (security is frozen), SMART self-tests and logs, standby timers: the
 * disk never spins down by itself. READ VERIFY checks the range and does not read.
 *
 * A command's data moves in pieces of at most the channel's buffer, 256 sectors: one backend
 * request serves every command with a 28-bit address. Written sectors are durable after FLUSH
 * CACHE; with the write cache off every command ends with a flush. A range that leaves the disk
 * fails as a whole with IDNF, before anything was moved.
 */
#include "ata_disk.h"

#include <errno.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define MODEL "MAINSTAY VIRTUAL DISK"
#define FIRMWARE "1.0"

/* Flags of commands. */
#define EXT 0x01u      /* 48-bit address, 16-bit count */
#define MULTIPLE 0x02u /* DRQ blocks of the size that SET MULTIPLE MODE set */
#define WRITES 0x04u

/* Bits of s->enabled. */
#define ENABLED_WRITE_CACHE 0x01u
#define ENABLED_LOOK_AHEAD 0x02u
#define ENABLED_SMART 0x04u
#define ENABLED_REVERT 0x08u /* SRST brings the settings of power-on back */

#define LBA28_LIMIT UINT64_C(0x0fffffff)
#define MULTIPLE_MAX 128
#define SMART_MID 0x4f
#define SMART_HIGH 0xc2

static struct ata_channel_state *channel_of(struct ata_drive *drive)
{
	return drive->chan->s;
}

static bool has_flag(const struct ata_drive *drive, uint8_t flag)
{
	return ata_command_of(drive)->flags & flag;
}

/* --- addresses */

static struct ata_geometry current_geometry(const struct ata_drive *drive)
{
	return (struct ata_geometry){
		.cylinders = drive->s->cylinders,
		.heads = drive->s->heads,
		.sectors = drive->s->sectors,
	};
}

static void set_geometry(struct ata_drive *drive, struct ata_geometry geometry)
{
	drive->s->cylinders = geometry.cylinders;
	drive->s->heads = geometry.heads;
	drive->s->sectors = geometry.sectors;
}

static uint32_t address_byte(const uint8_t pair[2], unsigned int which, unsigned int shift)
{
	return (uint32_t)pair[which] << shift;
}

/* The 24 bits in the three address registers. */
static uint32_t address_bits(const struct ata_drive *drive, unsigned int which)
{
	const struct ata_drive_state *s = drive->s;

	return address_byte(s->lba_low, which, 0) | address_byte(s->lba_mid, which, 8) |
	       address_byte(s->lba_high, which, 16);
}

/* The sector that cylinder, head and sector registers name; false: there is none. */
static bool chs_address(struct ata_drive *drive, uint64_t *ret_lba)
{
	uint32_t bits = address_bits(drive, ATA_CURRENT);
	uint32_t cylinder = bits >> 8, sector = bits & 0xff;
	uint32_t head = channel_of(drive)->device & 0x0f;
	struct ata_geometry geometry = current_geometry(drive);

	if (cylinder >= geometry.cylinders || head >= geometry.heads || !sector ||
	    sector > geometry.sectors)
		return false;
	*ret_lba = ((uint64_t)cylinder * geometry.heads + head) * geometry.sectors + sector - 1;
	return true;
}

/* Decodes the address; *ret_limit is the first sector behind what its form can reach. */
static bool take_address(struct ata_drive *drive, uint64_t *ret_lba, uint64_t *ret_limit)
{
	uint8_t device = channel_of(drive)->device;

	*ret_limit = drive->sectors;
	if (has_flag(drive, EXT)) {
		*ret_lba = address_bits(drive, ATA_CURRENT) |
			   (uint64_t)address_bits(drive, ATA_PREVIOUS) << 24;
		return true;
	}
	*ret_limit = min_u64(*ret_limit, LBA28_LIMIT);
	if (device & ATA_DEVICE_LBA) {
		*ret_lba = address_bits(drive, ATA_CURRENT) | (device & 0x0fu) << 24;
		return true;
	}
	*ret_limit = min_u64(*ret_limit, ata_geometry_sectors(current_geometry(drive)));
	return chs_address(drive, ret_lba);
}

static uint32_t take_count(struct ata_drive *drive)
{
	const uint8_t *count = drive->s->count;

	if (has_flag(drive, EXT)) {
		uint32_t sectors = address_byte(count, ATA_PREVIOUS, 8) | count[ATA_CURRENT];

		return sectors ? sectors : 65536;
	}
	return count[ATA_CURRENT] ? count[ATA_CURRENT] : 256;
}

static void put_address_bits(struct ata_drive *drive, unsigned int which, uint32_t bits)
{
	drive->s->lba_low[which] = (uint8_t)bits;
	drive->s->lba_mid[which] = (uint8_t)(bits >> 8);
	drive->s->lba_high[which] = (uint8_t)(bits >> 16);
}

/* Shows @lba in the registers in the form of the command. */
static void show_address(struct ata_drive *drive, uint64_t lba)
{
	struct ata_channel_state *channel = channel_of(drive);
	struct ata_geometry geometry = current_geometry(drive);
	uint32_t track, head = (uint32_t)(lba >> 24) & 0x0f;

	if (has_flag(drive, EXT)) {
		put_address_bits(drive, ATA_CURRENT, (uint32_t)lba);
		put_address_bits(drive, ATA_PREVIOUS, (uint32_t)(lba >> 24));
		return;
	}
	if (channel->device & ATA_DEVICE_LBA) {
		put_address_bits(drive, ATA_CURRENT, (uint32_t)lba);
	} else if (geometry.heads && geometry.sectors) {
		track = (uint32_t)lba / geometry.sectors;
		head = track % geometry.heads & 0x0f;
		put_address_bits(drive, ATA_CURRENT,
				 track / geometry.heads << 8 |
					 ((uint32_t)lba % geometry.sectors + 1));
	}
	channel->device = (uint8_t)((channel->device & 0xf0) | head);
}

/* Shows where a transfer stands: the sector @lba, and @left sectors not moved. */
static void show_progress(struct ata_drive *drive, uint64_t lba, uint32_t left)
{
	show_address(drive, lba);
	drive->s->count[ATA_CURRENT] = (uint8_t)left;
	if (has_flag(drive, EXT))
		drive->s->count[ATA_PREVIOUS] = (uint8_t)(left >> 8);
}

/* Takes address and count of a command into the channel; false: the command has failed. */
static bool take_range(struct ata_drive *drive)
{
	struct ata_channel_state *channel = channel_of(drive);
	uint32_t count = take_count(drive);
	uint64_t lba, limit;

	if (!take_address(drive, &lba, &limit)) {
		ata_fail(drive, ATA_ERROR_IDNF, 0);
		return false;
	}
	if (lba >= limit || count > limit - lba) {
		show_progress(drive, max_u64(lba, limit), count);
		ata_fail(drive, ATA_ERROR_IDNF, 0);
		return false;
	}
	if (has_flag(drive, WRITES) && drive->info.read_only) {
		ata_fail(drive, ATA_ERROR_ABRT, 0);
		return false;
	}
	drive->s->power = ATA_POWER_ACTIVE;
	channel->lba = lba;
	channel->left = count;
	return true;
}

/* --- data transfer */

static uint32_t block_bytes(const struct ata_drive *drive)
{
	uint32_t sectors = has_flag(drive, MULTIPLE) ? drive->s->multiple : 1;

	return (sectors ? sectors : 1) * BLOCK_SECTOR_BYTES;
}

/* Bytes of the next piece of the command. */
static uint32_t piece_bytes(struct ata_drive *drive)
{
	return (uint32_t)min_u64(channel_of(drive)->left, ATA_BUFFER_SECTORS) * BLOCK_SECTOR_BYTES;
}

static void fetch(struct ata_drive *drive)
{
	ata_request(drive, ATA_REQUEST_READ, channel_of(drive)->lba * BLOCK_SECTOR_BYTES,
		    piece_bytes(drive));
}

/* A READ or WRITE MULTIPLE without SET MULTIPLE MODE. */
static bool lacks_multiple(struct ata_drive *drive)
{
	if (!has_flag(drive, MULTIPLE) || drive->s->multiple)
		return false;
	ata_fail(drive, ATA_ERROR_ABRT, 0);
	return true;
}

static void run_read(struct ata_drive *drive)
{
	if (!lacks_multiple(drive) && take_range(drive))
		fetch(drive);
}

static void run_write(struct ata_drive *drive)
{
	if (!lacks_multiple(drive) && take_range(drive))
		ata_data_out(drive, piece_bytes(drive), block_bytes(drive), true);
}

static void run_dma(struct ata_drive *drive)
{
	if (take_range(drive))
		ata_dma_wait(drive);
}

static void disk_dma_ready(struct ata_drive *drive)
{
	struct ata_channel_state *channel = channel_of(drive);

	ata_request_dma(drive, !has_flag(drive, WRITES), channel->lba * BLOCK_SECTOR_BYTES,
			channel->left * BLOCK_SECTOR_BYTES);
}

static void flush(struct ata_drive *drive)
{
	ata_request(drive, ATA_REQUEST_FLUSH, 0, 0);
}

/* All sectors of the command are moved. */
static void finish_transfer(struct ata_drive *drive)
{
	if (has_flag(drive, WRITES) && !(drive->s->enabled & ENABLED_WRITE_CACHE))
		flush(drive);
	else
		ata_complete(drive);
}

static void disk_drained(struct ata_drive *drive)
{
	if (channel_of(drive)->left)
		fetch(drive);
	else
		ata_complete_quietly(drive);
}

static void disk_filled(struct ata_drive *drive)
{
	if (has_flag(drive, WRITES))
		ata_request(drive, ATA_REQUEST_WRITE, channel_of(drive)->lba * BLOCK_SECTOR_BYTES,
			    channel_of(drive)->data_end);
	else
		ata_complete(drive); /* WRITE BUFFER */
}

/* The medium failed @request. */
static void fail_medium(struct ata_drive *drive, enum ata_request request, int error)
{
	struct ata_channel_state *channel = channel_of(drive);

	if (request != ATA_REQUEST_FLUSH)
		show_progress(drive, channel->lba, channel->left);
	if (request == ATA_REQUEST_FLUSH || error == -EROFS)
		ata_fail(drive, ATA_ERROR_ABRT, 0);
	else if (has_flag(drive, WRITES))
		ata_fail(drive, ATA_ERROR_ABRT, ATA_STATUS_DF);
	else
		ata_fail(drive, ATA_ERROR_UNC, 0);
}

static void disk_requested(struct ata_drive *drive, enum ata_request request, int error)
{
	struct ata_channel_state *channel = channel_of(drive);
	uint32_t bytes = channel->request_bytes;
	uint32_t sectors = (uint32_t)min_u64(bytes / BLOCK_SECTOR_BYTES, channel->left);

	if (error) {
		fail_medium(drive, request, error);
		return;
	}
	if (request == ATA_REQUEST_FLUSH) {
		ata_complete(drive);
		return;
	}
	channel->lba += sectors;
	channel->left -= sectors;
	if (!channel->left)
		show_progress(drive, channel->lba - 1, 0);
	if (request == ATA_REQUEST_READ)
		ata_data_in(drive, bytes, block_bytes(drive));
	else if (!channel->left)
		finish_transfer(drive);
	else if (request == ATA_REQUEST_WRITE)
		ata_data_out(drive, piece_bytes(drive), block_bytes(drive), false);
	else
		ata_dma_wait(drive);
}

/* --- commands without data */

static void run_nothing(struct ata_drive *drive)
{
	ata_complete(drive);
}

static void run_verify(struct ata_drive *drive)
{
	struct ata_channel_state *channel = channel_of(drive);

	if (!take_range(drive))
		return;
	show_progress(drive, channel->lba + channel->left - 1, 0);
	channel->left = 0;
	ata_complete(drive);
}

static void run_seek(struct ata_drive *drive)
{
	uint64_t lba, limit;

	if (take_address(drive, &lba, &limit) && lba < limit)
		ata_complete(drive);
	else
		ata_fail(drive, ATA_ERROR_IDNF, 0);
}

static void run_recalibrate(struct ata_drive *drive)
{
	show_address(drive, 0);
	ata_complete(drive);
}

static void run_initialize_parameters(struct ata_drive *drive)
{
	uint8_t heads = (uint8_t)((channel_of(drive)->device & 0x0f) + 1);
	uint8_t sectors = drive->s->count[ATA_CURRENT];

	if (!sectors) {
		ata_fail(drive, ATA_ERROR_ABRT, 0);
		return;
	}
	set_geometry(drive, ata_geometry_for(drive->sectors, heads, sectors));
	ata_complete(drive);
}

static void run_set_multiple(struct ata_drive *drive)
{
	uint8_t sectors = drive->s->count[ATA_CURRENT];

	if (sectors > MULTIPLE_MAX || (sectors && !is_power_of_two(sectors))) {
		ata_fail(drive, ATA_ERROR_ABRT, 0);
		return;
	}
	drive->s->multiple = sectors;
	ata_complete(drive);
}

static void run_flush(struct ata_drive *drive)
{
	flush(drive);
}

static void run_read_native_max(struct ata_drive *drive)
{
	uint64_t last = drive->sectors - 1;

	if (!has_flag(drive, EXT)) {
		last = min_u64(last, LBA28_LIMIT - 1);
		if (!(channel_of(drive)->device & ATA_DEVICE_LBA))
			last = min_u64(last, ata_geometry_sectors(current_geometry(drive)) - 1);
	}
	show_address(drive, last);
	ata_complete(drive);
}

/* --- power */

static void run_idle(struct ata_drive *drive)
{
	drive->s->power = ATA_POWER_ACTIVE;
	ata_complete(drive);
}

/* Guests switch off after STANDBY or SLEEP: what they wrote must be durable then. */
static void run_standby(struct ata_drive *drive)
{
	drive->s->power = ATA_POWER_STANDBY;
	flush(drive);
}

static void run_sleep(struct ata_drive *drive)
{
	drive->s->power = ATA_POWER_SLEEP;
	flush(drive);
}

static void run_check_power(struct ata_drive *drive)
{
	drive->s->count[ATA_CURRENT] = drive->s->power;
	ata_complete(drive);
}

/* --- identification and settings */

static void run_identify(struct ata_drive *drive)
{
	const struct ata_drive_state *s = drive->s;
	struct ata_identity identity = {
		.sectors = drive->sectors,
		.model = MODEL,
		.serial = drive->info.serial,
		.firmware = FIRMWARE,
		.native = drive->native,
		.current = current_geometry(drive),
		.multiple = s->multiple,
		.mode = s->mode,
		.write_cache = s->enabled & ENABLED_WRITE_CACHE,
		.look_ahead = s->enabled & ENABLED_LOOK_AHEAD,
		.smart = s->enabled & ENABLED_SMART,
		.slave = drive->index == 1,
	};

	ata_identify_disk(&identity, ata_buffer(drive));
	ata_data_in(drive, ATA_IDENTIFY_BYTES, ATA_IDENTIFY_BYTES);
}

static void set_transfer_mode(struct ata_drive *drive)
{
	uint8_t mode = drive->s->count[ATA_CURRENT];
	uint8_t class = mode & ATA_MODE_CLASS;

	if (!ata_mode_valid(mode)) {
		ata_fail(drive, ATA_ERROR_ABRT, 0);
		return;
	}
	/* A PIO mode leaves the DMA mode as it is. */
	if (class == ATA_MODE_MWDMA || class == ATA_MODE_UDMA)
		drive->s->mode = mode;
	ata_complete(drive);
}

/* SET FEATURES subcommands that set or clear one bit. */
static const struct {
	uint8_t subcommand, bit, set;
} feature_bits[] = {
	{ 0x02, ENABLED_WRITE_CACHE, 1 }, { 0x55, ENABLED_LOOK_AHEAD, 0 },
	{ 0x66, ENABLED_REVERT, 0 },	  { 0x82, ENABLED_WRITE_CACHE, 0 },
	{ 0xaa, ENABLED_LOOK_AHEAD, 1 },  { 0xcc, ENABLED_REVERT, 1 },
};

static void run_set_features(struct ata_drive *drive)
{
	uint8_t subcommand = drive->s->features[ATA_CURRENT];
	bool cached = drive->s->enabled & ENABLED_WRITE_CACHE;

	if (subcommand == 0x03) {
		set_transfer_mode(drive);
		return;
	}
	for (unsigned int i = 0; i < ARRAY_LEN(feature_bits); i++) {
		uint8_t bit = feature_bits[i].bit;

		if (feature_bits[i].subcommand != subcommand)
			continue;
		drive->s->enabled &= (uint8_t)~bit;
		drive->s->enabled |= feature_bits[i].set ? bit : 0;
		/* What is in the cache when it is turned off must reach the medium. */
		if (cached && !(drive->s->enabled & ENABLED_WRITE_CACHE))
			flush(drive);
		else
			ata_complete(drive);
		return;
	}
	ata_fail(drive, ATA_ERROR_ABRT, 0);
}

static void run_read_buffer(struct ata_drive *drive)
{
	ata_data_in(drive, BLOCK_SECTOR_BYTES, BLOCK_SECTOR_BYTES);
}

static void run_write_buffer(struct ata_drive *drive)
{
	ata_data_out(drive, BLOCK_SECTOR_BYTES, BLOCK_SECTOR_BYTES, true);
}

/* --- SMART: a disk that is always well */

struct smart_attribute {
	uint8_t id, flags, value, threshold;
};

static const struct smart_attribute smart_attributes[] = {
	{ 1, 0x0f, 100, 51 }, /* raw read error rate */
	{ 3, 0x03, 100, 25 }, /* spin-up time */
	{ 5, 0x33, 100, 10 }, /* reallocated sectors */
	{ 12, 0x32, 100, 0 }, /* power cycles */
};

/* Bytes 0 to 510 sum up with the last one to 0. */
static void seal_smart(uint8_t *data)
{
	uint8_t sum = 0;

	for (unsigned int i = 0; i < BLOCK_SECTOR_BYTES - 1; i++)
		sum = (uint8_t)(sum + data[i]);
	data[BLOCK_SECTOR_BYTES - 1] = (uint8_t)(0x100 - sum);
}

static void smart_data(struct ata_drive *drive, bool thresholds)
{
	uint8_t *data = ata_buffer(drive);

	memset(data, 0, BLOCK_SECTOR_BYTES);
	put_le16(data, 0x0010); /* revision of the structure */
	for (unsigned int i = 0; i < ARRAY_LEN(smart_attributes); i++) {
		const struct smart_attribute *attribute = &smart_attributes[i];
		uint8_t *entry = data + 2 + i * 12;

		entry[0] = attribute->id;
		if (thresholds) {
			entry[1] = attribute->threshold;
			continue;
		}
		put_le16(entry + 1, attribute->flags);
		entry[3] = attribute->value;
		entry[4] = attribute->value; /* the worst so far */
	}
	if (!thresholds)
		put_le16(data + 368, 0x0002); /* attributes are saved by themselves */
	seal_smart(data);
	ata_data_in(drive, BLOCK_SECTOR_BYTES, BLOCK_SECTOR_BYTES);
}

static void smart_subcommand(struct ata_drive *drive)
{
	switch (drive->s->features[ATA_CURRENT]) {
	case 0xd0:
		smart_data(drive, false);
		break;
	case 0xd1:
		smart_data(drive, true);
		break;
	case 0xd9:
		drive->s->enabled &= (uint8_t)~ENABLED_SMART;
		ata_complete(drive);
		break;
	case 0xd2: /* autosave on or off */
	case 0xd8: /* enabled already */
	case 0xda: /* status: registers that stay as they are mean that no threshold is exceeded */
		ata_complete(drive);
		break;
	default:
		ata_fail(drive, ATA_ERROR_ABRT, 0);
		break;
	}
}

static void run_smart(struct ata_drive *drive)
{
	struct ata_drive_state *s = drive->s;
	bool key = s->lba_mid[ATA_CURRENT] == SMART_MID && s->lba_high[ATA_CURRENT] == SMART_HIGH;

	if (key && s->features[ATA_CURRENT] == 0xd8)
		s->enabled |= ENABLED_SMART;
	if (key && (s->enabled & ENABLED_SMART))
		smart_subcommand(drive);
	else
		ata_fail(drive, ATA_ERROR_ABRT, 0);
}

/* --- life */

static void power_on_settings(struct ata_drive *drive)
{
	drive->s->enabled = ENABLED_WRITE_CACHE | ENABLED_LOOK_AHEAD | ENABLED_SMART;
	drive->s->multiple = ATA_MULTIPLE_SHOWN;
	set_geometry(drive, drive->native);
}

static void disk_reset(struct ata_drive *drive, bool soft)
{
	if (!soft)
		drive->s->mode =
			ATA_MODE_MWDMA | 2; /* NT 4.0 uses DMA where firmware has set a mode */
	if (!soft || (drive->s->enabled & ENABLED_REVERT))
		power_on_settings(drive);
	ata_set_signature(drive, 0, 0);
}

void ata_disk_init(struct ata_drive *drive, struct block_backend *backend,
		   struct ata_geometry geometry)
{
	struct ata_geometry image;

	block_info(backend, &drive->info);
	drive->kind = &ata_disk_kind;
	drive->backend = backend;
	drive->sectors = drive->info.size_bytes / BLOCK_SECTOR_BYTES;
	image = (struct ata_geometry){
		.cylinders = drive->info.cylinders,
		.heads = drive->info.heads,
		.sectors = drive->info.sectors_per_track,
	};
	if (ata_geometry_usable(geometry))
		drive->native = geometry;
	else if (ata_geometry_usable(image))
		drive->native = image;
	else
		drive->native = ata_geometry_for(drive->sectors, 16, 63);
	if (!drive->native.cylinders)
		drive->native.cylinders = 1;
}

#define RECALIBRATE                                                                                \
	{                                                                                          \
		"RECALIBRATE", run_recalibrate, 0                                                  \
	}
#define SEEK                                                                                       \
	{                                                                                          \
		"SEEK", run_seek, 0                                                                \
	}

static const struct ata_command disk_commands[256] = {
	/* clang-format off */
	[0x10 ... 0x1f] = RECALIBRATE,
	[0x20] = { "READ SECTORS", run_read, 0 },
	[0x21] = { "READ SECTORS (no retry)", run_read, 0 },
	[0x24] = { "READ SECTORS EXT", run_read, EXT },
	[0x25] = { "READ DMA EXT", run_dma, EXT },
	[0x27] = { "READ NATIVE MAX ADDRESS EXT", run_read_native_max, EXT },
	[0x29] = { "READ MULTIPLE EXT", run_read, EXT | MULTIPLE },
	[0x30] = { "WRITE SECTORS", run_write, WRITES },
	[0x31] = { "WRITE SECTORS (no retry)", run_write, WRITES },
	[0x34] = { "WRITE SECTORS EXT", run_write, WRITES | EXT },
	[0x35] = { "WRITE DMA EXT", run_dma, WRITES | EXT },
	[0x39] = { "WRITE MULTIPLE EXT", run_write, WRITES | EXT | MULTIPLE },
	[0x3c] = { "WRITE VERIFY", run_write, WRITES },
	[0x40] = { "READ VERIFY SECTORS", run_verify, 0 },
	[0x41] = { "READ VERIFY SECTORS (no retry)", run_verify, 0 },
	[0x42] = { "READ VERIFY SECTORS EXT", run_verify, EXT },
	[0x70 ... 0x7f] = SEEK,
	[0x91] = { "INITIALIZE DEVICE PARAMETERS", run_initialize_parameters, 0 },
	[0x94] = { "STANDBY IMMEDIATE (ATA-1)", run_standby, 0 },
	[0x95] = { "IDLE IMMEDIATE (ATA-1)", run_idle, 0 },
	[0x96] = { "STANDBY (ATA-1)", run_standby, 0 },
	[0x97] = { "IDLE (ATA-1)", run_idle, 0 },
	[0x98] = { "CHECK POWER MODE (ATA-1)", run_check_power, 0 },
	[0x99] = { "SLEEP (ATA-1)", run_sleep, 0 },
	[0xb0] = { "SMART", run_smart, 0 },
	[0xc4] = { "READ MULTIPLE", run_read, MULTIPLE },
	[0xc5] = { "WRITE MULTIPLE", run_write, WRITES | MULTIPLE },
	[0xc6] = { "SET MULTIPLE MODE", run_set_multiple, 0 },
	[0xc8] = { "READ DMA", run_dma, 0 },
	[0xc9] = { "READ DMA (no retry)", run_dma, 0 },
	[0xca] = { "WRITE DMA", run_dma, WRITES },
	[0xcb] = { "WRITE DMA (no retry)", run_dma, WRITES },
	[0xe0] = { "STANDBY IMMEDIATE", run_standby, 0 },
	[0xe1] = { "IDLE IMMEDIATE", run_idle, 0 },
	[0xe2] = { "STANDBY", run_standby, 0 },
	[0xe3] = { "IDLE", run_idle, 0 },
	[0xe4] = { "READ BUFFER", run_read_buffer, 0 },
	[0xe5] = { "CHECK POWER MODE", run_check_power, 0 },
	[0xe6] = { "SLEEP", run_sleep, 0 },
	[0xe7] = { "FLUSH CACHE", run_flush, 0 },
	[0xe8] = { "WRITE BUFFER", run_write_buffer, 0 },
	[0xea] = { "FLUSH CACHE EXT", run_flush, EXT },
	[0xec] = { "IDENTIFY DEVICE", run_identify, 0 },
	[0xef] = { "SET FEATURES", run_set_features, 0 },
	[0xf5] = { "SECURITY FREEZE LOCK", run_nothing, 0 },
	[0xf8] = { "READ NATIVE MAX ADDRESS", run_read_native_max, 0 },
	/* clang-format on */
};

const struct ata_drive_kind ata_disk_kind = {
	.name = "ATA disk",
	.commands = disk_commands,
	.reset = disk_reset,
	.drained = disk_drained,
	.filled = disk_filled,
	.dma_ready = disk_dma_ready,
	.requested = disk_requested,
};
