/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>

#include <ntfs-3g/logging.h>

#include "base/log.h"
#include "base/text.h"
#include "ntfs/internal.h"

/* The library has one handler for all volumes, and knows no threads. */
static char said[256];

static __attribute__((format(printf, 6, 0))) int
keep_message(const char *function, const char *file, int line, u32 level,
             void *data, const char *format, va_list args)
{
    char text[sizeof said];
    int len = vsnprintf(text, sizeof text, format, args);

    (void)file;
    (void)line;
    (void)level;
    (void)data;
    text[strcspn(text, "\n")] = '\0';
    v2v_make_printable(text);
    v2v_trace("ntfs", "%s: %s", function, text);
    if (said[0] == '\0')
        snprintf(said, sizeof said, "%s", text);
    return len;
}

void
catch_messages(void)
{
    ntfs_log_set_handler(keep_message);
    said[0] = '\0';
}

bool
library_complained(void)
{
    return said[0] != '\0';
}

/* The values of errno that do not mean that the volume is damaged. */
static enum v2v_error_code
class_of(int errnum)
{
    switch (errnum) {
    case ENOMEM:
        return V2V_ERR_INTERNAL;
    case ENOSPC:
    case EOPNOTSUPP:
        return V2V_ERR_GUEST;
    default:
        return V2V_ERR_FORMAT;
    }
}

void
volume_set_error(const struct ntfs_volume *volume, int errnum,
                 struct v2v_error *err, const char *fmt, ...)
{
    V2V_AUTO(mem) char *what = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&what, fmt, args) < 0)
        what = NULL;
    va_end(args);
    if (volume->device.broken.code != V2V_OK)
        v2v_error_set(err, volume->device.broken.code, "%s: %s",
                      what != NULL ? what : "", volume->device.broken.text);
    else
        v2v_error_set(
            err, class_of(errnum), "%s: %s%s%s%s", what != NULL ? what : "",
            errnum == EIO || errnum == ENOENT ? "damaged" : strerror(errnum),
            said[0] != '\0' ? " (libntfs-3g: " : "", said,
            said[0] != '\0' ? ")" : "");
}

int
volume_begin(const struct ntfs_volume *volume, struct v2v_error *err)
{
    catch_messages();
    if (volume->device.broken.code != V2V_OK)
        return v2v_fail(err, volume->device.broken.code,
                        "the volume is not used any more since it failed: %s",
                        volume->device.broken.text);
    return 0;
}
