/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of verify/: a guest in folders, changed in one place, and audited.
 */
#ifndef V2V_TEST_AUDIT_H
#define V2V_TEST_AUDIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "facts/find.h"
#include "test-tools.h"
#include "tree-guest.h"
#include "verify/internal.h"

/* Everything that is open while a guest is audited. */
struct audit {
    struct guest *guest;
    struct facts facts;
    struct facts_hives hives;
    struct verify_input input;
    struct verify_result result;
    struct verify v;
};

static inline void
audit_done(struct audit *audit)
{
    verify_done(&audit->v);
    verify_result_done(&audit->result);
    facts_hives_done(&audit->hives);
    facts_done(&audit->facts);
    guest_abandon(audit->guest);
}

/* The guest in the folder @name of top. */
static inline void
audit_open(const char *name, struct audit *audit)
{
    static const struct facts_root any = { FACTS_ANY, FACTS_ANY };
    V2V_AUTO(mem) char *dir = v2v_format(NULL, "%s/%s", top, name);
    struct v2v_error err = { 0 };

    *audit = (struct audit){ 0 };
    if (tree_guest_open(dir, &audit->guest, &err) < 0 ||
        facts_load(audit->guest, &any, &audit->hives, &audit->facts, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    audit->input = (struct verify_input){ .guest = audit->guest,
                                          .facts = &audit->facts,
                                          .hives = &audit->hives };
    audit->v = (struct verify){
        .in = &audit->input,
        .system = audit->hives.items[REG_SYSTEM].hive,
        .drivers = audit->hives.items[REG_DRIVERS].hive,
        .result = &audit->result,
    };
}

/* A value of a hive that is a file of top, or its key deleted. */
struct change {
    const char *file; /* below the guest's folder; NULL: there is no change */
    const char *key;
    const char *name; /* NULL: delete the key */
    uint32_t type;    /* REG_DWORD: @number; else @text */
    uint32_t number;
    const char *text;
};

static inline int
make_edit(const struct change *change, struct reg_edits *edits,
          struct v2v_error *err)
{
    const struct reg_place at = { edits, REG_SYSTEM, change->key, "" };
    char *text = (char *)(uintptr_t)change->text;

    if (change->name == NULL)
        return reg_delete(&at, err);
    if (change->type == REG_DWORD)
        return reg_dword(&at, change->name, change->number, err);
    if (change->type == REG_MULTI_SZ)
        return reg_strings(&at, REG_OP_SET, change->name, &text, 1, err);
    return reg_string(&at, change->name, change->type, change->text, err);
}

static inline void
change_hive(const char *guest, const struct change *change)
{
    V2V_AUTO(mem)
    char *path = v2v_format(NULL, "%s/%s/%s", top, guest, change->file);
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    V2V_AUTO(reg_hive) struct reg_hive *hive = NULL;
    V2V_AUTO(reg_edits) struct reg_edits edits = { 0 };
    struct v2v_error err = { 0 };

    if (v2v_file_read(path, 1 << 26, &bytes, &err) < 0 ||
        reg_hive_open(bytes.data, bytes.len, &hive, &err) < 0 ||
        make_edit(change, &edits, &err) < 0 ||
        reg_hive_apply(hive, REG_SYSTEM, &edits, &err) < 0 ||
        reg_hive_save(hive, &bytes, &err) < 0 ||
        v2v_file_replace(path, bytes.data, bytes.len, &err) < 0)
        fail_msg("%s: %s", path, err.text);
}

/* Every link, one a line, for a test that fails. */
static inline void
print_links(const struct verify_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct verify_link *link = &result->links[i];

        print_message("%-8s %-18s %-24s %s: %s\n",
                      verify_state_name(link->state), link->link,
                      link->code != NULL ? link->code->name : "", link->subject,
                      link->text);
    }
}

/* Just this code, in this state, and nothing else wrong; NULL: nothing is. */
static inline void
assert_found(const char *what, const struct verify_result *result,
             const char *code, enum verify_state state)
{
    size_t count = 0;
    bool found = code == NULL;

    for (size_t i = 0; i < result->count; i++) {
        const struct verify_link *link = &result->links[i];

        if (link->code == NULL)
            continue;
        count++;
        found = found ||
                (strcmp(link->code->name, code) == 0 && link->state == state);
    }
    if (found && count == (code == NULL ? 0 : 1))
        return;
    print_links(result);
    fail_msg("%s: not just %s", what, code == NULL ? "sound" : code);
}

#endif
