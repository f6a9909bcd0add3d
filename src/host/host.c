/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/host.h"

#include <errno.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/text.h"

struct host {
    virConnectPtr connection;
    char *uri;
};

#define AUTO(fn) __attribute__((cleanup(fn)))

static void
free_domain(virDomainPtr *domain)
{
    if (*domain != NULL)
        virDomainFree(*domain);
}

static void
free_pool(virStoragePoolPtr *pool)
{
    if (*pool != NULL)
        virStoragePoolFree(*pool);
}

static void
free_volume(virStorageVolPtr *volume)
{
    if (*volume != NULL)
        virStorageVolFree(*volume);
}

/* Connection ------------------------------------------------------------- */

/* libvirt would print each error to standard error. */
static void
say_nothing(void *opaque, virErrorPtr error)
{
    (void)opaque;
    (void)error;
}

/* What stands between "://" and the next '/', as in qemu+ssh://host/system, is
 * another computer; a local URI has nothing there.
 * Source: libvirt "Connection URIs", https://libvirt.org/uri.html */
static bool
is_remote(const char *uri)
{
    const char *server = strstr(uri, "://");

    return server != NULL && server[3] != '/' && server[3] != '\0';
}

static int
refuse_remote(const char *uri, struct v2v_error *err)
{
    return v2v_refuse(err, V2V_ERR_USAGE, "libvirt-connect",
                      "%s is the libvirt of another computer: its disks are "
                      "not here; run this program there",
                      uri);
}

static int
open_connection(const char *uri, struct host *host, struct v2v_error *err)
{
    V2V_AUTO(mem) char *said = NULL;

    if (virInitialize() < 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "libvirt does not start");
    virSetErrorFunc(NULL, say_nothing);
    host->connection = virConnectOpen(uri);
    if (host->connection == NULL)
        return v2v_refuse(err, V2V_ERR_USAGE, "libvirt-connect",
                          "cannot connect to libvirt%s%s: %s: is it running, "
                          "and is it the right one (--connect)?",
                          uri != NULL ? " at " : "", uri != NULL ? uri : "",
                          virGetLastErrorMessage());
    said = virConnectGetURI(host->connection);
    host->uri = v2v_strdup(said != NULL ? said : "", err);
    return host->uri == NULL ? -1 : 0;
}

static int
check_connection(const struct host *host, struct v2v_error *err)
{
    const char *type = virConnectGetType(host->connection);

    if (is_remote(host->uri))
        return refuse_remote(host->uri, err);
    if (type == NULL || strcmp(type, "QEMU") != 0)
        return v2v_refuse(err, V2V_ERR_USAGE, "libvirt-connect",
                          "%s is libvirt's driver for %s; virtio devices are "
                          "QEMU's: say which libvirt with --connect, as "
                          "qemu:///system",
                          host->uri, type != NULL ? type : "something else");
    return 0;
}

int
host_connect(const char *uri, struct host **ret, struct v2v_error *err)
{
    V2V_AUTO(host) struct host *host = calloc(1, sizeof *host);

    if (host == NULL)
        return v2v_fail_errno(err, errno, "libvirt");
    if (uri != NULL && is_remote(uri)) /* before it asks for a password */
        return refuse_remote(uri, err);
    if (open_connection(uri, host, err) < 0 || check_connection(host, err) < 0)
        return -1;
    *ret = v2v_steal(host);
    return 0;
}

void
host_close(struct host *host)
{
    if (host == NULL)
        return;
    if (host->connection != NULL)
        virConnectClose(host->connection);
    free(host->uri);
    free(host);
}

const char *
host_uri(const struct host *host)
{
    return host->uri;
}

/* Domains ---------------------------------------------------------------- */

static int
fail_of(const char *name, struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_INTERNAL, "domain %s: libvirt: %s", name,
                    virGetLastErrorMessage());
}

