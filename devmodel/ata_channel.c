// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One ATA channel.
 *
 * Document: ATA/ATAPI-6 (INCITS 361): registers, protocols, INTRQ, resets. Not emulated: overlapped
 * and queued commands, release interrupts, transfer timing, the retired drive address register (3F7h
 * belongs to the floppy controller).
 *
 * Theory of operation
 *
 * A channel runs one command at a time; s->phase says where it stands and which of BSY and DRQ the
 * active drive shows. A command comes in by the command register, the drive's kind looks at it and
 * calls a verb; the verbs move the phase:
 *
 *	ata_request()   -> ATA_REQUEST; request_complete() calls the kind's requested()
 *	ata_data_in()   -> ATA_DATA_IN, by ATA_DELAY; the last byte calls drained()
 *	ata_data_out()  -> ATA_DATA_OUT, by ATA_DELAY but for the first block; the last byte calls filled()
 *	ata_dma_wait()  -> ATA_DMA; the bus master's start calls dma_ready()
 *	ata_complete(), ata_fail() -> ATA_IDLE, by ATA_DELAY
 *
 * ATA_DELAY keeps BSY up to s->earliest_ns: the driver of Windows 2000 loses an interrupt that
 * comes in the moment of the command. A host that has set nIEN polls, and waits for nothing. Later
 * blocks of one data-in command are in the buffer already and follow at once.
 *
 * A request cannot be taken back from a backend. One that a reset or a stop of the bus master
 * abandons is cancelled, and the channel shows BSY until its completion came, because until then the
 * backend may write to the buffer or to guest memory; its result is ignored.
 *
 * INTRQ: each drive has its own pending interrupt; the wire is the selected drive's, unless nIEN.
 * Registers: a write goes to both drives, a read comes from the selected one. Without a slave the
 * master answers for it with status 00h; without any drive the bus floats.
 */
#include "ata_channel.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define FLOATING 0xff
#define FLOATING_STATUS                                                                            \
	0x7f /* with a slave alone: BSY is pulled down, so that nobody waits for it */
#define DEVICE_FIXED_BITS 0xa0

#define COMMAND_DEVICE_RESET 0x08
#define COMMAND_EXECUTE_DIAGNOSTIC 0x90
#define DIAGNOSTIC_PASSED 0x01

/* How long drives are busy after SRST. Firmware waits 2 ms before it looks. */
#define RESET_NS NSEC_PER_MSEC

#define CHANNEL(member, ...) STATE_SUBFIELD(struct ata_channel_state, member, __VA_ARGS__)
#define DRIVE(member, ...) STATE_SUBFIELD(struct ata_drive_state, member, __VA_ARGS__)

const struct state_field ata_channel_fields[] = {
	CHANNEL(deadline_ns),
	CHANNEL(earliest_ns),
	CHANNEL(lba),
	CHANNEL(request_offset),
	CHANNEL(request_bytes),
	CHANNEL(left, .max = 65536),
	CHANNEL(data_pos, .max = ATA_BUFFER_BYTES),
	CHANNEL(data_end, .max = ATA_BUFFER_BYTES),
	CHANNEL(block_end, .max = ATA_BUFFER_BYTES),
	CHANNEL(block_bytes, .max = ATA_BUFFER_BYTES),
	CHANNEL(device),
	CHANNEL(control),
	CHANNEL(command),
	CHANNEL(active, .max = ATA_BOTH),
	CHANNEL(phase, .max = ATA_PHASE_MAX),
	CHANNEL(next, .max = ATA_DMA),
	CHANNEL(next_intrq, .max = 1),
	CHANNEL(request, .max = ATA_REQUEST_MAX),
	CHANNEL(wire, .max = 1),
	STATE_SUBARRAY(struct ata_channel_state, reserved),
	STATE_SUBARRAY(struct ata_channel_state, buffer, .zeros_left_out = true),
	STATE_END,
};

const struct state_field ata_drive_fields[] = {
	STATE_SUBARRAY(struct ata_drive_state, features),
	STATE_SUBARRAY(struct ata_drive_state, count),
	STATE_SUBARRAY(struct ata_drive_state, lba_low),
	STATE_SUBARRAY(struct ata_drive_state, lba_mid),
	STATE_SUBARRAY(struct ata_drive_state, lba_high),
	DRIVE(error),
	DRIVE(status),
	DRIVE(intrq, .max = 1),
	DRIVE(power),
	DRIVE(mode),
	DRIVE(multiple, .max = 128),
	DRIVE(enabled),
	DRIVE(heads),
	DRIVE(sectors),
	DRIVE(reserved),
	DRIVE(cylinders),
	STATE_END,
};

