# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzers: clang, libFuzzer, address and undefined-behaviour sanitizers, in a build folder of their own.
#
#   make fuzz                        builds them: build-fuzz/fuzz/device-CLASS, device-board, rfb, switch, vhd
#   tests/fuzz/run [OPTION...] [NAME...] runs them (see there)
#
# A target is one C file of this folder, or a link to device.c's program: its name ends in what it fuzzes.

FUZZ_BUILD ?= build-fuzz
FUZZ_MAKE = $(MAKE) --no-print-directory CC=clang BUILD=$(FUZZ_BUILD) SANITIZE=1 FUZZ=1

ifeq ($(FUZZ),1)
CFLAGS += -fsanitize=fuzzer-no-link
CPPFLAGS += -Itests/fuzz/include
FUZZ_PARTS := $(call objects,tests/fuzz/play.c tests/lib/bench.c tests/lib/class_setup.c)
DEVICE_CLASSES := $(sort $(shell sed -n 's/^\t&\([a-z0-9_]*\)_class,$$/\1/p' devmodel/classes.c | \
	sed 's/^null_device$$/null/'))
FUZZERS := $(patsubst %,$(BUILD)/fuzz/device-%,$(DEVICE_CLASSES) board) $(BUILD)/fuzz/rfb $(BUILD)/fuzz/switch $(BUILD)/fuzz/state
FUZZERS += $(BUILD)/fuzz/vhd
$(BUILD)/fuzz/device: $(call objects,tests/fuzz/device.c) $(FUZZ_PARTS) \
		$(foreach l,vmm devmodel vhd base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(vmm_libs)
$(BUILD)/fuzz/device-%: $(BUILD)/fuzz/device
	$(Q)ln -f $< $@
$(BUILD)/fuzz/rfb: $(call objects,tests/fuzz/rfb.c) $(foreach l,vmm devmodel vhd base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(vmm_libs)
$(BUILD)/fuzz/switch: $(call objects,tests/fuzz/switch.c) $(foreach l,net base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(net_libs)
$(BUILD)/fuzz/state: $(call objects,tests/fuzz/state.c) $(foreach l,vmm vmm/state devmodel vhd base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(vmm_libs)
$(BUILD)/fuzz/vhd: $(call objects,tests/fuzz/vhd.c tests/lib/vhd_lab.c) $(foreach l,vhd base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^
.PHONY: fuzzers
fuzzers: $(FUZZERS)
endif

SOAK += tests/fuzz/soak.sh tests/soak/vhd_fuzz.sh
.PHONY: fuzz
fuzz:
	+@$(FUZZ_MAKE) fuzzers
