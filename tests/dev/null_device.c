// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "../lib/bench.h"
#include "../../devmodel/null_device.h"

Test(null_device, scratch_keeps_and_id_stays)
{
	struct bench *b = bench_new();

	bench_add(b, &null_device_class, NULL);
	outb(b, 0x2f1, 0xa5);
	outb(b, 0x2f0, 0x00);
	cr_assert_eq(inb(b, 0x2f1), 0xa5);
	cr_assert_eq(inw(b, 0x2f0), 0xa54d);
	cr_assert_eq(inb(b, 0x2f2), 0xff, "nobody is there");
	cr_assert_eq(inw(b, 0x2f1), 0xffa5, "an access across the end is split");
	bench_free(b);
}
