// SPDX-License-Identifier: GPL-2.0-or-later
/* PIIX4 function 3: ACPI registers, the timer, power states, SMBus. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/cursor.h"
#include "../../devmodel/piix4_pm.h"

#define PM PCI_DEVFN(1, 3)
#define PMBASE 0x600
#define SMBBASE 0x700
#define PMSTS (PMBASE + 0x00)
#define PMEN (PMBASE + 0x02)
#define PMCNTRL (PMBASE + 0x04)
#define PMTMR (PMBASE + 0x08)
#define SCI_EN 0x0001
#define TMROF 0x0001
#define PWRBTN 0x0100
#define RTC 0x0400
#define WAK 0x8000
#define SCI 9

/* 2^23 ticks of 3.579545 MHz, to the first nanosecond at which bit 23 has toggled. */
#define HALF_NS UINT64_C(2343484438)

static struct device *add_pm(struct bench *b, uint64_t memory_bytes)
{
	struct piix4_pm_config config = { .bus = &b->pci,
					  .devfn = PM,
					  .memory_bytes = memory_bytes };

	return bench_add(b, &piix4_pm_class, &config);
}

/* As SeaBIOS sets it up. */
static void seabios_sets_up(struct bench *b)
{
	bench_config_write(b, PM, 0x3c, 1, 9);
	bench_config_write(b, PM, 0x40, 4, PMBASE | 1);
	bench_config_write(b, PM, 0x80, 1, 1);
	bench_config_write(b, PM, 0x90, 4, SMBBASE | 1);
	bench_config_write(b, PM, 0xd2, 1, 9);
	bench_config_write(b, PM, 0x04, 2, 0x0103);
}

static struct device *start(struct bench *b)
{
	struct device *dev = add_pm(b, MIB(64));

	seabios_sets_up(b);
	return dev;
}

Test(piix4_pm, identity_and_reset_values)
{
	struct bench *b = bench_new();

	add_pm(b, MIB(64));
	cr_assert_eq(bench_config_read(b, PM, 0x00, 4), 0x71138086);
	cr_assert_eq(bench_config_read(b, PM, 0x08, 4), 0x06800003);
	cr_assert_eq(bench_config_read(b, PM, 0x40, 4), 1);
	cr_assert_eq(bench_config_read(b, PM, 0x58, 4), 0x02000000, "APMC_EN: SeaBIOS leaves SMM");
	cr_assert_eq(bench_config_read(b, PM, 0x90, 4), 1);
	cr_assert_eq(bench_config_read(b, PM, 0x3d, 1), 0);
	bench_free(b);
}

Test(piix4_pm, bases_move_and_have_enables_of_their_own)
{
	struct bench *b = bench_new();

	add_pm(b, MIB(64));
	bench_config_write(b, PM, 0x40, 4, 0xffffffff);
	cr_assert_eq(bench_config_read(b, PM, 0x40, 4), 0xffc1);
	bench_config_write(b, PM, 0x40, 4, 0xb000);
	cr_assert_eq(inl(b, 0xb034), 0xffffffff, "PMIOSE is clear");
	bench_config_write(b, PM, 0x80, 1, 1);
	cr_assert_eq(inl(b, 0xb034), 0x7fffbfff, "GPOREG");
	cr_assert_eq(inl(b, 0xb030), 0x003fffff, "GPIREG");
	bench_config_write(b, PM, 0x40, 4, 0x600);
	cr_assert_eq(inl(b, 0xb034), 0xffffffff);
	cr_assert_eq(inl(b, 0x634), 0x7fffbfff);
	bench_config_write(b, PM, 0x90, 4, 0xb100);
	bench_config_write(b, PM, 0xd2, 1, 1);
	cr_assert_eq(inb(b, 0xb100), 0xff, "IOSE is clear");
	bench_config_write(b, PM, 0x04, 1, 1);
	cr_assert_eq(inb(b, 0xb100), 0);
	bench_config_write(b, PM, 0x40, 4, 0);
	cr_assert_eq(inb(b, 0x634), 0xff, "base 0 decodes nothing");
	bench_free(b);
}

