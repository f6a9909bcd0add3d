/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * disk/sd.h - NTFS security descriptors: what a new file or directory gets
 * from its parent directory
 *
 * Computes bytes from bytes.  Does not read or set descriptors on a volume
 * (that is guest/), knows no accounts, and leaves audit rules alone: the SACL
 * of the parent, integrity label included, is not inherited.  On a file that
 * an administrator puts into a Windows directory by hand Windows adds none
 * either, as the system's directories have no inheritable one.
 *
 * A descriptor is a self-relative SECURITY_DESCRIPTOR, little endian, as
 * Linux's ntfs-3g shows it in the attribute system.ntfs_acl and as $Secure
 * stores it.
 */
#ifndef V2V_DISK_SD_H
#define V2V_DISK_SD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"

/**
 * sd_inherit() - the descriptor of a child that an installer creates
 * @parent:    the directory's descriptor; @len: its bytes, may be followed by
 *             others
 * @directory: the child is a directory, else a file
 * @ret:       written only on success: a new descriptor, owner Administrators,
 *             group SYSTEM (what LocalSystem's token says), DACL present and
 *             auto-inherited; v2v_bytes_done() frees it
 *
 * Each ACE of the parent's DACL in turn:
 * - for a file, OBJECT_INHERIT makes an effective ACE;
 * - for a directory, CONTAINER_INHERIT makes an effective ACE; it, or
 *   OBJECT_INHERIT alone, is also passed on, unless NO_PROPAGATE_INHERIT;
 * - INHERIT_ONLY on the parent changes nothing for the child;
 * - an effective ACE has generic rights mapped to those of files and CREATOR
 *   OWNER and CREATOR GROUP replaced by the child's owner and group; where
 *   that changes an ACE that is also passed on, it becomes two: the effective
 *   one and, after it, the inherit-only original;
 * - each has INHERITED_ACE; one that is there already is not added again;
 * - an object ACE for a certain class of objects is effective for none of
 *   ours; a callback ACE keeps its condition; types that no access check
 *   looks at are left out.
 * Where nothing is inherited, be it for want of inheritable ACEs or of a
 * DACL, SYSTEM and Administrators get full control, as from the default DACL
 * of an installer's token.  A NULL DACL, which allows everybody everything,
 * is not inherited either.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT (@parent is malformed, or the result
 * exceeds the 64 KiB of an ACL) or V2V_ERR_INTERNAL (memory).
 *
 * Source: Microsoft, "ACE Inheritance Rules",
 * https://learn.microsoft.com/windows/win32/secauthz/ace-inheritance-rules;
 * [MS-DTYP] 2.4.4 to 2.4.6 (layout), 2.5.3.4 (algorithm); generic mapping:
 * "File Security and Access Rights" (FILE_GENERIC_READ and so on).
 */
int sd_inherit(const void *parent, size_t len, bool directory,
               struct v2v_bytes *ret, struct v2v_error *err);

/**
 * sd_to_text() - owner, group and DACL in SDDL, for reports
 * @ret: a new string, as in "O:BAG:SYD:AI(A;OICIID;FA;;;SY)"
 *
 * A condition of a callback ACE appears as its length only; the SACL does not
 * appear.  Rights without a name are one hexadecimal number.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT or V2V_ERR_INTERNAL (memory).
 *
 * Source: Microsoft, "Security Descriptor String Format" and "ACE Strings";
 * [MS-DTYP] 2.5.1.
 */
int sd_to_text(const void *sd, size_t len, char **ret, struct v2v_error *err);

#endif
