/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/xml.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/globals.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/text.h"
#include "domain/domain.h"

static const char qemu_ns[] = "http://libvirt.org/schemas/domain/qemu/1.0";

/* Sets in which every byte of markup is the ASCII character, and no byte of
 * another character looks like one: the tokenizer reads them as they are. */
static const char *const byte_encodings[] = { "UTF-8", "US-ASCII", "ASCII" };
static const char *const byte_encoding_families[] = { "ISO-8859-",
                                                      "windows-125" };

static void
auto_doc(xmlDocPtr *doc)
{
    xmlFreeDoc(*doc);
}

static void
auto_ctxt(xmlParserCtxtPtr *ctxt)
{
    xmlFreeParserCtxt(*ctxt);
}

void
xml_done(struct xml_doc *doc)
{
    for (size_t i = 0; i < doc->count; i++) {
        free(doc->elements[i].name);
        free(doc->elements[i].text);
    }
    for (size_t i = 0; i < doc->attrs_count; i++) {
        free(doc->attrs[i].name);
        free(doc->attrs[i].text);
    }
    free(doc->elements);
    free(doc->attrs);
    v2v_bytes_done(&doc->text);
    *doc = (struct xml_doc){ 0 };
}

/* XML 1.0, appendix F: a byte order mark, or "<?" in one of the orders. */
static enum xml_encoding
detect_encoding(const uint8_t *data, size_t len)
{
    static const struct {
        uint8_t bytes[4];
        size_t len;
        enum xml_encoding encoding;
    } marks[] = {
        { { 0xff, 0xfe }, 2, XML_UTF16LE },
        { { 0xfe, 0xff }, 2, XML_UTF16BE },
        { { '<', 0, '?', 0 }, 4, XML_UTF16LE },
        { { 0, '<', 0, '?' }, 4, XML_UTF16BE },
    };

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (len >= marks[i].len &&
            memcmp(data, marks[i].bytes, marks[i].len) == 0)
            return marks[i].encoding;
    return XML_BYTES;
}

static void
swap_pairs(struct v2v_bytes *b)
{
    for (size_t i = 0; i + 1 < b->len; i += 2) {
        uint8_t low = b->data[i];

        b->data[i] = b->data[i + 1];
        b->data[i + 1] = low;
    }
}

int
xml_encode(const struct v2v_bytes *text, enum xml_encoding encoding,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };
    V2V_AUTO(mem) char *s = NULL;

    if (encoding == XML_BYTES)
        return v2v_bytes_copy(text->data, text->len, ret, err);
    s = v2v_strndup((const char *)text->data, text->len, err);
    if (s == NULL || v2v_utf16_from_utf8(s, &out, err) < 0)
        return -1;
    if (encoding == XML_UTF16BE)
        swap_pairs(&out);
    *ret = out;
    out = (struct v2v_bytes){ 0 };
    return 0;
}

/* XML 1.0, production 2 */
static bool
is_xml_char(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xd800) ||
           (c >= 0xe000 && c < 0xfffe) || c >= 0x10000;
}

static const char *
predefined_entity(uint32_t c)
{
    return c == '&'    ? "&amp;"
           : c == '<'  ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '\'' ? "&apos;"
           : c == '"'  ? "&quot;"
                       : NULL;
}

/* White space would be read back as a blank, and an 8-bit set has few of the
 * characters beyond ASCII: both become references. */
int
xml_escape(const struct xml_doc *doc, const char *text, struct v2v_bytes *out,
           struct v2v_error *err)
{
    uint32_t c = 0;
    size_t n;
    int rc;

