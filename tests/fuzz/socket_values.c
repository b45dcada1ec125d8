/* SPDX-License-Identifier: MIT */
#include "socket_values.h"

#include "socket_witness.h"

#include "ledger/log/batch.h"

#include <string.h>

static bool has(const struct wire_field *f, int16_t version)
{
    return version >= f->first && version <= f->last;
}

/* Names of fields, or parts of them, that say who speaks; and what they have in common.
 */
static const struct {
    const char *part;
    const char *common;
} traits[] = {
    {"generation", "generation_id"}, {"member_epoch", "generation_id"},
    {"member_id", "member_id"},      {"instance_id", "instance_id"},
    {"group_id", "group_id"},        {"transactional_id", "transactional_id"},
    {"producer_id", "producer_id"},  {"producer_epoch", "producer_epoch"},
    {"session_id", "session_id"},
};

/* NULL: it says nothing about that. */
static const char *trait_of(const struct wire_field *f)
{
    for (size_t i = 0; i < sizeof traits / sizeof *traits; i++)
        if (strstr(f->name, traits[i].part) != NULL)
            return traits[i].common;
    return NULL;
}

/* Fields of different names that mean the same. */
static const char *common_name(const struct wire_field *f)
{
    const char *trait = trait_of(f);

    if (trait != NULL)
        return trait;
    return strstr(f->name, "topic_id") != NULL ? "topic_id" : f->name;
}

static struct socket_seen *bucket_of(struct socket_values *values, const char *name)
{
    uint32_t hash = 5381;

    for (; *name != '\0'; name++)
        hash = hash * 33 + (uint8_t)*name;
    return values->seen[hash % SOCKET_VALUES_BUCKETS];
}

static const struct socket_seen *find_trait(const struct socket_party *party,
                                            const char *name, uint8_t type)
{
    for (size_t i = 0; party != NULL && i < party->count; i++)
        if (strcmp(party->traits[i].name, name) == 0 && party->traits[i].type == type)
            return &party->traits[i];
    return NULL;
}

static const struct socket_seen *recall(struct socket_values *values,
                                        const struct wire_field *f)
{
    const char *name = common_name(f);
    const struct socket_seen *seen = find_trait(values->party, name, f->type);

    if (seen != NULL)
        return seen;
    seen = bucket_of(values, name) +
           wire_values_below(&values->state, SOCKET_VALUES_DEPTH);
    return seen->name != NULL && strcmp(seen->name, name) == 0 && seen->type == f->type
               ? seen
               : NULL;
}

static void fill(struct socket_seen *seen, const struct wire_field *f,
                 const void *bytes, size_t len)
{
    if (len > sizeof seen->bytes)
        return;
    seen->name = common_name(f);
    seen->type = f->type;
    seen->len = (uint8_t)len;
    memcpy(seen->bytes, bytes, len);
}

static void keep(struct socket_values *values, const struct wire_field *f,
                 const void *bytes, size_t len)
{
    fill(bucket_of(values, common_name(f)) +
             wire_values_below(&values->state, SOCKET_VALUES_DEPTH),
         f, bytes, len);
}

size_t socket_values_meet(struct socket_party *party, const struct wire_message *m,
                          int16_t version, const void *value)
{
    size_t said = 0;

    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];
        const uint8_t *member = (const uint8_t *)value + f->offset;
        const struct socket_seen *known;
        struct socket_seen *trait = &party->traits[party->count];
        struct wire_string text = {(const char *)member, wire_member_bytes[f->type]};

        if (f->shape != WIRE_ONE || trait_of(f) == NULL || !has(f, version))
            continue;
        if (f->type == WIRE_STRING)
            memcpy(&text, member, sizeof text);
        known = find_trait(party, trait_of(f), f->type);
        if (known != NULL)
            trait = &party->traits[known - party->traits];
        if (text.len <= 0 || text.len > SOCKET_VALUES_TEXT ||
            (known == NULL && party->count == SOCKET_VALUES_TRAITS))
            continue;
        fill(trait, f, text.data, (size_t)text.len);
        party->count += known == NULL;
        said++;
    }
    return said;
}

void socket_values_befriend(struct socket_values *values,
                            const struct socket_party *party)
{
    if (party->count > 1)
        values->parties[wire_values_below(&values->state, SOCKET_VALUES_PARTIES)] =
            *party;
}

static void keep_string(struct socket_values *values, const struct wire_field *f,
                        const struct wire_string *text)
{
    if (text->len > 0 && !wire_string_is(*text, SOCKET_WITNESS_TOPIC))
        keep(values, f, text->data, (size_t)text->len);
}

