/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * host/host.h - domains that a libvirt manages
 *
 * The only folder that knows libvirt's API.  It reads definitions and defines
 * new ones; it starts, stops and deletes nothing, and knows nothing of what is
 * in an XML (that is domain/).
 *
 * Reference: libvirt's API,
 * https://libvirt.org/html/libvirt-libvirt-domain.html
 */
#ifndef V2V_HOST_HOST_H
#define V2V_HOST_HOST_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

/* A connection. */
struct host;

/**
 * host_connect()
 * @uri: "qemu:///system"; NULL: libvirt's default (LIBVIRT_DEFAULT_URI,
 *       libvirt.conf)
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE, code "libvirt-connect": libvirt cannot
 * be reached, or it is not of this computer, so that the disks are not here.
 */
int host_connect(const char *uri, struct host **ret, struct v2v_error *err);
void host_close(struct host *host);
V2V_AUTO_DEFINE(host, struct host *, host_close)

/* The URI that was connected to, as libvirt says; lives as long as @host. */
const char *host_uri(const struct host *host);

/* A persistent domain that is shut off; all strings new, UTF-8. */
struct host_domain {
    char *name;
    char uuid[37];
    char *xml; /* the inactive definition, with its secrets */
};

/**
 * host_take() - a domain that may be changed now
 * @name: its name or UUID
 *
 * Returns: 0, or -1 with
 * V2V_ERR_USAGE "domain-not-found"
 * V2V_ERR_BUSY  "domain-running": it runs, is paused, or is being shut down
 * V2V_ERR_GUEST "domain-saved": a managed save image would bring the old
 *               hardware and the old content of memory back
 * V2V_ERR_GUEST "domain-snapshots": it has snapshots or checkpoints, whose
 *               definitions and disks would not match any more
 * V2V_ERR_GUEST "domain-transient": it has no persistent definition
 */
int host_take(struct host *host, const char *name, struct host_domain *ret,
              struct v2v_error *err);
void host_domain_done(struct host_domain *domain);

/* The file or device that is volume @volume of the storage pool @pool; new. */
int host_volume_path(struct host *host, const char *pool, const char *volume,
                     char **ret, struct v2v_error *err);

/* Would libvirt take it?  Asks the driver as far as it can be asked without
 * defining. */

/**
 * host_define() - replace the definition of domain @uuid
 *
 * Refuses (V2V_ERR_BUSY "domain-running") one that runs by now, and
 * (V2V_ERR_GUEST "domain-changed") one whose definition is not @expected any
 * more; @expected NULL: whatever it is.
 */
int host_define(struct host *host, const char *uuid, const char *expected,
                const char *xml, struct v2v_error *err);

#endif
