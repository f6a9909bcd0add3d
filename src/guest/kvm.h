/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/kvm.h - can this host's KVM be used?
 *
 * A /dev/kvm that is there may still be useless: KVM may refuse to make a
 * virtual machine (another hypervisor owns the processor), or run one by
 * interpreting each instruction (some nested hosts), so that the appliance
 * hangs for hours in its own unpacking.  libguestfs notices neither.
 */
#ifndef V2V_GUEST_KVM_H
#define V2V_GUEST_KVM_H

#include <stddef.h>

enum kvm_state {
    KVM_USABLE,
    KVM_ABSENT, /* no /dev/kvm, or we may not open it */
    KVM_BROKEN  /* it is there, but runs nothing, or at a crawl */
};

/**
 * kvm_probe() - run some million instructions in a virtual machine
 * @why: of @why_len bytes; unless KVM_USABLE the reason, one line
 *
 * Takes some milliseconds of processor time, a tenth of a second where KVM
 * crawls.  On other processors than x86-64 it only opens the device.
 *
 * Source: the Linux kernel's Documentation/virt/kvm/api.rst.
 */
enum kvm_state kvm_probe(char *why, size_t why_len);

#endif
