/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/choose.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "drivers/names.h"

static bool
serves_any(const struct place *place, const struct v2v_strings *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (place_serves(place, names->items[i]))
            return true;
    }
    return false;
}

/* Takes @place when the INF is asked for. */
static int
consider(struct chooser *c, size_t medium, size_t index,
         const struct v2v_strings *names, struct v2v_error *err)
{
    const struct media_file *file = media_at(c->media[medium], index);
    struct place place;
    struct find *finds;

    if (!v2v_has_suffix_nocase(file->path, ".inf"))
        return 0;
    if (place_parse(file->path, &place, err) < 0)
        return -1;
    if (!serves_any(&place, names)) {
        place_done(&place);
        return 0;
    }
    if (c->find_count == DRIVERS_MAX_INFS) {
        place_done(&place);
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: more than %d INFs",
                        media_name(c->media[medium]), DRIVERS_MAX_INFS);
    }
    finds = realloc(c->finds, (c->find_count + 1) * sizeof *finds);
    if (finds == NULL) {
        place_done(&place);
        return v2v_fail_errno(err, errno, "list of INFs");
    }
    c->finds = finds;
    finds[c->find_count++] =
        (struct find){ .medium = medium, .index = index, .place = place };
    return 0;
}

/* Loads those of the last medium; one too large stays empty. */
static int
load_texts(struct chooser *c, size_t medium, size_t first,
           struct v2v_error *err)
{
    size_t count = c->find_count - first, used = 0;
    V2V_AUTO(mem) size_t *indexes = calloc(count + 1, sizeof *indexes);
    V2V_AUTO(mem)
    struct v2v_bytes *loaded = calloc(count + 1, sizeof *loaded);
    struct media *m = c->media[medium];

    if (indexes == NULL || loaded == NULL)
        return v2v_fail_errno(err, errno, "%s", media_name(m));
    for (size_t i = first; i < c->find_count; i++) {
        if (media_at(m, c->finds[i].index)->size <= PACKAGE_MAX_INF)
            indexes[used++] = c->finds[i].index;
    }
    if (media_load(m, indexes, used, loaded, err) < 0)
        return -1;
    used = 0;
    for (size_t i = first; i < c->find_count; i++) {
        if (media_at(m, c->finds[i].index)->size <= PACKAGE_MAX_INF)
            c->finds[i].text = loaded[used++];
    }
    return 0;
}

static int
find_infs(struct chooser *c, const struct v2v_strings *names,
          struct v2v_error *err)
{
    for (size_t medium = 0; medium < c->media_count; medium++) {
        size_t first = c->find_count;

        for (size_t i = 0; i < media_count(c->media[medium]); i++) {
            if (consider(c, medium, i, names, err) < 0)
                return -1;
        }
        if (load_texts(c, medium, first, err) < 0)
            return -1;
    }
    return 0;
}

static unsigned
rank_of(const struct chooser *c, const struct place *place)
{
    if (place->layout == layout_none)
        return rank_unknown;
    for (unsigned i = 0; c->directories != NULL && c->directories[i] != NULL;
         i++) {
        if (strcmp(c->directories[i], place->os->name) == 0)
            return i;
    }
    return rank_never;
}

static int
compare_trials(const void *a, const void *b)
{
    const struct trial *x = a, *y = b;
    int folders;

    if (x->find->medium != y->find->medium)
        return x->find->medium < y->find->medium ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->find->place.layout != y->find->place.layout)
        return x->find->place.layout < y->find->place.layout ? -1 : 1;
    folders = strcmp(x->find->place.folder, y->find->place.folder);
    if (folders != 0)
        return folders;
    return x->find->index < y->find->index ? -1 : 1;
}

static int
gather(const struct chooser *c, const char *name, struct trials *ret,
       struct v2v_error *err)
{
    ret->name = name;
    ret->items = calloc(c->find_count + 1, sizeof *ret->items);
    if (ret->items == NULL)
        return v2v_fail_errno(err, errno, "%s", name);
    for (size_t i = 0; i < c->find_count; i++) {
        const struct find *find = &c->finds[i];

        if (place_serves(&find->place, name))
            ret->items[ret->count++] = (struct trial){
                .find = find,
                .path = media_at(c->media[find->medium], find->index)->path,
                .rank = rank_of(c, &find->place),
            };
    }
    qsort(ret->items, ret->count, sizeof *ret->items, compare_trials);
    return 0;
}

