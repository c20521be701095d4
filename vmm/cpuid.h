/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Period processors as tables: what CPUID shows, by model name. */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm_cpuid2;

#define CPU_FEATURE_APIC (1u << 9) /* of leaf 1 EDX */

struct cpu_model {
	const char *name;    /* "nt4"; NULL ends the table */
	const char *summary; /* one line for --help */
	bool host;	     /* what KVM supports, passed through */
	/*
	 * Shows the local APIC even with one processor. Where it is to be hidden, KVM must also be
	 * given an IA32_APIC_BASE without its enable bit: it shows the feature as that bit says.
	 */
	bool apic;
	/* The largest guest memory that this model's systems can be given, bytes. */
	uint64_t memory_max;
	uint32_t max_leaf, max_extended_leaf;
	uint32_t signature; /* leaf 1 EAX */
	uint32_t features;  /* leaf 1 EDX, without APIC */
	uint32_t cache[4];  /* leaf 2 */
	const char *vendor; /* 12 characters */
	const char *brand;  /* leaves 80000002h to 80000004h, or NULL */
};

extern const struct cpu_model cpu_models[];

/* NULL: no such model. */
const struct cpu_model *cpu_model_find(const char *name);

/* Whether processors of @model in a machine of @count have a local APIC that the guest can see. */
static inline bool cpu_model_has_apic(const struct cpu_model *model, unsigned int count)
{
	return model->apic || count > 1;
}

/* Adds to what KVM supports. */
void cpuid_offer_tsc_deadline(struct kvm_cpuid2 *supported);

/*
 * Fills @ret_cpuid, which has room for @max entries, for processor @index of @count. @supported is
 * what KVM_GET_SUPPORTED_CPUID gave: bits of a period model that the host lacks are an error
 * (-ENOTSUP, the feature's name in @error), never silently dropped, but for VME and PSE-like bits
 * that KVM emulates.
 */
int cpuid_build(const struct cpu_model *model, const struct kvm_cpuid2 *supported,
		unsigned int index, unsigned int count, struct kvm_cpuid2 *ret_cpuid, size_t max,
		char *error, size_t error_size);

#endif
