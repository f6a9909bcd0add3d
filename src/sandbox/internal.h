/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox/internal.h - what both kinds of sandboxes share */
#ifndef V2V_SANDBOX_INTERNAL_H
#define V2V_SANDBOX_INTERNAL_H

#include "sandbox/sandbox.h"

/* Gives up all capabilities but these, bits of 1 << CAP_...; all are among the
 * first 32.  -1 and errno.  Async-signal-safe. */
int sandbox_keep_capabilities(uint32_t which);

/* Says what is missing, or refuses because of it; @whom: "qemu-nbd". */
int sandbox_judge(unsigned missing, const char *whom, struct v2v_error *err);

#endif
