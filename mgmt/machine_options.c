// SPDX-License-Identifier: GPL-2.0-or-later
/* The options that describe a machine (MACHINE_OPTIONS of machine_config.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/parse.h"
#include "machine_config.h"
#include "machine_members.h"
#include "option_words.h"

/* --- one value each --- */

int machine_option_memory(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	uint64_t bytes;
	int r = parse_size(value, &bytes);

	if (r == -EINVAL) {
		snprintf(error, error_size, "--memory %s: not a size; give for example 128M",
			 value);
		return -1;
	}
	if (r < 0 || bytes < MIB(MACHINE_MEMORY_MIB_MIN) || bytes > MIB(MACHINE_MEMORY_MIB_MAX)) {
		snprintf(error, error_size, "--memory %s: out of range; give %uM to %uG", value,
			 MACHINE_MEMORY_MIB_MIN, MACHINE_MEMORY_MIB_MAX / 1024);
		return -1;
	}
	if (bytes % MIB(1)) {
		snprintf(error, error_size,
			 "--memory %s: not a multiple of 1 MiB; give for example %lluM", value,
			 (unsigned long long)(bytes / MIB(1)));
		return -1;
	}
	config->memory_mib = (uint32_t)(bytes / MIB(1));
	return 0;
}

int machine_option_cpu(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	size_t length;

	if (!strcmp(value, "help")) {
		for (unsigned int i = 0; machine_cpus[i].name; i++)
			printf("%-8s %s (memory up to %u MiB)\n", machine_cpus[i].name,
			       machine_cpus[i].summary, machine_cpus[i].memory_mib_max);
		exit(EXIT_SUCCESS);
	}
	for (unsigned int i = 0; machine_cpus[i].name; i++) {
		if (!strcmp(machine_cpus[i].name, value)) {
			config->cpu = i;
			return 0;
		}
	}
	snprintf(error, error_size, "--cpu %s: no such processor model; give one of:", value);
	for (unsigned int i = 0; machine_cpus[i].name; i++) {
		length = strlen(error);
		snprintf(error + length, error_size - length, "%s %s", i ? "," : "",
			 machine_cpus[i].name);
	}
	return -1;
}

int machine_option_name(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	if (!name_is_valid(value)) {
		snprintf(
			error, error_size,
			"--name %s: cannot name a machine; use 1 to 64 bytes without / and control "
			"characters, not starting with . or -",
			value);
		return -1;
	}
	config->name = value;
	return 0;
}

int machine_option_uuid(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	if (parse_uuid(value, config->uuid) < 0) {
		snprintf(error, error_size,
			 "--uuid %s: not a uuid; give for example the output of uuidgen", value);
		return -1;
	}
	config->uuid_given = true;
	return 0;
}

int machine_option_fast_disk(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	if (parse_bool(value, &config->fast_disk) == 0)
		return 0;
	snprintf(error, error_size, "--fast-disk %s: give on or off", value);
	return -1;
}

int machine_option_append(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	if (strlen(value) > MACHINE_APPEND_MAX || !utf8_is_valid(value, strlen(value))) {
		snprintf(error, error_size, "--append: give at most %d bytes of UTF-8",
			 MACHINE_APPEND_MAX);
		return -1;
	}
	config->append = value;
	return 0;
}

int machine_option_resume_clock(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	int index = machine_find_name(machine_resume_clock_names, value, strlen(value));

	if (index < 0) {
		snprintf(error, error_size, "--resume-clock %s: give catch-up or frozen", value);
		return -1;
	}
	config->resume_clock = (unsigned int)index;
	return 0;
}

/* One of the option's words; -1 when it is none. */
static int set_display(struct machine_display *display, const char *word, size_t length)
{
	int sharing = machine_find_name(machine_sharing_names, word, length);
	char number[16];
	uint64_t seconds;

	if (sharing >= 0) {
		display->sharing = (unsigned int)sharing;
		return 0;
	}
	if (length == strlen("view-only") && !strncmp(word, "view-only", length)) {
		display->view_only = true;
		return 0;
	}
	if (length <= strlen("idle=") || length >= sizeof(number) ||
	    strncmp(word, "idle=", strlen("idle=")))
		return -1;
	snprintf(number, sizeof(number), "%.*s", (int)(length - strlen("idle=")),
		 word + strlen("idle="));
	if (parse_u64(number, 0, 86400, &seconds) < 0)
		return -1;
	display->idle_timeout_s = (uint32_t)seconds;
	return 0;
}

int machine_option_display(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	for (const char *word = value; *word;) {
		const size_t length = strcspn(word, ",");

		if (set_display(&config->display, word, length) < 0) {
			snprintf(error, error_size,
				 "--display %s: give shared or exclusive, view-only, idle=SECONDS "
				 "(at most 86400), joined by commas",
				 value);
			return -1;
		}
		word += length;
		word += *word == ',';
	}
	return 0;
}

int machine_option_video_memory(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	int index = machine_find_name(machine_video_memory_names, value, strlen(value));

	if (index < 0) {
		snprintf(error, error_size, "--video-memory %s: give 1M, 2M, 4M or none", value);
		return -1;
	}
	config->video_memory = (unsigned int)index;
	return 0;
}

int machine_option_keyboard(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	int index = machine_find_name(machine_keyboard_names, value, strlen(value));

	if (index < 0) {
		snprintf(error, error_size, "--keyboard %s: give us, uk, de or jp106", value);
		return -1;
	}
	config->keyboard = (unsigned int)index;
	return 0;
}

int machine_option_rtc(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	int index = machine_find_name(machine_rtc_names, value, strlen(value));

	if (index < 0) {
		snprintf(error, error_size, "--rtc %s: give utc or local", value);
		return -1;
	}
	config->rtc = (unsigned int)index;
	return 0;
}

