/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define FOR_EVER INT64_MAX /* a deadline */

/* numbers[0]: enum v2v_error_code; parts: the text, the finding's name. */
static const struct rpc_shape refusal = {
    1,
    { RPC_TEXT(sizeof((struct v2v_error *)NULL)->text - 1),
      RPC_TEXT(RPC_FINDING_MAX) }
};

/* What travels. */
struct head {
    uint32_t op;
    uint32_t refused; /* of answers */
    uint64_t numbers[RPC_NUMBERS];
    uint64_t lens[RPC_PARTS];
};

void
rpc_done(struct rpc_message *message)
{
    v2v_bytes_done(&message->store);
    *message = (struct rpc_message){ 0 };
}

/* Send --------------------------------------------------------------------- */

/* All of them at once, so that whoever waits wakes up once.  -1 and errno. */
static int
send_all(int fd, struct iovec *pieces, size_t count)
{
    struct msghdr m = { .msg_iov = pieces, .msg_iovlen = count };

    while (m.msg_iovlen > 0) {
        ssize_t sent = sendmsg(fd, &m, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR)
            return -1;
        for (size_t n = sent > 0 ? (size_t)sent : 0; m.msg_iovlen > 0;) {
            struct iovec *first = m.msg_iov;

            if (n < first->iov_len) {
                first->iov_base = (uint8_t *)first->iov_base + n;
                first->iov_len -= n;
                break;
            }
            n -= first->iov_len;
            m.msg_iov++;
            m.msg_iovlen--;
        }
    }
    return 0;
}

static int
check_fits(const struct rpc_message *m, const struct rpc_shape *shape,
           const char *name, struct v2v_error *err)
{
    for (size_t i = 0; i < RPC_PARTS; i++)
        if (m->parts[i].len > shape->parts[i].max)
            return v2v_fail(err, V2V_ERR_INTERNAL,
                            "%s: %zu bytes are more than %zu", name,
                            m->parts[i].len, shape->parts[i].max);
    return 0;
}

/* -1 and errno. */
static int
send_message(int fd, const struct rpc_message *m, bool refused)
{
    struct head head = { .op = m->op, .refused = refused };
    struct iovec pieces[1 + RPC_PARTS] = { { &head, sizeof head } };

    memcpy(head.numbers, m->numbers, sizeof head.numbers);
    for (size_t i = 0; i < RPC_PARTS; i++) {
        head.lens[i] = m->parts[i].len;
        pieces[i + 1] = (struct iovec){ (void *)(uintptr_t)m->parts[i].data,
                                        m->parts[i].len };
    }
    return send_all(fd, pieces, 1 + RPC_PARTS);
}

int
rpc_ask(int fd, const struct rpc_protocol *protocol,
        const struct rpc_message *question, struct v2v_error *err)
{
    const struct rpc_rule *rule = &protocol->rules[question->op];

    if (check_fits(question, &rule->question, rule->name, err) < 0)
        return -1;
    send_message(fd, question, false);
    return 0;
}

int
rpc_answer(int fd, const struct rpc_protocol *protocol,
           const struct rpc_message *answer, struct v2v_error *err)
{
    const struct rpc_rule *rule = &protocol->rules[answer->op];

    if (check_fits(answer, &rule->answer, rule->name, err) < 0)
        return -1;
    if (send_message(fd, answer, false) < 0)
        return v2v_fail_errno(err, errno, "%s", rule->name);
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

/* As poll() takes it. */
static int
left_until(int64_t deadline)
{
    int64_t left = deadline - v2v_milliseconds();

    if (deadline == FOR_EVER)
        return -1;
    return left > 0 ? (int)left : 0;
}

/* Is there something to receive, or an end? */
static enum rpc_outcome
wait_for_more(int fd, int64_t deadline)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    int polled = poll(&ready, 1, left_until(deadline));

    if (polled == 0)
        return RPC_SILENT;
    return polled < 0 && errno != EINTR ? RPC_LOST : RPC_ANSWERED;
}

/* What was sent at once is there at once: only where nothing is, it waits.
 * @deadline: of the whole message, else one that comes byte by byte would never
 * be late. */
static enum rpc_outcome
receive_all(int fd, void *data, size_t len, int64_t deadline)
{
    enum rpc_outcome outcome = RPC_ANSWERED;
    uint8_t *to = data;

    while (len > 0 && outcome == RPC_ANSWERED) {
        ssize_t n = recv(fd, to, len, deadline == FOR_EVER ? 0 : MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN)
            outcome = wait_for_more(fd, deadline);
        else if (n == 0 || (n < 0 && errno != EINTR))
            outcome = RPC_LOST;
        else if (n > 0) {
            to += n;
            len -= (size_t)n;
        }
    }
    return outcome;
}

static int
check_head(const struct head *head, const struct rpc_shape *shape,
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
    ret->op = head->op;
    memcpy(ret->numbers, head->numbers, sizeof ret->numbers);
    for (size_t i = 0; i < RPC_PARTS; i++) {
        ret->parts[i] = (struct rpc_part){ data, (size_t)head->lens[i] };
        data += head->lens[i];
        *data++ = '\0';
    }
    return 0;
}

