/* SPDX-License-Identifier: MIT */
#include "web/password.h"

#include "base/mem.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* yescrypt at libcrypt's own default: 16 MiB. */
static const char method[] = "$y$";
static const char nobodys[] = "$y$j9T$sETF7RfjNa9kTVETIbf7E/";

int password_check(const char *password, struct error *err)
{
    size_t len = strlen(password);

    if (len < PASSWORD_MIN || len > PASSWORD_MAX)
        error_set(err, ERROR_INPUT, "a password has %d to %d bytes", PASSWORD_MIN,
                  PASSWORD_MAX);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)password[i] < 0x20 || password[i] == 0x7f)
            error_set(err, ERROR_INPUT, "a password has no control characters");
    }
    return error_is_set(err) ? -1 : 0;
}

/* NULL: libcrypt can't. The caller frees. */
static char *compute(const char *password, const char *setting)
{
    struct crypt_data *data = mem_alloc(sizeof *data);
    const char *hash = crypt_rn(password, setting, data, sizeof *data);
    char *copy = mem_strdup(hash);

    explicit_bzero(data, sizeof *data);
    free(data);
    return copy;
}

char *password_hash(const char *password, struct error *err)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    char *hash = NULL;

    if (crypt_gensalt_rn(method, 0, NULL, 0, setting, sizeof setting))
        hash = compute(password, setting);
    if (hash == NULL)
        error_set(err, ERROR_INTERNAL, "the password can't be hashed: %s",
                  strerror(errno));
    return hash;
}

bool password_matches(const char *password, const char *hash)
{
    char *got = compute(password, hash ? hash : nobodys);
    bool same = hash && got && strlen(got) == strlen(hash) &&
                CRYPTO_memcmp(got, hash, strlen(hash)) == 0;

    free(got);
    return same;
}

bool password_is_hash(const char *text)
{
    return strlen(text) <= PASSWORD_HASH_MAX && crypt_checksalt(text) == CRYPT_SALT_OK;
}
