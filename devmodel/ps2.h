/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PS/2 connector between a controller and a keyboard or mouse.
 *
 * Bytes to the device are pushed with send(); bytes from it are pulled one by one when the
 * controller has room, so that a disabled interface holds them back in the device, as inhibiting
 * the clock does. A device that gets something to send says ready(). A message (a packet, a reply,
 * a scan code) says with each byte whether more of it follows, and the controller takes it whole
 * before it listens to the other connector.
 */
#ifndef DEVMODEL_PS2_H
#define DEVMODEL_PS2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

struct ps2_device_ops {
	/* A byte from the controller. May call ready(). */
	void (*send)(struct device *dev, uint8_t byte);
	/* Whether take() has a byte now. */
	bool (*pending)(struct device *dev);
	/* The next byte; only when pending(). *ret_more: the same message goes on. */
	uint8_t (*take)(struct device *dev, bool *ret_more);
};

struct ps2_port {
	/* The controller's. */
	struct device *controller;
	void (*ready)(struct device *controller);
	/* The device's, NULL while nothing is plugged in. */
	struct device *dev;
	const struct ps2_device_ops *ops;
};

/* Both functions of a device accept a NULL @port: it hangs in the air. */
static inline void ps2_attach(struct ps2_port *port, struct device *dev,
			      const struct ps2_device_ops *ops)
{
	if (!port)
		return;
	port->dev = dev;
	port->ops = ops;
}

static inline void ps2_ready(struct ps2_port *port)
{
	if (port)
		port->ready(port->controller);
}

/* Common to keyboards and mice. */
#define PS2_ACK 0xfa
#define PS2_ERROR 0xfc
#define PS2_RESEND 0xfe
#define PS2_BAT_OK 0xaa

#endif
