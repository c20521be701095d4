/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One ATA channel: the command and control block registers, two drives, the phases of a command,
 * the data port, INTRQ and resets. An engine of an IDE controller (piix4_ide.c).
 *
 * What a drive does with its commands is its kind's: a table of 256 commands and a few callbacks
 * (ata_disk.c; a CD-ROM drive is another). The kind never touches phases or interrupts itself, it
 * calls the verbs at the end of this file.
 */
#ifndef DEVMODEL_ATA_CHANNEL_H
#define DEVMODEL_ATA_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "ata_identify.h"
#include "block.h"
#include "ide_busmaster.h"

#define ATA_DRIVES 2
#define ATA_BOTH ATA_DRIVES /* as the active drive: reset and diagnostics concern both */
#define ATA_BUFFER_BYTES 131072
#define ATA_BUFFER_SECTORS (ATA_BUFFER_BYTES / BLOCK_SECTOR_BYTES)

/* Command block registers: offsets, reads and writes. */
#define ATA_DATA 0
#define ATA_ERROR 1
#define ATA_FEATURES 1
#define ATA_COUNT 2
#define ATA_LBA_LOW 3
#define ATA_LBA_MID 4
#define ATA_LBA_HIGH 5
#define ATA_DEVICE 6
#define ATA_STATUS 7
#define ATA_COMMAND 7

#define ATA_STATUS_ERR 0x01u
#define ATA_STATUS_DRQ 0x08u
#define ATA_STATUS_DSC 0x10u
#define ATA_STATUS_DF 0x20u
#define ATA_STATUS_DRDY 0x40u
#define ATA_STATUS_BSY 0x80u

#define ATA_ERROR_ABRT 0x04u
#define ATA_ERROR_IDNF 0x10u
#define ATA_ERROR_UNC 0x40u

#define ATA_DEVICE_DEV 0x10u
#define ATA_DEVICE_LBA 0x40u

#define ATA_CONTROL_NIEN 0x02u
#define ATA_CONTROL_SRST 0x04u
#define ATA_CONTROL_HOB 0x80u

enum ata_phase {
	ATA_IDLE,
	ATA_REQUEST, /* BSY: a request is at the backend */
	ATA_DELAY,   /* BSY: the next phase begins at deadline_ns, or when an abandoned request ends
		      */
	ATA_DATA_IN, /* DRQ: the host reads a block */
	ATA_DATA_OUT, /* DRQ: the host writes a block */
	ATA_DMA,      /* DRQ: waits for the bus master */
	ATA_RESET,    /* BSY: SRST is set */
	ATA_PHASE_MAX = ATA_RESET,
};

enum ata_request {
	ATA_REQUEST_NONE,
	ATA_REQUEST_READ,  /* into the buffer */
	ATA_REQUEST_WRITE, /* out of the buffer */
	ATA_REQUEST_FLUSH,
	ATA_REQUEST_DMA, /* between the backend and guest memory */
	ATA_REQUEST_MAX = ATA_REQUEST_DMA,
};

/* The two values last written to a register; 48-bit commands take both. */
enum { ATA_CURRENT, ATA_PREVIOUS };

struct ata_drive_state {
	uint8_t features[2], count[2], lba_low[2], lba_mid[2], lba_high[2];
	uint8_t error;
	uint8_t status; /* BSY and DRQ come from the channel's phase */
	uint8_t intrq;	/* an interrupt is pending */
	uint8_t power;	/* as CHECK POWER MODE reports it; ATA_POWER_SLEEP */
	/* Settings of the kind. */
	uint8_t mode;	  /* transfer mode as SET FEATURES 03h takes it */
	uint8_t multiple; /* sectors of a block, 0: disabled */
	uint8_t enabled;  /* bits of the kind */
	uint8_t heads, sectors;
	uint8_t reserved; /* 0 */
	uint16_t cylinders;
};

#define ATA_POWER_STANDBY 0x00
#define ATA_POWER_SLEEP 0x01 /* never reported: only a reset is heard */
#define ATA_POWER_ACTIVE 0xff

struct ata_channel_state {
	uint64_t deadline_ns;	 /* of ATA_DELAY */
	uint64_t earliest_ns;	 /* no interrupt before */
	uint64_t lba;		 /* the kind's next sector */
	uint64_t request_offset; /* of the request in bytes */
	uint32_t request_bytes;
	uint32_t left;	    /* sectors behind lba that the command has yet to move */
	uint32_t data_pos;  /* of the data port in the buffer */
	uint32_t data_end;  /* of the buffer's valid part */
	uint32_t block_end; /* of the DRQ block */
	uint32_t block_bytes;
	uint8_t device;	 /* device register */
	uint8_t control; /* device control register */
	uint8_t command; /* command register */
	uint8_t active;	 /* drive whose command runs, or ATA_BOTH */
	uint8_t phase;
	uint8_t next;	    /* phase after ATA_DELAY */
	uint8_t next_intrq; /* with an interrupt */
	uint8_t request;
	uint8_t wire; /* level of INTRQ */
	uint8_t reserved[7];
	uint64_t buffer[ATA_BUFFER_BYTES / 8];
};

extern const struct state_field ata_channel_fields[], ata_drive_fields[];

struct ata_drive;

struct ata_command {
	const char *name;
	void (*run)(struct ata_drive *drive); /* NULL: not a command of the kind */
	uint8_t flags;			      /* the kind's own */
};

