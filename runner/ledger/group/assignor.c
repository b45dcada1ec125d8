/* SPDX-License-Identifier: MIT */
#include "ledger/group/assignor.h"

#include <string.h>

static const struct {
    const char *name;
    assignor_fn *fn;
} assignors[] = {
    {"uniform", assignor_uniform},
    {"range", assignor_range},
};

assignor_fn *assignor_find(const char *name)
{
    for (size_t i = 0; i < sizeof(assignors) / sizeof(*assignors); i++)
        if (strcmp(assignors[i].name, name) == 0)
            return assignors[i].fn;
    return NULL;
}

const char *assignor_default(void)
{
    return assignors[0].name;
}
