// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both DMA controllers of a PC and their page registers: Intel 8237A data sheet, and the Intel
 * 82371AB (PIIX4) data sheet, "DMA Register Description". Port 80h of the page registers is the
 * POST code's.
 *
 * Not emulated: memory to memory, rotating priority, compressed and late timing, and the sense of
 * DREQ and DACK, none of which the PIIX4 has either (the command register keeps their bits);
 * transfers that the guest requests by software, for which no device has data (the bit is kept
 * until terminal count); distributed DMA and high page registers.
 *
 * Controller 0 has channels 0 to 3 and moves bytes; controller 1 has channels 4 to 7, moves words,
 * and its channel 4 carries controller 0: that one works only while channel 4 is let through. A
 * channel's address counts within 64 KiB (128 KiB for words) and wraps there; the page never
 * changes.
 */
#include "i8237.h"

#include <string.h>

#include "../base/bits.h"

/* Registers 0 to 7 are the address and count of channels 0 to 3. */
#define STATUS_COMMAND 0x8
#define REQUEST 0x9
#define SINGLE_MASK 0xa
#define MODE 0xb
#define CLEAR_FLIP_FLOP 0xc
#define MASTER_CLEAR 0xd
#define CLEAR_MASK 0xe
#define ALL_MASK 0xf

#define COMMAND_DISABLE BIT(2)
#define MODE_CHANNEL(m) ((m)&3u)
#define MODE_TYPE(m) ((m) >> 2 & 3u)
#define MODE_TYPE_WRITE 1u /* to memory */
#define MODE_TYPE_READ 2u
#define MODE_AUTOINIT BIT(4)
#define MODE_DECREMENT BIT(5)
#define SET_BIT BIT(2) /* REQUEST and SINGLE_MASK: set, not clear */

#define CASCADE_CHANNEL 4u
#define CONTROLLERS 2
#define PAGES 16
#define UNITS 0x10000u

struct dma_channel {
	uint16_t base_address, base_count;
	uint16_t address, count; /* count: one less than units that are left */
	uint16_t mode;		 /* without the channel's number */
};

struct i8237_state {
	struct dma_channel channels[ISA_DMA_CHANNELS];
	uint8_t pages[PAGES]; /* by port - 80h */
	/* A bit for each channel. */
	uint8_t dreq, request, mask, terminal_count;
	uint8_t command[CONTROLLERS];
	uint8_t flip_flop[CONTROLLERS];
};

struct i8237 {
	struct device dev;
	struct i8237_state s;
	struct isa_dma isa;
};

static const struct state_field channel_fields[] = {
	STATE_SUBFIELD(struct dma_channel, base_address),
	STATE_SUBFIELD(struct dma_channel, base_count),
	STATE_SUBFIELD(struct dma_channel, address),
	STATE_SUBFIELD(struct dma_channel, count),
	STATE_SUBFIELD(struct dma_channel, mode, .max = 0xfc),
	STATE_END,
};

static const struct state_field i8237_fields[] = {
	STATE_STRUCTS(struct i8237, channels, channel_fields),
	STATE_ARRAY(struct i8237, pages),
	STATE_FIELD(struct i8237, dreq),
	STATE_FIELD(struct i8237, request),
	STATE_FIELD(struct i8237, mask),
	STATE_FIELD(struct i8237, terminal_count),
	STATE_ARRAY(struct i8237, command),
	STATE_ARRAY(struct i8237, flip_flop, .max = 1),
	STATE_END,
};

/* --- channels */

static bool lets_through(const struct i8237_state *s, unsigned int channel)
{
	return !(s->mask & BIT(channel)) && !(s->command[channel / 4] & COMMAND_DISABLE);
}

static bool channel_ready(const struct i8237_state *s, unsigned int channel)
{
	if (!(s->dreq & BIT(channel)) || !lets_through(s, channel) || channel == CASCADE_CHANNEL)
		return false;
	return channel > CASCADE_CHANNEL || lets_through(s, CASCADE_CHANNEL);
}

