// SPDX-License-Identifier: GPL-2.0-or-later
#include "cables.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../base/bytes.h"
#include "../../base/fdpass.h"
#include "../../mgmt/machine_config.h"
#include "../../mgmt/machine_files.h"
#include "../../mgmt/runtime_dir.h"
#include "../../mgmt/start_message.h"

static struct runtime_base base;
static struct runtime_dir dir;
struct machine_config cables_config;
static struct machine_files files;
struct adapters cables;
static char folder[] = "/tmp/mainstay-adapters-XXXXXX";

void cables_begin(void)
{
	char error[256] = "", programs[4096] = "";
	pid_t pid;

	cr_assert_not_null(mkdtemp(folder));
	setenv("MAINSTAY_RUNTIME_DIR", folder, 1);
	setenv("MAINSTAY_NETWORKS", folder, 1);
	cr_assert_gt(readlink("/proc/self/exe", programs, sizeof(programs) - 32), 0);
	strcpy(strstr(programs, "/tests/net/"), "/bin");
	setenv("MAINSTAY_LIBEXEC", programs, 1);
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(runtime_base_open(&base, true, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(runtime_dir_take(&base, "web", &dir, &pid), 0);
	machine_config_init(&cables_config);
	machine_files_init(&files);
	cables_config.nic_count = 0;
}

void cables_end(void)
{
	char command[256];

	adapters_close(&cables);
	machine_files_close(&files);
	machine_config_fini(&cables_config);
	runtime_dir_release(&dir);
	runtime_base_close(&base);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

void cables_add(const char *net)
{
	char error[256];

	cr_assert_eq(machine_option_net(&cables_config, net, error, sizeof(error)), 0, "%s", error);
}

void cables_start(void)
{
	machine_nics_derive(&cables_config);
	adapters_open(&cables, &cables_config, &base, dir.fd, "web", &files);
}

void cables_turn(int ms)
{
	struct pollfd fds[ADAPTERS_POLLFDS];
	int wait = adapters_wait_ms(&cables);

	adapters_prepare(&cables, fds);
	poll(fds, ADAPTERS_POLLFDS, wait >= 0 && wait < ms ? wait : ms);
	adapters_run(&cables, fds);
}

void cables_hear(struct cable *cable, unsigned int i)
{
	char text[32];
	unsigned int count = PORT_FDS;
	size_t size;

	cable->plug_fd = files.nics[i];
	while (fdpass_receive(cable->plug_fd, text, sizeof(text), &size, cable->fds, &count) == 0) {
		cable->memory = NULL;
		if (size == 4 && count == PORT_FDS) {
			cable->memory = mmap(NULL, sizeof(*cable->memory), PROT_READ | PROT_WRITE,
					     MAP_SHARED, cable->fds[PORT_FD_MEMORY], 0);
			cr_assert_neq(cable->memory, MAP_FAILED);
			cable->to = (struct port_producer){ .ring = &cable->memory->to_switch };
			cable->from = (struct port_consumer){ .ring = &cable->memory->to_machine };
		}
		count = PORT_FDS;
	}
}

void cables_transmit(struct cable *cable, const uint8_t *frame, size_t size)
{
	uint64_t one = 1;

	cr_assert_gt(port_room(&cable->to), 0);
	port_put(&cable->to, frame, size);
	if (port_publish(&cable->to))
		cr_assert_eq(write(cable->fds[PORT_FD_KICK_SWITCH], &one, 8), 8);
}

size_t cables_receive(struct cable *cable, uint16_t type, uint8_t *frame, int ms)
{
	for (; ms > 0; ms -= 20) {
		while (port_pending(&cable->from) > 0) {
			const uint8_t *bytes = NULL;
			int size = port_peek(&cable->from, &bytes);

			cr_assert_gt(size, 0);
			memcpy(frame, bytes, (size_t)size);
			port_take(&cable->from);
			port_release(&cable->from);
			if (get_be16(frame + 12) == type)
				return (size_t)size;
		}
		cables_turn(20);
	}
	return 0;
}

void cables_test_frame(uint8_t frame[60])
{
	memset(frame, 0, 60);
	memset(frame, 0xff, 6);
	frame[6] = 2;
	put_be16(frame + 12, 0x88b5);
}

pid_t cables_switch(void)
{
	char command[256];
	FILE *pipe;
	int pid = 0;

	/* The one whose environment names our folder. */
	snprintf(command, sizeof(command),
		 "for p in $(pgrep -x mainstay-switch); do tr '\\0' '\\n' </proc/$p/environ | "
		 "grep -qx MAINSTAY_RUNTIME_DIR=%s && echo $p; done",
		 folder);
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	cr_assert_eq(fscanf(pipe, "%d", &pid), 1);
	pclose(pipe);
	return pid;
}

int cables_mainstay(const char *arguments)
{
	char command[4400];

	snprintf(command, sizeof(command), "%s/mainstay %s", getenv("MAINSTAY_LIBEXEC"), arguments);
	return system(command);
}
