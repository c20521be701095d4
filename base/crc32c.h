/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4): finds damage, not malice. With the processor's own
 * instruction it costs one instruction for 8 bytes, which no library's checksum does.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from @crc, the value for what came before; 0 at the start. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);
/* The same without the processor's instruction, for tests and old hosts. */
uint32_t crc32c_plain(uint32_t crc, const void *data, size_t size);

#endif
