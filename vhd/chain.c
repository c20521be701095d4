// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a path to the chain of files behind it; see vhd_chain.h for the rules.
 *
 * A name inside an image is a stranger's: what it leads to is opened only if it is a regular file,
 * and taken only if it is a disk with the right id. So no image can make a machine see a file that
 * is not a VHD made for it.
 */
#include "vhd_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "find_file.h"
#include "linked.h"
#include "names.h"

#define READINGS_MAX 4

struct search {
	struct vhd_chain *chain;
	const struct vhd_chain_options *options;
	char *error;
	size_t error_size;
	struct stat seen[VHD_CHAIN_MAX];
	/* Of the search for one parent. */
	struct vhd *child; /* described */
	const char *child_path;
	char foreign[VHD_PATH_BYTES]; /* the first candidate with another id; "": none */
	char looked_for[256];	      /* the first name that was tried */
};

static int fail(struct search *s, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct search *s, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->error, s->error_size, format, args);
	va_end(args);
	return r;
}

/* --- one file */

static int lock(struct search *s, const char *path, int fd, bool exclusive)
{
	int r = s->options->no_locks ? 0 : vhd_lock(fd, exclusive);

	if (r == -EBUSY)
		return fail(
			s, r,
			exclusive ? "%s: in use by a running machine or another program; stop it "
				    "first"
				  : "%s: written to by a running machine or another program; stop "
				    "it first",
			path);
	return r < 0 ? fail(s, r, "%s: cannot be locked: %s", path, strerror(-r)) : 0;
}

/* One file of a chain twice is a circle. */
static int note_seen(struct search *s, const char *path, int fd)
{
	struct vhd_chain *chain = s->chain;
	struct stat *st = &s->seen[chain->count];

	if (fstat(fd, st) < 0)
		return fail(s, -errno, "%s: %s", path, strerror(errno));
	for (unsigned int i = 0; i < chain->count; i++) {
		if (st->st_dev == s->seen[i].st_dev && st->st_ino == s->seen[i].st_ino)
			return fail(s, -ELOOP, "%s: is its own ancestor, by %s", chain->paths[i],
				    chain->paths[chain->count - 1]);
	}
	return 0;
}

/*
 * Programs up to Virtual PC 2004 cut a disk into files .vhd, .v01, ...; only the last ends with the
 * footer. The first piece by itself, which may have the footer's copy, must not pass as a disk.
 */
static int refuse_split(struct search *s, const char *path, int fd)
{
	const char *dot = strrchr(path, '.');
	char next[VHD_PATH_BYTES], name[VHD_PATH_BYTES];
	uint8_t cookie[8];
	struct stat st;

	if (!dot || strcasecmp(dot, ".vhd") || fstat(fd, &st) < 0 || st.st_size < VHD_FOOTER_BYTES)
		return 0;
	if (fd_pread_full(fd, cookie, sizeof(cookie), (uint64_t)st.st_size - VHD_FOOTER_BYTES) <
		    0 ||
	    !memcmp(cookie, VHD_FOOTER_COOKIE, sizeof(cookie)))
		return 0;
	if (snprintf(name, sizeof(name), "%.*s.v01", (int)(dot - path), path) >=
		    (int)sizeof(name) ||
	    vhd_find_file("", name, next, sizeof(next)) < 0)
		return 0;
	return fail(
		s, -EMEDIUMTYPE,
		"%s: the first piece of a split disk that goes on in %s; join the pieces into one "
		"file with cat, in the order of their numbers",
		path, next);
}

/* Takes @fd as the next file of the chain; closes it on failure. */
static int append(struct search *s, const char *path, int fd, bool raw)
{
	struct vhd_chain *chain = s->chain;
	char *copy;
	int r;

	if (chain->count == VHD_CHAIN_MAX)
		r = fail(s, -ELOOP, "%s: more than %d ancestors; merge some of them",
			 chain->paths[0], VHD_CHAIN_MAX - 1);
	else
		r = note_seen(s, path, fd);
	if (r == 0 && !raw)
		r = refuse_split(s, path, fd);
	if (r == 0)
		r = lock(s, path, fd, chain->count == 0 && !chain->read_only);
	copy = r == 0 ? strdup(path) : NULL;
	if (r == 0 && !copy)
		r = fail(s, -ENOMEM, "%s: out of memory", path);
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	chain->paths[chain->count] = copy;
	chain->files[chain->count++] = (struct vhd_file){ .fd = fd, .name = copy, .raw = raw };
	return 0;
}

