// SPDX-License-Identifier: GPL-2.0-or-later
#include "class_setup.h"

#include <criterion/criterion.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../devmodel/dec21140.h"
#include "../../devmodel/fdc_82077.h"
#include "../../devmodel/i440bx.h"
#include "../../devmodel/i8237.h"
#include "../../devmodel/piix4_ide.h"
#include "../../devmodel/piix4_isa.h"
#include "../../devmodel/piix4_pm.h"
#include "../../devmodel/s3_trio64.h"

static const void *setup_dec21140(struct bench *b)
{
	static struct dec21140_config config;

	config = *(const struct dec21140_config *)dec21140_class.default_config;
	config.bus = &b->pci;
	return &config;
}

static const void *setup_fdc_82077(struct bench *b)
{
	static struct fdc_82077_config config;

	config = (struct fdc_82077_config){
		.dma = i8237_isa_dma(bench_add(b, &i8237_class, NULL)),
		.drives = { { FLOPPY_1440K, &bench_disk_new(b, 2880)->backend },
			    { FLOPPY_1200K, NULL } },
	};
	return &config;
}

static const void *setup_i440bx(struct bench *b)
{
	static struct i440bx_config config;

	config = *(const struct i440bx_config *)i440bx_class.default_config;
	config.bus = &b->pci;
	config.memory_bytes = MIB(64);
	return &config;
}

static const void *setup_piix4_ide(struct bench *b)
{
	static struct piix4_ide_config config;

	config = *(const struct piix4_ide_config *)piix4_ide_class.default_config;
	config.bus = &b->pci;
	config.drives[0].backend = &bench_disk_new(b, 64)->backend;
	config.drives[2].backend = &bench_disk_new(b, 64)->backend;
	return &config;
}

static const void *setup_piix4_isa(struct bench *b)
{
	static struct piix4_isa_config config;

	config = *(const struct piix4_isa_config *)piix4_isa_class.default_config;
	config.bus = &b->pci;
	config.devfn = PCI_DEVFN(1, 0);
	config.isa_irq = irq_hub_set;
	config.isa_irq_opaque = &b->hub;
	return &config;
}

static const void *setup_piix4_pm(struct bench *b)
{
	static struct piix4_pm_config config;

	config = *(const struct piix4_pm_config *)piix4_pm_class.default_config;
	config.bus = &b->pci;
	config.devfn = PCI_DEVFN(1, 3);
	config.memory_bytes = MIB(64);
	return &config;
}

static const void *setup_s3_trio64(struct bench *b)
{
	static uint8_t bytes[DISPLAY_MEMORY_MAX];
	static struct display_memory memory;
	static struct s3_trio64_config config;

	memset(bytes, 0, sizeof(bytes));
	memory = (struct display_memory){ .bytes = bytes, .size = sizeof(bytes) };
	config = *(const struct s3_trio64_config *)s3_trio64_class.default_config;
	config.bus = &b->pci;
	config.memory = &memory;
	return &config;
}

static const struct setup {
	const char *class;
	const void *(*config)(struct bench *b);
} setups[] = {
	{ "dec21140", setup_dec21140 },	  { "dec21143", setup_dec21140 },
	{ "fdc_82077", setup_fdc_82077 }, { "i440bx", setup_i440bx },
	{ "piix4_ide", setup_piix4_ide }, { "piix4_isa", setup_piix4_isa },
	{ "piix4_pm", setup_piix4_pm },	  { "s3_trio64", setup_s3_trio64 },
};

struct device *class_setup(struct bench *b, const struct device_class *class)
{
	const void *config = NULL;

	for (unsigned int i = 0; i < ARRAY_LEN(setups); i++) {
		if (!strcmp(setups[i].class, class->name))
			config = setups[i].config(b);
	}
	cr_assert(config || !class->pci, "%s is a PCI function: add a row to setups[]",
		  class->name);
	return bench_add(b, class, config);
}