/* --- what the state says */

static struct ata_drive *selected(struct ata_channel *chan)
{
	return &chan->drives[!!(chan->s->device & ATA_DEVICE_DEV)];
}

static bool empty(const struct ata_channel *chan)
{
	return !chan->drives[0].kind && !chan->drives[1].kind;
}

static bool busy(const struct ata_channel *chan)
{
	uint8_t phase = chan->s->phase;

	return phase == ATA_REQUEST || phase == ATA_DELAY || phase == ATA_RESET;
}

static bool transfers(const struct ata_channel *chan)
{
	uint8_t phase = chan->s->phase;

	return phase == ATA_DATA_IN || phase == ATA_DATA_OUT || phase == ATA_DMA;
}

/* Whether the phase is that of the drive at @index. */
static bool concerns(const struct ata_channel *chan, uint8_t index)
{
	return chan->s->active == index || chan->s->active == ATA_BOTH;
}

/* The drive that answers reads: the master stands in for an absent slave. NULL: nobody. */
static struct ata_drive *answering(struct ata_channel *chan)
{
	struct ata_drive *drive = selected(chan);

	if (!drive->kind && drive->index == 1)
		drive = &chan->drives[0];
	return drive->kind ? drive : NULL;
}

/* A host that has turned interrupts off and looks at the status can only wait for the backend. */
static void hint_polling(struct ata_channel *chan)
{
	struct device_env *env = chan->dev->env;

	if (chan->s->phase != ATA_REQUEST || !(chan->s->control & ATA_CONTROL_NIEN))
		return;
	chan->polled = true;
	env->poll_wait(env, chan->dev);
}

uint32_t ata_channel_alt_status(struct ata_channel *chan)
{
	const struct ata_drive *drive = selected(chan);

	if (!drive->kind) {
		if (answering(chan))
			return 0;
		return empty(chan) ? FLOATING : FLOATING_STATUS;
	}
	if (concerns(chan, drive->index)) {
		hint_polling(chan);
		if (busy(chan))
			return ATA_STATUS_BSY | ATA_STATUS_DRDY | ATA_STATUS_DSC;
		if (transfers(chan))
			return drive->s->status | ATA_STATUS_DRQ;
	}
	return drive->s->status;
}

/* Derives INTRQ; called at the end of every entry point. */
static void update_irq(struct ata_channel *chan)
{
	struct ata_channel_state *s = chan->s;
	const struct ata_drive *drive = selected(chan);
	bool level = drive->kind && drive->s->intrq && !(s->control & ATA_CONTROL_NIEN);

	if (level && !s->wire)
		ide_busmaster_interrupt(chan->busmaster);
	s->wire = level;
	irq_set(chan->intrq, level);
}

/* --- phases */

/* From now on, no interrupt for @delay_ns. */
static void hold_interrupt(struct ata_channel *chan, uint64_t delay_ns)
{
	chan->s->earliest_ns = timer_now(&chan->timer) + delay_ns;
}

/* Enters the phase that was decided by present(). */
static void arrive(struct ata_channel *chan)
{
	struct ata_channel_state *s = chan->s;
	struct ata_drive *drive = &chan->drives[s->active == ATA_BOTH ? 0 : s->active];

	s->phase = s->next;
	if (s->next_intrq && drive->kind)
		drive->s->intrq = 1;
	if (s->phase == ATA_DMA && ide_busmaster_active(chan->busmaster))
		drive->kind->dma_ready(drive);
}

/* Goes to phase @next, with an interrupt not before its time. */
static void present(struct ata_channel *chan, enum ata_phase next, bool intrq)
{
	struct ata_channel_state *s = chan->s;

	s->next = (uint8_t)next;
	s->next_intrq = intrq;
	if (!intrq || (s->control & ATA_CONTROL_NIEN) ||
	    timer_now(&chan->timer) >= s->earliest_ns) {
		arrive(chan);
		return;
	}
	s->phase = ATA_DELAY;
	timer_arm(&chan->timer, s->earliest_ns);
}

