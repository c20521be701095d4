// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The data commands of the Intel 82077AA floppy controller. See fdc_82077.c for the documents and
 * for what is not emulated.
 *
 * Theory of operation
 *
 * A command goes sector by sector through these phases, and none begins another in the same access:
 *
 *	start -> [SEEKING] -> ROTATING -> REQUEST (read) -> TRANSFER (to the host) ---.
 *	                         ^    `--> TRANSFER (from the host) -> REQUEST (write) |
 *	                         `------------------- sector_done() <-----------------'
 *	                                           `-> [REQUEST (flush)] -> ENDING -> results
 *
 * ROTATING looks for the sector when its time has come: what is wrong with drive, disk or sector is
 * found there, each time anew, since the disk may have been changed. What a command has written is
 * flushed before its results say so: systems take a floppy out as soon as the light is off.
 *
 * A READ DATA reads all that it may want of a track, or of a cylinder, in one request (fdc.ahead). With DMA these
 * sectors go to memory in one access, and the time that they take on a disk passes before the results: firmware
 * waits for those by spinning, so that each step towards them costs what a guest does in that time.
 *
 * A drive that does not turn, or has no disk, gives no index pulses, and a real controller would
 * wait for them until the host resets it. This one says Missing Address Mark at once: drivers take
 * both for the same, but need seconds for the former.
 */
#include "fdc_data.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "../base/bits.h"

/* Data moves this much faster than under a real head: a track of 1.44 MB takes 80 microseconds. */
#define ROTATION_SCALE 2048
#define SECTOR_BYTES_WITH_GAPS 576
#define FIFO_BYTES 16
#define REFILL_NS 250
/*
 * A real host has some microseconds for each byte. One that is a guest may be away for longer
 * through no fault of its own, and gets a second or two.
 */
#define OVERRUN_NS NSEC_PER_SEC
#define ID_BYTES 4
/* From the last byte to the results: the sector's checksum, and the chip's own time. */
#define ENDING_NS (20 * NSEC_PER_USEC)

static const uint32_t byte_ns[] = {
	[FLOPPY_500K] = 16000,
	[FLOPPY_300K] = 26667,
	[FLOPPY_250K] = 32000,
	[FLOPPY_1M] = 8000,
};

static uint64_t now(const struct fdc *fdc)
{
	return timer_now(&fdc->timer);
}

static struct floppy_drive *drive_of(struct fdc *fdc)
{
	return &fdc->drives[fdc->s.unit];
}

static uint8_t *buffer_of(struct fdc *fdc)
{
	return (uint8_t *)fdc->s.buffer;
}

static unsigned int doing(const struct fdc *fdc)
{
	return fdc_command_find(fdc->s.command[0])->does;
}

bool fdc_data_to_host(const struct fdc *fdc)
{
	return doing(fdc) & FDC_TO_HOST;
}

/* --- time */

static uint64_t sector_ns(const struct fdc *fdc)
{
	return (uint64_t)SECTOR_BYTES_WITH_GAPS * byte_ns[fdc->s.rate] / ROTATION_SCALE;
}

static void rotate(struct fdc *fdc)
{
	fdc->s.phase = FDC_ROTATING;
	fdc->s.deadline_ns = now(fdc) + sector_ns(fdc);
}

/* The disk's track under the head, or -1. */
static int track_under_head(struct fdc *fdc)
{
	const struct fdc_state *s = &fdc->s;

	if (!(s->dor & DOR_MOTOR(s->unit)) || !(s->command[0] & COMMAND_MFM))
		return -1;
	return floppy_drive_track(drive_of(fdc), s->head, s->rate);
}

/* --- the end of a command */

static void request(struct fdc *fdc, enum fdc_request request);

static void give_results(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	const uint8_t result[] = { s->st0, s->st1, s->st2, s->c, s->h, s->r, s->n };

	memcpy(s->result, result, sizeof(result));
	fdc_give_results(fdc, sizeof(result), true);
}

static void end_soon(struct fdc *fdc)
{
	fdc->s.phase = FDC_ENDING;
	fdc->s.deadline_ns = now(fdc) + ENDING_NS + fdc->owed_ns;
	fdc->owed_ns = 0;
}

/* What is in st1 and st2 stays; @st0 has IC and perhaps EC. */
static void finish(struct fdc *fdc, unsigned int st0)
{
	struct fdc_state *s = &fdc->s;

	s->st0 |= (uint8_t)(st0 | (unsigned int)s->head << 2 | s->unit);
	if (s->unflushed) {
		s->unflushed = 0;
		request(fdc, FDC_FLUSH);
	} else {
		end_soon(fdc);
	}
}

static void fail(struct fdc *fdc, unsigned int st1, unsigned int st2)
{
	fdc->s.st1 |= (uint8_t)st1;
	fdc->s.st2 |= (uint8_t)st2;
	finish(fdc, ST0_IC_ABNORMAL);
}

/* What the image cannot hold: a formatter that wants another format than the image's. */
static void fail_format(struct fdc *fdc, const char *what)
{
	const struct floppy_format *format = drive_of(fdc)->media.format;

	device_log(&fdc->dev, "formatting: %s does not fit an image of format %s", what,
		   format->name);
	finish(fdc, ST0_IC_ABNORMAL | ST0_EC);
}

/* To the next sector's address, as the results show it; the head stays. */
static void advance(struct fdc_state *s)
{
	if (s->r != s->eot) {
		s->r++;
		return;
	}
	s->r = 1;
	if (!(s->command[0] & COMMAND_MT)) {
		s->c++;
		return;
	}
	s->c = (uint8_t)(s->c + s->head);
	s->h ^= 1;
}

/* --- sectors that are done */

/* Of READ, WRITE and VERIFY. */
static void next_sector(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	bool verify = doing(fdc) & FDC_VERIFY;
	bool counted = verify && (s->command[1] & COMMAND_EC);
	bool end_of_track = s->r == s->eot;
	bool last = end_of_track && (!(s->command[0] & COMMAND_MT) || s->head);

	advance(s);
	if (s->terminal_count || (counted && (uint8_t)s->done == s->command[8])) {
		finish(fdc, ST0_IC_NORMAL);
	} else if (!last) {
		s->head |= end_of_track;
		rotate(fdc);
	} else if (verify && !counted) {
		finish(fdc, ST0_IC_NORMAL);
	} else {
		fail(fdc, ST1_EN, 0);
	}
}

static void sector_done(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	unsigned int does = doing(fdc);

	s->done++;
	if (does & FDC_FORMAT) {
		if (s->terminal_count || (uint8_t)s->done == s->command[3])
			finish(fdc, ST0_IC_NORMAL);
		else
			rotate(fdc);
	} else if (does & FDC_TRACK) {
		s->r++;
		if (s->terminal_count || (uint8_t)s->done == s->eot)
			finish(fdc, s->st1 ? ST0_IC_ABNORMAL : ST0_IC_NORMAL);
		else
			rotate(fdc);
	} else if ((does & FDC_DELETED) && !(s->command[0] & COMMAND_SK)) {
		/* No disk of ours has a deleted mark: the first sector is the last one. */
		finish(fdc, ST0_IC_NORMAL);
	} else {
		next_sector(fdc);
	}
}

/* A whole sector was compared, or all of it that the host had. */
static void scan_done(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	unsigned int does = doing(fdc), allowed = 0;
	uint8_t step = s->command[8] == 2 ? 2 : 1;

	if (does & FDC_SCAN_LOW)
		allowed |= SCAN_LOWER;
	if (does & FDC_SCAN_HIGH)
		allowed |= SCAN_HIGHER;
	s->st2 &= (uint8_t) ~(ST2_SH | ST2_SN);
	if (!s->scan)
		s->st2 |= ST2_SH;
	else if (s->scan & ~allowed)
		s->st2 |= ST2_SN;
	if (!(s->st2 & ST2_SN) || s->terminal_count) {
		finish(fdc, ST0_IC_NORMAL);
	} else if (s->r + step <= s->eot) {
		s->r = (uint8_t)(s->r + step);
		rotate(fdc);
	} else if ((s->command[0] & COMMAND_MT) && !s->head) {
		s->head = 1;
		s->h ^= 1;
		s->r = 1;
		rotate(fdc);
	} else {
		finish(fdc, ST0_IC_NORMAL);
	}
}

/* --- requests */

static void requested(struct fdc *fdc, enum fdc_request request, int error);
static void go_on(struct fdc *fdc);

/* Sectors from s->sector on that READ DATA may want; 1 for all else. */
static unsigned int sectors_wanted(struct fdc *fdc)
{
	const struct fdc_state *s = &fdc->s;
	const struct floppy_format *format = drive_of(fdc)->media.format;
	unsigned int last = (unsigned int)min_u64(s->eot, format->sectors), count;

	if (doing(fdc) != (FDC_DATA | FDC_TO_HOST) || fdc->one_by_one || s->r > last)
		return 1;
	count = last - s->r + 1;
	if ((s->command[0] & COMMAND_MT) && !s->head && format->heads == 2 &&
	    last == format->sectors)
		count += format->sectors;
	return (unsigned int)min_u64(count, FDC_AHEAD_SECTORS);
}

static bool is_ahead(const struct fdc *fdc, unsigned int sector)
{
	return sector >= fdc->ahead_sector &&
	       sector < (unsigned int)fdc->ahead_sector + fdc->ahead_count;
}

static void take_ahead(struct fdc *fdc)
{
	size_t index = (size_t)(fdc->s.sector - fdc->ahead_sector);

	memcpy(buffer_of(fdc), fdc->ahead + index * BLOCK_SECTOR_BYTES, BLOCK_SECTOR_BYTES);
}

static void request_complete(struct block_request *block, int error)
{
	struct fdc *fdc = block->owner;
	enum fdc_request done = fdc->s.request;
	bool many = block->size_bytes > BLOCK_SECTOR_BYTES;

	fdc->inflight = NULL;
	if (fdc->abandoned) {
		fdc->abandoned = false;
	} else {
		fdc->s.request = FDC_NONE;
		fdc->one_by_one |= error && many;
		if (!error && many) {
			fdc->ahead_sector = fdc->s.sector;
			fdc->ahead_count = (uint16_t)(block->size_bytes / BLOCK_SECTOR_BYTES);
			take_ahead(fdc);
		}
		/* Which of them the backend cannot read matters to the guest. */
		if (error && many)
			request(fdc, FDC_READ);
		else
			requested(fdc, done, error);
	}
	go_on(fdc);
	fdc_update(fdc);
}

static bool request_possible(struct fdc *fdc, enum fdc_request request)
{
	const struct floppy_media *media = &drive_of(fdc)->media;

	if (!media->backend)
		return false;
	return request == FDC_FLUSH ||
	       (uint64_t)fdc->s.sector * BLOCK_SECTOR_BYTES < floppy_format_bytes(media->format);
}

/* Between the buffer and s->sector, or a flush. */
static void request(struct fdc *fdc, enum fdc_request request)
{
	static const enum block_op ops[] = {
		[FDC_READ] = BLOCK_READ,
		[FDC_WRITE] = BLOCK_WRITE,
		[FDC_FLUSH] = BLOCK_FLUSH,
	};
	struct fdc_state *s = &fdc->s;
	bool data = request != FDC_FLUSH;
	size_t bytes = BLOCK_SECTOR_BYTES;

	assert(!fdc->inflight);
	s->deadline_ns = TIMER_OFF;
	if (!request_possible(fdc, request)) {
		requested(fdc, request, -EIO);
		return;
	}
	if (request == FDC_READ && is_ahead(fdc, s->sector)) {
		take_ahead(fdc);
		requested(fdc, request, 0);
		return;
	}
	if (request == FDC_READ)
		bytes *= sectors_wanted(fdc);
	s->phase = FDC_REQUEST;
	s->request = (uint8_t)request;
	fdc->ahead_count = 0;
	fdc->iov =
		(struct iovec){ bytes > BLOCK_SECTOR_BYTES ? fdc->ahead : buffer_of(fdc), bytes };
	fdc->inflight = drive_of(fdc)->media.backend;
	fdc->request = (struct block_request){
		.op = ops[request],
		.offset_bytes = data ? (uint64_t)s->sector * BLOCK_SECTOR_BYTES : 0,
		.size_bytes = data ? bytes : 0,
		.iov = data ? &fdc->iov : NULL,
		.iov_count = data,
		.complete = request_complete,
		.owner = fdc,
	};
	block_submit(fdc->inflight, &fdc->request);
}

static void abandon_request(struct fdc *fdc)
{
	fdc->s.request = FDC_NONE;
	if (!fdc->inflight || fdc->abandoned)
		return;
	fdc->abandoned = true;
	block_cancel(fdc->inflight, &fdc->request);
}

static void begin_transfer(struct fdc *fdc, uint16_t bytes);

static void requested(struct fdc *fdc, enum fdc_request request, int error)
{
	struct fdc_state *s = &fdc->s;

	if (request == FDC_FLUSH) {
		if (error) {
			s->st0 = (uint8_t)((s->st0 & 0x3fu) | ST0_IC_ABNORMAL);
			s->st1 |= ST1_DE;
		}
		end_soon(fdc);
	} else if (error && request == FDC_READ) {
		fail(fdc, ST1_DE, ST2_DD);
	} else if (error) {
		fail(fdc, error == -EROFS ? ST1_NW : ST1_DE, 0);
	} else if (request == FDC_WRITE) {
		s->unflushed = 1;
		sector_done(fdc);
	} else if (doing(fdc) & FDC_VERIFY) {
		sector_done(fdc);
	} else {
		begin_transfer(fdc, BLOCK_SECTOR_BYTES);
	}
}

/* --- bytes to and from the host */

/* The identification of the next sector to format is in the buffer. */
static void format_sector(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	const uint8_t *id = buffer_of(fdc);
	int track = track_under_head(fdc);
	const struct floppy_media *media = &drive_of(fdc)->media;

	s->c = id[0];
	s->h = id[1];
	s->r = id[2];
	s->n = id[3];
	if (track < 0) {
		fail(fdc, ST1_MA, 0);
		return;
	}
	if (s->c != track || s->h != s->head || s->n != FLOPPY_N || !s->r ||
	    s->r > media->format->sectors) {
		fail_format(fdc, "the numbering of sectors");
		return;
	}
	s->sector = (uint16_t)(floppy_media_offset(media, (unsigned int)track, s->head, s->r) /
			       BLOCK_SECTOR_BYTES);
	memset(buffer_of(fdc), s->command[5], BLOCK_SECTOR_BYTES);
	request(fdc, FDC_WRITE);
}

/* The host has moved all bytes up to s->end, or will move no more. */
static void transferred(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	unsigned int does = doing(fdc);

	if (does & FDC_SCAN) {
		scan_done(fdc);
	} else if (does & FDC_FORMAT) {
		if (s->pos < ID_BYTES)
			finish(fdc, ST0_IC_NORMAL);
		else
			format_sector(fdc);
	} else if (does & FDC_WRITES) {
		memset(buffer_of(fdc) + s->pos, 0, BLOCK_SECTOR_BYTES - (size_t)s->pos);
		request(fdc, FDC_WRITE);
	} else {
		sector_done(fdc);
	}
}

/* FFh on either side matches everything. */
static void compare(struct fdc *fdc, const uint8_t *host, size_t count)
{
	const uint8_t *disk = buffer_of(fdc) + fdc->s.pos;

	for (size_t i = 0; i < count; i++) {
		if (host[i] == disk[i] || host[i] == 0xff || disk[i] == 0xff)
			continue;
		fdc->s.scan |= disk[i] < host[i] ? SCAN_LOWER : SCAN_HIGHER;
	}
}

static void pump(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	uint8_t host[BLOCK_SECTOR_BYTES];
	bool to_host, terminal_count = false;
	bool scan;
	size_t count;

	if (s->phase != FDC_TRANSFER || !fdc_uses_dma(fdc) || !fdc->dma || !(s->dor & DOR_DMAGATE))
		return;
	to_host = fdc_data_to_host(fdc);
	scan = doing(fdc) & FDC_SCAN;
	isa_dma_request(fdc->dma, FDC_DMA_CHANNEL, true);
	count = isa_dma_transfer(
		fdc->dma, FDC_DMA_CHANNEL, to_host ? ISA_DMA_TO_MEMORY : ISA_DMA_FROM_MEMORY,
		scan ? host : buffer_of(fdc) + s->pos, (size_t)(s->end - s->pos), &terminal_count);
	if (!count)
		return;
	if (scan)
		compare(fdc, host, count);
	s->pos = (uint16_t)(s->pos + count);
	s->terminal_count |= terminal_count;
	s->moved = 1;
	if (s->pos == s->end || s->terminal_count)
		transferred(fdc);
}

/* Bytes for which the FIFO asks the host at once. */
static uint8_t fifo_burst(const struct fdc_state *s)
{
	unsigned int threshold = (s->configure & CONFIGURE_FIFOTHR) + 1u;

	if ((s->configure & CONFIGURE_EFIFO) || threshold == FIFO_BYTES)
		return 1;
	return (uint8_t)(FIFO_BYTES - threshold);
}

static void begin_transfer(struct fdc *fdc, uint16_t bytes)
{
	struct fdc_state *s = &fdc->s;

	s->phase = FDC_TRANSFER;
	s->pos = 0;
	s->end = bytes;
	s->scan = 0;
	s->moved = 0;
	s->burst = fifo_burst(s);
	s->deadline_ns = now(fdc) + OVERRUN_NS;
	pump(fdc);
}

/* One byte was moved through the data port. */
static void count_byte(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;

	s->pos++;
	s->moved = 1;
	s->burst--;
	if (s->pos == s->end) {
		transferred(fdc);
	} else if (!s->burst) {
		s->phase = FDC_REFILLING;
		s->deadline_ns = now(fdc) + REFILL_NS;
	}
}

uint8_t fdc_data_read(struct fdc *fdc)
{
	uint8_t value = buffer_of(fdc)[fdc->s.pos];

	count_byte(fdc);
	return value;
}

void fdc_data_write(struct fdc *fdc, uint8_t value)
{
	if (doing(fdc) & FDC_SCAN)
		compare(fdc, &value, 1);
	else
		buffer_of(fdc)[fdc->s.pos] = value;
	count_byte(fdc);
}

/* --- finding sectors */

static void read_id(struct fdc *fdc, int track)
{
	struct fdc_state *s = &fdc->s;
	uint64_t passed = now(fdc) / sector_ns(fdc);

	s->c = (uint8_t)track;
	s->h = s->head;
	s->r = (uint8_t)(passed % drive_of(fdc)->media.format->sectors + 1);
	s->n = FLOPPY_N;
	finish(fdc, ST0_IC_NORMAL);
}

static void format_next(struct fdc *fdc)
{
	const struct floppy_format *format = drive_of(fdc)->media.format;

	if (fdc->s.command[2] != FLOPPY_N)
		fail_format(fdc, "the size of sectors");
	else if (fdc->s.command[3] != format->sectors)
		fail_format(fdc, "the number of sectors");
	else
		begin_transfer(fdc, ID_BYTES);
}

/* Which sector the command means, or 0 with the reason in st1 and st2. */
static unsigned int find_sector(struct fdc *fdc, int track)
{
	struct fdc_state *s = &fdc->s;
	unsigned int sectors = drive_of(fdc)->media.format->sectors;
	unsigned int r = s->r;

	/* READ TRACK takes the sectors as they come, and tells whether their names are right. */
	if (doing(fdc) & FDC_TRACK)
		r = s->done % sectors + 1u;
	if (s->c == track && s->h == s->head && s->n == FLOPPY_N && s->r == r && r && r <= sectors)
		return r;
	s->st1 |= ST1_ND;
	if (doing(fdc) & FDC_TRACK)
		return r;
	if (s->c != track)
		s->st2 |= ST2_WC;
	return 0;
}

static void reach_sector(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	unsigned int does = doing(fdc), r;
	int track = track_under_head(fdc);

	if ((does & FDC_WRITES) && floppy_drive_write_protected(drive_of(fdc))) {
		fail(fdc, ST1_NW, 0);
		return;
	}
	if (track < 0) {
		fail(fdc, ST1_MA, 0);
		return;
	}
	if (does & FDC_ID) {
		read_id(fdc, track);
		return;
	}
	if (does & FDC_FORMAT) {
		format_next(fdc);
		return;
	}
	r = find_sector(fdc, track);
	if (!r) {
		fail(fdc, 0, 0);
		return;
	}
	s->sector = (uint16_t)(floppy_media_offset(&drive_of(fdc)->media, (unsigned int)track,
						   s->head, r) /
			       BLOCK_SECTOR_BYTES);
	if (does & FDC_DELETED)
		s->st2 |= ST2_CM;
	if ((does & FDC_DELETED) && (s->command[0] & COMMAND_SK))
		sector_done(fdc);
	else if (does & FDC_WRITES)
		begin_transfer(fdc, BLOCK_SECTOR_BYTES);
	else
		request(fdc, FDC_READ);
}

/* While the sectors that come are at hand. */
static void go_on(struct fdc *fdc)
{
	while (fdc->s.phase == FDC_ROTATING && fdc_uses_dma(fdc) && !fdc->inflight &&
	       fdc->ahead_count && is_ahead(fdc, fdc->s.sector + 1u)) {
		fdc->owed_ns += sector_ns(fdc);
		reach_sector(fdc);
	}
}

void fdc_data_pump(struct fdc *fdc)
{
	pump(fdc);
	go_on(fdc);
}

/* --- life of a command */

static bool seek_is_implied(const struct fdc *fdc)
{
	const struct fdc_state *s = &fdc->s;

	return (s->configure & CONFIGURE_EIS) && !(doing(fdc) & (FDC_ID | FDC_FORMAT)) &&
	       s->c != s->units[s->unit].pcn;
}

void fdc_data_start(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	const struct fdc_unit *unit;

	s->unit = (uint8_t)COMMAND_DS(s->command[1]);
	s->head = (uint8_t)COMMAND_HDS(s->command[1]);
	unit = &s->units[s->unit];
	s->st0 = s->st1 = s->st2 = 0;
	s->terminal_count = s->unflushed = 0;
	s->done = 0;
	s->irq = 0;
	s->resets_to_sense = 0;
	fdc->ahead_count = 0;
	fdc->one_by_one = false;
	fdc->owed_ns = 0;
	s->c = unit->pcn;
	s->h = s->head;
	s->r = 1;
	s->n = s->command[2];
	if (doing(fdc) & FDC_FORMAT) {
		s->last_eot = s->command[3];
	} else if (!(doing(fdc) & FDC_ID)) {
		s->c = s->command[2];
		s->h = s->command[3];
		s->r = s->command[4];
		s->n = s->command[5];
		s->eot = s->last_eot = s->command[6];
	}
	if (seek_is_implied(fdc)) {
		s->phase = FDC_SEEKING;
		s->deadline_ns = now(fdc) + fdc_seek_ns(fdc, s->c > unit->pcn ? s->c - unit->pcn
									      : unit->pcn - s->c);
	} else {
		rotate(fdc);
	}
}

static void end_implied_seek(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;
	struct fdc_unit *unit = &s->units[s->unit];

	floppy_drive_step(drive_of(fdc), s->c - unit->pcn);
	unit->pcn = s->c;
	s->st0 |= ST0_SE;
	rotate(fdc);
}

static void host_late(struct fdc *fdc)
{
	if (!fdc->s.moved) {
		fail(fdc, ST1_OR, 0);
		return;
	}
	fdc->s.moved = 0;
	fdc->s.deadline_ns = now(fdc) + OVERRUN_NS;
}

bool fdc_data_blocked(const struct fdc *fdc)
{
	return fdc->inflight && (fdc->s.phase == FDC_SEEKING || fdc->s.phase == FDC_ROTATING);
}

void fdc_data_expired(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;

	switch (s->phase) {
	case FDC_SEEKING:
		end_implied_seek(fdc);
		break;
	case FDC_ROTATING:
		reach_sector(fdc);
		break;
	case FDC_TRANSFER:
		host_late(fdc);
		break;
	case FDC_REFILLING:
		s->phase = FDC_TRANSFER;
		s->burst = fifo_burst(s);
		s->deadline_ns = now(fdc) + OVERRUN_NS;
		break;
	case FDC_ENDING:
		give_results(fdc);
		break;
	default:
		break;
	}
	go_on(fdc);
}

void fdc_data_abort(struct fdc *fdc)
{
	abandon_request(fdc);
	fdc->s.deadline_ns = TIMER_OFF;
	fdc->s.unflushed = 0;
}

void fdc_data_changed(struct fdc *fdc, unsigned int unit)
{
	struct fdc_state *s = &fdc->s;

	if (s->phase < FDC_SEEKING || s->phase > FDC_REFILLING || s->unit != unit)
		return;
	abandon_request(fdc);
	s->unflushed = 0;
	fail(fdc, ST1_MA, 0);
}

bool fdc_data_check(const struct fdc_state *s)
{
	const struct fdc_command *command = fdc_command_find(s->command[0]);
	bool data = s->phase >= FDC_SEEKING && s->phase <= FDC_ENDING;

	if ((s->phase == FDC_REQUEST) != (s->request != FDC_NONE))
		return false;
	if (data && (!command || !(command->does & FDC_DATA)))
		return false;
	if (s->phase == FDC_TRANSFER && !s->burst)
		return false;
	return (s->phase != FDC_TRANSFER && s->phase != FDC_REFILLING) ||
	       (s->pos < s->end && s->end <= BLOCK_SECTOR_BYTES);
}

void fdc_data_post_load(struct fdc *fdc)
{
	enum fdc_request again = fdc->s.request;

	assert(!fdc->inflight);
	if (fdc->s.phase != FDC_REQUEST)
		return;
	fdc->s.request = FDC_NONE;
	request(fdc, again);
}
