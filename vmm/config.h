/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the starter tells a machine's process: one message on the start socket (descriptor 3, of type
 * SOCK_SEQPACKET) with a JSON object and the descriptors it speaks of. Nothing in it is a path: whoever
 * parses a name is not whoever touches the data. Numbers ending in "_fd" index the message's
 * descriptors. The starter is trusted, but every value is checked all the same.
 *
 *	{ "protocol": 1, "name": "nt4", "uuid": "...", "board": 1,
 *	  "memory_bytes": 134217728, "cpus": 1, "cpu": "nt4",
 *	  "kvm_fd": 0, "firmware_fd": 1, "control_fd": 2,
 *	  "disks": [ { "slot": 0, "format": "vhd", "disk_fd": 3, "read_only": false, "name": "nt4.vhd",
 *	               "same_contents": false,
 *	               "geometry": [ 1024, 16, 63 ] } ],
 *	  "parents": [ { "slot": 0, "format": "vhd", "disk_fd": 7, "name": "base.vhd" } ],
 *	  "serial": [ { "port": 0, "kind": "stream", "stream_fd": 4, "name": "stdio" } ],
 *	  "parallel": { "kind": "write", "stream_fd": 5, "name": "out.prn" },
 *	  "debugcon": { "kind": "write", "stream_fd": 6, "name": "firmware.log" },
 *	  "display": { "listen_fd": 7, "sharing": "shared", "view_only": false,
 *	               "idle_timeout_s": 0 },
 *	  "keyboard": "us",
 *	  "rtc": { "local_offset_s": 32400, "frozen": false },
 *	  "memory": { "pages": "huge", "ksm": true }, "pit": "catchup", "cpu_pins": [ 2 ],
 *	  "nvram": { "format": "raw", "disk_fd": 9, "name": "nt4.nvram" },
 *	  "smbios": { "manufacturer": "A", "product": "B", "version": "C", "serial": "D" },
 *	  "ide_irq_delay_us": 70, "fast_disk": true,
 *	  "vram_bytes": 4194304,
 *	  "firmware_console": 1, "kernel_fd": 7, "initrd_fd": 8, "append": "console=ttyS0" }
 *
 * "devtest": { "kind": "listen", "stream_fd": 0, "name": "unix:test.sock" } in place of kvm_fd asks for
 * the device test port (devtest.h), for many clients or the one of kind "client": the same machine without
 * a processor; firmware_fd may be missing then.
 *
 * A machine that goes on from a saved state has
 *
 *	  "restore": { "state_fd": 7, "name": "nt4.state", "verify": false, "wait": false }
 *
 * The state is of this machine with these disks, or the process ends with one line that says why not. "verify"
 * reads and tests all memory first.
 *
 * With "wait" the process answers { "event": "restored" } first, and runs the guest when it is sent a message, of any
 * contents: a machine that comes from elsewhere. It ends when the socket is closed instead.
 *
 * The parents of a differencing disk follow each other, from the disk's own up; they may be missing.
 *
 * A wall clock that is "frozen" goes on from where it was after a pause or a save; otherwise it shows the host's time.
 *
 * A disk with "same_contents" is what a state that is restored was saved with, although its file is another.
 *
 * control_fd, disks, floppies, cdroms, a drive's medium, boot (as above), serial, parallel, debugcon,
 * geometry, same_contents, display, its members but listen_fd, keyboard ("us"), rtc, nvram, memory, pit,
 * cpu_pins (none), smbios, ide_irq_delay_us (70), fast_disk
 * (true), vram_bytes (4 MiB; 1 MiB, 2 MiB, or 0 for no display adapter), firmware_console,
 * kernel_fd, initrd_fd and append may be missing. Any other member is an error. The process answers on the same socket with one
 * JSON message, { "event": "running", "sandbox": "full" }, when the guest is about to run; errors
 * before that are one line on standard error and exit status 1.
 */
