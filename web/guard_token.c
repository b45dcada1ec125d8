/* SPDX-License-Identifier: MIT
 *
 * The file with the token.
 */
#include "web/guard_private.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_BYTES = GUARD_TOKEN_LEN / 2, TOKEN_MIN = 32 };

static char *new_token(struct error *err)
{
    unsigned char bytes[TOKEN_BYTES];
    char *token;

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        error_set(err, ERROR_INTERNAL, "no random numbers: %s", strerror(errno));
        return NULL;
    }
    token = mem_alloc(GUARD_TOKEN_LEN + 1);
    guard_hex(bytes, sizeof bytes, token);
    return token;
}

static char *read_token(int fd, const char *path, struct error *err)
{
    char text[512];
    struct stat st;
    ssize_t len = fstat(fd, &st) == 0 ? read(fd, text, sizeof text - 1) : -1;
    size_t used;

    if (len < 0) {
        error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    text[len] = '\0';
    used = strcspn(text, "\r\n");
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        error_set(err, ERROR_INPUT,
                  "%s can be read by others: chmod 600 it, or remove it "
                  "to get a new token",
                  path);
    else if (used < TOKEN_MIN || strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"
                                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != used)
        error_set(err, ERROR_INPUT,
                  "%s holds no token (%d or more of a-z A-Z 0-9 - _): "
                  "remove it to get a new one",
                  path, TOKEN_MIN);
    return error_is_set(err) ? NULL : mem_strndup(text, used);
}

static char *make_token(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    char *token = fd < 0 ? NULL : new_token(err);

    if (fd < 0)
        error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
    if (token && dprintf(fd, "%s\n", token) != GUARD_TOKEN_LEN + 1) {
        error_set(err, ERROR_INTERNAL, "%s could not be written: %s", path,
                  strerror(errno));
        (void)unlink(path);
        free(token);
        token = NULL;
    }
    if (fd >= 0)
        (void)close(fd);
    return token;
}

char *guard_token_load(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char *token;

    if (fd < 0 && errno == ENOENT)
        return make_token(path, err);
    if (fd < 0) {
        error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    token = read_token(fd, path, err);
    (void)close(fd);
    return token;
}
