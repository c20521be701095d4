# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154,SC2034
# The Debian installer's text screen: its first question in the colours and with the frames of a text console, and the
# second after keys.
start installer_screen "--kernel=$disks/installer.linux" "--initrd=$disks/installer.initrd" --cpu p3 --memory 512M \
	--append 'vga=normal fb=false cryptomgr.notests noisapnp quiet'
patience=1500
must "it asks for the language" looks installer_screen installer-language installer-language.png
patience=120
check "a key goes down the list" "$mainstay" key installer_screen down
check "the next line is chosen" looks installer_screen installer-next installer-next.png
check "Return is pressed" "$mainstay" key installer_screen up enter
check "it asks for the country" looks installer_screen installer-country installer-country.png
check "its plug is pulled" "$mainstay" quit installer_screen
