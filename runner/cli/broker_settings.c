/* SPDX-License-Identifier: MIT */
#include "cli/broker_settings.h"

#include "base/text.h"
#include "cli/cli.h"
#include "core/dag_yaml.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 64 << 10, NAME_MAX_LEN = 64 };

/* Puts a value into place; false: it is not one. */
typedef bool value_fn(struct broker_settings *settings, void *place, const char *text);

static bool set_listen(struct broker_settings *settings, void *place, const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    int64_t port;

    (void)place;
    if (colon == NULL || colon == text || !text_parse_int(colon + 1, &port) || port < 0 ||
        port > 65535)
        return false;
    if (len > 2 && text[0] == '[' && text[len - 1] == ']') { /* [::1]:19092 */
        text++;
        len -= 2;
    }
    settings->ledger.host = mem_arena_strndup(&settings->arena, text, len);
    settings->ledger.port = (int)port;
    return true;
}

static bool set_advertised(struct broker_settings *settings, void *place, const char *text)
{
    struct ledger_settings *ledger = &settings->ledger;
    struct ledger_settings own = *ledger;

    (void)place;
    if (!set_listen(settings, NULL, text) || ledger->port == 0)
        return false;
    own.advertised_host = ledger->host;
    own.advertised_port = ledger->port;
    *ledger = own;
    return true;
}

static bool set_path(struct broker_settings *settings, void *place, const char *text)
{
    if (*text != '/')
        return false;
    *(const char **)place = mem_arena_strdup(&settings->arena, text);
    return true;
}

