// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * The device stream is a row of sections: the length of a name, the name, 32 bits of length, contents. There
 * is one for each record (snapshot_records.h) and one for each device, "device/NAME", which begins with the
 * name of its class. Contents are what state_save() writes.
 *
 * Restoring happens in a process that was just started and whose machine was built by its configuration.
 * Everything that does not come from the file is compared with the file first: board, memory, processors,
 * disks, devices. Whatever then goes wrong ends the process before the guest has run, so that nothing is
 * half restored.
 *
 * The order matters: pages, because a processor's page tables are there; devices, whose post_load() raises
 * interrupt lines, before the interrupt controllers, whose state wins over what the lines have done to them;
 * local APICs before the IOAPIC, which passes on what waits in it.
 */
#include "snapshot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/cursor.h"
#include "../base/parse.h"
#include "../devmodel/block.h"
#include "blockio.h"
#include "config.h"
#include "disk_switch.h"
#include "machine_impl.h"
#include "snapshot_records.h"
#include "timekeeping.h"

#define WALL_S_MAX (INT64_C(1) << 32)
#define SECTION_NAME_MAX 64
#define STREAM_BYTES_FIRST KIB(128)

static int fail(char *error, size_t error_size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char *error, size_t error_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, error_size, format, args);
	va_end(args);
	return -EINVAL;
}

/* --- blocks of memory */

static void add_block(struct statefile_header *header, void *blocks[], const char *owner,
		      const char *name, void *data, uint64_t bytes)
{
	unsigned int n = header->block_count;

	if (n == STATEFILE_BLOCKS_MAX)
		return;
	header->block_count++;
	snprintf(header->blocks[n].name, sizeof(header->blocks[n].name), "%s%s%s", owner,
		 *owner ? "/" : "", name);
	header->blocks[n].bytes = bytes;
	blocks[n] = data;
}

void snapshot_describe(struct machine *machine, struct statefile_header *ret_header,
		       void *ret_blocks[STATEFILE_BLOCKS_MAX])
{
	const struct memory *memory = &machine->memory;
	struct board *board = &machine->board;

	memset(ret_header, 0, sizeof(*ret_header));
	memcpy(ret_header->uuid, machine->config->uuid, sizeof(ret_header->uuid));
	snprintf(ret_header->name, sizeof(ret_header->name), "%s", machine->config->name);
	add_block(ret_header, ret_blocks, "", "ram", memory->ram, memory->ram_bytes);
	add_block(ret_header, ret_blocks, "", "rom", memory->rom, memory->layout.rom_bytes);
	if (memory->vram.size)
		add_block(ret_header, ret_blocks, "", "vram", memory->vram.bytes,
			  memory->vram.size);
	for (unsigned int i = 0; i < board->count; i++) {
		struct device *dev = board->devices[i];
		const char *name;
		uint64_t bytes;
		void *data;

		for (unsigned int n = 0;
		     dev->class->memory && (data = dev->class->memory(dev, n, &name, &bytes)); n++)
			add_block(ret_header, ret_blocks, dev->name, name, data, bytes);
	}
}

/* --- records of what is */

static void fill_machine(struct machine *machine, struct machine_record *record)
{
	const struct vm_config *config = machine->config;

	record->s.memory_bytes = config->memory_bytes;
	record->s.clock_ns = clock_now(&machine->clock);
	record->s.wall_s = machine->wall_stood_ns / (int64_t)NSEC_PER_SEC;
	record->s.wall_ns = (uint32_t)(machine->wall_stood_ns % (int64_t)NSEC_PER_SEC);
	record->s.resets = machine->resets;
	record->s.board = VM_BOARD;
	record->s.cpus = config->cpus;
	record->s.tsc_khz = machine->vcpus.tsc_khz;
	record->s.suspended = machine->state == MACHINE_SUSPENDED;
	memcpy(record->s.cpu_model, config->cpu_model,
	       strnlen(config->cpu_model, sizeof(record->s.cpu_model)));
}

