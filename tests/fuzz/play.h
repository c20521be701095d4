/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of a fuzzer, played to devices on the bench: what a guest, a disk, a peer and a person can do to
 * them, as a sequence of operations. An operation is a byte, modulo their number, and its operands
 * (little-endian); play.c has the table. The end of the bytes is the end of the play, wherever it comes.
 */
#ifndef TESTS_FUZZ_PLAY_H
#define TESTS_FUZZ_PLAY_H

#include <stdio.h>

#include "../lib/bench.h"

#define PLAY_CHARIOS 4

struct play {
	struct bench *b;
	struct input *input; /* NULL: nobody types */
	struct bench_chario charios[PLAY_CHARIOS];
	uint64_t time_left_ns; /* so that no input runs for ever */
};

/* Plays @size bytes to the devices of @play->b. */
void play_bytes(struct play *play, const uint8_t *data, size_t size);

/* Lets PCI functions answer: a place for each base address register, and the command register. */
void play_enable_pci(struct bench *b);

/*
 * Entries of a dictionary in the fuzzer's format: accesses to each register of the device with @index,
 * with the values that its table names.
 */
void play_print_dictionary(const struct device *dev, unsigned int index, FILE *to);

#endif