Test(piix4_pm, general_outputs_are_kept_and_inputs_are_pulled_up)
{
	struct bench *b = bench_new();
	struct device *dev = start(b);

	outl(b, PMBASE + 0x34, 0);
	cr_assert_eq(inl(b, PMBASE + 0x34), 0);
	outb(b, PMBASE + 0x37, 0xff);
	outb(b, PMBASE + 0x35, 0xa5);
	cr_assert_eq(inl(b, PMBASE + 0x34), 0x7f00a500, "bit 31 is no output");
	/* Nothing is wired to the outputs that an input would show. */
	outl(b, PMBASE + 0x30, 0);
	cr_assert_eq(inl(b, PMBASE + 0x30), 0x003fffff);
	cr_assert_eq(inw(b, PMBASE + 0x0c), 0, "nor an event");
	device_reset(dev, RESET_HARD);
	seabios_sets_up(b);
	cr_assert_eq(inl(b, PMBASE + 0x34), 0x7fffbfff);
	bench_free(b);
}

Test(piix4_pm, bases_on_top_of_each_other_are_survived)
{
	struct bench *b = bench_new();

	start(b);
	bench_config_write(b, PM, 0x90, 4, PMBASE | 1);
	cr_assert_gt(b->guest_logs, 0);
	cr_assert_eq(inl(b, PMBASE + 0x34), 0x7fffbfff);
	bench_config_write(b, PM, 0x40, 4, 0xb000);
	bench_config_write(b, PM, 0x90, 4, SMBBASE | 1);
	cr_assert_eq(inb(b, SMBBASE), 0);
	bench_free(b);
}

Test(piix4_pm, timer_runs_at_3579545_hz_and_never_back)
{
	struct bench *b = bench_new();
	uint32_t last, now;
	uint64_t total = 0;

	start(b);
	last = inl(b, PMTMR);
	for (unsigned int i = 0; i < 1000; i++) {
		advance(b, 1234567);
		now = inl(b, PMTMR);
		cr_assert_eq(now >> 24, 0, "24 bits");
		total += (now - last) & 0xffffff;
		last = now;
	}
	cr_assert_eq(total, UINT64_C(1234567000) * 3579545 / 1000000000);
	advance(b, 279);
	cr_assert_leq((inl(b, PMTMR) - last) & 0xffffff, 1);
	bench_free(b);
}

Test(piix4_pm, timer_overflow_interrupts_at_its_nanosecond)
{
	struct bench *b = bench_new();

	start(b);
	outw(b, PMEN, TMROF);
	outw(b, PMCNTRL, SCI_EN);
	advance(b, HALF_NS - 1);
	cr_assert_not(irq_level(b, SCI));
	cr_assert_eq(inl(b, PMTMR), 0x7fffff);
	advance(b, 1);
	cr_assert(irq_level(b, SCI));
	cr_assert_eq(inl(b, PMTMR), 0x800000);
	cr_assert_eq(inw(b, PMSTS), TMROF);
	cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF, "nothing to wait for");
	outw(b, PMSTS, TMROF);
	cr_assert_not(irq_level(b, SCI));
	/* The wrap to 0 is a toggle too. */
	advance(b, HALF_NS);
	cr_assert(irq_level(b, SCI));
	cr_assert_lt(inl(b, PMTMR), 8);
	bench_free(b);
}

Test(piix4_pm, timer_status_needs_no_timer)
{
	struct bench *b = bench_new();

	start(b);
	outw(b, PMCNTRL, SCI_EN);
	cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF);
	advance(b, 10 * HALF_NS);
	cr_assert_eq(inw(b, PMSTS), TMROF);
	outw(b, PMSTS, TMROF);
	cr_assert_eq(inw(b, PMSTS), 0);
	advance(b, HALF_NS);
	outw(b, PMEN, TMROF);
	cr_assert(irq_level(b, SCI), "it was pending when it was enabled");
	outw(b, PMEN, 0);
	cr_assert_not(irq_level(b, SCI));
	bench_free(b);
}

Test(piix4_pm, power_button_raises_sci_when_enabled)
{
	struct bench *b = bench_new();
	struct device *dev = start(b);

	piix4_pm_power_button(dev);
	cr_assert_eq(inw(b, PMSTS), PWRBTN);
	cr_assert_not(irq_level(b, SCI));
	outw(b, PMEN, PWRBTN);
	cr_assert_not(irq_level(b, SCI), "not in ACPI mode");
	outb(b, 0xb2, PIIX4_PM_ACPI_ENABLE);
	cr_assert_eq(inw(b, PMCNTRL), SCI_EN);
	cr_assert(irq_level(b, SCI));
	outw(b, PMSTS, (uint16_t)~PWRBTN);
	cr_assert(irq_level(b, SCI));
	outb(b, PMSTS + 1, PWRBTN >> 8);
	cr_assert_not(irq_level(b, SCI));
	outb(b, 0xb2, PIIX4_PM_ACPI_DISABLE);
	cr_assert_eq(inw(b, PMCNTRL), 0);
	bench_free(b);
}

