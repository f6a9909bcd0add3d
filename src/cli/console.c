/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/console.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static double
seconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) +
           (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

void
console_end_progress(struct console *console)
{
    if (console->in_progress)
        fputs("\r\033[K", stderr);
    console->in_progress = false;
}

static void
show_progress(struct console *console, const char *text)
{
    uint64_t position, total;

    if (!console->progress ||
        sscanf(text, "%" SCNu64 "/%" SCNu64, &position, &total) != 2 ||
        total == 0)
        return;
    fprintf(stderr, "\r[%6.1f] %3.0f%%", seconds_since(&console->start),
            100.0 * (double)position / (double)total);
    fflush(stderr);
    console->in_progress = true;
}

/* A warning that cannot be kept for want of memory has still been shown. */
static void
keep_warning(struct console *console, const char *code, const char *text)
{
    struct console_warning *list = reallocarray(
        console->warnings, console->warning_count + 1, sizeof *list);
    struct console_warning warning = { strdup(code), strdup(text) };

    if (list != NULL)
        console->warnings = list;
    if (list == NULL || warning.code == NULL || warning.text == NULL) {
        free(warning.code);
        free(warning.text);
        return;
    }
    list[console->warning_count++] = warning;
}

static void
receive(void *opaque, enum v2v_log_level level, const char *module,
        const char *code, const char *text)
{
    struct console *console = opaque;

    if (level == V2V_LOG_PROGRESS) {
        show_progress(console, text);
        return;
    }
    console_end_progress(console);
    if (level == V2V_LOG_WARNING) {
        keep_warning(console, code, text);
        fprintf(stderr, "v2v-virtio: warning: %s\n", text);
    }
    if (level == V2V_LOG_STEP && console->steps)
        printf("[%6.1f] %s\n", seconds_since(&console->start), text);
    if (level == V2V_LOG_FACT && console->facts)
        fprintf(stderr, "%s: %s\n", module, text);
    if (level == V2V_LOG_TRACE && console->trace)
        fprintf(stderr, "%s: %s\n", module, text);
    fflush(stdout);
}

void
console_init(struct console *console)
{
    clock_gettime(CLOCK_MONOTONIC, &console->start);
    console->progress = console->steps && isatty(STDERR_FILENO);
    v2v_log_set(receive, console);
}

void
console_done(struct console *console)
{
    console_end_progress(console);
    v2v_log_set(NULL, NULL);
    for (size_t i = 0; i < console->warning_count; i++) {
        free(console->warnings[i].code);
        free(console->warnings[i].text);
    }
    free(console->warnings);
}

void
console_line_to(FILE *to, const char *fmt, ...)
{
    char text[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    v2v_make_printable(text);
    fprintf(to, "%s\n", text);
}
