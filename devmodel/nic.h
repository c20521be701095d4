/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet frames between a network controller and the host.
 *
 * A frame is destination, source, type and data, without preamble and check sequence. Towards the
 * host: the device asks nic_can_send(), hands over whole frames with nic_send(), and says
 * nic_flush() after a batch; a device that found no room hears tx_ready() once there is some again.
 * Towards the device: the backend offers frames with receive(); a frame that is not taken stays the
 * backend's until the device says nic_rx_ready(). Everything happens under the machine lock, and
 * receive() is never called inside nic_send().
 */
#ifndef DEVMODEL_NIC_H
#define DEVMODEL_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NIC_MAC_BYTES 6
#define NIC_HEADER_BYTES 14
#define NIC_FRAME_MIN 60   /* shorter ones are padded by who sends them */
#define NIC_FRAME_MAX 2036 /* what a backend takes; Ethernet itself ends at 1514, VLANs at 1518 */

struct device;

struct nic_device_ops {
	/* False: no room now; offer the same frame again after nic_rx_ready(). */
	bool (*receive)(struct device *dev, const uint8_t *frame, size_t size);
	/* @frames were lost on the way because the device had no room for long. */
	void (*missed)(struct device *dev, uint32_t frames);
	void (*tx_ready)(struct device *dev);
	/* Somebody plugged the cable in, or pulled it out. */
	void (*link_changed)(struct device *dev, bool up);
};

struct nic {
	const struct nic_ops *ops;
	bool link_up; /* kept by the backend */
	/* Set by nic_attach(). */
	struct device *dev;
	const struct nic_device_ops *dev_ops;
};

/* What the host's side offers. */
struct nic_ops {
	bool (*can_send)(struct nic *nic);
	/* @size at most NIC_FRAME_MAX; only after can_send(). */
	void (*send)(struct nic *nic, const uint8_t *frame, size_t size);
	void (*flush)(struct nic *nic);
	void (*rx_ready)(struct nic *nic);
};

/* All of these accept NULL: an adapter without a cable. */
static inline void nic_attach(struct nic *nic, struct device *dev,
			      const struct nic_device_ops *dev_ops)
{
	if (!nic)
		return;
	nic->dev = dev;
	nic->dev_ops = dev_ops;
}

static inline bool nic_link_up(const struct nic *nic)
{
	return nic && nic->link_up;
}

static inline bool nic_can_send(struct nic *nic)
{
	return !nic || nic->ops->can_send(nic);
}

static inline void nic_send(struct nic *nic, const uint8_t *frame, size_t size)
{
	if (nic)
		nic->ops->send(nic, frame, size);
}

static inline void nic_flush(struct nic *nic)
{
	if (nic)
		nic->ops->flush(nic);
}

static inline void nic_rx_ready(struct nic *nic)
{
	if (nic)
		nic->ops->rx_ready(nic);
}

#endif
