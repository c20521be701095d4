// SPDX-License-Identifier: GPL-2.0-or-later
#include "fdb.h"

#include <stddef.h>
#include <string.h>

#define VLAN_SHIFT 48

static uint64_t key_of(frame_mac mac, uint16_t vlan)
{
	return mac | (uint64_t)vlan << VLAN_SHIFT;
}

/* Multiplicative hashing: the high bits depend on all of the key. */
static size_t bucket_of(uint64_t key)
{
	return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) % FDB_BUCKETS;
}

static bool too_old(const struct fdb_entry *entry, uint32_t now_s)
{
	return now_s - entry->seen_s > FDB_AGE_S;
}

void fdb_init(struct fdb *fdb)
{
	memset(fdb, 0, sizeof(*fdb));
}

static void assign(struct fdb_entry *entry, uint64_t key, struct fdb_owner *owner, uint32_t now_s)
{
	if (entry->owner)
		entry->owner->entries--;
	owner->entries++;
	*entry = (struct fdb_entry){ key, owner, now_s };
}

void fdb_learn(struct fdb *fdb, frame_mac mac, uint16_t vlan, struct fdb_owner *owner,
	       uint32_t now_s)
{
	uint64_t key = key_of(mac, vlan);
	struct fdb_entry *bucket = fdb->entries[bucket_of(key)], *place = NULL;

	for (unsigned int i = 0; i < FDB_WAYS; i++) {
		struct fdb_entry *entry = &bucket[i];

		if (entry->owner && entry->key == key) {
			if (entry->owner == owner)
				entry->seen_s = now_s;
			else if (owner->entries < FDB_PORT_SHARE || too_old(entry, now_s))
				assign(entry, key, owner, now_s);
			return;
		}
		if (!place && (!entry->owner || too_old(entry, now_s)))
			place = entry;
	}
	if (place && owner->entries < FDB_PORT_SHARE)
		assign(place, key, owner, now_s);
}

struct fdb_owner *fdb_lookup(const struct fdb *fdb, frame_mac mac, uint16_t vlan, uint32_t now_s)
{
	uint64_t key = key_of(mac, vlan);
	const struct fdb_entry *bucket = fdb->entries[bucket_of(key)];

	for (unsigned int i = 0; i < FDB_WAYS; i++) {
		if (bucket[i].key == key && bucket[i].owner)
			return too_old(&bucket[i], now_s) ? NULL : bucket[i].owner;
	}
	return NULL;
}

void fdb_forget(struct fdb *fdb, struct fdb_owner *owner)
{
	for (unsigned int b = 0; b < FDB_BUCKETS; b++) {
		for (unsigned int i = 0; i < FDB_WAYS; i++) {
			if (fdb->entries[b][i].owner == owner)
				fdb->entries[b][i].owner = NULL;
		}
	}
	owner->entries = 0;
}
