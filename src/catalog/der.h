/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * catalog/der.h - walk over DER elements in memory; libcrypto reads their
 * headers
 *
 * For the structures that libcrypto has no type for.  Lengths are definite and
 * inside the element around, or it is an error.
 */
#ifndef V2V_CATALOG_DER_H
#define V2V_CATALOG_DER_H

#include <stdbool.h>
#include <stddef.h>

/* What is left to read. */
struct der {
    const unsigned char *at;
    size_t len; /* bytes */
};

struct der_element {
    int tag;   /* V_ASN1_SEQUENCE ..., or the number of a context tag */
    int class; /* V_ASN1_UNIVERSAL, V_ASN1_CONTEXT_SPECIFIC ... */
    struct der content;
    struct der whole; /* with its header */
};

/* Take the next element; false at the end or when it is malformed. */
bool der_next(struct der *from, struct der_element *ret);

/* The same, and it is of universal class with this tag; else @from stays. */
bool der_take(struct der *from, int tag, struct der *ret_content);

/* The next element is an object identifier; its dotted text. */
enum { DER_MAX_OID = 80 };
bool der_take_oid(struct der *from, char ret[DER_MAX_OID]);

bool der_equal(struct der a, const void *data, size_t len);

#endif
