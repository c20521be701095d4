// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DEC (Intel) 21140A and 21143 PCI fast Ethernet LAN controllers.
 *
 * Sources: 21140A hardware reference manual EC-QN7NF-TE, 21143 hardware reference manual
 * EC-QWC4F-TE; what drivers rely on beyond them stands where it is done.
 *
 * Not emulated: boot ROM and external register behind CSR9 and CSR10 (no card of ours has them),
 * CSR0's big-endian buffers (BLE), collisions and what follows from them, the SYM, serial and 10BASE-T
 * ports (the card has a transceiver on the MII), remote wake-up.
 *
 * Theory of operation
 *
 * CSR0 to CSR15 are dwords, eight bytes apart, the same in I/O and memory space. Two processes walk
 * through lists of descriptors in memory; CSR5 says what each is doing. A write to CSR1 or CSR2 tells
 * a suspended process to look at its list again. These two are doorbells: their value means nothing
 * and they may arrive late, so that the processor need not wait for a frame's way to the host.
 *
 * All work is done at once, in the access or timer that gives rise to it; the state shows a process
 * between its steps. Interrupt summaries are computed, not stored, and one function derives the pin.
 */
#include "dec21140.h"

#include <string.h>

#include "../base/bytes.h"
#include "dec21140_chip.h"

#define CBIO 0x10
#define CBMA 0x14
#define CFDD 0x40

enum region { REGION_IO, REGION_MEMORY };
#define IO_BYTES 128
/* The chip decodes 128 bytes; a page of its own is kinder to who maps it. */
#define MEMORY_BYTES 4096

#define NORMAL_EVENTS (CSR5_TI | CSR5_TU | CSR5_RI | CSR5_GTE | CSR5_ERI)
#define ABNORMAL_EVENTS                                                                            \
	(CSR5_TPS | CSR5_TJT | CSR5_LNP | CSR5_UNF | CSR5_RU | CSR5_RPS | CSR5_RWT | CSR5_ETI |    \
	 CSR5_LNF | CSR5_FBE)
#define ABNORMAL_EVENTS_21143 (CSR5_GPI | CSR5_LC)
#define CSR5_W1C 0x7fffu

#define CSR9_SROM BIT(11)
#define CSR9_DO BIT(3)
#define CSR9_MDC BIT(16)
#define CSR9_MDO BIT(17)
#define CSR9_MII_READ BIT(18)
#define CSR9_MDI BIT(19)

#define CSR12_PINS 0xc6u /* what inputs of the 21140 are tied to */
#define CSR12_DIRECTION BIT(8)
#define CSR12_LS100 BIT(1)
#define CSR12_LS10 BIT(2)
#define CSR12_ANS_COMPLETE (5u << 12)
#define CSR12_ANS_DETECTING (3u << 12)
#define CSR12_LPN BIT(15)
#define CSR12_PARTNER (0x41e1u << 16)
#define CSR14_ANE BIT(7)

#define TICK_100_NS 81920u
#define TICK_10_NS 819200u
#define NEGOTIATION_NS (100 * NSEC_PER_MSEC)

static const struct state_field srom_fields[] = { SROM_STATE_FIELDS, STATE_END };
static const struct state_field mii_fields[] = { MII_STATE_FIELDS, STATE_END };

