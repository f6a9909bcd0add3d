/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/moves.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char rewrite_asked_for[] = "it was asked for";

struct shown
rewrite_show(const char *s)
{
    struct shown shown = { "" };
    size_t n = strnlen(s, shown_max);

    if (s[n] != '\0')
        while (n > 0 && (s[n] & 0xc0) == 0x80) /* inside a character */
            n--;
    memcpy(shown.text, s, n);
    v2v_make_printable(shown.text);
    return shown;
}

struct shown
rewrite_disk_label(const struct disk *disk)
{
    struct shown label = { "" };

    snprintf(label.text, sizeof label.text, "disk%s%.*s",
             *disk->dev != '\0' ? " " : "", shown_max,
             rewrite_show(disk->dev).text);
    return label;
}

static void
change_done(struct domain_change *change)
{
    free(change->device);
    free(change->what);
    free(change->why);
}

void
domain_rewrite_done(struct domain_rewrite *rewrite)
{
    for (size_t i = 0; i < rewrite->change_count; i++)
        change_done(&rewrite->changes[i]);
    free(rewrite->changes);
    v2v_bytes_done(&rewrite->xml);
    v2v_strings_done(&rewrite->warnings);
    *rewrite = (struct domain_rewrite){ 0 };
}

int
rewrite_note(struct plan *plan, const struct shown *device, const char *why,
             const char *fmt, ...)
{
    struct domain_change *p =
        reallocarray(plan->out.changes, plan->out.change_count + 1, sizeof *p);
    struct domain_change change = { 0 };
    va_list ap;
    int n;

    if (p == NULL)
        return v2v_fail_errno(plan->err, errno, "list of changes");
    plan->out.changes = p;
    va_start(ap, fmt);
    n = vasprintf(&change.what, fmt, ap);
    va_end(ap);
    if (n < 0)
        return v2v_fail_errno(plan->err, ENOMEM, "list of changes");
    v2v_make_printable(change.what);
    change.device = v2v_strdup(device->text, plan->err);
    change.why = v2v_strdup(why, plan->err);
    if (change.device == NULL || change.why == NULL) {
        change_done(&change);
        return -1;
    }
    p[plan->out.change_count++] = change;
    return 0;
}

int
rewrite_warn(struct plan *plan, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return v2v_strings_add(&plan->out.warnings, text, plan->err);
}

int
rewrite_set_attr(struct plan *plan, size_t element, const char *name,
                 const char *value)
{
    const struct xml_attr *a = xml_attr(plan->doc, element, name);
    struct xml_edit edit = { .kind = XML_ADD_ATTR,
                             .element = element,
                             .attr_name = name,
                             .value = value };

    if (a != NULL && strcmp(a->text, value) == 0)
        return 0;
    if (a != NULL) {
        edit.kind = XML_SET_ATTR;
        edit.attr = (size_t)(a - plan->doc->attrs);
    }
    return xml_edits_add(&plan->edits, &edit, plan->err);
}

int
rewrite_drop_attr(struct plan *plan, size_t element, const struct xml_attr *a)
{
    struct xml_edit edit = { .kind = XML_DROP_ATTR,
                             .element = element,
                             .attr = (size_t)(a - plan->doc->attrs) };

    return xml_edits_add(&plan->edits, &edit, plan->err);
}

int
rewrite_drop(struct plan *plan, size_t element)
{
    struct xml_edit edit = { .kind = XML_DROP, .element = element };

    return xml_edits_add(&plan->edits, &edit, plan->err);
}

int
rewrite_insert_xml(struct plan *plan, size_t parent, size_t after,
                   const char *xml)
{
    struct xml_edit edit = {
        .kind = XML_INSERT, .element = parent, .after = after, .value = xml
    };

    return xml_edits_add(&plan->edits, &edit, plan->err);
}

int
rewrite_insert(struct plan *plan, size_t parent, size_t after, const char *name,
               const char *attr, const char *value)
{
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };

    if (v2v_bytes_printf(&xml, plan->err, "<%s", name) < 0 ||
        xml_print_attr(plan->doc, '\'', attr, value, &xml, plan->err) < 0 ||
        v2v_bytes_add(&xml, "/>", sizeof "/>", plan->err) < 0)
        return -1;
    return rewrite_insert_xml(plan, parent, after, (const char *)xml.data);
}

static bool
is_not_pci(const struct xml_doc *doc, size_t address)
{
    const char *type = xml_value(doc, address, "type");

    return type == NULL || strcmp(type, "pci") != 0;
}

/* "ua-" marks an alias of the user's, which is QEMU's id of the device. */
static bool
is_not_users(const struct xml_doc *doc, size_t alias)
{
    const char *name = xml_value(doc, alias, "name");

    return name == NULL || strncmp(name, "ua-", 3) != 0;
}

#define ADDRESS_RULE                                                           \
    {                                                                          \
        "address", NULL, is_not_pci,                                           \
            "it is one on the old bus; libvirt assigns a PCI address"          \
    }
#define ALIAS_RULE                                                             \
    {                                                                          \
        "alias", NULL, is_not_users,                                           \
            "it names the old device; libvirt makes a new one"                 \
    }

const struct rewrite_rule rewrite_address_rule = ADDRESS_RULE;
const struct rewrite_rule rewrite_alias_rule = ALIAS_RULE;

const struct rewrite_rule rewrite_common_rules[2] = { ADDRESS_RULE,
                                                      ALIAS_RULE };

static int
drop_by_rule(struct plan *plan, const struct shown *device, size_t parent,
             const struct rewrite_rule *rule)
{
    size_t child = xml_child(plan->doc, parent, rule->element);
    bool found = false;

    for (; child != XML_NONE;
         child = xml_next(plan->doc, parent, child, rule->element)) {
        const struct xml_attr *a =
            rule->attr != NULL ? xml_attr(plan->doc, child, rule->attr) : NULL;

        if ((rule->attr != NULL && a == NULL) ||
            (rule->applies != NULL && !rule->applies(plan->doc, child)))
            continue;
        if ((a != NULL ? rewrite_drop_attr(plan, child, a)
                       : rewrite_drop(plan, child)) < 0)
            return -1;
        found = true;
    }
    if (!found)
        return 0;
    return rewrite_note(plan, device, rule->why, "%s%s%s dropped",
                        rule->element, rule->attr != NULL ? " " : "",
                        rule->attr != NULL ? rule->attr : "");
}

int
rewrite_drop_by_rules(struct plan *plan, const struct shown *device,
                      size_t parent, const struct rewrite_rule *rules,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (drop_by_rule(plan, device, parent, &rules[i]) < 0)
            return -1;
    return 0;
}
