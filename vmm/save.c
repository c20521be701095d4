// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Everything here runs in the loop thread under the lock, in short steps: each phase ends with a post, of
 * the writer, of the last vCPU to park, of a disk that is idle or sealed. The writer sees only the job.
 *
 * Which pages changed is known from two sources: KVM's log of what processors wrote, and a bitmap of what the machine
 * itself wrote for devices (memory.c). What a disk's worker reads into memory is in the latter once the request has come
 * to its end, also one from before the save; the last look is when no request is under way.
 *
 * A paused machine is let go into parking: its processors have to finish their instructions, which a pause has
 * interrupted, but they enter no guest and virtual time stands. A machine that sleeps (S3) is not: its
 * processors will be reset when it wakes.
 */
#include "save.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../base/fdio.h"
#include "../vhd/vhd.h"
#include "blockio.h"
#include "config.h"
#include "disk_switch.h"
#include "machine_impl.h"
#include "save_writer.h"
#include "snapshot.h"
#include "timekeeping.h"

#define ROUNDS_MAX 12
#define FEW_PAGES 512 /* left over: they are written with the guest stopped */
#define RESERVE_BYTES                                                                              \
	MIB(1) /* beyond twice what is left over: the stream, the index, small blocks */

enum save_phase {
	SAVE_COPYING,
	SAVE_RESTING,
	SAVE_PARKING,
	SAVE_DRAINING,
	SAVE_SEALING,
	SAVE_WRITING,
	SAVE_HELD,
	SAVE_SWITCHING,
};

struct save {
	struct machine *machine;
	enum save_phase phase;
	struct save_job job;
	bool job_runs;
	bool stopped;		/* the machine stands because of us */
	enum machine_state was; /* before */
	struct loop_post written, parked, sealed;
	unsigned int sealing; /* disks whose seal is under way */
	bool seals;	      /* the disks are, or may be, marked */
	bool released;	      /* somebody else may have locked them */
	uint64_t left;	      /* pages, after the last round */
	uint64_t stop_ns;
	uint8_t *devices;
	void (*done)(void *opaque, const struct save_result *result);
	void *opaque;
	struct save_result result;
};

static const char *const phase_names[] = {
	[SAVE_RESTING] = "copying",   [SAVE_COPYING] = "copying",     [SAVE_PARKING] = "parking",
	[SAVE_DRAINING] = "draining", [SAVE_SEALING] = "sealing",     [SAVE_WRITING] = "writing",
	[SAVE_HELD] = "held",	      [SAVE_SWITCHING] = "switching",
};

static void go_on(struct save *save);

static void fail(struct save *save, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first failure counts. */
static void fail(struct save *save, int error, const char *format, ...)
{
	va_list args;

	if (save->result.error)
		return;
	save->result.error = error;
	va_start(args, format);
	vsnprintf(save->result.text, sizeof(save->result.text), format, args);
	va_end(args);
}

/* --- which pages */

static uint64_t ram_words(const struct save *save)
{
	return (save->machine->memory.ram_bytes / STATEFILE_PAGE_BYTES + 63) / 64;
}

/* Moves the changed pages into the job; how many. */
static uint64_t take_changed(struct save *save)
{
	struct machine *machine = save->machine;
	uint64_t words = ram_words(save), count = 0;
	int r = memslot_collect(&machine->memslots, &machine->memory);

	if (r < 0)
		fail(save, r, "the log of changed memory cannot be read: %s", strerror(-r));
	memory_take_dirty(&machine->memory, save->job.wanted);
	for (uint64_t i = 0; i < words; i++)
		count += (unsigned int)__builtin_popcountll(save->job.wanted[i]);
	return count;
}

static void want_all(struct save *save)
{
	uint64_t pages = save->machine->memory.ram_bytes / STATEFILE_PAGE_BYTES;

	memset(save->job.wanted, 0xff, ram_words(save) * 8);
	if (pages % 64)
		save->job.wanted[pages / 64] = (UINT64_C(1) << (pages % 64)) - 1;
}

/* --- disks */

/* They are flushed and marked, or unmarked; sealed_posted() hears of each. */
static void seal_disks(struct save *save, bool saved)
{
	save->sealing = 0;
	for (unsigned int i = 0; i < MACHINE_BACKENDS_MAX; i++) {
		struct block_backend *backend = machine_backend(save->machine, i);

		if (!backend)
			continue;
		blockio_seal(backend, saved, &save->sealed);
		save->sealing++;
	}
}

static unsigned int seals_under_way(const struct save *save)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < MACHINE_BACKENDS_MAX; i++) {
		const struct block_backend *backend = machine_backend(save->machine, i);

		count += backend && blockio_sealing(backend);
	}
	return count;
}

