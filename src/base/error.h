/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * base/error.h - the one way in which a function fails
 *
 * A function that can fail returns 0 or -1 and fills a struct v2v_error that
 * its caller owns.  Whoever knows the cause says it once; each caller on the
 * way up adds where it was.  Reporting an error allocates nothing and cannot
 * itself fail; a text that is too long is cut at a character's end.
 *
 * Nothing here prints.
 */
#ifndef V2V_BASE_ERROR_H
#define V2V_BASE_ERROR_H

#include <stddef.h>

/* The classes of failure.  The values are the exit statuses of the program;
 * the manual has the same table.  V2V_ERR_NOT_FOUND is for look-ups only:
 * who asks for something that may be absent turns it into another class. */
enum v2v_error_code {
    V2V_OK = 0,
    V2V_ERR_INTERNAL =
        1,              /* our mistake, or the host's: memory, disk, library */
    V2V_ERR_USAGE = 2,  /* the command line, or a file named on it */
    V2V_ERR_GUEST = 3,  /* this guest is refused as it is */
    V2V_ERR_DRIVER = 4, /* driver not found or not acceptable */
    V2V_ERR_FORMAT = 5, /* malformed input */
    V2V_ERR_BUSY = 75,  /* try again: EX_TEMPFAIL of sysexits.h */
    V2V_ERR_NOT_FOUND = 200 /* absent; never an exit status */
};

struct v2v_error {
    enum v2v_error_code code;
    const char *finding; /* static: the stable name of this cause, which check/,
                          * verify/ or cli/codes.c knows ("bitlocker-locked");
                          * NULL: it has that of its class */
    char text[1024];     /* UTF-8, one line, no final full stop */
};

/* v2v_fail() - a new error, known here; the old content of @err is replaced.
 * v2v_fail_errno() - the same from an errno value, whose text is appended and
 *     whose class is V2V_ERR_INTERNAL.
 * v2v_fail_in() - add context before the text that @err already has:
 *     "viostor.inf: DriverVer: bad date".  Class and finding stay.
 * v2v_refuse() - v2v_fail() with a finding.
 * v2v_fail_as() - give a failure of that class a finding, if it has none yet.
 * All five are expressions of value -1, so that the compiler sees a failing
 * path.  @err may be NULL. */
#define v2v_fail(err, code, ...) (v2v_error_set((err), (code), __VA_ARGS__), -1)
#define v2v_refuse(err, code, finding, ...)                                    \
    (v2v_error_set((err), (code), __VA_ARGS__),                                \
     v2v_error_name((err), (finding)), -1)
#define v2v_fail_as(err, code, finding)                                        \
    (v2v_error_name_class((err), (code), (finding)), -1)
#define v2v_fail_errno(err, errnum, ...)                                       \
    (v2v_error_set_errno((err), (errnum), __VA_ARGS__), -1)
#define v2v_fail_in(err, ...) (v2v_error_prefix((err), __VA_ARGS__), -1)

/* Names from a guest may hold line breaks and escape sequences, which must not
 * steer a terminal or split a line, and what is no Unicode: they become '?', a
 * byte each.  What is left is UTF-8. */
void v2v_make_printable(char *text);

void v2v_error_set(struct v2v_error *err, enum v2v_error_code code,
                   const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void v2v_error_name(struct v2v_error *err, const char *finding);
void v2v_error_name_class(struct v2v_error *err, enum v2v_error_code code,
                          const char *finding);
void v2v_error_set_errno(struct v2v_error *err, int errnum, const char *fmt,
                         ...) __attribute__((format(printf, 3, 4)));
void v2v_error_prefix(struct v2v_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
