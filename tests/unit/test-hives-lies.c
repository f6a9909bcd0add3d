/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks about a hive, against a process that what it read has taken over:
 * this file has hives_work() in place of hives/'s. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "hives/private.h"
#include "test-processes.h"

/* As it travels; see rpc.c. */
struct head {
    uint32_t op, refused;
    uint64_t numbers[RPC_NUMBERS], lens[RPC_PARTS];
};

struct lie {
    unsigned op; /* at this question */
    struct head head;
    const char *part;
    void (*act)(void); /* instead of an answer */
    const char *text;  /* what we say then */
};

static const struct lie *lie;
static int saved; /* the pipe */

static void
open_a_file(void)
{
    open("/etc/passwd", O_RDONLY);
}

#ifndef __SANITIZE_ADDRESS__ /* which has its own way to die */
static void
fail_an_assertion(void)
{
    abort();
}
#endif

static void
leave(void)
{
    syscall(SYS_exit_group, 7);
}

static void
hang(void)
{
    for (;;)
        poll(NULL, 0, -1);
}

/* Of a hive that never ends. */
static void
drip(void)
{
    while (write(saved, "x", 1) == 1)
        poll(NULL, 0, 300);
}

#define WHO "the process that parses the hive Windows/X "
#define NONSENSE WHO "talks nonsense: "

/* At each question another; the first is the opening. */
static const struct lie lies[] = {
    { HIVES_OPEN,
      { .op = HIVES_OPEN, .numbers = { 3 } },
      "",
      NULL,
      (NONSENSE "a replay that is none") },
    { HIVES_OPEN,
      { .op = HIVES_OPEN, .numbers = { 0, UINT64_MAX } },
      "",
      NULL,
      (NONSENSE "a replay that is none") },
    { HIVES_OPEN,
      { .op = HIVES_OPEN, .numbers = { 0, 0, 0, 0, 1 } },
      "",
      NULL,
      (NONSENSE "a number too many") },
    { HIVES_OPEN, { 0 }, NULL, leave, (WHO "ended (exit status 7); ") },
    { HIVES_HAS_KEY,
      { .op = HIVES_HAS_KEY, .numbers = { 2 } },
      "",
      NULL,
      (NONSENSE "a key that is half there") },
    { HIVES_CHILDREN,
      { .op = HIVES_CHILDREN, .lens = { 1 } },
      "x",
      NULL,
      (NONSENSE "names without an end") },
    { HIVES_CHILDREN,
      { .op = HIVES_CHILDREN, .lens = { 4 } },
      "x\0\xff",
      NULL,
      (NONSENSE "a name that is no UTF-8") },
    { HIVES_CHILDREN,
      { .op = HIVES_CHILDREN, .lens = { UINT64_MAX } },
      "",
      NULL,
      (NONSENSE "a part that is too long") },
    { HIVES_CHILDREN,
      { .op = HIVES_OPS, .lens = { 1 } },
      "x",
      NULL,
      (NONSENSE "an answer to something else") },
    { HIVES_GET,
      { .op = HIVES_GET, .numbers = { UINT64_C(1) << 32 } },
      "",
      NULL,
      (NONSENSE "a type that is none") },
    { HIVES_GET,
      { .op = HIVES_GET, .lens = { 64 << 20, 1 } },
      "",
      NULL,
      (NONSENSE "a part that is too long") },
    { HIVES_GET,
      { .op = HIVES_GET, .lens = { 100 } },
      "x",
      NULL,
      (WHO "did not answer for 1 s; ") },
    { HIVES_GET,
      { 0 },
      NULL,
      open_a_file,
      (WHO "died (signal 31, Bad system call: it tried what it may not); ") },
#ifndef __SANITIZE_ADDRESS__
    { HIVES_GET, { 0 }, NULL, fail_an_assertion, (WHO "died (signal ") },
#endif
    { HIVES_GET, { 0 }, NULL, hang, (WHO "did not answer for 1 s; ") },
    { HIVES_EDIT,
      { .op = HIVES_EDIT, .lens = { 1 } },
      "x",
      NULL,
      (NONSENSE "a part that is too long") },
    { HIVES_APPLY,
      { .op = HIVES_APPLY, .numbers = { 1 } },
      "",
      NULL,
      (NONSENSE "a number too many") },
    { HIVES_SAVE,
      { .op = HIVES_SAVE },
      "",
      NULL,
      (NONSENSE "a hive without a byte") },
    { HIVES_SAVE,
      { .op = HIVES_SAVE, .numbers = { 1 } },
      "",
      NULL,
      (NONSENSE "a number too many") },
    { HIVES_SAVE, { 0 }, NULL, hang, (WHO "did not answer for 1 s; ") },
    { HIVES_SAVE, { 0 }, NULL, drip, (WHO "did not answer for 1 s; ") },
    { HIVES_SAVE, { 0 }, NULL, leave, (WHO "ended (exit status 7); ") },
};

