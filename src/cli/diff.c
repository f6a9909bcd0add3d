/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/diff.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/process.h"
#include "base/text.h"

/* A file in memory that a child gets, with its name there. */
struct memory_file {
    int fd;
    char path[32];
};

static void
auto_memory_file(const struct memory_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
}

#define AUTO_MEMORY_FILE                                                       \
    __attribute__((cleanup(auto_memory_file))) struct memory_file

static int
memory_file_open(const struct v2v_bytes *text, struct memory_file *ret,
                 struct v2v_error *err)
{
    ret->fd = memfd_create("diff", 0);
    if (ret->fd < 0 || v2v_fd_write(ret->fd, text->data, text->len) < 0)
        return v2v_fail_errno(err, errno, "a file for diff");
    snprintf(ret->path, sizeof ret->path, "/dev/fd/%d", ret->fd);
    return 0;
}

/* "--- NAME": no line break may be in it */
static char *
label(const struct diff_side *side, struct v2v_error *err)
{
    char *name = v2v_strdup(side->name, err);

    if (name != NULL)
        v2v_make_printable(name);
    return name;
}

/* Status 1 is diff's word for "they differ". */
static int
run(const char *const *argv, int out, struct v2v_error *err)
{
    char locale[] = "LC_ALL=C"; /* "\\ No newline ..." in English */
    char *environment[] = { locale, NULL };
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status, failed = posix_spawn_file_actions_init(&actions);

    if (failed != 0)
        return v2v_fail_errno(err, failed, "diff");
    failed = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (failed == 0)
        failed = posix_spawnp(&pid, argv[0], &actions, NULL,
                              (char *const *)argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return v2v_fail_errno(err, failed, "diff (of the package diffutils)");
    status = v2v_reap(pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return v2v_fail(err, V2V_ERR_INTERNAL, "diff failed");
    return 0;
}

int
diff_unified(const struct diff_side *from, const struct diff_side *to,
             struct v2v_bytes *ret, struct v2v_error *err)
{
    static const size_t largest = 256 << 20;
    static const struct v2v_bytes nothing = { 0 };
    V2V_AUTO(mem) char *old_name = label(from, err);
    V2V_AUTO(mem) char *new_name = label(to, err);
    AUTO_MEMORY_FILE old = { .fd = -1 };
    AUTO_MEMORY_FILE new = { .fd = -1 };
    AUTO_MEMORY_FILE out = { .fd = -1 };

    if (old_name == NULL || new_name == NULL ||
        memory_file_open(from->text, &old, err) < 0 ||
        memory_file_open(to->text, &new, err) < 0 ||
        memory_file_open(&nothing, &out, err) < 0)
        return -1;
    {
        const char *const argv[] = { "diff",   "-au",     "--label",
                                     old_name, "--label", new_name,
                                     old.path, new.path,  NULL };

        if (run(argv, out.fd, err) < 0)
            return -1;
    }
    if (lseek(out.fd, 0, SEEK_SET) < 0)
        return v2v_fail_errno(err, errno, "diff");
    return v2v_fd_read(out.fd, largest, ret, err);
}
