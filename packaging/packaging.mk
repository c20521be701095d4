# SPDX-License-Identifier: GPL-2.0-or-later
# make install and what belongs to it.
.PHONY: install
install: all install-vhd
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/mainstay \
		$(DESTDIR)$(PREFIX)/share/mainstay $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install $(BUILD)/bin/mainstay $(BUILD)/bin/mainstay-vhd $(DESTDIR)$(PREFIX)/bin
	install $(BUILD)/bin/mainstay-vmm $(BUILD)/bin/mainstay-switch $(DESTDIR)$(PREFIX)/libexec/mainstay
	install -m 644 packaging/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 mgmt/machine.schema.json mgmt/network.schema.json $(DESTDIR)$(PREFIX)/share/mainstay
	for name in mainstay mainstay-vhd; do install -m 644 packaging/completion/$$name.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$name || exit 1; done