static uint64_t channel_gpa(const struct i8237_state *s, unsigned int channel)
{
	static const uint8_t page_of[ISA_DMA_CHANNELS] = { 0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa };
	uint32_t page = s->pages[page_of[channel]];
	uint32_t address = s->channels[channel].address;

	if (channel < CASCADE_CHANNEL)
		return page << 16 | address;
	return (page & 0xfeu) << 16 | address << 1;
}

/* Whole units that one copy can take: to terminal count or the end of the page. */
static uint32_t units_in_one(const struct dma_channel *chan, size_t units)
{
	uint32_t left = chan->count + 1u, to_wrap = UNITS - chan->address;

	/* Downwards the bytes of memory run against those of the device: one by one. */
	if (chan->mode & MODE_DECREMENT)
		to_wrap = 1;
	if (left > to_wrap)
		left = to_wrap;
	return units < left ? (uint32_t)units : left;
}

static void copy_units(struct i8237 *chip, unsigned int channel, enum isa_dma_direction direction,
		       uint8_t *data, size_t size)
{
	unsigned int type = MODE_TYPE(chip->s.channels[channel].mode);
	uint64_t gpa = channel_gpa(&chip->s, channel);

	/* Where no memory is, writes are lost and the bus floats high. */
	if (direction == ISA_DMA_TO_MEMORY && type == MODE_TYPE_WRITE)
		dma_write(chip->dev.env->dma, gpa, data, size);
	else if (direction == ISA_DMA_FROM_MEMORY &&
		 (type != MODE_TYPE_READ || dma_read(chip->dev.env->dma, gpa, data, size)))
		memset(data, 0xff, size);
}

/* Counts @units done; true at terminal count. */
static bool count_units(struct i8237_state *s, unsigned int channel, uint32_t units)
{
	struct dma_channel *chan = &s->channels[channel];
	bool terminal = units == chan->count + 1u;

	if (chan->mode & MODE_DECREMENT)
		chan->address = (uint16_t)(chan->address - units);
	else
		chan->address = (uint16_t)(chan->address + units);
	chan->count = (uint16_t)(chan->count - units);
	if (!terminal)
		return false;
	s->terminal_count |= (uint8_t)BIT(channel);
	s->request &= (uint8_t)~BIT(channel);
	if (chan->mode & MODE_AUTOINIT) {
		chan->address = chan->base_address;
		chan->count = chan->base_count;
	} else {
		s->mask |= (uint8_t)BIT(channel);
	}
	return true;
}

static struct i8237 *chip_of(struct isa_dma *isa)
{
	return container_of(isa, struct i8237, isa);
}

static void chip_request(struct isa_dma *isa, unsigned int channel, bool level)
{
	struct i8237_state *s = &chip_of(isa)->s;

	s->dreq = (uint8_t)blend32(s->dreq, BIT(channel), level ? UINT32_MAX : 0);
}

static bool chip_is_ready(struct isa_dma *isa, unsigned int channel)
{
	return channel_ready(&chip_of(isa)->s, channel);
}

static size_t chip_transfer(struct isa_dma *isa, unsigned int channel,
			    enum isa_dma_direction direction, void *data, size_t size,
			    bool *ret_terminal_count)
{
	struct i8237 *chip = chip_of(isa);
	unsigned int shift = channel < CASCADE_CHANNEL ? 0 : 1;
	size_t done = 0;
	bool terminal = false;

	while (!terminal && (size - done) >> shift && channel_ready(&chip->s, channel)) {
		uint32_t units = units_in_one(&chip->s.channels[channel], (size - done) >> shift);

		copy_units(chip, channel, direction, (uint8_t *)data + done,
			   (size_t)units << shift);
		done += (size_t)units << shift;
		terminal = count_units(&chip->s, channel, units);
	}
	*ret_terminal_count = terminal;
	return done;
}

static const struct isa_dma_ops chip_ops = { chip_request, chip_is_ready, chip_transfer };

/* Lets go on who waited for the guest's programming. */
static void notify_ready(struct i8237 *chip, uint8_t ready_before)
{
	for (unsigned int i = 0; i < ISA_DMA_CHANNELS; i++) {
		struct device *user = chip->isa.users[i].dev;

		if (user && !(ready_before & BIT(i)) && channel_ready(&chip->s, i))
			chip->isa.users[i].ready(user);
	}
}

