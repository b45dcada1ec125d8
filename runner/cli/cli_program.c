/* SPDX-License-Identifier: MIT
 *
 * Where programs are.
 */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of this binary; NULL when the system does not tell. The caller frees. */
static char *own_folder(void)
{
    char *path = realpath("/proc/self/exe", NULL);
    char *slash = path ? strrchr(path, '/') : NULL;

    if (slash)
        *slash = '\0';
    return path;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* $DAGRUN_NODES, else beside the binary (the build tree), else as it is installed. */
char *cli_nodes_folder(void)
{
    const char *given = getenv("DAGRUN_NODES");
    char *own;
    char *folder;

    if (given && *given)
        return mem_strdup(given);
    own = own_folder();
    if (own == NULL)
        return mem_strdup("nodes");
    folder = mem_printf("%s/nodes", own);
    if (!is_folder(folder)) {
        free(folder);
        folder = mem_printf("%s/../libexec/dagrun/nodes", own);
    }
    free(own);
    return folder;
}

/* A built-in program whose name is near; the caller frees. */
static char *nearest(const char *folder, const char *program)
{
    enum { MANY = 256 };
    char *names[MANY];
    size_t count = 0;
    DIR *dir = opendir(folder);
    char *near;

    for (struct dirent *entry; dir && count < MANY && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.')
            names[count++] = mem_strdup(entry->d_name);
    }
    if (dir)
        (void)closedir(dir);
    near = mem_strdup(text_nearest(program, (const char *const *)names, count));
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    return near;
}

static void report_missing(const char *folder, const char *program, bool built_in,
                           struct error *err)
{
    char *near = built_in ? nearest(folder, program) : NULL;

    if (near)
        error_set(err, ERROR_INPUT, "no built-in program '%s' (did you mean '%s'?)",
                  program, near);
    else if (built_in)
        error_set(
            err, ERROR_INPUT,
            "no built-in program '%s': expected one that 'dagrun programs' lists, or "
            "a path such as ./%s",
            program, program);
    else
        error_set(err, ERROR_INPUT, "no program %s: %s", program, strerror(errno));
    free(near);
}

char *cli_program_path(const char *program, struct error *err)
{
    bool built_in = strchr(program, '/') == NULL;
    char *folder = built_in ? cli_nodes_folder() : NULL;
    char *path = built_in ? mem_printf("%s/%s", folder, program) : mem_strdup(program);
    struct stat st;

    if (stat(path, &st) != 0)
        report_missing(folder, program, built_in, err);
    else if (!S_ISREG(st.st_mode))
        error_set(err, ERROR_INPUT, "%s is no program: it is not a file", path);
    else if (access(path, X_OK) != 0)
        error_set(err, ERROR_INPUT, "%s is not executable: chmod +x it", path);
    free(folder);
    if (!error_is_set(err))
        return path;
    free(path);
    return NULL;
}
