/* SPDX-License-Identifier: MIT */
#include "web/throttle.h"

#include "base/mem.h"

#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { BUCKETS = 4096, KEY_BYTES = 16 };

struct throttle {
    unsigned char key[KEY_BYTES];
    int burst;
    int64_t every_ms;
    int64_t empty_ms[BUCKETS]; /* when all that was taken is forgotten */
};

struct throttle *throttle_new(int burst, int64_t every_ms)
{
    struct throttle *throttle = mem_alloc(sizeof *throttle);

    throttle->burst = burst;
    throttle->every_ms = every_ms;
    (void)!getrandom(throttle->key, sizeof throttle->key, 0);
    return throttle;
}

void throttle_free(struct throttle *throttle)
{
    free(throttle);
}

static size_t bucket_of(const struct throttle *throttle, const char *key)
{
    unsigned char mac[EVP_MAX_MD_SIZE] = {0};
    unsigned int len = 0;
    uint32_t number;

    (void)HMAC(EVP_sha256(), throttle->key, KEY_BYTES, (const unsigned char *)key,
               strlen(key), mac, &len);
    memcpy(&number, mac, sizeof number);
    return number % BUCKETS;
}

int64_t throttle_wait_ms(const struct throttle *throttle, const char *key,
                         int64_t now_ms)
{
    int64_t room_ms = throttle->every_ms * (throttle->burst - 1);
    int64_t wait_ms = throttle->empty_ms[bucket_of(throttle, key)] - room_ms - now_ms;

    return wait_ms > 0 ? wait_ms : 0;
}

void throttle_take(struct throttle *throttle, const char *key, int64_t now_ms)
{
    int64_t *empty_ms = &throttle->empty_ms[bucket_of(throttle, key)];

    *empty_ms = (*empty_ms > now_ms ? *empty_ms : now_ms) + throttle->every_ms;
}

void throttle_give_back(struct throttle *throttle, const char *key)
{
    throttle->empty_ms[bucket_of(throttle, key)] -= throttle->every_ms;
}
