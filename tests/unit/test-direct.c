/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parent's side of the direct backend, against a worker that what it read
 * has taken over: this file has direct_work() in place of guest/'s. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "disk/probe.h"
#include "guest/direct-rpc.h"
#include "guest/direct.h"
#include "image/nbd.h"
#include "test-processes.h"
#include "test-tools.h"

enum { DISK_SIZE = 1 << 20 };

/* The worker --------------------------------------------------------------- */

/* As it travels; see rpc.c. */
struct head {
    uint32_t op, refused;
    uint64_t numbers[RPC_NUMBERS], lens[RPC_PARTS];
};

static const struct behaviour *behaviour; /* at the look-up of a name */
static uint8_t boot[512];                 /* first sector of its disk */

struct behaviour {
    void (*act)(int fd);
    const char *text; /* what we say then */
};

/* As sandbox_start() does it. */
static void
end(int status)
{
    syscall(SYS_exit_group, status);
}

static void
say(int fd, struct head head, const char *parts, size_t len)
{
    if (write(fd, &head, sizeof head) != sizeof head ||
        write(fd, parts, len) != (ssize_t)len)
        end(99);
}

static void
open_a_file(int fd)
{
    (void)fd;
    open("/etc/passwd", O_RDONLY);
}

static void
leave(int fd)
{
    (void)fd;
    end(7);
}

#ifndef __SANITIZE_ADDRESS__ /* which has its own way to die */
static void
crash(int fd)
{
    (void)fd;
    *(volatile char *)(uintptr_t)behaviour->text = 0; /* not to be written */
}
#endif

static void
say_nothing(int fd)
{
    char byte;

    while (read(fd, &byte, 1) > 0)
        continue;
}

static void
say_half(int fd)
{
    const struct head head = { .op = DIRECT_LOOKUP, .lens = { 100 } };

    say(fd, head, "x", 1);
    say_nothing(fd);
}

/* A byte now and then, and never all. */
static void
drip(int fd)
{
    const struct head head = { .op = DIRECT_LOOKUP, .lens = { 100 } };

    say(fd, head, "x", 1);
    for (;;) {
        poll(NULL, 0, 300);
        if (write(fd, "x", 1) != 1)
            end(99);
    }
}

static void
stay(void)
{
    for (;;)
        poll(NULL, 0, -1);
}

static void
hang_up_and_stay(int fd)
{
    shutdown(fd, SHUT_RDWR);
    stay();
}

static void
leave_in_the_middle(int fd)
{
    const struct head head = { .op = DIRECT_LOOKUP, .lens = { 100 } };

    say(fd, head, "x", 1);
    end(0);
}

static void
say_noise(int fd)
{
    char noise[4096];

    memset(noise, 0xa5, sizeof noise);
    if (write(fd, noise, sizeof noise) < 0)
        end(99);
}

static void
answer_to_something_else(int fd)
{
    say(fd, (struct head){ .op = DIRECT_READ, .lens = { 1 } }, "x", 1);
}

static void
say_much(int fd)
{
    say(fd, (struct head){ .op = DIRECT_LOOKUP, .lens = { UINT64_MAX } }, "",
        0);
}

static void
say_a_part_more(int fd)
{
    say(fd, (struct head){ .op = DIRECT_LOOKUP, .lens = { 1, 1 } }, "xx", 2);
}

static void
say_a_number_more(int fd)
{
    say(fd,
        (struct head){
            .op = DIRECT_LOOKUP, .numbers = { 1, 1, 1, 1 }, .lens = { 1 } },
        "x", 1);
}

static void
say_a_nul(int fd)
{
    say(fd, (struct head){ .op = DIRECT_LOOKUP, .lens = { 3 } }, "a\0b", 3);
}

static void
lead_elsewhere(int fd)
{
    say(fd, (struct head){ .op = DIRECT_LOOKUP, .lens = { 4 } }, "../x", 4);
}

static void
lead_up(int fd)
{
    say(fd, (struct head){ .op = DIRECT_LOOKUP, .lens = { 2 } }, "..", 2);
}

