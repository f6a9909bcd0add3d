/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/report.h"

#include <stdio.h>

const char report_first_boot[] =
    "The first boot must be on the new bus: one boot on the old bus lets "
    "Windows switch the unused boot driver off (StartOverride), and the next "
    "boot on virtio stops with INACCESSIBLE_BOOT_DEVICE (0x7B).";

void
report_done(struct report *report)
{
    plan_done(&report->plan); /* refers to the packages of the choice */
    drivers_choice_done(&report->choice);
    check_result_done(&report->check);
    verify_result_done(&report->before);
    verify_result_done(&report->verify);
    facts_hives_done(&report->hives);
    facts_done(&report->facts);
    domain_rewrite_done(&report->rewrite);
    v2v_bytes_done(&report->virt_install);
    definition_taken_done(&report->taken);
    cli_disks_done(&report->disks);
    free(report->undo_file);
}

const char *
report_image(const struct report *report)
{
    return report->disks.count > report->facts.disk
               ? report->disks.items[report->facts.disk].path
               : NULL;
}

const char *
report_xml_name(const struct report *report)
{
    if (report->options->domain_xml != NULL)
        return report->options->domain_xml;
    return report->taken.domain.name != NULL ? report->taken.domain.name
                                             : "the new domain XML";
}

const char *
report_status_name(enum report_status status)
{
    static const char *const names[] = { "failed", "planned", "done",
                                         "nothing-to-do" };

    return names[status];
}

const char *
report_status(const struct report *report, const char **code)
{
    *code = NULL;
    return report_status_name(report->status);
}

void
report_print_guest(const struct report *report)
{
    const struct facts *facts = &report->facts;

    putchar('\n');
    if (report->backend != NULL)
        console_line("Backend:  %s%s%s", report->backend,
                     *report->not_direct != '\0' ? ", not direct: " : "",
                     report->not_direct);
    if (facts->product_name == NULL)
        return;
    console_line("Guest:    %s, build %u, %s, %s (%s, partition %u, %s)",
                 facts->product_name, facts->target.build,
                 inf_arch_name(facts->target.arch),
                 facts_product_type_name(facts), report_image(report),
                 facts->partition, facts->system_path);
}

static void
print_package(const struct plan_package *package)
{
    static const char *const presence[] = {
        [PLAN_NEW] = "new",
        [PLAN_SAME] = "there already",
        [PLAN_NEWER] = "a newer one is there already"
    };
    static const char *const forms[] = {
        [PLAN_CONFIGURED] = "ready at boot",
        [PLAN_STAGED] = "Windows installs it when it meets the device",
        [PLAN_DEVICE_PATH] = "Windows looks for it when it meets the device"
    };
    const struct driver_package *driver = package->driver;
    const struct inf_driver_ver *ver = &driver->version.driver_ver;

    console_line("Driver:   %s %u.%u.%u.%u from %s: %s, %s, %s", driver->driver,
                 ver->version[0], ver->version[1], ver->version[2],
                 ver->version[3], driver->source,
                 *package->oem_inf != '\0' ? package->oem_inf : package->name,
                 presence[package->presence],
                 package->boot ? "boot driver" : forms[package->form]);
    console_line("          %s", driver->why);
    console_line("          %s", driver->verdict_why);
}

void
report_print_rewrite(FILE *to, const struct domain_rewrite *rewrite)
{
    for (size_t i = 0; i < rewrite->change_count; i++)
        console_line_to(to, "XML:      %s: %s", rewrite->changes[i].device,
                        rewrite->changes[i].what);
    if (rewrite->change_count == 0)
        console_line_to(to, "XML:      nothing to change");
    for (size_t i = 0; i < rewrite->warnings.count; i++)
        console_line_to(to, "XML:      note: %s", rewrite->warnings.items[i]);
}

static int
print_plan(const struct report *report, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    if (plan_print(&report->plan, &text, err) < 0)
        return -1;
    putchar('\n');
    fwrite(text.data, 1, text.len, stdout);
    return 0;
}

/* Of any length, and harmless to a terminal: see domain/new.h. */
static void
print_virt_install(const struct v2v_bytes *line, bool on_virtio)
{
    if (line->len == 0) {
        puts("\nvirt-install cannot be told of these images, because of a path "
             "or a format;\n--output-xml writes a domain XML for \"virsh "
             "define\".");
        return;
    }
    printf("\nA machine that boots it%s:\n\n", on_virtio ? " on virtio" : "");
    fwrite(line->data, 1, line->len, stdout);
    putchar('\n');
}

int
report_print(const struct report *report, struct v2v_error *err)
{
    static const char *const verbs[] = { "", "would be ", "", "" };
    bool boots_on_virtio = plan_has_boot_driver(&report->plan);

    report_print_guest(report);
    for (size_t i = 0; i < report->plan.package_count; i++)
        print_package(&report->plan.packages[i]);
    for (size_t i = 0; i < report->choice.missing.count; i++)
        console_line("Missing:  %s: %s", report->choice.missing.items[i],
                     report->choice.missing_why.items[i]);
    if (report->has_rewrite)
        report_print_rewrite(stdout, &report->rewrite);
    report_print_links(&report->verify, false);
    if (report->status == REPORT_PLANNED && print_plan(report, err) < 0)
        return -1;
    if (report->status == REPORT_NOTHING_TO_DO)
        printf("Result:   nothing to do: the guest has all of it already\n");
    else
        printf("Result:   %zu files and %zu registry edits %swritten\n",
               report->plan.file_count, report->plan.edits.count,
               verbs[report->status]);
    if (report->defined)
        console_line("Domain:   %s (%s) has the new definition",
                     report->taken.domain.name, report->taken.uri);
    if (report->undo_file != NULL)
        console_line("Undo:     v2v-virtio undo %s (what it needs is in %s)",
                     report_image(report), report->undo_file);
    if (boots_on_virtio)
        printf("\n%s\n", report_first_boot);
    if (report->has_virt_install)
        print_virt_install(&report->virt_install, boots_on_virtio);
    return 0;
}
