/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user of its own for each machine that root starts, so that the processes of two machines can do
 * nothing to each other. Users come from a range that /etc/mainstay/mainstay.conf may set:
 *
 *	uid_range = 200000000-200065535
 *
 * A user is taken by the lock of BASE/.uids/N.lock, held by the starter while the machine runs.
 */
#ifndef MGMT_UID_POOL_H
#define MGMT_UID_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "runtime_dir.h"

#define UID_POOL_CONFIG "/etc/mainstay/mainstay.conf"

struct uid_range {
	uint32_t first, last;
};

/*
 * The range that the configuration @text sets, or the default. 0, or -EINVAL with one line in
 * @error.
 */
int uid_range_parse(const char *text, struct uid_range *ret_range, char *error, size_t error_size);

/*
 * Takes a free user for the machine @name, if possible the same as last time. *ret_lock_fd holds
 * it. 0, or -errno with one line in @error.
 */
int uid_pool_take(const struct runtime_base *base, const char *name, uint32_t *ret_uid,
		  int *ret_lock_fd, char *error, size_t error_size);

#endif
