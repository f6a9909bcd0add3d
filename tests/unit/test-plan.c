/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan/ on facts made here and a package that fixtures/mkiso makes: what the
 * golden files do not show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan/plan-private.h"
#include "plan/plan.h"

#define MEDIUM BINARY_DIR "/tests/medium-plan"

static struct drivers_choice choice; /* viostor */
static struct media *medium;

static int
choose(const struct inf_target *target, struct drivers_choice *ret)
{
    const struct drivers_guest guest = { .target = *target,
                                         .os_label = "Windows" };
    const struct drivers_options options = { .allow_untrusted = true };
    struct v2v_strings names = { 0 };
    struct v2v_error err = { 0 };
    int result;

    assert_int_equal(v2v_strings_add(&names, "viostor", &err), 0);
    result = drivers_choose(&medium, 1, &guest, &names, &options, ret, &err);
    v2v_strings_done(&names);
    if (result < 0)
        print_error("%s\n", err.text);
    return result;
}

static const struct inf_target windows_10 = {
    INF_ARCH_AMD64, 10, 0, 19045, 1, 0
};
static const struct inf_target windows_7 = { INF_ARCH_AMD64, 6, 1, 7601, 1, 0 };

static int
make_medium(void **state)
{
    struct v2v_error err = { 0 };

    (void)state;
    if (system("rm -rf " MEDIUM " && mkdir -p " MEDIUM " && " SOURCE_DIR
               "/fixtures/mkiso -d " MEDIUM) != 0 ||
        media_open(MEDIUM, &medium, &err) < 0)
        return -1;
    return choose(&windows_10, &choice);
}

static int
close_medium(void **state)
{
    (void)state;
    drivers_choice_done(&choice);
    media_close(medium);
    return 0;
}

/* A Windows whose SYSTEM hive has the class of storage drivers. */
static void
make_facts(struct facts *facts, const struct inf_target *target)
{
    struct v2v_error err = { 0 };

    *facts = (struct facts){ .target = *target,
                             .has_driver_database = target->major >= 10,
                             .has_drivers_hive = true };
    facts->system_root = strdup("Windows");
    facts->system_path = strdup("C:\\Windows");
    facts->device_path = strdup("%SystemRoot%\\inf");
    facts->control_sets = calloc(1, sizeof *facts->control_sets);
    facts->control_sets[0].name = strdup("ControlSet001");
    facts->control_set_count = 1;
    assert_int_equal(v2v_strings_add(&facts->system_classes,
                                     "{4d36e97b-e325-11ce-bfc1-08002be10318}",
                                     &err),
                     0);
}

/* A package of ours in the guest, @years older or newer. */
static void
add_package(struct facts *facts, const char *oem_inf, int years)
{
    struct facts_package package = { .hive = REG_SYSTEM, .has_version = true };
    static const int64_t year = INT64_C(315360000000000); /* 365 days */
    uint64_t date;

    plan_version(&choice.items[0], facts->target.arch, package.version);
    date = v2v_get_le(package.version + 0x18, 8);
    v2v_put_le(package.version + 0x18, date + (uint64_t)(years * year), 8);
    package.oem_inf = strdup(oem_inf);
    package.name = strdup(years == 0  ? "viostor.inf_amd64_0000000000000001"
                          : years < 0 ? "viostor.inf_amd64_0000000000000000"
                                      : "viostor.inf_amd64_0000000000000002");
    package.inf_name = strdup("VIOSTOR.INF");
    facts->packages =
        reallocarray(facts->packages, facts->package_count + 1, sizeof package);
    facts->packages[facts->package_count++] = package;
}

static int
make_plan(struct facts *facts, struct plan *plan, struct v2v_error *err)
{
    return plan_make(facts, choice.items, choice.count, 1, plan, err);
}

static const struct reg_edit *
find_edit(const struct plan *plan, const char *key_end, const char *name)
{
    for (size_t i = 0; i < plan->edits.count; i++)
        if (v2v_has_suffix_nocase(plan->edits.items[i].key, key_end) &&
            strcmp(plan->edits.items[i].name, name) == 0)
            return &plan->edits.items[i];
    return NULL;
}

static void
test_lowest_free_number(void **state)
{
    V2V_AUTO(facts) struct facts facts = { 0 };
    V2V_AUTO(plan) struct plan plan = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    make_facts(&facts, &windows_10);
    /* bits for oem0, oem1 and oem3; oem2.inf lies in Windows\INF */
    assert_int_equal(v2v_bytes_add(&facts.oem_inf_map, "\xd0", 1, &err), 0);
    assert_int_equal(v2v_strings_add(&facts.oem_infs, "OEM2.INF", &err), 0);
    assert_int_equal(make_plan(&facts, &plan, &err), 0);
    assert_string_equal(plan.packages[0].oem_inf, "oem4.inf");
    assert_memory_equal(find_edit(&plan, "DriverDatabase", "OemInfMap")->data,
                        "\xd8", 1);
}