static void check_seals(struct save *save)
{
	const struct vm_config *config = save->machine->config;

	for (unsigned int i = 0; i < config->disk_count; i++) {
		const struct vm_disk *disk = &config->disks[i];
		int r = blockio_seal_result(save->machine->board.disks[disk->slot]);

		if (r < 0)
			fail(save, r, "disk %s cannot be flushed: %s", disk->name, strerror(-r));
	}
}

/* The starter's locks belong to the open files: what is given up here nobody holds any more. */
static void lock_disks(struct machine *machine, bool lock)
{
	const struct vm_config *config = machine->config;
	struct {
		int fd;
		bool exclusive;
	} files[2 * VM_DISKS_MAX + VM_FLOPPIES_MAX + 1];
	unsigned int count = 0;

	for (unsigned int i = 0; i < config->disk_count; i++) {
		files[count].fd = disk_switch_fd(machine, config->disks[i].slot);
		files[count++].exclusive = !config->disks[i].read_only;
	}
	for (unsigned int i = 0; i < machine->media.count; i++) {
		const struct media_drive *drive = &machine->media.drives[i];

		files[count].fd = drive->present ? drive->medium.fd : -1;
		files[count++].exclusive = drive->present && !drive->medium.read_only;
	}
	files[count].fd = config->nvram.present ? config->nvram.disk.fd : -1;
	files[count++].exclusive = true;
	for (unsigned int i = 0; i < count; i++) {
		if (files[i].fd < 0)
			continue;
		if (!lock)
			vhd_unlock(files[i].fd);
		else if (vhd_lock(files[i].fd, files[i].exclusive) < 0)
			log_warning("%s: a disk is in use by another program: the machine that it "
				    "was to become?",
				    config->name);
	}
}

/* --- stopping and going on */

static void stop_machine(struct save *save)
{
	struct machine *machine = save->machine;

	save->stop_ns = monotonic_ns();
	time_stop(machine);
	vcpus_hold(&machine->vcpus, NULL);
	machine_hear(machine, false);
	vcpus_drain_posted(&machine->vcpus);
	machine_settle(machine);
	save->stopped = true;
}

static void start_machine(struct save *save)
{
	struct machine *machine = save->machine;

	if (save->released)
		lock_disks(machine, true);
	save->released = false;
	/* A pause was lifted for parking, and is in force again before anybody can enter the guest. */
	if (!save->stopped && save->phase == SAVE_PARKING && save->was == MACHINE_PAUSED)
		vcpus_hold(&machine->vcpus, NULL);
	vcpus_unpark(&machine->vcpus);
	if (!save->stopped)
		return;
	save->stopped = false;
	if (save->was == MACHINE_PAUSED || machine->state == MACHINE_ENDED)
		return;
	/* The hold of a pause that is over; asleep, there is another one. */
	machine->state = MACHINE_PAUSED;
	machine->restored_suspended = save->was == MACHINE_SUSPENDED;
	if (machine->restored_suspended)
		vcpus_release(&machine->vcpus);
	machine_resume(machine);
}

/* --- the end */

static void release(struct save *save)
{
	struct machine *machine = save->machine;

	memslot_track(&machine->memslots, &machine->memory, false);
	memory_track(&machine->memory, false);
	machine->save = NULL;
	loop_post_cancel(machine->loop, &save->written);
	loop_post_cancel(machine->loop, &save->parked);
	loop_post_cancel(machine->loop, &save->sealed);
	fd_close(save->job.fd);
	free(save->job.sums);
	free(save->job.wanted);
	free(save->job.index);
	free(save->devices);
	free(save);
}

/* There is no save any more when its owner hears of that. */
static void end_save(struct save *save)
{
	void (*done)(void *opaque, const struct save_result *result) = save->done;
	struct save_result result = save->result;
	void *opaque = save->opaque;

	release(save);
	if (done)
		done(opaque, &result);
}

/* Everything is put back; the disks' marks first, which takes a while. */
static void give_up(struct save *save)
{
	if (save->job_runs || save->sealing || save->phase == SAVE_SWITCHING)
		return; /* until it has come to its end */
	if (save->seals) {
		save->seals = false;
		seal_disks(save, false);
		if (save->sealing)
			return;
	}
	start_machine(save);
	end_save(save);
}

/* --- phases */

static void run_job(struct save *save, void (*start)(struct save_writer *writer,
						     struct save_job *job, struct loop_post *done))
{
	save->job_runs = true;
	start(save->machine->save_writer, &save->job, &save->written);
}

static bool rounds_are_over(const struct save *save, uint64_t before)
{
	return save->left <= FEW_PAGES || save->result.rounds >= ROUNDS_MAX ||
	       (save->result.rounds > 2 && save->left > before / 4 * 3) ||
	       save->machine->state != MACHINE_RUNNING;
}

