// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the firmware is told, read back as the firmware does: files through the configuration ports,
 * the loader script carried out on a byte array that stands for guest memory.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/fwcfg.h"
#include "../../vmm/acpi.h"
#include "../../vmm/cmos.h"
#include "../../devmodel/floppy_drive.h"
#include "../../vmm/config.h"
#include "../../vmm/firmware.h"
#include "../../vmm/memmap.h"
#include "../lib/bench.h"

/* --- the firmware's side of fw_cfg */

#define SELECT 0x510
#define DATA 0x511

static struct bench *bench;

static void read_key(uint16_t key, void *data, size_t size)
{
	outw(bench, SELECT, key);
	for (size_t i = 0; i < size; i++)
		((uint8_t *)data)[i] = inb(bench, DATA);
}

static uint32_t number(uint16_t key, size_t size)
{
	uint8_t bytes[4] = { 0 };

	read_key(key, bytes, size);
	return get_le32(bytes);
}

/* NULL: no such file. A NUL stands behind its last byte. */
static uint8_t *read_file(const char *name, size_t *ret_size)
{
	uint8_t directory[4 + 64 * 64];
	uint32_t count;

	read_key(0x19, directory, 4);
	count = get_be32(directory);
	cr_assert_lt(count, 64);
	read_key(0x19, directory, 4 + 64 * count);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *entry = directory + 4 + 64 * i;
		uint8_t *data;

		if (strcmp((const char *)entry + 8, name) != 0)
			continue;
		*ret_size = get_be32(entry);
		data = calloc(1, *ret_size + 1);
		read_key(get_be16(entry + 4), data, *ret_size);
		return data;
	}
	return NULL;
}

/* --- the firmware's loader */

#define HIGH_BASE 0x07fe0000u
#define F_SEGMENT 0xf6000u
#define MEMORY_BYTES 0x10000u

static struct memory_area {
	uint32_t base, used;
	uint8_t bytes[MEMORY_BYTES];
} high, low;

static struct loaded {
	char name[56];
	uint32_t address, size;
	struct memory_area *area;
} loaded[16];
static unsigned int loaded_count;

/* Guest memory at @address, @size bytes of it. */
static uint8_t *at(uint32_t address, uint32_t size)
{
	struct memory_area *areas[] = { &high, &low };

	for (size_t i = 0; i < ARRAY_LEN(areas); i++) {
		struct memory_area *a = areas[i];

		if (address >= a->base && address - a->base <= a->used &&
		    size <= a->used - (address - a->base))
			return a->bytes + (address - a->base);
	}
	cr_assert_fail("pointer to %x, %u bytes", address, size);
	return NULL;
}

static struct loaded *find_loaded(const uint8_t *name)
{
	cr_assert_eq(name[55], 0);
	for (unsigned int i = 0; i < loaded_count; i++) {
		if (strcmp(loaded[i].name, (const char *)name) == 0)
			return &loaded[i];
	}
	cr_assert_fail("%s was not loaded", (const char *)name);
	return NULL;
}

static void run_allocate(const uint8_t *command)
{
	uint32_t align = get_le32(command + 60);
	struct memory_area *area = command[64] == 2 ? &low : &high;
	struct loaded *file = &loaded[loaded_count++];
	uint8_t *data;
	size_t size;

	cr_assert(is_power_of_two(align));
	cr_assert(command[64] == 1 || command[64] == 2);
	cr_assert_eq(command[4 + 55], 0);
	data = read_file((const char *)command + 4, &size);
	cr_assert(data, "%s", (const char *)command + 4);
	area->used = (uint32_t)round_up(area->used, align < 16 ? 16 : align);
	cr_assert_lt(area->used + size, MEMORY_BYTES);
	memcpy(file->name, command + 4, sizeof(file->name));
	file->address = area->base + area->used;
	file->size = (uint32_t)size;
	file->area = area;
	memcpy(area->bytes + area->used, data, size);
	area->used += (uint32_t)size;
	free(data);
}

static uint8_t sum(const uint8_t *bytes, size_t count)
{
	uint8_t total = 0;

	while (count--)
		total = (uint8_t)(total + *bytes++);
	return total;
}

