/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket between two hosts over which a machine moves (vmm/state/stream.h). Both ends here know a peer that
 * may be slow, gone or hostile: every wait has an end, and nothing counts before its sum has been tested.
 *
 *	source					target
 *	HELLO				->
 *					<-	HELLO
 *	DATA, HOLE ..., DATA (header), END ->	into a file
 *	(its machine unlocks the disks)
 *	(copies of the disks are completed; WAIT while that takes)
 *	FREE				->	opens the disks
 *					<-	READY: restored, about to run
 *	(its machine ends)
 *	GO				->
 *					<-	RUNS
 */
#ifndef MGMT_MIGRATION_H
#define MGMT_MIGRATION_H

#include <stddef.h>

#include "../vmm/state/stream.h"

/* Seconds to wait for the peer, unless told otherwise. */
#define MIGRATION_TIMEOUT_S 30

/* The socket at unix:PATH or fd:N, connected, with the time limit. -errno with one line in @error. */
int migration_connect(const char *where, unsigned int timeout_s, char *error, size_t error_size);
/* The same for the side that waits for the other: at unix:PATH it listens, for one. */
int migration_accept(const char *where, unsigned int timeout_s, char *error, size_t error_size);

/* 0 or -errno. */
int migration_send(int socket, enum stream_kind kind, const char *text);
/*
 * Waits for a record of kind @wanted, and longer for each WAIT. 0, or -errno with one line in @error: the peer's own, if it said why not.
 */
int migration_wait(int socket, enum stream_kind wanted, char *error, size_t error_size);

/* Receives the file into @fd, which is empty. 0 when it is whole, or -errno with one line in @error. */
int migration_receive(int socket, int fd, char *error, size_t error_size);

#endif
