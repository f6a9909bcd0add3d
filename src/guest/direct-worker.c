/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process in the sandbox.  It has no log and no standard error; what goes
 * wrong is an answer. */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "guest/backend.h"
#include "guest/direct.h"
#include "guest/rpc.h"
#include "image/nbd.h"
#include "ntfs/volume.h"

struct worker {
    struct nbd_disk *disk; /* NULL: closed */
    bool write;
    struct ntfs_volume *ntfs; /* NULL: not mounted */
};

static const char *
text(const struct rpc_message *m, size_t part)
{
    return m->parts[part].data;
}

/* What is in the store is the answer's only part. */
static void
set_part(struct rpc_message *answer)
{
    answer->parts[0] =
        (struct rpc_part){ answer->store.data, answer->store.len };
}

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
hello(struct worker *w, const struct rpc_message *m, struct rpc_message *answer,
      struct v2v_error *err)
{
    (void)m;
    (void)err;
    answer->numbers[0] = nbd_disk_size(w->disk);
    return 0;
}

static int
answer_disk_read(struct worker *w, const struct rpc_message *m,
                 struct rpc_message *answer, struct v2v_error *err)
{
    size_t len = (size_t)m->numbers[1];
    uint8_t *data;

    if (m->numbers[1] > RPC_CHUNK)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%" PRIu64 " bytes at once",
                        m->numbers[1]);
    data = malloc(len > 0 ? len : 1);
    if (data == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
    answer->store = (struct v2v_bytes){ .data = data, .len = len, .cap = len };
    set_part(answer);
    return nbd_disk_read(w->disk, m->numbers[0], data, len, err);
}

/* A volume ----------------------------------------------------------------- */

static int
mount_volume(struct worker *w, const struct rpc_message *m,
             struct rpc_message *answer, struct v2v_error *err)
{
    const struct ntfs_disk disk = { .opaque = w->disk,
                                    .size = nbd_disk_size(w->disk),
                                    .sector_size = (unsigned)m->numbers[2],
                                    .read = read_disk,
                                    .write = w->write ? write_disk : NULL,
                                    .flush = w->write ? flush_disk : NULL };

    (void)answer;
    if (w->ntfs != NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "a volume is mounted");
    return ntfs_mount_at(&disk, m->numbers[0], m->numbers[1],
                         m->numbers[4] != 0, &w->ntfs, err);
}

static int
unmount_volume(struct worker *w, const struct rpc_message *m,
               struct rpc_message *answer, struct v2v_error *err)
{
    (void)m;
    (void)answer;
    return ntfs_unmount(v2v_steal(w->ntfs), err);
}

static int
free_space(struct worker *w, const struct rpc_message *m,
           struct rpc_message *answer, struct v2v_error *err)
{
    (void)m;
    return ntfs_free_space(w->ntfs, &answer->numbers[0], err);
}

static int
lookup(struct worker *w, const struct rpc_message *m,
       struct rpc_message *answer, struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = NULL;
    struct ntfs_entry entry = { 0 };

    if (ntfs_lookup(w->ntfs, text(m, 0), text(m, 1), &name, &entry, err) < 0 ||
        v2v_bytes_copy(name, strlen(name), &answer->store, err) < 0)
        return -1;
    set_part(answer);
    answer->numbers[0] = (entry.exists ? RPC_EXISTS : 0U) |
                         (entry.is_dir ? RPC_DIRECTORY : 0U) |
                         (entry.reparse ? RPC_REPARSE : 0U);
    answer->numbers[1] = entry.size;
    answer->numbers[2] = entry.record;
    return 0;
}

