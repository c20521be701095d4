// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI tables.
 *
 * Source: Advanced Configuration and Power Interface Specification 1.0b, chapter 5. The form of 1.0
 * is what Windows 98 to 2003 know; later systems read it as well. Addresses are those where the
 * firmware puts the PIIX4's power management registers once it sees a table loader script: PMBASE
 * is 600h.
 *
 * One file holds all tables; pointers in it are offsets until the firmware adds its address.
 * Checksums of tables without pointers are right from the start.
 */
#include "acpi.h"

#include <assert.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/cursor.h"
#include "board_irqs.h"
#include "dsdt_aml.h" /* generated from acpi/dsdt.asl */
#include "table_loader.h"

#define HEADER_LENGTH 4
#define HEADER_CHECKSUM 9
#define HEADER_BYTES 36

#define FACS_BYTES 64 /* and its alignment */

/* FADT */
#define FADT_FIRMWARE_CTRL 36
#define FADT_DSDT 40
#define FADT_BYTES 116

#define PMBASE 0x600
#define SMI_CMD 0xb2 /* APMC */
#define ACPI_ENABLE 0xf1
#define ACPI_DISABLE 0xf0
#define C2_C3_ABSENT 0xfff
#define CMOS_CENTURY 0x32

#define FADT_WBINVD BIT(0)
#define FADT_PROC_C1 BIT(2)
#define FADT_SLP_BUTTON BIT(5) /* none as a fixed feature; the power button is one */
#define FADT_FIX_RTC BIT(6)    /* RTC wake is none either */

/* RSDP */
#define RSDP_CHECKSUM 8
#define RSDP_RSDT 16

/* MADT: flags of an interrupt override, as in the MP specification. */
#define INTI_LOW_LEVEL 0x000f

#define OEM_ID "MNSTAY"
#define OEM_TABLE_ID "MS440BX "
#define CREATOR_ID "MNST"

uint32_t acpi_pci_window(uint64_t below_4g)
{
	if (below_4g <= GIB(2))
		return 0x80000000;
	if (below_4g <= GIB(3))
		return 0xc0000000;
	return 0xe0000000;
}

static uint8_t sum(const uint8_t *bytes, size_t count)
{
	uint8_t total = 0;

	while (count--)
		total = (uint8_t)(total + *bytes++);
	return total;
}

static size_t begin_table(struct cursor *c, const char *signature, uint8_t revision)
{
	size_t start = c->pos;

	cursor_put_bytes(c, signature, 4);
	cursor_put_le32(c, 0); /* length and checksum: end_table() */
	cursor_put_u8(c, revision);
	cursor_put_u8(c, 0);
	cursor_put_bytes(c, OEM_ID, 6);
	cursor_put_bytes(c, OEM_TABLE_ID, 8);
	cursor_put_le32(c, 1);
	cursor_put_bytes(c, CREATOR_ID, 4);
	cursor_put_le32(c, 1);
	return start;
}

static void end_table(struct cursor *c, size_t start)
{
	uint8_t *table = c->data + start;
	size_t length = c->pos - start;

	assert(cursor_ok(c));
	put_le32(table + HEADER_LENGTH, (uint32_t)length);
	table[HEADER_CHECKSUM] = (uint8_t)-sum(table, length);
	/* The next table on a dword. */
	cursor_put_zeros(c, round_up(c->pos, 4) - c->pos);
}

static void put_facs(struct cursor *c)
{
	cursor_put_bytes(c, "FACS", 4);
	cursor_put_le32(c, FACS_BYTES);
	cursor_put_zeros(c, FACS_BYTES - 8);
}

/* The compiled DSDT with Name (PMLO, ...) set: 08, the name, 0C, a dword. */
static size_t put_dsdt(struct cursor *c, uint32_t pci_window)
{
	static const uint8_t pattern[] = { 0x08, 'P', 'M', 'L', 'O', 0x0c };
	size_t start = c->pos;
	uint8_t *table = c->data + start, *at;

	cursor_put_bytes(c, dsdt_aml, sizeof(dsdt_aml));
	assert(cursor_ok(c));
	at = memmem(table, sizeof(dsdt_aml), pattern, sizeof(pattern));
	assert(at);
	put_le32(at + sizeof(pattern), pci_window);
	table[HEADER_CHECKSUM] = 0;
	end_table(c, start);
	return start;
}

