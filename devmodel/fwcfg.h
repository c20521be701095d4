/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firmware configuration: what the machine tells its firmware. */
#ifndef DEVMODEL_FWCFG_H
#define DEVMODEL_FWCFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"

/* Keys of the interface itself; the others belong to whoever adds the items. */
#define FWCFG_KEY_SIGNATURE 0x0000
#define FWCFG_KEY_FEATURES 0x0001
#define FWCFG_KEY_DIRECTORY 0x0019
#define FWCFG_KEY_FILES 0x0020 /* the first file's */

#define FWCFG_ITEMS_MAX 128 /* all, the three above too */
#define FWCFG_ITEM_BYTES_MAX (16u << 20)
#define FWCFG_GIVEN_BYTES_MAX (1u << 30)
#define FWCFG_NAME_BYTES 56 /* with the NUL */

struct fwcfg_config {
	bool dma; /* offers the DMA interface too */
};

/*
 * Add an item, which is copied, before the machine starts. 0, -EEXIST (key or name), -EINVAL (key
 * of the interface, name too long or empty), -E2BIG, -ENOSPC (too many) or -ENOMEM. Files get keys
 * in the order they come; the directory is sorted by name.
 */
int fwcfg_add(struct device *dev, uint16_t key, const void *data, size_t size);
/* The same with memory of malloc(), which belongs to the device if it is added; at most 1 GiB. */
int fwcfg_give(struct device *dev, uint16_t key, void *data, size_t size);
int fwcfg_add_file(struct device *dev, const char *name, const void *data, size_t size);

extern const struct device_class fwcfg_class;

#endif
