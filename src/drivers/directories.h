/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drivers/directories.h - which directories of a medium suit which Windows */
#ifndef V2V_DRIVERS_DIRECTORIES_H
#define V2V_DRIVERS_DIRECTORIES_H

#include "inf-parser/install.h"

/* A directory that stands for a Windows. */
struct directory {
    const char *name;             /* "2k22", as on an ISO */
    const char *label;            /* "Windows Server 2022" */
    unsigned major, minor, build; /* its first release */
    unsigned product_type;        /* 1 client, 3 server */
    const char *aliases[3];       /* "Win2022", as on floppies; NULL ends */
};

/* The directory of that name, in any case, as plain ISO 9660 has it
 * ("W8_1"), or by an alias; NULL: it stands for no Windows. */
const struct directory *directory_find(const char *name);

/* Names as "2k22", the best first, NULL at the end; NULL for a Windows that
 * none is known for. */
const char *const *directories_for(const struct inf_target *target);

/* Its Windows, as an INF's target. */
struct inf_target directory_target(const struct directory *directory,
                                   enum inf_arch arch);

/* The architecture that a directory's name stands for; false: none. */
bool directory_arch(const char *name, enum inf_arch *ret);

#endif