static void
say_what_it_is_not(int fd)
{
    say(fd,
        (struct head){
            .op = DIRECT_LOOKUP, .numbers = { 1 << 20 }, .lens = { 1 } },
        "x", 1);
}

/* Of a class that only we may say, with a finding that is none. */
static void
refuse(int fd)
{
    say(fd,
        (struct head){ .op = DIRECT_LOOKUP,
                       .refused = 1,
                       .numbers = { V2V_ERR_USAGE },
                       .lens = { 11, 3 } },
        "a\033[2Jb\n%n%sxyz", 14);
}

/* Only then. */
static void
stay_at_the_end(int fd)
{
    say(fd, (struct head){ .op = DIRECT_LOOKUP, .lens = { 1 } }, "x", 1);
}

#define DIED "the process that reads the file system died (signal "
#define NONSENSE "the process that reads the file system talks nonsense: "

static const struct behaviour behaviours[] = {
    { open_a_file, (DIED "31, Bad system call: it tried what it may not); "
                         "--backend libguestfs goes another way") },
    { leave, "the process that reads the file system ended (exit status 7)" },
#ifndef __SANITIZE_ADDRESS__
    { crash, (DIED "11, Segmentation fault)") },
#endif
    { say_nothing, ("the process that reads the file system did not answer for "
                    "1 s; --backend libguestfs goes another way") },
    { say_half, ("the process that reads the file system did not answer for 1 "
                 "s") },
    { drip, "the process that reads the file system did not answer for 1 s" },
    { hang_up_and_stay, (DIED "9, Killed)") },
    { leave_in_the_middle,
      "the process that reads the file system ended (exit status 0)" },
    { say_noise, (NONSENSE "an answer to something else; --backend libguestfs "
                           "goes another way") },
    { answer_to_something_else, (NONSENSE "an answer to something else") },
    { say_much, (NONSENSE "a part that is too long") },
    { say_a_part_more, (NONSENSE "a part that is too long") },
    { say_a_number_more, (NONSENSE "a number too many") },
    { say_a_nul, (NONSENSE "a text with a NUL") },
};

/* These leave the worker as it was. */
static const struct behaviour lies[] = {
    { lead_elsewhere, "\"../x\" is no name of a file" },
    { lead_up, "\"..\" is no name of a file" },
    { say_what_it_is_not, "no kind of a file" },
    { refuse, "looking up a name: a?[2Jb?%n%s" },
};

static void
answer(int fd, const struct rpc_message *m)
{
    static uint8_t bytes[DISK_READ_MAX];
    struct rpc_message a = { .op = m->op };

    memset(bytes, 0, sizeof bytes);
    if (m->numbers[0] == 0)
        memcpy(bytes, boot, sizeof boot);

    if (m->op == DIRECT_HELLO)
        a.numbers[0] = DISK_SIZE;
    if (m->op == DIRECT_DISK_READ)
        a.parts[0] = (struct rpc_part){ bytes, (size_t)m->numbers[1] };
    if (m->op == DIRECT_LOOKUP)
        behaviour->act(fd);
    else if (rpc_answer(fd, &direct_protocol, &a, NULL) < 0)
        end(98);
}

int
direct_work(int fd, int nbd, bool write)
{
    (void)nbd;
    (void)write;
    for (;;) {
        V2V_AUTO(rpc_message) struct rpc_message question = { 0 };

        if (rpc_next(fd, &direct_protocol, &question, NULL) <= 0)
            return 1;
        answer(fd, &question);
        if (question.op == DIRECT_CLOSE && behaviour->act == stay_at_the_end)
            stay();
        if (question.op == DIRECT_CLOSE)
            return 0;
    }
}

/* Us ----------------------------------------------------------------------- */

