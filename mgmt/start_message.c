// SPDX-License-Identifier: GPL-2.0-or-later
#include "start_message.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/parse.h"

struct writer {
	int *fds;
	unsigned int count;
};

void machine_files_init(struct machine_files *files)
{
	*files = (struct machine_files){
		.devtest = -1,
		.kernel = -1,
		.initrd = -1,
		.kvm = -1,
		.firmware = -1,
		.control = -1,
		.display = -1,
		.parallel = -1,
		.firmware_log = -1,
		.state = -1,
		.nvram = -1,
	};
	for (size_t i = 0; i < MACHINE_DISKS_MAX; i++)
		files->disks[i] = files->cdroms[i] = -1;
	for (size_t i = 0; i < MACHINE_FLOPPIES_MAX; i++)
		files->floppies[i] = -1;
	for (size_t i = 0; i < MACHINE_FLOPPIES_MAX; i++)
		files->floppy_kinds[i] = MACHINE_FLOPPY_1440K;
	for (size_t i = 0; i < MACHINE_SERIAL_MAX; i++)
		files->serial[i] = -1;
	for (size_t i = 0; i < MACHINE_NICS_MAX; i++)
		files->nics[i] = -1;
}

void machine_files_close(struct machine_files *files)
{
	files->devtest = fd_close(files->devtest);
	files->kernel = fd_close(files->kernel);
	files->initrd = fd_close(files->initrd);
	files->kvm = fd_close(files->kvm);
	files->firmware = fd_close(files->firmware);
	files->control = fd_close(files->control);
	files->display = fd_close(files->display);
	files->parallel = fd_close(files->parallel);
	files->firmware_log = fd_close(files->firmware_log);
	files->state = fd_close(files->state);
	files->nvram = fd_close(files->nvram);
	for (size_t i = 0; i < MACHINE_DISKS_MAX; i++)
		files->disks[i] = fd_close(files->disks[i]);
	for (size_t i = 0; i < MACHINE_DISKS_MAX; i++)
		vhd_chain_close(&files->chains[i]);
	for (size_t i = 0; i < MACHINE_DISKS_MAX; i++)
		files->cdroms[i] = fd_close(files->cdroms[i]);
	for (size_t i = 0; i < MACHINE_FLOPPIES_MAX; i++)
		files->floppies[i] = fd_close(files->floppies[i]);
	for (size_t i = 0; i < MACHINE_SERIAL_MAX; i++)
		files->serial[i] = fd_close(files->serial[i]);
	for (size_t i = 0; i < MACHINE_NICS_MAX; i++)
		files->nics[i] = fd_close(files->nics[i]);
}

