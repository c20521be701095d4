/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine as its owner describes it: by options or by a JSON file, with names and paths. What of
 * it a machine's process is told is start_message.h.
 *
 * The JSON file's members are one set of tables (machine_members.c): reading, writing, checking and
 * the published schema (machine.schema.json) all come from them.
 */
#ifndef MGMT_MACHINE_CONFIG_H
#define MGMT_MACHINE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../base/opt.h"

/* These are the machine process's (vmm/config.h); a test compares them. */
#define MACHINE_START_FD 3
#define MACHINE_CPUS_MAX 8
#define MACHINE_DISKS_MAX 4
#define MACHINE_PARENTS_MAX 200 /* of all disks together */
#define MACHINE_FLOPPIES_MAX 2
#define MACHINE_SERIAL_MAX 4
#define MACHINE_NICS_MAX 4
#define MACHINE_NAME_MAX 64
#define MACHINE_LABEL_MAX 255 /* bytes of a disk's or port's name in messages */
#define MACHINE_IDE_IRQ_DELAY_US 70
#define MACHINE_STOP_SECONDS 80
#define MACHINE_STOP_SECONDS_MAX 3600
#define MACHINE_IDE_IRQ_DELAY_US_MAX 100000
#define MACHINE_APPEND_MAX 4095 /* bytes of a kernel's command line */
#define MACHINE_HOST_CPU_MAX 1023
#define MACHINE_BOARD 1
#define MACHINE_MEMORY_MIB_MIN 4
#define MACHINE_MEMORY_MIB_MAX 1048576
#define MACHINE_FIRMWARE "/usr/share/seabios/bios-256k.bin"
/* What boots from the network: Debian's package ipxe. */
#define MACHINE_NET_BOOT "/boot/ipxe.lkrn"
#define MACHINE_CONFIG_BYTES_MAX 65536

enum machine_disk_format { MACHINE_DISK_VHD, MACHINE_DISK_RAW };

/* Of a floppy drive, by the disks that it takes. */
enum machine_floppy_kind {
	MACHINE_FLOPPY_AUTO, /* for the disk that is in it; 1.44M for none */
	MACHINE_FLOPPY_360K,
	MACHINE_FLOPPY_1200K,
	MACHINE_FLOPPY_720K,
	MACHINE_FLOPPY_1440K,
	MACHINE_FLOPPY_2880K,
};

enum machine_char_kind {
	MACHINE_CHAR_NONE,
	MACHINE_CHAR_STDIO,   /* the terminal of "mainstay run" */
	MACHINE_CHAR_CONSOLE, /* the machine's console socket: "mainstay console" */
	MACHINE_CHAR_PTY,
	MACHINE_CHAR_UNIX,	 /* a socket that we listen on */
	MACHINE_CHAR_FILE,	 /* a new file, or a device or pipe that exists: only written */
	MACHINE_CHAR_CONNECT,	 /* a unix socket that somebody listens on */
	MACHINE_CHAR_TCP,	 /* the same by TCP */
	MACHINE_CHAR_TCP_LISTEN, /* a TCP port that we listen on */
	MACHINE_CHAR_TTY,	 /* a terminal line of the host, with its modem lines */
	MACHINE_CHAR_COMMAND,	 /* a program that reads what is printed */
	MACHINE_CHAR_PARPORT,	 /* a parallel port of the host */
	MACHINE_CHAR_KINDS,
};

/* What a kind is told besides; each has a member of its own in the file. */
enum machine_char_needs {
	CHAR_NEEDS_NOTHING,
	CHAR_NEEDS_PATH,
	CHAR_NEEDS_ADDRESS,
	CHAR_NEEDS_COMMAND
};

extern const struct machine_char_info {
	enum machine_char_needs needs;
	bool serial, parallel; /* offered there */
	bool on_open;	       /* may wait until the guest opens the port */
	const char *stream;    /* how the machine's process uses the descriptor (vmm/config.h) */
} machine_char_infos[MACHINE_CHAR_KINDS];

