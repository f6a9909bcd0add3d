/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile VMDK descriptors.  QEMU reads an extent at the start of each line by
 * sscanf(), which takes a line's end for a blank (seen with 7.2): whatever
 * text we accept has to mean the same files to it. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/vmdk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
    if (!ok)
        abort();
}

static void
compare(const char *text, const struct vmdk_descriptor *descriptor)
{
    size_t used = 0;

    for (const char *line = text; line != NULL;) {
        char access[10] = "", type[10] = "", name[512] = "";
        int64_t sectors = 0, offset = 0;
        int found =
            sscanf(line, "%9s %" SCNd64 " %9s \"%511[^\n\r\"]\" %" SCNd64,
                   access, &sectors, type, name, &offset);

        if (found >= 4 && strcmp(access, "RW") == 0) {
            const struct vmdk_extent *ours = &descriptor->extents[used++];

            check(used <= descriptor->count);
            check(strncmp(ours->name, name, sizeof name - 1) == 0);
            check(strcmp(ours->type, type) == 0);
            check(ours->sectors == (uint64_t)sectors);
            check(ours->offset == (uint64_t)offset);
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct vmdk_descriptor descriptor = { 0 };
    char *text;

    if (vmdk_parse_descriptor(data, len, &descriptor, NULL) < 0)
        return 0;
    text = strndup((const char *)data, len);
    check(text != NULL && descriptor.count <= VMDK_EXTENTS_MAX);
    compare(text, &descriptor);
    free(text);
    vmdk_descriptor_done(&descriptor);
    return 0;
}
