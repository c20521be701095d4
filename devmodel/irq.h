/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines: a level that a device drives and somebody watches.
 *
 * A device derives the level of all its lines from its state in one function, foo_update_irq(), and
 * calls irq_set() with it as often as it likes: only changes travel on. There are no pulses;
 * whether an edge or a level counts is the interrupt controller's business.
 */
#ifndef DEVMODEL_IRQ_H
#define DEVMODEL_IRQ_H

#include <stdbool.h>
#include <stdint.h>

typedef void irq_sink_fn(void *opaque, unsigned int n, bool level);

struct irq_line {
	irq_sink_fn *sink; /* NULL: not connected */
	void *opaque;
	unsigned int n;
	bool level;
};

/* Leads @line to input @n of @sink; the sink sees the present level if it is high. */
void irq_connect(struct irq_line *line, irq_sink_fn *sink, void *opaque, unsigned int n);

static inline void irq_set(struct irq_line *line, bool level)
{
	if (line->level == level)
		return;
	line->level = level;
	if (line->sink)
		line->sink(line->opaque, line->n, level);
}

/*
 * A wired OR for the 16 ISA interrupts: several lines may lead to the same one (PCI interrupts
 * share them). The output changes when the first source rises and when the last one falls.
 */
#define ISA_IRQS 16
struct irq_hub {
	irq_sink_fn *sink;
	void *opaque;
	uint16_t asserted[ISA_IRQS]; /* sources that are high */
};

/* An irq_sink_fn whose opaque is a struct irq_hub. */
void irq_hub_set(void *hub, unsigned int n, bool level);

#endif
