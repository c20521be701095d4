/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways from a network of the switch to this host: taps, bridges, interfaces. They need CAP_NET_ADMIN. */
#ifndef MGMT_HOST_NET_H
#define MGMT_HOST_NET_H

#include <stddef.h>

/*
 * Leads @network of the switch behind @switch_fd to the host, if that has not been done: loopback
 * makes a tap device, external takes the interface of the network's name. @kind: enum
 * machine_nic_kind. 0, or -errno with one line in @error.
 */
int host_net_plug(int switch_fd, unsigned int kind, const char *network, char *error,
		  size_t error_size);

#endif
