// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/cpuid.c: what each model shows, and that nothing of the host shows through. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../vmm/cpuid.h"

#define ENTRIES_MAX 64

static const struct kvm_cpuid_entry2 intel_host[] = {
	{ .function = 0, .eax = 0x1f, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69 },
	{ .function = 1,
	  .eax = 0x906ea,
	  .ebx = 0x07100800,
	  .ecx = 0xfffa3223 | BIT(5),
	  .edx = 0x1fabfbff },
	{ .function = 2, .eax = 0xff01 },
	{ .function = 4, .index = 0, .flags = 1, .eax = 0x1c004121, .ebx = 0x01c0003f, .ecx = 63 },
	{ .function = 4,
	  .index = 3,
	  .flags = 1,
	  .eax = 0x1c03c163,
	  .ebx = 0x03c0003f,
	  .ecx = 4095 },
	{ .function = 4, .index = 4, .flags = 1 },
	{ .function = 7, .flags = 1, .eax = 2, .ebx = 0x9c6fbb },
	{ .function = 0xb, .index = 0, .flags = 1, .eax = 1, .ebx = 2, .ecx = 0x100, .edx = 99 },
	{ .function = 0xb, .index = 1, .flags = 1, .eax = 4, .ebx = 12, .ecx = 0x201, .edx = 99 },
	{ .function = 0x1f, .index = 0, .flags = 1, .eax = 1, .ebx = 2, .ecx = 0x100, .edx = 99 },
	{ .function = 0x40000000,
	  .eax = 0x40000001,
	  .ebx = 0x4b4d564b,
	  .ecx = 0x564b4d56,
	  .edx = 0x4d },
	{ .function = 0x40000001, .eax = 0x01007afb },
	{ .function = 0x80000000, .eax = 0x80000008 },
	{ .function = 0x80000001, .ecx = 0x121, .edx = 0x2c100800 },
	{ .function = 0x80000008, .eax = 0x3027, .ecx = 0x1234 },
};

static const struct kvm_cpuid_entry2 amd_host[] = {
	{ .function = 0, .eax = 0x10, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65 },
	{ .function = 1, .eax = 0x870f10, .ebx = 0x0b180800, .ecx = 0xfed83203, .edx = 0x178bfbff },
	{ .function = 7, .flags = 1, .ebx = 0x219c91a9 },
	{ .function = 0x40000000,
	  .eax = 0x40000001,
	  .ebx = 0x4b4d564b,
	  .ecx = 0x564b4d56,
	  .edx = 0x4d },
	{ .function = 0x40000001, .eax = 0x01007afb },
	{ .function = 0x80000000, .eax = 0x8000001f },
	{ .function = 0x80000001, .ecx = 0x75c237ff, .edx = 0x2fd3fbff },
	{ .function = 0x80000008, .eax = 0x3030, .ecx = 0x7017 },
	{ .function = 0x8000000a, .eax = 1, .ebx = 8, .edx = 0xff },
	{ .function = 0x8000001d, .index = 0, .flags = 1, .eax = 0x4121 },
	{ .function = 0x8000001d, .index = 3, .flags = 1, .eax = 0x1c163 },
	{ .function = 0x8000001e, .eax = 11, .ebx = 0x105, .ecx = 0x203 },
};

static struct kvm_cpuid2 *table_of(const struct kvm_cpuid_entry2 *entries, size_t count)
{
	struct kvm_cpuid2 *table = calloc(1, sizeof(*table) + ENTRIES_MAX * sizeof(*entries));

	cr_assert(table);
	table->nent = (uint32_t)count;
	if (count)
		memcpy(table->entries, entries, count * sizeof(*entries));
	return table;
}

#define HOST(entries) table_of(entries, ARRAY_LEN(entries))

static struct kvm_cpuid2 *build(const char *name, const struct kvm_cpuid2 *host, unsigned int index,
				unsigned int count)
{
	struct kvm_cpuid2 *cpuid = table_of(NULL, 0);
	char error[200] = "";

	cr_assert_eq(cpuid_build(cpu_model_find(name), host, index, count, cpuid, ENTRIES_MAX,
				 error, sizeof(error)),
		     0, "%s: %s", name, error);
	return cpuid;
}

static const struct kvm_cpuid_entry2 *leaf_at(const struct kvm_cpuid2 *cpuid, uint32_t leaf,
					      uint32_t index)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == leaf && cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	}
	return NULL;
}

static const struct kvm_cpuid_entry2 *leaf(const struct kvm_cpuid2 *cpuid, uint32_t number)
{
	return leaf_at(cpuid, number, 0);
}

/* The whole of what the period models show, by hand. */
static const struct expected {
	const char *name;
	uint32_t max_leaf, signature, features, max_extended;
	uint32_t entries;
} period[] = {
	{ "nt4", 2, 0x633, 0x0080b13f, 0, 3 },
	{ "p5", 1, 0x543, 0x0080013f, 0, 2 },
	{ "p3", 2, 0x683, 0x0383b97f, 0x80000004, 8 },
};

