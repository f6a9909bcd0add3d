/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/names.h - paths taken apart, and which names Windows allows
 *
 * Text only: nothing here looks at a volume.
 */
#ifndef V2V_GUEST_NAMES_H
#define V2V_GUEST_NAMES_H

#include "base/error.h"

/**
 * guest_next_name() - take the first name off a path
 * @path: moved on; ret: new string, or NULL at the end
 * Returns: 0, or -1 with V2V_ERR_GUEST for ".", "..", or a path that is too
 * long.
 */
int guest_next_name(const char **path, char **ret, struct v2v_error *err);

/* A name that Windows would create, or -1 with V2V_ERR_GUEST.
 * Source: Microsoft, "Naming Files, Paths, and Namespaces",
 * https://learn.microsoft.com/windows/win32/fileio/naming-a-file */
int guest_check_new_name(const char *name, struct v2v_error *err);

#endif
