/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/json.h"
#include "cli/outcome.h"
#include "cli/same-file.h"

enum type { PHASE, PROGRESS, FINDING, WARNING, WRITTEN, INFO, ERROR, DONE };

/* The same event in both formats; NULL: it is not in that one.  Progress is no
 * object in libguestfs' format. */
static const struct {
    const char *type, *machine_type;
} types[] = {
    [PHASE] = { "phase", "message" },  [PROGRESS] = { "progress", NULL },
    [FINDING] = { "finding", "info" }, [WARNING] = { "warning", "warning" },
    [WRITTEN] = { "written", "info" }, [INFO] = { NULL, "info" },
    [ERROR] = { "error", "error" },    [DONE] = { "done", NULL },
};

struct event {
    enum type type;
    const char *text; /* for people; of PROGRESS "DONE/TOTAL" */
    json_t *fields;   /* of our format */
};

/* @ret: "2026-01-31T12:00:00.123Z"; RFC 3339, in UTC.  @digits: of a second */
static void
format_time(char *ret, size_t len, int digits)
{
    struct timespec now;
    struct tm tm;
    char seconds[32], fraction[16];

    clock_gettime(CLOCK_REALTIME, &now);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S",
             gmtime_r(&now.tv_sec, &tm));
    snprintf(fraction, sizeof fraction, "%09ld", now.tv_nsec);
    snprintf(ret, len, "%s.%.*s", seconds, digits, fraction);
}

/* Formats ---------------------------------------------------------------- */

/* A line without its end; NULL: none, or no memory. */
static char *
our_line(const struct event *event)
{
    char when[64];
    json_t *object;
    char *line;

    if (types[event->type].type == NULL)
        return NULL;
    format_time(when, sizeof when, 3);
    object = json_pack("{s:i, s:s+, s:s}", "schema", JSON_SCHEMA_VERSION,
                       "time", when, "Z", "type", types[event->type].type);
    json_object_update(object, event->fields);
    line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return line;
}

static char *
machine_line(const struct event *event)
{
    char when[64];
    json_t *object;
    char *line;

    if (event->type == PROGRESS)
        return strdup(event->text);
    if (types[event->type].machine_type == NULL)
        return NULL;
    format_time(when, sizeof when, 9);
    object = json_pack("{s:o, s:s+, s:s}", "message", json_text(event->text),
                       "timestamp", when, "+00:00", "type",
                       types[event->type].machine_type);
    line = json_dumps(object, 0);
    json_decref(object);
    return line;
}

/* Outputs ---------------------------------------------------------------- */

enum format { OURS, MACHINE, FORMATS };

static struct output {
    char *(*line)(const struct event *event);
    const char *option;
    int fd;       /* -1: none */
    FILE *beside; /* what shares the descriptor: flushed first */
} outputs[FORMATS] = { [OURS] = { our_line, "--events", -1, NULL },
                       [MACHINE] = { machine_line, "--machine-readable", -1,
                                     NULL } };

/* All of it, to a pipe that does not block as well. */
static int
write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        struct pollfd room = { .fd = fd, .events = POLLOUT };
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EAGAIN)
            poll(&room, 1, -1);
        else if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* One that cannot take more is given up: its reader has gone, or the disk is
 * full.  That nobody listens is no reason to die. */
static void
send(struct output *output, const char *line, size_t len)
{
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    int fd = output->fd;

    if (output->beside != NULL)
        fflush(output->beside);
    if (write_all(fd, line, len) < 0) {
        int why = errno;

        output->fd = -1;
        v2v_warn("cli", "events-lost", "%s: no more events: %s", output->option,
                 strerror(why));
    }
    signal(SIGPIPE, old);
}

static void
emit(const struct event *event)
{
    for (size_t i = 0; i < FORMATS; i++) {
        char *line = outputs[i].fd >= 0 ? outputs[i].line(event) : NULL;
        size_t len;

        if (line == NULL)
            continue;
        len = strlen(line);
        line[len] = '\n'; /* in place of the NUL */
        send(&outputs[i], line, len + 1);
        free(line);
    }
    json_decref(event->fields);
}

