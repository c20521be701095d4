// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The start message: JSON text and descriptors into struct vm_config.
 *
 * Each object is a table of members. Nothing is guessed: a member that the table does not have, or
 * of another type than the table says, is an error that names the member. Of two members with one
 * name json-c keeps the last; it is checked like any other.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "../base/parse.h"

#define MEMORY_BYTES_MIN MIB(4)
#define MEMORY_BYTES_MAX GIB(1024)
#define RTC_OFFSET_S_MAX 86400
#define IDE_IRQ_DELAY_US_MAX 100000
#define IDLE_TIMEOUT_S_MAX 86400
#define JSON_DEPTH_MAX 8
#define DEVTEST_MEMORY_BYTES MIB(128)

struct reader {
	const int *fds;
	unsigned int fd_count;
	uint64_t *fds_used; /* a bit for each, by index */
	char *error;
	size_t error_size;
};

#define FDS_USED_WORDS (FDPASS_MAX_FDS / 64 + 1)

struct member {
	const char *name; /* NULL ends the table */
	/* Reads @value into @target. 0, or -EINVAL after fail(). @path names the member for people.
	 */
	int (*read)(struct reader *r, const struct member *m, json_object *value, void *target,
		    const char *path);
	size_t offset, size; /* of the member in the target struct */
	int64_t min, max;    /* numbers; array lengths */
	bool required;
	const char *const *names;    /* enumerations, NULL-terminated, in the order of the enum */
	const struct member *object; /* the members' table of an object or of an array's items */
	/* Puts an item of an array, of whose kind there are at most max, where it belongs. */
	int (*store)(struct reader *r, void *item, struct vm_config *config, const char *path);
};

