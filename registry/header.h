/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * registry/header.h - the base block of a registry hive, without hivex
 *
 * hivex opens a dirty hive without a word and marks it clean when it saves;
 * who edits must look here first.
 *
 * Source: M. Suhanov, "Windows registry file format specification",
 * https://github.com/msuhanov/regf, checked against real hives of Windows 7,
 * 8.1 and 10 1709.
 */
#ifndef V2V_REGISTRY_HEADER_H
#define V2V_REGISTRY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct reg_header {
    uint32_t primary_sequence; /* incremented before a write */
    bool dirty; /* the secondary one, made equal after it, differs: changes
                 * wait in the transaction logs */
};

/* Does a hive need its transaction logs: is its base block damaged (signature,
 * checksum), or do the sequence numbers differ?  False for what is too short.
 */
bool reg_needs_logs(const void *data, size_t len);

/**
 * reg_header_read() - check and decode the base block of a primary hive file
 * @data: the whole file; @len: bytes
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT: no "regf" signature, a checksum that
 * is wrong, a log file in place of a hive, hive bins beyond the end, or a
 * version other than 1.3 to 1.5 (1.6, layered keys, has never been tried).
 */
int reg_header_read(const void *data, size_t len, struct reg_header *ret,
                    struct v2v_error *err);

#endif
