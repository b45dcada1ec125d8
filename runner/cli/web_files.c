/* SPDX-License-Identifier: MIT */
#include "cli/web_files.h"

#include "base/mem.h"
#include "core/dag_keys.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOK_MS = 15000, LOOK_OUTPUT = 8 << 20 };

static const char suffix[] = ".yaml";

char *web_files_folder(const char *path, struct error *err)
{
    char *whole = realpath(path, NULL);
    struct stat st = {0};

    if (whole == NULL || stat(whole, &st) != 0)
        error_set(err, ERROR_INPUT, "--dags %s: %s", path, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        error_set(err, ERROR_INPUT, "--dags %s: a folder expected", path);
    else if (st.st_mode & S_IWOTH)
        error_set(err, ERROR_INPUT,
                  "--dags %s: everybody can write there: chmod o-w it", path);
    if (!error_is_set(err))
        return whole;
    free(whole);
    return NULL;
}

static int is_yaml(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > sizeof suffix - 1 &&
           strcmp(entry->d_name + len - (sizeof suffix - 1), suffix) == 0;
}

static bool has_file(const json_t *files, const char *name)
{
    for (size_t i = 0; i < json_array_size(files); i++) {
        if (strcmp(json_get_string(json_array_get(files, i), "file", ""), name) == 0)
            return true;
    }
    return false;
}

static void add_folder(json_t *files, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_yaml, alphasort);

    for (int i = 0; i < count; i++) {
        size_t len = strlen(entries[i]->d_name) - (sizeof suffix - 1);
        char *name = mem_strndup(entries[i]->d_name, len);
        char *path = mem_printf("%s/%s", folder, entries[i]->d_name);

        if (dag_is_name(name) && !has_file(files, name))
            (void)json_array_append_new(files,
                                        json_pack("{s:o,s:o}", "file", json_text(name),
                                                  "yaml", json_text(path)));
        free(path);
        free(name);
        free(entries[i]);
    }
    free(entries);
}

json_t *web_files_list(const char *const *folders)
{
    json_t *files = json_array();

    for (; folders && *folders; folders++)
        add_folder(files, *folders);
    return json_pack("{s:o}", "files", files);
}

char *web_files_find(const char *const *folders, const char *name, struct error *err)
{
    for (; folders && *folders && dag_is_name(name); folders++) {
        char *path = mem_printf("%s/%s%s", *folders, name, suffix);
        struct stat st;
        bool found = stat(path, &st) == 0 && S_ISREG(st.st_mode);

        if (found && !(st.st_mode & S_IWOTH))
            return path;
        if (found) /* whoever changes it says what is executed */
            error_set(err, ERROR_INPUT, "%s: everybody can write to it: chmod o-w it",
                      path);
        free(path);
        if (found)
            return NULL;
    }
    error_set(err, ERROR_NOT_FOUND, "no %s%s in the folders of 'dagrun web --dags DIR'",
              name, suffix);
    return NULL;
}

struct looking {
    web_done_fn *done;
    void *done_arg;
    bool check;
};

/* validate prints its answer, a list of one, also when it fails: that is what it is for. */
static void on_end(void *arg, char *out, const struct error *err)
{
    const struct looking *looking = arg;
    const struct error none = {0};
    size_t len = strcspn(out, "\n");
    char *object;

    if (!looking->check || *out != '[' || len < 2 || out[len - 1] != ']') {
        looking->done(looking->done_arg, out, err);
        return;
    }
    object = mem_strndup(out + 1, len - 2);
    free(out);
    looking->done(looking->done_arg, object, &none);
}

struct web_child *web_files_look(struct web_children *children, const char *path, bool check,
                                 web_done_fn *done, void *done_arg)
{
    char words[][16] = {"dagrun", "validate", "--json", "graph", "--format=svg", "--"};
    char *file = mem_strdup(path);
    char *validate[] = {words[0], words[1], words[2], words[5], file, NULL};
    char *graph[] = {words[0], words[3], words[4], file, NULL};
    struct looking *looking = mem_alloc(sizeof *looking);
    struct web_child *child;

    *looking = (struct looking){done, done_arg, check};
    child = web_child_run(children,
                          &(struct web_child_spec){.argv = check ? validate : graph,
                                                   .limit_ms = LOOK_MS,
                                                   .output_bytes = LOOK_OUTPUT,
                                                   .done = on_end,
                                                   .done_arg = looking});
    free(file);
    return child;
}
