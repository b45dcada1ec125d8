/* SPDX-License-Identifier: MIT */
#include "sdk/config.h"

#include "sdk/describe.h"
#include "sdk/latency.h"
#include "sdk/quote.h"
#include "support/suite.h"

#include <check.h>
#include <string.h>

static const struct dagnode_option declared[] = {
    {.name = "path", .type = DAGNODE_PATH, .required = true, .doc = "where"},
    {.name = "rate", .type = DAGNODE_NUMBER, .fallback = "1.5"},
    {.name = "count", .type = DAGNODE_INT},
    {.name = "size", .type = DAGNODE_SIZE, .fallback = "64KiB"},
    {.name = "every", .type = DAGNODE_DURATION, .fallback = "500ms"},
    {.name = "sync", .type = DAGNODE_BOOL},
    {.name = "tag", .type = DAGNODE_STRING},
    {.name = NULL}};
static const struct dagnode_ops ops = {.abi = DAGNODE_ABI,
                                       .name = "test",
                                       .options = declared,
                                       .args_usage = "FILE",
                                       .args_min = 1,
                                       .args_max = 1};

static int load(struct options *options, const char *with, struct error *err)
{
    char line[1024];
    struct config config;
    int result;

    (void)snprintf(line, sizeof line,
                   "{\"type\":\"config\",\"dag\":\"d\",\"node\":\"n\",\"client\":\"0\","
                   "\"client_id\":\"d.n.0\",\"with\":%s}",
                   with);
    ck_assert_int_eq(config_parse(&config, line, strlen(line), err), 0);
    result = options_init(options, &ops, &config.with, "/base", err);
    config_clear(&config);
    return result;
}

START_TEST(options_have_the_declared_types)
{
    struct options options;
    struct error err = {0};

    ck_assert_int_eq(load(&options,
                          "{\"path\":\"out/x\",\"count\":9007199254740993,\"size\":\"2MiB\","
                          "\"sync\":true,\"tag\":\"a\"}",
                          &err),
                     0);
    ck_assert_str_eq(options_find(&options, "path")->text, "/base/out/x");
    ck_assert_int_eq(options_find(&options, "count")->integer, 9007199254740993);
    ck_assert_int_eq(options_find(&options, "size")->integer, 2 << 20);
    ck_assert_int_eq(options_find(&options, "every")->integer, 500);
    ck_assert_double_eq(options_find(&options, "rate")->number, 1.5);
    ck_assert(options_find(&options, "sync")->boolean);
    ck_assert_str_eq(options_find(&options, "tag")->text, "a");
    ck_assert_ptr_null(options_find(&options, "other"));
    ck_assert_ptr_null(options_given(&options, "rate"));
    ck_assert_str_eq(options_given(&options, "tag")->json, "\"a\"");
    options_clear(&options);
}
END_TEST

static const struct {
    const char *with;
    const char *error;
} refused[] = {
    {"{}", "option 'path' is missing: it is required (a file name)"},
    {"{\"path\":\"\"}", "option 'path' is \"\", expected a file name"},
    {"{\"path\":\"x\",\"count\":1.5}", "option 'count' is 1.5, expected a whole number"},
    {"{\"path\":\"x\",\"count\":null}", "option 'count' is null, expected a whole number"},
    {"{\"path\":\"x\",\"sync\":1}", "option 'sync' is 1, expected true or false"},
    {"{\"path\":\"x\",\"rate\":[1]}", "option 'rate' is [1], expected a number"},
    {"{\"path\":\"x\",\"every\":5}",
     "option 'every' is 5, expected a duration such as 500ms"},
    {"{\"path\":\"x\",\"size\":\"many\"}",
     "option 'size' is \"many\", expected a size such as 64KiB"},
    {"{\"path\":\"x\",\"pth\":1}", "unknown option 'pth' (did you mean 'path'?)"},
};

START_TEST(bad_options_are_refused_in_one_line)
{
    struct options options;
    struct error err = {0};

    ck_assert_int_eq(load(&options, refused[_i].with, &err), -1);
    ck_assert_str_eq(err.text, refused[_i].error);
    options_clear(&options);
}
END_TEST

START_TEST(a_client_may_have_another_name_in_its_group)
{
    const char *line =
        "{\"type\":\"config\",\"dag\":\"d\",\"node\":\"n\",\"client\":\"0\",\"client_id\":"
        "\"d.n.0\",\"instance\":\"d.n.0.5\",\"group\":\"g\",\"inputs\":[{\"topic\":\"i\"}]}";
    struct config config;
    struct error err = {0};

    ck_assert_int_eq(config_parse(&config, line, strlen(line), &err), 0);
    ck_assert_str_eq(config.client_id, "d.n.0");
    ck_assert_str_eq(config.instance, "d.n.0.5");
    config_clear(&config);
}
END_TEST

