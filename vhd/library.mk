# SPDX-License-Identifier: GPL-2.0-or-later
# libmainstay-vhd for other programs, static and shared, and the nbdkit plugin, all of the same objects. What
# the public headers declare is visible and nothing else.

VHD_HEADERS := vhd/vhd.h vhd/vhd_io.h vhd/vhd_chain.h vhd/vhd_check.h vhd/vhd_job.h
VHD_SONAME := libmainstay-vhd.so.1
VHD_SHARED := $(BUILD)/lib/$(VHD_SONAME)
VHD_STATIC := $(BUILD)/lib/libmainstay-vhd.a
VHD_PLUGIN := $(if $(shell pkg-config --exists nbdkit && echo yes),$(BUILD)/lib/nbdkit/plugins/nbdkit-mainstay-vhd-plugin.so)
pic_objects = $(patsubst %.c,$(BUILD)/pic/%.o,$(1))
VHD_PIC := $(call pic_objects,$(call library_sources,vhd))

$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS) -Wconversion $(filter-out -fPIE,$(CFLAGS)) -fPIC $(packages_cflags) \
		-MMD -MP -c -o $@ $<
$(BUILD)/lib/base-pic.a: $(call pic_objects,$(call library_sources,base))
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) rcs $@ $^

# A function's declaration begins in the first column.
$(BUILD)/gen/vhd.symbols: $(VHD_HEADERS)
	@mkdir -p $(@D)
	$(Q)sed -n 's/^[a-z][a-z0-9_ ]*[ *]\(vhd_[a-z0-9_]*\)(.*/\1/p' $^ | sort -u >$@
$(BUILD)/gen/vhd.map: $(BUILD)/gen/vhd.symbols
	$(Q){ echo 'MAINSTAY_VHD_1 {'; echo 'global:'; sed 's/$$/;/' $<; echo 'local: *; };'; } >$@

$(VHD_SHARED): $(VHD_PIC) $(BUILD)/lib/base-pic.a $(BUILD)/gen/vhd.map
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -shared $(filter-out -pie,$(LDFLAGS)) -Wl,-soname,$(VHD_SONAME) \
		-Wl,--version-script=$(BUILD)/gen/vhd.map -o $@ $(filter %.o %.a,$^)
	$(Q)ln -sf $(VHD_SONAME) $(BUILD)/lib/libmainstay-vhd.so
# One object, in which names of our own are local.
$(VHD_STATIC): $(VHD_PIC) $(BUILD)/lib/base-pic.a $(BUILD)/gen/vhd.symbols
	$(say) AR $@
	$(Q)ld -r -o $(BUILD)/lib/libmainstay-vhd.o $(filter %.o %.a,$^)
	$(Q)objcopy --keep-global-symbols=$(BUILD)/gen/vhd.symbols $(BUILD)/lib/libmainstay-vhd.o
	@rm -f $@
	@$(AR) rcs $@ $(BUILD)/lib/libmainstay-vhd.o
$(BUILD)/lib/nbdkit/plugins/%.so: $(BUILD)/pic/vhd/nbdkit/plugin.o $(VHD_PIC) $(BUILD)/lib/base-pic.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -shared $(filter-out -pie,$(LDFLAGS)) -Wl,--exclude-libs,ALL -o $@ $^

.PHONY: vhd-library
vhd-library: $(VHD_SHARED) $(VHD_STATIC) $(VHD_PLUGIN)

define VHD_PC
prefix=$(PREFIX)
libdir=$${prefix}/lib
includedir=$${prefix}/include/mainstay

Name: libmainstay-vhd
Description: virtual hard disk images (VHD) of all kinds
Version: $(VERSION)
Libs: -L$${libdir} -lmainstay-vhd
Cflags: -I$${includedir}
endef
export VHD_PC

.PHONY: install-vhd
install-vhd: vhd-library
	install -d $(DESTDIR)$(PREFIX)/include/mainstay $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 $(VHD_HEADERS) $(DESTDIR)$(PREFIX)/include/mainstay
	install -m 644 $(VHD_SHARED) $(VHD_STATIC) $(DESTDIR)$(PREFIX)/lib
	ln -sf $(VHD_SONAME) $(DESTDIR)$(PREFIX)/lib/libmainstay-vhd.so
	printf '%s\n' "$$VHD_PC" >$(DESTDIR)$(PREFIX)/lib/pkgconfig/libmainstay-vhd.pc
	$(if $(VHD_PLUGIN),install -d $(DESTDIR)$(PREFIX)/lib/nbdkit/plugins)
	$(if $(VHD_PLUGIN),install -m 755 $(VHD_PLUGIN) $(DESTDIR)$(PREFIX)/lib/nbdkit/plugins)
