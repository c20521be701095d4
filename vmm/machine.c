// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Devices ask the machine for things (reset, power off, another memory map) in the middle of an
 * access. The request is noted and carried out by settle() when the access is over, still under the
 * lock, by the thread that made the access: a vCPU's, or the loop's after timers and commands.
 */
#include "machine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "../base/parse.h"
#include "../devmodel/device.h"
#include "../devmodel/i440bx.h"
#include "../devmodel/mc146818.h"
#include "../devmodel/pci.h"
#include "../devmodel/piix4_pm.h"
#include "blockio.h"
#include "chardev.h"
#include "config.h"
#include "cpuid.h"
#include "desk.h"
#include "firmware.h"
#include "linux_boot.h"
#include "loop.h"
#include "netport.h"
#include "machine_impl.h"
#include "save.h"
#include "save_session.h"
#include "save_writer.h"
#include "snapshot.h"
#include "stats.h"
#include "video.h"
#include "timekeeping.h"

#define GUEST_LOG_BURST 10
#define GUEST_LOG_INTERVAL_NS (10 * NSEC_PER_SEC)

/* CMOS byte 0Fh: how the firmware goes on after a reset of the processor alone. */
#define SHUTDOWN_CODE_EOI_JUMP 0x05
#define SHUTDOWN_CODE_JUMP 0x0a
#define SHUTDOWN_CODE_IRET 0x0b
#define SHUTDOWN_CODE_RETF 0x0c
#define SHUTDOWN_CODE_RESUME 0xfe

/* --- what devices get */

static struct machine *machine_of(struct device_env *env)
{
	return container_of(env, struct machine, env);
}

static void env_request(struct device_env *env, enum machine_request request)
{
	static const uint32_t pending[] = {
		[REQUEST_RESET_HARD] = PENDING_RESET_HARD,
		[REQUEST_RESET_INIT] = PENDING_RESET_INIT,
		[REQUEST_POWER_OFF] = PENDING_POWER_OFF,
		[REQUEST_SUSPEND] = PENDING_SUSPEND,
	};

	machine_of(env)->pending |= pending[request];
}

static void env_memory_changed(struct device_env *env)
{
	machine_of(env)->pending |= PENDING_MEMORY;
}

/* KVM's processors have no A20 gate; every system that runs here works with A20 open. */
static void env_a20_changed(struct device_env *env, struct device *dev, bool enabled)
{
	(void)env;
	(void)dev;
	(void)enabled;
}

static void guest_vlog(struct machine *machine, const char *name, const char *format, va_list args)
{
	struct log_limit *limit = &machine->guest_log_limit;
	char text[256];

	if (!log_limit_pass(limit, clock_now(&machine->clock)))
		return;
	vsnprintf(text, sizeof(text), format, args);
	if (limit->suppressed)
		log_warning("%s: %s (%llu such lines left out)", name, text,
			    (unsigned long long)limit->suppressed);
	else
		log_warning("%s: %s", name, text);
	limit->suppressed = 0;
}

static __attribute__((format(printf, 3, 4))) void
guest_log(struct machine *machine, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	guest_vlog(machine, name, format, args);
	va_end(args);
}

static void env_guest_log(struct device_env *env, const struct device *dev, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	guest_vlog(machine_of(env), dev->name, format, args);
	va_end(args);
}

static void env_poll_wait(struct device_env *env, struct device *dev)
{
	(void)dev;
	vcpus_rest(&machine_of(env)->vcpus);
}

static void env_poll_done(struct device_env *env, struct device *dev)
{
	(void)dev;
	vcpus_rested(&machine_of(env)->vcpus);
}

static bool env_get_registers(struct device_env *env, struct device_registers *ret_registers)
{
	return vcpus_get_registers(&machine_of(env)->vcpus, ret_registers);
}

static void env_set_registers(struct device_env *env, const struct device_registers *registers)
{
	vcpus_set_registers(&machine_of(env)->vcpus, registers);
}

static int64_t env_wall_clock(struct device_env *env)
{
	return time_wall_ns(machine_of(env)) / (int64_t)NSEC_PER_SEC;
}

