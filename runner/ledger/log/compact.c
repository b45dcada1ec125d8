/* SPDX-License-Identifier: MIT */
#include "ledger/log/log_private.h"

void compaction_free(struct log *log)
{
    (void)log;
}