Test(cpuid, period_models_show_their_part_and_nothing_else)
{
	struct kvm_cpuid2 *hosts[] = { HOST(intel_host), HOST(amd_host) };

	for (size_t h = 0; h < ARRAY_LEN(hosts); h++) {
		for (size_t i = 0; i < ARRAY_LEN(period); i++) {
			const struct expected *e = &period[i];
			struct kvm_cpuid2 *cpuid = build(e->name, hosts[h], 0, 1);

			cr_assert_eq(cpuid->nent, e->entries, "%s", e->name);
			cr_assert_eq(leaf(cpuid, 0)->eax, e->max_leaf);
			cr_assert_eq(leaf(cpuid, 0)->ebx, get_le32("Genu"));
			cr_assert_eq(leaf(cpuid, 0)->edx, get_le32("ineI"));
			cr_assert_eq(leaf(cpuid, 0)->ecx, get_le32("ntel"));
			cr_assert_eq(leaf(cpuid, 1)->eax, e->signature);
			cr_assert_eq(leaf(cpuid, 1)->ebx, 0);
			cr_assert_eq(leaf(cpuid, 1)->ecx, 0, "no hypervisor bit, no SSE3");
			cr_assert_eq(leaf(cpuid, 1)->edx, e->features, "%s: %x", e->name,
				     leaf(cpuid, 1)->edx);
			cr_assert_null(leaf(cpuid, 0x40000000));
			if (e->max_extended)
				cr_assert_eq(leaf(cpuid, 0x80000000)->eax, e->max_extended);
			else
				cr_assert_null(leaf(cpuid, 0x80000000));
			free(cpuid);
		}
	}
	free(hosts[0]);
	free(hosts[1]);
}

Test(cpuid, nt4_never_sees_a_leaf_above_3)
{
	struct kvm_cpuid2 *host = HOST(intel_host);
	struct kvm_cpuid2 *cpuid = build("nt4", host, 0, 1);

	cr_assert_leq(leaf(cpuid, 0)->eax, 3);
	cr_assert_eq(leaf(cpuid, 2)->eax, 0x03020101);
	cr_assert_eq(leaf(cpuid, 2)->edx, 0x0c040843);
	free(cpuid);
	free(host);
}

Test(cpuid, brand_string_is_the_models)
{
	struct kvm_cpuid2 *host = HOST(amd_host);
	struct kvm_cpuid2 *cpuid = build("p3", host, 0, 1);
	char brand[49] = "";

	for (uint32_t i = 0; i < 3; i++) {
		const struct kvm_cpuid_entry2 *entry = leaf(cpuid, 0x80000002 + i);

		memcpy(brand + 16 * i, &entry->eax, 4);
		memcpy(brand + 16 * i + 4, &entry->ebx, 4);
		memcpy(brand + 16 * i + 8, &entry->ecx, 4);
		memcpy(brand + 16 * i + 12, &entry->edx, 4);
	}
	cr_assert_str_eq(brand, "Intel(R) Pentium(R) III processor");
	cr_assert_eq(leaf(cpuid, 0x80000001)->edx, 0, "no 64-bit mode");
	free(cpuid);
	free(host);
}

Test(cpuid, period_apic_only_with_several_processors)
{
	struct kvm_cpuid2 *host = HOST(intel_host);

	for (size_t i = 0; i < ARRAY_LEN(period); i++) {
		for (unsigned int index = 0; index < 4; index++) {
			struct kvm_cpuid2 *cpuid = build(period[i].name, host, index, 4);

			cr_assert(leaf(cpuid, 1)->edx & BIT(9));
			cr_assert_eq(leaf(cpuid, 1)->ebx, index << 24);
			cr_assert_not(leaf(cpuid, 1)->edx & BIT(28), "no hyper-threading");
			free(cpuid);
		}
	}
	free(host);
}

Test(cpuid, missing_feature_is_named)
{
	struct kvm_cpuid2 *host = HOST(intel_host), *cpuid = table_of(NULL, 0);
	char error[200] = "";

	host->entries[1].edx &= ~BIT(15);
	cr_assert_eq(cpuid_build(cpu_model_find("nt4"), host, 0, 1, cpuid, ENTRIES_MAX, error,
				 sizeof(error)),
		     -ENOTSUP);
	cr_assert(strstr(error, "nt4") && strstr(error, "CMOV"), "%s", error);
	cr_assert_eq(cpuid_build(cpu_model_find("p5"), host, 0, 1, cpuid, ENTRIES_MAX, error,
				 sizeof(error)),
		     0, "p5 has no CMOV");
	free(cpuid);
	free(host);
}

Test(cpuid, vme_follows_the_host_and_kvms_own_features_do_not)
{
	struct kvm_cpuid2 *host = HOST(amd_host), *cpuid;

	host->entries[1].edx &= ~(BIT(1) | BIT(3) | BIT(5) | BIT(12));
	cpuid = build("nt4", host, 0, 1);
	cr_assert_eq(leaf(cpuid, 1)->edx, 0x0080b13f & ~BIT(1));
	free(cpuid);
	free(host);
}

