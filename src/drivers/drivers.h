/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * drivers/drivers.h - which package of which medium fits this guest, and why
 *
 * A driver is asked for by the name that its directory has on a virtio-win ISO
 * ("NetKVM", "vioserial"), or by its INF's name without ".inf" ("vioser").
 * What the INF and the catalog say decides; directories are a hint that gives
 * the order.  These layouts are known, whatever stands before them:
 *   DRIVER/OS/ARCH  NetKVM/w10/amd64             virtio-win ISO, and the RPM's
 *                                                drivers/by-driver
 *   ARCH/OS         amd64/w10, amd64/Win10       the ISO's copies, floppies,
 *                                                the RPM's drivers/by-os
 * Seen on ISOs 0.1.217 to 0.1.240, in the file list of a RHEL one among
 * virt-v2v's test data, and on a RHEL floppy.
 *
 * Nothing is written.  Whether Windows takes a signature is catalog/judge.h's
 * judgement; here it is put to use.
 */
#ifndef V2V_DRIVERS_DRIVERS_H
#define V2V_DRIVERS_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/judge.h"
#include "inf-parser/inf.h"
#include "inf-parser/install.h"
#include "media/media.h"

/* setupapi.h, SIGNERSCORE_*; what Windows writes as SignerScore of a package.
 * For Microsoft's signature on virtio-win both 0D000004 and 0D000005 were seen
 * in registries; viostor's had this one. */
#define DRIVERS_SCORE_MICROSOFT UINT32_C(0x0d000005)
#define DRIVERS_SCORE_AUTHENTICODE UINT32_C(0x0f000000)
#define DRIVERS_SCORE_UNSIGNED UINT32_C(0x80000000)

/* More INFs than these and the medium is refused; a RHEL ISO has 187. */
enum { DRIVERS_MAX_INFS = 4096 };

struct drivers_guest {
    struct inf_target target; /* product_type 1 is a client, others servers */
    const char *os_label;     /* for messages: "Windows Server 2022" */
    bool secure_boot_known;   /* false: @secure_boot means nothing */
    bool secure_boot;         /* of the firmware */
    bool test_signing;        /* BCD testsigning */
};

struct drivers_options {
    bool allow_untrusted; /* take a package although this guest would not load
                           * it, or although it is damaged; with a warning */
};

struct driver_file {
    char *name; /* relative to the package's folder, '/' between parts; as the
                 * INF has it when the medium only has a short name, else case
                 * as on the medium */
    struct v2v_bytes data;
};

/* The INF's place in driver_package.files. */
enum { DRIVERS_INF_FILE = 0 };

struct driver_package {
    char *driver;         /* the directory's name as the medium spells it:
                           * "viostor", "NetKVM", "Balloon" */
    char *source;         /* "NetKVM/w10/amd64" on the medium */
    char *why;            /* one sentence: why this directory */
    size_t medium;        /* index of the medium it lies on */
    char *inf_name;       /* as files[DRIVERS_INF_FILE].name: "netkvm.inf" */
    size_t catalog_index; /* into @files, SIZE_MAX: not on the medium */
    struct driver_file *files; /* INF, catalog, each file the INF copies */
    size_t file_count;
    struct inf_file *inf;
    struct inf_version version;
    struct inf_models models; /* those for the guest; never none */
    bool boot;                /* has a service with StartType 0 */
    bool programs;            /* a service runs something else than a .sys */
    char *content_id;      /* 16 hex digits: names and contents of all files, so
                            * that the same package is known again */
    uint32_t signer_score; /* DRIVERS_SCORE_* */
    struct catalog catalog; /* empty, so without signer.name, when there is
                             * none that verifies */
    struct catalog_judgement judgement; /* for this guest as it is set up;
                                         * judgement.file is into @files */
    char *verdict_why; /* one sentence: verdict, signer or damaged file, rule */
};

/* The rule that decided about a candidate. */
enum drivers_rule {
    DRIVERS_CHOSEN,
    DRIVERS_LOST_SAME,      /* fits, and has the same INF as the chosen one */
    DRIVERS_LOST_ORDER,     /* fits, but another comes first */
    DRIVERS_LOST_DIRECTORY, /* a directory for another Windows */
    DRIVERS_LOST_ARCHITECTURE, /* ... for another architecture */
    DRIVERS_LOST_MODELS,       /* the INF has no devices for this Windows */
    DRIVERS_LOST_STORE,        /* directory id 13, and Windows is too old */
    DRIVERS_LOST_CATALOG_OS,   /* the catalog is for newer Windows only */
    DRIVERS_LOST_KNOWN_BAD,    /* known to do harm on this Windows */
    DRIVERS_LOST_SUPERSEDED,   /* another driver that was chosen replaces it */
    DRIVERS_LOST_DAMAGED,      /* contents are not what was signed */
    DRIVERS_LOST_UNTRUSTED,    /* this guest would not load it */
    DRIVERS_LOST_MALFORMED,    /* the INF cannot be read */
    DRIVERS_LOST_ABSENT        /* only as missing_rule: no directory for this
                                * Windows has it */
};

/* "chosen", "same", "order" ...: static, stable, for JSON. */
const char *drivers_rule_word(enum drivers_rule rule);

/* An INF of a driver that was asked for. */
struct drivers_candidate {
    char *driver;  /* as asked for */
    size_t medium; /* index of the medium */
    char *path;    /* of the INF on the medium */
    enum drivers_rule rule;
    char *why; /* one sentence; for the chosen one as driver_package.why */
};

struct drivers_choice {
    struct driver_package *items; /* in the order of the names asked for */
    size_t count;
    struct v2v_strings missing;           /* asked for, and nothing was taken */
    struct v2v_strings missing_why;       /* [i] is why missing[i] is */
    enum drivers_rule *missing_rule;      /* [i]: what decided about the best */
    struct drivers_candidate *candidates; /* by driver asked for, each driver's
                                           * in the order of preference */
    size_t candidate_count;
};

