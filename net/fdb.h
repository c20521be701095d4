/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forwarding table of a learning switch: which address was last seen at which port.
 *
 * The size is fixed and so is each port's share, so that a port that floods with invented addresses
 * takes no more than its share. Entries age. Times are whole seconds of any clock that does not go
 * back.
 */
#ifndef NET_FDB_H
#define NET_FDB_H

#include <stdint.h>

#include "frame.h"

#define FDB_BUCKETS 1024u /* a power of two */
#define FDB_WAYS 4u
#define FDB_AGE_S 300u
#define FDB_PORT_SHARE 512u

/* Whose address it is; embedded in a port. */
struct fdb_owner {
	uint32_t entries;
};

struct fdb_entry {
	uint64_t key;		 /* address and VLAN */
	struct fdb_owner *owner; /* NULL: free */
	uint32_t seen_s;
};

struct fdb {
	struct fdb_entry entries[FDB_BUCKETS][FDB_WAYS];
};

void fdb_init(struct fdb *fdb);
/* Notes that @mac of @vlan is at @owner, if table and share have room. */
void fdb_learn(struct fdb *fdb, frame_mac mac, uint16_t vlan, struct fdb_owner *owner,
	       uint32_t now_s);
/* NULL: not known, or too old. */
struct fdb_owner *fdb_lookup(const struct fdb *fdb, frame_mac mac, uint16_t vlan, uint32_t now_s);
/* Forgets all that is at @owner. */
void fdb_forget(struct fdb *fdb, struct fdb_owner *owner);

#endif
