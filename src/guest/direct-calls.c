/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/direct-calls.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Asking ------------------------------------------------------------------- */

int
direct_ask(struct direct *d, const struct rpc_message *question,
           struct rpc_message *answer, struct v2v_error *err)
{
    if (worker_ask(d->worker, question, answer, err) < 0)
        return v2v_fail_in(err, "%s", direct_protocol.rules[question->op].name);
    return 0;
}

int
direct_tell(struct direct *d, const struct rpc_message *question,
            struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };

    return direct_ask(d, question, &answer, err);
}

/* The disk ----------------------------------------------------------------- */

int
direct_read_disk(void *opaque, uint64_t offset, void *buf, size_t len,
                 struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    const struct rpc_message question = { .op = DIRECT_DISK_READ,
                                          .numbers = { offset, len } };

    if (direct_ask(opaque, &question, &answer, err) < 0)
        return -1;
    if (answer.parts[0].len != len)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%zu bytes instead of %zu",
                        answer.parts[0].len, len);
    memcpy(buf, answer.parts[0].data, len);
    return 0;
}

static int
open_disk(void *state, unsigned disk, struct disk_reader *ret,
          struct v2v_error *err)
{
    const struct direct *d = state;

    (void)disk; /* there is one */
    (void)err;
    *ret = d->reader;
    return 0;
}

/* Volumes ------------------------------------------------------------------ */

static const struct disk_volume *
find_volume(const struct disk_layout *layout, unsigned number, enum guest_fs fs)
{
    static const enum disk_content contents[] = {
        [GUEST_NTFS] = DISK_NTFS, [GUEST_FAT] = DISK_FAT
    };

    for (size_t i = 0; i < layout->count; i++)
        if (layout->volumes[i].number == number &&
            layout->volumes[i].content == contents[fs])
            return &layout->volumes[i];
    return NULL;
}

static int
mount_volume(void *state, unsigned disk, unsigned partition, enum guest_fs fs,
             bool write, struct v2v_error *err)
{
    struct direct *d = state;
    const struct disk_volume *volume = find_volume(&d->layout, partition, fs);
    struct rpc_message m = { .op = DIRECT_MOUNT };

    (void)disk;
    if (volume == NULL)
        return v2v_fail(err, V2V_ERR_GUEST, "cannot mount it: no such volume");
    m.numbers[0] = volume->offset;
    m.numbers[1] = volume->len;
    m.numbers[2] = d->layout.sector_size == 4096 ? 4096 : 512;
    m.numbers[3] = fs;
    m.numbers[4] = write;
    return direct_tell(d, &m, err);
}

static int
unmount_volume(void *state, struct v2v_error *err)
{
    return direct_tell(state, &(struct rpc_message){ .op = DIRECT_UNMOUNT },
                       err);
}

static int
free_space(void *state, uint64_t *ret, struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };

    if (direct_ask(state, &(struct rpc_message){ .op = DIRECT_FREE_SPACE },
                   &answer, err) < 0)
        return -1;
    *ret = answer.numbers[0];
    return 0;
}

/* Names -------------------------------------------------------------------- */

/* Whoever has taken the worker over could lead us elsewhere with a name. */
static int
check_name(const char *name, struct v2v_error *err)
{
    if (*name == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "\"%s\" is no name of a file",
                        name);
    return 0;
}

static int
take_entry(const struct rpc_message *answer, struct guest_stat *ret,
           struct v2v_error *err)
{
    const uint64_t flags = answer->numbers[0];

    *ret = (struct guest_stat){ 0 };
    if (flags > (DIRECT_EXISTS | DIRECT_DIRECTORY | DIRECT_REPARSE))
        return v2v_fail(err, V2V_ERR_INTERNAL, "no kind of a file");
    if ((flags & DIRECT_EXISTS) == 0)
        return 0;
    ret->exists = true;
    ret->reparse = (flags & DIRECT_REPARSE) != 0;
    ret->is_dir = (flags & DIRECT_DIRECTORY) != 0 && !ret->reparse;
    ret->size = ret->is_dir || ret->reparse ? 0 : answer->numbers[1];
    ret->file_number = answer->numbers[2];
    return 0;
}

