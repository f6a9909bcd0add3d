/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/codes.h - the code of every error, and what to do about it */
#ifndef V2V_CLI_CODES_H
#define V2V_CLI_CODES_H

#include "base/error.h"

/* Stable, and in the manual: that of check's or verify's tables, of codes.c, or
 * of its class. */
const char *code_of(const struct v2v_error *error);

/* One sentence, static. */
const char *code_advice(const struct v2v_error *error);

#endif