enum machine_rtc { MACHINE_RTC_LOCAL, MACHINE_RTC_UTC };
/* What a restored guest's wall clock shows: the time of today, or it goes on from where it was. */
enum machine_resume_clock { MACHINE_CLOCK_CATCH_UP, MACHINE_CLOCK_FROZEN };
/* What becomes of a session's changes when the machine stops, see undo.h. */
enum machine_undo {
	MACHINE_UNDO_OFF, /* they go to the disks themselves */
	MACHINE_UNDO_KEEP,
	MACHINE_UNDO_COMMIT,
	MACHINE_UNDO_DISCARD,
	MACHINE_UNDO_ASK, /* on the terminal, then; without one: keep */
};
/* What stops a machine that is a service. */
enum machine_stop_action { MACHINE_STOP_SAVE, MACHINE_STOP_SHUTDOWN, MACHINE_STOP_TURN_OFF };
enum machine_sandbox { MACHINE_SANDBOX_FULL, MACHINE_SANDBOX_DEGRADED };

/* Enumerations are held as unsigned int: the tables read and write them all alike. */
struct machine_disk {
	const char *path;
	unsigned int format; /* enum machine_disk_format */
	unsigned int slot;
	bool read_only;
	uint16_t geometry[3]; /* cylinders, heads, sectors; all 0: as the image says */
};

struct machine_floppy {
	unsigned int kind; /* enum machine_floppy_kind */
	const char *path;  /* NULL: the drive is empty */
	unsigned int format;
	bool read_only;
};

struct machine_cdrom {
	const char *path; /* NULL: the drive is empty */
	unsigned int slot;
};

struct machine_char {
	unsigned int kind;   /* enum machine_char_kind */
	const char *path;    /* NULL but where the kind needs it; so the next two */
	const char *address; /* HOST:PORT */
	const char *command; /* for /bin/sh */
	bool on_open;
};

/* What the kind needs, or its name. */
const char *machine_char_target(const struct machine_char *c);
enum machine_nic_kind {
	MACHINE_NIC_NONE, /* an adapter without a cable */
	MACHINE_NIC_NAT,
	MACHINE_NIC_INTERNAL,
	MACHINE_NIC_LOOPBACK,
	MACHINE_NIC_EXTERNAL,
};

struct machine_nic {
	unsigned int kind;     /* enum machine_nic_kind */
	const char *network;   /* its name, or the host's interface; NULL with none and nat */
	const char *mac;       /* NULL: from the uuid */
	unsigned int model;    /* index into machine_nic_model_names */
	const char *tcp, *udp; /* ports that nat forwards, as passt takes them; NULL: none */
};

/* Who may look at the screen at the same time. */
enum machine_sharing { MACHINE_SHARED, MACHINE_EXCLUSIVE };

struct machine_display {
	unsigned int sharing; /* enum machine_sharing */
	bool view_only;
	uint32_t idle_timeout_s; /* 0: never */
};

enum machine_pages { MACHINE_PAGES_HUGE, MACHINE_PAGES_SMALL, MACHINE_PAGES_RESERVED };
enum machine_pit { MACHINE_PIT_CATCHUP, MACHINE_PIT_DROP };

struct machine_tuning {
	unsigned int pages; /* enum machine_pages */
	bool ksm;
	unsigned int pit; /* enum machine_pit */
	const char *pin;  /* "2+3": the host's processor for each of ours; NULL: any */
};

/* What SMBIOS tells; NULL: ours, and no serial number. */
struct machine_smbios {
	const char *manufacturer, *product, *version, *serial;
};
#define MACHINE_SMBIOS_MAX 64

