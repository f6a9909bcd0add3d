/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/nbd.h"

#include <errno.h>
#include <inttypes.h>
#include <libnbd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "image/child.h"

/* The largest request when the server names none: NBD protocol, "Block size
 * constraints". */
enum { REQUEST_MAX = 32 << 20 };

/* One question about extents: 32 bits are its limit. */
#define QUESTION_MAX (UINT64_C(1) << 30)

/* Of a list: an overlay of ours has some hundreds. */
enum { EXTENTS_MAX = 1 << 20 };

int nbd_patience = 120;

static const char depth_context[] = "qemu:allocation-depth";

struct nbd_server {
    char *path; /* absolute */
    struct child child;
};

struct nbd_disk {
    struct nbd_server *server; /* NULL: somebody else's */
    struct nbd_handle *nbd;    /* NULL: the connection was lost */
    uint64_t size;
    size_t request_max;
    bool unflushed;
};

/* Errors ------------------------------------------------------------------- */

/* For messages. */
static const char *
name_of(const struct nbd_disk *disk)
{
    return disk->server != NULL ? disk->server->path : "the disk";
}

/* @nbd: what libnbd says, which is little: of a refusal an errno. */
static int
fail_as_both_say(const struct nbd_disk *disk, const char *nbd,
                 struct v2v_error *err)
{
    V2V_AUTO(mem) char *said = NULL;

    if (disk->server == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%s", nbd);
    said = child_said(&disk->server->child, err);
    if (said == NULL)
        return -1;
    return v2v_fail(err, V2V_ERR_INTERNAL, "%s%s%s", nbd,
                    *said != '\0' ? "; qemu-nbd said: " : "", said);
}

/* The connection is of no use any more: find out why.  qemu-nbd ends by itself
 * when its client leaves, but not during the handshake. */
static int
fail_as_lost(struct nbd_disk *disk, struct v2v_error *err)
{
    struct v2v_error why = { 0 };
    V2V_AUTO(mem) char *nbd = v2v_strdup(nbd_get_error(), err);

    nbd_close(v2v_steal(disk->nbd));
    if (nbd == NULL)
        return -1;
    if (disk->server == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%s", nbd);
    child_end(&disk->server->child);
    if (child_wait(&disk->server->child, &why) == 0)
        return fail_as_both_say(disk, nbd, err);
    if (why.code == V2V_ERR_INTERNAL)
        return v2v_fail(err, why.code, "qemu-nbd: %s (%s)", why.text, nbd);
    return v2v_fail(err, why.code, "qemu-nbd: %s", why.text);
}

static int
fail_as_told(struct nbd_disk *disk, struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (!nbd_aio_is_dead(disk->nbd) && !nbd_aio_is_closed(disk->nbd))
        return fail_as_both_say(disk, nbd_get_error(), err);
    fail_as_lost(disk, &why);
    return v2v_fail(err, V2V_ERR_INTERNAL, "%s", why.text);
}

static int
check_connection(const struct nbd_disk *disk, struct v2v_error *err)
{
    if (disk->nbd == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "qemu-nbd is gone since an earlier failure");
    return 0;
}

static int
check_range(const struct nbd_disk *disk, uint64_t offset, uint64_t len,
            struct v2v_error *err)
{
    if (offset > disk->size || len > disk->size - offset)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the disk has only %" PRIu64 " bytes", disk->size);
    return check_connection(disk, err);
}

/* Open --------------------------------------------------------------------- */

/* A listening socket and a connection to it.  The kernel picks an abstract
 * name, which is no file; with room for one connection, which is ours, nobody
 * else gets in. */
static int
make_sockets(int *listener, int *connection, struct v2v_error *err)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    socklen_t len = sizeof name;
    V2V_AUTO(fd) int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    V2V_AUTO(fd)
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (server < 0 || client < 0 ||
        bind(server, (struct sockaddr *)&name, sizeof name.sun_family) < 0 ||
        getsockname(server, (struct sockaddr *)&name, &len) < 0 ||
        listen(server, 0) < 0 ||
        connect(client, (struct sockaddr *)&name, len) < 0)
        return v2v_fail_errno(err, errno, "a socket for qemu-nbd");
    *listener = server;
    *connection = client;
    server = client = -1;
    return 0;
}

/* QEMU opens what the image names besides, which is the guest's to write; so
 * it can open what we know of, and nothing else. */
static int
prepare_sandbox(const struct nbd_server *server, enum nbd_access access,
                const struct v2v_strings *others, struct sandbox_files **ret,
                struct v2v_error *err)
{
    size_t count = others != NULL ? others->count : 0;
    const char *written[] = { access == NBD_READ_WRITE ? server->path : NULL,
                              NULL };
    V2V_AUTO(mem) const char **read = calloc(count + 2, sizeof *read);

