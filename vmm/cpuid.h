/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Period processors as tables: what CPUID shows, by model name. */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm_cpuid2;

struct cpu_model {
	const char *name;    /* "nt4"; NULL ends the table */
	const char *summary; /* one line for --help */
	bool host;	     /* what KVM supports, passed through */
	bool apic;	     /* shows the local APIC even with one processor */
	/* The largest guest memory that this model's systems can be given, bytes. */
	uint64_t memory_max;
	uint32_t max_leaf, max_extended_leaf;
	uint32_t signature;  /* leaf 1 EAX */
	uint32_t features;   /* leaf 1 EDX, without APIC */
	uint32_t cache[4];   /* leaf 2 */
	const char *vendor;  /* 12 characters */
	const char *brand;   /* leaves 80000002h to 80000004h, or NULL */
};

extern const struct cpu_model cpu_models[];

/* NULL: no such model. */
const struct cpu_model *cpu_model_find(const char *name);

/*
 * Fills @ret_cpuid, which has room for @max entries, for processor @index of @count. @supported is what
 * KVM_GET_SUPPORTED_CPUID gave: bits of a period model that the host lacks are an error (-ENOTSUP, the
 * feature's name in @error), never silently dropped, but for VME and PSE-like bits that KVM emulates.
 */
int cpuid_build(const struct cpu_model *model, const struct kvm_cpuid2 *supported,
		unsigned int index, unsigned int count, struct kvm_cpuid2 *ret_cpuid, size_t max,
		char *error, size_t error_size);

#endif
