// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mainstay-vhd: what people do with image files. Each verb is a row of a table: its help is printed
 * from there. Read from main(), at the bottom, upward.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/opt.h"
#include "../base/parse.h"
#include "vhd.h"

#define EXIT_USAGE 2

struct verb {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *examples; /* whole lines */
	const struct opt *options;
	size_t target_bytes;
	int arguments_min, arguments_max;
	/* The exit status. */
	int (*run)(void *target, char **arguments);
};

/* Control characters, which names may hold, become '?'. */
static void make_printable(char *text)
{
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line on standard error. */
static int fail(const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	make_printable(text);
	fprintf(stderr, "mainstay-vhd: %s\n", text);
	return EXIT_FAILURE;
}

/* The command line is at fault. */
#define fail_usage(...) (fail(__VA_ARGS__), EXIT_USAGE)

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* --- create */

enum size_policy { SIZE_EXACT, SIZE_CHS_UP, SIZE_CHS_DOWN, SIZE_MIB };

struct create_target {
	const char *type, *size_policy;
	uint64_t block_bytes;
	bool preallocate, force;
};

static const struct opt create_options[] = {
	{ "type", 't', OPT_STRING, "TYPE", "dynamic (default) or fixed",
	  offsetof(struct create_target, type), 0, 0, NULL },
	{ "size-policy", 0, OPT_STRING, "POLICY",
	  "exact (default), chs-up, chs-down: a size that cylinders can say; mib: whole MiB",
	  offsetof(struct create_target, size_policy), 0, 0, NULL },
	{ "block-size", 0, OPT_SIZE, "SIZE", "of a dynamic disk's blocks (default 2M)",
	  offsetof(struct create_target, block_bytes), VHD_BLOCK_BYTES_MIN, VHD_BLOCK_BYTES_MAX,
	  NULL },
	{ "preallocate", 0, OPT_FLAG, NULL,
	  "reserve all space of a fixed disk; Hyper-V wants no holes",
	  offsetof(struct create_target, preallocate), 0, 0, NULL },
	{ "force", 'f', OPT_FLAG, NULL, "replace a file that exists and is not in use",
	  offsetof(struct create_target, force), 0, 0, NULL },
	{ NULL, 0, OPT_FLAG, NULL, NULL, 0, 0, 0, NULL },
};

/* The index of @text in @names, or -1. */
static int index_of(const char *const *names, int count, const char *text)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(names[i], text))
			return i;
	}
	return -1;
}

static uint64_t apply_policy(uint64_t bytes, enum size_policy policy)
{
	switch (policy) {
	case SIZE_EXACT:
		break;
	case SIZE_CHS_UP:
		return vhd_geometry_size_up(bytes);
	case SIZE_CHS_DOWN:
		return vhd_geometry_size_down(bytes);
	case SIZE_MIB:
		return bytes > UINT64_MAX - MIB(1) ? bytes : round_up(bytes, MIB(1));
	}
	return bytes;
}

/* What the command line says, as the library wants it. */
static int read_create(const struct create_target *target, const char *size,
		       struct vhd_create_options *ret_options)
{
	static const char *const types[] = { "fixed", "dynamic" };
	static const char *const policies[] = { "exact", "chs-up", "chs-down", "mib" };
	int type = index_of(types, 2, target->type ? target->type : "dynamic");
	int policy = index_of(policies, 4, target->size_policy ? target->size_policy : "exact");
	uint64_t bytes;

	if (type < 0)
		return fail_usage("--type %s: give dynamic or fixed", target->type);
	if (policy < 0)
		return fail_usage("--size-policy %s: give exact, chs-up, chs-down or mib",
				  target->size_policy);
	if (parse_size(size, &bytes) < 0)
		return fail_usage("%s: not a size; give for example 8G or 504M", size);
	*ret_options = (struct vhd_create_options){
		.type = type ? VHD_DYNAMIC : VHD_FIXED,
		.size_bytes = apply_policy(bytes, (enum size_policy)policy),
		.block_bytes = (uint32_t)target->block_bytes,
		.preallocate = target->preallocate,
	};
	return 0;
}

