/* SPDX-License-Identifier: MIT */
#include "cli/cli_broker.h"

#include "base/mem.h"
#include "cli/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The dag as its file is now; NULL when that can't tell. */
static struct dag *read_yaml(const struct history_last *last, const char *name,
                             const struct cli_params *params)
{
    struct diag_list diags = {0};
    struct error err = {0};
    struct dag *dag = last->path ? cli_read_dag(last->path, params, false, &diags, &err)
                                 : NULL;

    if (dag == NULL && last->path)
        (void)fprintf(stderr,
                      "dagrun: %s can't be read (%s): going on without its kafka "
                      "properties\n",
                      last->path,
                      diags.count      ? diags.items[0].text
                      : err.text[0] ? err.text
                                    : "it has errors");
    diag_clear(&diags);
    if (dag && strcmp(dag->name, name) != 0) {
        dag_free(dag);
        return NULL;
    }
    return dag;
}

static void set_properties(struct cli_broker *out)
{
    const struct dag_settings *kafka = &out->dag->kafka;

    out->properties = mem_alloc((kafka->count * 2 + 1) * sizeof *out->properties);
    for (size_t i = 0; i < kafka->count; i++) {
        out->properties[i * 2] = kafka->items[i].name;
        out->properties[i * 2 + 1] = kafka->items[i].value;
    }
    out->config.properties = out->properties;
}

int cli_broker_find(const struct history_last *last, const char *dag, const char *option,
                    const struct cli_params *params, struct cli_broker *out,
                    struct error *err)
{
    const char *environment = getenv("DAGRUN_BROKERS");
    const char *name = EMBEDDED_NAME;
    const char *where = "DAGRUN_BROKERS";
    char *home = cli_home(false, err);

    out->dag = read_yaml(last, dag, params);
    if (option) {
        name = option;
        where = "--brokers";
    } else if (last->broker) {
        name = last->broker;
        where = "the last run";
    } else if (environment && *environment)
        name = environment;
    if (home && cli_check_brokers(name, where, err) == 0)
        out->address = embedded_resolve(home, name, err);
    free(home);
    if (out->address == NULL)
        return -1;
    out->config.brokers = out->address;
    if (out->dag)
        set_properties(out);
    return 0;
}

void cli_broker_clear(struct cli_broker *broker)
{
    free(broker->address);
    free(broker->properties);
    dag_free(broker->dag);
    *broker = (struct cli_broker){0};
}
