// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine's description on its whole way: options, JSON file, start message, and what the
 * machine's process makes of that.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "../../base/fdpass.h"
#include "../../devmodel/floppy_drive.h"
#include "../../mgmt/machine_config.h"
#include "../../mgmt/machine_members.h"
#include "../../mgmt/start_message.h"
#include "../../mgmt/uid_pool.h"
#include "../../vmm/config.h"
#include "../../vmm/cpuid.h"

/* Two processes that share no header agree on these. */
_Static_assert(MACHINE_START_FD == VM_START_FD, "start socket");
_Static_assert(MACHINE_CPUS_MAX == VM_CPUS_MAX, "processors");
_Static_assert(MACHINE_DISKS_MAX == VM_DISKS_MAX, "disks");
_Static_assert(MACHINE_FLOPPIES_MAX == VM_FLOPPIES_MAX, "floppy drives");
_Static_assert(MACHINE_SERIAL_MAX == VM_SERIAL_MAX, "serial ports");
_Static_assert(MACHINE_NAME_MAX == VM_NAME_MAX, "names");
_Static_assert(MACHINE_BOARD == VM_BOARD, "board");
_Static_assert(MACHINE_IDE_IRQ_DELAY_US == VM_IDE_IRQ_DELAY_US, "IDE delay");
_Static_assert((int)MACHINE_PAGES_RESERVED == (int)VM_PAGES_RESERVED, "pages");
_Static_assert(MACHINE_SMBIOS_MAX + 1 == VM_SMBIOS_BYTES, "SMBIOS");
_Static_assert(MACHINE_LABEL_MAX + 1 == sizeof(((struct vm_disk *)0)->name), "disks' names");
_Static_assert(MACHINE_LABEL_MAX + 1 == sizeof(((struct vm_char *)0)->name), "ports' names");

#define SCHEMA "mgmt/machine.schema.json"

static const struct opt options[] = { MACHINE_OPTIONS, { .name = NULL } };
static char error[1024];

static int parse(struct machine_config *config, int argc, const char *const *arguments)
{
	char *argv[32];

	machine_config_init(config);
	for (int i = 0; i < argc; i++)
		argv[i] = (char *)arguments[i];
	return opt_parse(options, config, argc, argv, error, sizeof(error));
}

static const char *const full_arguments[] = {
	"--memory=256M",
	"--cpus=2",
	"--cpu=p3",
	"--name=nt 4",
	"--uuid=00112233-4455-6677-8899-aabbccddeeff",
	"--drive=/disks/a.vhd,slot=secondary-slave,readonly",
	"--drive=/disks/b.img,format=raw,geometry=1024/16/63",
	"--floppy=/disks/dos.vfd,kind=2.88M,readonly",
	"--floppy=empty",
	"--cdrom=/disks/nt4.iso",
	"--boot=cdrom,disk",
	"--tune=pages=small,ksm=off,pit=drop,pin=3+0",
	"--smbios=manufacturer=ACME,product=Server 1,serial=42",
	"--serial=stdio",
	"--serial=none",
	"--serial=unix:/run/x",
	"--parallel=file:/tmp/out.prn",
	"--firmware=/bios.bin",
	"--firmware-log=/tmp/bios.log",
	"--rtc=utc",
	"--sandbox=degraded",
};