static const struct state_field dec21140_fields[] = {
	STATE_FIELD(struct dec21140, timer_ns),
	STATE_FIELD(struct dec21140, tx_poll_ns),
	STATE_FIELD(struct dec21140, tx_idle_ns),
	STATE_FIELD(struct dec21140, tx_notify_ns),
	STATE_FIELD(struct dec21140, rx_notify_ns),
	STATE_FIELD(struct dec21140, rx_poll_ns),
	STATE_FIELD(struct dec21140, rx_quiet_ns),
	STATE_FIELD(struct dec21140, negotiated_ns),
	STATE_ARRAY(struct dec21140, csr),
	STATE_FIELD(struct dec21140, tx_current),
	STATE_FIELD(struct dec21140, rx_current),
	STATE_ARRAY(struct dec21140, filter),
	STATE_ARRAY(struct dec21140, tx_frame),
	STATE_ARRAY(struct dec21140, config),
	STATE_STRUCTS(struct dec21140, srom, srom_fields),
	STATE_STRUCTS(struct dec21140, mii, mii_fields),
	STATE_FIELD(struct dec21140, tx_bytes, .max = TX_FRAME_BYTES),
	STATE_FIELD(struct dec21140, rx_unnotified),
	STATE_FIELD(struct dec21140, tx_unnotified),
	STATE_FIELD(struct dec21140, filter_mode, .max = DEC21140_FILTER_MODES - 1),
	STATE_FIELD(struct dec21140, filter_set, .max = 1),
	STATE_FIELD(struct dec21140, tx_in_frame, .max = 1),
	STATE_FIELD(struct dec21140, tx_oversize, .max = 1),
	STATE_FIELD(struct dec21140, tx_sent, .max = 1),
	STATE_FIELD(struct dec21140, rx_backoff, .max = 6),
	STATE_FIELD(struct dec21140, gpio_direction),
	STATE_FIELD(struct dec21140, gpio_data),
	STATE_FIELD(struct dec21140, negotiated, .max = 1),
	STATE_ARRAY(struct dec21140, reserved),
	STATE_END,
};

/* --- interrupts */

static uint32_t summaries(const struct dec21140 *chip)
{
	uint32_t pending = chip->s.csr[5] & chip->s.csr[7];
	uint32_t abnormal = ABNORMAL_EVENTS | (chip->is_21143 ? ABNORMAL_EVENTS_21143 : 0);

	return (pending & NORMAL_EVENTS ? CSR5_NIS : 0) | (pending & abnormal ? CSR5_AIS : 0);
}

void dec21140_update_irq(struct dec21140 *chip)
{
	pci_set_intx(&chip->function, summaries(chip) & chip->s.csr[7]);
}

/* --- memory */

/* Everything stops until a reset. */
static void fatal_bus_error(struct dec21140 *chip, uint32_t address)
{
	uint32_t *csr5 = &chip->s.csr[5];

	dec21140_tx_stop(chip);
	dec21140_rx_stop(chip);
	*csr5 &= ~(CSR5_TPS | CSR5_RPS);
	*csr5 = blend32(*csr5, 7u << CSR5_EB_SHIFT, EB_MASTER_ABORT << CSR5_EB_SHIFT);
	*csr5 |= CSR5_FBE;
	device_log(&chip->function.dev, "memory at %xh does not answer; stopped", address);
}

/* Without the right to master the bus the chip waits for it. */
static bool dma_done(struct dec21140 *chip, uint32_t address, int error)
{
	if (error == 0)
		return true;
	if (get_le16(chip->s.config + PCI_CMD) & PCI_CMD_BME)
		fatal_bus_error(chip, address);
	return false;
}

bool dec21140_dma_read(struct dec21140 *chip, uint32_t address, void *data, size_t size)
{
	return dma_done(chip, address, pci_dma_read(&chip->function, address, data, size));
}

bool dec21140_dma_write(struct dec21140 *chip, uint32_t address, const void *data, size_t size)
{
	return dma_done(chip, address, pci_dma_write(&chip->function, address, data, size));
}

bool dec21140_fetch(struct dec21140 *chip, uint32_t address, struct dec21140_descriptor *ret_desc)
{
	uint8_t raw[DESCRIPTOR_BYTES];

	if (!dec21140_dma_read(chip, address, raw, sizeof(raw)))
		return false;
	for (unsigned int i = 0; i < 4; i++)
		ret_desc->des[i] =
			chip->s.csr[0] & CSR0_DBO ? get_be32(raw + 4 * i) : get_le32(raw + 4 * i);
	return true;
}

