// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 21140's receive process.
 *
 * A frame for which no descriptor is free stays with the backend, and the process is suspended with
 * RU, once. It goes on with the driver's poll demand; and since drivers rely on the chip's looking
 * again by itself when the next frame comes, a timer looks as long as a frame waits.
 *
 * RI rises at once for a frame that comes alone. Frames that come sooner one after the other than a wire of
 * 100 Mb/s could bring long ones share it for a moment: it would have brought two of them meanwhile.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/eth_crc.h"
#include "dec21140_chip.h"

#define RDES0_TL BIT(7)
#define RDES0_LS BIT(8)
#define RDES0_FS BIT(9)
#define RDES0_MF BIT(10)
#define RDES0_RW BIT(4)
#define RDES0_FT BIT(5)
#define RDES0_DT_SHIFT 12
#define RDES0_DE BIT(14)
#define RDES0_ES BIT(15)
#define RDES0_FL_SHIFT 16
#define RDES0_FF BIT(30)

#define FCS_BYTES 4
#define LONGEST 1518 /* with check sequence */
#define LENGTH_FIELD_MAX 1500
#define DESCRIPTORS_PER_FRAME 64
#define BACKOFF_FIRST_NS (100 * NSEC_PER_USEC)
#define BACKOFF_STEPS 6
/* A frame that comes so soon after another is one of many. */
#define DENSE_NS (50 * NSEC_PER_USEC)
/* Of many, receive interrupts come at most this often, or after so many frames. */
#define QUIET_NS (250 * NSEC_PER_USEC)
#define MERGED_MAX 32
#define RX_TIME_UNIT_NS (82 * NSEC_PER_USEC)

/* --- notices */

static void raise_ri(struct dec21140 *chip)
{
	chip->s.csr[5] |= CSR5_RI;
	chip->s.rx_unnotified = 0;
	chip->s.rx_quiet_ns = timer_now(&chip->rx_notify) + QUIET_NS;
	timer_cancel(&chip->rx_notify);
}

static void notify_received(struct dec21140 *chip)
{
	struct dec21140_state *s = &chip->s;
	uint64_t now = timer_now(&chip->rx_notify), at;
	unsigned int most = MERGED_MAX;

	at = now - chip->rx_last_ns < DENSE_NS ? s->rx_quiet_ns : now;
	chip->rx_last_ns = now;
	if (s->csr[5] & CSR5_RI)
		return;
	s->rx_unnotified++;
	if (chip->is_21143 && s->csr[11] >> 17 & 0x7f) {
		most = CSR11_RX_PACKETS(s->csr[11]) ? CSR11_RX_PACKETS(s->csr[11]) : UINT16_MAX;
		at = now + CSR11_RX_TIME(s->csr[11]) * RX_TIME_UNIT_NS;
	}
	if (s->rx_unnotified >= most || at <= now)
		raise_ri(chip);
	else if (s->rx_notify_ns == TIMER_OFF)
		timer_arm(&chip->rx_notify, at);
}

void dec21140_rx_notify(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	raise_ri(chip);
	dec21140_update_irq(chip);
}

void dec21140_rx_missed(struct dec21140 *chip, uint32_t frames)
{
	uint32_t *csr8 = &chip->s.csr[8];
	uint64_t sum = (uint64_t)(*csr8 & CSR8_MISSED) + frames;

	if (dec21140_rs(chip) == RS_STOPPED)
		return;
	*csr8 = (*csr8 & ~CSR8_MISSED) | ((uint32_t)sum & CSR8_MISSED) |
		(sum > CSR8_MISSED ? CSR8_MISSED_OVERFLOW : 0);
}

/* --- which frames */

static bool passes_filter(const struct dec21140_state *s, const uint8_t *frame)
{
	return s->filter_set &&
	       dec21140_filter_pass(s->filter, (enum dec21140_filter_mode)s->filter_mode, frame);
}

/* Whether the frame is for us; *ret_status gets FF when only RA lets it in. */
static bool wanted(const struct dec21140_state *s, const uint8_t *frame, uint32_t *ret_status)
{
	bool passes = passes_filter(s, frame);

	*ret_status = passes ? 0 : RDES0_FF;
	if (s->csr[6] & CSR6_RA)
		return true;
	*ret_status = 0;
	return passes || s->csr[6] & CSR6_PR || (s->csr[6] & CSR6_PM && frame[0] & 1);
}

static uint32_t status_of(const struct dec21140 *chip, const uint8_t *frame, size_t total)
{
	uint32_t status = (uint32_t)total << RDES0_FL_SHIFT;

	if (frame[0] & 1)
		status |= RDES0_MF;
	if (get_be16(frame + 12) > LENGTH_FIELD_MAX)
		status |= RDES0_FT;
	if (total > LONGEST)
		status |= RDES0_TL;
	if (dec21140_looped(chip))
		status |= (CSR6_OM(chip->s.csr[6]) == 2 ? 2u : 1u) << RDES0_DT_SHIFT;
	return status;
}

/* --- into memory */

/* A frame on its way: its bytes, then the check sequence. */
struct incoming {
	const uint8_t *frame;
	size_t size, done; /* done counts the check sequence too */
	uint8_t fcs[FCS_BYTES];
};

