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

static bool
is_word_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

enum { shortest_word = 3 }; /* igb */

/* Is there such a word in @text?  Long words are none. */
static bool
find_word(const char *text, bool (*is_word)(const char *), struct shown *ret)
{
    struct shown word;
    size_t n;

    for (; *text != '\0'; text += n > 0 ? n : 1) {
        for (n = 0; is_word_char(text[n]);)
            n++;
        if (n < shortest_word || n >= sizeof word.text)
            continue;
        memcpy(word.text, text, n);
        word.text[n] = '\0';
        if (is_word(word.text)) {
            *ret = word;
            return true;
        }
    }
    return false;
}

/* The first such word in <qemu:arg value=> of <qemu:commandline>, or in
 * <qemu:device alias=> and <qemu:property name=> of <qemu:override>. */
static bool
find_qemu_word(const struct xml_doc *doc, size_t element,
               bool (*is_word)(const char *), struct shown *ret)
{
    static const char *const attrs[] = { "value", "alias", "name" };

    for (size_t i = element + 1; i < doc->elements[element].next; i++)
        for (size_t j = 0; j < sizeof attrs / sizeof *attrs; j++) {
            const char *text = xml_value(doc, i, attrs[j]);

            if (text != NULL && find_word(text, is_word, ret))
                return true;
        }
    return false;
}

/* Properties of QEMU's virtio devices. */
static bool
names_virtio_version(const char *word)
{
    return strcmp(word, "disable-modern") == 0 ||
           strcmp(word, "disable-legacy") == 0;
}

static int
warn_of_qemu_element(struct plan *plan, size_t element)
{
    const struct {
        bool applies;
        bool (*is_word)(const char *);
        const char *why;
    } words[] = {
        { plan->disk_moved, names_emulated_disk,
          ", which may be gone now: QEMU would not start; edit it by hand" },
        { plan->drivers->netkvm, rewrite_is_emulated_nic,
          ": network cards there are not rewritten; edit it by hand" },
        { plan->disk_moved || plan->nic_moved, names_virtio_version,
          ", which decides what virtio devices Windows sees; with both on, "
          "QEMU "
          "does not start" },
    };
    const char *name = plan->doc->elements[element].name;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct shown word;

        if (words[i].applies &&
            find_qemu_word(plan->doc, element, words[i].is_word, &word) &&
            rewrite_warn(plan, "<qemu:%s> names '%s'%s",
                         rewrite_show(name).text, word.text, words[i].why) < 0)
            return -1;
    }
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
        rewrite_nics(plan) < 0 || rewrite_machine(plan) < 0 ||
        plan_balloons(plan) < 0)
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

static int
add_feature(struct plan *plan, enum domain_feature feature)
{
    return plan->options->add[feature] ? rewrite_add(plan, feature) : 0;
}

/* What is added sees the devices as they have been moved.  A <driver> that
 * discard has added is one that iothread has to find. */
static int
add_features(struct plan *plan)
{
    _Static_assert(DOMAIN_ADD_IOTHREAD == DOMAIN_FEATURES - 1, "the last one");

    if (rewrite_nic_queues(plan) < 0)
        return -1;
    for (int i = 0; i < DOMAIN_ADD_IOTHREAD; i++)
        if (add_feature(plan, (enum domain_feature)i) < 0)
            return -1;
    if (carry_out_any(plan) < 0 || add_feature(plan, DOMAIN_ADD_IOTHREAD) < 0)
        return -1;
    return carry_out_any(plan);
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
