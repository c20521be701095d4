/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread that writes a state's file: one for each machine, asleep but during a save. It makes the
 * system calls of a disk's worker and no others, takes no lock and allocates nothing.
 *
 * A job is started by the loop and ends with a post. Between the two the job's data are the thread's.
 */
#ifndef VMM_SAVE_WRITER_H
#define VMM_SAVE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "state/statefile.h"
#include "loop.h"

struct save_writer;

/* What is to be written; the owner's, and untouched by it while a job runs. */
struct save_job {
	int fd;
	bool stream;			/* a socket: records in place of writes (state/stream.h) */
	struct statefile_header header; /* laid out but for the sums, which the last job fills in */
	void *blocks[STATEFILE_BLOCKS_MAX];
	uint32_t *sums;		/* of all pages; 0: zeros, nothing in the file */
	uint64_t *wanted;	/* pages of block 0 to be written: a bit each */
	uint64_t reserve;	/* bytes that the file's system is to promise for what follows */
	const uint8_t *devices; /* the device stream */
	uint8_t *index;		/* room for it */
	uint64_t written;	/* pages, in all jobs */
	int result;		/* 0 or -errno */
};

/* 0 or -errno; the thread starts later, like the disks' workers. */
int save_writer_new(struct loop *loop, struct save_writer **ret_writer);
int save_writer_start(struct save_writer *writer);
/* Without the lock; waits for a job under way. NULL is allowed. */
void save_writer_free(struct save_writer *writer);

/* With the lock, when no job is under way. @done is posted at the end. */
void save_writer_pages(struct save_writer *writer, struct save_job *job, struct loop_post *done);
/* Writes nothing, and is done in a while. */
void save_writer_rest(struct save_writer *writer, struct save_job *job, struct loop_post *done);
/* The wanted pages, the other blocks, stream, index, then all to stable storage, then the header too. */
void save_writer_finish(struct save_writer *writer, struct save_job *job, struct loop_post *done);

#endif
