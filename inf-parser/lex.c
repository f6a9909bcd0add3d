/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to lines of fields, in place: each token is written over the text that
 * it was read from, with its NUL over the separator that ended it, so that
 * the write position never passes the read position.
 *
 * Where the pages of Microsoft and tests that pass on real Windows disagree,
 * the tests count: ';' inside %token% starts a comment, a quote ends with its
 * line, a ']' ends a section name wherever it stands. */
#include <errno.h>
#include <string.h>

#include "inf-parser/private.h"

struct lexer {
    struct inf_file *inf;
    struct inf_lexed *out;
    struct inf_failure *where;
    const char *p; /* next character; the text ends with a NUL */
    char *w;       /* next token's place; w <= p */
    size_t field_count;
    uint32_t line; /* of p, from 1 */
};

void
inf_lexed_done(struct inf_lexed *lexed)
{
    free(lexed->names);
    free(lexed->line_section);
}

/* Bytes of the white space at @s, 0 for none.  LF is none: it ends a line.
 * The set is Unicode's, of which a BOM or a zero width space is no part. */
static size_t
white(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;

    if (p[0] < 0x80)
        return p[0] == ' ' || (p[0] >= '\t' && p[0] <= '\r' && p[0] != '\n');
    if (p[0] == 0xc2)
        return p[1] == 0x85 || p[1] == 0xa0 ? 2 : 0; /* U+0085, U+00A0 */
    if (p[0] == 0xe1)
        return p[1] == 0x9a && p[2] == 0x80 ? 3 : 0; /* U+1680 */
    if (p[0] == 0xe2 && p[1] == 0x80) /* U+2000-200A, 2028, 2029, 202F */
        return p[2] <= 0x8a || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf ? 3
                                                                            : 0;
    if (p[0] == 0xe2)
        return p[1] == 0x81 && p[2] == 0x9f ? 3 : 0;             /* U+205F */
    return p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80 ? 3 : 0; /* U+3000 */
}

static const char *
skip_white(const char *s)
{
    size_t n;

    while ((n = white(s)) > 0)
        s += n;
    return s;
}

/* To the LF or the end. */
static void
skip_rest(struct lexer *x)
{
    while (*x->p != '\n' && *x->p != '\0')
        x->p++;
}

/* The text of a file's error; @code and the line go to the caller, too. */
static int
refuse(struct lexer *x, uint32_t code, uint32_t line, const char *what,
       struct v2v_error *err)
{
    *x->where = (struct inf_failure){ .code = code, .line = line };
    return v2v_fail(err, V2V_ERR_FORMAT, "line %u: %s", (unsigned)line, what);
}

static uint32_t
offset(const struct lexer *x, const char *token)
{
    return (uint32_t)(token - x->inf->text);
}

/* "[name] the rest is ignored".  The name is verbatim. */
static int
lex_section(struct lexer *x, struct v2v_error *err)
{
    const char *name = x->p + 1;
    size_t len = strcspn(name, "]\n");

    if (name[len] != ']')
        return refuse(x, INF_E_BAD_SECTION_NAME_LINE, x->line,
                      "section name without ']'", err);
    if (inf_units(name, len) > INF_SECTION_NAME_MAX)
        return refuse(x, INF_E_SECTION_NAME_TOO_LONG, x->line,
                      "section name of more than 255 characters", err);
    x->out->names[x->out->count++] = offset(x, x->w);
    memmove(x->w, name, len);
    x->p = name + len + 1;
    x->w[len] = '\0';
    x->w += len + 1;
    skip_rest(x);
    return 0;
}

/* The quoted part at x->p; "" is one quote inside.  The end of the line ends
 * it, and its CR does not belong to the text. */
static void
lex_quoted(struct lexer *x)
{
    const char *start = x->w;

    x->p++;
    for (;;) {
        if (*x->p == '\n' || *x->p == '\0') {
            while (x->w > start && x->w[-1] == '\r')
                x->w--;
            return;
        }
        if (*x->p == '"' && *++x->p != '"')
            return;
        *x->w++ = *x->p++;
    }
}

/* A run of backslashes and blanks at x->p, which starts with a backslash.
 * Before the end of a line or a comment it joins the next line, and x->p is
 * then at the first text of that line.  Else its backslashes are data. */
static void
lex_backslashes(struct lexer *x, char **keep)
{
    const char *end = x->p, *last = x->p;

    while (*end == '\\' || white(end) > 0) {
        if (*end == '\\')
            last = end;
        end += *end == '\\' ? 1 : white(end);
    }
    if (*end == '\n' || *end == '\0' || *end == ';') {
        x->p = end;
        x->w = *keep;
        skip_rest(x);
        if (*x->p == '\n') {
            x->p = skip_white(x->p + 1);
            x->line++;
        }
        return;
    }
    memmove(x->w, x->p, (size_t)(end - x->p));
    *keep = x->w + (last + 1 - x->p);
    x->w += end - x->p;
    x->p = end;
}

/* One key or field up to its separator, which is returned and consumed:
 * '=' (if @key), ',' or '\n'; '\0' is the end of the file. */
