/* SPDX-License-Identifier: MIT */
#include "cli/cli_ops.h"

#include "base/text.h"
#include "cli/cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ops *cli_ops(struct error *err)
{
    char *home = cli_home(false, err);
    struct ops *ops = home ? ops_open(home, err) : NULL;

    free(home);
    return ops;
}

struct ops *cli_ops_at(const char *text, struct address *address, struct error *err)
{
    struct ops *ops = cli_ops(err);

    *address = (struct address){0};
    if (ops && address_resolve(ops, text, address, err) == 0)
        return ops;
    address_clear(address);
    ops_close(ops);
    return NULL;
}

void cli_print_json(json_t *value)
{
    char *line = json_line(value);

    (void)puts(line);
    free(line);
    json_decref(value);
}

void cli_time_text(int64_t wall_ms, char text[CLOCK_TEXT])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char zone[8];

    (void)snprintf(text, CLOCK_TEXT, "-");
    if (wall_ms <= 0 || localtime_r(&seconds, &tm) == NULL)
        return;
    (void)strftime(text, CLOCK_TEXT, "%Y-%m-%d %H:%M:%S ", &tm);
    (void)strftime(zone, sizeof zone, "%z", &tm);
    if (strlen(zone) == 5)
        (void)snprintf(text + strlen(text), CLOCK_TEXT - strlen(text), "%.3s:%s", zone,
                       zone + 3);
}

void cli_span_text(int64_t start_ms, int64_t end_ms, char text[CLOCK_TEXT])
{
    char duration[TEXT_NUMBER];

    text_format_duration(end_ms > start_ms ? end_ms - start_ms : 0, duration);
    (void)snprintf(text, CLOCK_TEXT, "%s", start_ms > 0 && end_ms > 0 ? duration : "-");
}

/* ".123", milliseconds; nothing is 0. */
static int parse_fraction(const char **text)
{
    int ms = 0;

    if (**text != '.' || !isdigit((unsigned char)(*text)[1]))
        return 0;
    (*text)++;
    for (int scale = 100; isdigit((unsigned char)**text); (*text)++, scale /= 10)
        ms += (**text - '0') * scale;
    return ms;
}

/* "", "Z" or "+01:00" into seconds east of UTC; local is set for "". */
static bool parse_zone(const char *text, bool *local, long *east)
{
    int hours;
    int minutes;
    char sign;
    char end;

    *local = *text == '\0';
    *east = 0;
    if (*local || strcmp(text, "Z") == 0)
        return true;
    if (sscanf(text, "%c%2d:%2d%c", &sign, &hours, &minutes, &end) != 3 ||
        (sign != '+' && sign != '-') || hours > 14 || minutes > 59)
        return false;
    *east = (sign == '-' ? -1L : 1L) * (hours * 3600L + minutes * 60L);
    return true;
}

static bool parse_date(const char *text, int64_t *wall_ms)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
                                          "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"};

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *rest = strptime(text, formats[i], &tm);
        int ms = rest && i < 2 ? parse_fraction(&rest) : 0; /* those with seconds */
        bool local;
        long east;

        if (rest == NULL || !parse_zone(rest, &local, &east))
            continue;
        *wall_ms = (int64_t)(local ? mktime(&tm) : timegm(&tm) - east) * 1000 + ms;
        return *wall_ms >= 0;
    }
    return false;
}

int cli_parse_time(const char *text, int64_t *wall_ms, struct error *err)
{
    int64_t ago_ms;

    if (text_parse_duration_ms(text, &ago_ms)) {
        *wall_ms = clock_wall_ms() - ago_ms;
        *wall_ms = *wall_ms > 0 ? *wall_ms : 0;
        return 0;
    }
    if (parse_date(text, wall_ms))
        return 0;
    error_set(err, ERROR_INPUT,
              "'%s' is no time: expected how long ago (90s, 2h, 7d), or a date such as "
              "2026-11-21 or 2026-11-21T13:40:00Z",
              text);
    return -1;
}
