// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The floppy disk controller of a PC/AT, an Intel 82077AA: registers, phases of a command, and
 * seeks. The data commands are in fdc_data.c.
 *
 * Document: Intel, "82077AA CHMOS Single-Chip Floppy Disk Controller", and for the SCAN commands
 * and the order of events also NEC's uPD765A data sheet. The chip is wired for PC/AT mode: status
 * registers A and B, bits 7:2 of TDR and bits 6:0 of DIR are not driven (the IDE controller has
 * 3F6h).
 *
 * Not emulated: power-down (DSR bit 6 is kept and does nothing), write precompensation, tape
 * drives (TDR is kept), head load and unload times, the second data rate table, and what images
 * cannot hold (floppy_media.c). PERPENDICULAR MODE is kept and not asked for: the rate alone tells
 * extended density. A seek keeps the drive's arm where it was until it ends. A data command goes to
 * the drive that its second byte names; that DOR selects the same one is the driver's duty.
 *
 * Theory of operation
 *
 * One command is under way at a time (fdc_state.phase). SEEK, RECALIBRATE and RELATIVE SEEK are
 * over for the chip when they have begun: each drive's arm then moves by itself until its seek_ns,
 * and SENSE INTERRUPT STATUS asks for what came of it. One timer serves all deadlines.
 *
 * The interrupt line is derived: high while results or an ended seek wait (s.irq), or while the
 * FIFO wants the host without DMA. An ended seek raises it only between commands, and again for the
 * next drive when the host has asked about the first: the interrupt controller wants edges.
 */
#include "fdc_82077.h"

#include <errno.h>
#include <string.h>

#include "fdc_data.h"
#include "../base/bits.h"

/* Registers. */
#define DOR 2
#define TDR 3
#define MSR_DSR 4
#define FIFO 5

#define MSR_RQM 0x80u
#define MSR_DIO 0x40u
#define MSR_NDMA 0x20u
#define MSR_CB 0x10u
#define DSR_SWRST 0x80u
#define DSR_RATE 0x03u
#define DIR_DSKCHG 0x80u
#define DIR_FLOATING 0x7fu
#define TDR_FLOATING 0xfcu

#define ST3_WP 0x40u
#define ST3_T0 0x10u
#define ST3_FIXED 0x28u /* ready and two-sided, always */

#define VERSION_82077 0x90
#define RELATIVE_SEEK_DIR 0x40u /* inwards */
#define LOCK_LOCK 0x80u
#define PERPENDICULAR_OW 0x80u
#define PERPENDICULAR_DRIVES 0x3cu
#define PERPENDICULAR_MODE 0x03u /* GAP, WGATE */
#define RECALIBRATE_STEPS 80u

/* Arms move this much faster than real ones. */
#define STEP_SCALE 64
#define SETTLE_NS (50 * NSEC_PER_USEC)
#define RESET_NS (100 * NSEC_PER_USEC)

enum fdc_seek {
	SEEK_NONE,
	SEEK_TO_TARGET,
	SEEK_TO_TRACK0,
	/* RELATIVE SEEK: cylinder numbers wrap, the arm does not. */
	SEEK_INWARDS,
	SEEK_OUTWARDS,
	SEEK_MAX = SEEK_OUTWARDS,
};

static struct fdc *fdc_of(struct device *dev)
{
	return container_of(dev, struct fdc, dev);
}

static const struct state_field unit_fields[] = {
	STATE_SUBFIELD(struct fdc_unit, seek_ns),
	STATE_SUBFIELD(struct fdc_unit, drive.cylinder, .max = FLOPPY_CYLINDER_MAX),
	STATE_SUBFIELD(struct fdc_unit, drive.disk_change, .max = 1),
	STATE_SUBFIELD(struct fdc_unit, pcn),
	STATE_SUBFIELD(struct fdc_unit, target),
	STATE_SUBFIELD(struct fdc_unit, seek, .max = SEEK_MAX),
	STATE_SUBFIELD(struct fdc_unit, sense, .max = 1),
	STATE_SUBFIELD(struct fdc_unit, sense_st0),
	STATE_SUBFIELD(struct fdc_unit, reserved),
	STATE_END,
};