static void run_script(void)
{
	size_t size;
	uint8_t *script = read_file("etc/table-loader", &size);

	cr_assert(script);
	cr_assert_eq(size % 128, 0);
	high = (struct memory_area){ .base = HIGH_BASE };
	low = (struct memory_area){ .base = F_SEGMENT };
	loaded_count = 0;
	for (size_t i = 0; i < size; i += 128) {
		const uint8_t *command = script + i;

		if (get_le32(command) == 1) {
			run_allocate(command);
		} else if (get_le32(command) == 2) {
			struct loaded *file = find_loaded(command + 4);
			uint32_t offset = get_le32(command + 116);
			uint8_t *field;

			cr_assert_eq(command[120], 4);
			cr_assert_leq(offset + 4, file->size);
			field = at(file->address + offset, 4);
			put_le32(field, get_le32(field) + find_loaded(command + 60)->address);
		} else {
			struct loaded *file = find_loaded(command + 4);
			uint32_t offset = get_le32(command + 60), start = get_le32(command + 64);
			uint32_t length = get_le32(command + 68);
			uint8_t *field;

			cr_assert_eq(get_le32(command), 3);
			cr_assert(offset < file->size && start + length <= file->size);
			field = at(file->address + offset, 1);
			*field = (uint8_t)(*field - sum(at(file->address + start, length), length));
		}
	}
	free(script);
}

/* A table that the F-segment is scanned for, on 16 bytes; NULL: none. */
static uint8_t *scan(const char *signature)
{
	for (uint32_t i = 0; i + 16 <= low.used; i += 16) {
		if (memcmp(low.bytes + i, signature, strlen(signature)) == 0)
			return low.bytes + i;
	}
	return NULL;
}

/* --- a machine to tell of */

static struct vm_config config;

static void setup(void)
{
	config = (struct vm_config){
		.name = "test",
		.uuid = { 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe, 1, 2, 3, 4, 5, 6, 7, 8 },
		.cpus = 1,
		.cpu_model = "nt4",
		.kernel_fd = -1,
	};
	bench = bench_new();
}

static void teardown(void)
{
	bench_free(bench);
}

static void publish(uint64_t below_4g, uint64_t above_4g)
{
	struct device *fwcfg = bench_add(bench, &fwcfg_class, NULL);

	cr_assert_eq(firmware_publish(fwcfg, &config, below_4g, above_4g), 0);
}

TestSuite(firmware, .init = setup, .fini = teardown);

/* The ACPI table with @signature, its checksum right; NULL: none. Counts the RSDT's entries. */
static uint8_t *acpi_table(const char *signature, uint32_t *ret_length)
{
	uint8_t *rsdp = scan("RSD PTR "), *rsdt, *found = NULL;
	uint32_t rsdt_length;

	cr_assert(rsdp);
	cr_assert_eq(sum(rsdp, 20), 0);
	rsdt = at(get_le32(rsdp + 16), 36);
	rsdt_length = get_le32(rsdt + 4);
	rsdt = at(get_le32(rsdp + 16), rsdt_length);
	cr_assert_eq(memcmp(rsdt, "RSDT", 4), 0);
	cr_assert_eq(sum(rsdt, rsdt_length), 0);
	for (uint32_t i = 36; i < rsdt_length; i += 4) {
		uint32_t address = get_le32(rsdt + i);
		uint8_t *table = at(address, 36);
		uint32_t length = get_le32(table + 4);

		cr_assert_eq(address % 4, 0);
		cr_assert_eq(sum(at(address, length), length), 0, "%.4s", (char *)table);
		if (memcmp(table, signature, 4) == 0) {
			cr_assert_null(found);
			found = table;
			*ret_length = length;
		}
	}
	return found;
}

