/* SPDX-License-Identifier: MIT */
#include "cli/web_state.h"

#include "base/json.h"
#include "base/mem.h"
#include "host/lock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *state_path(const char *home)
{
    return mem_printf("%s/web.json", home);
}

int web_state_write(const char *home, const char *address, struct error *err)
{
    char *path = state_path(home);
    char *next = mem_printf("%s.new", path);
    json_t *object = json_pack("{s:i,s:s}", "pid", (int)getpid(), "address", address);
    char *line = json_line(object);
    FILE *file = fopen(next, "we");

    if (file == NULL || fprintf(file, "%s\n", line) < 0 || fflush(file) != 0 ||
        rename(next, path) < 0)
        error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
    if (file)
        (void)fclose(file);
    free(line);
    json_decref(object);
    free(next);
    free(path);
    return error_is_set(err) ? -1 : 0;
}

char *web_state_read(const char *path, size_t *len)
{
    enum { SMALL = 4096 };
    FILE *file = fopen(path, "re");
    char *text;

    if (file == NULL)
        return NULL;
    text = mem_alloc(SMALL);
    *len = fread(text, 1, SMALL - 1, file);
    (void)fclose(file);
    return text;
}

/* Where the server of pid listens; NULL: it is not ready yet. The caller frees. */
static char *read_address(const char *home, pid_t pid)
{
    char *path = state_path(home);
    size_t len = 0;
    char *text = web_state_read(path, &len);
    struct error err = {0};
    json_t *object = text ? json_parse(text, len, &err) : NULL;
    char *address = NULL;

    if (json_get_int(object, "pid", 0) == pid)
        address = mem_strdup(json_get_string(object, "address", NULL));
    json_decref(object);
    free(text);
    free(path);
    return address;
}

char *web_state_address(const char *home)
{
    char *lock = mem_printf("%s/web.lock", home);
    pid_t pid = 0;
    char *address = lock_probe(lock, &pid) ? read_address(home, pid) : NULL;

    free(lock);
    return address;
}

char *web_state_link(const char *home, const char *dag, int64_t run)
{
    char *address = web_state_address(home);
    char *link = address ? mem_printf("http://%s/#/runs/%s/%" PRId64, address, dag, run)
                         : NULL;

    free(address);
    return link;
}
