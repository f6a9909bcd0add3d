/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/diff.h - what is different between two texts, as patch(1) takes it
 */
#ifndef V2V_CLI_DIFF_H
#define V2V_CLI_DIFF_H

#include "base/bytes.h"
#include "base/error.h"

struct diff_side {
    const char *name; /* for the header */
    const struct v2v_bytes *text;
};

/**
 * diff_unified() - what "diff -u" says
 * @ret: empty when the texts are equal
 *
 * Runs diff(1), which every system has that has patch(1) or git; no file is
 * written.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL: it cannot be run.
 */
int diff_unified(const struct diff_side *from, const struct diff_side *to,
                 struct v2v_bytes *ret, struct v2v_error *err);

#endif