Test(firmware, acpi_tables_are_linked_and_summed)
{
	uint8_t *fadt, *facs, *dsdt, *ssdt;
	uint32_t length;

	publish(MIB(128), 0);
	run_script();
	fadt = acpi_table("FACP", &length);
	cr_assert(fadt);
	cr_assert_eq(length, 116);
	cr_assert_eq(fadt[8], 1);
	cr_assert_eq(get_le16(fadt + 46), 9);
	cr_assert_eq(get_le32(fadt + 48), 0xb2);
	cr_assert_eq(get_le16(fadt + 52), 0xf0f1);
	cr_assert_eq(get_le32(fadt + 56), 0x600);
	cr_assert_eq(get_le32(fadt + 64), 0x604);
	cr_assert_eq(get_le32(fadt + 76), 0x608);
	cr_assert_eq(get_le32(fadt + 80), 0x60c);
	cr_assert_eq(get_le32(fadt + 88), 0x04000204);
	cr_assert_eq(fadt[92], 4);
	cr_assert_eq(fadt[108], 0x32);
	facs = at(get_le32(fadt + 36), 64);
	cr_assert_eq(get_le32(fadt + 36) % 64, 0);
	cr_assert_eq(memcmp(facs, "FACS\x40\0\0\0", 8), 0);
	dsdt = at(get_le32(fadt + 40), 36);
	cr_assert_eq(memcmp(dsdt, "DSDT", 4), 0);
	length = get_le32(dsdt + 4);
	cr_assert_eq(sum(at(get_le32(fadt + 40), length), length), 0);
	ssdt = acpi_table("SSDT", &length);
	cr_assert_eq(length, 36 + 1 + 1 + 5 + 13);
	cr_assert_eq(memcmp(ssdt + 36,
			    "\x10\x13\\_PR_\x5b\x83\x0b"
			    "CPU0\0\0\0\0\0\0",
			    20),
		     0);
}

