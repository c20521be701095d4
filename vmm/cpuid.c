// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Period processors as tables: what CPUID shows.
 *
 * Sources: Intel application note AP-485 (leaves 0 to 2, signatures, cache descriptors); AMD
 * publication 25481 and Intel SDM volume 2 for what the host model corrects; KVM's api.rst for
 * leaves 4000_0000h.
 *
 * A period model is complete in its table row: it shows no hypervisor, nothing of the host, and
 * highest leaves as the real part has them. Windows NT 4.0 before Service Pack 6 takes a highest
 * basic leaf above 3 for a broken processor and stops with 3Eh. A leaf beyond the highest gives
 * what the real part gives, the contents of the highest basic one: KVM does so by itself for the
 * vendor GenuineIntel.
 *
 * KVM shows the APIC bit of leaf 1 whenever IA32_APIC_BASE has its enable bit, whatever is asked
 * for here: who hides the bit must clear that one too (see model->apic).
 *
 * Deliberately not shown: the processor serial number, hyper-threading, and 64-bit mode but for the
 * host model.
 */
#include "cpuid.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "memmap.h"

/* Leaf 1 EDX. */
#define FPU BIT(0)
#define VME BIT(1)
#define DE BIT(2)
#define PSE BIT(3)
#define TSC BIT(4)
#define MSR BIT(5)
#define PAE BIT(6)
#define CX8 BIT(8)
#define APIC CPU_FEATURE_APIC
#define SEP BIT(11)
#define MTRR BIT(12)
#define PGE BIT(13)
#define CMOV BIT(15)
#define PAT BIT(16)
#define PSE36 BIT(17)
#define CLFSH BIT(19)
#define MMX BIT(23)
#define FXSR BIT(24)
#define SSE BIT(25)
#define SSE2 BIT(26)
#define HTT BIT(28)

/* Leaf 1 ECX. */
#define VMX BIT(5)
#define TSC_DEADLINE BIT(24)
#define HYPERVISOR BIT(31)

/* Leaf 80000001h ECX. */
#define CMP_LEGACY BIT(1)
#define SVM BIT(2)

#define LEAF_CACHE 4
#define LEAF_TOPOLOGY 0xb
#define LEAF_TOPOLOGY_V2 0x1f
#define LEAF_EXTENDED 0x80000000
#define LEAF_BRAND 0x80000002
#define LEAF_ADDRESS_SIZES 0x80000008
#define LEAF_SVM 0x8000000a
#define LEAF_AMD_CACHE 0x8000001d
#define LEAF_AMD_TOPOLOGY 0x8000001e

#define BRAND_BYTES 48
#define CLFLUSH_QWORDS 8u