Test(cpuid, too_small_a_table_is_an_error)
{
	struct kvm_cpuid2 *host = HOST(intel_host), *cpuid = table_of(NULL, 0);
	char error[200] = "";

	cr_assert_eq(cpuid_build(cpu_model_find("p3"), host, 0, 1, cpuid, 4, error, sizeof(error)),
		     -E2BIG);
	cr_assert_eq(cpuid->nent, 4);
	cr_assert_neq(error[0], '\0');
	free(cpuid);
	free(host);
}

Test(cpuid, host_shows_kvm_and_hides_nested_virtualisation)
{
	struct kvm_cpuid2 *intel = HOST(intel_host), *amd = HOST(amd_host), *cpuid;

	cpuid = build("host", intel, 0, 1);
	cr_assert_eq(leaf(cpuid, 0x40000000)->ebx, get_le32("KVMK"));
	cr_assert_eq(leaf(cpuid, 0x40000001)->eax, 0x01007afb);
	cr_assert(leaf(cpuid, 1)->ecx & BIT(31));
	cr_assert_not(leaf(cpuid, 1)->ecx & BIT(5), "VMX");
	cr_assert(leaf(cpuid, 1)->ecx & BIT(21), "x2APIC as KVM says");
	cr_assert_not(leaf(cpuid, 1)->edx & BIT(28));
	cr_assert_eq(leaf(cpuid, 7)->ebx, 0x9c6fbb);
	free(cpuid);
	cpuid = build("host", amd, 0, 1);
	cr_assert_not(leaf(cpuid, 0x80000001)->ecx & BIT(2), "SVM");
	cr_assert_eq(leaf(cpuid, 0x8000000a)->eax | leaf(cpuid, 0x8000000a)->edx, 0);
	free(cpuid);
	free(intel);
	free(amd);
}

Test(cpuid, host_topology_is_one_package_of_cores)
{
	struct kvm_cpuid2 *host = HOST(intel_host);

	for (unsigned int index = 0; index < 3; index++) {
		struct kvm_cpuid2 *cpuid = build("host", host, index, 3);
		const struct kvm_cpuid_entry2 *e = leaf(cpuid, 1);

		cr_assert_eq(e->ebx, 0x0800 | 4u << 16 | index << 24);
		cr_assert(e->edx & BIT(28));
		cr_assert_eq(leaf(cpuid, 4)->eax, 3u << 26 | 0x121, "%x", leaf(cpuid, 4)->eax);
		cr_assert_eq(leaf_at(cpuid, 4, 3)->eax, 3u << 26 | 3u << 14 | 0x163);
		e = leaf(cpuid, 0xb);
		cr_assert(e->eax == 0 && e->ebx == 1 && e->ecx == 0x100 && e->edx == index);
		e = leaf_at(cpuid, 0xb, 1);
		cr_assert(e->eax == 2 && e->ebx == 3 && e->ecx == 0x201 && e->edx == index);
		e = leaf_at(cpuid, 0xb, 2);
		cr_assert(e->eax == 0 && e->ebx == 0 && e->ecx == 2 && e->edx == index);
		cr_assert_null(leaf(cpuid, 0x1f));
		cr_assert_eq(leaf(cpuid, 0x80000008)->ecx, 0);
		for (uint32_t i = 0; i < cpuid->nent; i++)
			cr_assert_neq(cpuid->entries[i].edx, 99, "the host's own APIC id");
		free(cpuid);
	}
	free(host);
}

Test(cpuid, amd_topology_is_one_package_of_cores)
{
	struct kvm_cpuid2 *host = HOST(amd_host);
	struct kvm_cpuid2 *cpuid = build("host", host, 1, 2);
	const struct kvm_cpuid_entry2 *e;

	cr_assert_eq(leaf(cpuid, 0x80000008)->ecx, 1u << 12 | 1);
	cr_assert(leaf(cpuid, 0x80000001)->ecx & BIT(1), "CmpLegacy");
	e = leaf(cpuid, 0x8000001e);
	cr_assert(e->eax == 1 && e->ebx == 1 && e->ecx == 0);
	cr_assert_eq(leaf(cpuid, 0x8000001d)->eax, 0x121);
	cr_assert_eq(leaf_at(cpuid, 0x8000001d, 3)->eax, 0x163 | 1u << 14);
	cr_assert_eq(leaf_at(cpuid, 0xb, 1)->ebx, 2);
	free(cpuid);
	free(host);
}

Test(cpuid, names_are_found_and_nt4_comes_first)
{
	cr_assert_str_eq(cpu_models[0].name, "nt4");
	cr_assert_null(cpu_model_find("486sx"));
	for (const struct cpu_model *model = cpu_models; model->name; model++) {
		cr_assert_eq(cpu_model_find(model->name), model);
		cr_assert(model->summary && model->memory_max);
		cr_assert(model->host || strlen(model->vendor) == 12);
	}
}