static int fail(struct reader *r, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct reader *r, const char *path, const char *format, ...)
{
	va_list args;
	int n;

	n = snprintf(r->error, r->error_size, "%s: ", path);
	if (n < 0 || (size_t)n >= r->error_size)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(r->error + n, r->error_size - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

/* --- values --- */

static int get_number(struct reader *r, json_object *value, int64_t min, int64_t max,
		      const char *path, int64_t *ret_number)
{
	int64_t number;

	if (!json_object_is_type(value, json_type_int))
		return fail(r, path, "must be a whole number");
	/* Beyond 64 bits json-c gives the nearest it can hold, which is out of every range here. */
	number = json_object_get_int64(value);
	if (number < min || number > max)
		return fail(r, path, "must be from %" PRId64 " to %" PRId64, min, max);
	*ret_number = number;
	return 0;
}

static int read_number(struct reader *r, const struct member *m, json_object *value, void *target,
		       const char *path)
{
	void *field = (char *)target + m->offset;
	int64_t number;

	if (get_number(r, value, m->min, m->max, path, &number) < 0)
		return -EINVAL;
	/* x86 is little-endian: the low bytes come first, and two's complement keeps the sign. */
	memcpy(field, &number, m->size);
	return 0;
}

static int read_memory(struct reader *r, const struct member *m, json_object *value, void *target,
		       const char *path)
{
	int64_t number;

	if (get_number(r, value, m->min, m->max, path, &number) < 0)
		return -EINVAL;
	if (number % (int64_t)MIB(1))
		return fail(r, path, "must be a multiple of 1 MiB");
	*(uint64_t *)(void *)((char *)target + m->offset) = (uint64_t)number;
	return 0;
}

static int read_vram(struct reader *r, const struct member *m, json_object *value, void *target,
		     const char *path)
{
	int64_t number;

	if (get_number(r, value, m->min, m->max, path, &number) < 0)
		return -EINVAL;
	if (number && (number < (int64_t)MIB(1) || !is_power_of_two((uint64_t)number)))
		return fail(r, path, "must be 0, or 1, 2 or 4 MiB");
	*(uint32_t *)(void *)((char *)target + m->offset) = (uint32_t)number;
	return 0;
}

static int read_bool(struct reader *r, const struct member *m, json_object *value, void *target,
		     const char *path)
{
	if (!json_object_is_type(value, json_type_boolean))
		return fail(r, path, "must be true or false");
	*(bool *)((char *)target + m->offset) = json_object_get_boolean(value);
	return 0;
}

/* A text without NUL inside that fits @size with its end. */
static const char *get_text(struct reader *r, json_object *value, size_t size, const char *path)
{
	const char *text;
	size_t length;

	if (!json_object_is_type(value, json_type_string)) {
		fail(r, path, "must be a string");
		return NULL;
	}
	text = json_object_get_string(value);
	length = (size_t)json_object_get_string_len(value);
	if (!length || length >= size || strlen(text) != length) {
		fail(r, path, "must have 1 to %zu bytes", size - 1);
		return NULL;
	}
	return text;
}

/* For messages only: control characters never leave log.c. */
static int read_text(struct reader *r, const struct member *m, json_object *value, void *target,
		     const char *path)
{
	const char *text = get_text(r, value, m->size, path);

	if (!text)
		return -EINVAL;
	strcpy((char *)target + m->offset, text);
	return 0;
}

static int read_machine_name(struct reader *r, const struct member *m, json_object *value,
			     void *target, const char *path)
{
	if (read_text(r, m, value, target, path) < 0)
		return -EINVAL;
	if (!name_is_valid((char *)target + m->offset))
		return fail(r, path, "is not a name for a machine");
	return 0;
}

static int read_uuid(struct reader *r, const struct member *m, json_object *value, void *target,
		     const char *path)
{
	const char *text = get_text(r, value, UUID_TEXT_SIZE + 2, path);

	if (!text)
		return -EINVAL;
	if (parse_uuid(text, (uint8_t *)target + m->offset) < 0)
		return fail(r, path, "is not a uuid");
	return 0;
}

static int read_enum(struct reader *r, const struct member *m, json_object *value, void *target,
		     const char *path)
{
	const char *text = get_text(r, value, 64, path);
	unsigned int i;

	if (!text)
		return -EINVAL;
	for (i = 0; m->names[i]; i++) {
		if (!strcmp(m->names[i], text)) {
			memcpy((char *)target + m->offset, &i, sizeof(i));
			return 0;
		}
	}
	return fail(r, path, "must be one of the kinds that vmm/config.h names");
}

static int read_mac(struct reader *r, const struct member *m, json_object *value, void *target,
		    const char *path)
{
	const char *text = get_text(r, value, 18, path);

	if (!text)
		return -EINVAL;
	if (parse_mac(text, (uint8_t *)target + m->offset) < 0)
		return fail(r, path, "is not the address of an adapter");
	return 0;
}

/* An index into the message's descriptors becomes the descriptor; each may be named once. */
static int read_fd(struct reader *r, const struct member *m, json_object *value, void *target,
		   const char *path)
{
	int64_t index;

	if (!r->fd_count)
		return fail(r, path, "the message came without descriptors");
	if (get_number(r, value, 0, r->fd_count - 1, path, &index) < 0)
		return -EINVAL;
	if (r->fds_used[index / 64] & BIT64(index % 64))
		return fail(r, path, "descriptor %" PRId64 " is taken by another member", index);
	r->fds_used[index / 64] |= BIT64(index % 64);
	*(int *)(void *)((char *)target + m->offset) = r->fds[index];
	return 0;
}

/* [ cylinders, heads, sectors ] as a BIOS can address them. */
static int read_geometry(struct reader *r, const struct member *m, json_object *value, void *target,
			 const char *path)
{
	static const int64_t max[3] = { 65535, 255, 63 };
	struct vm_disk *disk = (void *)((char *)target + m->offset);
	int64_t number[3];

	if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) != 3)
		return fail(r, path, "must be [ cylinders, heads, sectors ]");
	for (size_t i = 0; i < 3; i++) {
		json_object *item = json_object_array_get_idx(value, i);

		if (get_number(r, item, 1, max[i], path, &number[i]) < 0)
			return -EINVAL;
	}
	disk->cylinders = (uint16_t)number[0];
	disk->heads = (uint8_t)number[1];
	disk->sectors_per_track = (uint8_t)number[2];
	return 0;
}

/* --- objects --- */