/* Whether the file at @path, if there is one, may be replaced. */
static int check_old(const char *path, bool force)
{
	struct stat st;
	int fd, r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail("%s: %s", path, strerror(errno));
	if (!force)
		return fail("%s: exists already; --force replaces it", path);
	if (!S_ISREG(st.st_mode))
		return fail("%s: is no regular file and is not replaced", path);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail("%s: %s", path, strerror(errno));
	r = vhd_lock(fd, true);
	fd_close(fd);
	if (r == -EBUSY)
		return fail("%s: is in use by another program", path);
	return r < 0 ? fail("%s: cannot be locked: %s", path, strerror(-r)) : 0;
}

/* The image is made beside its place and put there when whole: a failure leaves the old file. */
static int create_at(const char *path, bool force, const struct vhd_create_options *options)
{
	char temporary[4096], error[VHD_ERROR_BYTES];
	struct vhd_file file = { .name = file_name(path) };
	mode_t mask = umask(0);
	int status = EXIT_SUCCESS;

	umask(mask);
	if (snprintf(temporary, sizeof(temporary), "%s.new-XXXXXX", path) >= (int)sizeof(temporary))
		return fail("%s: the name is too long", path);
	file.fd = mkostemp(temporary, O_CLOEXEC);
	if (file.fd < 0)
		return fail("%s: cannot be made: %s", path, strerror(errno));
	if (vhd_create(&file, options, error, sizeof(error)) < 0)
		status = fail("%s", error);
	else if (fchmod(file.fd, 0666 & ~mask) < 0)
		status = fail("%s: %s", path, strerror(errno));
	else if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, force ? 0 : RENAME_NOREPLACE) < 0)
		status = fail("%s: %s", path, strerror(errno));
	fd_close(file.fd);
	if (status != EXIT_SUCCESS)
		unlink(temporary);
	return status;
}

static int run_create(void *opaque, char **arguments)
{
	const struct create_target *target = opaque;
	struct vhd_create_options options;
	char text[16];
	int status = read_create(target, arguments[1], &options);

	if (status == 0)
		status = check_old(arguments[0], target->force);
	if (status == 0)
		status = create_at(arguments[0], target->force, &options);
	if (status != 0)
		return status;
	format_size(options.size_bytes, text);
	make_printable(arguments[0]);
	printf("%s: %s disk of %s (%llu bytes)\n", arguments[0], vhd_type_name(options.type), text,
	       (unsigned long long)options.size_bytes);
	return EXIT_SUCCESS;
}

/* --- info */

struct info_target {
	bool json;
};

static const struct opt info_options[] = {
	{ "json", 'j', OPT_FLAG, NULL, "print one JSON object", offsetof(struct info_target, json),
	  0, 0, NULL },
	{ NULL, 0, OPT_FLAG, NULL, NULL, 0, 0, 0, NULL },
};

struct image_facts {
	struct vhd_info info;
	bool counted; /* blocks */
	uint32_t blocks;
	uint64_t allocated_bytes; /* on the host */
};

static const char *footer_state_name(enum vhd_footer_state state)
{
	static const char *const names[] = { "good", "missing", "damaged" };

	return names[state];
}

