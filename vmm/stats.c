// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats.h"

const char *exit_kind_name(enum exit_kind kind)
{
	static const char *const names[EXIT_KINDS] = {
		[EXIT_IO_IN] = "io_in",
		[EXIT_IO_OUT] = "io_out",
		[EXIT_MMIO_READ] = "mmio_read",
		[EXIT_MMIO_WRITE] = "mmio_write",
		[EXIT_HLT] = "hlt",
		[EXIT_SHUTDOWN] = "shutdown",
		[EXIT_MSR] = "msr",
		[EXIT_INTERRUPTED] = "interrupted",
		[EXIT_OTHER] = "other",
	};

	return names[kind];
}
