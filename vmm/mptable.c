// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt routing for systems without ACPI.
 *
 * Sources: Intel MultiProcessor Specification 1.4, chapter 4; Microsoft's PCI IRQ Routing Table
 * Specification 1.0. The firmware would make both by itself, an MP table even for one processor,
 * from which Windows NT 4.0 Setup takes a HAL that never halts. So it is told of more processors
 * than it makes tables for (see firmware.c), and these are loaded into the F-segment, where systems
 * look for them.
 */
#include "mptable.h"

#include <assert.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/cursor.h"
#include "board_irqs.h"
#include "table_loader.h"

/* --- $PIR */

#define PIR_CHECKSUM 31
#define PIR_SLOTS (BOARD_PCI_SLOT_LAST - BOARD_PCI_SLOT_FIRST + 1)

/* Interrupts that a PIRQ line may be led to: those that no device of the board owns. */
#define PIRQ_CHOICES (BIT(5) | BIT(9) | BIT(10) | BIT(11))

_Static_assert(PIR_BYTES == 32 + PIR_SLOTS * 16, "a header and the slots");

static uint8_t sum(const uint8_t *bytes, size_t count)
{
	uint8_t total = 0;

	while (count--)
		total = (uint8_t)(total + *bytes++);
	return total;
}

void pir_build(uint8_t ret_pir[PIR_BYTES], struct table_loader *loader)
{
	struct cursor c = cursor_writer(ret_pir, PIR_BYTES);

	cursor_put_bytes(&c, "$PIR", 4);
	cursor_put_le16(&c, 0x0100);
	cursor_put_le16(&c, PIR_BYTES);
	cursor_put_u8(&c, 0); /* the router's bus */
	cursor_put_u8(&c, BOARD_PIIX4_DEVFN);
	cursor_put_le16(&c, 0);		 /* interrupts for PCI alone */
	cursor_put_le32(&c, 0x122e8086); /* compatible router: the first PIIX */
	cursor_put_zeros(&c, 4 + 11 + 1);
	for (unsigned int slot = BOARD_PCI_SLOT_FIRST; slot <= BOARD_PCI_SLOT_LAST; slot++) {
		cursor_put_u8(&c, 0);
		cursor_put_u8(&c, (uint8_t)(slot << 3));
		for (unsigned int pin = 0; pin < BOARD_PCI_PINS; pin++) {
			cursor_put_u8(&c, (uint8_t)(BOARD_PIRQRC + board_pirq(slot, pin)));
			cursor_put_le16(&c, PIRQ_CHOICES);
		}
		/* Slot numbers as printed on the board; 0: soldered. */
		cursor_put_u8(&c, (uint8_t)(slot - BOARD_PCI_SLOT_FIRST));
		cursor_put_u8(&c, 0);
	}
	assert(cursor_ok(&c) && cursor_left(&c) == 0);
	ret_pir[PIR_CHECKSUM] = (uint8_t)-sum(ret_pir, PIR_BYTES);
	table_loader_allocate(loader, PIR_FILE, 16, TABLE_LOADER_F_SEGMENT);
}

/* --- MP table */

#define FLOATING_ADDRESS 4
#define FLOATING_CHECKSUM 10
#define FLOATING_BYTES 16

/* From the start of the configuration table. */
#define CONFIG_LENGTH 4
#define CONFIG_CHECKSUM 7
#define CONFIG_COUNT 34

enum { MP_PROCESSOR, MP_BUS, MP_IOAPIC, MP_IO_INTERRUPT, MP_LOCAL_INTERRUPT };
enum { MP_INT, MP_NMI, MP_SMI, MP_EXTINT };

#define MP_CPU_ENABLED BIT(0)
#define MP_CPU_BOOT BIT(1)
#define MP_CONFORMS 0x0
#define MP_LOW_LEVEL 0xf
#define MP_ALL_APICS 0xff

#define PCI_BUS 0
#define ISA_BUS 1

#define LAPIC_VERSION 0x14 /* KVM's */
#define IOAPIC_VERSION 0x11

/* ISA interrupts with a pin of their own; 2 is the cascade, 10 and 11 are PCI's. */
#define ISA_IRQS 0xf3fb

static void put_processors(struct cursor *c, unsigned int cpus, uint32_t signature,
			   uint32_t features)
{
	for (unsigned int i = 0; i < cpus; i++) {
		cursor_put_u8(c, MP_PROCESSOR);
		cursor_put_u8(c, (uint8_t)i);
		cursor_put_u8(c, LAPIC_VERSION);
		cursor_put_u8(c, (uint8_t)(MP_CPU_ENABLED | (i == 0 ? MP_CPU_BOOT : 0)));
		cursor_put_le32(c, signature);
		cursor_put_le32(c, features);
		cursor_put_zeros(c, 8);
	}
}