START_TEST(the_number_of_arguments_is_checked)
{
    struct error err = {0};

    ck_assert_int_eq(options_check_args(&ops, 1, &err), 0);
    ck_assert_int_eq(options_check_args(&ops, 2, &err), -1);
    ck_assert_str_eq(err.text, "expects the arguments FILE, got 2");
}
END_TEST

START_TEST(a_config_line_is_read_completely)
{
    const char *line =
        "{\"type\":\"config\",\"dag\":\"d\",\"node\":\"n\",\"client\":\"0\",\"client_id\":"
        "\"d.n.0\",\"run\":7,\"attempt\":2,\"position\":0,\"mode\":\"send\",\"keep\":true,"
        "\"kafka\":{\"a\":\"b\"},\"group\":\"g\",\"inputs\":[{\"topic\":\"i\"}],"
        "\"outputs\":[{\"topic\":\"o\",\"max_record\":5}],\"future\":[1,{\"x\":2}],"
        "\"checkpoint\":{\"group\":\"cg\",\"topic\":\"ct\"},\"max_record\":99}";
    struct config config;
    struct error err = {0};

    ck_assert_int_eq(config_parse(&config, line, strlen(line), &err), 0);
    ck_assert_str_eq(config.instance, "d.n.0");
    ck_assert_int_eq(config.run, 7);
    ck_assert_int_eq(config.attempt, 2);
    ck_assert_int_eq(config.max_record, 99);
    ck_assert_int_eq(config.commit_ms, 200);
    ck_assert(config.has_position && config.send && config.keep && !config.source);
    ck_assert_uint_eq(config.property_count, 1);
    ck_assert_str_eq(config.properties[0].value, "b");
    ck_assert_str_eq(config.inputs[0], "i");
    ck_assert_str_eq(config.outputs[0].topic, "o");
    ck_assert_int_eq(config.outputs[0].max_record, 5);
    ck_assert_str_eq(config.checkpoint_topic, "ct");
    config_clear(&config);
}
END_TEST

static const char *const broken[] = {
    "", "{", "[]", "{\"type\":\"drain\"}", "{\"type\":\"config\"}",
    "{\"type\":\"config\",\"dag\":\"d\",\"node\":\"n\",\"client\":\"0\",\"client_id\":"
    "\"i\",\"inputs\":[{\"topic\":\"t\"}]}",
    "{\"type\":\"config\",\"dag\":\"d\",\"node\":\"n\",\"client\":\"0\",\"client_id\":"
    "\"i\",\"outputs\":[{}]}",
};

START_TEST(a_broken_config_is_refused)
{
    struct config config;
    struct error err = {0};

    ck_assert_int_eq(config_parse(&config, broken[_i], strlen(broken[_i]), &err), -1);
    ck_assert_str_ne(err.text, "");
    config_clear(&config);
}
END_TEST

START_TEST(commands_are_known_by_their_type)
{
#define COMMAND(text) config_parse_command(text, strlen(text))
    ck_assert_int_eq(COMMAND("{\"type\":\"pause\"}"), CONFIG_PAUSE);
    ck_assert_int_eq(COMMAND("{\"type\":\"resume\",\"x\":1}"), CONFIG_RESUME);
    ck_assert_int_eq(COMMAND("{\"type\":\"drain\"}"), CONFIG_DRAIN);
    ck_assert_int_eq(COMMAND("{\"type\":\"drain\",\"leave\":true}"), CONFIG_LEAVE);
    ck_assert_int_eq(COMMAND("{\"type\":\"report\"}"), CONFIG_REPORT);
    ck_assert_int_eq(COMMAND("{\"type\":\"later\"}"), CONFIG_UNKNOWN);
    ck_assert_int_eq(COMMAND("junk"), CONFIG_UNKNOWN);
}
END_TEST

START_TEST(totals_come_back_and_foreign_metadata_counts_nothing)
{
    char text[WINDOW_METADATA];
    const struct window_totals totals = {1, 2, 3, 4, 5};
    struct window_totals read;
    size_t len = window_format_totals(&totals, text);

    read = config_parse_totals(text, len);
    ck_assert_mem_eq(&read, &totals, sizeof read);
    ck_assert_int_eq(config_parse_totals("hello", 5).in, 0);
    ck_assert_int_eq(config_parse_totals("{\"in\":3}", 8).in, 0);
    ck_assert_int_eq(config_parse_totals(NULL, 0).in, 0);
}
END_TEST

