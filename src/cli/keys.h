/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/keys.h - what --key says: ID:key:STRING or ID:file:FILENAME
 *
 * ID is a device as libguestfs' tools name it (/dev/sda2), "all", or the
 * identifier of a BitLocker volume or of one of its protectors.
 *
 * No message has anything of a selector but an ID that was recognised: whoever
 * mixes up the fields has written the key elsewhere.
 *
 * Source: guestfish(1), virt-customize(1), "--key"; "all": their newer
 * versions.
 */
#ifndef V2V_CLI_KEYS_H
#define V2V_CLI_KEYS_H

#include "base/text.h"
#include "guest/key.h"

/* Is it one?  V2V_ERR_USAGE.  No file is read. */
int cli_check_key(const char *selector, struct v2v_error *err);

/**
 * cli_keys_load() - the keys themselves
 * @selectors: that cli_check_key() has let pass
 * @ret:       all zero; guest_keys_done(), also after a failure
 *
 * A file's key is its first line, as libguestfs' tools have it.
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE: a file that cannot be read, or holds no
 * key.
 */
int cli_keys_load(const struct v2v_strings *selectors, struct guest_keys *ret,
                  struct v2v_error *err);

/* A selector whose file is relative to @folder; a new string. */
char *cli_key_in(const char *folder, const char *selector,
                 struct v2v_error *err);

/* Does an option as a word of the command line, "--key=...", hold a key's
 * text? */
bool cli_is_secret(const char *word);

/* The same word as it may be shown and kept: "--key=all:key:***"; a new
 * string. */
char *cli_masked(const char *word, struct v2v_error *err);

#endif