static bool set_bool(struct broker_settings *settings, void *place, const char *text)
{
    (void)settings;
    *(bool *)place = strcmp(text, "true") == 0;
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static bool set_count(struct broker_settings *settings, void *place, const char *text)
{
    int64_t value;

    (void)settings;
    if (!text_parse_int(text, &value) || value < 1 || value > 100000)
        return false;
    *(int *)place = (int)value;
    return true;
}

static bool set_duration(struct broker_settings *settings, void *place, const char *text)
{
    (void)settings;
    if (strcmp(text, "0") == 0)
        *(int64_t *)place = 0;
    else if (!text_parse_duration_ms(text, place))
        return false;
    return true;
}

static bool set_retention(struct broker_settings *settings, void *place, const char *text)
{
    if (strcmp(text, "forever") == 0)
        *(int64_t *)place = -1;
    else if (!set_duration(settings, place, text))
        return false;
    return true;
}

static bool set_size(struct broker_settings *settings, void *place, const char *text)
{
    (void)settings;
    return text_parse_bytes(text, place) && *(int64_t *)place >= 1 << 20;
}

static bool set_total(struct broker_settings *settings, void *place, const char *text)
{
    if (strcmp(text, "unlimited") == 0)
        *(int64_t *)place = -1;
    else if (!set_size(settings, place, text))
        return false;
    return true;
}

static bool set_fsync(struct broker_settings *settings, void *place, const char *text)
{
    (void)settings;
    *(enum ledger_fsync *)place =
        strcmp(text, "always") == 0 ? LEDGER_FSYNC_ALWAYS : LEDGER_FSYNC_INTERVAL;
    return strcmp(text, "always") == 0 || strcmp(text, "interval") == 0;
}

#define AT(member) offsetof(struct broker_settings, ledger.member)

static const struct setting {
    const char *name; /* as a file has it */
    const char *takes;
    value_fn *set;
    size_t at;
} table[] = {
    {"listen", "HOST:PORT (port 0: chosen)", set_listen, 0},
    {"advertise", "HOST:PORT", set_advertised, 0},
    {"data", "an absolute path", set_path, AT(data_dir)},
    {"auto_create_topics", "true or false", set_bool, AT(auto_create_topics)},
    {"partitions", "1 to 100000", set_count, AT(default_partitions)},
    {"rebalance_delay", "a duration such as 3s, or 0", set_duration,
     AT(group_initial_rebalance_delay_ms)},
    {"retention", "a duration such as 7d, or forever", set_retention, AT(retention_ms)},
    {"retention_bytes", "a size such as 1GiB, or unlimited", set_total,
     AT(retention_bytes)},
    {"segment_bytes", "a size from 1MiB on", set_size, AT(segment_bytes)},
    {"fsync", "interval or always", set_fsync, AT(fsync)},
    {"fsync_interval", "a duration such as 1s", set_duration, AT(fsync_interval_ms)},
    {"idle_stop", "a duration such as 10m, or 0 for never", set_duration,
     AT(idle_stop_ms)},
    {"max_connections", "1 to 100000", set_count, AT(max_connections)},
};
enum { SETTINGS = sizeof table / sizeof *table };

void broker_settings_default(struct broker_settings *settings, const char *data_dir)
{
    ledger_settings_default(&settings->ledger);
    settings->ledger.data_dir = mem_arena_strdup(&settings->arena, data_dir);
}

void broker_settings_clear(struct broker_settings *settings)
{
    mem_arena_clear(&settings->arena);
    *settings = (struct broker_settings){0};
}

static const struct setting *find(const char *name)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

static bool put(struct broker_settings *settings, const struct setting *setting,
                const char *text)
{
    return setting->set(settings, (char *)settings + setting->at, text);
}

/* ------------------------------------------------------------------------------ a file */

static void read_item(struct broker_settings *settings, const struct dag_item *item,
                      struct diag_list *diags)
{
    const char *names[SETTINGS + 1] = {0};
    const char *name = item->key->text;
    const struct setting *setting = find(name);
    const struct dag_pos pos = item->value->pos;
    const char *near;

    if (setting == NULL) {
        for (size_t i = 0; i < SETTINGS; i++)
            names[i] = table[i].name;
        near = text_nearest(name, names, SETTINGS);
        diag_add(diags, item->key->pos.line, item->key->pos.column,
                 near ? "unknown setting '%s'; did you mean '%s'?" : "unknown setting '%s'",
                 name, near);
    } else if (item->value->kind != DAG_SCALAR || !put(settings, setting, item->value->text)) {
        diag_add(diags, pos.line, pos.column, "%s: expected %s", name, setting->takes);
    }
}

static const char *find_variable(void *arg, const char *name)
{
    (void)arg;
    return getenv(name);
}

static char *no_file(void *arg, const char *path, struct error *err)
{
    (void)arg;
    error_set(err, ERROR_INPUT, "%s: not in the settings of a broker", path);
    return NULL;
}

static void read_text(struct broker_settings *settings, const char *text, size_t len,
                      struct diag_list *diags)
{
    static const struct dag_source source = {.find = find_variable, .read_file = no_file};
    struct dag_subst subst = {
        .source = &source, .dir = "", .arena = &settings->arena, .diags = diags};
    const struct dag_value *root =
        dag_yaml_parse(text, len, &settings->arena, &subst, diags);

    if (root == NULL || dag_value_is_null(root))
        return;
    if (root->kind != DAG_MAP) {
        diag_add(diags, root->pos.line, root->pos.column,
                 "expected a map of settings, such as 'fsync: always'");
        return;
    }
    for (const struct dag_item *item = root->items; item; item = item->next)
        read_item(settings, item, diags);
}

int broker_settings_read(struct broker_settings *settings, const char *path,
                         struct error *err)
{
    struct diag_list diags = {0};
    FILE *file = fopen(path, "re");
    char *text;
    size_t len;

    if (file == NULL) {
        if (errno != ENOENT)
            error_set(err, ERROR_INPUT, "%s: %s", path, strerror(errno));
        return error_is_set(err) ? -1 : 0;
    }
    text = mem_alloc(FILE_MAX + 1);
    len = fread(text, 1, FILE_MAX + 1, file);
    if (ferror(file))
        error_set(err, ERROR_INPUT, "%s: %s", path, strerror(errno)); /* a folder, say */
    else if (len > FILE_MAX)
        error_set(err, ERROR_INPUT, "%s: larger than 64 KiB: no settings file", path);
    else if (len > 0)
        read_text(settings, text, len, &diags);
    (void)fclose(file);
    free(text);
    if (diags.count > 0) {
        char *all = diag_text(&diags, path);

        error_set(err, ERROR_INPUT, "%.*s", (int)(strlen(all) - 1), all);
        free(all);
    }
    diag_clear(&diags);
    return error_is_set(err) ? -1 : 0;
}

/* --------------------------------------------------------------------------- an option */

/* "--retention-bytes" for "retention_bytes". */
static void option_name(const struct setting *setting, char text[NAME_MAX_LEN])
{
    (void)snprintf(text, NAME_MAX_LEN, "--%s", setting->name);
    for (char *c = text; *c; c++) {
        if (*c == '_')
            *c = '-';
    }
}

int broker_settings_option(struct broker_settings *settings, int argc, char **argv, int *i,
                           struct error *err)
{
    for (size_t n = 0; n < SETTINGS; n++) {
        char name[NAME_MAX_LEN];
        const char *value;

        option_name(&table[n], name);
        value = cli_option(argc, argv, i, name);
        if (value == NULL && strcmp(argv[*i], name) != 0)
            continue;
        if (value == NULL) {
            error_set(err, ERROR_INPUT, "%s: expected %s", name, table[n].takes);
            return -1;
        }
        if (put(settings, &table[n], value))
            return 1;
        error_set(err, ERROR_INPUT, "%s %s: expected %s", name, value, table[n].takes);
        return -1;
    }
    return 0;
}