struct machine_config {
	const char *name; /* NULL: from the first disk, made unique */
	uint8_t uuid[16];
	bool uuid_given;
	uint32_t memory_mib;
	uint32_t cpus;
	unsigned int cpu; /* index into machine_cpus[] */
	const char *firmware;
	const char *firmware_log;  /* NULL: none */
	uint32_t firmware_console; /* serial port, from 1; 0: none */
	bool fast_disk;
	uint32_t ide_irq_delay_us;
	const char *kernel, *initrd, *append; /* a Linux kernel to boot directly; NULL: none */
	unsigned int rtc;		      /* enum machine_rtc */
	unsigned int stop_action;	      /* enum machine_stop_action */
	uint32_t stop_seconds;		      /* for a guest that was asked to shut down */
	unsigned int resume_clock;	      /* enum machine_resume_clock */
	unsigned int sandbox;		      /* enum machine_sandbox */
	unsigned int undo;		      /* enum machine_undo */
	const char *nvram;		      /* what the battery keeps; NULL: nothing is kept */
	uint32_t disk_count;
	struct machine_disk disks[MACHINE_DISKS_MAX];
	uint32_t floppy_count; /* drive A first */
	struct machine_floppy floppies[MACHINE_FLOPPIES_MAX];
	uint32_t cdrom_count;
	struct machine_cdrom cdroms[MACHINE_DISKS_MAX];
	unsigned int boot;     /* index into machine_boot_names[] */
	uint32_t serial_count; /* COM1 first */
	struct machine_char serial[MACHINE_SERIAL_MAX];
	struct machine_char parallel;
	struct machine_display display;
	unsigned int keyboard;	   /* index into machine_keyboard_names[] */
	unsigned int video_memory; /* index into machine_video_memory_names[] */
	bool nics_given;	   /* or the default, one adapter to nat */
	uint32_t nic_count;
	struct machine_nic nics[MACHINE_NICS_MAX];
	struct machine_tuning tuning;
	struct machine_smbios smbios;
	/* Texts that no command line holds, freed by machine_config_fini(). */
	char **owned;
	size_t owned_count;
};

/* Processor models that a machine can have; vmm/cpuid.c knows what they are. A test compares both.
 */
struct machine_cpu {
	const char *name; /* NULL ends the table */
	const char *summary;
	uint32_t memory_mib_max;
};
extern const struct machine_cpu machine_cpus[];

/* The defaults: no disk, no serial port. */
void machine_config_init(struct machine_config *config);
void machine_config_fini(struct machine_config *config);
/* A copy of @text that lives as long as @config; NULL without memory. */
const char *machine_config_keep(struct machine_config *config, const char *text);

/*
 * What options and JSON members cannot see one by one: memory against the processor model, slots
 * used twice, standard input used twice. 0, or -EINVAL with one line in @error.
 */
int machine_config_check(const struct machine_config *config, char *error, size_t error_size);

/*
 * Reads the JSON @text; @folder, or NULL, is what relative paths start from. The result has been
 * checked. 0, or -EINVAL or -ENOMEM with one line in @error that names the member. @config must be
 * initialised, and is to be finished in every case.
 */
int machine_config_read(struct machine_config *config, const char *text, size_t size,
			const char *folder, char *error, size_t error_size);
/* The same from the file @path. */
int machine_config_load(struct machine_config *config, const char *path, char *error,
			size_t error_size);

/* The JSON text of @config, freed by the caller; NULL without memory. */
char *machine_config_write(const struct machine_config *config);
/* The JSON Schema of the file, freed by the caller; NULL without memory. */
char *machine_config_schema(void);

/*
 * The options that describe a machine. The target struct must begin with a struct machine_config:
 *
 *	static const struct opt table[] = { MACHINE_OPTIONS, { .name = NULL } };
 */