static void fill_disks(const struct machine *machine, struct disks_record *record)
{
	for (unsigned int i = 0; i < machine->config->disk_count; i++) {
		const struct vm_disk *disk = &machine->config->disks[i];
		struct disk_record *row = &record->s.disk[disk->slot];
		struct block_info info;
		struct stat st;

		block_info(machine->board.disks[disk->slot], &info);
		row->size_bytes = info.size_bytes;
		memcpy(row->serial, info.serial, strnlen(info.serial, sizeof(row->serial)));
		/* The library's fstat() makes a system call with a path, which no filter lets pass. */
		if (syscall(SYS_fstat, disk_switch_fd(machine, disk->slot), &st) < 0)
			continue;
		row->file_bytes = (uint64_t)st.st_size;
		row->changed_s = st.st_mtim.tv_sec;
		row->changed_ns = (uint32_t)st.st_mtim.tv_nsec;
	}
}

/* --- writing */

static void put_name(struct cursor *to, const char *name)
{
	size_t length = strlen(name);

	cursor_put_u8(to, (uint8_t)length);
	cursor_put_bytes(to, name, length);
}

/* @class_name NULL: a record. */
static void put_section(struct cursor *to, const char *name, const char *class_name,
			const struct device *dev)
{
	size_t length_at, start, end;

	put_name(to, name);
	length_at = to->pos;
	cursor_put_le32(to, 0);
	start = to->pos;
	if (class_name)
		put_name(to, class_name);
	state_save(dev, to);
	end = to->pos;
	if (!cursor_ok(to))
		return;
	cursor_seek(to, length_at);
	cursor_put_le32(to, (uint32_t)(end - start));
	cursor_seek(to, end);
}

static int put_vcpus(struct machine *machine, struct cursor *to, char *error, size_t error_size)
{
	struct vcpu_record *record = calloc(1, sizeof(*record));
	struct vcpu_image *image = calloc(1, sizeof(*image));
	int r = record && image ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < machine->vcpus.count && r == 0; i++) {
		struct vcpu *vcpu = &machine->vcpus.vcpus[i];
		char name[16];

		r = vcpu_image_save(vcpu->fd, vcpu->reset_state, &machine->stood_at, image);
		if (r == -EOPNOTSUPP)
			fail(error, error_size,
			     "its guest runs virtual machines of its own, which cannot be saved; "
			     "end them first");
		else if (r < 0)
			snprintf(error, error_size, "processor %u cannot be read: %s", i,
				 strerror(-r));
		if (r < 0)
			break;
		memset(record, 0, sizeof(*record));
		record->dev.class = &vcpu_record_class;
		vcpu_record_fill(record, image);
		snprintf(name, sizeof(name), "vcpu/%u", i);
		put_section(to, name, NULL, &record->dev);
	}
	free(record);
	free(image);
	return r;
}

static int put_all(struct machine *machine, struct cursor *to, char *error, size_t error_size)
{
	struct machine_record about = { .dev.class = &machine_record_class };
	struct disks_record disks = { .dev.class = &disks_record_class };
	struct chips_record chips = { .dev.class = &chips_record_class };
	struct kvm_chips_image image;
	int r;

	fill_machine(machine, &about);
	put_section(to, "machine", NULL, &about.dev);
	fill_disks(machine, &disks);
	put_section(to, "disks", NULL, &disks.dev);
	r = kvm_save_chips(&machine->kvm, &image);
	if (r < 0) {
		snprintf(error, error_size, "the interrupt controllers cannot be read: %s",
			 strerror(-r));
		return r;
	}
	chips_record_fill(&chips, &image);
	put_section(to, "chips", NULL, &chips.dev);
	r = put_vcpus(machine, to, error, error_size);
	for (unsigned int i = 0; i < machine->board.count; i++) {
		const struct device *dev = machine->board.devices[i];
		char name[SECTION_NAME_MAX];

		snprintf(name, sizeof(name), "device/%s", dev->name);
		put_section(to, name, dev->class->name, dev);
	}
	return r;
}

