/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host side of serial and parallel ports: a descriptor that the starter opened, behind the byte
 * stream that a device sees (devmodel/chario.h).
 *
 * Writing never blocks: up to 16 KiB wait for a slow peer; then the device is told that nothing
 * more fits. With nobody connected (a listening socket without client, a peer that hung up) bytes
 * are dropped as on a cable that leads nowhere. A file's write error is logged once.
 */
#ifndef VMM_CHARDEV_H
#define VMM_CHARDEV_H

#include "../devmodel/chario.h"
#include "config.h"

struct loop;

/*
 * For VM_CHAR_NONE *ret_chario is NULL. Owns config->fd, unless it fails. 0 or -errno. The device
 * is attached before the loop runs. SIGPIPE must be ignored. chardev_free() writes out what still
 * waits as far as the peer takes it at once; both belong to the loop thread.
 */
int chardev_new(struct loop *loop, const struct vm_char *config, struct chario **ret_chario);
void chardev_free(struct chario *chario);

#endif
