/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/direct.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "guest/direct-calls.h"
#include "guest/serves.h"

int direct_patience = 300;

/* How long a damaged volume may keep libntfs-3g going round.  Less than one is
 * enough for 500000 files in a guest, or to read and write hives of 260 MB; a
 * processor may be fifty times slower. */
enum { WORKER_CPU_SECONDS = 60 };

/* libntfs-3g keeps little; the names of the largest directory are the most. */
#define WORKER_MEMORY (UINT64_C(512) << 20)

void
direct_abandon(void *state)
{
    struct direct *d = state;

    worker_abandon(d->worker);
    nbd_server_abandon(d->server);
    disk_layout_done(&d->layout);
    free(d);
}

static void
v2v_auto_direct(struct direct **d)
{
    if (*d != NULL)
        direct_abandon(*d);
}

/* Only then is the image nobody's. */
int
direct_close(void *state, struct v2v_error *err)
{
    struct direct *d = state;

    if (direct_tell(d, &(struct rpc_message){ .op = DIRECT_CLOSE }, err) < 0 ||
        worker_end(d->worker, err) < 0)
        return -1;
    return nbd_server_wait(d->server, err);
}

struct job {
    int nbd;
    bool write;
};

static int
work(int fd, void *opaque)
{
    const struct job *job = opaque;

    return direct_work(fd, job->nbd, job->write);
}

static int
start_worker(struct direct *d, int nbd, struct v2v_error *err)
{
    struct job job = { nbd, d->write };
    const struct worker_job w = { .who = "the process that reads the file "
                                         "system",
                                  .remedy = "--backend libguestfs goes another "
                                            "way",
                                  .protocol = &direct_protocol,
                                  .patience = direct_patience,
                                  .run = work,
                                  .opaque = &job,
                                  .fds = &nbd,
                                  .fd_count = 1,
                                  .memory = WORKER_MEMORY,
                                  .cpu_seconds = WORKER_CPU_SECONDS };
    char names[96];
    unsigned layers = 0;

    if (worker_start(&w, &d->worker, &layers, err) < 0)
        return -1;
    sandbox_names(layers, names, sizeof names);
    v2v_fact("guest", "the file system is read in a sandbox of: %s", names);
    return 0;
}

/* An image that QEMU cannot open is seen by the worker, whose connection is
 * lost, and known to qemu-nbd; of a qemu-nbd that was killed or says nothing
 * the worker knows more.  @seen: by the worker. */
static int
fail_as_not_opened(struct direct *d, const struct v2v_error *seen,
                   struct v2v_error *err)
{
    struct v2v_error known = { 0 };

    if (nbd_server_wait(d->server, &known) == 0)
        return v2v_fail(err, seen->code, "%s", seen->text);
    if (known.code == V2V_ERR_INTERNAL)
        return v2v_fail(err, known.code, "%s (%s)", known.text, seen->text);
    return v2v_fail(err, known.code, "%s", known.text);
}

static int
say_hello(struct direct *d, struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    struct v2v_error why = { 0 };

    if (direct_ask(d, &(struct rpc_message){ .op = DIRECT_HELLO }, &answer,
                   &why) < 0)
        return fail_as_not_opened(d, &why, err);
    d->reader = (struct disk_reader){ .read = direct_read_disk,
                                      .opaque = d,
                                      .size = answer.numbers[0] };
    return 0;
}

static int
start(struct direct *d, const struct guest_disk_source *source,
      struct v2v_error *err)
{
    int nbd, result;

    if (nbd_server_start(source->image, source->format,
                         d->write ? NBD_READ_WRITE : NBD_READ_ONLY,
                         source->files, &d->server, &nbd, err) < 0)
        return -1;
    result = start_worker(d, nbd, err);
    close(nbd);
    return result < 0 ? -1 : say_hello(d, err);
}

/* What is no disk image is found to be none by whoever asks what is on it. */
static int
probe(struct direct *d, struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    if (disk_probe(&d->reader, &d->layout, &why) < 0 &&
        why.code != V2V_ERR_FORMAT)
        return v2v_fail(err, why.code, "%s", why.text);
    return 0;
}

int
direct_open(const struct guest_machine *machine, struct guest **ret, char *why,
            size_t why_size, struct v2v_error *err)
{
    const struct guest_disk_source *source = &machine->disks[0];
    V2V_AUTO(direct) struct direct *d = NULL;

    *ret = NULL;
    if (machine->count > 1) {
        snprintf(why, why_size, "the machine has %zu disks", machine->count);
        return 0;
    }
    d = calloc(1, sizeof *d);
    if (d == NULL)
        return v2v_fail_errno(err, errno, "guest");
    d->write = !source->read_only;
    if (start(d, source, err) < 0 || probe(d, err) < 0)
        return -1;
    if (!direct_serves(&d->layout, why, why_size))
        return 0;
    return guest_new(&direct_backend, v2v_steal(d), 1, ret, err);
}
