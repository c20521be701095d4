// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables behind a machine's JSON file. A new member is a row here and a field of the struct. */
#include "machine_members.h"

#include <errno.h>
#include <string.h>

#include "../base/bits.h"
#include "machine_config.h"

const char *const machine_slot_names[] = { "primary-master", "primary-slave", "secondary-master",
					   "secondary-slave", NULL };
const char *const machine_format_names[] = {
	[MACHINE_DISK_VHD] = "vhd", [MACHINE_DISK_RAW] = "raw", NULL
};
const char *const machine_floppy_names[] = {
	[MACHINE_FLOPPY_AUTO] = "auto",
	[MACHINE_FLOPPY_360K] = "360K",
	[MACHINE_FLOPPY_1200K] = "1.2M",
	[MACHINE_FLOPPY_720K] = "720K",
	[MACHINE_FLOPPY_1440K] = "1.44M",
	[MACHINE_FLOPPY_2880K] = "2.88M",
	NULL,
};
/* All orders that there are; the first is the default. */
const char *const machine_boot_names[] = {
	/* clang-format off */
	"disk,floppy,cdrom", "disk,cdrom,floppy", "floppy,disk,cdrom", "floppy,cdrom,disk",
	"cdrom,disk,floppy", "cdrom,floppy,disk", "disk,floppy", "disk,cdrom", "floppy,disk",
	"floppy,cdrom", "cdrom,disk", "cdrom,floppy", "disk", "floppy", "cdrom",
	"net", "net,disk", "net,disk,floppy,cdrom", "net,floppy,disk", "net,cdrom,disk", NULL,
	/* clang-format on */
};
const char *const machine_char_names[] = {
	[MACHINE_CHAR_NONE] = "none",
	[MACHINE_CHAR_STDIO] = "stdio",
	[MACHINE_CHAR_CONSOLE] = "console",
	[MACHINE_CHAR_PTY] = "pty",
	[MACHINE_CHAR_UNIX] = "unix",
	[MACHINE_CHAR_FILE] = "file",
	[MACHINE_CHAR_CONNECT] = "connect",
	[MACHINE_CHAR_TCP] = "tcp",
	[MACHINE_CHAR_TCP_LISTEN] = "tcp-listen",
	[MACHINE_CHAR_TTY] = "tty",
	[MACHINE_CHAR_COMMAND] = "command",
	[MACHINE_CHAR_PARPORT] = "parport",
	NULL,
};
const struct machine_char_info machine_char_infos[MACHINE_CHAR_KINDS] = {
	/* clang-format off */
	[MACHINE_CHAR_NONE] = { CHAR_NEEDS_NOTHING, true, true, false, NULL },
	[MACHINE_CHAR_STDIO] = { CHAR_NEEDS_NOTHING, true, false, false, "stream" },
	[MACHINE_CHAR_CONSOLE] = { CHAR_NEEDS_NOTHING, true, false, false, "listen" },
	[MACHINE_CHAR_PTY] = { CHAR_NEEDS_NOTHING, true, false, false, "stream" },
	[MACHINE_CHAR_UNIX] = { CHAR_NEEDS_PATH, true, false, false, "listen" },
	[MACHINE_CHAR_FILE] = { CHAR_NEEDS_PATH, true, true, false, "write" },
	[MACHINE_CHAR_CONNECT] = { CHAR_NEEDS_PATH, true, false, true, "client" },
	[MACHINE_CHAR_TCP] = { CHAR_NEEDS_ADDRESS, true, false, true, "client" },
	[MACHINE_CHAR_TCP_LISTEN] = { CHAR_NEEDS_ADDRESS, true, false, false, "listen" },
	[MACHINE_CHAR_TTY] = { CHAR_NEEDS_PATH, true, false, false, "tty" },
	[MACHINE_CHAR_COMMAND] = { CHAR_NEEDS_COMMAND, false, true, false, "write" },
	[MACHINE_CHAR_PARPORT] = { CHAR_NEEDS_PATH, false, true, false, "write" },
	/* clang-format on */
};

const char *machine_char_target(const struct machine_char *c)
{
	switch (machine_char_infos[c->kind].needs) {
	case CHAR_NEEDS_PATH:
		return c->path;
	case CHAR_NEEDS_ADDRESS:
		return c->address;
	case CHAR_NEEDS_COMMAND:
		return c->command;
	case CHAR_NEEDS_NOTHING:
		break;
	}
	return machine_char_names[c->kind];
}