Test(piix4_pm, apm_ports_read_back)
{
	struct bench *b = bench_new();

	start(b);
	outb(b, 0xb3, 0x5a);
	outb(b, 0xb2, 0x12);
	cr_assert_eq(inw(b, 0xb2), 0x5a12);
	cr_assert_eq(inw(b, PMCNTRL), 0, "only two values mean anything");
	bench_free(b);
}

Test(piix4_pm, suspend_types)
{
	struct bench *b = bench_new();

	start(b);
	outw(b, PMCNTRL, PIIX4_PM_SUS_TYP_STR << 10);
	cr_assert_eq(b->requests[REQUEST_SUSPEND], 0, "nothing without SUS_EN");
	outw(b, PMCNTRL, PIIX4_PM_SUS_TYP_STR << 10 | BIT(13));
	cr_assert_eq(b->requests[REQUEST_SUSPEND], 1);
	cr_assert_eq(inw(b, PMCNTRL), PIIX4_PM_SUS_TYP_STR << 10, "SUS_EN reads 0");
	outw(b, PMCNTRL, 3 << 10 | BIT(13));
	cr_assert_eq(inw(b, PMSTS) & WAK, WAK, "awake again at once");
	cr_assert_eq(b->guest_logs, 1);
	/* What SeaBIOS writes for APM power off. */
	outw(b, PMCNTRL, 0x2000);
	cr_assert_eq(b->requests[REQUEST_POWER_OFF], 1);
	cr_assert_eq(b->requests[REQUEST_SUSPEND], 1);
	bench_free(b);
}

Test(piix4_pm, wake_keeps_what_woke_it)
{
	struct bench *b = bench_new();
	struct device *dev = start(b);

	outw(b, PMEN, RTC | PWRBTN);
	outw(b, PMCNTRL, SCI_EN | PIIX4_PM_SUS_TYP_STR << 10 | BIT(13));
	cr_assert_not(piix4_pm_wake_pending(dev));
	piix4_pm_rtc_irq(dev, 8, true);
	cr_assert(piix4_pm_wake_pending(dev));
	device_reset(dev, RESET_SLEEP);
	cr_assert_not(irq_level(b, SCI), "SCI_EN is lost");
	cr_assert_eq(bench_config_read(b, PM, 0x40, 4), PMBASE | 1, "the base stays");
	cr_assert_eq(inw(b, PMSTS), WAK | RTC);
	cr_assert_eq(inw(b, PMEN), RTC | PWRBTN);
	device_reset(dev, RESET_HARD);
	seabios_sets_up(b);
	cr_assert_eq(inl(b, PMSTS), 0);
	bench_free(b);
}

Test(piix4_pm, what_wakes)
{
	struct bench *b = bench_new();
	struct device *dev = start(b);

	piix4_pm_rtc_irq(dev, 8, true);
	advance(b, HALF_NS);
	outw(b, PMEN, TMROF);
	cr_assert_not(piix4_pm_wake_pending(dev), "neither a disabled RTC nor the timer");
	outw(b, PMEN, RTC);
	cr_assert(piix4_pm_wake_pending(dev));
	outw(b, PMSTS, RTC);
	cr_assert_not(piix4_pm_wake_pending(dev));
	piix4_pm_power_button(dev);
	cr_assert(piix4_pm_wake_pending(dev), "the button always does");
	bench_free(b);
}

Test(piix4_pm, rtc_interrupt_sets_its_status_on_the_edge)
{
	struct bench *b = bench_new();
	struct device *dev = start(b);

	outw(b, PMEN, RTC);
	outw(b, PMCNTRL, SCI_EN);
	piix4_pm_rtc_irq(dev, 8, true);
	cr_assert(irq_level(b, SCI));
	outw(b, PMSTS, RTC);
	cr_assert_not(irq_level(b, SCI));
	piix4_pm_rtc_irq(dev, 8, true);
	cr_assert_not(irq_level(b, SCI), "no edge");
	piix4_pm_rtc_irq(dev, 8, false);
	piix4_pm_rtc_irq(dev, 8, true);
	cr_assert(irq_level(b, SCI));
	bench_free(b);
}

