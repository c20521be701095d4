/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The on-disk format of virtual hard disks (VHD 1.0), as this library reads and writes it.
 *
 * Reference: Microsoft, "Virtual Hard Disk Image Format Specification", version 1.0, October 2006.
 *
 * Conventions
 *	Numbers are big-endian. A sector is 512 bytes, whatever the host's disk has. A time is
 *	unsigned seconds since 2000-01-01 00:00 UTC. An id is 16 raw bytes, compared as bytes and
 *	never swapped. Reserved bytes are written as zeros, but unknown bytes of a footer survive
 *	its rewriting: other programs keep data of their own in them.
 *
 * Layouts
 *	Fixed:		disk data | footer
 *	Dynamic:	footer copy | header | block table | blocks ... | footer
 *	Differencing:	as dynamic; strings that name the parent lie between header and blocks
 *
 *	Header and block table stand where the offsets say, in any order. A fixed disk has nothing
 *	at its start: whoever looks there first takes a guest's data for a footer, so the end is
 *	read first. The oldest programs wrote a footer of 511 bytes (the last reserved byte is
 *	missing): such a file's size leaves 511 when divided by 512.
 *
 * Footer (512 bytes)
 *	  0   8	cookie "conectix"
 *	  8   4	features: bit 0 temporary, bit 1 always set
 *	 12   4	version 1.0
 *	 16   8	offset of the header; all ones in a fixed disk
 *	 24   4	time of creation
 *	 28   4	creator program; decides which size is believed, see vhd_open()
 *	 32   4	creator version
 *	 36   4	creator's system: "Wi2k", "Mac "
 *	 40   8	size in bytes when created
 *	 48   8	current size in bytes
 *	 56   4	cylinders (2), heads (1), sectors per track (1)
 *	 60   4	type: 2 fixed, 3 dynamic, 4 differencing; 1, 5 and 6 were never described
 *	 64   4	checksum
 *	 68  16	id; children name their parent by it
 *	 84   1	saved state: 1 while a saved machine needs the disk unchanged
 *	 85 427	reserved
 *
 * Header of dynamic and differencing disks (1024 bytes)
 *	  0   8	cookie "cxsparse"
 *	  8   8	offset of a next header: all ones
 *	 16   8	offset of the block table
 *	 24   4	version 1.0
 *	 28   4	entries in the block table; at least one for each block of the disk
 *	 32   4	bytes in a block, a power of two, without its bitmap
 *	 36   4	checksum
 *	 40  16	the parent's id
 *	 56   4	the parent file's time of modification
 *	 60   4	reserved
 *	 64 512	the parent's name, UTF-16 big-endian, padded with zeros
 *	576 192	eight locators of the parent: code, space, length, reserved (4 each), offset (8)
 *	768 256	reserved
 *
 * Checksum
 *	The ones' complement of the sum of all bytes, the four of the checksum taken as zeros.
 *
 * Block table (BAT)
 *	For each block, the sector of the file where its bitmap begins; all ones: the block is not
 *	in this file. The rest of the table's last sector is padding.
 *
 * Block
 *	A bitmap, one bit for each sector with the most significant bit of a byte first, padded to
 *	whole sectors, then the data. In a dynamic disk a clear bit means that the sector was never
 *	written: it reads as zeros, and it must be zeros in the file too, since some readers do not
 *	look at bitmaps. In a differencing disk a clear bit means: ask the parent. Blocks lie in any
 *	order, gaps are allowed, and the last block is whole even when the disk ends inside it.
 *
 *	This library places the data of a new block on a multiple of 4096 bytes, its bitmap right
 *	before.
 */
#ifndef VHD_FORMAT_H
#define VHD_FORMAT_H

#define VHD_FOOTER_BYTES 512
#define VHD_FOOTER_SHORT_BYTES 511
#define VHD_FOOTER_COOKIE "conectix"
enum vhd_footer_field {
	FOOTER_COOKIE = 0,
	FOOTER_FEATURES = 8,
	FOOTER_VERSION = 12,
	FOOTER_DATA_OFFSET = 16,
	FOOTER_TIME = 24,
	FOOTER_CREATOR = 28,
	FOOTER_CREATOR_VERSION = 32,
	FOOTER_CREATOR_OS = 36,
	FOOTER_ORIGINAL_SIZE = 40,
	FOOTER_CURRENT_SIZE = 48,
	FOOTER_CYLINDERS = 56,
	FOOTER_HEADS = 58,
	FOOTER_SECTORS = 59,
	FOOTER_TYPE = 60,
	FOOTER_CHECKSUM = 64,
	FOOTER_ID = 68,
	FOOTER_SAVED_STATE = 84,
};

#define FEATURE_TEMPORARY 0x1u
#define FEATURE_RESERVED 0x2u
#define VHD_VERSION_1_0 0x00010000u
#define VHD_OFFSET_NONE UINT64_MAX

#define VHD_HEADER_BYTES 1024
#define VHD_HEADER_COOKIE "cxsparse"
enum vhd_header_field {
	HEADER_COOKIE = 0,
	HEADER_NEXT = 8,
	HEADER_TABLE_OFFSET = 16,
	HEADER_VERSION = 24,
	HEADER_TABLE_ENTRIES = 28,
	HEADER_BLOCK_SIZE = 32,
	HEADER_CHECKSUM = 36,
	HEADER_PARENT_ID = 40,
	HEADER_PARENT_TIME = 56,
	HEADER_PARENT_NAME = 64,
	HEADER_LOCATORS = 576,
};
#define HEADER_PARENT_NAME_BYTES 512

#define VHD_LOCATORS 8
#define VHD_LOCATOR_BYTES 24
enum vhd_locator_field {
	LOCATOR_CODE = 0,
	LOCATOR_SPACE = 4,
	LOCATOR_LENGTH = 8,
	LOCATOR_OFFSET = 16,
};

#define VHD_BLOCK_ABSENT UINT32_MAX
#define VHD_ENTRY_BYTES 4
#define VHD_ENTRIES_PER_SECTOR 128
#define VHD_BITS_PER_SECTOR 4096u

/* Seconds from 1970 to 2000. */
#define VHD_EPOCH_UNIX 946684800

#endif
