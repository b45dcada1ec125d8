/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "ledger/store/store.h"
#include "support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 12, VALUE_MAX = 60, STEPS_MAX = 400 };

/* The naive map: values by key number, length -1 = not there. */
struct model {
    char values[KEYS][VALUE_MAX];
    int lens[KEYS];
};

static char folder[256];

static void make_folder(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(folder, sizeof(folder), "%s/ledger-store-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_ptr_nonnull(
        freopen("/dev/null", "w", stderr)); /* a line a damaged file */
}

static void remove_folder(void)
{
    static const char *const names[] = {"a", "a.new", "b", "b.new"};
    char path[300];

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[2][300];
    char *out = path[name[0] == 'b'];

    snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
    return out;
}

static struct store *open_store(const char *name, struct store_report *report)
{
    struct error err = {0};
    struct store *store = store_open(path_of(name), report, &err);

    ck_assert_msg(store != NULL, "%s", err.text);
    return store;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void model_init(struct model *model)
{
    for (int i = 0; i < KEYS; i++)
        model->lens[i] = -1;
}

static bool same_key(struct store *store, const struct model *model, int key)
{
    struct text_buf value = {0};
    struct error err = {0};
    char name[8];
    int found;
    bool same;

    snprintf(name, sizeof(name), "k%d", key);
    found = store_get(store, name, strlen(name), &value, &err);
    if (model->lens[key] < 0)
        same = found == 0 && !store_has(store, name, strlen(name));
    else
        same = found == 1 && value.len == (size_t)model->lens[key] &&
               memcmp(text_str(&value), model->values[key], value.len) == 0;
    text_buf_clear(&value);
    return same;
}

static bool same(struct store *store, const struct model *model)
{
    for (int i = 0; i < KEYS; i++)
        if (!same_key(store, model, i))
            return false;
    return true;
}

static int random_change(struct store *store, struct model *model, uint32_t *seed)
{
    int key = (int)(next_random(seed) % KEYS);
    struct error err = {0};
    char name[8];

    snprintf(name, sizeof(name), "k%d", key);
    if (next_random(seed) % 4 == 0) {
        model->lens[key] = -1;
        return store_delete(store, name, strlen(name), &err);
    }
    model->lens[key] = (int)(next_random(seed) % VALUE_MAX);
    for (int i = 0; i < model->lens[key]; i++)
        model->values[key][i] = (char)next_random(seed);
    return store_put(store, name, strlen(name), model->values[key],
                     (size_t)model->lens[key], &err);
}

/* One change, or a batch of some; 0 when all calls succeeded. */
static int random_step(struct store *store, struct model *model, uint32_t *seed)
{
    struct error err = {0};
    int result = 0;

    if (next_random(seed) % 4 != 0)
        return random_change(store, model, seed);
    store_batch_begin(store);
    for (int i = 0; i < 3; i++)
        result |= random_change(store, model, seed);
    return result | store_batch_end(store, &err);
}

START_TEST(random_changes_are_those_of_a_map_and_survive_reopening)
{
    struct store_report report;
    struct store *store = open_store("a", &report);
    struct model model;
    uint32_t seed = 7;
    int wrong = 0;

    model_init(&model);
    for (int i = 0; i < 12000; i++) {
        wrong += random_step(store, &model, &seed) != 0;
        if (i % 1000 != 0)
            continue;
        wrong += !same(store, &model);
        store_close(store);
        store = open_store("a", &report);
        wrong +=
            !same(store, &model) || report.cut_bytes != 0 || report.damaged_bytes != 0;
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_lt(store_bytes(store), 1200 * 1024); /* it has rewritten itself */
    store_close(store);
}
END_TEST

/* A file and what was in the map at which of its sizes. */
struct history {
    struct model models[STEPS_MAX + 1];
    int64_t sizes[STEPS_MAX + 1];
    int steps;
    uint8_t *file;
    size_t size;
};

static void load_bytes(struct history *history)
{
    FILE *in = fopen(path_of("a"), "rb");

    history->size = (size_t)history->sizes[history->steps];
    history->file = mem_alloc(history->size);
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_eq(fread(history->file, 1, history->size, in), history->size);
    fclose(in);
}

static struct history *make_history(int steps, uint32_t seed)
{
    struct history *history = mem_alloc(sizeof(*history));
    struct store_report report;
    struct store *store = open_store("a", &report);

    model_init(&history->models[0]);
    history->sizes[0] = store_bytes(store);
    history->steps = steps;
    for (int i = 1; i <= steps; i++) {
        history->models[i] = history->models[i - 1];
        ck_assert_int_eq(random_step(store, &history->models[i], &seed), 0);
        history->sizes[i] = store_bytes(store);
    }
    store_close(store);
    load_bytes(history);
    return history;
}

static void free_history(struct history *history)
{
    free(history->file);
    free(history);
}

static void write_copy(const uint8_t *data, size_t len)
{
    int fd = open(path_of("b"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len)
        abort();
    close(fd);
}

static int step_of_size(const struct history *history, size_t size)
{
    int step = history->steps;

    while (step > 0 && (size_t)history->sizes[step] > size)
        step--;
    return step;
}

/* Reopen what is in b: has it this model, and after one more change and reopening too?
 */
static bool holds(const struct model *expected, int64_t cut_bytes)
{
    struct store_report report;
    struct store *store = open_store("b", &report);
    struct model model = *expected;
    uint32_t seed = 5;
    bool right = same(store, &model) && report.damaged_bytes == 0 &&
                 (cut_bytes < 0 || report.cut_bytes == cut_bytes) &&
                 random_step(store, &model, &seed) == 0 && same(store, &model);

    store_close(store);
    store = open_store("b", &report);
    right = right && same(store, &model) && report.cut_bytes == 0;
    store_close(store);
    return right;
}

START_TEST(a_file_cut_anywhere_has_the_changes_before_the_cut)
{
    struct history *history = make_history(60, 3);
    int wrong = 0;

    for (size_t cut = 0; cut <= history->size; cut++) {
        int step = step_of_size(history, cut);
        int64_t torn = (int64_t)cut - history->sizes[step];
        write_copy(history->file, cut);
        wrong += !holds(&history->models[step], torn);
    }
    ck_assert_int_eq(wrong, 0);
    free_history(history);
}
END_TEST

/* Had the key this value, or none, at any time? */
static bool ever(struct store *store, const struct history *history, int key)
{
    for (int i = 0; i <= history->steps; i++)
        if (same_key(store, &history->models[i], key))
            return true;
    return false;
}

/* Flip bytes of a copy, open it: 0 when all that is read was once true and loss is
 * named. */
static int flip_and_open(const struct history *history, int flips, uint32_t *seed)
{
    uint8_t *copy = mem_alloc(history->size);
    struct store_report report;
    struct store *store;
    int wrong = 0;

    memcpy(copy, history->file, history->size);
    for (int i = 0; i < flips; i++) {
        size_t at = (size_t)history->sizes[0];
        at += next_random(seed) % (history->size - at);
        copy[at] ^= (uint8_t)(1 + next_random(seed) % 255);
    }
    write_copy(copy, history->size);
    store = open_store("b", &report);
    for (int key = 0; key < KEYS; key++)
        wrong += !ever(store, history, key);
    wrong += memcmp(copy, history->file, history->size) != 0 &&
             report.damaged_bytes + report.cut_bytes == 0;
    store_close(store);
    free(copy);
    return wrong;
}

START_TEST(flipped_bytes_never_give_a_wrong_value_and_are_named)
{
    struct history *history = make_history(300, 11);
    uint32_t seed = 99;
    int wrong = 0;

    for (int round = 0; round < 400; round++)
        wrong += flip_and_open(history, 1 + round % 5, &seed);
    ck_assert_int_eq(wrong, 0);
    free_history(history);
}
END_TEST

START_TEST(what_follows_a_damaged_stretch_counts)
{
    struct history *history = make_history(50, 4);
    struct store_report report;
    struct store *store;

    history->file[history->sizes[0] + 20] ^= 1; /* in the payload of the first change */
    history->file[history->sizes[30] + 5] ^= 1; /* in the length of a later one */
    write_copy(history->file, history->size);
    store = open_store("b", &report);
    ck_assert_int_eq(report.records > 0, 1);
    ck_assert_int_eq(report.damaged_count, 2);
    ck_assert_int_eq(report.damaged_at, history->sizes[0]);
    ck_assert_int_eq(report.damaged_bytes, history->sizes[1] - history->sizes[0] +
                                               history->sizes[31] - history->sizes[30]);
    ck_assert_int_eq(report.cut_bytes, 0);
    store_close(store);
    free_history(history);
}
END_TEST

START_TEST(a_head_with_one_bad_byte_is_read_and_a_lost_one_is_an_error)
{
    struct history *history = make_history(20, 8);
    struct error err = {0};
    struct store_report report;
    int wrong = 0;

    for (size_t at = 0; at < (size_t)history->sizes[0]; at++) {
        history->file[at] ^= 0x40;
        write_copy(history->file, history->size);
        wrong += !holds(&history->models[20], 0);
        history->file[at] ^= 0x40;
    }
    ck_assert_int_eq(wrong, 0);
    memset(history->file, 'x', (size_t)history->sizes[0]);
    write_copy(history->file, history->size);
    ck_assert_ptr_null(store_open(path_of("b"), &report, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "first 48 bytes are damaged"));
    free_history(history);
}
END_TEST

START_TEST(a_value_damaged_after_opening_is_an_error_not_a_value)
{
    struct store_report report;
    struct store *store = open_store("a", &report);
    struct text_buf value = {0};
    struct error err = {0};
    int fd = open(path_of("a"), O_WRONLY);

    ck_assert_int_eq(store_put(store, "key", 3, "value", 5, &err), 0);
    ck_assert_int_eq(pwrite(fd, "x", 1, store_bytes(store) - 1), 1);
    ck_assert_int_eq(store_get(store, "key", 3, &value, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "damaged"));
    close(fd);
    store_close(store);
    text_buf_clear(&value);
}
END_TEST

START_TEST(a_batch_is_seen_at_its_end_or_never)
{
    struct store_report report;
    struct store *store = open_store("a", &report);
    struct error err = {0};
    int64_t before;

    store_batch_begin(store);
    ck_assert_int_eq(store_put(store, "a", 1, "1", 1, &err), 0);
    ck_assert(!store_has(store, "a", 1));
    store_batch_begin(store);
    ck_assert_int_eq(store_put(store, "b", 1, "2", 1, &err), 0);
    ck_assert_int_eq(store_delete(store, "a", 1, &err), 0);
    ck_assert_int_eq(store_batch_end(store, &err), 0);
    ck_assert(!store_has(store, "b", 1));
    ck_assert_int_eq(store_batch_end(store, &err), 0);
    ck_assert(store_has(store, "b", 1) && !store_has(store, "a", 1));
    before = store_bytes(store);
    store_batch_begin(store);
    ck_assert_int_eq(store_put(store, "c", 1, "3", 1, &err), 0);
    store_batch_drop(store);
    ck_assert(!store_has(store, "c", 1) && store_bytes(store) == before);
    ck_assert_int_eq(store_delete(store, "c", 1, &err), 0);
    ck_assert_int_eq(store_bytes(store), before);
    store_close(store);
}
END_TEST

static bool collect(void *arg, const void *key, size_t key_len, const void *value,
                    size_t value_len)
{
    text_append_bytes(arg, key, key_len);
    text_append(arg, "=");
    text_append_bytes(arg, value, value_len);
    text_append(arg, " ");
    return true;
}

START_TEST(each_walks_a_prefix_in_the_order_of_last_change)
{
    struct store_report report;
    struct store *store = open_store("a", &report);
    struct text_buf seen = {0};
    struct error err = {0};

    store_put(store, "t/b", 3, "1", 1, &err);
    store_put(store, "g/x", 3, "2", 1, &err);
    store_put(store, "t/a", 3, "", 0, &err);
    store_put(store, "t/b", 3, "4", 1, &err);
    store_each(store, "t/", 2, collect, &seen);
    ck_assert_str_eq(text_str(&seen), "t/a= t/b=4 ");
    text_buf_clear(&seen);
    ck_assert_int_eq(store_put(store, "", 0, "1", 1, &err), -1);
    store_close(store);
}
END_TEST

START_TEST(a_full_disk_changes_nothing_and_is_survived)
{
    struct store_report report;
    struct store *store = open_store("a", &report);
    struct model model, before;
    uint32_t seed = 21;
    int failed = 0, wrong = 0;

    signal(SIGXFSZ, SIG_IGN);
    model_init(&model);
    for (int i = 0; i < 2000; i++) {
        /* Room for some more bytes only, then for all. */
        struct rlimit limit = {(rlim_t)store_bytes(store) + (i % 3) * 40,
                               RLIM_INFINITY};
        before = model;
        setrlimit(RLIMIT_FSIZE, &limit);
        if (random_step(store, &model, &seed) != 0) {
            model = before;
            failed++;
        }
        wrong += !same(store, &model);
    }
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_gt(failed, 100);
    store_close(store);
    store = open_store("a", &report);
    ck_assert(same(store, &model) && report.cut_bytes == 0 &&
              report.damaged_bytes == 0);
    store_close(store);
}
END_TEST

/* Write batches whose four values are their number, and tell each number when written.
 */
static _Noreturn void write_until_killed(int out)
{
    static const char *const keys[] = {"a", "b", "c", "d"};
    static char value[9000];
    struct store_report report;
    struct store *store = open_store("a", &report);
    struct error err = {0};

    for (int64_t i = 1;; i++) {
        store_batch_begin(store);
        memcpy(value, &i, sizeof(i));
        for (int k = 0; k < 4; k++)
            store_put(store, keys[k], 1, value, sizeof(value), &err);
        if (store_batch_end(store, &err) != 0 || write(out, &i, sizeof(i)) != sizeof(i))
            _exit(1);
    }
}

/* The number all four values have, -1 when they differ. */
static int64_t number_in_store(void)
{
    static const char *const keys[] = {"a", "b", "c", "d"};
    struct store_report report;
    struct store *store = open_store("a", &report);
    struct text_buf value = {0};
    struct error err = {0};
    int64_t number = -1, one;

    for (int k = 0; k < 4; k++) {
        one = 0;
        if (store_get(store, keys[k], 1, &value, &err) == 1)
            memcpy(&one, value.data, sizeof(one));
        number = k == 0 || one == number ? one : -1;
    }
    if (report.damaged_bytes != 0)
        number = -1;
    text_buf_clear(&value);
    store_close(store);
    return number;
}

static int64_t last_told(int in)
{
    int64_t told = 0, one;

    while (read(in, &one, sizeof(one)) == (ssize_t)sizeof(one))
        told = one;
    return told;
}

START_TEST(kill_9_at_any_moment_loses_no_written_batch_and_tears_none)
{
    uint32_t seed = 77;
    int wrong = 0;

    for (int round = 0; round < 25; round++) {
        int pipes[2];
        int64_t told;
        pid_t child;
        unlink(path_of("a"));
        ck_assert_int_eq(pipe(pipes), 0);
        fcntl(pipes[1], F_SETPIPE_SZ, 1024 * 1024);
        child = fork();
        if (child == 0)
            write_until_killed(pipes[1]);
        close(pipes[1]);
        usleep(2000 + next_random(&seed) % 30000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        told = last_told(pipes[0]);
        wrong += number_in_store() < told;
        close(pipes[0]);
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(a_leftover_of_a_rewrite_is_ignored_and_two_owners_are_refused)
{
    struct store_report report;
    struct store *store = open_store("a", &report);
    struct error err = {0};
    char value[30000] = {1};
    FILE *leftover = fopen(path_of("a.new"), "w");

    fputs("half a file", leftover);
    fclose(leftover);
    ck_assert_ptr_null(store_open(path_of("a"), &report, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    for (int i = 0; i < 100; i++)
        store_put(store, "key", 3, value, sizeof(value), &err);
    ck_assert_int_lt(store_bytes(store), 1024 * 1024);
    err = (struct error){0};
    ck_assert_ptr_null(
        store_open(path_of("a"), &report, &err)); /* the new file as well */
    store_close(store);
    store = open_store("a", &report);
    ck_assert_int_eq(store_count(store), 1);
    store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_store");
    TCase *tests = tcase_create("store");

    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, random_changes_are_those_of_a_map_and_survive_reopening);
    tcase_add_test(tests, a_file_cut_anywhere_has_the_changes_before_the_cut);
    tcase_add_test(tests, flipped_bytes_never_give_a_wrong_value_and_are_named);
    tcase_add_test(tests, what_follows_a_damaged_stretch_counts);
    tcase_add_test(tests, a_head_with_one_bad_byte_is_read_and_a_lost_one_is_an_error);
    tcase_add_test(tests, a_value_damaged_after_opening_is_an_error_not_a_value);
    tcase_add_test(tests, a_batch_is_seen_at_its_end_or_never);
    tcase_add_test(tests, each_walks_a_prefix_in_the_order_of_last_change);
    tcase_add_test(tests, a_full_disk_changes_nothing_and_is_survived);
    tcase_add_test(tests, kill_9_at_any_moment_loses_no_written_batch_and_tears_none);
    tcase_add_test(tests,
                   a_leftover_of_a_rewrite_is_ignored_and_two_owners_are_refused);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
