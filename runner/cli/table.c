/* SPDX-License-Identifier: MIT
 *
 * Painting in place. The cursor rests below the table; a painting goes up over what the
 * last one left and writes every line anew, each with "erase to the end of the line", all
 * in one write: nothing flickers. When the terminal became narrower meanwhile, its old
 * lines take more rows, which is counted in.
 */
#include "cli/table.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/table_render.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINES_EVERY_MS = 40, PENDING_MAX = 1 << 20 };

struct table {
    FILE *out;
    struct table_size fallback;
    bool color;
    struct lines lines; /* on the screen now, or to be painted next */
    size_t painted;           /* how many of them are on the screen */
    struct text_buf pending;  /* lines above, not written yet */
    int64_t written_ms;
};

static struct table_size terminal_size(const struct table *table)
{
    struct winsize size;
    int fd = fileno(table->out);

    if (fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
        return (struct table_size){size.ws_col, size.ws_row};
    return table->fallback;
}

int table_width(FILE *out)
{
    struct winsize size;
    int fd = fileno(out);

    return fd >= 0 && isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool table_color(FILE *out)
{
    const char *none = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    int fd = fileno(out);

    return fd >= 0 && isatty(fd) && (none == NULL || *none == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

struct table *table_new(FILE *out, int width, int height, bool color)
{
    struct table *table = mem_alloc(sizeof *table);

    table->out = out;
    table->fallback = (struct table_size){width, height};
    table->color = color;
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    lines_clear(&table->lines);
    text_buf_clear(&table->pending);
    free(table);
}

/* Go to the first row of what is on the screen. */
static void go_up(const struct table *table, int width, struct text_buf *out)
{
    size_t rows = 0;

    for (size_t i = 0; i < table->painted; i++) {
        size_t used = table->lines.widths[i];

        rows += width > 0 && used > (size_t)width ? (used + (size_t)width - 1) / (size_t)width
                                                  : 1;
    }
    if (rows > 0)
        text_appendf(out, "\r\x1b[%zuA", rows);
}

static void write_out(struct table *table, struct text_buf *text)
{
    if (text->len > 0) {
        (void)fwrite(text->data, 1, text->len, table->out);
        (void)fflush(table->out);
    }
    text_buf_clear(text);
    table->written_ms = clock_mono_ms();
}

/* Put the pending lines and then the given table on the screen. */
static void paint(struct table *table, struct lines *next, int width)
{
    struct text_buf out = {0};

    go_up(table, width, &out);
    if (table->pending.len > 0) {
        text_append(&out, "\x1b[J");
        text_append_bytes(&out, table->pending.data, table->pending.len);
        text_buf_clear(&table->pending);
    }
    for (size_t i = 0; i < next->count; i++)
        text_appendf(&out, "%s\x1b[K\n", next->items[i]);
    if (next->count < table->painted)
        text_append(&out, "\x1b[J");
    if (next != &table->lines) {
        lines_clear(&table->lines);
        table->lines = *next;
    }
    table->painted = table->lines.count;
    write_out(table, &out);
}

static bool same_lines(const struct table *table, const struct lines *next)
{
    if (table->painted != next->count)
        return false;
    for (size_t i = 0; i < next->count; i++) {
        if (strcmp(table->lines.items[i], next->items[i]) != 0)
            return false;
    }
    return true;
}

void table_update(struct table *table, const json_t *status)
{
    struct table_size size = terminal_size(table);
    struct lines next = {0};

    if (size.height > 1)
        size.height--; /* the cursor's row */
    if (size.width > 1)
        size.width--; /* erasing after a full row would take its last character */
    table_render_live(status, size, table->color, &next);
    if (table->pending.len == 0 && same_lines(table, &next))
        lines_clear(&next);
    else
        paint(table, &next, size.width);
}

static void append_safe(struct text_buf *out, const char *text, size_t len)
{
    char *data = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&data, &size);

    if (stream == NULL)
        return;
    text_print_safe(stream, text, len);
    (void)fclose(stream);
    text_append_bytes(out, data, size);
    free(data);
}

void table_line(struct table *table, const char *prefix, const char *text, size_t len)
{
    if (prefix) {
        append_safe(&table->pending, prefix, strlen(prefix));
        text_append(&table->pending, " | ");
    }
    append_safe(&table->pending, text, len);
    text_append(&table->pending, "\n");
    /* A flood is written in bunches; the rest goes out with the next line or update. */
    if (clock_mono_ms() - table->written_ms >= LINES_EVERY_MS ||
        table->pending.len > PENDING_MAX)
        paint(table, &table->lines, terminal_size(table).width);
}

void table_finish(struct table *table, const json_t *status)
{
    struct table_size size = terminal_size(table);
    struct lines none = {0};
    struct lines lines = {0};

    paint(table, &none, size.width);
    size.height = 0;
    table_render_final(status, size, table->color, &lines);
    lines_print(&lines, table->out);
    (void)fflush(table->out);
    lines_clear(&lines);
}

void table_print(FILE *out, const json_t *status, int width, bool color)
{
    struct table_size size = {.width = width};
    struct lines lines = {0};

    if (table_is_over(status))
        table_render_final(status, size, color, &lines);
    else
        table_render_live(status, size, color, &lines);
    lines_print(&lines, out);
    lines_clear(&lines);
}
