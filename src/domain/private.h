/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domain/private.h - what struct domain is; private to this folder. */
#ifndef V2V_DOMAIN_PRIVATE_H
#define V2V_DOMAIN_PRIVATE_H

#include "domain/devices.h"

struct domain {
    struct devices devices;
};

#endif
