/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct boot of a Linux kernel: the image, its command line and an initial RAM disk are handed to the
 * option ROM devmodel/rom/linux_boot.S through fw_cfg, under the keys that QEMU's documentation gives
 * them.
 */
#ifndef VMM_LINUX_BOOT_H
#define VMM_LINUX_BOOT_H

#include <stddef.h>
#include <stdint.h>

struct device;
struct vm_config;

/* What a boot loader of this protocol has to know, from a kernel's header. */
struct linux_boot {
	uint32_t setup_bytes;	   /* real-mode code, at the start of the image */
	uint32_t kernel_bytes;	   /* the rest of it */
	uint32_t initrd_address;   /* 0: no initial RAM disk */
	uint32_t command_line_max; /* bytes, without the NUL */
};

#define LINUX_BOOT_SETUP_ADDRESS 0x10000u
#define LINUX_BOOT_COMMAND_LINE_ADDRESS 0x20000u
#define LINUX_BOOT_KERNEL_ADDRESS 0x100000u

/*
 * Checks the header of @image (@size bytes), decides where everything goes in a machine with @below_4g
 * bytes of memory, and fills in what a loader has to. 0, or -EINVAL with the reason in *ret_why.
 */
int linux_boot_prepare(uint8_t *image, size_t size, size_t initrd_bytes, size_t command_line_bytes,
		       uint64_t below_4g, struct linux_boot *ret_boot, const char **ret_why);

/*
 * Reads the kernel and RAM disk of @config, if it has a kernel, and gives them to @fwcfg. 0, or -errno
 * with one line in @error.
 */
int linux_boot_publish(struct device *fwcfg, const struct vm_config *config, uint64_t below_4g,
		       char *error, size_t error_size);

#endif
