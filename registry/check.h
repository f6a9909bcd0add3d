/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * registry/check.h - is a hive's structure sound enough to be edited?
 *
 * Pure: bytes in, a verdict out.  hivex checks what it reads while it reads,
 * but not what it writes through: a key deleted in a hive whose cells point
 * where they should not ends in an assertion, or in memory that is not the
 * hive's.  Windows checks the same at each load (and repairs, which this does
 * not).
 *
 * Source of the format: M. Suhanov, "Windows registry file format
 * specification", https://github.com/msuhanov/regf; that all of it holds was
 * seen in hives of Windows 7, 8.1 and 10 1709.
 */
#ifndef V2V_REGISTRY_CHECK_H
#define V2V_REGISTRY_CHECK_H

#include <stddef.h>

#include "base/error.h"

/* How deep Windows lets keys lie.
 * Source: Microsoft, "Registry element size limits". */
#define REG_DEPTH_MAX 512

/**
 * reg_hive_check() - walk bins, cells and keys
 * @data: a hive that reg_header_read() accepts; @len: bytes
 *
 * The bins cover what the base block says, and cells cover the bins.  From the
 * root down, each key, list, value, class name and value's data is a cell in
 * use, long enough for what it says it holds, and belongs to one owner: no
 * loops, no shared cells.  A key names its parent, the lists have as many keys
 * as it says, and it is not deeper than REG_DEPTH_MAX.  A security cell's
 * neighbours are security cells, and it counts at least the keys that use it.
 * What is not reached from the root is not looked at, nor are the order of
 * lists, the hashes in them and the times.
 *
 * Time and memory are proportional to @len, whatever the hive holds.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT: the first thing that is wrong, and
 * its byte in the file; V2V_ERR_INTERNAL when memory runs out.
 */
int reg_hive_check(const void *data, size_t len, struct v2v_error *err);

#endif
