// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The video BIOS against the device, without KVM: the guest of tests/guest/video, which calls every
 * function and mode, runs on an emulated processor (Unicorn) whose ports and video window are the
 * bench's. The guest that shows a picture in every mode is compared with pictures that a person has
 * looked at, in tests/guest/pictures. GOLDEN=FOLDER writes them there instead; look at them then.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unicorn/unicorn.h>

#include "../lib/bench.h"
#include "../lib/golden.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/s3_trio64.h"
#include "../../vmm/option_rom.h"

#define DEVFN PCI_DEVFN(2, 0)
#define LOW_BYTES 0xa0000u
#define WINDOW 0xa0000u
#define WINDOW_BYTES 0x20000u
#define ROM 0xc0000u
#define ROM_BYTES 0x10000u
#define START 0x600u
#define BOOT 0x7c00u
#define IMAGE_BYTES_MAX 0x10000u
#define COM1 0x3f8
#define FLAG_CARRY 1u
#define PARTS 8u /* of the pictures, side by side */
#define FLAG_INTERRUPT 0x200u

struct computer {
	struct bench *b;
	struct display_memory memory;
	struct display display;
	uc_engine *cpu;
	uint8_t *low, *rom;
	char text[16384];
	size_t length, line; /* of the text, where its last line begins */
	/* Called at the end of each line; what it returns is the answer on the serial port, 0: none. */
	char (*said)(struct computer *pc, const char *line);
	char answer;
	unsigned int part, asked, shown; /* of PARTS: every so manieth picture */
};

static uint32_t port_in(uc_engine *cpu, uint32_t port, int size, void *opaque)
{
	struct computer *pc = opaque;

	(void)cpu;
	if (port == COM1 + 5)
		return pc->answer ? 0x61 : 0x60;
	if (port == COM1) {
		const uint32_t answer = (uint8_t)pc->answer;

		pc->answer = 0;
		return answer;
	}
	advance(pc->b, 1000);
	return io_port_read(&pc->b->io, (uint16_t)port, (unsigned int)size);
}

static void said(struct computer *pc, char c)
{
	if (pc->length + 1 >= sizeof(pc->text))
		return;
	pc->text[pc->length++] = c;
	if (c != '\n')
		return;
	if (pc->said)
		pc->answer = pc->said(pc, pc->text + pc->line);
	pc->line = pc->length;
}

static void port_out(uc_engine *cpu, uint32_t port, int size, uint32_t value, void *opaque)
{
	struct computer *pc = opaque;

	(void)cpu;
	if (port == COM1)
		said(pc, (char)value);
	else
		io_port_write(&pc->b->io, (uint16_t)port, (unsigned int)size, value);
}

static uint64_t window_read(uc_engine *cpu, uint64_t offset, unsigned int size, void *opaque)
{
	uint64_t value = 0;

	(void)cpu;
	io_memory_read(&((struct computer *)opaque)->b->io, WINDOW + offset, &value, size);
	return value;
}

static void window_write(uc_engine *cpu, uint64_t offset, unsigned int size, uint64_t value,
			 void *opaque)
{
	(void)cpu;
	io_memory_write(&((struct computer *)opaque)->b->io, WINDOW + offset, &value, size);
}

static uint32_t get(struct computer *pc, int reg)
{
	uint32_t value = 0;

	uc_reg_read(pc->cpu, reg, &value);
	return value;
}

static void set(struct computer *pc, int reg, uint32_t value)
{
	uc_reg_write(pc->cpu, reg, &value);
}

static void push(struct computer *pc, uint32_t value)
{
	uint32_t sp = (get(pc, UC_X86_REG_SP) - 2) & 0xffff;

	set(pc, UC_X86_REG_SP, sp);
	put_le16(pc->low + (get(pc, UC_X86_REG_SS) & 0xffff) * 16 + sp, (uint16_t)value);
}

