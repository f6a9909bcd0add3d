/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of check/: a guest made by fixtures/mkguest, edited, and what a
 * table of rules finds in it. */
#ifndef V2V_TEST_CHECK_TOOLS_H
#define V2V_TEST_CHECK_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/internal.h"
#include "facts/find.h"
#include "media/media.h"
#include "test-tools.h"
#include "tree-guest.h"

/* One change of a hive. */
struct edit {
    enum reg_hive_id hive;
    const char *key; /* NULL: the row has no more of them */
    const char *name;
    const char *value; /* "dword:1", "sz:text", "hex:00ff", "list:a|b" of a
                        * MULTI_SZ, "raw:a||" of one with '|' for each NUL and
                        * nothing added but the last, "key": only the key;
                        * NULL: the key is deleted */
};
#define DWORD(hive, key, name, number)                                         \
    {                                                                          \
        hive, key, name, "dword:" #number                                      \
    }
#define TEXT(hive, key, name, text)                                            \
    {                                                                          \
        hive, key, name, "sz:" text                                            \
    }
#define LIST(hive, key, name, text)                                            \
    {                                                                          \
        hive, key, name, "raw:" text                                           \
    }
#define KEY(hive, key)                                                         \
    {                                                                          \
        hive, key, NULL, "key"                                                 \
    }
#define DELETE(hive, key)                                                      \
    {                                                                          \
        hive, key, NULL, NULL                                                  \
    }
#define CS "ControlSet001\\"
#define SERVICES CS "Services\\"

enum { MAX_EDITS = 10, MAX_FOUND = 4 };

/* A finding of a row: its evidence has @evidence somewhere. */
struct expected {
    const char *code; /* NULL: the row has no more of them */
    const char *evidence;
};

/* A change of the hives, and what is found then. */
struct rule_case {
    const char *what;
    struct edit edits[MAX_EDITS];
    struct expected expected[MAX_FOUND]; /* all of them, in order */
};

/* A guest that differs from a clean one, and what is found in it. */
struct check_case {
    const char *what;
    const char *version; /* of mkguest, and its other options; NULL: win10 */
    struct edit edits[MAX_EDITS];
    const char *command;  /* in the volume's folder, for its files; or NULL */
    const char *codes;    /* in the order of severity, blanks between */
    const char *evidence; /* part of the first one's; or NULL */
};

static inline void
ok(int rc, const struct v2v_error *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

/* disk\StartOverride, which mkguest's guests have and no Windows, is taken
 * away. */
static const struct edit no_override[MAX_EDITS] = { DELETE(
    REG_SYSTEM, SERVICES "disk\\StartOverride") };

struct scene {
    struct guest *guest;
    struct facts_hives hives;
    struct facts facts;
};

static inline void
scene_done(struct scene *scene)
{
    guest_abandon(scene->guest);
    facts_hives_done(&scene->hives);
    facts_done(&scene->facts);
    *scene = (struct scene){ 0 };
}

static inline void
v2v_auto_scene(struct scene *scene)
{
    scene_done(scene);
}

/* Of a MULTI_SZ; @end: what closes the list is added. */
static inline int
add_list(const struct reg_place *at, const char *name, const char *text,
         bool end, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };

    if (v2v_utf16_from_utf8(text, &data, err) < 0 ||
        v2v_bytes_add_le(&data, 0, end ? 4 : 2, err) < 0)
        return -1;
    for (size_t i = 0; i + 2 <= data.len; i += 2)
        if (data.data[i] == '|' && data.data[i + 1] == 0)
            data.data[i] = 0;
    return reg_value(at, REG_OP_SET, name, REG_MULTI_SZ, data.data, data.len,
                     err);
}

static inline int
add_hex(const struct reg_place *at, const char *name, const char *hex,
        struct v2v_error *err)
{
    uint8_t data[256];
    size_t len = strlen(hex) / 2;