/**
 * drivers_choose() - the packages for a guest
 * @media: the first that has a package that fits and is accepted wins
 * @names: names of drivers in any case; each is looked up once
 * @ret:   written only on success; drivers_choice_done() frees what it holds
 *
 * For each name and medium the directories that suit the guest's version are
 * tried in order of preference, then those whose name says nothing; the first
 * that holds an INF with models for the guest (inf_models_select()) is taken,
 * with all such INFs in it: pvpanic has two.  A directory is passed over when
 * no INF in it fits; also when the INF runs its driver from the driver store
 * (directory id 13) and the guest is older than build 16299, where Windows
 * cannot (Microsoft, "Run from driver store").
 *
 * A package that fits and is damaged, or that this guest would not load, ends
 * the search on its medium: the next directory is never taken in its place.
 * The same for an INF that was passed over and is not what its catalog lists.
 * When no other medium has the driver it is missing, with a warning; whether
 * one can do without it is the caller's business.
 *
 * Drivers that take the place of another (fwcfg of qemufwcfg), and pairs of
 * driver and Windows that are known to be bad: tables in directories.c.
 *
 * A package without a catalog is taken when the signatures inside its .sys
 * files, or the kernel's rules, let the guest load it.
 *
 * Warnings: "driver-damaged", "driver-unsigned", "driver-untrusted": left
 * out, or taken by @options (the second also: taken, since the guest loads it
 * all the same); "driver-secure-boot": accepted where Secure Boot
 * is off, and whether it is off is not known; "driver-signature": what else
 * the judgement has to say.
 *
 * Returns: 0 (also when some are missing, see @ret), or -1 with
 *   V2V_ERR_FORMAT  an INF that would have been tried is malformed, or a file
 *                   that the INF copies is not on the medium: a boot driver
 *                   must not be passed over silently; too many INFs
 *   and what media_load() returns.
 * The text names the medium, the file and the reason.  A file that plain ISO
 * 9660 renamed is found by what the INF calls it (media_is_short_for()); when
 * there are several, it is one that is not on the medium.
 */
int drivers_choose(struct media *const *media, size_t media_count,
                   const struct drivers_guest *guest,
                   const struct v2v_strings *names,
                   const struct drivers_options *options,
                   struct drivers_choice *ret, struct v2v_error *err);

/* Leaves @c empty; an empty one is accepted. */
void drivers_choice_done(struct drivers_choice *c);

static inline void
v2v_auto_drivers_choice(struct drivers_choice *c)
{
    drivers_choice_done(c);
}

/* Where an INF lies, and what its surroundings say. */
struct drivers_place {
    size_t medium;
    char *path;           /* of the INF on the medium */
    const char *os;       /* "2k22" from the directory, or NULL; static */
    const char *os_label; /* "Windows Server 2022", or NULL; static */
    bool has_arch;
    enum inf_arch arch; /* from the directory */
    char *content_id;   /* as driver_package's; NULL: files are absent */
    char *catalog_name; /* as the INF names it; NULL: it names none */
    struct v2v_strings catalog_os;      /* "7X64", "_v100_X64_22H2" ... */
    struct v2v_strings catalog_os_attr; /* "2:6.1" ... */
    struct catalog_signer signer; /* name NULL: no catalog, or a damaged one */
    enum catalog_verdict verdict; /* for the directory's Windows, without Secure
                                   * Boot and test signing; for Windows 10 when
                                   * the directory does not say */
    char *verdict_why;
    struct v2v_strings absent;   /* files that the INF copies and that are not
                                  * there */
    struct v2v_strings warnings; /* what disagrees: directory, Models, catalog
                                  */
};

/* An INF, once by content. */
struct drivers_entry {
    char *driver;   /* "NetKVM", "vioserial": what to ask for */
    char *inf_name; /* of the first place */
    char *error;    /* NULL, or why the INF cannot be read: what follows up to
                     * @places is empty then */
    char *class_name, *class_guid, *provider; /* NULL: it does not say */
    struct inf_driver_ver driver_ver;
    struct v2v_strings decorations;  /* "NTamd64.10.0...16299", each once, as
                                      * the INF has them */
    struct v2v_strings hardware_ids; /* each once, of all models */
    bool boot;                       /* a service with StartType 0 */
    struct drivers_place *places;    /* in the order of media and paths */
    size_t place_count;
};

struct drivers_catalogue {
    struct drivers_entry *items; /* by driver, INF, first place */
    size_t count;
};

/**
 * drivers_catalogue_read() - every INF on some media, once by content
 * @ret: written only on success; drivers_catalogue_done() frees what it holds
 *
 * Files are read some MB at a time; what cannot be read or is damaged is said
 * in the entry, not refused.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT for more than DRIVERS_MAX_INFS, and
 * what media_load() returns.
 */
int drivers_catalogue_read(struct media *const *media, size_t media_count,
                           struct drivers_catalogue *ret,
                           struct v2v_error *err);
void drivers_catalogue_done(struct drivers_catalogue *c);

static inline void
v2v_auto_drivers_catalogue(struct drivers_catalogue *c)
{
    drivers_catalogue_done(c);
}

/**
 * drivers_all_names() - what can be asked for, each name once, sorted
 *
 * All drivers on the media but sriov (vioprot), which is only for guests with
 * a failover pair of network devices and has to be asked for.
 * Returns: 0, or -1 as drivers_catalogue_read().
 */
int drivers_all_names(struct media *const *media, size_t media_count,
                      struct v2v_strings *ret, struct v2v_error *err);

#endif
