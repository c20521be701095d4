/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One machine: builds the devices of the board table, wires, owns and destroys them in reverse.
 *
 * All functions want the machine lock (see loop.h) unless they say otherwise.
 */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct desk;
struct device;
struct display;
struct dma;
struct io_bus;
struct loop;
struct machine;
struct media;
struct vm_config;
struct vm_disk;

enum machine_state {
	MACHINE_RUNNING,
	MACHINE_PAUSED,
	MACHINE_SUSPENDED, /* asleep (S3) until the power button or an alarm wakes it */
	MACHINE_ENDED,	   /* powered off, or told to quit */
};

/*
 * Builds the machine in the paused state, threads not yet started. Without the lock. 0, or a
 * negative errno after one line on standard error that says what is wrong.
 */
int machine_new(struct loop *loop, const struct vm_config *config, struct machine **ret_machine);
/* Starts the vCPU and worker threads, still paused. */
int machine_start(struct machine *machine);
/* Ends all threads and frees everything; disks are flushed and closed. Without the lock. */
void machine_free(struct machine *machine);

enum machine_state machine_state(const struct machine *machine);
/* Returns when every vCPU has been out of the guest: its thread is alive. */
void machine_ping(struct machine *machine);
/* Idempotent. Pausing returns when every vCPU is out of the guest and virtual time stands. */
void machine_pause(struct machine *machine);
void machine_resume(struct machine *machine);
/* The reset button: a hard reset. */
void machine_reset(struct machine *machine);
/* A press of the power button: the guest's ACPI decides. */
void machine_power_button(struct machine *machine);
/*
 * The machine was restored and is about to run: its disks belong to no saved state any more. After that the
 * state must not be used again. Before machine_start(). 0, or -errno after one line on standard error.
 */
int machine_leave_state(struct machine *machine);
/* Ends the loop with status 0: the plug is pulled, disks are flushed. */
void machine_quit(struct machine *machine);

/*
 * For whoever stands in for the processor of a machine that has none (devtest.h). Virtual time moves only
 * by machine_step(), which goes to the next timer or to @to_ns, whichever comes first, and tells whether
 * @to_ns is reached. machine_watch() tells of the ISA interrupt lines, and when no disk is busy any more.
 */
struct machine_watcher {
	void (*irq)(void *opaque, unsigned int n, bool level);
	void (*disks_idle)(void *opaque);
	void *opaque;
};
struct io_bus *machine_io(struct machine *machine);
struct dma *machine_dma(struct machine *machine);
void machine_watch(struct machine *machine, const struct machine_watcher *watcher);
/* Carries out what an access asked for. */
void machine_settle(struct machine *machine);
bool machine_disks_busy(const struct machine *machine);
/* The deadline of the next timer, or TIMER_OFF. */
uint64_t machine_next_timer_ns(const struct machine *machine);
bool machine_step(struct machine *machine, uint64_t to_ns);
/* Media of drives by name; as media_insert() and media_eject(). */
int machine_insert(struct machine *machine, const char *drive, const struct vm_disk *medium,
		   bool force, char *error, size_t error_size);
int machine_eject(struct machine *machine, const char *drive, bool force, char *error,
		  size_t error_size);
const struct media *machine_media(const struct machine *machine);

const struct vm_config *machine_config(const struct machine *machine);
/* Virtual nanoseconds since the machine was built. */
uint64_t machine_clock_ns(const struct machine *machine);
/* By index from 0; NULL behind the last. For statistics and the register dump. */
struct device *machine_device(struct machine *machine, unsigned int index);
/* The picture (devmodel/display.h); NULL: the machine has no display adapter. */
struct display *machine_display(struct machine *machine);
/* Screen, keyboard and mouse as people have them. */
struct desk *machine_desk(struct machine *machine);
/* Resets of the guest since the start, whatever their cause. */
uint64_t machine_reset_count(const struct machine *machine);

#endif
