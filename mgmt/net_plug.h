/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket by which mainstay net moves the cables of a running machine: BASE/NAME/net, SOCK_SEQPACKET,
 * served by the machine's starter. A request is "ADAPTER NETWORK" as text, the answer "ok", or one line
 * about what is wrong.
 */
#ifndef MGMT_NET_PLUG_H
#define MGMT_NET_PLUG_H

#include <stddef.h>

#define NET_PLUG_SOCKET "net"
#define NET_PLUG_MAX 512

/* The starter's end. 0 or -errno. */
int net_plug_listen(int folder_fd, int *ret_fd);
/* Asks the starter of @machine. 0, or -errno with one line in @error. */
int net_plug_ask(const char *machine, unsigned int adapter, const char *network, char *error,
		 size_t error_size);

#endif
