/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * inf-parser/private.h - shared by the files of this folder only
 */
#ifndef V2V_INF_PARSER_PRIVATE_H
#define V2V_INF_PARSER_PRIVATE_H

#include <stdbool.h>

#include "inf-parser/install.h"

#define INF_COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- pool.c: memory that is freed at once and cannot grow without end ---- */

/* A pool allows INF_RESULT_MAX bytes; beyond that V2V_ERR_FORMAT: only a
 * hostile INF says so much. */
struct inf_pool *inf_pool_new(struct v2v_error *err);
void inf_pool_free(struct inf_pool *pool);
V2V_AUTO_DEFINE(inf_pool, struct inf_pool *, inf_pool_free)

/* Zeroed memory for anything but long double. */
void *inf_pool_alloc(struct inf_pool *pool, size_t len, struct v2v_error *err);

/* Room for element @count of an array of elements of @size bytes: the array,
 * moved when it was full, or NULL.  Zeroed.  Start with NULL and 0. */
void *inf_pool_grow(struct inf_pool *pool, void *items, size_t count,
                    size_t size, struct v2v_error *err);

char *inf_pool_text(struct inf_pool *pool, const char *s,
                    struct v2v_error *err);
int inf_pool_add(struct inf_pool *pool, struct v2v_strings *list, const char *s,
                 struct v2v_error *err);

/* inf_expand() without directories, into the pool.  Text without '%' is not
 * copied: it belongs to the file. */
const char *inf_pool_expand(struct inf_pool *pool, const struct inf_file *inf,
                            const char *raw, struct v2v_error *err);

/* To be called for each line that is read: a result may take INF_LINES_MAX.
 * Lists that name each other's sections many times stop here. */
int inf_pool_step(struct inf_pool *pool, struct v2v_error *err);