/* The worker --------------------------------------------------------------- */

static void
answer(int fd, const struct rpc_message *question)
{
    struct rpc_message m = { .op = question->op };

    if (question->op == HIVES_SAVE) {
        if (write(saved, "short", 5) != 5)
            syscall(SYS_exit_group, 97);
        close(saved);
    }
    if (question->op == HIVES_GET)
        m.parts[0] = (struct rpc_part){ "data", 4 };
    if (rpc_answer(fd, &hives_protocol, &m, NULL) < 0)
        syscall(SYS_exit_group, 98);
}

static void
lie_now(int fd)
{
    size_t len = lie->part[0] == '\0' ? 0 : (size_t)lie->head.lens[0];

    if (len > 4)
        len = 1;
    if (lie->op == HIVES_SAVE)
        close(saved);
    if (write(fd, &lie->head, sizeof lie->head) != sizeof lie->head ||
        write(fd, lie->part, len) != (ssize_t)len)
        syscall(SYS_exit_group, 99);
}

int
hives_work(int fd, int pipe, const struct hives_source *source)
{
    (void)source;
    saved = pipe;
    for (;;) {
        V2V_AUTO(rpc_message) struct rpc_message question = { 0 };

        if (rpc_next(fd, &hives_protocol, &question, NULL) <= 0)
            return 1;
        if (question.op != lie->op)
            answer(fd, &question);
        else if (lie->act != NULL)
            lie->act();
        else
            lie_now(fd);
    }
}

/* Us ----------------------------------------------------------------------- */

/* Each question once; the first failure ends it. */
static int
ask_all(struct reg_hive *hive, struct v2v_error *err)
{
    V2V_AUTO(reg_edits) struct reg_edits edits = { 0 };
    const struct reg_place at = { &edits, REG_SYSTEM, "A", "test" };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    uint32_t type;

    return reg_dword(&at, "x", 1, err) < 0 || reg_has_key(hive, "A", err) < 0 ||
                   reg_children(hive, "A", &names, err) < 0 ||
                   reg_value_names(hive, "A", &names, err) < 0 ||
                   reg_get(hive, "A", "x", &type, &data, err) < 0 ||
                   reg_hive_apply(hive, REG_SYSTEM, &edits, err) < 0 ||
                   reg_hive_save(hive, &data, err) < 0
               ? -1
               : 0;
}

static void
check_error(const struct v2v_error *err)
{
    assert_int_equal(err->code, V2V_ERR_INTERNAL);
    assert_non_null(err->finding);
    assert_string_equal(err->finding, "hive-parser-died");
    if (strstr(err->text, lie->text) == NULL ||
        strstr(err->text, "restore it from a backup") == NULL)
        fail_msg("\"%s\" is not in \"%s\"", lie->text, err->text);
}

