// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: one device class on the bench, the one that the program's name ends in: device-ns16550.
 * "board" is all devices of the 440BX board, wired as in a machine.
 *
 * With MAINSTAY_FUZZ_DICTIONARY in the environment it prints the dictionary of its registers and ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../devmodel/bios_disk.h"
#include "../../devmodel/debugcon.h"
#include "../../devmodel/fwcfg.h"
#include "../../devmodel/i8042.h"
#include "../../devmodel/ns16550.h"
#include "../../devmodel/parport.h"
#include "../../devmodel/ps2_keyboard.h"
#include "../../devmodel/ps2_mouse.h"
#include "../../base/bits.h"
#include "../../vmm/board.h"
#include "../lib/class_setup.h"
#include "play.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *subject;

/* --- what makes a class do more than it does alone */

static void set_up_uart(struct play *play)
{
	const struct ns16550_config config = { .base = 0x3f8, .chario = &play->charios[0].chario };

	bench_add(play->b, &ns16550_class, &config);
}

static void set_up_parport(struct play *play)
{
	const struct parport_config config = { .base = 0x378, .chario = &play->charios[0].chario };

	bench_add(play->b, &parport_class, &config);
}

static void set_up_debugcon(struct play *play)
{
	const struct debugcon_config config = { .chario = &play->charios[0].chario };

	bench_add(play->b, &debugcon_class, &config);
}

static void set_up_bios_disk(struct play *play)
{
	struct bios_disk_config config = { .disks = { NULL } };

	config.disks[0] = &bench_disk_new(play->b, 64)->backend;
	config.disks[3] = &bench_disk_new(play->b, 4096)->backend;
	bench_add(play->b, &bios_disk_class, &config);
}

static void set_up_fwcfg(struct play *play)
{
	struct device *fwcfg = bench_add(play->b, &fwcfg_class, NULL);

	if (fwcfg_add(fwcfg, 2, "0123456789abcdef", 16) < 0 ||
	    fwcfg_add_file(fwcfg, "etc/file", "contents", 8) < 0)
		abort();
}

/* The controller with both that hang on it. */
static void set_up_keys(struct play *play)
{
	static struct input input;
	struct device *i8042 = bench_add(play->b, &i8042_class, NULL);
	const struct ps2_keyboard_config keyboard = { .port = i8042_keyboard_port(i8042),
						      .input = &input };
	const struct ps2_mouse_config mouse = { .port = i8042_mouse_port(i8042), .input = &input };

	input = (struct input){ .leds_changed = NULL };
	play->input = &input;
	bench_add(play->b, &ps2_keyboard_class, &keyboard);
	bench_add(play->b, &ps2_mouse_class, &mouse);
}

static void set_up_board(struct play *play)
{
	static struct vm_config config;
	static struct board board;
	char error[128];

	vm_config_devtest(&config);
	board = (struct board){
		.env = &play->b->env,
		.pci = &play->b->pci,
		.isa_irqs = &play->b->hub,
		.config = &config,
		.below_4g = MIB(64),
	};
	board.disks[0] = &bench_disk_new(play->b, 64)->backend;
	board.disks[3] = &bench_disk_new(play->b, 4096)->backend;
	for (unsigned int i = 0; i < 2; i++)
		board.serial[i] = &play->charios[i].chario;
	board.parallel = &play->charios[2].chario;
	board.debugcon = &play->charios[3].chario;
	if (board_440bx_build(&board, error, sizeof(error)) < 0)
		abort();
	/* The bench frees them. */
	memcpy(play->b->devices, board.devices, sizeof(board.devices));
	play->b->device_count = board.count;
	play->input = &board.input;
}

static const struct set_up {
	const char *subject;
	void (*set_up)(struct play *play);
} set_ups[] = {
	{ "bios_disk", set_up_bios_disk }, { "board", set_up_board },
	{ "debugcon", set_up_debugcon },   { "fwcfg", set_up_fwcfg },
	{ "i8042", set_up_keys },	   { "ns16550", set_up_uart },
	{ "parport", set_up_parport },	   { "ps2_keyboard", set_up_keys },
	{ "ps2_mouse", set_up_keys },
};

_Static_assert(BOARD_DEVICES_MAX <= BENCH_DEVICES_MAX, "room on the bench for a board");

static void set_up(struct play *play)
{
	const struct device_class *class = device_class_find(subject);

	play->b = bench_new();
	for (unsigned int i = 0; i < PLAY_CHARIOS; i++)
		bench_chario_init(&play->charios[i]);
	for (size_t i = 0; i < ARRAY_LEN(set_ups); i++) {
		if (!strcmp(set_ups[i].subject, subject)) {
			set_ups[i].set_up(play);
			return;
		}
	}
	if (!class) {
		fprintf(stderr, "%s: no such device class\n", subject);
		exit(2);
	}
	class_setup(play->b, class);
}

/* --- the fuzzer's calls */

static void print_dictionary(void)
{
	static struct play play;

	set_up(&play);
	for (unsigned int i = 0; i < play.b->device_count; i++)
		play_print_dictionary(play.b->devices[i], i, stdout);
	bench_free(play.b);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *dash = strrchr((*argv)[0], '-');

	(void)argc;
	subject = dash ? dash + 1 : "board";
	if (getenv("MAINSTAY_FUZZ_DICTIONARY")) {
		print_dictionary();
		exit(0);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play play; /* large */

	memset(&play, 0, sizeof(play));
	set_up(&play);
	play_enable_pci(play.b);
	play_bytes(&play, data, size);
	bench_free(play.b);
	return 0;
}
