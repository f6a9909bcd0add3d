/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * base/log.h - what the code below cli/ has to say while it works
 *
 * One callback receives everything; cli/ installs it and decides what is
 * printed and how.  Without a callback nothing happens.  Failures do not go
 * here: they are returned (base/error.h).
 */
#ifndef V2V_BASE_LOG_H
#define V2V_BASE_LOG_H

#include <stdint.h>

enum v2v_log_level {
    V2V_LOG_WARNING, /* the run goes on; somebody should read this */
    V2V_LOG_STEP,    /* a step starts: "Opening vm.qcow2" */
    V2V_LOG_WRITTEN, /* something is written in the guest; text: its place */
    V2V_LOG_FACT,    /* -v: a fact found or a choice made */
    V2V_LOG_TRACE,   /* -x: what an outside library says */
    V2V_LOG_PROGRESS /* the step's own progress, text "POSITION/TOTAL" */
};

/* @module: the folder that speaks; @code: a stable name - of a warning
 * ("kvm-broken"), of the phase that a step belongs to ("commit"), of the kind
 * of what is written ("file", "key") - and "" for the rest; @text: UTF-8, one
 * line
 */
typedef void (*v2v_log_fn)(void *opaque, enum v2v_log_level level,
                           const char *module, const char *code,
                           const char *text);

void v2v_log_set(v2v_log_fn fn, void *opaque);

/* Who receives now: for who wants to listen in between. */
void v2v_log_get(v2v_log_fn *fn, void **opaque);

void v2v_warn(const char *module, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* @phase: a word that scripts know; several steps may be of one phase. */
void v2v_step(const char *module, const char *phase, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* @kind: "file" or "key".  It holds once the run has committed. */
void v2v_written(const char *module, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void v2v_fact(const char *module, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void v2v_trace(const char *module, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void v2v_progress(const char *module, uint64_t position, uint64_t total);

#endif
