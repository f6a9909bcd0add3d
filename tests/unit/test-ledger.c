/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"
#include "batch/ledger.h"

static const size_t lines[] = { 2, 3, 5 };
static const char *const identities[] = { "/a", "/b'; --", "domain c" };
static const struct ledger_batch about = { .manifest = "/m.csv",
                                           .digest = "d1",
                                           .command = "inject",
                                           .options = "[\"--no-undo\"]",
                                           .program = "test" };

static char folder[] = "/tmp/v2v-ledger.XXXXXX";
static char path[64], results[64];

static int
setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/v2v-ledger.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/m.csv.ledger", folder);
    snprintf(results, sizeof results, "%s/results", folder);
    return mkdir(results, 0777);
}

static int
teardown(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : -1;
}

static struct ledger *
create(void)
{
    struct ledger *ledger = NULL;
    struct v2v_error err = { 0 };

    if (ledger_create(path, &about, lines, identities, 3, &ledger, &err) < 0)
        fail_msg("%s", err.text);
    return ledger;
}

/* "2 /a waiting 0" and what the result says. */
static int
dump(const struct ledger_item *item, void *opaque, struct v2v_error *err)
{
    const struct result *r = item->result;
    struct v2v_bytes *text = opaque;

    if (v2v_bytes_printf(text, err, "%zu %s %s %u", item->line, item->identity,
                         ledger_state_name(item->state), item->attempts) < 0)
        return -1;
    if (item->interrupted != NULL &&
        v2v_bytes_printf(text, err, " since %s", item->interrupted) < 0)
        return -1;
    if (r != NULL &&
        v2v_bytes_printf(text, err, " [%u %s %s %.1f %d/%d %s %s %s %s]",
                         r->attempt, r->started, r->ended, r->seconds,
                         r->exit_status, r->signal,
                         r->code != NULL ? r->code : "-",
                         r->message != NULL ? r->message : "-",
                         r->backend != NULL ? r->backend : "-",
                         r->document != NULL ? r->document : "-") < 0)
        return -1;
    return v2v_bytes_printf(text, err, "\n");
}

static void
assert_says(struct ledger *ledger, const char *expected)
{
    struct v2v_bytes text = { 0 };
    struct v2v_error err = { 0 };

    if (ledger_each(ledger, dump, &text, &err) < 0)
        fail_msg("%s", err.text);
    v2v_bytes_add(&text, "", 1, NULL);
    assert_string_equal((const char *)text.data, expected);
    v2v_bytes_done(&text);
}

/* A run that ended, with that status as waitpid() has it. */
static struct result
ended(size_t line, unsigned attempt, int status, const char *document)
{
    struct result result = { .line = line,
                             .attempt = attempt,
                             .started = "2026-01-01T00:00:00.000Z",
                             .ended = "2026-01-01T00:00:01.500Z",
                             .seconds = 1.5 };
    struct v2v_error err = { 0 };

    result.host = v2v_strdup("here", NULL);
    if (result_judge(status, document, strlen(document), &result, &err) < 0)
        fail_msg("%s", err.text);
    return result;
}

static void
end(struct ledger *ledger, struct result result)
{
    struct v2v_error err = { 0 };

    if (ledger_end(ledger, &result, ledger_state_after(&result), &err) < 0)
        fail_msg("%s", err.text);
    result_done(&result);
}

static const char document_done[] =
    "{\"status\":\"done\",\"backend\":{\"name\":\"direct\"}}";
static const char document_refused[] =
    "{\"error\":{\"exit_status\":3,\"code\":\"hibernated\",\"text\":\"it "
    "sleeps\"},\"backend\":null}";

static void
test_life(void **state)
{
    struct ledger *ledger = create();

    (void)state;
    assert_says(ledger, "2 /a waiting 0\n3 /b'; -- waiting 0\n"
                        "5 domain c waiting 0\n");
    assert_int_equal(
        ledger_begin(ledger, 2, 1, "2026-01-01T00:00:00.000Z", NULL), 0);
    assert_int_equal(
        ledger_begin(ledger, 3, 1, "2026-01-01T00:00:00.000Z", NULL), 0);
    end(ledger, ended(2, 1, 0, document_done));
    end(ledger, ended(5, 1, 3 << 8, document_refused));
    ledger_close(ledger);

    assert_int_equal(ledger_open(path, true, &ledger, NULL), 0);
    assert_string_equal(ledger_batch(ledger)->digest, "d1");
    assert_string_equal(ledger_batch(ledger)->options, "[\"--no-undo\"]");
    assert_says(
        ledger,
        "2 /a done 1 [1 "
        "2026-01-01T00:00:00.000Z 2026-01-01T00:00:01.500Z 1.5 0/0 - - direct "
        "{\"status\":\"done\",\"backend\":{\"name\":\"direct\"}}]\n"
        "3 /b'; -- running 1 since 2026-01-01T00:00:00.000Z\n"
        "5 domain c failed 1 [1 "
        "2026-01-01T00:00:00.000Z 2026-01-01T00:00:01.500Z 1.5 3/0 hibernated "
        "it sleeps - "
        "{\"error\":{\"exit_status\":3,\"code\":\"hibernated\",\"text\":\"it "
        "sleeps\"},\"backend\":null}]\n");
    ledger_close(ledger);
}

