/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/domain.h"

#include <string.h>

#include "domain/add.h"
#include "domain/moves.h"
#include "domain/private.h"

/* An absent one is not added: libvirt does so itself, and refuses two. */
static int
plan_balloons(struct plan *plan)
{
    static const struct shown label = { "memballoon" };

    for (size_t i = 0; i < plan->devices->balloon_count; i++) {
        size_t balloon = plan->devices->balloons[i];
        const char *model = xml_value(plan->doc, balloon, "model");

        if (!plan->drivers->balloon || model == NULL ||
            strcmp(model, "none") != 0)
            continue;
        if (rewrite_set_attr(plan, balloon, "model", "virtio") < 0 ||
            rewrite_note(plan, &label, "balloon was injected",
                         "model none -> virtio") < 0)
            return -1;
    }
    return 0;
}

/* QEMU's names of emulated disks, and libvirt's ids such as ide0-0-0. */
static bool
names_emulated_disk(const char *word)
{
    static const char *const models[] = { "ide-hd", "ide-drive", "scsi-hd",
                                          "scsi-disk" };
    static const char *const buses[] = { "ide", "sata", "scsi" };

    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (strcmp(word, models[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof buses / sizeof *buses; i++) {
        size_t n = strlen(buses[i]), digits;

        if (strncmp(word, buses[i], n) != 0)
            continue;
        digits = strspn(word + n, "0123456789");
        if (digits > 0 && word[n + digits] == '-')
            return true;
    }
    return false;
}

/* Is there such a word in @text?  Long words are none. */
static bool
find_word(const char *text, bool (*is_word)(const char *), struct shown *ret)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    for (;;) {
        struct shown word = { "" };
        size_t n;

        text += strcspn(text, letters);
        n = strspn(text, letters);
        if (n == 0)
            return false;
        if (n < sizeof word.text) {
            memcpy(word.text, text, n);
            if (is_word(word.text)) {
                *ret = word;
                return true;
            }
        }
        text += n;
    }
}

/* The first such word in the values of <qemu:arg value=> in
 * <qemu:commandline>, or of <qemu:device alias=> in <qemu:override>. */
static bool
find_qemu_word(const struct xml_doc *doc, size_t element,
               bool (*is_word)(const char *), struct shown *ret)
{
    size_t child = xml_next(doc, element, XML_NONE, NULL);

    for (; child != XML_NONE; child = xml_next(doc, element, child, NULL)) {
        const char *value = xml_value(doc, child, "value");
        const char *alias = xml_value(doc, child, "alias");

        if ((value != NULL && find_word(value, is_word, ret)) ||
            (alias != NULL && find_word(alias, is_word, ret)))
            return true;
    }
    return false;
}

static int
warn_of_qemu_element(struct plan *plan, size_t element)
{
    const char *name = plan->doc->elements[element].name;
    struct shown word;

    if (plan->disk_moved &&
        find_qemu_word(plan->doc, element, names_emulated_disk, &word) &&
        rewrite_warn(
            plan,
            "<qemu:%s> names '%s', which may be gone now: QEMU would not "
            "start; edit it by hand",
            rewrite_show(name).text, word.text) < 0)
        return -1;
    if (plan->drivers->netkvm &&
        find_qemu_word(plan->doc, element, rewrite_is_emulated_nic, &word))
        return rewrite_warn(plan,
                            "<qemu:%s> names '%s': network cards there are not "
                            "rewritten; edit it by hand",
                            rewrite_show(name).text, word.text);
    return 0;
}

static int
warn_of_qemu(struct plan *plan)
{
    const struct xml_doc *doc = plan->doc;
    size_t element = xml_next(doc, 0, XML_NONE, NULL);

    for (; element != XML_NONE; element = xml_next(doc, 0, element, NULL))
        if (doc->elements[element].ns == XML_NS_QEMU &&
            warn_of_qemu_element(plan, element) < 0)
            return -1;
    return 0;
}

static int
move_devices(struct plan *plan)
{
    if (rewrite_disks(plan) < 0 || rewrite_image(plan) < 0 ||
        rewrite_nics(plan) < 0 || plan_balloons(plan) < 0)
        return -1;
    return warn_of_qemu(plan);
}

/* The result as it will be read by others must be what was meant.  The rules
 * after these see that. */
static int
carry_out(struct plan *plan)
{
    V2V_AUTO(domain) struct domain *result = NULL;
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };
    struct v2v_error why = { 0 };

    if (xml_apply(plan->doc, &plan->edits, &xml, plan->err) < 0)
        return -1;
    if (domain_parse(xml.data, xml.len, &result, &why) < 0)
        return v2v_fail(plan->err, V2V_ERR_INTERNAL, "the rewritten XML: %s",
                        why.text);
    if (xml_check(plan->doc, &plan->edits, &result->devices.doc, plan->err) < 0)
        return -1;
    xml_edits_done(&plan->edits);
    v2v_bytes_done(&plan->out.xml);
    plan->out.xml = xml;
    xml = (struct v2v_bytes){ 0 };
    domain_free(plan->result);
    plan->result = v2v_steal(result);
    plan->devices = &plan->result->devices;
    plan->doc = &plan->devices->doc;
    return 0;
}

static int
carry_out_any(struct plan *plan)
{
    return plan->edits.count > 0 ? carry_out(plan) : 0;
}

/* Two features may concern one element, so each sees what the ones before it
 * did. */
static int
add_features(struct plan *plan)
{
    for (size_t i = 0; i < DOMAIN_FEATURES; i++)
        if (plan->options->add[i] &&
            (rewrite_add(plan, (enum domain_feature)i) < 0 ||
             carry_out_any(plan) < 0))
            return -1;
    return 0;
}

int
domain_rewrite(const struct domain *domain,
               const struct domain_options *options, struct domain_rewrite *ret,
               struct v2v_error *err)
{
    struct plan plan = { .devices = &domain->devices,
                         .doc = &domain->devices.doc,
                         .options = options,
                         .drivers = &options->drivers,
                         .moved = options->moved,
                         .err = err };
    int rc = 0;

    if (move_devices(&plan) < 0 || carry_out(&plan) < 0 ||
        rewrite_nic_queues(&plan) < 0 || carry_out_any(&plan) < 0 ||
        add_features(&plan) < 0)
        rc = -1;
    xml_edits_done(&plan.edits);
    domain_free(plan.result);
    if (rc < 0)
        domain_rewrite_done(&plan.out);
    else
        *ret = plan.out;
    return rc;
}