#ifndef VMM_CONFIG_H
#define VMM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_START_FD 3
#define VM_START_BYTES_MAX 131072
#define VM_CPUS_MAX 8
#define VM_DISKS_MAX 4
#define VM_PARENTS_MAX 200 /* of all disks together */
#define VM_FLOPPIES_MAX 2
#define VM_BOOT_MAX 3
#define VM_SERIAL_MAX 4
#define VM_NICS_MAX 4
#define VM_NAME_MAX 64
#define VM_APPEND_MAX 4095
#define VM_IDE_IRQ_DELAY_US 70 /* unless told otherwise */
#define VM_VRAM_BYTES (4u << 20)
#define VM_BOARD                                                                                   \
	1 /* the one board so far; a guest's board never changes after its installation            \
	   */

enum vm_disk_format { VM_DISK_VHD, VM_DISK_RAW };

struct vm_disk {
	unsigned int
		slot; /* 0 primary master, 1 primary slave, 2 secondary master, 3 secondary slave */
	enum vm_disk_format format;
	int fd; /* open for what read_only says, locked by the starter */
	bool read_only;
	char name[256];	    /* for messages */
	bool saved;	    /* may belong to a saved state: the one that is restored */
	bool same_contents; /* a copy: its file's time says nothing */
	uint16_t cylinders; /* BIOS geometry override, all 0: none */
	uint8_t heads, sectors_per_track;
	const struct vm_parent *parents; /* set by vm_config_parents() */
	unsigned int parent_count;
};

/* An ancestor of a differencing disk: open for reading, locked by the starter. */
struct vm_parent {
	unsigned int slot; /* of the disk */
	enum vm_disk_format format;
	int fd;
	char name[256];
};

/* What is in a drive whose media can be changed. */
struct vm_medium {
	bool present; /* disk.fd is good */
	struct vm_disk disk;
};

/* A floppy drive; kind is an enum floppy_kind, 0: there is none. */
struct vm_floppy {
	unsigned int kind;
	struct vm_medium medium;
};

/* A CD-ROM drive. */
struct vm_cdrom {
	bool present;
	struct vm_medium medium; /* always read-only */
};

enum vm_boot { VM_BOOT_NONE, VM_BOOT_FLOPPY, VM_BOOT_DISK, VM_BOOT_CDROM };

enum vm_char_kind {
	VM_CHAR_NONE,
	VM_CHAR_STREAM, /* a connected socket, pty or terminal: read and written */
	VM_CHAR_LISTEN, /* a listening unix socket; one client at a time, the next waits */
	VM_CHAR_WRITE,	/* a file or pipe: only written */
	VM_CHAR_CLIENT, /* a connected socket whose peer has gone when it stops sending */
	VM_CHAR_TTY,	/* a terminal line of the host: a stream, with its speed and modem lines */
	/*
	 * A SOCK_SEQPACKET socket to the starter. When the guest opens the port (DTR), one byte
	 * asks for a connection; the answer is one byte with a stream's descriptor, or without
	 * one when there is none. Closing the port ends the connection.
	 */
	VM_CHAR_DOOR,
};

struct vm_char {
	enum vm_char_kind kind;
	int fd;
	char name[256];
};

/* As vmm/rfb.h has them. */
enum vm_sharing { VM_SHARED, VM_EXCLUSIVE };

struct vm_display {
	int listen_fd; /* of the remote console; -1: there is none */
	enum vm_sharing sharing;
	bool view_only;
	uint32_t idle_timeout_s;
};

/* A saved state to go on from. */
struct vm_restore {
	int fd; /* open for reading, locked by the starter; -1: none */
	char name[256];
	bool verify;
	bool wait; /* for the word to run */
};

enum vm_nic_model { VM_NIC_21140, VM_NIC_21143 };

/* "nics": [ { "slot": 0, "model": "21140", "mac": "00:03:ff:12:34:56", "plug_fd": 7 } ], may be missing */
struct vm_nic {
	unsigned int slot; /* 0 to 3: PCI slot 3 to 6 */
	enum vm_nic_model model;
	uint8_t mac[6];
	int plug_fd; /* see netport.h */
};