/* Nobody waits for the backend's request any more. BSY is the caller's business. */
static void abandon_request(struct ata_channel *chan)
{
	chan->s->request = ATA_REQUEST_NONE;
	if (!chan->inflight || chan->abandoned)
		return;
	chan->abandoned = true;
	block_cancel(chan->request_backend, &chan->request);
}

/* Ends whatever runs; the caller sets the phase. */
static void abandon(struct ata_channel *chan)
{
	abandon_request(chan);
	timer_cancel(&chan->timer);
	chan->s->next_intrq = 0;
	chan->s->left = 0;
}

/* --- requests */

static void request_complete(struct block_request *request, int error)
{
	struct ata_channel *chan = request->owner;
	struct ata_channel_state *s = chan->s;
	enum ata_request done = chan->inflight;

	chan->inflight = ATA_REQUEST_NONE;
	if (chan->polled)
		chan->dev->env->poll_done(chan->dev->env, chan->dev);
	chan->polled = false;
	if (done == ATA_REQUEST_DMA) {
		if (error || chan->abandoned)
			ide_busmaster_dropped(chan->busmaster);
		else
			ide_busmaster_moved(chan->busmaster);
	}
	if (chan->abandoned) {
		chan->abandoned = false;
		if (s->phase == ATA_DELAY && s->deadline_ns == TIMER_OFF)
			arrive(chan);
	} else {
		struct ata_drive *drive = &chan->drives[s->active];

		s->request = ATA_REQUEST_NONE;
		drive->kind->requested(drive, done, error);
	}
	update_irq(chan);
}

static void submit(struct ata_drive *drive, enum block_op op, const struct iovec *iov,
		   unsigned int iov_count)
{
	struct ata_channel *chan = drive->chan;
	struct ata_channel_state *s = chan->s;

	assert(!chan->inflight);
	s->phase = ATA_REQUEST;
	chan->inflight = s->request;
	chan->request = (struct block_request){
		.op = op,
		.offset_bytes = s->request_offset,
		.size_bytes = s->request_bytes,
		.iov = iov,
		.iov_count = iov_count,
		.complete = request_complete,
		.owner = chan,
	};
	chan->request_backend = drive->backend;
	block_submit(drive->backend, &chan->request);
}

/* Kinds check what the guest asks; this can only be false after loading a forged state. */
static bool on_medium(const struct ata_drive *drive, uint64_t offset, uint64_t bytes)
{
	uint64_t size = drive->sectors * BLOCK_SECTOR_BYTES;

	return drive->backend && offset <= size && bytes <= size - offset;
}

void ata_request(struct ata_drive *drive, enum ata_request request, uint64_t offset, uint32_t bytes)
{
	struct ata_channel *chan = drive->chan;
	struct ata_channel_state *s = chan->s;

	if (bytes > ATA_BUFFER_BYTES || !on_medium(drive, offset, bytes)) {
		s->request = ATA_REQUEST_NONE;
		ata_fail(drive, ATA_ERROR_IDNF, 0);
		return;
	}
	s->request = (uint8_t)request;
	s->request_offset = offset;
	s->request_bytes = bytes;
	if (request == ATA_REQUEST_FLUSH) {
		submit(drive, BLOCK_FLUSH, NULL, 0);
		return;
	}
	chan->iov = (struct iovec){ s->buffer, bytes };
	submit(drive, request == ATA_REQUEST_READ ? BLOCK_READ : BLOCK_WRITE, &chan->iov, 1);
}

static void fail_dma(struct ata_drive *drive)
{
	struct ata_channel *chan = drive->chan;

	device_log(chan->dev, "bad bus-master descriptors at %08x", chan->busmaster->s->prd);
	ata_hold(drive);
	ata_fail(drive, ATA_ERROR_ABRT, 0);
}

void ata_dma_copy(struct ata_drive *drive, bool to_memory)
{
	struct ata_channel_state *s = drive->chan->s;
	int bytes = 0;

	/* Otherwise after loading a forged state. */
	if (s->data_pos < s->data_end)
		bytes = ide_busmaster_copy(drive->chan->busmaster, to_memory,
					   ata_buffer(drive) + s->data_pos,
					   s->data_end - s->data_pos);
	if (bytes < 0) {
		fail_dma(drive);
		return;
	}
	s->data_pos += (uint32_t)bytes;
	if (s->data_pos < s->data_end)
		s->phase = ATA_DMA; /* the descriptors are used up */
	else if (to_memory)
		drive->kind->drained(drive);
	else
		drive->kind->filled(drive);
}