int snapshot_save(struct machine *machine, uint8_t **ret_bytes, size_t *ret_size, char *error,
		  size_t error_size)
{
	size_t room = STREAM_BYTES_FIRST;

	for (;;) {
		uint8_t *bytes = malloc(room);
		struct cursor to = cursor_writer(bytes, room);
		int r;

		if (!bytes) {
			snprintf(error, error_size, "not enough memory");
			return -ENOMEM;
		}
		r = put_all(machine, &to, error, error_size);
		if (r == 0 && cursor_ok(&to)) {
			*ret_bytes = bytes;
			*ret_size = to.pos;
			return 0;
		}
		free(bytes);
		if (r < 0)
			return r;
		room *= 4;
		if (room > STATEFILE_DEVICES_BYTES_MAX)
			return fail(error, error_size,
				    "its devices are larger than a state can be");
	}
}

/* --- reading */

struct section {
	char name[SECTION_NAME_MAX];
	struct cursor from;
	bool used;
};

#define SECTIONS_MAX (BOARD_DEVICES_MAX + VM_CPUS_MAX + 8)

struct sections {
	unsigned int count;
	struct section rows[SECTIONS_MAX];
};

static int get_name(struct cursor *from, char *name, size_t room)
{
	uint8_t length = cursor_get_u8(from);

	if (length >= room) {
		cursor_fail(from);
		return -EINVAL;
	}
	cursor_get_bytes(from, name, length);
	name[length] = '\0';
	return cursor_ok(from) ? 0 : -EINVAL;
}

static struct section *find_section(struct sections *all, const char *name)
{
	for (unsigned int i = 0; i < all->count; i++) {
		if (!strcmp(all->rows[i].name, name))
			return &all->rows[i];
	}
	return NULL;
}

static int read_sections(struct sections *all, const uint8_t *bytes, size_t size, char *error,
			 size_t error_size)
{
	struct cursor from = cursor_reader(bytes, size);

	all->count = 0;
	while (cursor_left(&from)) {
		struct section *row = &all->rows[all->count];
		char name[SECTION_NAME_MAX];
		uint32_t length;

		if (all->count == SECTIONS_MAX || get_name(&from, name, sizeof(name)) < 0)
			return fail(error, error_size, "is damaged: its sections make no sense");
		length = cursor_get_le32(&from);
		if (!cursor_ok(&from) || length > cursor_left(&from) || find_section(all, name))
			return fail(error, error_size, "is damaged: section %s makes no sense",
				    name);
		*row = (struct section){ .from = cursor_reader(bytes + from.pos, length) };
		strcpy(row->name, name);
		cursor_skip(&from, length);
		all->count++;
	}
	return 0;
}

static int load_section(struct sections *all, const char *name, const char *class_name,
			struct device *dev, char *error, size_t error_size)
{
	struct section *row = find_section(all, name);
	char class[SECTION_NAME_MAX], why[128];

	if (!row)
		return fail(error, error_size,
			    "has no %s; start the machine with the options it was saved with",
			    name);
	row->used = true;
	if (class_name &&
	    (get_name(&row->from, class, sizeof(class)) < 0 || strcmp(class, class_name)))
		return fail(error, error_size, "%s is not a %s there", name, class_name);
	if (state_load(dev, &row->from, why, sizeof(why)) < 0)
		return fail(error, error_size, "%s: %s", name, why);
	if (cursor_left(&row->from))
		return fail(error, error_size, "%s: something follows its fields", name);
	return 0;
}

/* --- comparing */

