/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * plan/plan.h - what must change in a guest, as values
 *
 * Facts and driver packages in; files and registry edits out, each with its
 * reason.  Pure: reads no guest, no file and no clock, so that a plan can be
 * printed, compared with a golden file, and carried out by apply/.
 *
 * The plan is what Windows itself would have written (DISM /Add-Driver for a
 * boot-critical class, pnputil /add-driver for the others), derived from the
 * INF in hand.  No file name and no registry value of a driver is known here.
 */
#ifndef V2V_PLAN_PLAN_H
#define V2V_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "drivers/drivers.h"
#include "facts/facts.h"
#include "registry/edit.h"

struct plan_file {
    char *path;       /* "Windows/INF/oem3.inf", below the system volume */
    const void *data; /* belongs to the driver package */
    size_t len;
    const char *why; /* static text */
};

/* How a package stands in the guest's driver store. */
enum plan_presence {
    PLAN_NEW,  /* not there: all of it is written */
    PLAN_SAME, /* there, same version: what is missing is completed */
    PLAN_NEWER /* a newer one is there: it stays, nothing is planned */
};

/* "new", "same", "newer" */
const char *plan_presence_name(enum plan_presence presence);

/* How far a package is installed offline. */
enum plan_form {
    PLAN_CONFIGURED, /* registered so that it works before PnP installs it */
    PLAN_STAGED,     /* in the driver store: PnP installs it at first boot */
    PLAN_DEVICE_PATH /* before Windows 8: a folder where PnP looks for INFs; a
                      * boot driver also as service and critical device */
};

/* "configured", "staged", "device-path" */
const char *plan_form_name(enum plan_form form);

struct plan_package {
    const struct driver_package *driver; /* the caller's */
    enum plan_presence presence;
    enum reg_hive_id hive; /* the node of the driver database it belongs to */
    enum plan_form form;
    bool boot;     /* it has a boot-start service */
    char *oem_inf; /* "oem3.inf"; "" for PLAN_DEVICE_PATH */
    char *name;    /* its folder in FileRepository, or below Windows */
};

struct plan {
    struct plan_package *packages; /* PLAN_NEWER ones included */
    size_t package_count;
    struct plan_file *files;
    size_t file_count;
    struct reg_edits edits;
};

void plan_done(struct plan *plan);

static inline void
v2v_auto_plan(struct plan *plan)
{
    plan_done(plan);
}

/* Is the driver part of it, be it new or there already?  By its name on the
 * medium, in any case. */
bool plan_has_driver(const struct plan *plan, const char *driver);

/* Is one of its drivers started at boot? */
bool plan_has_boot_driver(const struct plan *plan);

/**
 * plan_make() - the plan for one guest
 * @packages: as drivers_choose() gave them; must outlive the plan
 * @now:      FILETIME (100 ns since 1601-01-01 UTC): ImportDate, UpdateDate
 *
 * A package whose class lives in the DRIVERS hive is left out with the warning
 * "no-drivers-hive" when the guest has none.
 *
 * Returns: 0, or -1 with
 * V2V_ERR_DRIVER: an INF asks for what cannot be done offline (a directory id
 *     or a security descriptor that is not known here), or the guest holds a
 *     newer boot driver than the medium
 * V2V_ERR_FORMAT: a malformed INF
 */
int plan_make(const struct facts *facts, const struct driver_package *packages,
              size_t count, uint64_t now, struct plan *ret,
              struct v2v_error *err);

/**
 * plan_print() - append the plan as text, a line an item
 *
 *     package viostor new oem3.inf viostor.inf_amd64_... SYSTEM configured
 *     file Windows/INF/oem3.inf 3019 bytes
 *     SYSTEM set ControlSet001\Services\viostor "Start" dword 0x0
 *
 * Golden files hold this; --dry-run shows it.
 */
int plan_print(const struct plan *plan, struct v2v_bytes *out,
               struct v2v_error *err);

#endif
