/* SPDX-License-Identifier: MIT */
#include "ledger/ledger_private.h"

#include "base/mem.h"
#include "base/text.h"
#include "ledger/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLUSTER_KEY "broker/cluster"

/* As mkdir -p. */
static int make_folders(const char *dir, struct error *err)
{
    char *path = mem_strdup(dir);

    for (char *at = path + 1;; at++) {
        char end = *at;

        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST) {
            error_set(err, ERROR_INPUT, "cannot make the data folder %s: %s", path,
                      strerror(errno));
            break;
        }
        *at = end;
        if (end == '\0')
            break;
    }
    free(path);
    return error_is_set(err) ? -1 : 0;
}

int ledger_lock(const char *dir, struct error *err)
{
    char *path;
    int fd;

    if (make_folders(dir, err) < 0)
        return -1;
    path = mem_printf("%s/lock", dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        error_set(err, ERROR_INPUT, "cannot open %s: %s", path, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        error_set(err, errno == EWOULDBLOCK ? ERROR_CONFLICT : ERROR_INTERNAL,
                  errno == EWOULDBLOCK ? "another broker uses the data folder %s; stop "
                                         "it or name another folder"
                                       : "cannot lock the data folder %s",
                  dir);
        (void)close(fd);
        fd = -1;
    }
    free(path);
    return fd;
}

/* A random uuid as Kafka writes one: base64 for URLs, 22 characters. */
static int make_id(char text[static 23], struct error *err)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[18] = {0};

    do {
        if (getrandom(bytes, 16, 0) != 16) {
            error_set(err, ERROR_INTERNAL, "no random numbers: %s", strerror(errno));
            return -1;
        }
        bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
        bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
        for (int i = 0; i < 22; i++) {
            int bit = i * 6;
            unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];

            text[i] = digits[pair >> (10 - bit % 8) & 63];
        }
        text[22] = '\0';
    } while (text[0] == '-'); /* tools would take it for an option */
    return 0;
}

int ledger_identify(struct ledger *ledger, struct error *err)
{
    struct text_buf value = {0};
    int found = store_get(ledger->store, CLUSTER_KEY, strlen(CLUSTER_KEY), &value, err);
    int result = found < 0 ? -1 : 0;

    if (found == 1 && value.len < sizeof ledger->cluster_id) {
        memcpy(ledger->cluster_id, value.data, value.len);
    } else if (found >= 0) {
        result = make_id(ledger->cluster_id, err);
        if (result == 0)
            result = store_put(ledger->store, CLUSTER_KEY, strlen(CLUSTER_KEY),
                               ledger->cluster_id, strlen(ledger->cluster_id), err);
    }
    text_buf_clear(&value);
    return result;
}

int ledger_sync_folder(const char *dir, struct error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 ? -1 : fsync(fd);

    if (result != 0)
        error_set(err, ERROR_INTERNAL, "cannot flush the data folder %s: %s", dir,
                  strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return result;
}
