// SPDX-License-Identifier: GPL-2.0-or-later
/* Firmware configuration: by ports, by string instructions, by DMA. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bytes.h"
#include "../../base/cursor.h"
#include "../../devmodel/fwcfg.h"

#define SELECT 0x510
#define DATA 0x511
#define DMA_HIGH 0x514
#define DMA_LOW 0x518
#define COMMAND 0x1000
#define BUFFER 0x2000

#define DMA_ERROR 0x01
#define DMA_READ 0x02
#define DMA_SKIP 0x04
#define DMA_SELECT 0x08
#define DMA_WRITE 0x10

static void read_item(struct bench *b, uint16_t key, void *bytes, size_t count)
{
	outw(b, SELECT, key);
	io_port_read_string(&b->io, DATA, 1, bytes, count);
}

/* Carries out a command; the control word afterwards. */
static uint32_t dma(struct bench *b, uint32_t control, uint32_t length, uint64_t gpa)
{
	put_be32(b->ram + COMMAND, control);
	put_be32(b->ram + COMMAND + 4, length);
	put_be64(b->ram + COMMAND + 8, gpa);
	outl(b, DMA_HIGH, 0);
	outl(b, DMA_LOW, __builtin_bswap32(COMMAND));
	return get_be32(b->ram + COMMAND);
}

Test(fwcfg, signature_and_features)
{
	struct bench *b = bench_new();
	struct fwcfg_config config = { .dma = false };
	uint8_t bytes[4];

	bench_add(b, &fwcfg_class, &config);
	cr_assert_eq(inb(b, DATA), 'Q', "selected at reset");
	read_item(b, 0, bytes, 4);
	cr_assert_eq(memcmp(bytes, "QEMU", 4), 0);
	read_item(b, 1, bytes, 4);
	cr_assert_eq(get_le32(bytes), 1);
	cr_assert_eq(inl(b, DMA_HIGH), 0xffffffff);
	bench_free(b);
}

Test(fwcfg, dma_shows_in_features_and_signature)
{
	struct bench *b = bench_new();
	uint8_t bytes[8];

	bench_add(b, &fwcfg_class, NULL);
	read_item(b, 1, bytes, 4);
	cr_assert_eq(get_le32(bytes), 3);
	put_le32(bytes, inl(b, DMA_HIGH));
	put_le32(bytes + 4, inl(b, DMA_LOW));
	cr_assert_eq(memcmp(bytes, "QEMU CFG", 8), 0);
	bench_free(b);
}

Test(fwcfg, items_read_to_their_end_and_zeros_behind)
{
	struct bench *b = bench_new();
	struct device *dev = bench_add(b, &fwcfg_class, NULL);
	uint8_t bytes[6];

	cr_assert_eq(fwcfg_add(dev, 5, "\x02\x00", 2), 0);
	cr_assert_eq(fwcfg_add(dev, 0x8002, "\x01", 1), 0);
	memset(bytes, 0xff, sizeof(bytes));
	read_item(b, 5, bytes, 6);
	cr_assert_eq(memcmp(bytes, "\x02\0\0\0\0\0", 6), 0);
	outw(b, SELECT, 5);
	cr_assert_eq(inb(b, DATA), 2);
	outb(b, DATA, 0x77);
	cr_assert_eq(inb(b, DATA), 0, "writes go nowhere");
	cr_assert_eq(inb(b, DATA), 0);
	read_item(b, 0x8002, bytes, 1);
	cr_assert_eq(bytes[0], 1);
	read_item(b, 0x1234, bytes, 6);
	cr_assert_eq(memcmp(bytes, "\0\0\0\0\0\0", 6), 0, "unknown keys are empty");
	bench_free(b);
}

