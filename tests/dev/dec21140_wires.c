// SPDX-License-Identifier: GPL-2.0-or-later
/* What hangs on CSR9 of the 21140: serial ROM and transceiver, read as several drivers do. */
#include "tulip.h"

#include "../../devmodel/mii_phy.h"

#define CS BIT(0)
#define SK BIT(1)
#define DI BIT(2)
#define DO BIT(3)
#define SROM_READ 0x4800u
#define MDC BIT(16)
#define MDO BIT(17)
#define MDIN BIT(18)
#define MDI BIT(19)

/* --- serial ROM */

static bool rom_clock(struct tulip *t, bool bit)
{
	uint32_t base = SROM_READ | CS | (bit ? DI : 0);

	set_csr(t, 9, base);
	set_csr(t, 9, base | SK);
	return csr(t, 9) & DO;
}

/* Shifts @count bits of @value out; the last answer. */
static bool rom_send(struct tulip *t, uint32_t value, unsigned int count)
{
	bool answer = true;

	while (count--)
		answer = rom_clock(t, value >> count & 1);
	return answer;
}

static uint16_t rom_receive(struct tulip *t)
{
	uint16_t value = 0;

	for (unsigned int i = 0; i < 16; i++)
		value = (uint16_t)(value << 1 | rom_clock(t, false));
	return value;
}

static void rom_select(struct tulip *t)
{
	set_csr(t, 9, SROM_READ);
	set_csr(t, 9, SROM_READ | CS);
}

static uint16_t rom_read(struct tulip *t, unsigned int address)
{
	rom_select(t);
	cr_assert(csr(t, 9) & DO, "idle");
	for (int i = 8; i > 0; i--)
		cr_assert(rom_clock(t, (6u << 6 | address) >> i & 1), "no answer before its time");
	cr_assert_not(rom_clock(t, address & 1), "the dummy bit tells the address width");
	return rom_receive(t);
}

static void read_rom(struct tulip *t, uint8_t rom[128])
{
	for (unsigned int i = 0; i < 64; i++)
		put_le16(rom + 2 * i, rom_read(t, i));
}

Test(dec21140_wires, rom_holds_what_drivers_look_for)
{
	static const uint8_t head[48] = {
		0x00, 0x0a, 0x14, 0x21, 0,    0,    0,	  0,	0,    0,    0,	  0,
		0,    0,    0,	  0,	0x1d, 0x00, 0x03, 0x01, 0x00, 0x03, 0xff, 0x12,
		0x34, 0x56, 0x00, 0x1e, 0,    0,    0,	  0x08, 0x00, 0x01, 0x8c, 0x01,
		0,    0,    0,	  0,	0x78, 0xe0, 0x01, 0x00, 0x50, 0x00, 0x18, 0x00,
	};
	struct tulip t = tulip_new();
	uint8_t rom[128];

	read_rom(&t, rom);
	/* Little-endian words 7800h and 01E0h begin at 27h: bytes 27h to 2Eh. */
	cr_assert_eq(memcmp(rom, head, 32), 0);
	cr_assert_eq(memcmp(rom + 32, head + 32, 6), 0);
	cr_assert_eq(rom[0x10], 0x1d, "CRC-8 of the id block: %x", rom[0x10]);
	cr_assert_eq(get_le16(rom + 126), 0xaf55, "CRC-32 of all: %x", get_le16(rom + 126));
	cr_assert_eq(get_le16(rom + 126), check_sequence(rom, 126) & 0xffff);
	cr_assert_eq(get_le16(rom + 0x27), 0x7800);
	tulip_free(&t);
}

Test(dec21140_wires, rom_streams_words_and_forgets_when_deselected)
{
	struct tulip t = tulip_new();

	rom_select(&t);
	cr_assert_not(rom_send(&t, 6u << 6 | 10, 9));
	cr_assert_eq(rom_receive(&t), 0x0300);
	cr_assert_eq(rom_receive(&t), 0x12ff, "the next word without a new command");
	set_csr(&t, 9, SROM_READ);
	cr_assert(csr(&t, 9) & DO);
	cr_assert_eq(rom_read(&t, 0), 0x0a00);
	tulip_free(&t);
}

/* Linux asks with eight address bits first, and sees in the answer how many there are. */
Test(dec21140_wires, rom_lets_linux_find_the_address_width)
{
	struct tulip t = tulip_new();
	uint32_t answer = 0;
	uint32_t command = 6u << 8 | 0xff;

	rom_select(&t);
	for (int i = 10; i >= 0; i--)
		answer = answer << 1 | rom_clock(&t, command >> i & 1);
	for (unsigned int i = 0; i < 8; i++)
		answer = answer << 1 | rom_clock(&t, false);
	cr_assert_eq(answer >> 10 & 1, 0, "the dummy bit behind six bits of address: %x", answer);
	tulip_free(&t);
}

Test(dec21140_wires, rom_is_written_only_when_enabled)
{
	struct tulip t = tulip_new();

	rom_select(&t);
	rom_send(&t, 5u << 6 | 50, 9);
	rom_send(&t, 0x1234, 16);
	cr_assert_eq(rom_read(&t, 50), 0);
	rom_select(&t);
	rom_send(&t, 4u << 6 | 0x30, 9);
	rom_select(&t);
	rom_send(&t, 5u << 6 | 50, 9);
	rom_send(&t, 0x1234, 16);
	cr_assert_eq(rom_read(&t, 50), 0x1234);
	set_csr(&t, 0, 1);
	cr_assert_eq(rom_read(&t, 50), 0x1234, "a reset of the chip is not the ROM's");
	tulip_free(&t);
}

