/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A saved state on its way to another host (docs/formats.md): the writes that make up its plain file, in the
 * order in which they happen, some places again and again while the guest runs, the header last. Whoever
 * receives it carries them out on an empty file, and has the file that a save would have made.
 *
 * Records both ways have the same head. All that comes is hostile and bounded here.
 */
#ifndef STATE_STREAM_H
#define STATE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#define STREAM_VERSION 2u
#define STREAM_HEAD_BYTES 24u
#define STREAM_DATA_BYTES_MAX (4u << 20)
#define STREAM_TEXT_BYTES_MAX 512u

enum stream_kind {
	STREAM_HELLO = 1, /* both ways, first; @offset is the version */
	STREAM_DATA,	  /* @bytes follow, which belong to @offset of the file */
	STREAM_HOLE,	  /* @bytes at @offset are zeros again */
	STREAM_END,	  /* the file is whole, and @offset bytes long */
	STREAM_FREE,	  /* the disks are unlocked */
	STREAM_READY,	  /* back: the machine is restored, and waits for GO */
	STREAM_GO,	  /* the other one has ended */
	STREAM_RUNS,	  /* back, last: its guest runs */
	STREAM_WAIT,	  /* the other side is still at it */
	STREAM_FAIL,	  /* either way: @bytes of text follow, one line that says why not */
	STREAM_KINDS,
};

struct stream_head {
	enum stream_kind kind;
	uint64_t offset, bytes;
};

void stream_encode(const struct stream_head *head, uint8_t ret_bytes[STREAM_HEAD_BYTES]);
/* 0, or -EPROTO: no record, or more in it than may be. */
int stream_decode(const uint8_t bytes[STREAM_HEAD_BYTES], struct stream_head *ret_head);

#endif
