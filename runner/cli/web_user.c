/* SPDX-License-Identifier: MIT */
#include "cli/web_user.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cli_ops.h"
#include "host/lock.h"
#include "web/password.h"
#include "web/users.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* What is asked for, beside the verb. */
struct request {
    const char *name;
    const char *role;
    bool json;
};

/* ---------------------------------------------------------------------- the password
 */

/* One line of stdin without its end; the caller frees. NULL and err. */
static char *read_password_line(struct error *err)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len = getline(&line, &size, stdin);
    char *password = NULL;

    if (len < 0 && errno == EINTR)
        error_set(err, ERROR_INTERRUPTED, "interrupted; nothing was changed");
    else if (len > 0 && strlen(line) != (size_t)len)
        error_set(err, ERROR_INPUT, "a NUL byte is in the password");
    else if (len > 0)
        password = mem_strndup(line, strcspn(line, "\r\n"));
    else
        error_set(err, ERROR_INPUT, "no password came: a line on stdin is expected");
    if (line)
        explicit_bzero(line, size);
    free(line);
    return password;
}

static void on_interrupt(int signal)
{
    (void)signal; /* it has ended the reading */
}

/* Ctrl-C must not leave a terminal that shows nothing of what is typed. */
static char *ask_password(const char *question, struct error *err)
{
    const struct sigaction interrupt = {.sa_handler = on_interrupt};
    struct sigaction usual;
    struct termios before;
    struct termios silent;
    char *password;

    if (tcgetattr(STDIN_FILENO, &before) != 0) {
        error_set(err, ERROR_INTERNAL, "the terminal: %s", strerror(errno));
        return NULL;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)sigaction(SIGINT, &interrupt, &usual);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    (void)fputs(question, stderr);
    password = read_password_line(err);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)sigaction(SIGINT, &usual, NULL);
    (void)fputc('\n', stderr);
    return password;
}

static void wipe(char *password)
{
    if (password)
        explicit_bzero(password, strlen(password));
    free(password);
}

/* From the terminal twice and unseen, else a line of stdin. */
static char *new_password(const char *name, struct error *err)
{
    bool terminal = isatty(STDIN_FILENO);
    char *question = mem_printf("Password of %s: ", name);
    char *password = terminal ? ask_password(question, err) : read_password_line(err);
    char *again = NULL;

    if (password && password_check(password, err) == 0 && terminal) {
        again = ask_password("The same again: ", err);
        if (again && strcmp(password, again) != 0)
            error_set(err, ERROR_INPUT,
                      "the two passwords differ; nothing was changed");
    }
    wipe(again);
    free(question);
    if (!error_is_set(err))
        return password;
    wipe(password);
    return NULL;
}

static char *new_hash(const char *name, struct error *err)
{
    char *password = new_password(name, err);
    char *hash = password ? password_hash(password, err) : NULL;

    wipe(password);
    return hash;
}

/* ------------------------------------------------------------------------- the verbs
 */

typedef int verb_fn(struct users *users, const struct request *request,
                    struct error *err);

static int need_user(const struct users *users, const char *name, struct error *err)
{
    if (users_find(users, name))
        return 0;
    error_set(err, ERROR_NOT_FOUND,
              "there is no user '%s' ('dagrun web user list' has them)", name);
    return -1;
}

static int add(struct users *users, const struct request *request, struct error *err)
{
    enum guard_role role;
    char *hash = NULL;

    if (users_check_name(request->name, err) != 0 ||
        users_parse_role(request->role, &role, err) != 0)
        return -1;
    if (users_find(users, request->name))
        error_set(err, ERROR_CONFLICT,
                  "there is a user '%s' already: 'passwd' and 'role' change one",
                  request->name);
    else
        hash = new_hash(request->name, err);
    if (hash)
        (void)users_put(users, request->name, role, hash, err);
    free(hash);
    return error_is_set(err) ? -1 : 0;
}

static int set_password(struct users *users, const struct request *request,
                        struct error *err)
{
    char *hash;

    if (need_user(users, request->name, err) != 0)
        return -1;
    hash = new_hash(request->name, err);
    if (hash)
        (void)users_put(users, request->name, users_find(users, request->name)->role,
                        hash, err);
    free(hash);
    return error_is_set(err) ? -1 : 0;
}

static int set_role(struct users *users, const struct request *request,
                    struct error *err)
{
    enum guard_role role;
    char *hash;

