/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "guest/guest.h"

enum {
    /* 32767 UTF-16 units are the longest path of Windows, 255 the longest name
     * of NTFS; three bytes each in UTF-8.  Source: Microsoft, "Maximum Path
     * Length Limitation". */
    PATH_LEN = 32767 * 3,
    NAME_LEN = 255 * 3,
    /* of a security descriptor: no attribute of $Secure is longer */
    SD_LEN = 256 << 10,
    NAMES_LEN = GUEST_LIST_MAX * (NAME_LEN + 1),
    TEXT_LEN = sizeof((struct v2v_error *)NULL)->text - 1
};

#define FOR_EVER INT64_MAX /* a deadline */

/* What a message may hold; zero: no such number or part. */
struct shape {
    unsigned numbers;
    struct {
        size_t max;
        bool is_text; /* without NULs */
    } parts[RPC_PARTS];
};

#define PATH                                                                   \
    {                                                                          \
        PATH_LEN, true                                                         \
    }
#define NAME                                                                   \
    {                                                                          \
        NAME_LEN, true                                                         \
    }
#define DATA                                                                   \
    {                                                                          \
        RPC_CHUNK, false                                                       \
    }
#define SD                                                                     \
    {                                                                          \
        SD_LEN, false                                                          \
    }

static const struct {
    const char *name;
    struct shape question, answer;
} rules[RPC_OPS] = {
    [RPC_HELLO] = { "opening the disk", { 0 }, { 1, { { 0 } } } },
    [RPC_DISK_READ] = { "reading the disk", { 2, { { 0 } } }, { 0, { DATA } } },
    [RPC_MOUNT] = { "mounting the volume", { 5, { { 0 } } }, { 0 } },
    [RPC_UNMOUNT] = { "unmounting the volume", { 0 }, { 0 } },
    [RPC_FREE_SPACE] = { "counting free space", { 0 }, { 1, { { 0 } } } },
    [RPC_LOOKUP] = { "looking up a name",
                     { 0, { PATH, NAME } },
                     { 3, { NAME } } },
    [RPC_LIST] = { "listing a directory",
                   { 0, { PATH } },
                   { 0, { { NAMES_LEN, false } } } },
    [RPC_READ] = { "reading a file", { 2, { PATH } }, { 0, { DATA } } },
    [RPC_DESCRIPTOR] = { "reading a security descriptor",
                         { 0, { PATH } },
                         { 0, { SD } } },
    [RPC_MAKE] = { "making a file", { 1, { PATH, DATA, SD } }, { 0 } },
    [RPC_WRITE_AT] = { "writing a file", { 1, { PATH, DATA } }, { 0 } },
    [RPC_TRUNCATE] = { "shortening a file", { 1, { PATH } }, { 0 } },
    [RPC_CLOSE] = { "closing the disk", { 0 }, { 0 } },
};

/* numbers[0]: enum v2v_error_code; parts: the text, the finding's name. */
static const struct shape refusal = { 1, { { TEXT_LEN, true }, NAME } };

/* What travels. */
struct head {
    uint32_t op;
    uint32_t refused; /* of answers */
    uint64_t numbers[RPC_NUMBERS];
    uint64_t lens[RPC_PARTS];
};

const char *
rpc_name(enum rpc_op op)
{
    return rules[op].name;
}

void
rpc_done(struct rpc_message *message)
{
    v2v_bytes_done(&message->store);
    *message = (struct rpc_message){ 0 };
}

/* Send --------------------------------------------------------------------- */