/* As virsh does: who gives a UUID means that, whatever names there are. */
static int
find_domain(struct host *host, const char *name, virDomainPtr *ret,
            struct v2v_error *err)
{
    *ret = virDomainLookupByUUIDString(host->connection, name);
    if (*ret == NULL) /* VIR_ERR_INVALID_ARG: no UUID */
        *ret = virDomainLookupByName(host->connection, name);
    if (*ret != NULL)
        return 0;
    if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
        return fail_of(name, err);
    return v2v_refuse(err, V2V_ERR_USAGE, "domain-not-found",
                      "%s has no domain %s: \"virsh -c %s list --all\" shows "
                      "them",
                      host->uri, name, host->uri);
}

/* Checkpoints are younger than snapshots: an old driver has none. */
static int
count_checkpoints(virDomainPtr domain)
{
    int count = virDomainListAllCheckpoints(domain, NULL, 0);

    return count < 0 && virGetLastErrorCode() == VIR_ERR_NO_SUPPORT ? 0 : count;
}

static int
check_state(virDomainPtr domain, struct v2v_error *err)
{
    const char *name = virDomainGetName(domain);
    int persistent = virDomainIsPersistent(domain);
    int active = virDomainIsActive(domain);
    int saved = virDomainHasManagedSaveImage(domain, 0);
    int snapshots = virDomainSnapshotNum(domain, 0);
    int checkpoints = count_checkpoints(domain);

    if (persistent < 0 || active < 0 || saved < 0 || snapshots < 0 ||
        checkpoints < 0)
        return fail_of(name, err);
    if (!persistent)
        return v2v_refuse(err, V2V_ERR_GUEST, "domain-transient",
                          "domain %s is transient: libvirt forgets it when it "
                          "ends, and there is no definition to be changed; "
                          "define it first, or give image and --domain-xml",
                          name);
    if (active)
        return v2v_refuse(err, V2V_ERR_BUSY, "domain-running",
                          "domain %s is running or paused: shut Windows down "
                          "and try again",
                          name);
    if (saved)
        return v2v_refuse(err, V2V_ERR_GUEST, "domain-saved",
                          "domain %s is saved: its next start would go on with "
                          "the old devices; start it and shut Windows down, or "
                          "give up what was saved (virsh managedsave-remove)",
                          name);
    if (snapshots > 0 || checkpoints > 0)
        return v2v_refuse(err, V2V_ERR_GUEST, "domain-snapshots",
                          "domain %s has %d snapshots and %d checkpoints, of "
                          "the old devices and the old disks: delete them, or "
                          "work on a clone",
                          name, snapshots, checkpoints);
    return 0;
}

static char *
definition_of(virDomainPtr domain, struct v2v_error *err)
{
    char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE |
                                                VIR_DOMAIN_XML_SECURE);

    if (xml == NULL)
        fail_of(virDomainGetName(domain), err);
    return xml;
}

static int
describe(virDomainPtr domain, struct host_domain *ret, struct v2v_error *err)
{
    if (virDomainGetUUIDString(domain, ret->uuid) < 0)
        return fail_of(virDomainGetName(domain), err);
    ret->name = v2v_strdup(virDomainGetName(domain), err);
    ret->xml = definition_of(domain, err);
    return ret->name == NULL || ret->xml == NULL ? -1 : 0;
}

int
host_take(struct host *host, const char *name, struct host_domain *ret,
          struct v2v_error *err)
{
    V2V_AUTO(host_domain) struct host_domain taken = { 0 };
    AUTO(free_domain) virDomainPtr domain = NULL;

    if (find_domain(host, name, &domain, err) < 0 ||
        check_state(domain, err) < 0 || describe(domain, &taken, err) < 0)
        return -1;
    *ret = taken;
    taken = (struct host_domain){ 0 };
    return 0;
}

void
host_domain_done(struct host_domain *domain)
{
    free(domain->name);
    free(domain->xml);
    *domain = (struct host_domain){ 0 };
}

