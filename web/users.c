/* SPDX-License-Identifier: MIT */
#include "web/users.h"

#include "base/mem.h"
#include "base/text.h"
#include "web/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 512 * 1024 };

struct users {
    char *path;
    struct user *items; /* by name */
    size_t count;
    size_t capacity;
    /* The file that was read, to know another one. */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
    struct error trouble; /* with that file */
    uint64_t version;
};

static void forget_all(struct users *users)
{
    users->version += users->count > 0;
    for (size_t i = 0; i < users->count; i++)
        free(users->items[i].hash);
    users->count = 0;
}

void users_free(struct users *users)
{
    if (users == NULL)
        return;
    forget_all(users);
    free(users->items);
    free(users->path);
    free(users);
}

uint64_t users_version(const struct users *users)
{
    return users->version;
}

size_t users_count(const struct users *users)
{
    return users->count;
}

const struct user *users_at(const struct users *users, size_t i)
{
    return &users->items[i];
}

/* Where a name is, or belongs. */
static size_t place_of(const struct users *users, const char *name)
{
    size_t i = 0;

    while (i < users->count && strcmp(users->items[i].name, name) < 0)
        i++;
    return i;
}

static struct user *find(const struct users *users, const char *name)
{
    size_t i = place_of(users, name);

    return i < users->count && strcmp(users->items[i].name, name) == 0
               ? &users->items[i]
               : NULL;
}

const struct user *users_find(const struct users *users, const char *name)
{
    return find(users, name);
}

/* ----------------------------------------------------------------------- what may be
 */

int users_check_name(const char *name, struct error *err)
{
    size_t len = strlen(name);
    size_t used = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789._@-");

    if (len == 0 || len > USERS_NAME_MAX || used != len || strchr("._@-", name[0]))
        error_set(err, ERROR_INPUT,
                  "a user's name has 1 to %d of a-z A-Z 0-9 . _ @ - and begins with a "
                  "letter or digit",
                  USERS_NAME_MAX);
    else if (strcmp(name, USERS_TOKEN) == 0)
        error_set(err, ERROR_INPUT,
                  "no user is named '" USERS_TOKEN "': that is the token's own name");
    return error_is_set(err) ? -1 : 0;
}

int users_parse_role(const char *text, enum guard_role *role, struct error *err)
{
    for (int r = GUARD_VIEWER; r <= GUARD_ADMIN; r++) {
        if (strcmp(text, guard_role_name((enum guard_role)r)) == 0) {
            *role = (enum guard_role)r;
            return 0;
        }
    }
    error_set(err, ERROR_INPUT, "'%s' is no role: viewer, operator or admin", text);
    return -1;
}

/* -------------------------------------------------------------------------- changing
 */

int users_put(struct users *users, const char *name, enum guard_role role,
              const char *hash, struct error *err)
{
    struct user *user = find(users, name);
    size_t at = place_of(users, name);

    if (user) {
        free(user->hash);
    } else if (users->count == USERS_MAX) {
        error_set(err, ERROR_INPUT, "there are %d users, and no room for more",
                  USERS_MAX);
        return -1;
    } else {
        users->items = mem_grow(users->items, users->count, &users->capacity,
                                sizeof *users->items);
        user = &users->items[at];
        memmove(user + 1, user, (users->count++ - at) * sizeof *user);
        (void)snprintf(user->name, sizeof user->name, "%s", name);
    }
    user->role = role;
    user->hash = mem_strdup(hash);
    return 0;
}

bool users_remove(struct users *users, const char *name)
{
    struct user *user = find(users, name);

    if (user == NULL)
        return false;
    free(user->hash);
    users->count--;
    memmove(user, user + 1,
            (users->count - (size_t)(user - users->items)) * sizeof *user);
    return true;
}

static int write_all(int fd, const struct users *users)
{
    struct text_buf text = {0};
    int result;

    for (size_t i = 0; i < users->count; i++)
        text_appendf(&text, "%s:%s:%s\n", users->items[i].name,
                     guard_role_name(users->items[i].role), users->items[i].hash);
    result = write(fd, text_str(&text), text.len) == (ssize_t)text.len && fsync(fd) == 0
                 ? 0
                 : -1;
    text_buf_clear(&text);
    return result;
}

int users_write(struct users *users, struct error *err)
{
    char *next = mem_printf("%s.new", users->path);
    int fd;

    (void)unlink(next); /* of one that died while writing */
    fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || write_all(fd, users) != 0 || rename(next, users->path) != 0)
        error_set(err, ERROR_INTERNAL, "%s can't be written: %s", users->path,
                  strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    if (error_is_set(err))
        (void)unlink(next);
    free(next);
    return error_is_set(err) ? -1 : 0;
}