static void
trials_done(struct trials *trials)
{
    for (size_t i = 0; i < trials->count; i++) {
        package_done(&trials->items[i].package);
        free(trials->items[i].origin.indexes);
        free(trials->items[i].why);
    }
    free(trials->items);
}

static inline void
v2v_auto_trials(struct trials *trials)
{
    trials_done(trials);
}

static int
examine_all(const struct chooser *c, struct trials *trials,
            struct v2v_error *err)
{
    const char *bad = names_known_bad(trials->name, &c->guest->target);

    for (size_t i = 0; i < trials->count; i++) {
        struct trial *trial = &trials->items[i];

        if (trial_examine(c, trial, err) < 0)
            return -1;
        if (bad != NULL && !trial->decided &&
            trial_lose(trial, DRIVERS_LOST_KNOWN_BAD, v2v_strdup(bad, err)) < 0)
            return -1;
    }
    qsort(trials->items, trials->count, sizeof *trials->items, compare_trials);
    return 0;
}

/* Completes and loads those that are not lost. */
static int
load_group(const struct chooser *c, struct trial *group, size_t count,
           struct v2v_error *err)
{
    V2V_AUTO(mem)
    struct driver_package **packages = calloc(count, sizeof(void *));
    V2V_AUTO(mem)
    struct package_origin *origins = calloc(count, sizeof *origins);
    size_t used = 0;

    if (packages == NULL || origins == NULL)
        return v2v_fail_errno(err, errno, "list of packages");
    for (size_t i = 0; i < count; i++) {
        if (group[i].decided)
            continue;
        if (trial_complete(c, &group[i], err) < 0)
            return -1;
        packages[used] = &group[i].package;
        origins[used++] = group[i].origin;
    }
    return package_load(c->media[group->find->medium], packages, origins, used,
                        err);
}

/* The driver's name as the medium spells it, if it spells it out. */
static char *
name_of(const struct trial *trial, const char *asked, struct v2v_error *err)
{
    const char *name = trial->find->place.driver;

    if (strlen(name) < strlen(asked) && media_is_short_for(name, asked))
        name = asked;
    return v2v_strdup(name, err);
}

static void
report(const struct chooser *c, const struct driver_package *p)
{
    const struct inf_driver_ver *ver = &p->version.driver_ver;
    const struct catalog_judgement *judgement = &p->judgement;
    bool needs_off = judgement->verdict == CATALOG_VERDICT_NO_SECURE_BOOT &&
                     p->catalog.signer.name != NULL;

    v2v_fact("drivers",
             "%s: %s/%s, DriverVer %02u/%02u/%04u,%u.%u.%u.%u: %s; %s",
             p->driver, p->source, p->inf_name, ver->month, ver->day, ver->year,
             ver->version[0], ver->version[1], ver->version[2], ver->version[3],
             p->why, p->verdict_why);
    if (judgement->verdict == CATALOG_VERDICT_UNSIGNED && judgement->loads)
        v2v_warn("drivers", "driver-unsigned", "%s", p->verdict_why);
    for (size_t i = 0; i < judgement->caveat_count; i++)
        v2v_warn("drivers", "driver-signature", "%s/%s: %s", p->source,
                 p->inf_name, judgement->caveats[i]);
    /* Microsoft, "Secure boot": from Windows 8 on */
    if (needs_off && !c->guest->secure_boot_known &&
        (c->guest->target.major > 6 ||
         (c->guest->target.major == 6 && c->guest->target.minor >= 2)))
        v2v_warn("drivers", "driver-secure-boot",
                 "%s; whether this guest has Secure Boot is not known",
                 p->verdict_why);
}

static int
keep(struct chooser *c, const char *name, struct trial *trial,
     const struct v2v_strings *passed, const struct v2v_strings *reasons,
     struct v2v_error *err)
{
    struct drivers_choice *choice = &c->choice;
    struct driver_package *items =
        realloc(choice->items, (choice->count + 1) * sizeof *items);

    if (items == NULL)
        return v2v_fail_errno(err, errno, "list of packages");
    choice->items = items;
    trial->package.driver = name_of(trial, name, err);
    if (trial->package.driver == NULL ||
        explain_chosen(c, trial, passed, reasons, err) < 0 ||
        trial_lose(trial, DRIVERS_CHOSEN, v2v_strdup(trial->package.why, err)) <
            0)
        return -1;
    report(c, &trial->package);
    items[choice->count++] = trial->package;
    trial->package = (struct driver_package){ 0 };
    return 0;
}