    assert_true(len <= sizeof data);
    for (size_t i = 0; i < len; i++) {
        const char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' };

        data[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return reg_value(at, REG_OP_SET, name, REG_BINARY, data, len, err);
}

static inline int
add_edit(struct reg_edits *edits, const struct edit *edit,
         struct v2v_error *err)
{
    const struct reg_place at = { edits, edit->hive, edit->key, "test" };
    const char *value = edit->value;

    if (value == NULL)
        return reg_delete(&at, err);
    if (strcmp(value, "key") == 0)
        return reg_key(&at, err);
    if (v2v_has_prefix_nocase(value, "dword:"))
        return reg_dword(&at, edit->name, (uint32_t)strtoul(value + 6, NULL, 0),
                         err);
    if (v2v_has_prefix_nocase(value, "sz:"))
        return reg_string(&at, edit->name, REG_SZ, value + 3, err);
    if (v2v_has_prefix_nocase(value, "hex:"))
        return add_hex(&at, edit->name, value + 4, err);
    if (v2v_has_prefix_nocase(value, "list:"))
        return add_list(&at, edit->name, value + 5, true, err);
    assert_true(v2v_has_prefix_nocase(value, "raw:"));
    return add_list(&at, edit->name, value + 4, false, err);
}

/* What @list says, to the hives as they are. */
static inline void
apply_edits(struct facts_hives *hives, const struct edit *list)
{
    V2V_AUTO(reg_edits) struct reg_edits edits = { 0 };
    struct v2v_error err = { 0 };

    for (size_t i = 0; i < MAX_EDITS && list[i].key != NULL; i++)
        ok(add_edit(&edits, &list[i], &err), &err);
    for (enum reg_hive_id id = 0; id < REG_HIVE_COUNT; id++)
        if (hives->items[id].hive != NULL)
            ok(reg_hive_apply(hives->items[id].hive, id, &edits, &err), &err);
}

/* The hives become what the guest's files hold, with @list made. */
static inline void
edit_hives(struct facts_hives *hives, const struct edit *list)
{
    struct v2v_error err = { 0 };

    for (enum reg_hive_id id = 0; id < REG_HIVE_COUNT; id++) {
        struct facts_hive *h = &hives->items[id];

        if (h->hive == NULL)
            continue;
        reg_hive_close(h->hive);
        h->hive = NULL;
        ok(reg_hive_open(h->file->data, h->file->len, &h->hive, &err), &err);
    }
    apply_edits(hives, no_override);
    apply_edits(hives, list);
}

/* The facts that the edited hives hold, and those of the disks. */
static inline void
read_facts_again(struct scene *scene)
{
    struct facts facts = { 0 };
    const struct facts_root any = { FACTS_ANY, FACTS_ANY };
    struct v2v_error err = { 0 };

    ok(facts_find_windows(scene->guest, &any, &facts, &err), &err);
    facts_done(&scene->facts);
    scene->facts = facts;
    ok(facts_read(&scene->hives, &scene->facts, &err), &err);
}

/* mkguest --tree with @options, in the folder top/@name; made once, and copied
 * from there. */
static inline void
make_tree(const char *name, const char *options)
{
    V2V_AUTO(mem)
    char *command = v2v_format(NULL,
                               "rm -rf %s && made='made%s' && "
                               "{ [ -d \"$made\" ] || " SOURCE_DIR
                               "/fixtures/mkguest --tree %s \"$made\"; } && "
                               "cp -a --sparse=always \"$made\" %s",
                               name, options, options, name);

    if (command == NULL || !run(command))
        fail_msg("mkguest %s", options);
}

/* The tree @name as it is; --root @partition, or FACTS_ANY. */
static inline void
scene_load(const char *name, int partition, struct scene *ret)
{
    V2V_AUTO(mem) char *dir = v2v_format(NULL, "%s/%s", top, name);
    const struct facts_root root = { FACTS_ANY, partition };
    struct v2v_error err = { 0 };

    *ret = (struct scene){ 0 };
    ok(tree_guest_open(dir, &ret->guest, &err), &err);
    ok(facts_load(ret->guest, &root, &ret->hives, &ret->facts, &err), &err);
}

static inline void
scene_open(const struct check_case *c, struct scene *ret)
{
    V2V_AUTO(mem)
    char *options = v2v_format(NULL, "--version %s",
                               c->version != NULL ? c->version : "win10");
    V2V_AUTO(mem)
    char *command = v2v_format(NULL, "cd guest/0-1 && { %s\n}",
                               c->command != NULL ? c->command : ":");

    make_tree("guest", options);
    if (!run(command))
        fail_msg("%s: no guest", c->what);
    scene_load("guest", FACTS_ANY, ret);
    edit_hives(&ret->hives, c->edits);
    read_facts_again(ret);
}

/* Runs one table of rules. */
static inline void
run_rules(const struct check_input *input, const check_rule *rules,
          struct check_result *ret)
{
    struct check check = {
        .in = input,
        .system = input->hives->items[REG_SYSTEM].hive,
        .software = input->hives->items[REG_SOFTWARE].hive,
        .control_set = "ControlSet001",
        .result = ret,
    };
    struct v2v_error err = { 0 };

    for (; *rules != NULL; rules++)
        ok((*rules)(&check, &err), &err);
}

static inline char *
codes_of(const struct check_result *result)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    for (size_t i = 0; i < result->count; i++)
        assert_int_equal(v2v_bytes_printf(&text, NULL, "%s%s", i > 0 ? " " : "",
                                          result->findings[i].code->name),
                         0);
    assert_int_equal(v2v_bytes_add(&text, "", 1, NULL), 0);
    return (char *)v2v_steal(text.data);
}

/* What was found is what the case says. */
static inline void
compare(const struct check_case *c, const struct check_result *result)
{
    V2V_AUTO(mem) char *codes = codes_of(result);

    for (size_t i = 0; i < result->count; i++)
        if (strcmp(codes, c->codes) != 0)
            print_error("%s\n", result->findings[i].evidence);
    if (strcmp(codes, c->codes) != 0)
        fail_msg("%s: found \"%s\", not \"%s\"", c->what, codes, c->codes);
    if (c->evidence != NULL &&
        strstr(result->findings[0].evidence, c->evidence) == NULL)
        fail_msg("%s: \"%s\" is not in \"%s\"", c->what, c->evidence,
                 result->findings[0].evidence);
}

/* Each case with a table of rules, and with a medium's drivers or NULL. */
static inline void
run_cases(const struct check_case *cases, size_t count, const check_rule *rules,
          const struct drivers_choice *choice)
{
    for (size_t i = 0; i < count; i++) {
        V2V_AUTO(check_result) struct check_result result = { 0 };
        struct scene scene;
        struct check_input input = { .choice = choice };

        scene_open(&cases[i], &scene);
        input.guest = scene.guest;
        input.facts = &scene.facts;
        input.hives = &scene.hives;
        run_rules(&input, rules, &result);
        compare(&cases[i], &result);
        scene_done(&scene);
    }
}

static inline void
print_findings(const struct check_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        printf("    %s: %s\n", result->findings[i].code->name,
               result->findings[i].evidence);
}

static inline void
assert_findings(const char *name, const struct check_result *result,
                const struct expected *expected)
{
    size_t count = 0;

    while (count < MAX_FOUND && expected[count].code != NULL)
        count++;
    for (size_t i = 0; i < result->count && i < count; i++)
        if (strcmp(result->findings[i].code->name, expected[i].code) != 0 ||
            strstr(result->findings[i].evidence, expected[i].evidence) ==
                NULL) {
            print_findings(result);
            fail_msg("%s: finding %zu is not %s: %s", name, i, expected[i].code,
                     expected[i].evidence);
        }
    if (result->count != count) {
        print_findings(result);
        fail_msg("%s: %zu findings, not %zu", name, result->count, count);
    }
}

/* Each row, on a fixture guest of its own copy of the hives. */
static inline void
check_rule_cases(struct scene *g, const check_rule *rules,
                 const struct rule_case *cases, size_t count)
{
    const struct check_input input = { .guest = g->guest,
                                       .facts = &g->facts,
                                       .hives = &g->hives };

    for (size_t i = 0; i < count; i++) {
        V2V_AUTO(check_result) struct check_result result = { 0 };

        edit_hives(&g->hives, cases[i].edits);
        run_rules(&input, rules, &result);
        assert_findings(cases[i].what, &result, cases[i].expected);
    }
}

/* The SYSTEM hive of a real Windows; printed is what @rules find in it. */
struct real_case {
    const char *folder;
    const char *codes; /* in order, a space behind each */
};

static inline void
check_real_hive(const struct real_case *c, const char *path,
                const check_rule *rules)
{
    V2V_AUTO(mem)
    char *command = v2v_format(NULL, "xz -dc '%s' > real", path);
    V2V_AUTO(mem) char *unpacked = v2v_format(NULL, "%s/real", top);
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    V2V_AUTO(facts_hives) struct facts_hives hives = { 0 };
    V2V_AUTO(check_result) struct check_result result = { 0 };
    const struct facts facts = { 0 };
    struct v2v_error err = { 0 };
    char codes[1024] = "";

    assert_true(run(command));
    if (v2v_file_read(unpacked, 64 << 20, &bytes, &err) < 0 ||
        reg_hive_open(bytes.data, bytes.len, &hives.items[REG_SYSTEM].hive,
                      &err) < 0)
        fail_msg("%s: %s", c->folder, err.text);
    run_rules(&(struct check_input){ .facts = &facts, .hives = &hives }, rules,
              &result);
    printf("%s:\n", c->folder);
    print_findings(&result);
    for (size_t i = 0; i < result.count; i++)
        snprintf(codes + strlen(codes), sizeof codes - strlen(codes), "%s ",
                 result.findings[i].code->name);
    assert_string_equal(codes, c->codes);
}

static inline void
check_real_hives(const check_rule *rules, const struct real_case *cases,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        V2V_AUTO(mem)
        char *below =
            v2v_format(NULL, "data/hives/%s/SYSTEM.xz", cases[i].folder);
        V2V_AUTO(mem) char *path = shared_path(below);

        if (path == NULL) {
            free(v2v_steal(below)); /* skip() ends no scope */
            skip();
        }
        check_real_hive(&cases[i], path, rules);
    }
}

