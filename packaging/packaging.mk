# SPDX-License-Identifier: GPL-2.0-or-later
# make install and what belongs to it.
.PHONY: install
install: all install-vhd
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/mainstay \
		$(DESTDIR)$(PREFIX)/share/mainstay $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/man/man5 \
		$(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	install $(BUILD)/bin/mainstay $(BUILD)/bin/mainstay-vhd $(DESTDIR)$(PREFIX)/bin
	install $(BUILD)/bin/mainstay-vmm $(BUILD)/bin/mainstay-switch $(BUILD)/bin/mainstay-view $(DESTDIR)$(PREFIX)/libexec/mainstay
	install -m 644 packaging/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 packaging/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	for unit in mainstay-vm@.service mainstay.slice; do \
		sed 's|@BIN@|$(PREFIX)/bin|' packaging/systemd/$$unit >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit && \
		chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit || exit 1; done
	install -m 644 packaging/systemd/mainstay.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/mainstay.conf
	install -m 644 packaging/systemd/mainstay.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/mainstay.conf
	install -m 644 mgmt/machine.schema.json mgmt/network.schema.json $(DESTDIR)$(PREFIX)/share/mainstay
	for name in mainstay mainstay-vhd; do install -m 644 packaging/completion/$$name.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$name || exit 1; done