static void park(struct save *save)
{
	struct machine *machine = save->machine;

	save->phase = SAVE_PARKING;
	save->was = machine->state;
	vcpus_park(&machine->vcpus, &save->parked);
	if (save->was == MACHINE_PAUSED)
		vcpus_release(&machine->vcpus);
	go_on(save);
}

/* A round of copying is done. */
static void copied(struct save *save)
{
	const struct machine *machine = save->machine;
	uint64_t before = save->left;

	save->result.rounds++;
	save->left = take_changed(save);
	if (save->result.error)
		return;
	if (!rounds_are_over(save, before)) {
		run_job(save, save_writer_pages);
	} else if (machine->state == MACHINE_RUNNING && machine->vcpus.count) {
		/*
		 * Copying may have taken its processor away. What it is behind then KVM knows, ticks of the
		 * interval timer above all, but does not tell: it has a moment to catch up.
		 */
		save->phase = SAVE_RESTING;
		run_job(save, save_writer_rest);
	} else {
		park(save);
	}
}

static void parked(struct save *save)
{
	struct machine *machine = save->machine;

	if (machine->state != save->was) {
		/* Its guest went to sleep on its last instruction. */
		save->was = machine->state;
	}
	if (save->was != MACHINE_SUSPENDED && !vcpus_are_parked(&machine->vcpus))
		return;
	stop_machine(save);
	save->phase = SAVE_DRAINING;
	go_on(save);
}

static void drained(struct save *save)
{
	struct machine *machine = save->machine;

	if (machine_disks_busy(machine))
		return;
	save->phase = SAVE_SEALING;
	save->seals = true;
	seal_disks(save, true);
	go_on(save);
}

static void whole(struct save *save)
{
	save->phase = SAVE_HELD;
	save->result.file_bytes = save->job.fd >= 0 ? save->job.header.file_bytes : 0;
	save->result.pages = save->job.written;
	save->result.stopped_ns = monotonic_ns() - save->stop_ns;
	if (save->done)
		save->done(save->opaque, &save->result);
}

static void sealed(struct save *save)
{
	struct machine *machine = save->machine;
	uint64_t *wanted = save->job.wanted;
	uint64_t words = ram_words(save);
	uint64_t *last;
	size_t size;
	int r;

	if (save->sealing)
		return;
	check_seals(save);
	if (save->result.error)
		return;
	if (save->job.fd < 0) {
		whole(save);
		return;
	}
	/* What the last round left over, and what changed since. */
	last = malloc(words * 8);
	if (last)
		memcpy(last, wanted, words * 8);
	take_changed(save);
	for (uint64_t i = 0; last && i < words; i++)
		wanted[i] |= last[i];
	if (!last)
		want_all(save);
	free(last);
	r = snapshot_save(machine, &save->devices, &size, save->result.text,
			  sizeof(save->result.text));
	if (r < 0) {
		save->result.error = r;
		return;
	}
	save->job.devices = save->devices;
	save->job.header.devices.bytes = size;
	save->job.header.saved_unix = time(NULL);
	statefile_layout(&save->job.header);
	save->phase = SAVE_WRITING;
	run_job(save, save_writer_finish);
}

/* Whatever came to its end: the next step, or the way back. */
static void go_on(struct save *save)
{
	static void (*const steps[])(struct save * save) = {
		[SAVE_COPYING] = copied,   [SAVE_RESTING] = park,   [SAVE_PARKING] = parked,
		[SAVE_DRAINING] = drained, [SAVE_SEALING] = sealed, [SAVE_WRITING] = whole,
	};
	struct machine *machine = save->machine;

	if (machine->state == MACHINE_ENDED)
		fail(save, -ENOTCONN, "its guest powered it off meanwhile");
	if (!save->result.error && !save->job_runs && save->phase < SAVE_HELD)
		steps[save->phase](save);
	/* Unless its owner has given it up when it was held. */
	if (machine->save == save && save->result.error)
		give_up(save);
}

static void written_posted(struct loop_post *post)
{
	struct save *save = container_of(post, struct save, written);

	if (save->job.fd < 0 && !save->result.error) {
		park(save);
		return;
	}
	save->job_runs = false;
	if (save->job.result < 0)
		fail(save, save->job.result, "%s: %s%s",
		     save->job.stream ? "the other side does not take it"
				      : "the file cannot be written",
		     strerror(-save->job.result),
		     save->job.result == -ENOSPC ? "; make room, or give another place" : "");
	go_on(save);
}

static void parked_posted(struct loop_post *post)
{
	struct save *save = container_of(post, struct save, parked);

	if (save->phase == SAVE_PARKING)
		go_on(save);
}

static void sealed_posted(struct loop_post *post)
{
	struct save *save = container_of(post, struct save, sealed);

	save->sealing = seals_under_way(save);
	if (!save->sealing)
		go_on(save);
}

