/* SPDX-License-Identifier: MIT
 *
 * cli_page.h - which page of a list a command shows, the newest first.
 * Layer: cli.
 */
#ifndef CLI_CLI_PAGE_H
#define CLI_CLI_PAGE_H

#include <stdbool.h>
#include <stdint.h>

struct cli_page {
    const char *after; /* the cursor that the last page named; NULL: the first page */
    int64_t since_ms;  /* 0: whenever */
    int limit;
    bool json;
};

/* The first page, of the size that the commands' help names. */
struct cli_page cli_page_first(void);

/*
 * Take --after, --limit, --since or --json at argv[*i], and move *i over its value. The
 * exit code after a line on stderr when it is none of them, or its value is no good.
 */
int cli_page_option(const char *verb, struct cli_page *page, int argc, char **argv,
                    int *i);

/* Say on stderr how to get the next page; "": there is none. */
void cli_page_more(const char *cursor);

#endif
