// SPDX-License-Identifier: GPL-2.0-or-later
/* A machine's life: building it from its configuration, starting its threads, taking it apart. */
#include "machine.h"

#include <errno.h>
#include <sched.h>
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
#include "disk_switch.h"
#include "firmware.h"
#include "linux_boot.h"
#include "loop.h"
#include "netport.h"
#include "machine_impl.h"
#include "nvram.h"
#include "save.h"
#include "save_session.h"
#include "save_writer.h"
#include "snapshot.h"
#include "stats.h"
#include "video.h"

/* Nobody runs what a device test port's machine has in place of firmware. */
static int blank_firmware(uint8_t **ret_image, size_t *ret_size)
{
	uint8_t *image = malloc(KIB(64));

	if (!image)
		return -ENOMEM;
	memset(image, 0xff, KIB(64));
	*ret_image = image;
	*ret_size = KIB(64);
	return 0;
}

static int build_memory(struct machine *machine, char *error, size_t error_size)
{
	const struct vm_config *config = machine->config;
	uint8_t *rom;
	size_t rom_bytes;
	char size[16];
	int r;

	r = config->firmware_fd < 0 ? blank_firmware(&rom, &rom_bytes)
				    : firmware_read(config->firmware_fd, &rom, &rom_bytes);
	if (r < 0) {
		snprintf(error, error_size, "the firmware image cannot be used: %s", strerror(-r));
		return r;
	}
	r = memory_init(&machine->memory, config->memory_bytes, (enum vm_pages)config->pages,
			config->ksm, rom, rom_bytes);
	free(rom);
	if (r == 0 && config->vram_bytes)
		r = memory_add_vram(&machine->memory, config->vram_bytes);
	format_size(config->memory_bytes, size);
	if (r < 0)
		snprintf(error, error_size,
			 config->pages == VM_PAGES_RESERVED
				 ? "the host has not %s of huge pages set aside; set "
				   "vm.nr_hugepages, or leave pages=reserved out"
				 : "the host cannot give %s of memory; give the machine less "
				   "(--memory)",
			 size);
	return r;
}

static int build_vcpus(struct machine *machine, char *error, size_t error_size)
{
	const struct cpu_model *model = cpu_model_find(machine->config->cpu_model);
	int r;

	if (!model) {
		snprintf(error, error_size, "processor model %s is not known",
			 machine->config->cpu_model);
		return -EINVAL;
	}
	machine->vcpus.loop = machine->loop;
	machine->vcpus.io = &machine->io;
	machine->vcpus.memory = &machine->memory;
	machine->vcpus.kvm = &machine->kvm;
	machine->vcpus.posted = &machine->posted;
	r = vcpus_init(&machine->vcpus, machine->config->cpus, model, error, error_size);
	/* Not before they count, or their counters would begin below zero. */
	machine->stood_at = vcpu_moment_now();
	return r;
}

/* The host's side of disks and ports. */
static int build_backends(struct machine *machine, char *error, size_t error_size)
{
	const struct vm_config *config = machine->config;
	struct board *board = &machine->board;
	int r = 0;

	board->config = config;

	for (unsigned int i = 0; i < config->disk_count && r == 0; i++) {
		const struct vm_disk disk = vm_config_parents(config, &config->disks[i]);

		r = blockio_new(machine->loop, &disk, &board->disks[disk.slot], error, error_size);
	}
	if (r == 0)
		r = media_new(&machine->media, machine->loop, config, board, error, error_size);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < VM_SERIAL_MAX && r == 0; i++)
		r = chardev_new(machine->loop, &config->serial[i], &board->serial[i]);
	if (r == 0)
		r = chardev_new(machine->loop, &config->parallel, &board->parallel);
	if (r == 0)
		r = chardev_new(machine->loop, &config->debugcon, &board->debugcon);
	if (r < 0) {
		snprintf(error, error_size, "a serial or parallel port: %s", strerror(-r));
		return r;
	}
	r = netports_new(machine->loop, config, board->nics);
	if (r < 0)
		snprintf(error, error_size, "a network adapter: %s", strerror(-r));
	return r;
}

static int build_board(struct machine *machine, char *error, size_t error_size)
{
	struct board *board = &machine->board;
	int r;

	r = keeper_new(machine->loop, machine->config, &board->keeper, error, error_size);
	if (r < 0)
		return r;
	board->env = &machine->env;
	board->pci = &machine->pci;
	board->isa_irqs = &machine->isa_irqs;
	board->vram = machine->memory.vram.bytes ? &machine->memory.vram : NULL;
	board->below_4g = machine->memory.layout.below_4g;
	board->above_4g = machine->memory.layout.above_4g;
	board->in_kernel_chips = machine->config->kvm_fd >= 0;
	r = board_440bx_build(board, error, error_size);
	if (r < 0)
		return r;
	keeper_attach(board->keeper, board->rtc);
	doorbells_add(&machine->doorbells, board->devices, board->count);
	r = firmware_publish(board->fwcfg, machine->config, board->below_4g, board->above_4g);
	if (r < 0)
		snprintf(error, error_size, "the firmware's tables: %s", strerror(-r));
	if (r == 0)
		r = linux_boot_publish(board->fwcfg, machine->config, board->below_4g, error,
				       error_size);
	return r;
}

