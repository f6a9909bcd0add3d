/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/console.h - what a run says while it works, and its warnings kept
 */
#ifndef V2V_CLI_CONSOLE_H
#define V2V_CLI_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"

struct console_warning {
    char *code; /* "kvm-broken" */
    char *text;
};

struct console {
    bool steps, facts, trace; /* what is shown; warnings always are */
    const char *phase;        /* of the step that runs; static; NULL: none */
    int64_t start;            /* v2v_milliseconds() */
    struct console_warning *warnings; /* for the report */
    size_t warning_count;
};

/* Install @console as the receiver of base/log.h. */
void console_init(struct console *console);
void console_done(struct console *console);

/* "v2v-virtio: error: ..." on standard error. */
void console_error(const struct v2v_error *error);

/* Colours where they go to a terminal and NO_COLOR (https://no-color.org) is
 * unset or empty; @force: always (--colors). */
void console_set_colors(bool force);

/* A line, on standard output or @to.  Names from a guest, an INF or a medium
 * must not steer a terminal; a line that is longer than 2 KiB is cut. */
#define console_line(...) console_line_to(stdout, __VA_ARGS__)
void console_line_to(FILE *to, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same on standard output, after a verdict ("blocks", "holds"), which has
 * nine columns and its colour. */
void console_verdict(const char *verdict, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
