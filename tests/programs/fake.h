/* SPDX-License-Identifier: MIT
 *
 * fake.h - the SDK's side of a program, in memory: it hands out options, a position and
 * records, and keeps what is emitted. The program is compiled in with its main()
 * renamed.
 */
#ifndef FAKE_H
#define FAKE_H

#include "sdk/dagnode.h"

enum { FAKE_RECORDS = 64, FAKE_VALUE = 256 };

struct fake_record {
    char value[FAKE_VALUE];
    size_t len;
    char key[64]; /* "" when there is none */
    int64_t position;
};

struct dagnode {
    const struct dagnode_ops *ops; /* set by the program's main() */
    const char *options[16][2];    /* name, value; ended by NULL */
    int64_t position;
    void *state;
    struct dagnode_error err;
    struct fake_record records[FAKE_RECORDS]; /* the last ones, from records[0] */
    size_t count;
};

/* A node of the program whose renamed main() is given. */
struct dagnode *fake_new(int (*program)(int argc, char **argv));
void fake_option(struct dagnode *n, const char *name, const char *value);
int fake_start(struct dagnode *n, int64_t position);
/* Poll until the source waits, ends or fails; records begins anew. */
enum dagnode_poll fake_poll(struct dagnode *n);
/* Hand over a record; err is cleared before. value may be NULL. */
int fake_record(struct dagnode *n, const char *value, size_t len);
int fake_commit(struct dagnode *n);
void fake_stop(struct dagnode *n);
void fake_free(struct dagnode *n);

#endif
