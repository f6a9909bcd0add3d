/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps from an INF to a service. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verify/database.h"

void
route_done(struct route *route)
{
    free(route->configuration);
    free(route->service);
    free(route->subject);
    free(route->text);
}

static int __attribute__((format(printf, 3, 4)))
set(char **text, struct v2v_error *err, const char *fmt, ...)
{
    va_list args;
    int len;

    free(*text);
    va_start(args, fmt);
    len = vasprintf(text, fmt, args);
    va_end(args);
    if (len >= 0)
        return 0;
    *text = NULL;
    return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
}

/* The subject is a key below DriverDatabase; what a step looks at is this. */
static int
at_inf(struct route *r, struct v2v_error *err)
{
    return set(&r->subject, err, "DriverDatabase\\DriverInfFiles\\%s",
               r->match->inf);
}

static int
at_package(struct route *r, const char *below, struct v2v_error *err)
{
    return set(&r->subject, err, "DriverDatabase\\DriverPackages\\%s%s",
               r->match->package, below);
}

/* Of the configuration that the descriptor names. */
static int
at_configuration(struct route *r, struct v2v_error *err)
{
    return set(&r->subject, err,
               "DriverDatabase\\DriverPackages\\%s\\Configurations\\%s",
               r->match->package, r->configuration);
}

int
look_registered(struct route *r, struct v2v_error *err)
{
    int found;

    if (at_inf(r, err) < 0)
        return -1;
    found = database_has_key(r->match->hive, r->subject, err);
    if (found < 0 || set(&r->text, err,
                         found ? "%s, which %s leads to, is registered"
                               : "%s, which %s leads to, is not registered",
                         r->match->inf, r->match->id) < 0)
        return -1;
    return found;
}

int
look_active(struct route *r, struct v2v_error *err)
{
    V2V_AUTO(mem) char *active = NULL;
    int found;

    if (at_inf(r, err) < 0)
        return -1;
    found = database_text(r->match->hive, r->subject, "Active", &active, err);
    if (found < 0)
        return -1;
    if (set(&r->text, err,
            found ? "Active is %s" : "there is no value Active%s",
            found ? active : "") < 0)
        return -1;
    return found;
}

int
look_package(struct route *r, struct v2v_error *err)
{
    V2V_AUTO(mem) char *active = NULL;
    bool found = *r->match->package != '\0';

    if (found)
        return at_package(r, "", err) < 0 ||
                       set(&r->text, err, "the active package is registered") <
                           0
                   ? -1
                   : 1;
    if (at_inf(r, err) < 0 ||
        database_text(r->match->hive, r->subject, "Active", &active, err) < 0)
        return -1;
    return set(&r->text, err, "Active names %s, which is not in DriverPackages",
               active != NULL ? active : "nothing");
}

int
look_listed(struct route *r, struct v2v_error *err)
{
    int found;

    if (at_inf(r, err) < 0)
        return -1;
    found =
        database_lists(r->match->hive, r->subject, "", r->match->package, err);
    if (found < 0 ||
        set(&r->text, err,
            found ? "the default value lists %s"
                  : "the default value does not list %s, which is active",
            r->match->package) < 0)
        return -1;
    return found;
}

int
look_version(struct route *r, struct v2v_error *err)
{
    struct package_version version;
    int found;

    if (at_package(r, "", err) < 0)
        return -1;
    found = database_version(r->match->hive, r->subject, &version, err);
    if (found < 0 || set(&r->text, err,
                         found ? "Version has its %d bytes"
                               : "Version is absent or has less than %d bytes",
                         FACTS_VERSION_LEN) < 0)
        return -1;
    return found;
}

/* PROCESSOR_ARCHITECTURE_...: winnt.h */
static const struct {
    enum inf_arch arch;
    uint16_t number;
} architectures[] = {
    { INF_ARCH_X86, 0 },   { INF_ARCH_ARM, 5 },    { INF_ARCH_IA64, 6 },
    { INF_ARCH_AMD64, 9 }, { INF_ARCH_ARM64, 12 },
};

static uint16_t
architecture_number(enum inf_arch arch)
{
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
        if (architectures[i].arch == arch)
            return architectures[i].number;
    return UINT16_MAX;
}

/* 0: there is none, and the text says so. */
static int
read_version(struct route *r, struct package_version *ret,
             struct v2v_error *err)
{
    int found;

    if (at_package(r, "", err) < 0)
        return -1;
    found = database_version(r->match->hive, r->subject, ret, err);
    if (found == 0 && set(&r->text, err, "there is no Version") < 0)
        return -1;
    return found;
}

/* virt-v2v writes 9 on 32-bit Windows too, and that boots: hence no more than
 * a warning. */
int
look_architecture(struct route *r, struct v2v_error *err)
{
    uint16_t wanted = architecture_number(r->v->in->facts->target.arch), is;
    struct package_version version;
    int found = read_version(r, &version, err);

    if (found <= 0)
        return found < 0 ? -1 : 1;
    is = version.arch;
    if (set(&r->text, err,
            is == wanted ? "Version has architecture %u"
                         : "Version has architecture %u; the guest's is %u",
            is, wanted) < 0)
        return -1;
    return is == wanted;
}

