/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch/result.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/bytes.h"
#include "base/text.h"

enum { RESULT_SCHEMA = 1 };

static inline void
v2v_auto_json(json_t **value)
{
    json_decref(*value);
}

static inline void
v2v_auto_text(char **text)
{
    free(*text);
}

void
result_time(const struct timespec *time, char ret[RESULT_TIME_LEN + 1])
{
    struct tm utc;
    char seconds[32];

    gmtime_r(&time->tv_sec, &utc);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret, RESULT_TIME_LEN + 1, "%.19s.%03dZ", seconds,
             (int)(time->tv_nsec / 1000000));
}

void
result_now(char ret[RESULT_TIME_LEN + 1])
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    result_time(&now, ret);
}

bool
result_wants_appliance(const struct result *result)
{
    return result->code != NULL &&
           strcmp(result->code, "direct-not-served") == 0;
}

enum v2v_error_code
result_class(const struct result *result)
{
    switch (result->exit_status) {
    case V2V_OK:
    case V2V_ERR_USAGE:
    case V2V_ERR_GUEST:
    case V2V_ERR_DRIVER:
    case V2V_ERR_FORMAT:
    case V2V_ERR_BUSY:
        return (enum v2v_error_code)result->exit_status;
    default:
        return V2V_ERR_INTERNAL;
    }
}

/* Of "check": the first finding that blocks. */
static const json_t *
find_blocker(const json_t *document)
{
    const json_t *findings = json_object_get(document, "findings");

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        const char *severity =
            json_string_value(json_object_get(finding, "severity"));

        if (severity != NULL && strcmp(severity, "blocks") == 0 &&
            !json_is_true(json_object_get(finding, "allowed")))
            return finding;
    }
    return NULL;
}

struct cause {
    const char *code, *message; /* may be NULL */
};

static struct cause
cause_in(const json_t *document)
{
    const json_t *error = json_object_get(document, "error");
    const json_t *blocker;

    if (json_is_object(error))
        return (
            struct cause){ json_string_value(json_object_get(error, "code")),
                           json_string_value(json_object_get(error, "text")) };
    blocker = find_blocker(document);
    return (struct cause){ json_string_value(json_object_get(blocker, "code")),
                           json_string_value(
                               json_object_get(blocker, "evidence")) };
}

/* @text: NULL stays that. */
static int
copy(const char *text, char **ret, struct v2v_error *err)
{
    if (text == NULL)
        return 0;
    *ret = v2v_strdup(text, err);
    return *ret == NULL ? -1 : 0;
}

static int
say_why(const json_t *document, struct result *ret, struct v2v_error *err)
{
    struct cause cause = cause_in(document);

    if (cause.code == NULL)
        cause.code = "internal";
    if (cause.message == NULL)
        cause.message = "no report; its messages may tell more";
    return copy(cause.code, &ret->code, err) < 0 ||
                   copy(cause.message, &ret->message, err) < 0
               ? -1
               : 0;
}

int
result_say_interrupted(struct result *result, struct v2v_error *err)
{
    if (result->signal == 0)
        return 0; /* it had ended before */
    free(result->code);
    free(result->message);
    result->code = v2v_strdup("interrupted", err);
    result->message = v2v_strdup("it was told to end before it was done", err);
    return result->code == NULL || result->message == NULL ? -1 : 0;
}

static int
say_signal(int number, struct result *ret, struct v2v_error *err)
{
    bool told = number == SIGINT || number == SIGTERM || number == SIGHUP;

    ret->signal = number;
    ret->exit_status = -1;
    if (told)
        return result_say_interrupted(ret, err);
    ret->message =
        v2v_format(err, "killed by signal %d (%s)%s", number, strsignal(number),
                   number == SIGKILL ? ": was memory short?" : "");
    return ret->message == NULL || copy("killed", &ret->code, err) < 0 ? -1 : 0;
}

