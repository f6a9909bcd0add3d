/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One namespace with the findings of check/ and the links of verify/: a code
 * that two have means the same.  A name, once released, stays: scripts know
 * it. */
#include "cli/codes.h"

#include <string.h>

#include "check/check.h"
#include "verify/verify.h"

/* Of an error that has no name of its own, by its class. */
static const struct {
    enum v2v_error_code class;
    const char *name, *advice;
} classes[] = {
    { V2V_ERR_INTERNAL, "internal",
      "look at the host first: memory, free space, libguestfs-test-tool; else "
      "report it with the output of -v -x" },
    { V2V_ERR_USAGE, "usage",
      "mend what the text names: a file, or a word of the command line or the "
      "manifest, which \"v2v-virtio help COMMAND\" and the manual explain" },
    { V2V_ERR_GUEST, "guest-refused",
      "the text says what is in the way; \"v2v-virtio check\" looks for more" },
    { V2V_ERR_DRIVER, "driver-refused",
      "\"v2v-virtio drivers explain\" says why; take another virtio-win ISO" },
    { V2V_ERR_FORMAT, "malformed",
      "the file is damaged or not what it was taken for: take a whole copy" },
    { V2V_ERR_BUSY, "busy", "try again later" },
};

/* Of errors only. */
static const struct {
    const char *name, *advice;
} codes[] = {
    { "interrupted",
      "run it again: what had begun was ended, or will be by the "
      "next command on the image" },
    { "image-not-found",
      "see whether the name is right (those in a manifest are relative to its "
      "folder), and whether what it lies on is mounted" },
    { "image-in-use", "shut the machine down, or wait for the other program, "
                      "and try again" },
    { "image-moved", "move the image and its .v2v- files back, and go on with "
                     "\"v2v-virtio recover\"" },
    { "output-exists", "give the name of a file that is not there yet" },
    { "foreign-file", "go on as the user who began, or delete the file if it "
                      "is not this program's" },
    { "foreign-state", "take the version of this program that wrote the file" },
    { "commit-lost", "restore the image from a backup: what is needed to end "
                     "its commit is gone" },
    { "commit-stale", "restore the image from a backup, or keep it as others "
                      "have made it and delete the .v2v- files" },
    { "undo-none", "\"v2v-virtio undo --list\" shows what can be undone" },
    { "undo-changed", "keep the guest as it is now, or restore a backup" },
    { "undo-damaged", "restore the undo file or a backup of the image" },
    { "undo-format", "say with --format what the image is" },
    { "domain-xml", "check the file with virt-xml-validate" },
    { "domain-unsupported", "let virt-v2v make a machine for KVM of it first" },
    { "domain-changed", "try again: the definition has just been edited" },
    { "domain-not-defined",
      "define the XML that the text names with \"virsh define\"" },
    { "domain-not-found", "\"virsh list --all\" shows the names" },
    { "domain-refused", "see what libvirt says; the XML is as it was" },
    { "domain-running", "shut Windows down in the machine and try again" },
    { "domain-saved", "start the machine, shut Windows down, and try again" },
    { "domain-snapshots", "delete the snapshots, or work on a copy" },
    { "domain-transient", "define the machine first (virsh define)" },
    { "direct-not-served",
      "leave out --backend direct: libguestfs' appliance serves it" },
    { "disk-source", "give the images by name, with --domain-xml" },
    { "volume-not-found", "refresh or start its storage pool" },
    { "libvirt-connect", "say which libvirt with --connect" },
    { "medium-unreadable", "download the ISO anew, and compare its checksum" },
    { "driver-conflict", "take the packages of one virtio-win release" },
    { "driver-older", "take a newer virtio-win ISO" },
    { "driver-class", "take a boot driver of a class that Windows boots from" },
    { "driver-inf", "take the package from another virtio-win release" },
    { "hive-parser-died",
      "let Windows check the hive, or restore it from a backup" },
    { "sandbox-partial",
      "take a newer kernel, or allow less with --sandbox auto" },
};

enum {
    CLASS_COUNT = sizeof classes / sizeof *classes,
    CODE_COUNT = sizeof codes / sizeof *codes
};

/* NULL: no table has it. */
static const char *
advice_for(const char *name)
{
    const struct check_code *finding = check_find_code(name);
    const struct verify_code *link = verify_find_code(name);

    if (finding != NULL)
        return finding->advice;
    if (link != NULL)
        return link->advice;
    for (size_t i = 0; i < CODE_COUNT; i++)
        if (strcmp(codes[i].name, name) == 0)
            return codes[i].advice;
    return NULL;
}

static size_t
class_of(const struct v2v_error *error)
{
    for (size_t i = 0; i < CLASS_COUNT; i++)
        if (classes[i].class == error->code)
            return i;
    return 0;
}

const char *
code_of(const struct v2v_error *error)
{
    return error->finding != NULL ? error->finding
                                  : classes[class_of(error)].name;
}

const char *
code_advice(const struct v2v_error *error)
{
    const char *advice =
        error->finding != NULL ? advice_for(error->finding) : NULL;

    return advice != NULL ? advice : classes[class_of(error)].advice;
}
