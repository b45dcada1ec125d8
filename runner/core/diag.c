/* SPDX-License-Identifier: MIT */
#include "core/diag.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Text from the file must not reach a terminal as it is, and an error is one line. */
static char *one_safe_line(const char *text)
{
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);

    if (out == NULL)
        return mem_strdup("(no memory for the message)");
    text_print_safe(out, text, strlen(text));
    (void)fclose(out);
    return data;
}

void diag_add(struct diag_list *list, int line, int column, const char *format, ...)
{
    char *formatted = NULL;
    struct diag *diag;
    va_list ap;

    if (list->count == DIAG_MAX) {
        list->dropped++;
        return;
    }
    va_start(ap, format);
    if (vasprintf(&formatted, format, ap) < 0)
        formatted = NULL;
    va_end(ap);
    list->items = mem_grow(list->items, list->count, &list->capacity, sizeof *diag);
    diag = &list->items[list->count++];
    diag->line = line;
    diag->column = column;
    diag->text = one_safe_line(formatted ? formatted : format);
    free(formatted);
}

/* Insertion sort: stable, and there are at most DIAG_MAX. */
void diag_sort(struct diag_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        struct diag moving = list->items[i];
        size_t to = i;

        while (to > 0 && (list->items[to - 1].line > moving.line ||
                          (list->items[to - 1].line == moving.line &&
                           list->items[to - 1].column > moving.column))) {
            list->items[to] = list->items[to - 1];
            to--;
        }
        list->items[to] = moving;
    }
}

void diag_clear(struct diag_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].text);
    free(list->items);
    *list = (struct diag_list){0};
}

char *diag_text(const struct diag_list *list, const char *file)
{
    struct text_buf out = {0};

    for (size_t i = 0; i < list->count; i++) {
        const struct diag *diag = &list->items[i];

        text_append(&out, file);
        if (diag->line > 0)
            text_appendf(&out, ":%d:%d", diag->line, diag->column);
        text_appendf(&out, ": error: %s\n", diag->text);
    }
    if (list->dropped > 0)
        text_appendf(&out, "%s: error: %zu more errors are not shown\n", file,
                     list->dropped);
    return text_take(&out);
}
