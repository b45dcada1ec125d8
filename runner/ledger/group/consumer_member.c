/* SPDX-License-Identifier: MIT */
#include "ledger/group/consumer_member.h"

#include "base/mem.h"
#include "ledger/group/pack.h"
#include "ledger/wire/messages_consumer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* What every stored form begins with. */
enum { FORM = 1 };
/* Beyond it a stored partition number is damage; a broker has at most 100,000 of them.
 */
enum { PARTITION_MAX = 10000000 };

struct consumer_member *consumer_member_new(const char *id)
{
    struct consumer_member *member = mem_alloc(sizeof(*member));

    member->id = mem_strdup(id);
    member->client_id = mem_strdup("");
    member->client_host = mem_strdup("");
    member->regex = mem_strdup("");
    member->rebalance_timeout_ms = -1;
    member->previous_epoch = -1;
    member->rebalance_deadline_ms = INT64_MAX;
    member->join_deadline_ms = INT64_MAX;
    member->sync_deadline_ms = INT64_MAX;
    return member;
}

static void free_topics(struct consumer_member *member)
{
    for (int32_t i = 0; i < member->topics_count; i++)
        free(member->topics[i]);
    free(member->topics);
    member->topics = NULL;
    member->topics_count = 0;
}

static void free_facts(struct consumer_member *member)
{
    free(member->instance_id);
    free(member->rack_id);
    free(member->client_id);
    free(member->client_host);
    free(member->regex);
    free(member->assignor);
    text_buf_clear(&member->protocols);
    free_topics(member);
}

void consumer_member_free(struct consumer_member *member)
{
    if (member == NULL)
        return;
    free_facts(member);
    free(member->id);
    partition_set_clear(&member->assigned);
    partition_set_clear(&member->revoking);
    partition_set_clear(&member->target);
    free(member);
}

struct consumer_member *consumer_member_copy(const struct consumer_member *member)
{
    struct consumer_member *copy = mem_alloc(sizeof(*copy));

    *copy = *member;
    copy->id = mem_strdup(member->id);
    copy->instance_id = mem_strdup(member->instance_id);
    copy->rack_id = mem_strdup(member->rack_id);
    copy->client_id = mem_strdup(member->client_id);
    copy->client_host = mem_strdup(member->client_host);
    copy->regex = mem_strdup(member->regex);
    copy->assignor = mem_strdup(member->assignor);
    copy->topics =
        mem_alloc(((size_t)member->topics_count + 1) * sizeof(*copy->topics));
    for (int32_t i = 0; i < member->topics_count; i++)
        copy->topics[i] = mem_strdup(member->topics[i]);
    copy->protocols = (struct text_buf){0};
    text_append_bytes(&copy->protocols, member->protocols.data, member->protocols.len);
    copy->assigned = partition_set_copy(&member->assigned);
    copy->revoking = partition_set_copy(&member->revoking);
    copy->target = (struct partition_set){0};
    memset(&copy->hh, 0, sizeof(copy->hh));
    memset(&copy->hh_instance, 0, sizeof(copy->hh_instance));
    return copy;
}

char *consumer_new_id(struct mem_arena *arena)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *text = mem_arena_alloc(arena, 23);
    uint8_t raw[18] = {0};

    do
        if (getrandom(raw, 16, 0) != 16)
            abort();
    while (raw[0] >> 2 == 62); /* an id that begins with "-" is trouble in a shell */
    for (int i = 0; i < 22; i++) {
        int bit = i * 6;
        unsigned pair = (unsigned)raw[bit / 8] << 8 | raw[bit / 8 + 1];

        text[i] = digits[pair >> (10 - bit % 8) & 63];
    }
    return text;
}

struct consumer_member *consumer_member_successor(const struct consumer_member *member,
                                                  const char *id)
{
    struct consumer_member *next = consumer_member_copy(member);

    free(next->id);
    next->id = mem_strdup(id);
    next->epoch = 0;
    next->previous_epoch = 0;
    return next;
}

bool consumer_member_same_topics(const struct consumer_member *a,
                                 const struct consumer_member *b)
{
    if (a->topics_count != b->topics_count)
        return false;
    for (int32_t i = 0; i < a->topics_count; i++)
        if (strcmp(a->topics[i], b->topics[i]) != 0)
            return false;
    return true;
}

bool consumer_member_settled(const struct consumer_member *member, int32_t epoch)
{
    return member->state == CONSUMER_STABLE && member->epoch == epoch;
}

