/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/vmdk.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"

#define SECTORS_MAX (UINT64_C(1) << 48)

static const char stream_optimized[] = "a stream-optimized VMDK";

/* Each was committed to with QEMU 7.2.  That would be possible with "vmfs",
 * too; but ESXi may keep a list of changed blocks beside it (changeTrackPath),
 * which would not learn of ours. */
static const struct kind {
    const char *create_type;
    const char *extent_type;
    bool flat;
    const char *copy_only;
} kinds[] = {
    { "monolithicFlat", "FLAT", true, NULL },
    { "twoGbMaxExtentFlat", "FLAT", true, NULL },
    { "twoGbMaxExtentSparse", "SPARSE", false, NULL },
    { "vmfs", "VMFS", true, "a VMDK of an ESXi datastore (vmfs)" },
};

void
vmdk_descriptor_done(struct vmdk_descriptor *descriptor)
{
    free(descriptor->text);
    free(descriptor->extents);
    *descriptor = (struct vmdk_descriptor){ 0 };
}

static inline void
v2v_auto_vmdk(struct vmdk_descriptor *descriptor)
{
    vmdk_descriptor_done(descriptor);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *
skip_blanks(char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

/* The next word of a line, "" at its end; cuts it out. */
static char *
next_word(char **line)
{
    char *word = skip_blanks(*line), *end = word;

    while (*end != '\0' && !is_blank(*end))
        end++;
    *line = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

/* The next thing in quotes, NULL when there is none. */
static char *
next_quoted(char **line)
{
    char *start = skip_blanks(*line);
    char *end = *start == '"' ? strchr(start + 1, '"') : NULL;

    if (end == NULL)
        return NULL;
    *end = '\0';
    *line = end + 1;
    return start + 1;
}

/* Digits alone: what else strtoull() or sscanf() take is no number here. */
static bool
parse_sectors(const char *word, uint64_t *ret)
{
    uint64_t v = 0;

    if (*word == '\0')
        return false;
    for (; *word != '\0'; word++) {
        if (*word < '0' || *word > '9')
            return false;
        v = 10 * v + (uint64_t)(*word - '0');
        if (v > SECTORS_MAX)
            return false;
    }
    *ret = v;
    return true;
}

static bool
is_access(const char *line)
{
    static const char *const words[] = { "RW", "RDONLY", "NOACCESS" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);

        if (strncmp(line, words[i], len) == 0 &&
            (line[len] == '\0' || is_blank(line[len])))
            return true;
    }
    return false;
}

/* RW SECTORS TYPE "NAME" [OFFSET]; of a longer type QEMU reads 9 bytes,
 * of a longer name 511 */
static bool
parse_extent(char *line, struct vmdk_extent *ret)
{
    const char *offset, *access = next_word(&line);

    if (strcmp(access, "RW") != 0 ||
        !parse_sectors(next_word(&line), &ret->sectors) || ret->sectors == 0)
        return false;
    ret->type = next_word(&line);
    ret->name = next_quoted(&line);
    offset = next_word(&line);
    if (ret->name == NULL || *ret->name == '\0' || strlen(ret->name) > 511 ||
        strlen(ret->type) > 9 ||
        (*offset != '\0' && !parse_sectors(offset, &ret->offset)))
        return false;
    return *skip_blanks(line) == '\0';
}

static int
add_extent(struct vmdk_descriptor *descriptor, char *line,
           struct v2v_error *err)
{
    struct vmdk_extent extent = { 0 };
    struct vmdk_extent *more;

    if (!parse_extent(line, &extent))
        return v2v_fail(err, V2V_ERR_FORMAT, "not a writable extent");
    if (descriptor->count == VMDK_EXTENTS_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT, "more than %d extents",
                        VMDK_EXTENTS_MAX);
    more = realloc(descriptor->extents,
                   (descriptor->count + 1) * sizeof *descriptor->extents);
    if (more == NULL)
        return v2v_fail_errno(err, errno, "extents");
    descriptor->extents = more;
    descriptor->extents[descriptor->count++] = extent;
    return 0;
}

/* @line: key=value or key="value"; keys that nobody asks for pass.  QEMU would
 * take a number in front for the offset of an extent in the line before. */
static int
keep_value(struct vmdk_descriptor *descriptor, char *line,
           struct v2v_error *err)
{
    char *value = strchr(line, '=');
    const char **place = NULL;

    if (value == NULL || !isalpha((unsigned char)*line))
        return v2v_fail(err, V2V_ERR_FORMAT, "neither a value nor an extent");
    *value++ = '\0';
    line = next_word(&line);
    if (strcmp(line, "createType") == 0)
        place = &descriptor->create_type;
    else if (strcmp(line, "parentCID") == 0)
        place = &descriptor->parent_cid;
    if (place == NULL)
        return 0;
    if (*place != NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s is there twice", line);
    value = skip_blanks(value);
    *place = *value == '"' ? next_quoted(&value) : next_word(&value);
    if (*place == NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s: no closing quote", line);
    return 0;
}

static bool
has_controls(const char *line)
{
    for (; *line != '\0'; line++)
        if (iscntrl((unsigned char)*line) && *line != '\t')
            return true;
    return false;
}

/* @after_blank: the line before was empty, and becomes whether this one is */
static int
parse_line(struct vmdk_descriptor *descriptor, char *line, bool *after_blank,
           struct v2v_error *err)
{
    size_t len = strlen(line);
    bool is_extent;

    if (len > 0 && line[len - 1] == '\r')
        line[len - 1] = '\0';
    if (has_controls(line))
        return v2v_fail(err, V2V_ERR_FORMAT, "a control character");
    line = skip_blanks(line);
    is_extent = is_access(line);
    if (is_extent && *after_blank)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "an extent after an empty line, which QEMU takes for "
                        "two");
    *after_blank = *line == '\0';
    if (*after_blank || *line == '#')
        return 0;
    return is_extent ? add_extent(descriptor, line, err)
                     : keep_value(descriptor, line, err);
}

int
vmdk_parse_descriptor(const void *text, size_t len, struct vmdk_descriptor *ret,
                      struct v2v_error *err)
{
    V2V_AUTO(vmdk) struct vmdk_descriptor descriptor = { 0 };
    size_t used = strnlen(text, len), number = 1;
    bool after_blank = false;
    char *rest;

    descriptor.text = rest = v2v_strndup(text, used, err);
    if (rest == NULL)
        return -1;
    for (char *line; (line = strsep(&rest, "\n")) != NULL; number++)
        if (parse_line(&descriptor, line, &after_blank, err) < 0)
            return v2v_fail_in(err, "VMDK descriptor, line %zu", number);
    *ret = descriptor;
    descriptor = (struct vmdk_descriptor){ 0 };
    return 0;
}

/* vm.vmdk: vm-flat.vmdk, vm-f001.vmdk, vm-s001.vmdk */
static bool
is_named_after(const char *name, const char *image)
{
    const char *dot = strrchr(image, '.');
    size_t stem = dot != NULL ? (size_t)(dot - image) : strlen(image);
    const char *suffix = image + stem;

    if (strncmp(name, image, stem) != 0 || name[stem] != '-')
        return false;
    name += stem + 1;
    if (strncmp(name, "flat", 4) == 0)
        return strcmp(name + 4, suffix) == 0;
    if ((*name != 'f' && *name != 's') || !isdigit((unsigned char)name[1]))
        return false;
    for (name++; isdigit((unsigned char)*name); name++)
        ;
    return strcmp(name, suffix) == 0;
}

/* QEMU looks for the name of a parent anywhere, comments included. */
static int
refuse_parent(const char *text, const char *parent_cid, struct v2v_error *err)
{
    if (strstr(text, "parentFileNameHint") != NULL ||
        (parent_cid != NULL && !v2v_equal_nocase(parent_cid, "ffffffff")))
        return header_refuse_chain(HEADER_BACKING_FILE, "vmdk", err);
    return 0;
}

/* A header without a capacity makes QEMU follow the names in the text that is
 * embedded in the file; with one it does not look at them (seen with 7.2).  And
 * a write to a compressed extent fails in the middle of a commit. */
static int
check_sparse(const struct header *header, const char **copy_only,
             struct v2v_error *err)
{
    static const uint64_t at_end = UINT64_MAX;
    enum { COMPRESSED = 1 << 16 };
    const uint8_t *head = header->head;

    if (memcmp(head, "KDMV", 4) != 0)
        return v2v_fail(err, V2V_ERR_FORMAT, "not a sparse VMDK");
    if (v2v_get_le(head + 12, 8) == 0) /* capacity */
        return v2v_fail(err, V2V_ERR_GUEST,
                        "the VMDK's header tells no capacity and so leaves it "
                        "to other files");
    if ((v2v_get_le(head + 8, 4) & COMPRESSED) != 0 || /* flags */
        v2v_get_le(head + 77, 2) != 0 ||               /* compressAlgorithm */
        v2v_get_le(head + 56, 8) == at_end)            /* gdOffset */
        *copy_only = stream_optimized;
    return 0;
}

/* The text in a sparse file is the same, its extents but a form.  A text that
 * is not as it should be has no other use for QEMU: it is not refused. */
static int
check_embedded(const struct header *header, struct v2v_error *err)
{
    V2V_AUTO(vmdk) struct vmdk_descriptor descriptor = { 0 };
    V2V_AUTO(mem) char *text = NULL;
    uint64_t offset = v2v_get_le(header->head + 28, 8); /* sectors */
    uint64_t len = v2v_get_le(header->head + 36, 8);

    if (offset == 0 || offset > header->size / 512 ||
        len > VMDK_DESCRIPTOR_MAX / 512)
        return 0;
    len *= 512;
    text = calloc(1, len + 1);
    if (text == NULL)
        return v2v_fail_errno(err, errno, "VMDK descriptor");
    if (header_read(header->fd, offset * 512, text, len, err) < 0)
        return -1;
    if (vmdk_parse_descriptor(text, len, &descriptor, NULL) < 0)
        return refuse_parent(text, NULL, err);
    return refuse_parent(text, descriptor.parent_cid, err);
}

static int
check_extent(const char *path, const struct vmdk_extent *extent, bool flat,
             const char **copy_only, struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = -1;
    struct header header;
    struct stat st;

    /* before open(), which does things to a FIFO or a tape */
    if (lstat(path, &st) < 0)
        return v2v_fail(err, V2V_ERR_GUEST, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return v2v_fail(err, V2V_ERR_GUEST, "not a regular file");
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return v2v_fail_errno(err, errno, "cannot open");
    if (header_load(fd, &header, err) < 0)
        return -1;
    if (!flat)
        return check_sparse(&header, copy_only, err);
    if ((extent->offset + extent->sectors) * 512 > header.size)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "%" PRIu64 " bytes, too short for %" PRIu64
                        " sectors at sector %" PRIu64,
                        header.size, extent->sectors, extent->offset);
    return 0;
}

static int
add_extent_file(const char *path, const struct vmdk_extent *extent,
                const struct kind *kind, struct v2v_strings *files,
                const char **copy_only, struct v2v_error *err)
{
    const char *image = v2v_base_name(path);
    V2V_AUTO(mem) char *file = NULL;

    if (strcmp(extent->type, kind->extent_type) != 0)
        return v2v_fail(err, V2V_ERR_GUEST, "%s extents are not known in a %s",
                        extent->type, kind->create_type);
    if (!is_named_after(extent->name, image))
        return v2v_fail(err, V2V_ERR_GUEST,
                        "not a file of this image: they lie beside %s and "
                        "have its name with -flat, -f001 or -s001 before the "
                        "suffix",
                        image);
    file = v2v_format(err, "%.*s%s", (int)(image - path), path, extent->name);
    if (file == NULL ||
        check_extent(file, extent, kind->flat, copy_only, err) < 0)
        return -1;
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i], file) == 0)
            return v2v_fail(err, V2V_ERR_GUEST, "named twice");
    return v2v_strings_add(files, file, err);
}

