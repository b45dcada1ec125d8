/* SPDX-License-Identifier: MIT
 *
 * data_dags.c - a folder of cases: YAML and what must come of it.
 * usage: data_dags [--update] FOLDER PAGE
 */
#include "base/text.h"
#include "core/plan.h"
#include "core/schema.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct runner {
    const char *folder;
    bool update;
    int checks;
    int failures;
};

static char *read_whole(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    struct text_buf text = {0};
    char chunk[4096];
    size_t got;

    if (file == NULL)
        return NULL;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        text_append_bytes(&text, chunk, got);
    (void)fclose(file);
    *len = text.len;
    return text_take(&text);
}

static void write_whole(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
}

/* Cases see these values whatever the environment of the test is. */
static const char *find(void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "COUNT") == 0    ? "5"
           : strcmp(name, "EMPTY") == 0  ? ""
           : strcmp(name, "TEXT") == 0   ? "a: [b"
           : strcmp(name, "BROKEN") == 0 ? "\xff"
                                         : NULL;
}

/* The cases believe that they are in /dags. */
static char *read_file(void *arg, const char *path, struct error *err)
{
    const struct runner *runner = arg;
    const char *name = strncmp(path, "/dags/", 6) == 0 ? path + 6 : path;
    char *real = mem_printf("%s/valid/%s", runner->folder, name);
    size_t len;
    char *text = read_whole(real, &len);

    if (text == NULL)
        error_set(err, ERROR_INPUT, "%s: No such file or directory", path);
    free(real);
    return text;
}

static struct dag *load(struct runner *runner, const char *text, size_t len,
                        const char *name, struct diag_list *diags)
{
    struct dag_source source = {.find = find, .read_file = read_file, .arg = runner};
    char *path = mem_printf("/dags/%s", name);
    struct dag *dag = dag_load(text, len, path, &source, diags);

    free(path);
    return dag;
}

static void fail(struct runner *runner, const char *name, const char *what,
                 const char *detail)
{
    runner->failures++;
    (void)printf("%s: %s\n%s", name, what, detail);
}

static void compare(struct runner *runner, const char *path, const char *got)
{
    size_t len;
    char *expected = read_whole(path, &len);

    runner->checks++;
    if (expected && strcmp(expected, got) == 0) {
        free(expected);
        return;
    }
    if (runner->update)
        write_whole(path, got);
    else {
        fail(runner, path, "expected:", expected ? expected : "(no such file)\n");
        (void)printf("found:\n%s", got);
    }
    free(expected);
}

static void check_valid(struct runner *runner, const char *name, const char *text,
                        size_t len, const char *plan_path)
{
    struct diag_list diags = {0};
    struct dag *dag = load(runner, text, len, name, &diags);
    struct plan *plan;
    char *shown;

    if (dag == NULL) {
        runner->checks++;
        shown = diag_text(&diags, name);
        fail(runner, name, "is valid, but:", shown);
    } else {
        plan = plan_build(dag);
        shown = plan_text(plan);
        compare(runner, plan_path, shown);
        plan_free(plan);
    }
    free(shown);
    diag_clear(&diags);
    dag_free(dag);
}

static void check_invalid(struct runner *runner, const char *name, const char *text,
                          size_t len, const char *error_path)
{
    struct diag_list diags = {0};
    struct dag *dag = load(runner, text, len, name, &diags);
    char *messages = diag_text(&diags, name);

    if (dag) {
        runner->checks++;
        fail(runner, name, "is invalid, but was taken", "\n");
    } else {
        compare(runner, error_path, messages);
    }
    free(messages);
    diag_clear(&diags);
    dag_free(dag);
}

static int is_yaml(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static void check_folder(struct runner *runner, const char *kind, size_t least)
{
    bool valid = strcmp(kind, "valid") == 0;
    char *folder = mem_printf("%s/%s", runner->folder, kind);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_yaml, alphasort);

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char *path = mem_printf("%s/%s", folder, name);
        char *expected =
            mem_printf("%s/%.*s.%s", folder, (int)(strrchr(name, '.') - name), name,
                       valid ? "plan" : "error");
        size_t len = 0;
        char *text = read_whole(path, &len);

        if (valid)
            check_valid(runner, name, text, len, expected);
        else
            check_invalid(runner, name, text, len, expected);
        free(text);
        free(expected);
        free(path);
        free(entries[i]);
    }
    free(entries);
    runner->checks++;
    if (count < (int)least)
        fail(runner, folder, "too few cases", "\n");
    free(folder);
}

/* The table of keys between the two marks is that of the program. */
static void check_table(struct runner *runner, const char *page, const char *text)
{
    static const char begin_mark[] = "<!-- keys: begin -->\n";
    static const char end_mark[] = "<!-- keys: end -->\n";
    const char *begin = strstr(text, begin_mark);
    const char *end = begin ? strstr(begin, end_mark) : NULL;
    char *reference = schema_reference();
    char *whole;

    runner->checks++;
    if (end == NULL) {
        fail(runner, page, "has no marks for the table of keys", "\n");
        free(reference);
        return;
    }
    begin += sizeof begin_mark - 1;
    whole = mem_printf("%.*s%s%s", (int)(begin - text), text, reference, end);
    if (strcmp(whole, text) != 0 && runner->update)
        write_whole(page, whole);
    else if (strcmp(whole, text) != 0)
        fail(runner, page, "is not the table of dag_keys.c; run data_dags --update",
             "\n");
    free(whole);
    free(reference);
}

/* Every ```yaml block of the page is a dag that loads. */
static void check_examples(struct runner *runner, const char *page, const char *text)
{
    static const char fence[] = "```yaml\n";

    for (const char *at = text; (at = strstr(at, fence)) != NULL;) {
        const char *end = strstr(at += sizeof fence - 1, "\n```");
        size_t len = end ? (size_t)(end - at) + 1 : strlen(at);
        struct diag_list diags = {0};
        struct dag *dag = load(runner, at, len, "example.yaml", &diags);

        runner->checks++;
        if (dag == NULL) {
            char *messages = diag_text(&diags, page);

            fail(runner, page,
                 "has an example that is wrong (its own lines):", messages);
            free(messages);
        }
        diag_clear(&diags);
        dag_free(dag);
    }
}

static void check_page(struct runner *runner, const char *page)
{
    size_t len;
    char *text = read_whole(page, &len);

    if (text == NULL) {
        runner->checks++;
        fail(runner, page, strerror(errno), "\n");
        return;
    }
    check_table(runner, page, text);
    check_examples(runner, page, text);
    free(text);
}

int main(int argc, char **argv)
{
    struct runner runner = {.update = argc > 1 && strcmp(argv[1], "--update") == 0};

    if (argc != 3 + runner.update) {
        (void)fputs("usage: data_dags [--update] FOLDER PAGE\n", stderr);
        return 2;
    }
    runner.folder = argv[argc - 2];
    check_folder(&runner, "valid", 20);
    check_folder(&runner, "invalid", 60);
    check_page(&runner, argv[argc - 1]);
    (void)printf("%d%%: Checks: %d, Failures: %d, Errors: 0\n",
                 (runner.checks - runner.failures) * 100 / runner.checks, runner.checks,
                 runner.failures);
    return runner.failures == 0 ? 0 : 1;
}