static void
test_judged(void **state)
{
    static const char blocked[] =
        "{\"status\":\"blocked\",\"findings\":["
        "{\"code\":\"a\",\"severity\":\"warns\",\"allowed\":false},"
        "{\"code\":\"b\",\"severity\":\"blocks\",\"allowed\":true},"
        "{\"code\":\"c\",\"severity\":\"blocks\",\"allowed\":false,"
        "\"evidence\":\"why c\"}]}";
    static const struct {
        int status;
        const char *document, *code, *message;
        enum ledger_state state;
        enum v2v_error_code class;
    } cases[] = {
        { 0, document_done, NULL, NULL, LEDGER_DONE, V2V_OK },
        { 0, "", NULL, NULL, LEDGER_DONE, V2V_OK },
        { 3 << 8, document_refused, "hibernated", "it sleeps", LEDGER_FAILED,
          V2V_ERR_GUEST },
        { 4 << 8, blocked, "c", "why c", LEDGER_FAILED, V2V_ERR_DRIVER },
        { 75 << 8, "{\"error\":{\"code\":\"image-in-use\",\"text\":\"x\"}}",
          "image-in-use", "x", LEDGER_AGAIN, V2V_ERR_BUSY },
        { 2 << 8, "{\"error\":{\"code\":\"direct-not-served\",\"text\":\"x\"}}",
          "direct-not-served", "x", LEDGER_AGAIN, V2V_ERR_USAGE },
        { 1 << 8, "{\"half", "internal",
          "no report; its messages may tell more", LEDGER_FAILED,
          V2V_ERR_INTERNAL },
        { 99 << 8, "[]", "internal", "no report; its messages may tell more",
          LEDGER_FAILED, V2V_ERR_INTERNAL },
        { SIGTERM, "", "interrupted", "it was told to end before it was done",
          LEDGER_AGAIN, V2V_ERR_INTERNAL },
        { SIGKILL, document_done, "killed",
          "killed by signal 9 (Killed): was memory short?", LEDGER_FAILED,
          V2V_ERR_INTERNAL },
        { SIGSEGV, "", "killed", "killed by signal 11 (Segmentation fault)",
          LEDGER_FAILED, V2V_ERR_INTERNAL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct result r = ended(2, 1, cases[i].status, cases[i].document);

        assert_true(WIFSIGNALED(cases[i].status)
                        ? r.exit_status == -1 &&
                              r.signal == WTERMSIG(cases[i].status)
                        : r.exit_status == WEXITSTATUS(cases[i].status));
        if (cases[i].code == NULL)
            assert_null(r.code);
        else
            assert_string_equal(r.code, cases[i].code);
        if (cases[i].message == NULL)
            assert_null(r.message);
        else
            assert_string_equal(r.message, cases[i].message);
        assert_int_equal(ledger_state_after(&r), cases[i].state);
        assert_int_equal(result_class(&r), cases[i].class);
        result_done(&r);
    }
}

/* Who runs it has killed it: so is one that a signal ended, and only that. */
static void
test_say_interrupted(void **state)
{
    struct result killed = ended(2, 1, SIGKILL, "");
    struct result before = ended(2, 1, 3 << 8, document_refused);

    (void)state;
    assert_int_equal(result_say_interrupted(&killed, NULL), 0);
    assert_string_equal(killed.code, "interrupted");
    assert_int_equal(killed.signal, SIGKILL);
    assert_int_equal(ledger_state_after(&killed), LEDGER_AGAIN);
    assert_int_equal(result_say_interrupted(&before, NULL), 0);
    assert_string_equal(before.code, "hibernated");
    result_done(&killed);
    result_done(&before);
}

static void
test_message_beside(void **state)
{
    static const struct {
        const char *message, *identity, *shown;
    } cases[] = {
        { "/a.raw: no Windows", "/a.raw", "no Windows" },
        { "/a.raw: no Windows", "/a", "/a.raw: no Windows" },
        { "/a.raw", "/a.raw", "/a.raw" },
        { "overlay: /a.raw: full", "/a.raw", "overlay: /a.raw: full" },
        { NULL, "/a.raw", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[64] = "";
        const struct result r = { .message = cases[i].message != NULL ? message
                                                                      : NULL };

        if (r.message != NULL)
            snprintf(message, sizeof message, "%s", cases[i].message);
        assert_string_equal(result_message_beside(&r, cases[i].identity),
                            cases[i].shown);
    }
}

static void
write_result(struct result result, const char *batch)
{
    struct v2v_error err = { 0 };

    if (result_write(results, batch, &result, &err) < 0)
        fail_msg("%s", err.text);
    result_done(&result);
}

/* The files alone are enough, and what is told twice is told once. */
static void
test_collect(void **state)
{
    static const char after[] =
        "2 /a done 1 [1 "
        "2026-01-01T00:00:00.000Z 2026-01-01T00:00:01.500Z 1.5 0/0 - - direct "
        "{\"status\":\"done\",\"backend\":{\"name\":\"direct\"}}]\n"
        "3 /b'; -- again 4 since 2026-01-01T00:00:00.000Z [4 "
        "2026-01-01T00:00:00.000Z 2026-01-01T00:00:01.500Z 1.5 -1/15 "
        "interrupted it was told to end before it was done - -]\n"
        "5 domain c waiting 0\n";
    struct ledger *ledger = create();
    struct v2v_error err = { 0 };

    (void)state;
    write_result(ended(2, 1, 0, document_done), "d1");
    write_result(ended(3, 4, SIGTERM, ""), "d1");
    write_result(ended(5, 1, 0, document_done), "of another manifest");
    for (int i = 0; i < 2; i++) {
        if (ledger_collect(ledger, results, &err) < 0)
            fail_msg("%s", err.text);
        assert_says(ledger, after);
    }
    /* an older file does not undo what the ledger knows */
    end(ledger, ended(3, 5, 0, ""));
    assert_int_equal(ledger_collect(ledger, results, NULL), 0);
    end(ledger, ended(5, 1, 0, ""));
    ledger_close(ledger);
    assert_int_equal(ledger_open(path, false, &ledger, NULL), 0);
    assert_says(ledger,
                "2 /a done 1 [1 "
                "2026-01-01T00:00:00.000Z 2026-01-01T00:00:01.500Z 1.5 0/0 - - "
                "direct "
                "{\"status\":\"done\",\"backend\":{\"name\":\"direct\"}}]\n"
                "3 /b'; -- done 5 [5 "
                "2026-01-01T00:00:00.000Z 2026-01-01T00:00:01.500Z 1.5 0/0 - - "
                "- -]\n"
                "5 domain c done 1 [1 "
                "2026-01-01T00:00:00.000Z 2026-01-01T00:00:01.500Z 1.5 0/0 - - "
                "- -]\n");
    ledger_close(ledger);
}

/* Since when a line may have been changed by a run of which nobody knows. */
static void
test_interrupted(void **state)
{
    static const char *const starts[] = { "2026-01-01T00:00:00.000Z",
                                          "2026-01-02T00:00:00.000Z",
                                          "2026-01-03T00:00:00.000Z" };
    struct result told = ended(2, 3, SIGINT, "");
    struct ledger *ledger = create();

    (void)state;
    strcpy(told.started, starts[2]);
    assert_int_equal(ledger_begin(ledger, 2, 1, starts[0], NULL), 0);
    end(ledger, ended(2, 1, 3 << 8, ""));
    for (unsigned i = 1; i < 3; i++)
        assert_int_equal(ledger_begin(ledger, 2, i + 1, starts[i], NULL), 0);
    end(ledger, told);
    assert_says(ledger, "2 /a again 3 since 2026-01-02T00:00:00.000Z [3 "
                        "2026-01-03T00:00:00.000Z 2026-01-01T00:00:01.500Z 1.5 "
                        "-1/2 interrupted it was told to end before it was "
                        "done - -]\n"
                        "3 /b'; -- waiting 0\n5 domain c waiting 0\n");
    ledger_close(ledger);
}

static void
test_damaged_result(void **state)
{
    struct result result = { 0 };
    struct ledger *ledger = create();
    struct v2v_error err = { 0 };
    char name[128];

    (void)state;
    snprintf(name, sizeof name, "%s/2.json", results);
    assert_int_equal(v2v_file_replace(name, "{\"schema\":", 10, &err), 0);
    assert_int_equal(result_read(results, "d1", 2, &result, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_int_equal(result_read(results, "d1", 3, &result, &err), -1);
    assert_int_equal(err.code, V2V_ERR_NOT_FOUND);
    assert_int_equal(ledger_collect(ledger, results, &err), 0);
    assert_says(ledger, "2 /a waiting 0\n3 /b'; -- waiting 0\n"
                        "5 domain c waiting 0\n");
    ledger_close(ledger);
}

static void
test_not_ours(void **state)
{
    struct ledger *ledger = NULL;
    struct v2v_error err = { 0 };
    char text[256], expected[256];

    (void)state;
    assert_int_equal(ledger_open(path, true, &ledger, &err), -1);
    assert_int_equal(err.code, V2V_ERR_NOT_FOUND);

    assert_int_equal(v2v_file_replace(path, "noise", 5, &err), 0);
    assert_int_equal(ledger_open(path, true, &ledger, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_int_equal(
        ledger_create(path, &about, lines, identities, 3, &ledger, &err), -1);
    assert_int_equal(err.code, V2V_ERR_USAGE); /* it stays */
    snprintf(expected, sizeof expected, "%s: is there already", path);
    assert_string_equal(err.text, expected);

    unlink(path);
    ledger_close(create());
    snprintf(text, sizeof text, "sqlite3 '%s' 'PRAGMA user_version = 7'", path);
    if (system("command -v sqlite3 >/dev/null") == 0) {
        assert_int_equal(system(text), 0);
        assert_int_equal(ledger_open(path, true, &ledger, &err), -1);
        snprintf(expected, sizeof expected,
                 "%s: a ledger of version 7; this program knows 1", path);
        assert_string_equal(err.text, expected);
    }
}

/* The lock of one process keeps the other out, and goes with it. */
static void
test_lock(void **state)
{
    struct v2v_error err = { 0 };
    int ready[2], go[2], fd = -1, status;
    char c;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid = fork();
    if (pid == 0) {
        bool got = ledger_lock(path, &fd, NULL) == 0;

        if (write(ready[1], got ? "y" : "n", 1) != 1 || read(go[0], &c, 1) != 1)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    assert_int_equal(ledger_lock(path, &fd, &err), -1);
    assert_int_equal(err.code, V2V_ERR_BUSY);
    assert_int_equal(write(go[1], "x", 1), 1);
    waitpid(pid, &status, 0);
    assert_int_equal(ledger_lock(path, &fd, &err), 0);
    close(fd);
}

/* What others have begun and not ended; and what they had, before it ended. */
static void
test_begun(void **state)
{
    struct result_begun begun = { 1, "2026-01-01T00:00:00.000Z" }, got = { 0 };
    struct ledger *ledger = create();
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(result_begin(results, "d1", 2, &begun, NULL), 0);
    assert_int_equal(result_read_begun(results, "d1", 2, &got, NULL), 0);
    assert_int_equal(got.attempt, 1);
    assert_string_equal(got.started, begun.started);
    assert_int_equal(result_read_begun(results, "d2", 2, &got, &err), -1);
    assert_int_equal(err.code, V2V_ERR_NOT_FOUND);
    begun.attempt = 4;
    assert_int_equal(result_begin(results, "d1", 3, &begun, NULL), 0);
    write_result(ended(3, 4, SIGTERM, ""), "d1");
    assert_int_equal(ledger_collect(ledger, results, NULL), 0);
    assert_says(ledger,
                "2 /a running 1 since 2026-01-01T00:00:00.000Z\n"
                "3 /b'; -- again 4 since 2026-01-01T00:00:00.000Z [4 "
                "2026-01-01T00:00:00.000Z 2026-01-01T00:00:01.500Z 1.5 -1/15 "
                "interrupted it was told to end before it was done - -]\n"
                "5 domain c waiting 0\n");
    for (size_t line = 2; line < 5; line++)
        assert_int_equal(result_end(results, line, NULL), 0);
    assert_int_equal(result_read_begun(results, "d1", 2, &got, &err), -1);
    assert_int_equal(err.code, V2V_ERR_NOT_FOUND);
    ledger_close(ledger);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_begun, setup, teardown),
        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
        cmocka_unit_test(test_judged),
        cmocka_unit_test(test_say_interrupted),
        cmocka_unit_test(test_message_beside),
        cmocka_unit_test_setup_teardown(test_collect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_result, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
