// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 440BX board as data: a table of its devices in the order in which they are made. A row's
 * function fills the class's configuration from what the machine has; interrupts go where the class
 * says they go on such a board, except those that the row's function leads elsewhere.
 */
#include "board.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/nvram.h"
#include "../devmodel/ata_identify.h"
#include "../devmodel/bios_disk.h"
#include "../devmodel/block.h"
#include "../devmodel/debugcon.h"
#include "../devmodel/dec21140.h"
#include "../devmodel/device.h"
#include "../devmodel/fdc_82077.h"
#include "../devmodel/fwcfg.h"
#include "../devmodel/i440bx.h"
#include "../devmodel/i8042.h"
#include "../devmodel/i8237.h"
#include "../devmodel/mc146818.h"
#include "../devmodel/ns16550.h"
#include "../devmodel/parport.h"
#include "../devmodel/pci.h"
#include "../devmodel/piix4_ide.h"
#include "../devmodel/piix4_isa.h"
#include "../devmodel/piix4_pm.h"
#include "../devmodel/port61.h"
#include "../devmodel/port92.h"
#include "../devmodel/post_code.h"
#include "../devmodel/ps2_keyboard.h"
#include "../devmodel/ps2_mouse.h"
#include "../devmodel/s3_trio64.h"
#include "../devmodel/vmmouse.h"
#include "board_irqs.h"
#include "cmos.h"
#include "nvram.h"

/* Slots 3 to 6 take network adapters. */
#define NIC_SLOT_FIRST 3u
#define PIIX4_SLOT (BOARD_PIIX4_DEVFN >> 3)

/* Room for the configuration of any class. */
union device_config {
	struct bios_disk_config bios_disk;
	struct debugcon_config debugcon;
	struct fdc_82077_config fdc_82077;
	struct dec21140_config dec21140;
	struct fwcfg_config fwcfg;
	struct i440bx_config i440bx;
	struct mc146818_config mc146818;
	struct ns16550_config ns16550;
	struct parport_config parport;
	struct piix4_ide_config piix4_ide;
	struct piix4_isa_config piix4_isa;
	struct piix4_pm_config piix4_pm;
	struct port61_config port61;
	struct ps2_keyboard_config ps2_keyboard;
	struct ps2_mouse_config ps2_mouse;
	struct s3_trio64_config s3_trio64;
	struct vmmouse_config vmmouse;
};

struct board_row {
	const struct device_class *class;
	const char *name;
	unsigned int number; /* of several of a class */
	/* Fills @config, NULL: the class's default. False: the machine does without this device. */
	bool (*configure)(struct board *board, const struct board_row *row,
			  union device_config *config);
	/* Where board's pointer to it is kept, 0: nowhere. */
	size_t keep;
	/* Leads its interrupts; NULL: to the ISA interrupts that the class names. */
	void (*connect)(struct board *board, const struct board_row *row, struct device *dev);
};

static uint64_t memory_of(const struct board *board)
{
	return board->below_4g + board->above_4g;
}

/* --- configurations, in the order of the table */

static bool host_bridge(struct board *board, const struct board_row *row,
			union device_config *config)
{
	(void)row;
	config->i440bx = (struct i440bx_config){
		.bus = board->pci,
		.memory_bytes = memory_of(board),
	};
	return true;
}

static bool isa_bridge(struct board *board, const struct board_row *row,
		       union device_config *config)
{
	(void)row;
	config->piix4_isa = (struct piix4_isa_config){
		.bus = board->pci,
		.devfn = PCI_DEVFN(PIIX4_SLOT, 0),
		.isa_irq = irq_hub_set,
		.isa_irq_opaque = board->isa_irqs,
	};
	return true;
}

