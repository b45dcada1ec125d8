/* SPDX-License-Identifier: MIT */
#include "cli/embedded.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/broker_settings.h"
#include "host/daemon.h"
#include "host/lock.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    START_MS = 60000, /* a log that a crash left may have to be checked */
    LOOK_MS = 2,
    FIRST_PAUSE_MS = 100,
    MAX_PAUSE_MS = 1000, /* clients give their session up after 10 s */
    SPACE_MS = 2000,
    SPACE_LOW = 64 << 10, /* bytes left of a disk that is full for a broker */
    WORDS = 1000, /* of its log that an error repeats at most */
};

/* ---------------------------------------------------------------------------- starting */

static int make_folder(const char *home, struct error *err)
{
    char *folder = mem_printf("%s/broker", home);

    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        error_set(err, ERROR_INTERNAL, "%s: %s", folder, strerror(errno));
    free(folder);
    return error_is_set(err) ? -1 : 0;
}

static int spawn(const char *home, char *const *flags, size_t count, struct error *err)
{
    static const char running[] = "/proc/self/exe";
    char *self = realpath(running, NULL);
    char *log = embedded_path(home, "log");
    char **argv = mem_alloc((count + 4) * sizeof *argv);
    size_t n = 0;

    if (self == NULL) /* replaced since we were started, as an upgrade does */
        self = mem_strdup(running);
    argv[n++] = self;
    argv[n++] = (char[]){"broker"};
    argv[n++] = (char[]){"run"};
    for (size_t i = 0; i < count; i++)
        argv[n++] = flags[i];
    if (make_folder(home, err) == 0)
        (void)daemon_spawn(self, argv, log, err);
    free(argv);
    free(log);
    free(self);
    return error_is_set(err) ? -1 : 0;
}

static off_t log_size(const char *log)
{
    struct stat file;

    return stat(log, &file) == 0 ? file.st_size : 0;
}

/* The kind of error that it ended with, so that whoever started it ends with the same. */
static enum error_kind kind_in(const char *words)
{
    static const enum error_kind kinds[] = {ERROR_INPUT, ERROR_CONFLICT};
    const char *at = strstr(words, EMBEDDED_EXIT);
    int code = at ? atoi(at + sizeof EMBEDDED_EXIT - 1) : 0;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (error_exit_code(kinds[i]) == code)
            return kinds[i];
    }
    return ERROR_FAILED;
}

/* What it said after a place in its log, as the error: its own "dagrun: error: …". */
static void set_last_words(const char *log, off_t from, struct error *err)
{
    static const char mark[] = "dagrun: error: ";
    char text[WORDS + 1];
    FILE *file = fopen(log, "re");
    size_t len = 0;
    const char *words;

    if (file && fseeko(file, from, SEEK_SET) == 0)
        len = fread(text, 1, WORDS, file);
    if (file)
        (void)fclose(file);
    text[len] = '\0';
    words = strstr(text, mark);
    words = words ? words + sizeof mark - 1 : text;
    if (*words == '\0')
        words = "it said nothing";
    error_set(err, kind_in(text), "the embedded broker did not start: %.*s (its log is %s)",
              (int)strcspn(words, "\n"), words, log);
}

static void look_later(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
}

/* Somebody, we or another start, has just started it: wait until it serves or is gone. */
static bool wait_until_up(const char *home, int64_t until_ms, struct embedded_state *state)
{
    char *lock = embedded_path(home, "lock");
    int64_t born_by_ms = clock_mono_ms() + 2000; /* exec, settings, then the lock */
    bool seen = false;
    bool up = false;

    while (!up && clock_mono_ms() < until_ms) {
        pid_t pid;
        bool held = lock_probe(lock, &pid);

        up = embedded_is_up(home, state);
        if (!up && !held && (seen || clock_mono_ms() > born_by_ms))
            break; /* it came and went, or never came */
        seen = seen || held;
        if (!up)
            look_later();
    }
    free(lock);
    return up;
}

/* A fault in the settings is told here, with its place, not from the broker's log. */
static bool settings_are_good(const char *home, struct error *err)
{
    struct broker_settings settings = {0};
    char *file = embedded_path(home, "settings.yaml");
    int rc = broker_settings_read(&settings, file, err);

    broker_settings_clear(&settings);
    free(file);
    return rc == 0;
}

static bool ends_with_listen(const struct embedded_state *state)
{
    size_t count = state->flag_count;

    return count >= 2 && state->listen &&
           strcmp(state->flags[count - 2], "--listen") == 0 &&
           strcmp(state->flags[count - 1], state->listen) == 0;
}

