/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A save and whoever asked for it: a socket of type SOCK_SEQPACKET that came with the command "save" of the
 * control socket. Each message is a JSON object. The peer begins:
 *
 *	{ "action": "save" }				with one descriptor, the empty file
 *	{ "action": "hold" }				without one: nothing is saved
 *	{ "action": "migrate" }				with one, a socket that blocks (state/stream.h)
 *
 * The command's answer has the member "disks", as below: it tells what became of a session whose peer died.
 *
 * A session is answered when the file is whole and the disks are flushed and marked, or when that cannot be:
 *
 *	{ "event": "held", "file_bytes": ..., "pages": ..., "rounds": ..., "stopped_ns": ...,
 *	  "disks": [ { "slot": 0, "device": ..., "inode": ... } ] }	which files they are
 *	{ "event": "failed", "error": "one line" }
 *
 * The machine stands now and waits for the peer to put the file in its place:
 *
 *	{ "action": "commit" }				the machine ends
 *	{ "action": "cancel" }				it goes on, and says "failed"
 *	{ "action": "switch", "disks": [ ... ] }	it goes on with other files behind these disks
 *							(disk_switch.h), whose descriptors come along
 *
 *	{ "action": "release" }				it gives up the locks of its disks, and says
 *							"released"; they are taken back when it goes on
 *
 * "switch" is answered by { "event": "running", "stopped_ns": ... }, or by "failed", and then the machine is
 * held still. The old files keep their marks and are written to no more.
 *
 * A peer that hangs up before that has cancelled: either the file or the machine goes on, never both.
 */
#ifndef VMM_SAVE_SESSION_H
#define VMM_SAVE_SESSION_H

#include <stddef.h>

struct json_object;
struct machine;

/*
 * Begins a session on @fd, which is the session's when 0 is returned. With the machine lock, in the loop
 * thread. -errno with one line in @error.
 */
int save_session_new(struct machine *machine, int fd, char *error, size_t error_size);
/* [ { "slot": 0, "device": ..., "inode": ... } ]: the files that the disks write to. */
struct json_object *save_session_disks(const struct machine *machine);
/* Without the lock, after save_free(). NULL is allowed. */
void save_session_free(struct machine *machine);

#endif