static bool scatter(struct dec21140 *chip, struct incoming *in, uint32_t address, uint32_t room)
{
	size_t n = in->done < in->size ? min_u64(room, in->size - in->done) : 0;

	if (n && !dec21140_dma_write(chip, address, in->frame + in->done, n))
		return false;
	in->done += n;
	address += (uint32_t)n;
	room -= (uint32_t)n;
	if (in->done < in->size || !room || in->done == in->size + FCS_BYTES)
		return true;
	n = min_u64(room, in->size + FCS_BYTES - in->done);
	if (!dec21140_dma_write(chip, address, in->fcs + (in->done - in->size), n))
		return false;
	in->done += n;
	return true;
}

static void suspend(struct dec21140 *chip)
{
	if (dec21140_rs(chip) == RS_SUSPENDED)
		return;
	dec21140_set_rs(chip, RS_SUSPENDED);
	chip->s.csr[5] |= CSR5_RU;
}

/*
 * Fills descriptors from the current one, which is @desc and free. The frame ends with the last
 * descriptor that is free, if not before; only then is it known what the descriptor's status is.
 */
static void fill(struct dec21140 *chip, struct incoming *in, struct dec21140_descriptor desc,
		 uint32_t status)
{
	struct dec21140_state *s = &chip->s;
	size_t total = in->size + FCS_BYTES;
	uint32_t first = RDES0_FS;

	for (unsigned int used = 1;; used++) {
		uint32_t address = s->rx_current;
		struct dec21140_descriptor next;
		uint32_t des1 = desc.des[1];
		bool last;

		if (!scatter(chip, in, desc.des[2], DES1_SIZE1(des1)) ||
		    (!(des1 & DES1_CHAIN) && !scatter(chip, in, desc.des[3], DES1_SIZE2(des1))))
			return;
		s->rx_current = dec21140_next(chip, address, s->csr[3], &desc);
		last = in->done == total;
		if (!last) {
			if (!dec21140_fetch(chip, s->rx_current, &next))
				return;
			if (!(next.des[0] & DES0_OWN) || used == DESCRIPTORS_PER_FRAME) {
				status |= RDES0_DE | RDES0_ES;
				last = true;
			}
		}
		if (!dec21140_close(chip, address, first | (last ? status | RDES0_LS : 0)))
			return;
		if (last)
			return;
		first = 0;
		desc = next;
	}
}

bool dec21140_receive(struct dec21140 *chip, const uint8_t *frame, size_t size)
{
	struct dec21140_state *s = &chip->s;
	struct dec21140_descriptor desc;
	uint8_t padded[NIC_FRAME_MIN];
	struct incoming in = { .frame = frame, .size = size };
	uint32_t status;

	if (dec21140_rs(chip) == RS_STOPPED || size < NIC_HEADER_BYTES || size > NIC_FRAME_MAX ||
	    !wanted(s, frame, &status))
		return true;
	if (!dec21140_fetch(chip, s->rx_current, &desc))
		return true;
	if (!(desc.des[0] & DES0_OWN)) {
		suspend(chip);
		return false;
	}
	if (size < NIC_FRAME_MIN) {
		memset(padded, 0, sizeof(padded));
		memcpy(padded, frame, size);
		in.frame = padded;
		in.size = sizeof(padded);
	}
	put_le32(in.fcs, eth_crc(in.frame, in.size));
	dec21140_set_rs(chip, RS_WAIT);
	s->rx_backoff = 0;
	fill(chip, &in, desc, status | status_of(chip, in.frame, in.size + FCS_BYTES));
	notify_received(chip);
	return true;
}

/* --- the process */

void dec21140_rx_demand(struct dec21140 *chip)
{
	struct dec21140_descriptor desc;

	if (dec21140_rs(chip) != RS_SUSPENDED)
		return;
	if (!dec21140_fetch(chip, chip->s.rx_current, &desc))
		return;
	if (!(desc.des[0] & DES0_OWN))
		return;
	dec21140_set_rs(chip, RS_WAIT);
	timer_cancel(&chip->rx_poll);
	nic_rx_ready(chip->nic);
}

void dec21140_rx_poll(struct device *dev)
{
	struct dec21140 *chip = dec21140_of(dev);

	dec21140_rx_demand(chip);
	if (dec21140_rs(chip) == RS_SUSPENDED) {
		if (chip->s.rx_backoff < BACKOFF_STEPS)
			chip->s.rx_backoff++;
		timer_arm(&chip->rx_poll,
			  timer_now(&chip->rx_poll) + (BACKOFF_FIRST_NS << chip->s.rx_backoff));
	}
	dec21140_update_irq(chip);
}

void dec21140_rx_start(struct dec21140 *chip)
{
	dec21140_set_rs(chip, RS_WAIT);
	chip->s.rx_backoff = 0;
	nic_rx_ready(chip->nic);
}

void dec21140_rx_stop(struct dec21140 *chip)
{
	timer_cancel(&chip->rx_poll);
	if (dec21140_rs(chip) == RS_STOPPED)
		return;
	dec21140_set_rs(chip, RS_STOPPED);
	chip->s.csr[5] |= CSR5_RPS;
	/* What still waits is let go. */
	nic_rx_ready(chip->nic);
}