/* Adds to @list unless it has INF_WARNINGS_MAX lines already. */
int inf_pool_warn(struct inf_pool *pool, struct v2v_strings *list,
                  struct v2v_error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- decode.c ---- */

/* The bytes of a file as text: a new string in which U+0000 has become a
 * space, cut at the first U+001A.  @warning: a text, or NULL. */
int inf_decode(const void *data, size_t len, char **ret, const char **warning,
               struct v2v_error *err);

/* UTF-16 units of a UTF-8 text. */
size_t inf_units(const char *text, size_t len);

/* ---- index.c: names sorted for look-up, so that no input makes it slow ----
 */

struct inf_index_item {
    const char *name;
    uint32_t line;
};

struct inf_index {
    struct inf_index_item *items;
    size_t count;
};

/* As strcmp(), of ASCII without case, @a of @len bytes. */
int inf_compare(const char *a, size_t len, const char *b);

/* Sorts; the first of equal names stays the first. */
void inf_index_sort(struct inf_index *index);

/* The line of the first item of that name, or -1. */
int64_t inf_index_find(const struct inf_index *index, const char *name,
                       size_t len);

/* ---- lex.c ---- */

enum inf_key_kind {
    INF_KEY_NONE,    /* fields only */
    INF_KEY_OWN,     /* the first entry of the line's fields is its key */
    INF_KEY_IS_FIELD /* the only field is the key, too */
};

/* A line in file order: its fields end where those of the next one begin. */
struct inf_raw_line {
    uint32_t first : 30; /* in inf_file.fields */
    uint32_t kind : 2;   /* enum inf_key_kind */
};

struct inf_section {
    uint32_t name; /* offset in inf_file.text */
    uint32_t count;
    size_t first; /* its lines in inf_file.order */
};

struct inf_file {
    char *text;                 /* tokens, each with a NUL */
    uint32_t *fields;           /* offsets in text */
    struct inf_raw_line *lines; /* and one more that ends the last */
    size_t line_count;
    uint32_t *order;              /* lines grouped by section */
    struct inf_section *sections; /* in order of first appearance */
    size_t section_count;
    struct inf_index by_name; /* item.line: index of a section */
    struct inf_index strings; /* item.line: in the strings section */
    const struct inf_section *strings_section;
    struct v2v_strings warnings;
    struct inf_pool *pool;
};

/* What inf_lex() leaves for inf.c: each section line of the file. */
struct inf_lexed {
    uint32_t *names; /* offsets in text, one a section line */
    size_t count;
    uint32_t *line_section; /* for each line of the file, index in names */
    uint32_t junk_line;     /* first text before a section; 0: none */
};

void inf_lexed_done(struct inf_lexed *lexed);

/* Turns inf->text into tokens and fills fields and lines. */
int inf_lex(struct inf_file *inf, struct inf_lexed *ret,
            struct inf_failure *where, struct v2v_error *err);

/* ---- inf.c ---- */

/* The section's number, for sets of sections. */
size_t inf_section_number(const struct inf_file *inf,
                          const struct inf_section *section);

/* ---- version.c ---- */

/* The value of the first line of that key, expanded: field @field; NULL in
 * @ret: no such line.  Lines whose key holds a token are found by its value. */
int inf_value(struct inf_pool *pool, const struct inf_file *inf,
              const struct inf_section *section, const char *key, size_t field,
              const char **ret, struct v2v_error *err);

/* ---- models.c ---- */

/* Calls @fn for each models section that a line of [Manufacturer] names for
 * @arch, whatever the version of Windows, and that exists. */
int inf_models_of_arch(struct inf_pool *pool, const struct inf_file *inf,
                       enum inf_arch arch,
                       int (*fn)(void *opaque, const struct inf_section *models,
                                 struct v2v_error *err),
                       void *opaque, struct v2v_error *err);

/* ---- source.c ---- */

/* [SourceDisksNames], [SourceDisksFiles] and [DestinationDirs], indexed. */
struct inf_sources;

int inf_sources_new(struct inf_pool *pool, const struct inf_file *inf,
                    enum inf_arch arch, struct inf_sources **ret,
                    struct v2v_error *err);

/* Fills in where @copy comes from and goes to.  @list: the list section, or
 * NULL for "@file". */
int inf_sources_locate(struct inf_pool *pool, const struct inf_file *inf,
                       const struct inf_sources *sources, const char *list,
                       struct inf_copy *copy, struct v2v_error *err);

/* ---- registry.c ---- */

/* One line of an AddReg or DelReg section; lines that say nothing are
 * skipped with a warning. */
int inf_addreg_read(struct inf_pool *pool, const struct inf_line *line,
                    struct inf_addregs *list, struct v2v_strings *warnings,
                    struct v2v_error *err);
int inf_delreg_read(struct inf_pool *pool, const struct inf_line *line,
                    struct inf_delregs *list, struct v2v_strings *warnings,
                    struct v2v_error *err);

/* Flags that are no number are 0 and a warning. */
int inf_flags_read(struct inf_pool *pool, const struct inf_line *line,
                   size_t field, uint32_t *ret, struct v2v_strings *warnings,
                   struct v2v_error *err);

/* ---- reader.c ---- */

/* What is being read, and where its parts go.  A sink that is NULL: the
 * directive has no meaning here. */
struct inf_reader {
    const struct inf_file *inf;
    enum inf_arch arch;
    struct inf_pool *pool;
    struct inf_sources *sources;
    struct inf_install *install;
    struct inf_addregs *addregs;
    struct inf_delregs *delregs;
    struct inf_copies *copies;
    struct inf_service *service;
    const struct inf_directive *directives; /* of the section being read */
    size_t directive_count;
    const struct inf_section *section; /* and itself */
    const struct inf_reader *outer; /* reads the section that needs this one */
    unsigned depth;                 /* of Needs= */
    unsigned numbers_seen;          /* service.c: required directives */
    uint8_t *seen_lists; /* for a union of files: a byte for each section that
                          * was read as a list; else NULL */
};

/* A directive: called for each line of that key. */
struct inf_directive {
    const char *key;
    int (*read)(struct inf_reader *r, const struct inf_line *line,
                struct v2v_error *err);
};

/* Reads a section: first what it Needs, then its own lines. */
int inf_reader_section(struct inf_reader *r, const struct inf_section *section,
                       const struct inf_directive *directives, size_t count,
                       struct v2v_error *err);

/* @name<.nt<arch> | .nt | nothing>; NULL: none of the three exists. */
int inf_actual_section(const struct inf_file *inf, const char *name,
                       enum inf_arch arch, const struct inf_section **ret,
                       struct v2v_error *err);

/* Directives that several files share. */
int inf_read_addreg(struct inf_reader *r, const struct inf_line *line,
                    struct v2v_error *err);
int inf_read_delreg(struct inf_reader *r, const struct inf_line *line,
                    struct v2v_error *err);

/* Every field that is not empty, expanded. */
int inf_read_texts(struct inf_reader *r, const struct inf_line *line,
                   struct v2v_strings *list, struct v2v_error *err);

/* The list section that field @i names; NULL in @ret: nothing to read, and a
 * warning if one was named. */
int inf_list_section(struct inf_reader *r, const struct inf_line *line,
                     size_t i, const struct inf_section **ret,
                     struct v2v_error *err);

/* Hands each line of a list section to @read. */
int inf_read_list(struct inf_reader *r, const struct inf_section *list,
                  int (*read)(struct inf_reader *r, const char *list,
                              const struct inf_line *entry,
                              struct v2v_error *err),
                  struct v2v_error *err);

int inf_reader_warn_absent(struct inf_reader *r, const char *name,
                           struct v2v_error *err);

/* ---- package.c ---- */

int inf_read_copyfiles(struct inf_reader *r, const struct inf_line *line,
                       struct v2v_error *err);

/* ---- service.c ---- */

int inf_read_addservice(struct inf_reader *r, const struct inf_line *line,
                        struct v2v_error *err);

#endif
