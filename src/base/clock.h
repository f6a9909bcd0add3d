/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/clock.h - how long something takes */
#ifndef V2V_BASE_CLOCK_H
#define V2V_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that nobody sets. */
int64_t v2v_milliseconds(void);

#endif