/* The elements of an array, or the child of a pointer; count 0 when there are none. */
static uint8_t *elements(const struct wire_field *f, const void *value, int32_t *count)
{
    uint8_t *array;

    memcpy(&array, (const uint8_t *)value + f->offset, sizeof array);
    *count = array != NULL;
    if (f->shape == WIRE_MANY)
        memcpy(count, (const uint8_t *)value + f->count_offset, sizeof *count);
    return array;
}

static size_t size_of(const struct wire_field *f)
{
    return f->child ? f->child->size : wire_member_bytes[f->type];
}

static void remember_one(struct socket_values *values, const struct wire_field *f,
                         int16_t version, const void *value)
{
    if (f->type == WIRE_STRING)
        keep_string(values, f, value);
    else if (f->type == WIRE_STRUCT_TYPE)
        socket_values_remember(values, f->child, version, value);
    else if (f->type != WIRE_BYTES && f->type != WIRE_RECORDS)
        keep(values, f, value, wire_member_bytes[f->type]);
}

/* Does this struct speak of the witness's topic? Its id must not get about either. */
static bool is_private(const struct wire_message *m, const void *value)
{
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];
        struct wire_string text;

        if (f->type != WIRE_STRING || f->shape != WIRE_ONE)
            continue;
        memcpy(&text, (const uint8_t *)value + f->offset, sizeof text);
        if (wire_string_is(text, SOCKET_WITNESS_TOPIC))
            return true;
    }
    return false;
}

void socket_values_remember(struct socket_values *values, const struct wire_message *m,
                            int16_t version, const void *value)
{
    if (is_private(m, value))
        return;
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];
        const uint8_t *array;
        int32_t count;

        if (!has(f, version))
            continue;
        if (f->shape == WIRE_ONE) {
            remember_one(values, f, version, (const uint8_t *)value + f->offset);
            continue;
        }
        array = elements(f, value, &count);
        for (int32_t k = 0; k < count && k < 16; k++)
            remember_one(values, f, version, array + (size_t)k * size_of(f));
    }
}

/* What fields of such a name usually hold. The first row that fits counts. */
static const struct {
    const char *in_message; /* part of the struct's name; "" any */
    const char *in_name;    /* part of the field's name */
    const char *words[8];
} texts[] = {
    {"config",
     "name",
     {"retention.ms", "cleanup.policy", "max.message.bytes", "segment.bytes",
      "message.timestamp.type", "min.compaction.lag.ms", "consumer.session.timeout.ms",
      "nonsense"}},
    {"config",
     "value",
     {"1", "1000", "compact", "delete", "-1", "LogAppendTime", "60000"}},
    {"config", "keys", {"retention.ms", "cleanup.policy", "nonsense"}},
    {"synonym", "name", {"retention.ms"}},
    {"find_coordinator", "key", {"group-a", "group-b", "txn-a", "fuzz-a"}},
    {"join_group_request_protocol", "name", {"range", "roundrobin"}},
    {"protocol", "name", {"range"}},
    {"", "protocol_type", {"consumer"}},
    {"", "protocol_name", {"range"}},
    {"", "server_assignor", {"uniform", "range", "none"}},
    {"", "instance_id", {"static-a", "static-b"}},
    {"", "regex", {"fuzz-.*", "[a-z-]*", "(", "(a+)+$", ""}},
    {"", "pattern", {"txn-.*", "(", ".*"}},
    {"", "group", {"group-a", "group-b", "group-c", "group-d"}},
    {"", "transactional_id", {"txn-a", "txn-b"}},
    {"", "resource_name", {"fuzz-a", "fuzz-b", "1", "", "group-a"}},
    {"", "states_filter", {"Stable", "Empty", "Ongoing", "Nonsense"}},
    {"", "types_filter", {"classic", "consumer"}},
    {"", "rack", {"rack-a"}},
    {"", "client_software", {"fuzz", "1.0"}},
    {"delete_topics", "name", {"fuzz-c", "fuzz-d", "fuzz-e", "fuzz-f", "fuzz-g"}},
    {"create_topics",
     "name",
     {"fuzz-a", "fuzz-b", "fuzz-c", "fuzz-d", "fuzz-e", "fuzz-f"}},
    {"", "topic", {"fuzz-a", "fuzz-b", "fuzz-c"}},
    {"", "name", {"fuzz-a", "fuzz-b", "fuzz-c"}},
};

