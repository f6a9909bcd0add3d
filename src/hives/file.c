/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hives/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int
fail(struct v2v_error *err)
{
    return v2v_fail_errno(err, errno, "memory for a registry hive");
}

int
hives_file_new(struct hives_file **ret, struct v2v_error *err)
{
    V2V_AUTO(hives_file) struct hives_file *file = calloc(1, sizeof *file);
    char name[32];

    if (file == NULL)
        return fail(err);
    file->fd = file->reader = -1;
    file->fd = memfd_create("hive", MFD_CLOEXEC);
    if (file->fd < 0)
        return fail(err);
    snprintf(name, sizeof name, "/proc/self/fd/%d", file->fd);
    file->reader = open(name, O_RDONLY | O_CLOEXEC);
    /* nobody opens it for writing again */
    if (file->reader < 0 || fchmod(file->fd, 0) < 0)
        return fail(err);
    *ret = v2v_steal(file);
    return 0;
}

static void
unmap(struct hives_file *file)
{
    if (file->data != NULL)
        munmap((void *)(uintptr_t)file->data, file->len);
    file->data = NULL;
    file->len = 0;
}

void
hives_file_free(struct hives_file *file)
{
    if (file == NULL)
        return;
    unmap(file);
    if (file->reader >= 0)
        close(file->reader);
    if (file->fd >= 0)
        close(file->fd);
    free(file);
}

/* Of a descriptor that is only read no mapping can be made writable, also not
 * in a copy of this process. */
int
hives_file_update(struct hives_file *file, struct v2v_error *err)
{
    struct stat st;
    void *data;

    unmap(file);
    if (fstat(file->fd, &st) < 0)
        return fail(err);
    if (st.st_size == 0)
        return 0;
    data =
        mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, file->reader, 0);
    if (data == MAP_FAILED)
        return fail(err);
    file->data = data;
    file->len = (size_t)st.st_size;
    return 0;
}

int
hives_file_write(struct hives_file *file, const void *data, size_t len,
                 size_t offset, struct v2v_error *err)
{
    const uint8_t *from = data;
    size_t end = offset + len;

    while (len > 0) {
        ssize_t n = pwrite(file->fd, from, len, (off_t)offset);

        if (n < 0 && errno != EINTR)
            return fail(err);
        if (n > 0) {
            from += n;
            offset += (size_t)n;
            len -= (size_t)n;
        }
    }
    return end > file->len ? hives_file_update(file, err) : 0;
}

void
hives_file_let_go(const struct hives_file *file)
{
    if (file->data != NULL)
        madvise((void *)(uintptr_t)file->data, file->len, MADV_DONTNEED);
}
