/* SPDX-License-Identifier: MIT */
#include "cli/screen.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* The alternate screen without a cursor, and back. */
static const char enter[] = "\x1b[?1049h\x1b[?25l\x1b[2J";
static const char leave[] = "\x1b[?25h\x1b[?1049l";

struct screen {
    struct termios before;
    pid_t guard;
    int guard_fd; /* its end of file is our death; a byte before it: all is well */
};

static void put(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t sent = write(STDOUT_FILENO, text, len);

        if (sent < 0 && errno != EINTR)
            return;
        text += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
    }
}

static void restore(const struct termios *before)
{
    put(leave, sizeof leave - 1);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, before);
}

/* The child: nothing of what is meant for us may end it, and when we are gone it writes to a
 * terminal that is not in front for it any more. */
static void guard(int fd, const struct termios *before)
{
    static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                  SIGTSTP, SIGTTOU, SIGPIPE, SIGWINCH};
    char byte;
    ssize_t got;

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        (void)signal(ignored[i], SIG_IGN);
    do
        got = read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        restore(before);
    _exit(0);
}

static int start_guard(struct screen *screen, struct error *err)
{
    int ends[2];

    if (pipe(ends) < 0) {
        error_set(err, ERROR_INTERNAL, "pipe: %s", strerror(errno));
        return -1;
    }
    screen->guard = fork();
    if (screen->guard == 0) {
        (void)close(ends[1]);
        guard(ends[0], &screen->before);
    }
    (void)close(ends[0]);
    if (screen->guard < 0) {
        (void)close(ends[1]);
        error_set(err, ERROR_INTERNAL, "fork: %s", strerror(errno));
        return -1;
    }
    screen->guard_fd = ends[1];
    return 0;
}

struct screen *screen_open(struct error *err)
{
    struct screen *screen = mem_alloc(sizeof *screen);

    if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &screen->before) < 0) {
        error_set(err, ERROR_INPUT, "standard input and output are no terminal");
        free(screen);
        return NULL;
    }
    if (start_guard(screen, err) < 0) {
        free(screen);
        return NULL;
    }
    screen_resume(screen);
    return screen;
}

void screen_resume(struct screen *screen)
{
    struct termios raw = screen->before;

    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO); /* ISIG stays: Ctrl-C is a signal */
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    put(enter, sizeof enter - 1);
}

void screen_suspend(struct screen *screen)
{
    restore(&screen->before);
}

void screen_close(struct screen *screen)
{
    if (screen == NULL)
        return;
    restore(&screen->before);
    (void)!write(screen->guard_fd, "", 1);
    (void)close(screen->guard_fd);
    (void)waitpid(screen->guard, NULL, 0);
    free(screen);
}

void screen_size(const struct screen *screen, int *width, int *height)
{
    struct winsize size;

    (void)screen;
    *width = 80;
    *height = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        *width = size.ws_col;
        *height = size.ws_row;
    }
}

/* From the top, each line over the old one: nothing flickers. */
void screen_paint(struct screen *screen, const struct lines *lines)
{
    struct text_buf out = {0};

    (void)screen;
    text_append(&out, "\x1b[H");
    for (size_t i = 0; i < lines->count; i++)
        text_appendf(&out, "%s%s\x1b[K", i > 0 ? "\r\n" : "", lines->items[i]);
    text_append(&out, "\x1b[J");
    put(out.data, out.len);
    text_buf_clear(&out);
}

/* 0: nothing is there. */
static int next_byte(void)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    unsigned char byte;

    return poll(&fd, 1, 0) == 1 && read(STDIN_FILENO, &byte, 1) == 1 ? byte : 0;
}

/* What follows an escape: "[", parameters and a letter, or "O" and one, or a key with Alt. */
static void skip_sequence(void)
{
    int byte = next_byte();

    if (byte == 'O')
        (void)next_byte();
    if (byte != '[')
        return;
    do
        byte = next_byte();
    while (byte > 0 && byte < '@');
}

int screen_key(struct screen *screen)
{
    int byte;

    (void)screen;
    while ((byte = next_byte()) == 0x1b)
        skip_sequence();
    return byte;
}