void ata_request_dma(struct ata_drive *drive, bool to_memory, uint64_t offset, uint32_t max_bytes)
{
	struct ata_channel *chan = drive->chan;
	struct ide_busmaster *bm = chan->busmaster;
	int bytes;

	if (!on_medium(drive, offset, max_bytes)) {
		ata_fail(drive, ATA_ERROR_IDNF, 0);
		return;
	}
	bytes = ide_busmaster_map(bm, to_memory, max_bytes);
	if (bytes < 0) {
		fail_dma(drive);
		return;
	}
	if (!bytes) {
		/* The descriptors are used up: the drive waits for more. */
		chan->s->phase = ATA_DMA;
		return;
	}
	chan->s->request = ATA_REQUEST_DMA;
	chan->s->request_offset = offset;
	chan->s->request_bytes = (uint32_t)bytes;
	submit(drive, to_memory ? BLOCK_READ : BLOCK_WRITE, bm->iov, bm->count);
}

/* --- verbs */

void ata_complete(struct ata_drive *drive)
{
	drive->s->status = ATA_STATUS_DRDY | ATA_STATUS_DSC;
	present(drive->chan, ATA_IDLE, true);
}

void ata_complete_quietly(struct ata_drive *drive)
{
	drive->s->status = ATA_STATUS_DRDY | ATA_STATUS_DSC;
	present(drive->chan, ATA_IDLE, false);
}

void ata_fail(struct ata_drive *drive, uint8_t error, uint8_t status)
{
	drive->s->error = error;
	drive->s->status = ATA_STATUS_DRDY | ATA_STATUS_DSC | ATA_STATUS_ERR | status;
	drive->chan->s->left = 0;
	present(drive->chan, ATA_IDLE, true);
}

/* The next DRQ block, from data_pos. */
static void begin_block(struct ata_drive *drive)
{
	struct ata_channel_state *s = drive->chan->s;

	s->block_end = (uint32_t)min_u64(s->data_end, (uint64_t)s->data_pos + s->block_bytes);
	if (drive->kind->block)
		drive->kind->block(drive, s->block_end - s->data_pos);
}

static void begin_data(struct ata_drive *drive, uint32_t bytes, uint32_t block_bytes)
{
	struct ata_channel_state *s = drive->chan->s;

	assert(bytes && block_bytes && bytes <= ATA_BUFFER_BYTES);
	s->data_pos = 0;
	s->data_end = bytes;
	s->block_bytes = block_bytes;
	begin_block(drive);
}

void ata_data_in(struct ata_drive *drive, uint32_t bytes, uint32_t block_bytes)
{
	begin_data(drive, bytes, block_bytes);
	present(drive->chan, ATA_DATA_IN, true);
}

void ata_data_out(struct ata_drive *drive, uint32_t bytes, uint32_t block_bytes, bool first)
{
	begin_data(drive, bytes, block_bytes);
	present(drive->chan, ATA_DATA_OUT, !first);
}

void ata_hold(struct ata_drive *drive)
{
	hold_interrupt(drive->chan, drive->chan->irq_delay_ns);
}

void ata_dma_wait(struct ata_drive *drive)
{
	hold_interrupt(drive->chan, drive->chan->dma_irq_delay_ns);
	present(drive->chan, ATA_DMA, false);
}

void ata_set_signature(struct ata_drive *drive, uint8_t lba_mid, uint8_t lba_high)
{
	struct ata_drive_state *s = drive->s;

	s->count[ATA_CURRENT] = 1;
	s->lba_low[ATA_CURRENT] = 1;
	s->lba_mid[ATA_CURRENT] = lba_mid;
	s->lba_high[ATA_CURRENT] = lba_high;
}

void ata_device_reset(struct ata_drive *drive)
{
	struct ata_channel *chan = drive->chan;

	drive->s->error = DIAGNOSTIC_PASSED;
	drive->s->power = ATA_POWER_ACTIVE;
	drive->kind->reset(drive, true);
	chan->s->phase = ATA_DELAY;
	chan->s->next = ATA_IDLE;
	timer_arm(&chan->timer, timer_now(&chan->timer) + RESET_NS);
}

/* --- the data port */

