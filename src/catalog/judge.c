/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "catalog/judge.h"

#include <stdio.h>
#include <string.h>

/* What a rule accepts, one bit each. */
enum {
    by_unknown = 1 << CATALOG_SIGNER_UNKNOWN,
    by_self = 1 << CATALOG_SIGNER_SELF_SIGNED,
    by_vendor = 1 << CATALOG_SIGNER_CROSS_SIGNED,
    by_microsoft = 1 << CATALOG_SIGNER_MICROSOFT,
    by_attestation = 1 << CATALOG_SIGNER_ATTESTATION,
    by_whql = 1 << CATALOG_SIGNER_WHQL,
    by_early_vendor = 1 << 6, /* certificate of before 2015-07-29 */
    by_nobody = 1 << 7,       /* unsigned */

    by_dashboard = by_microsoft | by_attestation | by_whql,
    by_old = by_vendor | by_microsoft | by_whql,
    by_both = by_vendor | by_dashboard,
    by_any = by_unknown | by_self | by_both | by_nobody
};

enum {
    x86 = 1 << CATALOG_X86,
    amd64 = 1 << CATALOG_AMD64,
    arm64 = 1 << CATALOG_ARM64,
    any_arch = x86 | amd64 | arm64
};
enum { client = 1, server = 2, both = client | server };

/* Windows 10 1607 and Server 2016; 1809 and Server 2019 */
enum { build_1607 = 14393, build_1809 = 17763 };

/* 2015-07-29 00:00 UTC: end-entity certificates issued before are excepted
 * (Microsoft, "Kernel-mode code signing policy", "Exceptions") */
static const int64_t early = 1438128000;

struct rule {
    unsigned major, minor, build; /* for versions before this one */
    unsigned arches, sides;
    unsigned off, on; /* accepted with Secure Boot off and on; on 0: Windows
                       * has no Secure Boot */
    unsigned refusal_seen; /* kinds whose refusal somebody reported */
    const char *text;
};

#define POLICY " (Microsoft, \"Kernel-mode code signing policy\")"
#define DASHBOARD                                                              \
    " (Microsoft, \"Kernel-mode code signing policy\" and \"Driver code "      \
    "signing requirements\")"

/* The first that fits decides.  Where the two pages of Microsoft disagree, the
 * milder one with Secure Boot off, the stricter one with it on.  Attestation is
 * accepted on servers although "Driver code signing requirements" says no: its
 * own issue tracker (MicrosoftDocs/windows-driver-docs 1068, 1868) corrects
 * that, and virtio-win's public builds run on servers so.
 * Refusal of a self-signed 0.1.240 viostor by Server 2012 R2, stop code
 * 0xc0000428: reported with PegaProx. */
static const struct rule rules[] = {
    { 6, 0, 0, any_arch, both, by_any, 0, 0,
      "Windows XP and 2003 load any driver" POLICY },
    { 6, 2, 0, x86, both, by_any, 0, 0,
      "32-bit Windows before 8 loads any driver" POLICY },
    { 6, 2, 0, any_arch, both, by_old, 0, 0,
      "64-bit Windows Vista, 2008, 7 and 2008 R2 load what is cross-signed or "
      "WHQL-signed" POLICY },
    { 10, 0, 0, x86, both, by_any, by_both, 0,
      "32-bit Windows 8 and 8.1 load any driver without Secure Boot, with it "
      "what Microsoft signed or cross-signed" POLICY },
    { 10, 0, 0, any_arch, both, by_both, by_both, by_self,
      "64-bit Windows 8, 8.1, 2012 and 2012 R2 load what Microsoft signed or "
      "cross-signed" POLICY },
    { 11, 0, 0, arm64, both, by_dashboard, by_dashboard, 0,
      "Windows on ARM64 loads what Microsoft signed" DASHBOARD },
    { 10, 0, build_1607, x86, both, by_any, by_both, 0,
      "32-bit Windows 10 before 1607 loads any driver without Secure Boot, "
      "with it what Microsoft signed or cross-signed" POLICY },
    { 10, 0, build_1607, amd64, both, by_both, by_both, 0,
      "64-bit Windows 10 before 1607 loads what Microsoft signed or "
      "cross-signed" POLICY },
    { 10, 0, build_1809, x86, both, by_any, by_dashboard | by_early_vendor, 0,
      "32-bit Windows 10 from 1607 loads any driver without Secure Boot, with "
      "it what Microsoft signed, or cross-signed before 2015-07-29" POLICY },
    { 10, 0, build_1809, amd64, both, by_both, by_dashboard | by_early_vendor,
      0,
      "64-bit Windows 10 from 1607 and Server 2016 load what Microsoft signed; "
      "with Secure Boot, what is cross-signed only by a certificate of before "
      "2015-07-29" POLICY },
    { 11, 0, 0, x86, both, by_any, by_dashboard, 0,
      "32-bit Windows 10 from 1809 loads any driver without Secure Boot, with "
      "it what Microsoft signed" DASHBOARD },
    { 11, 0, 0, amd64, server, by_both, by_dashboard | by_early_vendor, 0,
      "Windows Server from 2019 loads what Microsoft signed; with Secure Boot, "
      "what is cross-signed only by a certificate of before "
      "2015-07-29" DASHBOARD },
    { 11, 0, 0, amd64, client, by_both, by_dashboard, 0,
      "64-bit Windows 10 from 1809 and 11 load what Microsoft signed; what is "
      "cross-signed only without Secure Boot" DASHBOARD },
};

