/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reasons for what choose.c decides, in words. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "drivers/choose.h"

static const char no_place[] = "the medium has no ";

static const char *const rule_words[] = {
    [DRIVERS_CHOSEN] = "chosen",
    [DRIVERS_LOST_SAME] = "same",
    [DRIVERS_LOST_ORDER] = "order",
    [DRIVERS_LOST_DIRECTORY] = "directory",
    [DRIVERS_LOST_ARCHITECTURE] = "architecture",
    [DRIVERS_LOST_MODELS] = "models",
    [DRIVERS_LOST_STORE] = "driver-store",
    [DRIVERS_LOST_CATALOG_OS] = "catalog-os",
    [DRIVERS_LOST_KNOWN_BAD] = "known-bad",
    [DRIVERS_LOST_SUPERSEDED] = "superseded",
    [DRIVERS_LOST_DAMAGED] = "damaged",
    [DRIVERS_LOST_UNTRUSTED] = "untrusted",
    [DRIVERS_LOST_MALFORMED] = "malformed",
    [DRIVERS_LOST_ABSENT] = "absent",
};

const char *
drivers_rule_word(enum drivers_rule rule)
{
    return rule_words[rule];
}

int
explain_absent(const struct chooser *c, const struct trials *trials,
               size_t medium, const char *directory, struct v2v_strings *passed,
               struct v2v_error *err)
{
    const struct media *m = c->media[medium];
    V2V_AUTO(mem)
    char *path = v2v_format(err, "%s/%s/%s/", trials->name, directory,
                            inf_arch_name(c->guest->target.arch));
    V2V_AUTO(mem) char *text = NULL;
    size_t i;

    if (path == NULL)
        return -1;
    i = media_lower_bound(m, path);
    if (i < media_count(m) && v2v_has_prefix_nocase(media_at(m, i)->path, path))
        text = v2v_format(err, "%.*s has no INF", (int)strlen(path) - 1, path);
    else
        text = v2v_format(err, "%s%.*s", no_place, (int)strlen(path) - 1, path);
    return text != NULL ? v2v_strings_add(passed, text, err) : -1;
}

/* "a; b; the medium has no c, d", new */
static char *
join(const struct v2v_strings *list, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    bool absent = false;

    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];
        bool also_absent = absent;

        absent = v2v_has_prefix_nocase(item, no_place);
        also_absent &= absent;
        if (v2v_bytes_printf(&text, err, "%s%s",
                             i == 0        ? ""
                             : also_absent ? ", "
                                           : "; ",
                             also_absent ? item + strlen(no_place) : item) < 0)
            return NULL;
    }
    return v2v_strndup(text.len > 0 ? (const char *)text.data : "", text.len,
                       err);
}

int
explain_medium(const struct chooser *c, size_t medium,
               const struct v2v_strings *passed, struct v2v_strings *reasons,
               struct v2v_error *err)
{
    V2V_AUTO(mem) char *text = join(passed, err);
    V2V_AUTO(mem) char *named = NULL;

    if (text == NULL)
        return -1;
    if (c->media_count == 1)
        return v2v_strings_add(reasons, text, err);
    named = v2v_format(err, "%s: %s", media_name(c->media[medium]), text);
    return named != NULL ? v2v_strings_add(reasons, named, err) : -1;
}

int
explain_chosen(const struct chooser *c, struct trial *trial,
               const struct v2v_strings *passed,
               const struct v2v_strings *reasons, struct v2v_error *err)
{
    V2V_AUTO(mem) char *media = join(reasons, err);
    V2V_AUTO(mem) char *here = join(passed, err);
    struct driver_package *package = &trial->package;
    unsigned build = c->guest->target.build;
    const struct directory *os = trial->find->place.os;

    if (media == NULL || here == NULL)
        return -1;
    if (passed->count == 0 && os != NULL)
        package->why =
            v2v_format(err, "%s%s%s is the directory for %s", media,
                       media[0] != '\0' ? "; " : "", os->name, os->label);
    else
        package->why = v2v_format(
            err, "%s%s%s%s%s %s and its INF accepts build %u", media,
            media[0] != '\0' ? "; " : "", here, here[0] != '\0' ? "; " : "",
            package->source[0] != '\0' ? package->source : package->inf_name,
            os != NULL ? "is the next one" : "says nothing of a Windows",
            build);
    return package->why != NULL ? 0 : -1;
}