const char *const machine_sharing_names[] = {
	[MACHINE_SHARED] = "shared", [MACHINE_EXCLUSIVE] = "exclusive", NULL
};
const char *const machine_keyboard_names[] = { "us", "uk", "de", "jp106", NULL };
const char *const machine_video_memory_names[] = { "4M", "2M", "1M", "none", NULL };
const char *const machine_rtc_names[] = {
	[MACHINE_RTC_LOCAL] = "local", [MACHINE_RTC_UTC] = "utc", NULL
};
const char *const machine_resume_clock_names[] = {
	[MACHINE_CLOCK_CATCH_UP] = "catch-up", [MACHINE_CLOCK_FROZEN] = "frozen", NULL
};
const char *const machine_stop_action_names[] = { [MACHINE_STOP_SAVE] = "save",
						  [MACHINE_STOP_SHUTDOWN] = "shutdown",
						  [MACHINE_STOP_TURN_OFF] = "turn-off",
						  NULL };
const char *const machine_sandbox_names[] = {
	[MACHINE_SANDBOX_FULL] = "full", [MACHINE_SANDBOX_DEGRADED] = "degraded", NULL
};
const char *const machine_undo_names[] = {
	[MACHINE_UNDO_OFF] = "off",	  [MACHINE_UNDO_KEEP] = "keep",
	[MACHINE_UNDO_COMMIT] = "commit", [MACHINE_UNDO_DISCARD] = "discard",
	[MACHINE_UNDO_ASK] = "ask",	  NULL,
};
const char *const machine_pages_names[] = { [MACHINE_PAGES_HUGE] = "huge",
					    [MACHINE_PAGES_SMALL] = "small",
					    [MACHINE_PAGES_RESERVED] = "reserved",
					    NULL };
const char *const machine_pit_names[] = {
	[MACHINE_PIT_CATCHUP] = "catchup", [MACHINE_PIT_DROP] = "drop", NULL
};
static const char *const serial_names[] = {
	"none", "stdio", "console", "pty", "unix", "file", "connect", "tcp", "tcp-listen", "tty",
};
const char *const machine_nic_names[] = {
	[MACHINE_NIC_NONE] = "none",	     [MACHINE_NIC_NAT] = "nat",
	[MACHINE_NIC_INTERNAL] = "internal", [MACHINE_NIC_LOOPBACK] = "loopback",
	[MACHINE_NIC_EXTERNAL] = "external", NULL
};
const char *const machine_nic_model_names[] = { "21140", "21143", NULL };
static const char *const parallel_names[MACHINE_CHAR_KINDS] = {
	[MACHINE_CHAR_NONE] = "none",
	[MACHINE_CHAR_FILE] = "file",
	[MACHINE_CHAR_COMMAND] = "command",
	[MACHINE_CHAR_PARPORT] = "parport",
};
_Static_assert(ARRAY_LEN(serial_names) == MACHINE_CHAR_TTY + 1, "in the order of the kinds");
static const char *const cpu_names[] = { "nt4", "p5", "486", "p3", "p4", "host" };

#define NAMES(array, n)                                                                            \
	{                                                                                          \
		(array), (n)                                                                       \
	}

const struct machine_cpu machine_cpus[] = {
	{ "nt4", "Pentium II: Windows NT 4.0, 95 and 98, OS/2 Warp", 3584 },
	{ "p5", "Pentium MMX: Windows NT 3.x, DOS, Windows 3.x, OS/2 1 and 2", 3584 },
	{ "486", "486DX4: Windows NT 3.1, DOS, what refuses newer processors", 3584 },
	{ "p3", "Pentium III: Windows 2000, XP and 2003, ReactOS", 65024 },
	{ "p4", "Pentium 4: Windows XP and 2003, Linux of that age", 65024 },
	{ "host", "what this host's KVM supports: today's systems", MACHINE_MEMORY_MIB_MAX },
	{ NULL, NULL, 0 },
};
_Static_assert(ARRAY_LEN(cpu_names) + 1 == ARRAY_LEN(machine_cpus), "cpu_names");

int machine_find_name(const char *const *names, const char *name, size_t length)
{
	for (int i = 0; names[i]; i++) {
		if (strlen(names[i]) == length && !memcmp(names[i], name, length))
			return i;
	}
	return -1;
}

/* --- disks --- */