/* @group: INFs of one directory */
static enum outcome
try_group(struct chooser *c, const char *name, struct trial *group,
          size_t count, const struct v2v_strings *passed,
          const struct v2v_strings *reasons, struct v2v_error *err)
{
    enum outcome outcome = trial_check_lost(c, group, count, err);

    if (outcome != out_passed)
        return outcome;
    if (load_group(c, group, count, err) < 0)
        return out_failed;
    for (size_t i = 0; i < count; i++) {
        if (!group[i].decided && trial_judge(c, &group[i], err) < 0)
            return out_failed;
    }
    if (!trial_settle_group(c, group, count))
        return out_refused;
    for (size_t i = 0; i < count; i++) {
        if (group[i].decided)
            continue;
        if (keep(c, name, &group[i], passed, reasons, err) < 0)
            return out_failed;
        outcome = out_taken;
    }
    return outcome;
}

static size_t
group_size(const struct trials *trials, size_t first)
{
    const struct trial *trial = &trials->items[first];
    size_t end = first;

    while (end < trials->count &&
           trials->items[end].find->medium == trial->find->medium &&
           trials->items[end].rank == trial->rank &&
           strcmp(trials->items[end].find->place.folder,
                  trial->find->place.folder) == 0)
        end++;
    return end - first;
}

static int
add_reasons(const struct trial *group, size_t count, struct v2v_strings *passed,
            struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (group[i].why != NULL &&
            v2v_strings_add(passed, group[i].why, err) < 0)
            return -1;
    }
    return 0;
}

/* All directories of one rank; @at is moved behind them. */
static enum outcome
try_rank(struct chooser *c, struct trials *trials, unsigned rank, size_t *at,
         struct v2v_strings *passed, const struct v2v_strings *reasons,
         struct v2v_error *err)
{
    size_t medium = trials->items[*at].find->medium;

    while (*at < trials->count && trials->items[*at].rank == rank &&
           trials->items[*at].find->medium == medium) {
        struct trial *group = &trials->items[*at];
        size_t count = group_size(trials, *at);
        enum outcome outcome =
            try_group(c, trials->name, group, count, passed, reasons, err);

        *at += count;
        if (outcome == out_taken || outcome == out_failed)
            return outcome;
        if (add_reasons(group, count, passed, err) < 0)
            return out_failed;
        if (outcome == out_refused)
            return outcome;
    }
    return out_passed;
}

static bool
is_at(const struct trials *trials, size_t at, size_t medium, unsigned rank)
{
    return at < trials->count && trials->items[at].find->medium == medium &&
           trials->items[at].rank == rank;
}

/* @at: the first trial of @medium or a later one */
static enum outcome
try_medium(struct chooser *c, struct trials *trials, size_t medium, size_t at,
           struct v2v_strings *reasons, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings passed = { 0 };
    enum outcome outcome = out_passed;

    for (unsigned rank = 0; outcome == out_passed && c->directories[rank];
         rank++) {
        if (is_at(trials, at, medium, rank))
            outcome = try_rank(c, trials, rank, &at, &passed, reasons, err);
        else if (explain_absent(c, trials, medium, c->directories[rank],
                                &passed, err) < 0)
            return out_failed;
    }
    if (outcome == out_passed && is_at(trials, at, medium, rank_unknown))
        outcome = try_rank(c, trials, rank_unknown, &at, &passed, reasons, err);
    if (outcome != out_taken && outcome != out_failed &&
        explain_medium(c, medium, &passed, reasons, err) < 0)
        return out_failed;
    return outcome;
}

static size_t
first_of_medium(const struct trials *trials, size_t medium)
{
    size_t at = 0;

    while (at < trials->count && trials->items[at].find->medium < medium)
        at++;
    return at;
}

static int
try_media(struct chooser *c, struct trials *trials, struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings reasons = { 0 };
    enum outcome outcome = out_passed;

    for (size_t i = 0; outcome != out_taken && i < c->media_count; i++) {
        outcome =
            try_medium(c, trials, i, first_of_medium(trials, i), &reasons, err);
        if (outcome == out_failed)
            return -1;
    }
    if (outcome == out_taken)
        return 0;
    return explain_missing(c, trials, &reasons, err);
}