Test(piix4_pm, bios_release_and_global_release)
{
	struct bench *b = bench_new();

	start(b);
	outl(b, PMBASE + 0x28, 0x2);
	cr_assert_eq(inw(b, PMSTS), 0x20, "GBL_STS");
	cr_assert_eq(inw(b, PMBASE + 0x18) & 0x40, 0x40, "summary in GLBSTS");
	outw(b, PMSTS, 0x20);
	cr_assert_eq(inl(b, PMBASE + 0x28), 0, "BIOS_RLS goes with it");
	outw(b, PMCNTRL, 0x4);
	cr_assert_eq(inw(b, PMCNTRL), 0);
	cr_assert_eq(inw(b, PMBASE + 0x18), 0x01, "BIOS_STS");
	outw(b, PMBASE + 0x18, 0xffff);
	cr_assert_eq(inw(b, PMBASE + 0x18), 0);
	cr_assert_eq(inb(b, PMBASE + 0x14), 0, "PLVL2");
	bench_free(b);
}

/* One transaction; the status afterwards, which is cleared. */
static uint8_t smbus(struct bench *b, uint8_t address, uint8_t command, uint8_t protocol)
{
	uint8_t status;

	outb(b, SMBBASE + 4, address);
	outb(b, SMBBASE + 3, command);
	outb(b, SMBBASE + 2, (uint8_t)(0x40 | protocol << 2));
	status = inb(b, SMBBASE);
	outb(b, SMBBASE, status);
	cr_assert_eq(inb(b, SMBBASE), 0);
	cr_assert_eq(inb(b, SMBBASE + 2) & 0x40, 0, "START reads 0");
	return status;
}

Test(piix4_pm, smbus_reads_the_modules_eeproms)
{
	struct bench *b = bench_new();
	uint8_t spd[64], sum = 0;

	add_pm(b, MIB(96));
	seabios_sets_up(b);
	for (uint8_t i = 0; i < 64; i++) {
		cr_assert_eq(smbus(b, 0xa1, i, 2), 0x02);
		spd[i] = inb(b, SMBBASE + 5);
	}
	for (unsigned int i = 0; i < 63; i++)
		sum = (uint8_t)(sum + spd[i]);
	cr_assert_eq(spd[63], sum);
	cr_assert_eq(spd[2], 4, "SDRAM");
	cr_assert_eq((8u << (spd[3] + spd[4])) * spd[17] * spd[5], MIB(64));
	cr_assert_eq(spd[31], 64 / 4);
	cr_assert_eq(smbus(b, 0xa3, 31, 3), 0x02, "word");
	cr_assert_eq(inb(b, SMBBASE + 5), 32 / 4, "the second module");
	cr_assert_eq(smbus(b, 0xa2, 31, 1), 0x02, "send byte sets the pointer");
	cr_assert_eq(smbus(b, 0xa3, 0, 1), 0x02, "receive byte");
	cr_assert_eq(inb(b, SMBBASE + 5), 32 / 4);
	cr_assert_eq(smbus(b, 0xa0, 0, 0), 0x02, "quick");
	bench_free(b);
}

Test(piix4_pm, smbus_absent_devices_and_odd_commands_err)
{
	struct bench *b = bench_new();

	start(b);
	for (unsigned int address = 0; address < 256; address++) {
		if (address >> 1 == 0x50)
			continue;
		cr_assert_eq(smbus(b, (uint8_t)address, 0, 2), 0x04, "%02x", address);
	}
	cr_assert_eq(smbus(b, 0xa0, 0, 2), 0x04, "write-protected");
	for (uint8_t protocol = 4; protocol < 8; protocol++)
		cr_assert_eq(smbus(b, 0xa1, 0, protocol), 0x04);
	outb(b, SMBBASE + 2, 0x42);
	cr_assert_eq(inb(b, SMBBASE), 0x10, "killed");
	bench_free(b);
}