static const struct member *find_member(const struct member *table, const char *name)
{
	for (; table->name; table++) {
		if (!strcmp(table->name, name))
			return table;
	}
	return NULL;
}

/* All members of @object, whose own path is @path ("" for the message itself), into @target. */
static int read_members(struct reader *r, const struct member *table, json_object *object,
			void *target, const char *path)
{
	char name[96];

	if (!json_object_is_type(object, json_type_object))
		return fail(r, *path ? path : "the message", "must be an object");
	json_object_object_foreach(object, key, value)
	{
		const struct member *m = find_member(table, key);

		snprintf(name, sizeof(name), "%s%s%s", path, *path ? "." : "", key);
		if (!m)
			return fail(r, name, "no such member");
		if (m->read(r, m, value, target, name) < 0)
			return -EINVAL;
	}
	for (; table->name; table++) {
		if (table->required && !json_object_object_get_ex(object, table->name, NULL)) {
			snprintf(name, sizeof(name), "%s%s%s", path, *path ? "." : "", table->name);
			return fail(r, name, "is missing");
		}
	}
	return 0;
}

static int read_object(struct reader *r, const struct member *m, json_object *value, void *target,
		       const char *path)
{
	return read_members(r, m->object, value, (char *)target + m->offset, path);
}

static const char *const format_names[] = { "vhd", "raw", NULL };
/* A port without a character device is left out, so that "none" is no kind here. */
static const char *const kind_names[] = { "",	    "stream", "listen", "write",
					  "client", "tty",    "door",	NULL };

_Static_assert(VM_DISK_VHD == 0 && VM_DISK_RAW == 1, "format_names");
_Static_assert(VM_CHAR_STREAM == 1 && VM_CHAR_LISTEN == 2 && VM_CHAR_WRITE == 3 &&
		       VM_CHAR_TTY == 5 && VM_CHAR_DOOR == 6 && VM_CHAR_CLIENT == 4,
	       "kind_names");

#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define RANGE(from, to) .min = (from), .max = (to)
#define REQUIRED .required = true

static const struct member char_members[] = {
	{ "kind", read_enum, FIELD(struct vm_char, kind), .required = true, .names = kind_names },
	{ "stream_fd", read_fd, FIELD(struct vm_char, fd), REQUIRED },
	{ "name", read_text, FIELD(struct vm_char, name), REQUIRED },
	{ .name = NULL },
};

struct serial_item {
	uint32_t port;
	struct vm_char character;
};

static const struct member serial_members[] = {
	{ "port", read_number, FIELD(struct serial_item, port), RANGE(0, VM_SERIAL_MAX - 1),
	  REQUIRED },
	{ "kind", read_enum, FIELD(struct serial_item, character.kind), REQUIRED,
	  .names = kind_names },
	{ "stream_fd", read_fd, FIELD(struct serial_item, character.fd), REQUIRED },
	{ "name", read_text, FIELD(struct serial_item, character.name), REQUIRED },
	{ .name = NULL },
};

static const struct member disk_members[] = {
	{ "slot", read_number, FIELD(struct vm_disk, slot), RANGE(0, VM_DISKS_MAX - 1), REQUIRED },
	{ "format", read_enum, FIELD(struct vm_disk, format), REQUIRED, .names = format_names },
	{ "disk_fd", read_fd, FIELD(struct vm_disk, fd), REQUIRED },
	{ "read_only", read_bool, FIELD(struct vm_disk, read_only), REQUIRED },
	{ "name", read_text, FIELD(struct vm_disk, name), REQUIRED },
	{ "geometry", read_geometry, .offset = 0 },
	{ "same_contents", read_bool, FIELD(struct vm_disk, same_contents) },
	{ .name = NULL },
};

static const struct member parent_members[] = {
	{ "slot", read_number, FIELD(struct vm_parent, slot), RANGE(0, VM_DISKS_MAX - 1),
	  REQUIRED },
	{ "format", read_enum, FIELD(struct vm_parent, format), REQUIRED, .names = format_names },
	{ "disk_fd", read_fd, FIELD(struct vm_parent, fd), REQUIRED },
	{ "name", read_text, FIELD(struct vm_parent, name), REQUIRED },
	{ .name = NULL },
};

