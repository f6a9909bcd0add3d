/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/own-file.h - the small files that image/ keeps beside an image
 *
 * Who may write there can do with the image what he likes.  But in a folder
 * that everybody can write, like /tmp, a file of somebody else's must not make
 * us delete or overwrite others: what these files name is acted on. */
#ifndef V2V_IMAGE_OWN_FILE_H
#define V2V_IMAGE_OWN_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Is there a file of that name, of whatever kind? */
bool own_file_exists(const char *path);

/* open() of a regular file that belongs to this user or to root, and has no
 * other name; V2V_ERR_GUEST for any other, V2V_ERR_INTERNAL. */
int own_file_open(const char *path, int flags, int *ret, struct v2v_error *err);

/* The JSON in such a file; *@ret is NULL when it is no JSON or larger than
 * @max. */
int own_file_read(const char *path, off_t max, json_t **ret,
                  struct v2v_error *err);

/* A new, empty file that only this user can read: qemu-img would follow a
 * symbolic link that is in the way, and let everybody read what is in the
 * guest. What is there is deleted: under our lock, whoever made it is dead. */
int own_file_make(const char *path, struct v2v_error *err);

/* Absent is what is wanted; V2V_ERR_INTERNAL.  @path may be NULL, for memory
 * that has run out: -1, @err stays. */
int own_file_delete(const char *path, struct v2v_error *err);

#endif