static const struct state_field fdc_fields[] = {
	STATE_FIELD(struct fdc, deadline_ns),
	STATE_STRUCTS(struct fdc, units, unit_fields),
	STATE_FIELD(struct fdc, dor),
	STATE_FIELD(struct fdc, tdr),
	STATE_FIELD(struct fdc, dsr),
	STATE_FIELD(struct fdc, rate, .max = FLOPPY_1M),
	STATE_ARRAY(struct fdc, specify),
	STATE_FIELD(struct fdc, configure),
	STATE_FIELD(struct fdc, pretrk),
	STATE_FIELD(struct fdc, perpendicular),
	STATE_FIELD(struct fdc, lock, .max = 1),
	STATE_FIELD(struct fdc, phase, .max = FDC_PHASE_MAX),
	STATE_FIELD(struct fdc, irq, .max = 1),
	STATE_FIELD(struct fdc, resets_to_sense, .max = FDC_UNITS),
	STATE_FIELD(struct fdc, command_count, .max = FDC_COMMAND_BYTES),
	STATE_FIELD(struct fdc, result_count, .max = FDC_RESULT_BYTES),
	STATE_FIELD(struct fdc, result_pos, .max = FDC_RESULT_BYTES),
	STATE_ARRAY(struct fdc, command),
	STATE_FIELD(struct fdc, last_eot),
	STATE_ARRAY(struct fdc, result),
	STATE_FIELD(struct fdc, st0),
	STATE_FIELD(struct fdc, st1),
	STATE_FIELD(struct fdc, st2),
	STATE_FIELD(struct fdc, c),
	STATE_FIELD(struct fdc, h),
	STATE_FIELD(struct fdc, r),
	STATE_FIELD(struct fdc, n),
	STATE_FIELD(struct fdc, eot),
	STATE_FIELD(struct fdc, unit, .max = FDC_UNITS - 1),
	STATE_FIELD(struct fdc, head, .max = 1),
	STATE_FIELD(struct fdc, request, .max = FDC_REQUEST_MAX),
	STATE_FIELD(struct fdc, terminal_count, .max = 1),
	STATE_FIELD(struct fdc, unflushed, .max = 1),
	STATE_FIELD(struct fdc, scan, .max = SCAN_LOWER | SCAN_HIGHER),
	STATE_FIELD(struct fdc, moved, .max = 1),
	STATE_FIELD(struct fdc, burst),
	STATE_FIELD(struct fdc, done),
	STATE_FIELD(struct fdc, sector),
	STATE_FIELD(struct fdc, pos),
	STATE_FIELD(struct fdc, end),
	STATE_ARRAY(struct fdc, reserved),
	STATE_ARRAY(struct fdc, buffer),
	STATE_END,
};

/* --- lines and time */

/* The FIFO wants the host to read or write it, without DMA. */
static bool fifo_calls(const struct fdc *fdc)
{
	return fdc->s.phase == FDC_TRANSFER && !fdc_uses_dma(fdc);
}

static void update_alarm(struct fdc *fdc)
{
	uint64_t alarm_ns = fdc_data_blocked(fdc) ? TIMER_OFF : fdc->s.deadline_ns;

	for (unsigned int i = 0; i < FDC_UNITS; i++)
		alarm_ns = min_u64(alarm_ns, fdc->s.units[i].seek_ns);
	if (alarm_ns == TIMER_OFF)
		timer_cancel(&fdc->timer);
	else
		timer_arm(&fdc->timer, alarm_ns);
}

void fdc_update(struct fdc *fdc)
{
	const struct fdc_state *s = &fdc->s;
	bool gate = s->dor & DOR_DMAGATE;

	irq_set(&fdc->irq, gate && (s->irq || fifo_calls(fdc)));
	if (fdc->dma)
		isa_dma_request(fdc->dma, FDC_DMA_CHANNEL,
				gate && s->phase == FDC_TRANSFER && fdc_uses_dma(fdc));
	update_alarm(fdc);
}