static const struct member medium_members[] = {
	{ "format", read_enum, FIELD(struct vm_disk, format), REQUIRED, .names = format_names },
	{ "disk_fd", read_fd, FIELD(struct vm_disk, fd), REQUIRED },
	{ "read_only", read_bool, FIELD(struct vm_disk, read_only) },
	{ "name", read_text, FIELD(struct vm_disk, name), REQUIRED },
	{ .name = NULL },
};

/* As the firmware numbers them (devmodel/floppy_drive.h). */
static const char *const floppy_names[] = { "", "360K", "1.2M", "720K", "1.44M", "2.88M", NULL };

struct floppy_item {
	uint32_t drive;
	struct vm_floppy floppy;
};

static int read_medium(struct reader *r, const struct member *m, json_object *value, void *target,
		       const char *path)
{
	struct vm_medium *medium = (void *)((char *)target + m->offset);

	medium->present = true;
	return read_members(r, medium_members, value, &medium->disk, path);
}

static const struct member floppy_members[] = {
	{ "drive", read_number, FIELD(struct floppy_item, drive), RANGE(0, VM_FLOPPIES_MAX - 1),
	  REQUIRED },
	{ "kind", read_enum, FIELD(struct floppy_item, floppy.kind), REQUIRED,
	  .names = floppy_names },
	{ "medium", read_medium, FIELD(struct floppy_item, floppy.medium) },
	{ .name = NULL },
};

struct cdrom_item {
	uint32_t slot;
	struct vm_cdrom cdrom;
};

static const struct member cdrom_members[] = {
	{ "slot", read_number, FIELD(struct cdrom_item, slot), RANGE(0, VM_DISKS_MAX - 1),
	  REQUIRED },
	{ "medium", read_medium, FIELD(struct cdrom_item, cdrom.medium) },
	{ .name = NULL },
};

static const char *const sharing_names[] = { "shared", "exclusive", NULL };

static const struct member display_members[] = {
	{ "listen_fd", read_fd, FIELD(struct vm_display, listen_fd), REQUIRED },
	{ "sharing", read_enum, FIELD(struct vm_display, sharing), .names = sharing_names },
	{ "view_only", read_bool, FIELD(struct vm_display, view_only) },
	{ "idle_timeout_s", read_number, FIELD(struct vm_display, idle_timeout_s),
	  RANGE(0, IDLE_TIMEOUT_S_MAX) },
	{ .name = NULL },
};

static const struct member restore_members[] = {
	{ "state_fd", read_fd, FIELD(struct vm_restore, fd), REQUIRED },
	{ "name", read_text, FIELD(struct vm_restore, name), REQUIRED },
	{ "verify", read_bool, FIELD(struct vm_restore, verify) },
	{ "wait", read_bool, FIELD(struct vm_restore, wait) },
	{ .name = NULL },
};

static const char *const model_names[] = { "21140", "21143", NULL };
_Static_assert(VM_NIC_21140 == 0 && VM_NIC_21143 == 1, "model_names");

static const struct member nic_members[] = {
	{ "slot", read_number, FIELD(struct vm_nic, slot), RANGE(0, VM_NICS_MAX - 1), REQUIRED },
	{ "model", read_enum, FIELD(struct vm_nic, model), REQUIRED, .names = model_names },
	{ "mac", read_mac, FIELD(struct vm_nic, mac), REQUIRED },
	{ "plug_fd", read_fd, FIELD(struct vm_nic, plug_fd), REQUIRED },
	{ .name = NULL },
};

static const struct member rtc_members[] = {
	{ "local_offset_s", read_number, FIELD(struct vm_config, rtc_local_offset_s),
	  RANGE(-RTC_OFFSET_S_MAX, RTC_OFFSET_S_MAX), REQUIRED },
	{ "frozen", read_bool, FIELD(struct vm_config, rtc_frozen) },
	{ .name = NULL },
};

/* --- arrays: each item is read by its table, then put where it belongs --- */