static void
test_names_that_are_no_numbers(void **state)
{
    static const struct {
        const char *name;
        int number;
    } cases[] = {
        { "oem0.inf", 0 },       { "OEM42.INF", 42 },
        { "oem.inf", -1 },       { "oemx.inf", -1 },
        { "oem1.cat", -1 },      { "oem1600000000.inf", -1 },
        { "oem-1.inf", -1 },     { "oem99999999999999999999.inf", -1 },
        { "oem9999.inf", 9999 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(facts_oem_number(cases[i].name), cases[i].number);
}

static void
test_same_package_is_completed(void **state)
{
    V2V_AUTO(facts) struct facts facts = { 0 };
    V2V_AUTO(plan) struct plan plan = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    make_facts(&facts, &windows_10);
    add_package(&facts, "oem7.inf", -1);
    add_package(&facts, "oem5.inf", 0);
    assert_int_equal(make_plan(&facts, &plan, &err), 0);
    assert_int_equal(plan.packages[0].presence, PLAN_SAME);
    assert_string_equal(plan.packages[0].oem_inf, "oem5.inf");
    assert_string_equal(plan.packages[0].name,
                        "viostor.inf_amd64_0000000000000001");
    /* what Windows wrote stays; what is missing comes */
    assert_int_equal(find_edit(&plan, "_0000000000000001", "SignerScore")->op,
                     REG_OP_DEFAULT);
    assert_int_equal(find_edit(&plan, "Services\\viostor", "Start")->op,
                     REG_OP_SET);
}

/* The newest decides, wherever it stands in the hive. */
static void
test_newer_boot_driver_is_not_replaced(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        V2V_AUTO(facts) struct facts facts = { 0 };
        V2V_AUTO(plan) struct plan plan = { 0 };
        struct v2v_error err = { 0 };

        make_facts(&facts, &windows_10);
        add_package(&facts, "oem1.inf", order);
        add_package(&facts, "oem2.inf", 1 - order);
        assert_int_equal(make_plan(&facts, &plan, &err), -1);
        assert_int_equal(err.code, V2V_ERR_DRIVER);
        assert_non_null(strstr(err.text, "the guest holds a newer one"));
    }
}

static void
test_older_package_stays_beside(void **state)
{
    V2V_AUTO(facts) struct facts facts = { 0 };
    V2V_AUTO(plan) struct plan plan = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    make_facts(&facts, &windows_10);
    add_package(&facts, "oem0.inf", -1);
    assert_int_equal(v2v_strings_add(&facts.oem_infs, "oem0.inf", &err), 0);
    assert_int_equal(make_plan(&facts, &plan, &err), 0);
    assert_int_equal(plan.packages[0].presence, PLAN_NEW);
    assert_string_equal(plan.packages[0].oem_inf, "oem1.inf");
}

static void
test_only_a_whole_token_is_looked_up(void **state)
{
    (void)state;
    assert_true(plan_is_token("%VirtioSerial.ServiceDesc%"));
    assert_false(plan_is_token("Foo %Medium% bar"));
    assert_false(plan_is_token("%one% %two%"));
    assert_false(plan_is_token("100%% pure"));
    assert_false(plan_is_token("%%"));
    assert_false(plan_is_token(""));
}

static void
test_publisher_is_trusted_only_under_a_known_root(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice old = { 0 };
    const struct catalog_signer *signer;
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(choose(&windows_7, &old), 0);
    signer = &old.items[0].catalog.signer;
    assert_true(signer->chain_count > 0);
    for (size_t roots = 0; roots < 2; roots++) {
        V2V_AUTO(facts) struct facts facts = { 0 };
        V2V_AUTO(plan) struct plan plan = { 0 };
        const struct v2v_bytes *root =
            &signer->chain[signer->chain_count - 1].der;
        const struct reg_edit *edit = NULL;

        make_facts(&facts, &windows_7);
        facts.roots = calloc(1, sizeof *facts.roots);
        facts.root_count = roots;
        if (roots > 0)
            assert_int_equal(
                v2v_bytes_copy(root->data, root->len, &facts.roots[0], &err),
                0);
        assert_int_equal(
            plan_make(&facts, old.items, old.count, 1, &plan, &err), 0);
        for (size_t i = 0; i < plan.edits.count; i++)
            if (strcmp(plan.edits.items[i].name, "Blob") == 0)
                edit = &plan.edits.items[i];
        assert_int_equal(edit != NULL, roots);
        if (edit == NULL)
            continue;
        /* property 3: SHA-1; property 32: the certificate, last */
        assert_int_equal(edit->len, 12 + 20 + 12 + signer->chain[0].der.len);
        assert_memory_equal(edit->data, "\x03\0\0\0\x01\0\0\0\x14\0\0\0", 12);
        assert_memory_equal(edit->data + 12, signer->chain[0].sha1, 20);
        assert_memory_equal(edit->data + 32, "\x20\0\0\0\x01\0\0\0", 8);
        assert_memory_equal(edit->data + 44, signer->chain[0].der.data,
                            signer->chain[0].der.len);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lowest_free_number),
        cmocka_unit_test(test_names_that_are_no_numbers),
        cmocka_unit_test(test_same_package_is_completed),
        cmocka_unit_test(test_newer_boot_driver_is_not_replaced),
        cmocka_unit_test(test_older_package_stays_beside),
        cmocka_unit_test(test_only_a_whole_token_is_looked_up),
        cmocka_unit_test(test_publisher_is_trusted_only_under_a_known_root),
    };

    return cmocka_run_group_tests(tests, make_medium, close_medium);
}
