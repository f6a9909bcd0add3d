/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * drivers/names.h - what is known of virtio-win's drivers by name
 *
 * Everything else is read from the INF.
 */
#ifndef V2V_DRIVERS_NAMES_H
#define V2V_DRIVERS_NAMES_H

#include "inf-parser/install.h"

/* The driver that an INF belongs to by its own name, without ".inf" and maybe
 * cut by plain ISO 9660: "vioserial" for "vioser"; NULL: the same name. */
const char *names_driver_of_inf(const char *stem);

/* Is it a driver of its own, in whatever directory its INF lies, that is only
 * for those who ask for it? */
bool names_only_on_request(const char *driver);

/* The driver that takes the place of @driver, or NULL. */
const char *names_successor(const char *driver);

/* Why @driver must not be given to that Windows, one sentence; NULL: it may.
 */
const char *names_known_bad(const char *driver,
                            const struct inf_target *target);

#endif