    for (const char *s = text; *s != '\0'; s += n) {
        const char *entity;

        n = v2v_utf8_char(s, &c);
        if (n == 0 || !is_xml_char(c))
            return v2v_fail(err, V2V_ERR_USAGE,
                            "XML cannot hold '%s': byte %zu is a control "
                            "character or not UTF-8",
                            text, (size_t)(s - text));
        entity = predefined_entity(c);
        if (entity != NULL)
            rc = v2v_bytes_add(out, entity, strlen(entity), err);
        else if (c < 0x20 || (c >= 0x80 && !doc->utf8))
            rc = v2v_bytes_printf(out, err, "&#x%X;", (unsigned)c);
        else
            rc = v2v_bytes_add(out, s, n, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* What does not come back as the same bytes could not be kept outside the
 * edits: an odd byte, a NUL, a broken surrogate. */
static int
decode_utf16(const uint8_t *data, size_t len, enum xml_encoding encoding,
             struct v2v_bytes *ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes units = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes back = { 0 };
    V2V_AUTO(mem) char *s = NULL;

    if (v2v_bytes_copy(data, len, &units, err) < 0)
        return -1;
    if (encoding == XML_UTF16BE)
        swap_pairs(&units);
    s = v2v_utf8_from_utf16(units.data, units.len, err);
    if (s == NULL || v2v_bytes_copy(s, strlen(s), &text, err) < 0)
        return -1;
    if (xml_encode(&text, encoding, &back, err) < 0 || back.len != len ||
        memcmp(back.data, data, len) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "not well-formed UTF-16");
    *ret = text;
    text = (struct v2v_bytes){ 0 };
    return 0;
}

static bool
is_byte_encoding(const char *name)
{
    for (size_t i = 0; i < sizeof byte_encodings / sizeof *byte_encodings; i++)
        if (v2v_equal_nocase(name, byte_encodings[i]))
            return true;
    for (size_t i = 0;
         i < sizeof byte_encoding_families / sizeof *byte_encoding_families;
         i++)
        if (v2v_has_prefix_nocase(name, byte_encoding_families[i]))
            return true;
    return false;
}

static int
fail_libxml(xmlParserCtxtPtr ctxt, struct v2v_error *err)
{
    const xmlError *e = xmlCtxtGetLastError(ctxt);
    const char *why = e != NULL && e->message != NULL ? e->message : "unknown";

    return v2v_fail(err, V2V_ERR_FORMAT, "not well-formed XML: line %d: %.*s",
                    e != NULL ? e->line : 0, (int)strcspn(why, "\n"), why);
}

static void
stay_silent(void *opaque, xmlErrorPtr error)
{
    (void)opaque;
    (void)error;
}

/* Never NOENT, DTDLOAD, DTDATTR, XINCLUDE, HUGE or RECOVER: the input is
 * hostile.  libxml2 would print what is wrong: NOERROR and NOWARNING keep its
 * parser from that, the handler (of this thread) its decoders. */
static xmlDocPtr
read_silently(xmlParserCtxtPtr ctxt, const void *data, size_t len)
{
    xmlStructuredErrorFunc old = xmlStructuredError;
    void *old_opaque = xmlStructuredErrorContext;
    xmlDocPtr tree;

    ctxt->sax->comment = NULL; /* they mean nothing, and may be many */
    ctxt->sax->processingInstruction = NULL;
    xmlSetStructuredErrorFunc(NULL, stay_silent);
    tree = xmlCtxtReadMemory(ctxt, data, (int)len, NULL, NULL,
                             XML_PARSE_NONET | XML_PARSE_NOERROR |
                                 XML_PARSE_NOWARNING);
    xmlSetStructuredErrorFunc(old_opaque, old);
    return tree;
}

static int
read_with_libxml(struct xml_doc *doc, const void *data, size_t len,
                 xmlDocPtr *ret, struct v2v_error *err)
{
    __attribute__((cleanup(auto_ctxt))) xmlParserCtxtPtr ctxt =
        xmlNewParserCtxt();
    xmlDocPtr tree;

    if (ctxt == NULL)
        return v2v_fail_errno(err, ENOMEM, "libxml2");
    *ret = tree = read_silently(ctxt, data, len); /* the caller frees it */
    if (tree == NULL)
        return fail_libxml(ctxt, err);
    if (tree->intSubset != NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "a DOCTYPE is not accepted");
    if (doc->encoding == XML_BYTES && tree->encoding != NULL &&
        !is_byte_encoding((const char *)tree->encoding))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the XML declaration says encoding %s, which is not "
                        "supported; convert the file to UTF-8",
                        (const char *)tree->encoding);
    doc->utf8 = doc->encoding != XML_BYTES || tree->encoding == NULL ||
                v2v_equal_nocase((const char *)tree->encoding, "UTF-8");
    return 0;
}

static bool
has_qname(const struct xml_doc *doc, size_t start, size_t len, const xmlNs *ns,
          const xmlChar *local)
{
    const char *s = (const char *)doc->text.data + start;
    size_t prefix =
        ns != NULL && ns->prefix != NULL ? strlen((const char *)ns->prefix) : 0;

    if (prefix > 0) {
        if (len <= prefix || memcmp(s, ns->prefix, prefix) != 0 ||
            s[prefix] != ':')
            return false;
        s += prefix + 1;
        len -= prefix + 1;
    }
    /* a local name in another 8-bit set has other bytes than libxml2's UTF-8:
     * then its ASCII is compared, which is all that rules look at */
    for (; *local != '\0' && len > 0 && *local < 0x80; local++, s++, len--)
        if ((xmlChar)*s != *local)
            return false;
    return (*local == '\0') == (len == 0);
}

static int
mismatch(const struct xml_doc *doc, size_t element, struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_FORMAT,
                    "byte %zu: libxml2 reads the XML differently from us",
                    doc->elements[element].start);
}

static int
take_attrs(struct xml_doc *doc, size_t i, const xmlNode *node,
           struct v2v_error *err)
{
    const struct xml_element *e = &doc->elements[i];
    const xmlAttr *p = node->properties;