static int compare_machine(const struct machine *machine, const struct machine_record *record,
			   char *error, size_t error_size)
{
	const struct vm_config *config = machine->config;
	char there[16], here[16], model[sizeof(record->s.cpu_model) + 1] = "";

	memcpy(model, record->s.cpu_model, sizeof(record->s.cpu_model));
	if (record->s.board != VM_BOARD)
		return fail(error, error_size, "is of board %u, and this machine has board %u",
			    record->s.board, VM_BOARD);
	if (record->s.memory_bytes != config->memory_bytes) {
		format_size(record->s.memory_bytes, there);
		format_size(config->memory_bytes, here);
		return fail(error, error_size, "has %s of memory, and this machine %s", there,
			    here);
	}
	if (record->s.cpus != config->cpus)
		return fail(error, error_size, "has %u processors, and this machine %u",
			    record->s.cpus, config->cpus);
	if (strcmp(model, config->cpu_model))
		return fail(error, error_size, "has processors of model %s, and this machine %s",
			    model, config->cpu_model);
	return 0;
}

static const struct vm_disk *disk_in_slot(const struct vm_config *config, unsigned int slot)
{
	for (unsigned int i = 0; i < config->disk_count; i++) {
		if (config->disks[i].slot == slot)
			return &config->disks[i];
	}
	return NULL;
}

static int compare_disk(const struct vm_disk *disk, unsigned int slot,
			const struct disk_record *then, const struct disk_record *now, char *error,
			size_t error_size)
{
	if (!then->size_bytes && !now->size_bytes)
		return 0;
	if (!now->size_bytes)
		return fail(error, error_size, "has a disk in slot %u, and this machine has none",
			    slot);
	if (!then->size_bytes)
		return fail(error, error_size, "has no disk in slot %u, and this machine has %s",
			    slot, disk->name);
	if (then->size_bytes != now->size_bytes ||
	    memcmp(then->serial, now->serial, sizeof(then->serial)))
		return fail(error, error_size, "was saved with another disk than %s", disk->name);
	if (!disk->same_contents &&
	    (then->file_bytes != now->file_bytes || then->changed_s != now->changed_s ||
	     then->changed_ns != now->changed_ns))
		return fail(error, error_size,
			    "cannot be used any more: disk %s was changed after the machine was "
			    "saved",
			    disk->name);
	return 0;
}

static int compare_disks(const struct machine *machine, const struct disks_record *then,
			 char *error, size_t error_size)
{
	struct disks_record now = { .dev.class = &disks_record_class };
	int r = 0;

	fill_disks(machine, &now);
	for (unsigned int slot = 0; slot < VM_DISKS_MAX && r == 0; slot++)
		r = compare_disk(disk_in_slot(machine->config, slot), slot, &then->s.disk[slot],
				 &now.s.disk[slot], error, error_size);
	return r;
}

static int compare_blocks(const struct statefile_header *there, const struct statefile_header *here,
			  char *error, size_t error_size)
{
	if (memcmp(there->uuid, here->uuid, sizeof(there->uuid)))
		return fail(error, error_size,
			    "is of another machine (%s); give this one its uuid to restore it",
			    there->name);
	for (unsigned int i = 0; i < there->block_count || i < here->block_count; i++) {
		const struct statefile_block *a = &there->blocks[i], *b = &here->blocks[i];

		if (i >= there->block_count || i >= here->block_count || strcmp(a->name, b->name) ||
		    a->bytes != b->bytes)
			return fail(error, error_size,
				    "has other memory than this machine (%s); start the machine "
				    "with the options it was saved with",
				    i < here->block_count ? b->name : a->name);
	}
	return 0;
}

/* --- restoring */

/* The guest's memory becomes a private view of the file: what it writes is its own. */
static int map_ram(struct machine *machine, const struct statefile *file, char *error,
		   size_t error_size)
{
	const struct statefile_block *ram = &file->header.blocks[0];
	void *map = mmap(machine->memory.ram, ram->bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file->fd, (off_t)ram->offset);

	if (map == MAP_FAILED) {
		snprintf(error, error_size, "cannot be mapped: %s", strerror(errno));
		return -errno;
	}
	madvise(map, ram->bytes, MADV_DONTDUMP);
	machine->memory.in_file = true;
	return 0;
}

