/* SPDX-License-Identifier: MIT
 *
 * space.c - blocks of the disk for a segment that grows, taken ahead of its end.
 *
 * ext4 gives a file its blocks when its pages are written back, and whoever appends to
 * the file waits meanwhile (i_data_sem): with a flush every second that was measured to
 * stop the loop for up to 560 ms. Blocks that are there already cost a look into the
 * cache. What is left over behind the end goes back when the segment is full or rests.
 */
#include "ledger/log/log_private.h"

#include <fcntl.h>
#include <sys/statvfs.h>

enum {
    RESERVE_FROM = 1 << 20, /* bytes: smaller segments are left to the kernel */
    RESERVE_MAX = 32 << 20, /* a segment takes as much as it has, up to this */
    RESERVE_ROOM = 1 << 30, /* the disk's last bytes are not for reserves */
};

static bool has_room(int fd)
{
    struct statvfs disk;

    return fstatvfs(fd, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize >= RESERVE_ROOM;
}

void log_reserve(struct log *log, struct segment *segment, int64_t len)
{
    int64_t step = segment->size < RESERVE_MAX ? segment->size : RESERVE_MAX;
    int64_t until = segment->size + len + step;
    struct error ignored = {0};
    int fd;

    if (segment->size < RESERVE_FROM || segment->size + len <= segment->reserved)
        return;
    if (until > log->config.segment_bytes)
        until = log->config.segment_bytes;
    segment->reserved = until; /* if it does not work, it is not tried at every write */
    fd = file_fd(segment->file, &ignored);
    if (fd >= 0 && until > segment->size && has_room(fd))
        (void)fallocate(fd, FALLOC_FL_KEEP_SIZE, segment->size, until - segment->size);
}

void log_give_back(struct segment *segment)
{
    struct error ignored = {0};

    if (segment->reserved > segment->size)
        (void)file_cut(segment->file, segment->size, &ignored);
    segment->reserved = 0;
}

void log_give_back_lost(struct segment *segment)
{
    if (segment->size >= RESERVE_FROM)
        segment->reserved = INT64_MAX;
    log_give_back(segment);
}
