/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of the host that nat forwards to a machine: "80", "8080:80", "2000-2010", "2000-2010:3000-3010", with
 * commas between them. The host's are left of the colon; passt takes the same words.
 */
#ifndef MGMT_FORWARD_PORTS_H
#define MGMT_FORWARD_PORTS_H

#include <stdbool.h>
#include <stddef.h>

#define FORWARD_PORTS_TEXT_MAX 200

bool forward_ports_valid(const char *text);

/*
 * Whether this host lets us listen on all of them: passt says nothing of those that it cannot have. @text is
 * valid, or NULL for none; @type SOCK_STREAM or SOCK_DGRAM. 0, or -errno and a line that names the first that is
 * taken or not allowed.
 */
int forward_ports_check(const char *text, int type, char *error, size_t error_size);

#endif
