/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/machine.h - a machine for a guest that came without an XML
 */
#ifndef V2V_CLI_MACHINE_H
#define V2V_CLI_MACHINE_H

#include "cli/report.h"
#include "cli/session.h"

/**
 * machine_make() - fill in report->rewrite if there is an --output-xml, else
 *                  report->virt_install
 * @wanted: the drivers of the plan, and what the command line adds
 *
 * Firmware: Windows boots from GPT by UEFI, and from MBR by a BIOS.  Source:
 * Microsoft, "Windows and GPT FAQ".
 *
 * Returns: 0, or -1 as domain_new().
 */
int machine_make(const struct session *session, struct report *report,
                 const struct domain_options *wanted, struct v2v_error *err);

#endif
