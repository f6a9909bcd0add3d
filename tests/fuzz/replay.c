/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds every file of a corpus directory to a fuzz target, so that what a
 * fuzzer once found is tried in every run and with any compiler.
 * An empty or missing corpus is a failure: it would test nothing. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const size_t largest_input = 64 << 20;

static int
replay_file(const char *dir, const char *name)
{
    V2V_AUTO(mem) char *path = NULL;
    V2V_AUTO(bytes) struct v2v_bytes input = { 0 };
    struct v2v_error err = { 0 };

    path = v2v_format(&err, "%s/%s", dir, name);
    if (path == NULL || v2v_file_read(path, largest_input, &input, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    LLVMFuzzerTestOneInput(input.data, input.len);
    return 0;
}

int
main(int argc, char **argv)
{
    size_t count = 0;
    struct dirent *entry;
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;

    if (dir == NULL) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return EXIT_FAILURE;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay_file(argv[1], entry->d_name) < 0)
            return EXIT_FAILURE;
        count++;
    }
    closedir(dir);
    printf("%zu inputs replayed\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