/* --- from outside */

static int allocate(struct save *save)
{
	struct machine *machine = save->machine;
	struct save_job *job = &save->job;
	uint64_t pages;

	snapshot_describe(machine, &job->header, job->blocks);
	if (getrandom(job->header.id, sizeof(job->header.id), GRND_NONBLOCK) < 0)
		memcpy(job->header.id, &job->header.uuid, sizeof(job->header.id));
	statefile_layout(&job->header);
	pages = statefile_pages(&job->header);
	job->sums = calloc(pages, sizeof(job->sums[0]));
	job->wanted = malloc(ram_words(save) * 8);
	job->index = malloc(job->header.index.bytes);
	if (!job->sums || !job->wanted || !job->index)
		return -ENOMEM;
	job->reserve =
		RESERVE_BYTES + job->header.index.bytes + 2 * FEW_PAGES * STATEFILE_PAGE_BYTES;
	want_all(save);
	save->left = pages;
	return memory_track(&machine->memory, true);
}

int save_start(struct machine *machine, int fd, bool stream,
	       void (*done)(void *opaque, const struct save_result *result), void *opaque,
	       char *error, size_t error_size)
{
	struct save *save = machine->save ? NULL : calloc(1, sizeof(*save));
	int r;

	if (!save) {
		r = machine->save ? -EBUSY : -ENOMEM;
		snprintf(error, error_size, "%s",
			 machine->save ? "it is being saved already" : "not enough memory");
		fd_close(fd);
		return r;
	}
	machine->save = save;
	save->machine = machine;
	save->job.fd = fd;
	save->job.stream = stream;
	save->done = done;
	save->opaque = opaque;
	save->written.run = written_posted;
	save->parked.run = parked_posted;
	save->sealed.run = sealed_posted;
	if (fd < 0) {
		/* Not before this call has returned. */
		save->was = machine->state;
		loop_post(machine->loop, &save->written);
		return 0;
	}
	r = allocate(save);
	if (r == 0)
		r = memslot_track(&machine->memslots, &machine->memory, true);
	if (r < 0) {
		snprintf(error, error_size, "changes of its memory cannot be followed: %s",
			 strerror(-r));
		release(save);
		return r;
	}
	run_job(save, save_writer_pages);
	return 0;
}

/* The new layers are in their places; the old ones keep their marks and are written to no more. */
static void switched(void *opaque)
{
	struct save *save = opaque;

	save->seals = false;
	save->phase = SAVE_HELD;
	if (save->machine->state == MACHINE_ENDED)
		return;
	start_machine(save);
	save->result.error = 0;
	save->result.running = true;
	save->result.stopped_ns = monotonic_ns() - save->stop_ns;
	end_save(save);
}

int save_switch(struct machine *machine, struct json_object *disks, int *fds, unsigned int fd_count,
		char *error, size_t error_size)
{
	struct save *save = machine->save;
	int r;

	if (!save || save->phase != SAVE_HELD || machine->state == MACHINE_ENDED) {
		snprintf(error, error_size, "nothing waits for that");
		return -EINVAL;
	}
	r = disk_switch_start(machine, disks, fds, fd_count, switched, save, error, error_size);
	if (r == 0)
		save->phase = SAVE_SWITCHING;
	return r;
}

bool save_release(struct machine *machine)
{
	struct save *save = machine->save;

	if (!save || save->phase != SAVE_HELD || machine->state == MACHINE_ENDED)
		return false;
	lock_disks(machine, false);
	save->released = true;
	return true;
}

bool save_commit(struct machine *machine)
{
	if (!machine->save || machine->save->phase != SAVE_HELD)
		return false;
	machine_quit(machine);
	return true;
}

void save_cancel(struct machine *machine)
{
	struct save *save = machine->save;

	if (!save || machine->state == MACHINE_ENDED)
		return;
	fail(save, -ECANCELED, "it was given up");
	go_on(save);
}

void save_forget(struct machine *machine)
{
	if (machine->save)
		machine->save->done = NULL;
	save_cancel(machine);
}

bool save_has_machine(const struct machine *machine)
{
	return machine->save && machine->save->phase != SAVE_COPYING;
}

const char *save_phase_name(const struct machine *machine)
{
	return machine->save ? phase_names[machine->save->phase] : "";
}

void save_machine_sleeps(struct machine *machine)
{
	if (machine->save)
		loop_post(machine->loop, &machine->save->parked);
}

void save_disk_idle(struct machine *machine)
{
	if (machine->save && machine->save->phase == SAVE_DRAINING)
		go_on(machine->save);
}

void save_free(struct machine *machine)
{
	if (!machine->save)
		return;
	disk_switch_forget(machine);
	release(machine->save);
}
