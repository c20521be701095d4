// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SMBIOS structures.
 *
 * Source: System Management BIOS Reference Specification 2.3.1 (DSP0134's ancestor), chapter 3.
 * Version 2.3 is of the board's age; its uuid is sixteen bytes in network order. The BIOS date is
 * that of the firmware's own stamp at F000:FFF5: systems that want ACPI only from BIOSes of 1999 on
 * look at either.
 */
#include "smbios.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/cursor.h"
#include "config.h"
#include "cpuid.h"

#define VENDOR "Mainstay"
#define BOARD_NAME "440BX"
#define BIOS_DATE "06/23/1999"

#define ANCHOR_LENGTH 5
#define HEADER_LENGTH 1

enum {
	BIOS = 0,
	SYSTEM = 1,
	BASEBOARD = 2,
	CHASSIS = 3,
	PROCESSOR = 4,
	MEMORY_ARRAY = 16,
	MEMORY_DEVICE = 17,
	MEMORY_ARRAY_ADDRESS = 19,
	BOOT_INFORMATION = 32,
	END = 127,
};

/* Handles: the type in the high byte, the instance in the low one. */
#define HANDLE(type, instance) ((uint16_t)((type) << 8 | (instance)))
#define NO_HANDLE 0xffff
#define NO_ERRORS 0xfffe /* no error information is kept */

/* BIOS characteristics. */
#define BIOS_PCI BIT64(7)
#define BIOS_PNP BIT64(9)
#define BIOS_APM BIT64(10)
#define BIOS_SHADOWING BIT64(12)
#define BIOS_CD_BOOT BIT64(15)
#define BIOS_SELECTABLE_BOOT BIT64(16)
#define BIOS_EDD BIT64(19)
#define BIOS_EXT_ACPI BIT(0)

#define ROM_SIZE_256K 3 /* in 64 KiB units, less one: a 2 Mbit part as such boards carry */
#define CHASSIS_DESKTOP 3
#define STATE_UNKNOWN 2
#define STATE_SAFE 3
#define PROCESSOR_CENTRAL 3
#define PROCESSOR_FAMILY_UNKNOWN 2
#define PROCESSOR_ENABLED 0x41 /* socket populated, enabled */
#define UPGRADE_SLOT_1 8
#define LOCATION_BOARD 3
#define USE_SYSTEM 3
#define ECC_NONE 3
#define FORM_DIMM 9
#define TYPE_SDRAM 15
#define DETAIL_SYNCHRONOUS BIT(7)
#define DEVICE_MIB_MAX 0x7fff
#define RANGE_KIB_MAX UINT64_C(0xffffffff)

/* The structures one after the other, with what the entry point tells of them. */
struct builder {
	struct cursor c;
	size_t start; /* of the current structure */
	const char *strings[4];
	uint8_t string_count;
	unsigned int count;
	size_t longest;
};

static void begin(struct builder *b, uint8_t type, unsigned int instance)
{
	b->start = b->c.pos;
	b->string_count = 0;
	cursor_put_u8(&b->c, type);
	cursor_put_u8(&b->c, 0); /* end() */
	cursor_put_le16(&b->c, HANDLE(type, instance));
}

/* A string's number; the text follows the structure. */
static void put_string(struct builder *b, const char *text)
{
	assert(b->string_count < ARRAY_LEN(b->strings));
	b->strings[b->string_count++] = text;
	cursor_put_u8(&b->c, b->string_count);
}

static void end(struct builder *b)
{
	b->c.data[b->start + HEADER_LENGTH] = (uint8_t)(b->c.pos - b->start);
	for (uint8_t i = 0; i < b->string_count; i++)
		cursor_put_bytes(&b->c, b->strings[i], strlen(b->strings[i]) + 1);
	if (b->string_count == 0)
		cursor_put_u8(&b->c, 0);
	cursor_put_u8(&b->c, 0);
	assert(cursor_ok(&b->c));
	b->count++;
	if (b->c.pos - b->start > b->longest)
		b->longest = b->c.pos - b->start;
}

static void put_bios(struct builder *b)
{
	begin(b, BIOS, 0);
	put_string(b, VENDOR);
	put_string(b, MAINSTAY_VERSION);
	cursor_put_le16(&b->c, 0xe000);
	put_string(b, BIOS_DATE);
	cursor_put_u8(&b->c, ROM_SIZE_256K);
	cursor_put_le64(&b->c, BIOS_PCI | BIOS_PNP | BIOS_APM | BIOS_SHADOWING | BIOS_CD_BOOT |
				       BIOS_SELECTABLE_BOOT | BIOS_EDD);
	cursor_put_u8(&b->c, BIOS_EXT_ACPI);
	end(b);
}

static void put_system(struct builder *b, const struct vm_config *config)
{
	const struct vm_smbios *own = &config->smbios;

	begin(b, SYSTEM, 0);
	put_string(b, own->manufacturer[0] ? own->manufacturer : VENDOR);
	put_string(b, own->product[0] ? own->product : BOARD_NAME);
	put_string(b, own->version[0] ? own->version : MAINSTAY_VERSION);
	if (own->serial[0])
		put_string(b, own->serial);
	else
		cursor_put_u8(&b->c, 0); /* the uuid is the identity */
	cursor_put_bytes(&b->c, config->uuid, 16);
	cursor_put_u8(&b->c, 6); /* woken by the power switch */
	end(b);
}

static void put_baseboard(struct builder *b)
{
	begin(b, BASEBOARD, 0);
	put_string(b, VENDOR);
	put_string(b, BOARD_NAME);
	cursor_put_u8(&b->c, 0);
	cursor_put_u8(&b->c, 0);
	end(b);
}

static void put_chassis(struct builder *b)
{
	begin(b, CHASSIS, 0);
	put_string(b, VENDOR);
	cursor_put_u8(&b->c, CHASSIS_DESKTOP);
	cursor_put_zeros(&b->c, 3); /* version, serial number, asset tag */
	cursor_put_u8(&b->c, STATE_SAFE);
	cursor_put_u8(&b->c, STATE_SAFE);
	cursor_put_u8(&b->c, STATE_SAFE);
	cursor_put_u8(&b->c, STATE_UNKNOWN);	/* security */
	cursor_put_zeros(&b->c, 4 + 1 + 1 + 2); /* OEM, height, power cords, contained elements */
	end(b);
}

static void put_processor(struct builder *b, unsigned int index, const struct cpu_model *model)
{
	char socket[16];

	snprintf(socket, sizeof(socket), "CPU %u", index);
	begin(b, PROCESSOR, index);
	put_string(b, socket);
	cursor_put_u8(&b->c, PROCESSOR_CENTRAL);
	cursor_put_u8(&b->c, PROCESSOR_FAMILY_UNKNOWN);
	if (model && model->vendor) {
		put_string(b, model->vendor);
		cursor_put_le32(&b->c, model->signature);
		cursor_put_le32(&b->c, model->features);
	} else {
		cursor_put_zeros(&b->c, 1 + 8);
	}
	cursor_put_u8(&b->c, 0);    /* version */
	cursor_put_u8(&b->c, 0);    /* voltage */
	cursor_put_zeros(&b->c, 6); /* clock, maximum and current speed: unknown */
	cursor_put_u8(&b->c, PROCESSOR_ENABLED);
	cursor_put_u8(&b->c, UPGRADE_SLOT_1);
	for (int level = 1; level <= 3; level++)
		cursor_put_le16(&b->c, NO_HANDLE);
	cursor_put_zeros(&b->c, 3); /* serial number, asset tag, part number */
	end(b);
}

/* One array; as many devices as their 15-bit size wants, of equal size but the last. */
static void put_memory(struct builder *b, uint64_t bytes)
{
	uint64_t mib = bytes >> 20, device_mib = 2048, left = mib;
	unsigned int devices;

	while ((mib + device_mib - 1) / device_mib > 8)
		device_mib *= 2;
	devices = (unsigned int)((mib + device_mib - 1) / device_mib);

	begin(b, MEMORY_ARRAY, 0);
	cursor_put_u8(&b->c, LOCATION_BOARD);
	cursor_put_u8(&b->c, USE_SYSTEM);
	cursor_put_u8(&b->c, ECC_NONE);
	/* 80000000h: more than the field can say. */
	cursor_put_le32(&b->c, (uint32_t)min_u64(bytes >> 10, 0x80000000));
	cursor_put_le16(&b->c, NO_ERRORS);
	cursor_put_le16(&b->c, (uint16_t)devices);
	end(b);

	for (unsigned int i = 0; i < devices; i++) {
		uint64_t size = min_u64(left, device_mib);
		char name[16];

		left -= size;
		snprintf(name, sizeof(name), "DIMM %u", i);
		begin(b, MEMORY_DEVICE, i);
		cursor_put_le16(&b->c, HANDLE(MEMORY_ARRAY, 0));
		cursor_put_le16(&b->c, NO_ERRORS);
		cursor_put_le16(&b->c, 64);
		cursor_put_le16(&b->c, 64);
		/* FFFFh: unknown, where the field cannot say it. */
		cursor_put_le16(&b->c, size > DEVICE_MIB_MAX ? 0xffff : (uint16_t)size);
		cursor_put_u8(&b->c, FORM_DIMM);
		cursor_put_u8(&b->c, 0); /* of no set */
		put_string(b, name);
		cursor_put_u8(&b->c, 0);
		cursor_put_u8(&b->c, TYPE_SDRAM);
		cursor_put_le16(&b->c, DETAIL_SYNCHRONOUS);
		cursor_put_zeros(&b->c, 2 + 4); /* speed, maker, serial number, tag, part */
		end(b);
	}
}

static void put_range(struct builder *b, unsigned int instance, uint64_t start, uint64_t bytes)
{
	if (bytes == 0)
		return;
	begin(b, MEMORY_ARRAY_ADDRESS, instance);
	cursor_put_le32(&b->c, (uint32_t)min_u64(start >> 10, RANGE_KIB_MAX));
	cursor_put_le32(&b->c, (uint32_t)min_u64((start + bytes - 1) >> 10, RANGE_KIB_MAX));
	cursor_put_le16(&b->c, HANDLE(MEMORY_ARRAY, 0));
	cursor_put_u8(&b->c, 1);
	end(b);
}

static void put_anchor(const struct builder *b, uint8_t ret_anchor[SMBIOS_ANCHOR_BYTES])
{
	struct cursor c = cursor_writer(ret_anchor, SMBIOS_ANCHOR_BYTES);

	cursor_put_bytes(&c, "_SM_", 4);
	cursor_put_u8(&c, 0);
	cursor_put_u8(&c, SMBIOS_ANCHOR_BYTES);
	cursor_put_u8(&c, 2);
	cursor_put_u8(&c, 3);
	cursor_put_le16(&c, (uint16_t)b->longest);
	cursor_put_zeros(&c, 6);
	cursor_put_bytes(&c, "_DMI_", 5);
	cursor_put_u8(&c, 0);
	cursor_put_le16(&c, (uint16_t)b->c.pos);
	cursor_put_le32(&c, 0);
	cursor_put_le16(&c, (uint16_t)b->count);
	cursor_put_u8(&c, 0x23);
	assert(cursor_ok(&c) && cursor_left(&c) == 0);
}

size_t smbios_build(const struct vm_config *config, uint64_t below_4g, uint64_t above_4g,
		    uint8_t ret_anchor[SMBIOS_ANCHOR_BYTES],
		    uint8_t ret_tables[SMBIOS_TABLES_BYTES_MAX])
{
	struct builder b = { .c = cursor_writer(ret_tables, SMBIOS_TABLES_BYTES_MAX) };
	const struct cpu_model *model = cpu_model_find(config->cpu_model);

	put_bios(&b);
	put_system(&b, config);
	put_baseboard(&b);
	put_chassis(&b);
	for (unsigned int i = 0; i < config->cpus; i++)
		put_processor(&b, i, model);
	put_memory(&b, below_4g + above_4g);
	put_range(&b, 0, 0, below_4g);
	put_range(&b, 1, UINT64_C(0x100000000), above_4g);
	begin(&b, BOOT_INFORMATION, 0);
	cursor_put_zeros(&b.c, 6 + 1); /* no error */
	end(&b);
	begin(&b, END, 0);
	end(&b);
	put_anchor(&b, ret_anchor);
	return b.c.pos;
}
