/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What log_write puts behind msg= for this text. */
static void logged(const char *text, char *out, size_t size)
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    char line[512] = "";
    const char *message;

    ck_assert_ptr_nonnull(file);
    (void)dup2(fileno(file), STDERR_FILENO);
    log_write(LOG_ERROR, "test", NULL, "%s", text);
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    rewind(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_ptr_null(fgets(line + 256, 256, file)); /* one line */
    message = strstr(line, " msg=");
    ck_assert_ptr_nonnull(message);
    (void)snprintf(out, size, "%s", message + 5);
    (void)fclose(file);
}

START_TEST(a_message_stays_one_quoted_line_that_a_terminal_only_shows)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"plain", "\"plain\"\n"},
        {"a \"b\"\nc\x1b[31m", "\"a 'b' c [31m\"\n"},
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80",
         "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"\n"},
        {"del \x7f c1 \xc2\x9b\x41 raw \x9b", "\"del ? c1 ??A raw ?\"\n"},
        {"broken \xc3(\xff cut \xe2\x82", "\"broken ?(? cut ??\"\n"},
    };
    char line[256];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        logged(cases[i].text, line, sizeof line);
        ck_assert_str_eq(line, cases[i].line);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base_log");
    TCase *tcase = tcase_create("log");

    tcase_add_test(tcase, a_message_stays_one_quoted_line_that_a_terminal_only_shows);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