/* The device instead of the text file that names it. */
static int follow_link(struct search *s, const char *path, int *fd, bool *read_only)
{
	int device = vhd_open_linked(*fd, path, read_only, s->error, s->error_size);

	fd_close(*fd);
	*fd = device;
	return device < 0 ? device : 0;
}

/* A pipe or a terminal by mistake must not keep us waiting. */
static int open_file(struct search *s, const char *path, bool read_only)
{
	const int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, (read_only ? O_RDONLY : O_RDWR) | flags);
	struct stat st;

	if (fd < 0)
		return fail(s, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))) {
		fcntl(fd, F_SETFL, read_only ? O_RDONLY : O_RDWR);
		return fd;
	}
	fd_close(fd);
	return fail(s, S_ISDIR(st.st_mode) ? -EISDIR : -EMEDIUMTYPE,
		    "%s: neither a file nor a block device", path);
}

static int open_first(struct search *s, const char *path)
{
	struct vhd_chain *chain = s->chain;
	bool raw = s->options->raw;
	int fd, r;

	fd = open_file(s, path, chain->read_only);
	if (fd == -EACCES || fd == -EROFS || fd == -EPERM) {
		/* A file that only names a device need not be writable. */
		int link = open_file(s, path, true);

		if (link >= 0 && !raw && vhd_is_linked(link))
			fd = link;
		else
			fd_close(link);
	}
	if (fd < 0)
		return fd;
	if (!raw && vhd_is_linked(fd)) {
		r = follow_link(s, path, &fd, &chain->read_only);
		if (r < 0)
			return r;
		raw = true;
	}
	return append(s, path, fd, raw);
}

/* --- a child's parent */

enum answer { NOT_THERE, FOREIGN, FOUND };

/* Whether the file behind @fd is what the child was made for. */
static enum answer judge(struct search *s, int fd, const char *path)
{
	const struct vhd_file file = { .fd = fd, .name = path };
	const uint8_t *id = s->child->header.parent_id;
	char error[VHD_ERROR_BYTES];
	struct vhd_info info;

	if (vhd_probe(&file, &info, error, sizeof(error)) < 0)
		return NOT_THERE;
	if (memcmp(info.id, id, 16) && !(s->options->accept & VHD_ACCEPT_PARENT_ID)) {
		if (!s->foreign[0])
			snprintf(s->foreign, sizeof(s->foreign), "%s", path);
		return FOREIGN;
	}
	return FOUND;
}

