/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/qemu-img.h - run qemu-img
 *
 * No shell, LC_ALL=C, standard input is /dev/null.  File names are to be
 * absolute: only then does QEMU take "a:b" as a name and not as a protocol.
 *
 * The child has a process group of its own, so that a Ctrl-C at the terminal
 * reaches us and not a commit that is half done.
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

#endif