bool dec21140_close(struct dec21140 *chip, uint32_t address, uint32_t des0)
{
	uint8_t raw[4];

	if (chip->s.csr[0] & CSR0_DBO)
		put_be32(raw, des0);
	else
		put_le32(raw, des0);
	/* Whoever sees the descriptor closed must see what it describes. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return dec21140_dma_write(chip, address, raw, sizeof(raw));
}

uint32_t dec21140_next(const struct dec21140 *chip, uint32_t address, uint32_t base,
		       const struct dec21140_descriptor *desc)
{
	if (desc->des[1] & DES1_END)
		return base;
	if (desc->des[1] & DES1_CHAIN)
		return desc->des[3] & ~3u;
	return address + DESCRIPTOR_BYTES + CSR0_DSL(chip->s.csr[0]) * 4;
}

/* --- reset */

static const struct reg_bank *csr_bank(const struct dec21140 *chip);

static void cancel_timers(struct dec21140 *chip)
{
	timer_cancel(&chip->timer);
	timer_cancel(&chip->tx_poll);
	timer_cancel(&chip->tx_idle);
	timer_cancel(&chip->tx_notify);
	timer_cancel(&chip->rx_notify);
	timer_cancel(&chip->rx_poll);
	timer_cancel(&chip->negotiated);
}

/* What SWR resets: not the configuration space, nor the ROM and the transceiver behind CSR9. */
static void reset_chip(struct dec21140 *chip)
{
	struct dec21140_state *s = &chip->s;

	cancel_timers(chip);
	reg_bank_reset(csr_bank(chip), &chip->function.dev);
	s->tx_current = s->rx_current = 0;
	memset(s->filter, 0, sizeof(s->filter));
	s->filter_mode = DEC21140_PERFECT;
	s->filter_set = 0;
	memset(s->tx_frame, 0, sizeof(s->tx_frame));
	s->tx_bytes = 0;
	s->tx_in_frame = s->tx_oversize = s->tx_sent = 0;
	s->rx_unnotified = s->tx_unnotified = 0;
	s->rx_quiet_ns = chip->rx_last_ns = 0;
	s->rx_backoff = 0;
	s->gpio_direction = s->gpio_data = 0;
	s->negotiated = 0;
	memset(s->reserved, 0, sizeof(s->reserved));
	srom_drive(&s->srom[0], 0);
	if (chip->is_21143 && nic_link_up(chip->nic))
		timer_arm(&chip->negotiated, timer_now(&chip->negotiated) + NEGOTIATION_NS);
}

/* --- registers */

static void csr0_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	if (value & CSR0_SWR)
		reset_chip(dec21140_of(dev));
}

static void csr1_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	(void)value;
	dec21140_transmit(dec21140_of(dev));
}

static void csr2_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	(void)value;
	dec21140_rx_demand(dec21140_of(dev));
}

static void csr3_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	dec21140_of(dev)->s.rx_current = value;
}

static void csr4_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	dec21140_of(dev)->s.tx_current = value;
}

static uint32_t ones_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)dev;
	(void)reg;
	(void)value;
	return UINT32_MAX;
}

static uint32_t csr5_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	return value | summaries(dec21140_of(dev));
}

static void csr6_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct dec21140 *chip = dec21140_of(dev);

	(void)reg;
	if (old & ~value & CSR6_SR)
		dec21140_rx_stop(chip);
	if (old & ~value & CSR6_ST)
		dec21140_tx_stop(chip);
	/* The receiver first, so that it hears what the transmitter loops back. */
	if (value & ~old & CSR6_SR)
		dec21140_rx_start(chip);
	if (value & ~old & CSR6_ST)
		dec21140_tx_start(chip);
}

static uint32_t csr9_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const struct dec21140_state *s = &dec21140_of(dev)->s;

	(void)reg;
	value &= ~(CSR9_DO | CSR9_MDI);
	if (!(value & CSR9_SROM) || s->srom[0].data_out)
		value |= CSR9_DO;
	return value | (s->mii[0].data_out ? CSR9_MDI : 0);
}

