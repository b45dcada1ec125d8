/* SPDX-License-Identifier: MIT
 *
 * config.h - what the runner says: the "config" line and the short ones after it.
 * Layer: sdk (pure). config.c is the SDK's only owner of yyjson.
 */
#ifndef SDK_CONFIG_H
#define SDK_CONFIG_H

#include "base/error.h"
#include "base/mem.h"
#include "sdk/options.h"
#include "sdk/window.h"

struct config_property {
    const char *name;
    const char *value;
};

struct config_output {
    const char *topic;
    int64_t max_record; /* the topic's max.message.bytes; 0: unknown */
};

/* base/contract.h explains the members. All text lives in the arena. */
struct config {
    struct mem_arena arena;
    const char *dag;
    const char *node;
    const char *client;
    const char *client_id;
    const char *instance; /* group.instance.id: the client id if nothing else is said */
    const char *dir;
    const char *group;
    const char *dlq;
    const char *parking;
    const char *checkpoint_group; /* NULL: no checkpoint */
    const char *checkpoint_topic;
    int64_t run;
    int64_t attempt;
    int64_t max_record;
    int64_t commit_ms;
    int64_t position;
    bool has_position;
    bool source;
    bool send;
    bool keep;
    struct values with;
    const struct config_property *properties;
    size_t property_count;
    const char *const *inputs; /* topics */
    size_t input_count;
    const struct config_output *outputs;
    size_t output_count;
};

/* Read the line. -1 and err when it is no config or a member is missing. */
int config_parse(struct config *config, const char *line, size_t len, struct error *err);
void config_clear(struct config *config);

enum config_command {
    CONFIG_UNKNOWN,
    CONFIG_PAUSE,
    CONFIG_RESUME,
    CONFIG_REPORT,
    CONFIG_DRAIN,
    CONFIG_LEAVE, /* drain with "leave": true */
};

enum config_command config_parse_command(const char *line, size_t len);

/* A value as "--with K=V" has it: JSON when V is a JSON scalar, else V as a string. */
struct value config_value(const char *name, const char *text);

/* Read CONTRACT_COUNTS from commit metadata; zeros when somebody else wrote it. */
struct window_totals config_parse_totals(const char *metadata, size_t len);

/* CONTRACT_CHECKPOINT; false when the metadata is none. */
struct checkpoint {
    int64_t run;
    int64_t position;
    int64_t out;
};
bool config_parse_checkpoint(const char *metadata, size_t len, struct checkpoint *out);

#endif
