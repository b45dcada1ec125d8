/* SPDX-License-Identifier: MIT
 *
 * consumer_fake.h - one consumer group with a real store, a catalogue and a clock of
 * the test's own. For the unit tests of consumer groups.
 */
#ifndef TESTS_CONSUMER_FAKE_H
#define TESTS_CONSUMER_FAKE_H

#include "ledger/group/consumer.h"
#include "ledger/group/groups.h"
#include "ledger/group/partition_set.h"
#include "ledger/store/store.h"
#include "ledger/wire/messages_consumer.h"

enum { FAKE_TOPICS = 8, FAKE_NAME = 32, FAKE_PATH = 256 };

struct fake_topic {
    char name[FAKE_NAME];
    struct wire_uuid id;
    int32_t partitions; /* 0: it does not exist */
};

struct fake {
    char path[FAKE_PATH];
    struct store *store;
    struct consumer_env env;
    struct consumer_group *group;
    struct fake_topic topics[FAKE_TOPICS];
    uint64_t version;
    int ids;                /* topic ids given so far */
    int64_t session_own_ms; /* config of the group itself; 0: none */
    int64_t now_ms;
    struct mem_arena arena; /* of the last answer */
    struct consumer_group_heartbeat_response answer;
};

void fake_open(struct fake *fake, const char *name);
void fake_close(struct fake *fake);
void fake_reopen(struct fake *fake); /* as a restart of the broker */
/* From now on no file may grow (libcheck's neither), or all may again. */
void fake_disk(struct fake *fake, bool full);

/* Make the topic, or give it more partitions; 0 deletes it. */
void fake_topic(struct fake *fake, const char *name, int32_t partitions);
const struct fake_topic *fake_find(const struct fake *fake, const char *name);

/* A request that leaves everything out. */
struct consumer_group_heartbeat_request fake_request(const char *member, int32_t epoch);
/* names: separated by commas; NULL leaves them out. Valid until the next fake_send. */
void fake_subscribe(struct fake *fake, struct consumer_group_heartbeat_request *request,
                    const char *names);
/* What the member says it has; NULL leaves it out. */
void fake_own(struct fake *fake, struct consumer_group_heartbeat_request *request,
              const struct partition_set *owned);
/* Send it; the answer is in fake->answer. Returns its error. */
enum kafka_error fake_send(struct fake *fake,
                           const struct consumer_group_heartbeat_request *request);

/* Join as a member of the newest version; a heartbeat that says nothing; one that does.
 */
enum kafka_error fake_join(struct fake *fake, const char *member, const char *names);
enum kafka_error fake_beat(struct fake *fake, const char *member, int32_t epoch);
enum kafka_error fake_beat_owning(struct fake *fake, const char *member, int32_t epoch,
                                  const struct partition_set *owned);
enum kafka_error fake_leave(struct fake *fake, const char *member);

/* The assignment of the last answer: "a:0,1 b:2"; "-" when it has none. */
const char *fake_assignment(struct fake *fake);
/* The same as a set; false, and out as it was, when the answer has none. */
bool fake_assigned(const struct fake *fake, struct partition_set *out);
/* The last answer's text; "" when it is null. */
const char *fake_text(struct fake *fake);

#endif
