/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual DHCP server of a network: dnsmasq in a user and network namespace of its own, whose only
 * way out is a tap device that is a port of the switch.
 */
#ifndef MGMT_NET_DHCP_H
#define MGMT_NET_DHCP_H

#include <stddef.h>

struct runtime_base;

/* Starts the server of @network in the background where its file wants one and none runs. */
void net_dhcp_start(const struct runtime_base *base, const char *network);

/* The file of @network has changed: starts the server where machines are plugged in; one that runs sees it itself. */
void net_dhcp_changed(const char *network);

/* "mainstay net serve-dhcp": serves until the network has no machine any more. The exit status. */
int net_dhcp_serve(const char *network);

/* Who has which address. The exit status. */
int net_dhcp_print_leases(const char *network);

#endif
