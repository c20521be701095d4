# SPDX-License-Identifier: GPL-2.0-or-later
# Mainstay. Two commands for people: "make demo" and "make check"; both install what is missing.
#
#   make            build the programs into build/bin
#   make demo       boot a small Linux guest to a shell; ONCE=1: unattended, then power off
#   make check      all tests that belong before a commit; make soak: the long ones
#   make bench      compare with QEMU
#   make registers  write docs/registers.md anew, after a change of a device's tables
#   make install    PREFIX=/usr/local, DESTDIR for packagers
#   SANITIZE=1      with address and undefined-behaviour sanitizers (own build folder)
#   CC=clang        another compiler (give BUILD= too)

.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

SANITIZE ?= 0
BUILD ?= $(if $(filter 1,$(SANITIZE)),build-sanitize,build)
PREFIX ?= /usr/local
VERSION := $(shell cat packaging/version)

# V=1 shows the commands.
ifeq ($(V),1)
say = @:
Q :=
else
say = @printf '  %-5s %s\n'
Q := @
endif

CC ?= cc
ifeq ($(origin CC),default)
CC := gcc
endif
OPTIMISE ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wimplicit-fallthrough -Werror
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DMAINSTAY_VERSION='"$(VERSION)"' \
	-DMAINSTAY_LIBEXEC='"$(PREFIX)/libexec/mainstay"'
CFLAGS += -std=gnu11 $(OPTIMISE) $(WARNINGS) -fstack-protector-strong -fPIE
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
ifeq ($(SANITIZE),1)
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif

# --- folders: each is a library of all its sources but the programs' main files
STRICT := base devmodel vhd net vmm/state
MAINS := vmm/main.c net/main.c $(wildcard vhd/tool/*.c vhd/nbdkit/*.c) mgmt/mainstay.c mgmt/view_listen.c
# The file of a saved machine is shared with mgmt/, so that it is a library beside vmm's.
library_sources = $(filter-out $(MAINS) $(if $(filter vmm,$(1)),vmm/state/%),$(wildcard $(1)/*.c $(1)/*/*.c))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
library = $(BUILD)/lib/$(1).a
LIBRARIES := base devmodel vhd net vmm/state vmm mgmt

define library_rule
$(call library,$(1)): $(call objects,$(call library_sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	@$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LIBRARIES),$(eval $(call library_rule,$(l))))

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS) $(if $(filter $(addsuffix /%,$(STRICT)),$<),-Wconversion) \
		$(CFLAGS) $(packages_cflags) -MMD -MP -c -o $@ $<

# ACPI's DSDT and our option ROMs are compiled from their sources and become arrays of bytes.
define bytes_rule
$(BUILD)/gen/$(1).h: $(BUILD)/gen/$(2)
	$$(Q){ echo 'static const unsigned char $(1)[] = {'; \
	  od -An -v -tx1 $$< | sed 's/\([0-9a-f][0-9a-f]\)/0x\1,/g'; echo '};'; } >$$@
endef
$(eval $(call bytes_rule,dsdt_aml,dsdt.aml))
$(eval $(call bytes_rule,bios_disk_rom,bios_disk.rom))
$(eval $(call bytes_rule,linux_boot_rom,linux_boot.rom))
$(eval $(call bytes_rule,vga_bios_rom,vga_bios.rom))
$(BUILD)/gen/dsdt.aml: vmm/acpi/dsdt.asl
	@mkdir -p $(@D)
	$(say) IASL $<
	$(Q)iasl -p $(basename $@) $< >$@.log 2>&1 || { cat $@.log; exit 1; }
$(BUILD)/gen/%.rom: devmodel/rom/%.S
	@mkdir -p $(@D)
	$(say) ROM $<
	$(Q)$(CC) -m32 -c -o $@.o $< && ld -m elf_i386 -Ttext 0 -e 0 --oformat binary -o $@ $@.o
# The video BIOS is C for 16-bit code, which gcc alone has; fonts are made from Debian's unifont.
VGA_BIOS_CC ?= gcc
VGA_BIOS_FLAGS := -m16 -march=i386 -Os -malign-data=abi -std=gnu11 -ffreestanding -fno-pic -fno-pie \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-jump-tables -fomit-frame-pointer -mregparm=3 \
	-mpreferred-stack-boundary=2 $(WARNINGS)