/* Whether the port moves data of phase @phase for the selected drive. */
static bool data_flows(struct ata_channel *chan, enum ata_phase phase)
{
	return chan->s->phase == phase && selected(chan)->index == chan->s->active;
}

/* @bytes of the block were moved. */
static void advance_data(struct ata_channel *chan, uint32_t bytes)
{
	struct ata_channel_state *s = chan->s;
	struct ata_drive *drive = &chan->drives[s->active];
	bool in = s->phase == ATA_DATA_IN;

	s->data_pos += bytes;
	if (s->data_pos < s->block_end)
		return;
	if (!in)
		hold_interrupt(chan, chan->irq_delay_ns);
	if (s->data_pos < s->data_end) {
		begin_block(drive);
		present(chan, s->phase, true);
	} else if (in) {
		drive->kind->drained(drive);
	} else {
		drive->kind->filled(drive);
	}
	update_irq(chan);
}

uint32_t ata_channel_data_read(struct ata_channel *chan, unsigned int size)
{
	struct ata_channel_state *s = chan->s;
	uint32_t n, value = 0;

	if (!data_flows(chan, ATA_DATA_IN))
		return mask32(size * 8);
	n = (uint32_t)min_u64(size, s->block_end - s->data_pos);
	memcpy(&value, (uint8_t *)s->buffer + s->data_pos, n);
	advance_data(chan, n);
	return value;
}

void ata_channel_data_write(struct ata_channel *chan, unsigned int size, uint32_t value)
{
	struct ata_channel_state *s = chan->s;
	uint32_t n;

	if (!data_flows(chan, ATA_DATA_OUT))
		return;
	n = (uint32_t)min_u64(size, s->block_end - s->data_pos);
	memcpy((uint8_t *)s->buffer + s->data_pos, &value, n);
	advance_data(chan, n);
}

size_t ata_channel_data_read_bulk(struct ata_channel *chan, unsigned int size, void *items,
				  size_t count)
{
	struct ata_channel_state *s = chan->s;
	size_t n;

	if (!data_flows(chan, ATA_DATA_IN)) {
		memset(items, FLOATING, count * size);
		return count;
	}
	n = min_u64(count, (s->block_end - s->data_pos) / size);
	memcpy(items, (uint8_t *)s->buffer + s->data_pos, n * size);
	if (n)
		advance_data(chan, (uint32_t)(n * size));
	return n;
}

size_t ata_channel_data_write_bulk(struct ata_channel *chan, unsigned int size, const void *items,
				   size_t count)
{
	struct ata_channel_state *s = chan->s;
	size_t n;

	if (!data_flows(chan, ATA_DATA_OUT))
		return count;
	n = min_u64(count, (s->block_end - s->data_pos) / size);
	memcpy((uint8_t *)s->buffer + s->data_pos, items, n * size);
	if (n)
		advance_data(chan, (uint32_t)(n * size));
	return n;
}

/* --- resets and commands */

/* Gives every drive its signature and selects the master. */
static void reset_drives(struct ata_channel *chan, bool soft)
{
	for (unsigned int i = 0; i < ATA_DRIVES; i++) {
		struct ata_drive *drive = &chan->drives[i];
		struct ata_drive_state *s = drive->s;

		s->intrq = 0;
		if (!drive->kind)
			continue;
		s->error = DIAGNOSTIC_PASSED;
		s->status = ATA_STATUS_DRDY | ATA_STATUS_DSC;
		s->power = ATA_POWER_ACTIVE;
		drive->kind->reset(drive, soft);
	}
	chan->s->device = 0;
}

void ata_channel_control(struct ata_channel *chan, uint8_t value)
{
	struct ata_channel_state *s = chan->s;
	uint8_t rose = (uint8_t)(value & ~s->control), fell = (uint8_t)(s->control & ~value);

	if (empty(chan))
		return;
	s->control = value;
	if (rose & ATA_CONTROL_SRST) {
		abandon(chan);
		s->phase = ATA_RESET;
		s->active = ATA_BOTH;
		chan->drives[0].s->intrq = 0;
		chan->drives[1].s->intrq = 0;
	} else if ((fell & ATA_CONTROL_SRST) && s->phase == ATA_RESET) {
		reset_drives(chan, true);
		s->phase = ATA_DELAY;
		s->next = ATA_IDLE;
		timer_arm(&chan->timer, timer_now(&chan->timer) + RESET_NS);
	}
	update_irq(chan);
}