static void format_time(int64_t unix_seconds, char *ret_text, size_t size)
{
	time_t t = (time_t)unix_seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(ret_text, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(ret_text, size, "?");
}

static void print_size(const char *label, uint64_t bytes)
{
	char text[16];

	format_size(bytes, text);
	printf("%-15s%s (%llu bytes)\n", label, text, (unsigned long long)bytes);
}

static void print_text(char *path, const struct image_facts *facts)
{
	const struct vhd_info *info = &facts->info;
	char id[UUID_TEXT_SIZE], created[32];

	format_uuid(info->id, id);
	format_time(info->created_unix, created, sizeof(created));
	make_printable(path);
	printf("%-15s%s\n", "file:", path);
	printf("%-15s%s\n", "type:", vhd_type_name(info->type));
	print_size("size:", info->size_bytes);
	if (info->current_bytes != info->size_bytes)
		print_size("recorded size:", info->current_bytes);
	printf("%-15s%u/%u/%u", "geometry:", info->geometry.cylinders, info->geometry.heads,
	       info->geometry.sectors_per_track);
	if (info->geometry_bytes != info->size_bytes)
		printf(" (%llu bytes)", (unsigned long long)info->geometry_bytes);
	printf("\n");
	print_size("file size:", info->file_bytes);
	print_size("on the host:", facts->allocated_bytes);
	if (info->type != VHD_FIXED) {
		print_size("block size:", info->block_bytes);
		if (facts->counted)
			printf("%-15s%u of %u in use\n", "blocks:", facts->blocks,
			       info->block_count);
	}
	printf("%-15s%s\n", "id:", id);
	printf("%-15s%s\n", "created:", created);
	printf("%-15s\"%s\" %u.%u on \"%s\"\n", "creator:", info->creator,
	       info->creator_version >> 16, info->creator_version & 0xffff, info->creator_os);
	if (info->type == VHD_DIFFERENCING) {
		format_uuid(info->parent_id, id);
		printf("%-15s%s\n%-15s%s\n", "parent:", info->parent_name, "parent id:", id);
	}
	if (info->saved_state)
		printf("%-15sbelongs to a saved state\n", "note:");
	if (info->tail != VHD_FOOTER_GOOD)
		printf("%-15sthe footer at the end is %s\n",
		       "note:", footer_state_name(info->tail));
	if (info->type != VHD_FIXED && info->head != VHD_FOOTER_GOOD)
		printf("%-15sthe footer's copy at the start is %s\n",
		       "note:", footer_state_name(info->head));
}

/* A JSON string; bytes that are no UTF-8 become U+FFFD. */
static void print_string(const char *text)
{
	putchar('"');
	for (size_t size = strlen(text), n; size; text += n, size -= n) {
		unsigned char c = (unsigned char)*text;

		for (n = 1; n <= 4 && n <= size && !utf8_is_valid(text, n);)
			n++;
		if (n > 4 || n > size) {
			n = 1;
			printf("\\ufffd");
		} else if (c == '"' || c == '\\') {
			printf("\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			printf("\\u%04x", c);
		} else {
			fwrite(text, 1, n, stdout);
		}
	}
	putchar('"');
}

static void print_member(const char *name, const char *text)
{
	printf(", \"%s\": ", name);
	print_string(text);
}

static void print_number(const char *name, uint64_t number)
{
	printf(", \"%s\": %llu", name, (unsigned long long)number);
}

static void print_json(const char *path, const struct image_facts *facts)
{
	const struct vhd_info *info = &facts->info;
	char id[UUID_TEXT_SIZE], created[32];

	format_uuid(info->id, id);
	format_time(info->created_unix, created, sizeof(created));
	printf("{ \"file\": ");
	print_string(path);
	print_member("type", vhd_type_name(info->type));
	print_number("size_bytes", info->size_bytes);
	print_number("current_bytes", info->current_bytes);
	print_number("original_bytes", info->original_bytes);
	printf(", \"geometry\": [ %u, %u, %u ]", info->geometry.cylinders, info->geometry.heads,
	       info->geometry.sectors_per_track);
	print_number("geometry_bytes", info->geometry_bytes);
	print_number("file_bytes", info->file_bytes);
	print_number("allocated_bytes", facts->allocated_bytes);
	if (info->type != VHD_FIXED) {
		print_number("block_bytes", info->block_bytes);
		print_number("block_count", info->block_count);
		if (facts->counted)
			print_number("blocks_used", facts->blocks);
		print_number("table_entries", info->table_entries);
		print_member("footer_copy", footer_state_name(info->head));
	}
	print_member("footer", footer_state_name(info->tail));
	print_member("id", id);
	print_member("created", created);
	print_member("creator", info->creator);
	print_number("creator_version", info->creator_version);
	print_member("creator_os", info->creator_os);
	printf(", \"saved_state\": %s, \"temporary\": %s", info->saved_state ? "true" : "false",
	       info->temporary ? "true" : "false");
	if (info->type == VHD_DIFFERENCING) {
		format_uuid(info->parent_id, id);
		print_member("parent", info->parent_name);
		print_member("parent_id", id);
	}
	printf(" }\n");
}

/* Blocks are counted by opening the disk; a differencing one is only described. */
static int gather(const struct vhd_file *file, struct image_facts *ret_facts)
{
	const struct vhd_open_options options = { .read_only = true };
	char error[VHD_ERROR_BYTES];
	struct vhd *vhd;
	struct stat st;

	*ret_facts = (struct image_facts){ .counted = false };
	if (vhd_probe(file, &ret_facts->info, error, sizeof(error)) < 0)
		return fail("%s", error);
	if (fstat(file->fd, &st) == 0)
		ret_facts->allocated_bytes = (uint64_t)st.st_blocks * 512;
	if (ret_facts->info.type != VHD_DYNAMIC)
		return 0;
	if (vhd_open(file, 1, &options, &vhd, error, sizeof(error)) < 0)
		return fail("%s", error);
	ret_facts->counted = vhd_count_blocks(vhd, &ret_facts->blocks) == 0;
	vhd_free(vhd);
	return 0;
}

static int run_info(void *opaque, char **arguments)
{
	const struct info_target *target = opaque;
	char *path = arguments[0];
	struct vhd_file file = { .name = file_name(path) };
	struct image_facts facts;
	int status;

	file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file.fd < 0)
		return fail("%s: %s", path, strerror(errno));
	status = gather(&file, &facts);
	fd_close(file.fd);
	if (status != 0)
		return status;
	if (target->json)
		print_json(path, &facts);
	else
		print_text(path, &facts);
	return EXIT_SUCCESS;
}

/* --- verbs */

static const struct verb verbs[] = {
	{ "create", "FILE SIZE", "make an empty disk",
	  "  mainstay-vhd create nt4.vhd 4G\n"
	  "  mainstay-vhd create --type fixed --preallocate data.vhd 504M\n"
	  "  mainstay-vhd create --size-policy chs-up virtual-pc.vhd 8G\n",
	  create_options, sizeof(struct create_target), 2, 2, run_create },
	{ "info", "FILE", "describe a disk",
	  "  mainstay-vhd info nt4.vhd\n"
	  "  mainstay-vhd info --json nt4.vhd\n",
	  info_options, sizeof(struct info_target), 1, 1, run_info },
};

static void print_verb_help(const struct verb *verb)
{
	printf("usage: mainstay-vhd %s [OPTION]... %s\n\n%s\n\noptions:\n", verb->name,
	       verb->arguments, verb->summary);
	opt_print(verb->options, stdout);
	printf("  %-30s  %s\n\nexamples:\n%s", "    --help", "this text", verb->examples);
}

static void print_help(void)
{
	printf("usage: mainstay-vhd VERB [OPTION]... [ARGUMENT]...\n\n"
	       "Makes and describes virtual hard disk (VHD) images.\n\nverbs:\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		printf("  %-10s %-14s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].summary);
	printf("\nmainstay-vhd VERB --help explains one; --version prints the version.\n"
	       "Sizes take K, M, G or T, powers of 1024.\n\nexamples:\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		printf("%s", verbs[i].examples);
	printf("\nExit status: 0 done, 1 failed, 2 the command line makes no sense.\n");
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
	char error[512];
	void *target;
	int count, status;

	if (asks_for_help(argc, argv)) {
		print_verb_help(verb);
		return EXIT_SUCCESS;
	}
	target = calloc(1, verb->target_bytes);
	if (!target)
		return fail("out of memory");
	count = opt_parse(verb->options, target, argc, argv, error, sizeof(error));
	if (count < 0) {
		status = fail_usage("%s", error);
	} else if (count < verb->arguments_min || count > verb->arguments_max) {
		status = fail_usage("%s: give %s; mainstay-vhd %s --help explains", verb->name,
				    verb->arguments, verb->name);
	} else {
		status = verb->run(target, argv);
	}
	free(target);
	return status;
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 2)
		return fail_usage("give a verb; mainstay-vhd --help lists them");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help();
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("mainstay-vhd %s\n", MAINSTAY_VERSION);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!strcmp(argv[1], verbs[i].name)) {
			status = run_verb(&verbs[i], argc - 2, argv + 2);
			if (fflush(stdout) && status == EXIT_SUCCESS)
				status = fail("standard output: %s", strerror(errno));
			return status;
		}
	}
	return fail_usage("%s: no such verb; mainstay-vhd --help lists them", argv[1]);
}
