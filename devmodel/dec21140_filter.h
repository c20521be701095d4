/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address filter that a setup frame loads into a 21140: a pure function of the setup frame's 192
 * bytes, its mode and a destination address.
 */
#ifndef DEVMODEL_DEC21140_FILTER_H
#define DEVMODEL_DEC21140_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#define DEC21140_SETUP_BYTES 192

/* FT1 (bit 1) and FT0 (bit 0) of the setup frame's descriptor. */
enum dec21140_filter_mode {
	DEC21140_PERFECT,      /* 16 addresses */
	DEC21140_HASH_PERFECT, /* groups by hash, one station address */
	DEC21140_INVERSE,      /* all but 16 addresses */
	DEC21140_HASH_ONLY,    /* everything by hash */
	DEC21140_FILTER_MODES,
};

bool dec21140_filter_pass(const uint8_t table[DEC21140_SETUP_BYTES], enum dec21140_filter_mode mode,
			  const uint8_t destination[6]);

/* The bit of the 512 that @address hashes to. */
unsigned int dec21140_filter_hash(const uint8_t address[6]);

#endif
