/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * drivers/drivers.h - which package of a medium fits this guest, and why
 *
 * A driver is asked for by the name of its directory on the medium.  Its
 * packages lie in DRIVER/OS/ARCH ("NetKVM/w10/amd64"); a copy of the storage
 * drivers may also lie in ARCH/OS ("amd64/w10"), which is looked at last.
 * Layout: seen on virtio-win ISOs 0.1.217 to 0.1.240, and in the file list of a
 * RHEL one among virt-v2v's test data.
 *
 * Nothing is written, and whether a guest trusts a signature is only warned
 * about: the guest's policy is the caller's business.
 */
#ifndef V2V_DRIVERS_DRIVERS_H
#define V2V_DRIVERS_DRIVERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "inf-parser/inf.h"
#include "inf-parser/install.h"
#include "media/media.h"

/* setupapi.h, SIGNERSCORE_*; what Windows writes as SignerScore of a package.
 * For Microsoft's signature on virtio-win both 0D000004 and 0D000005 were seen
 * in registries; viostor's had this one. */
#define DRIVERS_SCORE_MICROSOFT UINT32_C(0x0d000005)
#define DRIVERS_SCORE_AUTHENTICODE UINT32_C(0x0f000000)
#define DRIVERS_SCORE_UNSIGNED UINT32_C(0x80000000)

struct drivers_guest {
    struct inf_target target; /* product_type 1 is a client, others servers */
    const char *os_label;     /* for messages: "Windows Server 2022" */
};

struct driver_file {
    char *name; /* relative to the package's folder, '/' between parts, case
                 * as on the medium */
    struct v2v_bytes data;
};

struct driver_package {
    char *driver;              /* the directory's name as the medium spells it:
                                * "viostor", "NetKVM", "Balloon" */
    char *source;              /* "NetKVM/w10/amd64" on the medium */
    char *why;                 /* one sentence: why this directory */
    char *inf_name;            /* as on the medium: "netkvm.inf" */
    char *catalog_name;        /* as the INF names it, or NULL */
    size_t inf_index;          /* into @files */
    size_t catalog_index;      /* into @files, SIZE_MAX: not on the medium */
    struct driver_file *files; /* INF, catalog, each file the INF copies */
    size_t file_count;
    struct inf_file *inf;
    struct inf_version version;
    struct inf_models models; /* those for the guest; never none */
    char *content_id;      /* 16 hex digits: names and contents of all files, so
                            * that the same package is known again */
    char *signer_name;     /* NULL: unsigned */
    uint32_t signer_score; /* DRIVERS_SCORE_* */
};

struct drivers_choice {
    struct driver_package *items; /* in the order of the names asked for */
    size_t count;
    struct v2v_strings missing;     /* asked for, and nothing fits */
    struct v2v_strings missing_why; /* [i] is why missing[i] is */
};

/**
 * drivers_choose() - the packages for a guest
 * @names: directory names in any case; each is looked up once
 * @ret:   written only on success; drivers_choice_done() frees what it holds
 *
 * For each name the directories that suit the guest's version are tried in
 * order of preference; the first that holds an INF with models for the guest
 * (inf_models_select()) is taken, with all such INFs in it: pvpanic has two.
 * A directory is passed over when it is absent or no INF in it accepts the
 * guest; also when the INF runs its driver from the driver store (directory
 * id 13) and the guest is older than build 16299, where Windows cannot
 * (Microsoft, "Run from driver store").
 *
 * Warnings: "driver-unsigned", no catalog on the medium; "driver-untrusted",
 * signed by somebody else than Microsoft, for Windows 8 and later.
 *
 * Returns: 0 (also when some are missing, see @ret), or -1 with
 *   V2V_ERR_FORMAT  a chosen directory's INF or catalog is malformed, or a file
 *                   that the INF copies is not on the medium: a boot driver
 *                   must not be passed over silently
 *   and what media_load() returns.
 * The text names the medium, the file and the reason.
 */
int drivers_choose(struct media *m, const struct drivers_guest *guest,
                   const struct v2v_strings *names, struct drivers_choice *ret,
                   struct v2v_error *err);

/* Leaves @c empty; an empty one is accepted. */
void drivers_choice_done(struct drivers_choice *c);

static inline void
v2v_auto_drivers_choice(struct drivers_choice *c)
{
    drivers_choice_done(c);
}

#endif