/* Also without processors of its own: a mistake in a machine's definition is found in every mode. */
static int check_pins(const struct vm_config *config, char *error, size_t error_size)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return 0; /* a host with more processors than the set has room for */
	for (unsigned int i = 0; i < config->cpus; i++) {
		int pin = config->cpu_pins[i];

		if (pin < 0 || (pin < CPU_SETSIZE && CPU_ISSET((size_t)pin, &allowed)))
			continue;
		snprintf(error, error_size,
			 "processor %u is to run on the host's processor %d, which is not there or "
			 "not allowed; change --tune pin",
			 i, pin);
		return -EINVAL;
	}
	return 0;
}

static int build(struct machine *machine, char *error, size_t error_size)
{
	bool processors = machine->config->kvm_fd >= 0;
	int r;

	machine_init_callbacks(machine);
	r = check_pins(machine->config, error, error_size);
	if (r == 0)
		r = machine_init_timers(machine, error, error_size);
	if (r == 0 && processors)
		r = kvm_init(&machine->kvm, machine->config->kvm_fd, error, error_size);
	if (r == 0 && processors)
		posted_init(&machine->posted, machine->kvm.fd, machine->kvm.vm_fd,
			    machine->config->cpus == 1);
	if (r == 0)
		r = kvm_set_pit_policy(&machine->kvm, machine->config->pit == VM_PIT_CATCHUP, error,
				       error_size);
	if (r == 0)
		r = build_memory(machine, error, error_size);
	if (r == 0 && processors)
		r = build_vcpus(machine, error, error_size);
	if (r == 0)
		r = build_backends(machine, error, error_size);
	if (r == 0)
		r = build_board(machine, error, error_size);
	if (r == 0)
		r = desk_new(machine->loop, machine->config, machine_display(machine),
			     &machine->board.input, &machine->desk, error, error_size);
	if (r < 0)
		return r;
	memslot_init(&machine->memslots, machine->kvm.vm_fd);
	machine->pending = 0;
	machine_memory_map_changed(machine);
	r = kvm_capture_reset_chips(&machine->kvm);
	if (r < 0)
		snprintf(error, error_size, "/dev/kvm: reading the interrupt controllers: %s",
			 strerror(-r));
	machine_watch_disks(machine);
	if (r == 0)
		r = save_writer_new(machine->loop, &machine->save_writer);
	if (r == 0 && machine->config->restore.fd >= 0)
		r = snapshot_restore(machine, &machine->config->restore, error, error_size);
	/* Everything that is made through it is made. */
	machine->kvm.fd = fd_close(machine->kvm.fd);
	return r;
}

int machine_new(struct loop *loop, const struct vm_config *config, struct machine **ret_machine)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	char error[256] = "";
	int r = -ENOMEM;

	if (machine) {
		machine->config = config;
		machine->loop = loop;
		machine->state = MACHINE_PAUSED;
		machine->timer_fd = -1;
		machine->kvm.fd = machine->kvm.vm_fd = -1;
		r = build(machine, error, sizeof(error));
	}
	if (r < 0) {
		log_error("%s: %s", config->name, error[0] ? error : strerror(-r));
		machine_free(machine);
		return r;
	}
	*ret_machine = machine;
	return 0;
}

int machine_start(struct machine *machine)
{
	int r = 0;

	for (unsigned int i = 0; i < VM_DISKS_MAX && r == 0; i++) {
		if (machine->board.disks[i])
			r = blockio_start(machine->board.disks[i]);
	}
	if (r == 0)
		r = media_start(&machine->media);
	if (r == 0)
		r = keeper_start(machine->board.keeper);
	if (r == 0)
		r = save_writer_start(machine->save_writer);
	if (r == 0)
		r = vcpus_start(&machine->vcpus, machine->config->cpu_pins);
	if (r == 0)
		kvm_pause_pit(&machine->kvm);
	return r;
}

void machine_free(struct machine *machine)
{
	if (!machine)
		return;
	vcpus_stop(&machine->vcpus);
	save_writer_free(machine->save_writer);
	save_free(machine);
	save_session_free(machine);
	/* Workers first: their last completions must still find the devices. */
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++)
		blockio_free(machine->board.disks[i]);
	disk_switch_free(machine);
	desk_free(machine->desk);
	media_free(&machine->media);
	keeper_free(machine->board.keeper);
	machine->board.keeper = NULL;
	doorbells_fini(&machine->doorbells);
	board_free(&machine->board);
	netports_free(machine->board.nics);
	for (unsigned int i = 0; i < VM_SERIAL_MAX; i++)
		chardev_free(machine->board.serial[i]);
	chardev_free(machine->board.parallel);
	chardev_free(machine->board.debugcon);
	vcpus_fini(&machine->vcpus);
	memory_fini(&machine->memory);
	kvm_fini(&machine->kvm);
	loop_watch_free(machine->timer_watch);
	fd_close(machine->timer_fd);
	free(machine);
}