/* For a Windows that is not in the table. */
static const struct rule unknown_windows = {
    .off = by_dashboard,
    .on = by_dashboard,
    .text =
        "not a Windows that the rules cover: what Microsoft signed is taken "
        "to load",
};

static bool
is_before(const struct catalog_target *t, const struct rule *r)
{
    if (t->major != r->major)
        return t->major < r->major;
    if (t->minor != r->minor)
        return t->minor < r->minor;
    return t->build < r->build;
}

static const struct rule *
find_rule(const struct catalog_target *target)
{
    unsigned side = target->server ? server : client;

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (is_before(target, &rules[i]) &&
            (rules[i].arches & 1U << target->arch) && (rules[i].sides & side))
            return &rules[i];
    }
    return &unknown_windows;
}

static unsigned
bits_of(const struct catalog_signer *signer)
{
    unsigned bits;

    if (signer == NULL)
        return by_nobody;
    bits = 1U << signer->kind;
    if (signer->kind == CATALOG_SIGNER_CROSS_SIGNED &&
        signer->not_before < early)
        bits |= by_early_vendor;
    return bits;
}

static bool
would_load(const struct rule *rule, const struct catalog_target *target,
           const struct catalog_signer *signer)
{
    unsigned bits = bits_of(signer);
    bool secure_boot = target->secure_boot && rule->on != 0;

    if (bits & (secure_boot ? rule->on : rule->off))
        return true;
    return !secure_boot && target->test_signing && signer != NULL;
}

/* ---- caveats: true things about an accepted signature that may still matter
 */

static bool
is_sha2_on_old(const struct catalog *cat, const struct catalog_target *t)
{
    return t->major == 6 && t->minor < 2 && cat->signer.hash != CATALOG_SHA1;
}

/* "2:10.0": platform NT, version; "x" for any minor (Microsoft, "Catalog
 * files and digital signatures"; values as in virtio-win's catalogs) */
static bool
is_other_windows(const struct catalog *cat, const struct catalog_target *t)
{
    char exact[40], any[40];

    snprintf(exact, sizeof exact, "2:%u.%u", t->major, t->minor);
    snprintf(any, sizeof any, "2:%u.x", t->major);
    return cat->os_attr.count > 0 &&
           !v2v_strings_has_nocase(&cat->os_attr, exact) &&
           !v2v_strings_has_nocase(&cat->os_attr, any);
}

static bool
is_unstamped(const struct catalog *cat, const struct catalog_target *t)
{
    const struct catalog_signer *s = &cat->signer;

    (void)t;
    return !s->stamp.present || s->stamp.time < s->not_before ||
           s->stamp.time > s->not_after;
}

static bool
is_attestation_in_doubt(const struct catalog *cat,
                        const struct catalog_target *t)
{
    return cat->signer.kind == CATALOG_SIGNER_ATTESTATION &&
           (t->server || t->arch == CATALOG_ARM64);
}

static bool
is_cross_signed_on_10(const struct catalog *cat, const struct catalog_target *t)
{
    return cat->signer.kind == CATALOG_SIGNER_CROSS_SIGNED && t->major >= 10 &&
           t->build >= build_1607;
}

