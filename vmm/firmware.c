// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the firmware is told.
 *
 * Source: QEMU's docs/specs/fw_cfg.rst for keys and files; SeaBIOS 1.16 for what it does with each.
 * The device answers signature, version and directory itself.
 *
 * Two policies are hidden in plain numbers.
 *
 * Key 000Fh says for how many processors the firmware shall make tables. Above 255 SeaBIOS makes
 * neither $PIR nor MP table, and ours are loaded instead: $PIR always, the MP table from two
 * processors on, so that Windows NT takes a uniprocessor HAL for one. SeaBIOS does not wait for
 * that many: it waits for the number of key 5 and CMOS 5Fh. But from 256 on it also switches
 * processors that have x2APIC into that mode, which a 32-bit system may not know: the host model
 * gets the true number and SeaBIOS's own tables.
 *
 * Key 000Eh turns off the boot menu: asking for its key costs two and a half seconds at each boot.
 */
#include "firmware.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/cursor.h"
#include "../base/fdio.h"
#include "../devmodel/fwcfg.h"
#include "acpi.h"
#include "board.h"
#include "board_irqs.h"
#include "config.h"
#include "cpuid.h"
#include "mptable.h"
#include "option_rom.h"
#include "smbios.h"
#include "table_loader.h"

#define IMAGE_BYTES_UNIT KIB(64)
#define IMAGE_BYTES_MAX MIB(1)

#define KEY_UUID 0x02
#define KEY_NOGRAPHIC 0x04
#define KEY_PROCESSORS 0x05
#define KEY_NUMA 0x0d
#define KEY_BOOT_MENU 0x0e
#define KEY_PROCESSORS_MAX 0x0f
#define KEY_ACPI_TABLES 0x8000
#define KEY_SMBIOS_ENTRIES 0x8001
#define KEY_IRQ0_OVERRIDE 0x8002

#define PROCESSORS_MAX_OWN_TABLES 256

#define E820_RAM 1
#define E820_RESERVED 2
#define E820_ENTRY_BYTES 20
/* KVM's pages for real mode on Intel processors; see kvm.c. */
#define KVM_PAGES_BASE UINT64_C(0xfeffc000)
#define KVM_PAGES_BYTES 0x4000

/* After "No bootable device.": wait for ever, as a PC does, rather than reset each minute. */
#define BOOT_FAIL_WAIT_FOREVER 0xffffffff

#define FIRMWARE_TEXT_MAX 1024

int firmware_read(int fd, uint8_t **ret_image, size_t *ret_size)
{
	struct stat st;
	uint8_t *image;
	size_t size;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > (off_t)IMAGE_BYTES_MAX ||
	    st.st_size % (off_t)IMAGE_BYTES_UNIT)
		return -EINVAL;
	size = (size_t)st.st_size;
	image = malloc(size);
	if (!image)
		return -ENOMEM;
	r = fd_pread_full(fd, image, size, 0);
	if (r < 0) {
		free(image);
		return r;
	}
	*ret_image = image;
	*ret_size = size;
	return 0;
}

/* --- publishing: the first error stays */

struct publisher {
	struct device *fwcfg;
	int error;
};

static void publish(struct publisher *p, uint16_t key, const void *data, size_t size)
{
	if (p->error == 0)
		p->error = fwcfg_add(p->fwcfg, key, data, size);
}

static void publish_number(struct publisher *p, uint16_t key, uint64_t value, unsigned int size)
{
	uint8_t bytes[8];

	put_le(bytes, size, value);
	publish(p, key, bytes, size);
}

static void publish_file(struct publisher *p, const char *name, const void *data, size_t size)
{
	if (p->error == 0 && size > 0)
		p->error = fwcfg_add_file(p->fwcfg, name, data, size);
}

/* --- memory map */

static void put_e820(struct cursor *c, uint64_t base, uint64_t bytes, uint32_t type)
{
	if (bytes == 0)
		return;
	cursor_put_le64(c, base);
	cursor_put_le64(c, bytes);
	cursor_put_le32(c, type);
}

/* The firmware cuts out its own areas below 1 MiB and the image's below 4 GiB. */
static void publish_e820(struct publisher *p, uint64_t below_4g, uint64_t above_4g)
{
	uint8_t bytes[3 * E820_ENTRY_BYTES];
	struct cursor c = cursor_writer(bytes, sizeof(bytes));

	put_e820(&c, 0, below_4g, E820_RAM);
	put_e820(&c, KVM_PAGES_BASE, KVM_PAGES_BYTES, E820_RESERVED);
	put_e820(&c, UINT64_C(0x100000000), above_4g, E820_RAM);
	publish_file(p, "etc/e820", bytes, c.pos);
}

/* --- disks */

/* The Open Firmware path of the disk in @slot: PIIX4 function 1, channel, drive. */
static void format_disk_path(char *ret_path, size_t size, unsigned int slot)
{
	snprintf(ret_path, size, "/pci@i0cf8/ide@1,1/drive@%u/disk@%u", slot / 2, slot % 2);
}

