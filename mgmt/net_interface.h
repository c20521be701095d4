/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's network interfaces, by the old calls that every kernel has. 0 or a descriptor, or -errno. */
#ifndef MGMT_NET_INTERFACE_H
#define MGMT_NET_INTERFACE_H

#include <stdint.h>

/*
 * A tap device, made if it is not there; it goes with the descriptor. Its own address follows from the names of device
 * and @network: machines know it, and it may be made anew while they run, or before they are restored. It is high,
 * since a bridge takes the lowest of its members' for itself. The descriptor, or -errno.
 */
int net_open_tap(const char *name, const char *network);
int net_bring_up(const char *name);
/* First byte highest. */
int net_set_address(const char *name, uint32_t address, uint32_t netmask);
int net_join_bridge(const char *bridge, const char *member);
/* Sends and gets the interface's frames beside the host's own. */
int net_open_packet_socket(const char *name);

#endif
