/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch/slurm.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/process.h"

enum { OUTPUT_MAX = 16 << 20 }; /* "scontrol show config" has 20 KB */

extern char **environ;

/* ---- Its commands ---- */

/* What a command reads and writes: files in memory, so that nobody waits for
 * anybody. */
struct streams {
    int fds[3];
};

static void
streams_close(const struct streams *streams)
{
    for (int i = 0; i < 3; i++)
        if (streams->fds[i] >= 0)
            close(streams->fds[i]);
}

#define AUTO_STREAMS __attribute__((cleanup(streams_close))) struct streams

static int
streams_open(const char *input, struct streams *ret, struct v2v_error *err)
{
    for (int i = 0; i < 3; i++) {
        ret->fds[i] = memfd_create("slurm", MFD_CLOEXEC);
        if (ret->fds[i] < 0)
            return v2v_fail_errno(err, errno, "a file in memory");
    }
    if (v2v_fd_write(ret->fds[0], input, strlen(input)) < 0 ||
        lseek(ret->fds[0], 0, SEEK_SET) < 0)
        return v2v_fail_errno(err, errno, "a file in memory");
    return 0;
}

/* Without the line ends behind it; a new string. */
static char *
read_stream(int fd, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    const char *data;
    size_t len;

    if (lseek(fd, 0, SEEK_SET) < 0) {
        v2v_error_set(err, V2V_ERR_INTERNAL, "a file in memory: %s",
                      strerror(errno));
        return NULL;
    }
    if (v2v_fd_read(fd, OUTPUT_MAX, &text, err) < 0)
        return NULL;
    data = (const char *)text.data;
    len = text.len;
    while (len > 0 && data[len - 1] == '\n')
        len--;
    return v2v_strndup(len > 0 ? data : "", len, err);
}

static int
spawn(const char *const *argv, const struct streams *streams, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);

    if (failed != 0)
        return failed;
    for (int i = 0; failed == 0 && i < 3; i++)
        failed = posix_spawn_file_actions_adddup2(&actions, streams->fds[i], i);
    if (failed == 0)
        failed =
            posix_spawnp(ret, argv[0], &actions, NULL, (char **)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Where posix_spawn(3) cannot tell the parent, the child ends with that. */
enum { CANNOT_RUN = 127 };

static int
refuse_no_slurm(const char *program, int why, struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_USAGE,
                    "%s: %s: are Slurm's commands installed here?", program,
                    strerror(why));
}

static int
say_why(const char *program, int status, int said, struct v2v_error *err)
{
    V2V_AUTO(mem) char *text = read_stream(said, err);

    if (text == NULL)
        return -1;
    if (*text != '\0')
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s", program, text);
    return WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_RUN
               ? refuse_no_slurm(program, ENOENT, err)
               : v2v_fail(err, V2V_ERR_USAGE, "%s: failed, and says nothing",
                          program);
}

/* @ret: what it printed, a new string; NULL: nobody wants it. */
static int
run(const char *const *argv, const char *input, char **ret,
    struct v2v_error *err)
{
    AUTO_STREAMS streams = { { -1, -1, -1 } };
    char *text;
    pid_t pid;
    int failed, status;

    if (streams_open(input, &streams, err) < 0)
        return -1;
    failed = spawn(argv, &streams, &pid);
    if (failed != 0)
        return refuse_no_slurm(argv[0], failed, err);
    status = v2v_reap(pid);
    if (status != 0)
        return say_why(argv[0], status, streams.fds[2], err);
    text = ret != NULL ? read_stream(streams.fds[1], err) : NULL;
    if (ret == NULL || text == NULL)
        return ret == NULL ? 0 : -1;
    *ret = text;
    return 0;
}

/* ---- Who submits ---- */

int
slurm_max_index(size_t *ret, struct v2v_error *err)
{
    static const char *const argv[] = { "scontrol", "show", "config", NULL };
    V2V_AUTO(mem) char *config = NULL;
    const char *line;
    unsigned long size = 0;

    if (run(argv, "", &config, err) < 0)
        return -1;
    line = strstr(config, "\nMaxArraySize");
    if (line == NULL || sscanf(line, "\nMaxArraySize = %lu", &size) != 1 ||
        size < 2)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "this Slurm has no job arrays: MaxArraySize is %lu",
                        size);
    *ret = size - 1;
    return 0;
}

char *
slurm_find_jobs(const char *name, struct v2v_error *err)
{
    V2V_AUTO(mem) char *filter = v2v_format(err, "--name=%s", name);
    const char *argv[] = { "squeue", "--noheader", "--format=%F", filter,
                           NULL };
    char *jobs = NULL;

    if (filter == NULL || run(argv, "", &jobs, err) < 0)
        return NULL;
    v2v_replace_char(jobs, '\n', ' ');
    return jobs;
}

/* How many from there on are neighbours. */
static size_t
run_length(const size_t *lines, size_t count)
{
    size_t len = 1;

    while (len < count && lines[len] == lines[len - 1] + 1)
        len++;
    return len;
}

