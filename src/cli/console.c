/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/console.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/events.h"
#include "cli/progress.h"

/* Colours ---------------------------------------------------------------- */

/* What libguestfs' tools take (mltools/std_utils.ml): errors red, warnings
 * blue, what is well green. */
#define RED "\033[1;31m"
#define BLUE "\033[1;34m"
#define GREEN "\033[0;32m"
#define PLAIN "\033[0m"

static const struct {
    const char *word, *color;
} words[] = {
    { "error:", RED },   { "warning:", BLUE }, { "blocks", RED },
    { "broken", RED },   { "warns", BLUE },    { "holds", GREEN },
    { "allowed", BLUE },
};

static bool colors_forced;

void
console_set_colors(bool force)
{
    colors_forced = force;
}

static bool
has_colors(FILE *to)
{
    const char *no_color = getenv("NO_COLOR");

    return colors_forced ||
           (isatty(fileno(to)) && (no_color == NULL || *no_color == '\0'));
}

/* A word that has a colour, @width columns wide. */
static void
put_word(FILE *to, const char *word, int width)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0 && has_colors(to)) {
            fprintf(to, "%s%-*s" PLAIN, words[i].color, width, word);
            return;
        }
    fprintf(to, "%-*s", width, word);
}

/* Lines ------------------------------------------------------------------ */

static void __attribute__((format(printf, 2, 0)))
put_line(FILE *to, const char *fmt, va_list ap)
{
    char text[2048];

    vsnprintf(text, sizeof text, fmt, ap);
    v2v_make_printable(text);
    fprintf(to, "%s\n", text);
}

void
console_line_to(FILE *to, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    put_line(to, fmt, ap);
    va_end(ap);
}

void
console_verdict(const char *verdict, const char *fmt, ...)
{
    va_list ap;

    put_word(stdout, verdict, 9);
    putchar(' ');
    va_start(ap, fmt);
    put_line(stdout, fmt, ap);
    va_end(ap);
}

static void
put_message(const char *word, const char *text)
{
    progress_hold();
    fputs("v2v-virtio: ", stderr);
    put_word(stderr, word, 0);
    fprintf(stderr, " %s\n", text);
    progress_release();
}

void
console_error(const struct v2v_error *error)
{
    put_message("error:", error->text);
}

/* What is said while it works -------------------------------------------- */

static double
seconds_since(int64_t start)
{
    return (double)(v2v_milliseconds() - start) / 1000;
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
take_warning(struct console *console, const char *module, const char *code,
             const char *text)
{
    (void)module;
    keep_warning(console, code, text);
    put_message("warning:", text);
    events_warning(code, text);
}

static void
take_step(struct console *console, const char *module, const char *phase,
          const char *text)
{
    (void)module;
    console->phase = phase;
    progress_step(text);
    if (console->steps) {
        progress_hold();
        printf("[%6.1f] %s\n", seconds_since(console->start), text);
        fflush(stdout);
        progress_release();
    }
    events_phase(phase, text);
}

static void
take_progress(struct console *console, const char *module, const char *code,
              const char *text)
{
    uint64_t done, total;

    (void)module;
    (void)code;
    if (console->phase == NULL ||
        sscanf(text, "%" SCNu64 "/%" SCNu64, &done, &total) != 2 || total == 0)
        return;
    progress_set(done, total);
    events_progress(console->phase, done, total);
}

static void
take_written(struct console *console, const char *module, const char *what,
             const char *text)
{
    (void)console;
    (void)module;
    events_written(what, text);
}

static void
put_detail(bool shown, const char *module, const char *text)
{
    if (!shown)
        return;
    progress_hold();
    fprintf(stderr, "%s: %s\n", module, text);
    progress_release();
}

static void
take_fact(struct console *console, const char *module, const char *code,
          const char *text)
{
    (void)code;
    put_detail(console->facts, module, text);
    if (console->facts)
        events_info(text);
}

static void
take_trace(struct console *console, const char *module, const char *code,
           const char *text)
{
    (void)code;
    put_detail(console->trace, module, text);
}

static void
receive(void *opaque, enum v2v_log_level level, const char *module,
        const char *code, const char *text)
{
    static void (*const takers[])(struct console * console, const char *module,
                                  const char *code, const char *text) = {
        [V2V_LOG_WARNING] = take_warning, [V2V_LOG_STEP] = take_step,
        [V2V_LOG_WRITTEN] = take_written, [V2V_LOG_FACT] = take_fact,
        [V2V_LOG_TRACE] = take_trace,     [V2V_LOG_PROGRESS] = take_progress
    };

    takers[level](opaque, module, code, text);
}

void
console_init(struct console *console)
{
    console->start = v2v_milliseconds();
    v2v_log_set(receive, console);
}

void
console_done(struct console *console)
{
    v2v_log_set(NULL, NULL);
    for (size_t i = 0; i < console->warning_count; i++) {
        free(console->warnings[i].code);
        free(console->warnings[i].text);
    }
    free(console->warnings);
}
