/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/report-markup.h - text into HTML
 */
#ifndef V2V_BATCH_REPORT_MARKUP_H
#define V2V_BATCH_REPORT_MARKUP_H

#include <stdio.h>

/**
 * markup() - printf() to a page: what %s brings is text, and escaped
 * @fmt: markup of ours; knows %s, %zu, %u, %.1f and %%
 *
 * Safe between tags and in a quoted attribute, but not in a script, a style or
 * the name of a thing.  What is no character, or is not to be shown as one (a
 * control, or what turns the direction of writing), is U+FFFD.
 */
void markup(FILE *to, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