/* What the medium @path, or one of mkiso's, has for a Windows 10. */
static inline void
choose_from(const char *path, const char *names, bool allow_untrusted,
            bool test_signing, struct drivers_choice *ret)
{
    const struct drivers_guest guest = { .target = { INF_ARCH_AMD64, 10, 0,
                                                     19045, 1, 0 },
                                         .os_label = "Windows 10",
                                         .test_signing = test_signing };
    const struct drivers_options options = { .allow_untrusted =
                                                 allow_untrusted };
    V2V_AUTO(mem) char *copy = strdup(names);
    V2V_AUTO(media) struct media *media = NULL;
    V2V_AUTO(strings) struct v2v_strings list = { 0 };
    struct v2v_error err = { 0 };
    char *rest = copy;

    ok(media_open(path, &media, &err), &err);
    for (char *name; (name = strsep(&rest, ",")) != NULL;)
        ok(v2v_strings_add(&list, name, &err), &err);
    ok(drivers_choose(&media, 1, &guest, &list, &options, ret, &err), &err);
}

static inline void
choose_drivers(const char *names, bool allow_untrusted, bool test_signing,
               struct drivers_choice *ret)
{
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/medium", top);

    assert_true(run("[ -d medium ] || " SOURCE_DIR "/fixtures/mkiso -d "
                    "medium"));
    choose_from(path, names, allow_untrusted, test_signing, ret);
}

/* Skips the program where mkguest has not what it needs. */
static inline int
start(void **state)
{
    V2V_AUTO(mem)
    char *path = v2v_format(NULL, "%s:/usr/sbin:/sbin", getenv("PATH"));

    if (make_top(state) < 0 || path == NULL || setenv("PATH", path, 1) < 0)
        return -1;
    if (!run("{ command -v mkntfs && command -v sfdisk && "
             "command -v openssl; } >/dev/null")) {
        printf("skipped: mkntfs, sfdisk or openssl is missing\n");
        remove_top(state);
        exit(SKIPPED);
    }
    return 0;
}

/* The same, with a Windows 10 in @ret for all tests of the program. */
static inline int
start_with_scene(void **state, struct scene *ret)
{
    if (start(state) < 0)
        return -1;
    make_tree("guest", "");
    scene_load("guest", FACTS_ANY, ret);
    return 0;
}

#endif
