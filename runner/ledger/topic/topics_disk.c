/* SPDX-License-Identifier: MIT
 *
 * topics_disk.c - the partitions' folders: finding, setting aside and removing them.
 */
#include "base/log.h"
#include "base/mem.h"
#include "ledger/topic/topics_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char GONE[] = ".delete"; /* on its way out */
static const char STRAY[] = ".stray"; /* of no topic that is known */

void topics_partition_path(const struct topics *topics, const char *name, int32_t index,
                           char path[TOPICS_PATH])
{
    snprintf(path, TOPICS_PATH, "%s/%s-%d", topics->dir, name, index);
}

static void remember(struct topics *topics, const char *path)
{
    struct trash *trash = &topics->trash;

    trash->paths =
        mem_grow(trash->paths, trash->count, &trash->capacity, sizeof(*trash->paths));
    trash->paths[trash->count++] = mem_strdup(path);
}

/* The folder stays under its name for now: no topic may take it for its own. */
static void block(struct topics *topics, const char *from, const char *to)
{
    struct blocked_folders *blocked = &topics->blocked;

    log_write(LOG_ERROR, "topics", NULL, "cannot rename %s to %s: %s", from, to,
              strerror(errno));
    blocked->list = mem_grow(blocked->list, blocked->count, &blocked->capacity,
                             sizeof(*blocked->list));
    blocked->list[blocked->count++] =
        (struct blocked_folder){mem_strdup(from), mem_strdup(to)};
}

static bool discard_one(struct topics *topics, const char *from, const char *id,
                        int32_t index)
{
    char to[TOPICS_PATH];

    snprintf(to, sizeof(to), "%s/%s-%d%s", topics->dir, id, index, GONE);
    if (rename(from, to) == 0)
        remember(topics, to);
    else if (errno != ENOENT) {
        block(topics, from, to);
        return false;
    }
    return true;
}