static const struct member disk_members[] = {
	{ .name = "path",
	  .kind = MEMBER_PATH,
	  .required = true,
	  .offset = offsetof(struct machine_disk, path),
	  .description = "The image file. A relative path starts at the folder of this file." },
	{ .name = "format",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_disk, format),
	  .fallback = "\"vhd\"",
	  .names = NAMES(machine_format_names, 2),
	  .description = "What the image is. It is never guessed from what a guest could write." },
	{ .name = "slot",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_disk, slot),
	  .names = NAMES(machine_slot_names, MACHINE_DISKS_MAX),
	  .description = "Where the disk is on the IDE cables. Without it: the first free place." },
	{ .name = "read_only",
	  .kind = MEMBER_BOOL,
	  .offset = offsetof(struct machine_disk, read_only),
	  .fallback = "false",
	  .description = "The guest's writes fail; several machines may share the image." },
	{ .name = "geometry",
	  .kind = MEMBER_GEOMETRY,
	  .offset = offsetof(struct machine_disk, geometry),
	  .description = "Cylinders, heads and sectors for each track as the BIOS shows them. "
			 "Without it: from the image." },
	{ .name = NULL },
};

static void disk_init(void *item)
{
	struct machine_disk *disk = item;

	*disk = (struct machine_disk){ .slot = MACHINE_DISKS_MAX };
}

static const struct member_object disk_object = { .members = disk_members, .init = disk_init };

/* --- drives with media --- */

static const struct member floppy_members[] = {
	{ .name = "kind",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_floppy, kind),
	  .fallback = "\"auto\"",
	  .names = NAMES(machine_floppy_names, MACHINE_FLOPPY_2880K + 1),
	  .description = "By the disks that the drive takes. Auto: for the disk that is in it." },
	{ .name = "path",
	  .kind = MEMBER_PATH,
	  .offset = offsetof(struct machine_floppy, path),
	  .description = "The image file or the host's drive. Without it: no disk is in it." },
	{ .name = "format",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_floppy, format),
	  .fallback = "\"raw\"",
	  .names = NAMES(machine_format_names, 2),
	  .description = "What the image is." },
	{ .name = "read_only",
	  .kind = MEMBER_BOOL,
	  .offset = offsetof(struct machine_floppy, read_only),
	  .fallback = "false",
	  .description = "The disk is write-protected." },
	{ .name = NULL },
};

static void floppy_init(void *item)
{
	struct machine_floppy *floppy = item;

	*floppy = (struct machine_floppy){ .format = MACHINE_DISK_RAW };
}

static const struct member_object floppy_object = { .members = floppy_members,
						    .init = floppy_init };

static const struct member cdrom_members[] = {
	{ .name = "path",
	  .kind = MEMBER_PATH,
	  .offset = offsetof(struct machine_cdrom, path),
	  .description = "The image file or the host's drive. Without it: no disc is in it." },
	{ .name = "slot",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_cdrom, slot),
	  .names = NAMES(machine_slot_names, MACHINE_DISKS_MAX),
	  .description =
		  "Where the drive is on the IDE cables. Without it: on the secondary one if "
		  "it has a free place." },
	{ .name = NULL },
};

static void cdrom_init(void *item)
{
	struct machine_cdrom *cdrom = item;

	*cdrom = (struct machine_cdrom){ .slot = MACHINE_DISKS_MAX };
}

static const struct member_object cdrom_object = { .members = cdrom_members, .init = cdrom_init };

/* --- serial and parallel ports --- */

static int char_check(const void *item, const char **ret_why)
{
	static const struct {
		const char *needs, *not ;
	} words[] = {
		[CHAR_NEEDS_PATH] = { "needs a path", "takes no path" },
		[CHAR_NEEDS_ADDRESS] = { "needs an address", "takes no address" },
		[CHAR_NEEDS_COMMAND] = { "needs a command", "takes no command" },
	};
	const struct machine_char *c = item;
	const struct machine_char_info *info = &machine_char_infos[c->kind];
	const char *members[] = { NULL, c->path, c->address, c->command };

	for (unsigned int need = CHAR_NEEDS_PATH; need <= CHAR_NEEDS_COMMAND; need++) {
		if ((info->needs == need) == (members[need] != NULL))
			continue;
		*ret_why = info->needs == need ? words[need].needs : words[need].not ;
		return -EINVAL;
	}
	if (!c->on_open || info->on_open)
		return 0;
	*ret_why = "on_open is for connect and tcp only";
	return -EINVAL;
}

#define CHAR_PATH(what)                                                                            \
	{                                                                                          \
		.name = "path", .kind = MEMBER_PATH,                                               \
		.offset = offsetof(struct machine_char, path), .description = what                 \
	}
