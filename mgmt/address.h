/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets by what people call them: paths, HOST:PORT, [::1]:PORT. */
#ifndef MGMT_ADDRESS_H
#define MGMT_ADDRESS_H

/*
 * A connected stream socket, close-on-exec; with SOCK_NONBLOCK in @flags its connection may still
 * be under way. -errno otherwise; *ret_why is set where errno has no words for it.
 */
int connect_unix(const char *path, int flags);
int connect_tcp(const char *address, int flags, const char **ret_why);
/* A listening one. An address that is only a port is for this host's own programs. */
int listen_tcp(const char *address, const char **ret_why);

#endif