    if (need_user(users, request->name, err) != 0 ||
        users_parse_role(request->role, &role, err) != 0)
        return -1;
    hash = mem_strdup(users_find(users, request->name)->hash);
    (void)users_put(users, request->name, role, hash, err);
    free(hash);
    return error_is_set(err) ? -1 : 0;
}

static int remove_user(struct users *users, const struct request *request,
                       struct error *err)
{
    if (need_user(users, request->name, err) != 0)
        return -1;
    (void)users_remove(users, request->name);
    return 0;
}

static int list(struct users *users, const struct request *request, struct error *err)
{
    json_t *array = json_array();

    (void)err;
    for (size_t i = 0; i < users_count(users); i++) {
        const struct user *user = users_at(users, i);
        const char *role = guard_role_name(user->role);

        (void)json_array_append_new(
            array, json_pack("{s:s,s:s}", "user", user->name, "role", role));
        if (!request->json)
            (void)printf("%-24s %s\n", user->name, role);
    }
    if (request->json)
        cli_print_json(json_pack("{s:O}", "users", array));
    else if (users_count(users) == 0)
        (void)fputs("dagrun: there are no users; the token is the only way in\n",
                    stderr);
    json_decref(array);
    return 0;
}

static const struct verb {
    const char *name;
    verb_fn *fn;
    bool named;   /* takes NAME */
    bool roled;   /* takes a role */
    bool changes; /* the file is written */
    const char *usage;
    const char *done; /* said after it */
} verbs[] = {
    {"list", list, false, false, false, "list [--json]", NULL},
    {"add", add, true, true, true, "add NAME --role ROLE", "is a user"},
    {"passwd", set_password, true, false, true, "passwd NAME",
     "has a new password; open sessions of the old one have ended"},
    {"role", set_role, true, true, true, "role NAME ROLE",
     "has the role; open sessions have ended"},
    {"remove", remove_user, true, false, true, "remove NAME",
     "is removed; open sessions have ended"},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static int parse(const struct verb *verb, int argc, char **argv,
                 struct request *request)
{
    for (int i = 1; i < argc; i++) {
        const char *value = verb->roled ? cli_option(argc, argv, &i, "--role") : NULL;

        if (value)
            request->role = value;
        else if (strcmp(argv[i], "--json") == 0 && !verb->changes)
            request->json = true;
        else if (verb->named && request->name == NULL && argv[i][0] != '-')
            request->name = argv[i];
        else if (verb->roled && request->name && request->role == NULL &&
                 argv[i][0] != '-')
            request->role = argv[i];
        else
            return cli_usage("web", "user %s expected; '%s' is too much", verb->usage,
                             argv[i]);
    }
    if ((verb->named && request->name == NULL) ||
        (verb->roled && request->role == NULL))
        return cli_usage("web", "user %s expected", verb->usage);
    return 0;
}

static void record(const struct verb *verb, const struct request *request,
                   const struct error *err)
{
    char *action = mem_printf("user %s", verb->name);
    json_t *detail =
        request->role ? json_pack("{s:o}", "role", json_text(request->role)) : NULL;

    cli_audit(action, NULL, request->name, detail, err);
    free(action);
}

/* Nobody else changes the file between our reading and our writing. */
static int carry_out(const struct verb *verb, const struct request *request,
                     const char *home, struct error *err)
{
    char *path = mem_printf("%s/web.users", home);
    char *lock_path = mem_printf("%s/web.users.lock", home);
    struct lock *lock = verb->changes ? lock_take(lock_path, err) : NULL;
    struct users *users = error_is_set(err) ? NULL : users_open(path, err);

    if (users && verb->fn(users, request, err) == 0 && verb->changes &&
        users_write(users, err) == 0)
        (void)fprintf(stderr, "dagrun: %s %s\n", request->name, verb->done);
    users_free(users);
    lock_release(lock);
    if (verb->changes)
        record(verb, request, err);
    free(lock_path);
    free(path);
    return error_is_set(err) ? -1 : 0;
}

int web_user(int argc, char **argv)
{
    const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
    struct request request = {0};
    struct error err = {0};
    char *home;
    int code;

    if (verb == NULL)
        return cli_usage("web", "user list, add, passwd, role or remove expected%s%s",
                         argc > 1 ? ", not " : "", argc > 1 ? argv[1] : "");
    code = parse(verb, argc - 1, argv + 1, &request);
    if (code != 0)
        return code;
    home = cli_home(verb->changes, &err);
    if (home)
        (void)carry_out(verb, &request, home, &err);
    free(home);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}
