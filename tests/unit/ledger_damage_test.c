/* SPDX-License-Identifier: MIT
 *
 * Copies of a log, each damaged by one flipped bit or one truncation of one of its
 * files: opening and reading them never crashes, and what is read is what was written.
 * What is missing was named. DAMAGE_ROUNDS=2500 does 10,000 of them.
 */
#include "ledger_log_fixture.h"
#include "support/suite.h"

#include <fcntl.h>

static struct fixture f;

/* One file of the undamaged log, in memory. */
struct original {
    char name[256];
    uint8_t *data;
    size_t len;
};

enum { FILES = 64, ROUNDS = 150 };

static struct original files[FILES];
static size_t file_count;

static void load(void)
{
    DIR *list = opendir(f.dir);
    const struct dirent *entry;
    char path[2 * FIXTURE_PATH];

    file_count = 0;
    while ((entry = readdir(list)) != NULL) {
        struct original *file = &files[file_count];
        FILE *in;

        if (entry->d_name[0] == '.')
            continue;
        ck_assert_uint_lt(++file_count, FILES);
        (void)snprintf(file->name, sizeof(file->name), "%s", entry->d_name);
        (void)snprintf(path, sizeof(path), "%s/%s", f.dir, entry->d_name);
        file->data = mem_alloc(1 << 20);
        in = fopen(path, "rb");
        file->len = fread(file->data, 1, 1 << 20, in);
        (void)fclose(in);
    }
    (void)closedir(list);
}

static void store(const char *dir, const struct original *file, const uint8_t *data,
                  size_t len)
{
    char path[2 * FIXTURE_PATH];
    FILE *out;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, file->name);
    out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(data, 1, len, out), len);
    (void)fclose(out);
}

static bool is_active(size_t number)
{
    for (size_t i = 0; i < file_count; i++)
        if (strstr(files[i].name, ".log") != NULL &&
            strcmp(files[i].name, files[number].name) > 0)
            return false;
    return strstr(files[number].name, ".log") != NULL;
}

/*
 * Damage one file of the copy; the others are as they were. True: the segment that
 * grows has become shorter. If that is between two batches and the log was not closed,
 * nobody can tell it from a log to which no more had been written.
 */
static bool damage(const char *dir)
{
    size_t victim = (size_t)random() % file_count, len;
    uint8_t *data;

    /* Most hit a segment, however many other files there are. */
    while (random() % 3 != 0 && strstr(files[victim].name, ".log") == NULL)
        victim = (size_t)random() % file_count;
    len = files[victim].len;
    data = mem_alloc(len + 1);
    memcpy(data, files[victim].data, len);
    if (len > 0 && random() % 4 != 0)
        data[(size_t)random() % len] ^= (uint8_t)(1 << (random() % 8));
    else if (len > 0)
        len = (size_t)random() % len;
    for (size_t i = 0; i < file_count; i++)
        store(dir, &files[i], i == victim ? data : files[i].data,
              i == victim ? len : files[i].len);
    free(data);
    return len < files[victim].len && is_active(victim);
}

/* Lines on stderr since the last call that name lost offsets or a cut end. */
static int64_t lines_of_loss(int fd)
{
    static char text[1 << 16];
    int64_t lines = 0;
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
    const char *at;

    text[len > 0 ? len : 0] = '\0';
    for (at = text; (at = strstr(at, "are lost")) != NULL; at++)
        lines++;
    for (at = text; (at = strstr(at, "cut off")) != NULL; at++)
        lines++;
    (void)ftruncate(fd, 0);
    (void)lseek(fd, 0, SEEK_SET);
    return lines;
}

static void write_log(bool compacted)
{
    f.config.segment_bytes = 15000;
    f.config.index_interval_bytes = 700;
    f.config.file_delete_delay_ms = 0;
    f.config.compact_policy = compacted;
    f.keys = compacted ? 300 : 10;
    fixture_open(&f);
    for (int i = 0; i < 250; i++)
        (void)fixture_append(&f, 1 + i % 7, (int16_t)(i % 5));
    while (log_compactable(f.log, log_end(f.log), f.wall_ms)) {
        struct log_view view = {.first_unstable = log_end(f.log)};

        (void)log_compact_step(f.log, &view, f.wall_ms, 1 << 20);
    }
    for (int i = 0; i < 20; i++)
        (void)fixture_append(&f, 1 + i % 7, (int16_t)(i % 5));
}

/* kind bit 0: the log had been compacted; bit 1: it was not closed. */
START_TEST(damaged_copies_never_crash_and_never_give_a_wrong_record)
{
    char dir[FIXTURE_PATH];
    int64_t whole, whole_gaps, silent = 0, harmed = 0;
    int saved = dup(STDERR_FILENO), capture, rounds;
    char capture_path[FIXTURE_PATH];

    (void)snprintf(capture_path, sizeof(capture_path), "%.480s-stderr", f.dir);
    capture = open(capture_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    rounds = getenv("DAMAGE_ROUNDS") != NULL ? atoi(getenv("DAMAGE_ROUNDS")) : ROUNDS;
    srandom((unsigned)(_i + rounds));
    write_log((_i & 1) != 0);
    whole = fixture_read_all(&f, 0, 5000, &whole_gaps);
    if (_i & 2)
        log_abandon(f.log);
    else
        log_close(f.log);
    load();
    fixture_remove(f.dir);
    (void)snprintf(dir, sizeof(dir), "%s", f.dir);
    (void)mkdir(dir, 0755);
    log_set_level(LOG_WARN);
    (void)dup2(capture, STDERR_FILENO);
    for (int round = 0; round < rounds; round++) {
        int64_t gaps, count, offset, time;
        struct error err = {0};
        bool named, shorter = damage(dir);

        fixture_open(&f);
        if (round % 5 == 0)
            (void)log_find_time(f.log, random(), &offset, &time, &err);
        count = fixture_read_all(&f, log_start(f.log), 1 + random() % 20000, &gaps);
        if (round % 10 == 0)
            (void)fixture_append(&f, 3, BATCH_NONE);
        if (round % 2 == 0)
            log_close(f.log);
        else
            log_abandon(f.log);
        named = lines_of_loss(capture) > 0;
        harmed += count < whole;
        silent += count < whole && !named && !((_i & 2) && shorter);
        ck_assert_int_le(count, whole);
        fixture_remove(dir);
        (void)mkdir(dir, 0755);
    }
    (void)dup2(saved, STDERR_FILENO);
    (void)unlink(capture_path);
    ck_assert_int_eq(silent, 0);
    ck_assert_int_gt(harmed, rounds / 4);
    for (size_t i = 0; i < file_count; i++)
        free(files[i].data);
    fixture_open(&f);
}
END_TEST

static void begin(void)
{
    fixture_begin(&f);
}

static void end(void)
{
    fixture_end(&f);
}

int main(void)
{
    TCase *tcase = tcase_create("damage");
    Suite *suite = suite_create("ledger_damage");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, damaged_copies_never_crash_and_never_give_a_wrong_record,
                        0, 4);
    return suite_run(suite);
}