Test(fwcfg, directory_is_sorted_and_complete)
{
	struct bench *b = bench_new();
	struct device *dev = bench_add(b, &fwcfg_class, NULL);
	static const char *const names[] = { "genroms/x.rom", "bootorder", "etc/e820",
					     "etc/acpi/rsdp" };
	static const char *const sorted[] = { "bootorder", "etc/acpi/rsdp", "etc/e820",
					      "genroms/x.rom" };
	uint8_t directory[4 + 4 * 64], bytes[16];

	for (unsigned int i = 0; i < 4; i++)
		cr_assert_eq(fwcfg_add_file(dev, names[i], names[i], strlen(names[i])), 0);
	read_item(b, 0x19, directory, sizeof(directory));
	cr_assert_eq(get_be32(directory), 4);
	for (unsigned int i = 0; i < 4; i++) {
		const uint8_t *entry = directory + 4 + i * 64;

		cr_assert_str_eq((const char *)entry + 8, sorted[i]);
		cr_assert_eq(get_be32(entry), strlen(sorted[i]));
		cr_assert_eq(get_be16(entry + 6), 0);
		read_item(b, get_be16(entry + 4), bytes, strlen(sorted[i]));
		cr_assert_eq(memcmp(bytes, sorted[i], strlen(sorted[i])), 0);
	}
	bench_free(b);
}

Test(fwcfg, adding_has_limits)
{
	struct bench *b = bench_new();
	struct device *dev = bench_add(b, &fwcfg_class, NULL);
	char name[FWCFG_NAME_BYTES + 1];
	unsigned int added = 0;
	int r;

	memset(name, 'n', sizeof(name));
	name[FWCFG_NAME_BYTES] = '\0';
	cr_assert_eq(fwcfg_add_file(dev, name, "", 0), -EINVAL);
	name[FWCFG_NAME_BYTES - 1] = '\0';
	cr_assert_eq(fwcfg_add_file(dev, name, NULL, 0), 0);
	cr_assert_eq(fwcfg_add_file(dev, name, "", 0), -EEXIST);
	cr_assert_eq(fwcfg_add_file(dev, "", "", 0), -EINVAL);
	cr_assert_eq(fwcfg_add(dev, FWCFG_KEY_SIGNATURE, "", 0), -EEXIST);
	cr_assert_eq(fwcfg_add(dev, FWCFG_KEY_FILES, "", 0), -EINVAL);
	cr_assert_eq(fwcfg_add(dev, 0x4005, "", 0), -EINVAL);
	cr_assert_eq(fwcfg_add(dev, 5, "", FWCFG_ITEM_BYTES_MAX + 1u), -E2BIG);
	do {
		snprintf(name, sizeof(name), "file%u", added);
		r = fwcfg_add_file(dev, name, name, strlen(name));
	} while (r == 0 && ++added < 1000);
	cr_assert_eq(r, -ENOSPC);
	cr_assert_eq(added, FWCFG_ITEMS_MAX - 4);
	bench_free(b);
}

Test(fwcfg, dma_selects_skips_and_reads)
{
	struct bench *b = bench_new();
	struct device *dev = bench_add(b, &fwcfg_class, NULL);

	fwcfg_add(dev, 0x8000, "0123456789", 10);
	memset(b->ram + BUFFER, 0xee, 8192);
	cr_assert_eq(dma(b, 0x80000000 | DMA_SELECT | DMA_READ, 4, BUFFER), 0);
	cr_assert_eq(memcmp(b->ram + BUFFER, "0123\xee", 5), 0);
	cr_assert_eq(dma(b, DMA_SKIP, 3, 0), 0);
	cr_assert_eq(inb(b, DATA), '7', "the ports go on where DMA ended");
	cr_assert_eq(dma(b, DMA_READ, 6000, BUFFER), 0);
	cr_assert_eq(memcmp(b->ram + BUFFER, "89", 2), 0);
	for (unsigned int i = 2; i < 6000; i++)
		cr_assert_eq(b->ram[BUFFER + i], 0);
	cr_assert_eq(b->ram[BUFFER + 6000], 0xee);
	cr_assert_eq(dma(b, DMA_SELECT, 0, 0), 0);
	cr_assert_eq(inb(b, DATA), 'Q');
	bench_free(b);
}