bool topics_discard(struct topics *topics, const char *name, const struct wire_uuid *id,
                    int32_t partitions)
{
    char hex[33], path[TOPICS_PATH];
    bool all = true;

    for (int i = 0; i < 16; i++)
        snprintf(hex + (ptrdiff_t)2 * i, 3, "%02x", id->bytes[i]);
    for (int32_t i = 0; i < partitions; i++) {
        topics_partition_path(topics, name, i, path);
        all = discard_one(topics, path, hex, i) && all;
    }
    return all;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* "name-3": where the name ends and the index. False: not the name of such a folder. */
static bool split_name(const char *folder, struct wire_string *name, int32_t *index)
{
    const char *dash = strrchr(folder, '-');
    char *end;
    long number;

    if (dash == NULL || dash == folder || dash[1] < '0' || dash[1] > '9')
        return false;
    number = strtol(dash + 1, &end, 10);
    if (*end != '\0' || number >= TOPICS_PARTITIONS_MAX)
        return false;
    *name = (struct wire_string){folder, (int32_t)(dash - folder)};
    *index = (int32_t)number;
    return true;
}

/* It holds records of somebody: never removed, but out of the way of a new topic. */
static void set_stray_aside(struct topics *topics, const char *folder)
{
    char from[TOPICS_PATH], to[TOPICS_PATH];

    snprintf(from, sizeof(from), "%s/%s", topics->dir, folder);
    for (int i = 0; i < 1000; i++) {
        snprintf(to, sizeof(to), "%s/%.200s.%d%s", topics->dir, folder, i, STRAY);
        if (access(to, F_OK) != 0)
            break;
    }
    if (rename(from, to) != 0) {
        block(topics, from, to);
        return;
    }
    log_write(LOG_ERROR, "topics", NULL,
              "the folder %s belongs to no topic that is known: it is now %s; move it "
              "away or "
              "remove it",
              from, to);
}

static bool is_blocked(const struct topics *topics, const char *folder)
{
    for (size_t i = 0; i < topics->blocked.count; i++)
        if (strcmp(strrchr(topics->blocked.list[i].from, '/') + 1, folder) == 0)
            return true;
    return false;
}

static bool is_of(const struct blocked_folder *folder, struct wire_string name)
{
    struct wire_string topic;
    int32_t index;

    return split_name(strrchr(folder->from, '/') + 1, &topic, &index) &&
           wire_string_equal(topic, name);
}

void topics_retry_blocked(struct topics *topics)
{
    struct blocked_folders *blocked = &topics->blocked;
    size_t kept = 0;

    for (size_t i = 0; i < blocked->count; i++) {
        struct blocked_folder folder = blocked->list[i];
        bool moved = rename(folder.from, folder.to) == 0;

        if (!moved && errno != ENOENT) {
            blocked->list[kept++] = folder;
            continue;
        }
        if (moved && ends_with(folder.to, GONE))
            remember(topics, folder.to);
        free(folder.from);
        free(folder.to);
    }
    blocked->count = kept;
}

enum kafka_error topics_check_folders(struct topics *topics, struct wire_string name,
                                      struct text_buf *message)
{
    if (topics->blocked.count == 0)
        return KAFKA_NONE;
    topics_retry_blocked(topics);
    for (size_t i = 0; i < topics->blocked.count; i++) {
        if (!is_of(&topics->blocked.list[i], name))
            continue;
        text_appendf(message, "The old folder %s is in the way and cannot be renamed.",
                     topics->blocked.list[i].from);
        return KAFKA_STORAGE_ERROR;
    }
    return KAFKA_NONE;
}

static void see_folder(struct topics *topics, const char *folder)
{
    struct wire_string name;
    struct topic *topic;
    char path[TOPICS_PATH];
    int32_t index;

    if (ends_with(folder, GONE)) {
        snprintf(path, sizeof(path), "%s/%s", topics->dir, folder);
        remember(topics, path);
        return;
    }
    if (!split_name(folder, &name, &index) || is_blocked(topics, folder))
        return;
    topic = topics_find(topics, name);
    if (topic != NULL && index < topic->partitions)
        topic->own->state[index] |= PARTITION_ON_DISK;
    else
        set_stray_aside(topics, folder);
}

static bool is_folder(const struct topics *topics, const struct dirent *entry)
{
    char path[TOPICS_PATH];
    struct stat info;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    snprintf(path, sizeof(path), "%s/%s", topics->dir, entry->d_name);
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int topics_scan(struct topics *topics, struct error *err)
{
    DIR *dir = opendir(topics->dir);
    const struct dirent *entry;
    char **names = NULL;
    size_t count = 0, capacity = 0;

    if (dir == NULL) {
        error_set(err, ERROR_INTERNAL, "cannot read the folder %s: %s", topics->dir,
                  strerror(errno));
        return -1;
    }
    /* Renaming while reading could show a folder twice. */
    while ((entry = readdir(dir)) != NULL) {
        if (!is_folder(topics, entry))
            continue;
        names = mem_grow(names, count, &capacity, sizeof(*names));
        names[count++] = mem_strdup(entry->d_name);
    }
    closedir(dir);
    for (size_t i = 0; i < count; i++) {
        see_folder(topics, names[i]);
        free(names[i]);
    }
    free(names);
    return 0;
}

static void remove_files(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

bool topics_remove_one(struct topics *topics)
{
    struct trash *trash = &topics->trash;
    char *path;

    if (trash->count == 0)
        return false;
    path = trash->paths[--trash->count];
    remove_files(path);
    if (rmdir(path) != 0 && errno != ENOENT)
        log_write(LOG_WARN, "topics", NULL, "cannot remove %s: %s", path,
                  strerror(errno));
    free(path);
    return true;
}

void topics_forget_trash(struct topics *topics)
{
    for (size_t i = 0; i < topics->trash.count; i++)
        free(topics->trash.paths[i]);
    free(topics->trash.paths);
    for (size_t i = 0; i < topics->blocked.count; i++) {
        free(topics->blocked.list[i].from);
        free(topics->blocked.list[i].to);
    }
    free(topics->blocked.list);
}