/* The text so far, as a string of its own. */
static char *
take_text(struct v2v_bytes *text, struct v2v_error *err)
{
    return v2v_bytes_add(text, "", 1, err) < 0 ? NULL
                                               : (char *)v2v_steal(text->data);
}

char *
slurm_indexes(const size_t *lines, size_t count, size_t offset,
              struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    for (size_t i = 0, len; i < count; i += len) {
        len = run_length(lines + i, count - i);
        if (v2v_bytes_printf(&text, err, "%s%zu", i > 0 ? "," : "",
                             lines[i] - offset) < 0 ||
            (len > 1 && v2v_bytes_printf(&text, err, "-%zu",
                                         lines[i + len - 1] - offset) < 0))
            return NULL;
    }
    return take_text(&text, err);
}

/* Between single quotes all is itself, but these: POSIX, Shell Command
 * Language, 2.2.2. */
static int
add_quoted(struct v2v_bytes *script, const char *word, struct v2v_error *err)
{
    if (v2v_bytes_printf(script, err, " '") < 0)
        return -1;
    for (; *word != '\0'; word++)
        if (*word == '\'' ? v2v_bytes_printf(script, err, "'\\''") < 0
                          : v2v_bytes_add(script, word, 1, err) < 0)
            return -1;
    return v2v_bytes_printf(script, err, "'");
}

char *
slurm_script(const struct v2v_strings *words, const char *line,
             struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes script = { 0 };

    if (v2v_bytes_printf(&script, err, "#!/bin/sh\nexec") < 0)
        return NULL;
    for (size_t i = 0; i < words->count; i++)
        if (add_quoted(&script, words->items[i], err) < 0)
            return NULL;
    if (line != NULL &&
        v2v_bytes_printf(&script, err, " --line=\"%s\"", line) < 0)
        return NULL;
    return v2v_bytes_printf(&script, err, "\n") < 0 ? NULL
                                                    : take_text(&script, err);
}

/* "12", or "12;cluster". */
int
slurm_submit(const struct v2v_strings *options, const char *script, char **ret,
             struct v2v_error *err)
{
    V2V_AUTO(mem)
    const char **argv = calloc(options->count + 3, sizeof *argv);
    V2V_AUTO(mem) char *said = NULL;
    size_t len;

    if (argv == NULL)
        return v2v_fail_errno(err, errno, "sbatch");
    argv[0] = "sbatch";
    argv[1] = "--parsable";
    for (size_t i = 0; i < options->count; i++)
        argv[i + 2] = options->items[i];
    if (run(argv, script, &said, err) < 0)
        return -1;
    len = strspn(said, "0123456789");
    if (len == 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "sbatch: no job number: %s",
                        said);
    *ret = v2v_strndup(said, len, err);
    return *ret == NULL ? -1 : 0;
}

/* ---- A task ---- */

static unsigned
number_in(const char *variable)
{
    const char *text = getenv(variable);
    unsigned long n = text != NULL ? strtoul(text, NULL, 10) : 0;

    return n < 1UL << 31 ? (unsigned)n : 0;
}

void
slurm_read_task(struct slurm_task *ret)
{
    ret->job = getenv("SLURM_JOB_ID");
    ret->restarts = number_in("SLURM_RESTART_COUNT");
    ret->memory_mib = number_in("SLURM_MEM_PER_NODE");
    if (ret->memory_mib == 0)
        ret->memory_mib =
            number_in("SLURM_MEM_PER_CPU") * number_in("SLURM_CPUS_ON_NODE");
}

/* A node does not start what was granted in the second in which it was told to
 * end the same job, or before; the job is lost then.  Tried: with a pause of
 * one second it happens. */
static int
change(const char *job, unsigned memory_mib, unsigned pause,
       struct v2v_error *err)
{
    V2V_AUTO(mem) char *id = v2v_format(err, "JobId=%s", job);
    V2V_AUTO(mem)
    char *memory = v2v_format(err, "MinMemoryNode=%u", memory_mib);
    V2V_AUTO(mem) char *start =
        v2v_format(err, "StartTime=now+%u",
                   pause > SLURM_PAUSE_MIN ? pause : SLURM_PAUSE_MIN);
    const char *argv[] = {
        "scontrol", "update", id, start, memory_mib > 0 ? memory : NULL, NULL
    };

    return id == NULL || memory == NULL || start == NULL
               ? -1
               : run(argv, "", NULL, err);
}

int
slurm_requeue(const struct slurm_task *task, unsigned memory_mib,
              unsigned pause, struct v2v_error *err)
{
    const char *argv[] = { "scontrol", "requeue", task->job, NULL };
    bool has_enough = task->memory_mib == 0 || task->memory_mib >= memory_mib;

    return run(argv, "", NULL, err) < 0 ||
                   change(task->job, has_enough ? 0 : memory_mib, pause, err) <
                       0
               ? -1
               : 0;
}