static void add_text(json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

static void add_number(json_object *to, const char *name, int64_t number)
{
	json_object_object_add(to, name, json_object_new_int64(number));
}

static void add_fd(struct writer *w, json_object *to, const char *name, int fd)
{
	w->fds[w->count] = fd;
	add_number(to, name, w->count++);
}

json_object *machine_label_json(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash && slash[1] ? slash + 1 : path;
	size_t length = strlen(name), max = MACHINE_LABEL_MAX;
	char copy[MACHINE_LABEL_MAX + 1];

	if (length > max) {
		name += length - max;
		while ((*name & 0xc0) == 0x80)
			name++;
	}
	strcpy(copy, name);
	if (!utf8_is_valid(copy, strlen(copy))) {
		for (char *c = copy; *c; c++)
			*c = *c & 0x80 ? '?' : *c;
	}
	return json_object_new_string(copy);
}

static void add_name(json_object *to, const char *path)
{
	json_object_object_add(to, "name", machine_label_json(path));
}

static const char *format_of(const struct vhd_file *file)
{
	return machine_format_names[file->raw ? MACHINE_DISK_RAW : MACHINE_DISK_VHD];
}

static json_object *write_disk(struct writer *w, const struct machine_disk *disk, int fd,
			       const struct vhd_chain *chain, bool same_contents)
{
	json_object *json = json_object_new_object();
	bool read_only = disk->read_only || (chain->count && chain->read_only);

	add_number(json, "slot", disk->slot);
	add_text(json, "format",
		 chain->count ? format_of(&chain->files[0]) : machine_format_names[disk->format]);
	add_fd(w, json, "disk_fd", chain->count ? chain->files[0].fd : fd);
	json_object_object_add(json, "read_only", json_object_new_boolean(read_only));
	add_name(json, chain->count ? chain->paths[0] : disk->path);
	if (same_contents)
		json_object_object_add(json, "same_contents", json_object_new_boolean(true));
	if (disk->geometry[0]) {
		json_object *geometry = json_object_new_array();

		for (size_t i = 0; i < 3; i++)
			json_object_array_add(geometry, json_object_new_int(disk->geometry[i]));
		json_object_object_add(json, "geometry", geometry);
	}
	return json;
}

static void write_parents(struct writer *w, unsigned int slot, const struct vhd_chain *chain,
			  json_object *to)
{
	for (unsigned int i = 1; i < chain->count; i++) {
		json_object *json = json_object_new_object();

		add_number(json, "slot", slot);
		add_text(json, "format", format_of(&chain->files[i]));
		add_fd(w, json, "disk_fd", chain->files[i].fd);
		add_name(json, chain->paths[i]);
		json_object_array_add(to, json);
	}
}

static void write_disks(struct writer *w, const struct machine_config *config,
			const struct machine_files *files, json_object *to)
{
	json_object *disks = json_object_new_array(), *parents = json_object_new_array();

	for (uint32_t i = 0; i < config->disk_count; i++) {
		const struct vhd_chain *chain = &files->chains[i];

		json_object_array_add(disks, write_disk(w, &config->disks[i], files->disks[i],
							chain, files->same_contents[i]));
		write_parents(w, config->disks[i].slot, chain, parents);
	}
	json_object_object_add(to, "disks", disks);
	json_object_object_add(to, "parents", parents);
}

static void add_image(struct writer *w, json_object *to, const char *member, const char *path,
		      unsigned int format, bool read_only, int fd)
{
	json_object *json;

	if (!path)
		return;
	json = json_object_new_object();
	add_text(json, "format", machine_format_names[format]);
	add_fd(w, json, "disk_fd", fd);
	json_object_object_add(json, "read_only", json_object_new_boolean(read_only));
	add_name(json, path);
	json_object_object_add(to, member, json);
}

static void write_drives(struct writer *w, const struct machine_config *config,
			 const struct machine_files *files, json_object *to)
{
	json_object *floppies = json_object_new_array(), *cdroms = json_object_new_array();

	for (uint32_t i = 0; i < config->floppy_count; i++) {
		const struct machine_floppy *floppy = &config->floppies[i];
		unsigned int kind = floppy->kind ? floppy->kind : files->floppy_kinds[i];
		json_object *json = json_object_new_object();

		add_number(json, "drive", i);
		add_text(json, "kind", machine_floppy_names[kind]);
		add_image(w, json, "medium", floppy->path, floppy->format, floppy->read_only,
			  files->floppies[i]);
		json_object_array_add(floppies, json);
	}
	for (uint32_t i = 0; i < config->cdrom_count; i++) {
		json_object *json = json_object_new_object();

		add_number(json, "slot", config->cdroms[i].slot);
		add_image(w, json, "medium", config->cdroms[i].path, MACHINE_DISK_RAW, true,
			  files->cdroms[i]);
		json_object_array_add(cdroms, json);
	}
	json_object_object_add(to, "floppies", floppies);
	json_object_object_add(to, "cdroms", cdroms);
}

/* "cdrom,disk" as an array. */
static void write_boot(const char *order, json_object *to)
{
	json_object *array = json_object_new_array();

	for (const char *name = order; *name;) {
		size_t length = strcspn(name, ",");

		/* The network is a kernel of ours: iPXE. */
		if (strncmp(name, "net", 3) != 0)
			json_object_array_add(array, json_object_new_string_len(name, (int)length));
		name += length + (name[length] == ',');
	}
	json_object_object_add(to, "boot", array);
}

static json_object *write_char(struct writer *w, const struct machine_char *c, int fd)
{
	json_object *json = json_object_new_object();

	add_text(json, "kind", c->on_open ? "door" : machine_char_infos[c->kind].stream);
	add_fd(w, json, "stream_fd", fd);
	add_name(json, machine_char_target(c));
	return json;
}

static void write_ports(struct writer *w, const struct machine_config *config,
			const struct machine_files *files, json_object *to)
{
	const struct machine_char log = { .kind = MACHINE_CHAR_FILE, .path = config->firmware_log };
	json_object *serial = json_object_new_array();

	for (uint32_t port = 0; port < config->serial_count; port++) {
		json_object *json;

		if (config->serial[port].kind == MACHINE_CHAR_NONE)
			continue;
		json = write_char(w, &config->serial[port], files->serial[port]);
		add_number(json, "port", port);
		json_object_array_add(serial, json);
	}
	json_object_object_add(to, "serial", serial);
	if (config->parallel.kind != MACHINE_CHAR_NONE)
		json_object_object_add(to, "parallel",
				       write_char(w, &config->parallel, files->parallel));
	if (config->firmware_log)
		json_object_object_add(to, "debugcon", write_char(w, &log, files->firmware_log));
}

static json_object *write_devtest(struct writer *w, const struct machine_files *files)
{
	json_object *json = json_object_new_object();

	add_text(json, "kind", files->devtest_listens ? "listen" : "client");
	add_fd(w, json, "stream_fd", files->devtest);
	add_text(json, "name", "device test port");
	return json;
}

static void write_display(struct writer *w, const struct machine_display *display, int fd,
			  json_object *to)
{
	json_object *json = json_object_new_object();

	add_fd(w, json, "listen_fd", fd);
	add_text(json, "sharing", machine_sharing_names[display->sharing]);
	json_object_object_add(json, "view_only", json_object_new_boolean(display->view_only));
	add_number(json, "idle_timeout_s", display->idle_timeout_s);
	json_object_object_add(to, "display", json);
}

static void write_nics(struct writer *w, const struct machine_config *config,
		       const struct machine_files *files, json_object *to)
{
	json_object *nics = json_object_new_array();

	for (uint32_t i = 0; i < config->nic_count; i++) {
		json_object *nic;

		if (files->nics[i] < 0)
			continue;
		nic = json_object_new_object();
		add_number(nic, "slot", i);
		add_text(nic, "model", machine_nic_model_names[config->nics[i].model]);
		add_text(nic, "mac", config->nics[i].mac);
		add_fd(w, nic, "plug_fd", files->nics[i]);
		json_object_array_add(nics, nic);
	}
	json_object_object_add(to, "nics", nics);
}

static void write_tuning(const struct machine_config *config, json_object *to)
{
	const struct machine_tuning *tuning = &config->tuning;
	json_object *memory = json_object_new_object(), *pins;
	int numbers[MACHINE_CPUS_MAX];

	add_text(memory, "pages", machine_pages_names[tuning->pages]);
	json_object_object_add(memory, "ksm", json_object_new_boolean(tuning->ksm));
	json_object_object_add(to, "memory", memory);
	add_text(to, "pit", machine_pit_names[tuning->pit]);
	if (!tuning->pin || machine_parse_pins(tuning->pin, config->cpus, numbers) < 0)
		return;
	pins = json_object_new_array();
	for (uint32_t i = 0; i < config->cpus; i++)
		json_object_array_add(pins, json_object_new_int(numbers[i]));
	json_object_object_add(to, "cpu_pins", pins);
}

static void write_smbios(const struct machine_smbios *smbios, json_object *to)
{
	const struct {
		const char *name, *text;
	} rows[] = { { "manufacturer", smbios->manufacturer },
		     { "product", smbios->product },
		     { "version", smbios->version },
		     { "serial", smbios->serial } };
	json_object *json = json_object_new_object();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].text)
			add_text(json, rows[i].name, rows[i].text);
	}
	json_object_object_add(to, "smbios", json);
}