/* Tries one path; FOUND: *ret_fd is open on it, and @ret_path what it is called here. */
static enum answer try_path(struct search *s, const char *folder, const char *path, char *ret_path,
			    int *ret_fd)
{
	enum answer answer;
	struct stat st;
	int fd;

	if (vhd_find_file(folder, path, ret_path, VHD_PATH_BYTES) < 0 || stat(ret_path, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return NOT_THERE;
	fd = open(ret_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return NOT_THERE;
	answer = judge(s, fd, ret_path);
	if (answer == FOUND)
		*ret_fd = fd;
	else
		fd_close(fd);
	return answer;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "" for a path without folder. */
static void folder_of(const char *path, char ret_folder[VHD_PATH_BYTES])
{
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash - path) : 0;

	snprintf(ret_folder, VHD_PATH_BYTES, "%.*s", slash == path ? 1 : length, path);
}

/*
 * Calls try_path() for what every reading of every name may mean. With @bare only the file's name
 * counts, in @folder.
 */
static enum answer try_names(struct search *s, const struct vhd_raw_name *names, unsigned int count,
			     const char *folder, bool bare, char *ret_path, int *ret_fd)
{
	for (unsigned int i = 0; i < count; i++) {
		for (unsigned int reading = 0; reading < READINGS_MAX; reading++) {
			char name[VHD_PATH_BYTES];
			const char *path = name;

			if (!vhd_decode_name(s->child, &names[i], reading, name, sizeof(name)))
				continue;
			if (!s->looked_for[0])
				snprintf(s->looked_for, sizeof(s->looked_for), "%.255s", name);
			if (bare)
				path = file_name(name);
			if (*path && try_path(s, folder, path, ret_path, ret_fd) == FOUND)
				return FOUND;
			/* An absolute path may have been one below the child's folder. */
			if (!bare && *path == '/' && path[1] &&
			    try_path(s, folder, path + 1, ret_path, ret_fd) == FOUND)
				return FOUND;
		}
	}
	return NOT_THERE;
}

static enum answer search_parent(struct search *s, char *ret_path, int *ret_fd)
{
	struct vhd_raw_name names[VHD_LOCATORS_MAX];
	const char *const *folders = s->options->folders;
	char folder[VHD_PATH_BYTES];
	unsigned int count;

	if (vhd_list_names(s->child, names, &count) < 0)
		return NOT_THERE;
	folder_of(s->child_path, folder);
	if (try_names(s, names, count, folder, false, ret_path, ret_fd) == FOUND ||
	    try_names(s, names, count, folder, true, ret_path, ret_fd) == FOUND)
		return FOUND;
	for (; folders && *folders; folders++) {
		if (try_names(s, names, count, *folders, true, ret_path, ret_fd) == FOUND)
			return FOUND;
	}
	return NOT_THERE;
}

static int fail_not_found(struct search *s)
{
	if (s->foreign[0])
		return fail(
			s, -ENOLINK,
			"%s: its parent was not found: %.300s has another id than it was made for",
			s->child_path, s->foreign);
	return fail(s, -ENOLINK,
		    "%s: its parent %s was not found, in its own folder neither; put it there",
		    s->child_path, s->looked_for[0] ? s->looked_for : "(which it does not name)");
}

/* A parent that the caller names; that it is the right one is checked when the chain is opened. */
static int open_given_parent(struct search *s, const char *path)
{
	const struct vhd_file file = { .name = path };
	struct vhd_file probed = file;
	char error[VHD_ERROR_BYTES];
	struct vhd_info info;
	bool raw = false, read_only = true;
	int fd = open_file(s, path, true), r;

	if (fd < 0)
		return fd;
	probed.fd = fd;
	r = vhd_probe(&probed, &info, error, sizeof(error));
	if (r == -EMEDIUMTYPE && vhd_is_linked(fd)) {
		r = follow_link(s, path, &fd, &read_only);
		if (r < 0)
			return r;
		raw = true;
	} else if (r == -EMEDIUMTYPE && s->options->raw_parent) {
		raw = true;
	} else if (r < 0) {
		fd_close(fd);
		return fail(s, r, "%s", error);
	}
	return append(s, path, fd, raw);
}

static bool is_zero_id(const uint8_t id[16])
{
	return !id[0] && !memcmp(id, id + 1, 15);
}

/* Xen gives children of raw images no id to check, so that only the caller can vouch for them. */
static int open_raw_parent(struct search *s)
{
	struct vhd_raw_name names[VHD_LOCATORS_MAX];
	char folder[VHD_PATH_BYTES], name[VHD_PATH_BYTES], path[VHD_PATH_BYTES];
	unsigned int count;

	if (!s->options->raw_parent)
		return fail(s, -ENOLINK,
			    "%s: it was made for a raw image as its parent, which no id can tell: "
			    "name that image",
			    s->child_path);
	folder_of(s->child_path, folder);
	if (vhd_list_names(s->child, names, &count) < 0)
		count = 0;
	for (unsigned int i = 0; i < count; i++) {
		if (vhd_decode_name(s->child, &names[i], 0, name, sizeof(name)) &&
		    vhd_find_file(folder, name, path, sizeof(path)) == 0)
			return open_given_parent(s, path);
	}
	return fail_not_found(s);
}

static int find_parent(struct search *s)
{
	const char *given = s->chain->count == 1 ? s->options->parent : NULL;
	char path[VHD_PATH_BYTES];
	int fd;

	if (given)
		return open_given_parent(s, given);
	if (is_zero_id(s->child->header.parent_id))
		return open_raw_parent(s);
	s->foreign[0] = s->looked_for[0] = '\0';
	if (search_parent(s, path, &fd) != FOUND)
		return fail_not_found(s);
	return append(s, path, fd, false);
}

/* Whether the last file of the chain needs a parent, and that one. 1: there is no more to do. */
static int extend(struct search *s)
{
	const unsigned int last = s->chain->count - 1;
	struct vhd *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return fail(s, -ENOMEM, "%s: out of memory", s->chain->paths[last]);
	v->read_only = true;
	r = vhd_describe(v, &s->chain->files[last]);
	s->child = v;
	s->child_path = s->chain->paths[last];
	if (r < 0)
		fail(s, r, "%s", v->error);
	else if (v->footer.type == VHD_DIFFERENCING)
		r = find_parent(s);
	else
		r = 1;
	vhd_free(v);
	return r;
}

int vhd_chain_open(struct vhd_chain *chain, const char *path,
		   const struct vhd_chain_options *options, char *error, size_t error_size)
{
	static const struct vhd_chain_options defaults = { 0 };
	struct search *s = calloc(1, sizeof(*s));
	int r;

	*chain = (struct vhd_chain){ .count = 0 };
	if (!s) {
		snprintf(error, error_size, "%s: out of memory", path);
		return -ENOMEM;
	}
	s->chain = chain;
	s->options = options ? options : &defaults;
	s->error = error;
	s->error_size = error_size;
	chain->read_only = s->options->read_only;
	r = open_first(s, path);
	while (r == 0 && !s->options->alone)
		r = extend(s);
	free(s);
	if (r < 0)
		vhd_chain_close(chain);
	return r < 0 ? r : 0;
}

void vhd_chain_close(struct vhd_chain *chain)
{
	for (unsigned int i = 0; i < chain->count; i++) {
		fd_close(chain->files[i].fd);
		free(chain->paths[i]);
	}
	*chain = (struct vhd_chain){ .count = 0 };
}

/* --- naming a parent */

/* The way from the folder @from to the file @to, both absolute and plain. */
static int relate(const char *from, const char *to, char *ret_path, size_t size)
{
	size_t common = 0, at = 0;
	int n;

	/* The last '/' up to which both are the same. */
	for (size_t i = 0; from[i] == to[i] || (!from[i] && to[i] == '/'); i++) {
		if (to[i] == '/')
			common = i + 1;
		if (!from[i] || !to[i])
			break;
	}
	ret_path[0] = '\0';
	for (const char *p = from + (strlen(from) < common ? strlen(from) : common); *p;) {
		n = snprintf(ret_path + at, size - at, "../");
		if (n < 0 || (at += (size_t)n) >= size)
			return -ENAMETOOLONG;
		p += strcspn(p, "/");
		p += strspn(p, "/");
	}
	n = snprintf(ret_path + at, size - at, "%s", to + common);
	return n < 0 || at + (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int vhd_refer_to_parent(int parent_fd, const char *parent_path, bool raw, const char *child_path,
			struct vhd_parent_reference *ret_reference, char *error, size_t error_size)
{
	const struct vhd_file file = { .fd = parent_fd, .name = parent_path, .raw = raw };
	char given[VHD_PATH_BYTES], folder[PATH_MAX], target[PATH_MAX];
	struct vhd_parent_reference *ref = ret_reference;
	struct vhd_info info;
	struct stat st;
	int r = vhd_probe(&file, &info, error, error_size);

	if (r < 0)
		return r;
	memset(ref, 0, sizeof(*ref));
	memcpy(ref->parent.id, info.id, 16);
	ref->size_bytes = info.current_bytes;
	ref->block_bytes = info.block_bytes;
	folder_of(child_path, given);
	if (!realpath(*given ? given : ".", folder) || !realpath(parent_path, target) ||
	    fstat(parent_fd, &st) < 0) {
		snprintf(error, error_size, "%s: %s", parent_path, strerror(errno));
		return -errno;
	}
	if (S_ISREG(st.st_mode))
		ref->parent.modified_unix = st.st_mtim.tv_sec;
	r = relate(folder, target, ref->relative, sizeof(ref->relative));
	if (r == 0 && strlen(target) >= sizeof(ref->absolute))
		r = -ENAMETOOLONG;
	if (r < 0) {
		snprintf(error, error_size, "%s: the path is too long", parent_path);
		return r;
	}
	strcpy(ref->absolute, target);
	ref->parent.relative = ref->relative;
	ref->parent.absolute = ref->absolute;
	return 0;
}
