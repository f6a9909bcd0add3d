/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/report.h - what a run found, chose and wrote, for people and machines
 */
#ifndef V2V_CLI_REPORT_H
#define V2V_CLI_REPORT_H

#include <jansson.h>

#include "check/check.h"
#include "cli/console.h"
#include "cli/definition.h"
#include "cli/options.h"
#include "domain/domain.h"
#include "drivers/drivers.h"
#include "plan/plan.h"
#include "verify/verify.h"

enum report_status {
    REPORT_FAILED,
    REPORT_PLANNED, /* --dry-run */
    REPORT_DONE,
    REPORT_NOTHING_TO_DO /* the guest had everything already */
};

struct report {
    enum report_status status;
    enum v2v_error_code outcome; /* the exit status of a run that did not fail:
                                  * of "check" and "verify" */
    const struct cli_options *options;
    struct cli_disks disks;        /* of the machine; empty: not known yet */
    struct definition_taken taken; /* --domain */
    const char *backend;  /* "direct", static; NULL: no guest was opened */
    char not_direct[160]; /* why --backend auto did not choose that; or "" */
    struct guest_use libguestfs;
    char format[16]; /* of the image: "qcow2"; "" if unknown */
    struct facts facts;
    struct facts_hives hives;
    struct drivers_choice choice;
    struct check_result check;
    struct verify_result before; /* the boot chain as it was found */
    struct verify_result verify; /* as it is now, or would be */
    struct plan plan;            /* what was due, after apply_pending() */
    struct domain_rewrite rewrite;
    bool has_rewrite;
    struct v2v_bytes virt_install; /* the line for a guest without an XML; empty
                                    * if there can be none */
    bool has_virt_install;
    bool defined;    /* of --domain: it is libvirt's definition now */
    char *undo_file; /* NULL: none was kept */
};

void report_done(struct report *report);

/* Path of the disk that Windows is on, or may be on; NULL: not known yet. */
const char *report_image(const struct report *report);

/* What the machine's XML is called in messages: "vm.xml", "domain win10". */
const char *report_xml_name(const struct report *report);

/* The report for a person, on standard output. */
int report_print(const struct report *report, struct v2v_error *err);

/* The same for the JSON document: a new object (cli/document.h). */
json_t *report_json(const struct report *report);

/* Parts of reports, on standard output or @to.  The Windows, if one was found;
 * the findings of a check, and what was not looked at; what a rewrite changed;
 * the links of the boot chain:
 * @all, or those that do not hold. */
void report_print_guest(const struct report *report);
void report_print_findings(const struct check_result *check);
void report_print_rewrite(FILE *to, const struct domain_rewrite *rewrite);
void report_print_links(const struct verify_result *verify, bool all);

/* "done", "planned", "nothing-to-do", "failed" */
const char *report_status_name(enum report_status status);
/* The same of inject's report; @code: NULL is written. */
const char *report_status(const struct report *report, const char **code);

/* What holds after every injection (StartOverride; see the manual). */
extern const char report_first_boot[];

#endif