static int
find_kind(const struct vmdk_descriptor *descriptor, const struct kind **ret,
          struct v2v_error *err)
{
    if (descriptor->create_type == NULL || descriptor->count == 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "VMDK descriptor: no createType, or no extent");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].create_type, descriptor->create_type) == 0) {
            *ret = &kinds[i];
            return 0;
        }
    return v2v_fail(err, V2V_ERR_GUEST,
                    "a VMDK of createType \"%s\" is not supported; export the "
                    "machine as OVF or OVA",
                    descriptor->create_type);
}

/* No magic is asked for: QEMU takes all that is not sparse for a text. */
static int
find_in_descriptor(const struct header *header, const char *path,
                   struct v2v_strings *files, const char **copy_only,
                   struct v2v_error *err)
{
    V2V_AUTO(vmdk) struct vmdk_descriptor descriptor = { 0 };
    V2V_AUTO(mem) char *text = NULL;
    const struct kind *kind = NULL;

    if (header->size > VMDK_DESCRIPTOR_MAX)
        return v2v_fail(err, V2V_ERR_FORMAT, "too large for a VMDK descriptor");
    text = calloc(1, header->size + 1);
    if (text == NULL)
        return v2v_fail_errno(err, errno, "VMDK descriptor");
    if (header_read(header->fd, 0, text, header->size, err) < 0 ||
        vmdk_parse_descriptor(text, header->size, &descriptor, err) < 0 ||
        refuse_parent(text, descriptor.parent_cid, err) < 0 ||
        find_kind(&descriptor, &kind, err) < 0)
        return -1;
    *copy_only = kind->copy_only;
    for (size_t i = 0; i < descriptor.count; i++)
        if (add_extent_file(path, &descriptor.extents[i], kind, files,
                            copy_only, err) < 0)
            return v2v_fail_in(err, "the VMDK descriptor names \"%s\"",
                               descriptor.extents[i].name);
    return 0;
}

int
vmdk_find_files(const struct header *header, const char *path,
                struct v2v_strings *files, const char **copy_only,
                struct v2v_error *err)
{
    if (memcmp(header->head, "COWD", 4) == 0)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "a VMDK of an ESXi snapshot or of a very old VMware "
                        "is not supported; export the machine as OVF or OVA");
    if (memcmp(header->head, "KDMV", 4) != 0)
        return find_in_descriptor(header, path, files, copy_only, err);
    if (check_sparse(header, copy_only, err) < 0)
        return -1;
    return check_embedded(header, err);
}
