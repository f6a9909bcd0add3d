/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "catalog/judge.h"
#include "catalog/pe.h"
#include "verify/files.h"

/* System32\CatRoot\{...}: the loader reads the catalogs there as files;
 * CatRoot2 is a running system's. */
#define CATALOGS "System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"

/* Windows' own catalogs are some thousands, and none lists a driver that was
 * added: only oem*.cat are read, and not without end. */
enum { CATALOGS_MAX = 64 };

/* What speaks for a driver. */
struct case_for {
    const char *name; /* of the driver's file */
    struct v2v_bytes data;
    struct catalog_target target;
    bool embedded, listed; /* accepted by it */
    bool any;              /* accepted whatever is in it */
    char embedded_why[1536], listed_why[1536];
};

static void
v2v_auto_case(struct case_for *c)
{
    v2v_bytes_done(&c->data);
}

static struct catalog_target
target_of(const struct verify *v)
{
    const struct facts *facts = v->in->facts;
    const struct inf_target *t = &facts->target;
    const struct domain_machine *machine = v->in->machine;

    return (struct catalog_target){
        .major = t->major,
        .minor = t->minor,
        .build = t->build,
        .server = t->product_type != 1,
        .arch = t->arch == INF_ARCH_X86     ? CATALOG_X86
                : t->arch == INF_ARCH_ARM64 ? CATALOG_ARM64
                                            : CATALOG_AMD64,
        .secure_boot =
            machine != NULL && machine->secure_boot == DOMAIN_SECURE_BOOT_ON,
        .test_signing = facts->test_signing,
    };
}

static void
judge_embedded(struct case_for *c)
{
    V2V_AUTO(catalog_signer) struct catalog_signer signer = { 0 };
    struct catalog_evidence evidence = { 0 };
    struct catalog_judgement judgement;
    struct v2v_error why;

    catalog_judge(&evidence, &c->target, &judgement);
    c->any = judgement.loads;
    if (catalog_pe_signer(c->data.data, c->data.len, &signer, &why) < 0) {
        (void)snprintf(c->embedded_why, sizeof c->embedded_why, "%s", why.text);
        return;
    }
    evidence.embedded = &signer;
    catalog_judge(&evidence, &c->target, &judgement);
    c->embedded = judgement.loads;
    (void)snprintf(c->embedded_why, sizeof c->embedded_why,
                   "its own signature is by %s (%s): %s", signer.name,
                   catalog_signer_kind_text(signer.kind), judgement.rule);
}

/* 1: the catalog lists the driver, whatever the guest thinks of the signer; 0;
 * -1 */
static int
judge_catalog(struct case_for *c, const char *name,
              const struct v2v_bytes *data, struct v2v_error *err)
{
    V2V_AUTO(catalog) struct catalog catalog = { 0 };
    const struct catalog_file file = { c->name, c->data.data, c->data.len };
    struct catalog_judgement judgement;
    enum catalog_match match;
    struct v2v_error why;

    if (catalog_parse(data->data, data->len, &catalog, &why) < 0) {
        return why.code == V2V_ERR_INTERNAL
                   ? v2v_fail(err, why.code, "%s", why.text)
                   : 0;
    }
    if (catalog_check_files(&catalog, &file, 1, &match, err) < 0)
        return -1;
    if (match != CATALOG_MATCH)
        return 0;
    catalog_judge(&(struct catalog_evidence){ .catalog = &catalog,
                                              .matches = &match,
                                              .match_count = 1 },
                  &c->target, &judgement);
    c->listed = judgement.loads;
    (void)snprintf(
        c->listed_why, sizeof c->listed_why,
        "%s lists it and is signed by %s (%s): %s", name, catalog.signer.name,
        catalog_signer_kind_text(catalog.signer.kind), judgement.rule);
    return 1;
}

static int
try_catalog(struct verify *v, struct case_for *c, const char *name,
            struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path =
        v2v_format(err, "%s/" CATALOGS "/%s", v->in->facts->system_root, name);
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    struct v2v_error why;
    int found;

    if (path == NULL)
        return -1;
    found = verify_read(v, path, &data, &why, err);
    return found <= 0 ? found : judge_catalog(c, name, &data, err);
}

static int
list_catalogs(struct verify *v, struct v2v_strings *ret, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *path = v2v_format(err, "%s/" CATALOGS, v->in->facts->system_root);
    struct v2v_error why;

    if (path == NULL)
        return -1;
    if (guest_list(v->in->guest, path, ret, &why) == 0 ||
        why.code == V2V_ERR_NOT_FOUND || why.code == V2V_ERR_GUEST)
        return 0;
    return v2v_fail(err, why.code, "%s", why.text);
}

