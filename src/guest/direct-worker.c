/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process in the sandbox.  It has no log and no standard error; what goes
 * wrong is an answer. */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "disk/fat.h"
#include "guest/backend.h"
#include "guest/direct-rpc.h"
#include "guest/direct.h"
#include "image/nbd.h"
#include "ntfs/volume.h"
#include "sandbox/worker.h"

struct work {
    struct nbd_disk *disk; /* NULL: closed */
    bool write;
    struct ntfs_volume *ntfs; /* one of the two, or neither, is mounted */
    struct fat *fat;
};

/* The disk ----------------------------------------------------------------- */

static int
read_disk(void *opaque, uint64_t offset, void *buf, size_t len,
          struct v2v_error *err)
{
    return nbd_disk_read(opaque, offset, buf, len, err);
}

static int
write_disk(void *opaque, uint64_t offset, const void *buf, size_t len,
           struct v2v_error *err)
{
    return nbd_disk_write(opaque, offset, buf, len, err);
}

static int
flush_disk(void *opaque, struct v2v_error *err)
{
    return nbd_disk_flush(opaque, err);
}

static int
hello(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
      struct v2v_error *err)
{
    (void)m;
    (void)err;
    answer->numbers[0] = nbd_disk_size(w->disk);
    return 0;
}

static int
answer_disk_read(struct work *w, const struct rpc_message *m,
                 struct rpc_message *answer, struct v2v_error *err)
{
    size_t len = (size_t)m->numbers[1];
    uint8_t *data;

    if (m->numbers[1] > DIRECT_CHUNK)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%" PRIu64 " bytes at once",
                        m->numbers[1]);
    data = malloc(len > 0 ? len : 1);
    if (data == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    answer->store = (struct v2v_bytes){ .data = data, .len = len, .cap = len };
    rpc_set_part(answer);
    return nbd_disk_read(w->disk, m->numbers[0], data, len, err);
}

/* A volume ----------------------------------------------------------------- */

static int
mount_ntfs(struct work *w, const struct rpc_message *m, struct v2v_error *err)
{
    const struct ntfs_disk disk = { .opaque = w->disk,
                                    .size = nbd_disk_size(w->disk),
                                    .sector_size = (unsigned)m->numbers[2],
                                    .read = read_disk,
                                    .write = w->write ? write_disk : NULL,
                                    .flush = w->write ? flush_disk : NULL };

    return ntfs_mount_at(&disk, m->numbers[0], m->numbers[1],
                         m->numbers[4] != 0, &w->ntfs, err);
}