static int
list(struct worker *w, const struct rpc_message *m, struct rpc_message *answer,
     struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };

    if (ntfs_list(w->ntfs, text(m, 0), GUEST_LIST_MAX, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (v2v_bytes_add(&answer->store, names.items[i],
                          strlen(names.items[i]) + 1, err) < 0)
            return -1;
    set_part(answer);
    return 0;
}

static int
read_file(struct worker *w, const struct rpc_message *m,
          struct rpc_message *answer, struct v2v_error *err)
{
    size_t len =
        m->numbers[1] < RPC_CHUNK ? (size_t)m->numbers[1] : (size_t)RPC_CHUNK;

    if (ntfs_read(w->ntfs, text(m, 0), m->numbers[0], len, &answer->store,
                  err) < 0)
        return -1;
    set_part(answer);
    return 0;
}

static int
descriptor(struct worker *w, const struct rpc_message *m,
           struct rpc_message *answer, struct v2v_error *err)
{
    if (ntfs_descriptor(w->ntfs, text(m, 0), &answer->store, err) < 0)
        return -1;
    set_part(answer);
    return 0;
}

static int
make(struct worker *w, const struct rpc_message *m, struct rpc_message *answer,
     struct v2v_error *err)
{
    (void)answer;
    return ntfs_make(w->ntfs, text(m, 0), m->numbers[0] != 0, m->parts[1].data,
                     m->parts[1].len, m->parts[2].data, m->parts[2].len, err);
}

static int
write_at(struct worker *w, const struct rpc_message *m,
         struct rpc_message *answer, struct v2v_error *err)
{
    (void)answer;
    return ntfs_write_at(w->ntfs, text(m, 0), m->parts[1].data, m->parts[1].len,
                         m->numbers[0], err);
}

static int
cut(struct worker *w, const struct rpc_message *m, struct rpc_message *answer,
    struct v2v_error *err)
{
    (void)answer;
    return ntfs_truncate(w->ntfs, text(m, 0), m->numbers[0], err);
}

static int
close_disk(struct worker *w, const struct rpc_message *m,
           struct rpc_message *answer, struct v2v_error *err)
{
    (void)m;
    (void)answer;
    return nbd_disk_close(v2v_steal(w->disk), err);
}

static const struct {
    int (*run)(struct worker *w, const struct rpc_message *m,
               struct rpc_message *answer, struct v2v_error *err);
    bool mounted; /* only then */
} operations[RPC_OPS] = {
    [RPC_HELLO] = { hello, false },
    [RPC_DISK_READ] = { answer_disk_read, false },
    [RPC_MOUNT] = { mount_volume, false },
    [RPC_UNMOUNT] = { unmount_volume, true },
    [RPC_FREE_SPACE] = { free_space, true },
    [RPC_LOOKUP] = { lookup, true },
    [RPC_LIST] = { list, true },
    [RPC_READ] = { read_file, true },
    [RPC_DESCRIPTOR] = { descriptor, true },
    [RPC_MAKE] = { make, true },
    [RPC_WRITE_AT] = { write_at, true },
    [RPC_TRUNCATE] = { cut, true },
    [RPC_CLOSE] = { close_disk, false },
};

static int
carry_out(struct worker *w, const struct rpc_message *m,
          struct rpc_message *answer, struct v2v_error *err)
{
    answer->op = m->op;
    if (operations[m->op].mounted && w->ntfs == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no volume is mounted");
    return operations[m->op].run(w, m, answer, err);
}

/* One question.  Returns: 1, 0 when there will be no more, or -1. */
static int
serve(struct worker *w, int fd)
{
    V2V_AUTO(rpc_message) struct rpc_message question = { 0 };
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    struct v2v_error err = { 0 };
    int got = rpc_next(fd, &question, &err);

    if (got <= 0)
        return -1;
    if (carry_out(w, &question, &answer, &err) < 0)
        return rpc_refuse(fd, &err, &err) < 0 ? -1 : w->disk != NULL;
    return rpc_answer(fd, &answer, &err) < 0 ? -1 : w->disk != NULL;
}

int
direct_work(int fd, int nbd, bool write)
{
    struct worker w = { .write = write };
    struct v2v_error err = { 0 };
    int more = 1;

    v2v_log_set(NULL, NULL);
    if (nbd_disk_adopt(nbd, &w.disk, &err) < 0) {
        rpc_refuse(fd, &err, &err);
        return EXIT_FAILURE;
    }
    while (more > 0)
        more = serve(&w, fd);
    ntfs_abandon(w.ntfs);
    nbd_disk_abandon(w.disk);
    return more == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
