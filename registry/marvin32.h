/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * registry/marvin32.h - the hash of transaction log entries
 *
 * Source: M. Suhanov, "Windows registry file format specification",
 * https://github.com/msuhanov/regf, which also gives the seed and says what
 * is hashed.
 */
#ifndef V2V_REGISTRY_MARVIN32_H
#define V2V_REGISTRY_MARVIN32_H

#include <stddef.h>
#include <stdint.h>

uint64_t reg_marvin32(uint64_t seed, const void *data, size_t len);

#endif
