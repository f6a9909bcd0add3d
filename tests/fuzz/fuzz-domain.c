/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domain XML: whatever is accepted can be rewritten, with and without all that
 * can be added, also to another image unless that is refused; the result is
 * accepted too, and rewriting that changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "domain/domain.h"
#include "domain/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct domain_drivers all = { .viostor = true,
                                           .vioscsi = true,
                                           .netkvm = true,
                                           .balloon = true,
                                           .vioserial = true,
                                           .viorng = true,
                                           .pvpanic = true };

static void
must(bool what)
{
    if (!what)
        abort();
}

/* @first is a rewrite with @options. */
static void
check_again(const struct domain_rewrite *first,
            const struct domain_options *options)
{
    V2V_AUTO(domain) struct domain *domain = NULL;
    V2V_AUTO(domain_rewrite) struct domain_rewrite second = { 0 };
    struct v2v_error err = { 0 };

    must(domain_parse(first->xml.data, first->xml.len, &domain, &err) == 0);
    must(options->moved == NULL ||
         domain_image_count(domain, options->moved->to) == 1);
    must(domain_rewrite(domain, options, &second, &err) == 0);
    must(second.change_count == 0);
    must(second.xml.len == first->xml.len &&
         memcmp(second.xml.data, first->xml.data, first->xml.len) == 0);
}

static void
check_moved(const struct domain *domain, const char *from)
{
    const struct domain_moved_image moved = { from, "/a'&\t\xc3\xa9.qcow2",
                                              "qcow2" };
    const struct domain_options options = { .drivers = all, .moved = &moved };
    V2V_AUTO(domain_rewrite) struct domain_rewrite rewrite = { 0 };
    struct v2v_error err = { 0 };

    if (domain_rewrite(domain, &options, &rewrite, &err) == 0)
        check_again(&rewrite, &options);
    else
        must(err.code == V2V_ERR_USAGE || err.code == V2V_ERR_GUEST);
}

static void
check_rewrite(const struct domain *domain, const uint8_t *data, size_t len,
              const struct domain_options *options)
{
    V2V_AUTO(domain_rewrite) struct domain_rewrite rewrite = { 0 };
    struct v2v_error err = { 0 };

    if (domain_rewrite(domain, options, &rewrite, &err) < 0) {
        must(err.code == V2V_ERR_GUEST); /* too many controllers */
        return;
    }
    must(rewrite.change_count > 0 ||
         (rewrite.xml.len == len && memcmp(rewrite.xml.data, data, len) == 0));
    check_again(&rewrite, options);
}

/* Both buses, nothing and everything added. */
static void
check_rewrites(const struct domain *domain, const uint8_t *data, size_t len)
{
    for (unsigned i = 0; i < 4; i++) {
        struct domain_options options = { .drivers = all,
                                          .virtio_scsi = (i & 1) != 0 };

        for (size_t j = 0; j < DOMAIN_FEATURES; j++)
            options.add[j] = (i & 2) != 0;
        options.nic_queues = (i & 2) != 0 ? 4 : 0;
        check_rewrite(domain, data, len, &options);
    }
}

static void
check_machine(const struct domain *domain, const char *image)
{
    struct domain_machine machine = { 0 };
    struct v2v_error err = { 0 };

    must(domain_machine(domain, image, &machine, &err) == 0);
    must(machine.hard_disks == domain_disk_count(domain));
    must(machine.has_boot_disk == (machine.boot_disk != NULL));
    must(!machine.has_boot_disk || machine.hard_disks > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    V2V_AUTO(domain) struct domain *domain = NULL;
    struct v2v_error err = { 0 };

    if (domain_parse(data, len, &domain, &err) < 0)
        return 0;
    check_rewrites(domain, data, len);
    check_machine(domain, NULL);
    check_machine(domain, "disk.img");
    check_moved(domain, "disk.img"); /* volumes have no path */
    for (size_t i = 0; i < domain_disk_count(domain) && i < 4; i++) {
        const char *source = domain_disk_source(domain, i);
        struct domain_source where;

        must(source == NULL || strlen(source) <= 3 * len);
        must(domain_source(domain, i, &where, &err) < 0 ||
             where.obstacle != NULL || where.path != NULL ||
             (where.pool != NULL && where.volume != NULL));
        if (source != NULL)
            check_moved(domain, source);
    }
    return 0;
}
