/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signatures of packages: their files in, the judgement of catalog/ out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "catalog/pe.h"
#include "catalog/sha256.h"
#include "drivers/package.h"

struct catalog_target
package_catalog_target(const struct inf_target *target)
{
    enum catalog_arch arch = CATALOG_AMD64;

    if (target->arch == INF_ARCH_X86)
        arch = CATALOG_X86;
    else if (target->arch == INF_ARCH_ARM64)
        arch = CATALOG_ARM64;
    return (struct catalog_target){ .major = target->major,
                                    .minor = target->minor,
                                    .build = target->build,
                                    .server = target->product_type != 1,
                                    .arch = arch };
}

bool
package_os_attr(const char *text, unsigned *major, unsigned *minor)
{
    int end = 0;

    /* 2 is the platform, VER_PLATFORM_WIN32_NT */
    return sscanf(text, "2:%3u.%3u%n", major, minor, &end) == 2 &&
           text[end] == '\0';
}

bool
package_is_for_newer(const struct v2v_strings *attrs,
                     const struct inf_target *target)
{
    bool newer = false;

    for (size_t i = 0; i < attrs->count; i++) {
        unsigned major, minor;

        if (!package_os_attr(attrs->items[i], &major, &minor))
            continue;
        newer = major > target->major ||
                (major == target->major && minor > target->minor);
        if (!newer)
            return false;
    }
    return newer;
}

/* Everything but the catalog itself, in the order of the package. */
static size_t
list_signed(const struct driver_package *package, struct catalog_file *files)
{
    size_t count = 0;

    for (size_t i = 0; i < package->file_count; i++) {
        const struct driver_file *file = &package->files[i];

        if (i != package->catalog_index)
            files[count++] =
                (struct catalog_file){ v2v_base_name(file->name),
                                       file->data.data, file->data.len };
    }
    return count;
}

static int
weigh(const struct catalog_target *target, struct driver_package *package,
      struct catalog_evidence *evidence, struct v2v_error *err)
{
    V2V_AUTO(mem) struct catalog_file *files =
        calloc(package->file_count, sizeof *files);
    V2V_AUTO(mem) enum catalog_match *matches =
        calloc(package->file_count, sizeof *matches);

    if (files == NULL || matches == NULL)
        return v2v_fail_errno(err, errno, "%s", package->source);
    if (evidence->catalog != NULL) {
        evidence->matches = matches;
        evidence->match_count = list_signed(package, files);
        if (catalog_check_files(evidence->catalog, files, evidence->match_count,
                                matches, err) < 0)
            return -1;
    }
    catalog_judge(evidence, target, &package->judgement);
    if (package->judgement.file != SIZE_MAX) {
        size_t file = package->judgement.file;
        const char *text = catalog_match_text(matches[file]);

        package->judgement.file = file + (file >= package->catalog_index);
        package->verdict_why =
            v2v_format(err, "%s: %s %s", package->source,
                       package->files[package->judgement.file].name, text);
        if (package->verdict_why == NULL)
            return -1;
    }
    return 0;
}

/* Unless a file was to blame. */
static int
say_verdict(struct driver_package *package, const char *damage,
            struct v2v_error *err)
{
    const struct catalog_judgement *judgement = &package->judgement;
    const struct catalog_signer *signer = &package->catalog.signer;

    if (package->verdict_why != NULL)
        return 0;
    if (damage != NULL)
        package->verdict_why =
            v2v_format(err, "%s: %s: %s", package->source,
                       package->files[package->catalog_index].name, damage);
    else if (signer->name == NULL)
        package->verdict_why = v2v_format(
            err, "%s/%s: the medium has no catalog%s%s: %s", package->source,
            package->inf_name, package->version.catalog != NULL ? " " : "",
            package->version.catalog != NULL ? package->version.catalog : "",
            judgement->rule);
    else
        package->verdict_why =
            v2v_format(err, "%s/%s: %s: signed by %s (%s): %s", package->source,
                       package->inf_name,
                       catalog_verdict_text(judgement->verdict), signer->name,
                       catalog_signer_kind_text(signer->kind), judgement->rule);
    return package->verdict_why != NULL ? 0 : -1;
}

/* Would the kernel load @file by the signature inside it?  1, 0 or -1. */
static int
loads_by_itself(const struct catalog_target *target,
                const struct driver_file *file, char **signer,
                struct v2v_error *err)
{
    V2V_AUTO(catalog_signer) struct catalog_signer embedded = { 0 };
    const struct catalog_evidence evidence = { .embedded = &embedded };
    struct catalog_judgement judgement;
    struct v2v_error why = { 0 };

    if (catalog_pe_signer(file->data.data, file->data.len, &embedded, &why) < 0)
        return why.code == V2V_ERR_NOT_FOUND || why.code == V2V_ERR_FORMAT
                   ? 0
                   : v2v_fail(err, why.code, "%s", why.text);
    catalog_judge(&evidence, target, &judgement);
    free(*signer);
    *signer = v2v_strdup(embedded.name, err);
    return *signer == NULL ? -1 : judgement.loads;
}

