/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps what the machine's battery would: CMOS memory, the clock's offset, the uuid, in a file. */
#ifndef VMM_NVRAM_H
#define VMM_NVRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;
struct keeper;
struct loop;
struct nvram;
struct vm_config;

/*
 * Reads the file behind config->nvram, before the sandbox closes files. *ret_keeper is NULL when
 * there is none. 0, or -errno with one line in @error.
 */
int keeper_new(struct loop *loop, const struct vm_config *config, struct keeper **ret_keeper,
	       char *error, size_t error_size);
/* What was in the file; NULL: nothing, or there is no keeper. */
const struct nvram *keeper_content(const struct keeper *keeper);
/* The clock chip, whose changes are kept from now on. */
void keeper_attach(struct keeper *keeper, struct device *rtc);
/* For mc146818_config: @keeper's content has changed. With the lock, from any thread. */
void keeper_changed(void *keeper);
/* Starts the worker. 0 or -errno. */
int keeper_start(struct keeper *keeper);
/* Writes what has changed, before the devices go. Without the lock. */
void keeper_free(struct keeper *keeper);

#endif