static void assert_full(const struct machine_config *config)
{
	static const uint8_t uuid[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

	cr_assert_eq(config->memory_mib, 256);
	cr_assert_eq(config->cpus, 2);
	cr_assert_str_eq(machine_cpus[config->cpu].name, "p3");
	cr_assert_str_eq(config->name, "nt 4");
	cr_assert(config->uuid_given);
	cr_assert_arr_eq(config->uuid, uuid, 16);
	cr_assert_eq(config->disk_count, 2);
	cr_assert_str_eq(config->disks[0].path, "/disks/a.vhd");
	cr_assert_eq(config->disks[0].slot, 3);
	cr_assert_eq(config->disks[0].format, MACHINE_DISK_VHD);
	cr_assert(config->disks[0].read_only);
	cr_assert_str_eq(config->disks[1].path, "/disks/b.img");
	cr_assert_eq(config->disks[1].slot, 0, "the first free place");
	cr_assert_eq(config->disks[1].format, MACHINE_DISK_RAW);
	cr_assert_eq(config->disks[1].geometry[0], 1024);
	cr_assert_eq(config->disks[1].geometry[2], 63);
	cr_assert_eq(config->floppy_count, 2);
	cr_assert_eq(config->floppies[0].kind, MACHINE_FLOPPY_2880K);
	cr_assert_eq(config->floppies[0].format, MACHINE_DISK_RAW);
	cr_assert_str_eq(config->floppies[0].path, "/disks/dos.vfd");
	cr_assert(config->floppies[0].read_only);
	cr_assert_eq(config->floppies[1].kind, MACHINE_FLOPPY_AUTO);
	cr_assert_null(config->floppies[1].path);
	cr_assert_eq(config->cdrom_count, 1);
	cr_assert_eq(config->cdroms[0].slot, 2, "away from the disks");
	cr_assert_str_eq(config->cdroms[0].path, "/disks/nt4.iso");
	cr_assert_str_eq(machine_boot_names[config->boot], "cdrom,disk");
	cr_assert_eq(config->tuning.pages, MACHINE_PAGES_SMALL);
	cr_assert(!config->tuning.ksm);
	cr_assert_eq(config->tuning.pit, MACHINE_PIT_DROP);
	cr_assert_str_eq(config->smbios.product, "Server 1");
	cr_assert_null(config->smbios.version);
	cr_assert_eq(config->serial_count, 3);
	cr_assert_eq(config->serial[0].kind, MACHINE_CHAR_STDIO);
	cr_assert_eq(config->serial[1].kind, MACHINE_CHAR_NONE);
	cr_assert_eq(config->serial[2].kind, MACHINE_CHAR_UNIX);
	cr_assert_str_eq(config->serial[2].path, "/run/x");
	cr_assert_eq(config->parallel.kind, MACHINE_CHAR_FILE);
	cr_assert_str_eq(config->firmware, "/bios.bin");
	cr_assert_str_eq(config->firmware_log, "/tmp/bios.log");
	cr_assert_eq(config->rtc, MACHINE_RTC_UTC);
	cr_assert_eq(config->sandbox, MACHINE_SANDBOX_DEGRADED);
}

Test(machine_config, options_survive_the_json_file)
{
	struct machine_config config, again;
	char *text, *text_again;

	cr_assert_eq(parse(&config, ARRAY_LEN(full_arguments), full_arguments), 0, "%s", error);
	cr_assert_eq(machine_config_check(&config, error, sizeof(error)), 0, "%s", error);
	machine_config_derive(&config);
	assert_full(&config);
	text = machine_config_write(&config);
	machine_config_init(&again);
	cr_assert_eq(machine_config_read(&again, text, strlen(text), NULL, error, sizeof(error)), 0,
		     "%s", error);
	assert_full(&again);
	text_again = machine_config_write(&again);
	cr_assert_str_eq(text, text_again);
	free(text);
	free(text_again);
	machine_config_fini(&config);
	machine_config_fini(&again);
}

static void assert_drives(const struct vm_config *vm)
{
	cr_assert_eq(vm->floppies[0].kind, FLOPPY_2880K);
	cr_assert(vm->floppies[0].medium.present);
	cr_assert(vm->floppies[0].medium.disk.read_only);
	cr_assert_eq(vm->floppies[0].medium.disk.fd, 109);
	cr_assert_eq(vm->floppies[0].medium.disk.format, VM_DISK_RAW);
	cr_assert_str_eq(vm->floppies[0].medium.disk.name, "dos.vfd");
	cr_assert_eq(vm->floppies[1].kind, FLOPPY_1440K);
	cr_assert_not(vm->floppies[1].medium.present);
	cr_assert(vm->cdroms[2].present);
	cr_assert_eq(vm->cdroms[2].medium.disk.fd, 110);
	cr_assert(vm->cdroms[2].medium.disk.read_only);
	cr_assert_not(vm->cdroms[3].present);
	cr_assert_eq(vm->pages, VM_PAGES_SMALL);
	cr_assert(!vm->ksm);
	cr_assert_eq(vm->pit, VM_PIT_DROP);
	cr_assert_eq(vm->cpu_pins[0], 3);
	cr_assert_eq(vm->cpu_pins[1], 0);
	cr_assert_eq(vm->cpu_pins[2], -1);
	cr_assert_str_eq(vm->smbios.manufacturer, "ACME");
	cr_assert_str_eq(vm->smbios.version, "");
	cr_assert_eq(vm->boot[0], VM_BOOT_CDROM);
	cr_assert_eq(vm->boot[1], VM_BOOT_DISK);
	cr_assert_eq(vm->boot[2], VM_BOOT_NONE);
}

Test(machine_config, start_message_says_what_the_options_said)
{
	struct machine_config config;
	struct machine_files files;
	struct vm_config vm;
	int fds[START_MESSAGE_FDS_MAX];
	unsigned int count;
	char *text;

	cr_assert_eq(parse(&config, ARRAY_LEN(full_arguments), full_arguments), 0);
	machine_config_derive(&config);
	machine_files_init(&files);
	files.kvm = 100;
	files.firmware = 101;
	files.control = 102;
	files.disks[0] = 103;
	files.disks[1] = 104;
	files.serial[0] = 105;
	files.serial[2] = 106;
	files.parallel = 107;
	files.firmware_log = 108;
	files.floppies[0] = 109;
	files.floppy_kinds[1] = MACHINE_FLOPPY_1440K;
	files.cdroms[0] = 110;
	text = start_message_write(&config, &files, fds, &count);
	cr_assert_eq(count, 11);
	cr_assert_eq(vm_config_parse(text, strlen(text), fds, count, &vm, error, sizeof(error)), 0,
		     "%s", error);
	free(text);
	cr_assert_str_eq(vm.name, "nt 4");
	cr_assert_arr_eq(vm.uuid, config.uuid, 16);
	cr_assert_eq(vm.memory_bytes, MIB(256));
	cr_assert_eq(vm.cpus, 2);
	cr_assert_str_eq(vm.cpu_model, "p3");
	cr_assert_eq(vm.kvm_fd, 100);
	cr_assert_eq(vm.firmware_fd, 101);
	cr_assert_eq(vm.control_fd, 102);
	cr_assert_eq(vm.disk_count, 2);
	cr_assert_eq(vm.disks[0].slot, 0, "sorted by slot");
	cr_assert_eq(vm.disks[0].fd, 104);
	cr_assert_eq(vm.disks[0].format, VM_DISK_RAW);
	cr_assert_eq(vm.disks[0].cylinders, 1024);
	cr_assert_eq(vm.disks[0].heads, 16);
	cr_assert_eq(vm.disks[0].sectors_per_track, 63);
	cr_assert_eq(vm.disks[1].slot, 3);
	cr_assert_eq(vm.disks[1].fd, 103);
	cr_assert(vm.disks[1].read_only);
	cr_assert_str_eq(vm.disks[1].name, "a.vhd");
	assert_drives(&vm);
	cr_assert_eq(vm.serial[0].kind, VM_CHAR_STREAM);
	cr_assert_eq(vm.serial[0].fd, 105);
	cr_assert_eq(vm.serial[1].kind, VM_CHAR_NONE);
	cr_assert_eq(vm.serial[1].fd, -1);
	cr_assert_eq(vm.serial[2].kind, VM_CHAR_LISTEN);
	cr_assert_eq(vm.serial[2].fd, 106);
	cr_assert_eq(vm.parallel.kind, VM_CHAR_WRITE);
	cr_assert_eq(vm.parallel.fd, 107);
	cr_assert_eq(vm.debugcon.fd, 108);
	cr_assert_eq(vm.rtc_local_offset_s, 0);
	machine_config_fini(&config);
}

Test(machine_config, local_time_is_told_to_the_machine)
{
	static const char *const arguments[] = { "--name=x" };
	struct machine_config config;
	struct machine_files files;
	struct vm_config vm;
	int fds[START_MESSAGE_FDS_MAX];
	unsigned int count;
	char *text;

	setenv("TZ", "JST-9", 1);
	cr_assert_eq(parse(&config, 1, arguments), 0);
	machine_config_derive(&config);
	machine_files_init(&files);
	files.kvm = 7;
	files.firmware = 8;
	text = start_message_write(&config, &files, fds, &count);
	cr_assert_eq(vm_config_parse(text, strlen(text), fds, count, &vm, error, sizeof(error)), 0,
		     "%s", error);
	cr_assert_eq(vm.rtc_local_offset_s, 9 * 3600);
	cr_assert_eq(vm.control_fd, -1);
	free(text);
}

Test(machine_config, wrong_options_are_named)
{
	static const char *const rows[][2] = {
		{ "--memory=3M", "4M" },
		{ "--memory=2T", "1024G" },
		{ "--memory=4.5M", "multiple" },
		{ "--memory=much", "not a size" },
		{ "--cpus=0", "1 to 8" },
		{ "--cpus=9", "1 to 8" },
		{ "--cpu=z80", "nt4, p5, 486, p3, p4, host" },
		{ "--name=.x", "--name .x" },
		{ "--name=a/b", "--name a/b" },
		{ "--uuid=1234", "uuid" },
		{ "--rtc=mars", "utc or local" },
		{ "--sandbox=off", "degraded" },
		{ "--serial=stdio:x", "unix:PATH" },
		{ "--serial=unix", "unix:PATH" },
		{ "--serial=unix:", "unix:PATH" },
		{ "--serial=tcp", "tcp:HOST:PORT" },
		{ "--serial=tcp:,on-open", "tcp:HOST:PORT" },
		{ "--serial=command:lpr", "unix:PATH" },
		{ "--serial=parport:/dev/parport0", "tty:PATH" },
		{ "--parallel=stdio", "file:PATH" },
		{ "--parallel=tcp:a:1", "command:LINE" },
		{ "--parallel=command:", "command:LINE" },
		{ "--drive=", "no path" },
		{ "--drive=a,format=vmdk", "format=raw" },
		{ "--drive=a,slot=third", "primary-master" },
		{ "--drive=a,readonly=yes", "\"readonly=yes\"" },
		{ "--drive=a,", "readonly" },
		{ "--drive=a,geometry=1/2", "CYLINDERS" },
		{ "--drive=a,geometry=0/16/63", "CYLINDERS" },
		{ "--drive=a,geometry=1/256/63", "CYLINDERS" },
		{ "--drive=a,geometry=1/16/64", "CYLINDERS" },
		{ "--drive=a,geometry=1/16/63/1", "CYLINDERS" },
		{ "--drive=a,geometry=1/16/63x", "CYLINDERS" },
		{ "--drive=a,kind=1.44M", "\"kind=1.44M\"" },
		{ "--drive=a,format", "readonly" },
		{ "--floppy=a,kind=8inch", "1.44M" },
		{ "--floppy=a,slot=primary-master", "readonly" },
		{ "--cdrom=a,readonly", "slot=" },
		{ "--cdrom=,", "no path" },
		{ "--boot=tape", "cdrom,disk" },
		{ "--tune=", "pages, ksm" },
		{ "--tune=pages", "pages, ksm" },
		{ "--tune=pages=large", "pages=huge" },
		{ "--tune=ksm=maybe", "ksm=on" },
		{ "--tune=pin=", "pin=2+3" },
		{ "--smbios=colour=red", "manufacturer" },
		{ "--smbios=serial=\xc3\xa4", "ASCII" },
		{ "--boot=disk,disk", "cdrom,disk" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct machine_config config;

		cr_assert_eq(parse(&config, 1, rows[i]), -1, "%s", rows[i][0]);
		cr_assert(strstr(error, rows[i][1]), "%s: %s", rows[i][0], error);
		machine_config_fini(&config);
	}
}

Test(machine_config, members_must_agree)
{
	static const struct {
		int argc;
		const char *argv[6], *want;
	} rows[] = {
		{ 1, { "--memory=3585M" }, "at most 3584 MiB" },
		{ 2, { "--cpu=p3", "--memory=65025M" }, "at most 65024 MiB" },
		{ 2,
		  { "--drive=a,slot=primary-slave", "--drive=b,slot=primary-slave" },
		  "is taken" },
		{ 2,
		  { "--drive=a,slot=primary-slave", "--cdrom=b,slot=primary-slave" },
		  "b: slot primary-slave is taken" },
		{ 2,
		  { "--cdrom=empty,slot=primary-slave", "--cdrom=empty,slot=primary-slave" },
		  "is taken" },
		{ 2, { "--cpus=2", "--tune=pin=1" }, "each of the machine's 2" },
		{ 1, { "--tune=pin=1+2" }, "each of the machine's 1" },
		{ 1, { "--tune=pin=x" }, "pin: \"x\"" },
		{ 2, { "--serial=stdio", "--serial=stdio" }, "only one port" },
		{ 2, { "--serial=console", "--serial=console" }, "only one port" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct machine_config config;

		cr_assert_eq(parse(&config, rows[i].argc, rows[i].argv), 0, "%s", error);
		cr_assert_eq(machine_config_check(&config, error, sizeof(error)), -EINVAL);
		cr_assert(strstr(error, rows[i].want), "%s", error);
		machine_config_fini(&config);
	}
}

Test(machine_config, ports_lead_everywhere)
{
	static const char *const arguments[] = {
		"--serial=tcp:host:23,on-open", "--serial=connect:/run/a,b",
		"--serial=tcp-listen:2323", "--serial=tty:/dev/ttyS0", "--parallel=command:lpr -P x"
	};
	static const enum vm_char_kind kinds[] = { VM_CHAR_DOOR, VM_CHAR_CLIENT, VM_CHAR_LISTEN,
						   VM_CHAR_TTY };
	struct machine_config config, again;
	struct machine_files files;
	struct vm_config vm;
	int fds[START_MESSAGE_FDS_MAX];
	unsigned int count;
	char *text;

	cr_assert_eq(parse(&config, 5, arguments), 0, "%s", error);
	cr_assert_str_eq(config.serial[0].address, "host:23");
	cr_assert(config.serial[0].on_open);
	cr_assert_str_eq(config.serial[1].path, "/run/a,b");
	cr_assert_str_eq(config.parallel.command, "lpr -P x");
	config.name = "x";
	text = machine_config_write(&config);
	machine_config_init(&again);
	cr_assert_eq(machine_config_read(&again, text, strlen(text), NULL, error, sizeof(error)), 0,
		     "%s", error);
	cr_assert(again.serial[0].on_open);
	cr_assert_eq(again.serial[2].kind, MACHINE_CHAR_TCP_LISTEN);
	free(text);
	machine_files_init(&files);
	files.kvm = 100;
	files.firmware = 101;
	for (int i = 0; i < 4; i++)
		files.serial[i] = 102 + i;
	files.parallel = 106;
	text = start_message_write(&again, &files, fds, &count);
	cr_assert_eq(vm_config_parse(text, strlen(text), fds, count, &vm, error, sizeof(error)), 0,
		     "%s", error);
	for (unsigned int i = 0; i < ARRAY_LEN(kinds); i++)
		cr_assert_eq(vm.serial[i].kind, kinds[i]);
	cr_assert_str_eq(vm.serial[0].name, "host:23");
	cr_assert_eq(vm.parallel.kind, VM_CHAR_WRITE);
	free(text);
	machine_config_fini(&config);
	machine_config_fini(&again);
}

Test(machine_config, fifth_disk_and_fifth_port_are_refused)
{
	static const char *const disks[] = { "--drive=a", "--drive=b", "--drive=c", "--drive=d",
					     "--drive=e" };
	static const char *const ports[] = { "--serial=none", "--serial=none", "--serial=none",
					     "--serial=none", "--serial=none" };
	struct machine_config config;

	cr_assert_eq(parse(&config, 4, disks), 0);
	cr_assert_eq(machine_config_add_disk(&config, "x", error, sizeof(error)), -1);
	machine_config_fini(&config);
	cr_assert_eq(parse(&config, 5, disks), -1);
	machine_config_fini(&config);
	cr_assert_eq(parse(&config, 5,
			   (const char *const[]){ "--drive=a", "--drive=b", "--drive=c",
						  "--cdrom=d", "--cdrom=e" }),
		     -1);
	machine_config_fini(&config);
	cr_assert_eq(parse(&config, 3,
			   (const char *const[]){ "--floppy=a", "--floppy=empty", "--floppy=c" }),
		     -1);
	machine_config_fini(&config);
	cr_assert_eq(parse(&config, 4, ports), 0);
	cr_assert_eq(parse(&config, 5, ports), -1);
}

Test(machine_config, argument_comes_before_the_options_disks)
{
	static const char *const arguments[] = { "--drive=data.vhd" };
	struct machine_config config;

	cr_assert_eq(parse(&config, 1, arguments), 0);
	cr_assert_eq(machine_config_add_disk(&config, "boot,1.vhd", error, sizeof(error)), 0);
	machine_config_derive(&config);
	cr_assert_str_eq(config.disks[0].path, "boot,1.vhd", "its commas are its own");
	cr_assert_eq(config.disks[0].slot, 0);
	cr_assert_eq(config.disks[1].slot, 1);
	machine_config_fini(&config);
}

Test(machine_config, wrong_files_are_named)
{
	static const char *const rows[][2] = {
		{ "", "line 1" },
		{ "{\n\"version\": 1,\n", "line 3" },
		{ "[]", "must be an object" },
		{ "{\"version\":1} x", "line 1" },
		{ "{}", "version: is missing" },
		{ "{\"version\":2}", "version: must be 1" },
		{ "{\"version\":1,\"memory\":128}", "memory: no such member" },
		{ "{\"version\":1,\"memory_mib\":3}", "memory_mib: must be from 4" },
		{ "{\"version\":1,\"memory_mib\":\"128\"}", "memory_mib: must be a whole number" },
		{ "{\"version\":1,\"memory_mib\":128.5}", "memory_mib: must be a whole number" },
		{ "{\"version\":1,\"memory_mib\":1e300}", "memory_mib: must be a whole number" },
		{ "{\"version\":1,\"memory_mib\":99999999999999999999999}", "memory_mib: must be" },
		{ "{\"version\":1,\"memory_mib\":4000}", "at most 3584 MiB" },
		{ "{\"version\":1,\"cpus\":9}", "cpus: must be from 1 to 8" },
		{ "{\"version\":1,\"cpu\":\"z80\"}", "nt4, p5, 486, p3, p4, host" },
		{ "{\"version\":1,\"name\":\"a/b\"}", "name:" },
		{ "{\"version\":1,\"name\":\"a\\u0000b\"}", "name: must not contain NUL" },
		{ "{\"version\":1,\"uuid\":\"x\"}", "uuid:" },
		{ "{\"version\":1,\"board\":2}", "board: must be 1" },
		{ "{\"version\":1,\"firmware\":\"\"}", "firmware:" },
		{ "{\"version\":1,\"firmware\":null}", "firmware: must be a string" },
		{ "{\"version\":1,\"disks\":{}}", "disks: must be an array" },
		{ "{\"version\":1,\"disks\":[1]}", "disks[0]: must be an object" },
		{ "{\"version\":1,\"disks\":[{}]}", "disks[0].path: is missing" },
		{ "{\"version\":1,\"disks\":[{\"path\":\"a\",\"geometry\":[1,2]}]}",
		  "disks[0].geometry" },
		{ "{\"version\":1,\"disks\":[{\"path\":\"a\",\"geometry\":[1,16,64]}]}",
		  "disks[0].geometry: must be from 1 to 63" },
		{ "{\"version\":1,\"disks\":[{\"path\":\"a\",\"read_only\":1}]}",
		  "disks[0].read_only: must be true or false" },
		{ "{\"version\":1,\"disks\":[{\"path\":\"a\",\"slot\":\"primary-slave\"},"
		  "{\"path\":\"b\",\"slot\":\"primary-slave\"}]}",
		  "is taken" },
		{ "{\"version\":1,\"disks\":[{\"path\":\"a\"},{\"path\":\"a\"},{\"path\":\"a\"},"
		  "{\"path\":\"a\"},{\"path\":\"a\"}]}",
		  "disks: must have at most 4" },
		{ "{\"version\":1,\"serial\":[{\"kind\":\"unix\"}]}", "serial[0]: needs a path" },
		{ "{\"version\":1,\"serial\":[{\"kind\":\"pty\",\"path\":\"x\"}]}",
		  "serial[0]: takes no path" },
		{ "{\"version\":1,\"parallel\":{\"kind\":\"pty\"}}", "parallel.kind" },
		{ "{\"version\":1,\"rtc\":\"mars\"}", "rtc" },
		{ "{\"version\":1,\"x\":[[[[[[[[[[]]]]]]]]]]}", "no JSON" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct machine_config config;

		machine_config_init(&config);
		cr_assert_eq(machine_config_read(&config, rows[i][0], strlen(rows[i][0]), NULL,
						 error, sizeof(error)),
			     -EINVAL, "%s", rows[i][0]);
		cr_assert(strstr(error, rows[i][1]), "%s: %s", rows[i][0], error);
		machine_config_fini(&config);
	}
}

Test(machine_config, relative_paths_start_at_the_files_folder)
{
	static const char text[] = "{\"version\":1.0,\"disks\":[{\"path\":\"a.vhd\"},"
				   "{\"path\":\"/b.vhd\"}]}\n";
	struct machine_config config;

	machine_config_init(&config);
	cr_assert_eq(
		machine_config_read(&config, text, strlen(text), "/etc/x", error, sizeof(error)), 0,
		"%s", error);
	cr_assert_str_eq(config.disks[0].path, "/etc/x/a.vhd");
	cr_assert_str_eq(config.disks[1].path, "/b.vhd");
	machine_config_fini(&config);
}

Test(machine_config, published_schema_is_that_of_the_tables)
{
	char *published, *text = machine_config_schema();
	size_t size;

	cr_assert_eq(file_read(SCHEMA, 1 << 20, &published, &size), 0, "run from the top folder");
	cr_assert_eq(size, strlen(text) + 1);
	published[size - 1] = '\0';
	cr_assert_str_eq(published, text,
			 "mainstay config --schema >" SCHEMA " brings it up to date");
	free(published);
	free(text);
}

static void assert_described(const struct member_object *object)
{
	for (const struct member *m = object->members; m->name; m++) {
		cr_assert_not_null(m->description, "%s", m->name);
		if (m->object)
			assert_described(m->object);
	}
}

Test(machine_config, every_member_is_described)
{
	assert_described(&machine_object);
}

Test(machine_config, processor_models_are_those_of_the_machine)
{
	unsigned int i;

	for (i = 0; machine_cpus[i].name; i++) {
		const struct cpu_model *model = cpu_model_find(machine_cpus[i].name);

		cr_assert_not_null(model, "%s", machine_cpus[i].name);
		cr_assert_eq(MIB(machine_cpus[i].memory_mib_max), model->memory_max, "%s: %llu",
			     model->name, (unsigned long long)model->memory_max);
	}
	cr_assert_null(cpu_models[i].name, "%s is not offered", cpu_models[i].name);
}

Test(machine_config, names_come_from_file_names)
{
	static const struct {
		const char *path;
		unsigned int number;
		const char *name;
	} rows[] = {
		{ "/disks/nt4.vhd", 1, "nt4" },
		{ "nt4.vhd", 2, "nt4-2" },
		{ "nt4", 1, "nt4" },
		{ "a.b.vhd", 1, "a.b" },
		{ ".vhd", 1, "machine" },
		{ "-x.vhd", 3, "machine-3" },
		{ "/disks/", 1, "machine" },
		{ "\xff.vhd", 1, "machine" },
	};
	char name[VM_NAME_MAX + 1], longest[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		machine_name_from_path(rows[i].path, rows[i].number, name);
		cr_assert_str_eq(name, rows[i].name);
	}
	memset(longest, 'x', sizeof(longest));
	longest[199] = '\0';
	machine_name_from_path(longest, 999, name);
	cr_assert_eq(strlen(name), VM_NAME_MAX);
	cr_assert_str_eq(name + VM_NAME_MAX - 4, "-999");
	/* 63 bytes and a letter of two: it is not cut in half. */
	strcpy(longest + 63, "\xc3\xa4\xc3\xa4.vhd");
	machine_name_from_path(longest, 1, name);
	cr_assert_eq(strlen(name), 63);
}

Test(machine_config, derived_uuid_belongs_to_the_disk)
{
	struct machine_config a, b, c;
	static const char *const one[] = { "--drive=/x/a.vhd" };
	static const char *const other[] = { "--drive=/x/b.vhd" };

	parse(&a, 1, one);
	parse(&b, 1, one);
	parse(&c, 1, other);
	machine_config_derive(&a);
	machine_config_derive(&b);
	machine_config_derive(&c);
	cr_assert_arr_eq(a.uuid, b.uuid, 16);
	cr_assert_arr_neq(a.uuid, c.uuid, 16);
	cr_assert_eq(a.uuid[6] >> 4, 8);
	cr_assert_eq(a.uuid[8] >> 6, 2);
	machine_config_fini(&a);
	machine_config_fini(&b);
	machine_config_fini(&c);
}

/* --- what the machine's process refuses */

#define NO_PROCESSOR                                                                               \
	"{\"protocol\":1,\"name\":\"x\",\"uuid\":\"00112233-4455-6677-8899-aabbccddeeff\","        \
	"\"board\":1,\"memory_bytes\":4194304,\"cpus\":1,\"cpu\":\"nt4\""
#define START NO_PROCESSOR ",\"kvm_fd\":0,\"firmware_fd\":1"

Test(vm_config, smallest_message)
{
	static const int fds[] = { 40, 41 };
	static const char text[] = START "}";
	struct vm_config vm;

	cr_assert_eq(vm_config_parse(text, strlen(text), fds, 2, &vm, error, sizeof(error)), 0,
		     "%s", error);
	cr_assert_eq(vm.kvm_fd, 40);
	cr_assert_eq(vm.control_fd, -1);
	cr_assert_eq(vm.disk_count, 0);
	cr_assert_eq(vm.parallel.fd, -1);
	cr_assert_eq(vm.ide_irq_delay_us, VM_IDE_IRQ_DELAY_US);
	cr_assert(vm.fast_disk);
}

Test(vm_config, tuning)
{
	static const int fds[] = { 40, 41 };
	static const char text[] = START ",\"ide_irq_delay_us\":0,\"fast_disk\":false}";
	struct vm_config vm;

	cr_assert_eq(vm_config_parse(text, strlen(text), fds, 2, &vm, error, sizeof(error)), 0,
		     "%s", error);
	cr_assert_eq(vm.ide_irq_delay_us, 0);
	cr_assert_not(vm.fast_disk);
}

Test(vm_config, a_device_test_port_needs_no_processor)
{
	struct machine_config config;
	struct machine_files files;
	struct vm_config vm;
	int fds[START_MESSAGE_FDS_MAX];
	unsigned int count;
	char *text;

	cr_assert_eq(parse(&config, ARRAY_LEN(full_arguments), full_arguments), 0);
	machine_config_derive(&config);
	machine_files_init(&files);
	files.devtest = 100;
	files.devtest_listens = true;
	text = start_message_write(&config, &files, fds, &count);
	cr_assert_eq(vm_config_parse(text, strlen(text), fds, count, &vm, error, sizeof(error)), 0,
		     "%s", error);
	free(text);
	cr_assert_eq(vm.kvm_fd, -1);
	cr_assert_eq(vm.devtest.fd, 100);
	cr_assert_eq(vm.devtest.kind, VM_CHAR_LISTEN);
	vm_config_devtest(&vm);
	cr_assert_eq(vm.kvm_fd, -1);
	cr_assert_eq(vm.disk_count, 0);
	cr_assert_eq(vm.memory_bytes, MIB(128));
	machine_config_fini(&config);
}

static const char *const wrong_messages[][2] = {
	{ "", "JSON" },
	{ "[]", "must be an object" },
	{ START, "JSON" },
	{ START "} {", "JSON" },
	{ START ",\"extra\":1}", "extra: no such member" },
	{ START ",\"protocol\":2}", "protocol" },
	{ START ",\"board\":0}", "board" },
	{ START ",\"name\":\"../x\"}", "name" },
	{ START ",\"name\":\"\"}", "name" },
	{ START ",\"name\":\"x\\u0000\"}", "name" },
	{ START ",\"uuid\":\"\"}", "uuid" },
	{ START ",\"memory_bytes\":4194305}", "memory_bytes: must be a multiple" },
	{ START ",\"memory_bytes\":3145728}", "memory_bytes" },
	{ START ",\"memory_bytes\":1e9}", "memory_bytes" },
	{ START ",\"memory_bytes\":-1}", "memory_bytes" },
	{ START ",\"memory_bytes\":18446744073709551615}", "memory_bytes" },
	{ START ",\"cpus\":0}", "cpus" },
	{ START ",\"cpus\":9}", "cpus" },
	{ START ",\"cpus\":true}", "cpus" },
	{ START ",\"cpu\":\"0123456789abcdef\"}", "cpu" },
	{ START ",\"kvm_fd\":-1}", "kvm_fd" },
	{ START ",\"kvm_fd\":3}", "kvm_fd" },
	{ START ",\"kvm_fd\":1}", "is taken" },
	{ START ",\"control_fd\":0}", "is taken" },
	{ START ",\"control_fd\":null}", "control_fd" },
	{ START ",\"disks\":3}", "disks: must be an array" },
	{ START ",\"disks\":[null]}", "disks[0]: must be an object" },
	{ START ",\"disks\":[{\"slot\":0}]}", "disks[0].format: is missing" },
	{ START ",\"disks\":[{},{},{},{},{}]}", "at most 4" },
	{ START ",\"disks\":[{\"slot\":4}]}", "disks[0].slot" },
	{ START ",\"disks\":[{\"format\":\"qcow2\"}]}", "disks[0].format" },
	{ START ",\"disks\":[{\"path\":\"/etc\"}]}", "disks[0].path: no such member" },
	{ START ",\"disks\":[{\"geometry\":[1,2,3,4]}]}", "disks[0].geometry" },
	{ START ",\"disks\":[{\"geometry\":[65536,1,1]}]}", "disks[0].geometry" },
	{ START ",\"disks\":[{\"geometry\":[1,0,1]}]}", "disks[0].geometry" },
	{ START ",\"disks\":[{\"slot\":1,\"format\":\"raw\",\"disk_fd\":2,\"read_only\":"
		"false,\"name\":\"a\"},{\"slot\":1,\"format\":\"raw\",\"disk_fd\":3,"
		"\"read_only\":false,\"name\":\"a\"}]}",
	  "disks[1]: slot 1 is used twice" },
	{ START ",\"floppies\":[{\"drive\":2,\"kind\":\"1.2M\"}]}", "floppies[0].drive" },
	{ START ",\"floppies\":[{\"drive\":0}]}", "floppies[0].kind: is missing" },
	{ START ",\"floppies\":[{\"drive\":0,\"kind\":\"8M\"}]}", "floppies[0].kind" },
	{ START ",\"floppies\":[{\"drive\":1,\"kind\":\"1.2M\"},"
		"{\"drive\":1,\"kind\":\"1.2M\"}]}",
	  "drive 1 is used twice" },
	{ START ",\"floppies\":[{\"drive\":0,\"kind\":\"1.2M\",\"medium\":{}}]}",
	  "floppies[0].medium.format: is missing" },
	{ START ",\"cdroms\":[{\"slot\":4}]}", "cdroms[0].slot" },
	{ START ",\"cdroms\":[{\"slot\":1},{\"slot\":1}]}", "slot 1 is used twice" },
	{ START ",\"disks\":[{\"slot\":1,\"format\":\"raw\",\"disk_fd\":2,\"read_only\":"
		"false,\"name\":\"a\"}],\"cdroms\":[{\"slot\":1}]}",
	  "cdroms: slot 1 has a disk" },
	{ START ",\"boot\":[\"disk\",\"tape\"]}", "boot" },
	{ START ",\"boot\":[\"disk\",\"disk\",\"disk\",\"disk\"]}", "at most 3" },
	{ START ",\"serial\":[{\"port\":4}]}", "serial[0].port" },
	{ START ",\"serial\":[{\"kind\":\"none\"}]}", "serial[0].kind" },
	{ START ",\"serial\":[{\"kind\":\"\"}]}", "serial[0].kind" },
	{ START ",\"serial\":[{\"port\":0,\"kind\":\"write\",\"stream_fd\":2,\"name\":\"a\"},"
		"{\"port\":0,\"kind\":\"write\",\"stream_fd\":3,\"name\":\"b\"}]}",
	  "serial[1]: port 0 is used twice" },
	{ START ",\"parallel\":{\"kind\":\"write\"}}", "parallel.stream_fd: is missing" },
	{ START ",\"rtc\":{}}", "rtc.local_offset_s: is missing" },
	{ START ",\"rtc\":{\"local_offset_s\":86401}}", "rtc.local_offset_s" },
	{ START ",\"ide_irq_delay_us\":-1}", "ide_irq_delay_us" },
	{ START ",\"fast_disk\":1}", "fast_disk" },
	{ START ",\"memory\":{\"pages\":\"tiny\"}}", "memory.pages" },
	{ START ",\"pit\":\"never\"}", "pit" },
	{ START ",\"cpu_pins\":[-1]}", "cpu_pins" },
	{ START ",\"cpu_pins\":[0,1,2,3,4,5,6,7,8]}", "at most 8" },
	{ START ",\"smbios\":{\"serial\":\"\"}}", "smbios.serial" },
};

Test(vm_config, wrong_messages_are_named)
{
	static const int fds[] = { 40, 41, 42 };
	static const int four[] = { 40, 41, 42, 43 };

	for (size_t i = 0; i < ARRAY_LEN(wrong_messages); i++) {
		bool twice = strstr(wrong_messages[i][1], "used twice");
		struct vm_config vm;

		cr_assert_eq(vm_config_parse(wrong_messages[i][0], strlen(wrong_messages[i][0]),
					     twice ? four : fds, twice ? 4 : 3, &vm, error,
					     sizeof(error)),
			     -EINVAL, "%s", wrong_messages[i][0]);
		cr_assert(strstr(error, wrong_messages[i][1]), "%s: %s", wrong_messages[i][0],
			  error);
	}
}

Test(vm_config, a_machine_has_a_processor_or_a_test_port)
{
	static const char *const rows[][2] = {
		{ START ",\"devtest\":{\"kind\":\"listen\",\"stream_fd\":2,\"name\":\"a\"}}",
		  "devtest: such a machine takes no kvm_fd" },
		{ NO_PROCESSOR "}", "kvm_fd: is missing" },
		{ NO_PROCESSOR ",\"kvm_fd\":0}", "firmware_fd: is missing" },
		{ NO_PROCESSOR ",\"devtest\":{\"kind\":\"write\",\"stream_fd\":2,\"name\":\"a\"}}",
		  "devtest.kind: must be listen or client" },
	};
	static const int fds[] = { 40, 41, 42 };
	static const int four[] = { 40, 41, 42, 43 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool twice = strstr(rows[i][1], "used twice");
		struct vm_config vm;

		cr_assert_eq(vm_config_parse(rows[i][0], strlen(rows[i][0]), twice ? four : fds,
					     twice ? 4 : 3, &vm, error, sizeof(error)),
			     -EINVAL, "%s", rows[i][0]);
		cr_assert(strstr(error, rows[i][1]), "%s: %s", rows[i][0], error);
	}
}

Test(vm_config, every_required_member_is_missed)
{
	static const char *const members[] = {
		"\"protocol\":1,", "\"name\":\"x\",",  "\"board\":1,",	"\"memory_bytes\":4194304,",
		"\"cpus\":1,",	   "\"cpu\":\"nt4\",", "\"kvm_fd\":0,",
	};
	static const int fds[] = { 40, 41 };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		char text[] = START "}", *at = strstr(text, members[i]);
		size_t length = strlen(members[i]);
		struct vm_config vm;

		memmove(at, at + length, strlen(at + length) + 1);
		cr_assert_eq(vm_config_parse(text, strlen(text), fds, 2, &vm, error, sizeof(error)),
			     -EINVAL);
		cr_assert(strstr(error, "is missing"), "%s", error);
	}
}

/* Any damaged byte gives a verdict, and nothing worse. */
Test(vm_config, damaged_messages)
{
	static const int fds[] = { 40, 41, 42 };
	static const char good[] = START ",\"disks\":[{\"slot\":1,\"format\":\"raw\",\"disk_fd\":2,"
					 "\"read_only\":false,\"name\":\"a\"}]}";
	struct vm_config vm;

	for (size_t i = 0; i < strlen(good); i++) {
		for (int value = 0; value < 256; value += 17) {
			char text[sizeof(good)];

			memcpy(text, good, sizeof(good));
			text[i] = (char)value;
			vm_config_parse(text, strlen(good), fds, 3, &vm, error, sizeof(error));
		}
		cr_assert_eq(vm_config_parse(good, i, fds, 3, &vm, error, sizeof(error)), -EINVAL);
	}
}

static unsigned int open_descriptors(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

Test(vm_config, receiving_keeps_only_what_is_named)
{
	static const char text[] = START "}";
	struct vm_config vm;
	unsigned int before;
	int pair[2], fds[3];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	for (int i = 0; i < 3; i++)
		fds[i] = open("/dev/null", O_RDONLY);
	cr_assert_eq(fdpass_send(pair[0], text, strlen(text), fds, 3), 0);
	before = open_descriptors();
	cr_assert_eq(vm_config_receive(pair[1], &vm, error, sizeof(error)), 0, "%s", error);
	cr_assert_geq(fcntl(vm.kvm_fd, F_GETFD), 0);
	cr_assert_geq(fcntl(vm.firmware_fd, F_GETFD), 0);
	cr_assert_neq(vm.kvm_fd, vm.firmware_fd);
	cr_assert_eq(open_descriptors(), before + 2, "the third is named by nobody");
	close(vm.kvm_fd);
	close(vm.firmware_fd);
	/* A wrong message keeps nothing. */
	cr_assert_eq(fdpass_send(pair[0], "{}", 2, fds, 3), 0);
	cr_assert_eq(vm_config_receive(pair[1], &vm, error, sizeof(error)), -EINVAL);
	cr_assert_eq(open_descriptors(), before);
	close(pair[0]);
	cr_assert_eq(vm_config_receive(pair[1], &vm, error, sizeof(error)), -ECONNRESET);
	close(pair[1]);
}

Test(uid_range, settings)
{
	struct uid_range range;

	cr_assert_eq(uid_range_parse("", &range, error, sizeof(error)), 0);
	cr_assert_eq(range.first, 200000000);
	cr_assert_eq(range.last, 200065535);
	cr_assert_eq(uid_range_parse("# ours\n\n uid_range = 640000 - 645535 # x\n", &range, error,
				     sizeof(error)),
		     0, "%s", error);
	cr_assert_eq(range.first, 640000);
	cr_assert_eq(range.last, 645535);
	cr_assert_eq(uid_range_parse("\nuid_range = 5-2\n", &range, error, sizeof(error)), -EINVAL);
	cr_assert(strstr(error, "line 2"), "%s", error);
	cr_assert_eq(uid_range_parse("uid_range = 0-1000", &range, error, sizeof(error)), -EINVAL,
		     "users of the system");
	cr_assert_eq(uid_range_parse("uid_range = 1000-4294967295", &range, error, sizeof(error)),
		     -EINVAL, "no user at all");
	cr_assert_eq(uid_range_parse("colour = red", &range, error, sizeof(error)), -EINVAL);
}
