/* SPDX-License-Identifier: MIT
 *
 * config_check.c - which values Apache Kafka accepts, and its words about the others.
 */
#include "ledger/topic/config.h"

#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void refuse(struct text_buf *message, const struct config_key *key,
                   const char *value, const char *why)
{
    text_appendf(message, "Invalid value %s for configuration %s: %s", value, key->name,
                 why);
}

/* Spaces around a value do not count, except for plain text. */
static char *trimmed(const char *value)
{
    size_t len;

    while (isspace((unsigned char)*value))
        value++;
    len = strlen(value);
    while (len > 0 && isspace((unsigned char)value[len - 1]))
        len--;
    return mem_strndup(value, len);
}

/* Call fn for every element of "a , b,c"; false as soon as one call says so. */
typedef bool element_fn(void *arg, const char *element);

static bool each_element(const char *list, element_fn *fn, void *arg)
{
    bool more = *list != '\0';
    bool result = true;

    while (more && result) {
        size_t len = strcspn(list, ",");
        char *raw = mem_strndup(list, len);
        char *element = trimmed(raw);
        result = fn(arg, element);
        free(element);
        free(raw);
        more = list[len] == ',';
        list += len + 1;
    }
    return result;
}

static bool join_element(void *arg, const char *element)
{
    struct text_buf *out = arg;

    text_append(out, out->len > 0 ? "," : "");
    text_append(out, element);
    return true;
}

static bool differs(void *arg, const char *element)
{
    return strcmp(arg, element) != 0;
}

/* valid: "a, b, c". The value is one of them. */
static bool is_valid(const char *valid, const char *value)
{
    char *copy = mem_strdup(value);
    bool found = !each_element(valid, differs, copy);

    free(copy);
    return found;
}

struct list_check {
    const struct config_key *key;
    struct text_buf *message;
};

static bool element_is_valid(void *arg, const char *element)
{
    struct list_check *check = arg;

    if (check->key->valid == NULL || is_valid(check->key->valid, element))
        return true;
    text_appendf(check->message,
                 "Invalid value %s for configuration %s: String must be one of: %s",
                 element, check->key->name, check->key->valid);
    return false;
}

static bool check_range(const struct config_key *key, const char *value, double number,
                        struct text_buf *message)
{
    char why[64];

    if (key->has_min && number < key->min) {
        snprintf(why, sizeof(why), "Value must be at least %.0f", key->min);
        refuse(message, key, value, why);
        return false;
    }
    if (key->has_max && number > key->max) {
        snprintf(why, sizeof(why), "Value must be no more than %.0f", key->max);
        refuse(message, key, value, why);
        return false;
    }
    return true;
}

static bool check_integer(const struct config_key *key, const char *value,
                          struct text_buf *message)
{
    static const struct {
        const char *name;
        int64_t min, max;
    } types[] = {
        [CONFIG_INT] = {"INT", INT32_MIN, INT32_MAX},
        [CONFIG_SHORT] = {"SHORT", INT16_MIN, INT16_MAX},
        [CONFIG_LONG] = {"LONG", INT64_MIN, INT64_MAX},
    };
    char why[64];
    char *end;
    long long number;

    errno = 0;
    number = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || number < types[key->type].min ||
        number > types[key->type].max) {
        snprintf(why, sizeof(why), "Not a number of type %s", types[key->type].name);
        refuse(message, key, value, why);
        return false;
    }
    return check_range(key, value, (double)number, message);
}

static bool check_double(const struct config_key *key, const char *value,
                         struct text_buf *message)
{
    char *end;
    char shown[64];
    double number = strtod(value, &end);

    if (end == value || *end != '\0' || isnan(number)) {
        refuse(message, key, value, "Not a number of type DOUBLE");
        return false;
    }
    /* A whole number is named in Java's form: 2.0, not 2. */
    snprintf(shown, sizeof(shown), "%.15g", number);
    if (strpbrk(shown, ".e") == NULL)
        snprintf(shown, sizeof(shown), "%.1f", number);
    return check_range(key, shown, number, message);
}

