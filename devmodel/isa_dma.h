/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ISA DMA as a device on the bus sees it: a channel, a request line, and terminal count.
 *
 * A device asks for service with isa_dma_request(); when the channel lets it through (now, or
 * later, told by its ready()), it moves its bytes with isa_dma_transfer(), as many as it has, and
 * lowers the request when it is done. The guest's programming of the channel decides where the
 * bytes go and how many are taken.
 */
#ifndef DEVMODEL_ISA_DMA_H
#define DEVMODEL_ISA_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISA_DMA_CHANNELS 8

struct device;

enum isa_dma_direction { ISA_DMA_TO_MEMORY, ISA_DMA_FROM_MEMORY };

struct isa_dma {
	const struct isa_dma_ops *ops;
	struct {
		struct device *dev;
		void (*ready)(struct device *dev);
	} users[ISA_DMA_CHANNELS];
};

struct isa_dma_ops {
	void (*request)(struct isa_dma *dma, unsigned int channel, bool level);
	bool (*is_ready)(struct isa_dma *dma, unsigned int channel);
	size_t (*transfer)(struct isa_dma *dma, unsigned int channel,
			   enum isa_dma_direction direction, void *data, size_t size,
			   bool *ret_terminal_count);
};

/*
 * Takes @channel (0 to 3 move bytes, 5 to 7 words); false: another device has it. @ready is called
 * when the guest's programming lets a channel through whose request is high; it may transfer.
 */
static inline bool isa_dma_attach(struct isa_dma *dma, unsigned int channel, struct device *dev,
				  void (*ready)(struct device *dev))
{
	if (dma->users[channel].dev)
		return false;
	dma->users[channel].dev = dev;
	dma->users[channel].ready = ready;
	return true;
}

static inline void isa_dma_detach(struct isa_dma *dma, unsigned int channel)
{
	dma->ops->request(dma, channel, false);
	dma->users[channel].dev = NULL;
}

/* The level of the channel's DREQ line. Saved by the controller; does not call ready(). */
static inline void isa_dma_request(struct isa_dma *dma, unsigned int channel, bool level)
{
	dma->ops->request(dma, channel, level);
}

/* Whether a transfer on the channel would be served: requested, unmasked, enabled. */
static inline bool isa_dma_is_ready(struct isa_dma *dma, unsigned int channel)
{
	return dma->ops->is_ready(dma, channel);
}

/*
 * Moves up to @size bytes between @data and memory; how many the channel took, 0 when it is not
 * ready. It stops at terminal count, which *ret_terminal_count tells. When the guest has programmed
 * the other direction or a verify, the bytes count but memory is left alone, and @data reads as all
 * ones.
 */
static inline size_t isa_dma_transfer(struct isa_dma *dma, unsigned int channel,
				      enum isa_dma_direction direction, void *data, size_t size,
				      bool *ret_terminal_count)
{
	return dma->ops->transfer(dma, channel, direction, data, size, ret_terminal_count);
}

#endif