/* Opening ---------------------------------------------------------------- */

/* What it was must not be lost to a slip of the hand. */
static bool
is_of_the_run(const struct cli_options *options, const struct stat *file)
{
    return S_ISBLK(file->st_mode) || same_file_among(&options->images, file) ||
           same_file_among(&options->media, file) ||
           is_same_file(options->domain_xml, file) ||
           is_same_file(options->output, file) ||
           is_same_file(options->output_xml, file);
}

static int
open_file(struct output *output, const char *path,
          const struct cli_options *options, struct v2v_error *err)
{
    struct stat st;

    output->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (output->fd < 0 || fstat(output->fd, &st) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s: %s", output->option, path,
                        strerror(errno));
    if (is_of_the_run(options, &st))
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%s: %s is what the run is about, or a block device: "
                        "take another file",
                        output->option, path);
    if (S_ISREG(st.st_mode) && ftruncate(output->fd, 0) < 0)
        return v2v_fail_errno(err, errno, "%s", path);
    return 0;
}

/* A program that we start has no business there. */
static int
open_fd(struct output *output, const char *text,
        const struct cli_options *options, struct v2v_error *err)
{
    char *end;
    long fd = strtol(text, &end, 10);
    int flags;

    (void)options;
    if (*text < '0' || *text > '9' || *end != '\0' || fd > INT_MAX)
        return v2v_fail(err, V2V_ERR_USAGE, "%s fd:%s: not a descriptor",
                        output->option, text);
    flags = fcntl((int)fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fd == STDIN_FILENO)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%s fd:%ld: this descriptor is not open for writing",
                        output->option, fd);
    if (fd > STDERR_FILENO)
        fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    output->fd = (int)fd;
    output->beside = fd == STDOUT_FILENO ? stdout : NULL;
    return 0;
}

static int
open_stream(struct output *output, const char *name,
            const struct cli_options *options, struct v2v_error *err)
{
    if (strcmp(name, "stdout") == 0)
        return open_fd(output, "1", options, err);
    if (strcmp(name, "stderr") == 0)
        return open_fd(output, "2", options, err);
    return v2v_fail(err, V2V_ERR_USAGE, "%s: stream:%s: it is stdout or stderr",
                    output->option, name);
}

static const struct kind {
    const char *prefix;
    int (*open)(struct output *output, const char *rest,
                const struct cli_options *options, struct v2v_error *err);
} kinds[] = { { "fd:", open_fd },
              { "file:", open_file },
              { "stream:", open_stream } };

static const struct kind *
find_kind(const char *text)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return &kinds[i];
    return NULL;
}

/* "FILE" or "fd:N". */
static int
open_events(const struct cli_options *options, struct v2v_error *err)
{
    struct output *output = &outputs[OURS];
    const char *where = options->events;

    if (where == NULL)
        return 0;
    return strncmp(where, "fd:", 3) == 0
               ? open_fd(output, where + 3, options, err)
               : open_file(output, where, options, err);
}

/* "": there was no argument, which is stream:stdout. */
static int
open_machine(const struct cli_options *options, struct v2v_error *err)
{
    struct output *output = &outputs[MACHINE];
    const char *where = options->machine_readable;
    const struct kind *kind;

    if (where == NULL)
        return 0;
    if (*where == '\0')
        return open_stream(output, "stdout", options, err);
    kind = find_kind(where);
    if (kind == NULL)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--machine-readable=%s: it is file:FILE, "
                        "stream:stdout, stream:stderr or fd:N",
                        where);
    return kind->open(output, where + strlen(kind->prefix), options, err);
}

/* A document, an XML or a diff is for a program as well, which would read our
 * lines as a part of it; the lines of a report are in the way of ours. */
