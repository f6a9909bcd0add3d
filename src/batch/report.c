/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch/report.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "batch/report-private.h"

static const struct kind {
    const char *extension;
    int (*write)(struct ledger *ledger, FILE *to, struct v2v_error *err);
} kinds[] = {
    { ".html", report_write_html },
    { ".csv", report_write_csv },
    { ".json", report_write_json },
};

static const struct kind *
find_kind(const char *path, struct v2v_error *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (v2v_has_suffix_nocase(path, kinds[i].extension))
            return &kinds[i];
    v2v_error_set(err, V2V_ERR_USAGE,
                  "%s: a report is a .html, .csv or .json file", path);
    return NULL;
}

int
batch_report_check(const char *path, struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = v2v_strdup(path, err);

    if (copy == NULL || find_kind(path, err) == NULL)
        return -1;
    if (access(dirname(copy), W_OK | X_OK) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: its folder: %s", path,
                        strerror(errno));
    return 0;
}

struct writing {
    const struct kind *kind;
    struct ledger *ledger;
};

static int
write_kind(int fd, void *opaque, struct v2v_error *err)
{
    const struct writing *writing = opaque;
    int copy = dup(fd);
    FILE *to = copy >= 0 ? fdopen(copy, "w") : NULL;
    int result, bad;

    if (to == NULL)
        return v2v_fail_errno(err, errno, "cannot write");
    result = writing->kind->write(writing->ledger, to, err);
    errno = 0;
    bad = ferror(to);
    if ((fclose(to) != 0 || bad) && result == 0)
        result = v2v_fail_errno(err, errno != 0 ? errno : EIO, "cannot write");
    return result;
}

int
batch_report_write(const char *path, struct ledger *ledger,
                   struct v2v_error *err)
{
    struct writing writing = { .kind = find_kind(path, err), .ledger = ledger };

    if (writing.kind == NULL)
        return -1;
    return v2v_file_replace_by(path, write_kind, &writing, err);
}