static uint8_t ready_channels(const struct i8237_state *s)
{
	uint8_t ready = 0;

	for (unsigned int i = 0; i < ISA_DMA_CHANNELS; i++)
		ready |= (uint8_t)(channel_ready(s, i) ? BIT(i) : 0);
	return ready;
}

/* --- registers of one controller, numbered as in the data sheet */

static uint8_t read_counter(struct i8237_state *s, unsigned int n, unsigned int reg)
{
	const struct dma_channel *chan = &s->channels[n * 4 + reg / 2];
	unsigned int value = reg & 1 ? chan->count : chan->address;

	s->flip_flop[n] ^= 1;
	return (uint8_t)(s->flip_flop[n] ? value : value >> 8);
}

/* Both bytes go to the base and the current register. */
static void write_counter(struct i8237_state *s, unsigned int n, unsigned int reg, uint8_t value)
{
	struct dma_channel *chan = &s->channels[n * 4 + reg / 2];
	uint16_t *base = reg & 1 ? &chan->base_count : &chan->base_address;
	uint32_t mask = s->flip_flop[n] ? 0xff00 : 0x00ff;

	*base = (uint16_t)blend32(*base, mask, value * 0x101u);
	if (reg & 1)
		chan->count = (uint16_t)blend32(chan->count, mask, value * 0x101u);
	else
		chan->address = (uint16_t)blend32(chan->address, mask, value * 0x101u);
	s->flip_flop[n] ^= 1;
}

static uint8_t controller_read(struct i8237_state *s, unsigned int n, unsigned int reg)
{
	unsigned int shift = n * 4;
	uint8_t value;

	if (reg < STATUS_COMMAND)
		return read_counter(s, n, reg);
	switch (reg) {
	case STATUS_COMMAND:
		value = (uint8_t)((s->terminal_count >> shift & 15) |
				  ((s->dreq | s->request) >> shift & 15) << 4);
		s->terminal_count &= (uint8_t) ~(15u << shift);
		return value;
	case ALL_MASK:
		return (uint8_t)(0xf0 | (s->mask >> shift & 15));
	case MASTER_CLEAR: /* the temporary register, of memory to memory transfers */
		return 0;
	default:
		return 0xff;
	}
}

static void write_bit(uint8_t *bits, unsigned int shift, uint8_t value)
{
	uint32_t bit = BIT(shift + (value & 3u));

	*bits = (uint8_t)blend32(*bits, bit, value & SET_BIT ? UINT32_MAX : 0);
}

static void master_clear(struct i8237_state *s, unsigned int n)
{
	uint8_t channels = (uint8_t)(15u << n * 4);

	s->command[n] = 0;
	s->flip_flop[n] = 0;
	s->request &= (uint8_t)~channels;
	s->terminal_count &= (uint8_t)~channels;
	s->mask |= channels;
}

static void controller_write(struct i8237_state *s, unsigned int n, unsigned int reg, uint8_t value)
{
	unsigned int shift = n * 4;
	uint32_t channels = 15u << shift;

	switch (reg) {
	case STATUS_COMMAND:
		s->command[n] = value;
		break;
	case REQUEST:
		write_bit(&s->request, shift, value);
		break;
	case SINGLE_MASK:
		write_bit(&s->mask, shift, value);
		break;
	case MODE:
		s->channels[shift + MODE_CHANNEL(value)].mode = value & (uint8_t)~3u;
		break;
	case CLEAR_FLIP_FLOP:
		s->flip_flop[n] = 0;
		break;
	case MASTER_CLEAR:
		master_clear(s, n);
		break;
	case CLEAR_MASK:
		s->mask &= (uint8_t)~channels;
		break;
	case ALL_MASK:
		s->mask = (uint8_t)blend32(s->mask, channels, (uint32_t)value << shift);
		break;
	default:
		write_counter(s, n, reg, value);
	}
}

/* --- ports: controller 0 at every port, controller 1 at every second one */