/* The emulator leaves interrupts to us: the disk is there already, all others go by their vectors. */
static void interrupt(uc_engine *cpu, uint32_t number, void *opaque)
{
	struct computer *pc = opaque;
	uint32_t flags = get(pc, UC_X86_REG_EFLAGS);

	(void)cpu;
	if (number == 0x13) {
		set(pc, UC_X86_REG_EFLAGS, flags & ~FLAG_CARRY);
		return;
	}
	push(pc, flags);
	push(pc, get(pc, UC_X86_REG_CS));
	push(pc, get(pc, UC_X86_REG_IP));
	set(pc, UC_X86_REG_EFLAGS, flags & ~FLAG_INTERRUPT);
	set(pc, UC_X86_REG_CS, get_le16(pc->low + number * 4 + 2));
	set(pc, UC_X86_REG_IP, get_le16(pc->low + number * 4));
}

static void load_guest(struct computer *pc, const char *name)
{
	/* lcall C000:0003, the ROM's initialisation; ljmp 0:7C00. */
	static const uint8_t start[] = {
		0x9a, 0x03, 0x00, 0x00, 0xc0, 0xea, 0x00, 0x7c, 0x00, 0x00
	};
	const char *build = getenv("BUILD");
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/guest/%s", build ? build : "build", name);
	file = fopen(path, "rb");
	cr_assert_not_null(file, "%s is missing: run make tests", path);
	cr_assert_gt(fread(pc->low + BOOT, 1, IMAGE_BYTES_MAX, file), 512);
	fclose(file);
	memcpy(pc->low + START, start, sizeof(start));
}

static struct computer *computer_new(void)
{
	struct computer *pc = calloc(1, sizeof(*pc));
	struct s3_trio64_config config = { .devfn = DEVFN };
	uc_hook hook;

	pc->b = bench_new();
	pc->memory.size = DISPLAY_MEMORY_MAX;
	pc->memory.bytes = calloc(1, DISPLAY_MEMORY_MAX);
	config.bus = &pc->b->pci;
	config.memory = &pc->memory;
	config.display = &pc->display;
	bench_add(pc->b, &s3_trio64_class, &config);
	bench_config_write(pc->b, DEVFN, PCI_BAR0, 4, 0xe0000000);
	bench_config_write(pc->b, DEVFN, PCI_CMD, 2, PCI_CMD_IOSE | PCI_CMD_MSE);
	pc->low = calloc(1, LOW_BYTES);
	pc->rom = calloc(1, ROM_BYTES);
	option_rom_video(pc->rom);
	cr_assert_eq(uc_open(UC_ARCH_X86, UC_MODE_16, &pc->cpu), UC_ERR_OK);
	uc_mem_map_ptr(pc->cpu, 0, LOW_BYTES, UC_PROT_ALL, pc->low);
	uc_mem_map_ptr(pc->cpu, ROM, ROM_BYTES, UC_PROT_READ | UC_PROT_EXEC, pc->rom);
	uc_mmio_map(pc->cpu, WINDOW, WINDOW_BYTES, window_read, pc, window_write, pc);
	uc_hook_add(pc->cpu, &hook, UC_HOOK_INSN, (void *)port_in, pc, 1, 0, UC_X86_INS_IN);
	uc_hook_add(pc->cpu, &hook, UC_HOOK_INSN, (void *)port_out, pc, 1, 0, UC_X86_INS_OUT);
	uc_hook_add(pc->cpu, &hook, UC_HOOK_INTR, (void *)interrupt, pc, 1, 0);
	set(pc, UC_X86_REG_SS, 0);
	set(pc, UC_X86_REG_SP, BOOT);
	return pc;
}

static void computer_free(struct computer *pc)
{
	uc_close(pc->cpu);
	bench_free(pc->b);
	free(pc->memory.bytes);
	free(pc->low);
	free(pc->rom);
	free(pc);
}