const struct cpu_model cpu_models[] = {
	{
		.name = "nt4",
		.summary = "Pentium II 300 (default): Windows NT 4.0, 95 and 98, OS/2 Warp",
		.memory_max = MEMMAP_LOW_MAX,
		.max_leaf = 2,
		.signature = 0x0633,
		.features = FPU | VME | DE | PSE | TSC | MSR | CX8 | MTRR | PGE | CMOV | MMX,
		.cache = { 0x03020101, 0, 0, 0x0c040843 },
		.vendor = "GenuineIntel",
	},
	{
		.name = "p5",
		.summary = "Pentium MMX: Windows NT 3.x, DOS, Windows 3.x, OS/2 1 and 2",
		.memory_max = MEMMAP_LOW_MAX,
		.max_leaf = 1,
		.signature = 0x0543,
		.features = FPU | VME | DE | PSE | TSC | MSR | CX8 | MMX,
		.vendor = "GenuineIntel",
	},
	{
		.name = "486",
		/* KVM hides CPUID from nobody: this is the part of 1993 that has it. */
		.summary = "486DX4: Windows NT 3.1, DOS, what refuses newer processors",
		.memory_max = MEMMAP_LOW_MAX,
		.max_leaf = 1,
		.signature = 0x0480,
		.features = FPU,
		.vendor = "GenuineIntel",
	},
	{
		.name = "p3",
		.summary = "Pentium III: Windows 2000, XP and 2003, ReactOS",
		/* 36 address bits; what does not fit below 4 GiB stands above. */
		.memory_max = GIB(60) + MEMMAP_LOW_MAX,
		.max_leaf = 2,
		.max_extended_leaf = 0x80000004,
		.signature = 0x0683,
		.features = FPU | VME | DE | PSE | TSC | MSR | PAE | CX8 | SEP | MTRR | PGE | CMOV |
			    PAT | PSE36 | MMX | FXSR | SSE,
		.cache = { 0x03020101, 0, 0, 0x0c040882 },
		.vendor = "GenuineIntel",
		.brand = "Intel(R) Pentium(R) III processor",
	},
	{
		.name = "p4",
		.summary = "Pentium 4: Windows XP and 2003, Linux of that age",
		.memory_max = GIB(60) + MEMMAP_LOW_MAX,
		.max_leaf = 2,
		.max_extended_leaf = 0x80000004,
		.signature = 0x0f29,
		.features = FPU | VME | DE | PSE | TSC | MSR | PAE | CX8 | SEP | MTRR | PGE | CMOV |
			    PAT | PSE36 | CLFSH | MMX | FXSR | SSE | SSE2,
		.cache = { 0x665b5001, 0, 0, 0x007b7040 },
		.vendor = "GenuineIntel",
		.brand = "Intel(R) Pentium(R) 4 CPU",
	},
	{
		.name = "host",
		.summary = "what this host's KVM supports: today's systems",
		.host = true,
		.apic = true,
		.memory_max = GIB(1024),
	},
	{ .name = NULL },
};

/*
 * Features of period models, by name for messages. What KVM does by itself needs nothing of the
 * host; VME is left out where the host has none, as the first Ryzens did after a microcode update:
 * systems ask for it before they use it.
 */
static const struct feature {
	uint32_t bit;
	const char *name;
	enum { FROM_HOST, BY_KVM, OPTIONAL } need;
} features[] = {
	{ FPU, "FPU", FROM_HOST },     { VME, "VME", OPTIONAL },   { DE, "DE", FROM_HOST },
	{ PSE, "PSE", BY_KVM },	       { TSC, "TSC", FROM_HOST },  { MSR, "MSR", BY_KVM },
	{ PAE, "PAE", FROM_HOST },     { CX8, "CX8", FROM_HOST },  { SEP, "SEP", FROM_HOST },
	{ MTRR, "MTRR", BY_KVM },      { PGE, "PGE", FROM_HOST },  { CMOV, "CMOV", FROM_HOST },
	{ PAT, "PAT", FROM_HOST },     { PSE36, "PSE36", BY_KVM }, { MMX, "MMX", FROM_HOST },
	{ FXSR, "FXSR", FROM_HOST },   { SSE, "SSE", FROM_HOST },  { SSE2, "SSE2", FROM_HOST },
	{ CLFSH, "CLFSH", FROM_HOST },
};

const struct cpu_model *cpu_model_find(const char *name)
{
	for (const struct cpu_model *model = cpu_models; model->name; model++) {
		if (strcmp(model->name, name) == 0)
			return model;
	}
	return NULL;
}

/* --- a table under construction */

struct table {
	struct kvm_cpuid2 *cpuid;
	size_t max;
	bool full;
	struct kvm_cpuid_entry2 beyond; /* takes what finds no room */
};

/* Never NULL: who adds need not ask for room each time. */
static struct kvm_cpuid_entry2 *add_entry(struct table *table, uint32_t leaf)
{
	struct kvm_cpuid_entry2 *entry = &table->beyond;

	if (table->cpuid->nent < table->max)
		entry = &table->cpuid->entries[table->cpuid->nent++];
	else
		table->full = true;
	*entry = (struct kvm_cpuid_entry2){ .function = leaf };
	return entry;
}

static const struct kvm_cpuid_entry2 *find_entry(const struct kvm_cpuid2 *cpuid, uint32_t leaf)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == leaf)
			return &cpuid->entries[i];
	}
	return NULL;
}