    if (read == NULL)
        return v2v_fail_errno(err, errno, "list of files");
    read[0] = server->path;
    for (size_t i = 0; i < count; i++)
        read[i + 1] = others->items[i];
    return sandbox_files_prepare("qemu-nbd", read, written, ret, err);
}

static int
start_server(struct nbd_server *server, const char *format,
             enum nbd_access access, const struct v2v_strings *others,
             int listener, struct v2v_error *err)
{
    /* discard: nbd_disk_zero() may give space back */
    const char *read_write[] = { "qemu-nbd",
                                 "--format",
                                 format,
                                 "--allocation-depth",
                                 "--cache=writeback",
                                 "--discard=unmap",
                                 server->path,
                                 NULL };
    const char *read_only[] = { "qemu-nbd",    "--format",
                                format,        "--allocation-depth",
                                "--read-only", server->path,
                                NULL };
    V2V_AUTO(sandbox_files) struct sandbox_files *sandbox = NULL;

    if (prepare_sandbox(server, access, others, &sandbox, err) < 0)
        return -1;
    return child_start(access == NBD_READ_WRITE ? read_write : read_only, -1,
                       listener, sandbox, &server->child, err);
}

/* Once the server is started it alone has the listener: should it die before
 * it accepts us, we are told. */
static int
start_and_connect(struct nbd_server *server, const char *format,
                  enum nbd_access access, const struct v2v_strings *others,
                  int *connection, struct v2v_error *err)
{
    int listener, rc;

    if (make_sockets(&listener, connection, err) < 0)
        return -1;
    rc = start_server(server, format, access, others, listener, err);
    close(listener);
    if (rc < 0)
        close(*connection);
    return rc;
}

int
nbd_server_start(const char *path, const char *format, enum nbd_access access,
                 const struct v2v_strings *others, struct nbd_server **ret,
                 int *connection, struct v2v_error *err)
{
    V2V_AUTO(nbd_server) struct nbd_server *server = calloc(1, sizeof *server);

    if (server == NULL)
        return v2v_fail_errno(err, errno, "qemu-nbd");
    server->child = (struct child)CHILD_NONE;
    server->path = realpath(path, NULL);
    if (server->path == NULL)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s", path, strerror(errno));
    if (start_and_connect(server, format, access, others, connection, err) < 0)
        return v2v_fail_in(err, "%s", path);
    *ret = v2v_steal(server);
    return 0;
}

/* Without a request for block sizes the server takes any offset and length;
 * with it, a VMDK or VDI would want whole sectors. */
static int
make_client(struct nbd_disk *disk, struct v2v_error *err)
{
    disk->nbd = nbd_create();
    /* a buffer is used only when it was filled */
    if (disk->nbd == NULL || nbd_set_request_block_size(disk->nbd, false) < 0 ||
        nbd_set_pread_initialize(disk->nbd, false) < 0 ||
        nbd_add_meta_context(disk->nbd, depth_context) < 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%s", nbd_get_error());
    return 0;
}

/* It may never end by itself: killed, not asked. */
static int
fail_as_silent(struct nbd_disk *disk, struct v2v_error *err)
{
    nbd_close(v2v_steal(disk->nbd));
    nbd_server_abandon(v2v_steal(disk->server));
    return v2v_fail(err, V2V_ERR_INTERNAL,
                    "qemu-nbd did not open it within %d s: look whether its "
                    "storage answers (cat reads it, too), then try again",
                    nbd_patience);
}

/* nbd_connect_socket() would wait for ever.  @connection is libnbd's from here
 * on. */
static int
shake_hands(struct nbd_disk *disk, int connection, struct v2v_error *err)
{
    int64_t end = v2v_milliseconds() + (int64_t)nbd_patience * 1000, left;

    if (nbd_aio_connect_socket(disk->nbd, connection) < 0)
        return fail_as_lost(disk, err);
    while (nbd_aio_is_connecting(disk->nbd)) {
        left = end - v2v_milliseconds();
        if (left <= 0)
            return fail_as_silent(disk, err);
        if (nbd_poll(disk->nbd, (int)left) < 0)
            break;
    }
    return nbd_aio_is_ready(disk->nbd) ? 0 : fail_as_lost(disk, err);
}

static int
connect_to_server(struct nbd_disk *disk, int connection, struct v2v_error *err)
{
    int64_t size, most;

    if (shake_hands(disk, connection, err) < 0)
        return -1;
    size = nbd_get_size(disk->nbd);
    most = nbd_get_block_size(disk->nbd, LIBNBD_SIZE_MAXIMUM);
    if (size < 0 || most < 0)
        return fail_as_told(disk, err);
    disk->size = (uint64_t)size;
    disk->request_max =
        most > 0 && most < REQUEST_MAX ? (size_t)most : (size_t)REQUEST_MAX;
    return 0;
}

/* @server: is the disk's from here on, as is @connection. */
static int
connect_disk(struct nbd_server *server, int connection, struct nbd_disk **ret,
             struct v2v_error *err)
{
    V2V_AUTO(nbd_disk) struct nbd_disk *disk = calloc(1, sizeof *disk);

    if (disk == NULL) {
        nbd_server_abandon(server);
        close(connection);
        return v2v_fail_errno(err, errno, "disk");
    }
    disk->server = server;
    if (make_client(disk, err) < 0) {
        close(connection);
        return -1;
    }
    if (connect_to_server(disk, connection, err) < 0)
        return -1;
    *ret = v2v_steal(disk);
    return 0;
}

int
nbd_disk_adopt(int connection, struct nbd_disk **ret, struct v2v_error *err)
{
    return connect_disk(NULL, connection, ret, err);
}

int
nbd_disk_open(const char *path, const char *format, enum nbd_access access,
              const struct v2v_strings *others, struct nbd_disk **ret,
              struct v2v_error *err)
{
    struct nbd_server *server = NULL;
    int connection;

    if (nbd_server_start(path, format, access, others, &server, &connection,
                         err) < 0)
        return -1;
    return connect_disk(server, connection, ret, err) < 0
               ? v2v_fail_in(err, "%s", path)
               : 0;
}

/* Read and write ----------------------------------------------------------- */

uint64_t
nbd_disk_size(const struct nbd_disk *disk)
{
    return disk->size;
}

static size_t
request_len(const struct nbd_disk *disk, uint64_t len)
{
    return len < disk->request_max ? (size_t)len : disk->request_max;
}

int
nbd_disk_read(struct nbd_disk *disk, uint64_t offset, void *buf, size_t len,
              struct v2v_error *err)
{
    uint8_t *to = buf;
    int rc = check_range(disk, offset, len, err);

    for (size_t done = 0, n; rc == 0 && done < len; done += n) {
        n = request_len(disk, len - done);
        if (nbd_pread(disk->nbd, to + done, n, offset + done, 0) < 0)
            rc = fail_as_told(disk, err);
    }
    return rc == 0 ? 0
                   : v2v_fail_in(err, "%s: reading %zu bytes at byte %" PRIu64,
                                 name_of(disk), len, offset);
}

int
nbd_disk_write(struct nbd_disk *disk, uint64_t offset, const void *buf,
               size_t len, struct v2v_error *err)
{
    const uint8_t *from = buf;
    int rc = check_range(disk, offset, len, err);

    for (size_t done = 0, n; rc == 0 && done < len; done += n) {
        n = request_len(disk, len - done);
        disk->unflushed = true;
        if (nbd_pwrite(disk->nbd, from + done, n, offset + done, 0) < 0)
            rc = fail_as_told(disk, err);
    }
    return rc == 0 ? 0
                   : v2v_fail_in(err, "%s: writing %zu bytes at byte %" PRIu64,
                                 name_of(disk), len, offset);
}

int
nbd_disk_zero(struct nbd_disk *disk, uint64_t offset, uint64_t len,
              struct v2v_error *err)
{
    int rc = check_range(disk, offset, len, err);

    for (uint64_t done = 0, n; rc == 0 && done < len; done += n) {
        n = request_len(disk, len - done);
        disk->unflushed = true;
        if (nbd_zero(disk->nbd, n, offset + done, 0) < 0)
            rc = fail_as_told(disk, err);
    }
    return rc == 0 ? 0
                   : v2v_fail_in(err,
                                 "%s: zeroing %" PRIu64 " bytes at byte "
                                 "%" PRIu64,
                                 name_of(disk), len, offset);
}

int
nbd_disk_flush(struct nbd_disk *disk, struct v2v_error *err)
{
    int rc = check_connection(disk, err);

    if (rc == 0 && nbd_flush(disk->nbd, 0) < 0)
        rc = fail_as_told(disk, err);
    if (rc < 0)
        return v2v_fail_in(err, "%s: flushing", name_of(disk));
    disk->unflushed = false;
    return 0;
}

static int
read_for_probe(void *opaque, uint64_t offset, void *buf, size_t len,
               struct v2v_error *err)
{
    return nbd_disk_read(opaque, offset, buf, len, err);
}

struct disk_reader
nbd_disk_reader(struct nbd_disk *disk)
{
    return (struct disk_reader){ .read = read_for_probe,
                                 .opaque = disk,
                                 .size = disk->size };
}

/* Extents ------------------------------------------------------------------ */

struct walk {
    struct image_extents *list;
    uint64_t at; /* known up to here */
    uint64_t end;
};

/* 0, or an errno. */
static int
add_extent(struct image_extents *list, uint64_t offset, uint64_t len)
{
    struct image_extent *last =
        list->count > 0 ? &list->items[list->count - 1] : NULL;

    if (last != NULL && last->offset + last->len == offset) {
        last->len += len;
        return 0;
    }
    if (list->count == EXTENTS_MAX)
        return E2BIG;
    /* full at each power of two */
    if ((list->count & (list->count - 1)) == 0) {
        size_t room = list->count > 0 ? 2 * list->count : 1;
        struct image_extent *more =
            realloc(list->items, room * sizeof *list->items);

        if (more == NULL)
            return ENOMEM;
        list->items = more;
    }
    list->items[list->count++] = (struct image_extent){ offset, len };
    return 0;
}

/* @entries: pairs of length and depth.  Depth 0 is nowhere, 1 is this file, 2
 * and above are its backing files.  The last may reach beyond the question. */
static int
take_answer(void *opaque, const char *context, uint64_t offset,
            uint32_t *entries, size_t count, int *error)
{
    struct walk *walk = opaque;

    if (strcmp(context, depth_context) != 0 || offset != walk->at)
        return 0;
    for (size_t i = 0; i + 1 < count && walk->at < walk->end; i += 2) {
        uint64_t left = walk->end - walk->at;
        uint64_t len = entries[i] < left ? entries[i] : left;

        if (entries[i + 1] == 1 && len > 0)
            *error = add_extent(walk->list, walk->at, len);
        if (*error != 0)
            return -1;
        walk->at += len;
    }
    return 0;
}

static int
ask_for_extents(struct nbd_disk *disk, struct walk *walk, struct v2v_error *err)
{
    nbd_extent_callback answer = { .callback = take_answer, .user_data = walk };

    if (check_connection(disk, err) < 0)
        return -1;
    if (nbd_can_meta_context(disk->nbd, depth_context) != 1)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "qemu-nbd does not tell what is allocated");
    while (walk->at < walk->end) {
        uint64_t before = walk->at, left = walk->end - before;

        if (nbd_block_status(disk->nbd,
                             left < QUESTION_MAX ? left : QUESTION_MAX, before,
                             answer, 0) < 0)
            return fail_as_told(disk, err);
        if (walk->at == before)
            return v2v_fail(err, V2V_ERR_INTERNAL,
                            "qemu-nbd tells nothing about byte %" PRIu64,
                            before);
    }
    return 0;
}

int
nbd_disk_extents(struct nbd_disk *disk, struct image_extents *ret,
                 struct v2v_error *err)
{
    V2V_AUTO(image_extents) struct image_extents list = { 0 };
    struct walk walk = { .list = &list, .end = disk->size };