uint64_t fdc_seek_ns(const struct fdc *fdc, unsigned int steps)
{
	/* The unit of SPECIFY's step rate time. */
	static const uint32_t unit_ns[] = {
		[FLOPPY_500K] = 1000000,
		[FLOPPY_300K] = 1666667,
		[FLOPPY_250K] = 2000000,
		[FLOPPY_1M] = 500000,
	};
	uint64_t step_ns = (uint64_t)(16 - (fdc->s.specify[0] >> 4)) * unit_ns[fdc->s.rate];

	return steps * step_ns / STEP_SCALE + SETTLE_NS;
}

/* --- phases */

/* Waits for a command. A seek that has ended meanwhile asks for SENSE INTERRUPT STATUS now. */
static void become_idle(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;

	s->phase = FDC_COMMAND;
	s->command_count = 0;
	for (unsigned int i = 0; i < FDC_UNITS; i++)
		s->irq |= s->units[i].sense;
}

void fdc_give_results(struct fdc *fdc, uint8_t count, bool interrupt)
{
	struct fdc_state *s = &fdc->s;

	s->phase = FDC_RESULT;
	s->result_count = count;
	s->result_pos = 0;
	if (interrupt)
		s->irq = 1;
}

static void give_one(struct fdc *fdc, unsigned int result)
{
	fdc->s.result[0] = (uint8_t)result;
	fdc_give_results(fdc, 1, false);
}

/* DOR or DSR: the command and all seeks are gone, settings partly. */
static void soft_reset(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;

	fdc_data_abort(fdc);
	for (unsigned int i = 0; i < FDC_UNITS; i++) {
		struct fdc_unit *unit = &s->units[i];

		unit->seek_ns = TIMER_OFF;
		unit->seek = SEEK_NONE;
		unit->sense = 0;
	}
	s->irq = 0;
	s->resets_to_sense = 0;
	s->command_count = s->result_count = s->result_pos = 0;
	s->perpendicular &= PERPENDICULAR_DRIVES;
	if (s->lock) {
		s->configure &= CONFIGURE_EFIFO | CONFIGURE_FIFOTHR;
	} else {
		s->configure = CONFIGURE_EFIFO;
		s->pretrk = 0;
	}
	s->phase = FDC_RESET;
}

static void leave_reset(struct fdc *fdc)
{
	fdc->s.phase = FDC_RESETTING;
	fdc->s.deadline_ns = timer_now(&fdc->timer) + RESET_NS;
}

/* Ready again; with polling the chip tells of a change of every drive's ready line. */
static void end_reset(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;

	become_idle(fdc);
	if (s->configure & CONFIGURE_POLL)
		return;
	s->resets_to_sense = FDC_UNITS;
	s->irq = 1;
}

/* --- seeks */

static struct fdc_unit *begin_seek(struct fdc *fdc, enum fdc_seek seek, unsigned int steps)
{
	struct fdc_state *s = &fdc->s;
	struct fdc_unit *unit = &s->units[COMMAND_DS(s->command[1])];

	s->resets_to_sense = 0;
	unit->sense = 0;
	unit->seek = (uint8_t)seek;
	unit->sense_st0 = (uint8_t)(s->command[1] & 7);
	unit->seek_ns = timer_now(&fdc->timer) + fdc_seek_ns(fdc, steps);
	become_idle(fdc);
	return unit;
}

static void run_seek(struct fdc *fdc)
{
	uint8_t target = fdc->s.command[2];
	uint8_t pcn = fdc->s.units[COMMAND_DS(fdc->s.command[1])].pcn;
	unsigned int steps = target > pcn ? target - pcn : pcn - target;

	begin_seek(fdc, SEEK_TO_TARGET, steps)->target = target;
}

static void run_recalibrate(struct fdc *fdc)
{
	unsigned int n = COMMAND_DS(fdc->s.command[1]);
	unsigned int steps = RECALIBRATE_STEPS;

	if (fdc->drives[n].kind != FLOPPY_NONE)
		steps = (unsigned int)min_u64(steps, fdc->s.units[n].drive.cylinder);
	begin_seek(fdc, SEEK_TO_TRACK0, steps)->target = 0;
}