static void clear_block(const struct machine *machine, uint8_t *block, uint64_t bytes)
{
	/* Most of a display's memory is never written, and looking at it would give it pages. */
	if (block == machine->memory.vram.bytes && madvise(block, bytes, MADV_DONTNEED) == 0)
		return;
	memset(block, 0, bytes);
}

static int load_blocks(struct machine *machine, const struct statefile *file, bool verify,
		       void *blocks[], char *error, size_t error_size)
{
	uint32_t skip = 0;
	int r = 0;

	for (unsigned int i = 1; i < file->header.block_count; i++)
		clear_block(machine, blocks[i], file->header.blocks[i].bytes);
	if (file->header.form == STATEFILE_PLAIN) {
		skip = verify ? 0 : BIT(0);
		blocks[0] = NULL;
	}
	r = statefile_load(file, blocks, skip, error, error_size);
	if (r == 0 && file->header.form == STATEFILE_PLAIN)
		r = map_ram(machine, file, error, error_size);
	return r;
}

static int load_devices(struct machine *machine, struct sections *all, char *error,
			size_t error_size)
{
	int r = 0;

	for (unsigned int i = 0; i < machine->board.count && r == 0; i++) {
		struct device *dev = machine->board.devices[i];
		char name[SECTION_NAME_MAX];

		snprintf(name, sizeof(name), "device/%s", dev->name);
		r = load_section(all, name, dev->class->name, dev, error, error_size);
	}
	for (unsigned int i = 0; i < all->count && r == 0; i++) {
		if (!strncmp(all->rows[i].name, "device/", 7) && !all->rows[i].used)
			r = fail(error, error_size,
				 "has a device %s that this machine lacks; start it with the "
				 "options it was saved with",
				 all->rows[i].name + 7);
	}
	for (unsigned int i = 0; i < machine->board.count && r == 0; i++) {
		struct device *dev = machine->board.devices[i];

		if (dev->class->post_load)
			dev->class->post_load(dev);
	}
	return r;
}

static int load_vcpus(struct machine *machine, struct sections *all, char *error, size_t error_size)
{
	struct vcpu_record *record = calloc(1, sizeof(*record));
	struct vcpu_image *image = calloc(1, sizeof(*image));
	int r = record && image ? 0 : -ENOMEM;

	machine->stood_at = vcpu_moment_now();
	for (unsigned int i = 0; i < machine->vcpus.count && r == 0; i++) {
		struct vcpu *vcpu = &machine->vcpus.vcpus[i];
		char name[16], why[160];

		memset(record, 0, sizeof(*record));
		record->dev.class = &vcpu_record_class;
		snprintf(name, sizeof(name), "vcpu/%u", i);
		r = load_section(all, name, NULL, &record->dev, error, error_size);
		if (r < 0)
			break;
		vcpu_record_read(record, image);
		r = vcpu_image_load(vcpu->fd, vcpu->reset_state, &machine->stood_at, image, why,
				    sizeof(why));
		if (r < 0)
			fail(error, error_size, "processor %u cannot go on here: %s", i, why);
	}
	free(record);
	free(image);
	return r;
}

static int load_chips(struct machine *machine, struct sections *all, char *error, size_t error_size)
{
	struct chips_record record = { .dev.class = &chips_record_class };
	struct kvm_chips_image image = { 0 };
	int r = load_section(all, "chips", NULL, &record.dev, error, error_size);

	if (r < 0)
		return r;
	chips_record_read(&record, &image);
	r = kvm_load_chips(&machine->kvm, &image);
	if (r < 0)
		fail(error, error_size, "the interrupt controllers do not take their state: %s",
		     strerror(-r));
	return r;
}

