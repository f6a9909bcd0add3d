/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile manifests: whatever is read is lines in order, each with a problem or
 * with values that can be words of a command line. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "batch/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
    if (!ok)
        abort();
}

static void
check_text(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        check((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void
check_line(const struct manifest_line *line)
{
    check(line->problem == NULL || line->count == 0);
    check(line->count <= MANIFEST_MAX_FIELDS);
    if (line->problem != NULL)
        check_text(line->problem);
    for (size_t i = 0; i < line->count; i++) {
        check(*line->fields[i].value != '\0');
        check_text(line->fields[i].name);
        check_text(line->fields[i].value);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct manifest manifest = { 0 };
    size_t before = 0;

    if (manifest_parse(data, len, &manifest, NULL) < 0)
        return 0;
    check(manifest.count > 0 && strlen(manifest.digest) == MANIFEST_DIGEST_LEN);
    for (size_t i = 0; i < manifest.count; i++) {
        check(manifest.lines[i].number > before);
        before = manifest.lines[i].number;
        check_line(&manifest.lines[i]);
    }
    manifest_done(&manifest);
    return 0;
}
