/* SPDX-License-Identifier: MIT */
#include "core/dag_subst.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct dag_subst *subst;
    struct dag_pos pos;
    struct text_buf out;
    bool failed;
};

static bool is_name(const char *text, size_t len)
{
    if (len == 0 || isdigit((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    }
    return true;
}

static bool is_utf8(const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t step = text_utf8_length(text, left);

        if (step == 0)
            return false;
        text += step;
        left -= step;
    }
    return true;
}

/* Put a value in. A bound, because one long value can be asked for many times. */
static void put(struct job *job, const char *what, const char *value)
{
    size_t len = strlen(value);

    if (!is_utf8(value)) {
        diag_add(job->subst->diags, job->pos.line, job->pos.column,
                 "the value of %s is not UTF-8 text", what);
        job->failed = true;
        return;
    }
    if (job->subst->bytes + len > DAG_FILE_BYTES_MAX) {
        diag_add(job->subst->diags, job->pos.line, job->pos.column,
                 "%s: the values put into this file are more than 1 MiB together",
                 what);
        job->failed = true;
        return;
    }
    job->subst->bytes += len;
    text_append_bytes(&job->out, value, len);
}

static void put_file(struct job *job, const char *what, const char *path)
{
    struct error err = {0};
    char *full =
        *path == '/' ? mem_strdup(path) : mem_printf("%s/%s", job->subst->dir, path);
    char *content = job->subst->source->read_file(job->subst->source->arg, full, &err);

    if (content == NULL) {
        diag_add(job->subst->diags, job->pos.line, job->pos.column, "%s: %s", what,
                 err.text);
        job->failed = true;
    } else {
        size_t len = strlen(content);

        if (len > 0 && content[len - 1] == '\n')
            len--;
        if (len > 0 && content[len - 1] == '\r')
            len--;
        content[len] = '\0';
        put(job, what, content);
    }
    free(content);
    free(full);
}

static void put_name(struct job *job, const char *what, const char *name,
                     const char *fallback)
{
    const char *value = job->subst->source->find(job->subst->source->arg, name);

    if (fallback && (value == NULL || *value == '\0'))
        value = fallback;
    if (value) {
        put(job, what, value);
        return;
    }
    diag_add(
        job->subst->diags, job->pos.line, job->pos.column,
        "%s is not set: give --param %s=VALUE, set it in the environment, or write "
        "${%s:-DEFAULT} ('$$' stands for a plain '$')",
        what, name, name);
    job->failed = true;
}

/* inside: what stands between "${" and "}". */
static void put_reference(struct job *job, const char *inside, size_t len)
{
    char *text = mem_strndup(inside, len);
    char *what = mem_printf("${%.60s%s}", text, len > 60 ? "..." : "");
    char *fallback = strstr(text, ":-");
    size_t name_len = fallback ? (size_t)(fallback - text) : len;

    if (strncmp(text, "file:", 5) == 0 && text[5] != '\0') {
        put_file(job, what, text + 5);
    } else if (!is_name(text, name_len) || strstr(text, "${")) {
        diag_add(job->subst->diags, job->pos.line, job->pos.column,
                 "%s: expected ${NAME}, ${NAME:-DEFAULT} or ${file:PATH}, none inside "
                 "another ('$$' stands for a plain '$')",
                 what);
        job->failed = true;
    } else {
        if (fallback) {
            *fallback = '\0';
            fallback += 2;
        }
        put_name(job, what, text, fallback);
    }
    free(what);
    free(text);
}

/* Handle what begins with '$' at c; returns where to go on. */
static const char *dollar(struct job *job, const char *c)
{
    const char *end;

    if (c[1] == '$') {
        text_append(&job->out, "$");
        return c + 2;
    }
    if (c[1] != '{') {
        text_append(&job->out, "$");
        return c + 1;
    }
    end = strchr(c, '}');
    if (end == NULL) {
        diag_add(job->subst->diags, job->pos.line, job->pos.column,
                 "'${' without '}' ('$$' stands for a plain '$')");
        job->failed = true;
        return c + strlen(c);
    }
    put_reference(job, c + 2, (size_t)(end - c - 2));
    return end + 1;
}

const char *dag_subst_text(struct dag_subst *subst, const char *text,
                           struct dag_pos pos)
{
    struct job job = {.subst = subst, .pos = pos};
    const char *result = NULL;

    if (strchr(text, '$') == NULL)
        return text;
    while (*text) {
        size_t len = strcspn(text, "$");

        text_append_bytes(&job.out, text, len);
        text += len;
        if (*text == '$')
            text = dollar(&job, text);
    }
    if (!job.failed)
        result = mem_arena_strndup(subst->arena, text_str(&job.out), job.out.len);
    text_buf_clear(&job.out);
    return result;
}
