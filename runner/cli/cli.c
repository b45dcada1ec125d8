/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int cli_fail(const struct error *err)
{
    (void)fflush(stdout);
    if (err->text[0])
        text_printf_safe(stderr, "dagrun: error: %s\n", err->text);
    return error_exit_code(err->kind);
}

int cli_usage(const char *verb, const char *format, ...)
{
    char *text;
    va_list ap;

    (void)fflush(stdout);
    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        abort(); /* out of memory */
    va_end(ap);
    text_printf_safe(stderr, "dagrun %s: %s (see 'dagrun %s --help')\n", verb, text,
                     verb);
    free(text);
    return 2;
}

static char *home_path(struct error *err)
{
    const char *home = getenv("DAGRUN_HOME");

    if (home && *home)
        return mem_strdup(home);
    home = getenv("XDG_STATE_HOME");
    if (home && *home)
        return mem_printf("%s/dagrun", home);
    home = getenv("HOME");
    if (home && *home)
        return mem_printf("%s/.local/state/dagrun", home);
    error_set(err, ERROR_INPUT, "no place for the state directory: set DAGRUN_HOME");
    return NULL;
}

/* mkdir -p; folders on the way get the usual mode, the last one 0700. */
static int make_folder(char *path, struct error *err)
{
    for (char *slash = path; (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        (void)mkdir(path, 0777);
        *slash = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        error_set(err, ERROR_INTERNAL,
                  "state directory %s: %s; make it writable or set DAGRUN_HOME", path,
                  strerror(errno));
        return -1;
    }
    return 0;
}

static int check_folder(const char *path, struct error *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        error_set(err, ERROR_INTERNAL, "state directory %s: %s", path, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        error_set(err, ERROR_INTERNAL,
                  "state directory %s is not a folder; remove it or set DAGRUN_HOME", path);
    else if (access(path, W_OK | X_OK) != 0)
        error_set(err, ERROR_INTERNAL,
                  "state directory %s: %s; make it writable or set DAGRUN_HOME", path,
                  strerror(errno));
    return error_is_set(err) ? -1 : 0;
}

static char *absolute(char *path, struct error *err)
{
    char *folder;
    char *whole;

    if (path[0] == '/')
        return path;
    folder = getcwd(NULL, 0);
    if (folder == NULL) {
        error_set(err, ERROR_INPUT, "the current folder is gone: %s", strerror(errno));
        free(path);
        return NULL;
    }
    whole = mem_printf("%s/%s", folder, path);
    free(folder);
    free(path);
    return whole;
}

char *cli_home(bool create, struct error *err)
{
    char *path = home_path(err);

    if (path)
        path = absolute(path, err);
    if (path && create && (make_folder(path, err) != 0 || check_folder(path, err) != 0)) {
        free(path);
        return NULL;
    }
    return path;
}
