/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct hasher {
    EVP_MD_CTX *context;
};

bool
digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_LEN) == 0;
}

void
digest_print(const struct digest *digest, char ret[2 * DIGEST_LEN + 1])
{
    for (size_t i = 0; i < DIGEST_LEN; i++)
        snprintf(ret + 2 * i, 3, "%02x", digest->bytes[i]);
}

bool
digest_parse(const char *text, struct digest *ret)
{
    static const size_t len = 2 * (size_t)DIGEST_LEN;

    if (text == NULL || strlen(text) != len ||
        strspn(text, "0123456789abcdef") != len)
        return false;
    for (size_t i = 0; i < DIGEST_LEN; i++)
        sscanf(text + 2 * i, "%2hhx", &ret->bytes[i]);
    return true;
}

static int
start(struct hasher *hasher, struct v2v_error *err)
{
    if (EVP_DigestInit_ex(hasher->context, EVP_sha256(), NULL) != 1)
        return v2v_fail(err, V2V_ERR_INTERNAL, "libcrypto: no SHA-256");
    return 0;
}

int
hasher_new(struct hasher **ret, struct v2v_error *err)
{
    V2V_AUTO(hasher) struct hasher *hasher = calloc(1, sizeof *hasher);

    if (hasher == NULL || (hasher->context = EVP_MD_CTX_new()) == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    if (start(hasher, err) < 0)
        return -1;
    *ret = v2v_steal(hasher);
    return 0;
}

int
hasher_add(struct hasher *hasher, const void *data, size_t len,
           struct v2v_error *err)
{
    if (EVP_DigestUpdate(hasher->context, data, len) != 1)
        return v2v_fail(err, V2V_ERR_INTERNAL, "libcrypto: hashing failed");
    return 0;
}

int
hasher_end(struct hasher *hasher, struct digest *ret, struct v2v_error *err)
{
    if (EVP_DigestFinal_ex(hasher->context, ret->bytes, NULL) != 1)
        return v2v_fail(err, V2V_ERR_INTERNAL, "libcrypto: hashing failed");
    return start(hasher, err);
}

void
hasher_free(struct hasher *hasher)
{
    if (hasher == NULL)
        return;
    EVP_MD_CTX_free(hasher->context);
    free(hasher);
}

int
digest_of_bytes(const void *data, size_t len, struct digest *ret,
                struct v2v_error *err)
{
    V2V_AUTO(hasher) struct hasher *hasher = NULL;

    if (hasher_new(&hasher, err) < 0 || hasher_add(hasher, data, len, err) < 0)
        return -1;
    return hasher_end(hasher, ret, err);
}

int
digest_of_file(const char *path, struct digest *ret, struct v2v_error *err)
{
    static const size_t step = 1 << 20;
    V2V_AUTO(fd)
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    V2V_AUTO(hasher) struct hasher *hasher = NULL;
    V2V_AUTO(mem) void *buf = malloc(step);
    ssize_t n;

    if (fd < 0 || buf == NULL)
        return v2v_fail_errno(err, errno, "%s", path);
    if (hasher_new(&hasher, err) < 0)
        return -1;
    while ((n = read(fd, buf, step)) > 0)
        if (hasher_add(hasher, buf, (size_t)n, err) < 0)
            return -1;
    if (n < 0)
        return v2v_fail_errno(err, errno, "reading %s", path);
    return hasher_end(hasher, ret, err);
}
