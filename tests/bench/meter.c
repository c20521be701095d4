// SPDX-License-Identifier: GPL-2.0-or-later
#include "meter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "../../base/log.h"

#define CGROUP "/sys/fs/cgroup/mainstay-bench"
#define KVM_COUNTERS "/sys/kernel/debug/kvm"
#define EVENTS "/sys/kernel/debug/tracing/events/kvm"
#define REST_US 3000
#define REST_TRIES 100

static int returns_fd = -1;
/* What earlier machines have cost: the cgroup counts on. */
static uint64_t instructions_before;

static int read_number(const char *path, uint64_t *ret_value)
{
	char *text;
	size_t size;
	int r = file_read(path, 4096, &text, &size);

	if (r < 0)
		return r;
	*ret_value = strtoull(text, NULL, 10);
	free(text);
	return 0;
}

static int read_instructions(uint64_t *ret_instructions)
{
	static const char key[] = "usage_usec ";
	char *text, *at;
	size_t size;
	int r = file_read(CGROUP "/cpu.stat", 4096, &text, &size);

	if (r < 0)
		return r;
	at = strstr(text, key);
	if (at)
		*ret_instructions = strtoull(at + strlen(key), NULL, 10) * 1000;
	free(text);
	return at ? 0 : -EIO;
}

int meter_open(void)
{
	if (mkdir(CGROUP, 0755) < 0 && errno != EEXIST) {
		log_error("%s: %s; this needs root", CGROUP, strerror(errno));
		return -errno;
	}
	if (access(KVM_COUNTERS, R_OK) < 0) {
		log_error("%s: %s; this needs root and debugfs", KVM_COUNTERS, strerror(errno));
		return -errno;
	}
	return 0;
}

void meter_close(void)
{
	meter_kill();
	rmdir(CGROUP);
}

int meter_start(void)
{
	return read_instructions(&instructions_before);
}

int meter_enter(void)
{
	int fd = open(CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_full(fd, "0", 1);
	fd_close(fd);
	return r;
}

/* --- instructions and exits */

/* Calls @visit with the path of each folder "PROCESS-DESCRIPTOR": one for each virtual machine. */
static int for_each_vm(void (*visit)(const char *path, void *opaque), void *opaque)
{
	DIR *dir = opendir(KVM_COUNTERS);
	const struct dirent *entry;
	char path[512];

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || !strchr(entry->d_name, '-'))
			continue;
		snprintf(path, sizeof(path), "%s/%s", KVM_COUNTERS, entry->d_name);
		visit(path, opaque);
	}
	closedir(dir);
	return 0;
}

static void add_exits(const char *path, void *exits)
{
	char file[544];
	uint64_t value;

	snprintf(file, sizeof(file), "%s/exits", path);
	if (read_number(file, &value) == 0)
		*(uint64_t *)exits += value;
}

int meter_read(struct cost *ret_cost)
{
	struct cost cost = { 0 };
	int r = read_instructions(&cost.instructions);

	if (r == 0)
		r = for_each_vm(add_exits, &cost.exits);
	if (r < 0)
		return r;
	cost.instructions -= instructions_before;
	*ret_cost = cost;
	return 0;
}

int meter_read_at_rest(struct cost *ret_cost)
{
	struct cost before, now;
	int r = meter_read(&now);

	for (int i = 0; r == 0 && i < REST_TRIES; i++) {
		before = now;
		usleep(REST_US);
		r = meter_read(&now);
		if (now.instructions == before.instructions)
			break;
	}
	if (r == 0)
		*ret_cost = now;
	return r;
}

static void print_counters(const char *path, void *opaque)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char file[1024];
	uint64_t value;

	(void)opaque;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_REG)
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (read_number(file, &value) == 0 && value)
			printf("    %-32s %llu\n", entry->d_name, (unsigned long long)value);
	}
	if (dir)
		closedir(dir);
}

/* --- where exits come from */

static const struct {
	const char *event, *keys;
} traced[] = {
	{ "kvm_exit", "exit_reason" },
	{ "kvm_userspace_exit", "reason" },
	{ "kvm_pio", "port,rw" },
	{ "kvm_mmio", "gpa,type" },
};

