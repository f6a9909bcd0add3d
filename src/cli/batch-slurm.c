/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A batch whose lines are run by Slurm, one task a line.  What the nodes share
 * is the folder of the results; nobody touches the ledger before they are done.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "batch/slurm.h"
#include "cli/batch-private.h"
#include "cli/console.h"
#include "cli/json.h"
#include "image/image.h"

struct submission {
    struct batch *batch;
    char *program; /* this one */
    char *name;    /* of all jobs of the manifest, by its digest */
    char *log;     /* what they say that is not about a line */
    size_t stride; /* indexes of an array are 1 ... stride */
    size_t *lines; /* of the array that is being made */
    size_t count, submitted;
    struct v2v_strings jobs; /* of the arrays */
    char *report;            /* the job after them */
};

static void
submission_done(struct submission *s)
{
    free(s->program);
    free(s->name);
    free(s->log);
    free(s->lines);
    v2v_strings_done(&s->jobs);
    free(s->report);
}

static inline void
v2v_auto_submission(struct submission *s)
{
    submission_done(s);
}

/* A word of its own: the text of a format. */
#define ADD(list, err, ...) add_word(list, v2v_format(err, __VA_ARGS__), err)

/* @word: is freed; NULL: @err is filled in. */
static int
add_word(struct v2v_strings *list, char *word, struct v2v_error *err)
{
    V2V_AUTO(mem) char *owned = word;

    return owned == NULL ? -1 : v2v_strings_add(list, owned, err);
}

static int
add_words(struct v2v_strings *list, char *const *words, size_t count,
          struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (v2v_strings_add(list, words[i], err) < 0)
            return -1;
    return 0;
}

/* ---- What the jobs run ---- */

/* The command of a job as far as all are alike. */
static int
list_command(const struct submission *s, const char *what,
             struct v2v_strings *ret, struct v2v_error *err)
{
    const struct cli_batch *asked = &s->batch->options->batch;

    return v2v_strings_add(ret, s->program, err) < 0 ||
                   v2v_strings_add(ret, "batch", err) < 0 ||
                   v2v_strings_add(ret, s->batch->manifest, err) < 0 ||
                   v2v_strings_add(ret, "--slurm", err) < 0 ||
                   v2v_strings_add(ret, what, err) < 0 ||
                   (asked->check && v2v_strings_add(ret, "--check", err) < 0) ||
                   (s->batch->options->dry_run &&
                    v2v_strings_add(ret, "--dry-run", err) < 0) ||
                   ADD(ret, err, "--retries=%u", asked->retries) < 0 ||
                   ADD(ret, err, "--retry-pause=%u", asked->retry_pause) < 0
               ? -1
               : add_words(ret, asked->defaults.items, asked->defaults.count,
                           err);
}

/* Where the report job finds them. */
static int
list_reports(const struct submission *s, struct v2v_strings *ret,
             struct v2v_error *err)
{
    const struct v2v_strings *reports = &s->batch->options->batch.reports;

    for (size_t i = 0; i < reports->count; i++) {
        V2V_AUTO(mem) char *path = NULL;

        if (image_absolute_name(reports->items[i], &path, err) < 0 ||
            ADD(ret, err, "--report=%s", path) < 0)
            return -1;
    }
    return 0;
}

/* A new string.  @line: of a task; NULL: of the job after them. */
static char *
make_script(const struct submission *s, const char *what, const char *line,
            struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings words = { 0 };

    if (list_command(s, what, &words, err) < 0 ||
        (line == NULL && list_reports(s, &words, err) < 0))
        return NULL;
    return slurm_script(&words, line, err);
}

/* ---- What sbatch is told ---- */

/* What the user says comes behind it, and counts. */
static int
add_defaults(const struct submission *s, unsigned memory_mib,
             struct v2v_strings *ret, struct v2v_error *err)
{
    return v2v_strings_add(ret, "--requeue", err) < 0 ||
                   v2v_strings_add(ret, "--open-mode=append", err) < 0 ||
                   ADD(ret, err, "--output=%s", s->log) < 0 ||
                   ADD(ret, err, "--mem=%u", memory_mib) < 0
               ? -1
               : add_words(ret, s->batch->options->batch.sbatch,
                           s->batch->options->batch.sbatch_count, err);
}

