/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch's control socket: unix, SOCK_SEQPACKET, one JSON object for each message, descriptors
 * beside it. Who may connect is up to the folder in which the starter bound the socket.
 *
 * A request has "op" and the members below; the answer is { "ok": true, ... } or { "ok": false,
 * "error": "one line for people" }.
 *
 *	network		network, temporary, transient: makes it if it is not there ("created" says whether); a
 *			temporary one lives as long as the connection, a transient one until the
 *			last port that belongs to a connection is gone
 *	delete		network: unplugs its ports, and it is gone
 *	attach		network, port, SETTINGS: a machine's port. The answer brings the descriptors of
 *			net/port.h. The port lives as long as the connection.
 *	uplink		network, port, kind ("frames", "stream" or "packet"), keep, SETTINGS, one descriptor: a
 *			way out. With keep it lives as long as the network, else as the connection.
 *	detach		network, port
 *	set		network, port, SETTINGS: changes what is given
 *	wan		network, latency_ms, jitter_ms, loss_ppm, bytes_per_s: what is left out is 0
 *	capture		network, port (or the whole network), one descriptor (a unix socket): pcapng
 *			until the connection ends
 *	stats		network (or all, without their ports), or network and port; "history" has a row for
 *			each of the last 60 minutes: frames and bytes in, frames and bytes out, drops
 *
 * SETTINGS: mac (its declared address; no two ports of a network may have the same), lock (only that
 * address may send), promiscuous, link, vlan ("open", "access" or "trunk"), vlan_id, rate_bytes_per_s,
 * mirror (name of the port that gets copies, "" for none).
 */
#ifndef NET_CONTROL_H
#define NET_CONTROL_H

#define CONTROL_MESSAGE_MAX 8192
#define CONTROL_ANSWER_MAX 131072
#define CONTROL_CLIENTS_MAX 1024

#endif