static int store_disk(struct reader *r, void *item, struct vm_config *config, const char *path)
{
	const struct vm_disk *disk = item;
	unsigned int at = config->disk_count;

	/* Kept sorted by slot. */
	while (at && config->disks[at - 1].slot > disk->slot) {
		config->disks[at] = config->disks[at - 1];
		at--;
	}
	if (at && config->disks[at - 1].slot == disk->slot)
		return fail(r, path, "slot %u is used twice", disk->slot);
	config->disks[at] = *disk;
	config->disk_count++;
	return 0;
}

static int store_parent(struct reader *r, void *item, struct vm_config *config, const char *path)
{
	const struct vm_parent *parent = item;

	for (unsigned int i = 0; i + 1 < config->parent_count; i++) {
		if (config->parents[i].slot == parent->slot &&
		    config->parents[config->parent_count - 1].slot != parent->slot)
			return fail(r, path, "does not follow the others of slot %u", parent->slot);
	}
	config->parents[config->parent_count++] = *parent;
	return 0;
}

static int store_serial(struct reader *r, void *item, struct vm_config *config, const char *path)
{
	const struct serial_item *serial = item;

	if (config->serial[serial->port].kind != VM_CHAR_NONE)
		return fail(r, path, "port %u is used twice", serial->port);
	config->serial[serial->port] = serial->character;
	return 0;
}

static int store_nic(struct reader *r, void *item, struct vm_config *config, const char *path)
{
	const struct vm_nic *nic = item;

	for (unsigned int other = 0; other < config->nic_count; other++) {
		if (config->nics[other].slot == nic->slot)
			return fail(r, path, "slot %u is used twice", nic->slot);
	}
	config->nics[config->nic_count++] = *nic;
	return 0;
}

static int store_floppy(struct reader *r, void *item, struct vm_config *config, const char *path)
{
	const struct floppy_item *floppy = item;

	if (config->floppies[floppy->drive].kind)
		return fail(r, path, "drive %u is used twice", floppy->drive);
	config->floppies[floppy->drive] = floppy->floppy;
	return 0;
}

static int store_cdrom(struct reader *r, void *item, struct vm_config *config, const char *path)
{
	struct cdrom_item *cdrom = item;

	if (config->cdroms[cdrom->slot].present)
		return fail(r, path, "slot %u is used twice", cdrom->slot);
	cdrom->cdrom.present = true;
	cdrom->cdrom.medium.disk.read_only = true;
	config->cdroms[cdrom->slot] = cdrom->cdrom;
	return 0;
}

/* The number of items of an array of at most @max, or -EINVAL. */
static int get_count(struct reader *r, json_object *value, size_t max, const char *path)
{
	if (!json_object_is_type(value, json_type_array))
		return fail(r, path, "must be an array");
	if (json_object_array_length(value) > max)
		return fail(r, path, "must have at most %zu items", max);
	return (int)json_object_array_length(value);
}

static int read_items(struct reader *r, const struct member *m, json_object *value, void *target,
		      const char *path)
{
	int count = get_count(r, value, (size_t)m->max, path);

	for (int i = 0; i < count; i++) {
		json_object *object = json_object_array_get_idx(value, (size_t)i);
		union {
			struct vm_disk disk;
			struct vm_parent parent;
			struct floppy_item floppy;
			struct cdrom_item cdrom;
			struct serial_item serial;
			struct vm_nic nic;
		} item;
		char name[32];

		memset(&item, 0, sizeof(item));
		snprintf(name, sizeof(name), "%s[%d]", path, i);
		if (read_members(r, m->object, object, &item, name) < 0 ||
		    m->store(r, &item, target, name) < 0)
			return -EINVAL;
	}
	return count < 0 ? count : 0;
}

static const char *const boot_names[] = { "", "floppy", "disk", "cdrom", NULL };

static int read_boot(struct reader *r, const struct member *m, json_object *value, void *target,
		     const char *path)
{
	struct vm_config *config = target;
	const struct member item = { .names = boot_names };
	int count = get_count(r, value, VM_BOOT_MAX, path);

	(void)m;
	for (int i = 0; i < VM_BOOT_MAX; i++) {
		config->boot[i] = VM_BOOT_NONE;
		if (i < count && read_enum(r, &item, json_object_array_get_idx(value, (size_t)i),
					   &config->boot[i], path) < 0)
			return -EINVAL;
	}
	return count < 0 ? count : 0;
}