static void run_relative_seek(struct fdc *fdc)
{
	uint8_t pcn = fdc->s.units[COMMAND_DS(fdc->s.command[1])].pcn;
	uint8_t steps = fdc->s.command[2];
	bool inwards = fdc->s.command[0] & RELATIVE_SEEK_DIR;

	begin_seek(fdc, inwards ? SEEK_INWARDS : SEEK_OUTWARDS, steps)->target =
		(uint8_t)(inwards ? pcn + steps : pcn - steps);
}

/* Steps of the seek that ends, outwards when negative. */
static int seek_steps(const struct fdc_unit *unit)
{
	switch (unit->seek) {
	case SEEK_TO_TRACK0:
		return -(int)min_u64(RECALIBRATE_STEPS, unit->drive.cylinder);
	case SEEK_INWARDS:
		return (uint8_t)(unit->target - unit->pcn);
	case SEEK_OUTWARDS:
		return -(uint8_t)(unit->pcn - unit->target);
	default:
		return unit->target - unit->pcn;
	}
}

static void end_seek(struct fdc *fdc, unsigned int n)
{
	struct fdc_unit *unit = &fdc->s.units[n];
	struct floppy_drive *drive = &fdc->drives[n];
	int steps = seek_steps(unit);
	bool failed = unit->seek == SEEK_OUTWARDS && -steps > unit->drive.cylinder;

	floppy_drive_step(drive, steps);
	if (failed)
		unit->target = 0;
	if (unit->seek == SEEK_TO_TRACK0)
		failed = !floppy_drive_track0(drive);
	unit->pcn = unit->target;
	unit->seek = SEEK_NONE;
	unit->seek_ns = TIMER_OFF;
	unit->sense = 1;
	unit->sense_st0 |= (uint8_t)(ST0_SE | (failed ? ST0_IC_ABNORMAL | ST0_EC : 0));
	if (fdc->s.phase == FDC_COMMAND && !fdc->s.command_count)
		fdc->s.irq = 1;
}

/* --- commands that only ask or set */

static void run_specify(struct fdc *fdc)
{
	memcpy(fdc->s.specify, fdc->s.command + 1, sizeof(fdc->s.specify));
	become_idle(fdc);
}

static void run_sense_drive(struct fdc *fdc)
{
	unsigned int n = COMMAND_DS(fdc->s.command[1]);
	const struct floppy_drive *drive = &fdc->drives[n];
	unsigned int st3 = ST3_FIXED | (fdc->s.command[1] & 7u);

	if (floppy_drive_track0(drive))
		st3 |= ST3_T0;
	if (floppy_drive_write_protected(drive))
		st3 |= ST3_WP;
	give_one(fdc, st3);
}

static void give_sense(struct fdc *fdc, unsigned int st0, uint8_t pcn)
{
	fdc->s.result[0] = (uint8_t)st0;
	fdc->s.result[1] = pcn;
	fdc_give_results(fdc, 2, false);
}

static void run_sense_interrupt(struct fdc *fdc)
{
	struct fdc_state *s = &fdc->s;

	s->irq = 0;
	if (s->resets_to_sense) {
		unsigned int n = FDC_UNITS - s->resets_to_sense--;

		give_sense(fdc, ST0_IC_POLLING | n, s->units[n].pcn);
		return;
	}
	for (unsigned int i = 0; i < FDC_UNITS; i++) {
		if (!s->units[i].sense)
			continue;
		s->units[i].sense = 0;
		give_sense(fdc, s->units[i].sense_st0, s->units[i].pcn);
		return;
	}
	give_one(fdc, ST0_IC_INVALID);
}

