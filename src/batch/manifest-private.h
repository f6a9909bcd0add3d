/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch/manifest-private.h - what the two forms of a manifest share */
#ifndef V2V_BATCH_MANIFEST_PRIVATE_H
#define V2V_BATCH_MANIFEST_PRIVATE_H

#include "batch/manifest.h"

/* A new line at the end of the list, NULL and V2V_ERR_FORMAT over the limit. */
struct manifest_line *manifest_add(struct manifest *manifest, size_t number,
                                   struct v2v_error *err);

/* One thing more that is said of the line; an empty value says nothing.  What
 * is wrong with it becomes the line's problem.  -1 when memory runs out. */
int manifest_say(struct manifest_line *line, const char *name,
                 const char *value, struct v2v_error *err);

/* The line cannot be read; the first problem stays. */
int manifest_spoil(struct manifest_line *line, struct v2v_error *err,
                   const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The first byte behind a line that begins at @at, its line end included. */
size_t manifest_line_end(const char *text, size_t len, size_t at);

/* Of all lines of a text without NUL, UTF-8. */
int manifest_parse_csv(const char *text, size_t len, struct manifest *manifest,
                       struct v2v_error *err);
int manifest_parse_json(const char *text, size_t len, struct manifest *manifest,
                        struct v2v_error *err);

#endif