static bool ide(struct board *board, const struct board_row *row, union device_config *config)
{
	uint64_t delay_ns = (uint64_t)board->config->ide_irq_delay_us * NSEC_PER_USEC;

	(void)row;
	config->piix4_ide = (struct piix4_ide_config){
		.bus = board->pci,
		.devfn = PCI_DEVFN(PIIX4_SLOT, 1),
		.irq_delay_ns = delay_ns,
		.dma_irq_delay_ns = delay_ns,
	};
	/* A geometry that the person gives is the firmware's business (firmware.c), not the
	 * drive's. */
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++) {
		config->piix4_ide.drives[i].backend = board->disks[i];
		if (!board->cdroms[i])
			continue;
		config->piix4_ide.drives[i].kind = PIIX4_IDE_CDROM;
		config->piix4_ide.drives[i].backend = board->cdroms[i];
	}
	return true;
}

/* The controller is there without drives as well: systems look for it where PCs have it. */
static bool floppy(struct board *board, const struct board_row *row, union device_config *config)
{
	(void)row;
	config->fdc_82077 = (struct fdc_82077_config){ .dma = i8237_isa_dma(board->dma) };
	for (unsigned int i = 0; i < VM_FLOPPIES_MAX; i++) {
		const struct vm_floppy *drive = &board->config->floppies[i];

		config->fdc_82077.drives[i].kind = (enum floppy_kind)drive->kind;
		if (drive->medium.present)
			config->fdc_82077.drives[i].backend = board->floppies[i];
	}
	return true;
}

static bool power_management(struct board *board, const struct board_row *row,
			     union device_config *config)
{
	(void)row;
	config->piix4_pm = (struct piix4_pm_config){
		.bus = board->pci,
		.devfn = PCI_DEVFN(PIIX4_SLOT, 3),
		.memory_bytes = memory_of(board),
	};
	return true;
}

static bool display_adapter(struct board *board, const struct board_row *row,
			    union device_config *config)
{
	(void)row;
	config->s3_trio64 = (struct s3_trio64_config){
		.bus = board->pci,
		.devfn = BOARD_VGA_DEVFN,
		.memory = board->vram,
		.display = &board->display,
		.rom = board->video_bios,
		.rom_bytes = sizeof(board->video_bios),
	};
	option_rom_video(board->video_bios);
	return board->vram != NULL;
}

/* The firmware translates as the drives' own geometry wants it. */
static void translate_disks(const struct board *board, uint8_t cmos[CMOS_BYTES])
{
	for (unsigned int slot = 0; slot < VM_DISKS_MAX; slot++) {
		struct block_info info;
		struct ata_geometry geometry;

		if (!board->disks[slot])
			continue;
		block_info(board->disks[slot], &info);
		geometry =
			(struct ata_geometry){ info.cylinders, info.heads, info.sectors_per_track };
		if (!ata_geometry_usable(geometry))
			geometry = ata_geometry_for(info.size_bytes / BLOCK_SECTOR_BYTES, 16, 63);
		cmos_set_translation(cmos, slot, geometry.cylinders, geometry.heads);
	}
}

static bool clock_and_cmos(struct board *board, const struct board_row *row,
			   union device_config *config)
{
	const struct nvram *kept = keeper_content(board->keeper);

	(void)row;
	memset(board->cmos, 0, sizeof(board->cmos));
	if (kept)
		memcpy(board->cmos, kept->cmos, sizeof(board->cmos));
	cmos_refresh(board->config, board->below_4g, board->above_4g, board->cmos);
	translate_disks(board, board->cmos);
	config->mc146818 = (struct mc146818_config){
		.image = board->cmos,
		.image_bytes = sizeof(board->cmos),
		.offset_s = kept ? kept->rtc_offset_s : 0,
		.changed = board->keeper ? keeper_changed : NULL,
		.changed_opaque = board->keeper,
	};
	return true;
}

/* The alarm can wake the board as well. */
static void clock_irq(void *opaque, unsigned int n, bool level)
{
	struct board *board = opaque;

	irq_hub_set(board->isa_irqs, n, level);
	piix4_pm_rtc_irq(board->pm, 0, level);
}

static void connect_clock(struct board *board, const struct board_row *row, struct device *dev)
{
	(void)row;
	irq_connect(device_irq_line(dev, 0), clock_irq, board, dev->class->irqs[0].isa_irq);
}

