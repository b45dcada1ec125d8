/* SPDX-License-Identifier: MIT */
#include "ledger/server/output.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIECES = 64 };

/* What goes into one sendmsg, and whether a large slice follows it. */
struct gather {
    struct iovec pieces[PIECES];
    size_t count;
    size_t bytes;
    bool more;
    bool broken;
};

static void add_piece(struct gather *gather, void *data, size_t len)
{
    if (len == 0)
        return;
    gather->pieces[gather->count++] = (struct iovec){.iov_base = data, .iov_len = len};
    gather->bytes += len;
}

/* Read what is left of a small slice. */
static size_t copy_slice(const struct wire_slice *slice, int64_t sent, uint8_t *to)
{
    int64_t done = sent;

    while (done < slice->len) {
        ssize_t n = pread(slice->fd, to + (done - sent), (size_t)(slice->len - done),
                          (off_t)(slice->position + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        done += n;
    }
    return (size_t)(slice->len - sent);
}

/* Collect bytes and small slices from where we are up to the next large slice. */
static void collect(const struct output *output, uint8_t *copies, struct gather *gather)
{
    const struct wire_out *out = &output->out;
    size_t at = output->bytes_sent, copied = 0;
    int64_t sent = output->slice_sent;

    for (size_t i = output->slice; i < out->slices_count; i++, sent = 0) {
        const struct wire_slice *slice = &out->slices[i];
        size_t len;

        add_piece(gather, out->bytes.data + at, slice->at - at);
        at = slice->at;
        if (slice->len > OUTPUT_SMALL) {
            gather->more = true;
            return;
        }
        if (copied + OUTPUT_SMALL > OUTPUT_COPIES || gather->count + 2 >= PIECES) {
            gather->more = true;
            return;
        }
        len = copy_slice(slice, sent, copies + copied);
        gather->broken = len == 0 && slice->len > sent;
        if (gather->broken)
            return;
        add_piece(gather, copies + copied, len);
        copied += len;
    }
    add_piece(gather, out->bytes.data + at, out->bytes.len - at);
}

static void finish_slice(struct output *output)
{
    struct wire_slice *slice = &output->out.slices[output->slice++];

    output->slice_sent = 0;
    if (slice->release)
        slice->release(slice->owner);
    slice->release = NULL;
}

/* So many bytes left, in the order in which collect saw them. */
static void advance(struct output *output, size_t bytes)
{
    const struct wire_out *out = &output->out;

    for (;;) {
        bool last = output->slice == out->slices_count;
        const struct wire_slice *slice = last ? NULL : &out->slices[output->slice];
        size_t before = (last ? out->bytes.len : slice->at) - output->bytes_sent;
        size_t step = bytes < before ? bytes : before;

        output->bytes_sent += step;
        bytes -= step;
        if (last || step < before || bytes == 0)
            return;
        step = (size_t)(slice->len - output->slice_sent);
        if (bytes < step) {
            output->slice_sent += (int64_t)bytes;
            return;
        }
        bytes -= step;
        finish_slice(output);
    }
}

static enum output_result failed(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? OUTPUT_BLOCKED : OUTPUT_BROKEN;
}

static enum output_result send_gathered(struct output *output, int fd,
                                        struct gather *gather)
{
    struct msghdr message = {.msg_iov = gather->pieces, .msg_iovlen = gather->count};
    ssize_t n;

    do
        n = sendmsg(fd, &message, MSG_NOSIGNAL | (gather->more ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return failed();
    advance(output, (size_t)n);
    return (size_t)n == gather->bytes ? OUTPUT_DONE : OUTPUT_BLOCKED;
}

/* At most *room bytes, which become less. */
static enum output_result send_slice(struct output *output, int fd, int64_t *room)
{
    const struct wire_slice *slice = &output->out.slices[output->slice];

    while (output->slice_sent < slice->len) {
        off_t at = (off_t)(slice->position + output->slice_sent);
        int64_t left = slice->len - output->slice_sent;
        ssize_t n;

        if (*room <= 0)
            return OUTPUT_BLOCKED;
        n = sendfile(fd, slice->fd, &at, (size_t)(left < *room ? left : *room));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed();
        if (n == 0)
            return OUTPUT_BROKEN;
        output->slice_sent += n;
        *room -= n;
    }
    finish_slice(output);
    return OUTPUT_DONE;
}

static bool finished(const struct output *output)
{
    return output->slice == output->out.slices_count &&
           output->bytes_sent == output->out.bytes.len;
}

enum output_result output_send(struct output *output, int fd, uint8_t *copies)
{
    int64_t room = OUTPUT_ROUND;

    while (!finished(output)) {
        struct gather gather = {.count = 0};
        enum output_result result;

        collect(output, copies, &gather);
        if (gather.broken)
            return OUTPUT_BROKEN;
        result = gather.count > 0 ? send_gathered(output, fd, &gather)
                                  : send_slice(output, fd, &room);
        if (result != OUTPUT_DONE)
            return result;
    }
    return OUTPUT_DONE;
}

void output_clear(struct output *output)
{
    while (output->slice < output->out.slices_count)
        finish_slice(output);
    wire_out_clear(&output->out);
    *output = (struct output){.bytes_sent = 0};
}