/* --------------------------------------------------------------------------- reading
 */

static int read_line(struct users *users, char *line, struct error *err)
{
    char *role_text = strchr(line, ':');
    char *hash = role_text ? strchr(role_text + 1, ':') : NULL;
    enum guard_role role;

    if (hash == NULL) {
        error_set(err, ERROR_INPUT, "NAME:ROLE:HASH expected");
        return -1;
    }
    *role_text++ = '\0';
    *hash++ = '\0';
    if (users_check_name(line, err) != 0 ||
        users_parse_role(role_text, &role, err) != 0)
        return -1;
    if (!password_is_hash(hash))
        error_set(err, ERROR_INPUT, "this is no hash of a password");
    else if (find(users, line))
        error_set(err, ERROR_INPUT, "there is a '%s' above", line);
    return error_is_set(err) ? -1 : users_put(users, line, role, hash, err);
}

static int read_text(struct users *users, char *text, struct error *err)
{
    int number = 1;

    for (char *line = text, *end; *line; line = end, number++) {
        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = '\0';
        if (*line && read_line(users, line, err) != 0) {
            error_prefix(err, "%s:%d: ", users->path, number);
            return -1;
        }
    }
    return 0;
}

static int check_file(const struct users *users, const struct stat *st,
                      struct error *err)
{
    if (!S_ISREG(st->st_mode))
        error_set(err, ERROR_INPUT, "%s is no plain file", users->path);
    else if (st->st_uid != geteuid())
        error_set(err, ERROR_INPUT,
                  "%s belongs to another user of this machine: chown it to who runs "
                  "dagrun web, or remove it",
                  users->path);
    else if (st->st_mode & (S_IRWXG | S_IRWXO))
        error_set(
            err, ERROR_INPUT,
            "%s is open to others: chmod 600 it, and give its users new passwords "
            "if somebody may have read it",
            users->path);
    else if (st->st_size > FILE_MAX)
        error_set(err, ERROR_INPUT, "%s is larger than %d bytes", users->path,
                  FILE_MAX);
    return error_is_set(err) ? -1 : 0;
}

static int read_file(struct users *users, int fd, const struct stat *st,
                     struct error *err)
{
    char *text = mem_alloc((size_t)st->st_size + 1);
    ssize_t len = read(fd, text, (size_t)st->st_size);

    if (len < 0)
        error_set(err, ERROR_INTERNAL, "%s: %s", users->path, strerror(errno));
    else if (strlen(text) != (size_t)len)
        error_set(err, ERROR_INPUT, "%s: a NUL byte is in it", users->path);
    else
        (void)read_text(users, text, err);
    free(text);
    return error_is_set(err) ? -1 : 0;
}

static bool is_same_file(const struct users *users, const struct stat *st)
{
    return st->st_dev == users->device && st->st_ino == users->inode &&
           st->st_size == users->size && st->st_ctim.tv_sec == users->changed.tv_sec &&
           st->st_ctim.tv_nsec == users->changed.tv_nsec;
}

static void load(struct users *users, int fd, const struct stat *st)
{
    forget_all(users);
    users->version++;
    users->device = st->st_dev;
    users->inode = st->st_ino;
    users->size = st->st_size;
    users->changed = st->st_ctim;
    users->trouble = (struct error){0};
    if (check_file(users, st, &users->trouble) != 0 ||
        read_file(users, fd, st, &users->trouble) != 0)
        forget_all(users);
}

int users_refresh(struct users *users, struct error *err)
{
    int fd = open(users->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st = {0};

    if (fd < 0 && errno == ENOENT) {
        forget_all(users);
        users->inode = 0;
        users->trouble = (struct error){0};
        return 0;
    }
    if (fd < 0 || fstat(fd, &st) != 0) {
        forget_all(users);
        users->inode = 0;
        error_set(err, ERROR_INPUT, "%s can't be read: %s", users->path,
                  errno == ELOOP ? "it is a symbolic link" : strerror(errno));
    } else if (!is_same_file(users, &st)) {
        load(users, fd, &st);
    }
    if (fd >= 0)
        (void)close(fd);
    if (!error_is_set(err) && error_is_set(&users->trouble))
        *err = users->trouble;
    return error_is_set(err) ? -1 : 0;
}

struct users *users_open(const char *path, struct error *err)
{
    struct users *users = mem_alloc(sizeof *users);

    users->path = mem_strdup(path);
    if (users_refresh(users, err) == 0)
        return users;
    users_free(users);
    return NULL;
}
