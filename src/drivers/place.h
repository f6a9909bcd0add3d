/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drivers/place.h - what the path of an INF on a medium says about it */
#ifndef V2V_DRIVERS_PLACE_H
#define V2V_DRIVERS_PLACE_H

#include "base/error.h"
#include "drivers/directories.h"

/* The order is that of preference among directories of the same Windows. */
enum layout {
    layout_driver_first, /* .../DRIVER/OS/ARCH */
    layout_arch_first,   /* .../ARCH/OS or .../OS/ARCH, for several drivers */
    layout_none          /* the directories say nothing */
};

struct place {
    enum layout layout;
    char *folder; /* of the INF, as on the medium; "" is the medium itself */
    char *stem;   /* of the INF, without ".inf" */
    char *driver; /* the DRIVER directory as on the medium; else by the INF's
                   * name, see names_driver_of_inf() */
    const struct directory *os; /* NULL: not known */
    bool has_arch;
    enum inf_arch arch;
};

/* The folder of a file on a medium, new, without the '/' behind it. */
char *place_folder(const char *path, struct v2v_error *err);

/* @path: of an INF, its name ends in ".inf" */
int place_parse(const char *path, struct place *ret, struct v2v_error *err);
void place_done(struct place *place);

/* May the INF there be one of the driver that @name asks for? */
bool place_serves(const struct place *place, const char *name);

#endif