static bool has_disk(const struct vm_config *config, unsigned int slot)
{
	for (unsigned int i = 0; i < config->disk_count; i++) {
		if (config->disks[i].slot == slot)
			return true;
	}
	return false;
}

static const char *const pages_names[] = { "huge", "small", "reserved", NULL };
static const char *const pit_names[] = { "catchup", "drop", NULL };

static const struct member memory_members[] = {
	{ "pages", read_enum, FIELD(struct vm_config, pages), .names = pages_names },
	{ "ksm", read_bool, FIELD(struct vm_config, ksm) },
	{ .name = NULL },
};

static const struct member smbios_members[] = {
	{ "manufacturer", read_text, FIELD(struct vm_smbios, manufacturer) },
	{ "product", read_text, FIELD(struct vm_smbios, product) },
	{ "version", read_text, FIELD(struct vm_smbios, version) },
	{ "serial", read_text, FIELD(struct vm_smbios, serial) },
	{ .name = NULL },
};

static int read_pins(struct reader *r, const struct member *m, json_object *value, void *target,
		     const char *path)
{
	struct vm_config *config = target;
	int count = get_count(r, value, VM_CPUS_MAX, path);

	(void)m;
	for (int i = 0; i < count; i++) {
		int64_t number;

		if (get_number(r, json_object_array_get_idx(value, (size_t)i), 0, CPU_SETSIZE - 1,
			       path, &number) < 0)
			return -EINVAL;
		config->cpu_pins[i] = (int)number;
	}
	return count < 0 ? count : 0;
}

/* What no member sees alone. */
static int check_config(struct reader *r, const struct vm_config *config)
{
	if (config->nvram.present && config->nvram.disk.format != VM_DISK_RAW)
		return fail(r, "nvram.format", "must be raw");
	for (unsigned int i = 0; i < config->disk_count; i++) {
		if (config->cdroms[config->disks[i].slot].present)
			return fail(r, "cdroms", "slot %u has a disk", config->disks[i].slot);
	}
	for (unsigned int i = 0; i < config->parent_count; i++) {
		if (!has_disk(config, config->parents[i].slot))
			return fail(r, "parents", "slot %u has no disk", config->parents[i].slot);
	}
	return 0;
}

/* The protocol and the board are only compared. */
static int read_constant(struct reader *r, const struct member *m, json_object *value, void *target,
			 const char *path)
{
	int64_t number;

	(void)target;
	return get_number(r, value, m->min, m->max, path, &number);
}

