/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/manifest.h - the list of what a batch is to do, as somebody wrote it
 *
 * One line is one machine.  What may be said of it is named as the options of
 * the command line are, and "image" for the disks:
 *
 *     CSV (RFC 4180; UTF-8, with a BOM or without; a header row first)
 *         image,domain-xml,output-xml,add
 *         a.qcow2,a.xml,a-virtio.xml,"rng,hyperv"
 *         "C:\vms\b.qcow2",,,
 *     A column "image" may be there several times, a disk each; an empty cell
 *     says nothing; a row with fewer cells leaves the rest empty, one with more
 *     is malformed unless they are empty.  No quoting but CSV's.
 *
 *     JSON Lines (an object a line; told from CSV by its first '{')
 *         {"image": ["a.qcow2", "a-data.qcow2"], "domain-xml": "a.xml"}
 *     A value is a string, a number, true, false, null (says nothing) or an
 *     array of strings: the option is given several times.
 *
 * Lines that are empty, or in JSON Lines blank, are passed over.  Nothing here
 * knows an option: which names there are, and what a value means, is the
 * caller's business (cli/).  A manifest is hostile input.
 */
#ifndef V2V_BATCH_MANIFEST_H
#define V2V_BATCH_MANIFEST_H

#include <stddef.h>

#include "base/error.h"

enum {
    MANIFEST_MAX_BYTES = 64 << 20,
    MANIFEST_MAX_LINES = 100000, /* machines */
    MANIFEST_MAX_FIELDS = 1024,  /* of one line, and columns of a CSV */
    MANIFEST_DIGEST_LEN = 64     /* SHA-256 in hexadecimal */
};

struct manifest_field {
    char *name;  /* "domain-xml": as it was written, UTF-8 */
    char *value; /* never empty, no NUL and no control character */
};

struct manifest_line {
    size_t number; /* of the line that it begins in, the first is 1 */
    char *problem; /* NULL, or why it cannot be read; then without fields */
    struct manifest_field *fields; /* in the order of the line */
    size_t count;
};

struct manifest {
    struct manifest_line *lines;
    size_t count;
    char digest[MANIFEST_DIGEST_LEN + 1]; /* of all bytes: is it the same? */
};

/**
 * manifest_parse() - bytes to lines
 * @ret: written only on success; manifest_done()
 *
 * A line that is malformed does not spoil the others: it has a problem.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT: nothing that is a manifest (no UTF-8,
 * no header row, a column without a name, no line at all, a limit), or
 * V2V_ERR_INTERNAL.
 */
int manifest_parse(const void *data, size_t len, struct manifest *ret,
                   struct v2v_error *err);

/* The same of a file; V2V_ERR_USAGE when it cannot be read.  The text starts
 * with @path. */
int manifest_read(const char *path, struct manifest *ret,
                  struct v2v_error *err);

void manifest_done(struct manifest *manifest);

static inline void
v2v_auto_manifest(struct manifest *manifest)
{
    manifest_done(manifest);
}

#endif
