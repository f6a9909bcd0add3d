/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * registry/hive.h - a registry hive in memory: read it, edit it, get it back
 *
 * The door to hivex.  Bytes in, bytes out: it opens no file of the host's
 * and none of the guest's, and does not replay transaction logs.
 *
 * Keys are given as paths below the hive's root, '\\' between parts, without
 * regard to case.  "" is the root.
 */
#ifndef V2V_REGISTRY_HIVE_H
#define V2V_REGISTRY_HIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "registry/edit.h"

struct reg_hive;

/**
 * reg_hive_open() - parse a hive
 * @data: the whole primary file, copied; @len: bytes
 * @ret:  new; reg_hive_close() frees it
 *
 * A dirty hive is opened as it is: reg_header_read() tells.  One in which
 * reg_hive_check() finds anything wrong is not.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT (what is wrong, and where if known);
 * V2V_ERR_INTERNAL when memory runs out.
 */
int reg_hive_open(const void *data, size_t len, struct reg_hive **ret,
                  struct v2v_error *err);
void reg_hive_close(struct reg_hive *hive);

/* The same, of a file: @fd, to be read, is one with the content @data, which
 * stays the caller's and as it is as long as the hive is open and not edited.
 * Nothing is copied before the first edit. */
int reg_hive_open_file(int fd, const void *data, size_t len,
                       struct reg_hive **ret, struct v2v_error *err);

/* Load what hivex would load from files when it comes across a name that is not
 * ASCII: for a process that is about to lose the right to open any. */
void reg_hive_preload(void);
V2V_AUTO_DEFINE(reg_hive, struct reg_hive *, reg_hive_close)

/* All look-ups below: 0, or -1 with V2V_ERR_NOT_FOUND when the key or the
 * value is absent, V2V_ERR_FORMAT when the hive is damaged there or the value
 * is of another type; the text names the key. */

/* Names of the sub-keys, in the hive's order; added to @ret. */
int reg_children(struct reg_hive *hive, const char *key,
                 struct v2v_strings *ret, struct v2v_error *err);

/* Names of the values; added to @ret; "" is the default value. */
int reg_value_names(struct reg_hive *hive, const char *key,
                    struct v2v_strings *ret, struct v2v_error *err);

/* @name: "" for the default value; @data: replaced */
int reg_get(struct reg_hive *hive, const char *key, const char *name,
            uint32_t *type, struct v2v_bytes *data, struct v2v_error *err);
int reg_get_dword(struct reg_hive *hive, const char *key, const char *name,
                  uint32_t *ret, struct v2v_error *err);
/* REG_SZ or REG_EXPAND_SZ; @ret: a new string, UTF-8 */
int reg_get_string(struct reg_hive *hive, const char *key, const char *name,
                   char **ret, struct v2v_error *err);
/* REG_MULTI_SZ; added to @ret */
int reg_get_strings(struct reg_hive *hive, const char *key, const char *name,
                    struct v2v_strings *ret, struct v2v_error *err);

/**
 * reg_answer() - a look-up's result for whom what is damaged is absent
 * @result: 0 or -1, of one of the functions here; @why: its error
 *
 * Returns: 1: found; 0: absent, damaged or of another type; -1 with any other
 * error that @why is.
 */
int reg_answer(int result, const struct v2v_error *why, struct v2v_error *err);

/**
 * reg_hive_answered() - was each question about the hive answered so far?
 *
 * For whom took every failure of a look-up for absence.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL: whoever reads the hive broke down,
 * and what came of it is worth nothing.
 */
int reg_hive_answered(struct reg_hive *hive, struct v2v_error *err);

/* Is the key there?  1, 0, or -1 with V2V_ERR_FORMAT. */
int reg_has_key(struct reg_hive *hive, const char *key, struct v2v_error *err);

/**
 * reg_edit_holds() - is what the edit wants already so?
 *
 * A REG_OP_STAMP edit never holds: whether it is due is for others to say.
 *
 * Returns: 1, 0, or -1 with V2V_ERR_FORMAT.
 */
int reg_edit_holds(struct reg_hive *hive, const struct reg_edit *edit,
                   struct v2v_error *err);

/* What hivex 1.3.23 cannot do, and what is therefore refused.
 *
 * Windows keeps a longer value in several cells ("db"); hivex writes any value
 * as one cell, and rewrites all values of a key when it sets one: a key with a
 * value longer than this cannot be edited through it. */
#define REG_VALUE_MAX 16344

/* hivex never uses space again that is free: each edit of a key costs as much
 * as all values of the key.  The bound is what this program reads of a hive
 * (SOFTWARE has 200 MB), and far from where offsets end (2 GiB). */
#define REG_HIVE_MAX (UINT32_C(512) << 20)

/* A nearer bound, in bytes, for the edits that follow. */
void reg_hive_limit(struct reg_hive *hive, uint64_t max);

/**
 * reg_hive_apply() - carry out those of @edits that are for hive @id
 *
 * Parents of a key are made.  What holds already is left alone, to the byte.
 * A new key gets its parent's security descriptor and the time at which its
 * parent was last written; no other key's time changes, the edited one's
 * neither, nor that of the hive: nothing in the guest happened now.  A value
 * that exists keeps its place among the others and the spelling of its name.
 *
 * Returns: 0, or -1 with V2V_ERR_FORMAT, or V2V_ERR_INTERNAL for what hivex
 * cannot do: see REG_VALUE_MAX and REG_HIVE_MAX; a new key whose name is not
 * ASCII (hivex files it under a hash by which Windows does not find it); a key
 * to delete that an "li" list names, as in some older hives.
 * After a failure the hive is of no use.
 */
int reg_hive_apply(struct reg_hive *hive, enum reg_hive_id id,
                   const struct reg_edits *edits, struct v2v_error *err);

/* Something that takes bytes, in order, piece by piece.  0, or -1. */
typedef int reg_take_fn(void *opaque, const void *data, size_t len,
                        struct v2v_error *err);

/**
 * reg_hive_save() - the hive as it would be written to disk
 * @ret: replaced
 *
 * Its sequence numbers are equal, and one more than the primary one was; the
 * checksum is right.  Whether what hivex made can be read is for whoever opens
 * it to see.  Once: the hive is of no use afterwards.
 *
 * Returns: 0, or -1 with V2V_ERR_INTERNAL.
 */
int reg_hive_save(struct reg_hive *hive, struct v2v_bytes *ret,
                  struct v2v_error *err);

/* The same, not all at once; -1 also when @take says so. */
int reg_hive_save_to(struct reg_hive *hive, reg_take_fn *take, void *opaque,
                     struct v2v_error *err);

/* The same, of a hive that reg_hive_open() has opened, to a file, which is
 * emptied before, or a pipe. */
int reg_hive_commit(struct reg_hive *hive, int fd, struct v2v_error *err);

#endif