static const struct member message_members[] = {
	{ "protocol", read_constant, RANGE(1, 1), REQUIRED },
	{ "board", read_constant, RANGE(VM_BOARD, VM_BOARD), REQUIRED },
	{ "name", read_machine_name, FIELD(struct vm_config, name), REQUIRED },
	{ "uuid", read_uuid, FIELD(struct vm_config, uuid), REQUIRED },
	{ "memory_bytes", read_memory, FIELD(struct vm_config, memory_bytes),
	  RANGE((int64_t)MEMORY_BYTES_MIN, (int64_t)MEMORY_BYTES_MAX), REQUIRED },
	{ "cpus", read_number, FIELD(struct vm_config, cpus), RANGE(1, VM_CPUS_MAX), REQUIRED },
	{ "cpu", read_text, FIELD(struct vm_config, cpu_model), REQUIRED },
	{ "kvm_fd", read_fd, FIELD(struct vm_config, kvm_fd) },
	{ "devtest", read_object, FIELD(struct vm_config, devtest), .object = char_members },
	{ "firmware_fd", read_fd, FIELD(struct vm_config, firmware_fd) },
	{ "control_fd", read_fd, FIELD(struct vm_config, control_fd) },
	{ "disks", read_items, .max = VM_DISKS_MAX, .object = disk_members, .store = store_disk },
	{ "parents", read_items, .max = VM_PARENTS_MAX, .object = parent_members,
	  .store = store_parent },
	{ "floppies", read_items, .max = VM_FLOPPIES_MAX, .object = floppy_members,
	  .store = store_floppy },
	{ "cdroms", read_items, .max = VM_DISKS_MAX, .object = cdrom_members,
	  .store = store_cdrom },
	{ .name = "boot", .read = read_boot },
	{ "serial", read_items, .max = VM_SERIAL_MAX, .object = serial_members,
	  .store = store_serial },
	{ "parallel", read_object, FIELD(struct vm_config, parallel), .object = char_members },
	{ "debugcon", read_object, FIELD(struct vm_config, debugcon), .object = char_members },
	{ "display", read_object, FIELD(struct vm_config, display), .object = display_members },
	{ "keyboard", read_text, FIELD(struct vm_config, keyboard) },
	{ "nics", read_items, .max = VM_NICS_MAX, .object = nic_members, .store = store_nic },
	{ "rtc", read_object, .object = rtc_members },
	{ "discard_state", read_bool, FIELD(struct vm_config, discard_state) },
	{ "restore", read_object, FIELD(struct vm_config, restore), .object = restore_members },
	{ "nvram", read_medium, FIELD(struct vm_config, nvram) },
	{ "memory", read_object, .object = memory_members },
	{ "pit", read_enum, FIELD(struct vm_config, pit), .names = pit_names },
	{ .name = "cpu_pins", .read = read_pins },
	{ "smbios", read_object, FIELD(struct vm_config, smbios), .object = smbios_members },
	{ "ide_irq_delay_us", read_number, FIELD(struct vm_config, ide_irq_delay_us),
	  RANGE(0, IDE_IRQ_DELAY_US_MAX) },
	{ "fast_disk", read_bool, FIELD(struct vm_config, fast_disk) },
	{ "vram_bytes", read_vram, FIELD(struct vm_config, vram_bytes), RANGE(0, VM_VRAM_BYTES) },
	{ "firmware_console", read_number, FIELD(struct vm_config, firmware_console),
	  RANGE(0, VM_SERIAL_MAX) },
	{ "kernel_fd", read_fd, FIELD(struct vm_config, kernel_fd) },
	{ "initrd_fd", read_fd, FIELD(struct vm_config, initrd_fd) },
	{ "append", read_text, FIELD(struct vm_config, append) },
	{ .name = NULL },
};

/* --- the message --- */

static json_object *parse_json(struct reader *r, const char *text, size_t size)
{
	json_tokener *tokener;
	json_object *root = NULL;

	if (size > VM_START_BYTES_MAX) {
		fail(r, "the message", "is larger than %d bytes", VM_START_BYTES_MAX);
		return NULL;
	}
	tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tokener) {
		fail(r, "the message", "no memory to read it");
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int)size);
	if (!root || json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != size) {
		fail(r, "the message", "is not one JSON object (near byte %zu)",
		     json_tokener_get_parse_end(tokener));
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(tokener);
	return root;
}

static void config_init(struct vm_config *config)
{
	*config = (struct vm_config){
		.kvm_fd = -1,
		.firmware_fd = -1,
		.control_fd = -1,
		.kernel_fd = -1,
		.initrd_fd = -1,
		.restore = { .fd = -1 },
		.ide_irq_delay_us = VM_IDE_IRQ_DELAY_US,
		.fast_disk = true,
		.ksm = true,
		.boot = { VM_BOOT_DISK, VM_BOOT_FLOPPY, VM_BOOT_CDROM },
		.display = { .listen_fd = -1 },
		.keyboard = "us",
		.vram_bytes = VM_VRAM_BYTES,
	};
	for (size_t i = 0; i < VM_DISKS_MAX; i++)
		config->disks[i].fd = -1;
	for (size_t i = 0; i < VM_CPUS_MAX; i++)
		config->cpu_pins[i] = -1;
	for (size_t i = 0; i < VM_SERIAL_MAX; i++)
		config->serial[i].fd = -1;
	config->devtest.fd = -1;
	config->parallel.fd = -1;
	config->nvram.disk.fd = -1;
	config->debugcon.fd = -1;
}

