/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/check.c and codes.c: what is done with findings, whatever they are. */
#include "test-check-tools.h"

static void
test_codes(void **state)
{
    size_t count;
    const struct check_code *codes = check_codes(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct check_code *code = &codes[i];

        assert_ptr_equal(check_find_code(code->name), code); /* unique */
        assert_int_equal(
            strspn(code->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
            strlen(code->name));
        assert_true(strlen(code->advice) > 10);
        assert_int_not_equal(code->advice[strlen(code->advice) - 1], '.');
        if (code->can_allow)
            assert_int_equal(code->severity, CHECK_BLOCKS);
    }
    assert_null(check_find_code("no-such-code"));
    assert_string_equal(check_severity_name(CHECK_WARNS), "warns");
}

/* All that image/ and facts/ refuse by name. */
static void
test_refusals(void **state)
{
    static const char *const names[] = { "no-windows",
                                         "windows-unreadable",
                                         "several-windows",
                                         "bitlocker-locked",
                                         "bitlocker-suspended",
                                         "bitlocker-key-wrong",
                                         "bitlocker-unreadable",
                                         "dynamic-disk",
                                         "storage-spaces",
                                         "refs",
                                         "disk-unreadable",
                                         "hive-missing",
                                         "hive-corrupt",
                                         "folder-redirected",
                                         "unsupported-version",
                                         "unsupported-architecture",
                                         "image-unreadable",
                                         "image-read-only",
                                         "backing-file",
                                         "data-file",
                                         "image-encrypted",
                                         "image-corrupt",
                                         "vhdx-log",
                                         "image-kind",
                                         "image-interrupted" };
    struct v2v_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        V2V_AUTO(check_result) struct check_result result = { 0 };
        struct v2v_error why = { 0 };

        v2v_error_set(&why, V2V_ERR_GUEST, "text\nof %s", names[i]);
        v2v_error_name(&why, names[i]);
        assert_int_equal(check_refusal(&why, &result, &err), 1);
        assert_int_equal(result.count, 1);
        assert_string_equal(result.findings[0].code->name, names[i]);
        assert_int_equal(strncmp(result.findings[0].evidence, "text?of", 7), 0);
        assert_ptr_equal(check_blocker(&result), &result.findings[0]);
        assert_int_equal(result.gap_count, 1);
        assert_non_null(strstr(result.gaps[0].why, names[i]));
    }
}

#define CURRENT "Microsoft\\Windows NT\\CurrentVersion"

/* By which names facts_read() refuses what hives say. */
static void
test_refused_by_facts(void **state)
{
    static const struct {
        const char *finding, *text;
        struct edit edits[MAX_EDITS];
    } cases[] = {
        { "unsupported-architecture",
          "\"IA64\"",
          { TEXT(REG_SYSTEM, CS "Control\\Session Manager\\Environment",
                 "PROCESSOR_ARCHITECTURE", "IA64") } },
        { "unsupported-version",
          "NT 5.0",
          { TEXT(REG_SOFTWARE, CURRENT, "CurrentVersion", "5.0") } },
        { "hive-corrupt",
          "Select\\Current is 7",
          { DWORD(REG_SYSTEM, "Select", "Current", 7) } },
        { "hive-corrupt",
          "are no numbers",
          { TEXT(REG_SOFTWARE, CURRENT, "CurrentBuildNumber", "?") } },
        { "hive-corrupt",
          "of type 0x4",
          { DWORD(REG_SOFTWARE, CURRENT, "CurrentBuildNumber", 2600) } },
    };
    V2V_AUTO(scene) struct scene scene = { 0 };

    (void)state;
    make_tree("guest", "--version winxp");
    scene_load("guest", FACTS_ANY, &scene);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(facts) struct facts facts = { 0 };
        struct v2v_error why = { 0 };

        edit_hives(&scene.hives, cases[i].edits);
        assert_int_equal(facts_read(&scene.hives, &facts, &why), -1);
        assert_string_equal(why.finding, cases[i].finding);
        assert_non_null(strstr(why.text, cases[i].text));
    }
}

