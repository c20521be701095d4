// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/linux_boot.c: which kernels are taken, where their parts go, and what the ROM is handed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/fwcfg.h"
#include "../../vmm/config.h"
#include "../../vmm/linux_boot.h"
#include "../lib/bench.h"

#define IMAGE_BYTES 0x9000u

/* A kernel of protocol 2.15 with 8 sectors of real-mode code. */
static void make_kernel(uint8_t image[IMAGE_BYTES])
{
	for (size_t i = 0; i < IMAGE_BYTES; i++)
		image[i] = (uint8_t)(i >> 8);
	image[0x1f1] = 8;
	memcpy(image + 0x202, "HdrS", 4);
	put_le16(image + 0x206, 0x020f);
	image[0x211] = 0x01;
	put_le32(image + 0x22c, 0x7fffffff);
	put_le32(image + 0x238, 2047);
	put_le32(image + 0x260, 0x100000);
}

static uint8_t image[IMAGE_BYTES];

static int prepare(size_t initrd_bytes, uint64_t memory, struct linux_boot *ret_boot,
		   const char **ret_why)
{
	return linux_boot_prepare(image, sizeof(image), initrd_bytes, 10, memory, ret_boot,
				  ret_why);
}

Test(linux_boot, fills_in_what_a_loader_has_to)
{
	struct linux_boot boot;
	const char *why;

	make_kernel(image);
	cr_assert_eq(prepare(0x12345, MIB(64), &boot, &why), 0, "%s", why);
	cr_assert_eq(boot.setup_bytes, 9 * 512);
	cr_assert_eq(boot.kernel_bytes, IMAGE_BYTES - 9 * 512);
	cr_assert_eq(boot.initrd_address % 4096, 0);
	cr_assert_leq(boot.initrd_address + 0x12345, MIB(63), "the firmware's tables stand above");
	cr_assert_eq(image[0x210], 0xff);
	cr_assert_eq(image[0x211], 0x81);
	cr_assert_eq(get_le16(image + 0x224), 0xe000 - 0x200);
	cr_assert_eq(get_le32(image + 0x218), boot.initrd_address);
	cr_assert_eq(get_le32(image + 0x21c), 0x12345);
	cr_assert_eq(get_le32(image + 0x228), LINUX_BOOT_COMMAND_LINE_ADDRESS);
	/* Not above where the kernel looks. */
	make_kernel(image);
	put_le32(image + 0x22c, 0x37fffff);
	cr_assert_eq(prepare(4096, GIB(2), &boot, &why), 0, "%s", why);
	cr_assert_eq(boot.initrd_address, 0x3800000 - 4096 * 1);
	make_kernel(image);
	cr_assert_eq(prepare(0, MIB(64), &boot, &why), 0);
	cr_assert_eq(boot.initrd_address, 0);
	cr_assert_eq(get_le32(image + 0x218), 0);
}

Test(linux_boot, what_cannot_be_booted_is_refused)
{
	struct linux_boot boot;
	const char *why;

	make_kernel(image);
	cr_assert_eq(linux_boot_prepare(image, 0x263, 0, 0, MIB(64), &boot, &why), -EINVAL);
	cr_assert_eq(linux_boot_prepare(image, 9 * 512, 0, 0, MIB(64), &boot, &why), -EINVAL);
	cr_assert(strstr(why, "cut off"), "%s", why);
	image[0x202] = 'h';
	cr_assert_eq(prepare(0, MIB(64), &boot, &why), -EINVAL);
	cr_assert(strstr(why, "no Linux kernel"), "%s", why);
	make_kernel(image);
	put_le16(image + 0x206, 0x0202);
	cr_assert_eq(prepare(0, MIB(64), &boot, &why), -EINVAL);
	make_kernel(image);
	image[0x211] = 0;
	cr_assert_eq(prepare(0, MIB(64), &boot, &why), -EINVAL);
	make_kernel(image);
	image[0x1f1] = 64;
	cr_assert_eq(prepare(0, MIB(64), &boot, &why), -EINVAL);
	make_kernel(image);
	put_le32(image + 0x238, 9);
	cr_assert_eq(prepare(0, MIB(64), &boot, &why), -EINVAL);
	cr_assert(strstr(why, "--append"), "%s", why);
	make_kernel(image);
	put_le32(image + 0x260, UINT32_MAX);
	cr_assert_eq(prepare(0, GIB(3), &boot, &why), -EINVAL);
	cr_assert(strstr(why, "--memory"), "%s", why);
	make_kernel(image);
	cr_assert_eq(prepare(MIB(62), MIB(64), &boot, &why), -EINVAL);
	cr_assert(strstr(why, "RAM disk"), "%s", why);
	cr_assert_eq(prepare(GIB(1), MIB(4), &boot, &why), -EINVAL);
}

