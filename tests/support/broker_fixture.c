/* SPDX-License-Identifier: MIT */
#include "broker_fixture.h"

#include "base/clock.h"

#include <check.h>
#include <poll.h>

struct fixture fixture;

static struct broker_member *copy_members(const struct broker_item *from)
{
    struct broker_member *members =
        mem_arena_alloc(&fixture.arena, (from->member_count + 1) * sizeof *members);

    for (size_t i = 0; i < from->member_count; i++)
        members[i] = (struct broker_member){
            .client_id = mem_arena_strdup(&fixture.arena, from->members[i].client_id),
            .host = mem_arena_strdup(&fixture.arena, from->members[i].host),
            .instance =
                from->members[i].instance
                    ? mem_arena_strdup(&fixture.arena, from->members[i].instance)
                    : NULL};
    return members;
}

static const char *copy(const char *text)
{
    return text ? mem_arena_strdup(&fixture.arena, text) : NULL;
}

void fixture_on_done(void *arg, const struct broker_reply *reply)
{
    struct broker_item *items =
        mem_arena_alloc(&fixture.arena, (reply->count + 1) * sizeof *items);

    *(int *)arg += 1;
    fixture.reply = *reply;
    fixture.reply.error = copy(reply->error);
    fixture.reply.items = items;
    for (size_t i = 0; i < reply->count; i++) {
        items[i] = reply->items[i];
        items[i].name = copy(items[i].name);
        items[i].error = copy(items[i].error);
        items[i].metadata = copy(items[i].metadata);
        items[i].topic_id = copy(items[i].topic_id);
        items[i].key = copy(items[i].key);
        items[i].value = copy(items[i].value);
        items[i].state = copy(items[i].state);
        items[i].members = copy_members(&items[i]);
    }
}

void fixture_answered(void)
{
    struct pollfd watched = {.fd = broker_fd(fixture.broker), .events = POLLIN};
    int64_t deadline_ms = clock_mono_ms() + FIXTURE_TIMEOUT_MS + 5000;

    while (fixture.calls == 0) {
        ck_assert_int_lt(clock_mono_ms(), deadline_ms);
        if (poll(&watched, 1, 1000) > 0)
            broker_dispatch(fixture.broker);
    }
    ck_assert_int_eq(fixture.calls, 1);
    fixture.calls = 0;
}

void fixture_all_fine(void)
{
    fixture_answered();
    ck_assert_msg(fixture.reply.error_code == 0, "%s", fixture.reply.error);
    for (size_t i = 0; i < fixture.reply.count; i++)
        ck_assert_msg(fixture.reply.items[i].error_code == 0, "%s: %s",
                      fixture.reply.items[i].name, fixture.reply.items[i].error);
}

struct broker *fixture_open_at(const char *brokers)
{
    struct broker_config config = {.brokers = brokers, .client_id = "host-test"};
    struct error err = {0};
    struct broker *opened = broker_open(&config, &err);

    ck_assert_msg(opened != NULL, "%s", err.text);
    return opened;
}

void fixture_end(void)
{
    broker_close(fixture.broker);
    mem_arena_clear(&fixture.arena);
    fixture = (struct fixture){0};
}
