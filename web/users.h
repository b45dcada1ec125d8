/* SPDX-License-Identifier: MIT
 *
 * users.h - the users of the server: a small file, read again whenever it has changed.
 * Layer: web. It keeps names, roles and hashes and verifies nothing.
 *
 * A line is NAME:ROLE:HASH. The file is the caller's own and closed to others; what is
 * in it that can't be understood makes all of it unusable, never a part of it.
 */
#ifndef WEB_USERS_H
#define WEB_USERS_H

#include "web/guard.h"

enum { USERS_NAME_MAX = 63, USERS_MAX = 1000 };

/* The name by which the token may be sent as a password; no user has it. */
#define USERS_TOKEN "token"

struct user {
    char name[USERS_NAME_MAX + 1];
    enum guard_role role; /* viewer, operator or admin */
    char *hash;
};

struct users;

/*
 * A file that is not there has no users.
 * Errors: ERROR_INPUT it isn't ours, is open to others, or a line is no user: which,
 * and what to do. ERROR_INTERNAL it can't be read.
 */
struct users *users_open(const char *path, struct error *err);
void users_free(struct users *users);

size_t users_count(const struct users *users);
const struct user *users_at(const struct users *users, size_t i); /* by name */
/* NULL: there is none. Borrowed until the next refresh or change. */
const struct user *users_find(const struct users *users, const char *name);

/* Read the file again if it is another one by now. While it can't be used there are no
 * users: -1 and why. */
int users_refresh(struct users *users, struct error *err);

/* Another number whenever something else was read. */
uint64_t users_version(const struct users *users);

/* May it be a user's name? ERROR_INPUT says what may. */
int users_check_name(const char *name, struct error *err);
/* viewer, operator, admin. */
int users_parse_role(const char *text, enum guard_role *role, struct error *err);

/* Changes are in memory until users_write, which puts a new file in place of the old.
 */
int users_put(struct users *users, const char *name, enum guard_role role,
              const char *hash, struct error *err);
bool users_remove(struct users *users, const char *name);
int users_write(struct users *users, struct error *err);

#endif