static void append_line(char *text, size_t size, const char *line)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used ? "\n" : "", line);
}

static void publish_disks(struct publisher *p, const struct vm_config *config)
{
	char order[FIRMWARE_TEXT_MAX] = "", geometry[FIRMWARE_TEXT_MAX] = "";

	if (config->kernel_fd >= 0)
		append_line(order, sizeof(order), "/rom@" OPTION_ROM_LINUX);
	for (unsigned int i = 0; i < config->disk_count; i++) {
		const struct vm_disk *disk = &config->disks[i];
		char path[64], line[128];

		format_disk_path(path, sizeof(path), disk->slot);
		append_line(order, sizeof(order), path);
		if (disk->cylinders == 0)
			continue;
		snprintf(line, sizeof(line), "%s %u %u %u", path, disk->cylinders, disk->heads,
			 disk->sectors_per_track);
		append_line(geometry, sizeof(geometry), line);
	}
	publish_file(p, "bootorder", order, strlen(order));
	publish_file(p, "bios-geometry", geometry, strlen(geometry));
}

/* --- tables */

static void publish_smbios(struct publisher *p, const struct vm_config *config, uint64_t below_4g,
			   uint64_t above_4g)
{
	uint8_t anchor[SMBIOS_ANCHOR_BYTES], tables[SMBIOS_TABLES_BYTES_MAX];
	size_t size = smbios_build(config, below_4g, above_4g, anchor, tables);

	publish_file(p, SMBIOS_ANCHOR_FILE, anchor, sizeof(anchor));
	publish_file(p, SMBIOS_TABLES_FILE, tables, size);
}

static void publish_tables(struct publisher *p, const struct vm_config *config,
			   const struct cpu_model *model, uint64_t below_4g)
{
	const struct acpi_input input = {
		.cpus = config->cpus,
		.apic = cpu_model_has_apic(model, config->cpus),
		.below_4g = below_4g,
	};
	struct table_loader loader = { 0 };
	struct acpi_tables acpi;

	acpi_build(&input, &acpi, &loader);
	publish_file(p, ACPI_TABLES_FILE, acpi.tables, acpi.tables_bytes);
	publish_file(p, ACPI_RSDP_FILE, acpi.rsdp, sizeof(acpi.rsdp));
	if (!model->host) {
		uint8_t pir[PIR_BYTES];

		pir_build(pir, &loader);
		publish_file(p, PIR_FILE, pir, sizeof(pir));
	}
	if (!model->host && config->cpus > 1) {
		uint8_t table[MPTABLE_BYTES_MAX];
		size_t size = mptable_build(config->cpus, model->signature,
					    model->features | CPU_FEATURE_APIC, table, &loader);

		publish_file(p, MPTABLE_FILE, table, size);
	}
	publish_file(p, "etc/table-loader", loader.commands,
		     loader.count * sizeof(loader.commands[0]));
}

static void publish_keys(struct publisher *p, const struct vm_config *config,
			 const struct cpu_model *model)
{
	publish(p, KEY_UUID, config->uuid, sizeof(config->uuid));
	publish_number(p, KEY_NOGRAPHIC, 0, 2);
	publish_number(p, KEY_PROCESSORS, config->cpus, 2);
	publish_number(p, KEY_NUMA, 0, 8);
	publish_number(p, KEY_BOOT_MENU, 0, 2);
	publish_number(p, KEY_PROCESSORS_MAX,
		       model->host ? config->cpus : PROCESSORS_MAX_OWN_TABLES, 2);
	publish_number(p, KEY_ACPI_TABLES, 0, 2);
	publish_number(p, KEY_SMBIOS_ENTRIES, 0, 2);
	publish_number(p, KEY_IRQ0_OVERRIDE, BOARD_IRQ0_PIN == 2, 1);
}

/* The serial port that the firmware writes its screen to as well, and reads keys from. */
static void publish_console(struct publisher *p, const struct vm_config *config)
{
	uint8_t port[2];

	if (!config->firmware_console)
		return;
	put_le16(port, board_serial_port(config->firmware_console - 1));
	publish_file(p, "etc/sercon-port", port, sizeof(port));
}

int firmware_publish(struct device *fwcfg, const struct vm_config *config, uint64_t below_4g,
		     uint64_t above_4g)
{
	const struct cpu_model *model = cpu_model_find(config->cpu_model);
	struct publisher p = { .fwcfg = fwcfg };
	uint8_t wait[4];

	if (!model)
		return -EINVAL;
	publish_keys(&p, config, model);
	publish_e820(&p, below_4g, above_4g);
	publish_disks(&p, config);
	publish_smbios(&p, config, below_4g, above_4g);
	publish_tables(&p, config, model, below_4g);
	publish_console(&p, config);
	put_le32(wait, BOOT_FAIL_WAIT_FOREVER);
	publish_file(&p, "etc/boot-fail-wait", wait, sizeof(wait));
	if (p.error == 0)
		p.error = option_rom_publish(fwcfg, config);
	return p.error;
}
