/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One candidate, or those of one directory: what INF and signature say. */
#include <string.h>

#include "base/log.h"
#include "drivers/choose.h"

int
trial_lose(struct trial *trial, enum drivers_rule rule, char *why)
{
    if (why == NULL)
        return -1;
    free(trial->why);
    trial->why = why;
    trial->rule = rule;
    trial->decided = true;
    return 0;
}

static int
read_inf(const struct chooser *c, struct trial *trial, struct v2v_error *err)
{
    const struct media_file *file =
        media_at(c->media[trial->find->medium], trial->find->index);
    const struct inf_target *target = &c->guest->target;
    enum drivers_rule rule;
    char *why = NULL;
    int fits;

    if (file->size > PACKAGE_MAX_INF)
        return v2v_fail(err, V2V_ERR_FORMAT, "larger than %d KiB",
                        PACKAGE_MAX_INF >> 10);
    if (package_read(&trial->find->text, target, &trial->package, err) < 0)
        return -1;
    fits = package_fits(&trial->package, trial->path, target, &rule, &why, err);
    return fits == 0 ? trial_lose(trial, rule, why) : fits < 0 ? -1 : 0;
}

/* Where its directory is for another Windows or architecture, nothing else
 * needs to be right; but when its INF excludes the guest's Windows, that says
 * more. */
int
trial_examine(const struct chooser *c, struct trial *trial,
              struct v2v_error *err)
{
    const struct place *place = &trial->find->place;
    struct v2v_error bad = { 0 };

    if (place->has_arch && place->arch != c->guest->target.arch) {
        trial->rank = rank_never;
        return trial_lose(trial, DRIVERS_LOST_ARCHITECTURE,
                          v2v_format(err, "its directory is for %s",
                                     inf_arch_name(place->arch)));
    }
    if (read_inf(c, trial, &bad) < 0) {
        if (bad.code != V2V_ERR_FORMAT)
            return v2v_fail(err, bad.code, "%s", bad.text);
        if (trial_lose(trial, DRIVERS_LOST_MALFORMED,
                       v2v_strdup(bad.text, err)) < 0)
            return -1;
        trial->decided = trial->rank != rank_never;
    }
    if (trial->rank != rank_never || trial->decided)
        return 0;
    return trial_lose(
        trial, DRIVERS_LOST_DIRECTORY,
        v2v_format(err, "its directory is for %s", place->os->label));
}

/* A byte that fell over can make an INF exclude the guest.  (One that cannot be
 * read is malformed, whatever was signed.)
 * Returns 1 when @trial is what was signed or nobody signed it, 0, or -1. */
static int
is_as_signed(const struct chooser *c, struct trial *trial,
             struct v2v_error *err)
{
    char *why = NULL;
    int result;

    if (trial->rule != DRIVERS_LOST_MODELS && trial->rule != DRIVERS_LOST_STORE)
        return 1;
    result =
        package_check_inf(c->media[trial->find->medium], trial->find->index,
                          &trial->find->text, &trial->package, &why, err);
    if (result == 0 && trial_lose(trial, DRIVERS_LOST_DAMAGED, why) < 0)
        return -1;
    return result;
}

static void
warn_of_loss(const struct trial *trial, const char *code)
{
    v2v_warn("drivers", code, "%s; it is not taken", trial->why);
}

/* Those of a group that were lost already. */
enum outcome
trial_check_lost(const struct chooser *c, struct trial *group, size_t count,
                 struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct trial *trial = &group[i];
        int result = trial->decided && !c->options->allow_untrusted
                         ? is_as_signed(c, trial, err)
                         : 1;

        if (result < 0)
            return out_failed;
        if (result == 0) {
            warn_of_loss(trial, "driver-damaged");
            return out_refused;
        }
        if (trial->decided && trial->rule == DRIVERS_LOST_MALFORMED)
            return v2v_fail(err, V2V_ERR_FORMAT, "%s: %s: %s",
                            media_name(c->media[trial->find->medium]),
                            trial->path, trial->why);
    }
    return out_passed;
}

int
trial_complete(const struct chooser *c, struct trial *trial,
               struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings absent = { 0 };
    struct media *m = c->media[trial->find->medium];
    const struct inf_target *target = &c->guest->target;
    struct driver_package *package = &trial->package;

    package->medium = trial->find->medium;
    if (package_list_files(m, trial->find->index, target->arch, package,
                           &trial->origin, &absent, err) < 0 ||
        package_check_absent(m, package, target, &absent, err) < 0)
        return v2v_fail_in(err, "%s: %s", media_name(m), trial->path);
    return 0;
}

static struct catalog_target
judged_for(const struct drivers_guest *guest)
{
    struct catalog_target target = package_catalog_target(&guest->target);

    target.secure_boot = guest->secure_boot_known && guest->secure_boot;
    target.test_signing = guest->test_signing;
    return target;
}

int
trial_judge(const struct chooser *c, struct trial *trial, struct v2v_error *err)
{
    const struct catalog_target target = judged_for(c->guest);
    struct driver_package *package = &trial->package;
    const struct catalog_judgement *judgement = &package->judgement;

    if (package_judge(&target, package, err) < 0 ||
        package_identify(package, err) < 0)
        return v2v_fail_in(err, "%s",
                           media_name(c->media[trial->find->medium]));
    if (judgement->verdict == CATALOG_VERDICT_DAMAGED)
        return trial_lose(trial, DRIVERS_LOST_DAMAGED,
                          v2v_strdup(package->verdict_why, err));
    if (package_is_for_newer(&package->catalog.os_attr, &c->guest->target))
        return trial_lose(
            trial, DRIVERS_LOST_CATALOG_OS,
            v2v_format(err, "the catalog of %s/%s is for newer Windows only",
                       package->source, package->inf_name));
    if (!judgement->loads)
        return trial_lose(trial, DRIVERS_LOST_UNTRUSTED,
                          v2v_format(err, "%s would not load it: %s",
                                     c->guest->os_label, package->verdict_why));
    return 0;
}

static bool
has_lost_trust(const struct trial *trial)
{
    return trial->decided && (trial->rule == DRIVERS_LOST_DAMAGED ||
                              trial->rule == DRIVERS_LOST_UNTRUSTED);
}

static const char *
trust_code(const struct trial *trial)
{
    if (trial->rule == DRIVERS_LOST_DAMAGED)
        return "driver-damaged";
    return trial->package.catalog.signer.name == NULL ? "driver-unsigned"
                                                      : "driver-untrusted";
}

/* Returns whether @trial may be taken after all. */
static bool
settle_trust(const struct chooser *c, struct trial *trial)
{
    if (!c->options->allow_untrusted) {
        warn_of_loss(trial, trust_code(trial));
        return false;
    }
    v2v_warn("drivers", trust_code(trial), "%s; it is taken as you allowed",
             trial->why);
    free(v2v_steal(trial->why));
    trial->rule = DRIVERS_CHOSEN;
    trial->decided = false;
    return true;
}

/* Returns whether the group can be taken as far as signatures go. */
bool
trial_settle_group(const struct chooser *c, struct trial *group, size_t count)
{
    bool accepted = true;

    for (size_t i = 0; i < count; i++) {
        if (has_lost_trust(&group[i]))
            accepted &= settle_trust(c, &group[i]);
    }
    return accepted;
}
