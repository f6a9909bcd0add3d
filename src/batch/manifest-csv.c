/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A manifest as CSV.  libcsv is fed line by line, so that a row has a number.
 */
#include <csv.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "batch/manifest-private.h"

struct reader {
    struct csv_parser parser;
    struct manifest *manifest;
    struct v2v_strings columns;
    bool has_columns;
    struct manifest_line *line; /* that cells go to; NULL: between two */
    size_t number;              /* of the line that is fed */
    size_t row_number;          /* ... that the row began in */
    size_t last_row;            /* the same of the row before; 0: none */
    bool between;               /* no row has begun */
    size_t cell;                /* index of the next */
    bool failed;
    struct v2v_error *err;
};

/* RFC 4180: "Spaces are considered part of a field". */
static int
no_space(unsigned char c)
{
    (void)c;
    return 0;
}

/* By their numbers lines are known: no two have the same. */
static struct manifest_line *
begin_row(struct reader *r)
{
    if (r->row_number != r->last_row)
        return manifest_add(r->manifest, r->row_number, r->err);
    v2v_error_set(
        r->err, V2V_ERR_FORMAT,
        "line %zu: a carriage return alone ends no line: save it with "
        "LF or CR LF",
        r->row_number);
    return NULL;
}

static int
take_cell(struct reader *r, const char *text)
{
    size_t cell = r->cell++;

    if (!r->has_columns)
        return r->columns.count == MANIFEST_MAX_FIELDS
                   ? v2v_fail(r->err, V2V_ERR_FORMAT, "more than %d columns",
                              MANIFEST_MAX_FIELDS)
                   : v2v_strings_add(&r->columns, text, r->err);
    if (r->line == NULL)
        r->line = begin_row(r);
    if (r->line == NULL)
        return -1;
    if (cell >= r->columns.count)
        return *text == '\0'
                   ? 0
                   : manifest_spoil(r->line, r->err,
                                    "more cells than the header row has");
    return manifest_say(r->line, r->columns.items[cell], text, r->err);
}

static void
on_cell(void *text, size_t len, void *opaque)
{
    struct reader *r = opaque;

    (void)len; /* CSV_APPEND_NULL */
    if (!r->failed && take_cell(r, text) < 0)
        r->failed = true;
}

/* Spreadsheets write another separator where the comma is a decimal point. */
static int
check_separator(const struct reader *r)
{
    const char *only = r->columns.count == 1 ? r->columns.items[0] : "";

    if (strpbrk(only, ";\t") == NULL)
        return 0;
    return v2v_fail(r->err, V2V_ERR_FORMAT,
                    "line %zu: only one column: cells are separated by commas, "
                    "not by %s",
                    r->row_number,
                    strchr(only, ';') != NULL ? "\";\"" : "tabs");
}

static int
check_columns(const struct reader *r)
{
    for (size_t i = 0; i < r->columns.count; i++)
        if (*r->columns.items[i] == '\0')
            return v2v_fail(r->err, V2V_ERR_FORMAT,
                            "line %zu: column %zu has no name: the first row "
                            "names the columns, as \"image,output-xml\"",
                            r->row_number, i + 1);
    return check_separator(r);
}

static void
on_row(int end, void *opaque)
{
    struct reader *r = opaque;

    (void)end;
    if (!r->has_columns && !r->failed && check_columns(r) < 0)
        r->failed = true;
    r->has_columns = true;
    r->last_row = r->row_number;
    r->line = NULL;
    r->cell = 0;
    r->between = true;
}

static int
init_parser(struct reader *r)
{
    if (csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) !=
        0)
        return v2v_fail(r->err, V2V_ERR_INTERNAL, "libcsv cannot start");
    csv_set_space_func(&r->parser, no_space);
    r->between = true;
    return 0;
}

/* The row is lost; the next begins with the next line. */
static int
give_up_row(struct reader *r, const char *why)
{
    struct manifest_line *line = r->line;

    if (!r->has_columns)
        return v2v_fail(r->err, V2V_ERR_FORMAT, "line %zu: %s", r->row_number,
                        why);
    if (line == NULL)
        line = begin_row(r);
    if (line == NULL || manifest_spoil(line, r->err, "%s", why) < 0)
        return -1;
    csv_free(&r->parser);
    r->line = NULL;
    r->cell = 0;
    r->last_row = r->row_number;
    return init_parser(r);
}

/* libcsv passes over them. */
static bool
is_blank(const char *text, size_t len)
{
    return strspn(text, "\r\n") >= len;
}

static int
feed_line(struct reader *r, const char *text, size_t len)
{
    size_t taken;

    if (r->between && !is_blank(text, len)) {
        r->row_number = r->number;
        r->between = false;
    }
    taken = csv_parse(&r->parser, text, len, on_cell, on_row, r);
    if (r->failed)
        return -1;
    if (taken == len)
        return 0;
    if (csv_error(&r->parser) != CSV_EPARSE)
        return v2v_fail_errno(r->err, ENOMEM, "line %zu", r->number);
    return give_up_row(r, "malformed CSV: a quote in a cell stands twice, and "
                          "such a cell is in quotes");
}

static int
read_all(struct reader *r, const char *text, size_t len)
{
    for (size_t at = 0, end; at < len; at = end) {
        end = manifest_line_end(text, len, at);
        r->number++;
        if (feed_line(r, text + at, end - at) < 0)
            return -1;
    }
    if (csv_fini(&r->parser, on_cell, on_row, r) != 0 && !r->failed)
        return give_up_row(r, "malformed CSV: a quote is not closed");
    return r->failed ? -1 : 0;
}

int
manifest_parse_csv(const char *text, size_t len, struct manifest *manifest,
                   struct v2v_error *err)
{
    struct reader r = { .manifest = manifest, .err = err };
    int result;

    if (init_parser(&r) < 0)
        return -1;
    result = read_all(&r, text, len);
    csv_free(&r.parser);
    v2v_strings_done(&r.columns);
    return result;
}
