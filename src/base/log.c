/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

static v2v_log_fn log_fn;
static void *log_opaque;

void
v2v_log_set(v2v_log_fn fn, void *opaque)
{
    log_fn = fn;
    log_opaque = opaque;
}

void
v2v_log_get(v2v_log_fn *fn, void **opaque)
{
    *fn = log_fn;
    *opaque = log_opaque;
}

static void __attribute__((format(printf, 4, 0)))
say(enum v2v_log_level level, const char *module, const char *code,
    const char *fmt, va_list ap)
{
    char text[1024];

    if (log_fn == NULL)
        return;
    vsnprintf(text, sizeof text, fmt, ap);
    v2v_make_printable(text);
    log_fn(log_opaque, level, module, code, text);
}

void
v2v_warn(const char *module, const char *code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(V2V_LOG_WARNING, module, code, fmt, ap);
    va_end(ap);
}

void
v2v_step(const char *module, const char *phase, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(V2V_LOG_STEP, module, phase, fmt, ap);
    va_end(ap);
}

void
v2v_written(const char *module, const char *kind, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(V2V_LOG_WRITTEN, module, kind, fmt, ap);
    va_end(ap);
}

void
v2v_fact(const char *module, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(V2V_LOG_FACT, module, "", fmt, ap);
    va_end(ap);
}

void
v2v_trace(const char *module, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(V2V_LOG_TRACE, module, "", fmt, ap);
    va_end(ap);
}

void
v2v_progress(const char *module, uint64_t position, uint64_t total)
{
    char text[64];

    if (log_fn == NULL)
        return;
    snprintf(text, sizeof text, "%" PRIu64 "/%" PRIu64, position, total);
    log_fn(log_opaque, V2V_LOG_PROGRESS, module, "", text);
}