    for (size_t j = e->attrs; j < e->attrs + e->attrs_count; j++) {
        struct xml_attr *a = &doc->attrs[j];
        xmlChar *value;

        if (a->declares)
            continue;
        if (p == NULL || !has_qname(doc, a->start, a->name_len, p->ns, p->name))
            return mismatch(doc, i, err);
        a->qualified = p->ns != NULL;
        a->name = v2v_strdup((const char *)p->name, err);
        value = xmlNodeListGetString(node->doc, p->children, 1);
        a->text = v2v_strdup(value != NULL ? (const char *)value : "", err);
        xmlFree(value);
        if (a->name == NULL || a->text == NULL)
            return -1;
        p = p->next;
    }
    return p == NULL ? 0 : mismatch(doc, i, err);
}

static int
take_element(struct xml_doc *doc, size_t i, xmlNode *node,
             struct v2v_error *err)
{
    struct xml_element *e = &doc->elements[i];
    xmlChar *text;

    if (!has_qname(doc, e->start + 1, e->name_len, node->ns, node->name))
        return mismatch(doc, i, err);
    e->ns = node->ns == NULL                                     ? XML_NS_NONE
            : strcmp((const char *)node->ns->href, qemu_ns) == 0 ? XML_NS_QEMU
                                                                 : XML_NS_OTHER;
    e->name = v2v_strdup((const char *)node->name, err);
    if (e->name == NULL)
        return -1;
    if (e->next == i + 1) {
        text = xmlNodeGetContent(node);
        e->text = v2v_strdup(text != NULL ? (const char *)text : "", err);
        xmlFree(text);
        if (e->text == NULL)
            return -1;
    }
    return take_attrs(doc, i, node, err);
}

static xmlNode *
skip_to_element(xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

static xmlNode *
next_in_document(xmlNode *node)
{
    xmlNode *next = skip_to_element(node->children);

    while (next == NULL && node != NULL && node->type == XML_ELEMENT_NODE) {
        next = skip_to_element(node->next);
        node = node->parent;
    }
    return next;
}

/* Walks both at once: libxml2's tree and the tokenizer's table must agree on
 * the nesting as well as on the names. */
static int
take_meaning(struct xml_doc *doc, xmlDocPtr tree, struct v2v_error *err)
{
    xmlNode *node = xmlDocGetRootElement(tree);
    V2V_AUTO(mem) xmlNode **seen = calloc(doc->count, sizeof *seen);

    if (seen == NULL)
        return v2v_fail_errno(err, errno, "XML elements");
    for (size_t i = 0; i < doc->count; i++) {
        size_t parent = doc->elements[i].parent;

        if (node == NULL ||
            (parent != XML_NONE && node->parent != seen[parent]))
            return mismatch(doc, i, err);
        seen[i] = node;
        if (take_element(doc, i, node, err) < 0)
            return -1;
        node = next_in_document(node);
    }
    return node == NULL ? 0 : mismatch(doc, doc->count - 1, err);
}

static int
read_doc(const void *data, size_t len, struct xml_doc *doc,
         struct v2v_error *err)
{
    __attribute__((cleanup(auto_doc))) xmlDocPtr tree = NULL;
    int rc;

    doc->encoding = detect_encoding(data, len);
    rc = doc->encoding == XML_BYTES
             ? v2v_bytes_copy(data, len, &doc->text, err)
             : decode_utf16(data, len, doc->encoding, &doc->text, err);
    if (rc < 0 || xml_scan(doc, err) < 0 ||
        read_with_libxml(doc, data, len, &tree, err) < 0)
        return -1;
    return take_meaning(doc, tree, err);
}

int
xml_parse(const void *data, size_t len, struct xml_doc *doc,
          struct v2v_error *err)
{
    _Static_assert((16 << 20) < INT_MAX, "libxml2 takes an int");

    *doc = (struct xml_doc){ 0 };
    if (len > DOMAIN_XML_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "larger than the limit of %d bytes", DOMAIN_XML_MAX);
    if (len > 0 && memchr(data, 0, len) != NULL &&
        detect_encoding(data, len) == XML_BYTES)
        return v2v_fail(err, V2V_ERR_FORMAT, "not well-formed XML: a NUL byte");
    if (read_doc(data, len, doc, err) < 0) {
        xml_done(doc);
        return -1;
    }
    return 0;
}

size_t
xml_next(const struct xml_doc *doc, size_t parent, size_t child,
         const char *name)
{
    size_t i = child == XML_NONE ? parent + 1 : doc->elements[child].next;

    for (; i < doc->elements[parent].next; i = doc->elements[i].next) {
        const struct xml_element *e = &doc->elements[i];

        if (name == NULL ||
            (e->ns == XML_NS_NONE && strcmp(e->name, name) == 0))
            return i;
    }
    return XML_NONE;
}

const struct xml_attr *
xml_attr(const struct xml_doc *doc, size_t element, const char *name)
{
    const struct xml_element *e;

    if (element == XML_NONE)
        return NULL;
    e = &doc->elements[element];
    for (size_t j = e->attrs; j < e->attrs + e->attrs_count; j++) {
        const struct xml_attr *a = &doc->attrs[j];

        if (a->name != NULL && !a->qualified && strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

const char *
xml_value(const struct xml_doc *doc, size_t element, const char *name)
{
    const struct xml_attr *a = xml_attr(doc, element, name);

    return a != NULL ? a->text : NULL;
}
