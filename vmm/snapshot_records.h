/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a saved state knows beside the devices, as records: a struct with a field table, exactly as a
 * device's state is one, so that naming, ranges and older versions are the business of devmodel/state.c.
 */
#ifndef VMM_SNAPSHOT_RECORDS_H
#define VMM_SNAPSHOT_RECORDS_H

#include "../devmodel/device.h"
#include "config.h"
#include "kvm.h"
#include "vcpu_state.h"

struct machine_record_state {
	uint64_t memory_bytes;
	uint64_t clock_ns; /* virtual time */
	int64_t wall_s;	   /* the guest's wall clock */
	uint64_t resets;
	uint32_t board;
	uint32_t cpus;
	uint32_t tsc_khz;
	uint32_t wall_ns;  /* of the wall clock's second */
	uint8_t suspended; /* asleep (S3) */
	uint8_t cpu_model[15];
};

struct machine_record {
	struct device dev;
	struct machine_record_state s;
};

/* A disk, by what tells whether it is the same and unchanged. */
struct disk_record {
	uint64_t size_bytes; /* as the guest sees it; 0: no disk */
	uint64_t file_bytes;
	int64_t changed_s; /* the file's last change */
	uint32_t changed_ns;
	uint8_t serial[20];
};

struct disks_record_state {
	struct disk_record disk[VM_DISKS_MAX]; /* by slot */
};

struct disks_record {
	struct device dev;
	struct disks_record_state s;
};

struct chips_record_state {
	uint64_t clock_ns;
	uint8_t pic0[sizeof(struct kvm_irqchip)];
	uint8_t pic1[sizeof(struct kvm_irqchip)];
	uint8_t ioapic[sizeof(struct kvm_irqchip)];
	uint8_t pit[sizeof(struct kvm_pit_state2)];
};

struct chips_record {
	struct device dev;
	struct chips_record_state s;
};

struct vcpu_record_state {
	uint64_t msr_value[VCPU_MSRS_MAX];
	uint64_t tsc;
	uint32_t msr_index[VCPU_MSRS_MAX];
	uint32_t msr_count;
	uint8_t has_xsave, has_tsc;
	uint8_t regs[sizeof(struct kvm_regs)];
	uint8_t sregs[sizeof(struct kvm_sregs)];
	uint8_t fpu[sizeof(struct kvm_fpu)];
	uint8_t xsave[sizeof(struct kvm_xsave)];
	uint8_t xcrs[sizeof(struct kvm_xcrs)];
	uint8_t debugregs[sizeof(struct kvm_debugregs)];
	uint8_t events[sizeof(struct kvm_vcpu_events)];
	uint8_t mp_state[sizeof(struct kvm_mp_state)];
	uint8_t lapic[sizeof(struct kvm_lapic_state)];
};

struct vcpu_record {
	struct device dev;
	struct vcpu_record_state s;
};

extern const struct device_class machine_record_class, disks_record_class, chips_record_class,
	vcpu_record_class;

void chips_record_fill(struct chips_record *record, const struct kvm_chips_image *image);
void chips_record_read(const struct chips_record *record, struct kvm_chips_image *ret_image);
void vcpu_record_fill(struct vcpu_record *record, const struct vcpu_image *image);
void vcpu_record_read(const struct vcpu_record *record, struct vcpu_image *ret_image);

#endif
