/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify/driver.h - what device.c's two ways to a boot driver share */
#ifndef V2V_VERIFY_DRIVER_H
#define V2V_VERIFY_DRIVER_H

#include "verify/database.h"

/* A driver that serves a boot controller, or one behind it. */
struct driver {
    char *service;
    struct reg_hive *hive; /* with the package; NULL before Windows 8 */
    char *inf, *package;   /* "" before Windows 8 */
    bool inbox;            /* came with Windows */
};

struct drivers {
    struct driver items[DEVICES_MAX];
    size_t count;
};

void drivers_done(struct drivers *drivers);

static inline void
v2v_auto_drivers(struct drivers *drivers)
{
    drivers_done(drivers);
}

/* Each service once. */
int drivers_add(struct drivers *drivers, const struct driver *driver,
                struct v2v_error *err);

/**
 * device_trace() - was there ever a driver for the device?
 * @ret: new: where it shows; NULL: nowhere
 *
 * Tells a driver of which a link is gone from a guest that has none.
 */
int device_trace(struct verify *v, const struct device *device, char **ret,
                 struct v2v_error *err);

/* Windows' own driver of a device that was there before, for which its key
 * below Enum is enough: 1: it is among @drivers, and @link is unknown; 0; -1.
 */
int device_installed(struct verify *v, const struct device *device,
                     const char *link, struct drivers *drivers,
                     struct v2v_error *err);

/* No way leads from the device to a driver: @code says what is missing when
 * there are traces of one.  The links behind are unknown.
 * @optional: it is enough if the machine's other form has a driver */
int device_lost(struct verify *v, const struct device *device, const char *code,
                const char *subject, bool optional, struct v2v_error *err);

/* From the devices to drivers: database.c's way, and that of legacy.c before
 * Windows 8. */
int routes_by_database(struct verify *v, const struct device_list *devices,
                       struct drivers *ret, struct v2v_error *err);
int routes_by_critical_devices(struct verify *v,
                               const struct device_list *devices,
                               struct drivers *ret, struct v2v_error *err);

#endif