/* --- period models */

static int check_features(const struct cpu_model *model, const struct kvm_cpuid2 *supported,
			  uint32_t *ret_features, char *error, size_t error_size)
{
	const struct kvm_cpuid_entry2 *entry = find_entry(supported, 1);
	uint32_t host = entry ? entry->edx : 0;

	*ret_features = model->features;
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		const struct feature *f = &features[i];

		if (!(model->features & f->bit) || (host & f->bit) || f->need == BY_KVM)
			continue;
		if (f->need == OPTIONAL) {
			*ret_features &= ~f->bit;
			continue;
		}
		snprintf(error, error_size,
			 "processor model %s needs %s, which this host's KVM does not offer; "
			 "choose another model",
			 model->name, f->name);
		return -ENOTSUP;
	}
	return 0;
}

static void add_brand(struct table *table, const char *brand)
{
	char text[BRAND_BYTES] = { 0 };

	memcpy(text, brand, strnlen(brand, sizeof(text) - 1));
	for (uint32_t i = 0; i < 3; i++) {
		struct kvm_cpuid_entry2 *entry = add_entry(table, LEAF_BRAND + i);

		entry->eax = get_le32(text + i * 16);
		entry->ebx = get_le32(text + i * 16 + 4);
		entry->ecx = get_le32(text + i * 16 + 8);
		entry->edx = get_le32(text + i * 16 + 12);
	}
}

static int build_period(const struct cpu_model *model, const struct kvm_cpuid2 *supported,
			unsigned int index, unsigned int count, struct table *table, char *error,
			size_t error_size)
{
	struct kvm_cpuid_entry2 *entry;
	uint32_t edx;
	int r;

	r = check_features(model, supported, &edx, error, error_size);
	if (r < 0)
		return r;
	if (cpu_model_has_apic(model, count))
		edx |= APIC;

	entry = add_entry(table, 0);
	entry->eax = model->max_leaf;
	entry->ebx = get_le32(model->vendor);
	entry->edx = get_le32(model->vendor + 4);
	entry->ecx = get_le32(model->vendor + 8);

	entry = add_entry(table, 1);
	entry->eax = model->signature;
	entry->ebx = (edx & APIC ? index << 24 : 0) | (edx & CLFSH ? CLFLUSH_QWORDS << 8 : 0);
	entry->edx = edx;

	if (model->max_leaf >= 2) {
		entry = add_entry(table, 2);
		entry->eax = model->cache[0];
		entry->ebx = model->cache[1];
		entry->ecx = model->cache[2];
		entry->edx = model->cache[3];
	}
	if (model->max_extended_leaf) {
		entry = add_entry(table, LEAF_EXTENDED);
		entry->eax = model->max_extended_leaf;
		add_entry(table, LEAF_EXTENDED + 1);
	}
	if (model->brand)
		add_brand(table, model->brand);
	return 0;
}

/* --- the host model: one package with a core for each processor */

/* Bits that number @count things. */
static uint32_t width_of(unsigned int count)
{
	uint32_t width = 0;

	while (count > 1u << width)
		width++;
	return width;
}

/* Cache leaves (4 and 8000001Dh): the last level is shared by all cores, the others by none. */
static void correct_cache(struct kvm_cpuid_entry2 *entry, uint32_t cores, bool intel)
{
	uint32_t type = entry->eax & 0x1f, level = entry->eax >> 5 & 7;

	if (type == 0)
		return;
	entry->eax &= 0x3fff;
	if (level >= 3)
		entry->eax |= (cores - 1) << 14;
	if (intel)
		entry->eax |= (cores - 1) << 26;
}