static bool keyboard(struct board *board, const struct board_row *row, union device_config *config)
{
	(void)row;
	config->ps2_keyboard = (struct ps2_keyboard_config){
		.port = i8042_keyboard_port(board->keyboard_controller),
		.input = &board->input,
	};
	return true;
}

static bool mouse(struct board *board, const struct board_row *row, union device_config *config)
{
	(void)row;
	config->ps2_mouse = (struct ps2_mouse_config){
		.port = i8042_mouse_port(board->keyboard_controller),
		.input = &board->input,
	};
	return true;
}

static bool absolute_pointer(struct board *board, const struct board_row *row,
			     union device_config *config)
{
	(void)row;
	config->vmmouse = (struct vmmouse_config){ .input = &board->input };
	return true;
}

/* KVM answers at port 61h together with its timer. */
static bool without_kernel_chips(struct board *board, const struct board_row *row,
				 union device_config *config)
{
	(void)row;
	config->port61 = (struct port61_config){ .out2 = NULL };
	return !board->in_kernel_chips;
}

static const struct {
	uint16_t base;
	uint8_t irq;
} uart_ports[VM_SERIAL_MAX] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

uint16_t board_serial_port(unsigned int index)
{
	return uart_ports[index].base;
}

static bool uart(struct board *board, const struct board_row *row, union device_config *config)
{
	/* COM4 shares its ports with the 8514/A's registers; only a person who wants it gets it. */
	if (row->number >= 2 && !board->serial[row->number])
		return false;
	config->ns16550 = (struct ns16550_config){
		.base = uart_ports[row->number].base,
		.chario = board->serial[row->number],
	};
	return true;
}

static void connect_uart(struct board *board, const struct board_row *row, struct device *dev)
{
	irq_connect(device_irq_line(dev, 0), irq_hub_set, board->isa_irqs,
		    uart_ports[row->number].irq);
}

static bool printer_port(struct board *board, const struct board_row *row,
			 union device_config *config)
{
	(void)row;
	config->parport = (struct parport_config){
		.base = 0x378,
		.chario = board->parallel,
	};
	return true;
}

static bool firmware_log(struct board *board, const struct board_row *row,
			 union device_config *config)
{
	(void)row;
	config->debugcon = (struct debugcon_config){ .chario = board->debugcon };
	return board->debugcon != NULL;
}

static bool firmware_interface(struct board *board, const struct board_row *row,
			       union device_config *config)
{
	(void)board;
	(void)row;
	config->fwcfg = (struct fwcfg_config){ .dma = true };
	return true;
}

static bool fast_disk(struct board *board, const struct board_row *row, union device_config *config)
{
	(void)row;
	memcpy(config->bios_disk.disks, board->disks, sizeof(config->bios_disk.disks));
	return board->config->fast_disk;
}

/* An adapter of the model that the row's class is, in the slot of its number. */
static bool network_adapter(struct board *board, const struct board_row *row,
			    union device_config *config)
{
	enum vm_nic_model model = row->class == &dec21143_class ? VM_NIC_21143 : VM_NIC_21140;

	for (unsigned int i = 0; i < board->config->nic_count; i++) {
		const struct vm_nic *nic = &board->config->nics[i];

		if (nic->slot != row->number || nic->model != model)
			continue;
		config->dec21140 = (struct dec21140_config){
			.bus = board->pci,
			.devfn = PCI_DEVFN(NIC_SLOT_FIRST + nic->slot, 0),
			.nic = board->nics[i],
		};
		memcpy(config->dec21140.mac, nic->mac, sizeof(nic->mac));
		return true;
	}
	return false;
}

/* --- the board */

#define KEEP(member) offsetof(struct board, member)