/* On loopback the port of last time is a wish: another one will do when it is taken. */
static int spawn_as_before(const char *home, struct error *err)
{
    static const char loopback[] = "127.0.0.1:";
    struct embedded_state last;
    size_t count;
    int rc;

    embedded_state_read(home, &last);
    count = last.flag_count;
    if (ends_with_listen(&last) &&
        strncmp(last.listen, loopback, sizeof loopback - 1) == 0)
        count -= 2;
    rc = spawn(home, last.flags, count, err);
    embedded_state_clear(&last);
    return rc;
}

/* One that is about to end, idle or told to, is no longer up, but has the lock still. */
static void wait_until_ended(const char *home, int64_t until_ms)
{
    char *lock = embedded_path(home, "lock");
    bool ending = true;

    while (ending && clock_mono_ms() < until_ms) {
        struct embedded_state state;
        pid_t pid;
        bool held = lock_probe(lock, &pid);

        embedded_state_read(home, &state);
        ending = held && state.ended && state.pid == pid;
        embedded_state_clear(&state);
        if (ending)
            look_later();
    }
    free(lock);
}

int embedded_start(const char *home, char *const *flags, size_t flag_count,
                   struct embedded_state *state, struct error *err)
{
    char *log = embedded_path(home, "log");
    off_t from = log_size(log);

    wait_until_ended(home, clock_mono_ms() + START_MS);
    if (!embedded_is_up(home, state) && settings_are_good(home, err) &&
        (flags ? spawn(home, flags, flag_count, err) : spawn_as_before(home, err)) == 0 &&
        !wait_until_up(home, clock_mono_ms() + START_MS, state))
        set_last_words(log, from, err);
    free(log);
    return error_is_set(err) ? -1 : 0;
}

char *embedded_resolve(const char *home, const char *broker, struct error *err)
{
    struct embedded_state state = {0};
    char *address;

    if (strcmp(broker, EMBEDDED_NAME) != 0)
        return mem_strdup(broker);
    (void)embedded_start(home, NULL, 0, &state, err);
    address = mem_strdup(state.address);
    embedded_state_clear(&state);
    return address;
}

/* ---------------------------------------------------------------- watched by a runner */

struct embedded {
    struct loop *loop;
    char *home;
    embedded_talk_fn *talk;
    void *arg;
    char *address; /* at open: what the run tells its clients, for good */
    struct embedded_state state;
    int fd;          /* of the living process; -1: it died */
    int64_t next_ms; /* to look, and to start it again */
    int64_t pause_ms;
    int64_t spawned_ms;
    off_t log_from;  /* where in the log the one that was spawned began */
    bool told;       /* why it does not start */
    int64_t space_ms; /* when to look at its disk */
    bool full;
};

static void say(struct embedded *embedded, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct embedded *embedded, const char *format, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    embedded->talk(embedded->arg, text);
}

static void on_death(void *arg, uint32_t events)
{
    struct embedded *embedded = arg;

    (void)events;
    loop_remove(embedded->loop, embedded->fd);
    (void)close(embedded->fd);
    embedded->fd = -1;
    embedded->next_ms = 0;
    embedded->spawned_ms = 0;
    embedded->told = false;
    say(embedded, "the embedded broker (pid %d) died; starting it again on its data",
         (int)embedded->state.pid);
}

static int watch(struct embedded *embedded, struct error *err)
{
    embedded->fd = pidfd_open(embedded->state.pid, 0);
    if (embedded->fd < 0 && errno != ESRCH) {
        error_set(err, ERROR_INTERNAL, "no descriptor for process %d: %s",
                  (int)embedded->state.pid, strerror(errno));
        return -1;
    }
    embedded->pause_ms = FIRST_PAUSE_MS;
    return embedded->fd < 0 ? 0 /* dead already: the next step sees to it */
                            : loop_add(embedded->loop, embedded->fd, EPOLLIN, on_death,
                                       embedded, err);
}

struct embedded *embedded_open(struct loop *loop, const char *home,
                               embedded_talk_fn *talk, void *arg, struct error *err)
{
    struct embedded *embedded = mem_alloc(sizeof *embedded);

    *embedded = (struct embedded){
        .loop = loop, .home = mem_strdup(home), .talk = talk, .arg = arg, .fd = -1};
    if (embedded_start(home, NULL, 0, &embedded->state, err) == 0 &&
        watch(embedded, err) == 0) {
        embedded->address = mem_strdup(embedded->state.address);
        return embedded;
    }
    embedded_close(embedded);
    return NULL;
}

