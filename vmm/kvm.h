/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual machine as KVM knows it: descriptors, the in-kernel interrupt controllers and timer.
 *
 * Source: Documentation/virt/kvm/api.rst of Linux 6.1.
 */
#ifndef VMM_KVM_H
#define VMM_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct io_region;

/* What a hard reset brings the kernel's chips back to. */
struct kvm_irqchips {
	struct kvm_irqchip pic[2], ioapic;
	struct kvm_pit_state2 pit;
};

/* A device test port has none: vm_fd is -1, and the functions below kvm_init() do nothing then. */
struct kvm {
	int fd;		  /* SANDBOX_FD_KVM; closed once the machine is built */
	int vm_fd;	  /* SANDBOX_FD_VM */
	size_t run_bytes; /* size of a vCPU's shared area */
	struct kvm_irqchips reset_chips;
	struct kvm_pit_state2 paused_pit;
};

/* Whether a processor with these words of CPUID (Intel SDM 2A and AMD APM 3, CPUID) can run guests in hardware. */
bool kvm_processor_virtualises(uint32_t leaf1_ecx, uint32_t leaf80000001_ecx);

/*
 * Creates the VM behind @kvm_fd (an open /dev/kvm, owned from now on) with in-kernel PIC, IOAPIC,
 * local APICs and PIT. 0, or -errno with one line in @error.
 */
int kvm_init(struct kvm *kvm, int kvm_fd, char *error, size_t error_size);
void kvm_fini(struct kvm *kvm);

/* Whether ticks of the interval timer that came too fast for the guest are made up for. */
int kvm_set_pit_policy(const struct kvm *kvm, bool catch_up, char *error, size_t error_size);

/* ISA interrupt @irq of both PIC and IOAPIC. */
void kvm_irq_line(const struct kvm *kvm, unsigned int irq, bool level);

/* The chips as they are now become those that kvm_reset_chips() brings back. */
int kvm_capture_reset_chips(struct kvm *kvm);
void kvm_reset_chips(struct kvm *kvm);

/* The chips and the clock that guests can read from KVM, for a saved state. 0 or -errno. */
struct kvm_chips_image {
	struct kvm_irqchips chips;
	uint64_t clock_ns; /* kvmclock */
};
int kvm_save_chips(const struct kvm *kvm, struct kvm_chips_image *ret_image);
/* After the vCPUs' local APICs: what waits in the IOAPIC reaches them. */
int kvm_load_chips(struct kvm *kvm, const struct kvm_chips_image *image);

/*
 * The PIT ticks by itself: it is put aside, and stops, for a pause. When it goes on, a new period begins with the tick of
 * the one that was interrupted, unless the guest still has one to take. Returns the period in ns; 0 when no tick was
 * given.
 */
void kvm_pause_pit(struct kvm *kvm);
uint64_t kvm_resume_pit(struct kvm *kvm);

/*
 * Dword writes at @offset of @region, which is mapped, ring @fd instead of leaving to us, from now on or
 * no more.
 */
void kvm_doorbell(const struct kvm *kvm, const struct io_region *region, uint16_t offset, int fd,
		  bool on);

#endif