static const struct {
    const char *in_name;
    int64_t numbers[8]; /* all eight are drawn from */
} numbers[] = {
    {"timeout", {6000, 6000, 10000, 10000, 30000, 45000, 100, 60000}},
    {"acks", {-1, -1, -1, 1, 1, 0, -1, 1}},
    {"replication_factor", {-1, 1, 1, 1, -1, 1, 1, 2}},
    {"num_partitions", {-1, 1, 1, 2, 2, 3, 3, 4}},
    {"count", {2, 3, 3, 4, 4, 5, 6, 1}},
    {"partition", {0, 0, 0, 0, 1, 1, 1, 2}},
    {"index", {0, 0, 0, 0, 1, 1, 1, 2}},
    {"max_wait", {0, 0, 0, 1, 5, 5, 50, 500}},
    {"bytes", {0, 1, 1, 100, 4096, 65536, 1 << 20, INT32_MAX}},
    {"first_offset", {0, 0, 1, 2, 5, -1, 10, 100}},
    {"offset", {0, 0, 0, 1, 2, 3, 5, -1}},
    {"timestamp", {-1, -1, -2, -2, -3, -4, -5, 2000}},
    {"leader_epoch", {-1, -1, -1, -1, 0, 0, 0, 1}},
    {"replica_id", {-1, -1, -1, -1, -1, -1, -1, 1}},
    {"resource_type", {2, 2, 2, 2, 4, 32, 16, 8}},
    {"key_type", {0, 0, 0, 1, 1, 1, 2, 0}},
    {"operation", {0, 0, 0, 1, 1, 2, 3, 4}},
    {"isolation", {0, 0, 0, 0, 1, 1, 1, 1}},
    {"session_id", {0, 0, 0, 0, 0, 0, 0, 1}},
    {"session_epoch", {-1, 0, 0, 0, 0, 1, 1, 2}},
    {"member_epoch", {0, 0, 0, 0, 0, -1, -1, -2}},
    {"generation", {-1, -1, 0, 1, 1, 1, 2, 2}},
    {"producer_id", {-1, -1, -1, -1, -1, 0, 0, 1}},
    {"producer_epoch", {-1, -1, -1, -1, 0, 0, 0, 1}},
    {"", {0, 0, 0, 1, 1, -1, -1, 2}},
};

static struct wire_string usual_text(struct socket_values *values,
                                     const struct wire_message *m,
                                     const struct wire_field *f)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strstr(m->name, texts[i].in_message) == NULL ||
            strstr(f->name, texts[i].in_name) == NULL)
            continue;
        while (count < 8 && texts[i].words[count] != NULL)
            count++;
        return wire_string_of(texts[i].words[wire_values_below(&values->state, count)]);
    }
    return wire_string_of("");
}

static void draw_string(struct socket_values *values, const struct wire_message *m,
                        const struct wire_field *f, struct wire_string *out)
{
    const struct socket_seen *seen = recall(values, f);
    bool is_party = seen != NULL && find_trait(values->party, seen->name, seen->type);
    /* The broker invents the ids of members; most other names are ours. */
    size_t of_12 = is_party ? 11 : strstr(f->name, "member_id") != NULL ? 6 : 1;

    if (seen != NULL && wire_values_below(&values->state, 12) < of_12)
        *out = (struct wire_string){seen->bytes, seen->len};
    else
        *out = usual_text(values, m, f);
}

static void draw_number(struct socket_values *values, const struct wire_field *f,
                        void *out)
{
    const struct socket_seen *seen = recall(values, f);
    size_t row = 0;
    int64_t number;

    while (strstr(f->name, numbers[row].in_name) == NULL)
        row++;
    number = numbers[row].numbers[wire_values_below(&values->state, 8)];
    if (seen != NULL && wire_values_below(&values->state, values->party ? 12 : 3) > 0)
        memcpy(out, seen->bytes, seen->len);
    else if (f->type == WIRE_BOOLEAN)
        *(bool *)out = number > 0;
    else if (f->type == WIRE_UUID)
        memset(out, 0, sizeof(struct wire_uuid));
    else
        memcpy(out, &number, wire_member_bytes[f->type]);
}

/* Batches that would be written, with the producer ids that were given out; one in
 * eight is damaged afterwards. */
static void draw_records(struct socket_values *values, struct mem_arena *arena,
                         struct wire_records *out)
{
    static const struct wire_field id = {.name = "producer_id", .type = WIRE_INT64};
    static const struct wire_field epoch = {.name = "producer_epoch",
                                            .type = WIRE_INT16};
    struct batch model = {.base_timestamp =
                              (int64_t)wire_values_below(&values->state, 5000),
                          .producer_id = -1,
                          .producer_epoch = -1,
                          .base_sequence = -1};
    size_t kind = wire_values_below(&values->state, 8);

    if (kind >= 4) {
        draw_number(values, &id, &model.producer_id);
        draw_number(values, &epoch, &model.producer_epoch);
        model.base_sequence = (int32_t)wire_values_below(&values->state, 3);
    }
    if (kind >= 6)
        model.attributes |= BATCH_TRANSACTIONAL;
    if (kind == 3)
        model.attributes |= (int16_t)wire_values_below(&values->state, 5);
    socket_witness_batch(&model, "fuzz", arena, out);
    if (kind == 0 && out->len > 0)
        ((uint8_t *)(uintptr_t)
             out->data)[wire_values_below(&values->state, (size_t)out->len)] ^=
            (uint8_t)(1u << (values->state % 8));
}

