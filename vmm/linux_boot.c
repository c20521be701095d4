// SPDX-License-Identifier: GPL-2.0-or-later
/* Source: "The Linux/x86 Boot Protocol", Documentation/arch/x86/boot.rst of Linux. */
#include "linux_boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/fdio.h"
#include "../devmodel/fwcfg.h"
#include "config.h"

/* The header's fields. */
#define SETUP_SECTS 0x1f1
#define HEADER 0x202
#define VERSION 0x206
#define TYPE_OF_LOADER 0x210
#define LOADFLAGS 0x211
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE 0x21c
#define HEAP_END_PTR 0x224
#define CMD_LINE_PTR 0x228
#define INITRD_ADDR_MAX 0x22c
#define CMDLINE_SIZE 0x238
#define INIT_SIZE 0x260
#define HEADER_END 0x264

#define LOADED_HIGH BIT(0)
#define CAN_USE_HEAP BIT(7)
#define LOADER_UNKNOWN 0xff

#define VERSION_MIN 0x0203 /* Linux 2.4.18: says how high a RAM disk may lie */
#define VERSION_CMDLINE_SIZE 0x0206
#define VERSION_INIT_SIZE 0x020a
#define CMDLINE_OLD_MAX 255u
#define SETUP_SECTS_OLD 4u
#define SECTOR_BYTES 512u
#define SETUP_BYTES_MAX 0x8000u
/* Heap and stack of the real-mode code end below the command line. */
#define HEAP_END 0xe000u

#define PAGE_BYTES 4096u
/* The firmware puts its tables at the end of memory. */
#define FIRMWARE_BYTES MIB(1)

#define KERNEL_BYTES_MAX MIB(256)
#define INITRD_BYTES_MAX GIB(1)

#define KEY_KERNEL_ADDRESS 0x07
#define KEY_KERNEL_SIZE 0x08
#define KEY_INITRD_ADDRESS 0x0a
#define KEY_INITRD_SIZE 0x0b
#define KEY_KERNEL_DATA 0x11
#define KEY_INITRD_DATA 0x12
#define KEY_CMDLINE_ADDRESS 0x13
#define KEY_CMDLINE_SIZE 0x14
#define KEY_CMDLINE_DATA 0x15
#define KEY_SETUP_ADDRESS 0x16
#define KEY_SETUP_SIZE 0x17
#define KEY_SETUP_DATA 0x18

/* The highest page where @bytes fit below @max and the firmware's own, or 0. */
static uint32_t place_initrd(uint64_t bytes, uint64_t max, uint64_t below_4g)
{
	uint64_t end = below_4g > FIRMWARE_BYTES ? below_4g - FIRMWARE_BYTES : 0;

	end = min_u64(end, max + 1);
	return end > bytes ? (uint32_t)round_down(end - bytes, PAGE_BYTES) : 0;
}

int linux_boot_prepare(uint8_t *image, size_t size, size_t initrd_bytes, size_t command_line_bytes,
		       uint64_t below_4g, struct linux_boot *ret_boot, const char **ret_why)
{
	struct linux_boot boot = { .command_line_max = CMDLINE_OLD_MAX };
	uint64_t kernel_end;
	uint16_t version;

	*ret_why = "is no Linux kernel for PCs (bzImage)";
	if (size < HEADER_END || memcmp(image + HEADER, "HdrS", 4) != 0)
		return -EINVAL;
	version = get_le16(image + VERSION);
	*ret_why = "is older than Linux 2.4.18, or no bzImage: such a kernel needs a boot loader";
	if (version < VERSION_MIN || !(image[LOADFLAGS] & LOADED_HIGH))
		return -EINVAL;
	boot.setup_bytes =
		((image[SETUP_SECTS] ? image[SETUP_SECTS] : SETUP_SECTS_OLD) + 1) * SECTOR_BYTES;
	*ret_why = "is cut off, or damaged";
	if (boot.setup_bytes > SETUP_BYTES_MAX || boot.setup_bytes < HEADER_END ||
	    size <= boot.setup_bytes)
		return -EINVAL;
	boot.kernel_bytes = (uint32_t)(size - boot.setup_bytes);
	kernel_end = boot.kernel_bytes;
	if (version >= VERSION_INIT_SIZE && get_le32(image + INIT_SIZE) > kernel_end)
		kernel_end = get_le32(image + INIT_SIZE);
	kernel_end += LINUX_BOOT_KERNEL_ADDRESS;
	if (version >= VERSION_CMDLINE_SIZE)
		boot.command_line_max = get_le32(image + CMDLINE_SIZE);
	*ret_why = "takes no command line of this length (--append)";
	if (command_line_bytes > boot.command_line_max)
		return -EINVAL;
	*ret_why = "does not fit the machine's memory; give it more (--memory)";
	if (kernel_end > below_4g)
		return -EINVAL;
	if (initrd_bytes) {
		boot.initrd_address =
			place_initrd(initrd_bytes, get_le32(image + INITRD_ADDR_MAX), below_4g);
		*ret_why = "and its initial RAM disk do not fit the machine's memory; give it more "
			   "(--memory)";
		if (boot.initrd_address < kernel_end)
			return -EINVAL;
	}
	image[TYPE_OF_LOADER] = LOADER_UNKNOWN;
	image[LOADFLAGS] |= CAN_USE_HEAP;
	put_le16(image + HEAP_END_PTR, HEAP_END - 0x200);
	put_le32(image + CMD_LINE_PTR, LINUX_BOOT_COMMAND_LINE_ADDRESS);
	put_le32(image + RAMDISK_IMAGE, boot.initrd_address);
	put_le32(image + RAMDISK_SIZE, (uint32_t)initrd_bytes);
	*ret_boot = boot;
	return 0;
}

