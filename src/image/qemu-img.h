/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/qemu-img.h - run qemu-img
 *
 * As image/child.h says: no shell, in English, file names are to be absolute.
 */
#ifndef V2V_IMAGE_QEMU_IMG_H
#define V2V_IMAGE_QEMU_IMG_H

#include "base/bytes.h"
#include "base/error.h"

/**
 * qemu_img() - run it and wait
 * @argv: without the "qemu-img" in front, NULL at the end
 * @out:  its standard output; NULL: not wanted
 *
 * Returns: 0, or -1 with
 * V2V_ERR_FORMAT    it failed; the text is what it said
 * V2V_ERR_BUSY      it failed to get a lock of an image
 * V2V_ERR_INTERNAL  it cannot be run, was killed, or printed beyond reason
 */
int qemu_img(const char *const *argv, struct v2v_bytes *out,
             struct v2v_error *err);

/* The same for a verb with -p, in place of -q: its percentage is
 * v2v_progress(), in hundredths. */
int qemu_img_watched(const char *const *argv, struct v2v_error *err);

#endif
