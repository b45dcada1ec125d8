/* SPDX-License-Identifier: MIT */
#include "cli/top_rows.h"

#include "base/mem.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char runs[] =
    "[{'dag':'b','run':2,'state':'running','nodes':["
    "{'node':'x','state':'running','want':2,'up':1,'in_per_s':100,'out_per_s':7.5,"
    "'backlog':12345,'dead':3,'restarts':1,'clients':["
    "{'client':'0','state':'running','pid':11,'cpu_percent':40.04,'rss_bytes':1048576,"
    "'in_per_s':100,'out_per_s':7.5,'lag':12000},"
    "{'client':'1','state':'backoff','pid':0,'cpu_percent':0,'rss_bytes':0,'in_per_s':0,"
    "'out_per_s':0,'lag':-1,'restarts':1}]}]},"
    "{'dag':'a','run':7,'state':'running','stale_since_ms':5,'nodes':["
    "{'node':'s\\u001b[2J','state':'running','want':1,'up':1,'in_per_s':0,'out_per_s':200,"
    "'backlog':0,'clients':["
    "{'client':'0','state':'running','pid':12,'cpu_percent':60,'rss_bytes':2097152,"
    "'in_per_s':0,'out_per_s':200,'lag':-1}]}]}]";

static json_t *parse(void)
{
    struct error err = {0};
    char *copy = mem_strdup(runs);
    json_t *value;

    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    value = json_parse(copy, strlen(copy), &err);
    ck_assert_msg(value != NULL, "%s", err.text);
    free(copy);
    return value;
}

static char *rendered(struct top_view view, struct top_size size)
{
    json_t *all = parse();
    struct lines lines = {0};
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);

    top_render(all, &view, size, false, &lines);
    lines_print(&lines, out);
    (void)fclose(out);
    lines_clear(&lines);
    json_decref(all);
    return data;
}

static void check_text(char *actual, const char *expected)
{
    ck_assert_str_eq(actual, expected);
    free(actual);
}

START_TEST(nodes_stand_by_what_they_use_and_escapes_are_shown)
{
    check_text(rendered((struct top_view){.sort = TOP_CPU}, (struct top_size){0}),
               "2 runs, 2 of 3 clients up, CPU 100 %, memory 3 MiB; by CPU\n"
               "NAME        STATE      CLIENTS  CPU %  MEMORY  IN/s  OUT/s     LAG  DEAD  "
               "RESTARTS\n"
               "a/s\\x1b[2J  no answer      1/1   60.0   2 MiB     0    200       0\n"
               "b/x         running        1/2   40.0   1 MiB   100    7.5  12,345     3  "
               "       1\n");
}
END_TEST

START_TEST(clients_stand_by_their_lag)
{
    check_text(rendered((struct top_view){.sort = TOP_LAG, .clients = true, .dag = "b"},
                        (struct top_size){0}),
               "1 run, 1 of 2 clients up, CPU 40 %, memory 1 MiB; by lag\n"
               "NAME   STATE    PID  CPU %  MEMORY  IN/s  OUT/s     LAG  RESTARTS\n"
               "b/x.0  running   11   40.0   1 MiB   100    7.5  12,000\n"
               "b/x.1  backoff         0.0     0 B     0      0       -         1\n");
}
END_TEST

START_TEST(every_key_sorts)
{
    static const char *const first[TOP_SORTS] = {[TOP_CPU] = "\na/s",
                                                 [TOP_MEMORY] = "\na/s",
                                                 [TOP_IN] = "\nb/x",
                                                 [TOP_OUT] = "\na/s",
                                                 [TOP_LAG] = "\nb/x"};
    char *text = rendered((struct top_view){.sort = (enum top_sort)_i},
                          (struct top_size){0});
    const char *a = strstr(text, "\na/s");
    const char *b = strstr(text, "\nb/x");

    ck_assert(a && b);
    ck_assert_msg(first[_i][1] == 'a' ? a < b : b < a, "%s", text);
    ck_assert_int_eq(top_sort_find(top_sort_name((enum top_sort)_i)), _i);
    free(text);
}
END_TEST

START_TEST(what_does_not_fit_is_counted)
{
    check_text(rendered((struct top_view){.clients = true}, (struct top_size){24, 4}),
               "2 runs, 2 of 3 clients ~\n"
               "NAME    STATE      CPU %\n"
               "a/s\\x~  no answer   60.0\n"
               "2 more\n");
}
END_TEST

START_TEST(json_has_the_same_rows)
{
    json_t *all = parse();
    json_t *top = top_json(all, &(struct top_view){.clients = true, .node = "x"});
    const json_t *rows = json_object_get(top, "rows");

    ck_assert_uint_eq(json_array_size(rows), 2);
    ck_assert_str_eq(json_get_string(json_array_get(rows, 0), "client", ""), "0");
    ck_assert_int_eq(json_get_int(json_array_get(rows, 0), "pid", 0), 11);
    ck_assert_int_eq(json_get_int(top, "up", 0), 1);
    ck_assert_str_eq(json_get_string(top, "sort", ""), "cpu");
    json_decref(top);
    json_decref(all);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_top_rows");
    TCase *tcase = tcase_create("top");

    tcase_add_test(tcase, nodes_stand_by_what_they_use_and_escapes_are_shown);
    tcase_add_test(tcase, clients_stand_by_their_lag);
    tcase_add_loop_test(tcase, every_key_sorts, 0, TOP_SORTS);
    tcase_add_test(tcase, what_does_not_fit_is_counted);
    tcase_add_test(tcase, json_has_the_same_rows);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