int machine_option_memory(void *target, const char *value, char *error, size_t error_size);
int machine_option_cpu(void *target, const char *value, char *error, size_t error_size);
int machine_option_serial(void *target, const char *value, char *error, size_t error_size);
int machine_option_display(void *target, const char *value, char *error, size_t error_size);
int machine_option_keyboard(void *target, const char *value, char *error, size_t error_size);
int machine_option_video_memory(void *target, const char *value, char *error, size_t error_size);
int machine_option_parallel(void *target, const char *value, char *error, size_t error_size);
int machine_option_floppy(void *target, const char *value, char *error, size_t error_size);
int machine_option_cdrom(void *target, const char *value, char *error, size_t error_size);
int machine_option_boot(void *target, const char *value, char *error, size_t error_size);
int machine_option_net(void *target, const char *value, char *error, size_t error_size);
int machine_option_drive(void *target, const char *value, char *error, size_t error_size);
int machine_option_name(void *target, const char *value, char *error, size_t error_size);
int machine_option_uuid(void *target, const char *value, char *error, size_t error_size);
int machine_option_fast_disk(void *target, const char *value, char *error, size_t error_size);
int machine_option_append(void *target, const char *value, char *error, size_t error_size);
int machine_option_rtc(void *target, const char *value, char *error, size_t error_size);
int machine_option_resume_clock(void *target, const char *value, char *error, size_t error_size);
int machine_option_undo(void *target, const char *value, char *error, size_t error_size);
int machine_option_tune(void *target, const char *value, char *error, size_t error_size);
int machine_option_smbios(void *target, const char *value, char *error, size_t error_size);
int machine_option_sandbox(void *target, const char *value, char *error, size_t error_size);

#define MACHINE_OPTION_CALL(option, metavariable, text, function)                                  \
	{                                                                                          \
		.name = (option), .kind = OPT_CALL, .argument = (metavariable), .help = (text),    \
		.set = (function)                                                                  \
	}
