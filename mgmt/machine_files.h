/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens what a machine's description names and exists already, so that a mistake in any of it is
 * found before anything on the host is changed. What is made for the machine is machine_ports.h.
 */
#ifndef MGMT_MACHINE_FILES_H
#define MGMT_MACHINE_FILES_H

#include "start_message.h"

/*
 * /dev/kvm (or $MAINSTAY_KVM) when @kvm, the firmware and the disks, which are checked and locked. 0, or
 * -errno with one line in @error; what was opened is in @files in both cases.
 */
int machine_files_open(const struct machine_config *config, bool kvm, struct machine_files *files,
		       char *error, size_t error_size);

#endif
