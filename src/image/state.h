/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/state.h - the state file: a transaction as JSON
 *
 *     {
 *       "schema": 1,
 *       "state": "committing",              or "preparing", "committed"
 *       "image": "/srv/vm.qcow2",
 *       "format": "qcow2",
 *       "copy": false,
 *       "overlay_prefix": "/srv/vm.qcow2",
 *       "files": ["/srv/vm.qcow2"],
 *       "scratch": "/tmp/v2v-virtio.Xy12ab", or null
 *       "keeps_undo": 1,                    0: none
 *       "retains_undo": true,
 *       "spends_undo": 0,
 *       "xml": "/srv/vm.xml",               or null
 *       "xml_removed": false,
 *       "domain": {...},                    see image/definition.h; or null
 *       "domain_kept": false
 *     }
 *
 * A path that is not UTF-8 is {"hex": "2f73..."} in place of a string.
 */
#ifndef V2V_IMAGE_STATE_H
#define V2V_IMAGE_STATE_H

#include "image/transaction.h"

/**
 * state_read() - what the state file at @path says
 * @t: image, prefix and overlay_prefix are set; the rest is filled in, the
 *     step is TRANSACTION_NONE when there is no such file
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST: not a regular file of this user's or
 * root's, no JSON as above, or of an image with another name (the overlay
 * names its image by path: files that were moved do not fit any more).
 */
int state_read(const char *path, struct transaction *t, struct v2v_error *err);

/* Replaces the file at once and durably. */
int state_write(const char *path, const struct transaction *t,
                struct v2v_error *err);

#endif
