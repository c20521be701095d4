// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "../../base/parse.h"
#include "mount.h"

#define PREFIX "mainstay-vhd-"
#define RECORD_BYTES_MAX (4 * VHD_PATH_BYTES)

const char *const mount_kind_names[MOUNT_KINDS] = { "file", "device", "files" };

static const char *base_folder(void)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");

	if (folder && *folder == '/' && strlen(folder) < 200)
		return folder;
	return geteuid() == 0 ? "/run" : "/tmp";
}

int mount_record_new(struct mount_record *record)
{
	snprintf(record->folder, sizeof(record->folder), "%s/" PREFIX "XXXXXX", base_folder());
	if (mkdtemp(record->folder))
		return 0;
	record->folder[0] = '\0';
	return fail("%s: no folder can be made there: %s", base_folder(), strerror(errno));
}

void mount_record_path(const struct mount_record *record, const char *name, char ret_path[300])
{
	snprintf(ret_path, 300, "%s/%s", record->folder, name);
}

/* Lines; a path cannot have one's end, mount sees to that. */
int mount_record_write(const struct mount_record *record)
{
	char path[300], *text = NULL;
	int n, r = -ENOMEM;

	mount_record_path(record, "record", path);
	n = asprintf(&text, "%s\n%s\n%s\n%s\n%s\n", record->disk, record->undo, record->where,
		     mount_kind_names[record->kind], undo_end_name(record->end));
	if (n >= 0)
		r = file_replace(path, text, (size_t)n, 0600);
	free(text);
	return r < 0 ? fail("%s: %s", path, strerror(-r)) : 0;
}

static bool take_line(char **text, char *to, size_t size)
{
	char *end = strchr(*text, '\n');

	if (!end || (size_t)(end - *text) >= size)
		return false;
	memcpy(to, *text, (size_t)(end - *text));
	to[end - *text] = '\0';
	*text = end + 1;
	return true;
}

static bool read_record(struct mount_record *record)
{
	char path[300], kind[16], end[16], *text, *at;
	bool good;
	int k;

	mount_record_path(record, "record", path);
	if (file_read(path, RECORD_BYTES_MAX, &text, NULL) < 0)
		return false;
	at = text;
	good = take_line(&at, record->disk, sizeof(record->disk)) &&
	       take_line(&at, record->undo, sizeof(record->undo)) &&
	       take_line(&at, record->where, sizeof(record->where)) &&
	       take_line(&at, kind, sizeof(kind)) && take_line(&at, end, sizeof(end));
	free(text);
	k = good ? index_of(mount_kind_names, MOUNT_KINDS, kind) : -1;
	if (k < 0)
		return false;
	record->kind = (enum mount_kind)k;
	if (!strcmp(end, "none"))
		record->end = UNDO_NONE;
	else if (undo_end_of(end, &record->end) != 0)
		return false;
	return true;
}

/* Nobody else may have put a record there. */
static bool is_ours(const char *folder)
{
	struct stat st;

	return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 077);
}

bool mount_record_find(const char *name, struct mount_record *ret_record)
{
	const char *base = base_folder();
	DIR *dir = opendir(base);
	struct dirent *entry;
	char real[PATH_MAX];
	bool found = false;

	/* What hangs cannot be resolved, but its name can be given as it was. */
	if (!realpath(name, real))
		snprintf(real, sizeof(real), "%s", name);
	while (dir && !found && (entry = readdir(dir))) {
		struct mount_record record = { .kind = MOUNT_FILE };

		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) ||
		    snprintf(record.folder, sizeof(record.folder), "%s/%s", base, entry->d_name) >=
			    (int)sizeof(record.folder) ||
		    !is_ours(record.folder) || !read_record(&record))
			continue;
		found = !strcmp(real, record.where) || !strcmp(real, record.disk);
		if (found)
			*ret_record = record;
	}
	if (dir)
		closedir(dir);
	return found;
}

int mount_record_pid(const struct mount_record *record, const char *name)
{
	char path[300], *text;
	uint64_t pid = 0;

	mount_record_path(record, name, path);
	if (file_read(path, 32, &text, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	if (parse_u64(text, 2, INT_MAX, &pid) < 0)
		pid = 0;
	free(text);
	return (int)pid;
}

void mount_record_remove(const struct mount_record *record)
{
	static const char *const names[] = { "record", "nbd", "pid", "fuse" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[300];

		mount_record_path(record, names[i], path);
		unlink(path);
	}
	rmdir(record->folder);
}
