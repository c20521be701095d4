// SPDX-License-Identifier: GPL-2.0-or-later
#include "uid_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/hash.h"
#include "../base/parse.h"

/* Above what useradd, subuid ranges and systemd's dynamic users, containers and homes take. */
#define UID_FIRST 200000000u
#define UID_LAST 200065535u
/* Below 2^31: some programs take a user for a signed number. */
#define UID_MAX 2147483647u
#define CONFIG_BYTES_MAX 65536
/* So many of the range are tried: far more than machines run on one host. */
#define ATTEMPTS 4096u

static char *strip(char *text)
{
	size_t length;

	text += strspn(text, " \t\r");
	length = strlen(text);
	while (length && strchr(" \t\r", text[length - 1]))
		text[--length] = '\0';
	return text;
}

static int parse_range(char *value, struct uid_range *ret_range)
{
	char *dash = strchr(value, '-');
	uint64_t first, last;

	if (!dash)
		return -EINVAL;
	*dash = '\0';
	if (parse_u64(strip(value), 1000, UID_MAX, &first) < 0 ||
	    parse_u64(strip(dash + 1), first, UID_MAX, &last) < 0)
		return -EINVAL;
	*ret_range = (struct uid_range){ (uint32_t)first, (uint32_t)last };
	return 0;
}

int uid_range_parse(const char *text, struct uid_range *ret_range, char *error, size_t error_size)
{
	struct uid_range range = { UID_FIRST, UID_LAST };
	unsigned int line_number = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");
		char line[256], *key, *equals;

		line_number++;
		snprintf(line, sizeof(line), "%.*s", (int)(length < 255 ? length : 255), text);
		text += length + (text[length] == '\n');
		line[strcspn(line, "#")] = '\0';
		key = strip(line);
		if (!*key)
			continue;
		equals = strchr(key, '=');
		if (equals)
			*equals = '\0';
		if (!equals || strcmp(strip(key), "uid_range")) {
			snprintf(error, error_size,
				 "%s: line %u: no such setting; give uid_range = FIRST-LAST",
				 UID_POOL_CONFIG, line_number);
			return -EINVAL;
		}
		if (parse_range(equals + 1, &range) < 0) {
			snprintf(error, error_size,
				 "%s: line %u: no range of users; give for example uid_range = "
				 "%u-%u",
				 UID_POOL_CONFIG, line_number, UID_FIRST, UID_LAST);
			return -EINVAL;
		}
	}
	*ret_range = range;
	return 0;
}

static int load_range(struct uid_range *ret_range, char *error, size_t error_size)
{
	char *text;
	int r = file_read(UID_POOL_CONFIG, CONFIG_BYTES_MAX, &text, NULL);

	if (r == -ENOENT)
		return uid_range_parse("", ret_range, error, error_size);
	if (r < 0) {
		snprintf(error, error_size, "%s: %s", UID_POOL_CONFIG, strerror(-r));
		return r;
	}
	r = uid_range_parse(text, ret_range, error, error_size);
	free(text);
	return r;
}

/* The descriptor that holds @uid; -EAGAIN: another machine has it. */
static int take(int folder_fd, uint32_t uid)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[24];
	int fd, r = 0;

	snprintf(name, sizeof(name), "%u.lock", uid);
	/* Never removed: a lock on a file that is gone from the folder would protect nothing. */
	fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		r = errno == EACCES ? -EAGAIN : -errno;
		fd_close(fd);
	}
	return r < 0 ? r : fd;
}

int uid_pool_take(const struct runtime_base *base, const char *name, uint32_t *ret_uid,
		  int *ret_lock_fd, char *error, size_t error_size)
{
	struct uid_range range;
	uint32_t hash, count, tries;
	int folder_fd, fd = -EAGAIN;
	int r = load_range(&range, error, error_size);

	if (r < 0)
		return r;
	if (mkdirat(base->fd, ".uids", 0700) < 0 && errno != EEXIST)
		r = -errno;
	folder_fd = openat(base->fd, ".uids", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder_fd < 0) {
		r = r ? r : -errno;
		snprintf(error, error_size, "%s/.uids: %s", base->path, strerror(-r));
		return r;
	}
	hash = hash_bytes(HASH_START, name, strlen(name));
	count = range.last - range.first + 1;
	tries = count < ATTEMPTS ? count : ATTEMPTS;
	for (uint32_t i = 0; i < tries && fd == -EAGAIN; i++) {
		*ret_uid = range.first + (uint32_t)(((uint64_t)hash + i) % count);
		fd = take(folder_fd, *ret_uid);
	}
	fd_close(folder_fd);
	if (fd < 0) {
		snprintf(error, error_size,
			 "%s/.uids: no user for the machine's process: %s; set a larger uid_range "
			 "in %s",
			 base->path, fd == -EAGAIN ? "all are taken" : strerror(-fd),
			 UID_POOL_CONFIG);
		return fd;
	}
	*ret_lock_fd = fd;
	return 0;
}
