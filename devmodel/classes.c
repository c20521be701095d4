// SPDX-License-Identifier: GPL-2.0-or-later
/* Every device class of Mainstay, sorted by name: a new device is one line here. */
#include "device.h"
#include "bios_disk.h"
#include "debugcon.h"
#include "dec21140.h"
#include "fdc_82077.h"
#include "fwcfg.h"
#include "i440bx.h"
#include "i8042.h"
#include "i8237.h"
#include "mc146818.h"
#include "ns16550.h"
#include "null_device.h"
#include "parport.h"
#include "piix4_ide.h"
#include "piix4_isa.h"
#include "piix4_pm.h"
#include "port61.h"
#include "port92.h"
#include "post_code.h"
#include "ps2_keyboard.h"
#include "ps2_mouse.h"
#include "s3_trio64.h"
#include "vmmouse.h"

const struct device_class *const device_classes[] = {
	/* clang-format off */
	&bios_disk_class,
	&debugcon_class,
	&dec21140_class,
	&dec21143_class,
	&fdc_82077_class,
	&fwcfg_class,
	&i440bx_class,
	&i8042_class,
	&i8237_class,
	&mc146818_class,
	&ns16550_class,
	&null_device_class,
	&parport_class,
	&piix4_ide_class,
	&piix4_isa_class,
	&piix4_pm_class,
	&port61_class,
	&port92_class,
	&post_code_class,
	&ps2_keyboard_class,
	&ps2_mouse_class,
	&s3_trio64_class,
	&vmmouse_class,
	NULL,
	/* clang-format on */
};
