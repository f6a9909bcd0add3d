/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * inf-parser/inf.h - a Windows setup information file as sections and fields
 *
 * The lexical level: bytes to sections, lines, keys and fields, and the
 * %token% substitution.  What the directives mean is inf-parser/install.h.
 * Nothing here opens a file: Include= names INFs that the caller may have.
 *
 * Text is UTF-8; an unpaired surrogate of a UTF-16 file is kept in its
 * three-byte form (base/text.h).  Names and keys compare without regard to
 * the case of ASCII letters.
 *
 * Source, unless another is named: Microsoft, "General Syntax Rules for INF
 * Files" and the pages it links to,
 * https://learn.microsoft.com/windows-hardware/drivers/install/general-syntax-rules-for-inf-files
 * Where real Windows is known to differ from these pages, the code says so.
 */
#ifndef V2V_INF_PARSER_INF_H
#define V2V_INF_PARSER_INF_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

struct inf_file;    /* opaque; never changed after inf_parse() but for the
                     * language */
struct inf_section; /* opaque; lives as long as its file */

/* Limits of Windows, in UTF-16 units: "INF Size Limits" in the page above. */
enum {
    INF_SECTION_NAME_MAX = 255,
    INF_FIELD_MAX = 4095 /* before and after substitution, without the NUL */
};

/* Ours: larger input is refused. */
enum {
    INF_FILE_MAX = 64 << 20,    /* bytes of a file */
    INF_RESULT_MAX = 256 << 20, /* bytes that one result may occupy */
    INF_LINES_MAX = 4 << 20,    /* lines that one result may read */
    INF_NEST_MAX = 32,          /* depth of Needs= */
    INF_WARNINGS_MAX = 64       /* further warnings are dropped */
};

/* Why a file is no INF: ERROR_... of setupapi.h. */
#define INF_E_EXPECTED_SECTION_NAME 0xE0000000U
#define INF_E_BAD_SECTION_NAME_LINE 0xE0000001U
#define INF_E_SECTION_NAME_TOO_LONG 0xE0000002U
#define INF_E_WRONG_INF_STYLE 0xE0000100U

/* Where and why inf_parse_where() failed. */
struct inf_failure {
    uint32_t code; /* INF_E_...; 0: a limit of ours, or no memory */
    uint32_t line; /* from 1; 0: the file as a whole */
};

/**
 * inf_parse() - bytes of an INF file to a struct inf_file
 * @data: the file; not kept
 * @len:  bytes in @data, at most INF_FILE_MAX
 * @ret:  new, inf_free()
 *
 * UTF-16LE, UTF-16BE and UTF-8 are known by their BOM, UTF-16LE also by its
 * look; the rest is Windows-1252.  Sections of the same name are merged.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT: text before the first section in a
 * file without [Strings], a section line without ']', a section name that is
 * too long, no [Version] with a known Signature, or a file too large.  The
 * text names the line.  V2V_ERR_INTERNAL: no memory.
 */
int inf_parse(const void *data, size_t len, struct inf_file **ret,
              struct v2v_error *err);

/* The same; @where is written on failure only. */
int inf_parse_where(const void *data, size_t len, struct inf_file **ret,
                    struct inf_failure *where, struct v2v_error *err);

void inf_free(struct inf_file *inf);
V2V_AUTO_DEFINE(inf, struct inf_file *, inf_free)

/* What Windows accepts or may accept, but somebody should know: an
 * undocumented encoding or Signature, fields above INF_FIELD_MAX (they are
 * kept whole).  One line of text each; belongs to @inf. */
const struct v2v_strings *inf_warnings(const struct inf_file *inf);

/* Sections in the order of their first appearance.  inf_section_find() gives
 * NULL when there is none of that name. */
size_t inf_section_count(const struct inf_file *inf);
const struct inf_section *inf_section_at(const struct inf_file *inf, size_t i);
const struct inf_section *inf_section_find(const struct inf_file *inf,
                                           const char *name);

/* The name as first written: verbatim, with blanks, never substituted. */
const char *inf_section_name(const struct inf_file *inf,
                             const struct inf_section *section);
size_t inf_line_count(const struct inf_section *section);

/* A line: [key =] field, field ...  All text is raw, before substitution,
 * and belongs to the file.  A line of one field and no '=' has that field as
 * its key, too; "=x" has the key "". */
struct inf_line {
    const char *key; /* NULL: none */
    size_t count;    /* fields */
    const struct inf_file *inf;
    uint32_t first; /* inside the file's table of fields */
};

/* @i < inf_line_count(@section). */
struct inf_line inf_line_at(const struct inf_file *inf,
                            const struct inf_section *section, size_t i);

/* Fields count from 0.  One that the line does not have reads as "", since
 * Windows takes a missing and an empty field alike; line->count tells. */
const char *inf_field_raw(const struct inf_line *line, size_t i);

/* What %id% stands for: the path, without an end backslash, or NULL to leave
 * the token as it is.  The text need not outlive the next call. */
struct inf_dirs {
    const char *(*path)(void *opaque, int dirid);
    void *opaque;
};

/**
 * inf_expand() - substitute the %token%s of a raw text, once, from the left
 * @raw:  a key or field of @inf
 * @dirs: asked for tokens that are numbers and not in [Strings]; may be NULL
 *
 * A token is looked up in the [Strings] section of the chosen language, then
 * among the directory ids; an unknown one stays literally with both percents;
 * "%%" is a percent.  The text that comes in is not substituted again.
 *
 * Returns: a new string, or NULL with V2V_ERR_FORMAT when it would be longer
 * than INF_FIELD_MAX, V2V_ERR_INTERNAL: no memory.
 */
char *inf_expand(const struct inf_file *inf, const char *raw,
                 const struct inf_dirs *dirs, struct v2v_error *err);

/**
 * inf_set_language() - choose the strings section, [Strings] or one of a
 * language; exactly one is used.  inf_parse() chooses for 0x0409.
 * @langid: Windows language identifier, as 0x0407 for German
 *
 * Source: Microsoft, "INF Strings Section": exact id, neutral id of the same
 * primary language, any of the same primary language, [Strings].
 */
int inf_set_language(struct inf_file *inf, uint16_t langid,
                     struct v2v_error *err);

/**
 * inf_integer() - the number that an expanded field holds
 *
 * Decimal with an optional sign, or hexadecimal after 0x; never octal; "" is
 * 0.  Negative numbers are modulo 2^32.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT: not a number, or above 32 bits.
 * Source: Microsoft, SetupGetIntField().
 */
int inf_integer(const char *text, uint32_t *ret, struct v2v_error *err);

#endif
