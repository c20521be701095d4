/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory as a device sees it: copy in, work on the copy, copy out.
 *
 * A range that is not all guest RAM is an error that the device shows as its hardware does.
 * Functions of PCI devices use pci_dma_*(), which check the bus-master bit first.
 */
#ifndef DEVMODEL_DMA_H
#define DEVMODEL_DMA_H

#include <stddef.h>
#include <stdint.h>

struct dma {
	/* 0, or -EFAULT with nothing transferred. */
	int (*read)(struct dma *dma, uint64_t gpa, void *data, size_t size);
	int (*write)(struct dma *dma, uint64_t gpa, const void *data, size_t size);
	/*
	 * The memory itself for bulk data that a block backend fills or empties, or NULL. Valid
	 * until the request it was mapped for completes. Then dma_written() is due for all that the
	 * backend may have written, whether the request went well, failed or was cancelled.
	 */
	void *(*map)(struct dma *dma, uint64_t gpa, size_t size);
	void (*written)(struct dma *dma, const void *mapped, size_t size);
};

static inline int dma_read(struct dma *dma, uint64_t gpa, void *data, size_t size)
{
	return dma->read(dma, gpa, data, size);
}

static inline int dma_write(struct dma *dma, uint64_t gpa, const void *data, size_t size)
{
	return dma->write(dma, gpa, data, size);
}

static inline void *dma_map(struct dma *dma, uint64_t gpa, size_t size)
{
	return dma->map(dma, gpa, size);
}

/* Bytes were written to memory that dma_map() has given, or a part of it (marks them for dirty tracking). */
static inline void dma_written(struct dma *dma, const void *mapped, size_t size)
{
	if (dma->written && size)
		dma->written(dma, mapped, size);
}

#endif