struct ata_drive_kind {
	const char *name;
	const struct ata_command *commands; /* 256, by opcode */
	/* Power-on (@soft false), or SRST, DEVICE RESET and EXECUTE DEVICE DIAGNOSTIC: signature
	 * too. */
	void (*reset)(struct ata_drive *drive, bool soft);
	/* A DRQ block of @bytes begins; NULL: the kind has no registers that tell of it. */
	void (*block)(struct ata_drive *drive, uint32_t bytes);
	/* The host, or ata_dma_copy(), has read, or written, all data up to data_end. */
	void (*drained)(struct ata_drive *drive);
	void (*filled)(struct ata_drive *drive);
	/* The bus master was started in phase ATA_DMA. */
	void (*dma_ready)(struct ata_drive *drive);
	/* The backend completed @request, of s->request_bytes. */
	void (*requested)(struct ata_drive *drive, enum ata_request request, int error);
	/* A state was loaded, nothing of it is acted upon yet; NULL: nothing to compare it with. */
	void (*loaded)(struct ata_drive *drive);
};

struct atapi_cd;

struct ata_drive {
	struct ata_channel *chan;
	struct ata_drive_state *s;
	const struct ata_drive_kind *kind; /* NULL: absent */
	uint8_t index;
	struct atapi_cd *cd;	       /* what the kind of CD-ROM drives has besides */
	struct block_backend *backend; /* NULL: no medium */
	struct block_info info;
	uint64_t sectors; /* of 512 bytes */
	struct ata_geometry native;
};

struct ata_channel {
	struct device *dev;
	struct ata_channel_state *s;
	struct ata_drive drives[ATA_DRIVES];
	struct ide_busmaster *busmaster;
	struct irq_line *intrq;
	struct vtimer timer;
	uint64_t irq_delay_ns; /* from a command or written block to its interrupt, at least 1 */
	uint64_t dma_irq_delay_ns; /* same for DMA commands, which the backend delays in any case */
	struct block_request request;
	struct block_backend *request_backend; /* that has it: the medium may be another by now */
	struct iovec iov;
	uint8_t inflight;  /* enum ata_request that the backend has */
	uint8_t polled;	   /* the guest was seen waiting for it */
	uint8_t abandoned; /* nobody waits for it any more */
};

/* --- for the controller */

/* @dev, s, drives, busmaster, intrq and the delays are set; @expired calls ata_channel_expired().
 */
void ata_channel_init(struct ata_channel *chan, void (*expired)(struct device *dev));
void ata_channel_fini(struct ata_channel *chan);
void ata_channel_reset(struct ata_channel *chan);
/* Whether loaded state makes sense. */
bool ata_channel_check(const struct ata_channel_state *s);
/* No request may be at the backend: the machine drains it before it loads a state. */
void ata_channel_post_load(struct ata_channel *chan);

/* Command block registers but the data port; @offset 1 to 7. */
uint32_t ata_channel_read(struct ata_channel *chan, uint32_t offset);
void ata_channel_write(struct ata_channel *chan, uint32_t offset, uint8_t value);
uint32_t ata_channel_alt_status(struct ata_channel *chan);
void ata_channel_control(struct ata_channel *chan, uint8_t value);

/* The data port: items of @size 1, 2 or 4 bytes; a bulk call ends at the end of a DRQ block. */
uint32_t ata_channel_data_read(struct ata_channel *chan, unsigned int size);
void ata_channel_data_write(struct ata_channel *chan, unsigned int size, uint32_t value);
size_t ata_channel_data_read_bulk(struct ata_channel *chan, unsigned int size, void *items,
				  size_t count);
size_t ata_channel_data_write_bulk(struct ata_channel *chan, unsigned int size, const void *items,
				   size_t count);

void ata_channel_expired(struct ata_channel *chan);
void ata_channel_dma_started(struct ata_channel *chan);
void ata_channel_dma_stopped(struct ata_channel *chan);

/* --- verbs for drive kinds; each ends what the drive does now */

static inline const struct ata_command *ata_command_of(const struct ata_drive *drive)
{
	return &drive->kind->commands[drive->chan->s->command];
}

static inline uint8_t *ata_buffer(const struct ata_drive *drive)
{
	return (uint8_t *)drive->chan->s->buffer;
}

/* The command is done, with an interrupt. */
void ata_complete(struct ata_drive *drive);
/* The command is done, without one: after the last block of data-in. */
void ata_complete_quietly(struct ata_drive *drive);
/* The command failed: bits of the error register, and more bits of the status register. */
void ata_fail(struct ata_drive *drive, uint8_t error, uint8_t status);
/* The host reads, or writes, the first @bytes of the buffer in blocks of @block_bytes. */
void ata_data_in(struct ata_drive *drive, uint32_t bytes, uint32_t block_bytes);
/* @first: of the command, which asks for no interrupt. */
void ata_data_out(struct ata_drive *drive, uint32_t bytes, uint32_t block_bytes, bool first);
/* Between buffer and backend, at most the buffer; or ATA_REQUEST_FLUSH. */
void ata_request(struct ata_drive *drive, enum ata_request request, uint64_t offset,
		 uint32_t bytes);
/* Waits for the bus master, which may be started already; then dma_ready() is called. */
void ata_dma_wait(struct ata_drive *drive);
/* From dma_ready(): moves the buffer from data_pos to data_end, then calls drained() or filled(). */
void ata_dma_copy(struct ata_drive *drive, bool to_memory);
/* No interrupt before the delay of commands has passed once more. */
void ata_hold(struct ata_drive *drive);
/* From dma_ready() or requested(): moves at most @max_bytes between memory and backend. */
void ata_request_dma(struct ata_drive *drive, bool to_memory, uint64_t offset, uint32_t max_bytes);

/* For the command DEVICE RESET: as after SRST, but for this drive alone. */
void ata_device_reset(struct ata_drive *drive);

/* Registers after a reset: the kind's signature. */
void ata_set_signature(struct ata_drive *drive, uint8_t lba_mid, uint8_t lba_high);

#endif