static int
keep_document(const json_t *document, struct result *ret, struct v2v_error *err)
{
    const json_t *backend = json_object_get(document, "backend");

    if (document == NULL)
        return 0;
    ret->document = json_dumps(document, JSON_COMPACT);
    if (ret->document == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "memory for a result");
    return copy(json_string_value(json_object_get(backend, "name")),
                &ret->backend, err);
}

const char *
result_message_beside(const struct result *result, const char *identity)
{
    const char *message = result->message != NULL ? result->message : "";
    size_t len = strlen(identity);

    return strncmp(message, identity, len) == 0 &&
                   strncmp(message + len, ": ", 2) == 0
               ? message + len + 2
               : message;
}

int
result_judge(int status, const void *document, size_t len, struct result *ret,
             struct v2v_error *err)
{
    V2V_AUTO(json) json_t *json = json_loadb(document, len, 0, NULL);

    ret->signal = 0;
    ret->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (keep_document(json_is_object(json) ? json : NULL, ret, err) < 0)
        return -1;
    if (WIFSIGNALED(status))
        return say_signal(WTERMSIG(status), ret, err);
    return ret->exit_status == V2V_OK ? 0 : say_why(json, ret, err);
}

char *
result_path(const char *folder, size_t line, const char *extension,
            struct v2v_error *err)
{
    return v2v_format(err, "%s/%zu.%s", folder, line, extension);
}

/* NULL is null. */
static json_t *
text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *
document_json(const char *document)
{
    return document != NULL ? json_loads(document, 0, NULL) : json_null();
}

static json_t *
to_json(const char *batch, const struct result *r)
{
    return json_pack(
        "{s:i, s:s, s:I, s:i, s:o, s:s, s:s, s:f, s:f, s:I, s:o, s:o, s:o, "
        "s:o, s:o, s:o}",
        "schema", RESULT_SCHEMA, "batch", batch, "line", (json_int_t)r->line,
        "attempt", (int)r->attempt, "host", text_or_null(r->host), "started",
        r->started, "ended", r->ended, "seconds", r->seconds, "cpu_seconds",
        r->cpu_seconds, "memory_kib", (json_int_t)r->memory_kib, "exit_status",
        r->exit_status >= 0 ? json_integer(r->exit_status) : json_null(),
        "signal", r->signal != 0 ? json_integer(r->signal) : json_null(),
        "code", text_or_null(r->code), "message", text_or_null(r->message),
        "backend", text_or_null(r->backend), "result",
        document_json(r->document));
}