static int
choose_driver(struct chooser *c, const char *name, struct v2v_error *err)
{
    V2V_AUTO(trials) struct trials trials = { 0 };
    size_t chosen = c->choice.count;

    if (c->directories == NULL) {
        const struct inf_target *target = &c->guest->target;
        V2V_AUTO(mem)
        char *why = v2v_format(err, "no directory is known for Windows %u.%u",
                               target->major, target->minor);

        return why == NULL ? -1
                           : explain_add_missing(c, name, DRIVERS_LOST_ABSENT,
                                                 why, err);
    }
    if (gather(c, name, &trials, err) < 0 || examine_all(c, &trials, err) < 0 ||
        try_media(c, &trials, err) < 0)
        return -1;
    return explain_candidates(c, &trials, chosen, err);
}

/* The index of a package of @driver, or choice.count. */
static size_t
find_package(const struct drivers_choice *choice, const char *driver)
{
    size_t i = 0;

    while (i < choice->count &&
           !v2v_equal_nocase(choice->items[i].driver, driver))
        i++;
    return i;
}

static int
drop_package(struct chooser *c, size_t index, const char *successor,
             struct v2v_error *err)
{
    struct drivers_choice *choice = &c->choice;
    struct driver_package *package = &choice->items[index];
    V2V_AUTO(mem)
    char *why =
        v2v_format(err, "%s drives the same device and was chosen", successor);

    if (why == NULL ||
        explain_add_missing(c, package->driver, DRIVERS_LOST_SUPERSEDED, why,
                            err) < 0)
        return -1;
    for (size_t i = 0; i < choice->candidate_count; i++) {
        struct drivers_candidate *candidate = &choice->candidates[i];

        if (candidate->rule != DRIVERS_CHOSEN ||
            !v2v_equal_nocase(candidate->driver, package->driver))
            continue;
        candidate->rule = DRIVERS_LOST_SUPERSEDED;
        free(candidate->why);
        candidate->why = v2v_strdup(why, err);
        if (candidate->why == NULL)
            return -1;
    }
    package_done(package);
    memmove(package, package + 1,
            (--choice->count - index) * sizeof *choice->items);
    return 0;
}

static int
drop_superseded(struct chooser *c, struct v2v_error *err)
{
    for (size_t i = 0; i < c->choice.count; i++) {
        const char *successor = names_successor(c->choice.items[i].driver);

        if (successor == NULL ||
            find_package(&c->choice, successor) == c->choice.count)
            continue;
        if (drop_package(c, i--, successor, err) < 0)
            return -1;
    }
    return 0;
}

static int
choose_all(struct chooser *c, const struct v2v_strings *names,
           struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings seen = { 0 };

    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];

        if (v2v_strings_has_nocase(&seen, name))
            continue;
        if (v2v_strings_add(&seen, name, err) < 0 ||
            choose_driver(c, name, err) < 0)
            return -1;
    }
    return drop_superseded(c, err);
}

static void
finds_done(struct chooser *c)
{
    for (size_t i = 0; i < c->find_count; i++) {
        place_done(&c->finds[i].place);
        v2v_bytes_done(&c->finds[i].text);
    }
    free(c->finds);
}

int
drivers_choose(struct media *const *media, size_t media_count,
               const struct drivers_guest *guest,
               const struct v2v_strings *names,
               const struct drivers_options *options,
               struct drivers_choice *ret, struct v2v_error *err)
{
    struct chooser c = { .media = media,
                         .media_count = media_count,
                         .guest = guest,
                         .options = options,
                         .directories = directories_for(&guest->target) };
    int result = 0;

    if (find_infs(&c, names, err) < 0 || choose_all(&c, names, err) < 0)
        result = -1;
    finds_done(&c);
    if (result < 0)
        drivers_choice_done(&c.choice);
    else
        *ret = c.choice;
    return result;
}

void
drivers_choice_done(struct drivers_choice *c)
{
    for (size_t i = 0; i < c->count; i++)
        package_done(&c->items[i]);
    free(c->items);
    v2v_strings_done(&c->missing);
    v2v_strings_done(&c->missing_why);
    free(c->missing_rule);
    for (size_t i = 0; i < c->candidate_count; i++) {
        free(c->candidates[i].driver);
        free(c->candidates[i].path);
        free(c->candidates[i].why);
    }
    free(c->candidates);
    *c = (struct drivers_choice){ 0 };
}
