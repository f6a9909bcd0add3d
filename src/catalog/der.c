/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "catalog/der.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <string.h>

bool
der_next(struct der *from, struct der_element *ret)
{
    const unsigned char *p = from->at;
    long len;
    int form;

    /* an element ends inside the buffer, which has at most 2^31 bytes */
    if (from->len == 0 || from->len > INT32_MAX)
        return false;
    /* 0x80: bad header; 1: indefinite length, which DER has not */
    form = ASN1_get_object(&p, &len, &ret->tag, &ret->class, (long)from->len);
    if (form & 0x81)
        return false;
    ret->content = (struct der){ p, (size_t)len };
    ret->whole = (struct der){ from->at, (size_t)(p - from->at) + (size_t)len };
    from->at += ret->whole.len;
    from->len -= ret->whole.len;
    return true;
}

bool
der_take(struct der *from, int tag, struct der *ret_content)
{
    struct der rest = *from;
    struct der_element element;

    if (!der_next(&rest, &element) || element.class != V_ASN1_UNIVERSAL ||
        element.tag != tag)
        return false;
    *from = rest;
    *ret_content = element.content;
    return true;
}

bool
der_take_oid(struct der *from, char ret[DER_MAX_OID])
{
    struct der_element element;
    const unsigned char *p = from->at;
    struct der rest = *from;
    ASN1_OBJECT *object;
    int len;

    if (!der_next(&rest, &element) || element.class != V_ASN1_UNIVERSAL ||
        element.tag != V_ASN1_OBJECT)
        return false;
    object = d2i_ASN1_OBJECT(NULL, &p, (long)element.whole.len);
    if (object == NULL)
        return false;
    len = OBJ_obj2txt(ret, DER_MAX_OID, object, 1);
    ASN1_OBJECT_free(object);
    *from = rest;
    return len > 0 && len < DER_MAX_OID;
}

bool
der_equal(struct der a, const void *data, size_t len)
{
    return a.len == len && memcmp(a.at, data, len) == 0;
}