static size_t put_fadt(struct cursor *c, bool apic, size_t facs, size_t dsdt)
{
	size_t start = begin_table(c, "FACP", 1);

	cursor_put_le32(c, (uint32_t)facs);
	cursor_put_le32(c, (uint32_t)dsdt);
	cursor_put_u8(c, apic ? 1 : 0); /* interrupt model */
	cursor_put_u8(c, 0);
	cursor_put_le16(c, BOARD_SCI_IRQ);
	cursor_put_le32(c, SMI_CMD);
	cursor_put_u8(c, ACPI_ENABLE);
	cursor_put_u8(c, ACPI_DISABLE);
	cursor_put_u8(c, 0); /* S4BIOS_REQ: none */
	cursor_put_u8(c, 0);
	cursor_put_le32(c, PMBASE + 0x00); /* PM1a_EVT: PMSTS, PMEN */
	cursor_put_le32(c, 0);
	cursor_put_le32(c, PMBASE + 0x04); /* PM1a_CNT: PMCNTRL */
	cursor_put_le32(c, 0);
	cursor_put_le32(c, 0);		   /* PM2_CNT */
	cursor_put_le32(c, PMBASE + 0x08); /* PM_TMR */
	cursor_put_le32(c, PMBASE + 0x0c); /* GPE0: GPSTS, GPEN */
	cursor_put_le32(c, 0);
	cursor_put_u8(c, 4); /* PM1_EVT_LEN */
	cursor_put_u8(c, 2); /* PM1_CNT_LEN */
	cursor_put_u8(c, 0); /* PM2_CNT_LEN */
	cursor_put_u8(c, 4); /* PM_TM_LEN */
	cursor_put_u8(c, 4); /* GPE0_BLK_LEN */
	cursor_put_u8(c, 0);
	cursor_put_u8(c, 0);
	cursor_put_u8(c, 0);
	cursor_put_le16(c, C2_C3_ABSENT);
	cursor_put_le16(c, C2_C3_ABSENT);
	cursor_put_le32(c, 0); /* FLUSH_SIZE, FLUSH_STRIDE */
	cursor_put_le16(c, 0); /* no duty cycle */
	cursor_put_le16(c, 0); /* DAY_ALRM, MON_ALRM */
	cursor_put_u8(c, CMOS_CENTURY);
	cursor_put_zeros(c, 3);
	cursor_put_le32(c, FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC);
	end_table(c, start);
	return start;
}

/* The length counts its own bytes: one for up to 63, two for up to 4095. */
static void put_package_length(struct cursor *c, size_t content)
{
	if (content + 1 <= 0x3f) {
		cursor_put_u8(c, (uint8_t)(content + 1));
		return;
	}
	assert(content + 2 <= 0xfff);
	cursor_put_u8(c, (uint8_t)(0x40 | ((content + 2) & 0xf)));
	cursor_put_u8(c, (uint8_t)((content + 2) >> 4));
}

/* Scope (\_PR) { Processor (CPU0, 0, 0, 0) {} ... } */
static size_t put_ssdt(struct cursor *c, unsigned int cpus)
{
	static const uint8_t scope[] = { '\\', '_', 'P', 'R', '_' };
	const size_t processor_bytes = 13;
	size_t start = begin_table(c, "SSDT", 1);

	cursor_put_u8(c, 0x10);
	put_package_length(c, sizeof(scope) + cpus * processor_bytes);
	cursor_put_bytes(c, scope, sizeof(scope));
	for (unsigned int i = 0; i < cpus; i++) {
		const uint8_t name[] = { 'C', 'P', 'U', (uint8_t)('0' + i) };

		cursor_put_u8(c, 0x5b);
		cursor_put_u8(c, 0x83);
		cursor_put_u8(c, (uint8_t)(processor_bytes - 2));
		cursor_put_bytes(c, name, sizeof(name));
		cursor_put_u8(c, (uint8_t)i); /* as in the MADT */
		cursor_put_le32(c, 0);	      /* no P_BLK */
		cursor_put_u8(c, 0);
	}
	end_table(c, start);
	return start;
}

static void put_override(struct cursor *c, uint8_t irq, uint32_t pin, uint16_t flags)
{
	cursor_put_u8(c, 2);
	cursor_put_u8(c, 10);
	cursor_put_u8(c, 0); /* ISA */
	cursor_put_u8(c, irq);
	cursor_put_le32(c, pin);
	cursor_put_le16(c, flags);
}

