/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * verify/database.h - the driver database of Windows 8 and later, as PnP reads
 * it: from a device's ids to an INF, its package, and what that configures
 *
 *   DeviceIds\ID             a value INF: where in it the id stands, its score
 *   DriverInfFiles\INF       (default), Active: packages; Configurations
 *   DriverPackages\PACKAGE   Version, SignerScore, Provider
 *     Descriptors\ID         Configuration
 *     Configurations\NAME    Service
 *
 * Source: DriverDatabase in hives of Windows 8.1, 10 1709, 1909 and 2004; that
 * the kernel needs these is how virt-v2v's drivers boot, which writes no more.
 */
#ifndef V2V_VERIFY_DATABASE_H
#define V2V_VERIFY_DATABASE_H

#include "verify/device.h"

/* An INF that a device's id leads to. */
struct match {
    struct reg_hive *hive;
    const char *node; /* "SYSTEM" or "DRIVERS" */
    const char *id;   /* of the device's ids */
    char *inf;        /* "oem3.inf" */
    char *package;    /* that is active for it; "": none, or it is not there */
    bool configured;  /* it can be used before any installation */
    bool extension;   /* adds to another driver: never among the matches */
    uint32_t rank;    /* 0xSSGGTHHH: smaller is better */
    uint64_t date, version; /* of the package, as in Version; larger is
                             * better */
};

struct matches {
    struct match *items; /* the one that PnP would take first */
    size_t count;
};

void matches_done(struct matches *matches);

static inline void
v2v_auto_matches(struct matches *matches)
{
    matches_done(matches);
}

/**
 * matches_find() - all INFs for @device in one node, added to @ret
 * @hive: NULL adds nothing
 */
int matches_find(struct reg_hive *hive, const char *node,
                 const struct device *device, struct matches *ret,
                 struct v2v_error *err);

/**
 * matches_sort() - as PnP ranks
 * @early: before any installation, when a package that is not configured is
 *         of no use
 *
 * Source: Microsoft, "How Windows ranks driver packages", "Identifier score".
 */
void matches_sort(struct matches *matches, bool early);

/* A step on the way from an INF to a service; what it found is in @route. */
struct route {
    struct verify *v;
    const struct device *device;
    const struct match *match;
    bool network;        /* a network card's; else a boot controller's */
    char *configuration; /* of the descriptor; then it is known */
    char *service;       /* of the configuration */
    char *subject;       /* of the last step: a key */
    char *text;
};

void route_done(struct route *route);

static inline void
v2v_auto_route(struct route *route)
{
    route_done(route);
}

struct route_step {
    const char *link, *code;
    int (*look)(struct route *route, struct v2v_error *err); /* 1: holds; 0 */
    bool alone; /* what follows does not depend on it */
};

/* Goes @steps up to the first one that fails and on which the next depend;
 * these are unknown then.  1: to the end; 0; -1. */
int route_follow(struct route *route, const struct route_step *steps,
                 size_t count, struct v2v_error *err);

int look_registered(struct route *route, struct v2v_error *err);
int look_active(struct route *route, struct v2v_error *err);
int look_package(struct route *route, struct v2v_error *err);
int look_listed(struct route *route, struct v2v_error *err);
int look_version(struct route *route, struct v2v_error *err);
int look_architecture(struct route *route, struct v2v_error *err);
int look_class(struct route *route, struct v2v_error *err);
int look_configured(struct route *route, struct v2v_error *err);
int look_descriptor(struct route *route, struct v2v_error *err);
int look_configuration(struct route *route, struct v2v_error *err);
int look_configuration_listed(struct route *route, struct v2v_error *err);
int look_configured_service(struct route *route, struct v2v_error *err);

/* DriverPackages\PACKAGE\Version.  1; 0: it is absent or too short; -1 */
#define GUID_TEXT_LEN 39
struct package_version {
    uint16_t arch;             /* PROCESSOR_ARCHITECTURE_... */
    char class[GUID_TEXT_LEN]; /* "{4d36e97b-e325-11ce-bfc1-08002be10318}" */
    uint64_t date, version;    /* of DriverVer; larger is later */
};
int database_version(struct reg_hive *hive, const char *package_key,
                     struct package_version *ret, struct v2v_error *err);

/* Is @name in a MULTI_SZ value; is there a text, not empty; is there a key?
 * 1; 0: also when the value is damaged or of another type; -1.  @ret:
 * replaced. */
int database_lists(struct reg_hive *hive, const char *key, const char *name,
                   const char *wanted, struct v2v_error *err);
int database_text(struct reg_hive *hive, const char *key, const char *name,
                  char **ret, struct v2v_error *err);
int database_has_key(struct reg_hive *hive, const char *key,
                     struct v2v_error *err);

/* An INF that was added to Windows, "oem3.inf", or one that Windows came with?
 * By what the package's key says; without one by the name. */
int database_is_inbox(struct reg_hive *hive, const char *inf,
                      const char *package, bool *ret, struct v2v_error *err);

#endif