static void run_dumpreg(struct fdc *fdc)
{
	const struct fdc_state *s = &fdc->s;
	const uint8_t result[FDC_RESULT_BYTES] = {
		s->units[0].pcn, s->units[1].pcn,
		s->units[2].pcn, s->units[3].pcn,
		s->specify[0],	 s->specify[1],
		s->last_eot,	 (uint8_t)((s->lock ? LOCK_LOCK : 0) | s->perpendicular),
		s->configure,	 s->pretrk,
	};

	memcpy(fdc->s.result, result, sizeof(result));
	fdc_give_results(fdc, sizeof(result), false);
}

static void run_version(struct fdc *fdc)
{
	give_one(fdc, VERSION_82077);
}

static void run_configure(struct fdc *fdc)
{
	fdc->s.configure = fdc->s.command[2] & (uint8_t) ~(1u << 7);
	fdc->s.pretrk = fdc->s.command[3];
	become_idle(fdc);
}

static void run_perpendicular(struct fdc *fdc)
{
	uint8_t value = fdc->s.command[1], mask = PERPENDICULAR_MODE;

	if (value & PERPENDICULAR_OW)
		mask |= PERPENDICULAR_DRIVES;
	fdc->s.perpendicular = (uint8_t)blend32(fdc->s.perpendicular, mask, value);
	become_idle(fdc);
}

static void run_lock(struct fdc *fdc)
{
	fdc->s.lock = fdc->s.command[0] >> 7;
	give_one(fdc, (unsigned int)fdc->s.lock << 4);
}

/* Its parameter bytes and results are one byte of status. */
static void run_invalid(struct fdc *fdc)
{
	give_one(fdc, ST0_IC_INVALID);
}

#define DATA_TO_HOST (FDC_DATA | FDC_TO_HOST)

static const struct fdc_command fdc_commands[] = {
	/* clang-format off */
	{ "READ TRACK", 0x02, 0xbf, 8, DATA_TO_HOST | FDC_TRACK, fdc_data_start },
	{ "SPECIFY", 0x03, 0xff, 2, 0, run_specify },
	{ "SENSE DRIVE STATUS", 0x04, 0xff, 1, 0, run_sense_drive },
	{ "WRITE DATA", 0x05, 0x3f, 8, FDC_DATA | FDC_WRITES, fdc_data_start },
	{ "READ DATA", 0x06, 0x1f, 8, DATA_TO_HOST, fdc_data_start },
	{ "RECALIBRATE", 0x07, 0xff, 1, 0, run_recalibrate },
	{ "SENSE INTERRUPT STATUS", 0x08, 0xff, 0, 0, run_sense_interrupt },
	{ "WRITE DELETED DATA", 0x09, 0x3f, 8, FDC_DATA | FDC_WRITES, fdc_data_start },
	{ "READ ID", 0x0a, 0xbf, 1, FDC_DATA | FDC_ID, fdc_data_start },
	{ "READ DELETED DATA", 0x0c, 0x1f, 8, DATA_TO_HOST | FDC_DELETED, fdc_data_start },
	{ "FORMAT TRACK", 0x0d, 0xbf, 5, FDC_DATA | FDC_WRITES | FDC_FORMAT, fdc_data_start },
	{ "DUMPREG", 0x0e, 0xff, 0, 0, run_dumpreg },
	{ "SEEK", 0x0f, 0xff, 2, 0, run_seek },
	{ "VERSION", 0x10, 0xff, 0, 0, run_version },
	{ "SCAN EQUAL", 0x11, 0x1f, 8, FDC_DATA | FDC_SCAN_EQUAL, fdc_data_start },
	{ "PERPENDICULAR MODE", 0x12, 0xff, 1, 0, run_perpendicular },
	{ "CONFIGURE", 0x13, 0xff, 3, 0, run_configure },
	{ "LOCK", 0x14, 0x7f, 0, 0, run_lock },
	{ "VERIFY", 0x16, 0x1f, 8, FDC_DATA | FDC_VERIFY, fdc_data_start },
	/* The 82077AA has no part number to tell: systems know it by this answer. */
	{ "PART ID", 0x18, 0xff, 0, 0, run_invalid },
	{ "SCAN LOW OR EQUAL", 0x19, 0x1f, 8, FDC_DATA | FDC_SCAN_LOW, fdc_data_start },
	{ "SCAN HIGH OR EQUAL", 0x1d, 0x1f, 8, FDC_DATA | FDC_SCAN_HIGH, fdc_data_start },
	{ "RELATIVE SEEK", 0x8f, 0xbf, 2, 0, run_relative_seek },
	/* clang-format on */
};

