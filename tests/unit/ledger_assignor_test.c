/* SPDX-License-Identifier: MIT
 *
 * Properties of the assignors over random groups, and Kafka's own examples.
 */
#include "ledger/group/assignor.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 12, TOPICS = 6, PARTITIONS = 9, ROUNDS = 3000 };

/* A group that lives on: what was assigned is what is owned next time. */
struct world {
    int32_t partitions[TOPICS];
    int32_t topics;
    char ids[MEMBERS][8];
    char instances[MEMBERS][8];
    bool is_static[MEMBERS];
    bool alive[MEMBERS];
    bool wants[MEMBERS][TOPICS];
    struct assignor_partition owned[MEMBERS][TOPICS * PARTITIONS];
    int32_t owned_count[MEMBERS];
};

struct round {
    struct mem_arena arena;
    struct assignor_input input;
    struct assignor_member members[MEMBERS];
    int32_t topics[MEMBERS][TOPICS];
    int who[MEMBERS]; /* index in the world */
    struct assignor_share shares[MEMBERS];
};

static unsigned seed = 1;

static int pick(int below)
{
    seed = seed * 1103515245U + 12345U;
    return (int)(seed >> 16 & 0x7fff) % below;
}

static void ask(const struct world *world, struct round *round, assignor_fn *assign)
{
    int32_t n = 0;

    *round = (struct round){0};
    for (int m = 0; m < MEMBERS; m++) {
        struct assignor_member *member = &round->members[n];

        if (!world->alive[m])
            continue;
        member->id = world->ids[m];
        member->instance_id = world->is_static[m] ? world->instances[m] : NULL;
        for (int t = 0; t < world->topics; t++)
            if (world->wants[m][t])
                round->topics[n][member->topics_count++] = t;
        member->topics = round->topics[n];
        member->owned = world->owned[m];
        member->owned_count = world->owned_count[m];
        round->who[n++] = m;
    }
    round->input = (struct assignor_input){
        .topic_partitions = world->partitions,
        .topics_count = world->topics,
        .members = round->members,
        .members_count = n,
        .homogeneous = true,
    };
    for (int i = 1; i < n; i++)
        if (memcmp(world->wants[round->who[i]], world->wants[round->who[0]],
                   sizeof(world->wants[0])) != 0)
            round->input.homogeneous = false;
    assign(&round->input, &round->arena, round->shares);
}

/* Every partition that somebody subscribes to is with exactly one of its subscribers.
 */
static int wrongly_owned(const struct world *world, const struct round *round)
{
    int owners[TOPICS][PARTITIONS] = {0}, wrong = 0;

    for (int i = 0; i < round->input.members_count; i++)
        for (int32_t j = 0; j < round->shares[i].count; j++) {
            struct assignor_partition p = round->shares[i].partitions[j];

            if (p.partition >= world->partitions[p.topic] ||
                !world->wants[round->who[i]][p.topic])
                wrong++;
            else
                owners[p.topic][p.partition]++;
            if (j > 0 &&
                (round->shares[i].partitions[j - 1].topic > p.topic ||
                 (round->shares[i].partitions[j - 1].topic == p.topic &&
                  round->shares[i].partitions[j - 1].partition >= p.partition)))
                wrong++;
        }
    for (int t = 0; t < world->topics; t++) {
        int subscribers = 0;

        for (int i = 0; i < round->input.members_count; i++)
            subscribers += world->wants[round->who[i]][t];
        for (int p = 0; p < world->partitions[t]; p++)
            wrong += owners[t][p] != (subscribers > 0);
    }
    return wrong;
}

