// SPDX-License-Identifier: GPL-2.0-or-later
#include "kvm.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../devmodel/io.h"
#include "../devmodel/timer.h"
#include "board_irqs.h"
#include "sandbox.h"

/*
 * Pages that Intel processors need for real mode (KVM_SET_TSS_ADDR: three pages,
 * KVM_SET_IDENTITY_MAP_ADDR: one). Below the largest firmware image and above the IOAPIC, where no
 * board has anything.
 */
#define IDENTITY_MAP_ADDR UINT64_C(0xfeffc000)
#define TSS_ADDR UINT64_C(0xfeffd000)

#define PIT_HZ 1193182
#define PIT_IRQ 0
/* A PIT whose ticks an HPET has taken over does not tick; nothing else sees that flag. */
#define PIT_STANDS ((uint32_t)KVM_PIT_FLAGS_HPET_LEGACY)

#define CPUID_1_ECX_VMX (1u << 5)
#define CPUID_80000001_ECX_SVM (1u << 2)

static int fail(char *error, size_t error_size, const char *what)
{
	int saved = errno;

	snprintf(error, error_size, "/dev/kvm: %s: %s", what, strerror(saved));
	return -saved;
}

static int create_vm(struct kvm *kvm, char *error, size_t error_size)
{
	uint64_t identity_map = IDENTITY_MAP_ADDR;
	int fd;

	fd = ioctl(kvm->fd, KVM_CREATE_VM, 0);
	if (fd < 0)
		return fail(error, error_size, "creating a virtual machine");
	kvm->vm_fd = sandbox_reserve_fd(fd, SANDBOX_FD_VM);
	if (kvm->vm_fd < 0)
		return kvm->vm_fd;
	/* Both matter to Intel hosts only and must come before the first vCPU. */
	if (ioctl(kvm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0 ||
	    ioctl(kvm->vm_fd, KVM_SET_TSS_ADDR, TSS_ADDR) < 0)
		return fail(error, error_size, "placing the task state segment");
	return 0;
}

static int create_chips(struct kvm *kvm, char *error, size_t error_size)
{
	/* Port 61h belongs to the kernel too: its timer's gate and output are there. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	if (ioctl(kvm->vm_fd, KVM_CREATE_IRQCHIP) < 0)
		return fail(error, error_size, "creating the interrupt controllers");
	if (ioctl(kvm->vm_fd, KVM_CREATE_PIT2, &pit) < 0)
		return fail(error, error_size, "creating the interval timer");
	return 0;
}

#define ROUTED_PINS 24
#define PIC_PINS 16

static void add_route(struct kvm_irq_routing *routing, uint32_t gsi, uint32_t chip, uint32_t pin)
{
	routing->entries[routing->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

/*
 * An ISA interrupt reaches the PIC's and the IOAPIC's pin of its number; the timer, whose PIC pin
 * leads nowhere else, reaches IOAPIC pin 2 (board_irqs.h).
 */
static int route_interrupts(struct kvm *kvm, char *error, size_t error_size)
{
	union {
		struct kvm_irq_routing header;
		char room[sizeof(struct kvm_irq_routing) +
			  (ROUTED_PINS + PIC_PINS) * sizeof(struct kvm_irq_routing_entry)];
	} routing = { .header = { 0 } };

	for (uint32_t gsi = 0; gsi < ROUTED_PINS; gsi++) {
		if (gsi < PIC_PINS && gsi != 2)
			add_route(&routing.header, gsi,
				  gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
				  gsi % 8);
		if (gsi == 0)
			add_route(&routing.header, gsi, KVM_IRQCHIP_IOAPIC, BOARD_IRQ0_PIN);
		else if (gsi != BOARD_IRQ0_PIN)
			add_route(&routing.header, gsi, KVM_IRQCHIP_IOAPIC, gsi);
	}
	if (ioctl(kvm->vm_fd, KVM_SET_GSI_ROUTING, &routing.header) < 0)
		return fail(error, error_size, "routing interrupts");
	return 0;
}

/* Unknown model-specific registers come to user space, which lets them pass (see vcpu.c). */
static int enable_capabilities(struct kvm *kvm, char *error, size_t error_size)
{
	struct kvm_enable_cap msr = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = { KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_INVAL },
	};

	if (ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_USER_SPACE_MSR) <= 0 ||
	    ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT) <= 0 ||
	    ioctl(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) <= 0) {
		snprintf(error, error_size,
			 "/dev/kvm: the kernel is too old; Linux 5.10 or newer is needed");
		return -ENOTSUP;
	}
	if (ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &msr) < 0)
		return fail(error, error_size, "asking for unknown registers");
	return 0;
}