static int
lookup(void *state, const struct guest_node *dir, const char *name,
       struct guest_node *ret, struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    const struct rpc_message m = { .op = DIRECT_LOOKUP,
                                   .parts = { rpc_part_of(dir->path),
                                              rpc_part_of(name) } };
    struct guest_stat stat;
    const char *spelled;

    if (direct_ask(state, &m, &answer, err) < 0)
        return -1;
    spelled = answer.parts[0].data;
    if (check_name(spelled, err) < 0 || take_entry(&answer, &stat, err) < 0)
        return -1;
    ret->path = guest_child_path(dir->path, spelled, err);
    if (ret->path == NULL)
        return -1;
    ret->stat = stat;
    return 0;
}

static int
take_names(const struct rpc_part *part, struct v2v_strings *ret,
           struct v2v_error *err)
{
    const char *name = part->data, *end = name + part->len;

    for (size_t count = 0; name < end; name += strlen(name) + 1)
        if (count++ == GUEST_LIST_MAX)
            return v2v_fail(err, V2V_ERR_GUEST, "more than %d names",
                            GUEST_LIST_MAX);
        else if (check_name(name, err) < 0 ||
                 v2v_strings_add(ret, name, err) < 0)
            return -1;
    return 0;
}

static int
list_names(void *state, const struct guest_node *dir, struct v2v_strings *ret,
           struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    const struct rpc_message m = { .op = DIRECT_LIST,
                                   .parts = { rpc_part_of(dir->path) } };

    if (direct_ask(state, &m, &answer, err) < 0)
        return -1;
    return take_names(&answer.parts[0], ret, err);
}

/* Reading ------------------------------------------------------------------ */

/* What is asked for at once: what the processor's cache holds on its way
 * through this and two other processes. */
enum { PIECE = 1 << 20 };

static int
fail_in_reading(struct v2v_error *err)
{
    return v2v_fail_in(err, "%s", direct_protocol.rules[DIRECT_READ].name);
}

static int
ask_for_piece(struct direct *d, const char *path, uint64_t offset, size_t len,
              struct v2v_error *err)
{
    const struct rpc_message m = { .op = DIRECT_READ,
                                   .numbers = { offset, len },
                                   .parts = { rpc_part_of(path) } };

    return worker_send(d->worker, &m, err) < 0 ? fail_in_reading(err) : 0;
}

/* Fewer than @len bytes: the file ends there. */
static int
receive_piece(struct direct *d, size_t len, struct rpc_message *answer,
              struct v2v_error *err)
{
    if (worker_receive(d->worker, DIRECT_READ, answer, err) < 0)
        return fail_in_reading(err);
    if (answer->parts[0].len > len)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%zu bytes instead of %zu",
                        answer->parts[0].len, len);
    return 0;
}

static int
read_head(void *state, const struct guest_node *file, size_t len,
          struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };

    if (ask_for_piece(state, file->path, 0, len, err) < 0 ||
        receive_piece(state, len, &answer, err) < 0)
        return -1;
    return v2v_bytes_add(ret, answer.parts[0].data, answer.parts[0].len, err);
}

/* What is done with the pieces of a file, in order. */
typedef int piece_fn(void *opaque, const void *data, size_t len,
                     struct v2v_error *err);

/* The next piece is on its way while one is looked at; @more: there is one. */
static int
take_piece(struct direct *d, const char *path, uint64_t *at, bool *more,
           piece_fn *take, void *opaque, struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    const struct rpc_part *part = &answer.parts[0];

    *more = false;
    if (receive_piece(d, PIECE, &answer, err) < 0)
        return -1;
    *at += part->len;
    if (part->len == PIECE && *at < GUEST_FILE_MAX) {
        if (ask_for_piece(d, path, *at, PIECE, err) < 0)
            return -1;
        *more = true;
    }
    return take(opaque, part->data, part->len, err);
}

static int
each_piece(struct direct *d, const char *path, piece_fn *take, void *opaque,
           struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message unwanted = { 0 };
    uint64_t at = 0;
    bool more = true;
    int result = ask_for_piece(d, path, 0, PIECE, err);

    if (result < 0)
        return -1;
    while (result == 0 && more)
        result = take_piece(d, path, &at, &more, take, opaque, err);
    if (more)
        receive_piece(d, PIECE, &unwanted, NULL);
    return result;
}

static int
add_piece(void *opaque, const void *data, size_t len, struct v2v_error *err)
{
    return v2v_bytes_add(opaque, data, len, err);
}

static int
read_whole(void *state, const struct guest_node *file, struct v2v_bytes *ret,
           struct v2v_error *err)
{
    return each_piece(state, file->path, add_piece, ret, err);
}

