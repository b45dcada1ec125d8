/* SPDX-License-Identifier: MIT
 *
 * Options of the command line that several commands take.
 */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/embedded.h"
#include "core/dag_read.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *cli_option(int argc, char **argv, int *i, const char *name)
{
    size_t len = strlen(name);

    if (strncmp(argv[*i], name, len) != 0)
        return NULL;
    if (argv[*i][len] == '=')
        return argv[*i] + len + 1;
    if (argv[*i][len] != '\0' || *i + 1 >= argc)
        return NULL;
    return argv[++*i];
}

void cli_params_clear(struct cli_params *params)
{
    free(params->items);
    *params = (struct cli_params){0};
}

static size_t name_length(const char *text)
{
    size_t len = 0;

    if (isdigit((unsigned char)*text))
        return 0;
    while (isalnum((unsigned char)text[len]) || text[len] == '_')
        len++;
    return text[len] == '=' ? len : 0;
}

int cli_params_add(struct cli_params *params, const char *text, struct error *err)
{
    size_t len = name_length(text);

    if (len == 0) {
        error_set(err, ERROR_INPUT, "--param %s: expected NAME=VALUE", text);
        return -1;
    }
    if (cli_params_find(params, text, len)) {
        error_set(err, ERROR_INPUT, "--param %.*s is given twice", (int)len, text);
        return -1;
    }
    params->items = mem_grow(params->items, params->count, &params->capacity,
                             sizeof *params->items);
    params->items[params->count++] = text;
    return 0;
}

const char *cli_params_find(const struct cli_params *params, const char *name,
                            size_t len)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strncmp(params->items[i], name, len) == 0 && params->items[i][len] == '=')
            return params->items[i] + len + 1;
    }
    return NULL;
}

int cli_check_brokers(const char *name, const char *where, struct error *err)
{
    if (strcmp(name, EMBEDDED_NAME) == 0 || dag_read_is_brokers(name))
        return 0;
    error_set(err, ERROR_INPUT,
              "%s: '%s' is no broker: expected HOST:PORT, several with commas between "
              "them, or " EMBEDDED_NAME,
              where, name);
    return -1;
}

const char *cli_brokers(const struct dag *dag, const char *option, const char **why,
                        struct error *err)
{
    const char *environment = getenv("DAGRUN_BROKERS");

    *why = "--brokers";
    if (option)
        return cli_check_brokers(option, *why, err) == 0 ? option : NULL;
    *why = "kafka.brokers in the YAML";
    if (dag->brokers)
        return dag->brokers;
    *why = "DAGRUN_BROKERS";
    if (environment && *environment)
        return cli_check_brokers(environment, *why, err) == 0 ? environment : NULL;
    *why = "none is named by --brokers, in the YAML or by DAGRUN_BROKERS";
    return EMBEDDED_NAME;
}