#define CHAR_KIND(all, count, what)                                                                \
	{                                                                                          \
		.name = "kind", .kind = MEMBER_ENUM, .required = true,                             \
		.offset = offsetof(struct machine_char, kind), .names = NAMES(all, count),         \
		.description = what                                                                \
	}

static const struct member serial_members[] = {
	CHAR_KIND(serial_names, ARRAY_LEN(serial_names),
		  "The other end of the cable: none, the terminal of mainstay run (stdio), the "
		  "socket of mainstay console (console), a new pseudo terminal (pty), a socket "
		  "to connect to (unix), one that somebody listens on (connect), the same by TCP "
		  "(tcp-listen, tcp), a terminal line of the host (tty), or a file that takes what "
		  "the guest sends (file)."),
	CHAR_PATH("Of the socket, file or line; sockets and files (but a service's) must not exist "
		  "yet unless we "
		  "connect."),
	{ .name = "address",
	  .kind = MEMBER_TEXT,
	  .offset = offsetof(struct machine_char, address),
	  .description = "HOST:PORT for tcp and tcp-listen; the latter takes PORT alone for this "
			 "host's own programs." },
	{ .name = "on_open",
	  .kind = MEMBER_BOOL,
	  .offset = offsetof(struct machine_char, on_open),
	  .fallback = "false",
	  .description = "For connect and tcp: connected when the guest opens the port, not at the "
			 "start." },
	{ .name = NULL },
};

static const struct member parallel_members[] = {
	CHAR_KIND(parallel_names, MACHINE_CHAR_KINDS,
		  "The other end of the cable: none, a file that takes what is printed, a command "
		  "that reads it, or a parallel port of the host (parport)."),
	CHAR_PATH("Of the file, which (but a service's) must not exist yet unless it is a device "
		  "or a pipe, or of "
		  "the host's port."),
	{ .name = "command",
	  .kind = MEMBER_TEXT,
	  .offset = offsetof(struct machine_char, command),
	  .description = "A line for the shell, run when the machine starts." },
	{ .name = NULL },
};

/* The members that go with some kinds, and with no other. */
#define CHAR_RULE(kinds, member)                                                                   \
	"{\"if\":{\"properties\":{\"kind\":{\"enum\":[" kinds                                      \
	"]}}},\"then\":{\"required\":[\"" member "\"]},\"else\":{\"properties\":{\"" member        \
	"\":false}}}"
#define SERIAL_SCHEMA                                                                              \
	"{\"allOf\":[" CHAR_RULE("\"unix\",\"file\",\"connect\",\"tty\"", "path") "," CHAR_RULE(   \
		"\"tcp\",\"tcp-listen\"",                                                          \
		"address") ",{\"if\":{\"properties\":{\"kind\":{\"enum\":[\"connect\",\"tcp\"]}}}" \
			   ","                                                                     \
			   "\"else\":{\"properties\":{\"on_open\":{\"const\":false}}}}]}"
#define PARALLEL_SCHEMA                                                                            \
	"{\"allOf\":[" CHAR_RULE("\"file\",\"parport\"", "path") "," CHAR_RULE("\"command\"",      \
									       "command") "]}"

static const struct member_object serial_object = { .members = serial_members,
						    .check = char_check,
						    .schema = SERIAL_SCHEMA };
static const struct member_object parallel_object = { .members = parallel_members,
						      .check = char_check,
						      .schema = PARALLEL_SCHEMA };

/* --- the screen --- */

static const struct member display_members[] = {
	{ .name = "sharing",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_display, sharing),
	  .fallback = "\"shared\"",
	  .names = NAMES(machine_sharing_names, 2),
	  .description = "Whether several people may look at the same time, or only the first who "
			 "comes." },
	{ .name = "view_only",
	  .kind = MEMBER_BOOL,
	  .offset = offsetof(struct machine_display, view_only),
	  .fallback = "false",
	  .description = "Keys and pointers of viewers do nothing." },
	{ .name = "idle_timeout_s",
	  .kind = MEMBER_NUMBER,
	  .offset = offsetof(struct machine_display, idle_timeout_s),
	  .min = 0,
	  .max = 86400,
	  .fallback = "0",
	  .description = "A viewer without keys and motion for so many seconds is dropped. 0: "
			 "never." },
	{ .name = NULL },
};

static const struct member_object display_object = { .members = display_members };

/* --- network adapters --- */