static int
save(const char *path, const json_t *json, struct v2v_error *err)
{
    V2V_AUTO(text) char *text = NULL;

    if (json != NULL)
        text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    if (text == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%s: memory for a result", path);
    return v2v_file_replace(path, text, strlen(text), err);
}

int
result_write(const char *folder, const char *batch, const struct result *result,
             struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = result_path(folder, result->line, "json", err);
    V2V_AUTO(json) json_t *json = to_json(batch, result);

    return path == NULL ? -1 : save(path, json, err);
}

static double
number(const json_t *json, const char *name)
{
    return json_number_value(json_object_get(json, name));
}

static void
read_time(const json_t *json, const char *name, char ret[RESULT_TIME_LEN + 1])
{
    const char *text = json_string_value(json_object_get(json, name));

    snprintf(ret, RESULT_TIME_LEN + 1, "%s", text != NULL ? text : "");
}

static int
read_texts(const json_t *json, struct result *ret, struct v2v_error *err)
{
    const struct {
        const char *name;
        char **to;
    } texts[] = { { "host", &ret->host },
                  { "code", &ret->code },
                  { "message", &ret->message },
                  { "backend", &ret->backend } };
    const json_t *document = json_object_get(json, "result");

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (copy(json_string_value(json_object_get(json, texts[i].name)),
                 texts[i].to, err) < 0)
            return -1;
    if (!json_is_object(document))
        return 0;
    ret->document = json_dumps(document, JSON_COMPACT);
    return ret->document == NULL
               ? v2v_fail(err, V2V_ERR_INTERNAL, "memory for a result")
               : 0;
}

static int
check_is_of(const json_t *json, const char *batch, struct v2v_error *err)
{
    const char *of = json_string_value(json_object_get(json, "batch"));

    if (of == NULL || number(json, "schema") != RESULT_SCHEMA)
        return v2v_fail(err, V2V_ERR_FORMAT, "not the result of a run");
    return strcmp(of, batch) == 0
               ? 0
               : v2v_fail(err, V2V_ERR_NOT_FOUND, "of another manifest");
}

static int
from_json(const json_t *json, const char *batch, size_t line,
          struct result *ret, struct v2v_error *err)
{
    const json_t *status = json_object_get(json, "exit_status");

    if (check_is_of(json, batch, err) < 0)
        return -1;
    *ret = (struct result){
        .line = line,
        .attempt = (unsigned)number(json, "attempt"),
        .seconds = number(json, "seconds"),
        .cpu_seconds = number(json, "cpu_seconds"),
        .memory_kib = (uint64_t)number(json, "memory_kib"),
        .exit_status =
            json_is_integer(status) ? (int)json_integer_value(status) : -1,
        .signal = (int)number(json, "signal"),
    };
    read_time(json, "started", ret->started);
    read_time(json, "ended", ret->ended);
    return read_texts(json, ret, err);
}

static int
load(const char *path, json_t **ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    json_error_t why;

    if (access(path, F_OK) < 0 && errno == ENOENT)
        return v2v_fail(err, V2V_ERR_NOT_FOUND, "not there");
    if (v2v_file_read(path, 2 * (size_t)RESULT_DOCUMENT_MAX, &data, err) < 0)
        return -1;
    *ret = json_loadb((const char *)data.data, data.len, 0, &why);
    return *ret == NULL ? v2v_fail(err, V2V_ERR_FORMAT,
                                   "malformed JSON at "
                                   "byte %d: %s",
                                   why.position, why.text)
                        : 0;
}

int
result_read(const char *folder, const char *batch, size_t line,
            struct result *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = result_path(folder, line, "json", err);
    V2V_AUTO(result) struct result result = { 0 };
    V2V_AUTO(json) json_t *json = NULL;

    if (path == NULL)
        return -1;
    if (load(path, &json, err) < 0 ||
        from_json(json, batch, line, &result, err) < 0)
        return v2v_fail_in(err, "%s", path);
    *ret = result;
    result = (struct result){ 0 };
    return 0;
}

int
result_begin(const char *folder, const char *batch, size_t line,
             const struct result_begun *begun, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = result_path(folder, line, "begun", err);
    V2V_AUTO(json)
    json_t *json =
        json_pack("{s:i, s:s, s:I, s:i, s:s}", "schema", RESULT_SCHEMA, "batch",
                  batch, "line", (json_int_t)line, "attempt",
                  (int)begun->attempt, "started", begun->started);

    return path == NULL ? -1 : save(path, json, err);
}

int
result_read_begun(const char *folder, const char *batch, size_t line,
                  struct result_begun *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = result_path(folder, line, "begun", err);
    V2V_AUTO(json) json_t *json = NULL;

    if (path == NULL)
        return -1;
    if (load(path, &json, err) < 0 || check_is_of(json, batch, err) < 0)
        return v2v_fail_in(err, "%s", path);
    ret->attempt = (unsigned)number(json, "attempt");
    read_time(json, "started", ret->started);
    return 0;
}

int
result_end(const char *folder, size_t line, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = result_path(folder, line, "begun", err);

    if (path == NULL)
        return -1;
    return unlink(path) == 0 || errno == ENOENT
               ? 0
               : v2v_fail_errno(err, errno, "%s", path);
}

void
result_done(struct result *result)
{
    free(result->host);
    free(result->code);
    free(result->message);
    free(result->backend);
    free(result->document);
    *result = (struct result){ 0 };
}
