/* SPDX-License-Identifier: MIT */
#include "cli/web_args.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

void web_args_take(struct web_args *args, char *word)
{
    if (args->count == WEB_ARGS_MAX)
        abort();
    args->items[args->count++] = word;
}

void web_args_add(struct web_args *args, const char *word)
{
    web_args_take(args, mem_strdup(word));
}

void web_args_option(struct web_args *args, const char *name, const char *value)
{
    if (value)
        web_args_take(args, mem_printf("--%s=%s", name, value));
}

void web_args_number(struct web_args *args, const char *name, int64_t value)
{
    web_args_take(args, mem_printf("--%s=%" PRId64, name, value));
}

void web_args_flag(struct web_args *args, const char *name, bool set)
{
    if (set)
        web_args_take(args, mem_printf("--%s", name));
}

void web_args_clear(struct web_args *args)
{
    for (size_t i = 0; i < args->count; i++)
        free(args->items[i]);
    *args = (struct web_args){0};
}