bool kvm_processor_virtualises(uint32_t leaf1_ecx, uint32_t leaf80000001_ecx)
{
	return (leaf1_ecx & CPUID_1_ECX_VMX) || (leaf80000001_ecx & CPUID_80000001_ECX_SVM);
}

/*
 * A /dev/kvm without hardware under it exists (pagetable-based KVM on a rented virtual machine). It runs
 * kernels that were made for it and gives up on real mode, with which every guest of ours begins.
 */
static int check_processor(char *error, size_t error_size)
{
	uint32_t eax, ebx, edx, leaf1_ecx = 0, leaf80000001_ecx = 0;

	(void)__get_cpuid(1, &eax, &ebx, &leaf1_ecx, &edx);
	(void)__get_cpuid(0x80000001, &eax, &ebx, &leaf80000001_ecx, &edx);
	if (kvm_processor_virtualises(leaf1_ecx, leaf80000001_ecx))
		return 0;
	snprintf(error, error_size,
		 "/dev/kvm: this host's processor has neither VMX nor SVM, without which KVM "
		 "cannot run "
		 "a PC; allow nesting on the host below, or use another host");
	return -ENOTSUP;
}

int kvm_init(struct kvm *kvm, int kvm_fd, char *error, size_t error_size)
{
	int size, r;

	memset(kvm, 0, sizeof(*kvm));
	kvm->vm_fd = -1;
	kvm->fd = sandbox_reserve_fd(kvm_fd, SANDBOX_FD_KVM);
	if (kvm->fd < 0)
		return kvm->fd;
	if (ioctl(kvm->fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
		snprintf(error, error_size, "/dev/kvm: not KVM, or one of another age");
		return -ENOTTY;
	}
	r = check_processor(error, error_size);
	if (r < 0)
		return r;
	size = ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(struct kvm_run))
		return fail(error, error_size, "asking for the size of its shared area");
	kvm->run_bytes = (size_t)size;
	r = create_vm(kvm, error, error_size);
	if (r == 0)
		r = enable_capabilities(kvm, error, error_size);
	if (r == 0)
		r = create_chips(kvm, error, error_size);
	if (r == 0)
		r = route_interrupts(kvm, error, error_size);
	if (r < 0)
		return r;
	return 0;
}

void kvm_fini(struct kvm *kvm)
{
	kvm->vm_fd = fd_close(kvm->vm_fd);
	kvm->fd = fd_close(kvm->fd);
}

int kvm_set_pit_policy(const struct kvm *kvm, bool catch_up, char *error, size_t error_size)
{
	struct kvm_reinject_control control = { .pit_reinject = catch_up };

	/* KVM does so by itself. */
	if (kvm->vm_fd < 0 || catch_up)
		return 0;
	if (ioctl(kvm->vm_fd, KVM_REINJECT_CONTROL, &control) < 0)
		return fail(error, error_size, "choosing what becomes of late timer ticks");
	return 0;
}

void kvm_irq_line(const struct kvm *kvm, unsigned int irq, bool level)
{
	struct kvm_irq_level line = { .irq = irq, .level = level };

	/* It can fail for a wrong number alone. */
	if (kvm->vm_fd >= 0)
		(void)ioctl(kvm->vm_fd, KVM_IRQ_LINE, &line);
}

static int get_chips(const struct kvm *kvm, struct kvm_irqchips *chips)
{
	if (kvm->vm_fd < 0)
		return 0;
	chips->pic[0].chip_id = KVM_IRQCHIP_PIC_MASTER;
	chips->pic[1].chip_id = KVM_IRQCHIP_PIC_SLAVE;
	chips->ioapic.chip_id = KVM_IRQCHIP_IOAPIC;
	if (ioctl(kvm->vm_fd, KVM_GET_IRQCHIP, &chips->pic[0]) < 0 ||
	    ioctl(kvm->vm_fd, KVM_GET_IRQCHIP, &chips->pic[1]) < 0 ||
	    ioctl(kvm->vm_fd, KVM_GET_IRQCHIP, &chips->ioapic) < 0 ||
	    ioctl(kvm->vm_fd, KVM_GET_PIT2, &chips->pit) < 0)
		return -errno;
	return 0;
}

int kvm_capture_reset_chips(struct kvm *kvm)
{
	return get_chips(kvm, &kvm->reset_chips);
}