static const struct member nic_members[] = {
	{ .name = "kind",
	  .kind = MEMBER_ENUM,
	  .required = true,
	  .offset = offsetof(struct machine_nic, kind),
	  .names = NAMES(machine_nic_names, MACHINE_NIC_EXTERNAL + 1),
	  .description =
		  "Where the cable leads: nowhere (none), to the outside through this user (nat), "
		  "to a network of machines (internal), of machines and the host (loopback), or to "
		  "an interface of the host (external)." },
	{ .name = "network",
	  .kind = MEMBER_NAME,
	  .offset = offsetof(struct machine_nic, network),
	  .description = "The network's name; with external the host's interface." },
	{ .name = "mac",
	  .kind = MEMBER_NAME,
	  .offset = offsetof(struct machine_nic, mac),
	  .description = "The adapter's address. Without it: 00:03:ff and three bytes from the "
			 "machine's uuid." },
	{ .name = "model",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_nic, model),
	  .fallback = "\"21140\"",
	  .names = NAMES(machine_nic_model_names, 2),
	  .description = "The DEC chip that the guest sees." },
	{ .name = "tcp",
	  .kind = MEMBER_NAME,
	  .offset = offsetof(struct machine_nic, tcp),
	  .description = "Ports of the host that nat forwards to the machine: 8080:80, with "
			 "commas." },
	{ .name = "udp",
	  .kind = MEMBER_NAME,
	  .offset = offsetof(struct machine_nic, udp),
	  .description = "The same for UDP." },
	{ .name = NULL },
};

#define PORTS "[0-9]+(-[0-9]+)?(:[0-9]+(-[0-9]+)?)?"
#define PORTS_PATTERN "{\"pattern\":\"^" PORTS "(," PORTS ")*$\",\"maxLength\":200}"
#define NIC_SCHEMA                                                                                 \
	"{\"allOf\":[{\"if\":{\"properties\":{\"kind\":{\"enum\":[\"none\",\"nat\"]}}},"           \
	"\"then\":{\"properties\":{\"network\":false}},\"else\":{\"required\":[\"network\"]}},"    \
	"{\"if\":{\"properties\":{\"kind\":{\"const\":\"nat\"}}},"                                 \
	"\"else\":{\"properties\":{\"tcp\":false,\"udp\":false}}},{\"properties\":{"               \
	"\"mac\":{\"pattern\":\"^[0-9A-Fa-f][02468ACEace]([-:][0-9A-Fa-f]{2}){5}$\"},"             \
	"\"tcp\":" PORTS_PATTERN ",\"udp\":" PORTS_PATTERN "}}]}"

static const struct member_object nic_object = { .members = nic_members,
						 .check = machine_nic_check,
						 .schema = NIC_SCHEMA };
/* --- identity and tuning --- */

static int smbios_check(const void *item, const char **ret_why)
{
	const struct machine_smbios *smbios = item;
	const char *texts[] = { smbios->manufacturer, smbios->product, smbios->version,
				smbios->serial };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i] && !machine_smbios_text_valid(texts[i])) {
			*ret_why = "has a text that is not 1 to 64 characters of ASCII";
			return -EINVAL;
		}
	}
	return 0;
}

bool machine_smbios_text_valid(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e)
			return false;
	}
	return length && length <= MACHINE_SMBIOS_MAX;
}

#define SMBIOS_TEXT(member, what)                                                                  \
	{                                                                                          \
		.name = #member, .kind = MEMBER_TEXT,                                              \
		.offset = offsetof(struct machine_smbios, member), .description = what             \
	}

static const struct member smbios_members[] = {
	SMBIOS_TEXT(manufacturer, "Who made the machine."),
	SMBIOS_TEXT(product, "The machine's model."),
	SMBIOS_TEXT(version, "Of the model."),
	SMBIOS_TEXT(serial, "The machine's serial number. Without it: none."),
	{ .name = NULL },
};

#define ASCII_TEXT(name) "\"" name "\":{\"maxLength\":64,\"pattern\":\"^[ -~]+$\"}"
static const struct member_object smbios_object = {
	.members = smbios_members,
	.check = smbios_check,
	.schema = "{\"allOf\":[{\"properties\":{" ASCII_TEXT("manufacturer") "," ASCII_TEXT(
		"product") "," ASCII_TEXT("version") "," ASCII_TEXT("serial") "}}]}",
};

