/* SPDX-License-Identifier: MIT
 *
 * The files of the embedded broker, and the question whether it serves.
 */
#include "base/json.h"
#include "base/mem.h"
#include "cli/embedded.h"
#include "host/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { STATE_ROOM = 4096 }; /* bytes: a block */

char *embedded_path(const char *home, const char *name)
{
    return mem_printf("%s/broker/%s", home, name);
}

static json_t *read_file(const char *path)
{
    char text[16384];
    struct error ignored = {0};
    FILE *file = fopen(path, "re");
    size_t len;

    if (file == NULL)
        return NULL;
    len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    return json_parse(text, len, &ignored);
}

static void read_flags(const json_t *array, struct embedded_state *out)
{
    size_t i;
    json_t *flag;

    out->flags = mem_alloc((json_array_size(array) + 1) * sizeof *out->flags);
    json_array_foreach(array, i, flag) {
        if (json_is_string(flag))
            out->flags[out->flag_count++] = mem_strdup(json_string_value(flag));
    }
}

void embedded_state_read(const char *home, struct embedded_state *out)
{
    char *path = embedded_path(home, "state.json");
    json_t *object = read_file(path);
    const char *address = json_get_string(object, "address", NULL);

    *out = (struct embedded_state){
        .pid = (pid_t)json_get_int(object, "pid", 0),
        .address = mem_strdup(address),
        .listen = mem_strdup(json_get_string(object, "listen", address)),
        .data = mem_strdup(json_get_string(object, "data", NULL)),
        .version = mem_strdup(json_get_string(object, "version", NULL)),
        .started_ms = json_get_int(object, "started_ms", 0),
        .ended = json_get_bool(object, "ended", false)};
    read_flags(json_object_get(object, "flags"), out);
    json_decref(object);
    free(path);
}

/* The state as text, filled up with spaces: any state has its place in the room of another. */
static char *state_text(const struct embedded_state *state)
{
    json_t *object = json_pack(
        "{s:i,s:o,s:o,s:o,s:o,s:I,s:b}", "pid", (int)state->pid, "address",
        json_text(state->address), "listen", json_text(state->listen), "data",
        json_text(state->data), "version", json_text(state->version), "started_ms",
        (json_int_t)state->started_ms, "ended", state->ended);
    json_t *flags = json_array();
    char *line;
    char *text;

    for (size_t i = 0; i < state->flag_count; i++)
        (void)json_array_append_new(flags, json_text(state->flags[i]));
    (void)json_object_set_new(object, "flags", flags);
    line = json_line(object);
    text = mem_printf("%-*s\n", STATE_ROOM - 1, line);
    free(line);
    json_decref(object);
    return text;
}

/* false, and errno. */
static bool write_text(const char *path, int flags, const char *text)
{
    size_t len = strlen(text);
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
    bool written = fd >= 0 && write(fd, text, len) == (ssize_t)len;
    int saved = fd >= 0 && !written && errno == 0 ? ENOSPC : errno;

    if (written)
        (void)!ftruncate(fd, (off_t)len);
    if (fd >= 0)
        (void)close(fd);
    errno = saved;
    return written;
}

int embedded_state_write(const char *home, const struct embedded_state *state,
                         struct error *err)
{
    char *path = embedded_path(home, "state.json");
    char *next = embedded_path(home, "state.json.new");
    char *text = state_text(state);

    errno = 0;
    if (!write_text(next, O_CREAT | O_TRUNC, text) || rename(next, path) < 0) {
        int why = errno;

        (void)unlink(next);
        if ((why != ENOSPC && why != EDQUOT) || !write_text(path, 0, text))
            error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(why));
    }
    free(text);
    free(next);
    free(path);
    return error_is_set(err) ? -1 : 0;
}

void embedded_state_clear(struct embedded_state *state)
{
    for (size_t i = 0; i < state->flag_count; i++)
        free(state->flags[i]);
    free(state->flags);
    free(state->address);
    free(state->listen);
    free(state->data);
    free(state->version);
    *state = (struct embedded_state){0};
}

int64_t embedded_space(const struct embedded_state *state)
{
    struct statvfs disk;
    fsblkcnt_t blocks;

    if (state->data == NULL || statvfs(state->data, &disk) < 0)
        return -1;
    blocks = geteuid() == 0 ? disk.f_bfree : disk.f_bavail; /* root has a reserve */
    return (int64_t)(blocks * disk.f_frsize);
}

static bool is_alive(pid_t pid)
{
    int fd = pidfd_open(pid, 0);
    struct pollfd dead = {.fd = fd, .events = POLLIN};
    bool alive = fd >= 0 && poll(&dead, 1, 0) == 0; /* a zombie can be polled */

    if (fd >= 0)
        (void)close(fd);
    return alive;
}

/* Between taking the lock and writing its pid into it, a new broker looks like the one
 * before it, whose state is still there: only a process that lives counts. */
bool embedded_is_up(const char *home, struct embedded_state *state)
{
    char *lock = embedded_path(home, "lock");
    pid_t pid = 0;
    bool held = lock_probe(lock, &pid);

    free(lock);
    if (!held)
        return false;
    embedded_state_read(home, state);
    if (state->pid == pid && pid > 0 && state->address && !state->ended && is_alive(pid))
        return true;
    embedded_state_clear(state); /* of an earlier one: this one is not ready yet */
    return false;
}