static char
lex_token(struct lexer *x, bool key)
{
    char *keep = x->w; /* behind the last character that is no outer blank */
    char separator;

    x->p = skip_white(x->p);
    for (;;) {
        size_t blank = white(x->p);

        if (blank > 0) {
            memmove(x->w, x->p, blank);
            x->w += blank;
            x->p += blank;
        } else if (*x->p == '"') {
            lex_quoted(x);
            keep = x->w;
        } else if (*x->p == '\\') {
            lex_backslashes(x, &keep);
        } else if (*x->p == ';') {
            skip_rest(x);
        } else if (*x->p == '\n' || *x->p == '\0' || *x->p == ',' ||
                   (key && *x->p == '=')) {
            break;
        } else {
            *x->w++ = *x->p++;
            keep = x->w;
        }
    }
    separator = *x->p;
    if (separator != '\0')
        x->p++;
    if (separator == '\n')
        x->line++;
    *keep = '\0';
    x->w = keep + 1;
    return separator;
}

/* Windows cuts or refuses such a field; it is kept here. */
static int
check_length(struct lexer *x, const char *token, uint32_t line,
             struct v2v_error *err)
{
    size_t len = (size_t)(x->w - 1 - token);

    if (len <= INF_FIELD_MAX || inf_units(token, len) <= INF_FIELD_MAX)
        return 0;
    return inf_pool_warn(x->inf->pool, &x->inf->warnings, err,
                         "line %u: field of more than %d characters",
                         (unsigned)line, INF_FIELD_MAX);
}

/* [key =] field, field ... */
static int
lex_entry(struct lexer *x, struct v2v_error *err)
{
    struct inf_file *inf = x->inf;
    struct inf_raw_line *line = &inf->lines[inf->line_count];
    size_t first = x->field_count;
    uint32_t number = x->line;
    bool key = true, has_key = false;
    char separator;

    do {
        const char *token = x->w;

        inf->fields[x->field_count++] = offset(x, token);
        separator = lex_token(x, key);
        if (separator == '=')
            has_key = true;
        key = false;
        if (check_length(x, token, number, err) < 0)
            return -1;
    } while (separator == ',' || separator == '=');

    line->first = (uint32_t)first & 0x3fffffff;
    line->kind = has_key                       ? INF_KEY_OWN
                 : x->field_count - first == 1 ? INF_KEY_IS_FIELD
                                               : INF_KEY_NONE;
    x->out->line_section[inf->line_count++] = (uint32_t)x->out->count - 1;
    return 0;
}

/* Text before the first section is skipped to the next '[', ';' or line; the
 * caller refuses it later if there is no [Strings]. */
static void
lex_junk(struct lexer *x)
{
    if (x->out->junk_line == 0)
        x->out->junk_line = x->line;
    x->p++;
}

static int
lex_text(struct lexer *x, struct v2v_error *err)
{
    for (;;) {
        x->p = skip_white(x->p);
        if (*x->p == '\0')
            return 0;
        if (*x->p == '\n') {
            x->p++;
            x->line++;
        } else if (*x->p == ';') {
            skip_rest(x);
        } else if (*x->p == '[') {
            if (lex_section(x, err) < 0)
                return -1;
        } else if (x->out->count == 0) {
            lex_junk(x);
        } else if (lex_entry(x, err) < 0) {
            return -1;
        }
    }
}

static size_t
count(const char *text, char c)
{
    size_t n = 0;

    for (; (text = strchr(text, c)) != NULL; text++)
        n++;
    return n;
}

/* Counting first gives bounds for every table, so that none has to grow:
 * each line, comma and '=' can start one field at most. */
static int
make_tables(struct inf_file *inf, struct inf_lexed *out, struct v2v_error *err)
{
    size_t lines = count(inf->text, '\n') + 1;
    size_t keys = count(inf->text, '=');
    size_t fields = lines + count(inf->text, ',') + keys;

    inf->lines = malloc((lines + 1) * sizeof *inf->lines);
    inf->fields = malloc(fields * sizeof *inf->fields);
    out->line_section = malloc(lines * sizeof *out->line_section);
    out->names = malloc((count(inf->text, '[') + 1) * sizeof *out->names);
    if (inf->lines == NULL || inf->fields == NULL ||
        out->line_section == NULL || out->names == NULL)
        return v2v_fail_errno(err, errno, "INF of %zu lines", lines);
    return 0;
}

int
inf_lex(struct inf_file *inf, struct inf_lexed *ret, struct inf_failure *where,
        struct v2v_error *err)
{
    struct lexer x = { .inf = inf,
                       .out = ret,
                       .where = where,
                       .p = inf->text,
                       .w = inf->text,
                       .line = 1 };

    if (make_tables(inf, ret, err) < 0 || lex_text(&x, err) < 0)
        return -1;
    inf->lines[inf->line_count] =
        (struct inf_raw_line){ (uint32_t)x.field_count & 0x3fffffff,
                               INF_KEY_NONE };
    return 0;
}