static size_t put_madt(struct cursor *c, unsigned int cpus)
{
	size_t start = begin_table(c, "APIC", 1);

	cursor_put_le32(c, BOARD_LAPIC_ADDRESS);
	cursor_put_le32(c, 1); /* PCAT_COMPAT: two 8259 are there as well */
	for (unsigned int i = 0; i < cpus; i++) {
		cursor_put_u8(c, 0);
		cursor_put_u8(c, 8);
		cursor_put_u8(c, (uint8_t)i);
		cursor_put_u8(c, (uint8_t)i); /* APIC id */
		cursor_put_le32(c, 1);
	}
	cursor_put_u8(c, 1);
	cursor_put_u8(c, 12);
	cursor_put_u8(c, BOARD_IOAPIC_ID);
	cursor_put_u8(c, 0);
	cursor_put_le32(c, BOARD_IOAPIC_ADDRESS);
	cursor_put_le32(c, 0);
	put_override(c, 0, BOARD_IRQ0_PIN, 0);
	put_override(c, BOARD_SCI_IRQ, BOARD_SCI_IRQ, INTI_LOW_LEVEL);
	/* NMI is LINT1 of all processors. */
	cursor_put_u8(c, 4);
	cursor_put_u8(c, 6);
	cursor_put_u8(c, 0xff);
	cursor_put_le16(c, 0);
	cursor_put_u8(c, 1);
	end_table(c, start);
	return start;
}

static size_t put_rsdt(struct cursor *c, const size_t *tables, size_t count)
{
	size_t start = begin_table(c, "RSDT", 1);

	for (size_t i = 0; i < count; i++)
		cursor_put_le32(c, (uint32_t)tables[i]);
	end_table(c, start);
	return start;
}

static void put_rsdp(uint8_t rsdp[ACPI_RSDP_BYTES], size_t rsdt)
{
	struct cursor c = cursor_writer(rsdp, ACPI_RSDP_BYTES);

	cursor_put_bytes(&c, "RSD PTR ", 8);
	cursor_put_u8(&c, 0);
	cursor_put_bytes(&c, OEM_ID, 6);
	cursor_put_u8(&c, 0); /* revision 1.0 */
	cursor_put_le32(&c, (uint32_t)rsdt);
	assert(cursor_ok(&c) && cursor_left(&c) == 0);
}

/* The pointers of the table at @start, then its checksum. */
static void relocate(struct table_loader *loader, const uint8_t *tables, size_t start, size_t first,
		     size_t count)
{
	for (size_t i = 0; i < count; i++)
		table_loader_pointer(loader, ACPI_TABLES_FILE, ACPI_TABLES_FILE,
				     (uint32_t)(start + first + 4 * i), 4);
	table_loader_checksum(loader, ACPI_TABLES_FILE, (uint32_t)start + HEADER_CHECKSUM,
			      (uint32_t)start, get_le32(tables + start + HEADER_LENGTH));
}

void acpi_build(const struct acpi_input *input, struct acpi_tables *ret_tables,
		struct table_loader *loader)
{
	struct cursor c = cursor_writer(ret_tables->tables, sizeof(ret_tables->tables));
	size_t tables[3], count = 0, dsdt, fadt, rsdt;

	put_facs(&c); /* first: it wants the alignment */
	dsdt = put_dsdt(&c, acpi_pci_window(input->below_4g));
	fadt = put_fadt(&c, input->apic, 0, dsdt);
	tables[count++] = fadt;
	tables[count++] = put_ssdt(&c, input->cpus);
	if (input->apic)
		tables[count++] = put_madt(&c, input->cpus);
	rsdt = put_rsdt(&c, tables, count);
	assert(cursor_ok(&c));
	ret_tables->tables_bytes = c.pos;
	put_rsdp(ret_tables->rsdp, rsdt);

	table_loader_allocate(loader, ACPI_TABLES_FILE, FACS_BYTES, TABLE_LOADER_HIGH);
	table_loader_allocate(loader, ACPI_RSDP_FILE, 16, TABLE_LOADER_F_SEGMENT);
	relocate(loader, ret_tables->tables, fadt, FADT_FIRMWARE_CTRL, 2);
	relocate(loader, ret_tables->tables, rsdt, HEADER_BYTES, count);
	table_loader_pointer(loader, ACPI_RSDP_FILE, ACPI_TABLES_FILE, RSDP_RSDT, 4);
	table_loader_checksum(loader, ACPI_RSDP_FILE, RSDP_CHECKSUM, 0, ACPI_RSDP_BYTES);
}