static void write_trigger(const char *event, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), EVENTS "/%s/trigger", event);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		log_warning("%s: %s", path, strerror(errno));
	fd_close(fd);
}

void meter_trace_start(void)
{
	char text[128];

	for (size_t i = 0; i < ARRAY_LEN(traced); i++) {
		snprintf(text, sizeof(text), "!hist:keys=%s", traced[i].keys);
		write_trigger(traced[i].event, text);
		snprintf(text, sizeof(text), "hist:keys=%s:sort=hitcount.descending",
			 traced[i].keys);
		write_trigger(traced[i].event, text);
	}
}

void meter_trace_print(void)
{
	char path[128], *text;
	size_t size;

	for_each_vm(print_counters, NULL);
	for (size_t i = 0; i < ARRAY_LEN(traced); i++) {
		snprintf(path, sizeof(path), EVENTS "/%s/hist", traced[i].event);
		if (file_read(path, 1 << 20, &text, &size) < 0)
			continue;
		printf("  %s\n%s\n", traced[i].event, text);
		free(text);
	}
}

/* --- returns to user space */

int meter_returns_start(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	uint64_t id;
	int r = read_number(EVENTS "/kvm_userspace_exit/id", &id);

	if (r < 0)
		return r;
	attr.config = id;
	/* The host has one processor, and one machine. */
	returns_fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return returns_fd < 0 ? -errno : 0;
}

int meter_returns_stop(uint64_t *ret_returns)
{
	int r = fd_read_full(returns_fd, ret_returns, sizeof(*ret_returns));

	returns_fd = fd_close(returns_fd);
	return r;
}

/* --- memory */

/*
 * Adds up one process's mappings. The guest's memory may have a little more in the same mapping,
 * which then counts: only as much as the guest has is left out.
 */
/* @touched: only what is resident of the guest's memory; else all but that. */
static int add_memory(pid_t pid, uint64_t ram_kib, bool touched, uint64_t *kib, bool *found)
{
	char path[64], line[512];
	unsigned long long start, end, value, size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx-%llx ", &start, &end) == 2) {
			size = (end - start) / 1024;
		} else if (sscanf(line, "Pss: %llu kB", &value) == 1) {
			if (size >= ram_kib && size < ram_kib + ram_kib / 2) {
				*found = true;
				value -= value < ram_kib ? value : ram_kib;
			}
			*kib += touched ? 0 : value;
		} else if (touched && size == ram_kib &&
			   sscanf(line, "Rss: %llu kB", &value) == 1) {
			*found = true;
			*kib += value;
		}
	}
	fclose(file);
	return 0;
}

static int sum_memory(uint64_t ram_kib, bool touched, uint64_t *ret_kib)
{
	FILE *processes = fopen(CGROUP "/cgroup.procs", "re");
	uint64_t kib = 0;
	bool found = false;
	int pid, r = 0;

	if (!processes)
		return -errno;
	while (r == 0 && fscanf(processes, "%d", &pid) == 1)
		r = add_memory(pid, ram_kib, touched, &kib, &found);
	fclose(processes);
	if (r == 0 && !found)
		r = -ENOENT;
	if (r == 0)
		*ret_kib = kib;
	return r;
}

int meter_memory(uint64_t ram_kib, uint64_t *ret_kib)
{
	return sum_memory(ram_kib, false, ret_kib);
}

int meter_touched(uint64_t ram_kib, uint64_t *ret_kib)
{
	return sum_memory(ram_kib, true, ret_kib);
}

/* --- the end */

void meter_kill(void)
{
	int fd = open(CGROUP "/cgroup.kill", O_WRONLY | O_CLOEXEC);
	char *text;
	size_t size;

	if (fd < 0)
		return;
	(void)fd_write_full(fd, "1", 1);
	fd_close(fd);
	for (int i = 0; i < REST_TRIES; i++) {
		bool empty;

		if (file_read(CGROUP "/cgroup.events", 4096, &text, &size) < 0)
			return;
		empty = strstr(text, "populated 0") != NULL;
		free(text);
		if (empty)
			return;
		usleep(REST_US);
	}
}