/* The catalog of the INF, or of the driver's name, then the others that were
 * added to Windows. */
static int
judge_catalogs(struct verify *v, struct case_for *c, const char *inf,
               struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    /* before Windows 8 nothing tells which INF it is */
    const char *first = *inf != '\0' ? inf : c->name;
    char own[64];
    int found;
    size_t tried = 0;

    (void)snprintf(c->listed_why, sizeof c->listed_why,
                   "no oem*.cat in CatRoot lists it");
    (void)snprintf(own, sizeof own, "%.*s.cat", (int)strcspn(first, "."),
                   first);
    if (list_catalogs(v, &names, err) < 0)
        return -1;
    found =
        v2v_strings_has_nocase(&names, own) ? try_catalog(v, c, own, err) : 0;
    for (size_t i = 0;
         found >= 0 && !c->listed && i < names.count && tried < CATALOGS_MAX;
         i++) {
        const char *name = names.items[i];

        if (!v2v_has_prefix_nocase(name, "oem") ||
            !v2v_has_suffix_nocase(name, ".cat") || v2v_equal_nocase(name, own))
            continue;
        tried++;
        found = try_catalog(v, c, name, err);
    }
    return found < 0 ? -1 : 0;
}

static int
judge(struct verify *v, struct case_for *c, const char *inf,
      struct v2v_error *err)
{
    judge_embedded(c);
    return judge_catalogs(v, c, inf, err);
}

static bool
is_accepted(const struct case_for *c)
{
    return c->listed || c->embedded || c->any;
}

/* The links without which it is not known what the boot configuration says.
 * @unknown: even if they are only that; a volume without a partition table is
 * unknown as boot partition, and its boot configuration is read */
static const struct {
    const char *link;
    bool unknown;
} boot_links[] = {
    { "bcd", true },
    { "bcd-default", true },
    { "boot-manager", true },
    { "boot-partition", false },
};

static bool
hides_boot_configuration(const struct verify_link *link)
{
    for (size_t i = 0; i < sizeof boot_links / sizeof *boot_links; i++)
        if (strcmp(link->link, boot_links[i].link) == 0)
            return link->state == VERIFY_BROKEN ||
                   (link->state == VERIFY_UNKNOWN && boot_links[i].unknown);
    return false;
}

/* Why it is not known what the boot configuration says, or NULL. */
static const struct verify_link *
boot_fault(const struct verify *v)
{
    for (size_t i = 0; i < v->result->count; i++)
        if (hides_boot_configuration(&v->result->links[i]))
            return &v->result->links[i];
    return NULL;
}

static int
say(struct verify *v, const struct verify_signature *q,
    const struct case_for *c, struct v2v_error *err)
{
    if (!is_accepted(c))
        return verify_found(v, q->code, q->path, err, "%s; %s", c->embedded_why,
                            c->listed_why);
    if (verify_holds(v, q->link, q->path, err, "%s",
                     c->listed     ? c->listed_why
                     : c->embedded ? c->embedded_why
                                   : "this Windows loads any driver") < 0)
        return -1;
    if (!q->check_catalog)
        return 0;
    return c->listed ? verify_holds(v, "driver-catalog", q->path, err, "%s",
                                    c->listed_why)
                     : verify_found(v, "catalog-missing", q->path, err, "%s",
                                    c->listed_why);
}

int
verify_signature(struct verify *v, const struct verify_signature *q,
                 struct v2v_error *err)
{
    V2V_AUTO(case)
    struct case_for c = { .name = v2v_base_name(q->path),
                          .target = target_of(v) };
    struct v2v_error why;
    int found = verify_read(v, q->path, &c.data, &why, err);

    if (found < 0)
        return -1;
    if (found == 0)
        return verify_unknown(v, q->link, q->path, err, "%s", why.text);
    if (!catalog_is_pe(c.data.data, c.data.len))
        return verify_unknown(v, q->link, q->path, err,
                              "it is no PE image, which has no signature");
    if (judge(v, &c, q->inf, err) < 0)
        return -1;
    if (!is_accepted(&c) && boot_fault(v) != NULL && !c.target.test_signing) {
        c.target.test_signing = true;
        if (judge(v, &c, q->inf, err) < 0)
            return -1;
        if (is_accepted(&c))
            return verify_unknown(v, q->link, q->path, err,
                                  "it is accepted only with test signing, and "
                                  "whether that is on depends on %s",
                                  boot_fault(v)->code != NULL
                                      ? boot_fault(v)->code->name
                                      : boot_fault(v)->link);
    }
    return say(v, q, &c, err);
}