VGA_BIOS_OBJECTS := $(patsubst devmodel/rom/vga/%,$(BUILD)/gen/vga/%.o,$(wildcard devmodel/rom/vga/*.[cS])) \
	$(BUILD)/gen/vga/font.o
$(BUILD)/gen/vga/%.c.o: devmodel/rom/vga/%.c devmodel/rom/vga/bios.h
	@mkdir -p $(@D)
	$(say) ROM $<
	$(Q)$(VGA_BIOS_CC) $(VGA_BIOS_FLAGS) -c -o $@ $<
$(BUILD)/gen/vga/%.S.o: devmodel/rom/vga/%.S
	@mkdir -p $(@D)
	$(say) ROM $<
	$(Q)$(VGA_BIOS_CC) -m32 -c -o $@ $<
$(BUILD)/gen/vga/font.o: devmodel/rom/vga/font.sh
	@mkdir -p $(@D)
	$(say) FONT $<
	$(Q)$< >$(@D)/font.S && $(VGA_BIOS_CC) -m32 -c -o $@ $(@D)/font.S
$(BUILD)/gen/vga_bios.rom: devmodel/rom/vga/rom.ld $(VGA_BIOS_OBJECTS)
	$(say) ROM $@
	$(Q)ld -m elf_i386 -T $< -o $@ $(VGA_BIOS_OBJECTS)
$(BUILD)/obj/vmm/acpi.o: $(BUILD)/gen/dsdt_aml.h
$(BUILD)/obj/vmm/option_rom.o: $(BUILD)/gen/bios_disk_rom.h $(BUILD)/gen/linux_boot_rom.h \
	$(BUILD)/gen/vga_bios_rom.h
$(BUILD)/obj/vmm/acpi.o $(BUILD)/obj/vmm/option_rom.o: CPPFLAGS += -I$(BUILD)/gen

packages_cflags = $(shell pkg-config --cflags json-c libseccomp libcap-ng libzstd gnutls libpng)
vmm_libs = $(shell pkg-config --libs json-c libseccomp libcap-ng libzstd libdeflate zlib) -lpthread
net_libs = $(shell pkg-config --libs json-c libseccomp libcap-ng)
mgmt_libs = $(shell pkg-config --libs json-c libcap-ng libseccomp libpng zlib libzstd) -lpthread
view_libs = $(shell pkg-config --libs gnutls)

# --- programs
PROGRAMS := $(BUILD)/bin/mainstay-vmm $(BUILD)/bin/mainstay-switch $(BUILD)/bin/mainstay-vhd $(BUILD)/bin/mainstay \
	$(BUILD)/bin/mainstay-view
.PHONY: all
all: $(PROGRAMS) vhd-library

$(BUILD)/bin/mainstay-vmm: $(call objects,vmm/main.c) $(foreach l,vmm vmm/state devmodel vhd base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(vmm_libs)
$(BUILD)/bin/mainstay-switch: $(call objects,net/main.c) $(foreach l,net base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(net_libs)
$(BUILD)/bin/mainstay-vhd: $(call objects,$(wildcard vhd/tool/*.c)) $(foreach l,vhd base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(BUILD)/bin/mainstay: $(call objects,mgmt/mainstay.c) $(foreach l,mgmt vmm/state vhd base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(mgmt_libs)

$(BUILD)/bin/mainstay-view: $(call objects,mgmt/view_listen.c) $(foreach l,mgmt base,$(call library,$(l)))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(view_libs) $(mgmt_libs)

# The register map in docs/ comes from the devices' tables; tests/lint/registers.sh compares it.
.PHONY: registers
registers: $(BUILD)/bin/mainstay-vmm
	$(say) DOC docs/registers.md
	$(Q)$< --describe-devices >docs/registers.md

include vhd/library.mk

# --- tests: every C file in tests/unit and tests/dev is one criterion program
TEST_LIB := $(call objects,$(wildcard tests/lib/*.c))
UNIT_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*.c tests/dev/*.c tests/net/*.c))
TEST_LIBRARIES := $(foreach l,vmm mgmt net vmm/state devmodel vhd base,$(call library,$(l)))
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_LIB) $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(vmm_libs) $(mgmt_libs) $(view_libs) -lcriterion

# An emulated processor runs the video BIOS where there is no KVM.
$(BUILD)/tests/dev/video_bios: vmm_libs += -lunicorn

.PHONY: tests
tests: $(UNIT_TESTS)

include tests/tests.mk
include packaging/packaging.mk

.PHONY: setup
setup:
	@packaging/setup

.PHONY: clean
clean:
	rm -rf build build-*

-include $(shell find $(BUILD)/obj $(BUILD)/pic -name '*.d' 2>/dev/null)