static int spread(const struct round *round)
{
    int32_t least = INT32_MAX, most = 0;

    for (int i = 0; i < round->input.members_count; i++) {
        int32_t count = round->shares[i].count;

        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    return round->input.members_count == 0 ? 0 : most - least;
}

/* Could one partition go from a member to a subscriber that has at least two less? */
static bool one_move_helps(const struct world *world, const struct round *round)
{
    for (int a = 0; a < round->input.members_count; a++)
        for (int32_t j = 0; j < round->shares[a].count; j++)
            for (int b = 0; b < round->input.members_count; b++)
                if (world->wants[round->who[b]][round->shares[a].partitions[j].topic] &&
                    round->shares[b].count + 1 < round->shares[a].count)
                    return true;
    return false;
}

static bool owns(const struct assignor_partition *set, int32_t count,
                 struct assignor_partition p)
{
    for (int32_t i = 0; i < count; i++)
        if (set[i].topic == p.topic && set[i].partition == p.partition)
            return true;
    return false;
}

/* Partitions that an alive subscriber owned and that are with somebody else now. */
static int moves(const struct world *world, const struct round *round)
{
    int moved = 0;

    for (int i = 0; i < round->input.members_count; i++) {
        int m = round->who[i];

        for (int32_t j = 0; j < world->owned_count[m]; j++)
            if (world->wants[m][world->owned[m][j].topic] &&
                !owns(round->shares[i].partitions, round->shares[i].count,
                      world->owned[m][j]))
                moved++;
    }
    return moved;
}

/*
 * The fewest moves that balance allows: all shares are the minimum or one more, and
 * only so many of them one more.
 */
static int needed_moves(const struct world *world, const struct round *round)
{
    int total = 0, members = round->input.members_count, above = 0, needed = 0, extra;

    for (int i = 0; i < members; i++)
        total += round->shares[i].count;
    extra = members > 0 ? total % members : 0;
    for (int i = 0; i < members; i++) {
        int kept = 0, m = round->who[i];

        for (int32_t j = 0; j < world->owned_count[m]; j++)
            kept += world->wants[m][world->owned[m][j].topic];
        if (kept > total / members) {
            needed += kept - total / members;
            above++;
        }
    }
    return needed - (above < extra ? above : extra);
}

static void keep(struct world *world, const struct round *round)
{
    memset(world->owned_count, 0, sizeof(world->owned_count));
    for (int i = 0; i < round->input.members_count; i++) {
        int m = round->who[i];

        world->owned_count[m] = round->shares[i].count;
        memcpy(world->owned[m], round->shares[i].partitions,
               (size_t)round->shares[i].count * sizeof(struct assignor_partition));
    }
}

static void start(struct world *world)
{
    *world = (struct world){.topics = 1 + pick(TOPICS)};
    for (int t = 0; t < world->topics; t++)
        world->partitions[t] = pick(PARTITIONS);
    for (int m = 0; m < MEMBERS; m++) {
        snprintf(world->ids[m], sizeof(world->ids[m]), "m%d", (m * 7) % MEMBERS);
        snprintf(world->instances[m], sizeof(world->instances[m]), "i%d", m);
        world->is_static[m] = pick(3) == 0;
        for (int t = 0; t < TOPICS; t++)
            world->wants[m][t] = true;
    }
    world->alive[0] = true;
}

static void disturb(struct world *world, bool mixed)
{
    int m = pick(MEMBERS), t = pick(world->topics);

    switch (pick(mixed ? 4 : 3)) {
    case 0:
    case 1:
        world->alive[m] = !world->alive[m];
        world->owned_count[m] = 0;
        return;
    case 2:
        if (world->partitions[t] < PARTITIONS)
            world->partitions[t]++;
        return;
    default:
        world->wants[m][t] = !world->wants[m][t];
    }
}

START_TEST(uniform_is_balanced_and_moves_as_few_as_possible)
{
    int wrong = 0, unbalanced = 0, needless = 0;
    static struct world world;
    struct round round;

    for (int i = 0; i < ROUNDS; i++) {
        if (i % 50 == 0)
            start(&world);
        disturb(&world, false);
        ask(&world, &round, assignor_uniform);
        wrong += wrongly_owned(&world, &round);
        unbalanced += spread(&round) > 1;
        needless += moves(&world, &round) != needed_moves(&world, &round);
        keep(&world, &round);
        mem_arena_clear(&round.arena);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(unbalanced, 0);
    ck_assert_int_eq(needless, 0);
}
END_TEST

START_TEST(uniform_levels_different_subscriptions)
{
    int wrong = 0, unbalanced = 0, restless = 0;
    static struct world world;
    struct round round;

    for (int i = 0; i < ROUNDS; i++) {
        if (i % 50 == 0)
            start(&world);
        disturb(&world, true);
        ask(&world, &round, assignor_uniform);
        wrong += wrongly_owned(&world, &round);
        unbalanced += one_move_helps(&world, &round);
        keep(&world, &round);
        mem_arena_clear(&round.arena);
        /* Nothing has changed: nothing moves. */
        ask(&world, &round, assignor_uniform);
        restless += moves(&world, &round);
        mem_arena_clear(&round.arena);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(unbalanced, 0);
    ck_assert_int_eq(restless, 0);
}
END_TEST

/* Shares of one topic are consecutive and differ by at most one. */
static int uneven_ranges(const struct world *world, const struct round *round)
{
    int uneven = 0;

    for (int t = 0; t < world->topics; t++) {
        int32_t least = INT32_MAX, most = 0;

        for (int i = 0; i < round->input.members_count; i++) {
            int32_t count = 0, last = -1;

            for (int32_t j = 0; j < round->shares[i].count; j++) {
                struct assignor_partition p = round->shares[i].partitions[j];

                if (p.topic != t)
                    continue;
                uneven += last >= 0 && p.partition != last + 1;
                last = p.partition;
                count++;
            }
            if (!world->wants[round->who[i]][t])
                continue;
            least = count < least ? count : least;
            most = count > most ? count : most;
        }
        uneven += most > 0 && most - least > 1;
    }
    return uneven;
}

START_TEST(range_gives_every_subscriber_a_range_of_every_topic)
{
    int wrong = 0, uneven = 0;
    static struct world world;
    struct round round;

    for (int i = 0; i < ROUNDS; i++) {
        if (i % 50 == 0)
            start(&world);
        disturb(&world, true);
        ask(&world, &round, assignor_range);
        wrong += wrongly_owned(&world, &round);
        uneven += uneven_ranges(&world, &round);
        keep(&world, &round);
        mem_arena_clear(&round.arena);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(uneven, 0);
}
END_TEST

START_TEST(range_cuts_topics_of_one_size_alike)
{
    static struct world world;
    struct round round;
    int unlike = 0;

    start(&world);
    world.topics = 2;
    world.partitions[0] = world.partitions[1] = 8;
    world.alive[1] = world.alive[2] = true;
    ask(&world, &round, assignor_range);
    for (int i = 0; i < 3; i++)
        for (int32_t j = 0; j < round.shares[i].count; j++)
            unlike += !owns(
                round.shares[i].partitions, round.shares[i].count,
                (struct assignor_partition){1 - round.shares[i].partitions[j].topic,
                                            round.shares[i].partitions[j].partition});
    ck_assert_int_eq(unlike, 0);
    mem_arena_clear(&round.arena);
}
END_TEST

START_TEST(range_puts_static_members_first_by_instance)
{
    const int32_t topics[] = {0}, partitions[] = {3};
    const struct assignor_member members[] = {
        {.id = "a", .topics = topics, .topics_count = 1},
        {.id = "z", .instance_id = "2", .topics = topics, .topics_count = 1},
        {.id = "y", .instance_id = "1", .topics = topics, .topics_count = 1},
    };
    const struct assignor_input input = {partitions, 1, members, 3, true};
    struct assignor_share shares[3];
    struct mem_arena arena = {0};

    assignor_range(&input, &arena, shares);
    ck_assert_int_eq(shares[2].partitions[0].partition, 0);
    ck_assert_int_eq(shares[1].partitions[0].partition, 1);
    ck_assert_int_eq(shares[0].partitions[0].partition, 2);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(nobody_and_nothing_are_fine)
{
    const struct assignor_member idle = {.id = "a"};
    const struct assignor_input none = {0},
                                one = {.members = &idle, .members_count = 1};
    struct assignor_share share = {.count = -1};
    struct mem_arena arena = {0};

    assignor_uniform(&none, &arena, NULL);
    assignor_range(&none, &arena, NULL);
    assignor_uniform(&one, &arena, &share);
    ck_assert_int_eq(share.count, 0);
    share.count = -1;
    assignor_range(&one, &arena, &share);
    ck_assert_int_eq(share.count, 0);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(assignors_have_kafkas_names)
{
    ck_assert(assignor_find("uniform") == assignor_uniform);
    ck_assert(assignor_find("range") == assignor_range);
    ck_assert(assignor_find("sticky") == NULL);
    ck_assert_str_eq(assignor_default(), "uniform");
}
END_TEST

/* 1,000 members and 10,000 partitions of 100 topics, half of the members with half of
 * them. */
START_TEST(large_groups_are_assigned)
{
    enum { MANY = 1000, TOPIC_COUNT = 100, EACH = 100 };
    static struct assignor_member members[MANY];
    static struct assignor_share shares[MANY];
    static int32_t all[TOPIC_COUNT], partitions[TOPIC_COUNT];
    static char ids[MANY][8];
    struct assignor_input input = {partitions, TOPIC_COUNT, members, MANY, false};
    struct mem_arena arena = {0};
    int32_t total = 0;

    for (int t = 0; t < TOPIC_COUNT; t++) {
        all[t] = t;
        partitions[t] = EACH;
    }
    for (int m = 0; m < MANY; m++) {
        snprintf(ids[m], sizeof(ids[m]), "m%d", m);
        members[m] = (struct assignor_member){.id = ids[m],
                                              .topics = all,
                                              .topics_count = m % 2 ? TOPIC_COUNT
                                                                    : TOPIC_COUNT / 2};
    }
    assignor_uniform(&input, &arena, shares);
    for (int m = 0; m < MANY; m++)
        total += shares[m].count;
    ck_assert_int_eq(total, TOPIC_COUNT * EACH);
    mem_arena_clear(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("assignor");
    TCase *tcase = tcase_create("all");

    tcase_add_test(tcase, uniform_is_balanced_and_moves_as_few_as_possible);
    tcase_add_test(tcase, uniform_levels_different_subscriptions);
    tcase_add_test(tcase, range_gives_every_subscriber_a_range_of_every_topic);
    tcase_add_test(tcase, range_cuts_topics_of_one_size_alike);
    tcase_add_test(tcase, range_puts_static_members_first_by_instance);
    tcase_add_test(tcase, nobody_and_nothing_are_fine);
    tcase_add_test(tcase, assignors_have_kafkas_names);
    tcase_add_test(tcase, large_groups_are_assigned);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
