/* SPDX-License-Identifier: MIT */
#include "ledger/api/flushes.h"

#include "ledger/api/ledger.h"
#include "ledger/log/partition.h"
#include "ledger/log/sync.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/api.h"
#include "ledger/wire/table.h"

#include <string.h>
#include <utlist.h>

/* An answer that waits; lies in its request's arena. */
struct flush_wait {
    struct flush_wait *prev, *next; /* by ticket */
    struct request *request;
    void *response;
    flushes_check_fn *check;
    uint64_t ticket;
};

static void answer(struct ledger *ledger, const struct flush_wait *wait)
{
    if (sync_failed(ledger->sync) != 0)
        wait->check(ledger, wait->request, wait->response);
    request_on_gone(wait->request, NULL, NULL);
    request_answer(wait->request, wait->response);
}

static void forget(struct request *request, void *arg)
{
    struct ledger *ledger = arg;
    struct flush_wait *wait = request->state;

    DL_DELETE(ledger->flushes, wait);
    request_drop(request);
}

void flushes_answer(struct ledger *ledger, struct request *request,
                    const void *response, flushes_check_fn *check)
{
    size_t size = request->api->response->size;
    struct flush_wait *wait;

    if (!ledger->fsync_always) {
        request_answer(request, response);
        return;
    }
    wait = mem_arena_alloc(&request->arena, sizeof *wait);
    wait->request = request;
    wait->response = mem_arena_alloc(&request->arena, size);
    memcpy(wait->response, response, size);
    wait->check = check;
    wait->ticket = sync_ticket(ledger->sync);
    if (sync_reached(ledger->sync, wait->ticket)) { /* nothing new: errors, repeats */
        answer(ledger, wait);
        return;
    }
    request->state = wait;
    DL_APPEND(ledger->flushes, wait);
    request_on_gone(request, forget, ledger);
}

bool flushes_kept(const struct topic *topic, int32_t index)
{
    struct partition *partition =
        topic != NULL ? topics_partition_open(topic, index) : NULL;

    return partition == NULL || !log_failed(partition_log(partition));
}

void flushes_poll(struct ledger *ledger)
{
    while (ledger->flushes && sync_reached(ledger->sync, ledger->flushes->ticket)) {
        struct flush_wait *wait = ledger->flushes;

        DL_DELETE(ledger->flushes, wait);
        answer(ledger, wait);
    }
}
