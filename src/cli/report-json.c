/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/json.h"
#include "cli/report.h"

static json_t *
package_json(const struct plan_package *package)
{
    const struct driver_package *driver = package->driver;

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:s, s:b}",
                     "driver", json_text(driver->driver), "source",
                     json_text(driver->source), "why", json_text(driver->why),
                     "version", json_version(&driver->version.driver_ver),
                     "signer", json_text(driver->catalog.signer.name),
                     "presence", plan_presence_name(package->presence),
                     "oem_inf", package->oem_inf, "package",
                     json_text(package->name), "hive",
                     reg_hive_name(package->hive), "form",
                     plan_form_name(package->form), "boot", package->boot);
}

static json_t *
packages_json(const struct plan *plan)
{
    json_t *array = json_array();

    for (size_t i = 0; i < plan->package_count; i++)
        json_add(array, package_json(&plan->packages[i]));
    return array;
}

static json_t *
missing_json(const struct drivers_choice *choice)
{
    json_t *array = json_array();

    for (size_t i = 0; i < choice->missing.count; i++)
        json_add(array, json_pack("{s:o, s:o}", "driver",
                                  json_text(choice->missing.items[i]), "why",
                                  json_text(choice->missing_why.items[i])));
    return array;
}

static json_t *
files_json(const struct plan *plan)
{
    json_t *array = json_array();

    for (size_t i = 0; i < plan->file_count; i++)
        json_add(array, json_pack("{s:o, s:I, s:s}", "path",
                                  json_text(plan->files[i].path), "bytes",
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
        reg_op_name(edit->op), "key", json_text(edit->key), "why", edit->why);

    if (edit->op == REG_OP_KEY || edit->op == REG_OP_DELETE)
        return object;
    if (reg_data_print(edit->type, edit->data, edit->len, &data, NULL) < 0 ||
        v2v_bytes_add(&data, "", 1, NULL) < 0) {
        json_decref(object);
        return NULL;
    }
    json_object_set_new(object, "name", json_text(edit->name));
    json_object_set_new(object, "type", json_integer((json_int_t)edit->type));
    json_object_set_new(object, "value", json_text((const char *)data.data));
    return object;
}

static json_t *
edits_json(const struct reg_edits *edits)
{
    json_t *array = json_array();

    for (size_t i = 0; i < edits->count; i++)
        json_add(array, edit_json(&edits->items[i]));
    return array;
}

static json_t *
libvirt_json(const struct report *report)
{
    const struct host_domain *domain = &report->taken.domain;

    if (domain->name == NULL)
        return json_null();
    return json_pack("{s:o, s:s, s:o, s:b}", "name", json_text(domain->name),
                     "uuid", domain->uuid, "uri", json_text(report->taken.uri),
                     "defined", report->defined);
}

static json_t *
domain_json(const struct report *report)
{
    json_t *json;

    if (!report->has_rewrite)
        return json_null();
    json = json_rewrite(&report->rewrite, report->options->domain_xml,
                        report->options->output_xml);
    if (json != NULL)
        json_object_set_new(json, "libvirt", libvirt_json(report));
    return json;
}

static json_t *
virt_install_json(const struct report *report)
{
    const struct v2v_bytes *line = &report->virt_install;

    return line->len > 0 ? json_stringn((const char *)line->data, line->len)
                         : json_null();
}

json_t *
report_json(const struct report *report)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:s}",
        "image", json_text(report_image(report)), "output",
        json_text(report->options->output), "undo_file",
        json_text(report->undo_file), "format", json_text(report->format),
        "backend",
        json_backend(report->backend, report->not_direct, &report->libguestfs),
        "guest", json_guest(&report->facts), "drivers",
        packages_json(&report->plan), "missing", missing_json(&report->choice),
        "files", files_json(&report->plan), "registry",
        edits_json(&report->plan.edits), "domain", domain_json(report),
        "virt_install", virt_install_json(report), "findings",
        json_findings(&report->check), "not_checked", json_gaps(&report->check),
        "boot_chain", json_links(&report->verify), "first_boot",
        report_first_boot);
}