int
explain_add_missing(struct chooser *c, const char *driver,
                    enum drivers_rule rule, const char *why,
                    struct v2v_error *err)
{
    struct drivers_choice *choice = &c->choice;
    enum drivers_rule *rules =
        realloc(choice->missing_rule,
                (choice->missing.count + 1) * sizeof *choice->missing_rule);

    if (rules == NULL)
        return v2v_fail_errno(err, errno, "%s", driver);
    choice->missing_rule = rules;
    rules[choice->missing.count] = rule;
    if (v2v_strings_add(&choice->missing_why, why, err) < 0 ||
        v2v_strings_add(&choice->missing, driver, err) < 0)
        return -1;
    v2v_fact("drivers", "%s: nothing for %s: %s", driver, c->guest->os_label,
             why);
    return 0;
}

/* What decided about the best of those in directories for this Windows. */
static enum drivers_rule
deciding_rule(const struct trials *trials)
{
    for (size_t i = 0; i < trials->count; i++) {
        if (trials->items[i].rank != rank_never)
            return trials->items[i].rule;
    }
    return DRIVERS_LOST_ABSENT;
}

int
explain_missing(struct chooser *c, const struct trials *trials,
                const struct v2v_strings *reasons, struct v2v_error *err)
{
    V2V_AUTO(mem) char *why = join(reasons, err);

    if (why == NULL)
        return -1;
    return explain_add_missing(c, trials->name, deciding_rule(trials), why,
                               err);
}

static bool
has_same_inf(const struct trial *trial, const struct driver_package *package)
{
    const struct v2v_bytes *a = &trial->find->text;
    const struct v2v_bytes *b = &package->files[DRIVERS_INF_FILE].data;

    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Why one that fits was not tried. */
static int
explain_undecided(const struct chooser *c, struct trial *trial, size_t chosen,
                  struct v2v_error *err)
{
    enum drivers_rule rule = DRIVERS_LOST_ORDER;
    const struct driver_package *first;
    char *why;

    if (chosen == c->choice.count)
        return trial_lose(trial, DRIVERS_LOST_ORDER,
                          v2v_strdup("a better one was refused, and no other "
                                     "is taken in its place",
                                     err));
    first = &c->choice.items[chosen];
    for (size_t i = chosen; i < c->choice.count; i++) {
        if (has_same_inf(trial, &c->choice.items[i]))
            rule = DRIVERS_LOST_SAME;
    }
    if (first->medium != trial->find->medium)
        why = v2v_format(err, "%s has it, too, and comes first",
                         media_name(c->media[first->medium]));
    else if (rule == DRIVERS_LOST_SAME)
        why = v2v_format(err, "it has the same INF as %s", first->source);
    else
        why = v2v_format(err, "%s fits as well and comes first", first->source);
    return trial_lose(trial, rule, why);
}

static int
add_candidate(struct chooser *c, const char *name, struct trial *trial,
              struct v2v_error *err)
{
    struct drivers_choice *choice = &c->choice;
    struct drivers_candidate *items = realloc(
        choice->candidates, (choice->candidate_count + 1) * sizeof *items);
    struct drivers_candidate *candidate;

    if (items == NULL)
        return v2v_fail_errno(err, errno, "list of candidates");
    choice->candidates = items;
    candidate = &items[choice->candidate_count++];
    *candidate = (struct drivers_candidate){
        .driver = v2v_strdup(name, err),
        .medium = trial->find->medium,
        .path = v2v_strdup(trial->path, err),
        .rule = trial->rule,
        .why = v2v_steal(trial->why),
    };
    return candidate->driver != NULL && candidate->path != NULL ? 0 : -1;
}

int
explain_candidates(struct chooser *c, struct trials *trials, size_t chosen,
                   struct v2v_error *err)
{
    for (size_t i = 0; i < trials->count; i++) {
        struct trial *trial = &trials->items[i];

        if (trial->why == NULL && explain_undecided(c, trial, chosen, err) < 0)
            return -1;
        if (add_candidate(c, trials->name, trial, err) < 0)
            return -1;
    }
    return 0;
}
