/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/worker.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/process.h"

struct worker {
    struct worker_job job;
    pid_t pid; /* -1: it was waited for */
    int fd;
    struct v2v_error broken; /* what every call says from then on; V2V_OK: not
                              */
};

/* Asking ------------------------------------------------------------------- */

/* @status: as of waitpid(). */
static void
say_how_it_ended(const struct worker *worker, int status, struct v2v_error *err)
{
    const struct worker_job *job = &worker->job;
    const char *why = "";

    if (!WIFSIGNALED(status)) {
        v2v_error_set(err, V2V_ERR_INTERNAL, "%s ended (exit status %d); %s",
                      job->who, WEXITSTATUS(status), job->remedy);
        return;
    }
    if (WTERMSIG(status) == SIGSYS)
        why = ": it tried what it may not";
    else if (WTERMSIG(status) == SIGXCPU)
        why = ": it went on for ever";
    v2v_error_set(err, V2V_ERR_INTERNAL, "%s died (signal %d, %s%s); %s",
                  job->who, WTERMSIG(status), strsignal(WTERMSIG(status)), why,
                  job->remedy);
}

static int
fail_as_broken(const struct worker *worker, struct v2v_error *err)
{
    return v2v_refuse(err, worker->broken.code, worker->job.finding, "%s",
                      worker->broken.text);
}

/* Its status.  One that was taken over may hang up and stay. */
static int
end_process(struct worker *worker)
{
    pid_t pid = worker->pid;

    worker->pid = -1;
    if (!v2v_ends_within(pid, worker->job.patience * 1000))
        kill(pid, SIGKILL);
    return v2v_reap(pid);
}

/* It is of no use any more; @why replaces what its end would say, unless it
 * ended by itself. */
static int
give_up(struct worker *worker, enum rpc_outcome outcome,
        const struct v2v_error *why, struct v2v_error *err)
{
    const struct worker_job *job = &worker->job;
    int status;

    if (outcome != RPC_LOST)
        kill(worker->pid, SIGKILL);
    shutdown(worker->fd, SHUT_RDWR);
    status = end_process(worker);
    if (outcome == RPC_NONSENSE)
        v2v_error_set(&worker->broken, V2V_ERR_INTERNAL,
                      "%s talks nonsense: %s; %s", job->who, why->text,
                      job->remedy);
    else if (outcome == RPC_SILENT)
        v2v_error_set(&worker->broken, V2V_ERR_INTERNAL,
                      "%s did not answer for %d s; %s", job->who, job->patience,
                      job->remedy);
    else
        say_how_it_ended(worker, status, &worker->broken);
    return fail_as_broken(worker, err);
}

int
worker_send(struct worker *worker, const struct rpc_message *question,
            struct v2v_error *err)
{
    if (worker->broken.code != V2V_OK)
        return fail_as_broken(worker, err);
    return rpc_ask(worker->fd, worker->job.protocol, question, err);
}

int
worker_receive(struct worker *worker, unsigned op, struct rpc_message *answer,
               struct v2v_error *err)
{
    const struct worker_job *job = &worker->job;
    struct v2v_error why = { 0 };
    enum rpc_outcome outcome =
        rpc_wait(worker->fd, job->protocol, op, job->patience, answer, &why);

    if (outcome > RPC_REFUSED)
        return give_up(worker, outcome, &why, err);
    if (outcome == RPC_REFUSED && err != NULL)
        *err = why;
    return outcome == RPC_ANSWERED ? 0 : -1;
}

int
worker_ask(struct worker *worker, const struct rpc_message *question,
           struct rpc_message *answer, struct v2v_error *err)
{
    return worker_send(worker, question, err) < 0
               ? -1
               : worker_receive(worker, question->op, answer, err);
}

int
worker_ask_stream(struct worker *worker, const struct rpc_message *question,
                  const struct worker_stream *stream,
                  struct rpc_message *answer, struct v2v_error *err)
{
    struct v2v_error why = { 0 };
    enum rpc_outcome outcome;

