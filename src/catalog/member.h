/* SPDX-License-Identifier: GPL-2.0-or-later */
/* catalog/member.h - inside catalog/: structures that entries and signed PE
 * images share */
#ifndef V2V_CATALOG_MEMBER_H
#define V2V_CATALOG_MEMBER_H

#include "catalog/catalog.h"
#include "catalog/der.h"

/* "Windows Authenticode Portable Executable Signature Format" */
#define OID_INDIRECT_DATA "1.3.6.1.4.1.311.2.1.4"

/**
 * member_read_indirect() - SpcIndirectDataContent
 * @content: of its SEQUENCE
 * Returns: 0, 1 when the algorithm is neither SHA-1 nor SHA-256, or -1 when
 *          malformed; @ret is written on 0 only.
 */
int member_read_indirect(struct der content, struct catalog_digest *ret);

/* A raw digest of 20 or 32 bytes; false for another length. */
bool member_read_digest(struct der raw, struct catalog_digest *ret);

#endif