static void csr9_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct dec21140_state *s = &dec21140_of(dev)->s;

	(void)reg;
	(void)old;
	srom_drive(&s->srom[0], value & CSR9_SROM ? (uint8_t)(value & 7) : 0);
	mii_drive(&s->mii[0], value & CSR9_MDC, value & CSR9_MDO, !(value & CSR9_MII_READ));
}

static uint64_t tick_ns(const struct dec21140 *chip)
{
	bool fast = chip->s.csr[6] & CSR6_PS && !(chip->s.csr[6] & CSR6_TTM);

	return fast ? TICK_100_NS : TICK_10_NS;
}

static void start_timer(struct dec21140 *chip)
{
	uint64_t ticks = chip->s.csr[11] & CSR11_TIME;

	if (ticks)
		timer_arm(&chip->timer, timer_now(&chip->timer) + ticks * tick_ns(chip));
	else
		timer_cancel(&chip->timer);
}

static uint32_t csr11_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	struct dec21140 *chip = dec21140_of(dev);
	uint64_t now = timer_now(&chip->timer), left = 0;

	(void)reg;
	if (chip->s.timer_ns != TIMER_OFF && chip->s.timer_ns > now)
		left = min_u64((chip->s.timer_ns - now) / tick_ns(chip), CSR11_TIME);
	return (value & ~CSR11_TIME) | (uint32_t)left;
}

static void csr11_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	(void)value;
	start_timer(dec21140_of(dev));
}

static uint32_t csr12_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const struct dec21140 *chip = dec21140_of(dev);
	const struct dec21140_state *s = &chip->s;

	(void)reg;
	(void)value;
	if (!chip->is_21143)
		return 0xfffffe00u | blend32(CSR12_PINS, s->gpio_direction, s->gpio_data);
	if (!nic_link_up(chip->nic))
		return CSR12_LS100 | CSR12_LS10;
	if (!(s->csr[14] & CSR14_ANE))
		return 0;
	return s->negotiated ? CSR12_PARTNER | CSR12_LPN | CSR12_ANS_COMPLETE
			     : CSR12_LS100 | CSR12_LS10 | CSR12_ANS_DETECTING;
}

static void csr12_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct dec21140 *chip = dec21140_of(dev);

	(void)reg;
	(void)old;
	if (chip->is_21143)
		return;
	if (value & CSR12_DIRECTION)
		chip->s.gpio_direction = (uint8_t)value;
	else
		chip->s.gpio_data = (uint8_t)value;
}

/* Switching negotiation on begins a new one. */
static void csr14_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct dec21140 *chip = dec21140_of(dev);

	(void)reg;
	if (!chip->is_21143 || !(value & ~old & CSR14_ANE) || !nic_link_up(chip->nic))
		return;
	chip->s.negotiated = 0;
	timer_arm(&chip->negotiated, timer_now(&chip->negotiated) + NEGOTIATION_NS);
}

