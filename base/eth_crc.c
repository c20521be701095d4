// SPDX-License-Identifier: GPL-2.0-or-later
/* It is gzip's CRC-32 as well, for which libdeflate uses the host's carry-less multiplication. */
#include "eth_crc.h"

#include <libdeflate.h>

uint32_t eth_crc(const void *bytes, size_t size)
{
	return libdeflate_crc32(0, bytes, size);
}
