/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <stdio.h>

#include "cli/report.h"

/* jansson's constructors return NULL when memory runs out or a text is not
 * UTF-8, and its containers accept and report that NULL: one check at the end
 * of each object is enough. */

/* WTF-8 from a guest is not UTF-8: an unpaired surrogate is shown as U+FFFD. */
static json_t *
text(const char *s)
{
    json_t *value = s != NULL ? json_string(s) : json_null();

    return value != NULL ? value : json_string("\xef\xbf\xbd");
}

static json_t *
strings(const struct v2v_strings *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, text(list->items[i]));
    return array;
}

static json_t *
guest_json(const struct facts *facts)
{
    json_t *sets;
    char version[64];

    if (facts->system_root == NULL)
        return json_null();
    sets = json_array();
    for (size_t i = 0; i < facts->control_set_count; i++)
        json_array_append_new(sets, text(facts->control_sets[i].name));
    snprintf(version, sizeof version, "%u.%u.%u", facts->target.major,
             facts->target.minor, facts->target.build);
    return json_pack(
        "{s:o, s:s, s:o, s:s, s:s, s:i, s:o, s:o}", "product",
        text(facts->product_name), "version", version, "edition",
        text(facts->edition), "type", facts_product_type_name(facts), "arch",
        inf_arch_name(facts->target.arch), "partition", (int)facts->partition,
        "system_root", text(facts->system_path), "control_sets", sets);
}

static json_t *
package_json(const struct plan_package *package)
{
    static const char *const presence[] = { "new", "same", "newer" };
    const struct driver_package *driver = package->driver;
    const uint16_t *v = driver->version.driver_ver.version;
    char version[32];

    snprintf(version, sizeof version, "%u.%u.%u.%u", v[0], v[1], v[2], v[3]);
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:s, s:s, s:o, s:s, s:b, s:b}",
                     "driver", text(driver->driver), "source",
                     text(driver->source), "why", text(driver->why), "version",
                     version, "signer", text(driver->signer_name), "presence",
                     presence[package->presence], "oem_inf", package->oem_inf,
                     "package", text(package->name), "hive",
                     reg_hive_name(package->hive), "configured",
                     package->configured, "boot", package->boot);
}

static json_t *
packages_json(const struct plan *plan)
{
    json_t *array = json_array();

    for (size_t i = 0; i < plan->package_count; i++)
        json_array_append_new(array, package_json(&plan->packages[i]));
    return array;
}

static json_t *
missing_json(const struct drivers_choice *choice)
{
    json_t *array = json_array();

    for (size_t i = 0; i < choice->missing.count; i++)
        json_array_append_new(array,
                              json_pack("{s:o, s:o}", "driver",
                                        text(choice->missing.items[i]), "why",
                                        text(choice->missing_why.items[i])));
    return array;
}

static json_t *
files_json(const struct plan *plan)
{
    json_t *array = json_array();

    for (size_t i = 0; i < plan->file_count; i++)
        json_array_append_new(array,
                              json_pack("{s:o, s:I, s:s}", "path",
                                        text(plan->files[i].path), "bytes",
                                        (json_int_t)plan->files[i].len, "why",
                                        plan->files[i].why));
    return array;
}

static json_t *
edit_json(const struct reg_edit *edit)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:s}", "hive", reg_hive_name(edit->hive), "op",
        reg_op_name(edit->op), "key", text(edit->key), "why", edit->why);

    if (edit->op == REG_OP_KEY || edit->op == REG_OP_DELETE)
        return object;
    if (reg_data_print(edit->type, edit->data, edit->len, &data, NULL) < 0 ||
        v2v_bytes_add(&data, "", 1, NULL) < 0) {
        json_decref(object);
        return NULL;
    }
    json_object_set_new(object, "name", text(edit->name));
    json_object_set_new(object, "type", json_integer((json_int_t)edit->type));
    json_object_set_new(object, "value", text((const char *)data.data));
    return object;
}

static json_t *
edits_json(const struct reg_edits *edits)
{
    json_t *array = json_array();

    for (size_t i = 0; i < edits->count; i++)
        json_array_append_new(array, edit_json(&edits->items[i]));
    return array;
}

static json_t *
domain_json(const struct report *report)
{
    json_t *changes;

    if (!report->has_rewrite)
        return json_null();
    changes = json_array();
    for (size_t i = 0; i < report->rewrite.change_count; i++) {
        const struct domain_change *change = &report->rewrite.changes[i];

        json_array_append_new(changes, json_pack("{s:o, s:o, s:o}", "device",
                                                 text(change->device), "what",
                                                 text(change->what), "why",
                                                 text(change->why)));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "input",
                     text(report->options->domain_xml), "output",
                     text(report->options->output_xml), "changes", changes,
                     "notes", strings(&report->rewrite.warnings));
}

static json_t *
warnings_json(const struct console *console)
{
    json_t *array = json_array();

    for (size_t i = 0; i < console->warning_count; i++)
        json_array_append_new(array,
                              json_pack("{s:o, s:o}", "code",
                                        text(console->warnings[i].code), "text",
                                        text(console->warnings[i].text)));
    return array;
}

static json_t *
failure_json(const struct v2v_error *failure)
{
    if (failure == NULL)
        return json_null();
    return json_pack("{s:i, s:o}", "exit_status", (int)failure->code, "text",
                     text(failure->text));
}

int
report_print_json(const struct report *report, const struct console *console,
                  const struct v2v_error *failure, struct v2v_error *err)
{
    json_t *document = json_pack(
        "{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:s}",
        "schema", 1, "program", "v2v-virtio " V2V_VERSION, "status",
        report_status_name(report->status), "image",
        text(report->options->image), "format", text(report->format), "error",
        failure_json(failure), "guest", guest_json(&report->facts), "drivers",
        packages_json(&report->plan), "missing", missing_json(&report->choice),
        "files", files_json(&report->plan), "registry",
        edits_json(&report->plan.edits), "domain", domain_json(report),
        "warnings", warnings_json(console), "first_boot", report_first_boot);
    int result = 0;

    if (document == NULL || json_dumpf(document, stdout, JSON_INDENT(2)) < 0 ||
        putchar('\n') == EOF)
        result =
            v2v_fail(err, V2V_ERR_INTERNAL, "cannot write the JSON report");
    json_decref(document);
    return result;
}