/* --dependency=afterany:12:13, of those from @first on; when there are some. */
static int
add_dependency(const struct submission *s, size_t first,
               struct v2v_strings *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    if (first >= s->jobs.count)
        return 0;
    if (v2v_bytes_printf(&text, err, "--dependency=afterany") < 0)
        return -1;
    for (size_t i = first; i < s->jobs.count; i++)
        if (v2v_bytes_printf(&text, err, ":%s", s->jobs.items[i]) < 0)
            return -1;
    return v2v_bytes_add(&text, "", 1, err) < 0
               ? -1
               : v2v_strings_add(ret, (const char *)text.data, err);
}

/* A cap is one of an array: those of a batch that has one come one after the
 * other, so that it is the batch's. */
static int
list_array_options(const struct submission *s, size_t offset,
                   unsigned memory_mib, struct v2v_strings *ret,
                   struct v2v_error *err)
{
    unsigned jobs = s->batch->options->batch.jobs;
    V2V_AUTO(mem)
    char *indexes = slurm_indexes(s->lines, s->count, offset, err);
    V2V_AUTO(mem)
    char *cap = jobs > 0 ? v2v_format(err, "%%%u", jobs) : v2v_strdup("", err);

    return indexes == NULL || cap == NULL ||
                   add_defaults(s, memory_mib, ret, err) < 0 ||
                   ADD(ret, err, "--job-name=%s", s->name) < 0 ||
                   ADD(ret, err, "--array=%s%s", indexes, cap) < 0
               ? -1
           : jobs > 0
               ? add_dependency(s, s->jobs.count > 0 ? s->jobs.count - 1 : 0,
                                ret, err)
               : 0;
}

/* ---- Submitting ---- */

static int
submit(struct submission *s, const struct v2v_strings *options,
       const char *script, char **ret, struct v2v_error *err)
{
    if (slurm_submit(options, script, ret, err) == 0)
        return 0;
    if (s->jobs.count > 0)
        v2v_error_prefix(err,
                         "%zu machines were submitted (squeue --name=%s); the "
                         "others, when these are done, with --slurm --resume",
                         s->submitted, s->name);
    return -1;
}

static int
submit_array(struct submission *s, size_t offset, unsigned memory_mib,
             struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings options = { 0 };
    V2V_AUTO(mem)
    char *line = v2v_format(err, "$((SLURM_ARRAY_TASK_ID + %zu))", offset);
    V2V_AUTO(mem) char *script = NULL;
    V2V_AUTO(mem) char *job = NULL;

    if (line == NULL ||
        list_array_options(s, offset, memory_mib, &options, err) < 0)
        return -1;
    script = make_script(s, "--resume", line, err);
    if (script == NULL || submit(s, &options, script, &job, err) < 0 ||
        v2v_strings_add(&s->jobs, job, err) < 0)
        return -1;
    s->submitted += s->count;
    if (!s->batch->options->json && !s->batch->options->quiet)
        console_line("job %s: %zu machines, %u MiB each", job, s->count,
                     memory_mib);
    return 0;
}

static bool
is_to_be_run(const struct batch_item *item, bool heavy)
{
    return item->state == LEDGER_WAITING && item->twice == 0 &&
           item->heavy == heavy;
}

/* Those of one weight.  Index and line are the same, or differ by a multiple of
 * what an array can have. */
static int
submit_weight(struct submission *s, bool heavy, struct v2v_error *err)
{
    const struct batch_items *items = &s->batch->items;
    unsigned asked = s->batch->options->batch.memory_mib;
    unsigned memory_mib = asked != 0 ? asked : batch_weight(heavy);
    size_t offset = 0;

    s->count = 0;
    for (size_t i = 0; i < items->count; i++) {
        size_t line = items->items[i].line;
        size_t own = (line - 1) / s->stride * s->stride;

        if (!is_to_be_run(&items->items[i], heavy))
            continue;
        if (s->count > 0 && own != offset) {
            if (submit_array(s, offset, memory_mib, err) < 0)
                return -1;
            s->count = 0;
        }
        offset = own;
        s->lines[s->count++] = line;
    }
    return s->count > 0 ? submit_array(s, offset, memory_mib, err) : 0;
}

/* It runs when all others have ended, however they have. */
static int
submit_report(struct submission *s, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings options = { 0 };
    V2V_AUTO(mem) char *script = make_script(s, "--collect", NULL, err);

    if (script == NULL ||
        add_defaults(s, BATCH_WEIGHT_DIRECT, &options, err) < 0 ||
        ADD(&options, err, "--job-name=%s", s->name) < 0 ||
        add_dependency(s, 0, &options, err) < 0)
        return -1;
    return submit(s, &options, script, &s->report, err);
}