static uint32_t read_ports(struct device *dev, unsigned int n, uint32_t offset, unsigned int size)
{
	struct i8237 *chip = container_of(dev, struct i8237, dev);
	uint32_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint32_t)controller_read(&chip->s, n, (offset + i) >> n) << (8 * i);
	return value;
}

static void write_ports(struct device *dev, unsigned int n, uint32_t offset, unsigned int size,
			uint32_t value)
{
	struct i8237 *chip = container_of(dev, struct i8237, dev);
	uint8_t ready_before = ready_channels(&chip->s);

	for (unsigned int i = 0; i < size; i++, value >>= 8)
		controller_write(&chip->s, n, (offset + i) >> n, (uint8_t)value);
	notify_ready(chip, ready_before);
}

static uint32_t low_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return read_ports(dev, 0, offset, size);
}

static void low_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	write_ports(dev, 0, offset, size, value);
}

static uint32_t high_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return read_ports(dev, 1, offset, size);
}

static void high_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	write_ports(dev, 1, offset, size, value);
}

#define PAGE(n, nam) REG(struct i8237, s.pages[n], (n)-1, 1, nam, 0, 0xff)

static const struct reg page_regs[] = {
	PAGE(0x1, "Channel 2 Page"), PAGE(0x2, "Channel 3 Page"), PAGE(0x3, "Channel 1 Page"),
	PAGE(0x4, "Reserved 84h"),   PAGE(0x5, "Reserved 85h"),	  PAGE(0x6, "Reserved 86h"),
	PAGE(0x7, "Channel 0 Page"), PAGE(0x8, "Reserved 88h"),	  PAGE(0x9, "Channel 6 Page"),
	PAGE(0xa, "Channel 7 Page"), PAGE(0xb, "Channel 5 Page"), PAGE(0xc, "Reserved 8Ch"),
	PAGE(0xd, "Reserved 8Dh"),   PAGE(0xe, "Reserved 8Eh"),	  PAGE(0xf, "Refresh Page"),
};

static const struct reg_bank page_bank = {
	.name = "dma-page",
	.regs = page_regs,
	.count = ARRAY_LEN(page_regs),
	.size = PAGES - 1,
	.open = 0xff,
};

static uint32_t page_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&page_bank, dev, offset, size);
}

static void page_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&page_bank, dev, offset, size, value);
}

struct isa_dma *i8237_isa_dma(struct device *dev)
{
	return &container_of(dev, struct i8237, dev)->isa;
}

/* --- life */

static int i8237_init(struct device *dev, const void *config)
{
	(void)config;
	container_of(dev, struct i8237, dev)->isa.ops = &chip_ops;
	return 0;
}

static void i8237_reset(struct device *dev, enum reset_kind kind)
{
	struct i8237 *chip = container_of(dev, struct i8237, dev);
	uint8_t dreq = chip->s.dreq;

	(void)kind;
	memset(&chip->s, 0, sizeof(chip->s));
	reg_bank_reset(&page_bank, dev);
	/* The devices' own resets lower their requests. */
	chip->s.dreq = dreq;
	for (unsigned int n = 0; n < CONTROLLERS; n++)
		master_clear(&chip->s, n);
}

static const struct io_region_desc i8237_regions[] = {
	{
		.name = "dma-low",
		.space = IO_PORT,
		.base = 0x00,
		.length = 16,
		.read = low_read,
		.write = low_write,
	},
	{
		.name = "dma-page",
		.space = IO_PORT,
		.base = 0x81,
		.length = PAGES - 1,
		.read = page_read,
		.write = page_write,
	},
	{
		.name = "dma-high",
		.space = IO_PORT,
		.base = 0xc0,
		.length = 32,
		.read = high_read,
		.write = high_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const i8237_banks[] = { &page_bank, NULL };

const struct device_class i8237_class = {
	.name = "i8237",
	.summary = "two ISA DMA controllers with page registers",
	DEVICE_STATE(struct i8237),
	.regions = i8237_regions,
	.banks = i8237_banks,
	.fields = i8237_fields,
	.init = i8237_init,
	.reset = i8237_reset,
};
