/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts/boot.h - what the boot configuration (BCD) says of drivers */
#ifndef V2V_FACTS_BOOT_H
#define V2V_FACTS_BOOT_H

#include "facts/facts.h"
#include "guest/guest.h"

/* Sets test_signing by the BCD at @path of the mounted volume.  No BCD there,
 * or a damaged one, changes nothing: it decides only which warning a driver
 * earns.  Fails as guest_read() does. */
int facts_read_bcd(struct guest *guest, const char *path, struct facts *facts,
                   struct v2v_error *err);

#endif
