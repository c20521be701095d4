# SPDX-License-Identifier: GPL-2.0-or-later
# The remote console's figures (console.c), a part of bench-video: no KVM, no nested host.

$(BENCH)/console: $(call objects,$(addprefix tests/bench/,console.c report.c)) $(call library,base)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs json-c)

.PHONY: bench-console bench-video
bench-console: all $(BENCH)/console
	@BENCH_JSON=$(BENCH)/bench-console.json $(BENCH)/console $(BUILD)/bin/mainstay
bench-video: bench-console