static void
test_it_is_the_end(void **state)
{
    int before = open_descriptors();

    (void)state;
    hives_patience = 1;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const struct hives_source source = { .name = "Windows/X",
                                             .data = "",
                                             .len = 0 };
        V2V_AUTO(reg_hive) struct reg_hive *hive = NULL;
        struct v2v_error err = { 0 };

        lie = &lies[i];
        if (hives_open(&source, NULL, &hive, &err) == 0) {
            assert_true(lie->op != HIVES_OPEN);
            assert_int_equal(ask_all(hive, &err), -1);
            check_error(&err);
            /* from now on, and with the same words */
            err = (struct v2v_error){ 0 };
            assert_int_equal(reg_has_key(hive, "A", &err), -1);
            check_error(&err);
            err = (struct v2v_error){ 0 };
            assert_int_equal(reg_hive_answered(hive, &err), -1);
        } else
            assert_null(hive);
        check_error(&err);
        reg_hive_close(v2v_steal(hive));
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(open_descriptors(), before);
    }
}

/* What it refuses is no end, whatever it says. */
static void
test_it_refuses(void **state)
{
    static const struct lie refusal = { HIVES_CHILDREN,
                                        { .op = HIVES_CHILDREN,
                                          .refused = 1,
                                          .numbers = { V2V_ERR_USAGE },
                                          .lens = { 4 } },
                                        "a\033%n",
                                        NULL,
                                        NULL };
    const struct hives_source source = { .name = "Windows/X", .data = "" };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(reg_hive) struct reg_hive *hive = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    lie = &refusal;
    assert_int_equal(hives_open(&source, NULL, &hive, &err), 0);
    assert_int_equal(reg_children(hive, "A", &names, &err), -1);
    assert_int_equal(err.code, V2V_ERR_INTERNAL); /* no word for us to use */
    assert_null(err.finding);
    assert_string_equal(err.text, "a?%n");
    assert_int_equal(reg_hive_answered(hive, &err), 0);
    assert_int_equal(reg_has_key(hive, "A", &err), 0);
}

static void
test_it_saves_less(void **state)
{
    static const struct lie none = { HIVES_OPS, { 0 }, NULL, NULL, NULL };
    const struct hives_source source = { .name = "Windows/X", .data = "" };
    V2V_AUTO(reg_hive) struct reg_hive *hive = NULL;
    V2V_AUTO(hives_file) struct hives_file *file = NULL;
    V2V_AUTO(ranges) struct v2v_ranges changed = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    lie = &none;
    assert_int_equal(hives_file_new(&file, &err), 0);
    assert_int_equal(hives_file_write(file, "longer", 6, 0, &err), 0);
    assert_int_equal(hives_open(&source, NULL, &hive, &err), 0);
    assert_int_equal(hives_save(hive, file, &changed, &err), -1);
    assert_string_equal(err.text, "the edited hive has 5 bytes, and had 6");
    assert_int_equal(err.code, V2V_ERR_INTERNAL);
}

/* What comes through a pipe -------------------------------------------------*/

static int
count(void *opaque, const void *data, size_t len, struct v2v_error *err)
{
    size_t *sum = opaque;

    (void)data;
    *sum += len;
    return *sum == 7 ? v2v_fail(err, V2V_ERR_INTERNAL, "seven") : 0;
}

static void
test_streams(void **state)
{
    static const struct {
        size_t len;
        bool ends;
        enum rpc_outcome outcome;
        const char *text;
    } cases[] = {
        { 0, true, RPC_ANSWERED, "" },
        { 6, true, RPC_ANSWERED, "" },
        { 7, true, RPC_REFUSED, "seven" },
        { 9, true, RPC_NONSENSE, "more bytes than there can be" },
        { 6, false, RPC_SILENT, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct v2v_error err = { 0 };
        size_t sum = 0;
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "123456789", cases[i].len),
                         cases[i].len);
        if (cases[i].ends)
            close(ends[1]);
        assert_int_equal(rpc_stream(ends[0], 1, 8, count, &sum, &err),
                         cases[i].outcome);
        assert_string_equal(err.text, cases[i].text);
        if (cases[i].outcome == RPC_ANSWERED)
            assert_int_equal(sum, cases[i].len);
        if (!cases[i].ends)
            close(ends[1]);
        close(ends[0]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_the_end),
        cmocka_unit_test(test_it_refuses),
        cmocka_unit_test(test_it_saves_less),
        cmocka_unit_test(test_streams),
    };

    alarm(100);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
