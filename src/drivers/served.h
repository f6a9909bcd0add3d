/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drivers/served.h - everything that an INF serves, whatever the Windows */
#ifndef V2V_DRIVERS_SERVED_H
#define V2V_DRIVERS_SERVED_H

#include "inf-parser/install.h"

/* More and the INF is refused; virtio-win's have up to 30. */
enum { SERVED_MAX = 1024 };

/* Decorations and hardware (and compatible) ids are added, each once without
 * regard to case.  -1 with V2V_ERR_FORMAT for more than SERVED_MAX. */
int served_read(const struct inf_file *inf, struct v2v_strings *decorations,
                struct v2v_strings *ids, struct v2v_error *err);

/* The lowest version that a decoration of @arch has; false: one of them has
 * none, or there are none. */
bool served_lowest(const struct v2v_strings *decorations, enum inf_arch arch,
                   unsigned *major, unsigned *minor);

#endif
