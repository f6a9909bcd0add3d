/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drivers/package.h - one INF of a medium and what belongs to it */
#ifndef V2V_DRIVERS_PACKAGE_H
#define V2V_DRIVERS_PACKAGE_H

#include "drivers/drivers.h"

/* The largest INF of a virtio-win ISO has some 60 kB and 10 models. */
enum {
    PACKAGE_MAX_INF = 1 << 20, /* bytes */
    PACKAGE_MAX_MODELS = 256,
    PACKAGE_MAX_FILES = 1024
};

/* Where the files of a package are on the medium: [i] for files[i]. */
struct package_origin {
    size_t *indexes;
    size_t count;
};

/* Loads the files of several packages in one pass: those of packages[i] are at
 * origins[i]. */
int package_load(struct media *m, struct driver_package *const *packages,
                 const struct package_origin *origins, size_t count,
                 struct v2v_error *err);

static inline void
v2v_auto_origin(struct package_origin *origin)
{
    free(origin->indexes);
}

/**
 * package_read() - an INF that may serve a Windows
 * @path: of the INF on the medium
 * @ret:  inf, version, models and boot are filled in; models may be none
 *
 * V2V_ERR_FORMAT: malformed.
 */
int package_read(const struct v2v_bytes *text, const struct inf_target *target,
                 struct driver_package *ret, struct v2v_error *err);

/**
 * package_fits() - do its INF's rules let it serve @target?
 * @package: from package_read() for @target
 * @rule:    DRIVERS_LOST_MODELS or _STORE, and
 * @why:     new
 * Returns: 1, 0 and @rule and @why, or -1 with V2V_ERR_FORMAT.
 */
int package_fits(const struct driver_package *package, const char *path,
                 const struct inf_target *target, enum drivers_rule *rule,
                 char **why, struct v2v_error *err);

/**
 * package_list_files() - find what the package consists of
 * @inf_index: the INF on the medium
 * @package:   from package_read(); source, names, indexes and files are
 *             filled in, these without data
 * @ret:       new
 * @absent:    source paths that the INF copies and that are not found are
 *             added
 *
 * What is not on the medium under its own name is looked for under short ones
 * (media_is_short_for()), and taken when there is just one.
 */
int package_list_files(const struct media *m, size_t inf_index,
                       enum inf_arch arch, struct driver_package *package,
                       struct package_origin *ret, struct v2v_strings *absent,
                       struct v2v_error *err);

/* V2V_ERR_FORMAT when a device of the package's models needs one of them. */
int package_check_absent(const struct media *m,
                         const struct driver_package *package,
                         const struct inf_target *target,
                         const struct v2v_strings *absent,
                         struct v2v_error *err);

/* Fills in content_id, from the loaded files. */
int package_identify(struct driver_package *package, struct v2v_error *err);

/* Fills in catalog, judgement, verdict_why and signer, from the loaded files.
 */
int package_judge(const struct catalog_target *target,
                  struct driver_package *package, struct v2v_error *err);

/* What the judgement takes for that guest. */
struct catalog_target package_catalog_target(const struct inf_target *target);

/* Is a catalog only for Windows newer than @target?  Its attributes OSAttr,
 * @attrs, have the versions: "2:10.0". */
bool package_is_for_newer(const struct v2v_strings *attrs,
                          const struct inf_target *target);

/* Reads "2:10.0"; false: something else. */
bool package_os_attr(const char *text, unsigned *major, unsigned *minor);

/**
 * package_check_inf() - is an INF what the catalog beside it lists?
 * @package: from package_read(), or empty when the INF is malformed: then the
 *           catalog is the one of the INF's name
 * @why:     why not; new
 *
 * Returns: 1; 0 and @why; or -1.  1 as well without a catalog.
 */
int package_check_inf(struct media *m, size_t inf_index,
                      const struct v2v_bytes *text,
                      const struct driver_package *package, char **why,
                      struct v2v_error *err);

void package_done(struct driver_package *package);

static inline void
v2v_auto_package(struct driver_package *package)
{
    package_done(package);
}

#endif
