/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * check/check.h - what stands in the way of a move to virtio, and what will be
 * different afterwards
 *
 * Reads only.  Each finding has a stable code, whose severity and advice stand
 * in one table (codes.c), and its evidence: what was found, and where.  What
 * cannot be judged without a driver medium or a domain XML, or because an
 * earlier finding hides it, is listed as not checked.
 *
 * Whether a guest would boot is verify/'s question.
 */
#ifndef V2V_CHECK_CHECK_H
#define V2V_CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "domain/domain.h"
#include "drivers/drivers.h"
#include "facts/facts.h"
#include "guest/guest.h"
#include "image/image.h"

enum check_severity {
    CHECK_INFO,  /* worth knowing */
    CHECK_WARNS, /* something will not work as before, or may not */
    CHECK_BLOCKS /* inject refuses */
};

/* "info", "warns", "blocks" */
const char *check_severity_name(enum check_severity severity);

struct check_code {
    const char *name; /* "fast-startup": stable, unique, also in the manual */
    enum check_severity severity;
    bool can_allow;     /* --allow NAME lets inject go on all the same */
    const char *advice; /* one sentence: what to do */
};

/* All of them; @count is set. */
const struct check_code *check_codes(size_t *count);

/* NULL: there is no such code. */
const struct check_code *check_find_code(const char *name);

/* The exit status of an inject that it stops. */
enum v2v_error_code check_status(const struct check_code *code);

struct check_finding {
    const struct check_code *code;
    char *evidence; /* UTF-8, one line: what was found, and where */
    bool allowed;   /* it blocks, and the caller lets it pass */
};

/* What was not looked at. */
struct check_gap {
    char *what; /* "whether Windows accepts the drivers" */
    char *why;  /* "no driver medium was given" */
};

struct check_result {
    struct check_finding *findings; /* what blocks first, then what warns */
    size_t count;
    struct check_gap *gaps;
    size_t gap_count;
};

void check_result_done(struct check_result *result);

static inline void
v2v_auto_check_result(struct check_result *result)
{
    check_result_done(result);
}

/* Everything is the caller's and only read; NULL where it is not there. */
struct check_input {
    struct guest *guest; /* the system volume is mounted; stays so */
    const struct facts *facts;
    const struct facts_hives *hives;
    struct image *const *images; /* the machine's disks, in guest's order */
    size_t image_count;
    bool has_output; /* the result goes to a new file: images are only read */
    const struct domain *domain;         /* NULL: no domain XML */
    const struct drivers_choice *choice; /* NULL: no driver medium */
    const struct v2v_strings *allow;     /* codes to let pass; may be NULL */
};

/**
 * check_run() - everything that can be found out about a guest
 * @ret: all zero
 *
 * A hive's value that is damaged or of another type than Windows gives it is
 * no finding of its own; the rule that reads it takes it for absent.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL and the errors of guest_read().
 */
int check_run(const struct check_input *input, struct check_result *ret,
              struct v2v_error *err);

/**
 * check_refusal() - a failure of image/, facts/ or drivers/ as a finding
 * @why: its finding names the code; without one nothing is added and the
 *       result is 0
 *
 * What could not be looked at because of it becomes a gap.
 *
 * Returns: 1, 0, or -1 with V2V_ERR_INTERNAL.
 */
int check_refusal(const struct v2v_error *why, struct check_result *ret,
                  struct v2v_error *err);

/* How many findings of that severity there are, without those allowed. */
size_t check_count(const struct check_result *result,
                   enum check_severity severity);

/* The first finding that blocks and is not allowed, or NULL. */
const struct check_finding *check_blocker(const struct check_result *result);

#endif