/* Check a value by its type; *value is replaced by Kafka's form of it. */
static bool check_type(const struct config_key *key, char **value,
                       struct text_buf *message)
{
    struct list_check list = {key, message};
    struct text_buf joined = {0};

    switch (key->type) {
    case CONFIG_INT:
    case CONFIG_SHORT:
    case CONFIG_LONG:
        return check_integer(key, *value, message);
    case CONFIG_DOUBLE:
        return check_double(key, *value, message);
    case CONFIG_BOOLEAN:
        if (strcasecmp(*value, "true") == 0 || strcasecmp(*value, "false") == 0) {
            for (char *at = *value; *at != '\0'; at++)
                *at = (char)tolower((unsigned char)*at);
            return true;
        }
        refuse(message, key, *value, "Expected value to be either true or false");
        return false;
    case CONFIG_LIST:
        if (!each_element(*value, element_is_valid, &list))
            return false;
        each_element(*value, join_element, &joined);
        free(*value);
        *value = mem_strdup(text_str(&joined));
        text_buf_clear(&joined);
        return true;
    default:
        return element_is_valid(&list, *value);
    }
}

static bool is_throttled_replica(void *arg, const char *element)
{
    size_t partition = strspn(element, "0123456789");
    size_t broker;

    (void)arg;
    if (*element == '\0')
        return true;
    if (partition == 0 || element[partition] != ':')
        return false;
    broker = strspn(element + partition + 1, "0123456789");
    return broker > 0 && element[partition + 1 + broker] == '\0';
}

static bool check_throttled(const struct config_key *key, const char *value,
                            struct text_buf *message)
{
    if (strcmp(value, "*") == 0 || each_element(value, is_throttled_replica, NULL))
        return true;
    text_append(message, "Invalid value [");
    for (const char *at = value; *at != '\0'; at++)
        text_appendf(message, "%c%s", *at, *at == ',' ? " " : "");
    text_appendf(
        message,
        "] for configuration %s: %s must be the literal '*' or a list of replicas in "
        "the following format: "
        "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
        key->name, key->name);
    return false;
}

/* Bounds of group configs: a broker key of ours, or Kafka's default of one that we
 * lack. */
static const struct {
    const char *name;
    const char *min_name;
    int64_t min;
    const char *max_name;
    int64_t max;
} GROUP_BOUNDS[] = {
    {"consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms", 5000,
     "group.consumer.max.heartbeat.interval.ms", 15000},
    {"consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms", 45000,
     "group.consumer.max.session.timeout.ms", 60000},
    {"share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms", 5000,
     "group.share.max.heartbeat.interval.ms", 15000},
    {"share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms", 15000,
     "group.share.max.record.lock.duration.ms", 60000},
    {"share.session.timeout.ms", "group.share.min.session.timeout.ms", 45000,
     "group.share.max.session.timeout.ms", 60000},
    {"streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms", 5000,
     "group.streams.max.heartbeat.interval.ms", 15000},
    {"streams.num.standby.replicas", NULL, 0, "group.streams.max.standby.replicas", 2},
    {"streams.session.timeout.ms", "group.streams.min.session.timeout.ms", 45000,
     "group.streams.max.session.timeout.ms", 60000},
};

static int64_t bound(const char *name, int64_t fallback,
                     const struct config_broker *broker)
{
    char buffer[CONFIG_NUMBER];
    const char *text = config_text(CONFIG_BROKER, name, NULL, broker, buffer);

    return text != NULL ? strtoll(text, NULL, 10) : fallback;
}

static bool check_group_bounds(const struct config_key *key, const char *value,
                               const struct config_broker *broker,
                               struct text_buf *message)
{
    int64_t number = strtoll(value, NULL, 10);

