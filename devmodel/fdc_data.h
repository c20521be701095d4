/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floppy controller's state, and the half of it that moves data: from the last parameter of a
 * command that reads, writes, compares or formats to its results. The other half (fdc_82077.c) has
 * the registers, the phases of a command and the seeks.
 */
#ifndef DEVMODEL_FDC_DATA_H
#define DEVMODEL_FDC_DATA_H

#include "device.h"
#include "floppy_drive.h"
#include "isa_dma.h"

#define FDC_UNITS 4
#define FDC_COMMAND_BYTES 9
#define FDC_RESULT_BYTES 10
#define FDC_DMA_CHANNEL 2
#define FDC_AHEAD_SECTORS 72 /* a cylinder of 2.88 MB */

#define ST0_IC_NORMAL 0x00u
#define ST0_IC_ABNORMAL 0x40u
#define ST0_IC_INVALID 0x80u
#define ST0_IC_POLLING 0xc0u
#define ST0_SE 0x20u
#define ST0_EC 0x10u
#define ST1_EN 0x80u
#define ST1_DE 0x20u
#define ST1_OR 0x10u
#define ST1_ND 0x04u
#define ST1_NW 0x02u
#define ST1_MA 0x01u
#define ST2_CM 0x40u
#define ST2_DD 0x20u
#define ST2_WC 0x10u
#define ST2_SH 0x08u
#define ST2_SN 0x04u

/* Bits of the first byte of a command. */
#define COMMAND_MT 0x80u
#define COMMAND_MFM 0x40u
#define COMMAND_SK 0x20u
/* Of the second byte. */
#define COMMAND_HDS(b) ((b) >> 2 & 1u)
#define COMMAND_DS(b) ((b)&3u)
#define COMMAND_EC 0x80u /* VERIFY */

/* SPECIFY's second byte, and CONFIGURE's. */
#define SPECIFY_ND 0x01u
#define CONFIGURE_EIS 0x40u
#define CONFIGURE_EFIFO 0x20u /* the FIFO is disabled */
#define CONFIGURE_POLL 0x10u  /* polling is disabled */
#define CONFIGURE_FIFOTHR 0x0fu

#define DOR_RESET 0x04u
#define DOR_DMAGATE 0x08u
#define DOR_MOTOR(unit) (0x10u << (unit))

enum fdc_phase {
	FDC_RESET,     /* held in reset by DOR */
	FDC_RESETTING, /* until deadline_ns */
	FDC_COMMAND,   /* takes a command's bytes */
	FDC_SEEKING,   /* an implied seek, until deadline_ns */
	FDC_ROTATING,  /* the next sector comes at deadline_ns */
	FDC_REQUEST,   /* a request is at the backend */
	FDC_TRANSFER,  /* the host moves bytes; at deadline_ns it has lost its time */
	FDC_REFILLING, /* not by DMA: the FIFO is ready again at deadline_ns */
	FDC_ENDING,    /* the results come at deadline_ns */
	FDC_RESULT,    /* gives the results' bytes */
	FDC_PHASE_MAX = FDC_RESULT,
};

enum fdc_request { FDC_NONE, FDC_READ, FDC_WRITE, FDC_FLUSH, FDC_REQUEST_MAX = FDC_FLUSH };

/* What a command does; 0: nothing with the disk's data. */
#define FDC_DATA 0x01u /* set for all that do */
#define FDC_TO_HOST 0x02u
#define FDC_WRITES 0x04u
#define FDC_DELETED 0x08u /* READ DELETED DATA */
#define FDC_TRACK 0x10u	  /* READ TRACK */
#define FDC_FORMAT 0x20u
#define FDC_VERIFY 0x40u
#define FDC_ID 0x80u /* READ ID */
#define FDC_SCAN_EQUAL 0x100u
#define FDC_SCAN_LOW 0x200u  /* the disk's byte may be lower, too */
#define FDC_SCAN_HIGH 0x400u /* or higher */
#define FDC_SCAN (FDC_SCAN_EQUAL | FDC_SCAN_LOW | FDC_SCAN_HIGH)

/* What a SCAN has found so far in a sector. */
#define SCAN_LOWER 0x01u
#define SCAN_HIGHER 0x02u

struct fdc;

struct fdc_command {
	const char *name;
	uint8_t opcode, mask; /* of the bits that are the opcode */
	uint8_t parameters;   /* bytes */
	uint16_t does;	      /* FDC_DATA and so on */
	void (*run)(struct fdc *fdc);
};