Test(linux_boot, no_header_makes_trouble)
{
	struct linux_boot boot;
	const char *why;

	for (unsigned int at = 0x1f1; at < 0x264; at++) {
		for (unsigned int value = 0; value < 256; value += 5) {
			make_kernel(image);
			image[at] = (uint8_t)value;
			if (prepare(70000, MIB(8), &boot, &why) < 0)
				continue;
			cr_assert_lt(boot.setup_bytes, IMAGE_BYTES);
			cr_assert_geq(boot.initrd_address, LINUX_BOOT_KERNEL_ADDRESS);
			cr_assert_leq(boot.initrd_address + 70000, MIB(8));
		}
	}
}

static int file_with(const void *data, size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_assert_eq(write(fd, data, size), (ssize_t)size);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static uint32_t key(struct bench *b, uint16_t number)
{
	uint32_t value = 0;

	outw(b, 0x510, number);
	for (unsigned int i = 0; i < 4; i++)
		value |= (uint32_t)inb(b, 0x511) << 8 * i;
	return value;
}

Test(linux_boot, the_rom_finds_four_parts)
{
	static const char disk[] = "07070100 no real one";
	struct bench *b = bench_new();
	struct device *fwcfg = bench_add(b, &fwcfg_class, NULL);
	struct vm_config config = { .append = "quiet" };
	char error[128] = "";

	make_kernel(image);
	config.kernel_fd = file_with(image, sizeof(image));
	config.initrd_fd = file_with(disk, sizeof(disk));
	cr_assert_eq(linux_boot_publish(fwcfg, &config, MIB(4), error, sizeof(error)), 0, "%s",
		     error);
	cr_assert_eq(key(b, 0x16), LINUX_BOOT_SETUP_ADDRESS);
	cr_assert_eq(key(b, 0x17), 9 * 512);
	outw(b, 0x510, 0x18);
	for (unsigned int i = 0; i < 0x202; i++)
		inb(b, 0x511);
	cr_assert_eq(inb(b, 0x511), 'H');
	cr_assert_eq(key(b, 0x07), LINUX_BOOT_KERNEL_ADDRESS);
	cr_assert_eq(key(b, 0x08), IMAGE_BYTES - 9 * 512);
	cr_assert_eq(key(b, 0x11), 0x12121212, "what stands behind the real-mode code");
	cr_assert_eq(key(b, 0x14), 6);
	cr_assert_eq(key(b, 0x15), get_le32("quiet"));
	cr_assert_eq(key(b, 0x0b), sizeof(disk));
	cr_assert_eq(key(b, 0x12), get_le32(disk));
	cr_assert_eq(key(b, 0x0a) % 4096, 0);
	close(config.kernel_fd);
	close(config.initrd_fd);
	/* Without a kernel there is nothing; a second one is an error of ours that is told. */
	config.kernel_fd = file_with(image, sizeof(image));
	config.initrd_fd = -1;
	cr_assert_eq(linux_boot_publish(fwcfg, &config, MIB(4), error, sizeof(error)), -EEXIST);
	close(config.kernel_fd);
	config.kernel_fd = file_with("no", 2);
	cr_assert_eq(linux_boot_publish(fwcfg, &config, MIB(4), error, sizeof(error)), -EINVAL);
	cr_assert(strstr(error, "the kernel is no Linux kernel"), "%s", error);
	close(config.kernel_fd);
	config.kernel_fd = -1;
	cr_assert_eq(linux_boot_publish(fwcfg, &config, MIB(4), error, sizeof(error)), 0);
	bench_free(b);
}