#define CSR(n, reset_value, writable_bits, ...)                                                    \
	REG(struct dec21140, s.csr[n], (n)*8, 4, "CSR" #n, reset_value, writable_bits, __VA_ARGS__)

/* Where the chips differ: reset values and bits of CSR5, CSR7, CSR8, CSR11 and CSR15. */
#define CSR_ROWS(csr5, csr5_w1c, csr7, csr7_writable, csr8, csr11_writable, csr15_writable)        \
	CSR(0, 0xfe000000, 0x01fffffe, .command = CSR0_SWR, .on_write = csr0_on_write),            \
		REG_HOOKED(0x08, 4, "CSR1", .on_read = ones_on_read, .on_write = csr1_on_write),   \
		REG_HOOKED(0x10, 4, "CSR2", .on_read = ones_on_read, .on_write = csr2_on_write),   \
		CSR(3, 0, 0xfffffffc, .on_write = csr3_on_write),                                  \
		CSR(4, 0, 0xfffffffc, .on_write = csr4_on_write),                                  \
		CSR(5, csr5, 0, .w1c = (csr5_w1c), .on_read = csr5_on_read),                       \
		CSR(6, 0x32000040, 0xc0ffffea, .on_write = csr6_on_write),                         \
		CSR(7, csr7, csr7_writable), CSR(8, csr8, 0, .rc = 0x1fffffff),                    \
		CSR(9, 0xfff483ff, 0x00077c07, .on_read = csr9_on_read,                            \
		    .on_write = csr9_on_write),                                                    \
		CSR(10, 0xfffc0000, 0x0003ffff),                                                   \
		CSR(11, 0xfffe0000, csr11_writable, .on_read = csr11_on_read,                      \
		    .on_write = csr11_on_write),                                                   \
		REG_HOOKED(0x60, 4, "CSR12", .on_read = csr12_on_read,                             \
			   .on_write = csr12_on_write),                                            \
		CSR(13, 0xffff0000, 0x0000ffff),                                                   \
		CSR(14, 0xffffffff, 0x0003ffff, .on_write = csr14_on_write),                       \
		CSR(15, 0x8ff00000, csr15_writable)

static const struct reg csr_regs_21140[] = {
	CSR_ROWS(0xfc000000, CSR5_W1C, 0xfffe0000, 0x0001ffff, 0, 0x0001ffff, 0x0000003f),
};

static const struct reg csr_regs_21143[] = {
	CSR_ROWS(0xf0000000, CSR5_W1C | CSR5_GPI | CSR5_LC, 0xf3fe0000, 0x0c01ffff, 0xe0000000,
		 0xffffffff, 0xffff003f),
};

#define CSR_BANK(rows)                                                                             \
	{                                                                                          \
		.name = "csr", .regs = (rows), .count = ARRAY_LEN(rows), .size = IO_BYTES          \
	}

static const struct reg_bank csr_bank_21140 = CSR_BANK(csr_regs_21140);
static const struct reg_bank csr_bank_21143 = CSR_BANK(csr_regs_21143);

static const struct reg_bank *csr_bank(const struct dec21140 *chip)
{
	return chip->is_21143 ? &csr_bank_21143 : &csr_bank_21140;
}

static uint32_t csr_read(struct device *dev, uint32_t offset, unsigned int size)
{
	if (offset >= IO_BYTES)
		return 0;
	return reg_bank_read(csr_bank(dec21140_of(dev)), dev, offset, size);
}

static void csr_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	if (offset >= IO_BYTES)
		return;
	reg_bank_write(csr_bank(dec21140_of(dev)), dev, offset, size, value);
	dec21140_update_irq(dec21140_of(dev));
}

/* --- configuration space */

#define ROW(...) PCI_ROW(struct dec21140, __VA_ARGS__)
#define CONFIG_ROWS(did, rid)                                                                      \
	PCI_COMMON_ROWS(struct dec21140, 0x1011, did, 0, 0x0147, 0x0280, 0xf900, rid, 0x020000,    \
			0xff, 0),                                                                  \
		ROW(CBIO, 4, "CBIO", PCI_BAR_IO, 0xffffff80, .on_write = pci_on_decode),           \
		ROW(CBMA, 4, "CBMA", 0, 0xfffff000, .on_write = pci_on_decode),                    \
		ROW(PCI_SVID, 2, "SVID", 0x0a00, 0), ROW(PCI_SID, 2, "SID", 0x2114, 0),            \
		ROW(PCI_INTLN, 1, "INTLN", 0, 0xff), ROW(PCI_INTPN, 1, "INTPN", 1, 0),             \
		ROW(0x3e, 1, "MINGNT", 0x14, 0), ROW(0x3f, 1, "MAXLAT", 0x28, 0),                  \
		ROW(CFDD, 4, "CFDD", 0, 0xc000ff00)

static const struct reg config_regs_21140[] = { CONFIG_ROWS(0x0009, 0x20) };
static const struct reg config_regs_21143[] = { CONFIG_ROWS(0x0019, 0x30) };

