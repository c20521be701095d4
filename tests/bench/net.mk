# SPDX-License-Identifier: GPL-2.0-or-later
# The network's figures: the switch alone on this machine (net_switch.c), then guests in the nested host (net.c).

BENCH_NET_OPTIONS ?= -n 3
$(BENCH)/net_switch: $(call objects,$(addprefix tests/bench/,net_switch.c report.c)) \
		$(foreach l,mgmt net vhd vmm/state base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(mgmt_libs) $(net_libs)
$(BENCH)/net: $(call objects,$(addprefix tests/bench/,net.c net_host.c suite.c machine.c meter.c report.c)) \
		$(call library,base)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs json-c) -lm
$(BENCH)/net_guest: tests/bench/guest/net.c tests/bench/guest/nolibc.h tests/bench/net_host.h
	@mkdir -p $(@D)
	$(say) GUEST $@
	$(Q)$(CC) $(BENCH_GUEST) -static -nostdlib -Wl,--build-id=none -o $@ $<
# Guest cases use both ends too.
tests: $(BENCH)/net $(BENCH)/net_guest

.PHONY: bench-net
bench-net:
	@packaging/setup
	@$(MAKE) --no-print-directory all $(BENCH)/net_switch $(BENCH)/net $(BENCH)/net_guest $(BENCH)/ports.bin
	@$(BENCH)/net_switch $(BENCH)/bench-net-switch.json
	@BUILD=$(BUILD) SUITE=net tests/bench/bench.sh $(BENCH_NET_OPTIONS)
	@python3 -c 'import json, sys; json.dump(sum((json.load(open(f)) for f in sys.argv[1:3]), []), open(sys.argv[3], "w"), indent=2)' \
		$(BENCH)/bench-net-switch.json $(BENCH)/bench-net.json $(BENCH)/bench-net.new
	@mv $(BENCH)/bench-net.new $(BENCH)/bench-net.json
