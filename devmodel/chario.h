/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream of bytes between a device (UART, parallel port, debug console) and the host.
 *
 * Bytes towards the host: the device calls chario_write(), which takes what fits and never blocks;
 * when something was left over, tx_ready() is called once there is room. Bytes towards the device:
 * the backend asks room() and hands over at most that many with receive(); a device that had no
 * room says chario_rx_ready() when it has again. Everything happens under the machine lock.
 */
#ifndef DEVMODEL_CHARIO_H
#define DEVMODEL_CHARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

/* What the device offers; any but room and receive may be NULL. */
struct chario_device_ops {
	size_t (*room)(struct device *dev);
	void (*receive)(struct device *dev, const uint8_t *bytes, size_t count);
	void (*tx_ready)(struct device *dev);
	/* Whether somebody is at the other end now (carrier, DSR); also when a modem line changed. */
	void (*connected)(struct device *dev, bool connected);
};

/* What a serial port does to its cable. */
struct chario_line {
	uint32_t baud; /* rounded down; 0: the divisor is 0 */
	uint8_t bits;  /* 5 to 8 */
	uint8_t stop;  /* 1 or 2 */
	bool parity, parity_odd, parity_stick;
	bool dtr, rts, sending_break;
};

/* Modem lines that come in. */
#define CHARIO_CTS 0x01u
#define CHARIO_DSR 0x02u
#define CHARIO_RI 0x04u
#define CHARIO_DCD 0x08u

struct chario {
	const struct chario_ops *ops;
	/* Set by chario_attach(). */
	struct device *dev;
	const struct chario_device_ops *dev_ops;
};

/* What the host's side offers; any but write may be NULL. */
struct chario_ops {
	/* Takes up to @count bytes, gives how many. */
	size_t (*write)(struct chario *chario, const uint8_t *bytes, size_t count);
	void (*rx_ready)(struct chario *chario);
	bool (*is_connected)(struct chario *chario);
	/* Hears what has changed, or not; never blocks. */
	void (*set_line)(struct chario *chario, const struct chario_line *line);
	/* CHARIO_CTS and so on; without it they follow is_connected(). */
	uint8_t (*modem_lines)(struct chario *chario);
};

/* Both @chario's users below accept NULL: nothing is connected, bytes are lost as on a bare socket.
 */
static inline void chario_attach(struct chario *chario, struct device *dev,
				 const struct chario_device_ops *dev_ops)
{
	if (!chario)
		return;
	chario->dev = dev;
	chario->dev_ops = dev_ops;
}

static inline size_t chario_write(struct chario *chario, const uint8_t *bytes, size_t count)
{
	return chario ? chario->ops->write(chario, bytes, count) : count;
}

static inline void chario_rx_ready(struct chario *chario)
{
	if (chario && chario->ops->rx_ready)
		chario->ops->rx_ready(chario);
}

static inline bool chario_is_connected(struct chario *chario)
{
	return chario && (!chario->ops->is_connected || chario->ops->is_connected(chario));
}

static inline void chario_set_line(struct chario *chario, const struct chario_line *line)
{
	if (chario && chario->ops->set_line)
		chario->ops->set_line(chario, line);
}

static inline uint8_t chario_modem_lines(struct chario *chario)
{
	if (chario && chario->ops->modem_lines)
		return chario->ops->modem_lines(chario);
	return chario_is_connected(chario) ? CHARIO_CTS | CHARIO_DSR | CHARIO_DCD : 0;
}

#endif
