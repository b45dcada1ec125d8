/* SPDX-License-Identifier: MIT
 *
 * throttle.h - how often something may be tried: so many at once, then one after the
 * other with pauses. Layer: web. Pure; its memory is fixed, whatever is tried.
 *
 * A key (an address, a name) falls into one of many buckets by a keyed hash, so two may
 * share one by chance, but nobody can choose whose.
 */
#ifndef WEB_THROTTLE_H
#define WEB_THROTTLE_H

#include <stdint.h>

struct throttle;

/* burst at once; after that one every every_ms. */
struct throttle *throttle_new(int burst, int64_t every_ms);
void throttle_free(struct throttle *throttle);

/* How long until one more may be tried; 0: now. Times are monotonic. */
int64_t throttle_wait_ms(const struct throttle *throttle, const char *key,
                         int64_t now_ms);
/* One is tried; and it is not to be counted after all. */
void throttle_take(struct throttle *throttle, const char *key, int64_t now_ms);
void throttle_give_back(struct throttle *throttle, const char *key);

#endif
