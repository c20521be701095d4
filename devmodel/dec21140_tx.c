// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 21140's transmit process.
 *
 * A frame is sent in no time, so its descriptors are closed at once. What a driver would notice is
 * TU: on the wire a frame takes 120 us, and a driver that queues the next one meanwhile never sees the
 * list empty. So TU comes when nothing was queued for the time of two long frames: raised at once it would be
 * an interrupt for every frame, and the host gathers doorbells for almost as long.
 *
 * One call carries out a bounded number of descriptors. A timer that is due now goes on with the rest,
 * so that a list without end keeps nobody from working.
 */
#include <string.h>

#include "dec21140_chip.h"

#define TDES0_LF BIT(2)
#define TDES0_NC BIT(10)
#define TDES0_LO BIT(11)
#define TDES0_TO BIT(14)
#define TDES0_ES BIT(15)
#define TDES0_SETUP_DONE 0x7fffffffu

#define TDES1_FT0 BIT(22)
#define TDES1_DPD BIT(23)
#define TDES1_AC BIT(26)
#define TDES1_SET BIT(27)
#define TDES1_FT1 BIT(28)
#define TDES1_FS BIT(29)
#define TDES1_LS BIT(30)
#define TDES1_IC BIT(31)

#define FCS_BYTES 4
#define DESCRIPTORS_PER_RUN 128
#define IDLE_NS (246 * NSEC_PER_USEC)
/* The units of transmit mitigation: 16 times 5.12 us at 100 Mb/s. */
#define TX_TIME_UNIT_NS (82 * NSEC_PER_USEC)

/* Automatic polling of a suspended process, by CSR0's TAP. */
static const uint64_t tap_ns[8] = {
	0, 200000, 800000, 1600000, 12800, 25600, 51200, 102400,
};

/* --- notices */

static void raise_ti(struct dec21140 *chip)
{
	chip->s.csr[5] |= CSR5_TI;
	chip->s.tx_unnotified = 0;
	timer_cancel(&chip->tx_notify);
}

/* A frame with IC is done. The 21143 may be told to wait for more of them. */
static void notify_sent(struct dec21140 *chip)
{
	uint32_t packets = CSR11_TX_PACKETS(chip->s.csr[11]);
	uint64_t time_ns = CSR11_TX_TIME(chip->s.csr[11]) * TX_TIME_UNIT_NS;

	if (!chip->is_21143 || (!packets && !time_ns) || ++chip->s.tx_unnotified == packets) {
		raise_ti(chip);
	} else if (time_ns && chip->s.tx_notify_ns == TIMER_OFF) {
		timer_arm(&chip->tx_notify, timer_now(&chip->tx_notify) + time_ns);
	}
}

void dec21140_tx_notify(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	raise_ti(chip);
	dec21140_update_irq(chip);
}

/* Nothing more to send. */
static void suspend(struct dec21140 *chip)
{
	uint64_t tap = tap_ns[CSR0_TAP(chip->s.csr[0])];
	uint64_t now = timer_now(&chip->tx_poll);

	if (chip->s.tx_sent)
		timer_arm(&chip->tx_idle, now + IDLE_NS);
	else if (dec21140_ts(chip) != TS_WAIT)
		dec21140_set_ts(chip, TS_SUSPENDED);
	if (chip->s.tx_sent)
		dec21140_set_ts(chip, TS_WAIT);
	if (tap)
		timer_arm(&chip->tx_poll, now + tap);
}

void dec21140_tx_idle(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	if (dec21140_ts(chip) != TS_WAIT)
		return;
	chip->s.tx_sent = 0;
	chip->s.csr[5] |= CSR5_TU;
	dec21140_set_ts(chip, TS_SUSPENDED);
	dec21140_update_irq(chip);
}

/* --- frames */

/* Adds a buffer to the frame in the making. False: fatal bus error. */
static bool gather(struct dec21140 *chip, uint32_t address, uint32_t size)
{
	struct dec21140_state *s = &chip->s;

	if (s->tx_bytes + size > sizeof(s->tx_frame)) {
		s->tx_oversize = 1;
		return true;
	}
	if (!size)
		return true;
	if (!dec21140_dma_read(chip, address, s->tx_frame + s->tx_bytes, size))
		return false;
	s->tx_bytes = (uint16_t)(s->tx_bytes + size);
	return true;
}

static void forget_frame(struct dec21140 *chip)
{
	chip->s.tx_bytes = 0;
	chip->s.tx_in_frame = 0;
	chip->s.tx_oversize = 0;
}

/* Sends the frame; its status. */
static uint32_t send_frame(struct dec21140 *chip, uint32_t des1)
{
	struct dec21140_state *s = &chip->s;
	size_t size = s->tx_bytes;

	/* The driver brings the check sequence itself. */
	if (des1 & TDES1_AC)
		size = size > FCS_BYTES ? size - FCS_BYTES : 0;
	if (s->tx_oversize || size > NIC_FRAME_MAX) {
		s->csr[5] |= CSR5_TJT;
		return TDES0_TO | TDES0_ES;
	}
	if (size < NIC_HEADER_BYTES)
		return 0;
	if (size < NIC_FRAME_MIN && !(des1 & TDES1_DPD)) {
		memset(s->tx_frame + size, 0, NIC_FRAME_MIN - size);
		size = NIC_FRAME_MIN;
	}
	if (dec21140_looped(chip)) {
		if (!dec21140_receive(chip, s->tx_frame, size))
			dec21140_rx_missed(chip, 1);
		return 0;
	}
	if (!nic_link_up(chip->nic))
		return TDES0_NC | TDES0_LO | TDES0_LF | TDES0_ES;
	nic_send(chip->nic, s->tx_frame, size);
	return 0;
}