    for (size_t i = 0; i < sizeof(GROUP_BOUNDS) / sizeof(*GROUP_BOUNDS); i++) {
        const char *min = GROUP_BOUNDS[i].min_name;
        const char *max = GROUP_BOUNDS[i].max_name;
        if (strcmp(key->name, GROUP_BOUNDS[i].name) != 0)
            continue;
        if (min != NULL && number < bound(min, GROUP_BOUNDS[i].min, broker)) {
            text_appendf(message, "%s must be greater than or equal to %s", key->name,
                         min);
            return false;
        }
        if (number > bound(max, GROUP_BOUNDS[i].max, broker)) {
            text_appendf(message, "%s must be less than or equal to %s", key->name,
                         max);
            return false;
        }
    }
    return true;
}

static bool check_share_reset(const struct config_key *key, const char *value,
                              struct text_buf *message)
{
    static const char duration[] = "by_duration:P";

    if (strcmp(value, "earliest") == 0 || strcmp(value, "latest") == 0 ||
        (strncmp(value, duration, sizeof(duration) - 1) == 0 &&
         value[sizeof(duration) - 1] != '\0'))
        return true;
    text_appendf(
        message,
        "Invalid value %s for configuration %s: Invalid value `%s` for configuration "
        "%s. The value must be either 'earliest', 'latest' or of the format "
        "'by_duration:<PnDTnHnMn.nS>'.",
        value, key->name, value, key->name);
    return false;
}

static bool check_broker_time(const struct config_key *key, const char *value,
                              struct text_buf *message)
{
    int64_t number = strtoll(value, NULL, 10);

    if (strcmp(key->name, "log.retention.ms") == 0 && (number == 0 || number < -1))
        text_append(message,
                    "requirement failed: log.retention.ms must be unlimited (-1) or, "
                    "greater than or equal to 1");
    else if (strcmp(key->name, "log.roll.ms") == 0 && number < 1)
        text_append(message,
                    "requirement failed: log.roll.ms must be greater than or equal "
                    "to 1");
    else if (strcmp(key->name, "log.roll.jitter.ms") == 0 && number < 0)
        text_append(message,
                    "requirement failed: log.roll.jitter.ms must be greater than or "
                    "equal to 0");
    else
        return true;
    return false;
}

static bool check_gzip_level(const struct config_key *key, const char *value,
                             struct text_buf *message)
{
    int64_t number = strtoll(value, NULL, 10);

    if (number == -1 || (number >= 1 && number <= 9))
        return true;
    refuse(message, key, value, "Value must be between 1 and 9 or equal to -1");
    return false;
}

/* The rules that only some keys have. */
static bool check_custom(enum config_resource resource, const struct config_key *key,
                         const char *value, const struct config_broker *broker,
                         struct text_buf *message)
{
    if (strcmp(key->name, "compression.gzip.level") == 0)
        return check_gzip_level(key, value, message);
    if (strcmp(key->name, "share.auto.offset.reset") == 0)
        return check_share_reset(key, value, message);
    if (resource == CONFIG_GROUP)
        return check_group_bounds(key, value, broker, message);
    if (resource == CONFIG_BROKER)
        return check_broker_time(key, value, message);
    if (key->type == CONFIG_LIST)
        return check_throttled(key, value, message);
    if (strcmp(key->name, "remote.storage.enable") == 0 && strcmp(value, "true") == 0) {
        text_append(message,
                    "Tiered Storage functionality is disabled in the broker. Topic "
                    "cannot be configured with remote log storage.");
        return false;
    }
    return true;
}

/* Names that nobody can set here. */
static bool check_names(enum config_resource resource, const struct config_set *set,
                        struct text_buf *message)
{
    struct text_buf refused = {0};

    for (size_t i = 0; i < set->count; i++) {
        const char *name = set->entries[i].name;
        const struct config_key *key = config_find(resource, name);
        if (resource == CONFIG_BROKER && (key == NULL || !key->dynamic)) {
            text_appendf(&refused, "%s%s", refused.len > 0 ? ", " : "", name);
        } else if (key == NULL) {
            text_appendf(message, "Unknown %s config name: %s",
                         resource == CONFIG_GROUP ? "group" : "topic", name);
            return false;
        }
    }
    if (refused.len > 0)
        text_appendf(message, "Cannot update these configs dynamically: Set(%s)",
                     text_str(&refused));
    text_buf_clear(&refused);
    return message->len == 0;
}

