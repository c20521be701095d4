# SPDX-License-Identifier: GPL-2.0-or-later
# The demo guest. Its disk is made once; "make demo ONCE=1" is for machines.

.PHONY: demo
demo:
	@packaging/setup
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) tests/guest/demo $(if $(filter 1,$(ONCE)),once)

# Guests of our own, disks of a few sectors.
GUEST_IMAGES := $(patsubst tests/guest/asm/%.S,$(BUILD)/guest/%.img,$(wildcard tests/guest/asm/*.S))
$(BUILD)/guest/%.img: tests/guest/asm/%.S $(wildcard tests/guest/asm/*.inc)
	@mkdir -p $(@D)
	$(say) GUEST $<
	$(Q)$(CC) -m32 -c -o $@.o $< && ld -m elf_i386 -Ttext 0x7c00 -e 0x7c00 --oformat binary -o $@ $@.o
	$(Q)truncate -s 4M $@ && rm -f $@.o
# The guests that try the video BIOS and show its modes, in C for 16-bit code; -v86: in virtual-8086 mode.
VIDEO_GUESTS := $(BUILD)/guest/video.img $(BUILD)/guest/show.img
GUEST_IMAGES += $(VIDEO_GUESTS) $(VIDEO_GUESTS:.img=-v86.img)
define VIDEO_GUEST
	@mkdir -p $(@D)
	$(say) GUEST $@
	$(Q)$(VGA_BIOS_CC) -m32 $(if $(filter %-v86.img,$@),-DVIRTUAL) -c -o $@-start.o tests/guest/video/start.S
	$(Q)$(VGA_BIOS_CC) $(VGA_BIOS_FLAGS) -c -o $@.o $<
	$(Q)ld -m elf_i386 -T tests/guest/video/flat.ld -o $@ $@-start.o $@.o
	$(Q)truncate -s 4M $@ && rm -f $@-start.o $@.o
endef
VIDEO_GUEST_PARTS := $(addprefix tests/guest/video/,start.S guest.h flat.ld) $(wildcard tests/guest/asm/*.inc)
$(VIDEO_GUESTS): $(BUILD)/guest/%.img: tests/guest/video/%.c $(VIDEO_GUEST_PARTS)
	$(VIDEO_GUEST)
$(VIDEO_GUESTS:.img=-v86.img): $(BUILD)/guest/%-v86.img: tests/guest/video/%.c $(VIDEO_GUEST_PARTS)
	$(VIDEO_GUEST)
# The guest that looks at its clocks, started by the boot sector of the benchmarks.
GUEST_IMAGES += $(BUILD)/guest/clock.img
$(BUILD)/guest/clock.img: tests/bench/guest/boot.S tests/guest/clock/clock.c tests/bench/guest/flat.ld
	@mkdir -p $(@D)
	$(say) GUEST $@
	$(Q)$(CC) -m32 -c -o $(@D)/clock_boot.o tests/bench/guest/boot.S
	$(Q)$(CC) $(BENCH_GUEST) -c -o $(@D)/clock.o tests/guest/clock/clock.c
	$(Q)ld -m elf_i386 -T tests/bench/guest/flat.ld -o $@ $(@D)/clock_boot.o $(@D)/clock.o
	$(Q)truncate -s 4M $@
# Under Linux: the test picture through fbdev, and through X.
LINUX_PROGRAMS := $(patsubst tests/guest/linux/%.c,$(BUILD)/guest/%,$(wildcard tests/guest/linux/*.c))
GUEST_IMAGES += $(LINUX_PROGRAMS)
$(LINUX_PROGRAMS): $(BUILD)/guest/%: tests/guest/linux/%.c tests/interop/test_picture.h $(wildcard tests/guest/linux/*.h)
	@mkdir -p $(@D)
	$(say) GUEST $@
	$(Q)$(CC) -std=gnu11 -O2 -m32 -march=i686 -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
		-fno-asynchronous-unwind-tables -mgeneral-regs-only $(WARNINGS) \
		-isystem /usr/include/$(shell $(CC) -print-multiarch) -static -nostdlib -Wl,--build-id=none -o $@ $<
# Screenshots are compared where they are made.
GUEST_IMAGES += $(BUILD)/guest/picture_compare
$(BUILD)/guest/picture_compare: $(call objects,tests/guest/picture_compare.c tests/lib/golden.c) $(call library,base)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs libpng)
tests: $(GUEST_IMAGES)

SOAK += tests/guest/soak.sh tests/guest/soak_state.sh tests/guest/soak_clock.sh tests/guest/service_host.sh
