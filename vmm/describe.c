// SPDX-License-Identifier: GPL-2.0-or-later
#include "describe.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "../base/bits.h"
#include "../devmodel/device.h"

/* What the guest can do with bits of a register: a column of the map. */
static const struct access {
	const char *name;    /* in JSON */
	const char *heading; /* in Markdown */
	size_t offset;	     /* of the mask in struct reg */
} accesses[] = {
	{ "writable", "written", offsetof(struct reg, writable) },
	{ "write_one_clears", "1 clears", offsetof(struct reg, w1c) },
	{ "read_clears", "read clears", offsetof(struct reg, rc) },
	{ "command", "1 acts", offsetof(struct reg, command) },
};

static uint32_t mask_of(const struct reg *reg, const struct access *access)
{
	uint32_t mask;

	memcpy(&mask, (const char *)reg + access->offset, sizeof(mask));
	return mask;
}

/* What cannot be told from the masks: hooks make and take the value. */
static const char *remark(const struct reg *reg)
{
	if (reg->storage == REG_NO_STORAGE)
		return reg->on_read && reg->on_write ? "computed, acts"
		       : reg->on_read		     ? "computed"
		       : reg->on_write		     ? "write only, acts"
						     : "reads as 0";
	return reg->on_read && reg->on_write ? "shown as computed, acts"
	       : reg->on_read		     ? "shown as computed"
	       : reg->on_write		     ? "acts"
					     : "";
}

/* --- Markdown */

static void print_hex(FILE *to, unsigned int width, uint32_t value)
{
	fprintf(to, "%0*Xh", (int)width * 2, value);
}

static void print_regions(const struct device_class *class, FILE *to)
{
	const struct io_region_desc *region = class->regions;

	if (!region || !region->name)
		return;
	fprintf(to, "\n| region | space | first | bytes |\n|---|---|---|---|\n");
	for (; region->name; region++) {
		fprintf(to, "| %s | %s | ", region->name,
			region->space == IO_PORT ? "ports" : "memory");
		if (region->base == IO_UNMAPPED)
			fprintf(to, "configured");
		else
			fprintf(to, "%llXh", (unsigned long long)region->base);
		fprintf(to, " | %u |\n", region->length);
	}
}

static void print_bank(const struct reg_bank *bank, FILE *to)
{
	fprintf(to, "\n### %s: %u bytes, others read as %02Xh\n\n", bank->name, bank->size,
		bank->open);
	fprintf(to, "| offset | bytes | name | reset |");
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++)
		fprintf(to, " %s |", accesses[i].heading);
	fprintf(to, " remark |\n|---|---|---|---|---|---|---|---|---|\n");
	for (const struct reg *reg = bank->regs; reg < bank->regs + bank->count; reg++) {
		fprintf(to, "| %02Xh | %u | %s | ", reg->offset, reg->width, reg->name);
		print_hex(to, reg->width, reg->reset);
		fprintf(to, " |");
		for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
			uint32_t mask = mask_of(reg, &accesses[i]);

			fprintf(to, " ");
			if (mask)
				print_hex(to, reg->width, mask);
			fprintf(to, " |");
		}
		fprintf(to, " %s |\n", remark(reg));
	}
}

static void print_class(const struct device_class *class, FILE *to)
{
	const struct device_irq *irq = class->irqs;

	fprintf(to, "\n## %s: %s\n", class->name, class->summary);
	print_regions(class, to);
	if (irq && irq->name) {
		fprintf(to, "\nInterrupts:");
		for (; irq->name; irq++)
			fprintf(to, " %s (ISA %u)%s", irq->name, irq->isa_irq,
				irq[1].name ? "," : "\n");
	}
	for (const struct reg_bank *const *bank = class->banks; bank && *bank; bank++)
		print_bank(*bank, to);
}

static void print_markdown(FILE *to)
{
	fprintf(to,
		"# Registers\n\n"
		"All devices and their registers, as the tables have them from which they work. "
		"Made by\n`mainstay-vmm --describe-devices`; `make registers` writes it anew.\n\n"
		"Columns give bit masks: which bits a guest's write changes, which it clears by "
		"writing 1, which a\nread clears, which act when 1 is written and are not kept. "
		"All other bits are constant or the\ndevice's own. Chips of few ports, whose "
		"bytes are a protocol rather than registers, have no table.\n");
	for (unsigned int i = 0; device_classes[i]; i++)
		print_class(device_classes[i], to);
}

/* --- JSON */

static void add_number(json_object *to, const char *name, uint64_t value)
{
	json_object_object_add(to, name, json_object_new_uint64(value));
}

static void add_text(json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

static json_object *reg_json(const struct reg *reg)
{
	json_object *json = json_object_new_object();

	add_number(json, "offset", reg->offset);
	add_number(json, "bytes", reg->width);
	add_text(json, "name", reg->name);
	add_number(json, "reset", reg->reset);
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++)
		add_number(json, accesses[i].name, mask_of(reg, &accesses[i]));
	if (*remark(reg))
		add_text(json, "remark", remark(reg));
	return json;
}

static json_object *bank_json(const struct reg_bank *bank)
{
	json_object *json = json_object_new_object(), *regs = json_object_new_array();

	add_text(json, "name", bank->name);
	add_number(json, "bytes", bank->size);
	add_number(json, "others", bank->open);
	for (const struct reg *reg = bank->regs; reg < bank->regs + bank->count; reg++)
		json_object_array_add(regs, reg_json(reg));
	json_object_object_add(json, "registers", regs);
	return json;
}

static json_object *region_json(const struct io_region_desc *region)
{
	json_object *json = json_object_new_object();

	add_text(json, "name", region->name);
	add_text(json, "space", region->space == IO_PORT ? "ports" : "memory");
	if (region->base != IO_UNMAPPED)
		add_number(json, "first", region->base);
	add_number(json, "bytes", region->length);
	return json;
}

static json_object *class_json(const struct device_class *class)
{
	json_object *json = json_object_new_object(), *regions = json_object_new_array(),
		    *irqs = json_object_new_array(), *banks = json_object_new_array();

	add_text(json, "name", class->name);
	add_text(json, "summary", class->summary);
	for (const struct io_region_desc *r = class->regions; r && r->name; r++)
		json_object_array_add(regions, region_json(r));
	for (const struct device_irq *irq = class->irqs; irq && irq->name; irq++) {
		json_object *item = json_object_new_object();

		add_text(item, "name", irq->name);
		add_number(item, "isa", irq->isa_irq);
		json_object_array_add(irqs, item);
	}
	for (const struct reg_bank *const *bank = class->banks; bank && *bank; bank++)
		json_object_array_add(banks, bank_json(*bank));
	json_object_object_add(json, "regions", regions);
	json_object_object_add(json, "interrupts", irqs);
	json_object_object_add(json, "banks", banks);
	return json;
}

static int print_json(FILE *to)
{
	json_object *root = json_object_new_object(), *devices = json_object_new_array();
	const char *text;

	for (unsigned int i = 0; device_classes[i]; i++)
		json_object_array_add(devices, class_json(device_classes[i]));
	json_object_object_add(root, "devices", devices);
	text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY);
	if (text)
		fprintf(to, "%s\n", text);
	json_object_put(root);
	return text ? 0 : -ENOMEM;
}

int describe_devices(bool json, FILE *to)
{
	if (json)
		return print_json(to);
	print_markdown(to);
	return 0;
}