START_TEST(values_of_the_command_line_are_scalars_or_text)
{
    static const struct {
        const char *text;
        enum value_kind kind;
        const char *json;
    } cases[] = {{"5", VALUE_NUMBER, "5"},
                 {"123456789012345678901234567890", VALUE_NUMBER,
                  "123456789012345678901234567890"},
                 {"true", VALUE_BOOL, "true"},
                 {"\"5\"", VALUE_STRING, "\"5\""},
                 {"a b", VALUE_STRING, "\"a b\""},
                 {"007", VALUE_STRING, "\"007\""},
                 {"[1]", VALUE_STRING, "\"[1]\""},
                 {"", VALUE_STRING, "\"\""}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values values = {0};

        values_take(&values, config_value("x", cases[i].text));
        ck_assert_int_eq(values.list[0].kind, cases[i].kind);
        ck_assert_str_eq(values.list[0].json, cases[i].json);
        values_clear(&values);
    }
}
END_TEST

START_TEST(a_description_is_one_json_object)
{
    static const struct dagnode_option options[] = {
        {.name = "a", .type = DAGNODE_SIZE, .fallback = "1KiB", .doc = "say \"x\""},
        {.name = NULL}};
    static const struct dagnode_ops table = {.abi = 1,
                                             .name = "n",
                                             .doc = "D.",
                                             .options = options,
                                             .any_option = true,
                                             .sink = true};
    struct text_buf buf = {0};

    describe_json(&buf, &table);
    ck_assert_str_eq(
        text_str(&buf),
        "{\"abi\":1,\"name\":\"n\",\"kind\":\"sink\",\"doc\":\"D.\",\"args\":{\"usage\":\"\","
        "\"min\":0,\"max\":0},\"options\":[{\"name\":\"a\",\"type\":\"size\",\"default\":"
        "\"1KiB\",\"required\":false,\"doc\":\"say \\\"x\\\"\"}],\"any_option\":true}");
    text_buf_clear(&buf);
}
END_TEST

START_TEST(text_becomes_valid_json_whatever_it_holds)
{
    static const char bytes[] = "a\"\\\n\x01\xc3\xa4\xff\xc3(\xed\xa0\x80\xf0\x9f\x98\x80";
    struct text_buf buf = {0};

    quote_bytes(&buf, bytes, sizeof bytes - 1);
    ck_assert_str_eq(text_str(&buf),
                     "\"a\\\"\\\\\\n\\u0001\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd("
                     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80\"");
    text_buf_clear(&buf);
}
END_TEST

START_TEST(latency_buckets_double)
{
    struct latency latency = {{0}};

    latency_add(&latency, -5);
    latency_add(&latency, 0);
    latency_add(&latency, 1);
    latency_add(&latency, 2);
    latency_add(&latency, 3);
    latency_add(&latency, 4);
    latency_add(&latency, INT64_MAX);
    ck_assert_int_eq(latency.buckets[0], 2);
    ck_assert_int_eq(latency.buckets[1], 1);
    ck_assert_int_eq(latency.buckets[2], 2);
    ck_assert_int_eq(latency.buckets[3], 1);
    ck_assert_int_eq(latency.buckets[CONTRACT_LATENCY_BUCKETS - 1], 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sdk/config");
    TCase *tcase = tcase_create("config");

    tcase_add_test(tcase, options_have_the_declared_types);
    tcase_add_loop_test(tcase, bad_options_are_refused_in_one_line, 0,
                        (int)(sizeof refused / sizeof *refused));
    tcase_add_test(tcase, the_number_of_arguments_is_checked);
    tcase_add_test(tcase, a_config_line_is_read_completely);
    tcase_add_test(tcase, a_client_may_have_another_name_in_its_group);
    tcase_add_loop_test(tcase, a_broken_config_is_refused, 0,
                        (int)(sizeof broken / sizeof *broken));
    tcase_add_test(tcase, commands_are_known_by_their_type);
    tcase_add_test(tcase, totals_come_back_and_foreign_metadata_counts_nothing);
    tcase_add_test(tcase, values_of_the_command_line_are_scalars_or_text);
    tcase_add_test(tcase, a_description_is_one_json_object);
    tcase_add_test(tcase, text_becomes_valid_json_whatever_it_holds);
    tcase_add_test(tcase, latency_buckets_double);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