static int set_chips(const struct kvm *kvm, const struct kvm_irqchips *from)
{
	struct kvm_irqchips copy = *from, *chips = &copy;

	if (kvm->vm_fd < 0)
		return 0;
	if (ioctl(kvm->vm_fd, KVM_SET_IRQCHIP, &chips->pic[0]) < 0 ||
	    ioctl(kvm->vm_fd, KVM_SET_IRQCHIP, &chips->pic[1]) < 0 ||
	    ioctl(kvm->vm_fd, KVM_SET_IRQCHIP, &chips->ioapic) < 0 ||
	    ioctl(kvm->vm_fd, KVM_SET_PIT2, &chips->pit) < 0)
		return -errno;
	return 0;
}

void kvm_reset_chips(struct kvm *kvm)
{
	(void)set_chips(kvm, &kvm->reset_chips);
}

int kvm_save_chips(const struct kvm *kvm, struct kvm_chips_image *ret_image)
{
	struct kvm_clock_data clock = { 0 };
	int r = get_chips(kvm, &ret_image->chips);

	/* While the machine stands, the timer is the one that was put aside. */
	ret_image->chips.pit = kvm->paused_pit;
	if (r == 0 && kvm->vm_fd >= 0 && ioctl(kvm->vm_fd, KVM_GET_CLOCK, &clock) < 0)
		r = -errno;
	ret_image->clock_ns = clock.clock;
	return r;
}

int kvm_load_chips(struct kvm *kvm, const struct kvm_chips_image *image)
{
	struct kvm_clock_data clock = { .clock = image->clock_ns };
	struct kvm_irqchips chips = image->chips;
	int r;

	/* Which is which is not the file's to say. */
	chips.pic[0].chip_id = KVM_IRQCHIP_PIC_MASTER;
	chips.pic[1].chip_id = KVM_IRQCHIP_PIC_SLAVE;
	chips.ioapic.chip_id = KVM_IRQCHIP_IOAPIC;
	chips.pit.flags |= PIT_STANDS;
	r = set_chips(kvm, &chips);
	if (r == 0 && kvm->vm_fd >= 0 && ioctl(kvm->vm_fd, KVM_SET_CLOCK, &clock) < 0)
		r = -errno;
	kvm->paused_pit = chips.pit;
	kvm->paused_pit.flags &= ~PIT_STANDS;
	return r;
}

void kvm_pause_pit(struct kvm *kvm)
{
	struct kvm_pit_state2 standing;

	if (kvm->vm_fd < 0 || ioctl(kvm->vm_fd, KVM_GET_PIT2, &kvm->paused_pit) < 0)
		return;
	kvm->paused_pit.flags &= ~PIT_STANDS;
	standing = kvm->paused_pit;
	standing.flags |= PIT_STANDS;
	(void)ioctl(kvm->vm_fd, KVM_SET_PIT2, &standing);
}

uint64_t kvm_resume_pit(struct kvm *kvm)
{
	const struct kvm_pit_channel_state *channel = &kvm->paused_pit.channels[0];
	bool periodic = channel->mode == 2 || channel->mode == 3, taken;
	struct kvm_irq_level tick = { .irq = PIT_IRQ, .level = 1 };

	if (kvm->vm_fd < 0)
		return 0;
	(void)ioctl(kvm->vm_fd, KVM_SET_PIT2, &kvm->paused_pit);
	if (!periodic)
		return 0;
	/*
	 * A tick that still waits takes another one in: then there is none to give, and little of the period has
	 * passed, since a guest that runs takes its ticks at once.
	 */
	taken = ioctl(kvm->vm_fd, KVM_IRQ_LINE_STATUS, &tick) < 0 || tick.status != 0;
	kvm_irq_line(kvm, PIT_IRQ, false);
	if (!taken)
		return 0;
	return (channel->count ? channel->count : 0x10000) * NSEC_PER_SEC / PIT_HZ;
}

void kvm_doorbell(const struct kvm *kvm, const struct io_region *region, uint16_t offset, int fd,
		  bool on)
{
	struct kvm_ioeventfd doorbell = {
		.addr = region->base + offset,
		.len = 4,
		.fd = fd,
		.flags = (region->desc->space == IO_PORT ? KVM_IOEVENTFD_FLAG_PIO : 0) |
			 (on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	/* Where it fails the write is an exit like any other. */
	if (kvm->vm_fd >= 0)
		(void)ioctl(kvm->vm_fd, KVM_IOEVENTFD, &doorbell);
}