/* How the host backs guest memory; reserved pages are taken from those set aside (hugetlbfs). */
enum vm_pages { VM_PAGES_HUGE, VM_PAGES_SMALL, VM_PAGES_RESERVED };
/* What becomes of the interval timer's ticks that the guest was too late for. */
enum vm_pit { VM_PIT_CATCHUP, VM_PIT_DROP };

#define VM_SMBIOS_BYTES 65
struct vm_smbios {
	char manufacturer[VM_SMBIOS_BYTES], product[VM_SMBIOS_BYTES], version[VM_SMBIOS_BYTES],
		serial[VM_SMBIOS_BYTES]; /* "": ours; no serial number */
};

struct vm_config {
	char name[VM_NAME_MAX + 1];
	uint8_t uuid[16];
	uint64_t memory_bytes;
	uint32_t cpus;
	char cpu_model[16];
	int kvm_fd, firmware_fd;
	struct vm_char devtest; /* the device test port; then there is no kvm_fd */
	int control_fd;		/* listening, -1: none */
	unsigned int disk_count;
	struct vm_disk disks[VM_DISKS_MAX]; /* sorted by slot */
	unsigned int parent_count;
	struct vm_parent parents[VM_PARENTS_MAX]; /* those of one disk together, child to root */
	struct vm_floppy floppies[VM_FLOPPIES_MAX];
	struct vm_cdrom cdroms[VM_DISKS_MAX]; /* by slot */
	unsigned int boot[VM_BOOT_MAX];	      /* enum vm_boot, what is tried first comes first */
	struct vm_char serial[VM_SERIAL_MAX];
	struct vm_char parallel, debugcon;
	struct vm_display display;
	char keyboard[16]; /* a layout of keymap.h, for texts and viewers without scan codes */
	unsigned int nic_count;
	struct vm_nic nics[VM_NICS_MAX];
	struct vm_medium nvram;	    /* what the battery keeps (base/nvram.h) */
	int32_t rtc_local_offset_s; /* added to UTC for the guest's clock */
	bool rtc_frozen;	    /* it does not see a pause */
	unsigned int pages;	    /* enum vm_pages */
	bool ksm;		    /* the host may share equal pages */
	unsigned int pit;	    /* enum vm_pit */
	int cpu_pins[VM_CPUS_MAX];  /* the host's processor for each of ours; -1: any */
	struct vm_smbios smbios;
	uint32_t ide_irq_delay_us;
	uint32_t vram_bytes; /* of the display adapter; 0: there is none */
	struct vm_restore restore;
	bool discard_state; /* disks may belong to a saved state, which nobody will use any more */
	bool fast_disk;	    /* int 13h by the option ROM of ours */
	uint32_t firmware_console;	/* serial port, from 1, for the firmware's text; 0: none */
	int kernel_fd, initrd_fd;	/* a Linux kernel to boot before any disk, -1: none */
	char append[VM_APPEND_MAX + 1]; /* its command line */
};

/*
 * Parses @text with its descriptors @fds (@fd_count of them). 0, or -EINVAL with one line in @error
 * that names the member. Descriptors named by the configuration are its own afterwards; the others
 * stay the caller's.
 */
int vm_config_parse(const char *text, size_t size, const int *fds, unsigned int fd_count,
		    struct vm_config *ret_config, char *error, size_t error_size);

/* @disk, one of the configuration's, with its parents, which stay the configuration's. */
struct vm_disk vm_config_parents(const struct vm_config *config, const struct vm_disk *disk);

/* The machine of a device test port that nobody gave a configuration: nothing is attached to it. */
void vm_config_devtest(struct vm_config *ret_config);

/* Receives the start message on @socket and parses it; -errno or -EINVAL as above. */
int vm_config_receive(int socket, struct vm_config *ret_config, char *error, size_t error_size);

#endif