/* --- handing over: the first error stays */

struct publisher {
	struct device *fwcfg;
	int error;
};

static void publish_number(struct publisher *p, uint16_t key, uint32_t value)
{
	uint8_t bytes[4];

	put_le32(bytes, value);
	if (p->error == 0)
		p->error = fwcfg_add(p->fwcfg, key, bytes, sizeof(bytes));
}

/* The device owns *@data afterwards. */
static void publish_given(struct publisher *p, uint16_t key, char **data, size_t size)
{
	if (p->error == 0)
		p->error = fwcfg_give(p->fwcfg, key, *data, size);
	if (p->error == 0)
		*data = NULL;
}

static int read_part(int fd, const char *what, uint64_t max, char **ret_data, size_t *ret_size,
		     char *error, size_t error_size)
{
	int r = fd_read_all(fd, max, ret_data, ret_size);

	if (r < 0)
		snprintf(error, error_size, "the %s cannot be read: %s", what, strerror(-r));
	return r;
}

static int publish(struct device *fwcfg, const struct vm_config *config,
		   const struct linux_boot *boot, char **kernel, char **initrd, size_t initrd_bytes)
{
	struct publisher p = { .fwcfg = fwcfg };
	size_t text_bytes = strlen(config->append) + 1;

	publish_number(&p, KEY_SETUP_ADDRESS, LINUX_BOOT_SETUP_ADDRESS);
	publish_number(&p, KEY_SETUP_SIZE, boot->setup_bytes);
	if (p.error == 0)
		p.error = fwcfg_add(fwcfg, KEY_SETUP_DATA, *kernel, boot->setup_bytes);
	publish_number(&p, KEY_CMDLINE_ADDRESS, LINUX_BOOT_COMMAND_LINE_ADDRESS);
	publish_number(&p, KEY_CMDLINE_SIZE, (uint32_t)text_bytes);
	if (p.error == 0)
		p.error = fwcfg_add(fwcfg, KEY_CMDLINE_DATA, config->append, text_bytes);
	publish_number(&p, KEY_INITRD_ADDRESS, boot->initrd_address);
	publish_number(&p, KEY_INITRD_SIZE, (uint32_t)initrd_bytes);
	publish_given(&p, KEY_INITRD_DATA, initrd, initrd_bytes);
	publish_number(&p, KEY_KERNEL_ADDRESS, LINUX_BOOT_KERNEL_ADDRESS);
	publish_number(&p, KEY_KERNEL_SIZE, boot->kernel_bytes);
	memmove(*kernel, *kernel + boot->setup_bytes, boot->kernel_bytes);
	publish_given(&p, KEY_KERNEL_DATA, kernel, boot->kernel_bytes);
	return p.error;
}

int linux_boot_publish(struct device *fwcfg, const struct vm_config *config, uint64_t below_4g,
		       char *error, size_t error_size)
{
	char *kernel = NULL, *initrd = NULL;
	size_t kernel_bytes, initrd_bytes = 0;
	struct linux_boot boot;
	const char *why;
	int r;

	if (config->kernel_fd < 0)
		return 0;
	r = read_part(config->kernel_fd, "kernel", KERNEL_BYTES_MAX, &kernel, &kernel_bytes, error,
		      error_size);
	if (r == 0 && config->initrd_fd >= 0)
		r = read_part(config->initrd_fd, "initial RAM disk", INITRD_BYTES_MAX, &initrd,
			      &initrd_bytes, error, error_size);
	if (r == 0) {
		r = linux_boot_prepare((uint8_t *)kernel, kernel_bytes, initrd_bytes,
				       strlen(config->append), below_4g, &boot, &why);
		if (r < 0)
			snprintf(error, error_size, "the kernel %s", why);
	}
	if (r == 0) {
		r = publish(fwcfg, config, &boot, &kernel, &initrd, initrd_bytes);
		if (r < 0)
			snprintf(error, error_size, "handing over the kernel: %s", strerror(-r));
	}
	free(kernel);
	free(initrd);
	return r;
}