static int
submit_all(struct submission *s, struct v2v_error *err)
{
    return submit_weight(s, false, err) < 0 || submit_weight(s, true, err) < 0
               ? -1
               : submit_report(s, err);
}

/* ---- Before and after ---- */

static char *
find_program(struct v2v_error *err)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);

    if (len > 0 && (size_t)len < sizeof path)
        return v2v_strndup(path, (size_t)len, err);
    v2v_error_set(err, V2V_ERR_INTERNAL, "/proc/self/exe: %s",
                  strerror(len < 0 ? errno : ENAMETOOLONG));
    return NULL;
}

/* A pattern, where "%%" is "%"; but with a backslash somewhere in it nothing
 * has a meaning any more: sbatch(1), "filename pattern". */
static char *
make_log_name(const char *results, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes name = { 0 };

    if (strchr(results, '\\') != NULL)
        return v2v_strdup("/dev/null", err);
    for (; *results != '\0'; results++)
        if (v2v_bytes_add(&name, results, 1, err) < 0 ||
            (*results == '%' && v2v_bytes_add(&name, "%", 1, err) < 0))
            return NULL;
    return v2v_bytes_add(&name, "/slurm-%A.log", sizeof "/slurm-%A.log", err) <
                   0
               ? NULL
               : (char *)v2v_steal(name.data);
}

/* Two tasks for a line would do it once, and tell two stories of it. */
static int
check_none_is_there(const struct submission *s, struct v2v_error *err)
{
    V2V_AUTO(mem) char *jobs = slurm_find_jobs(s->name, err);

    if (jobs == NULL || *jobs == '\0')
        return jobs == NULL ? -1 : 0;
    return v2v_fail(err, V2V_ERR_BUSY,
                    "%s: Slurm still has jobs of this batch (%s): let them "
                    "end, or scancel --name=%s",
                    s->batch->manifest, jobs, s->name);
}

static int
prepare(struct submission *s, struct v2v_error *err)
{
    s->program = find_program(err);
    s->name = v2v_format(err, "v2v-%.12s", s->batch->items.digest);
    s->log = make_log_name(s->batch->results, err);
    s->lines = calloc(s->batch->items.count, sizeof *s->lines);
    if (s->program == NULL || s->name == NULL || s->log == NULL)
        return -1;
    if (s->lines == NULL)
        return v2v_fail_errno(err, errno, "list of lines");
    return check_none_is_there(s, err) < 0 ? -1
                                           : slurm_max_index(&s->stride, err);
}

static json_t *
jobs_json(const struct submission *s)
{
    return json_pack(
        "{s:o, s:o, s:I, s:o, s:o}", "manifest", json_text(s->batch->manifest),
        "name", json_text(s->name), "submitted", (json_int_t)s->submitted,
        "jobs", json_strings(&s->jobs), "report_job", json_text(s->report));
}

static void
say_what_was_done(const struct submission *s)
{
    if (s->batch->options->json)
        s->batch->answer->details = jobs_json(s);
    if (s->batch->options->json || s->batch->options->quiet)
        return;
    console_line("job %s: collects what became of them, when all have ended",
                 s->report);
    console_line("what is queued or runs: squeue --name=%s; what became of "
                 "those that ended: the same command with --collect in place "
                 "of --slurm",
                 s->name);
}

int
batch_submit(struct batch *b, struct v2v_error *err)
{
    V2V_AUTO(submission) struct submission s = { .batch = b };

    if (prepare(&s, err) < 0 || submit_all(&s, err) < 0)
        return -1;
    say_what_was_done(&s);
    return 0;
}

/* ---- In a task ---- */

bool
batch_slurm_has_room(void)
{
    struct slurm_task task;

    slurm_read_task(&task);
    return task.memory_mib == 0 || task.memory_mib >= BATCH_WEIGHT_APPLIANCE;
}

bool
batch_requeue(const struct cli_options *options, const struct batch_item *item)
{
    struct slurm_task self;
    struct v2v_error err = { 0 };
    unsigned limit = options->batch.retries + (item->heavy ? 1 : 0);

    slurm_read_task(&self);
    if (self.job == NULL || self.restarts >= limit) {
        fprintf(stderr, "v2v-virtio: not queued again: %s\n",
                self.job == NULL ? "this is no job of Slurm"
                                 : "--retries are used up");
        return false;
    }
    if (slurm_requeue(&self, batch_weight(item->heavy),
                      batch_pause(options, self.restarts + 1), &err) == 0)
        return true;
    fprintf(stderr, "v2v-virtio: not queued again: %s\n", err.text);
    return false;
}