#define MACHINE_OPTIONS                                                                            \
	MACHINE_OPTION_CALL("memory", "SIZE", "guest memory, a multiple of 1M (default 128M)",     \
			    machine_option_memory),                                                \
		{ .name = "cpus",                                                                  \
		  .kind = OPT_U32,                                                                 \
		  .argument = "N",                                                                 \
		  .help = "processors, 1 to 8 (default 1)",                                        \
		  .offset = offsetof(struct machine_config, cpus),                                 \
		  .min = 1,                                                                        \
		  .max = MACHINE_CPUS_MAX },                                                       \
		MACHINE_OPTION_CALL("cpu", "MODEL", "processor model, or \"help\" (default nt4)",  \
				    machine_option_cpu),                                           \
		MACHINE_OPTION_CALL("drive", "PATH[,OPTION]...", "a further disk, see below",      \
				    machine_option_drive),                                         \
		MACHINE_OPTION_CALL("floppy", "FILE|empty[,OPTION]...",                            \
				    "the next floppy drive, see below", machine_option_floppy),    \
		MACHINE_OPTION_CALL("cdrom", "FILE|empty[,slot=SLOT]", "a CD-ROM drive",           \
				    machine_option_cdrom),                                         \
		MACHINE_OPTION_CALL("boot", "ORDER",                                               \
				    "what is booted, in order (default disk,floppy,cdrom)",        \
				    machine_option_boot),                                          \
		MACHINE_OPTION_CALL("serial", "KIND", "the next serial port, see below",           \
				    machine_option_serial),                                        \
		MACHINE_OPTION_CALL("parallel", "KIND", "where LPT1 leads, see below",             \
				    machine_option_parallel),                                      \
		MACHINE_OPTION_CALL("display", "OPTION[,OPTION]...",                               \
				    "who may see and operate the screen, see below",               \
				    machine_option_display),                                       \
		MACHINE_OPTION_CALL("keyboard", "LAYOUT",                                          \
				    "the guest's: us, uk, de or jp106 (default us)",               \
				    machine_option_keyboard),                                      \
		MACHINE_OPTION_CALL("video-memory", "SIZE",                                        \
				    "the display adapter's: 1M, 2M, 4M (default) or none",         \
				    machine_option_video_memory),                                  \
		MACHINE_OPTION_CALL("net", "NETWORK[,OPTION]...",                                  \
				    "the next network adapter (default nat), see below",           \
				    machine_option_net),                                           \
		MACHINE_OPTION_CALL("name", "NAME",                                                \
				    "name (default: the first disk's, made unique)",               \
				    machine_option_name),                                          \
		MACHINE_OPTION_CALL("uuid", "UUID",                                                \
				    "identity shown to the guest (default: from "                  \
				    "the first disk's path)",                                      \
				    machine_option_uuid),                                          \
		{ .name = "firmware",                                                              \
		  .kind = OPT_STRING,                                                              \
		  .argument = "FILE",                                                              \
		  .help = "system BIOS image (default " MACHINE_FIRMWARE ")",                      \
		  .offset = offsetof(struct machine_config, firmware) },                           \
		{ .name = "firmware-log",                                                          \
		  .kind = OPT_STRING,                                                              \
		  .argument = "FILE",                                                              \
		  .help = "append the firmware's messages to FILE",                                \
		  .offset = offsetof(struct machine_config, firmware_log) },                       \
		{ .name = "firmware-console",                                                      \
		  .kind = OPT_U32,                                                                 \
		  .argument = "N",                                                                 \
		  .help = "serial port (1 is COM1) for the text of firmware and boot loaders",     \
		  .offset = offsetof(struct machine_config, firmware_console),                     \
		  .max = MACHINE_SERIAL_MAX },                                                     \
		MACHINE_OPTION_CALL("fast-disk", "on|off",                                         \
				    "BIOS disk services at the speed of the host (default on)",    \
				    machine_option_fast_disk),                                     \
		{ .name = "ide-irq-delay",                                                         \
		  .kind = OPT_U32,                                                                 \
		  .argument = "US",                                                                \
		  .help = "microseconds from an IDE command to its interrupt (default 70)",        \
		  .offset = offsetof(struct machine_config, ide_irq_delay_us),                     \
		  .max = MACHINE_IDE_IRQ_DELAY_US_MAX },                                           \
		{ .name = "kernel",                                                                \
		  .kind = OPT_STRING,                                                              \
		  .argument = "FILE",                                                              \
		  .help = "boot this Linux kernel (bzImage) before any disk",                      \
		  .offset = offsetof(struct machine_config, kernel) },                             \
		{ .name = "initrd",                                                                \
		  .kind = OPT_STRING,                                                              \
		  .argument = "FILE",                                                              \
		  .help = "its initial RAM disk",                                                  \
		  .offset = offsetof(struct machine_config, initrd) },                             \
		MACHINE_OPTION_CALL("append", "TEXT", "its command line", machine_option_append),  \
		{ .name = "nvram",                                                                 \
		  .kind = OPT_STRING,                                                              \
		  .argument = "FILE",                                                              \
		  .help = "keep CMOS memory, clock and identity in FILE, made if missing",         \
		  .offset = offsetof(struct machine_config, nvram) },                              \
		MACHINE_OPTION_CALL("rtc", "utc|local",                                            \
				    "the clock's time zone (default local, "                       \
				    "as Windows wants it)",                                        \
				    machine_option_rtc),                                           \
		MACHINE_OPTION_CALL(                                                               \
			"resume-clock", "catch-up|frozen",                                         \
			"the clock after a pause or save: today's (default), or as it was",        \
			machine_option_resume_clock),                                              \
		MACHINE_OPTION_CALL("undo", "keep|commit|discard|ask",                             \
				    "write to undo disks, and what becomes of them when the "      \
				    "machine stops",                                               \
				    machine_option_undo),                                          \
		MACHINE_OPTION_CALL("smbios", "NAME=TEXT[,NAME=TEXT]...",                          \
				    "identity that the guest reads, see below",                    \
				    machine_option_smbios),                                        \
		MACHINE_OPTION_CALL("tune", "NAME=VALUE[,NAME=VALUE]...",                          \
				    "how the host runs the machine, see below",                    \
				    machine_option_tune),                                          \
		MACHINE_OPTION_CALL("sandbox", "degraded",                                         \
				    "run even where the host lacks user namespaces and Landlock",  \
				    machine_option_sandbox)

