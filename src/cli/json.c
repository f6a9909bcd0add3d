/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/json.h"

#include <stdio.h>

#include "cli/codes.h"

/* Set when an array lacks a value. */
static bool incomplete;

void
json_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        incomplete = true;
}

json_t *
json_text(const char *s)
{
    json_t *value = s != NULL ? json_string(s) : json_null();

    return value != NULL ? value : json_string("\xef\xbf\xbd");
}

json_t *
json_strings(const struct v2v_strings *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_add(array, json_text(list->items[i]));
    return array;
}

json_t *
json_disks(const struct cli_disks *disks)
{
    json_t *array = json_array();

    for (size_t i = 0; i < disks->count; i++)
        json_add(array, json_text(disks->items[i].path));
    return array;
}

json_t *
json_version(const struct inf_driver_ver *ver)
{
    const uint16_t *v = ver->version;

    return json_sprintf("%u.%u.%u.%u", v[0], v[1], v[2], v[3]);
}

json_t *
json_backend(const char *name, const char *not_direct,
             const struct guest_use *libguestfs)
{
    if (name == NULL)
        return json_null();
    return json_pack("{s:s, s:o, s:i, s:i}", "name", name, "not_direct",
                     json_text(*not_direct != '\0' ? not_direct : NULL),
                     "launches", (int)libguestfs->launches, "calls",
                     (int)libguestfs->calls);
}

json_t *
json_guest(const struct facts *facts)
{
    json_t *sets;

    if (facts->system_root == NULL)
        return json_null();
    sets = json_array();
    for (size_t i = 0; i < facts->control_set_count; i++)
        json_add(sets, json_text(facts->control_sets[i].name));
    return json_pack("{s:o, s:o, s:o, s:s, s:s, s:i, s:i, s:o, s:o}", "product",
                     json_text(facts->product_name), "version",
                     json_sprintf("%u.%u.%u", facts->target.major,
                                  facts->target.minor, facts->target.build),
                     "edition", json_text(facts->edition), "type",
                     facts_product_type_name(facts), "arch",
                     inf_arch_name(facts->target.arch), "disk",
                     (int)facts->disk + 1, "partition", (int)facts->partition,
                     "system_root", json_text(facts->system_path),
                     "control_sets", sets);
}

json_t *
json_findings(const struct check_result *check)
{
    json_t *array = json_array();

    for (size_t i = 0; i < check->count; i++) {
        const struct check_finding *finding = &check->findings[i];

        json_add(array, json_pack("{s:s, s:s, s:o, s:s, s:b, s:b}", "code",
                                  finding->code->name, "severity",
                                  check_severity_name(finding->code->severity),
                                  "evidence", json_text(finding->evidence),
                                  "advice", finding->code->advice, "can_allow",
                                  finding->code->can_allow, "allowed",
                                  finding->allowed));
    }
    return array;
}

json_t *
json_gaps(const struct check_result *check)
{
    json_t *array = json_array();

    for (size_t i = 0; i < check->gap_count; i++)
        json_add(array,
                 json_pack("{s:o, s:o}", "what", json_text(check->gaps[i].what),
                           "why", json_text(check->gaps[i].why)));
    return array;
}

json_t *
json_links(const struct verify_result *verify)
{
    json_t *array = json_array();

    for (size_t i = 0; i < verify->count; i++) {
        const struct verify_link *link = &verify->links[i];
        const struct verify_code *code = link->code;

        json_add(array,
                 json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "link", link->link,
                           "state", verify_state_name(link->state), "code",
                           json_text(code != NULL ? code->name : NULL),
                           "subject", json_text(link->subject), "text",
                           json_text(link->text), "advice",
                           json_text(code != NULL ? code->advice : NULL)));
    }
    return array;
}

json_t *
json_rewrite(const struct domain_rewrite *rewrite, const char *input,
             const char *output)
{
    json_t *changes = json_array();

    for (size_t i = 0; i < rewrite->change_count; i++) {
        const struct domain_change *change = &rewrite->changes[i];

        json_add(changes, json_pack("{s:o, s:o, s:o}", "device",
                                    json_text(change->device), "what",
                                    json_text(change->what), "why",
                                    json_text(change->why)));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "input", json_text(input),
                     "output", json_text(output), "changes", changes, "notes",
                     json_strings(&rewrite->warnings));
}

json_t *
json_warnings(const struct console *console)
{
    json_t *array = json_array();

    for (size_t i = 0; i < console->warning_count; i++)
        json_add(array, json_pack("{s:o, s:o}", "code",
                                  json_text(console->warnings[i].code), "text",
                                  json_text(console->warnings[i].text)));
    return array;
}

json_t *
json_failure(const struct v2v_error *failure)
{
    if (failure == NULL)
        return json_null();
    return json_pack("{s:s, s:i, s:o, s:s}", "code", code_of(failure),
                     "exit_status", (int)failure->code, "text",
                     json_text(failure->text), "advice", code_advice(failure));
}

int
json_print(json_t *document, struct v2v_error *err)
{
    bool whole = !incomplete && document != NULL &&
                 (json_dumpf(document, stdout,
                             JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 ||
                  ferror(stdout)); /* main() tells that */

    putchar('\n');
    json_decref(document);
    return whole ? 0
                 : v2v_fail(err, V2V_ERR_INTERNAL,
                            "cannot make the JSON document: no memory");
}