static const struct board_row board_rows[] = {
	{ &i440bx_class, "host-bridge", 0, host_bridge, KEEP(host_bridge), NULL },
	{ &piix4_isa_class, "isa-bridge", 0, isa_bridge, 0, NULL },
	{ &piix4_ide_class, "ide", 0, ide, KEEP(ide), NULL },
	{ &piix4_pm_class, "pm", 0, power_management, KEEP(pm), NULL },
	{ &s3_trio64_class, "vga", 0, display_adapter, KEEP(adapter), NULL },
	{ &i8237_class, "dma", 0, NULL, KEEP(dma), NULL },
	{ &fdc_82077_class, "floppy", 0, floppy, KEEP(fdc), NULL },
	{ &mc146818_class, "rtc", 0, clock_and_cmos, KEEP(rtc), connect_clock },
	{ &i8042_class, "i8042", 0, NULL, KEEP(keyboard_controller), NULL },
	{ &ps2_keyboard_class, "keyboard", 0, keyboard, 0, NULL },
	{ &ps2_mouse_class, "mouse", 0, mouse, 0, NULL },
	{ &vmmouse_class, "vmmouse", 0, absolute_pointer, 0, NULL },
	{ &port61_class, "port61", 0, without_kernel_chips, 0, NULL },
	{ &port92_class, "port92", 0, NULL, 0, NULL },
	{ &ns16550_class, "com1", 0, uart, 0, connect_uart },
	{ &ns16550_class, "com2", 1, uart, 0, connect_uart },
	{ &ns16550_class, "com3", 2, uart, 0, connect_uart },
	{ &ns16550_class, "com4", 3, uart, 0, connect_uart },
	{ &parport_class, "lpt1", 0, printer_port, 0, NULL },
	{ &post_code_class, "post", 0, NULL, 0, NULL },
	{ &debugcon_class, "firmware-log", 0, firmware_log, 0, NULL },
	{ &fwcfg_class, "fwcfg", 0, firmware_interface, KEEP(fwcfg), NULL },
	{ &bios_disk_class, "bios-disk", 0, fast_disk, 0, NULL },
	{ &dec21140_class, "net0", 0, network_adapter, 0, NULL },
	{ &dec21140_class, "net1", 1, network_adapter, 0, NULL },
	{ &dec21140_class, "net2", 2, network_adapter, 0, NULL },
	{ &dec21140_class, "net3", 3, network_adapter, 0, NULL },
	{ &dec21143_class, "net0", 0, network_adapter, 0, NULL },
	{ &dec21143_class, "net1", 1, network_adapter, 0, NULL },
	{ &dec21143_class, "net2", 2, network_adapter, 0, NULL },
	{ &dec21143_class, "net3", 3, network_adapter, 0, NULL },
};

static void connect_irqs(struct board *board, const struct board_row *row, struct device *dev)
{
	const struct device_irq *irqs = dev->class->irqs;

	if (row->connect) {
		row->connect(board, row, dev);
		return;
	}
	for (unsigned int i = 0; irqs && irqs[i].name; i++)
		irq_connect(device_irq_line(dev, i), irq_hub_set, board->isa_irqs, irqs[i].isa_irq);
}

static int add(struct board *board, const struct board_row *row)
{
	union device_config config;
	struct device *dev;
	int r;

	if (row->configure && !row->configure(board, row, &config))
		return 0;
	r = device_new(row->class, row->name, board->env,
		       row->configure ? (const void *)&config : NULL, &dev);
	if (r < 0)
		return r;
	board->devices[board->count++] = dev;
	if (row->keep)
		memcpy((char *)board + row->keep, &dev, sizeof(dev));
	connect_irqs(board, row, dev);
	return 0;
}

int board_440bx_build(struct board *board, char *error, size_t error_size)
{
	_Static_assert(ARRAY_LEN(board_rows) <= BOARD_DEVICES_MAX, "room for every device");

	for (unsigned int i = 0; i < ARRAY_LEN(board_rows); i++) {
		int r = add(board, &board_rows[i]);

		if (r < 0) {
			snprintf(error, error_size, "device %s cannot be made: %s",
				 board_rows[i].name, strerror(-r));
			return r;
		}
	}
	return 0;
}

void board_free(struct board *board)
{
	while (board->count)
		device_free(board->devices[--board->count]);
}