/* A boot driver loads without a catalog if it has a signature of its own that
 * is accepted; all of virtio-win's have one.  Without a catalog the package
 * stays unsigned to Plug and Play, and to whoever asks.  Nothing vouches for
 * its INF then: what that starts has to be those drivers and nothing else. */
static int
judge_embedded(const struct catalog_target *target,
               struct driver_package *package, struct v2v_error *err)
{
    V2V_AUTO(mem) char *signer = NULL;
    int loads = 0;

    if (package->programs)
        return 0;
    for (size_t i = 0; i < package->file_count; i++) {
        const struct driver_file *file = &package->files[i];

        if (!v2v_has_suffix_nocase(file->name, ".sys"))
            continue;
        loads = loads_by_itself(target, file, &signer, err);
        if (loads <= 0)
            return loads;
    }
    if (loads == 0)
        return 0;
    package->judgement.loads = true;
    package->verdict_why = v2v_format(
        err,
        "%s/%s: the medium has no catalog; the kernel loads the driver by the "
        "signature inside it (%s), but Plug and Play takes the package for "
        "unsigned",
        package->source, package->inf_name, signer);
    return package->verdict_why == NULL ? -1 : 0;
}

/* A signature inside an image that does not verify is damage, too: the hash in
 * the catalog leaves the signature out. */
static int
check_embedded(struct driver_package *package, struct v2v_error *err)
{
    for (size_t i = 0; i < package->file_count; i++) {
        const struct v2v_bytes *data = &package->files[i].data;
        V2V_AUTO(catalog_signer) struct catalog_signer signer = { 0 };
        struct v2v_error why = { 0 };

        if (!catalog_is_pe(data->data, data->len) ||
            catalog_pe_signer(data->data, data->len, &signer, &why) == 0 ||
            why.code == V2V_ERR_NOT_FOUND)
            continue;
        if (why.code != V2V_ERR_FORMAT)
            return v2v_fail(err, why.code, "%s", why.text);
        package->judgement.verdict = CATALOG_VERDICT_DAMAGED;
        package->judgement.loads = false;
        package->judgement.file = i;
        package->verdict_why =
            v2v_format(err, "%s: the signature inside %s is damaged: %s",
                       package->source, package->files[i].name, why.text);
        return package->verdict_why == NULL ? -1 : 0;
    }
    return 0;
}

/* @damage: why the catalog counts for nothing */
static int
read_catalog(struct driver_package *package, struct catalog_evidence *evidence,
             struct v2v_error *damage, struct v2v_error *err)
{
    const struct catalog_signer *signer = &package->catalog.signer;
    const struct v2v_bytes *data;

    package->signer_score = DRIVERS_SCORE_UNSIGNED;
    if (package->catalog_index == SIZE_MAX)
        return 0;
    data = &package->files[package->catalog_index].data;
    if (catalog_parse(data->data, data->len, &package->catalog, damage) < 0) {
        if (damage->code != V2V_ERR_FORMAT)
            return v2v_fail(err, damage->code, "%s", damage->text);
        evidence->damage = damage->text;
        return 0;
    }
    evidence->catalog = &package->catalog;
    package->signer_score = signer->kind >= CATALOG_SIGNER_MICROSOFT
                                ? DRIVERS_SCORE_MICROSOFT
                                : DRIVERS_SCORE_AUTHENTICODE;
    return 0;
}

int
package_judge(const struct catalog_target *target,
              struct driver_package *package, struct v2v_error *err)
{
    struct catalog_evidence evidence = { 0 };
    const struct catalog_judgement *judgement = &package->judgement;
    struct v2v_error damage = { 0 };

    if (read_catalog(package, &evidence, &damage, err) < 0 ||
        weigh(target, package, &evidence, err) < 0)
        return -1;
    if (judgement->verdict != CATALOG_VERDICT_DAMAGED &&
        check_embedded(package, err) < 0)
        return -1;
    if (judgement->verdict == CATALOG_VERDICT_UNSIGNED && !judgement->loads &&
        judge_embedded(target, package, err) < 0)
        return -1;
    return say_verdict(package, evidence.damage, err);
}

/* Names with their NULs and contents, in the order of the package. */
int
package_identify(struct driver_package *package, struct v2v_error *err)
{
    V2V_AUTO(mem) struct catalog_piece *pieces =
        calloc(2 * package->file_count, sizeof *pieces);
    uint8_t digest[CATALOG_SHA256_LEN];

    if (pieces == NULL)
        return v2v_fail_errno(err, errno, "%s", package->source);
    for (size_t i = 0; i < package->file_count; i++) {
        const struct driver_file *file = &package->files[i];

        pieces[2 * i] =
            (struct catalog_piece){ file->name, strlen(file->name) + 1 };
        pieces[2 * i + 1] =
            (struct catalog_piece){ file->data.data, file->data.len };
    }
    if (catalog_sha256(pieces, 2 * package->file_count, digest, err) < 0)
        return -1;
    package->content_id = v2v_format(
        err, "%02x%02x%02x%02x%02x%02x%02x%02x", digest[0], digest[1],
        digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]);
    return package->content_id == NULL ? -1 : 0;
}