    if (worker_send(worker, question, err) < 0)
        return -1;
    outcome = rpc_stream(stream->fd, worker->job.patience, stream->max,
                         stream->take, stream->opaque, &why);
    if (outcome > RPC_REFUSED)
        return give_up(worker, outcome, &why, err);
    if (outcome == RPC_REFUSED)
        return v2v_fail(err, why.code, "%s", why.text);
    return worker_receive(worker, question->op, answer, err);
}

int
worker_tell(struct worker *worker, const struct rpc_message *question,
            struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };

    return worker_ask(worker, question, &answer, err);
}

int
worker_distrust(struct worker *worker, const char *what, struct v2v_error *err)
{
    struct v2v_error why = { 0 };

    v2v_error_set(&why, V2V_ERR_INTERNAL, "%s", what);
    return give_up(worker, RPC_NONSENSE, &why, err);
}

int
worker_check(const struct worker *worker, struct v2v_error *err)
{
    return worker->broken.code == V2V_OK ? 0 : fail_as_broken(worker, err);
}

/* Start and end ------------------------------------------------------------ */

struct start {
    const struct worker_job *job;
    int fd;
};

static int
run(void *opaque)
{
    const struct start *start = opaque;

    return start->job->run(start->fd, start->job->opaque);
}

/* @fd: the child's. */
static int
start_process(struct worker *worker, int fd, unsigned *layers,
              struct v2v_error *err)
{
    const struct worker_job *job = &worker->job;
    const struct timeval patience = { .tv_sec = job->patience };
    struct start start = { job, fd };
    int fds[SANDBOX_FDS_MAX] = { fd };
    const struct sandbox_work work = { .run = run,
                                       .opaque = &start,
                                       .fds = fds,
                                       .fd_count = job->fd_count + 1,
                                       .memory = job->memory,
                                       .files = job->files,
                                       .cpu_seconds = job->cpu_seconds };

    assert(job->fd_count < SANDBOX_FDS_MAX);
    for (size_t i = 0; i < job->fd_count; i++)
        fds[i + 1] = job->fds[i];
    if (setsockopt(worker->fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
                   sizeof patience) < 0)
        return v2v_fail_errno(err, errno, "socket");
    worker->pid = sandbox_start(&work, layers, err);
    return worker->pid < 0 ? -1 : 0;
}

int
worker_start(const struct worker_job *job, struct worker **ret,
             unsigned *layers, struct v2v_error *err)
{
    V2V_AUTO(worker) struct worker *worker = calloc(1, sizeof *worker);
    int ends[2], result;

    if (worker == NULL)
        return v2v_fail_errno(err, errno, "worker");
    *worker = (struct worker){ .job = *job, .pid = -1, .fd = -1 };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return v2v_fail_errno(err, errno, "socketpair");
    worker->fd = ends[0];
    result = start_process(worker, ends[1], layers, err);
    close(ends[1]);
    if (result < 0)
        return -1;
    *ret = v2v_steal(worker);
    return 0;
}

int
worker_end(struct worker *worker, struct v2v_error *err)
{
    int status = end_process(worker);

    if (status == 0)
        return 0;
    say_how_it_ended(worker, status, &worker->broken);
    return fail_as_broken(worker, err);
}

void
worker_abandon(struct worker *worker)
{
    if (worker == NULL)
        return;
    if (worker->pid > 0) {
        kill(worker->pid, SIGKILL);
        v2v_reap(worker->pid);
    }
    if (worker->fd >= 0)
        close(worker->fd);
    free(worker);
}

/* In the child ------------------------------------------------------------- */

int
worker_serve(int fd, const struct rpc_protocol *protocol,
             worker_serve_fn *serve, void *opaque)
{
    V2V_AUTO(rpc_message) struct rpc_message question = { 0 };
    V2V_AUTO(rpc_message) struct rpc_message answer = { 0 };
    struct v2v_error err = { 0 };

    if (rpc_next(fd, protocol, &question, &err) <= 0)
        return 0;
    answer.op = question.op;
    return (serve(opaque, &question, &answer, &err) == 0 &&
            rpc_answer(fd, protocol, &answer, &err) == 0) ||
           rpc_refuse(fd, &err, &err) == 0;
}
