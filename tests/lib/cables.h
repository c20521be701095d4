/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's cables as its starter holds them, with the real switch: the test is the machine. For tests in
 * build/tests/net; the programs are those of build/bin.
 */
#ifndef TESTS_LIB_CABLES_H
#define TESTS_LIB_CABLES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../mgmt/adapters.h"
#include "../../net/port.h"

#define CABLES_WAIT_MS 10000

struct cable {
	int plug_fd, fds[PORT_FDS];
	struct port_memory *memory; /* NULL: not plugged in */
	struct port_producer to;
	struct port_consumer from;
};

extern struct adapters cables;
extern struct machine_config cables_config;

/* A folder for sockets and networks; the programs' place in MAINSTAY_LIBEXEC. */
void cables_begin(void);
void cables_end(void);

/* One more adapter, as --net has it; then all are plugged in. */
void cables_add(const char *net);
void cables_start(void);
/* One turn of the starter's loop. */
void cables_turn(int ms);
/* What the starter has said to the machine of adapter @i; the last word counts. */
void cables_hear(struct cable *cable, unsigned int i);
void cables_transmit(struct cable *cable, const uint8_t *frame, size_t size);
/* The next frame of @type; its size, 0: none came in time. The starter's loop goes on meanwhile. */
size_t cables_receive(struct cable *cable, uint16_t type, uint8_t *frame, int ms);
/* To everybody, of a type for experiments. */
void cables_test_frame(uint8_t frame[60]);
/* The switch that runs in our folder; only root sees it. */
pid_t cables_switch(void);
/* Runs "mainstay ARGUMENTS"; its exit status. */
int cables_mainstay(const char *arguments);

#endif
