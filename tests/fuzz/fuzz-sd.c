/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile security descriptors.  Input: a byte (bit 0: a directory), then the
 * parent's descriptor. */
#include <stdlib.h>
#include <string.h>

#include "disk/sd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What we make we can read; and from the second generation on a descriptor
 * is handed down unchanged, since then only what is always passed on is left.
 */
static void
check_child(const struct v2v_bytes *child)
{
    V2V_AUTO(bytes) struct v2v_bytes second = { 0 }, third = { 0 };
    V2V_AUTO(mem) char *text = NULL;
    struct v2v_error err;

    if (sd_to_text(child->data, child->len, &text, &err) < 0 ||
        sd_inherit(child->data, child->len, true, &second, &err) < 0 ||
        sd_inherit(second.data, second.len, true, &third, &err) < 0 ||
        second.len != third.len ||
        memcmp(second.data, third.data, third.len) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    V2V_AUTO(bytes) struct v2v_bytes child = { 0 };
    V2V_AUTO(mem) char *text = NULL;
    struct v2v_error err;

    if (len < 1)
        return 0;
    if (sd_inherit(data + 1, len - 1, (data[0] & 1) != 0, &child, &err) == 0)
        check_child(&child);
    (void)sd_to_text(data + 1, len - 1, &text, &err);
    return 0;
}
