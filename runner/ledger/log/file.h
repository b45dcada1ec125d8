/* SPDX-License-Identifier: MIT
 *
 * file.h - the files of all logs: named, opened when needed, closed when others need
 * the descriptor more. Layer: ledger/log.
 *
 * Who sends a file's bytes pins it: a pinned file stays open, also when it is renamed,
 * removed or dropped meanwhile; the last unpin closes it then.
 */
#ifndef LEDGER_LOG_FILE_H
#define LEDGER_LOG_FILE_H

#include "base/error.h"
#include "ledger/log/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_file;

#define FILE_LOG ".log"
#define FILE_INDEX ".index"
#define FILE_CLEANED ".cleaned" /* compaction writes it */
#define FILE_SWAP ".swap"       /* it is whole and takes the segment's place */
#define FILE_DELETED ".deleted" /* waits for the delete delay */

enum { FILE_PATH_BYTES = 4096 };

/* DIR/00000000000000000042.log: the kind is the name's end, FILE_LOG FILE_SWAP for one.
 */
void file_path(char path[FILE_PATH_BYTES], const char *dir, int64_t base,
               const char *kind);

/* A file in dir; dir and kind stay the caller's until file_drop. Nothing is opened. */
struct log_file *file_new(struct log_pool *pool, const char *dir, int64_t base,
                          const char *kind);

/* Close (now or at the last unpin) and free. The file on disk stays. */
void file_drop(struct log_file *file);

/* The open descriptor, good until the next call to a function of any file. -1 and err.
 */
int file_fd(struct log_file *file, struct error *err);

/* Close the descriptor unless it is pinned. */
void file_rest(struct log_file *file);

int file_pin(struct log_file *file,
             struct error *err); /* the descriptor, or -1, err and errno */
void file_unpin(void *file);

/* Make it new and empty on disk. */
int file_create(struct log_file *file, struct error *err);

/* Rename a file of this base from one kind to another. */
int file_rename(const char *dir, int64_t base, const char *from, const char *to,
                struct error *err);
void file_remove(const char *dir, int64_t base, const char *kind);

/* pread and pwrite of everything, or -1 and err. file_read: 1 when the file ends
 * before. */
int file_read(struct log_file *file, void *data, size_t len, int64_t position,
              struct error *err);
int file_write(struct log_file *file, const void *data, size_t len, int64_t position,
               struct error *err);
int file_cut(struct log_file *file, int64_t size, struct error *err);
int64_t file_size(struct log_file *file, struct error *err); /* -1 and err */

/* Scratch memory for reading, kept by the pool between uses. */
struct pool_buffer {
    uint8_t *data;
    size_t capacity;
};
struct pool_buffer pool_take_buffer(struct log_pool *pool, size_t capacity);
void pool_give_buffer(struct log_pool *pool, struct pool_buffer buffer);

/* Compaction takes memory: one log at a time may run it. */
bool pool_claim(struct log_pool *pool, const struct log *log);
bool pool_is_claimed(const struct log_pool *pool,
                     const struct log *log); /* by another */
void pool_release(struct log_pool *pool, const struct log *log);

struct sync *pool_sync(const struct log_pool *pool);
size_t pool_open_count(const struct log_pool *pool);

#endif
