/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify/internal.h - what the files of this folder share */
#ifndef V2V_VERIFY_INTERNAL_H
#define V2V_VERIFY_INTERNAL_H

#include "verify/verify.h"

struct verify_control_set;

struct verify {
    const struct verify_input *in;
    struct reg_hive *system, *drivers; /* @drivers may be NULL */
    struct verify_control_set *sets;   /* that exist and that Select names, the
                                        * booted one first; boot.c finds them */
    size_t set_count;
    bool lenient; /* what is broken here only warns: set by who looks at a
                   * control set that is booted only after a failure */
    struct verify_result *result;
    struct v2v_strings driver_files; /* of System32\\drivers, once listed */
    bool listed;
    struct v2v_strings missed; /* files of drivers that were told to be missing:
                                * the control sets share them */
};

/* What the steps have gathered; not the result. */
void verify_done(struct verify *v);

/* Add a link.  A code names its link and state; one link may appear many times,
 * once a subject. */
int verify_holds(struct verify *v, const char *link, const char *subject,
                 struct v2v_error *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int verify_found(struct verify *v, const char *code, const char *subject,
                 struct v2v_error *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int verify_unknown(struct verify *v, const char *link, const char *subject,
                   struct v2v_error *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Has @subject a link already?  What was judged in one place is not judged
 * again in another: one cause is one broken link. */
bool verify_is_judged(const struct verify *v, const char *subject);

/* What was found wrong with @link of @subject, or NULL. */
const struct verify_link *verify_fault(const struct verify *v, const char *link,
                                       const char *subject);

/* A control set that the loader may boot. */
struct verify_control_set {
    char *name;  /* "ControlSet001" */
    bool booted; /* Select\Default: a fault in another one only warns */
};

/* boot.c: firmware, partition, boot manager, BCD, Select: up to the kernel */
int verify_boot(struct verify *v, struct v2v_error *err);

/* chain.c: the services between the controller's driver and the system volume
 * in every control set; all other boot-start services; class filters */
int verify_chain(struct verify *v, struct v2v_error *err);

/* device.c: the boot controller's ids, through the driver database (or the
 * critical device database), to a service; then that service and its file */
int verify_controller(struct verify *v, struct v2v_error *err);

/* network.c: the driver for virtio-net would be found at the first boot */
int verify_network(struct verify *v, struct v2v_error *err);

/* loader.c -------------------------------------------------------------- */

/* A kernel driver's service as the loader reads it. */
struct verify_driver {
    char *key;   /* "ControlSet001\\Services\\viostor" */
    bool exists; /* the key is there, and more than a name */
    uint32_t type, start, error_control; /* VERIFY_NO_NUMBER: absent */
    char
        *override; /* the value of StartOverride that turns it off: "0"; NULL */
    char *path;    /* of its file below the system volume; NULL: */
    char *bad_path; /* why ImagePath names no file */
};
#define VERIFY_NO_NUMBER UINT32_MAX

/* What Start says.  Source: Microsoft, "CM_Services registry tree". */
enum { VERIFY_BOOT_START = 0, VERIFY_DISABLED = 4 };

/* @ret: all zero; V2V_ERR_INTERNAL only */
int verify_driver_read(struct verify *v, const char *set, const char *name,
                       struct verify_driver *ret, struct v2v_error *err);
void verify_driver_done(struct verify_driver *driver);

static inline void
v2v_auto_verify_driver(struct verify_driver *driver)
{
    verify_driver_done(driver);
}

/* Is a file of the system volume there?  1, 0, or -1; what lies behind a
 * reparse point, which only Windows can follow, is taken to be. */
int verify_has_file(struct verify *v, const char *path, struct v2v_error *err);

/* The same, and something is in it: a file that a crash or a bad copy left
 * empty is of no use to the loader. */
int verify_has_content(struct verify *v, const char *path,
                       struct v2v_error *err);

/* Cheaper, for the many: is its name there? */
int verify_is_listed(struct verify *v, const char *path, struct v2v_error *err);

/* The file of @driver is missing.  1: that was told for another control set,
 * and @link is unknown; 0: it is to be told; -1 */
int verify_missed(struct verify *v, const char *link,
                  const struct verify_driver *driver, struct v2v_error *err);

/* A name that can be looked for: no separator, colon, "..", or control
 * character. */
bool verify_is_file_name(const char *name, size_t len);

/* Such names, with '\\' between them and none in front. */
bool verify_is_path(const char *path);

/* chain.c, filters.c */
int verify_filters(struct verify *v, const struct verify_control_set *set,
                   struct v2v_error *err);

/* bcd.c: what the boot manager of @volume, which is mounted on return as it was
 * found, is told to boot */
int verify_bcd(struct verify *v, const struct facts_volume *volume,
               struct v2v_error *err);

/* boot-ini.c: the same for ntldr */
int verify_boot_ini(struct verify *v, const struct facts_volume *volume,
                    struct v2v_error *err);

/* service.c ------------------------------------------------------------- */

/**
 * verify_service() - a boot-start driver's service in one control set
 * @ret: path of the driver's file below the system volume ("Windows/System32/
 *       drivers/viostor.sys"), new; NULL when there is none, which is then
 * found
 *
 * Type, Start, StartOverride, Group, ImagePath, the file that it names, its
 * machine, and the files that it imports from.
 */
int verify_service(struct verify *v, const struct verify_control_set *set,
                   const char *name, char **ret, struct v2v_error *err);

#endif