/* Virtual time goes on where it was; the wall clock, by setting, jumps to today or goes on too. */
static void set_clocks(struct machine *machine, const struct machine_record *record)
{
	machine->clock.frozen_ns = record->s.clock_ns;
	machine->resets = record->s.resets;
	/* A time that nobody lives in is a foreign state's. */
	if (!machine->config->rtc_frozen || record->s.wall_s < 0 || record->s.wall_s >= WALL_S_MAX)
		return;
	machine->wall_stood_ns =
		record->s.wall_s * (int64_t)NSEC_PER_SEC + (int64_t)record->s.wall_ns;
	machine->wall_lag_ns = time_wall_ns(machine) - machine->wall_stood_ns;
}

static int restore_sections(struct machine *machine, const struct statefile *file,
			    const struct vm_restore *restore, struct sections *all, char *error,
			    size_t error_size)
{
	struct machine_record about = { .dev.class = &machine_record_class };
	struct disks_record disks = { .dev.class = &disks_record_class };
	struct statefile_header here;
	void *blocks[STATEFILE_BLOCKS_MAX];
	int r;

	snapshot_describe(machine, &here, blocks);
	r = read_sections(all, file->devices, file->header.devices.bytes, error, error_size);
	if (r == 0)
		r = load_section(all, "machine", NULL, &about.dev, error, error_size);
	if (r == 0)
		r = compare_machine(machine, &about, error, error_size);
	if (r == 0)
		r = compare_blocks(&file->header, &here, error, error_size);
	if (r == 0)
		r = load_section(all, "disks", NULL, &disks.dev, error, error_size);
	if (r == 0)
		r = compare_disks(machine, &disks, error, error_size);
	if (r == 0)
		r = load_blocks(machine, file, restore->verify, blocks, error, error_size);
	if (r < 0)
		return r;
	set_clocks(machine, &about);
	r = load_devices(machine, all, error, error_size);
	if (r < 0)
		return r;
	machine_memory_map_changed(machine);
	timer_queue_changed(&machine->timers);
	r = load_vcpus(machine, all, error, error_size);
	if (r == 0)
		r = load_chips(machine, all, error, error_size);
	machine->pending = 0;
	if (r == 0 && about.s.suspended)
		machine->restored_suspended = true;
	return r;
}

int snapshot_restore(struct machine *machine, const struct vm_restore *restore, char *error,
		     size_t error_size)
{
	struct sections *all = calloc(1, sizeof(*all));
	struct statefile file;
	char why[320];
	int r;

	r = all ? statefile_open(&file, restore->fd, why, sizeof(why)) : -ENOMEM;
	if (r == 0) {
		r = restore_sections(machine, &file, restore, all, why, sizeof(why));
		statefile_close(&file);
	}
	free(all);
	if (r == 0 && machine->memory.in_file) {
		snprintf(machine->loss_line, sizeof(machine->loss_line),
			 "mainstay-vmm: %s: the saved state that it was restored from is cut short "
			 "or cannot be read: the machine ends\n",
			 machine->config->name);
		memory_watch_loss(machine->loss_line);
	}
	if (r < 0)
		snprintf(error, error_size, "saved state %s %s", restore->name,
			 r == -ENOMEM ? "cannot be restored: not enough memory" : why);
	return r;
}

int machine_leave_state(struct machine *machine)
{
	const struct vm_config *config = machine->config;

	for (unsigned int i = 0; i < config->disk_count && config->disks[i].saved; i++) {
		const struct vm_disk *disk = &config->disks[i];
		int r = blockio_mark(machine->board.disks[disk->slot], false);

		if (r < 0) {
			log_error("%s: disk %s: the mark of its saved state cannot be taken away: "
				  "%s",
				  config->name, disk->name, strerror(-r));
			return r;
		}
	}
	return 0;
}
