/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drivers/directories.h - which directories of a medium suit which Windows */
#ifndef V2V_DRIVERS_DIRECTORIES_H
#define V2V_DRIVERS_DIRECTORIES_H

#include "inf-parser/install.h"

/* Names as "2k22", the best first, NULL at the end; NULL for a Windows that
 * none is known for. */
const char *const *directories_for(const struct inf_target *target);

/* "Windows Server 2022" for "2k22": what the name stands for. */
const char *directory_label(const char *directory);

#endif