static int
check_texts(const struct rpc_message *m, const struct rpc_shape *shape,
            struct v2v_error *err)
{
    for (size_t i = 0; i < RPC_PARTS; i++)
        if (shape->parts[i].is_text &&
            memchr(m->parts[i].data, '\0', m->parts[i].len) != NULL)
            return v2v_fail(err, V2V_ERR_INTERNAL, "a text with a NUL");
    return 0;
}

static enum rpc_outcome
receive_parts(int fd, const struct head *head, const struct rpc_shape *shape,
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
rpc_next(int fd, const struct rpc_protocol *protocol, struct rpc_message *ret,
         struct v2v_error *err)
{
    struct head head;

    if (receive_all(fd, &head, sizeof head, FOR_EVER) != RPC_ANSWERED)
        return 0;
    if (head.op >= protocol->count || head.refused != 0)
        return v2v_fail(err, V2V_ERR_INTERNAL, "no question");
    return receive_parts(fd, &head, &protocol->rules[head.op].question,
                         FOR_EVER, ret, err) == RPC_ANSWERED
               ? 1
               : -1;
}

/* Names of findings are static texts. */
static const char *
find_finding(const struct rpc_protocol *protocol, const char *name)
{
    for (const char *const *f = protocol->findings; f != NULL && *f != NULL;
         f++)
        if (strcmp(*f, name) == 0)
            return *f;
    return NULL;
}

static enum rpc_outcome
take_refusal(const struct rpc_protocol *protocol, const struct rpc_message *m,
             struct v2v_error *err)
{
    enum v2v_error_code code = (enum v2v_error_code)m->numbers[0];

    if (code != V2V_ERR_GUEST && code != V2V_ERR_FORMAT &&
        code != V2V_ERR_NOT_FOUND)
        code = V2V_ERR_INTERNAL;
    v2v_error_set(err, code, "%s", (const char *)m->parts[0].data);
    v2v_error_name(err, find_finding(protocol, m->parts[1].data));
    return RPC_REFUSED;
}

enum rpc_outcome
rpc_wait(int fd, const struct rpc_protocol *protocol, unsigned op, int seconds,
         struct rpc_message *ret, struct v2v_error *err)
{
    V2V_AUTO(rpc_message) struct rpc_message m = { 0 };
    const int64_t deadline = v2v_milliseconds() + (int64_t)seconds * 1000;
    struct head head;
    enum rpc_outcome got = receive_all(fd, &head, sizeof head, deadline);

    if (got != RPC_ANSWERED)
        return got;
    if (head.refused > 1 || (head.refused == 0 && head.op != op)) {
        v2v_error_set(err, V2V_ERR_INTERNAL, "an answer to something else");
        return RPC_NONSENSE;
    }
    got = receive_parts(fd, &head,
                        head.refused ? &refusal : &protocol->rules[op].answer,
                        deadline, &m, err);
    if (got != RPC_ANSWERED)
        return got;
    if (head.refused)
        return take_refusal(protocol, &m, err);
    *ret = m;
    m = (struct rpc_message){ 0 };
    return RPC_ANSWERED;
}

/* Streams ------------------------------------------------------------------ */

/* Fills @buf, unless the other side ends before; @got: so far. */
static enum rpc_outcome
fill(int fd, uint8_t *buf, int64_t deadline, size_t *got)
{
    for (*got = 0; *got < RPC_PIECE;) {
        enum rpc_outcome outcome = wait_for_more(fd, deadline);
        ssize_t n;

        if (outcome != RPC_ANSWERED)
            return outcome;
        n = read(fd, buf + *got, RPC_PIECE - *got);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return RPC_LOST;
        if (n == 0)
            break;
        if (n > 0)
            *got += (size_t)n;
    }
    return RPC_ANSWERED;
}

enum rpc_outcome
rpc_stream(int fd, int seconds, uint64_t max, rpc_take_fn *take, void *opaque,
           struct v2v_error *err)
{
    const int64_t deadline = v2v_milliseconds() + (int64_t)seconds * 1000;
    V2V_AUTO(mem) uint8_t *buf = malloc(RPC_PIECE);

    if (buf == NULL) {
        v2v_error_set(err, V2V_ERR_INTERNAL, "no memory");
        return RPC_REFUSED;
    }
    for (size_t got = RPC_PIECE; got == RPC_PIECE; max -= got) {
        enum rpc_outcome outcome = fill(fd, buf, deadline, &got);

        if (outcome != RPC_ANSWERED)
            return outcome;
        if (got > max) {
            v2v_error_set(err, V2V_ERR_INTERNAL,
                          "more bytes than there can be");
            return RPC_NONSENSE;
        }
        if (got > 0 && take(opaque, buf, got, err) < 0)
            return RPC_REFUSED;
    }
    return RPC_ANSWERED;
}
