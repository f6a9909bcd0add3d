/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts/legacy.h - what only a Windows before 8 is asked: DevicePath and the
 * certificates it trusts */
#ifndef V2V_FACTS_LEGACY_H
#define V2V_FACTS_LEGACY_H

#include "facts/facts.h"

/* Fills in device_path and roots.  V2V_ERR_FORMAT: the hive is damaged. */
int facts_read_legacy(struct reg_hive *software, struct facts *facts,
                      struct v2v_error *err);

#endif
