// SPDX-License-Identifier: GPL-2.0-or-later
/* vhd/: from a path to the chain of files behind it, with real files in a folder of their own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/fdio.h"
#include "../../vhd/image.h"
#include "../../vhd/names.h"

static char folder[] = "/tmp/vhd-chain-XXXXXX";
static char error[VHD_ERROR_BYTES];

static void setup(void)
{
	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void teardown(void)
{
	char command[64];

	cr_assert_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(vhd_chain, .init = setup, .fini = teardown, .timeout = 60);

/* --- making files */

static int make(const char *path, const struct vhd_create_options *options)
{
	struct vhd_file file = { .name = path };
	int r;

	file.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_geq(file.fd, 0, "%s", path);
	r = vhd_create(&file, options, error, sizeof(error));
	close(file.fd);
	return r;
}

static void make_base(const char *path)
{
	const struct vhd_create_options options = { .type = VHD_DYNAMIC, .size_bytes = MIB(4) };

	cr_assert_eq(make(path, &options), 0, "%s", error);
}

static void make_child(const char *path, const char *parent_path)
{
	static struct vhd_parent_reference ref;
	int fd = open(parent_path, O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0, "%s", parent_path);
	cr_assert_eq(vhd_refer_to_parent(fd, parent_path, false, path, &ref, error, sizeof(error)),
		     0, "%s", error);
	close(fd);
	cr_assert_eq(make(path, &(struct vhd_create_options){ .type = VHD_DIFFERENCING,
							      .size_bytes = ref.size_bytes,
							      .block_bytes = ref.block_bytes,
							      .parent = &ref.parent }),
		     0, "%s", error);
}