static const struct member tuning_members[] = {
	{ .name = "pages",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_tuning, pages),
	  .fallback = "\"huge\"",
	  .names = NAMES(machine_pages_names, 3),
	  .description = "How the host backs guest memory: huge pages where it can, small ones, or "
			 "huge ones that were set aside (vm.nr_hugepages)." },
	{ .name = "ksm",
	  .kind = MEMBER_BOOL,
	  .offset = offsetof(struct machine_tuning, ksm),
	  .fallback = "true",
	  .description = "The host may keep equal pages of its machines once (KSM), if it does." },
	{ .name = "pit",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_tuning, pit),
	  .fallback = "\"catchup\"",
	  .names = NAMES(machine_pit_names, 2),
	  .description =
		  "Ticks of the interval timer that the guest was too late for: made up for, "
		  "as systems that count them want it, or dropped." },
	{ .name = "pin",
	  .kind = MEMBER_TEXT,
	  .offset = offsetof(struct machine_tuning, pin),
	  .description = "The host's processor for each of the machine's, like 2+3. Without it: "
			 "any." },
	{ .name = NULL },
};

static const struct member_object tuning_object = { .members = tuning_members };

/* --- the machine --- */

static const struct member machine_members[] = {
	{ .name = "$schema",
	  .kind = MEMBER_IGNORED,
	  .description = "Where editors find this schema. Ignored." },
	{ .name = "version",
	  .kind = MEMBER_CONSTANT,
	  .required = true,
	  .min = 1,
	  .max = 1,
	  .description = "Of this format." },
	{ .name = "name",
	  .kind = MEMBER_NAME,
	  .offset = offsetof(struct machine_config, name),
	  .description =
		  "How the machine is called: at most 64 bytes of UTF-8. Without it: the file "
		  "name of the first disk, made unique." },
	{ .name = "uuid",
	  .kind = MEMBER_UUID,
	  .description = "The identity that the guest sees. Without it: from the path of the first "
			 "disk." },
	{ .name = "board",
	  .kind = MEMBER_CONSTANT,
	  .min = MACHINE_BOARD,
	  .max = MACHINE_BOARD,
	  .fallback = "1",
	  .description = "The main board, which never changes once a guest is installed: 1 is an "
			 "Intel 440BX with PIIX4." },
	{ .name = "memory_mib",
	  .kind = MEMBER_NUMBER,
	  .offset = offsetof(struct machine_config, memory_mib),
	  .min = MACHINE_MEMORY_MIB_MIN,
	  .max = MACHINE_MEMORY_MIB_MAX,
	  .fallback = "128",
	  .description = "The guest's memory in MiB. Period processor models have a lower limit." },
	{ .name = "cpus",
	  .kind = MEMBER_NUMBER,
	  .offset = offsetof(struct machine_config, cpus),
	  .min = 1,
	  .max = MACHINE_CPUS_MAX,
	  .fallback = "1",
	  .description = "The number of processors." },
	{ .name = "cpu",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_config, cpu),
	  .fallback = "\"nt4\"",
	  .names = NAMES(cpu_names, ARRAY_LEN(cpu_names)),
	  .description = "The processor model; mainstay run --cpu help describes them." },
	{ .name = "firmware",
	  .kind = MEMBER_PATH,
	  .offset = offsetof(struct machine_config, firmware),
	  .fallback = "\"" MACHINE_FIRMWARE "\"",
	  .description = "The system BIOS: a SeaBIOS image." },
	{ .name = "firmware_log",
	  .kind = MEMBER_PATH,
	  .offset = offsetof(struct machine_config, firmware_log),
	  .description =
		  "The firmware's messages are appended to this file. Without it: dropped." },
	{ .name = "firmware_console",
	  .kind = MEMBER_NUMBER,
	  .offset = offsetof(struct machine_config, firmware_console),
	  .max = MACHINE_SERIAL_MAX,
	  .fallback = "0",
	  .description = "The serial port, COM1 being 1, that shows what firmware and boot loaders "
			 "write to the screen and takes keys for them; 0: none." },
	{ .name = "fast_disk",
	  .kind = MEMBER_BOOL,
	  .offset = offsetof(struct machine_config, fast_disk),
	  .fallback = "true",
	  .description = "An option ROM lets the BIOS disk services (int 13h) read and write at "
			 "the speed of the host." },
	{ .name = "ide_irq_delay_us",
	  .kind = MEMBER_NUMBER,
	  .offset = offsetof(struct machine_config, ide_irq_delay_us),
	  .max = MACHINE_IDE_IRQ_DELAY_US_MAX,
	  .fallback = "70",
	  .description = "Microseconds from an IDE command to its interrupt: drivers of the age "
			 "expect that a disk takes its time." },
	{ .name = "kernel",
	  .kind = MEMBER_PATH,
	  .offset = offsetof(struct machine_config, kernel),
	  .description = "A Linux kernel (bzImage) that is booted before any disk." },
	{ .name = "initrd",
	  .kind = MEMBER_PATH,
	  .offset = offsetof(struct machine_config, initrd),
	  .description = "The kernel's initial RAM disk." },
	{ .name = "append",
	  .kind = MEMBER_TEXT,
	  .offset = offsetof(struct machine_config, append),
	  .description = "The kernel's command line." },
	{ .name = "nvram",
	  .kind = MEMBER_PATH,
	  .offset = offsetof(struct machine_config, nvram),
	  .description =
		  "The file that keeps what a battery would: CMOS memory, how the guest has "
		  "set its clock, and the uuid. Made if missing. Without it: nothing is kept." },
	{ .name = "rtc",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_config, rtc),
	  .fallback = "\"local\"",
	  .names = NAMES(machine_rtc_names, 2),
	  .description =
		  "What the clock shows: the host's local time, as Windows wants it, or UTC." },
	{ .name = "resume_clock",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_config, resume_clock),
	  .fallback = "\"catch-up\"",
	  .names = NAMES(machine_resume_clock_names, 2),
	  .description =
		  "What the clock shows after a pause or a saved state: the time of today, or it "
		  "goes on from where it was." },
	{ .name = "stop_action",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_config, stop_action),
	  .fallback = "\"save\"",
	  .names = NAMES(machine_stop_action_names, 3),
	  .description = "What happens to the machine when its service, or the host, stops: it is "
			 "saved, its guest is asked to shut down, or it is turned off." },
	{ .name = "stop_seconds",
	  .kind = MEMBER_NUMBER,
	  .offset = offsetof(struct machine_config, stop_seconds),
	  .min = 1,
	  .max = MACHINE_STOP_SECONDS_MAX,
	  .fallback = "80",
	  .description = "How long a guest that was asked to shut down may take before the machine "
			 "is turned off." },
	{ .name = "sandbox",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_config, sandbox),
	  .fallback = "\"full\"",
	  .names = NAMES(machine_sandbox_names, 2),
	  .description = "Degraded: start even where the host lacks what locks the machine in." },
	{ .name = "undo",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_config, undo),
	  .fallback = "\"off\"",
	  .names = NAMES(machine_undo_names, 5),
	  .description =
		  "Whether the disks are written to through undo disks beside them, and what "
		  "becomes of these when the machine stops." },
	{ .name = "disks",
	  .kind = MEMBER_ARRAY,
	  .offset = offsetof(struct machine_config, disks),
	  .max = MACHINE_DISKS_MAX,
	  .fallback = "[]",
	  .object = &disk_object,
	  .item_size = sizeof(struct machine_disk),
	  .count_offset = offsetof(struct machine_config, disk_count),
	  .description = "IDE disks; the first in the order of slots is booted." },
	{ .name = "floppies",
	  .kind = MEMBER_ARRAY,
	  .offset = offsetof(struct machine_config, floppies),
	  .max = MACHINE_FLOPPIES_MAX,
	  .fallback = "[]",
	  .object = &floppy_object,
	  .item_size = sizeof(struct machine_floppy),
	  .count_offset = offsetof(struct machine_config, floppy_count),
	  .description = "Floppy drives, drive A first." },
	{ .name = "cdroms",
	  .kind = MEMBER_ARRAY,
	  .offset = offsetof(struct machine_config, cdroms),
	  .max = MACHINE_DISKS_MAX,
	  .fallback = "[]",
	  .object = &cdrom_object,
	  .item_size = sizeof(struct machine_cdrom),
	  .count_offset = offsetof(struct machine_config, cdrom_count),
	  .description = "CD-ROM drives, on the places that no disk takes." },
	{ .name = "boot",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_config, boot),
	  .fallback = "\"disk,floppy,cdrom\"",
	  .names = NAMES(machine_boot_names, ARRAY_LEN(machine_boot_names) - 1),
	  .description = "What the firmware tries to boot, in this order. The network comes first "
			 "or not at all; its "
			 "boot program is iPXE." },
	{ .name = "serial",
	  .kind = MEMBER_ARRAY,
	  .offset = offsetof(struct machine_config, serial),
	  .max = MACHINE_SERIAL_MAX,
	  .fallback = "[]",
	  .object = &serial_object,
	  .item_size = sizeof(struct machine_char),
	  .count_offset = offsetof(struct machine_config, serial_count),
	  .description = "Serial ports, COM1 first. At most one can be stdio and one console." },
	{ .name = "networks",
	  .kind = MEMBER_ARRAY,
	  .offset = offsetof(struct machine_config, nics),
	  .max = MACHINE_NICS_MAX,
	  .fallback = "[{\"kind\":\"nat\"}]",
	  .object = &nic_object,
	  .item_size = sizeof(struct machine_nic),
	  .count_offset = offsetof(struct machine_config, nic_count),
	  .description = "Network adapters in the order of their slots." },
	{ .name = "parallel",
	  .kind = MEMBER_OBJECT,
	  .offset = offsetof(struct machine_config, parallel),
	  .fallback = "{\"kind\":\"none\"}",
	  .object = &parallel_object,
	  .description = "The parallel port LPT1." },
	{ .name = "display",
	  .kind = MEMBER_OBJECT,
	  .offset = offsetof(struct machine_config, display),
	  .fallback = "{}",
	  .object = &display_object,
	  .description = "Who may see and operate the screen." },
	{ .name = "keyboard",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_config, keyboard),
	  .fallback = "\"us\"",
	  .names = NAMES(machine_keyboard_names, 4),
	  .description =
		  "The keyboard layout that the guest has set: for texts that are typed, and "
		  "viewers that send characters instead of scan codes." },
	{ .name = "video_memory",
	  .kind = MEMBER_ENUM,
	  .offset = offsetof(struct machine_config, video_memory),
	  .fallback = "\"4M\"",
	  .names = NAMES(machine_video_memory_names, 4),
	  .description = "The memory of the display adapter, an S3 Trio64; none: the machine has "
			 "no display adapter." },
	{ .name = "smbios",
	  .kind = MEMBER_OBJECT,
	  .offset = offsetof(struct machine_config, smbios),
	  .fallback = "{}",
	  .object = &smbios_object,
	  .description = "The identity that the guest reads from SMBIOS." },
	{ .name = "tuning",
	  .kind = MEMBER_OBJECT,
	  .offset = offsetof(struct machine_config, tuning),
	  .fallback = "{}",
	  .object = &tuning_object,
	  .description = "How the host runs the machine." },
	{ .name = NULL },
};