static int
send_all(int fd, const void *data, size_t len)
{
    const uint8_t *from = data;

    while (len > 0) {
        ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            from += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

static int
check_fits(const struct rpc_message *m, const struct shape *shape,
           struct v2v_error *err)
{
    for (size_t i = 0; i < RPC_PARTS; i++)
        if (m->parts[i].len > shape->parts[i].max)
            return v2v_fail(err, V2V_ERR_INTERNAL,
                            "%s: %zu bytes are more than %zu", rpc_name(m->op),
                            m->parts[i].len, shape->parts[i].max);
    return 0;
}

/* -1 and errno. */
static int
send_message(int fd, const struct rpc_message *m, bool refused)
{
    struct head head = { .op = m->op, .refused = refused };

    memcpy(head.numbers, m->numbers, sizeof head.numbers);
    for (size_t i = 0; i < RPC_PARTS; i++)
        head.lens[i] = m->parts[i].len;
    if (send_all(fd, &head, sizeof head) < 0)
        return -1;
    for (size_t i = 0; i < RPC_PARTS; i++)
        if (send_all(fd, m->parts[i].data, m->parts[i].len) < 0)
            return -1;
    return 0;
}

int
rpc_ask(int fd, const struct rpc_message *question, struct v2v_error *err)
{
    if (check_fits(question, &rules[question->op].question, err) < 0)
        return -1;
    send_message(fd, question, false);
    return 0;
}

int
rpc_answer(int fd, const struct rpc_message *answer, struct v2v_error *err)
{
    if (check_fits(answer, &rules[answer->op].answer, err) < 0)
        return -1;
    if (send_message(fd, answer, false) < 0)
        return v2v_fail_errno(err, errno, "%s", rpc_name(answer->op));
    return 0;
}

int
rpc_refuse(int fd, const struct v2v_error *why, struct v2v_error *err)
{
    const char *finding = why->finding != NULL ? why->finding : "";
    const struct rpc_message m = { .numbers = { why->code },
                                   .parts = {
                                       { why->text, strlen(why->text) },
                                       { finding, strlen(finding) },
                                   } };

    if (send_message(fd, &m, true) < 0)
        return v2v_fail_errno(err, errno, "a refusal");
    return 0;
}

/* Receive ------------------------------------------------------------------ */

/* Milliseconds of a clock that nobody sets. */
static int64_t
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* As poll() takes it. */
static int
left_until(int64_t deadline)
{
    int64_t left = deadline - now();

    if (deadline == FOR_EVER)
        return -1;
    return left > 0 ? (int)left : 0;
}

/* @deadline: of the whole message, else one that comes byte by byte would never
 * be late. */
static enum rpc_outcome
receive_all(int fd, void *data, size_t len, int64_t deadline)
{
    uint8_t *to = data;

    while (len > 0) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        int polled = poll(&ready, 1, left_until(deadline));
        ssize_t n = polled > 0 ? recv(fd, to, len, 0) : 0;

        if (polled == 0)
            return RPC_SILENT;
        if ((polled < 0 || n < 0) && errno == EINTR)
            continue;
        if (polled < 0 || n <= 0)
            return RPC_LOST;
        to += n;
        len -= (size_t)n;
    }
    return RPC_ANSWERED;
}

static int
check_head(const struct head *head, const struct shape *shape,
           struct v2v_error *err)
{
    for (size_t i = 0; i < RPC_NUMBERS; i++)
        if (i >= shape->numbers && head->numbers[i] != 0)
            return v2v_fail(err, V2V_ERR_INTERNAL, "a number too many");
    for (size_t i = 0; i < RPC_PARTS; i++)
        if (head->lens[i] > shape->parts[i].max)
            return v2v_fail(err, V2V_ERR_INTERNAL, "a part that is too long");
    return 0;
}

/* A NUL after each part. */
static int
make_store(const struct head *head, struct rpc_message *ret,
           struct v2v_error *err)
{
    size_t len = 0;
    uint8_t *data;

    for (size_t i = 0; i < RPC_PARTS; i++)
        len += (size_t)head->lens[i] + 1;
    data = malloc(len);
    if (data == NULL)
        return v2v_fail_errno(err, errno, "a message");
    ret->store = (struct v2v_bytes){ .data = data, .len = len, .cap = len };
    ret->op = (enum rpc_op)head->op;
    memcpy(ret->numbers, head->numbers, sizeof ret->numbers);
    for (size_t i = 0; i < RPC_PARTS; i++) {
        ret->parts[i] = (struct rpc_part){ data, (size_t)head->lens[i] };
        data += head->lens[i];
        *data++ = '\0';
    }
    return 0;
}

static int
check_texts(const struct rpc_message *m, const struct shape *shape,
            struct v2v_error *err)
{
    for (size_t i = 0; i < RPC_PARTS; i++)
        if (shape->parts[i].is_text &&
            memchr(m->parts[i].data, '\0', m->parts[i].len) != NULL)
            return v2v_fail(err, V2V_ERR_INTERNAL, "a text with a NUL");
    return 0;
}

static enum rpc_outcome
receive_parts(int fd, const struct head *head, const struct shape *shape,
              int64_t deadline, struct rpc_message *ret, struct v2v_error *err)
{
    uint8_t *at;

    if (check_head(head, shape, err) < 0 || make_store(head, ret, err) < 0)
        return RPC_NONSENSE;
    at = ret->store.data;
    for (size_t i = 0; i < RPC_PARTS; i++) {
        enum rpc_outcome got = receive_all(fd, at, ret->parts[i].len, deadline);

        if (got != RPC_ANSWERED)
            return got;
        at += ret->parts[i].len + 1;
    }
    return check_texts(ret, shape, err) < 0 ? RPC_NONSENSE : RPC_ANSWERED;
}

int
rpc_next(int fd, struct rpc_message *ret, struct v2v_error *err)
{
    struct head head;

    if (receive_all(fd, &head, sizeof head, FOR_EVER) != RPC_ANSWERED)
        return 0;
    if (head.op >= RPC_OPS || head.refused != 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no question");
    return receive_parts(fd, &head, &rules[head.op].question, FOR_EVER, ret,
                         err) == RPC_ANSWERED
               ? 1
               : -1;
}

/* Names of findings are static texts; those that mounting can lead to
 * (check/codes.c). */
static const char *
find_finding(const char *name)
{
    static const char *const names[] = { "fast-startup", "hibernated",
                                         "journal-v2", "journal-unclean",
                                         "volume-dirty" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return names[i];
    return NULL;
}

static enum rpc_outcome
take_refusal(const struct rpc_message *m, struct v2v_error *err)
{
    enum v2v_error_code code = (enum v2v_error_code)m->numbers[0];

    if (code != V2V_ERR_GUEST && code != V2V_ERR_FORMAT &&
        code != V2V_ERR_NOT_FOUND)
        code = V2V_ERR_INTERNAL;
    v2v_error_set(err, code, "%s", (const char *)m->parts[0].data);
    v2v_error_name(err, find_finding(m->parts[1].data));
    return RPC_REFUSED;
}

enum rpc_outcome
rpc_wait(int fd, enum rpc_op op, int seconds, struct rpc_message *ret,
         struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message m = { 0 };
    const int64_t deadline = now() + (int64_t)seconds * 1000;
    struct head head;
    enum rpc_outcome got = receive_all(fd, &head, sizeof head, deadline);

    if (got != RPC_ANSWERED)
        return got;
    if (head.refused > 1 || (head.refused == 0 && head.op != op)) {
        v2v_error_set(err, V2V_ERR_INTERNAL, "an answer to something else");
        return RPC_NONSENSE;
    }
    got = receive_parts(fd, &head, head.refused ? &refusal : &rules[op].answer,
                        deadline, &m, err);
    if (got != RPC_ANSWERED)
        return got;
    if (head.refused)
        return take_refusal(&m, err);
    *ret = m;
    m = (struct rpc_message){ 0 };
    return RPC_ANSWERED;
}