static void correct_leaf(struct kvm_cpuid_entry2 *entry, unsigned int index, unsigned int count,
			 bool amd)
{
	uint32_t width = width_of(count), cores = 1u << width;

	switch (entry->function) {
	case 1:
		entry->ebx = (entry->ebx & 0xff00) | cores << 16 | (uint32_t)index << 24;
		entry->ecx = (entry->ecx & ~VMX) | HYPERVISOR;
		entry->edx = (entry->edx & ~HTT) | APIC | (count > 1 ? HTT : 0);
		break;
	case LEAF_CACHE:
		correct_cache(entry, cores, true);
		break;
	case LEAF_EXTENDED + 1:
		entry->ecx &= ~(CMP_LEGACY | SVM);
		if (amd && count > 1)
			entry->ecx |= CMP_LEGACY;
		break;
	case LEAF_ADDRESS_SIZES:
		/* APIC id width and number of cores; zero on Intel. */
		entry->ecx = amd ? width << 12 | (count - 1) : 0;
		break;
	case LEAF_SVM:
		entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
		break;
	case LEAF_AMD_CACHE:
		correct_cache(entry, cores, false);
		break;
	case LEAF_AMD_TOPOLOGY:
		entry->eax = index;
		entry->ebx = index; /* core id; one thread each */
		entry->ecx = 0;
		entry->edx = 0;
		break;
	}
}

/* Leaf Bh: a level of threads (one), a level of cores, and the end. */
static void add_topology(struct table *table, unsigned int index, unsigned int count)
{
	const struct {
		uint32_t shift, processors, type;
	} levels[] = {
		{ 0, 1, 1 },
		{ width_of(count), count, 2 },
		{ 0, 0, 0 },
	};

	for (uint32_t i = 0; i < ARRAY_LEN(levels); i++) {
		struct kvm_cpuid_entry2 *entry = add_entry(table, LEAF_TOPOLOGY);

		entry->index = i;
		entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		entry->eax = levels[i].shift;
		entry->ebx = levels[i].processors;
		entry->ecx = i | levels[i].type << 8;
		entry->edx = index;
	}
}

static bool is_amd(const struct kvm_cpuid_entry2 *vendor)
{
	return vendor->ebx == get_le32("Auth") || vendor->ebx == get_le32("Hygo");
}

static int build_host(const struct cpu_model *model, const struct kvm_cpuid2 *supported,
		      unsigned int index, unsigned int count, struct table *table, char *error,
		      size_t error_size)
{
	const struct kvm_cpuid_entry2 *vendor = find_entry(supported, 0);

	if (!vendor || !find_entry(supported, 1)) {
		snprintf(
			error, error_size,
			"processor model %s needs CPUID leaves 0 and 1, which this host's KVM does "
			"not offer; choose another model",
			model->name);
		return -ENOTSUP;
	}
	for (uint32_t i = 0; i < supported->nent; i++) {
		const struct kvm_cpuid_entry2 *from = &supported->entries[i];
		struct kvm_cpuid_entry2 *entry;

		if (from->function == LEAF_TOPOLOGY || from->function == LEAF_TOPOLOGY_V2)
			continue;
		entry = add_entry(table, from->function);
		*entry = *from;
		correct_leaf(entry, index, count, is_amd(vendor));
	}
	if (vendor->eax >= LEAF_TOPOLOGY)
		add_topology(table, index, count);
	return 0;
}

void cpuid_offer_tsc_deadline(struct kvm_cpuid2 *supported)
{
	for (uint32_t i = 0; i < supported->nent; i++) {
		if (supported->entries[i].function == 1)
			supported->entries[i].ecx |= TSC_DEADLINE;
	}
}

int cpuid_build(const struct cpu_model *model, const struct kvm_cpuid2 *supported,
		unsigned int index, unsigned int count, struct kvm_cpuid2 *ret_cpuid, size_t max,
		char *error, size_t error_size)
{
	struct table table = { .cpuid = ret_cpuid, .max = max };
	int r;

	ret_cpuid->nent = 0;
	ret_cpuid->padding = 0;
	if (model->host)
		r = build_host(model, supported, index, count, &table, error, error_size);
	else
		r = build_period(model, supported, index, count, &table, error, error_size);
	if (r == 0 && table.full) {
		snprintf(error, error_size, "processor model %s: more than %zu CPUID leaves",
			 model->name, max);
		r = -E2BIG;
	}
	return r;
}