#define CONFIG_BANK(rows)                                                                          \
	{                                                                                          \
		.name = "config", .regs = (rows), .count = ARRAY_LEN(rows),                        \
		.size = PCI_CONFIG_SIZE                                                            \
	}

static const struct reg_bank config_bank_21140 = CONFIG_BANK(config_regs_21140);
static const struct reg_bank config_bank_21143 = CONFIG_BANK(config_regs_21143);

/* The chip may master the bus now, which it may have waited for. */
static void config_written(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	if (!(get_le16(chip->s.config + PCI_CMD) & PCI_CMD_BME))
		return;
	dec21140_transmit(chip);
	dec21140_rx_demand(chip);
	dec21140_update_irq(chip);
}

/* --- what comes from outside */

static bool frame_arrived(struct device *dev, const uint8_t *frame, size_t size)
{
	struct dec21140 *chip = dec21140_of(dev);
	bool taken;

	/* A looped controller does not hear the cable. */
	if (dec21140_looped(chip))
		return true;
	taken = dec21140_receive(chip, frame, size);
	if (!taken && chip->s.rx_poll_ns == TIMER_OFF)
		dec21140_rx_poll(dev);
	dec21140_update_irq(chip);
	return taken;
}

static void frames_missed(struct device *dev, uint32_t frames)
{
	dec21140_rx_missed(dec21140_of(dev), frames);
}

static void room_again(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	dec21140_transmit(chip);
	dec21140_update_irq(chip);
}

static void link_changed(struct device *dev, bool up)
{
	struct dec21140 *chip = dec21140_of(dev);

	mii_set_link(&chip->s.mii[0], up);
	if (chip->is_21143) {
		if (up) {
			timer_arm(&chip->negotiated, timer_now(&chip->negotiated) + NEGOTIATION_NS);
		} else {
			timer_cancel(&chip->negotiated);
			chip->s.negotiated = 0;
			chip->s.csr[5] |= CSR5_LNF | CSR5_LC;
		}
	}
	/* Frames that waited for room go where frames without a cable go. */
	dec21140_transmit(chip);
	dec21140_update_irq(chip);
}

static const struct nic_device_ops nic_device_ops = {
	.receive = frame_arrived,
	.missed = frames_missed,
	.tx_ready = room_again,
	.link_changed = link_changed,
};

static void timer_expired(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	chip->s.csr[5] |= CSR5_GTE;
	if (chip->s.csr[11] & CSR11_CON)
		start_timer(chip);
	dec21140_update_irq(chip);
}

static void negotiation_ended(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	chip->s.negotiated = 1;
	chip->s.csr[5] |= CSR5_LNP | CSR5_LC;
	dec21140_update_irq(chip);
}

/* --- life */

static int init(struct device *dev, const struct dec21140_config *config, bool is_21143)
{
	struct dec21140 *chip = dec21140_of(dev);
	struct timer_queue *queue = dev->env->timers;
	int r = pci_attach(&chip->function, config->bus, config->devfn);

	if (r < 0)
		return r;
	chip->is_21143 = is_21143;
	chip->nic = config->nic;
	memcpy(chip->mac, config->mac, sizeof(chip->mac));
	timer_init(&chip->timer, queue, dev, &chip->s.timer_ns, timer_expired);
	timer_init(&chip->tx_poll, queue, dev, &chip->s.tx_poll_ns, dec21140_tx_poll);
	timer_init(&chip->tx_idle, queue, dev, &chip->s.tx_idle_ns, dec21140_tx_idle);
	timer_init(&chip->tx_notify, queue, dev, &chip->s.tx_notify_ns, dec21140_tx_notify);
	timer_init(&chip->rx_notify, queue, dev, &chip->s.rx_notify_ns, dec21140_rx_notify);
	timer_init(&chip->rx_poll, queue, dev, &chip->s.rx_poll_ns, dec21140_rx_poll);
	timer_init(&chip->negotiated, queue, dev, &chip->s.negotiated_ns, negotiation_ended);
	nic_attach(chip->nic, dev, &nic_device_ops);
	return 0;
}