Test(firmware, pci_window_follows_the_memory)
{
	static const struct {
		uint64_t below_4g;
		uint32_t window;
	} rows[] = {
		{ MIB(64), 0x80000000 },	 { GIB(2), 0x80000000 },
		{ GIB(2) + MIB(1), 0xc0000000 }, { GIB(3), 0xc0000000 },
		{ GIB(3) + MIB(1), 0xe0000000 }, { MEMMAP_LOW_MAX, 0xe0000000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *fadt, *dsdt, *name;
		uint32_t length;

		publish(rows[i].below_4g, 0);
		run_script();
		fadt = acpi_table("FACP", &length);
		dsdt = at(get_le32(fadt + 40), 36);
		length = get_le32(dsdt + 4);
		name = memmem(dsdt, length, "\x08PMLO\x0c", 6);
		cr_assert(name);
		cr_assert_eq(get_le32(name + 6), rows[i].window);
		cr_assert_eq(sum(dsdt, length), 0);
		cr_assert_null(memmem(name + 6, length - (size_t)(name + 6 - dsdt), "\x08PMLO", 5));
		bench_free(bench);
		bench = bench_new();
	}
}

Test(firmware, one_period_processor_has_no_apic_anywhere)
{
	uint32_t length;

	publish(MIB(128), 0);
	run_script();
	cr_assert_null(acpi_table("APIC", &length));
	cr_assert_null(scan("_MP_"));
	cr_assert_eq(acpi_table("FACP", &length)[44], 0);
	cr_assert_gt(number(0x0f, 2), 255, "the firmware makes no table of its own");
	cr_assert_eq(number(0x05, 2), 1, "and waits for no other processor");
}

Test(firmware, host_model_has_acpi_apics_and_the_firmwares_own_tables)
{
	uint8_t *madt;
	uint32_t length;

	strcpy(config.cpu_model, "host");
	publish(MIB(128), 0);
	run_script();
	madt = acpi_table("APIC", &length);
	cr_assert(madt);
	cr_assert_eq(number(0x0f, 2), 1, "no switch to x2APIC");
	cr_assert_null(scan("$PIR"));
	cr_assert_null(scan("_MP_"));
}

Test(firmware, madt_lists_what_there_is)
{
	unsigned int processors = 0, ioapics = 0, overrides = 0;
	uint32_t length, i;
	uint8_t *madt;

	config.cpus = 8;
	publish(MIB(128), 0);
	run_script();
	madt = acpi_table("APIC", &length);
	cr_assert_eq(get_le32(madt + 36), 0xfee00000);
	for (i = 44; i < length; i += madt[i + 1]) {
		const uint8_t *e = madt + i;

		cr_assert_gt(e[1], 0);
		if (e[0] == 0) {
			cr_assert(e[2] == processors && e[3] == processors && e[4] == 1);
			processors++;
		} else if (e[0] == 1) {
			cr_assert_geq(e[2], 8, "an id of its own");
			cr_assert_eq(get_le32(e + 4), 0xfec00000);
			ioapics++;
		} else if (e[0] == 2) {
			cr_assert(e[3] == 0 ? get_le32(e + 4) == 2 : e[3] == 9);
			cr_assert_eq(get_le16(e + 8), e[3] == 9 ? 0xf : 0);
			overrides++;
		}
	}
	cr_assert_eq(i, length);
	cr_assert(processors == 8 && ioapics == 1 && overrides == 2);
	cr_assert_eq(number(0x8002, 1), 1);
	/* Eight processor objects want the longer form of a package's length. */
	madt = acpi_table("SSDT", &length);
	cr_assert_eq(length, 36 + 1 + 2 + 5 + 8 * 13);
	cr_assert_eq((madt[37] & 0xf) | madt[38] << 4, 2 + 5 + 8 * 13);
	cr_assert_eq(madt[37] & 0xf0, 0x40);
}

Test(firmware, pir_agrees_with_the_boards_rotation)
{
	uint8_t *pir;

	publish(MIB(128), 0);
	run_script();
	pir = scan("$PIR");
	cr_assert(pir);
	cr_assert_eq(get_le16(pir + 6), 32 + 6 * 16);
	cr_assert_eq(sum(pir, get_le16(pir + 6)), 0);
	cr_assert_eq(pir[9], 0x08);
	for (unsigned int i = 0; i < 6; i++) {
		const uint8_t *slot = pir + 32 + 16 * i;

		cr_assert_eq(slot[1], (i + 1) << 3);
		for (unsigned int pin = 0; pin < 4; pin++) {
			cr_assert_eq(slot[2 + 3 * pin], 0x60 + (i + pin) % 4);
			cr_assert_eq(get_le16(slot + 3 + 3 * pin), 0x0e20);
		}
		cr_assert_eq(slot[14], i);
	}
}

/* Sizes of MP configuration entries, by type. */
static const uint8_t mp_entry_bytes[] = { 20, 8, 8, 8, 8 };

Test(firmware, mp_table_of_two_processors)
{
	unsigned int kinds[5] = { 0 }, isa = 0, pci = 0, count;
	uint8_t *floating, *mp, *e;
	uint16_t length;

	config.cpus = 2;
	publish(MIB(128), 0);
	run_script();
	floating = scan("_MP_");
	cr_assert(floating);
	cr_assert_eq(sum(floating, 16), 0);
	cr_assert(floating[8] == 1 && floating[9] == 4 && floating[11] == 0 && floating[12] == 0);
	mp = at(get_le32(floating + 4), 44);
	length = get_le16(mp + 4);
	mp = at(get_le32(floating + 4), length);
	cr_assert_eq(memcmp(mp, "PCMP", 4), 0);
	cr_assert_eq(sum(mp, length), 0);
	cr_assert_eq(get_le32(mp + 36), 0xfee00000);
	count = get_le16(mp + 34);
	for (e = mp + 44; count--; e += mp_entry_bytes[e[0]]) {
		cr_assert_lt(e, mp + length);
		cr_assert_lt(e[0], 5);
		if (e[0] == 0) {
			cr_assert_eq(e[1], kinds[0]);
			cr_assert_eq(e[3], kinds[0] == 0 ? 3 : 1);
			cr_assert_eq(get_le32(e + 4), 0x633);
			cr_assert_eq(get_le32(e + 8), 0x0080b33f);
		} else if (e[0] == 2) {
			cr_assert_geq(e[1], 2, "an id of its own");
		} else if (e[0] == 3 && e[4] == 0) {
			unsigned int slot = e[5] >> 2, pin = e[5] & 3;

			cr_assert(slot >= 1 && slot <= 6);
			cr_assert_eq(get_le16(e + 2), 0xf);
			cr_assert_eq(e[7], (slot - 1 + pin) % 4 < 2 ? 10 : 11);
			pci++;
		} else if (e[0] == 3) {
			cr_assert_eq(get_le16(e + 2), 0);
			cr_assert_eq(e[7], e[5] == 0 ? 2 : e[5]);
			cr_assert(e[5] != 2 && e[5] != 10 && e[5] != 11);
			isa++;
		}
		kinds[e[0]]++;
	}
	cr_assert_eq(e, mp + length);
	cr_assert(kinds[0] == 2 && kinds[1] == 2 && kinds[2] == 1 && kinds[4] == 2);
	cr_assert_eq(pci, 24);
	cr_assert_eq(isa, 13);
}

Test(firmware, smbios_says_who_and_which)
{
	unsigned int count = 0, types[128] = { 0 };
	uint8_t *anchor, *tables, *e, *end;
	size_t size, longest = 0;

	config.cpus = 2;
	publish(MEMMAP_LOW_MAX, GIB(60));
	anchor = read_file("etc/smbios/smbios-anchor", &size);
	cr_assert_eq(size, 31);
	cr_assert_eq(memcmp(anchor, "_SM_", 4), 0);
	cr_assert_eq(memcmp(anchor + 16, "_DMI_", 5), 0);
	cr_assert_eq(anchor[5], 31);
	tables = read_file("etc/smbios/smbios-tables", &size);
	cr_assert_eq(get_le16(anchor + 22), size);
	for (e = tables; e < tables + size; e = end) {
		cr_assert_lt(e[0], 128);
		types[e[0]]++;
		count++;
		end = e + e[1];
		while (end[0] || end[1])
			end++;
		end += 2;
		cr_assert_leq(end, tables + size);
		longest = (size_t)(end - e) > longest ? (size_t)(end - e) : longest;
		if (e[0] == 1) {
			cr_assert_eq(memcmp(e + 8, config.uuid, 16), 0);
			cr_assert_str_eq((char *)e + e[1], "Mainstay");
			cr_assert_str_eq((char *)e + e[1] + 9, "440BX");
		} else if (e[0] == 19 && get_le16(e + 2) == 0x1301) {
			cr_assert_eq(get_le32(e + 4), GIB(4) >> 10);
			cr_assert_eq(get_le32(e + 8), (GIB(64) >> 10) - 1);
		}
	}
	cr_assert_eq(get_le16(anchor + 28), count);
	cr_assert_eq(get_le16(anchor + 8), longest);
	cr_assert(types[0] == 1 && types[1] == 1 && types[2] == 1 && types[3] == 1);
	cr_assert(types[4] == 2 && types[16] == 1 && types[17] == 8 && types[19] == 2);
	cr_assert(types[32] == 1 && types[127] == 1);
	free(anchor);
	free(tables);
}

Test(firmware, e820_has_all_memory_and_kvms_pages)
{
	size_t size;
	uint8_t *e820;

	publish(MEMMAP_LOW_MAX, GIB(1));
	e820 = read_file("etc/e820", &size);
	cr_assert_eq(size, 3 * 20);
	cr_assert(get_le64(e820) == 0 && get_le64(e820 + 8) == MEMMAP_LOW_MAX);
	cr_assert_eq(get_le32(e820 + 16), 1);
	cr_assert(get_le64(e820 + 20) == 0xfeffc000 && get_le64(e820 + 28) == 0x4000);
	cr_assert_eq(get_le32(e820 + 36), 2);
	cr_assert(get_le64(e820 + 40) == GIB(4) && get_le64(e820 + 48) == GIB(1));
	free(e820);
}

Test(firmware, disks_boot_in_slot_order_with_their_geometry)
{
	size_t size;
	uint8_t *text;

	config.disk_count = 3;
	config.disks[0] = (struct vm_disk){ .slot = 0 };
	config.disks[1] = (struct vm_disk){
		.slot = 1, .cylinders = 800, .heads = 64, .sectors_per_track = 32
	};
	config.disks[2] = (struct vm_disk){
		.slot = 3, .cylinders = 65535, .heads = 255, .sectors_per_track = 63
	};
	publish(MIB(128), 0);
	text = read_file("bootorder", &size);
	cr_assert_str_eq((char *)text, "/pci@i0cf8/ide@1,1/drive@0/disk@0\n"
				       "/pci@i0cf8/ide@1,1/drive@0/disk@1\n"
				       "/pci@i0cf8/ide@1,1/drive@1/disk@1");
	free(text);
	text = read_file("bios-geometry", &size);
	cr_assert_str_eq((char *)text, "/pci@i0cf8/ide@1,1/drive@0/disk@1 800 64 32\n"
				       "/pci@i0cf8/ide@1,1/drive@1/disk@1 65535 255 63");
	free(text);
}

Test(firmware, its_text_goes_to_a_serial_port_when_asked)
{
	uint8_t *port;
	size_t size;

	config.firmware_console = 2;
	publish(MIB(64), 0);
	port = read_file("etc/sercon-port", &size);
	cr_assert_eq(size, 2);
	cr_assert_eq(get_le16(port), 0x2f8);
	free(port);
}

Test(firmware, a_kernel_comes_before_all_disks)
{
	uint8_t *text;
	size_t size;

	config.kernel_fd = 0;
	config.disk_count = 1;
	publish(MIB(64), 0);
	text = read_file("bootorder", &size);
	cr_assert_str_eq((char *)text, "/rom@genroms/mainstay-linux.rom\n"
				       "/pci@i0cf8/ide@1,1/drive@0/disk@0");
	free(text);
	text = read_file("genroms/mainstay-linux.rom", &size);
	cr_assert_not_null(text);
	cr_assert_eq(size, text[2] * 512u);
	free(text);
}

Test(firmware, without_disks_there_is_no_order_and_no_menu)
{
	uint8_t *wait;
	size_t size;

	publish(MIB(128), 0);
	cr_assert_null(read_file("bootorder", &size));
	cr_assert_null(read_file("bios-geometry", &size));
	cr_assert_eq(number(0x0e, 2), 0);
	wait = read_file("etc/boot-fail-wait", &size);
	cr_assert_eq(size, 4);
	cr_assert_eq(get_le32(wait), 0xffffffff);
	free(wait);
}

Test(firmware, an_unknown_model_is_refused)
{
	struct device *fwcfg = bench_add(bench, &fwcfg_class, NULL);

	strcpy(config.cpu_model, "z80");
	cr_assert_eq(firmware_publish(fwcfg, &config, MIB(128), 0), -EINVAL);
}

/* --- the image */

static int image_of(size_t size)
{
	int fd = memfd_create("rom", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (off_t)size), 0);
	return fd;
}

