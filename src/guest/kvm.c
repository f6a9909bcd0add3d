/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "base/cleanup.h"

#ifdef __x86_64__

enum {
    CODE_ADDRESS = 0x1000,
    CODE_SIZE = 4096,
    ROUNDS = 100, /* of 20000 instructions each */
    DEADLINE_MS = 100
};

/* 2 million instructions in 100 ms is a hundredth of what any processor with
 * KVM does, and ten times what an interpreter in the kernel does (measured:
 * about one instruction a microsecond). */
static const uint8_t code[] = {
    0xb9, 0x10, 0x27, 0, 0, /* again: mov $10000, %ecx */
    0x49,                   /* spin:  dec %ecx */
    0x75, 0xfd,             /*        jnz spin */
    0xe6, 0x80,             /*        out %al, $0x80: back to us */
    0xeb, 0xf4              /*        jmp again */
};

/* Three Intel pages that a guest of 4 GiB never uses: needed by processors
 * that cannot run a guest without paging by themselves. */
#define TSS_ADDRESS 0xfffbd000UL

struct vm {
    int kvm, fd, vcpu;
    void *memory;
    struct kvm_run *run;
    size_t run_len;
};

static void
vm_done(struct vm *vm)
{
    if (vm->run != NULL)
        munmap(vm->run, vm->run_len);
    if (vm->memory != NULL)
        munmap(vm->memory, CODE_SIZE);
    v2v_auto_fd(&vm->vcpu);
    v2v_auto_fd(&vm->fd);
    v2v_auto_fd(&vm->kvm);
}

static void *
map(int fd, size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
                   fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

static int
vm_make(struct vm *vm)
{
    struct kvm_userspace_memory_region region = { .guest_phys_addr =
                                                      CODE_ADDRESS,
                                                  .memory_size = CODE_SIZE };
    int len = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

    vm->memory = map(-1, CODE_SIZE);
    vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
    if (len < 0 || vm->memory == NULL || vm->fd < 0)
        return -1;
    memcpy(vm->memory, code, sizeof code);
    region.userspace_addr = (uintptr_t)vm->memory;
    if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDRESS) < 0 ||
        ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return -1;
    vm->vcpu = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
    if (vm->vcpu < 0)
        return -1;
    vm->run_len = (size_t)len;
    vm->run = map(vm->vcpu, vm->run_len);
    return vm->run == NULL ? -1 : 0;
}

/* 32-bit protected mode, flat, no paging: the shortest way to code that runs
 * natively everywhere. */
static int
vm_set_registers(struct vm *vm)
{
    struct kvm_regs regs = { .rip = CODE_ADDRESS, .rflags = 2 };
    struct kvm_segment flat = { .limit = 0xffffffff,
                                .selector = 8,
                                .type = 0xb,
                                .present = 1,
                                .db = 1,
                                .s = 1,
                                .g = 1 };
    struct kvm_sregs sregs;

    if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) < 0)
        return -1;
    sregs.cr0 |= 1;
    sregs.cs = flat;
    flat.selector = 16;
    flat.type = 3;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat;
    if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs) < 0)
        return -1;
    return ioctl(vm->vcpu, KVM_SET_REGS, &regs);
}

/* Processor time, so that a busy host is not taken for a broken one. */
static int64_t
cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum kvm_state
vm_run(struct vm *vm, char *why, size_t why_len)
{
    int64_t start = cpu_ms();

    for (int i = 0; i < ROUNDS; i++) {
        if (ioctl(vm->vcpu, KVM_RUN, 0) < 0 && errno != EINTR) {
            snprintf(why, why_len, "KVM_RUN: %s", strerror(errno));
            return KVM_BROKEN;
        }
        if (vm->run->exit_reason != KVM_EXIT_IO &&
            vm->run->exit_reason != KVM_EXIT_INTR) {
            snprintf(why, why_len, "a virtual machine stopped with reason %u",
                     vm->run->exit_reason);
            return KVM_BROKEN;
        }
        if (cpu_ms() - start > DEADLINE_MS) {
            snprintf(why, why_len, "it is slower than software emulation");
            return KVM_BROKEN;
        }
    }
    return KVM_USABLE;
}

static enum kvm_state
try_vm(int kvm, char *why, size_t why_len)
{
    struct vm vm = { .kvm = kvm, .fd = -1, .vcpu = -1 };
    enum kvm_state state = KVM_BROKEN;

    if (vm_make(&vm) < 0 || vm_set_registers(&vm) < 0)
        snprintf(why, why_len, "cannot make a virtual machine: %s",
                 strerror(errno));
    else
        state = vm_run(&vm, why, why_len);
    vm_done(&vm);
    return state;
}

#else

static enum kvm_state
try_vm(int kvm, char *why, size_t why_len)
{
    (void)why;
    (void)why_len;
    close(kvm);
    return KVM_USABLE;
}

#endif

enum kvm_state
kvm_probe(char *why, size_t why_len)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        snprintf(why, why_len, "/dev/kvm: %s", strerror(errno));
        return KVM_ABSENT;
    }
    return try_vm(fd, why, why_len);
}
