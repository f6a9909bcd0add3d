/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * catalog/judge.h - would this Windows take that signature?
 *
 * One verdict per package, out of one table of rules (judge.c), with the rule
 * that decided.  Nothing is measured here: what rests on documents or on
 * others' reports and was not seen on Windows is marked.
 */
#ifndef V2V_CATALOG_JUDGE_H
#define V2V_CATALOG_JUDGE_H

#include "catalog/catalog.h"

enum catalog_arch { CATALOG_X86, CATALOG_AMD64, CATALOG_ARM64 };

/* The Windows that is to load the driver.  Version as in RtlGetVersion: 10.0
 * build 26100 for Windows 11 24H2 and Server 2025. */
struct catalog_target {
    unsigned major, minor, build;
    bool server; /* product type other than workstation */
    enum catalog_arch arch;
    bool secure_boot;  /* by the firmware, where known; else false */
    bool test_signing; /* BCD testsigning; has no effect with Secure Boot */
};

enum catalog_verdict {
    CATALOG_VERDICT_SECURE_BOOT,    /* accepted, with Secure Boot too */
    CATALOG_VERDICT_NO_SECURE_BOOT, /* accepted where that is off, or where
                                     * Windows or firmware have none */
    CATALOG_VERDICT_TEST_SIGNING,   /* only with BCD testsigning */
    CATALOG_VERDICT_DAMAGED, /* catalog malformed or its signature broken,
                              * or a file is not what it lists */
    CATALOG_VERDICT_UNSIGNED /* the package has no catalog */
};

/* What was found out about a package. */
struct catalog_evidence {
    const struct catalog *catalog; /* NULL: there is none, or it is damaged */
    const char *damage;            /* what catalog_parse() said, or NULL */
    const enum catalog_match *matches; /* from catalog_check_files() */
    size_t match_count;
    const struct catalog_signer *embedded; /* from catalog_pe_signer(), of the
                                            * .sys; NULL: none that verifies.
                                            * Counts for @loads, where the
                                            * catalog does not help */
};

enum { CATALOG_MAX_CAVEATS = 4 };

struct catalog_judgement {
    enum catalog_verdict verdict;
    bool loads;       /* the target's kernel would load it as it is set up now:
                       * 32-bit Windows without Secure Boot loads anything, even what
                       * is unsigned or damaged; so does an embedded signature */
    bool seen;        /* on Windows, in a source's measurement; else judged from
                       * rules */
    const char *rule; /* static: one line, names its source */
    size_t file; /* the first in @matches that made it DAMAGED, else SIZE_MAX */
    const char *caveats[CATALOG_MAX_CAVEATS]; /* static; a warning each */
    size_t caveat_count;
};

/* Cannot fail.  Source of the rules: Microsoft, "Kernel-mode code signing
 * policy" and "Driver code signing requirements", and what judge.c names. */
void catalog_judge(const struct catalog_evidence *evidence,
                   const struct catalog_target *target,
                   struct catalog_judgement *ret);

/* "accepted, with Secure Boot too" ...: static, for reports. */
const char *catalog_verdict_text(enum catalog_verdict verdict);

/* "secure-boot", "no-secure-boot", "test-signing", "damaged", "unsigned": for
 * JSON. */
const char *catalog_verdict_word(enum catalog_verdict verdict);

#endif