static int
mount_fat(struct work *w, const struct rpc_message *m, struct v2v_error *err)
{
    const struct disk_reader disk = nbd_disk_reader(w->disk);
    V2V_AUTO(mem) struct fat *fat = malloc(sizeof *fat);

    if (fat == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    if (fat_open(&disk, m->numbers[0], m->numbers[1], fat, err) < 0)
        return -1;
    w->fat = v2v_steal(fat);
    return 0;
}

static int
mount_volume(struct work *w, const struct rpc_message *m,
             struct rpc_message *answer, struct v2v_error *err)
{
    (void)answer;
    return m->numbers[3] == GUEST_FAT ? mount_fat(w, m, err)
                                      : mount_ntfs(w, m, err);
}

static int
unmount_volume(struct work *w, const struct rpc_message *m,
               struct rpc_message *answer, struct v2v_error *err)
{
    (void)m;
    (void)answer;
    return ntfs_unmount(v2v_steal(w->ntfs), err);
}

static int
unmount_fat(struct work *w, const struct rpc_message *m,
            struct rpc_message *answer, struct v2v_error *err)
{
    (void)m;
    (void)answer;
    (void)err;
    free(v2v_steal(w->fat));
    return 0;
}

static int
free_space(struct work *w, const struct rpc_message *m,
           struct rpc_message *answer, struct v2v_error *err)
{
    (void)m;
    return ntfs_free_space(w->ntfs, &answer->numbers[0], err);
}

static int
lookup(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
       struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = NULL;
    struct ntfs_entry entry = { 0 };

    if (ntfs_lookup(w->ntfs, rpc_text(m, 0), rpc_text(m, 1), &name, &entry,
                    err) < 0 ||
        v2v_bytes_copy(name, strlen(name), &answer->store, err) < 0)
        return -1;
    rpc_set_part(answer);
    answer->numbers[0] = (entry.exists ? DIRECT_EXISTS : 0U) |
                         (entry.is_dir ? DIRECT_DIRECTORY : 0U) |
                         (entry.reparse ? DIRECT_REPARSE : 0U);
    answer->numbers[1] = entry.size;
    answer->numbers[2] = entry.record;
    return 0;
}

/* FAT's own look-up is without regard to the case of ASCII alone. */
static int
lookup_fat(struct work *w, const struct rpc_message *m,
           struct rpc_message *answer, struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = NULL;
    struct fat_entry entry = { 0 };
    int found =
        fat_lookup(w->fat, rpc_text(m, 0), rpc_text(m, 1), &name, &entry, err);

    if (found < 0 ||
        v2v_bytes_copy(name, strlen(name), &answer->store, err) < 0)
        return -1;
    rpc_set_part(answer);
    if (found == 0)
        return 0;
    answer->numbers[0] =
        DIRECT_EXISTS | (entry.is_directory ? DIRECT_DIRECTORY : 0U);
    answer->numbers[1] = entry.size;
    return 0;
}

static int
list(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
     struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if ((w->fat != NULL
             ? fat_list(w->fat, rpc_text(m, 0), GUEST_LIST_MAX, &names, err)
             : ntfs_list(w->ntfs, rpc_text(m, 0), GUEST_LIST_MAX, &names,
                         err)) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (v2v_bytes_add(&answer->store, names.items[i],
                          strlen(names.items[i]) + 1, err) < 0)
            return -1;
    rpc_set_part(answer);
    return 0;
}

static int
read_file(struct work *w, const struct rpc_message *m,
          struct rpc_message *answer, struct v2v_error *err)
{
    size_t len = m->numbers[1] < DIRECT_CHUNK ? (size_t)m->numbers[1]
                                              : (size_t)DIRECT_CHUNK;

    if ((w->fat != NULL ? fat_read(w->fat, rpc_text(m, 0), m->numbers[0], len,
                                   &answer->store, err)
                        : ntfs_read(w->ntfs, rpc_text(m, 0), m->numbers[0], len,
                                    &answer->store, err)) < 0)
        return -1;
    rpc_set_part(answer);
    return 0;
}

static int
descriptor(struct work *w, const struct rpc_message *m,
           struct rpc_message *answer, struct v2v_error *err)
{
    if (ntfs_descriptor(w->ntfs, rpc_text(m, 0), &answer->store, err) < 0)
        return -1;
    rpc_set_part(answer);
    return 0;
}

static int
make(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
     struct v2v_error *err)
{
    (void)answer;
    return ntfs_make(w->ntfs, rpc_text(m, 0), m->numbers[0] != 0,
                     m->parts[1].data, m->parts[1].len, m->parts[2].data,
                     m->parts[2].len, err);
}

static int
write_at(struct work *w, const struct rpc_message *m,
         struct rpc_message *answer, struct v2v_error *err)
{
    (void)answer;
    return ntfs_write_at(w->ntfs, rpc_text(m, 0), m->parts[1].data,
                         m->parts[1].len, m->numbers[0], err);
}

static int
cut(struct work *w, const struct rpc_message *m, struct rpc_message *answer,
    struct v2v_error *err)
{
    (void)answer;
    return ntfs_truncate(w->ntfs, rpc_text(m, 0), m->numbers[0], err);
}

static int
close_disk(struct work *w, const struct rpc_message *m,
           struct rpc_message *answer, struct v2v_error *err)
{
    (void)m;
    (void)answer;
    return nbd_disk_close(v2v_steal(w->disk), err);
}

typedef int operation_fn(struct work *w, const struct rpc_message *m,
                         struct rpc_message *answer, struct v2v_error *err);

/* What is done with nothing mounted, on NTFS, on FAT. */
static const struct {
    operation_fn *without, *ntfs, *fat;
} operations[DIRECT_OPS] = {
    [DIRECT_HELLO] = { .without = hello },
    [DIRECT_DISK_READ] = { answer_disk_read, answer_disk_read,
                           answer_disk_read },
    [DIRECT_MOUNT] = { .without = mount_volume },
    [DIRECT_UNMOUNT] = { .ntfs = unmount_volume, .fat = unmount_fat },
    [DIRECT_FREE_SPACE] = { .ntfs = free_space },
    [DIRECT_LOOKUP] = { .ntfs = lookup, .fat = lookup_fat },
    [DIRECT_LIST] = { .ntfs = list, .fat = list },
    [DIRECT_READ] = { .ntfs = read_file, .fat = read_file },
    [DIRECT_DESCRIPTOR] = { .ntfs = descriptor },
    [DIRECT_MAKE] = { .ntfs = make },
    [DIRECT_WRITE_AT] = { .ntfs = write_at },
    [DIRECT_TRUNCATE] = { .ntfs = cut },
    [DIRECT_CLOSE] = { .without = close_disk },
};

static int
carry_out(void *opaque, const struct rpc_message *m, struct rpc_message *answer,
          struct v2v_error *err)
{
    struct work *w = opaque;
    operation_fn *run = w->fat != NULL    ? operations[m->op].fat
                        : w->ntfs != NULL ? operations[m->op].ntfs
                                          : operations[m->op].without;

    if (run == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "not with %s",
                        w->fat != NULL    ? "FAT"
                        : w->ntfs != NULL ? "a mounted volume"
                                          : "no volume mounted");
    return run(w, m, answer, err);
}

int
direct_work(int fd, int nbd, bool write)
{
    struct work w = { .write = write };
    struct v2v_error err = { 0 };
    bool closed;

    v2v_log_set(NULL, NULL);
    if (nbd_disk_adopt(nbd, &w.disk, &err) < 0) {
        rpc_refuse(fd, &err, &err);
        return EXIT_FAILURE;
    }
    while (w.disk != NULL && worker_serve(fd, &direct_protocol, carry_out, &w))
        continue;
    closed = w.disk == NULL;
    ntfs_abandon(w.ntfs);
    free(w.fat);
    nbd_disk_abandon(w.disk);
    return closed ? EXIT_SUCCESS : EXIT_FAILURE;
}
