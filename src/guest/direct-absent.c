/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A build without libntfs-3g. */
#include <stdio.h>

#include "guest/direct.h"

int
direct_open(const struct guest_machine *machine, struct guest **ret, char *why,
            size_t why_size, struct v2v_error *err)
{
    (void)machine;
    (void)err;
    *ret = NULL;
    snprintf(why, why_size, "this program was built without libntfs-3g");
    return 0;
}