/* --- transceiver */

static void mii_out(struct tulip *t, uint32_t value, unsigned int count)
{
	while (count--) {
		uint32_t bit = value >> count & 1 ? MDO : 0;

		set_csr(t, 9, bit);
		set_csr(t, 9, bit | MDC);
	}
}

/* As Linux reads: 19 bits, each looked at before its clock. */
static uint16_t linux_read(struct tulip *t, unsigned int phy, unsigned int reg)
{
	uint32_t value = 0;

	mii_out(t, UINT32_MAX, 32);
	mii_out(t, 0xd800 | phy << 5 | reg, 16);
	for (unsigned int i = 0; i < 19; i++) {
		set_csr(t, 9, MDIN);
		value = value << 1 | !!(csr(t, 9) & MDI);
		set_csr(t, 9, MDIN | MDC);
	}
	return (uint16_t)(value >> 1);
}

/* As ReactOS reads: one turnaround clock that tells of a transceiver, each bit after its clock. */
static bool reactos_read(struct tulip *t, unsigned int phy, unsigned int reg, uint16_t *ret_value)
{
	uint16_t value = 0;
	bool absent;

	mii_out(t, UINT32_MAX, 32);
	mii_out(t, 6u << 10 | phy << 5 | reg, 14);
	set_csr(t, 9, MDIN);
	set_csr(t, 9, MDIN | MDC);
	absent = csr(t, 9) & MDI;
	for (unsigned int i = 0; i < 16; i++) {
		set_csr(t, 9, MDIN);
		set_csr(t, 9, MDIN | MDC);
		value = (uint16_t)(value << 1 | !!(csr(t, 9) & MDI));
	}
	*ret_value = value;
	return !absent;
}

static void mii_store(struct tulip *t, unsigned int phy, unsigned int reg, uint16_t value)
{
	mii_out(t, UINT32_MAX, 32);
	mii_out(t, 0x50020000 | phy << 23 | reg << 18 | value, 32);
}

/* Defect 15. */
Test(dec21140_wires, both_ways_of_reading_agree)
{
	struct tulip t = tulip_new();
	uint16_t value;

	for (unsigned int reg = 0; reg < 8; reg++) {
		uint16_t seen = linux_read(&t, 1, reg);

		cr_assert(reactos_read(&t, 1, reg, &value));
		cr_assert_eq(seen, value, "register %u: %x %x", reg, seen, value);
	}
	cr_assert_eq(linux_read(&t, 1, 1), 0x782d);
	cr_assert_eq(linux_read(&t, 1, 5), 0x45e1);
	tulip_free(&t);
}

Test(dec21140_wires, one_address_answers)
{
	struct tulip t = tulip_new();
	uint16_t value;

	for (unsigned int phy = 0; phy < 32; phy++) {
		if (phy == 1)
			continue;
		cr_assert_eq(linux_read(&t, phy, 1), 0xffff);
		cr_assert_not(reactos_read(&t, phy, 1, &value));
	}
	cr_assert_eq(linux_read(&t, 1, 2), 0x7810);
	tulip_free(&t);
}

/* Defect 2. */
Test(dec21140_wires, each_card_has_its_own_transceiver)
{
	struct tulip t = tulip_new(), u = tulip_new();

	mii_store(&t, 1, 4, 0x0021);
	cr_assert_eq(linux_read(&t, 1, 4) & 0x1e0, 0x20);
	cr_assert_eq(linux_read(&u, 1, 4), 0x01e1);
	mii_store(&t, 1, 0, 0x8000);
	cr_assert_eq(linux_read(&t, 1, 0), 0x3100, "reset clears itself");
	cr_assert_eq(linux_read(&t, 1, 4), 0x01e1);
	tulip_free(&t);
	tulip_free(&u);
}

Test(dec21140_wires, lost_link_stays_seen_until_read)
{
	struct tulip t = tulip_new();

	bench_nic_plug(t.nic, false);
	bench_nic_plug(t.nic, true);
	cr_assert_not(linux_read(&t, 1, 1) & 4, "it was down in between");
	cr_assert(linux_read(&t, 1, 1) & 4);
	bench_nic_plug(t.nic, false);
	cr_assert_eq(linux_read(&t, 1, 1) & 0x24, 0);
	cr_assert_eq(linux_read(&t, 1, 1) & 0x24, 0);
	cr_assert_eq(linux_read(&t, 1, 5), 0);
	tulip_free(&t);
}

Test(dec21140_wires, transceiver_can_loop_back)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	mii_store(&t, 1, 0, 0x4100);
	write_frame(t.b->ram + TX_BUFFERS, own_mac, own_mac, 100);
	tx_queue(&t, TX_FS | TX_LS, TX_BUFFERS, 100);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 0);
	cr_assert_eq(RX_LENGTH(rx_status(&t, 0)), 104);
	tulip_free(&t);
}