int machine_option_boot(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	int index = machine_find_name(machine_boot_names, value, strlen(value));

	if (index < 0) {
		snprintf(error, error_size,
			 "--boot %s: give disk, floppy and cdrom in the order wanted, for example "
			 "cdrom,disk, and net before them or alone",
			 value);
		return -1;
	}
	config->boot = (unsigned int)index;
	return 0;
}

int machine_option_undo(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	int index = machine_find_name(machine_undo_names, value, strlen(value));

	if (index < 0) {
		snprintf(error, error_size,
			 "--undo %s: give keep, commit, discard, ask or off (the default)", value);
		return -1;
	}
	config->undo = (unsigned int)index;
	return 0;
}

int machine_option_sandbox(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	int index = machine_find_name(machine_sandbox_names, value, strlen(value));

	if (index < 0) {
		snprintf(error, error_size, "--sandbox %s: give full (the default) or degraded",
			 value);
		return -1;
	}
	config->sandbox = (unsigned int)index;
	return 0;
}

/* --- lists of words --- */

static const struct word tuning_words[] = {
	{ "pages", WORD_NAME, offsetof(struct machine_tuning, pages), .names = machine_pages_names,
	  .want = "give pages=huge, small or reserved" },
	{ "ksm", WORD_SWITCH, offsetof(struct machine_tuning, ksm), .want = "give ksm=on or off" },
	{ "pit", WORD_NAME, offsetof(struct machine_tuning, pit), .names = machine_pit_names,
	  .want = "give pit=catchup or drop" },
	{ "pin", WORD_TEXT, offsetof(struct machine_tuning, pin),
	  .want = "give a processor of the host for each of the machine's, like pin=2+3" },
	{ .name = NULL },
};
static const struct words tuning_option = { "tune", tuning_words,
					    "give pages, ksm, pit or pin, each with =..." };

int machine_option_tune(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	return words_parse(&tuning_option, config, value, value, &config->tuning, error,
			   error_size);
}

#define SMBIOS_WORD(member)                                                                        \
	{                                                                                          \
#member, WORD_TEXT, offsetof(struct machine_smbios, member), .want = "give a text" \
	}
static const struct word smbios_words[] = {
	SMBIOS_WORD(manufacturer), SMBIOS_WORD(product), SMBIOS_WORD(version),
	SMBIOS_WORD(serial),	   { .name = NULL },
};
static const struct words smbios_option = {
	"smbios", smbios_words, "give manufacturer, product, version or serial, each with =..."
};

int machine_option_smbios(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	const struct machine_smbios *smbios = &config->smbios;
	const char *texts[4];

	if (words_parse(&smbios_option, config, value, value, &config->smbios, error, error_size) <
	    0)
		return -1;
	texts[0] = smbios->manufacturer;
	texts[1] = smbios->product;
	texts[2] = smbios->version;
	texts[3] = smbios->serial;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i] && !machine_smbios_text_valid(texts[i])) {
			snprintf(error, error_size, "--smbios %s: give 1 to %d characters of ASCII",
				 value, MACHINE_SMBIOS_MAX);
			return -1;
		}
	}
	return 0;
}

/* --- ports --- */

/* "unix:PATH" and the like, at a serial port or not. 0 or -EINVAL. */
static int parse_char(struct machine_config *config, const char *value, bool serial,
		      struct machine_char *ret_char)
{
	static const char on_open[] = ",on-open";
	size_t length = strcspn(value, ":"), size = strlen(value);
	int kind = machine_find_name(machine_char_names, value, length);
	const struct machine_char_info *info = kind < 0 ? NULL : &machine_char_infos[kind];
	struct machine_char c = { .kind = (unsigned int)kind };
	const char *target = value + length + 1;

	if (!info || !(serial ? info->serial : info->parallel))
		return -EINVAL;
	if ((info->needs != CHAR_NEEDS_NOTHING) != (value[length] && *target) ||
	    (value[length] && !*target))
		return -EINVAL;
	if (info->on_open && size > sizeof(on_open) &&
	    !strcmp(value + size - strlen(on_open), on_open)) {
		char *copy = strndup(target, size - length - 1 - strlen(on_open));

		target = copy ? machine_config_keep(config, copy) : NULL;
		free(copy);
		c.on_open = true;
		if (!target || !*target)
			return -EINVAL;
	}
	c.path = info->needs == CHAR_NEEDS_PATH ? target : NULL;
	c.address = info->needs == CHAR_NEEDS_ADDRESS ? target : NULL;
	c.command = info->needs == CHAR_NEEDS_COMMAND ? target : NULL;
	*ret_char = c;
	return 0;
}

int machine_option_serial(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	if (config->serial_count == MACHINE_SERIAL_MAX) {
		snprintf(error, error_size, "--serial %s: the machine has only %d serial ports",
			 value, MACHINE_SERIAL_MAX);
		return -1;
	}
	if (parse_char(config, value, true, &config->serial[config->serial_count]) < 0) {
		snprintf(error, error_size,
			 "--serial %s: give stdio, console, pty, unix:PATH, connect:PATH, "
			 "tcp:HOST:PORT, tcp-listen:[HOST:]PORT, tty:PATH, file:PATH or none",
			 value);
		return -1;
	}
	config->serial_count++;
	return 0;
}

int machine_option_parallel(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	struct machine_char parallel;

	if (parse_char(config, value, false, &parallel) < 0) {
		snprintf(error, error_size,
			 "--parallel %s: give file:PATH, command:LINE, parport:PATH or none",
			 value);
		return -1;
	}
	config->parallel = parallel;
	return 0;
}