static unsigned int count(const char *text, const char *word)
{
	unsigned int n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

Test(video_bios, every_function_and_mode_does_what_it_should)
{
	struct computer *pc = computer_new();
	uc_err error;

	load_guest(pc, "video.img");
	error = uc_emu_start(pc->cpu, START, 0, 0, 0);
	cr_assert_eq(error, UC_ERR_OK, "%s at %x:%x\n%s", uc_strerror(error),
		     get(pc, UC_X86_REG_CS), get(pc, UC_X86_REG_IP), pc->text);
	cr_assert_null(strstr(pc->text, "FAILED"), "%s", pc->text);
	cr_assert_not_null(strstr(pc->text, "video: done"), "%s", pc->text);
	cr_assert_geq(count(pc->text, "video: ok"), 15, "%s", pc->text);
	computer_free(pc);
}

/* --- pictures */

/* What the display shows, all of it drawn anew. */
static struct golden_picture picture_of(struct computer *pc)
{
	struct display_geometry geometry;
	struct display_surface surface = { .stale = true };

	display_geometry(&pc->display, &geometry);
	cr_assert_not(geometry.blank);
	surface.width = surface.stride_pixels = geometry.width;
	surface.height = geometry.height;
	surface.pixels = calloc((size_t)geometry.width * geometry.height, 4);
	display_refresh(&pc->display, &surface);
	return (struct golden_picture){ geometry.width, geometry.height, surface.pixels };
}

/*
 * "show? NAME" is answered with yes, "show: NAME" when its picture has been compared. S3's own numbers of VBE's
 * modes, whose pictures are links, are left to the guest case.
 */
static char shows(struct computer *pc, const char *line)
{
	const char *folder = getenv("GOLDEN");
	struct golden_picture picture, golden;
	char name[64] = "", path[256], error[256] = "";
	uint64_t differ;

	if (sscanf(line, "show? %63[a-z0-9-]", name) == 1) {
		snprintf(path, sizeof(path), "tests/guest/pictures/%s.png", name);
		if (readlink(path, error, sizeof(error)) >= 0)
			return 'n';
		return pc->asked++ % PARTS == pc->part ? 'y' : 'n';
	}
	if (sscanf(line, "show: %63[a-z0-9-]", name) != 1 || !strcmp(name, "done"))
		return 'y';
	pc->shown++;
	picture = picture_of(pc);
	snprintf(path, sizeof(path), "%s/%s.png", folder ? folder : "tests/guest/pictures", name);
	if (folder) {
		cr_assert_eq(golden_save(path, &picture, error, sizeof(error)), 0, "%s", error);
	} else {
		cr_assert_eq(golden_load(path, &golden, error, sizeof(error)), 0, "%s", error);
		differ = golden_differences(&picture, &golden, NULL, 0);
		cr_expect_eq(differ, 0, "%s: %llu pixels differ", path, (unsigned long long)differ);
		free(golden.pixels);
	}
	free(picture.pixels);
	return 'y';
}

static void compare_part(unsigned int part)
{
	struct computer *pc = computer_new();
	uc_err error;

	pc->said = shows;
	pc->part = part;
	load_guest(pc, "show.img");
	error = uc_emu_start(pc->cpu, START, 0, 0, 0);
	cr_assert_eq(error, UC_ERR_OK, "%s at %x:%x\n%s", uc_strerror(error),
		     get(pc, UC_X86_REG_CS), get(pc, UC_X86_REG_IP), pc->text);
	cr_assert_not_null(strstr(pc->text, "show: done"), "%s", pc->text);
	cr_assert_geq(pc->asked, 47, "%s", pc->text);
	cr_assert_geq(pc->shown, pc->asked / PARTS, "%s", pc->text);
	computer_free(pc);
}

/* Every mode looks as a person has seen it. */
#define PART(number)                                                                               \
	Test(video_bios, every_mode_looks_as_a_person_has_seen_it_##number)                        \
	{                                                                                          \
		compare_part(number);                                                              \
	}
PART(0)
PART(1)
PART(2)
PART(3)
PART(4)
PART(5)
PART(6)
PART(7)
_Static_assert(PARTS == 8, "a test for each");

Test(video_bios, image_is_an_option_rom_of_the_adapter)
{
	static uint8_t image[OPTION_ROM_VIDEO_BYTES];
	const uint8_t *data;
	uint8_t sum = 0;

	option_rom_video(image);
	for (size_t i = 0; i < sizeof(image); i++)
		sum = (uint8_t)(sum + image[i]);
	cr_assert_eq(sum, 0);
	cr_assert_eq(get_le16(image), 0xaa55);
	cr_assert_eq(image[2] * 512u, sizeof(image));
	data = image + get_le16(image + 0x18);
	cr_assert_eq(memcmp(data, "PCIR", 4), 0);
	cr_assert_eq(get_le16(data + 4), 0x5333);
	cr_assert_eq(get_le16(data + 6), 0x8811);
}
