/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What checkpoint_change.c and checkpoint_merge.c share. */
#ifndef MGMT_CHECKPOINT_STEPS_H
#define MGMT_CHECKPOINT_STEPS_H

#include "checkpoint_index.h"

/* Nothing is pending any more. */
int checkpoints_end_pending(struct checkpoints *set, char *error, size_t error_size);
/* Of a machine that does not run. */
int checkpoints_mark_disks(const struct checkpoints *set, bool marked, char *error,
			   size_t error_size);
/* The layers of the pending change's node take their place; from any step on. */
int checkpoints_complete_replace(struct checkpoints *set, char *error, size_t error_size);

#endif