Test(firmware, image_sizes_are_checked)
{
	static const struct {
		size_t size;
		int result;
	} rows[] = {
		{ KIB(64), 0 },	      { KIB(128), 0 },
		{ KIB(256), 0 },      { MIB(1), 0 },
		{ 0, -EINVAL },	      { KIB(64) - 1, -EINVAL },
		{ KIB(96), -EINVAL }, { MIB(1) + KIB(64), -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int fd = image_of(rows[i].size);
		uint8_t *image = NULL;
		size_t size = 0;

		cr_assert_eq(firmware_read(fd, &image, &size), rows[i].result, "%zu", rows[i].size);
		cr_assert_eq(size, rows[i].result ? 0 : rows[i].size);
		free(image);
		close(fd);
	}
}

Test(firmware, image_is_read_from_its_start_whatever_the_offset)
{
	int fd = image_of(KIB(64)), pipe_fds[2];
	uint8_t *image, byte = 0x5a;
	size_t size;

	cr_assert_eq(pwrite(fd, &byte, 1, 0), 1);
	lseek(fd, 100, SEEK_SET);
	cr_assert_eq(firmware_read(fd, &image, &size), 0);
	cr_assert_eq(image[0], 0x5a);
	free(image);
	close(fd);
	cr_assert_eq(pipe(pipe_fds), 0);
	cr_assert_eq(firmware_read(pipe_fds[0], &image, &size), -EINVAL);
	cr_assert_eq(firmware_read(-1, &image, &size), -EBADF);
}

/* --- CMOS */

Test(cmos, memory_sizes_in_their_units)
{
	struct vm_config c = { .cpus = 4 };
	uint8_t cmos[CMOS_BYTES];

	cmos_defaults(&c, MIB(128), 0, cmos);
	cr_assert_eq(get_le16(cmos + 0x15), 640);
	cr_assert_eq(get_le16(cmos + 0x30), 0xffff, "127 MiB do not fit");
	cr_assert_eq(get_le16(cmos + 0x34), 112 * 16);
	cr_assert(cmos[0x5b] == 0 && cmos[0x5c] == 0 && cmos[0x5d] == 0);
	cr_assert_eq(cmos[0x5f], 3);
	cmos_defaults(&c, MIB(8), 0, cmos);
	cr_assert_eq(get_le16(cmos + 0x17), 7168);
	cr_assert_eq(get_le16(cmos + 0x30), 7168);
	cr_assert_eq(get_le16(cmos + 0x34), 0);
	cmos_defaults(&c, MEMMAP_LOW_MAX, GIB(60), cmos);
	cr_assert_eq(get_le16(cmos + 0x34), 0xdf00);
	cr_assert_eq(cmos[0x5b] | cmos[0x5c] << 8 | cmos[0x5d] << 16, 60 << 14);
	cmos_defaults(&c, MEMMAP_LOW_MAX, GIB(1024), cmos);
	cr_assert_eq(cmos[0x5b] | cmos[0x5c] << 8 | cmos[0x5d] << 16, 0xffffff);
}

Test(cmos, checksum_covers_the_at_area)
{
	struct vm_config c = { .cpus = 1 };
	uint8_t cmos[CMOS_BYTES];
	unsigned int total = 0;

	cmos_defaults(&c, MIB(128), 0, cmos);
	for (unsigned int i = 0x10; i < 0x2e; i++)
		total += cmos[i];
	cr_assert_eq(get_be16(cmos + 0x2e), total);
	cr_assert_neq(total, 0);
}

Test(cmos, drives_and_their_order)
{
	struct vm_config c = {
		.cpus = 1,
		.floppies = { { .kind = FLOPPY_1440K }, { .kind = FLOPPY_1200K } },
		.boot = { VM_BOOT_CDROM, VM_BOOT_FLOPPY },
	};
	uint8_t cmos[CMOS_BYTES];

	cmos_defaults(&c, MIB(128), 0, cmos);
	cr_assert_eq(cmos[0x10], 0x42);
	cr_assert_eq(cmos[0x3d], 0x13);
	cr_assert_eq(cmos[0x38], 0);
	c = (struct vm_config){ .cpus = 1 };
	cmos_defaults(&c, MIB(128), 0, cmos);
	cr_assert_eq(cmos[0x10], 0);
}

Test(cmos, disks_boot_first_and_are_translated_each_for_itself)
{
	struct vm_config c = { .cpus = 1, .boot = { VM_BOOT_DISK, VM_BOOT_FLOPPY, VM_BOOT_CDROM } };
	uint8_t cmos[CMOS_BYTES];

	cmos_defaults(&c, MIB(128), 0, cmos);
	cr_assert_eq(cmos[0x3d], 0x12);
	cr_assert_eq(cmos[0x38], 0x30);
	cr_assert_eq(cmos[0x39], 0x55);
	cmos_set_translation(cmos, 1, 1024, 16);
	cr_assert_eq(cmos[0x39], 0x51);
	cmos_set_translation(cmos, 1, 1025, 16);
	cr_assert_eq(cmos[0x39], 0x55);
	cmos_set_translation(cmos, 3, 600, 4);
	cr_assert_eq(cmos[0x39], 0x15);
	cmos_set_translation(cmos, 4, 600, 4);
	cr_assert_eq(cmos[0x39], 0x15);
}
