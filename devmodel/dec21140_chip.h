/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the 21140 share: registers (dec21140.c), the two descriptor processes
 * (dec21140_tx.c, dec21140_rx.c), and the serial ROM's contents (dec21140_srom.c).
 */
#ifndef DEVMODEL_DEC21140_CHIP_H
#define DEVMODEL_DEC21140_CHIP_H

#include "../base/bits.h"
#include "dec21140_filter.h"
#include "mii_phy.h"
#include "nic.h"
#include "pci.h"
#include "srom_93c46.h"

#define CSR_COUNT 16

#define CSR0_SWR BIT(0)
#define CSR0_DSL(csr0) ((csr0) >> 2 & 31)
#define CSR0_TAP(csr0) ((csr0) >> 17 & 7)
#define CSR0_DBO BIT(20)

#define CSR5_TI BIT(0)
#define CSR5_TPS BIT(1)
#define CSR5_TU BIT(2)
#define CSR5_TJT BIT(3)
#define CSR5_LNP BIT(4)
#define CSR5_UNF BIT(5)
#define CSR5_RI BIT(6)
#define CSR5_RU BIT(7)
#define CSR5_RPS BIT(8)
#define CSR5_RWT BIT(9)
#define CSR5_ETI BIT(10)
#define CSR5_GTE BIT(11)
#define CSR5_LNF BIT(12)
#define CSR5_FBE BIT(13)
#define CSR5_ERI BIT(14)
#define CSR5_AIS BIT(15)
#define CSR5_NIS BIT(16)
#define CSR5_RS_SHIFT 17
#define CSR5_TS_SHIFT 20
#define CSR5_EB_SHIFT 23
#define CSR5_GPI BIT(26)
#define CSR5_LC BIT(27)

enum rx_process { RS_STOPPED, RS_FETCH, RS_CHECK, RS_WAIT, RS_SUSPENDED, RS_CLOSE };
enum tx_process { TS_STOPPED, TS_FETCH, TS_WAIT, TS_READ, TS_RESERVED, TS_SETUP, TS_SUSPENDED };
#define EB_MASTER_ABORT 1

#define CSR6_HP BIT(0)
#define CSR6_SR BIT(1)
#define CSR6_HO BIT(2)
#define CSR6_PB BIT(3)
#define CSR6_IF BIT(4)
#define CSR6_PR BIT(6)
#define CSR6_PM BIT(7)
#define CSR6_FD BIT(9)
#define CSR6_OM(csr6) ((csr6) >> 10 & 3)
#define CSR6_ST BIT(13)
#define CSR6_PS BIT(18)
#define CSR6_TTM BIT(22)
#define CSR6_RA BIT(30)

#define CSR8_MISSED 0xffffu
#define CSR8_MISSED_OVERFLOW BIT(16)

#define CSR11_TIME 0xffffu
#define CSR11_CON BIT(16)
#define CSR11_RX_PACKETS(csr11) ((csr11) >> 17 & 7)
#define CSR11_RX_TIME(csr11) ((csr11) >> 20 & 15)
#define CSR11_TX_PACKETS(csr11) ((csr11) >> 24 & 7)
#define CSR11_TX_TIME(csr11) ((csr11) >> 27 & 15)

#define DES0_OWN BIT(31)
#define DES1_SIZE1(des1) ((des1)&2047)
#define DES1_SIZE2(des1) ((des1) >> 11 & 2047)
#define DES1_CHAIN BIT(24)
#define DES1_END BIT(25)
#define DESCRIPTOR_BYTES 16

#define TX_FRAME_BYTES 2048

struct dec21140_state {
	uint64_t timer_ns;	/* deadline of the general-purpose timer */
	uint64_t tx_poll_ns;	/* looks at the transmit list again */
	uint64_t tx_idle_ns;	/* the wire is idle, the list empty: TU */
	uint64_t tx_notify_ns;	/* end of transmit mitigation: TI */
	uint64_t rx_notify_ns;	/* end of receive mitigation: RI */
	uint64_t rx_poll_ns;	/* looks for a free receive descriptor again */
	uint64_t rx_quiet_ns;	/* before it, receive interrupts of many frames are merged */
	uint64_t negotiated_ns; /* 21143: the link is told */
	uint32_t csr[CSR_COUNT];
	uint32_t tx_current, rx_current; /* addresses of descriptors */
	uint8_t filter[DEC21140_SETUP_BYTES];
	uint8_t tx_frame[TX_FRAME_BYTES]; /* a frame that is not complete yet */
	uint8_t config[PCI_CONFIG_SIZE];
	struct srom_state srom[1];
	struct mii_state mii[1];
	uint16_t tx_bytes;
	uint16_t rx_unnotified, tx_unnotified; /* frames since the last RI, TI */
	uint8_t filter_mode;
	uint8_t filter_set; /* a setup frame was seen */
	uint8_t tx_in_frame;
	uint8_t tx_oversize;
	uint8_t tx_sent; /* something was sent since TU */
	uint8_t rx_backoff;
	uint8_t gpio_direction, gpio_data;
	uint8_t negotiated;
	uint8_t reserved[7];
};