/* A value of a hive may have megabytes; a long one is cut at a character. */
static void
test_long_evidence(void **state)
{
    V2V_AUTO(check_result) struct check_result result = { 0 };
    struct check check = { .in = &(struct check_input){ 0 },
                           .result = &result };
    struct v2v_error err = { 0 };
    char text[4000] = "";

    (void)state;
    for (size_t i = 0; i < 900; i++)
        strcat(text, "\xe2\x82\xac"); /* three bytes each */
    ok(check_found(&check, "sysprep", &err, "%s", text), &err);
    assert_int_equal(strlen(result.findings[0].evidence), 999);
}

static void
test_a_failure_is_no_finding(void **state)
{
    V2V_AUTO(check_result) struct check_result result = { 0 };
    struct v2v_error why = { 0 }, err = { 0 };

    (void)state;
    v2v_error_set(&why, V2V_ERR_INTERNAL, "no memory");
    assert_int_equal(check_refusal(&why, &result, &err), 0);
    assert_int_equal(result.count + result.gap_count, 0);
}

/* Runs everything on a guest with a fault of each kind. */
static void
run_all(const struct v2v_strings *allow, struct check_result *ret)
{
    static const struct check_case guest = {
        .what = "many faults",
        .edits = { DWORD(REG_SYSTEM, SERVICES "disk\\StartOverride", "0", 3),
                   DWORD(REG_SYSTEM, SERVICES "PlugPlay", "Start", 4),
                   DWORD(REG_SYSTEM, SERVICES "partmgr", "Start", 4) },
    };
    struct check_input input = { .allow = allow };
    struct v2v_error err = { 0 };
    struct scene scene;

    scene_open(&guest, &scene);
    input.guest = scene.guest;
    input.facts = &scene.facts;
    input.hives = &scene.hives;
    ok(check_run(&input, ret, &err), &err);
    scene_done(&scene);
}

/* No false alarm: every rule on every Windows that mkguest makes. */
static void
test_clean_guests(void **state)
{
    static const char *const versions[] = {
        "winxp", "win7",       "2k8r2",       "win8",       "win81",
        "win10", "win11",      "2k16",        "2k19",       "2k22",
        "2k25",  "win7 --gpt", "win10 --gpt", "2k25 --gpt", "win10 --arch x86"
    };
    struct v2v_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        const struct check_case clean = { .what = versions[i],
                                          .version = versions[i],
                                          .codes = "" };
        V2V_AUTO(check_result) struct check_result result = { 0 };
        struct check_input input = { 0 };
        struct scene scene;

        scene_open(&clean, &scene);
        input.guest = scene.guest;
        input.facts = &scene.facts;
        input.hives = &scene.hives;
        ok(check_run(&input, &result, &err), &err);
        compare(&clean, &result);
        scene_done(&scene);
    }
}

static size_t
place_of(const struct check_result *result, const char *name)
{
    for (size_t i = 0; i < result->count; i++)
        if (strcmp(result->findings[i].code->name, name) == 0)
            return i;
    fail_msg("no %s", name);
    return 0;
}

static void
test_what_blocks_comes_first(void **state)
{
    V2V_AUTO(check_result) struct check_result result = { 0 };

    (void)state;
    run_all(NULL, &result);
    assert_int_equal(result.gap_count, 2); /* no medium, no XML */
    assert_true(place_of(&result, "boot-service-disabled") <
                place_of(&result, "pnp-service-disabled"));
    assert_true(place_of(&result, "pnp-service-disabled") <
                place_of(&result, "start-override"));
    assert_string_equal(check_blocker(&result)->code->name,
                        "boot-service-disabled");
}

static void
test_allowed(void **state)
{
    V2V_AUTO(check_result) struct check_result result = { 0 };
    V2V_AUTO(strings) struct v2v_strings allow = { 0 };

    (void)state;
    assert_int_equal(v2v_strings_add(&allow, "pnp-service-disabled", NULL), 0);
    assert_int_equal(v2v_strings_add(&allow, "boot-service-disabled", NULL), 0);
    run_all(&allow, &result);
    assert_null(check_blocker(&result));
    assert_true(
        result.findings[place_of(&result, "boot-service-disabled")].allowed);
    /* which does not block */
    assert_false(
        result.findings[place_of(&result, "pnp-service-disabled")].allowed);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_refused_by_facts),
        cmocka_unit_test(test_long_evidence),
        cmocka_unit_test(test_a_failure_is_no_finding),
        cmocka_unit_test(test_clean_guests),
        cmocka_unit_test(test_what_blocks_comes_first),
        cmocka_unit_test(test_allowed),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