static int
write_piece(void *opaque, const void *data, size_t len, struct v2v_error *err)
{
    const int *fd = opaque;

    if (v2v_fd_write(*fd, data, len) < 0)
        return v2v_fail_errno(err, errno, "writing what was read");
    return 0;
}

static int
copy_whole(void *state, const struct guest_node *file, int fd,
           struct v2v_error *err)
{
    return each_piece(state, file->path, write_piece, &fd, err);
}

static int
read_descriptor(void *state, const struct guest_node *node,
                struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    const struct rpc_message m = { .op = DIRECT_DESCRIPTOR,
                                   .parts = { rpc_part_of(node->path) } };

    if (direct_ask(state, &m, &answer, err) < 0)
        return -1;
    return v2v_bytes_add(ret, answer.parts[0].data, answer.parts[0].len, err);
}

/* Writing ------------------------------------------------------------------ */

static int
write_pieces(struct direct *d, const char *path, const uint8_t *data,
             size_t len, uint64_t offset, struct v2v_error *err)
{
    for (size_t done = 0, n; done < len; done += n) {
        n = len - done < DIRECT_CHUNK ? len - done : (size_t)DIRECT_CHUNK;
        if (direct_tell(
                d,
                &(struct rpc_message){
                    .op = DIRECT_WRITE_AT,
                    .numbers = { offset + done },
                    .parts = { rpc_part_of(path), { data + done, n } } },
                err) < 0)
            return -1;
    }
    return 0;
}

static int
write_at(void *state, const struct guest_node *file, const uint8_t *data,
         size_t len, uint64_t offset, struct v2v_error *err)
{
    return write_pieces(state, file->path, data, len, offset, err);
}

static int
truncate_file(void *state, const struct guest_node *file, uint64_t len,
              struct v2v_error *err)
{
    return direct_tell(
        state,
        &(struct rpc_message){ .op = DIRECT_TRUNCATE,
                               .numbers = { len },
                               .parts = { rpc_part_of(file->path) } },
        err);
}

static int
make_one(struct direct *d, const struct guest_new *item, struct v2v_error *err)
{
    size_t first = item->len < DIRECT_CHUNK ? item->len : (size_t)DIRECT_CHUNK;
    const struct rpc_message m = { .op = DIRECT_MAKE,
                                   .numbers = { item->directory },
                                   .parts = { rpc_part_of(item->path),
                                              { item->data, first },
                                              { item->sd, item->sd_len } } };

    if (direct_tell(d, &m, err) < 0 ||
        write_pieces(d, item->path, (const uint8_t *)item->data + first,
                     item->len - first, first, err) < 0)
        return v2v_fail_in(err, "%s", item->path);
    return 0;
}

struct content {
    const uint8_t *data; /* what is still to come */
    size_t left;
};

static int
compare_piece(void *opaque, const void *data, size_t len, struct v2v_error *err)
{
    struct content *c = opaque;

    if (len > c->left || (len > 0 && memcmp(data, c->data, len) != 0))
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "it does not hold what was written");
    c->data += len;
    c->left -= len;
    return 0;
}

/* Read back what the library has written: it has had faults there, too. */
static int
check_content(struct direct *d, const char *path, const uint8_t *data,
              size_t len, struct v2v_error *err)
{
    struct content content = { data, len };

    if (each_piece(d, path, compare_piece, &content, err) < 0)
        return -1;
    if (content.left > 0)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "it has not the %zu bytes that were written", len);
    return 0;
}

static int
holds(void *state, const struct guest_node *file, const uint8_t *data,
      size_t len, struct v2v_error *err)
{
    return check_content(state, file->path, data, len, err);
}

/* All are made before one is read: a later one may have damaged it. */
static int
make(void *state, const struct guest_new *items, size_t count,
     struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (make_one(state, &items[i], err) < 0)
            return -1;
    for (size_t i = 0; i < count; i++)
        if (!items[i].directory &&
            check_content(state, items[i].path, items[i].data, items[i].len,
                          err) < 0)
            return v2v_fail_in(err, "%s", items[i].path);
    return 0;
}

const struct guest_backend direct_backend = {
    .name = "direct",
    .disk = open_disk,
    .mount = mount_volume,
    .unmount = unmount_volume,
    .free_space = free_space,
    .lookup = lookup,
    .list = list_names,
    .read = read_whole,
    .copy = copy_whole,
    .head = read_head,
    .descriptor = read_descriptor,
    .make = make,
    .write_at = write_at,
    .truncate = truncate_file,
    .holds = holds,
    .close = direct_close,
    .abandon = direct_abandon,
};
