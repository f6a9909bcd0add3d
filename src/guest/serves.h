/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest/serves.h - what the backend without an appliance does not serve */
#ifndef V2V_GUEST_SERVES_H
#define V2V_GUEST_SERVES_H

#include "disk/probe.h"

/* False: @why is the reason, in one line. */
bool direct_serves(const struct disk_layout *layout, char *why,
                   size_t why_size);

#endif