/* The help's words on the options above whose line is too short for them. */
#define MACHINE_OPTIONS_DETAILS                                                                    \
	"Drive options: format=vhd|raw (default vhd), slot=primary-master|primary-slave|\n"        \
	"secondary-master|secondary-slave (default: the first free), readonly,\n"                  \
	"geometry=CYLINDERS/HEADS/SECTORS.\n"                                                      \
	"Floppy options: kind=360K|720K|1.2M|1.44M|2.88M (default: for the disk inside),\n"        \
	"readonly, format=raw|vhd (default raw). FILE may be a drive of the host: /dev/fd0,\n"     \
	"/dev/sr0. mainstay insert and eject change media while the machine runs.\n"               \
	"Networks, up to four: nat (to the outside, as this user), internal:NAME (machines\n"      \
	"only), loopback:NAME (with the host), external:INTERFACE, none. Options: mac=ADDRESS,\n"  \
	"model=21140|21143, with nat tcp=8080:80 and udp=PORTS. mainstay net says more.\n"         \
	"Serial ports, COM1 first: stdio (this terminal), console (for mainstay console), pty,\n"  \
	"unix:PATH (we listen), connect:PATH (somebody listens), tcp:HOST:PORT,\n"                 \
	"tcp-listen:[HOST:]PORT, tty:PATH (a line of the host, with its modem lines),\n"           \
	"file:PATH (a new file, or a device or pipe), none. connect and tcp may end with\n"        \
	",on-open: connected when the guest opens the port.\n"                                     \
	"Parallel port: file:PATH, command:LINE (a shell command that reads what is printed),\n"   \
	"parport:PATH (/dev/parport0), none.\n"                                                    \
	"Display options: shared (default) or exclusive: one viewer at a time; view-only: keys\n"  \
	"and pointers of viewers do nothing; idle=SECONDS: viewers that do nothing are dropped.\n" \
	"SMBIOS names: manufacturer, product, version, serial.\n"                                  \
	"Tuning: pages=huge|small|reserved (default huge; reserved: vm.nr_hugepages),\n"           \
	"ksm=on|off (default on), pin=N[+N]... (host processor for each of ours), pit=catchup|\n"  \
	"drop (late timer ticks, default catchup).\n"

/*
 * A disk as "PATH[,format=...][,slot=...][,readonly][,geometry=C/H/S]" in the first free slot; also
 * for the disk that is an argument. 0, or -1 with one line in @error.
 */
int machine_config_add_drive(struct machine_config *config, const char *text, char *error,
			     size_t error_size);
/* Only PATH, commas and all. */
int machine_config_add_disk(struct machine_config *config, const char *path, char *error,
			    size_t error_size);

/*
 * A valid name made of the file name of @path without its extension; @number from 2 on is appended.
 * @ret_name has room for MACHINE_NAME_MAX + 1.
 */
void machine_name_from_path(const char *path, unsigned int number, char *ret_name);
/* The first disk's path, or the first medium's without a disk; NULL: there is neither. */
const char *machine_config_first_path(const struct machine_config *config);
/* Addresses for the adapters without one; when the uuid is known. */
void machine_nics_derive(struct machine_config *config);
/* 0, or -EINVAL and @ret_why: what members cannot see one by one. */
int machine_nic_check(const void *item, const char **ret_why);
/* Whether the network is booted before anything else. */
bool machine_boots_net(const struct machine_config *config);
/* Fills in what is derived: places on the IDE cables, the uuid, addresses of adapters. */
void machine_config_derive(struct machine_config *config);

extern const char *const machine_slot_names[];
extern const char *const machine_format_names[];
extern const char *const machine_floppy_names[];
extern const char *const machine_boot_names[];
extern const char *const machine_nic_names[];
extern const char *const machine_nic_model_names[];
extern const char *const machine_char_names[];
extern const char *const machine_sharing_names[];
extern const char *const machine_keyboard_names[];
extern const char *const machine_video_memory_names[]; /* 4 MiB shifted right by the index; none */
extern const char *const machine_rtc_names[];
extern const char *const machine_resume_clock_names[];
extern const char *const machine_undo_names[];
extern const char *const machine_stop_action_names[];
extern const char *const machine_sandbox_names[];
extern const char *const machine_pages_names[];
extern const char *const machine_pit_names[];

/*
 * The host's processors of @text ("2+3"), exactly @count of them, to @ret_pins. 0, or -EINVAL.
 */
int machine_parse_pins(const char *text, uint32_t count, int *ret_pins);

#endif
