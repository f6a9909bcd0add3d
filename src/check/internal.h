/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/internal.h - what the rules of this folder share
 *
 * A rule is a function of a check: it looks at one thing and adds what it
 * finds.  Rules stand in tables at the end of their files, which check.c goes
 * through. */
#ifndef V2V_CHECK_INTERNAL_H
#define V2V_CHECK_INTERNAL_H

#include "check/check.h"

struct check {
    const struct check_input *in;
    struct reg_hive *system, *software; /* never NULL when rules run */
    const char *control_set; /* that the loader boots: "ControlSet001" */
    struct check_result *result;
};

typedef int (*check_rule)(struct check *check, struct v2v_error *err);

/* Adds a finding; @name is one of codes.c. */
int check_found(struct check *check, const char *name, struct v2v_error *err,
                const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Adds a gap. */
int check_not_looked(struct check *check, const char *what, const char *why,
                     struct v2v_error *err);

/* lookup.c: what is absent, damaged or of another type is not there.  A @key or
 * @path of NULL is the caller's v2v_format() that failed, whose error stays.
 * 1: found, and @ret written; 0: not there; -1: V2V_ERR_INTERNAL. */
int check_get(struct reg_hive *hive, const char *key, const char *name,
              uint32_t *type, struct v2v_bytes *ret, struct v2v_error *err);
int check_get_dword(struct reg_hive *hive, const char *key, const char *name,
                    uint32_t *ret, struct v2v_error *err);
int check_get_string(struct reg_hive *hive, const char *key, const char *name,
                     char **ret, struct v2v_error *err);
int check_get_strings(struct reg_hive *hive, const char *key, const char *name,
                      struct v2v_strings *ret, struct v2v_error *err);
int check_children(struct reg_hive *hive, const char *key,
                   struct v2v_strings *ret, struct v2v_error *err);
int check_value_names(struct reg_hive *hive, const char *key,
                      struct v2v_strings *ret, struct v2v_error *err);
int check_has_key(struct reg_hive *hive, const char *key,
                  struct v2v_error *err);

/* The same for a file of the system volume.  One that cannot be looked at,
 * behind a reparse point, counts as there. */
int check_has_file(struct check *check, const char *path,
                   struct v2v_error *err);

/* virtio.c: the drivers of virtio-win; those for the boot disk, whose services
 * have the same name, come first; ended by a NULL. */
struct check_virtio_driver {
    const char *driver; /* directory on the medium: "NetKVM" */
    const char *inf;    /* "netkvm.inf" */
    const char *file;   /* in System32\drivers: "netkvm.sys"; NULL: none */
    bool boot;          /* it drives the boot disk */
};
extern const struct check_virtio_driver check_virtio_drivers[];

/* renames.c: files that the next boot replaces or deletes */
int check_renames(struct check *check, struct v2v_error *err);

/* hvci.c: drivers that memory integrity refuses */
int check_memory_integrity(struct check *check, struct v2v_error *err);

/* image.c: what is to be said of the image of disk @i */
int check_image(struct check *check, const struct image_about *about, size_t i,
                struct v2v_error *err);

/* The rules of each file, ended by NULL. */
extern const check_rule check_image_rules[];   /* image.c: the files */
extern const check_rule check_disk_rules[];    /* disk.c: volumes */
extern const check_rule check_windows_rules[]; /* windows.c: its state */
extern const check_rule
    check_policy_rules[]; /* policy.c: what refuses drivers */
extern const check_rule check_antivirus_rules[];  /* antivirus.c: filters */
extern const check_rule check_hypervisor_rules[]; /* hypervisor.c: leftovers */
extern const check_rule check_virtio_rules[];     /* virtio.c: drivers there */
extern const check_rule check_network_rules[];    /* network.c: addresses */

#endif