/*
 * Memory against the processor: true of the default model too, since "properties" holds where "cpu"
 * is missing. A place on the cables has one disk, standard input and the console socket one user.
 */
#define AT_MOST_ONE(array, member, value)                                                          \
	",{\"properties\":{\"" array "\":{\"contains\":{\"properties\":{\"" member                 \
	"\":{\"const\":\"" value "\"}},\"required\":[\"" member                                    \
	"\"]},\"minContains\":0,\"maxContains\":1}}}"
#define MEMORY_LIMIT(cpu, mib)                                                                     \
	"{\"if\":{\"properties\":{\"cpu\":{\"enum\":[" cpu "]}}},\"then\":"                        \
	"{\"properties\":{\"memory_mib\":{\"maximum\":" mib "}}}}"
/* clang-format off */
#define MACHINE_SCHEMA                                                                             \
	"{\"allOf\":["                                                                             \
	MEMORY_LIMIT("\"nt4\",\"p5\",\"486\"", "3584") ","                                         \
	MEMORY_LIMIT("\"nt4\",\"p5\",\"486\",\"p3\",\"p4\"", "65024")                              \
	AT_MOST_ONE("serial", "kind", "stdio")                                                     \
	AT_MOST_ONE("serial", "kind", "console")                                                   \
	AT_MOST_ONE("disks", "slot", "primary-master")                                             \
	AT_MOST_ONE("disks", "slot", "primary-slave")                                              \
	AT_MOST_ONE("disks", "slot", "secondary-master")                                           \
	AT_MOST_ONE("disks", "slot", "secondary-slave")                                            \
	AT_MOST_ONE("cdroms", "slot", "primary-master")                                            \
	AT_MOST_ONE("cdroms", "slot", "primary-slave")                                             \
	AT_MOST_ONE("cdroms", "slot", "secondary-master")                                          \
	AT_MOST_ONE("cdroms", "slot", "secondary-slave")                                           \
	"],\"dependentRequired\":{\"initrd\":[\"kernel\"],\"append\":[\"kernel\"]}}"
/* clang-format on */

const struct member_object machine_object = { .members = machine_members,
					      .schema = MACHINE_SCHEMA };
