/* SPDX-License-Identifier: MIT */
#include "ops/logs.h"

#include "base/text.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* "<node>.<client>.<attempt>.log" taken apart, in place. */
static bool parse_name(char *name, struct log_file *file)
{
    char *client = strchr(name, '.');
    char *attempt = client ? strchr(client + 1, '.') : NULL;
    char *end = attempt ? strchr(attempt + 1, '.') : NULL;

    if (end == NULL || strcmp(end, ".log") != 0)
        return false;
    *client++ = '\0';
    *attempt++ = '\0';
    *end = '\0';
    file->node = name;
    file->client = client;
    return text_parse_int(attempt, &file->attempt);
}

static bool matches(const struct log_query *query, const struct log_file *file)
{
    return (query->node == NULL || strcmp(query->node, file->node) == 0) &&
           (query->client == NULL || strcmp(query->client, file->client) == 0) &&
           (query->attempt <= 0 || query->attempt == file->attempt);
}

static int compare(const void *a, const void *b)
{
    const struct log_file *x = a;
    const struct log_file *y = b;
    int order = strcmp(x->node, y->node);

    if (order == 0)
        order = strverscmp(x->client, y->client);
    return order ? order : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

/* Keep the last, which is the newest, of each client. */
static void keep_newest(struct log_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct log_file *file = &list->items[i];

        if (i + 1 < list->count && strcmp(file->node, file[1].node) == 0 &&
            strcmp(file->client, file[1].client) == 0)
            continue;
        list->items[kept++] = *file;
    }
    list->count = kept;
}

void logs_find(const struct ops *ops, const struct log_query *query,
               struct mem_arena *arena, struct log_list *out)
{
    char *folder = ops_run_folder(ops_home(ops), query->dag, query->run);
    DIR *dir = opendir(folder);
    struct log_file *found = NULL;
    size_t capacity = 0;

    *out = (struct log_list){0};
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        struct log_file file = {0};

        if (!parse_name(mem_arena_strdup(arena, entry->d_name), &file) ||
            !matches(query, &file))
            continue;
        file.path = mem_arena_printf(arena, "%s/%s", folder, entry->d_name);
        found = mem_grow(found, out->count, &capacity, sizeof *found);
        found[out->count++] = file;
    }
    if (dir)
        (void)closedir(dir);
    free(folder);
    out->items = mem_arena_alloc(arena, (out->count + 1) * sizeof *out->items);
    if (out->count > 0) {
        memcpy(out->items, found, out->count * sizeof *found);
        qsort(out->items, out->count, sizeof *out->items, compare);
    }
    free(found);
    if (query->attempt == 0)
        keep_newest(out);
}
