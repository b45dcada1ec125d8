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

/* Beside the binary (the build tree), else as it is installed. */
static char *built_in_folder(void)
{
    char *own = own_folder();
    char *folder = mem_printf("%s/nodes", own ? own : ".");

    if (own && !is_folder(folder)) {
        free(folder);
        folder = mem_printf("%s/../libexec/dagrun/nodes", own);
    }
    free(own);
    return folder;
}

char *cli_nodes_folder(void)
{
    const char *given = getenv("DAGRUN_NODES");

    return given && *given ? mem_strdup(given) : built_in_folder();
}

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* The names of the programs in a folder, added to those that are there. */
static size_t list_programs(const char *folder, char **names, size_t count, size_t max)
{
    DIR *dir = opendir(folder);

    for (struct dirent *entry; dir && count < max && (entry = readdir(dir)) != NULL;) {
        char *path = mem_printf("%s/%s", folder, entry->d_name);

        if (entry->d_name[0] != '.' && is_program(path))
            names[count++] = mem_strdup(entry->d_name);
        free(path);
    }
    if (dir)
        (void)closedir(dir);
    return count;
}

/* A built-in program whose name is near; the caller frees. */
static char *nearest(char *const *folders, size_t folder_count, const char *program)
{
    enum { MANY = 256 };
    char *names[MANY];
    size_t count = 0;
    char *near;

    for (size_t i = 0; i < folder_count; i++)
        count = list_programs(folders[i], names, count, MANY);
    near = mem_strdup(text_nearest(program, (const char *const *)names, count));
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    return near;
}

static void report_no_built_in(char *const *folders, size_t count, const char *program,
                               struct error *err)
{
    char *near = nearest(folders, count, program);

    if (near)
        error_set(err, ERROR_INPUT, "no built-in program '%s' (did you mean '%s'?)",
                  program, near);
    else
        error_set(
            err, ERROR_INPUT,
            "no built-in program '%s': expected one that 'dagrun programs' lists, "
            "or a path such as ./%s",
            program, program);
    free(near);
}

/* The first folder that has it; NULL and err. */
static char *find_built_in(const char *program, struct error *err)
{
    char *folders[] = {cli_nodes_folder(), built_in_folder()};
    const size_t count = sizeof folders / sizeof *folders;
    char *path = NULL;

    for (size_t i = 0; i < count && path == NULL; i++) {
        path = mem_printf("%s/%s", folders[i], program);
        if (access(path, F_OK) != 0) {
            free(path);
            path = NULL;
        }
    }
    if (path == NULL)
        report_no_built_in(folders, count, program, err);
    for (size_t i = 0; i < count; i++)
        free(folders[i]);
    return path;
}

char *cli_program_path(const char *program, struct error *err)
{
    bool built_in = strchr(program, '/') == NULL;
    char *path = built_in ? find_built_in(program, err) : mem_strdup(program);
    struct stat st;

    if (path == NULL)
        return NULL;
    if (stat(path, &st) != 0)
        error_set(err, ERROR_INPUT, "no program %s: %s", program, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        error_set(err, ERROR_INPUT, "%s is no program: it is not a file", path);
    else if (access(path, X_OK) != 0)
        error_set(err, ERROR_INPUT, "%s is not executable: chmod +x it", path);
    if (!error_is_set(err))
        return path;
    free(path);
    return NULL;
}
