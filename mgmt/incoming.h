/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine that comes from elsewhere (migration.h), as its new starter sees it. One for a process. */
#ifndef MGMT_INCOMING_H
#define MGMT_INCOMING_H

#include <stddef.h>

struct machine_config;

/*
 * Waits at @where for the machine that @config describes and takes it into a file without a name. The path under which
 * it can be opened, or NULL with one line in @error.
 */
const char *incoming_receive(const struct machine_config *config, const char *where, char *error,
			     size_t error_size);
/* It cannot be restored here: the source is told one line, and goes on. No effect when nothing has come. */
void incoming_fail(const char *why);
/*
 * It is restored: the source ends, and says so. 0; or -errno with one line in @error, which names the file that the
 * state was kept in when nobody knows whether the source has ended.
 */
int incoming_take_over(const char *name, char *error, size_t error_size);
/* Its guest runs: the source is told. No effect when none has come. */
void incoming_runs(void);

#endif
