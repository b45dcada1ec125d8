/* SPDX-License-Identifier: MIT
 *
 * ledger_main.c - the embedded broker alone, for tests: ledger_main DATA_DIR PORT
 * [OPTION=VALUE…] Options: fsync=always, auto_create=1, partitions=N, with_parent=1
 * (killed when its parent ends). It prints its address when it is ready, and ends in
 * good order on SIGTERM or SIGINT.
 */
#include "base/log.h"
#include "base/loop.h"
#include "ledger/ledger.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

static bool set_option(struct ledger_settings *settings, const char *text)
{
    if (strcmp(text, "fsync=always") == 0)
        settings->fsync = LEDGER_FSYNC_ALWAYS;
    else if (strcmp(text, "auto_create=1") == 0)
        settings->auto_create_topics = true;
    else if (strncmp(text, "partitions=", 11) == 0)
        settings->default_partitions = atoi(text + 11);
    else if (strcmp(text, "with_parent=1") == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    else
        return false;
    return true;
}

static void on_signal(void *arg, uint32_t events)
{
    (void)events;
    *(bool *)arg = true;
}

static int watch_signals(struct loop *loop, bool *stop, struct error *err)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return loop_add(loop, signalfd(-1, &set, SFD_CLOEXEC), EPOLLIN, on_signal, stop,
                    err);
}

int main(int argc, char **argv)
{
    struct ledger_settings settings;
    struct error err = {0};
    struct ledger *ledger = NULL;
    struct loop *loop;
    bool stop = false;

    ledger_settings_default(&settings);
    settings.data_dir = argc > 2 ? argv[1] : NULL;
    settings.port = argc > 2 ? atoi(argv[2]) : 0;
    for (int i = 3; i < argc; i++) {
        if (!set_option(&settings, argv[i]))
            settings.data_dir = NULL;
    }
    if (settings.data_dir == NULL) {
        (void)fputs("usage: ledger_main DATA_DIR PORT [fsync=always] [auto_create=1] "
                    "[partitions=N] [with_parent=1]\n",
                    stderr);
        return 2;
    }
    log_set_level(LOG_INFO);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is a test's full disk */
    loop = loop_new(&err);
    if (loop && watch_signals(loop, &stop, &err) == 0)
        ledger = ledger_open(loop, &settings, &err);
    if (ledger == NULL) {
        (void)fprintf(stderr, "ledger_main: %s\n", err.text);
        loop_free(loop);
        return error_exit_code(err.kind);
    }
    (void)printf("127.0.0.1:%d\n", ledger_port(ledger));
    (void)fflush(stdout);
    while (!stop)
        loop_wait(loop, ledger_tick(ledger));
    ledger_close(ledger);
    loop_free(loop);
    return 0;
}
