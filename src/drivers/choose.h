/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drivers/choose.h - what choose.c shares with explain.c only */
#ifndef V2V_DRIVERS_CHOOSE_H
#define V2V_DRIVERS_CHOOSE_H

#include "drivers/package.h"
#include "drivers/place.h"

/* An INF on a medium that one of the names asks for. */
struct find {
    size_t medium, index;
    struct place place;
    struct v2v_bytes text;
};

/* Directories that say nothing come after the guest's; others never. */
enum { rank_unknown = 100, rank_never = 101 };

/* An INF as a candidate for one name. */
struct trial {
    const struct find *find;
    const char *path;
    unsigned rank; /* index in the guest's directories, or rank_... */
    bool decided;  /* by @rule, which is not DRIVERS_CHOSEN */
    enum drivers_rule rule;
    char *why; /* new */
    struct driver_package package;
    struct package_origin origin;
};

struct trials {
    const char *name;    /* as asked for */
    struct trial *items; /* in the order of preference */
    size_t count;
};

struct chooser {
    struct media *const *media;
    size_t media_count;
    const struct drivers_guest *guest;
    const struct drivers_options *options;
    const char *const *directories; /* of the guest; NULL: none is known */
    struct find *finds;
    size_t find_count;
    struct drivers_choice choice;
};

/* What became of the INFs of a directory, or of a medium. */
enum outcome { out_failed = -1, out_passed, out_taken, out_refused };

/* ---- trial.c ---- */

/* @trial is lost by @rule; takes @why.  -1 when that is NULL. */
int trial_lose(struct trial *trial, enum drivers_rule rule, char *why);

/* What the INF alone says, and its directory. */
int trial_examine(const struct chooser *c, struct trial *trial,
                  struct v2v_error *err);

/* Are those of a directory that were lost by their INF what was signed?
 * Returns out_passed; out_refused: one is damaged; out_failed also for one
 * that is malformed. */
enum outcome trial_check_lost(const struct chooser *c, struct trial *group,
                              size_t count, struct v2v_error *err);

/* Finds the files of one that fits. */
int trial_complete(const struct chooser *c, struct trial *trial,
                   struct v2v_error *err);

/* The signature of one that fits and was loaded. */
int trial_judge(const struct chooser *c, struct trial *trial,
                struct v2v_error *err);

/* With warnings: can the directory be taken as far as signatures go?  What
 * the user allows is no longer lost. */
bool trial_settle_group(const struct chooser *c, struct trial *group,
                        size_t count);

/* ---- explain.c ---- */

/* All of explain_...() return 0 or -1. */

/* Adds what was there instead of an INF in a directory of the guest. */
int explain_absent(const struct chooser *c, const struct trials *trials,
                   size_t medium, const char *directory,
                   struct v2v_strings *passed, struct v2v_error *err);

/* @passed becomes one sentence in @reasons, with the medium's name when there
 * are several. */
int explain_medium(const struct chooser *c, size_t medium,
                   const struct v2v_strings *passed,
                   struct v2v_strings *reasons, struct v2v_error *err);

/* Fills in the package's why.  @passed, @reasons: why the better directories
 * and media were passed over. */
int explain_chosen(const struct chooser *c, struct trial *trial,
                   const struct v2v_strings *passed,
                   const struct v2v_strings *reasons, struct v2v_error *err);

/* Nothing was taken for trials->name. */
int explain_missing(struct chooser *c, const struct trials *trials,
                    const struct v2v_strings *reasons, struct v2v_error *err);

/* @driver is missing for that reason. */
int explain_add_missing(struct chooser *c, const char *driver,
                        enum drivers_rule rule, const char *why,
                        struct v2v_error *err);

/* Adds the candidates of a driver.  @chosen: index of the first package that
 * was taken for it; choice.count: none */
int explain_candidates(struct chooser *c, struct trials *trials, size_t chosen,
                       struct v2v_error *err);

#endif