/* Both drives test themselves; drive 0 reports, whichever is selected. */
static void execute_diagnostic(struct ata_channel *chan)
{
	reset_drives(chan, true);
	chan->s->active = ATA_BOTH;
	present(chan, ATA_IDLE, true);
}

/* DEVICE RESET, of kinds that have it, is the one command that a busy drive hears. */
static bool hears(struct ata_channel *chan, uint8_t opcode)
{
	const struct ata_drive_kind *kind = selected(chan)->kind;

	if (!busy(chan))
		return true;
	return opcode == COMMAND_DEVICE_RESET && chan->s->phase != ATA_RESET && kind &&
	       kind->commands[opcode].run;
}

/*
 * A command during a data phase ends that phase: the standard leaves it open, and drives do so.
 */
static void write_command(struct ata_channel *chan, uint8_t opcode)
{
	struct ata_channel_state *s = chan->s;
	struct ata_drive *drive = selected(chan);
	const struct ata_command *command;

	if (!hears(chan, opcode)) {
		device_log(chan->dev, "ATA command %02x while busy is ignored", opcode);
		return;
	}
	if (opcode == COMMAND_EXECUTE_DIAGNOSTIC) {
		abandon(chan);
		s->command = opcode;
		hold_interrupt(chan, chan->irq_delay_ns);
		execute_diagnostic(chan);
		return;
	}
	if (!drive->kind || (drive->s->power == ATA_POWER_SLEEP && opcode != COMMAND_DEVICE_RESET))
		return;
	abandon(chan);
	s->phase = ATA_IDLE;
	s->command = opcode;
	s->active = drive->index;
	drive->s->intrq = 0;
	drive->s->error = 0;
	drive->s->status = ATA_STATUS_DRDY | ATA_STATUS_DSC;
	hold_interrupt(chan, chan->irq_delay_ns);
	command = &drive->kind->commands[opcode];
	if (command->run)
		command->run(drive);
	else
		ata_fail(drive, ATA_ERROR_ABRT, 0);
}

/* The two-deep register at @offset 1 to 5. */
static uint8_t *register_at(struct ata_drive *drive, uint32_t offset)
{
	struct ata_drive_state *s = drive->s;
	uint8_t *registers[] = { s->features, s->count, s->lba_low, s->lba_mid, s->lba_high };

	return registers[offset - ATA_FEATURES];
}

void ata_channel_write(struct ata_channel *chan, uint32_t offset, uint8_t value)
{
	struct ata_channel_state *s = chan->s;

	if (empty(chan))
		return;
	s->control &= (uint8_t)~ATA_CONTROL_HOB;
	if (offset == ATA_COMMAND) {
		write_command(chan, value);
	} else if (!busy(chan)) {
		if (offset == ATA_DEVICE)
			s->device = value;
		for (unsigned int i = 0; i < ATA_DRIVES && offset != ATA_DEVICE; i++) {
			uint8_t *pair = register_at(&chan->drives[i], offset);

			pair[ATA_PREVIOUS] = pair[ATA_CURRENT];
			pair[ATA_CURRENT] = value;
		}
	}
	update_irq(chan);
}

uint32_t ata_channel_read(struct ata_channel *chan, uint32_t offset)
{
	struct ata_drive *drive = answering(chan);
	uint32_t value;

	if (offset == ATA_STATUS) {
		value = ata_channel_alt_status(chan);
		if (!(value & ATA_STATUS_BSY)) {
			selected(chan)->s->intrq = 0;
			update_irq(chan);
		}
		return value;
	}
	if (!drive)
		return FLOATING;
	if (offset == ATA_DEVICE)
		return chan->s->device | DEVICE_FIXED_BITS;
	if (offset == ATA_ERROR)
		return drive->s->error;
	return register_at(drive,
			   offset)[chan->s->control & ATA_CONTROL_HOB ? ATA_PREVIOUS : ATA_CURRENT];
}

/* --- callbacks */

void ata_channel_expired(struct ata_channel *chan)
{
	/* BSY stays until an abandoned request has ended. */
	if (chan->s->phase == ATA_DELAY && !chan->inflight)
		arrive(chan);
	update_irq(chan);
}

void ata_channel_dma_started(struct ata_channel *chan)
{
	struct ata_drive *drive = &chan->drives[chan->s->active & 1];

	if (chan->s->phase == ATA_DMA)
		drive->kind->dma_ready(drive);
	update_irq(chan);
}

