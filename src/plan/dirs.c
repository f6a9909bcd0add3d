/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "plan/plan-private.h"

/* The driver store's folder of a package, below the Windows directory. */
#define FILE_REPOSITORY "System32\\DriverStore\\FileRepository\\"

/* Directory ids below the Windows directory.
 * Source: Microsoft, "Using Dirids". */
static const struct {
    int dirid;
    const char *path;
} dirs_below_windows[] = {
    { 10, "" },
    { 11, "System32" },
    { 12, "System32\\drivers" },
    { 17, "INF" },
    { 18, "Help" },
    { 20, "Fonts" },
    { 21, "System32\\viewers" },
    { 23, "System32\\spool\\drivers\\color" },
    { 50, "System" },
    { 51, "System32\\spool" },
    { 52, "System32\\spool\\drivers" },
    { 55, "System32\\spool\\prtprocs" },
    { 16425, "SysWOW64" },
};

char *
plan_dir(const struct planning *p, int dirid, struct v2v_error *err)
{
    if (dirid == PLAN_DIRID_PACKAGE)
        return v2v_format(err, FILE_REPOSITORY "%s", p->package->name);
    for (size_t i = 0;
         i < sizeof dirs_below_windows / sizeof *dirs_below_windows; i++)
        if (dirs_below_windows[i].dirid == dirid)
            return v2v_strdup(dirs_below_windows[i].path, err);
    v2v_error_set(err, V2V_ERR_DRIVER,
                  "%s: directory id %d is not below the Windows directory",
                  p->driver->inf_name, dirid);
    v2v_error_name(err, "driver-inf");
    return NULL;
}

static const char *
path_of(void *opaque, int dirid)
{
    struct plan_dirs *dirs = opaque;
    V2V_AUTO(mem) char *path = plan_dir(dirs->p, dirid, NULL);
    int n;

    if (path == NULL)
        return NULL; /* the token stays as it is */
    n = snprintf(dirs->buffer, sizeof dirs->buffer, "%s%s%s", dirs->prefix,
                 *dirs->prefix != '\0' && *path != '\0' ? "\\" : "", path);
    return n < 0 || (size_t)n >= sizeof dirs->buffer ? NULL : dirs->buffer;
}

void
plan_dirs_init(struct plan_dirs *dirs, const struct planning *p,
               const char *prefix)
{
    *dirs = (struct plan_dirs){ .p = p, .prefix = prefix };
    dirs->dirs = (struct inf_dirs){ .path = path_of, .opaque = dirs };
}