/* Volumes ---------------------------------------------------------------- */

static char *
path_of(virStorageVolPtr volume)
{
    virStorageVolInfo info;

    if (volume == NULL || virStorageVolGetInfo(volume, &info) < 0)
        return NULL;
    if (info.type != VIR_STORAGE_VOL_FILE && info.type != VIR_STORAGE_VOL_BLOCK)
        return NULL;
    return virStorageVolGetPath(volume);
}

int
host_volume_path(struct host *host, const char *pool, const char *volume,
                 char **ret, struct v2v_error *err)
{
    AUTO(free_pool) virStoragePoolPtr from = NULL;
    AUTO(free_volume) virStorageVolPtr found = NULL;

    virResetLastError();
    from = virStoragePoolLookupByName(host->connection, pool);
    if (from != NULL)
        found = virStorageVolLookupByName(from, volume);
    *ret = path_of(found);
    if (*ret != NULL)
        return 0;
    return v2v_refuse(err, V2V_ERR_USAGE, "volume-not-found",
                      "volume %s of the storage pool %s: %s", volume, pool,
                      virGetLastErrorCode() == VIR_ERR_OK
                          ? "neither a file nor a device"
                          : virGetLastErrorMessage());
}

/* Definitions ------------------------------------------------------------ */

/* The QEMU that libvirt would start, or NULL.  The format's name: virsh(1),
 * domxml-to-native. */
static char *
native(struct host *host, const char *xml)
{
    return virConnectDomainXMLToNative(host->connection, "qemu-argv", xml, 0);
}

int
host_accepts(struct host *host, const char *old, const char *new,
             struct v2v_error *err)
{
    V2V_AUTO(mem) char *before = native(host, old);
    V2V_AUTO(mem) char *after = native(host, new);

    if (before == NULL || after != NULL)
        return 0;
    return v2v_refuse(err, V2V_ERR_GUEST, "domain-refused",
                      "libvirt would not take the new definition: %s",
                      virGetLastErrorMessage());
}

static bool
is_same_machine(struct host *host, const char *a, const char *b)
{
    V2V_AUTO(mem) char *first = native(host, a);
    V2V_AUTO(mem) char *second = native(host, b);

    return first != NULL && second != NULL && strcmp(first, second) == 0;
}

/* The schema is libvirt's own, and yet there are definitions that libvirt
 * takes and dumps and that do not fit it. */
static int
define(struct host *host, const char *xml, struct v2v_error *err)
{
    AUTO(free_domain)
    virDomainPtr domain = virDomainDefineXMLFlags(host->connection, xml,
                                                  VIR_DOMAIN_DEFINE_VALIDATE);

    if (domain == NULL && virGetLastErrorCode() == VIR_ERR_XML_INVALID_SCHEMA)
        domain = virDomainDefineXMLFlags(host->connection, xml, 0);
    if (domain != NULL)
        return 0;
    return v2v_refuse(err, V2V_ERR_GUEST, "domain-refused",
                      "libvirt does not take the definition: %s",
                      virGetLastErrorMessage());
}

int
host_define(struct host *host, const char *uuid, const char *old,
            const char *xml, char **ret, struct v2v_error *err)
{
    V2V_AUTO(host_domain) struct host_domain now = { 0 };
    V2V_AUTO(host_domain) struct host_domain after = { 0 };

    if (host_take(host, uuid, &now, err) < 0)
        return -1;
    if (old == NULL || strcmp(now.xml, old) != 0) {
        if (!is_same_machine(host, now.xml, xml))
            return v2v_refuse(err, V2V_ERR_GUEST, "domain-changed",
                              "the definition of domain %s was edited "
                              "meanwhile, and is left alone",
                              now.name);
        *ret = v2v_steal(now.xml);
        return 0;
    }
    if (define(host, xml, err) < 0 || host_take(host, uuid, &after, err) < 0)
        return -1;
    *ret = v2v_steal(after.xml);
    return 0;
}
