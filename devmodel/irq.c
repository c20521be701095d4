// SPDX-License-Identifier: GPL-2.0-or-later
#include "irq.h"

#include <assert.h>

void irq_connect(struct irq_line *line, irq_sink_fn *sink, void *opaque, unsigned int n)
{
	assert(!line->sink);
	line->sink = sink;
	line->opaque = opaque;
	line->n = n;
	if (line->level)
		sink(opaque, n, true);
}

void irq_hub_set(void *opaque, unsigned int n, bool level)
{
	struct irq_hub *hub = opaque;
	bool before;

	assert(n < ISA_IRQS);
	before = hub->asserted[n] != 0;
	if (level) {
		hub->asserted[n]++;
	} else {
		assert(hub->asserted[n]);
		hub->asserted[n]--;
	}
	if (before != (hub->asserted[n] != 0) && hub->sink)
		hub->sink(hub->opaque, n, level);
}
