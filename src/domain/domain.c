/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/domain.h"

#include <errno.h>
#include <string.h>

#include "domain/private.h"

static bool
is_one_of(const char *s, const char *const *list)
{
    while (*list != NULL && strcmp(s, *list) != 0)
        list++;
    return *list != NULL;
}

/* What else libvirt and other tools write about a machine. */
static const char *
what_is(const char *root)
{
    static const struct {
        const char *root, *what;
    } roots[] = {
        { "domstatus", ": this is what libvirt notes of a running domain" },
        { "domainsnapshot", ": this is a snapshot of a domain" },
        { "domaincheckpoint", ": this is a checkpoint of a domain" },
        { "Envelope", ": this is an OVF" },
    };

    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (strcmp(root, roots[i].root) == 0)
            return roots[i].what;
    return "";
}

static int
accept_root(const struct xml_doc *doc, struct v2v_error *err)
{
    const struct xml_element *root = &doc->elements[0];

    if (strcmp(root->name, "domain") != 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the root element is <%s>, not <domain>%s; give "
                        "what 'virsh dumpxml --inactive' prints",
                        root->name, what_is(root->name));
    if (root->ns != XML_NS_NONE)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the root element <%s> is in a namespace; libvirt "
                        "does not read such a domain",
                        root->name);
    if (xml_child(doc, 0, "devices") == XML_NONE)
        return v2v_fail(err, V2V_ERR_FORMAT, "the domain has no <devices>");
    return 0;
}

/* Other hypervisors' XML names another machine altogether: making a QEMU
 * domain of it is more than moving devices. */
static int
accept_type(const struct xml_doc *doc, struct v2v_error *err)
{
    static const char *const hypervisors[] = { "kvm", "qemu", NULL };
    const char *type = xml_value(doc, 0, "type");

    if (type == NULL || !is_one_of(type, hypervisors))
        return v2v_refuse(
            err, V2V_ERR_GUEST, "domain-unsupported",
            "domain type '%s' is not kvm or qemu: it needs another "
            "machine, not other devices; virt-v2v makes one",
            type != NULL ? type : "");
    return 0;
}

static int
accept_machine(const struct xml_doc *doc, struct v2v_error *err)
{
    static const char *const arches[] = { "x86_64", "i686", NULL };
    static const char *const without_pci[] = { "isapc", "microvm", "none",
                                               NULL };
    size_t type = xml_child(doc, xml_child(doc, 0, "os"), "type");
    const char *os = type != XML_NONE ? doc->elements[type].text : NULL;
    const char *arch = xml_value(doc, type, "arch");
    const char *machine = xml_value(doc, type, "machine");

    if (os == NULL || strcmp(os, "hvm") != 0)
        return v2v_refuse(err, V2V_ERR_GUEST, "domain-unsupported",
                          "os type '%s' is not hvm", os != NULL ? os : "");
    if (arch != NULL && !is_one_of(arch, arches)) /* absent: the host's */
        return v2v_refuse(err, V2V_ERR_GUEST, "domain-unsupported",
                          "architecture '%s' is not x86_64 or i686", arch);
    if (machine != NULL && is_one_of(machine, without_pci))
        return v2v_refuse(err, V2V_ERR_GUEST, "domain-unsupported",
                          "machine '%s' has no PCI bus for virtio devices",
                          machine);
    return 0;
}

int
domain_parse(const void *xml, size_t len, struct domain **ret,
             struct v2v_error *err)
{
    V2V_AUTO(domain) struct domain *domain = calloc(1, sizeof *domain);
    struct xml_doc doc;

    if (domain == NULL)
        return v2v_fail_errno(err, errno, "domain XML");
    if (xml_parse(xml, len, &doc, err) < 0)
        return v2v_fail_as(err, V2V_ERR_FORMAT, "domain-xml");
    if (accept_root(&doc, err) < 0 || accept_type(&doc, err) < 0 ||
        accept_machine(&doc, err) < 0 ||
        devices_find(&doc, &domain->devices, err) < 0) {
        xml_done(&doc);
        return v2v_fail_as(err, V2V_ERR_FORMAT, "domain-xml");
    }
    *ret = v2v_steal(domain);
    return 0;
}

void
domain_free(struct domain *domain)
{
    if (domain != NULL)
        devices_done(&domain->devices);
    free(domain);
}

const struct v2v_bytes *
domain_text(const struct domain *domain)
{
    return &domain->devices.doc.text;
}

size_t
domain_disk_count(const struct domain *domain)
{
    size_t n = 0;

    for (size_t i = 0; i < domain->devices.disk_count; i++)
        n += devices_is_hard(&domain->devices.disks[i]);
    return n;
}

/* @i < domain_disk_count() */
static const struct disk *
hard_disk(const struct domain *domain, size_t i)
{
    const struct disk *d = domain->devices.disks;

    while (!devices_is_hard(d) || i-- > 0)
        d++;
    return d;
}

const char *
domain_disk_name(const struct domain *domain, size_t i)
{
    return xml_value(&domain->devices.doc, hard_disk(domain, i)->target, "dev");
}

const char *
domain_disk_source(const struct domain *domain, size_t i)
{
    return devices_disk_path(&domain->devices.doc, hard_disk(domain, i));
}

size_t
domain_image_count(const struct domain *domain, const char *path)
{
    const struct disk *first;

    return devices_find_image(&domain->devices, path, &first);
}

/* <firmware><feature enabled='yes' name='secure-boot'/></firmware>: its
 * "enabled", or NULL */
static const char *
secure_boot_feature(const struct xml_doc *doc, size_t os)
{
    size_t firmware = xml_child(doc, os, "firmware");
    size_t feature = xml_child(doc, firmware, "feature");

    while (feature != XML_NONE) {
        const char *name = xml_value(doc, feature, "name");

        if (name != NULL && strcmp(name, "secure-boot") == 0)
            return xml_value(doc, feature, "enabled");
        feature = xml_next(doc, firmware, feature, "feature");
    }
    return NULL;
}

enum domain_secure_boot
domain_secure_boot(const struct domain *domain)
{
    const struct xml_doc *doc = &domain->devices.doc;
    size_t os = xml_child(doc, 0, "os");
    size_t loader = xml_child(doc, os, "loader");
    const char *feature = secure_boot_feature(doc, os);
    const char *secure = xml_value(doc, loader, "secure");
    const char *type = xml_value(doc, loader, "type");
    const char *firmware = xml_value(doc, os, "firmware");

    if (feature != NULL)
        return strcmp(feature, "yes") == 0 ? DOMAIN_SECURE_BOOT_ON
                                           : DOMAIN_SECURE_BOOT_OFF;
    if (secure != NULL && strcmp(secure, "yes") == 0)
        return DOMAIN_SECURE_BOOT_ON;
    if ((firmware != NULL && strcmp(firmware, "efi") == 0) ||
        (type != NULL && strcmp(type, "pflash") == 0))
        return DOMAIN_SECURE_BOOT_UNKNOWN;
    return DOMAIN_SECURE_BOOT_OFF;
}
