/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets of running machines, for verbs: what is wrong with them ends the program. */
#ifndef MGMT_MACHINE_SOCKET_H
#define MGMT_MACHINE_SOCKET_H

#include <stddef.h>

#include "runtime_dir.h"

/* The runtime folder of the machine @name that runs, for runtime_socket_connect(). Or dies. */
int machine_folder_open(const char *name);
/* Where @socket of the machine @name is, for programs of others. */
void machine_socket_path(const char *name, const char *socket, char *ret_path, size_t size);
/* Connects to @socket of the machine @name. The descriptor, or -errno; dies without the machine. */
int machine_socket_connect(const char *name, const char *socket);

#endif
