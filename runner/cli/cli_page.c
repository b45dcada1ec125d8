/* SPDX-License-Identifier: MIT */
#include "cli/cli_page.h"

#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "host/history_read.h"

#include <stdio.h>
#include <string.h>

enum { LIMIT = 50 };

struct cli_page cli_page_first(void)
{
    return (struct cli_page){.limit = LIMIT};
}

static int parse_limit(const char *verb, const char *text, int *limit)
{
    int64_t value;

    if (!text_parse_int(text, &value) || value < 1 || value > HISTORY_PAGE_MAX)
        return cli_usage(verb, "--limit %s: expected 1 to %d", text, HISTORY_PAGE_MAX);
    *limit = (int)value;
    return 0;
}

int cli_page_option(const char *verb, struct cli_page *page, int argc, char **argv,
                    int *i)
{
    struct error err = {0};
    const char *value;

    if (strcmp(argv[*i], "--json") == 0) {
        page->json = true;
        return 0;
    }
    if ((value = cli_option(argc, argv, i, "--after")) != NULL) {
        page->after = value;
        return 0;
    }
    if ((value = cli_option(argc, argv, i, "--limit")) != NULL)
        return parse_limit(verb, value, &page->limit);
    if ((value = cli_option(argc, argv, i, "--since")) != NULL)
        return cli_parse_time(value, &page->since_ms, &err) == 0 ? 0 : cli_fail(&err);
    return cmd_unknown_option(verb, argv[*i]);
}

void cli_page_more(const char *cursor)
{
    if (*cursor)
        (void)fprintf(stderr, "dagrun: there are more: --after %s shows them\n",
                      cursor);
}