Test(fwcfg, dma_errors_are_flagged)
{
	struct bench *b = bench_new();

	bench_add(b, &fwcfg_class, NULL);
	cr_assert_eq(dma(b, DMA_SELECT | DMA_READ, 4, BENCH_RAM_BYTES - 2), DMA_ERROR);
	cr_assert_eq(dma(b, DMA_SELECT | DMA_READ, 4, UINT64_MAX - 1), DMA_ERROR);
	cr_assert_eq(dma(b, DMA_READ, UINT32_MAX, 0), DMA_ERROR, "too long");
	cr_assert_eq(dma(b, DMA_READ, BENCH_RAM_BYTES, BUFFER), DMA_ERROR, "zeros leave RAM too");
	cr_assert_eq(dma(b, DMA_SELECT | DMA_WRITE, 4, BUFFER), DMA_ERROR);
	cr_assert_eq(dma(b, DMA_SELECT | DMA_READ, 4, BUFFER), 0);
	cr_assert_eq(memcmp(b->ram + BUFFER, "QEMU", 4), 0);
	outl(b, DMA_HIGH, 0xffffffff);
	outl(b, DMA_LOW, 0xf0ffffff);
	cr_assert_eq(b->guest_logs, 1, "a command that is nowhere");
	outw(b, DMA_LOW, 0x1000);
	outb(b, DMA_LOW + 3, 0);
	cr_assert_eq(b->guest_logs, 1, "parts of the address do not start anything");
	bench_free(b);
}

Test(fwcfg, state_travels_in_the_middle_of_an_item)
{
	struct bench *b = bench_new(), *c = bench_new();
	struct device *from = bench_add(b, &fwcfg_class, NULL);
	struct device *to = bench_add(c, &fwcfg_class, NULL);
	uint8_t stream[256], again[256], bytes[3];
	struct cursor w = cursor_writer(stream, sizeof(stream)), r;
	char error[128];

	fwcfg_add_file(from, "etc/x", "abcdef", 6);
	fwcfg_add_file(to, "etc/x", "abcdef", 6);
	read_item(b, FWCFG_KEY_FILES, bytes, 3);
	outl(b, DMA_HIGH, 0x12345678);
	state_save(from, &w);
	cr_assert(cursor_ok(&w));
	r = cursor_reader(stream, w.pos);
	cr_assert_eq(state_load(to, &r, error, sizeof(error)), 0, "%s", error);
	r = cursor_writer(again, sizeof(again));
	state_save(to, &r);
	cr_assert_eq(memcmp(stream, again, w.pos), 0);
	cr_assert_eq(inb(c, DATA), 'd');
	device_reset(to, RESET_HARD);
	cr_assert_eq(inb(c, DATA), 'Q');
	cr_assert_eq(state_coverage(&fwcfg_class), (long)fwcfg_class.state_size);
	bench_free(b);
	bench_free(c);
}

Test(fwcfg, rude_guest)
{
	struct bench *b = bench_new();
	struct device *dev = bench_add(b, &fwcfg_class, NULL);
	static uint8_t junk[4096];
	uint32_t seed = 11;

	fwcfg_add_file(dev, "etc/x", junk, sizeof(junk));
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int size = 1u << (seed >> 9) % 3;

		seed = seed * 1664525u + 1013904223u;
		switch (seed >> 29) {
		case 0:
			outw(b, SELECT, (uint16_t)(seed >> 8 & 0x403f));
			break;
		case 1:
			io_port_read_string(&b->io, DATA, size, junk, seed >> 8 & 0x3ff);
			break;
		case 2:
			dma(b, seed & 0x3f001f, seed * 2654435761u >> 14, seed >> 9);
			break;
		case 3:
			dma(b, DMA_SKIP, UINT32_MAX, 0);
			break;
		default:
			io_port_write(&b->io, (uint16_t)(SELECT + (seed >> 16) % 12), size,
				      seed * 2654435761u);
			io_port_read(&b->io, (uint16_t)(SELECT + (seed >> 12) % 12), size);
			break;
		}
	}
	read_item(b, 0, junk, 4);
	cr_assert_eq(memcmp(junk, "QEMU", 4), 0);
	bench_free(b);
}