static struct guest *
opened(void)
{
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/disk", top);
    const struct guest_disk_source disk = { .image = path,
                                            .format = "raw",
                                            .read_only = true };
    const struct guest_machine machine = { .backend = GUEST_DIRECT,
                                           .disks = &disk,
                                           .count = 1 };
    struct guest *guest = NULL;
    struct v2v_error err = { 0 };

    memset(boot, 0, sizeof boot);
    memcpy(boot + 3, "NTFS    ", 8);
    boot[510] = 0x55;
    boot[511] = 0xaa;
    if (guest_open(&machine, &guest, &err) < 0 ||
        guest_mount(guest, 0, 0, false, &err) < 0)
        fail_msg("%s", err.text);
    return guest;
}

static void
fails(struct guest *guest, const char *text)
{
    struct guest_stat stat;
    struct v2v_error err = { 0 };

    assert_int_equal(guest_stat(guest, "Windows", &stat, &err), -1);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    assert_int_equal(err.code, V2V_ERR_INTERNAL);
    assert_null(err.finding);
}

static void
test_it_is_the_end(void **state)
{
    int before = open_descriptors();

    (void)state;
    direct_patience = 1;
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
        struct guest *guest;
        struct v2v_error err = { 0 };

        behaviour = &behaviours[i];
        guest = opened();
        fails(guest, behaviour->text);
        /* from now on, and with the same words */
        fails(guest, behaviour->text);
        assert_int_equal(guest_close(guest, &err), -1);
        assert_int_equal(err.code, V2V_ERR_INTERNAL);
        assert_int_equal(open_descriptors(), before);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
}

static void
test_it_lies(void **state)
{
    int before = open_descriptors();

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct guest *guest;
        struct v2v_error err = { 0 };

        behaviour = &lies[i];
        guest = opened();
        fails(guest, behaviour->text);
        if (guest_close(guest, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(open_descriptors(), before);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
}

static void
test_it_is_given_up(void **state)
{
    (void)state;
    behaviour = &behaviours[0];
    guest_abandon(opened());
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
test_it_does_not_leave(void **state)
{
    static const struct behaviour stays = { stay_at_the_end, NULL };
    struct v2v_error err = { 0 };

    (void)state;
    direct_patience = 1;
    behaviour = &stays;
    assert_int_equal(guest_close(opened(), &err), -1);
    assert_non_null(strstr(err.text, "(signal 9, Killed)"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* What is not served ------------------------------------------------------- */

static int
make_disk(void **state)
{
    alarm(60);
    return make_top(state) < 0 || !run("truncate -s 1M disk") ? -1 : 0;
}

static void
test_what_is_not_served(void **state)
{
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/disk", top);
    const struct guest_disk_source disks[2] = {
        { .image = path, .format = "raw", .read_only = true }
    };
    struct guest_machine machine = { .backend = GUEST_DIRECT,
                                     .disks = disks,
                                     .count = 2 };
    struct guest *guest = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(guest_open(&machine, &guest, &err), -1);
    assert_non_null(strstr(err.text, "the machine has 2 disks"));
    assert_int_equal(err.code, V2V_ERR_USAGE);
    machine.count = 1;
    memset(boot, 0, sizeof boot);
    memcpy(boot + 3, "-FVE-FS-", 8);
    boot[510] = 0x55;
    boot[511] = 0xaa;
    assert_int_equal(guest_open(&machine, &guest, &err), -1);
    assert_non_null(strstr(err.text,
                           "/disk: --backend direct does not serve it "
                           "(partition 0: BitLocker): leave that option out"));
    memset(boot, 0, 510);
    boot[446 + 4] = 0x8e;
    boot[446 + 8] = 1;
    boot[446 + 12] = 9;
    assert_int_equal(guest_open(&machine, &guest, &err), -1);
    assert_non_null(strstr(err.text, "(partition 1: LVM)"));
    boot[446 + 4] = 0x42;
    assert_int_equal(guest_open(&machine, &guest, &err), -1);
    assert_non_null(strstr(err.text, "(partition 1: dynamic disk (LDM))"));
    assert_null(guest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_the_end),
        cmocka_unit_test(test_it_lies),
        cmocka_unit_test(test_it_is_given_up),
        cmocka_unit_test(test_it_does_not_leave),
        cmocka_unit_test(test_what_is_not_served),
    };

    return cmocka_run_group_tests(tests, make_disk, remove_top);
}