static void write_clock(const struct machine_config *config, json_object *to)
{
	json_object *rtc;
	struct tm local;
	time_t now;

	if (config->rtc == MACHINE_RTC_UTC)
		return;
	now = time(NULL);
	localtime_r(&now, &local);
	rtc = json_object_new_object();
	add_number(rtc, "local_offset_s", local.tm_gmtoff);
	json_object_object_add(
		rtc, "frozen",
		json_object_new_boolean(config->resume_clock == MACHINE_CLOCK_FROZEN));
	json_object_object_add(to, "rtc", rtc);
}

static void write_kernel(struct writer *w, const struct machine_config *config,
			 const struct machine_files *files, json_object *to)
{
	if (files->kernel >= 0)
		add_fd(w, to, "kernel_fd", files->kernel);
	if (files->initrd >= 0)
		add_fd(w, to, "initrd_fd", files->initrd);
	if (config->append && *config->append)
		add_text(to, "append", config->append);
}

static void write_restore(struct writer *w, const struct machine_files *files, json_object *to)
{
	json_object *json = json_object_new_object();

	add_fd(w, json, "state_fd", files->state);
	add_name(json, files->state_path);
	json_object_object_add(json, "verify", json_object_new_boolean(files->state_verify));
	json_object_object_add(json, "wait", json_object_new_boolean(files->state_waits));
	json_object_object_add(to, "restore", json);
}