static void season(struct socket_values *values, const struct wire_message *m,
                   int16_t version, struct mem_arena *arena, void *value);

static void season_one(struct socket_values *values, const struct wire_message *m,
                       const struct wire_field *f, int16_t version,
                       struct mem_arena *arena, void *value)
{
    if (f->type == WIRE_STRUCT_TYPE)
        season(values, f->child, version, arena, value);
    else if (wire_values_below(&values->state, values->wild ? 4 : 64) == 0)
        return; /* it stays as random as it is */
    else if (f->type == WIRE_STRING)
        draw_string(values, m, f, value);
    else if (f->type == WIRE_RECORDS)
        draw_records(values, arena, value);
    else if (f->type != WIRE_BYTES)
        draw_number(values, f, value);
}

/* Parts without which a request has better chances. */
static bool is_better_left_out(const struct wire_message *m, const struct wire_field *f)
{
    return strcmp(f->name, "assignments") == 0 || strcmp(f->name, "cursor") == 0 ||
           strcmp(f->name, "forgotten_topics_data") == 0 ||
           strcmp(m->name, "consumer_group_heartbeat_request") == 0 ||
           (strstr(m->name, "create_topics") != NULL &&
            strcmp(f->name, "configs") == 0);
}

static void season_many(struct socket_values *values, const struct wire_message *m,
                        const struct wire_field *f, int16_t version,
                        struct mem_arena *arena, void *value)
{
    int32_t count, none = 0;
    uint8_t *array = elements(f, value, &count);

    if (!values->wild && is_better_left_out(m, f) &&
        wire_values_below(&values->state, 4) > 0) {
        array = NULL;
        memcpy((uint8_t *)value + f->offset, &array, sizeof array);
        if (f->shape == WIRE_MANY)
            memcpy((uint8_t *)value + f->count_offset, &none, sizeof none);
        return;
    }
    for (int32_t k = 0; k < count; k++)
        season_one(values, m, f, version, arena, array + (size_t)k * size_of(f));
}

static void season(struct socket_values *values, const struct wire_message *m,
                   int16_t version, struct mem_arena *arena, void *value)
{
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];

        if (!has(f, version))
            continue;
        if (f->shape == WIRE_ONE)
            season_one(values, m, f, version, arena, (uint8_t *)value + f->offset);
        else
            season_many(values, m, f, version, arena, value);
    }
}

/* One who knows as much as possible of what the request asks for. */
static const struct socket_party *choose_party(struct socket_values *values,
                                               const struct wire_message *m)
{
    const struct socket_party *best = NULL;
    size_t most = 0;

    for (size_t tries = 0; tries < 8; tries++) {
        const struct socket_party *party =
            &values->parties[wire_values_below(&values->state, SOCKET_VALUES_PARTIES)];
        size_t known = 0;

        for (size_t i = 0; i < m->fields_count; i++)
            known += find_trait(party, common_name(&m->fields[i]), m->fields[i].type) !=
                     NULL;
        if (known > most) {
            best = party;
            most = known;
        }
    }
    return best;
}

/* Its first array with something in it gets count elements, the same ones again and
 * again. */
static void inflate(const struct wire_message *m, int16_t version, int32_t count,
                    struct mem_arena *arena, void *value)
{
    for (size_t i = 0; i < m->fields_count; i++) {
        const struct wire_field *f = &m->fields[i];
        uint8_t *few, *many;
        int32_t had;

        if (f->shape != WIRE_MANY || !has(f, version))
            continue;
        few = elements(f, value, &had);
        if (had <= 0)
            continue;
        many = mem_arena_alloc(arena, (size_t)count * size_of(f));
        for (int32_t k = 0; k < count; k++)
            memcpy(many + (size_t)k * size_of(f), few + (size_t)(k % had) * size_of(f),
                   size_of(f));
        memcpy((uint8_t *)value + f->offset, &many, sizeof many);
        memcpy((uint8_t *)value + f->count_offset, &count, sizeof count);
        return;
    }
}

void socket_values_draw(struct socket_values *values, const struct wire_message *m,
                        int16_t version, struct mem_arena *arena, void *value)
{
    wire_values_random(m, version, &values->state, arena, value);
    values->wild = wire_values_below(&values->state, 3) == 0;
    values->party = NULL;
    if (wire_values_below(&values->state, 8) > 0)
        values->party = choose_party(values, m);
    if (wire_values_below(&values->state, 10) > 0)
        season(values, m, version, arena, value);
    if (wire_values_below(&values->state, 300) == 0)
        inflate(m, version, 100 << wire_values_below(&values->state, 9), arena, value);
}
