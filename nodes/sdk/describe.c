/* SPDX-License-Identifier: MIT */
#include "sdk/describe.h"

#include "sdk/options.h"
#include "sdk/quote.h"

static void append_member(struct text_buf *buf, const char *name, const char *text)
{
    text_appendf(buf, "\"%s\":", name);
    quote_text(buf, text);
}

const char *describe_kind(const struct dagnode_ops *ops)
{
    if (ops->on_poll)
        return "source";
    return ops->sink ? "sink" : "transform";
}

static void append_option(struct text_buf *buf, const struct dagnode_option *option)
{
    text_append(buf, "{");
    append_member(buf, "name", option->name);
    text_append(buf, ",");
    append_member(buf, "type", options_type_name(option->type));
    text_append(buf, ",");
    append_member(buf, "default", option->fallback);
    text_appendf(buf, ",\"required\":%s,", option->required ? "true" : "false");
    append_member(buf, "doc", option->doc ? option->doc : "");
    text_append(buf, "}");
}

void describe_json(struct text_buf *buf, const struct dagnode_ops *ops)
{
    text_appendf(buf, "{\"abi\":%d,", ops->abi);
    append_member(buf, "name", ops->name);
    text_append(buf, ",");
    append_member(buf, "kind", describe_kind(ops));
    text_append(buf, ",");
    append_member(buf, "doc", ops->doc ? ops->doc : "");
    text_append(buf, ",\"args\":{");
    append_member(buf, "usage", ops->args_usage ? ops->args_usage : "");
    text_appendf(buf, ",\"min\":%d,\"max\":%d},\"options\":[", ops->args_min,
                 ops->args_max);
    for (size_t i = 0; ops->options && ops->options[i].name; i++) {
        if (i > 0)
            text_append(buf, ",");
        append_option(buf, &ops->options[i]);
    }
    text_appendf(buf, "],\"any_option\":%s}", ops->any_option ? "true" : "false");
}

int describe_check(const struct dagnode_ops *ops, struct error *err)
{
    if (ops->abi != DAGNODE_ABI) {
        error_set(err, ERROR_INPUT,
                  "the program was built for dagnode ABI %d, this libdagnode has %d: "
                  "build it again",
                  ops->abi, DAGNODE_ABI);
        return -1;
    }
    if (ops->name == NULL || ops->name[0] == '\0') {
        error_set(err, ERROR_INPUT, "the program's table has no name");
        return -1;
    }
    if ((ops->on_poll != NULL) == (ops->on_record != NULL)) {
        error_set(err, ERROR_INPUT,
                  "%s: the program's table needs exactly one of on_record and on_poll",
                  ops->name);
        return -1;
    }
    return 0;
}