static int init_21140(struct device *dev, const void *config)
{
	return init(dev, config, false);
}

static int init_21143(struct device *dev, const void *config)
{
	return init(dev, config, true);
}

static void reset(struct device *dev, enum reset_kind kind)
{
	struct dec21140 *chip = dec21140_of(dev);

	pci_reset(&chip->function, kind);
	if (kind == RESET_POWER)
		dec21140_make_srom(chip->is_21143, chip->mac, chip->s.srom[0].words);
	srom_reset(&chip->s.srom[0]);
	mii_reset(&chip->s.mii[0], nic_link_up(chip->nic));
	reset_chip(chip);
	dec21140_update_irq(chip);
	nic_rx_ready(chip->nic);
}

static void post_load(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);
	bool link = nic_link_up(chip->nic);

	pci_post_load(&chip->function);
	/* The state may come from a machine whose cable was plugged in otherwise. */
	if (link != chip->s.mii[0].link)
		mii_set_link(&chip->s.mii[0], link);
	dec21140_update_irq(chip);
	nic_rx_ready(chip->nic);
}

static void fini(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	nic_attach(chip->nic, NULL, NULL);
	timer_fini(&chip->timer);
	timer_fini(&chip->tx_poll);
	timer_fini(&chip->tx_idle);
	timer_fini(&chip->tx_notify);
	timer_fini(&chip->rx_notify);
	timer_fini(&chip->rx_poll);
	timer_fini(&chip->negotiated);
	pci_detach(&chip->function);
}

/* CSR1 and CSR2. */
static const uint16_t doorbells[] = { 0x08, 0x10, 0 };

static const struct io_region_desc dec21140_regions[] = {
	[REGION_IO] = {
		.name = "CSR ports",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = IO_BYTES,
		.doorbells = doorbells,
		.read = csr_read,
		.write = csr_write,
	},
	[REGION_MEMORY] = {
		.name = "CSR memory",
		.space = IO_MEMORY,
		.base = IO_UNMAPPED,
		.length = MEMORY_BYTES,
		.doorbells = doorbells,
		.read = csr_read,
		.write = csr_write,
	},
	{ .name = NULL },
};

static const struct pci_bar bars[] = { { CBIO, REGION_IO }, { CBMA, REGION_MEMORY }, { 0, 0 } };

#define PCI_CLASS_OF(bank)                                                                         \
	{                                                                                          \
		.config = &(bank), .config_offset = offsetof(struct dec21140, s.config),           \
		.bars = bars, .config_written = config_written,                                    \
	}

static const struct pci_class pci_21140 = PCI_CLASS_OF(config_bank_21140);
static const struct pci_class pci_21143 = PCI_CLASS_OF(config_bank_21143);

static const struct reg_bank *const banks_21140[] = { &config_bank_21140, &csr_bank_21140, NULL };
static const struct reg_bank *const banks_21143[] = { &config_bank_21143, &csr_bank_21143, NULL };

static const struct dec21140_config default_config = {
	.devfn = PCI_DEVFN(2, 0),
	.mac = { 0x00, 0x03, 0xff, 0x12, 0x34, 0x56 },
};

#define DEC_CLASS(nam, text, model)                                                                \
	{                                                                                          \
		.name = (nam), .summary = (text), DEVICE_STATE(struct dec21140),                   \
		.regions = dec21140_regions, .banks = banks_##model, .fields = dec21140_fields,    \
		.pci = &pci_##model, .default_config = &default_config, .init = init_##model,      \
		.reset = reset, .post_load = post_load, .fini = fini,                              \
	}

const struct device_class dec21140_class =
	DEC_CLASS("dec21140", "DEC 21140A fast Ethernet controller", 21140);
const struct device_class dec21143_class =
	DEC_CLASS("dec21143", "DEC 21143 fast Ethernet controller", 21143);
