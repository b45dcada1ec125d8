/* SPDX-License-Identifier: MIT */
#include "cli/cli_audit.h"

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "ops/audit.h"

#include <stdlib.h>
#include <unistd.h>

bool cli_audit_is_parents(void)
{
    const char *text = getenv(CLI_AUDIT_PARENT);
    int64_t pid = 0;

    return text && text_parse_int(text, &pid) && pid == getppid();
}

/* A refusal makes no history where there is none. */
static bool is_worth_it(const char *home, const struct error *refused)
{
    char *path = mem_printf("%s/history.db", home);
    bool exists = access(path, F_OK) == 0;

    free(path);
    return exists || (!error_is_set(refused) && access(home, F_OK) == 0);
}

void cli_audit(const char *action, const char *dag, const char *target, json_t *detail,
               const struct error *refused)
{
    struct error err = {0};
    char *home = cli_audit_is_parents() ? NULL : cli_home(false, &err);
    char *line = detail ? json_line(detail) : NULL;
    const struct history_deed deed = {
        .action = action, .dag = dag, .target = target, .detail = line};

    if (home && is_worth_it(home, refused))
        audit_own(home, &deed, refused);
    free(line);
    json_decref(detail);
    free(home);
}

void cli_audit_at(const char *action, const struct address *address, json_t *detail,
                  const struct error *refused)
{
    char *target = mem_printf("%s%s%s%s%s", address->dag, address->node ? "/" : "",
                              address->node ? address->node : "",
                              address->client ? "." : "",
                              address->client ? address->client : "");

    cli_audit(action, address->dag, target, detail, refused);
    free(target);
}
