/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/text.h"
#include "sandbox/internal.h"
#include "sandbox/landlock.h"
#include "sandbox/seccomp.h"

struct sandbox_files {
    int rules; /* -1: no Landlock */
    struct seccomp_filter filter;
};

/* Where programs and libraries are, and what the dynamic linker reads before
 * the program runs: ld.so(8).  /proc and /sys are not among it. */
static const char *const system_places[] = {
    "/usr",    "/bin",       "/lib",       "/lib32",           "/lib64",
    "/libx32", "/nix/store", "/gnu/store", "/etc/ld.so.cache", NULL,
};

/* QEMU finds out with it how to lock (util/osdep.c, qemu_probe_lock_ops()). */
static const char *const system_devices[] = { "/dev/null", NULL };

static int
allow_all(int rules, const char *const *paths, enum landlock_use use,
          struct v2v_error *err)
{
    for (; *paths != NULL; paths++)
        if (landlock_allow(rules, *paths, use) < 0)
            return v2v_fail_errno(err, errno, "Landlock: %s", *paths);
    return 0;
}

/* As execvp() looks for it; it may lie outside of the system's places, and so
 * may the interpreter of a script, which then is not found. */
static int
allow_program(int rules, const char *name, struct v2v_error *err)
{
    const char *path = getenv("PATH");

    for (size_t len; path != NULL && *path != '\0';
         path += len + (path[len] == ':')) {
        V2V_AUTO(mem) char *file = NULL;

        len = strcspn(path, ":");
        file = v2v_format(err, "%.*s/%s", (int)len, path, name);
        if (file == NULL)
            return -1;
        if (access(file, X_OK) < 0)
            continue;
        if (landlock_allow(rules, file, LANDLOCK_EXECUTE) < 0)
            return v2v_fail_errno(err, errno, "Landlock: %s", file);
        return 0;
    }
    return 0;
}

static int
make_rules(struct sandbox_files *files, const char *program,
           const char *const *read_only, const char *const *read_write,
           unsigned *missing, struct v2v_error *err)
{
    files->rules = landlock_new();
    if (files->rules < 0) {
        *missing |= SANDBOX_LANDLOCK;
        return 0;
    }
    if (allow_all(files->rules, system_places, LANDLOCK_EXECUTE, err) < 0 ||
        allow_all(files->rules, system_devices, LANDLOCK_WRITE, err) < 0 ||
        allow_all(files->rules, read_only, LANDLOCK_READ, err) < 0 ||
        allow_all(files->rules, read_write, LANDLOCK_WRITE, err) < 0)
        return -1;
    return allow_program(files->rules, program, err);
}

int
sandbox_files_prepare(const char *program, const char *const *read_only,
                      const char *const *read_write, struct sandbox_files **ret,
                      struct v2v_error *err)
{
    V2V_AUTO(sandbox_files) struct sandbox_files *files = NULL;
    unsigned missing = 0;

    if (sandbox_mode() == SANDBOX_OFF) {
        *ret = NULL;
        return 0;
    }
    files = calloc(1, sizeof *files);
    if (files == NULL)
        return v2v_fail_errno(err, errno, "sandbox");
    if (make_rules(files, program, read_only, read_write, &missing, err) < 0)
        return -1;
    if (seccomp_make(SECCOMP_PROGRAM, &files->filter) < 0)
        missing |= SANDBOX_SECCOMP;
    if (sandbox_judge(missing, program, err) < 0)
        return -1;
    *ret = v2v_steal(files);
    return 0;
}

/* Of root's, those by which it opens the files of others.  With no_new_privs
 * an exec() gives none back: capabilities(7). */
enum { FILES_OF_OTHERS = 1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH };

int
sandbox_files_enter(const struct sandbox_files *files)
{
    if (files == NULL)
        return 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        sandbox_keep_capabilities(FILES_OF_OTHERS) < 0 ||
        (files->rules >= 0 && landlock_enter(files->rules) < 0))
        return -1;
    return files->filter.count > 0 ? seccomp_enter(&files->filter) : 0;
}

void
sandbox_files_free(struct sandbox_files *files)
{
    if (files == NULL)
        return;
    if (files->rules >= 0)
        close(files->rules);
    seccomp_done(&files->filter);
    free(files);
}