void ata_channel_dma_stopped(struct ata_channel *chan)
{
	struct ata_channel_state *s = chan->s;

	if (s->request != ATA_REQUEST_DMA)
		return;
	abandon_request(chan);
	s->phase = ATA_DELAY;
	s->next = ATA_DMA;
	s->next_intrq = 0;
}

/* --- life */

void ata_channel_init(struct ata_channel *chan, void (*expired)(struct device *dev))
{
	timer_init(&chan->timer, chan->dev->env->timers, chan->dev, &chan->s->deadline_ns, expired);
	chan->irq_delay_ns = max_u64(chan->irq_delay_ns, 1);
}

void ata_channel_fini(struct ata_channel *chan)
{
	timer_fini(&chan->timer);
}

void ata_channel_reset(struct ata_channel *chan)
{
	struct ata_channel_state *s = chan->s;

	abandon(chan);
	memset(s, 0, sizeof(*s));
	s->deadline_ns = TIMER_OFF;
	for (unsigned int i = 0; i < ATA_DRIVES; i++)
		memset(chan->drives[i].s, 0, sizeof(*chan->drives[i].s));
	reset_drives(chan, false);
	if (chan->inflight) {
		s->active = ATA_BOTH;
		s->phase = ATA_DELAY;
	}
	update_irq(chan);
}

/* Whether the block of data phase @phase lies in the buffer. */
static bool data_check(const struct ata_channel_state *s, uint8_t phase)
{
	if (phase != ATA_DATA_IN && phase != ATA_DATA_OUT)
		return true;
	return s->block_bytes && s->data_pos < s->block_end && s->block_end <= s->data_end;
}

bool ata_channel_check(const struct ata_channel_state *s)
{
	bool delay = s->phase == ATA_DELAY;

	if (delay && (s->next == ATA_REQUEST || s->next == ATA_DELAY))
		return false;
	if (!data_check(s, delay ? s->next : s->phase))
		return false;
	if ((s->phase == ATA_REQUEST) != (s->request != ATA_REQUEST_NONE))
		return false;
	if ((s->request == ATA_REQUEST_READ || s->request == ATA_REQUEST_WRITE) &&
	    (!s->request_bytes || s->request_bytes > ATA_BUFFER_BYTES))
		return false;
	return s->active != ATA_BOTH || s->phase == ATA_IDLE || s->phase == ATA_RESET ||
	       (delay && s->next == ATA_IDLE);
}

/* Gives the request that was at the backend when the state was saved to it once more. */
static void request_again(struct ata_channel *chan, struct ata_drive *drive)
{
	struct ata_channel_state *s = chan->s;
	enum ata_request request = s->request;

	if (request != ATA_REQUEST_DMA && on_medium(drive, s->request_offset, s->request_bytes)) {
		ata_request(drive, request, s->request_offset, s->request_bytes);
		return;
	}
	if (request != ATA_REQUEST_DMA) {
		/* Saved with another medium: the kind knows how that ends. */
		s->request = ATA_REQUEST_NONE;
		drive->kind->requested(drive, request, -ENXIO);
		return;
	}
	s->request = ATA_REQUEST_NONE;
	s->phase = ATA_DMA;
	if (ide_busmaster_active(chan->busmaster))
		drive->kind->dma_ready(drive);
}

void ata_channel_post_load(struct ata_channel *chan)
{
	struct ata_channel_state *s = chan->s;
	struct ata_drive *drive = &chan->drives[s->active & 1];

	assert(!chan->inflight);
	for (unsigned int i = 0; i < ATA_DRIVES; i++) {
		if (chan->drives[i].kind && chan->drives[i].kind->loaded)
			chan->drives[i].kind->loaded(&chan->drives[i]);
	}
	if (s->active != ATA_BOTH && s->phase != ATA_IDLE &&
	    (!drive->kind || !drive->kind->commands[s->command].run)) {
		/* Saved with another drive in its place. */
		s->phase = ATA_IDLE;
		s->request = ATA_REQUEST_NONE;
	}
	if (s->phase == ATA_REQUEST)
		request_again(chan, drive);
	else if (s->phase == ATA_DELAY && s->deadline_ns == TIMER_OFF)
		timer_arm(&chan->timer, timer_now(&chan->timer));
	update_irq(chan);
}