Test(piix4_pm, smbus_interrupt_and_block_buffer)
{
	struct bench *b = bench_new();

	start(b);
	outb(b, SMBBASE + 4, 0xa1);
	outb(b, SMBBASE + 2, 0x49);
	cr_assert(irq_level(b, SCI), "SMBHSTCFG routes it to IRQ 9");
	outb(b, SMBBASE, 0x1e);
	cr_assert_not(irq_level(b, SCI));
	bench_config_write(b, PM, 0xd2, 1, 1);
	outb(b, SMBBASE + 2, 0x49);
	cr_assert_not(irq_level(b, SCI), "to SMI, which there is none of");
	inb(b, SMBBASE + 2);
	for (uint8_t i = 0; i < 40; i++)
		outb(b, SMBBASE + 7, i);
	inb(b, SMBBASE + 2);
	cr_assert_eq(inb(b, SMBBASE + 7), 32, "it wraps after 32 bytes");
	bench_free(b);
}

Test(piix4_pm, state_travels_with_the_timer_running)
{
	struct bench *b = bench_new(), *c = bench_new();
	struct device *from = start(b), *to = add_pm(c, MIB(64));
	static uint8_t stream[8192], again[8192];
	struct cursor w = cursor_writer(stream, sizeof(stream)), r;
	char error[128];

	outw(b, PMEN, TMROF | RTC);
	outw(b, PMCNTRL, SCI_EN);
	piix4_pm_rtc_irq(from, 8, true);
	outw(b, PMSTS, RTC);
	advance(b, HALF_NS / 2);
	state_save(from, &w);
	c->now_ns = b->now_ns;
	r = cursor_reader(stream, w.pos);
	cr_assert_eq(state_load(to, &r, error, sizeof(error)), 0, "%s", error);
	to->class->post_load(to);
	piix4_pm_rtc_irq(to, 8, true);
	timer_queue_changed(&c->timers);
	cr_assert_eq(inl(c, PMTMR), inl(b, PMTMR));
	cr_assert_not(irq_level(c, SCI), "the RTC's line is no new event");
	r = cursor_writer(again, sizeof(again));
	state_save(to, &r);
	cr_assert_eq(r.pos, w.pos);
	cr_assert_eq(memcmp(stream, again, w.pos), 0);
	advance(c, HALF_NS / 2 - 1);
	cr_assert_not(irq_level(c, SCI));
	advance(c, 1);
	cr_assert(irq_level(c, SCI));
	cr_assert_eq(state_coverage(&piix4_pm_class), (long)piix4_pm_class.state_size);
	bench_free(b);
	bench_free(c);
}

Test(piix4_pm, a_state_from_the_future_does_no_harm)
{
	struct bench *b = bench_new(), *c = bench_new();
	struct device *from, *to = add_pm(c, MIB(64));
	static uint8_t stream[8192];
	struct cursor w = cursor_writer(stream, sizeof(stream)), r;
	char error[128];

	b->now_ns = UINT64_MAX / 2;
	from = start(b);
	outw(b, PMEN, TMROF);
	outw(b, PMCNTRL, SCI_EN);
	state_save(from, &w);
	r = cursor_reader(stream, w.pos);
	cr_assert_eq(state_load(to, &r, error, sizeof(error)), 0, "%s", error);
	to->class->post_load(to);
	cr_assert_eq(timer_queue_next(&c->timers), c->now_ns + HALF_NS);
	bench_free(b);
	bench_free(c);
}

Test(piix4_pm, rude_guest)
{
	struct bench *b = bench_new();
	struct device *dev = start(b);
	uint32_t seed = 3;

	for (unsigned int i = 0; i < 50000; i++) {
		unsigned int size = 1u << (seed >> 9) % 3;

		seed = seed * 1664525u + 1013904223u;
		switch (seed >> 29) {
		case 0:
			bench_config_write(b, PM, (uint8_t)(seed >> 8 & 0xfc), 4,
					   seed * 2654435761u);
			break;
		case 1:
			advance(b, seed & 0xffffff);
			break;
		case 2:
			outb(b, (uint16_t)(0xb2 + (seed & 1)), (uint8_t)(seed >> 8));
			break;
		case 3:
			seabios_sets_up(b);
			break;
		default:
			io_port_write(&b->io, (uint16_t)(PMBASE + (seed >> 8 & 0x13f)), size,
				      seed * 2654435761u);
			io_port_read(&b->io, (uint16_t)(PMBASE + (seed >> 16 & 0x13f)), size);
			break;
		}
	}
	device_reset(dev, RESET_HARD);
	cr_assert_not(irq_level(b, SCI));
	cr_assert_eq(bench_config_read(b, PM, 0x58, 4), 0x02000000);
	bench_free(b);
}