static void put_bus(struct cursor *c, uint8_t id, const char *type)
{
	cursor_put_u8(c, MP_BUS);
	cursor_put_u8(c, id);
	cursor_put_bytes(c, type, 6);
}

static void put_ioapic(struct cursor *c)
{
	cursor_put_u8(c, MP_IOAPIC);
	cursor_put_u8(c, BOARD_IOAPIC_ID);
	cursor_put_u8(c, IOAPIC_VERSION);
	cursor_put_u8(c, 1);
	cursor_put_le32(c, BOARD_IOAPIC_ADDRESS);
}

static void put_interrupt(struct cursor *c, uint8_t entry, uint8_t type, uint16_t flags,
			  uint8_t bus, uint8_t irq, uint8_t apic, uint8_t pin)
{
	cursor_put_u8(c, entry);
	cursor_put_u8(c, type);
	cursor_put_le16(c, flags);
	cursor_put_u8(c, bus);
	cursor_put_u8(c, irq);
	cursor_put_u8(c, apic);
	cursor_put_u8(c, pin);
}

static unsigned int put_interrupts(struct cursor *c)
{
	unsigned int count = 0;

	for (unsigned int slot = BOARD_PCI_SLOT_FIRST; slot <= BOARD_PCI_SLOT_LAST; slot++) {
		for (unsigned int pin = 0; pin < BOARD_PCI_PINS; pin++) {
			put_interrupt(c, MP_IO_INTERRUPT, MP_INT, MP_LOW_LEVEL, PCI_BUS,
				      (uint8_t)(slot << 2 | pin), BOARD_IOAPIC_ID,
				      board_pirq_irq(board_pirq(slot, pin)));
			count++;
		}
	}
	for (uint8_t irq = 0; irq < 16; irq++) {
		if (!(ISA_IRQS & BIT(irq)))
			continue;
		put_interrupt(c, MP_IO_INTERRUPT, MP_INT, MP_CONFORMS, ISA_BUS, irq,
			      BOARD_IOAPIC_ID, irq == 0 ? BOARD_IRQ0_PIN : irq);
		count++;
	}
	/* Virtual wire: the 8259's output is LINT0 of the first processor. */
	put_interrupt(c, MP_LOCAL_INTERRUPT, MP_EXTINT, MP_CONFORMS, ISA_BUS, 0, 0, 0);
	put_interrupt(c, MP_LOCAL_INTERRUPT, MP_NMI, MP_CONFORMS, ISA_BUS, 0, MP_ALL_APICS, 1);
	return count + 2;
}

size_t mptable_build(unsigned int cpus, uint32_t signature, uint32_t features,
		     uint8_t ret_table[MPTABLE_BYTES_MAX], struct table_loader *loader)
{
	struct cursor c = cursor_writer(ret_table, MPTABLE_BYTES_MAX);
	uint8_t *config = ret_table + FLOATING_BYTES;
	unsigned int entries;
	size_t length;

	cursor_put_bytes(&c, "_MP_", 4);
	cursor_put_le32(&c, FLOATING_BYTES); /* the firmware adds its address */
	cursor_put_u8(&c, FLOATING_BYTES / 16);
	cursor_put_u8(&c, 4);
	cursor_put_zeros(&c, 6); /* no default configuration, no IMCR */

	cursor_put_bytes(&c, "PCMP", 4);
	cursor_put_le16(&c, 0);
	cursor_put_u8(&c, 4);
	cursor_put_u8(&c, 0);
	cursor_put_bytes(&c, "MAINSTAY", 8);
	cursor_put_bytes(&c, "440BX       ", 12);
	cursor_put_zeros(&c, 8); /* no OEM table, count: below */
	cursor_put_le32(&c, BOARD_LAPIC_ADDRESS);
	cursor_put_zeros(&c, 4); /* no extended table */

	put_processors(&c, cpus, signature, features);
	put_bus(&c, PCI_BUS, "PCI   ");
	put_bus(&c, ISA_BUS, "ISA   ");
	put_ioapic(&c);
	entries = cpus + 3 + put_interrupts(&c);
	assert(cursor_ok(&c));

	length = c.pos - FLOATING_BYTES;
	put_le16(config + CONFIG_LENGTH, (uint16_t)length);
	put_le16(config + CONFIG_COUNT, (uint16_t)entries);
	config[CONFIG_CHECKSUM] = (uint8_t)-sum(config, length);

	table_loader_allocate(loader, MPTABLE_FILE, 16, TABLE_LOADER_F_SEGMENT);
	table_loader_pointer(loader, MPTABLE_FILE, MPTABLE_FILE, FLOATING_ADDRESS, 4);
	table_loader_checksum(loader, MPTABLE_FILE, FLOATING_CHECKSUM, 0, FLOATING_BYTES);
	return c.pos;
}
