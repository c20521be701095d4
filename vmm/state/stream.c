// SPDX-License-Identifier: GPL-2.0-or-later
#include "stream.h"

#include <errno.h>

#include "../../base/bytes.h"
#include "statefile.h"

#define MAGIC 0x4d47534du /* "MSGM" */

void stream_encode(const struct stream_head *head, uint8_t ret_bytes[STREAM_HEAD_BYTES])
{
	put_le32(ret_bytes, MAGIC);
	put_le32(ret_bytes + 4, head->kind);
	put_le64(ret_bytes + 8, head->offset);
	put_le64(ret_bytes + 16, head->bytes);
}

int stream_decode(const uint8_t bytes[STREAM_HEAD_BYTES], struct stream_head *ret_head)
{
	static const uint64_t bytes_max[STREAM_KINDS] = {
		[STREAM_DATA] = STREAM_DATA_BYTES_MAX,
		[STREAM_HOLE] = STATEFILE_BLOCK_BYTES_MAX,
		[STREAM_FAIL] = STREAM_TEXT_BYTES_MAX,
	};
	uint32_t kind = get_le32(bytes + 4);
	uint64_t offset = get_le64(bytes + 8), length = get_le64(bytes + 16);

	if (get_le32(bytes) != MAGIC || !kind || kind >= STREAM_KINDS || length > bytes_max[kind] ||
	    offset > 4 * STATEFILE_BLOCK_BYTES_MAX)
		return -EPROTO;
	*ret_head = (struct stream_head){ (enum stream_kind)kind, offset, length };
	return 0;
}
