/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * host/host.h - domains that a libvirt of this computer manages
 *
 * The only folder that knows libvirt's API.  It reads definitions and defines
 * new ones; it starts, stops and deletes nothing, and knows nothing of what is
 * in an XML (that is domain/).  What libvirt says of a failure is in ours; it
 * prints nothing itself.
 *
 * Source: libvirt's API,
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
 * host_connect() - to a QEMU/KVM driver of libvirt on this computer
 * @uri: "qemu:///system"; NULL: libvirt's default (LIBVIRT_DEFAULT_URI,
 *       libvirt.conf)
 *
 * Asks for no password: who is to be asked for one is refused.
 *
 * Returns: 0, or -1 with V2V_ERR_USAGE, "libvirt-connect": libvirt cannot be
 * reached; it is of another computer, so that the disks are not here; or it is
 * another hypervisor's.
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
    char *xml; /* the definition for the next start, with its secrets */
};

/**
 * host_take() - a domain that may be changed now
 * @name: its name, or its UUID
 * @ret:  written only on success; host_domain_done()
 *
 * Returns: 0, or -1 with
 * V2V_ERR_USAGE "domain-not-found"
 * V2V_ERR_GUEST "domain-transient": it has no persistent definition
 * V2V_ERR_BUSY  "domain-running": it runs, is paused, or is being shut down
 * V2V_ERR_GUEST "domain-saved": a managed save image would bring the old
 *               hardware and the old content of memory back
 * V2V_ERR_GUEST "domain-snapshots": it has snapshots or checkpoints, whose
 *               definitions and disks would not match any more
 * V2V_ERR_INTERNAL: libvirt fails
 */
int host_take(struct host *host, const char *name, struct host_domain *ret,
              struct v2v_error *err);
void host_domain_done(struct host_domain *domain);

static inline void
v2v_auto_host_domain(struct host_domain *domain)
{
    host_domain_done(domain);
}

/* The file or device that is volume @volume of the storage pool @pool; new.
 * V2V_ERR_USAGE "volume-not-found": there is none, its pool is not active, or
 * it is neither a file nor a device. */
int host_volume_path(struct host *host, const char *pool, const char *volume,
                     char **ret, struct v2v_error *err);

/**
 * host_accepts() - would libvirt take it?
 * @old: a definition that it has; @new: what would replace it
 *
 * Only a definition goes through all of the driver's checks.  But the driver
 * can say which QEMU it would start, after most of them.  Where it cannot say
 * that of @old (a network that is switched off), nothing is learnt from @new.
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST "domain-refused": it says it of @old
 * and not of @new.
 *
 * Source: qemuConnectDomainXMLToNative() in libvirt's src/qemu/qemu_driver.c
 */
int host_accepts(struct host *host, const char *old, const char *new,
                 struct v2v_error *err);

/**
 * host_define() - replace the definition of a domain
 * @uuid: of the domain, which is to be in @xml, too
 * @old:  its definition as host_take() gave it; NULL: not known
 * @ret:  new: the definition as host_take() would give it now
 *
 * A definition that is not @old any more is left alone; when it describes the
 * machine of @xml (it was defined before, and nobody noticed), that is fine.
 *
 * Returns: 0, or -1 with what host_take() has;
 * V2V_ERR_GUEST "domain-changed": somebody has edited the definition
 * V2V_ERR_GUEST "domain-refused": libvirt does not take it, and says why
 */
int host_define(struct host *host, const char *uuid, const char *old,
                const char *xml, char **ret, struct v2v_error *err);

#endif
