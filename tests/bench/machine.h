/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine under measurement, of Mainstay or of QEMU, with the same hardware and the same disk. */
#ifndef TESTS_BENCH_MACHINE_H
#define TESTS_BENCH_MACHINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "report.h"

#define MACHINE_MEMORY_MIB 128

/* How a machine is plugged in. */
struct machine_net {
	const char *ours;	/* what --net takes */
	const char *model;	/* the peer's device */
	const char *backend;	/* and its netdev, without the id */
	unsigned int last_byte; /* of the adapter's address */
};

struct machine_setup {
	const char *name;     /* ours; NULL: bench */
	const char *mainstay; /* our program */
	const char *disk;     /* VHD */
	const char *
		peer_disk; /* a raw image for QEMU, which cannot save a machine that has a VHD; NULL: disk */
	const char *floppy, *cdrom; /* raw images; NULL: no such drive */
	bool firmware_log;	    /* a debug port that the firmware writes to */
	const char *vga; /* the peer's, as its -vga has it; NULL: none. Ours is always there */
	unsigned int memory_mib; /* 0: MACHINE_MEMORY_MIB */
	bool monitor;		 /* the peer's, a socket in the folder */
	const char *restore;	 /* a saved state to go on from; NULL: none */
	bool incoming;		 /* ours: it waits for another one to move, at FOLDER/incoming */
	const struct machine_net *net; /* NULL: no adapter */
	bool show;		       /* what comes from the serial port, on standard output */
};

struct machine {
	pid_t pid;
	bool show;
	int serial_fd;	 /* -1 until machine_connect() */
	int firmware_fd; /* -1 without firmware_log */
	char folder[64];
	char text[8192]; /* the last that came from the serial port */
	char error[160]; /* why the last call failed */
};

/* Starts it, metered from its exec on. These return 0, or -1 with a reason in machine->error. */
int machine_start(struct machine *machine, enum side side, const struct machine_setup *setup);
int machine_connect(struct machine *machine);
/* The first byte on the debug port. */
int machine_wait_firmware(struct machine *machine);
/* Until @text has come from the serial port; what came before is forgotten. */
int machine_wait_text(struct machine *machine, const char *text);
/* Lets the program in the guest do @letter's operation @count times and waits for its answer. */
int machine_command(struct machine *machine, char letter, unsigned int count);

/* Kills it. Harmless when it did not start. */
void machine_end(struct machine *machine);

#endif