const struct fdc_command *fdc_command_find(uint8_t opcode)
{
	for (unsigned int i = 0; i < ARRAY_LEN(fdc_commands); i++) {
		if ((opcode & fdc_commands[i].mask) == fdc_commands[i].opcode)
			return &fdc_commands[i];
	}
	return NULL;
}

/* --- registers */

static void dor_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct fdc *fdc = fdc_of(dev);

	(void)reg;
	if (!(value & DOR_RESET)) {
		if (old & DOR_RESET)
			soft_reset(fdc);
	} else if (!(old & DOR_RESET)) {
		leave_reset(fdc);
	}
	fdc_data_pump(fdc);
	fdc_update(fdc);
}

static uint32_t tdr_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)dev;
	(void)reg;
	return value | TDR_FLOATING;
}

static uint32_t phase_bits(const struct fdc *fdc)
{
	const struct fdc_state *s = &fdc->s;
	uint32_t bits = MSR_CB;

	switch (s->phase) {
	case FDC_RESET:
	case FDC_RESETTING:
		return 0;
	case FDC_COMMAND:
		return MSR_RQM | (s->command_count ? MSR_CB : 0);
	case FDC_RESULT:
		return MSR_RQM | MSR_DIO | MSR_CB;
	default:
		if (!fdc_uses_dma(fdc))
			bits |= MSR_NDMA;
		if (fifo_calls(fdc))
			bits |= MSR_RQM | (fdc_data_to_host(fdc) ? MSR_DIO : 0);
		return bits;
	}
}

static uint32_t msr_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	struct fdc *fdc = fdc_of(dev);

	(void)reg;
	value = phase_bits(fdc);
	/* A drive is busy until the host has asked how its seek ended. */
	for (unsigned int i = 0; i < FDC_UNITS; i++) {
		if (fdc->s.units[i].seek || fdc->s.units[i].sense)
			value |= BIT(i);
	}
	return value;
}

static void dsr_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct fdc *fdc = fdc_of(dev);

	(void)reg;
	(void)old;
	fdc->s.rate = (uint8_t)(value & DSR_RATE);
	if ((value & DSR_SWRST) && (fdc->s.dor & DOR_RESET)) {
		soft_reset(fdc);
		leave_reset(fdc);
	}
	fdc_update(fdc);
}

static uint32_t fifo_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	struct fdc *fdc = fdc_of(dev);
	struct fdc_state *s = &fdc->s;

	(void)reg;
	if (s->phase == FDC_RESULT) {
		s->irq = 0;
		value = s->result[s->result_pos++];
		if (s->result_pos == s->result_count)
			become_idle(fdc);
	} else if (fifo_calls(fdc) && fdc_data_to_host(fdc)) {
		value = fdc_data_read(fdc);
	}
	fdc_update(fdc);
	return value;
}

/* A byte of a command. */
static void take_command_byte(struct fdc *fdc, uint8_t byte)
{
	struct fdc_state *s = &fdc->s;
	const struct fdc_command *command;

	s->command[s->command_count++] = byte;
	command = fdc_command_find(s->command[0]);
	if (!command)
		run_invalid(fdc);
	else if (s->command_count == 1 + command->parameters)
		command->run(fdc);
}

static void fifo_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct fdc *fdc = fdc_of(dev);

	(void)reg;
	(void)old;
	if (fdc->s.phase == FDC_COMMAND)
		take_command_byte(fdc, (uint8_t)value);
	else if (fifo_calls(fdc) && !fdc_data_to_host(fdc))
		fdc_data_write(fdc, (uint8_t)value);
	fdc_update(fdc);
}