/* A drive as the chip knows it. */
struct fdc_unit {
	uint64_t seek_ns; /* when the seek ends, or TIMER_OFF */
	struct floppy_drive_state drive;
	uint8_t pcn;	   /* present cylinder number */
	uint8_t target;	   /* of the seek */
	uint8_t seek;	   /* enum fdc_seek */
	uint8_t sense;	   /* SENSE INTERRUPT STATUS has something to say */
	uint8_t sense_st0; /* this */
	uint8_t reserved;  /* 0 */
};

struct fdc_state {
	uint64_t deadline_ns; /* of the phase, or TIMER_OFF */
	struct fdc_unit units[FDC_UNITS];
	/* Registers. */
	uint8_t dor, tdr, dsr;
	uint8_t rate; /* the last one written to DSR or CCR */
	/* Settings. */
	uint8_t specify[2], configure, pretrk, perpendicular, lock;
	/* The command. */
	uint8_t phase;
	uint8_t irq; /* a result or the end of a seek waits for the host */
	uint8_t resets_to_sense;
	uint8_t command_count, result_count, result_pos;
	uint8_t command[FDC_COMMAND_BYTES];
	uint8_t last_eot; /* of the last data command, for DUMPREG */
	uint8_t result[FDC_RESULT_BYTES];
	/* Where it has got to. */
	uint8_t st0, st1, st2;
	uint8_t c, h, r, n, eot;
	uint8_t unit, head;
	uint8_t request;	/* enum fdc_request */
	uint8_t terminal_count; /* was seen */
	uint8_t unflushed;	/* something was written */
	uint8_t scan;		/* SCAN_LOWER, SCAN_HIGHER */
	uint8_t moved;		/* the host has moved something lately */
	uint8_t burst;		/* bytes that the FIFO has or takes yet, not by DMA */
	uint16_t done;		/* sectors */
	uint16_t sector;	/* of the image, for the request */
	uint16_t pos, end;	/* in the buffer */
	uint16_t reserved[2];	/* 0 */
	uint64_t buffer[BLOCK_SECTOR_BYTES / 8];
};

struct fdc {
	struct device dev;
	struct fdc_state s;
	struct irq_line irq;
	struct isa_dma *dma;
	struct floppy_drive drives[FDC_UNITS];
	struct vtimer timer;
	uint64_t alarm_ns; /* the earliest of the state's deadlines */
	struct block_request request;
	struct iovec iov;
	struct block_backend *inflight;	    /* has the request */
	bool abandoned;			    /* nobody waits for it any more */
	bool one_by_one;		    /* the backend has failed in this command */
	uint16_t ahead_sector, ahead_count; /* of the image: what is in ahead */
	uint64_t owed_ns; /* what sectors from there would have taken on the disk */
	uint8_t ahead[FDC_AHEAD_SECTORS * BLOCK_SECTOR_BYTES];
};

/* --- of fdc_82077.c */

/* The command whose first byte is @opcode, or NULL. */
const struct fdc_command *fdc_command_find(uint8_t opcode);
/* The first @count bytes of s.result are the results. */
void fdc_give_results(struct fdc *fdc, uint8_t count, bool interrupt);
/* Derives the lines and the timer from the state. */
void fdc_update(struct fdc *fdc);
/* Virtual time that an arm needs for @steps, and to come to rest. */
uint64_t fdc_seek_ns(const struct fdc *fdc, unsigned int steps);

/* --- of fdc_data.c; the caller calls fdc_update() afterwards */

/* All bytes of a command with FDC_DATA are there. */
void fdc_data_start(struct fdc *fdc);
/* deadline_ns has come in FDC_SEEKING to FDC_ENDING. */
void fdc_data_expired(struct fdc *fdc);
/* Whether the phase must wait until an abandoned request has left the buffer. */
bool fdc_data_blocked(const struct fdc *fdc);
/* The DMA channel may serve now. */
void fdc_data_pump(struct fdc *fdc);
/* The data port in FDC_TRANSFER without DMA. */
uint8_t fdc_data_read(struct fdc *fdc);
void fdc_data_write(struct fdc *fdc, uint8_t value);
bool fdc_data_to_host(const struct fdc *fdc);
/* The command is over, without results. */
void fdc_data_abort(struct fdc *fdc);
/* The disk in @unit was changed. */
void fdc_data_changed(struct fdc *fdc, unsigned int unit);
bool fdc_data_check(const struct fdc_state *s);
void fdc_data_post_load(struct fdc *fdc);

static inline bool fdc_uses_dma(const struct fdc *fdc)
{
	return !(fdc->s.specify[1] & SPECIFY_ND);
}

#endif