/* What one member cannot see: a processor, or a program in its place; a kernel for a command line. */
static int check_whole(struct reader *r, const struct vm_config *config)
{
	bool devtest = config->devtest.kind != VM_CHAR_NONE;

	if (devtest && config->kvm_fd >= 0)
		return fail(r, "devtest", "such a machine takes no kvm_fd");
	if (devtest && config->devtest.kind != VM_CHAR_LISTEN &&
	    config->devtest.kind != VM_CHAR_CLIENT)
		return fail(r, "devtest.kind", "must be listen or client");
	if (!devtest && config->kvm_fd < 0)
		return fail(r, "kvm_fd", "is missing");
	if (!devtest && config->firmware_fd < 0)
		return fail(r, "firmware_fd", "is missing");
	if (config->kernel_fd < 0 && (config->initrd_fd >= 0 || *config->append))
		return fail(r, "kernel_fd", "is missing, and needed for initrd_fd and append");
	return 0;
}

struct vm_disk vm_config_parents(const struct vm_config *config, const struct vm_disk *disk)
{
	struct vm_disk with = *disk;

	for (unsigned int i = 0; i < config->parent_count; i++) {
		if (config->parents[i].slot != disk->slot)
			continue;
		if (!with.parent_count)
			with.parents = &config->parents[i];
		with.parent_count++;
	}
	return with;
}

void vm_config_devtest(struct vm_config *ret_config)
{
	config_init(ret_config);
	strcpy(ret_config->name, "devtest");
	strcpy(ret_config->cpu_model, "nt4");
	ret_config->memory_bytes = DEVTEST_MEMORY_BYTES;
	ret_config->cpus = 1;
}

/* As vm_config_parse(); @used gets a bit for each descriptor that the configuration names. */
static int parse(const char *text, size_t size, const int *fds, unsigned int fd_count,
		 struct vm_config *ret_config, uint64_t used[FDS_USED_WORDS], char *error,
		 size_t error_size)
{
	struct reader r = { fds, fd_count, used, error, error_size };
	struct vm_config config;
	json_object *root;
	int result;

	if (fd_count > FDPASS_MAX_FDS)
		return fail(&r, "the message", "has more than %d descriptors", FDPASS_MAX_FDS);
	root = parse_json(&r, text, size);
	if (!root)
		return -EINVAL;
	config_init(&config);
	result = read_members(&r, message_members, root, &config, "");
	if (result == 0)
		result = check_config(&r, &config);
	json_object_put(root);
	if (result == 0)
		result = check_whole(&r, &config);
	if (result < 0)
		return result;
	for (unsigned int i = 0; i < config.disk_count; i++)
		config.disks[i].saved = config.restore.fd >= 0 || config.discard_state;
	*ret_config = config;
	return 0;
}

int vm_config_parse(const char *text, size_t size, const int *fds, unsigned int fd_count,
		    struct vm_config *ret_config, char *error, size_t error_size)
{
	uint64_t used[FDS_USED_WORDS] = { 0 };

	return parse(text, size, fds, fd_count, ret_config, used, error, error_size);
}

int vm_config_receive(int socket, struct vm_config *ret_config, char *error, size_t error_size)
{
	int fds[FDPASS_MAX_FDS];
	unsigned int fd_count = FDPASS_MAX_FDS;
	uint64_t used[FDS_USED_WORDS] = { 0 };
	size_t size;
	char *text;
	int r;

	text = malloc(VM_START_BYTES_MAX);
	if (!text) {
		snprintf(error, error_size, "no memory to receive it");
		return -ENOMEM;
	}
	r = fdpass_receive(socket, text, VM_START_BYTES_MAX, &size, fds, &fd_count);
	if (r < 0) {
		fd_count = 0;
		snprintf(error, error_size, "%s; machines are started by \"mainstay run\"",
			 strerror(-r));
	} else if (!size) {
		r = -ECONNRESET;
		snprintf(error, error_size, "the starter hung up without sending it");
	} else {
		r = parse(text, size, fds, fd_count, ret_config, used, error, error_size);
	}
	free(text);
	for (unsigned int i = 0; i < fd_count; i++) {
		if (r < 0 || !(used[i / 64] & BIT64(i % 64)))
			fd_close(fds[i]);
	}
	return r;
}