static const struct {
    bool (*applies)(const struct catalog *, const struct catalog_target *);
    const char *text;
} caveats[] = {
    { is_sha2_on_old,
      "the signature is SHA-2: Windows 7 and 2008 R2 need KB3033929 or "
      "KB4474419 for it, 2008 SP2 needs KB4039648 or KB4474419" },
    { is_other_windows,
      "the catalog's OSAttr does not name this version of Windows" },
    { is_unstamped,
      "no time stamp from within the life of the signing certificate verifies: "
      "after its end Windows may refuse the signature" },
    { is_attestation_in_doubt,
      "Microsoft's pages disagree on attestation signatures for servers and "
      "are silent on ARM64; taken as accepted" },
    { is_cross_signed_on_10,
      "cross-signed for Windows 10 1607 or later: accepted without Secure "
      "Boot by one of Microsoft's two pages only" },
};

static void
add_caveats(const struct catalog *cat, const struct catalog_target *target,
            struct catalog_judgement *ret)
{
    for (size_t i = 0; i < sizeof caveats / sizeof *caveats; i++) {
        if (caveats[i].applies(cat, target) &&
            ret->caveat_count < CATALOG_MAX_CAVEATS)
            ret->caveats[ret->caveat_count++] = caveats[i].text;
    }
}

/* ---- the verdict */

static bool
is_damaged(const struct catalog_evidence *e, struct catalog_judgement *ret)
{
    for (size_t i = 0; e->catalog != NULL && i < e->match_count; i++) {
        if (e->matches[i] != CATALOG_MATCH) {
            ret->file = i;
            ret->rule = "a catalog vouches only for the files whose hashes it "
                        "lists (Microsoft, \"Catalog files and digital "
                        "signatures\")";
            return true;
        }
    }
    ret->rule = "a catalog counts only while its signature verifies "
                "(Microsoft, \"Catalog files and digital signatures\")";
    return e->damage != NULL;
}

static enum catalog_verdict
judge_signer(const struct rule *rule, const struct catalog_signer *signer)
{
    unsigned bits = bits_of(signer);

    if (bits & rule->on)
        return CATALOG_VERDICT_SECURE_BOOT;
    if (bits & rule->off)
        return CATALOG_VERDICT_NO_SECURE_BOOT;
    return CATALOG_VERDICT_TEST_SIGNING;
}

void
catalog_judge(const struct catalog_evidence *evidence,
              const struct catalog_target *target,
              struct catalog_judgement *ret)
{
    const struct rule *rule = find_rule(target);
    const struct catalog *cat = evidence->catalog;
    struct catalog_judgement judgement = { .file = SIZE_MAX };

    judgement.loads = would_load(rule, target, evidence->embedded);
    if (is_damaged(evidence, &judgement)) {
        judgement.verdict = CATALOG_VERDICT_DAMAGED;
        *ret = judgement;
        return;
    }
    judgement.rule = rule->text;
    if (cat == NULL) {
        judgement.verdict = CATALOG_VERDICT_UNSIGNED;
    } else {
        judgement.verdict = judge_signer(rule, &cat->signer);
        judgement.loads |= would_load(rule, target, &cat->signer);
        judgement.seen = judgement.verdict == CATALOG_VERDICT_TEST_SIGNING &&
                         (rule->refusal_seen & 1U << cat->signer.kind);
        add_caveats(cat, target, &judgement);
    }
    *ret = judgement;
}

static const struct {
    const char *text, *word;
} names[] = {
    [CATALOG_VERDICT_SECURE_BOOT] = { "accepted, with Secure Boot too",
                                      "secure-boot" },
    [CATALOG_VERDICT_NO_SECURE_BOOT] = { "accepted without Secure Boot",
                                         "no-secure-boot" },
    [CATALOG_VERDICT_TEST_SIGNING] = { "accepted only with test signing",
                                       "test-signing" },
    [CATALOG_VERDICT_DAMAGED] = { "damaged", "damaged" },
    [CATALOG_VERDICT_UNSIGNED] = { "unsigned", "unsigned" },
};

const char *
catalog_verdict_text(enum catalog_verdict verdict)
{
    return names[verdict].text;
}

const char *
catalog_verdict_word(enum catalog_verdict verdict)
{
    return names[verdict].word;
}