char *start_message_write(const struct machine_config *config, const struct machine_files *files,
			  int fds[START_MESSAGE_FDS_MAX], unsigned int *ret_fd_count)
{
	json_object *json = json_object_new_object();
	struct writer w = { fds, 0 };
	char uuid[UUID_TEXT_SIZE];
	const char *text;
	char *copy;

	format_uuid(config->uuid, uuid);
	add_number(json, "protocol", 1);
	add_text(json, "name", config->name);
	add_text(json, "uuid", uuid);
	add_number(json, "board", MACHINE_BOARD);
	add_number(json, "memory_bytes", (int64_t)MIB(config->memory_mib));
	add_number(json, "cpus", config->cpus);
	add_text(json, "cpu", machine_cpus[config->cpu].name);
	if (files->devtest >= 0)
		json_object_object_add(json, "devtest", write_devtest(&w, files));
	else
		add_fd(&w, json, "kvm_fd", files->kvm);
	add_fd(&w, json, "firmware_fd", files->firmware);
	if (files->control >= 0)
		add_fd(&w, json, "control_fd", files->control);
	write_disks(&w, config, files, json);
	write_drives(&w, config, files, json);
	write_boot(machine_boot_names[config->boot], json);
	if (files->display >= 0)
		write_display(&w, &config->display, files->display, json);
	add_text(json, "keyboard", machine_keyboard_names[config->keyboard]);
	if (strcmp(machine_video_memory_names[config->video_memory], "none") != 0)
		add_number(json, "vram_bytes", (4u << 20) >> config->video_memory);
	else
		add_number(json, "vram_bytes", 0);
	write_ports(&w, config, files, json);
	write_nics(&w, config, files, json);
	write_clock(config, json);
	if (config->firmware_console)
		add_number(json, "firmware_console", config->firmware_console);
	json_object_object_add(json, "fast_disk", json_object_new_boolean(config->fast_disk));
	add_number(json, "ide_irq_delay_us", config->ide_irq_delay_us);
	write_kernel(&w, config, files, json);
	if (files->state >= 0)
		write_restore(&w, files, json);
	if (files->discard_state)
		json_object_object_add(json, "discard_state", json_object_new_boolean(true));
	if (config->nvram)
		add_image(&w, json, "nvram", config->nvram, MACHINE_DISK_RAW, false, files->nvram);
	write_tuning(config, json);
	write_smbios(&config->smbios, json);
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	copy = text ? strdup(text) : NULL;
	json_object_put(json);
	*ret_fd_count = w.count;
	return copy;
}