/* Classes of boot controllers and of network cards: Microsoft, "System-Defined
 * Device Setup Classes Available to Vendors". */
static const struct {
    const char *guid;
    bool network;
} classes[] = {
    { "{4d36e97b-e325-11ce-bfc1-08002be10318}", false }, /* SCSIAdapter */
    { "{4d36e96a-e325-11ce-bfc1-08002be10318}", false }, /* HDC */
    { "{4d36e972-e325-11ce-bfc1-08002be10318}", true },  /* Net */
};

int
look_class(struct route *r, struct v2v_error *err)
{
    struct package_version version;
    bool fits = false;
    int found = read_version(r, &version, err);

    if (found <= 0)
        return found < 0 ? -1 : 1;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        fits |= classes[i].network == r->network &&
                v2v_equal_nocase(version.class, classes[i].guid);
    if (set(&r->text, err,
            fits ? "Version has class %s"
                 : "Version has class %s, which is not one of such a device",
            version.class) < 0)
        return -1;
    return fits;
}

int
look_configured(struct route *r, struct v2v_error *err)
{
    static const char *const keys[] = { "\\Configurations", "\\Descriptors" };
    int found = 0;

    for (size_t i = 0; found == 0 && i < sizeof keys / sizeof *keys; i++) {
        if (at_package(r, keys[i], err) < 0)
            return -1;
        found = database_has_key(r->match->hive, r->subject, err);
    }
    if (found < 0 || at_package(r, "", err) < 0 ||
        set(&r->text, err, "%s",
            found ? "the package is configured"
                  : "the package is only staged: it has no Configurations and "
                    "no Descriptors, which the kernel needs before any "
                    "installation") < 0)
        return -1;
    return found;
}

/* The value @name of the subject, which is a name itself: with one of
 * @separators in it it would lead elsewhere, and counts as absent. */
static int
look_name(struct route *r, const char *name, const char *separators, char **ret,
          struct v2v_error *err)
{
    int found = database_text(r->match->hive, r->subject, name, ret, err);

    if (found > 0 && strpbrk(*ret, separators) != NULL)
        found = 0;
    if (found < 0 ||
        (found > 0 ? set(&r->text, err, "%s is %s", name, *ret)
                   : set(&r->text, err, "there is no value %s", name)) < 0)
        return -1;
    return found;
}

int
look_descriptor(struct route *r, struct v2v_error *err)
{
    if (set(&r->subject, err,
            "DriverDatabase\\DriverPackages\\%s\\Descriptors\\%s",
            r->match->package, r->match->id) < 0)
        return -1;
    return look_name(r, "Configuration", "\\", &r->configuration, err);
}

int
look_configuration(struct route *r, struct v2v_error *err)
{
    int found;

    if (at_configuration(r, err) < 0)
        return -1;
    found = database_has_key(r->match->hive, r->subject, err);
    if (found < 0 ||
        set(&r->text, err, "%s",
            found ? "the configuration of the descriptor is there"
                  : "the configuration that the descriptor names is not "
                    "there") < 0)
        return -1;
    return found;
}

int
look_configuration_listed(struct route *r, struct v2v_error *err)
{
    int found;

    if (at_inf(r, err) < 0)
        return -1;
    found = database_lists(r->match->hive, r->subject, "Configurations",
                           r->configuration, err);
    if (found < 0 || set(&r->text, err,
                         found ? "Configurations lists %s"
                               : "Configurations does not list %s",
                         r->configuration) < 0)
        return -1;
    return found;
}

int
look_configured_service(struct route *r, struct v2v_error *err)
{
    if (at_configuration(r, err) < 0)
        return -1;
    return look_name(r, "Service", "\\/", &r->service, err);
}

static int
follow_broken(struct route *r, const struct route_step *broken,
              const struct route_step *rest, size_t count,
              struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (verify_unknown(r->v, rest[i].link, r->device->name, err,
                           "depends on the link %s of %s: %s", broken->link,
                           r->match->inf, broken->code) < 0)
            return -1;
    return 0;
}

int
route_follow(struct route *r, const struct route_step *steps, size_t count,
             struct v2v_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct route_step *step = &steps[i];
        int holds = step->look(r, err);

        if (holds < 0)
            return -1;
        if (holds > 0) {
            if (verify_holds(r->v, step->link, r->subject, err, "%s", r->text) <
                0)
                return -1;
            continue;
        }
        /* both forms of a device may end here */
        if (verify_fault(r->v, step->link, r->subject) == NULL &&
            verify_found(r->v, step->code, r->subject, err, "%s: %s",
                         r->match->node, r->text) < 0)
            return -1;
        if (!step->alone)
            return follow_broken(r, step, step + 1, count - i - 1, err);
    }
    return 1;
}