static const uint8_t mode_of_ft[4] = {
	DEC21140_PERFECT,
	DEC21140_HASH_PERFECT,
	DEC21140_INVERSE,
	DEC21140_HASH_ONLY,
};

static bool take_setup_frame(struct dec21140 *chip, const struct dec21140_descriptor *desc)
{
	struct dec21140_state *s = &chip->s;
	uint32_t des1 = desc->des[1];
	uint8_t table[DEC21140_SETUP_BYTES];

	if (DES1_SIZE1(des1) != DEC21140_SETUP_BYTES) {
		device_log(&chip->function.dev, "a setup frame of %u bytes is ignored",
			   DES1_SIZE1(des1));
		return true;
	}
	if (!dec21140_dma_read(chip, desc->des[2], table, sizeof(table)))
		return false;
	memcpy(s->filter, table, sizeof(table));
	s->filter_mode = mode_of_ft[(des1 & TDES1_FT1 ? 2 : 0) | (des1 & TDES1_FT0 ? 1 : 0)];
	s->filter_set = 1;
	s->csr[6] &= ~(CSR6_HP | CSR6_HO | CSR6_IF);
	if (s->filter_mode == DEC21140_HASH_PERFECT || s->filter_mode == DEC21140_HASH_ONLY)
		s->csr[6] |= CSR6_HP;
	if (s->filter_mode == DEC21140_INVERSE)
		s->csr[6] |= CSR6_IF;
	if (s->filter_mode == DEC21140_HASH_ONLY)
		s->csr[6] |= CSR6_HO;
	return true;
}

/* The buffers of a descriptor; a descriptor of neither frame nor setup is consumed silently. */
static bool carry_out(struct dec21140 *chip, const struct dec21140_descriptor *desc,
		      uint32_t *ret_status)
{
	struct dec21140_state *s = &chip->s;
	uint32_t des1 = desc->des[1];

	*ret_status = 0;
	if (des1 & TDES1_SET) {
		*ret_status = TDES0_SETUP_DONE;
		if (!take_setup_frame(chip, desc))
			return false;
		if (des1 & TDES1_IC)
			notify_sent(chip);
		return true;
	}
	if (des1 & TDES1_FS) {
		forget_frame(chip);
		s->tx_in_frame = 1;
	}
	if (!s->tx_in_frame)
		return true;
	if (!gather(chip, desc->des[2], DES1_SIZE1(des1)))
		return false;
	if (!(des1 & DES1_CHAIN) && !gather(chip, desc->des[3], DES1_SIZE2(des1)))
		return false;
	if (!(des1 & TDES1_LS))
		return true;
	*ret_status = send_frame(chip, des1);
	forget_frame(chip);
	s->tx_sent = 1;
	if (des1 & TDES1_IC)
		notify_sent(chip);
	return true;
}

/* --- the process */

static bool waits_for_room(struct dec21140 *chip)
{
	return !dec21140_looped(chip) && nic_link_up(chip->nic) && !nic_can_send(chip->nic);
}

void dec21140_transmit(struct dec21140 *chip)
{
	struct dec21140_state *s = &chip->s;
	unsigned int done = 0;

	if (dec21140_ts(chip) == TS_STOPPED)
		return;
	timer_cancel(&chip->tx_poll);
	while (!waits_for_room(chip)) {
		struct dec21140_descriptor desc;
		uint32_t address = s->tx_current, status;

		if (done++ == DESCRIPTORS_PER_RUN) {
			timer_arm(&chip->tx_poll, timer_now(&chip->tx_poll));
			break;
		}
		if (!dec21140_fetch(chip, address, &desc))
			break;
		if (!(desc.des[0] & DES0_OWN)) {
			suspend(chip);
			break;
		}
		timer_cancel(&chip->tx_idle);
		dec21140_set_ts(chip, TS_READ);
		if (!carry_out(chip, &desc, &status) || !dec21140_close(chip, address, status))
			break;
		s->tx_current = dec21140_next(chip, address, s->csr[4], &desc);
	}
	if (done > 1)
		nic_flush(chip->nic);
}

void dec21140_tx_poll(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	dec21140_transmit(chip);
	dec21140_update_irq(chip);
}

void dec21140_tx_start(struct dec21140 *chip)
{
	dec21140_set_ts(chip, TS_FETCH);
	forget_frame(chip);
	chip->s.tx_sent = 0;
	dec21140_transmit(chip);
}

/* Frames are sent whole within a call: there is none to finish. */
void dec21140_tx_stop(struct dec21140 *chip)
{
	timer_cancel(&chip->tx_poll);
	timer_cancel(&chip->tx_idle);
	forget_frame(chip);
	chip->s.tx_sent = 0;
	if (dec21140_ts(chip) == TS_STOPPED)
		return;
	dec21140_set_ts(chip, TS_STOPPED);
	chip->s.csr[5] |= CSR5_TPS;
}
