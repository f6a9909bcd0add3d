/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * catalog/pe.h - the Authenticode hash of a PE image, and the signature inside
 *
 * Of a PE image only what the hash needs is read; whether Windows would load
 * it is not checked.
 *
 * Source: Microsoft, "Windows Authenticode Portable Executable Signature
 * Format", "Calculating the PE Image Hash"; Microsoft, "PE Format".
 */
#ifndef V2V_CATALOG_PE_H
#define V2V_CATALOG_PE_H

#include "catalog/catalog.h"

/* "MZ" at the start, and "PE\0\0" where it points. */
bool catalog_is_pe(const void *data, size_t len);

/**
 * catalog_pe_hash() - the Authenticode hash
 *
 * PE32 and PE32+.  All bytes in the order of the file, with what follows the
 * last section, but for the CheckSum field, the data directory's entry of the
 * certificate table, and that table.  Where sections overlap or leave gaps,
 * which no linker writes, the document's sum is another one.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT when a header or the certificate table
 * is outside the file, or it is no PE image.
 */
int catalog_pe_hash(const void *data, size_t len, enum catalog_hash hash,
                    struct catalog_digest *ret, struct v2v_error *err);

/**
 * catalog_pe_signer() - who signed a PE image
 * @ret: written only on success; catalog_signer_done() frees what it holds
 *
 * Looks at the first PKCS#7 entry of the certificate table; a second signature
 * nested in it is not looked at.
 *
 * Returns: 0, or -1 with
 *   V2V_ERR_NOT_FOUND  there is no signature in it
 *   V2V_ERR_FORMAT     malformed, the signature does not verify, or the hash
 *                      that is signed is not the image's
 */
int catalog_pe_signer(const void *data, size_t len, struct catalog_signer *ret,
                      struct v2v_error *err);

#endif