static void find(const char *path, const struct vhd_chain_options *options, unsigned int count,
		 const char *parent)
{
	struct vhd_chain chain;
	char found[PATH_MAX], expected[PATH_MAX];
	struct vhd *vhd;

	cr_assert_eq(vhd_chain_open(&chain, path, options, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(chain.count, count);
	if (count > 1) {
		cr_assert(realpath(chain.paths[1], found) && realpath(parent, expected));
		cr_assert_str_eq(found, expected);
	}
	cr_assert_eq(vhd_open(chain.files, chain.count, NULL, &vhd, error, sizeof(error)), 0, "%s",
		     error);
	vhd_free(vhd);
	vhd_chain_close(&chain);
}

static void refuse(const char *path, const struct vhd_chain_options *options, int expected,
		   const char *text)
{
	struct vhd_chain chain;
	int r = vhd_chain_open(&chain, path, options, error, sizeof(error));

	cr_assert_eq(r, expected, "%d: %s", r, r < 0 ? error : "");
	cr_assert(strstr(error, text), "\"%s\" does not say \"%s\"", error, text);
	cr_assert_eq(chain.count, 0);
}

/* Puts names of its own into a child: at most eight locators, and the header's field. */
struct name {
	const char *code; /* "name": the field */
	const void *text;
	uint32_t bytes;
};

static void rename_parent(const char *path, const struct name *names, unsigned int count)
{
	uint8_t header[VHD_HEADER_BYTES];
	unsigned int used = 3; /* not the first, as some writers do */
	int fd = open(path, O_RDWR | O_CLOEXEC);

	cr_assert_eq(fd_pread_full(fd, header, sizeof(header), 512), 0);
	memset(header + HEADER_PARENT_NAME, 0, HEADER_PARENT_NAME_BYTES);
	memset(header + HEADER_LOCATORS, 0, VHD_LOCATORS * VHD_LOCATOR_BYTES);
	for (unsigned int i = 0; i < count; i++) {
		uint8_t *locator = header + HEADER_LOCATORS + used * VHD_LOCATOR_BYTES;
		uint64_t offset = 1536 + 512 * i;

		if (!strcmp(names[i].code, "name")) {
			memcpy(header + HEADER_PARENT_NAME, names[i].text, names[i].bytes);
			continue;
		}
		memcpy(locator, names[i].code, 4);
		put_be32(locator + LOCATOR_SPACE, 1);
		put_be32(locator + LOCATOR_LENGTH, names[i].bytes);
		put_be64(locator + LOCATOR_OFFSET, offset);
		cr_assert_eq(fd_pwrite_full(fd, names[i].text, names[i].bytes, offset), 0);
		used++;
	}
	put_be32(header + HEADER_CHECKSUM, vhd_checksum(header, sizeof(header), HEADER_CHECKSUM));
	cr_assert_eq(fd_pwrite_full(fd, header, sizeof(header), 512), 0);
	close(fd);
}

/* One name, given in UTF-8. */
static void rename_to(const char *path, const char *code, const char *text, bool little, bool nul)
{
	uint8_t utf16[1024];
	struct name name = { code, utf16, 0 };
	bool bytes = !strcmp(code, "MacX") || !strncmp(code, "Wi2", 3);

	if (bytes)
		name = (struct name){ code, text, (uint32_t)strlen(text) };
	else
		name.bytes = (uint32_t)vhd_utf8_to_utf16(text, little, utf16, sizeof(utf16) - 2);
	if (nul && !bytes) {
		memset(utf16 + name.bytes, 0, 2);
		name.bytes += 2;
	}
	rename_parent(path, &name, 1);
}

/* --- tests */

Test(vhd_chain, children_find_their_parents)
{
	make_base("base.vhd");
	make_child("child.vhd", "base.vhd");
	make_child("grandchild.avhd", "child.vhd");
	find("base.vhd", NULL, 1, NULL);
	find("child.vhd", NULL, 2, "base.vhd");
	find("grandchild.avhd", NULL, 3, "child.vhd");
	find("grandchild.avhd", &(struct vhd_chain_options){ .alone = false, .read_only = true }, 3,
	     "child.vhd");
}

/* From the child's folder, not from where the program stands. */
Test(vhd_chain, in_other_folders)
{
	cr_assert_eq(mkdir("parents", 0700) | mkdir("children", 0700) | mkdir("elsewhere", 0700),
		     0);
	make_base("parents/base.vhd");
	make_child("children/child.vhd", "parents/base.vhd");
	make_child("children/up.vhd", "parents/base.vhd");
	find("children/child.vhd", NULL, 2, "parents/base.vhd");
	cr_assert_eq(chdir("elsewhere"), 0);
	find("../children/child.vhd", NULL, 2, "../parents/base.vhd");
	cr_assert_eq(chdir(".."), 0);
	/* Moved together: the absolute path is wrong, the relative one is right. */
	cr_assert_eq(mkdir("moved", 0700) | rename("parents", "moved/parents") |
			     rename("children", "moved/children"),
		     0);
	find("moved/children/child.vhd", NULL, 2, "moved/parents/base.vhd");
	/* Only the child has moved. */
	cr_assert_eq(rename("moved/children/child.vhd", "elsewhere/child.vhd"), 0);
	refuse("elsewhere/child.vhd", NULL, -ENOLINK, "elsewhere/child.vhd: its parent");
	find("elsewhere/child.vhd",
	     &(struct vhd_chain_options){ .parent = "moved/parents/base.vhd" }, 2,
	     "moved/parents/base.vhd");
	find("elsewhere/child.vhd",
	     &(struct vhd_chain_options){
		     .folders = (const char *const[]){ "nowhere", "moved/parents", NULL } },
	     2, "moved/parents/base.vhd");
	/* Into the same folder. */
	cr_assert_eq(rename("moved/parents/base.vhd", "elsewhere/base.vhd"), 0);
	find("elsewhere/child.vhd", NULL, 2, "elsewhere/base.vhd");
}

Test(vhd_chain, all_kinds_of_names)
{
	static const struct {
		const char *code, *text;
		bool little, nul;
	} rows[] = {
		{ "W2ru", ".\\the base.vhd", true, false },
		{ "W2ru", ".\\the base.vhd", true, true },
		{ "W2ru", "the base.vhd", true, false },
		{ "W2ru", "..\\down\\the base.vhd", true, false },
		{ "W2ru", ".\\..\\down\\the base.vhd", true, false },
		{ "W2ru", ".\\the base.vhd", false, false }, /* the other byte order */
		{ "W2ku", "D:\\Virtual Machines\\the base.vhd", true, false },
		{ "W2ku", "\\\\?\\D:\\Virtual Machines\\the base.vhd", true, false },
		{ "W2ku", "\\\\server\\share\\the base.vhd", true, false },
		{ "W2ku", "the base.vhd", true, false }, /* as Xen writes it */
		{ "W2ku", "D:\\Virtual Machines\\THE BASE.VHD", true, false },
		{ "W2ru", ".\\..\\DOWN\\The Base.Vhd", true, false },
		{ "MacX", "file:///Users/me/the%20base.vhd", true, false },
		{ "MacX", "file://localhost/Users/me/the%20base.vhd", true, false },
		{ "Wi2r", ".\\the base.vhd", true, false },
		{ "Wi2k", "C:\\disks\\the base.vhd", true, false },
		{ "name", "the base.vhd", false, false },
		{ "name", "the base.vhd", true, false },
		{ "name", "D:\\Virtual Machines\\the base.vhd", false, false },
	};

	cr_assert_eq(mkdir("down", 0700), 0);
	make_base("down/the base.vhd");
	make_child("down/child.vhd", "down/the base.vhd");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vhd_locator locators[VHD_LOCATORS_MAX];
		struct vhd_file file = { .name = "child.vhd" };
		unsigned int count;

		rename_to("down/child.vhd", rows[i].code, rows[i].text, rows[i].little,
			  rows[i].nul);
		find("down/child.vhd", NULL, 2, "down/the base.vhd");
		file.fd = open("down/child.vhd", O_RDONLY | O_CLOEXEC);
		cr_assert_eq(vhd_read_locators(&file, locators, &count, error, sizeof(error)), 0);
		cr_assert_eq(count, strcmp(rows[i].code, "name") ? 2 : 1);
		cr_assert_str_eq(locators[0].code, rows[i].code);
		close(file.fd);
	}
}

Test(vhd_chain, names_that_are_not_ascii)
{
	/* "親ディスク.vhd" in code page 932, and "Büro.vhd" in 1252. */
	static const char japanese[] =
		"\xe8\xa6\xaa\xe3\x83\x87\xe3\x82\xa3\xe3\x82\xb9\xe3\x82\xaf"
		".vhd";
	static const char shift_jis[] = "\x90\x65\x83\x66\x83\x42\x83\x58\x83\x4e.vhd";
	static const char latin[] = "B\xfcro.vhd";

	make_base(japanese);
	make_child("child.vhd", japanese);
	find("child.vhd", NULL, 2, japanese);
	rename_to("child.vhd", "W2ku",
		  "C:\\x\\\xe8\xa6\xaa\xe3\x83\x87\xe3\x82\xa3\xe3\x82\xb9"
		  "\xe3\x82\xaf.VHD",
		  true, false);
	find("child.vhd", NULL, 2, japanese);
	rename_to("child.vhd", "name", japanese, true, false);
	find("child.vhd", NULL, 2, japanese);
	rename_to("child.vhd", "MacX",
		  "file:///x/%E8%A6%AA%E3%83%87%E3%82%A3%E3%82%B9%E3%82%AF.vhd", true, false);
	find("child.vhd", NULL, 2, japanese);
	rename_to("child.vhd", "Wi2r", shift_jis, true, false);
	find("child.vhd", NULL, 2, japanese);
	make_base("B\xc3\x9cRO.vhd");
	make_child("second.vhd", "B\xc3\x9cRO.vhd");
	rename_to("second.vhd", "Wi2k", latin, true, false);
	find("second.vhd", NULL, 2, "B\xc3\x9cRO.vhd");
}

Test(vhd_chain, only_the_right_disk_is_the_parent)
{
	const struct vhd_chain_options accept = { .accept = VHD_ACCEPT_PARENT_ID };
	struct vhd_chain chain;
	struct vhd *vhd;

	make_base("base.vhd");
	make_child("child.vhd", "base.vhd");
	cr_assert_eq(rename("base.vhd", "right.vhd"), 0);
	refuse("child.vhd", NULL, -ENOLINK, "child.vhd: its parent base.vhd was not found");
	make_base("base.vhd");
	refuse("child.vhd", NULL, -ENOLINK, "base.vhd has another id");
	find("child.vhd", &(struct vhd_chain_options){ .parent = "right.vhd" }, 2, "right.vhd");
	/* A stranger is taken only on demand, and then vhd_open() must be told too. */
	cr_assert_eq(vhd_chain_open(&chain, "child.vhd", &accept, error, sizeof(error)), 0);
	cr_assert_eq(vhd_open(chain.files, chain.count, NULL, &vhd, error, sizeof(error)),
		     -ENOLINK);
	cr_assert_eq(vhd_open(chain.files, chain.count,
			      &(struct vhd_open_options){ .accept = VHD_ACCEPT_PARENT_ID }, &vhd,
			      error, sizeof(error)),
		     0);
	cr_assert(strstr(vhd_warning(vhd, 0), "another id"));
	vhd_free(vhd);
	vhd_chain_close(&chain);
	/* What is no regular file is not even opened. */
	cr_assert_eq(unlink("base.vhd") | mkfifo("base.vhd", 0600), 0);
	refuse("child.vhd", NULL, -ENOLINK, "was not found");
}

Test(vhd_chain, a_resized_parent_is_refused)
{
	const struct vhd_create_options larger = { .type = VHD_DYNAMIC, .size_bytes = MIB(8) };
	uint8_t footer[512], id[16];
	struct vhd_chain chain;
	struct vhd *vhd;
	int fd;

	make_base("base.vhd");
	make_child("child.vhd", "base.vhd");
	fd = open("base.vhd", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(fd_pread_full(fd, footer, 512, 0), 0);
	memcpy(id, footer + FOOTER_ID, 16);
	close(fd);
	cr_assert_eq(unlink("base.vhd"), 0);
	struct vhd_create_options same_id = larger;
	same_id.id = id;
	cr_assert_eq(make("base.vhd", &same_id), 0);
	cr_assert_eq(vhd_chain_open(&chain, "child.vhd", NULL, error, sizeof(error)), 0, "%s",
		     error);
	cr_assert_eq(vhd_open(chain.files, chain.count, NULL, &vhd, error, sizeof(error)),
		     -ENOLINK);
	cr_assert(strstr(error, "child.vhd: its parent base.vhd has 8388608 bytes, not 4194304"),
		  "%s", error);
	vhd_chain_close(&chain);
}

Test(vhd_chain, a_changed_parent_is_told)
{
	const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	struct vhd_chain chain;
	struct vhd *vhd;

	make_base("base.vhd");
	make_child("child.vhd", "base.vhd");
	cr_assert_eq(utimensat(AT_FDCWD, "base.vhd", times, 0), 0);
	cr_assert_eq(vhd_chain_open(&chain, "child.vhd", NULL, error, sizeof(error)), 0);
	cr_assert_eq(vhd_open(chain.files, 2, NULL, &vhd, error, sizeof(error)), 0);
	cr_assert(vhd_warning(vhd, 0) && strstr(vhd_warning(vhd, 0), "another time of change"));
	vhd_free(vhd);
	vhd_chain_close(&chain);
}

Test(vhd_chain, circles_are_seen)
{
	uint8_t footer[512], header[1024], other[512];
	int a, b;

	make_base("base.vhd");
	make_child("a.vhd", "base.vhd");
	make_child("b.vhd", "a.vhd");
	/* a's parent becomes b. */
	a = open("a.vhd", O_RDWR | O_CLOEXEC);
	b = open("b.vhd", O_RDWR | O_CLOEXEC);
	cr_assert_eq(fd_pread_full(b, footer, 512, 0) | fd_pread_full(a, other, 512, 0) |
			     fd_pread_full(a, header, 1024, 512),
		     0);
	memcpy(header + HEADER_PARENT_ID, footer + FOOTER_ID, 16);
	put_be32(header + HEADER_CHECKSUM, vhd_checksum(header, 1024, HEADER_CHECKSUM));
	cr_assert_eq(fd_pwrite_full(a, header, 1024, 512), 0);
	close(a);
	close(b);
	rename_to("a.vhd", "W2ru", ".\\b.vhd", true, false);
	refuse("b.vhd", NULL, -ELOOP, "its own ancestor");
	/* A disk that is its own parent. */
	rename_to("a.vhd", "W2ru", ".\\a.vhd", true, false);
	a = open("a.vhd", O_RDWR | O_CLOEXEC);
	cr_assert_eq(fd_pread_full(a, header, 1024, 512), 0);
	memcpy(header + HEADER_PARENT_ID, other + FOOTER_ID, 16);
	put_be32(header + HEADER_CHECKSUM, vhd_checksum(header, 1024, HEADER_CHECKSUM));
	cr_assert_eq(fd_pwrite_full(a, header, 1024, 512), 0);
	close(a);
	refuse("a.vhd", NULL, -ELOOP, "its own ancestor");
}

Test(vhd_chain, a_chain_has_a_limit)
{
	char child[16], parent[16] = "0.vhd";

	make_base("0.vhd");
	for (unsigned int i = 1; i <= VHD_CHAIN_MAX; i++) {
		snprintf(child, sizeof(child), "%u.vhd", i);
		make_child(child, parent);
		strcpy(parent, child);
	}
	find("127.vhd", NULL, VHD_CHAIN_MAX, "126.vhd");
	refuse("128.vhd", NULL, -ELOOP, "more than 127 ancestors");
}

Test(vhd_chain, files_in_use_are_left_alone)
{
	const struct vhd_chain_options reading = { .read_only = true };
	struct vhd_chain first, second;

	make_base("base.vhd");
	make_child("a.vhd", "base.vhd");
	make_child("b.vhd", "base.vhd");
	cr_assert_eq(vhd_chain_open(&first, "a.vhd", NULL, error, sizeof(error)), 0);
	refuse("a.vhd", NULL, -EBUSY, "a.vhd: in use");
	refuse("a.vhd", &reading, -EBUSY, "a.vhd: written to");
	refuse("base.vhd", NULL, -EBUSY, "base.vhd: in use");
	/* Brothers share their parent. */
	cr_assert_eq(vhd_chain_open(&second, "b.vhd", NULL, error, sizeof(error)), 0, "%s", error);
	vhd_chain_close(&second);
	vhd_chain_close(&first);
	cr_assert_eq(vhd_chain_open(&first, "base.vhd", NULL, error, sizeof(error)), 0);
	refuse("b.vhd", NULL, -EBUSY, "base.vhd: written to");
	vhd_chain_close(&first);
}

static void put_file(const char *path, const char *text)
{
	cr_assert_eq(file_replace(path, text, strlen(text), 0600), 0);
}

Test(vhd_chain, linked_disks_are_read_strictly)
{
	put_file("disk.link", "mainstay linked disk 1\ndevice /dev/sda\n");
	refuse("disk.link", NULL, -EUCLEAN, "must be named by a path below /dev/disk/");
	put_file("disk.link", "mainstay linked disk 1\ndevice /dev/disk/../sda\n");
	refuse("disk.link", NULL, -EUCLEAN, "must be named");
	put_file("disk.link", "mainstay linked disk 1\nreadonly\n");
	refuse("disk.link", NULL, -EUCLEAN, "no line \"device PATH\"");
	put_file("disk.link", "mainstay linked disk 1\ndevice /dev/disk/by-id/x\nwritable\n");
	refuse("disk.link", NULL, -EUCLEAN, "neither");
	put_file("disk.link", "mainstay linked disk 1\ndevice /dev/disk/by-id/none-such\n");
	refuse("disk.link", NULL, -ENOENT, "No such file");
	/* Another version is no linked disk, and no VHD. */
	put_file("disk.link", "mainstay linked disk 2\ndevice /dev/disk/by-id/x\n");
	refuse("disk.link", NULL, -EMEDIUMTYPE, "not a virtual hard disk");
}

Test(vhd_chain, raw_images_are_disks_too)
{
	const struct vhd_chain_options raw = { .raw = true };
	struct vhd_create_options options = { .type = VHD_DIFFERENCING, .size_bytes = MIB(1) };
	struct vhd_parent parent = { .relative = "disk.raw" };
	struct iovec iov;
	struct vhd_chain chain;
	char data[4096];
	struct vhd *vhd;

	put_file("disk.raw", "raw");
	cr_assert_eq(truncate("disk.raw", MIB(1)), 0);
	cr_assert_eq(vhd_chain_open(&chain, "disk.raw", &raw, error, sizeof(error)), 0);
	cr_assert_eq(vhd_open(chain.files, 1, NULL, &vhd, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_size_bytes(vhd), MIB(1));
	iov = (struct iovec){ data, 3 };
	cr_assert_eq(vhd_read(vhd, 0, &iov, 1), 0);
	cr_assert_eq(memcmp(data, "raw", 3), 0);
	vhd_free(vhd);
	vhd_chain_close(&chain);

	/* A child of a raw image has no id to check: only the caller can vouch for it. */
	options.parent = &parent;
	cr_assert_eq(make("child.vhd", &options), 0, "%s", error);
	refuse("child.vhd", NULL, -ENOLINK, "made for a raw image");
	find("child.vhd", &(struct vhd_chain_options){ .raw_parent = true }, 2, "disk.raw");
	find("child.vhd", &(struct vhd_chain_options){ .raw_parent = true, .parent = "disk.raw" },
	     2, "disk.raw");
}

/* --- split disks */

Test(vhd_chain, a_piece_of_a_split_disk_is_no_disk)
{
	const struct vhd_create_options options = { .type = VHD_FIXED, .size_bytes = MIB(4) };

	cr_assert_eq(make("nt4.VHD", &options), 0, "%s", error);
	cr_assert_eq(system("tail -c +2097153 nt4.VHD > NT4.V01 && truncate -s 2M nt4.VHD"), 0);
	refuse("nt4.VHD", &(struct vhd_chain_options){ .read_only = true }, -EMEDIUMTYPE,
	       "nt4.VHD: the first piece of a split disk that goes on in NT4.V01");
	cr_assert_eq(system("cat nt4.VHD NT4.V01 > whole.vhd"), 0);
	find("whole.vhd", &(struct vhd_chain_options){ .read_only = true }, 1, NULL);
	/* A file beside a disk that is whole says nothing. */
	cr_assert_eq(rename("NT4.V01", "whole.v01"), 0);
	find("whole.vhd", &(struct vhd_chain_options){ .read_only = true }, 1, NULL);
}
