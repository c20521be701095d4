/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network adapter's cable: the network backend of devmodel/nic.h over the shared memory of
 * net/port.h.
 *
 * The starter holds the other end of the adapter's plug socket (SOCK_SEQPACKET). What it says is one
 * word for each message: "plug", with the PORT_FDS descriptors of net/port.h, puts the cable into a
 * port; "unplug" pulls it. Both may come at any time, also over a cable that is plugged in already: so
 * does a machine survive its switch.
 *
 * Frames from the switch are handed over by the loop thread, a bounded number at a time, while the
 * machine runs. Frames to the switch are put into the ring by whoever runs the device.
 */
#ifndef VMM_NETPORT_H
#define VMM_NETPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "../devmodel/nic.h"
#include "config.h"

struct loop;

struct netport_stats {
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
	uint64_t kicks; /* system calls that woke the switch */
	uint64_t plugs;
};

/* One for each adapter of @config. 0 or -errno; netports_free() in both cases. */
int netports_new(struct loop *loop, const struct vm_config *config, struct nic *nics[VM_NICS_MAX]);
/* Loop thread. */
void netports_free(struct nic *nics[VM_NICS_MAX]);

/* Frames are handed over only while the machine runs. With the lock. */
void netports_set_running(struct nic *const nics[VM_NICS_MAX], bool running);

void netport_get_stats(const struct nic *nic, struct netport_stats *ret_stats);

#endif