static void isa_irq_changed(void *opaque, unsigned int n, bool level)
{
	struct machine *machine = opaque;

	kvm_irq_line(&machine->kvm, n, level);
	if (machine->watcher.irq)
		machine->watcher.irq(machine->watcher.opaque, n, level);
}

static void io_changed(struct io_bus *bus, struct io_region *region, bool mapped)
{
	struct machine *machine = container_of(bus, struct machine, io);

	if (region->desc->flags & IO_POSTED)
		posted_region(&machine->posted, region, mapped);
	if (region->desc->doorbells)
		doorbells_moved(&machine->doorbells, region, mapped);
}

/* --- time */

static uint64_t timers_now(struct timer_queue *queue)
{
	return clock_now(&container_of(queue, struct machine, timers)->clock);
}

static void timers_program(struct timer_queue *queue, uint64_t deadline_ns)
{
	struct machine *machine = container_of(queue, struct machine, timers);
	struct itimerspec when = { 0 };

	/* While paused nothing is due; resuming programs it again. */
	if (!machine->clock.running)
		return;
	if (deadline_ns != TIMER_OFF) {
		uint64_t at = clock_to_monotonic(&machine->clock, deadline_ns);

		/* All zeros would mean never. */
		if (!at)
			at = 1;
		when.it_value.tv_sec = (time_t)(at / NSEC_PER_SEC);
		when.it_value.tv_nsec = (long)(at % NSEC_PER_SEC);
	}
	(void)timerfd_settime(machine->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void settle(struct machine *machine, struct vcpu *self);

static void timers_due(void *opaque, uint32_t events)
{
	struct machine *machine = opaque;

	(void)events;
	/* It may have been programmed for later since it woke us, which does no harm, or the machine paused. */
	if (!machine->clock.running)
		return;
	timer_queue_run(&machine->timers, clock_now(&machine->clock));
	settle(machine, NULL);
}

/* --- carrying out requests */

static const struct memslots *memslots_of(const struct machine *machine)
{
	return machine->vcpus.count ? &machine->memslots : NULL;
}

static void sync_adapter(struct machine *machine)
{
	video_sync(memslots_of(machine), &machine->memory, machine->board.adapter);
}

/* The adapter is brought up to what the guest has done; who looks need not wait for much work of the engine's. */
static void sync_display(struct display *display)
{
	struct machine *machine = container_of(display, struct machine, board.display);

	vcpus_drain_posted_for_now(&machine->vcpus);
	sync_adapter(machine);
}

void machine_memory_map_changed(struct machine *machine)
{
	struct i440bx_memory bridge;
	int r;

	vcpus_drain_posted(&machine->vcpus);
	sync_adapter(machine);
	i440bx_memory(machine->board.host_bridge, &bridge);
	memcpy(machine->memory.layout.pam, bridge.pam, sizeof(machine->memory.layout.pam));
	machine->memory.layout.hole_base = bridge.fdhc == I440BX_HOLE_15M_16M ? MIB(15) : KIB(512);
	machine->memory.layout.hole_bytes = bridge.fdhc == I440BX_HOLE_NONE	 ? 0
					    : bridge.fdhc == I440BX_HOLE_15M_16M ? MIB(1)
										 : KIB(128);
	video_apertures(&machine->memory, machine->board.adapter);
	/* Nothing runs in SMM here: SMRAM is seen while it is open to all, TSEG never. */
	machine->memory.layout.smram_open =
		bridge.smram_enabled && bridge.smram_open && !bridge.smram_high;
	machine->memory.layout.tseg_bytes =
		bridge.smram_enabled && !bridge.smram_open ? bridge.tseg * KIB(128) : 0;
	memory_remap(&machine->memory);
	r = memslot_update(&machine->memslots, &machine->memory);
	if (r < 0)
		log_error("%s: the memory map cannot be changed: %s", machine->config->name,
			  strerror(-r));
}

static void reset_hard(struct machine *machine, enum reset_kind kind)
{
	vcpus_forget_posted(&machine->vcpus);
	for (unsigned int i = 0; i < machine->board.count; i++)
		device_reset(machine->board.devices[i], kind);
	kvm_reset_chips(&machine->kvm);
	timer_queue_changed(&machine->timers);
	machine_memory_map_changed(machine);
	vcpus_reset(&machine->vcpus, VCPU_RESET_HARD);
	/* What devices asked for before the reset, or because of it, is done with. */
	machine->pending = 0;
	machine->resets += kind == RESET_HARD;
}

/*
 * INIT of the processors leaves chipset and memory alone, and the firmware goes on where the
 * shutdown code in CMOS says. For any other code it would reboot in a roundabout way: do that at
 * once.
 */
static void reset_init(struct machine *machine)
{
	switch (mc146818_shutdown_code(machine->board.rtc)) {
	case SHUTDOWN_CODE_EOI_JUMP:
	case SHUTDOWN_CODE_JUMP:
	case SHUTDOWN_CODE_IRET:
	case SHUTDOWN_CODE_RETF:
		vcpus_reset(&machine->vcpus, VCPU_RESET_INIT);
		break;
	default:
		reset_hard(machine, RESET_HARD);
		break;
	}
}

void machine_hear(struct machine *machine, bool hears)
{
	if (machine->doorbells.running == hears)
		return;
	doorbells_set_running(&machine->doorbells, hears);
	netports_set_running(machine->board.nics, hears);
}

static void set_state(struct machine *machine, enum machine_state state)
{
	machine->state = state;
	machine_hear(machine, state == MACHINE_RUNNING);
}

static void quit_loop(struct loop_post *post)
{
	loop_quit(container_of(post, struct machine, ended)->loop, 0);
}

/* The guest stops for good; the loop ends as soon as it comes round. */
static void end(struct machine *machine, const struct vcpu *self)
{
	if (machine->state == MACHINE_ENDED)
		return;
	set_state(machine, MACHINE_ENDED);
	vcpus_hold(&machine->vcpus, self);
	loop_post(machine->loop, &machine->ended);
}

static void sleep_until_woken(struct machine *machine, const struct vcpu *self)
{
	if (machine->state != MACHINE_RUNNING)
		return;
	set_state(machine, MACHINE_SUSPENDED);
	/* Tells the firmware, when it starts again, to look for the system's waking vector. */
	mc146818_set_shutdown_code(machine->board.rtc, SHUTDOWN_CODE_RESUME);
	vcpus_hold(&machine->vcpus, self);
	save_machine_sleeps(machine);
}

static void wake(struct machine *machine)
{
	reset_hard(machine, RESET_SLEEP);
	set_state(machine, MACHINE_RUNNING);
	vcpus_release(&machine->vcpus);
}

static void settle_slowly(struct machine *machine, const struct vcpu *self)
{
	uint32_t pending = machine->pending;

	machine->pending = 0;
	if (pending & PENDING_POWER_OFF) {
		end(machine, self);
		return;
	}
	vcpus_hold(&machine->vcpus, self);
	if (pending & PENDING_RESET_HARD)
		reset_hard(machine, RESET_HARD);
	else if (pending & PENDING_RESET_INIT)
		reset_init(machine);
	else if (pending & PENDING_SUSPEND)
		sleep_until_woken(machine, self);
	if (pending & PENDING_MEMORY)
		machine_memory_map_changed(machine);
	vcpus_release(&machine->vcpus);
}

static void settle(struct machine *machine, struct vcpu *self)
{
	if (machine->state == MACHINE_SUSPENDED && piix4_pm_wake_pending(machine->board.pm))
		wake(machine);
	while (machine->pending)
		settle_slowly(machine, self);
}

static void vcpu_settle(struct vcpu_set *set, struct vcpu *vcpu)
{
	struct machine *machine = container_of(set, struct machine, vcpus);

	if (machine->pending)
		settle(machine, vcpu);
}

static void vcpu_event(struct vcpu_set *set, struct vcpu *vcpu, enum vcpu_event event)
{
	struct machine *machine = container_of(set, struct machine, vcpus);

	(void)vcpu;
	if (event == VCPU_TRIPLE_FAULT) {
		machine->pending |= PENDING_RESET_INIT;
		return;
	}
	/* The line that says why is out already. Somebody may look at the machine, or reset it. */
	if (machine->state == MACHINE_RUNNING) {
		log_error("%s: paused; 'mainstay reset' starts the guest again",
			  machine->config->name);
		set_state(machine, MACHINE_PAUSED);
		vcpus_hold(set, vcpu);
		time_stop(machine);
	}
}

/* What the guest was is gone with its memory. */
static void vcpu_memory_lost(struct vcpu_set *set)
{
	struct machine *machine = container_of(set, struct machine, vcpus);

	if (machine->state == MACHINE_ENDED)
		return;
	memory_tell_loss();
	set_state(machine, MACHINE_ENDED);
	atomic_fetch_add(&set->held, 1);
	loop_quit(machine->loop, EXIT_FAILURE);
}

/* Whether the guest has used register @index before; those beyond the table's room count as used. */
static bool seen_msr(struct machine *machine, uint32_t index)
{
	for (unsigned int i = 0; i < machine->seen_msr_count; i++) {
		if (machine->seen_msrs[i] == index)
			return true;
	}
	if (machine->seen_msr_count == ARRAY_LEN(machine->seen_msrs))
		return true;
	machine->seen_msrs[machine->seen_msr_count++] = index;
	return false;
}

/* Systems of every age probe registers that a processor may lack: each is told once. */
static void vcpu_unknown_msr(struct vcpu_set *set, uint32_t index, bool write, uint64_t value)
{
	struct machine *machine = container_of(set, struct machine, vcpus);

	if (seen_msr(machine, index))
		return;
	if (write)
		guest_log(machine, "processor", "%llxh written to unknown MSR %xh, ignored",
			  (unsigned long long)value, index);
	else
		guest_log(machine, "processor", "unknown MSR %xh read as 0", index);
}

/* --- commands */

enum machine_state machine_state(const struct machine *machine)
{
	return machine->state;
}

void machine_ping(struct machine *machine)
{
	vcpus_hold(&machine->vcpus, NULL);
	vcpus_release(&machine->vcpus);
}

void machine_pause(struct machine *machine)
{
	if (machine->state != MACHINE_RUNNING)
		return;
	vcpus_hold(&machine->vcpus, NULL);
	set_state(machine, MACHINE_PAUSED);
	time_stop(machine);
}

static void go_on(struct machine *machine)
{
	time_go(machine);
	machine->timers.programmed_ns = TIMER_OFF;
	timer_queue_changed(&machine->timers);
}

static void vcpus_go(struct vcpu_set *set)
{
	go_on(container_of(set, struct machine, vcpus));
}

void machine_resume(struct machine *machine)
{
	if (machine->state == MACHINE_SUSPENDED) {
		wake(machine);
		return;
	}
	if (machine->state != MACHINE_PAUSED)
		return;
	set_state(machine, machine->restored_suspended ? MACHINE_SUSPENDED : MACHINE_RUNNING);
	/* Asleep, its processors stay held until it wakes. Otherwise time goes on with the first of them. */
	if (machine->restored_suspended || !machine->vcpus.count) {
		go_on(machine);
	} else {
		atomic_store(&machine->vcpus.going, true);
		vcpus_release(&machine->vcpus);
	}
	machine->restored_suspended = false;
}

void machine_reset(struct machine *machine)
{
	if (machine->state == MACHINE_ENDED)
		return;
	if (machine->state == MACHINE_SUSPENDED)
		wake(machine);
	machine->pending |= PENDING_RESET_HARD;
	settle(machine, NULL);
	/* While time stands it stands, but the PIT is that of a machine after reset. */
	if (!machine->clock.running)
		kvm_pause_pit(&machine->kvm);
}

void machine_power_button(struct machine *machine)
{
	if (machine->state == MACHINE_ENDED)
		return;
	piix4_pm_power_button(machine->board.pm);
	settle(machine, NULL);
}

void machine_quit(struct machine *machine)
{
	end(machine, NULL);
}

/* --- without a processor */

struct block_backend *machine_backend(const struct machine *machine, unsigned int index)
{
	if (index < VM_DISKS_MAX)
		return machine->board.disks[index];
	index -= VM_DISKS_MAX;
	return index < machine->media.count ? machine->media.drives[index].backend : NULL;
}

void machine_watch(struct machine *machine, const struct machine_watcher *watcher)
{
	machine->watcher = *watcher;
}

static void disk_idle(void *opaque)
{
	struct machine *machine = opaque;

	save_disk_idle(machine);
	if (machine->watcher.disks_idle)
		machine->watcher.disks_idle(machine->watcher.opaque);
}

void machine_settle(struct machine *machine)
{
	settle(machine, NULL);
}

bool machine_disks_busy(const struct machine *machine)
{
	for (unsigned int i = 0; i < MACHINE_BACKENDS_MAX; i++) {
		const struct block_backend *backend = machine_backend(machine, i);

		if (backend && blockio_busy(backend))
			return true;
	}
	return false;
}

uint64_t machine_next_timer_ns(const struct machine *machine)
{
	return timer_queue_next(&machine->timers);
}

bool machine_step(struct machine *machine, uint64_t to_ns)
{
	uint64_t now = clock_now(&machine->clock);
	uint64_t next = timer_queue_next(&machine->timers);

	if (next > to_ns) {
		if (to_ns > now)
			clock_move(&machine->clock, to_ns);
		return true;
	}
	if (next > now)
		clock_move(&machine->clock, next);
	timer_queue_run(&machine->timers, clock_now(&machine->clock));
	settle(machine, NULL);
	return false;
}

/* --- for machine_build.c */

void machine_watch_disks(struct machine *machine)
{
	for (unsigned int i = 0; i < MACHINE_BACKENDS_MAX; i++) {
		if (machine_backend(machine, i))
			blockio_watch_idle(machine_backend(machine, i), disk_idle, machine);
	}
}

int machine_init_timers(struct machine *machine, char *error, size_t error_size)
{
	int r;

	clock_init(&machine->clock);
	machine->wall_stood_ns = time_wall_ns(machine);
	machine->clock.stepped = machine->config->kvm_fd < 0;
	timer_queue_init(&machine->timers, timers_now, timers_program);
	machine->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (machine->timer_fd < 0) {
		r = -errno;
	} else {
		r = loop_watch_new(machine->loop, machine->timer_fd, EPOLLIN | EPOLLET, timers_due,
				   machine, &machine->timer_watch);
	}
	if (r < 0)
		snprintf(error, error_size, "creating a timer: %s", strerror(-r));
	return r;
}

void machine_init_callbacks(struct machine *machine)
{
	io_bus_init(&machine->io);
	doorbells_init(&machine->doorbells, machine->loop, &machine->kvm);
	machine->io.changed = io_changed;
	machine->posted.vm_fd = -1;
	pci_bus_init(&machine->pci);
	machine->isa_irqs = (struct irq_hub){ .sink = isa_irq_changed, .opaque = machine };
	machine->env = (struct device_env){
		.io = &machine->io,
		.timers = &machine->timers,
		.dma = &machine->memory.dma,
		.request = env_request,
		.memory_changed = env_memory_changed,
		.a20_changed = env_a20_changed,
		.guest_log = env_guest_log,
		.poll_wait = env_poll_wait,
		.poll_done = env_poll_done,
		.wall_clock = env_wall_clock,
		.get_registers = env_get_registers,
		.set_registers = env_set_registers,
	};
	machine->guest_log_limit = (struct log_limit){
		.burst = GUEST_LOG_BURST,
		.interval_ns = GUEST_LOG_INTERVAL_NS,
	};
	machine->vcpus.settle = vcpu_settle;
	machine->vcpus.go = vcpus_go;
	machine->vcpus.event = vcpu_event;
	machine->vcpus.unknown_msr = vcpu_unknown_msr;
	machine->vcpus.memory_lost = vcpu_memory_lost;
	machine->board.display.sync = sync_display;
	machine->ended.run = quit_loop;
}