static bool check_entry(enum config_resource resource, struct config_entry *entry,
                        const struct config_broker *broker, struct text_buf *message)
{
    const struct config_key *key = config_find(resource, entry->name);

    if (key->type != CONFIG_STRING) {
        char *value = trimmed(entry->value);
        free(entry->value);
        entry->value = value;
    }
    return check_type(key, &entry->value, message) &&
           (!key->custom || check_custom(resource, key, entry->value, broker, message));
}

static bool check_compaction_lags(const struct config_set *set,
                                  const struct config_broker *broker,
                                  struct text_buf *message)
{
    int64_t min = config_number(CONFIG_TOPIC, "min.compaction.lag.ms", set, broker);
    int64_t max = config_number(CONFIG_TOPIC, "max.compaction.lag.ms", set, broker);

    if (min <= max)
        return true;
    text_appendf(message,
                 "conflict topic config setting min.compaction.lag.ms (%lld) > "
                 "max.compaction.lag.ms (%lld)",
                 (long long)min, (long long)max);
    return false;
}

enum kafka_error config_check(enum config_resource resource, struct config_set *set,
                              const struct config_broker *broker,
                              struct text_buf *message)
{
    bool right = check_names(resource, set, message);

    for (size_t i = 0; right && i < set->count; i++)
        right = check_entry(resource, &set->entries[i], broker, message);
    if (right && resource == CONFIG_TOPIC)
        right = check_compaction_lags(set, broker, message);
    if (right)
        return KAFKA_NONE;
    return resource == CONFIG_BROKER ? KAFKA_INVALID_REQUEST : KAFKA_INVALID_CONFIG;
}

/* The list in force, with the elements of value added or taken away. */
struct list_change {
    struct text_buf result;
    const char *other; /* elements in this list are left out */
};

static bool join_missing(void *arg, const char *element)
{
    struct list_change *change = arg;

    if (!is_valid(change->other, element))
        join_element(&change->result, element);
    return true;
}

static void change_list(struct config_set *set, const char *name, const char *now,
                        enum config_operation operation, const char *value)
{
    struct list_change change = {0};

    if (operation == CONFIG_APPEND) {
        each_element(now, join_element, &change.result);
        change.other = now;
        each_element(value, join_missing, &change);
    } else {
        change.other = value;
        each_element(now, join_missing, &change);
    }
    config_put(set, name, text_str(&change.result));
    text_buf_clear(&change.result);
}

enum kafka_error config_alter(enum config_resource resource, struct config_set *set,
                              const struct config_broker *broker, const char *name,
                              enum config_operation operation, const char *value,
                              struct text_buf *message)
{
    const struct config_key *key = config_find(resource, name);
    char buffer[CONFIG_NUMBER];
    const char *now;

    if (operation == CONFIG_DELETE) {
        config_remove(set, name);
        return KAFKA_NONE;
    }
    if (value == NULL) {
        text_appendf(message, "Null value not supported for : %s", name);
        return KAFKA_INVALID_REQUEST;
    }
    if (operation == CONFIG_SET) {
        config_put(set, name, value);
        return KAFKA_NONE;
    }
    if (operation != CONFIG_APPEND && operation != CONFIG_SUBTRACT)
        return KAFKA_UNKNOWN_SERVER_ERROR;
    if (key == NULL || key->type != CONFIG_LIST) {
        const char *verb = operation == CONFIG_APPEND ? "APPEND" : "SUBTRACT";
        if (resource == CONFIG_BROKER)
            text_appendf(message, "Config value %s is not allowed for config key: %s",
                         operation == CONFIG_APPEND ? "append" : "subtract", name);
        else
            text_appendf(message, "Can't %s to key %s because its type is not LIST.",
                         verb, name);
        return KAFKA_INVALID_CONFIG;
    }
    now = config_text(resource, name, set, broker, buffer);
    change_list(set, name, now != NULL ? now : "", operation, value);
    return KAFKA_NONE;
}