void consumer_member_advance(struct consumer_member *member, int32_t epoch)
{
    member->previous_epoch = member->epoch;
    member->epoch = epoch;
}

/* ---- what a request says --------------------------------------------------------- */

static void replace(char **text, struct wire_string said)
{
    if (said.len < 0)
        return;
    free(*text);
    *text = mem_strndup(said.data, (size_t)said.len);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once. */
static void tidy_topics(struct consumer_member *member)
{
    int32_t kept = 0;

    qsort(member->topics, (size_t)member->topics_count, sizeof(*member->topics),
          compare_texts);
    for (int32_t i = 0; i < member->topics_count; i++) {
        if (kept > 0 && strcmp(member->topics[kept - 1], member->topics[i]) == 0)
            free(member->topics[i]);
        else
            member->topics[kept++] = member->topics[i];
    }
    member->topics_count = kept;
}

static void replace_topics(struct consumer_member *member,
                           const struct wire_string *names, int32_t count)
{
    if (count < 0)
        return;
    free_topics(member);
    member->topics = mem_alloc(((size_t)count + 1) * sizeof(*member->topics));
    for (int32_t i = 0; i < count; i++)
        member->topics[i] = mem_strndup(names[i].data, (size_t)names[i].len);
    member->topics_count = count;
    tidy_topics(member);
}

static void replace_client(struct consumer_member *member, struct wire_string client_id,
                           const char *client_host)
{
    replace(&member->client_id, client_id.len < 0 ? wire_string_of("") : client_id);
    replace(&member->client_host, wire_string_of(client_host));
}

void consumer_member_update(struct consumer_member *member,
                            const struct consumer_group_heartbeat_request *request,
                            struct wire_string client_id, const char *client_host)
{
    replace(&member->instance_id, request->instance_id);
    replace(&member->rack_id, request->rack_id);
    replace(&member->assignor, request->server_assignor);
    replace(&member->regex, request->subscribed_topic_regex);
    replace_topics(member, request->subscribed_topic_names,
                   request->subscribed_topic_names_count);
    if (request->rebalance_timeout_ms != -1)
        member->rebalance_timeout_ms = request->rebalance_timeout_ms;
    replace_client(member, client_id, client_host);
    member->classic = false;
    text_buf_clear(&member->protocols);
}

void consumer_member_update_classic(struct consumer_member *member,
                                    const struct consumer_classic_facts *facts)
{
    replace(&member->instance_id, facts->instance_id);
    replace(&member->rack_id, facts->rack_id);
    replace(&member->regex, wire_string_of(""));
    replace_topics(member, facts->topics, facts->topics_count);
    replace_client(member, facts->client_id, facts->client_host);
    if (facts->rebalance_timeout_ms != -1)
        member->rebalance_timeout_ms = facts->rebalance_timeout_ms;
    member->classic = true;
    member->classic_session_ms = facts->session_timeout_ms;
    text_buf_clear(&member->protocols);
    for (int32_t i = 0; i < facts->protocols_count; i++) {
        pack_string(&member->protocols, facts->protocols[i].name);
        pack_bytes(&member->protocols, facts->protocols[i].metadata);
    }
}

bool consumer_member_protocol(const struct consumer_member *member, int32_t index,
                              struct consumer_protocol *out)
{
    struct unpack in = {(const uint8_t *)member->protocols.data, member->protocols.len,
                        false};

    for (int32_t i = 0; i <= index; i++) {
        out->name = unpack_string(&in);
        out->metadata = unpack_bytes(&in);
    }
    return !in.bad;
}

/* ---- stored forms ---------------------------------------------------------------- */

static void put_text(struct text_buf *out, const char *text)
{
    pack_string(out, wire_string_of(text));
}

static struct unpack open_form(const void *data, size_t len)
{
    struct unpack in = {.data = data, .left = len};

    if (unpack_i32(&in) != FORM)
        in.bad = true;
    return in;
}

/* A count of things that take at least four bytes each. */
static int32_t read_count(struct unpack *in)
{
    int32_t count = unpack_i32(in);

    if (count >= 0 && (size_t)count <= in->left / sizeof(int32_t))
        return count;
    in->bad = true;
    return 0;
}

static char *text_or_null(struct unpack *in)
{
    struct wire_string text = unpack_string(in);

    return text.len < 0 ? NULL : mem_strndup(text.data, (size_t)text.len);
}

static char *text_or_empty(struct unpack *in)
{
    char *text = text_or_null(in);

    return text == NULL ? mem_strdup("") : text;
}

void consumer_member_write_facts(const struct consumer_member *member,
                                 struct text_buf *out)
{
    pack_i32(out, FORM);
    put_text(out, member->instance_id);
    put_text(out, member->rack_id);
    put_text(out, member->client_id);
    put_text(out, member->client_host);
    put_text(out, member->regex);
    put_text(out, member->assignor);
    pack_i32(out, member->rebalance_timeout_ms);
    pack_i32(out, member->topics_count);
    for (int32_t i = 0; i < member->topics_count; i++)
        put_text(out, member->topics[i]);
    pack_i32(out, member->classic ? member->classic_session_ms : -1);
    pack_bytes(out, (struct wire_bytes){(const uint8_t *)member->protocols.data,
                                        (int32_t)member->protocols.len});
}

static void read_classic(struct unpack *in, struct consumer_member *member)
{
    struct wire_bytes protocols;

    member->classic_session_ms = unpack_i32(in);
    member->classic = member->classic_session_ms >= 0;
    protocols = unpack_bytes(in);
    if (protocols.len > 0)
        text_append_bytes(&member->protocols, protocols.data, (size_t)protocols.len);
}

bool consumer_member_read_facts(struct consumer_member *member, const void *data,
                                size_t len)
{
    struct unpack in = open_form(data, len);
    int32_t count;

    free_facts(member);
    member->instance_id = text_or_null(&in);
    member->rack_id = text_or_null(&in);
    member->client_id = text_or_empty(&in);
    member->client_host = text_or_empty(&in);
    member->regex = text_or_empty(&in);
    member->assignor = text_or_null(&in);
    member->rebalance_timeout_ms = unpack_i32(&in);
    count = read_count(&in);
    member->topics = mem_alloc(((size_t)count + 1) * sizeof(*member->topics));
    for (int32_t i = 0; i < count; i++)
        member->topics[member->topics_count++] = text_or_empty(&in);
    tidy_topics(member);
    read_classic(&in, member);
    return !in.bad;
}

static void put_set(struct text_buf *out, const struct partition_set *set)
{
    size_t run;

    for (size_t i = 0; i < set->count; i += run) {
        run = partition_set_run(set, i);
        pack_i32(out, (int32_t)run);
        pack_bytes(out, (struct wire_bytes){set->items[i].topic.bytes,
                                            sizeof(set->items[i].topic.bytes)});
        for (size_t j = i; j < i + run; j++)
            pack_i32(out, set->items[j].partition);
    }
    pack_i32(out, 0);
}

static void read_set(struct unpack *in, struct partition_set *set)
{
    int32_t run;

    partition_set_clear(set);
    while ((run = read_count(in)) > 0) {
        struct wire_bytes raw = unpack_bytes(in);
        struct wire_uuid topic;

        in->bad = in->bad || raw.len != (int32_t)sizeof(topic.bytes);
        if (in->bad)
            return;
        memcpy(topic.bytes, raw.data, sizeof(topic.bytes));
        for (int32_t i = 0; i < run && !in->bad; i++) {
            int32_t partition = unpack_i32(in);

            in->bad = in->bad || partition < 0 || partition > PARTITION_MAX;
            if (!in->bad)
                partition_set_add(set, &topic, partition);
        }
    }
    partition_set_sort(set);
}

void consumer_member_write_place(const struct consumer_member *member,
                                 struct text_buf *out)
{
    pack_i32(out, FORM);
    pack_i32(out, (int32_t)member->state);
    pack_i32(out, member->epoch);
    pack_i32(out, member->previous_epoch);
    put_set(out, &member->assigned);
    put_set(out, &member->revoking);
}

bool consumer_member_read_place(struct consumer_member *member, const void *data,
                                size_t len)
{
    struct unpack in = open_form(data, len);
    int32_t state = unpack_i32(&in);

    member->epoch = unpack_i32(&in);
    member->previous_epoch = unpack_i32(&in);
    read_set(&in, &member->assigned);
    read_set(&in, &member->revoking);
    if (state < CONSUMER_STABLE || state > CONSUMER_UNRELEASED)
        in.bad = true;
    else
        member->state = (enum consumer_member_state)state;
    return !in.bad;
}

void consumer_member_write_target(const struct partition_set *target,
                                  struct text_buf *out)
{
    pack_i32(out, FORM);
    put_set(out, target);
}

bool consumer_member_read_target(struct consumer_member *member, const void *data,
                                 size_t len)
{
    struct unpack in = open_form(data, len);

    read_set(&in, &member->target);
    return !in.bad;
}