/* A drive answers while DOR selects it and its motor is on. */
static uint32_t dir_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const struct fdc_state *s = &fdc_of(dev)->s;
	unsigned int n = COMMAND_DS(s->dor);

	(void)reg;
	value = DIR_FLOATING;
	if ((s->dor & DOR_MOTOR(n)) && s->units[n].drive.disk_change)
		value |= DIR_DSKCHG;
	return value;
}

static void ccr_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	(void)value;
	/* The stored value is the rate. */
	fdc_update(fdc_of(dev));
}

static const struct reg fdc_regs[] = {
	REG(struct fdc, s.dor, DOR, 1, "DOR", 0, 0xff, .on_write = dor_on_write),
	REG(struct fdc, s.tdr, TDR, 1, "TDR", 0, 0x03, .on_read = tdr_on_read),
	REG(struct fdc, s.dsr, MSR_DSR, 1, "MSR/DSR", 0x02, 0x5f, .command = DSR_SWRST,
	    .on_read = msr_on_read, .on_write = dsr_on_write),
	REG_HOOKED(FIFO, 1, "FIFO", .on_read = fifo_on_read, .on_write = fifo_on_write),
};

static const struct reg fdc_dir_regs[] = {
	REG(struct fdc, s.rate, 0, 1, "DIR/CCR", FLOPPY_250K, 0x03, .on_read = dir_on_read,
	    .on_write = ccr_on_write),
};

static const struct reg_bank fdc_bank = {
	.name = "fdc",
	.regs = fdc_regs,
	.count = ARRAY_LEN(fdc_regs),
	.size = 6,
	.open = 0xff,
};

static const struct reg_bank fdc_dir_bank = {
	.name = "fdc-dir",
	.regs = fdc_dir_regs,
	.count = ARRAY_LEN(fdc_dir_regs),
	.size = 1,
	.open = 0xff,
};

static uint32_t fdc_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&fdc_bank, dev, offset, size);
}

static void fdc_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&fdc_bank, dev, offset, size, value);
}

static uint32_t fdc_dir_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&fdc_dir_bank, dev, offset, size);
}

static void fdc_dir_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&fdc_dir_bank, dev, offset, size, value);
}

/* --- callbacks */

static void fdc_expired(struct device *dev)
{
	struct fdc *fdc = fdc_of(dev);
	struct fdc_state *s = &fdc->s;
	uint64_t now_ns = timer_now(&fdc->timer);

	for (unsigned int i = 0; i < FDC_UNITS; i++) {
		if (s->units[i].seek_ns <= now_ns)
			end_seek(fdc, i);
	}
	if (s->deadline_ns <= now_ns && !fdc_data_blocked(fdc)) {
		s->deadline_ns = TIMER_OFF;
		if (s->phase == FDC_RESETTING)
			end_reset(fdc);
		else
			fdc_data_expired(fdc);
	}
	fdc_update(fdc);
}

static void fdc_dma_ready(struct device *dev)
{
	fdc_data_pump(fdc_of(dev));
	fdc_update(fdc_of(dev));
}

int fdc_82077_insert(struct device *dev, unsigned int drive, struct block_backend *backend)
{
	struct fdc *fdc = fdc_of(dev);
	int r;

	if (drive >= FDC_DRIVES)
		return -EINVAL;
	r = floppy_drive_insert(&fdc->drives[drive], backend);
	if (r < 0)
		return r;
	fdc_data_changed(fdc, drive);
	fdc_update(fdc);
	return 0;
}

/* --- life */

static int fdc_init(struct device *dev, const void *config)
{
	const struct fdc_82077_config *fdc_config = config;
	struct fdc *fdc = fdc_of(dev);

	for (unsigned int i = 0; i < FDC_UNITS; i++)
		fdc->drives[i].s = &fdc->s.units[i].drive;
	for (unsigned int i = 0; i < FDC_DRIVES; i++) {
		struct block_backend *backend = fdc_config->drives[i].backend;
		int r;

		fdc->drives[i].kind = (uint8_t)fdc_config->drives[i].kind;
		r = backend ? floppy_drive_insert(&fdc->drives[i], backend) : 0;
		if (r < 0)
			return r;
	}
	if (fdc_config->dma &&
	    !isa_dma_attach(fdc_config->dma, FDC_DMA_CHANNEL, dev, fdc_dma_ready))
		return -EBUSY;
	fdc->dma = fdc_config->dma;
	timer_init(&fdc->timer, dev->env->timers, dev, &fdc->alarm_ns, fdc_expired);
	return 0;
}

