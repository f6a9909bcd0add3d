/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/digest.h - SHA-256 of what does not fit into memory, by libcrypto */
#ifndef V2V_IMAGE_DIGEST_H
#define V2V_IMAGE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

enum { DIGEST_LEN = 32 };

struct digest {
    uint8_t bytes[DIGEST_LEN];
};

bool digest_equal(const struct digest *a, const struct digest *b);

/* 64 hexadecimal digits and a NUL; and back: false for anything else. */
void digest_print(const struct digest *digest, char ret[2 * DIGEST_LEN + 1]);
bool digest_parse(const char *text, struct digest *ret);

/* All of these fail with V2V_ERR_INTERNAL. */
struct hasher;
int hasher_new(struct hasher **ret, struct v2v_error *err);
int hasher_add(struct hasher *hasher, const void *data, size_t len,
               struct v2v_error *err);
int hasher_end(struct hasher *hasher, struct digest *ret,
               struct v2v_error *err); /* and ready for the next */
void hasher_free(struct hasher *hasher);
V2V_AUTO_DEFINE(hasher, struct hasher *, hasher_free)

/* Of all bytes of a regular file. */
int digest_of_file(const char *path, struct digest *ret, struct v2v_error *err);
int digest_of_bytes(const void *data, size_t len, struct digest *ret,
                    struct v2v_error *err);

#endif
