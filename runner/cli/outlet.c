/* SPDX-License-Identifier: MIT */
#include "cli/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

/* A pipe that is ready for writing takes PIPE_BUF bytes without making us wait. The
 * descriptor may be shared with other programs, so it is not made non-blocking. */
static bool write_some(struct outlet *outlet, int timeout_ms)
{
    struct pollfd ready = {.fd = outlet->fd, .events = POLLOUT};
    size_t len = outlet->kept.len < PIPE_BUF ? outlet->kept.len : PIPE_BUF;
    ssize_t written;

    if (poll(&ready, 1, timeout_ms) <= 0)
        return false;
    written = write(outlet->fd, outlet->kept.data, len);
    if (written < 0 && errno != EINTR && errno != EAGAIN) {
        outlet->broken = true;
        text_buf_clear(&outlet->kept);
        return false;
    }
    text_drop_front(&outlet->kept, written > 0 ? (size_t)written : 0);
    return true;
}

bool outlet_flush(struct outlet *outlet)
{
    while (outlet->kept.len > 0 && write_some(outlet, 0)) {
    }
    return outlet->kept.len == 0;
}

void outlet_line(struct outlet *outlet, const char *text, size_t len)
{
    if (outlet->broken)
        return;
    if (outlet->kept.len + len >= OUTLET_KEPT_BYTES) {
        outlet->dropped++;
        return;
    }
    text_append_bytes(&outlet->kept, text, len);
    text_append_bytes(&outlet->kept, "\n", 1);
    (void)outlet_flush(outlet);
}

int64_t outlet_take_dropped(struct outlet *outlet)
{
    int64_t dropped = outlet->dropped;

    outlet->dropped = 0;
    return dropped;
}

void outlet_close(struct outlet *outlet)
{
    while (outlet->kept.len > 0 && write_some(outlet, -1)) {
    }
    text_buf_clear(&outlet->kept);
}
