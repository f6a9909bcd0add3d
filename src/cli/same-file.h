/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/same-file.h - is a file one that was named already?  By whatever name */
#ifndef V2V_CLI_SAME_FILE_H
#define V2V_CLI_SAME_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/text.h"

/* @path: NULL, or one that is not there, is no file's. */
bool is_same_file(const char *path, const struct stat *file);
bool same_file_among(const struct v2v_strings *paths, const struct stat *file);

#endif
