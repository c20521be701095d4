/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One channel's bus-master engine of an IDE controller: three registers and the walk over the table
 * of physical region descriptors (PRDs). An engine of piix4_ide.c; ata_channel.c asks it for
 * memory.
 */
#ifndef DEVMODEL_IDE_BUSMASTER_H
#define DEVMODEL_IDE_BUSMASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "pci.h"

/* Command register. */
#define BMIC_SSBM 0x01u	 /* start */
#define BMIC_RWCON 0x08u /* towards memory */

/* Status register. */
#define BMIS_ACTIVE 0x01u
#define BMIS_ERROR 0x02u
#define BMIS_INT 0x04u
#define BMIS_DMA0CAP 0x20u
#define BMIS_DMA1CAP 0x40u

/* Descriptors of one request to the backend; a longer table takes several. */
#define IDE_BUSMASTER_PRDS 256

struct ide_busmaster_state {
	uint32_t bmidtp;   /* descriptor table pointer */
	uint32_t prd;	   /* address of the descriptor in use */
	uint32_t prd_used; /* bytes of it that are done */
	uint8_t bmic;
	uint8_t bmis;
	uint8_t exhausted; /* the last descriptor is done */
	uint8_t reserved;  /* 0 */
};

extern const struct state_field ide_busmaster_fields[];

struct ide_busmaster {
	struct ide_busmaster_state *s;
	struct pci_function *function;
	unsigned int count; /* mapped descriptors */
	bool last;	    /* the last one ends the table */
	bool whole;	    /* and is mapped up to its end */
	bool to_memory;
	struct iovec iov[IDE_BUSMASTER_PRDS];
};

/*
 * The registers of one channel for a bank of 16 bytes; @member is its struct ide_busmaster_state in
 * @type, @suffix P or S as the datasheet names them.
 */
#define IDE_BUSMASTER_ROWS(type, member, base, suffix, command_hook)                               \
	REG(type, member.bmic, (base) + 0, 1, "BMIC" suffix, 0, BMIC_SSBM | BMIC_RWCON,            \
	    .on_write = (command_hook)),                                                           \
		REG(type, member.bmis, (base) + 2, 1, "BMIS" suffix, 0,                            \
		    BMIS_DMA0CAP | BMIS_DMA1CAP, .w1c = BMIS_ERROR | BMIS_INT),                    \
		REG(type, member.bmidtp, (base) + 4, 4, "BMIDTP" suffix, 0, 0xfffffffc)

/* After a write of the command register: whether the engine starts or stops. */
enum ide_busmaster_event { BUSMASTER_NOTHING, BUSMASTER_STARTED, BUSMASTER_STOPPED };
enum ide_busmaster_event ide_busmaster_command(struct ide_busmaster *bm, uint32_t old,
					       uint32_t value);

static inline bool ide_busmaster_active(const struct ide_busmaster *bm)
{
	return bm->s->bmis & BMIS_ACTIVE;
}

/*
 * Maps the memory of the next descriptors into bm->iov: at most @max_bytes, a multiple of 512.
 * Returns how many bytes; 0 when the table holds less than 512 more (the engine is inactive then);
 * -EFAULT on a table or region outside RAM, without the PCI bus-master bit or in the other
 * direction (the engine shows its error).
 */
int ide_busmaster_map(struct ide_busmaster *bm, bool to_memory, uint32_t max_bytes);
/*
 * Moves @data of @size bytes, to any boundary, between it and the memory of the next descriptors.
 * Returns how many bytes, fewer at the end of the table; or -EFAULT as above.
 */
int ide_busmaster_copy(struct ide_busmaster *bm, bool to_memory, void *data, uint32_t size);
/* All that was mapped is transferred. The engine becomes inactive at the end of the table. */
void ide_busmaster_moved(struct ide_busmaster *bm);
/* The transfer failed or was abandoned: what was mapped may have been written in part. */
void ide_busmaster_dropped(struct ide_busmaster *bm);
/* INTRQ rose. */
void ide_busmaster_interrupt(struct ide_busmaster *bm);
/* @capable: bits of the status register for drives that can do DMA. */
void ide_busmaster_reset(struct ide_busmaster *bm, uint8_t capable);

#endif
