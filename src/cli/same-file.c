/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/same-file.h"

bool
is_same_file(const char *path, const struct stat *file)
{
    struct stat st;

    return path != NULL && stat(path, &st) == 0 && st.st_dev == file->st_dev &&
           st.st_ino == file->st_ino;
}

bool
same_file_among(const struct v2v_strings *paths, const struct stat *file)
{
    for (size_t i = 0; i < paths->count; i++)
        if (is_same_file(paths->items[i], file))
            return true;
    return false;
}
