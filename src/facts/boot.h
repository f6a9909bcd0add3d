/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts/boot.h - what the boot configuration (BCD) says of drivers */
#ifndef V2V_FACTS_BOOT_H
#define V2V_FACTS_BOOT_H

#include "base/error.h"
#include "facts/facts.h"
#include "guest/guest.h"

/* Sets the volume's bcd and test_signing as the BCD at @path of the mounted
 * volume says, brought up to date from its transaction logs in memory; a dirty
 * one without logs that apply is read as it is.  No BCD there, or a damaged
 * one, changes nothing: it decides only which warning a driver earns.  Fails
 * with V2V_ERR_INTERNAL only. */
int facts_read_bcd(struct guest *guest, const char *path,
                   struct facts_volume *volume, struct v2v_error *err);

#endif