    if (ask_for_extents(disk, &walk, err) < 0)
        return v2v_fail_in(err, "%s: what is allocated", name_of(disk));
    *ret = list;
    list = (struct image_extents){ 0 };
    return 0;
}

void
image_extents_done(struct image_extents *list)
{
    free(list->items);
    *list = (struct image_extents){ 0 };
}

/* Close -------------------------------------------------------------------- */

int
nbd_server_wait(struct nbd_server *server, struct v2v_error *err)
{
    child_end(&server->child);
    if (child_wait(&server->child, err) < 0)
        return v2v_fail_in(err, "%s: qemu-nbd", server->path);
    return 0;
}

void
nbd_server_abandon(struct nbd_server *server)
{
    if (server == NULL)
        return;
    child_done(&server->child);
    free(server->path);
    free(server);
}

/* qemu-nbd ends when its client leaves.  No nbd_shutdown(), which says good-bye
 * first: libnbd 1.14 reads freed memory when the server is dead by then;
 * valgrind shows it. */
static int
close_steps(struct nbd_disk *disk, struct v2v_error *err)
{
    if (check_connection(disk, err) < 0)
        return -1;
    if (disk->unflushed && nbd_flush(disk->nbd, 0) < 0)
        return fail_as_told(disk, err);
    nbd_close(v2v_steal(disk->nbd));
    if (disk->server != NULL && child_wait(&disk->server->child, err) < 0) {
        if (err != NULL)
            err->code = V2V_ERR_INTERNAL;
        return v2v_fail_in(err, "qemu-nbd");
    }
    return 0;
}

int
nbd_disk_close(struct nbd_disk *disk, struct v2v_error *err)
{
    int rc = close_steps(disk, err);

    if (rc < 0)
        v2v_error_prefix(err, "%s: closing", name_of(disk));
    nbd_disk_abandon(disk);
    return rc;
}

void
nbd_disk_abandon(struct nbd_disk *disk)
{
    if (disk == NULL)
        return;
    nbd_close(disk->nbd);
    nbd_server_abandon(disk->server);
    free(disk);
}