static void fdc_reset(struct device *dev, enum reset_kind kind)
{
	struct fdc *fdc = fdc_of(dev);
	struct fdc_state *s = &fdc->s;
	struct floppy_drive_state drives[FDC_UNITS];

	/* The chip's reset reaches no drive: arms stay where they are. */
	for (unsigned int i = 0; i < FDC_UNITS; i++)
		drives[i] = s->units[i].drive;
	fdc_data_abort(fdc);
	memset(s, 0, sizeof(*s));
	for (unsigned int i = 0; i < FDC_UNITS; i++) {
		s->units[i].drive = drives[i];
		s->units[i].seek_ns = TIMER_OFF;
		if (kind != RESET_POWER)
			continue;
		s->units[i].drive.cylinder = 0;
		s->units[i].drive.disk_change = fdc->drives[i].kind != FLOPPY_NONE;
	}
	s->deadline_ns = TIMER_OFF;
	s->configure = CONFIGURE_EFIFO;
	reg_bank_reset(&fdc_bank, dev);
	reg_bank_reset(&fdc_dir_bank, dev);
	fdc_update(fdc);
}

/* Whether the bytes of a command that have come are the beginning of one. */
static bool command_check(const struct fdc_state *s)
{
	const struct fdc_command *command = fdc_command_find(s->command[0]);

	if (s->phase != FDC_COMMAND || !s->command_count)
		return true;
	return command && s->command_count < 1 + command->parameters;
}

static bool fdc_check(const void *state)
{
	const struct fdc_state *s = state;

	for (unsigned int i = 0; i < FDC_UNITS; i++) {
		if ((s->units[i].seek == SEEK_NONE) != (s->units[i].seek_ns == TIMER_OFF))
			return false;
	}
	if (s->phase == FDC_RESULT && s->result_pos >= s->result_count)
		return false;
	return command_check(s) && fdc_data_check(s);
}

static void fdc_post_load(struct device *dev)
{
	struct fdc *fdc = fdc_of(dev);

	fdc_data_post_load(fdc);
	fdc_update(fdc);
}

static void fdc_fini(struct device *dev)
{
	struct fdc *fdc = fdc_of(dev);

	if (fdc->dma)
		isa_dma_detach(fdc->dma, FDC_DMA_CHANNEL);
	timer_fini(&fdc->timer);
}

static const struct io_region_desc fdc_regions[] = {
	{
		.name = "fdc",
		.space = IO_PORT,
		.base = 0x3f0,
		.length = 6,
		.read = fdc_read,
		.write = fdc_write,
	},
	{
		.name = "fdc-dir",
		.space = IO_PORT,
		.base = 0x3f7,
		.length = 1,
		.read = fdc_dir_read,
		.write = fdc_dir_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const fdc_banks[] = { &fdc_bank, &fdc_dir_bank, NULL };

static const struct device_irq fdc_irqs[] = { DEVICE_IRQ(struct fdc, irq, "IRQ6", 6), { 0 } };

static const struct fdc_82077_config fdc_default = { .dma = NULL };

const struct device_class fdc_82077_class = {
	.name = "fdc_82077",
	.summary = "floppy disk controller with up to two drives",
	DEVICE_STATE(struct fdc),
	.regions = fdc_regions,
	.banks = fdc_banks,
	.fields = fdc_fields,
	.irqs = fdc_irqs,
	.default_config = &fdc_default,
	.init = fdc_init,
	.reset = fdc_reset,
	.check = fdc_check,
	.post_load = fdc_post_load,
	.fini = fdc_fini,
};