void embedded_close(struct embedded *embedded)
{
    if (embedded == NULL)
        return;
    if (embedded->fd >= 0) {
        loop_remove(embedded->loop, embedded->fd);
        (void)close(embedded->fd);
    }
    embedded_state_clear(&embedded->state);
    free(embedded->address);
    free(embedded->home);
    free(embedded);
}

const char *embedded_address(const struct embedded *embedded)
{
    return embedded->address;
}

/* The one that died had these flags and this address: its clients look for it there. */
static void start_again(struct embedded *embedded)
{
    struct embedded_state *state = &embedded->state;
    char **flags = mem_alloc((state->flag_count + 3) * sizeof *flags);
    char listen[] = "--listen";
    size_t count = 0;
    struct error err = {0};
    char *log = embedded_path(embedded->home, "log");

    embedded->log_from = log_size(log);
    free(log);
    for (size_t i = 0; i < state->flag_count; i++)
        flags[count++] = state->flags[i];
    if (!ends_with_listen(state)) { /* else the user, or we when it died before, gave it */
        flags[count++] = listen;
        flags[count++] = state->listen;
    }
    if (spawn(embedded->home, flags, count, &err) < 0 && !embedded->told) {
        say(embedded, "the embedded broker did not start: %s; it is tried again", err.text);
        embedded->told = true;
    }
    free(flags);
}

/* Is there one again, ours or one that another run has started? */
static bool take_next(struct embedded *embedded)
{
    struct embedded_state next = {0};
    struct error err = {0};

    if (!embedded_is_up(embedded->home, &next))
        return false;
    if (strcmp(next.address, embedded->address) != 0)
        say(embedded,
             "the embedded broker is on %s now, and this run's clients look for it on %s: "
             "'dagrun stop --now' this run and start it again",
             next.address, embedded->address);
    embedded_state_clear(&embedded->state);
    embedded->state = next;
    if (watch(embedded, &err) < 0)
        say(embedded, "%s", err.text);
    return embedded->fd >= 0;
}

static bool is_starting(const struct embedded *embedded)
{
    char *lock = embedded_path(embedded->home, "lock");
    pid_t pid;
    bool held = lock_probe(lock, &pid);

    free(lock);
    return held;
}

/* Once, why the one that was spawned is gone; as long as it says nothing it may yet come:
 * a loaded machine takes its time to execute it. */
static void tell_why(struct embedded *embedded)
{
    char *log = embedded_path(embedded->home, "log");
    struct error why = {0};

    if (embedded->spawned_ms > 0 && !embedded->told && log_size(log) > embedded->log_from) {
        set_last_words(log, embedded->log_from, &why);
        say(embedded, "%s; it is tried again", why.text);
        embedded->told = true;
    }
    free(log);
}

/* A broker whose disk is full lives, answers and takes nothing: its clients only wait. */
static int64_t look_at_space(struct embedded *embedded, int64_t now)
{
    int64_t space;
    bool full;

    if (now < embedded->space_ms)
        return embedded->space_ms;
    embedded->space_ms = now + SPACE_MS;
    space = embedded_space(&embedded->state);
    if (space < 0)
        return embedded->space_ms;
    full = space < SPACE_LOW;
    if (full && !embedded->full)
        say(embedded,
             "the embedded broker has no room left on the disk of %s: it takes no more "
             "records until there is",
             embedded->state.data);
    else if (!full && embedded->full)
        say(embedded, "the embedded broker has room on its disk again");
    embedded->full = full;
    return embedded->space_ms;
}

int64_t embedded_step(struct embedded *embedded)
{
    int64_t now = clock_mono_ms();

    if (embedded == NULL)
        return INT64_MAX;
    if (embedded->fd >= 0)
        return look_at_space(embedded, now);
    if (now < embedded->next_ms)
        return embedded->next_ms;
    if (take_next(embedded)) {
        say(embedded, "the embedded broker runs again (pid %d)",
             (int)embedded->state.pid);
        return look_at_space(embedded, now);
    }
    if (now >= embedded->spawned_ms + embedded->pause_ms && !is_starting(embedded)) {
        tell_why(embedded);
        embedded->spawned_ms = now;
        if (embedded->pause_ms < MAX_PAUSE_MS)
            embedded->pause_ms *= 2;
        start_again(embedded);
    }
    embedded->next_ms = now + FIRST_PAUSE_MS / 10;
    return embedded->next_ms;
}
