# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# The Debian installer from a CD of our making: isolinux loads kernel and RAM disk by int 13h from the CD, and the
# installer asks its first question on the serial console.
start installer "--cdrom=$disks/installer.iso" --cpu p3 --memory 768M --firmware-console 1
must "isolinux starts" serial installer 'ISOLINUX' 300
must "the kernel starts" serial installer 'Linux version' 1500
must "the installer asks for the language" serial installer 'Select a language|Choose the language|language' 1200
