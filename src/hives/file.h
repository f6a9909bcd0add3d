/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * hives/file.h - the bytes of a hive, once, for this program and its workers
 *
 * A file in memory: hivex wants one, and a hive may have 200 MB.  This process
 * writes it; it and its workers see it, and hivex in a worker maps it, but none
 * of them can write it: they have it only for reading.
 */
#ifndef V2V_HIVES_FILE_H
#define V2V_HIVES_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct hives_file {
    int fd;     /* to be written */
    int reader; /* the same, only to be read */
    const uint8_t
        *data;  /* mapped; moves when the file grows; NULL: @len is 0 */
    size_t len; /* bytes */
};

/* @ret: new, empty.  -1 with V2V_ERR_INTERNAL, as below. */
int hives_file_new(struct hives_file **ret, struct v2v_error *err);
void hives_file_free(struct hives_file *file);
V2V_AUTO_DEFINE(hives_file, struct hives_file *, hives_file_free)

/* Somebody has written to @fd. */
int hives_file_update(struct hives_file *file, struct v2v_error *err);

int hives_file_write(struct hives_file *file, const void *data, size_t len,
                     size_t offset, struct v2v_error *err);

/* Looked at for now: this process has it no more in its own memory until it
 * looks again. */
void hives_file_let_go(const struct hives_file *file);

#endif
