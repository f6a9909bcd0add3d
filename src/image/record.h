/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * image/record.h - what an undo has to know, as a JSON file
 *
 *     {
 *       "schema": 1,
 *       "time": "2026-01-31T12:00:00Z",      of the change
 *       "what": "viostor 100.1.2.3, ...",
 *       "format": "qcow2",                   of the image
 *       "virtual_size": 21474836480,         bytes
 *       "sha256": "9f86...",                 of the undo file itself
 *       "areas": [[65536, 131072, "ab12..."], ...],
 *       "witnesses": [["the SYSTEM hive", 4096, 4096, "cd34..."], ...],
 *       "xml": {"path": "/srv/vm.xml", "after": "ef56...", "before":
 * "ab12..."}, "domain": {...},                     see image/definition.h
 *       "domain_after": "ef56..."
 *     }                                       the last three: or null
 *
 * An area is [offset, length, SHA-256 of what the change left there], in bytes
 * of the disk that the guest sees; the undo file has the old content of just
 * these areas.  xml.after and xml.before are SHA-256
 * of the file after and before the change; before is null if there was none.
 * domain_after is that of the definition, and null until it is replaced: how
 * libvirt writes down what it is given is known only then.
 */
#ifndef V2V_IMAGE_RECORD_H
#define V2V_IMAGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/definition.h"

struct record_area {
    char name[32]; /* of a witness; "" otherwise */
    uint64_t offset, len;
    struct digest after;
};

struct record_areas {
    struct record_area *items;
    size_t count;
};

/* All zero is a valid, empty one; it owns what it points to. */
struct record {
    char *time, *what, *format;
    uint64_t virtual_size;
    struct digest data;
    struct record_areas areas, witnesses;
    char *xml_path; /* NULL: none */
    struct digest xml_after;
    bool xml_before; /* there was such a file before: */
    struct digest xml_old;
    struct definition domain;
    bool domain_defined; /* the definition was replaced: */
    struct digest domain_after;
};

/* Append one; fails with V2V_ERR_INTERNAL. */
int record_add_area(struct record_areas *areas, const struct record_area *area,
                    struct v2v_error *err);

int record_write(const char *path, const struct record *record,
                 struct v2v_error *err);

/* -1 with V2V_ERR_FORMAT: damaged: an area outside of the disk, a
 * digest that is none ... */
int record_read(const char *path, struct record *ret, struct v2v_error *err);

void record_done(struct record *record);

static inline void
v2v_auto_record(struct record *record)
{
    record_done(record);
}

#endif
