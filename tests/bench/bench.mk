# SPDX-License-Identifier: GPL-2.0-or-later
# Comparison with QEMU; see README.md. BENCH_OPTIONS are those of compare, such as -n 1.

BENCH := $(BUILD)/bench
BENCH_OPTIONS ?= -n 3
BENCH_GUEST := -std=gnu11 -O2 -m32 -march=i686 -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -mgeneral-regs-only $(WARNINGS)

$(BENCH)/compare: $(call objects,$(addprefix tests/bench/,compare.c suite.c machine.c meter.c report.c)) \
		$(call library,base)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs json-c)
$(BENCH)/ports.bin: tests/bench/guest/boot.S tests/bench/guest/ports.c tests/bench/guest/flat.ld
	@mkdir -p $(@D)
	$(say) GUEST $@
	$(Q)$(CC) -m32 -c -o $(@D)/boot.o tests/bench/guest/boot.S
	$(Q)$(CC) $(BENCH_GUEST) -c -o $(@D)/ports.o tests/bench/guest/ports.c
	$(Q)ld -m elf_i386 -T tests/bench/guest/flat.ld -o $@ $(@D)/boot.o $(@D)/ports.o
# The same suite for the board: a guest in real mode, CD and floppy, the clock.
BENCH_BOARD_OPTIONS ?= -n 3
$(BENCH)/board: $(call objects,$(addprefix tests/bench/,board.c suite.c machine.c meter.c report.c)) \
		$(call library,base)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs json-c) -lm
$(BENCH)/bios.bin: tests/bench/guest/bios.S tests/bench/guest/bios.c tests/bench/guest/flat.ld
	@mkdir -p $(@D)
	$(say) GUEST $@
	$(Q)$(CC) -m32 -c -o $(@D)/bios_boot.o tests/bench/guest/bios.S
	$(Q)$(CC) $(BENCH_GUEST) -m16 -c -o $(@D)/bios.o tests/bench/guest/bios.c
	$(Q)ld -m elf_i386 -T tests/bench/guest/flat.ld -o $@ $(@D)/bios_boot.o $(@D)/bios.o
$(BENCH)/disk: tests/bench/guest/disk.c tests/bench/guest/nolibc.h
	@mkdir -p $(@D)
	$(say) GUEST $@
	$(Q)$(CC) $(BENCH_GUEST) -static -nostdlib -Wl,--build-id=none -o $@ $<

# The screen; bios.S starts this guest too.
BENCH_VIDEO_OPTIONS ?= -n 3
$(BENCH)/video: $(call objects,$(addprefix tests/bench/,video.c suite.c machine.c meter.c report.c)) \
		$(call library,base)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs json-c) -lm
$(BENCH)/video.bin: tests/bench/guest/bios.S tests/bench/guest/video.c tests/bench/guest/flat.ld
	@mkdir -p $(@D)
	$(say) GUEST $@
	$(Q)$(VGA_BIOS_CC) -m32 -c -o $(@D)/video_boot.o tests/bench/guest/bios.S
	$(Q)$(VGA_BIOS_CC) $(BENCH_GUEST) -m16 -c -o $(@D)/video_guest.o tests/bench/guest/video.c
	$(Q)ld -m elf_i386 -T tests/bench/guest/flat.ld -o $@ $(@D)/video_boot.o $(@D)/video_guest.o
.PHONY: bench-video
bench-video:
	@packaging/setup
	@$(MAKE) --no-print-directory all $(BENCH)/video $(BENCH)/video.bin
	@BUILD=$(BUILD) SUITE=video tests/bench/bench.sh $(BENCH_VIDEO_OPTIONS)

.PHONY: bench
bench:
	@packaging/setup
	@$(MAKE) --no-print-directory all $(BENCH)/compare $(BENCH)/ports.bin $(BENCH)/disk
	@BUILD=$(BUILD) tests/bench/bench.sh $(BENCH_OPTIONS)

.PHONY: bench-board
bench-board:
	@packaging/setup
	@$(MAKE) --no-print-directory all $(BENCH)/board $(BENCH)/ports.bin $(BENCH)/bios.bin $(BENCH)/disk
	@BUILD=$(BUILD) SUITE=board tests/bench/bench.sh $(BENCH_BOARD_OPTIONS)

# VHD images against plain files and qemu-img.
BENCH_VHD_OPTIONS ?= -n 5
$(BENCH)/vhd: $(call objects,$(addprefix tests/bench/,vhd.c report.c)) $(call library,vhd) $(call library,base)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs json-c) -lm
.PHONY: bench-vhd
bench-vhd:
	@packaging/setup
	@$(MAKE) --no-print-directory all $(BENCH)/vhd
	@BUILD=$(BUILD) tests/bench/vhd.sh $(BENCH_VHD_OPTIONS)

# Saved states.
$(BENCH)/state: $(call objects,$(addprefix tests/bench/,state.c suite.c machine.c meter.c report.c)) $(call library,base)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs json-c)
.PHONY: bench-state
bench-state:
	@packaging/setup
	@$(MAKE) --no-print-directory all $(BENCH)/state $(BENCH)/disk
	@BUILD=$(BUILD) SUITE=state tests/bench/bench.sh $(BENCH_OPTIONS)