struct dec21140 {
	struct pci_function function;
	struct dec21140_state s;
	struct nic *nic;
	uint8_t mac[NIC_MAC_BYTES];
	bool is_21143;
	uint64_t rx_last_ns; /* when a frame came last; a restored one may forget it */
	struct vtimer timer, tx_poll, tx_idle, tx_notify, rx_notify, rx_poll, negotiated;
};

static inline struct dec21140 *dec21140_of(struct device *dev)
{
	return container_of(dev, struct dec21140, function.dev);
}

/* A descriptor as read from memory; dwords in the host's order. */
struct dec21140_descriptor {
	uint32_t des[4];
};

/* Both say a fatal bus error themselves. False: the process cannot go on. */
bool dec21140_fetch(struct dec21140 *chip, uint32_t address, struct dec21140_descriptor *ret_desc);
bool dec21140_close(struct dec21140 *chip, uint32_t address, uint32_t des0);
/* Copies between memory and the chip. */
bool dec21140_dma_read(struct dec21140 *chip, uint32_t address, void *data, size_t size);
bool dec21140_dma_write(struct dec21140 *chip, uint32_t address, const void *data, size_t size);
/* Where the descriptor behind the one at @address is; @base: of its list. */
uint32_t dec21140_next(const struct dec21140 *chip, uint32_t address, uint32_t base,
		       const struct dec21140_descriptor *desc);

void dec21140_update_irq(struct dec21140 *chip);

static inline unsigned int dec21140_ts(const struct dec21140 *chip)
{
	return chip->s.csr[5] >> CSR5_TS_SHIFT & 7;
}

static inline unsigned int dec21140_rs(const struct dec21140 *chip)
{
	return chip->s.csr[5] >> CSR5_RS_SHIFT & 7;
}

static inline void dec21140_set_ts(struct dec21140 *chip, enum tx_process state)
{
	chip->s.csr[5] =
		blend32(chip->s.csr[5], 7u << CSR5_TS_SHIFT, (uint32_t)state << CSR5_TS_SHIFT);
}

static inline void dec21140_set_rs(struct dec21140 *chip, enum rx_process state)
{
	chip->s.csr[5] =
		blend32(chip->s.csr[5], 7u << CSR5_RS_SHIFT, (uint32_t)state << CSR5_RS_SHIFT);
}

/* Whether the cable carries frames: plugged in, and no loopback is chosen. */
static inline bool dec21140_looped(const struct dec21140 *chip)
{
	return CSR6_OM(chip->s.csr[6]) || chip->s.mii[0].regs[MII_BMCR] & MII_BMCR_LOOPBACK;
}

/* --- dec21140_srom.c */

/* The serial ROM of 64 words that such a card has. */
void dec21140_make_srom(bool is_21143, const uint8_t mac[NIC_MAC_BYTES], uint16_t words[64]);

/* --- dec21140_tx.c */

/* Carries out what the transmit list has, a bounded number of descriptors at a time. */
void dec21140_transmit(struct dec21140 *chip);
void dec21140_tx_start(struct dec21140 *chip);
void dec21140_tx_stop(struct dec21140 *chip);
/* Expired timers. */
void dec21140_tx_poll(struct device *dev);
void dec21140_tx_idle(struct device *dev);
void dec21140_tx_notify(struct device *dev);

/* --- dec21140_rx.c */

/* One frame from the cable or from the transmitter. False: no descriptor is free. */
bool dec21140_receive(struct dec21140 *chip, const uint8_t *frame, size_t size);
void dec21140_rx_missed(struct dec21140 *chip, uint32_t frames);
void dec21140_rx_start(struct dec21140 *chip);
void dec21140_rx_stop(struct dec21140 *chip);
/* A free descriptor may be there. */
void dec21140_rx_demand(struct dec21140 *chip);
void dec21140_rx_notify(struct device *dev);
void dec21140_rx_poll(struct device *dev);

#endif
