/* SPDX-License-Identifier: MIT
 *
 * From a file name to a checked dag.
 */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_describe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where ${NAME} comes from; which parameters were asked for. */
struct values {
    const struct cli_params *params;
    bool *asked; /* by parameter */
};

static const char *find_value(void *arg, const char *name)
{
    const struct values *values = arg;
    const char *value = cli_params_find(values->params, name, strlen(name));

    for (size_t i = 0; value && i < values->params->count; i++) {
        if (value > values->params->items[i] &&
            value <= values->params->items[i] + strlen(values->params->items[i]))
            values->asked[i] = true;
    }
    return value ? value : getenv(name);
}

/* Everything there is to read, up to limit + 1 bytes. -1: errno says why. */
static int read_all(int fd, size_t limit, struct text_buf *text)
{
    char chunk[16 * 1024];

    while (text->len <= limit) {
        ssize_t len = read(fd, chunk, sizeof chunk);

        if (len == 0)
            return 0;
        if (len < 0 && errno != EINTR)
            return -1;
        if (len > 0)
            text_append_bytes(text, chunk, (size_t)len);
    }
    return 0;
}

/* shown: the name for messages. */
static int read_path(const char *path, const char *shown, struct text_buf *text,
                     struct error *err)
{
    struct stat st;
    int fd =
        strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0)
        error_set(err, ERROR_INPUT, "%s: %s", shown, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        error_set(err, ERROR_INPUT, "%s is a folder: expected a YAML file", shown);
    else if (read_all(fd, DAG_FILE_BYTES_MAX, text) != 0)
        error_set(err, ERROR_INPUT, "%s: %s", shown, strerror(errno));
    else if (text->len > DAG_FILE_BYTES_MAX)
        error_set(err, ERROR_INPUT, "%s is larger than 1 MiB, the most for a dag",
                  shown);
    if (fd >= 0)
        (void)close(fd);
    return error_is_set(err) ? -1 : 0;
}

static char *read_small_file(void *arg, const char *path, struct error *err)
{
    struct text_buf text = {0};

    (void)arg;
    if (read_path(path, path, &text, err) == 0 &&
        memchr(text_str(&text), '\0', text.len))
        error_set(err, ERROR_INPUT, "%s: not a text file", path);
    if (!error_is_set(err))
        return text_take(&text);
    text_buf_clear(&text);
    return NULL;
}

/* stdin counts as a file in the current folder. */
static char *absolute_path(const char *path, struct error *err)
{
    char *folder;
    char *whole;

    if (strcmp(path, "-") != 0) {
        whole = realpath(path, NULL);
        if (whole == NULL)
            error_set(err, ERROR_INPUT, "%s: %s", path, strerror(errno));
        return whole;
    }
    folder = getcwd(NULL, 0);
    if (folder == NULL)
        error_set(err, ERROR_INPUT, "the current folder is gone: %s", strerror(errno));
    whole = folder ? mem_printf("%s/stdin.yaml", folder) : NULL;
    free(folder);
    return whole;
}

/* A parameter that does nothing is a mistake in its name. */
static int check_asked(const char *shown, const struct values *values,
                       struct error *err)
{
    for (size_t i = 0; i < values->params->count; i++) {
        const char *item = values->params->items[i];
        int len = (int)strcspn(item, "=");

        if (!values->asked[i])
            error_set(err, ERROR_INPUT, "--param %.*s: %s has no ${%.*s}", len, item,
                      shown, len, item);
    }
    return error_is_set(err) ? -1 : 0;
}

struct dag *cli_read_dag(const char *path, const struct cli_params *params,
                         bool programs, struct diag_list *diags, struct error *err)
{
    static const struct cli_params none = {0};
    const char *shown = cli_shown_path(path);
    struct values values = {.params = params ? params : &none};
    struct dag_source source = {
        .find = find_value, .read_file = read_small_file, .arg = &values};
    struct text_buf text = {0};
    char *absolute = absolute_path(path, err);
    struct dag *dag = NULL;

    values.asked = mem_alloc(values.params->count * sizeof *values.asked);
    if (absolute && read_path(path, shown, &text, err) == 0)
        dag = dag_load(text_str(&text), text.len, absolute, &source, diags);
    if (dag && check_asked(shown, &values, err) == 0 && programs)
        cli_check_programs(dag, diags);
    if (diags->count > 0 || error_is_set(err)) {
        dag_free(dag);
        dag = NULL;
    }
    text_buf_clear(&text);
    free(values.asked);
    free(absolute);
    return dag;
}

const char *cli_shown_path(const char *path)
{
    return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

void cli_print_diags(const struct diag_list *diags, const char *path)
{
    char *text = diag_text(diags, cli_shown_path(path));

    for (char *line = text; *line;) {
        size_t len = strcspn(line, "\n");

        text_print_safe(stderr, line, len);
        (void)fputc('\n', stderr);
        line += len + (line[len] == '\n');
    }
    free(text);
}

struct dag *cli_load_dag(const char *path, const struct cli_params *params,
                         bool programs, struct error *err)
{
    struct diag_list diags = {0};
    struct dag *dag = cli_read_dag(path, params, programs, &diags, err);

    if (diags.count > 0) {
        cli_print_diags(&diags, path);
        error_set(err, ERROR_INPUT, "%s", "");
    }
    diag_clear(&diags);
    return dag;
}
