// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshot_records.h"

#include <string.h>

#include "../base/bits.h"
#include "../devmodel/timer.h"

static const struct state_field machine_fields[] = {
	STATE_FIELD(struct machine_record, memory_bytes),
	STATE_FIELD(struct machine_record, clock_ns, .max = INT64_MAX),
	STATE_FIELD(struct machine_record, wall_s),
	STATE_FIELD(struct machine_record, resets),
	STATE_FIELD(struct machine_record, board),
	STATE_FIELD(struct machine_record, cpus, .max = VM_CPUS_MAX),
	STATE_FIELD(struct machine_record, tsc_khz),
	STATE_FIELD(struct machine_record, wall_ns, .max = NSEC_PER_SEC - 1),
	STATE_FIELD(struct machine_record, suspended, .max = 1),
	STATE_ARRAY(struct machine_record, cpu_model, .max = 126),
	STATE_END,
};

const struct device_class machine_record_class = {
	.name = "machine",
	DEVICE_STATE(struct machine_record),
	.fields = machine_fields,
};

static const struct state_field disk_fields[] = {
	STATE_SUBFIELD(struct disk_record, size_bytes),
	STATE_SUBFIELD(struct disk_record, file_bytes),
	STATE_SUBFIELD(struct disk_record, changed_s),
	STATE_SUBFIELD(struct disk_record, changed_ns),
	STATE_SUBARRAY(struct disk_record, serial, .max = 126),
	STATE_END,
};

static const struct state_field disks_fields[] = {
	STATE_STRUCTS(struct disks_record, disk, disk_fields),
	STATE_END,
};

const struct device_class disks_record_class = {
	.name = "disks",
	DEVICE_STATE(struct disks_record),
	.fields = disks_fields,
};

static const struct state_field chips_fields[] = {
	STATE_FIELD(struct chips_record, clock_ns), STATE_ARRAY(struct chips_record, pic0),
	STATE_ARRAY(struct chips_record, pic1),	    STATE_ARRAY(struct chips_record, ioapic),
	STATE_ARRAY(struct chips_record, pit),	    STATE_END,
};

const struct device_class chips_record_class = {
	.name = "chips",
	DEVICE_STATE(struct chips_record),
	.fields = chips_fields,
};

static const struct state_field vcpu_fields[] = {
	STATE_ARRAY(struct vcpu_record, msr_value),
	STATE_FIELD(struct vcpu_record, tsc),
	STATE_ARRAY(struct vcpu_record, msr_index),
	STATE_FIELD(struct vcpu_record, msr_count, .max = VCPU_MSRS_MAX),
	STATE_FIELD(struct vcpu_record, has_xsave, .max = 1),
	STATE_FIELD(struct vcpu_record, has_tsc, .max = 1),
	STATE_ARRAY(struct vcpu_record, regs),
	STATE_ARRAY(struct vcpu_record, sregs),
	STATE_ARRAY(struct vcpu_record, fpu),
	STATE_ARRAY(struct vcpu_record, xsave),
	STATE_ARRAY(struct vcpu_record, xcrs),
	STATE_ARRAY(struct vcpu_record, debugregs),
	STATE_ARRAY(struct vcpu_record, events),
	STATE_ARRAY(struct vcpu_record, mp_state),
	STATE_ARRAY(struct vcpu_record, lapic),
	STATE_END,
};

const struct device_class vcpu_record_class = {
	.name = "vcpu",
	DEVICE_STATE(struct vcpu_record),
	.fields = vcpu_fields,
};

/* --- between KVM's structs and records */

/* Where a struct of KVM's is in a record and in its image. */
struct copied {
	size_t record, image, size;
};

#define COPIED(record_type, image_type, field, path)                                               \
	{                                                                                          \
		offsetof(record_type, s.field), offsetof(image_type, path),                        \
			sizeof(((record_type *)0)->s.field)                                        \
	}
#define CHIP(field, path) COPIED(struct chips_record, struct kvm_chips_image, field, path)
#define VCPU(field, path) COPIED(struct vcpu_record, struct vcpu_image, field, path)

static const struct copied chips_copied[] = {
	CHIP(clock_ns, clock_ns),   CHIP(pic0, chips.pic[0]), CHIP(pic1, chips.pic[1]),
	CHIP(ioapic, chips.ioapic), CHIP(pit, chips.pit),
};

static const struct copied vcpu_copied[] = {
	VCPU(regs, state.regs),	    VCPU(sregs, state.sregs),
	VCPU(fpu, state.fpu),	    VCPU(xsave, xsave),
	VCPU(xcrs, state.xcrs),	    VCPU(debugregs, state.debugregs),
	VCPU(events, state.events), VCPU(mp_state, state.mp_state),
	VCPU(lapic, state.lapic),   VCPU(tsc, tsc),
};

static void copy_all(const struct copied *copied, size_t count, char *record, char *image,
		     bool to_record)
{
	for (; count--; copied++) {
		if (to_record)
			memcpy(record + copied->record, image + copied->image, copied->size);
		else
			memcpy(image + copied->image, record + copied->record, copied->size);
	}
}

void chips_record_fill(struct chips_record *record, const struct kvm_chips_image *image)
{
	copy_all(chips_copied, ARRAY_LEN(chips_copied), (char *)record, (char *)image, true);
}

void chips_record_read(const struct chips_record *record, struct kvm_chips_image *ret_image)
{
	copy_all(chips_copied, ARRAY_LEN(chips_copied), (char *)record, (char *)ret_image, false);
}

void vcpu_record_fill(struct vcpu_record *record, const struct vcpu_image *image)
{
	const struct vcpu_msrs *msrs = &image->state.msrs;

	copy_all(vcpu_copied, ARRAY_LEN(vcpu_copied), (char *)record, (char *)image, true);
	record->s.has_xsave = image->has_xsave;
	record->s.has_tsc = image->has_tsc;
	record->s.msr_count = msrs->nmsrs;
	for (uint32_t i = 0; i < msrs->nmsrs; i++) {
		record->s.msr_index[i] = msrs->entries[i].index;
		record->s.msr_value[i] = msrs->entries[i].data;
	}
}

void vcpu_record_read(const struct vcpu_record *record, struct vcpu_image *ret_image)
{
	struct vcpu_msrs *msrs = &ret_image->state.msrs;

	memset(ret_image, 0, sizeof(*ret_image));
	copy_all(vcpu_copied, ARRAY_LEN(vcpu_copied), (char *)record, (char *)ret_image, false);
	ret_image->has_xsave = record->s.has_xsave;
	ret_image->has_tsc = record->s.has_tsc;
	if (ret_image->state.xcrs.nr_xcrs > KVM_MAX_XCRS)
		ret_image->state.xcrs.nr_xcrs = KVM_MAX_XCRS;
	msrs->nmsrs = record->s.msr_count;
	for (uint32_t i = 0; i < record->s.msr_count; i++) {
		msrs->entries[i].index = record->s.msr_index[i];
		msrs->entries[i].data = record->s.msr_value[i];
	}
}
