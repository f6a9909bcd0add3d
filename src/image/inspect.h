/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/inspect.h - what kind of image a file is, and whether ours can be
 * done to it
 *
 * Takes no lock and changes nothing.
 */
#ifndef V2V_IMAGE_INSPECT_H
#define V2V_IMAGE_INSPECT_H

#include "base/error.h"

/**
 * inspect_image() - find the format, refuse what cannot or may not be written
 * @fd:     the open image
 * @path:   its absolute name
 * @wanted: the user's format, NULL: by magic
 * @format: new; the caller frees it
 *
 * Error codes: V2V_ERR_GUEST, V2V_ERR_FORMAT, V2V_ERR_BUSY and
 * V2V_ERR_INTERNAL as image_open() has them.
 */
int inspect_image(int fd, const char *path, const char *wanted, char **format,
                  struct v2v_error *err);

#endif