static int
check_stdout_is_free(const struct cli_options *options, struct v2v_error *err)
{
    bool for_program =
        options->json || options->diff ||
        (options->command == CLI_XML && options->output_xml != NULL &&
         strcmp(options->output_xml, "-") == 0);

    for (size_t i = 0; i < FORMATS; i++) {
        if (outputs[i].fd != STDOUT_FILENO)
            continue;
        if (for_program)
            return v2v_fail(err, V2V_ERR_USAGE,
                            "%s: standard output has the document, the XML or "
                            "the diff: take a file or another descriptor",
                            outputs[i].option);
        if (i == OURS && !options->quiet)
            return v2v_fail(err, V2V_ERR_USAGE,
                            "--events fd:1: standard output has the report: "
                            "take a file, another descriptor, or --quiet");
    }
    return 0;
}

int
events_open(const struct cli_options *options, struct v2v_error *err)
{
    if (open_events(options, err) == 0 && open_machine(options, err) == 0 &&
        check_stdout_is_free(options, err) == 0)
        return 0;
    for (size_t i = 0; i < FORMATS; i++)
        outputs[i].fd = -1; /* the refusal is not for those */
    return -1;
}

/* Events ----------------------------------------------------------------- */

void
events_phase(const char *phase, const char *text)
{
    emit(&(struct event){
        PHASE, text,
        json_pack("{s:s, s:o}", "phase", phase, "text", json_text(text)) });
}

void
events_progress(const char *phase, uint64_t done, uint64_t total)
{
    static int64_t last = -100;
    int64_t now = v2v_milliseconds();
    char text[64];

    if (now - last < 100 && done != total)
        return;
    last = now;
    snprintf(text, sizeof text, "%" PRIu64 "/%" PRIu64, done, total);
    emit(&(struct event){ PROGRESS, text,
                          json_pack("{s:s, s:I, s:I}", "phase", phase, "done",
                                    (json_int_t)done, "total",
                                    (json_int_t)total) });
}

void
events_warning(const char *code, const char *text)
{
    emit(&(struct event){
        WARNING, text,
        json_pack("{s:s, s:o}", "code", code, "text", json_text(text)) });
}

void
events_written(const char *what, const char *where)
{
    char text[1100];

    snprintf(text, sizeof text, "written: %s %s", what, where);
    v2v_make_printable(text);
    emit(&(struct event){
        WRITTEN, text,
        json_pack("{s:s, s:o}", "what", what, "where", json_text(where)) });
}

void
events_info(const char *text)
{
    emit(&(struct event){ INFO, text, NULL });
}

static void
emit_finding(const char *code, const char *severity, const char *evidence,
             const char *advice, bool allowed)
{
    char text[1100];

    snprintf(text, sizeof text, "%s: %s: %s", severity, code, evidence);
    v2v_make_printable(text); /* a character may have been cut in two */
    emit(&(struct event){ FINDING, text,
                          json_pack("{s:s, s:s, s:o, s:s, s:b}", "code", code,
                                    "severity", severity, "evidence",
                                    json_text(evidence), "advice", advice,
                                    "allowed", allowed) });
}

void
events_findings(const struct check_result *check)
{
    for (size_t i = 0; i < check->count; i++) {
        const struct check_finding *finding = &check->findings[i];

        emit_finding(
            finding->code->name, check_severity_name(finding->code->severity),
            finding->evidence, finding->code->advice, finding->allowed);
    }
}

void
events_links(const struct verify_result *verify)
{
    for (size_t i = 0; i < verify->count; i++) {
        const struct verify_link *link = &verify->links[i];
        char evidence[1024];

        if (link->code == NULL)
            continue;
        snprintf(evidence, sizeof evidence, "%s: %s", link->subject,
                 link->text);
        v2v_make_printable(evidence);
        emit_finding(link->code->name, verify_state_name(link->state), evidence,
                     link->code->advice, false);
    }
}

void
events_error(const struct v2v_error *error)
{
    json_t *fields = json_failure(error);

    emit(&(struct event){ ERROR, error->text, fields });
}

void
events_done(int exit_status)
{
    emit(&(struct event){ DONE, "",
                          json_pack("{s:i, s:s, s:o}", "exit_status",
                                    exit_status, "status", outcome_status(),
                                    "code", json_text(outcome_code())) });
}
