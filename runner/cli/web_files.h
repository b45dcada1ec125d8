/* SPDX-License-Identifier: MIT
 *
 * web_files.h - the dags that may be started over HTTP: YAML files in the folders of
 * --dags. Layer: cli. A file is named by its name without ".yaml"; no path comes from a
 * request.
 */
#ifndef CLI_WEB_FILES_H
#define CLI_WEB_FILES_H

#include "base/error.h"
#include "base/json.h"
#include "cli/web_child.h"
#include "web/source.h"

/* An existing folder that others can't write to; its absolute path, the caller frees.
 */
char *web_files_folder(const char *path, struct error *err);

/* folders: NULL-terminated. {"files": [{"file", "yaml"}]}, by name; the first folder
 * that has a name wins. */
json_t *web_files_list(const char *const *folders);

/* The path of one of them, the caller frees. ERROR_NOT_FOUND; ERROR_INPUT: others can
 * write to it. */
char *web_files_find(const char *const *folders, const char *name, struct error *err);

/*
 * A child looks at the file at path. check: done gets {"ok", "errors": [{"line", "column",
 * "text", "excerpt"}]}, also when there are some; else its graph as SVG. NULL: done was
 * called already.
 */
struct web_child *web_files_look(struct web_children *children, const char *path, bool check,
                                 web_done_fn *done, void *done_arg);

#endif
