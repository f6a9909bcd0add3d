/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry/log.h: logs made here for the hive that fixtures/mkhive made.
 * Entry number N fills a page of the hive with the byte N. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry/header.h"
#include "registry/hive.h"
#include "registry/log.h"
#include "registry/marvin32.h"

#define HIVE BINARY_DIR "/tests/hives/empty"
#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { SECTOR = 512, PAGE = 4096, BASE = 4096, OLD = 1, NEW = 6 };
/* an entry of one page: header and reference take a sector */
enum { ENTRY = SECTOR + PAGE };

static struct v2v_bytes empty;

static void
put(struct v2v_bytes *b, size_t at, uint32_t value)
{
    assert_true(at + 4 <= b->len);
    v2v_put_le(b->data + at, value, 4);
}

static uint32_t
get(const struct v2v_bytes *b, size_t at)
{
    assert_true(at + 4 <= b->len);
    return (uint32_t)v2v_get_le(b->data + at, 4);
}

static void
add_fill(struct v2v_bytes *b, int byte, size_t len)
{
    uint8_t fill[PAGE];

    assert_true(len <= sizeof fill);
    memset(fill, byte, sizeof fill);
    assert_int_equal(v2v_bytes_add(b, fill, len, NULL), 0);
}

static void
set_checksum(struct v2v_bytes *b)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < 0x1fc; i += 4)
        sum ^= get(b, i);
    put(b, 0x1fc, sum);
}

static void
set_base(struct v2v_bytes *b, uint32_t first, uint32_t second)
{
    put(b, 0x04, first);
    put(b, 0x08, second);
    set_checksum(b);
}

/* A hive as it is in the middle of a write. */
static struct v2v_bytes
make_hive(uint32_t first, uint32_t second)
{
    struct v2v_bytes hive = { 0 };

    assert_int_equal(v2v_bytes_copy(empty.data, empty.len, &hive, NULL), 0);
    set_base(&hive, first, second);
    return hive;
}

static void
begin_log(struct v2v_bytes *log, uint32_t type, uint32_t sequence)
{
    assert_int_equal(v2v_bytes_copy(empty.data, SECTOR, log, NULL), 0);
    put(log, 0x1c, type);
    set_base(log, sequence, sequence);
}

static void
seal(struct v2v_bytes *log, size_t at)
{
    static const uint64_t seed = 0x82EF4D887A4E55C5;
    size_t size = get(log, at + 4);
    uint8_t *e = log->data + at;

    if (size < 0x28 || size > log->len - at)
        return;
    v2v_put_le(e + 0x18, reg_marvin32(seed, e + 0x28, size - 0x28), 8);
    v2v_put_le(e + 0x20, reg_marvin32(seed, e, 0x20), 8);
}

/* An entry for the page at @offset of the hive bins. */
static void
add_entry(struct v2v_bytes *log, uint32_t sequence, uint32_t hbins_len,
          uint32_t offset)
{
    const uint32_t header[] = { ENTRY, 0, sequence, hbins_len, 1,   0,
                                0,     0, 0,        offset,    PAGE };
    size_t at = log->len;

    assert_int_equal(v2v_bytes_add(log, "HvLE", 4, NULL), 0);
    for (size_t i = 0; i < COUNT(header); i++)
        assert_int_equal(v2v_bytes_add_le(log, header[i], 4, NULL), 0);
    add_fill(log, (int)sequence & 0xff, PAGE);
    add_fill(log, 0, at + ENTRY - log->len);
    seal(log, at);
}

/* An old log: the page at 0 of the hive bins, sector by sector, and their
 * last sector. */
static void
add_old_pages(struct v2v_bytes *log)
{
    size_t sectors = get(log, 0x28) / SECTOR;
    size_t bitmap = log->len + 4;

    assert_int_equal(v2v_bytes_add(log, "DIRT", 4, NULL), 0);
    add_fill(log, 0, SECTOR - 4);
    assert_true(sectors / 8 <= SECTOR - 4);
    log->data[bitmap] = 0xff;
    log->data[bitmap + (sectors - 1) / 8] |= 0x80;
    add_fill(log, (int)get(log, 4) & 0xff, PAGE);
    if (sectors > 8)
        add_fill(log, 0xee, SECTOR);
}

static struct reg_log
log_of(const struct v2v_bytes *b)
{
    return (struct reg_log){ b->data, b->len };
}

static int
replay(const struct v2v_bytes *hive, const struct v2v_bytes *log1,
       const struct v2v_bytes *log2, struct reg_replayed *ret,
       struct v2v_error *err)
{
    const struct reg_log logs[2] = { log_of(log1), log_of(log2) };

    return reg_replay_logs(hive->data, hive->len, logs, ret, err);
}

/* What holds after any replay. */
static void
assert_done(const struct reg_replayed *r)
{
    struct reg_header header;
    struct v2v_error err = { 0 };

    if (r->result != REG_REPLAY_DONE) {
        assert_int_equal(r->hive.len, 0);
        assert_int_equal(r->entries, 0);
        return;
    }
    if (reg_header_read(r->hive.data, r->hive.len, &header, &err) < 0)
        fail_msg("%s", err.text);
    assert_false(header.dirty);
    assert_true(header.primary_sequence > r->last_sequence);
}

static void
test_hash(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        uint64_t hash;
    } cases[] = {
        { "", 0, 0x30ed35c100cd3c7d },
        { "\xaf", 1, 0x48e73fc77d75ddc1 },
        { "\xe7\x0f", 2, 0xb5f6e1fc485dbff8 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(reg_marvin32(0x004fb61a001bdbcc, cases[i].text,
                                 cases[i].len) == cases[i].hash);
}

/* @count entries from @first on, after a base block with number @base; a log
 * of no entries and no base is absent */
struct log_case {
    uint32_t base, first, count;
};

static struct v2v_bytes
make_log(const struct log_case *c)
{
    struct v2v_bytes log = { 0 };

    if (c->base == 0)
        return log;
    begin_log(&log, NEW, c->base);
    for (uint32_t i = 0; i < c->count; i++)
        add_entry(&log, c->first + i, get(&empty, 0x28), 0);
    return log;
}

static void
test_which_entries_apply(void **state)
{
    static const struct {
        const char *what;
        uint32_t first, second; /* of the primary file */
        struct log_case logs[2];
        enum reg_replay result;
        unsigned entries;
        uint32_t last, after;
    } cases[] = {
        { "clean", 9, 9, { { 9, 9, 2 } }, REG_REPLAY_CLEAN, 0, 0, 0 },
        { "no logs", 9, 8, { { 0 } }, REG_REPLAY_NO_LOGS, 0, 0, 0 },
        { "two", 9, 8, { { 8, 8, 2 } }, REG_REPLAY_DONE, 2, 9, 10 },
        { "LOG2", 9, 8, { { 0 }, { 30, 30, 2 } }, REG_REPLAY_DONE, 2, 31, 32 },
        { "primary's is the highest",
          90,
          8,
          { { 8, 8, 2 } },
          REG_REPLAY_DONE,
          2,
          9,
          91 },
        { "first is not the base's",
          9,
          8,
          { { 20, 21, 2 } },
          REG_REPLAY_NO_LOGS,
          0,
          0,
          0 },
        { "continued",
          9,
          8,
          { { 20, 20, 2 }, { 22, 22, 3 } },
          REG_REPLAY_DONE,
          5,
          24,
          25 },
        { "continued in LOG1",
          9,
          8,
          { { 22, 22, 3 }, { 20, 20, 2 } },
          REG_REPLAY_DONE,
          5,
          24,
          25 },
        { "gap",
          9,
          8,
          { { 20, 20, 2 }, { 23, 23, 3 } },
          REG_REPLAY_DONE,
          2,
          21,
          24 },
        { "overlap",
          9,
          8,
          { { 20, 20, 3 }, { 22, 22, 3 } },
          REG_REPLAY_DONE,
          3,
          22,
          23 },
        { "same",
          9,
          8,
          { { 20, 20, 2 }, { 20, 20, 3 } },
          REG_REPLAY_DONE,
          2,
          21,
          22 },
        { "gap at the start",
          9,
          8,
          { { 20, 20, 0 }, { 22, 22, 3 } },
          REG_REPLAY_NO_LOGS,
          0,
          0,
          0 },
        { "first empty, second no later",
          9,
          8,
          { { 20, 20, 0 }, { 20, 20, 1 } },
          REG_REPLAY_DONE,
          1,
          20,
          21 },
        { "stale", 9, 8, { { 7, 7, 9 } }, REG_REPLAY_NO_LOGS, 0, 0, 0 },
        { "one stale",
          9,
          8,
          { { 8, 8, 2 }, { 6, 6, 2 } },
          REG_REPLAY_DONE,
          2,
          9,
          10 },
        { "other stale",
          9,
          8,
          { { 6, 6, 2 }, { 8, 8, 2 } },
          REG_REPLAY_DONE,
          2,
          9,
          10 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        V2V_AUTO(bytes)
        struct v2v_bytes hive = make_hive(cases[i].first, cases[i].second);
        V2V_AUTO(bytes) struct v2v_bytes log1 = make_log(&cases[i].logs[0]);
        V2V_AUTO(bytes) struct v2v_bytes log2 = make_log(&cases[i].logs[1]);
        struct reg_replayed r;
        struct v2v_error err = { 0 };

        print_message("%s\n", cases[i].what);
        assert_int_equal(replay(&hive, &log1, &log2, &r, &err), 0);
        assert_int_equal(r.result, cases[i].result);
        assert_int_equal(r.entries, cases[i].entries);
        assert_int_equal(r.last_sequence, cases[i].last);
        assert_false(r.base_recovered);
        assert_done(&r);
        if (r.result == REG_REPLAY_DONE) {
            assert_int_equal(get(&r.hive, 4), cases[i].after);
            assert_int_equal(r.hive.data[BASE], cases[i].last);
            assert_int_equal(r.hive.data[BASE + PAGE - 1], cases[i].last);
            assert_int_equal(r.hive.len, hive.len);
        }
        v2v_bytes_done(&r.hive);
    }
}

/* Three entries, of which the second is damaged, and hashed anew unless the
 * hash is what is to be wrong.  It ends the log, and writes nothing. */
static void
test_damaged_entry_ends_the_log(void **state)
{
    static const struct {
        const char *what;
        size_t at; /* in the entry */
        uint32_t value;
        bool sealed;
    } cases[] = {
        { "signature", 0x00, 0x454c7649, true },
        { "size 0", 0x04, 0, true },
        { "size of no sectors", 0x04, ENTRY - 4, true },
        { "size beyond the end", 0x04, 0x7ffffe00, false },
        { "sequence", 0x0c, 23, true },
        { "hash of a changed header", 0x08, 1, false },
        { "hash of a changed page", 0x30, 1, false },
        { "hbins 0", 0x10, 0, true },
        { "hbins of no pages", 0x10, PAGE + SECTOR, true },
        { "hbins too large", 0x10, REG_REPLAY_MAX_HBINS + PAGE, true },
        { "count", 0x14, 0x20000000, true },
        { "a page more, and no room for it", 0x14, 600, true },
        { "offset beyond the hbins", 0x28, 0x7ffff000, true },
        { "offset and size overflow", 0x28, 0xfffff000, true },
        { "page over the hbins' end", 0x28, SECTOR, true },
        { "page of any size", 0x2c, 0xffffffff, true },
    };
    V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        V2V_AUTO(bytes)
        struct v2v_bytes log = make_log(&(struct log_case){ 20, 20, 3 });
        struct v2v_bytes none = { 0 };
        struct reg_replayed r;
        struct v2v_error err = { 0 };

        print_message("%s\n", cases[i].what);
        put(&log, SECTOR + ENTRY + cases[i].at, cases[i].value);
        if (cases[i].sealed)
            seal(&log, SECTOR + ENTRY);
        assert_int_equal(replay(&hive, &log, &none, &r, &err), 0);
        assert_int_equal(r.result, REG_REPLAY_DONE);
        assert_int_equal(r.entries, 1);
        assert_int_equal(r.last_sequence, 20);
        assert_int_equal(r.hive.len, hive.len);
        assert_int_equal(r.hive.data[BASE], 20);
        assert_int_equal(get(&r.hive, 0x90), 0);
        assert_done(&r);
        v2v_bytes_done(&r.hive);
    }
}

/* References and pages that would be read from beyond the entry. */
static void
test_pages_beyond_the_entry(void **state)
{
    static const struct {
        uint32_t count, size; /* of pages, and of the first one */
    } cases[] = {
        { 1, ENTRY - 0x30 + 1 },
        { 1, 2 * ENTRY },
        { (ENTRY - 0x28) / 8 + 1, 0 },
        { 0x10000000, 0 },
        { 0xffffffff, 0 },
    };
    V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        /* entry 256 is of zeros: each reference is to nothing at 0 */
        V2V_AUTO(bytes)
        struct v2v_bytes log = make_log(&(struct log_case){ 256, 256, 1 });
        struct v2v_bytes none = { 0 };
        struct reg_replayed r;
        struct v2v_error err = { 0 };

        add_fill(&log, 0, PAGE);
        add_fill(&log, 0, PAGE);
        put(&log, SECTOR + 0x10, 4 * PAGE);
        put(&log, SECTOR + 0x14, cases[i].count);
        put(&log, SECTOR + 0x2c, cases[i].size);
        seal(&log, SECTOR);
        assert_int_equal(replay(&hive, &log, &none, &r, &err), 0);
        assert_int_equal(r.result, REG_REPLAY_NO_LOGS);
    }
}

static void
test_any_truncation(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8);
    V2V_AUTO(bytes)
    struct v2v_bytes log = make_log(&(struct log_case){ 20, 20, 2 });
    const size_t whole = log.len;

    (void)state;
    for (size_t len = 0; len < whole; len += len < 1200 ? 1 : 97) {
        V2V_AUTO(bytes) struct v2v_bytes cut = { 0 };
        struct v2v_bytes none = { 0 };
        struct reg_replayed r;
        struct v2v_error err = { 0 };

        /* of its own, for the sanitizer to see an overrun */
        assert_int_equal(v2v_bytes_copy(log.data, len, &cut, &err), 0);
        assert_int_equal(replay(&hive, &none, &cut, &r, &err), 0);
        assert_int_equal(r.entries, len < SECTOR + ENTRY ? 0 : 1);
        assert_int_equal(r.result,
                         r.entries > 0 ? REG_REPLAY_DONE : REG_REPLAY_NO_LOGS);
        assert_done(&r);
        v2v_bytes_done(&r.hive);
    }
}

/* Flags of an entry: bit 0 goes to the hive, the rest of both stays. */
static void
test_flags(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8);
    V2V_AUTO(bytes)
    struct v2v_bytes log = make_log(&(struct log_case){ 20, 20, 1 });
    struct v2v_bytes none = { 0 };
    struct reg_replayed r;
    struct v2v_error err = { 0 };

    (void)state;
    put(&hive, 0x90, 2);
    set_checksum(&hive);
    put(&log, SECTOR + 0x08, 5);
    seal(&log, SECTOR);
    assert_int_equal(replay(&hive, &log, &none, &r, &err), 0);
    assert_int_equal(get(&r.hive, 0x90), 3);
    assert_done(&r);
    v2v_bytes_done(&r.hive);
}

static void
test_growth(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8);
    V2V_AUTO(bytes) struct v2v_bytes log = { 0 };
    struct v2v_bytes none = { 0 };
    struct reg_replayed r;
    struct v2v_error err = { 0 };
    uint32_t hbins_len = get(&hive, 0x28);

    (void)state;
    begin_log(&log, NEW, 20);
    add_entry(&log, 20, hbins_len + 2 * PAGE, hbins_len + PAGE);
    assert_int_equal(replay(&hive, &log, &none, &r, &err), 0);
    assert_int_equal(r.entries, 1);
    assert_int_equal(get(&r.hive, 0x28), hbins_len + 2 * PAGE);
    assert_int_equal(r.hive.len, BASE + hbins_len + 2 * PAGE);
    assert_int_equal(r.hive.data[BASE + hbins_len + PAGE - 1], 0);
    assert_int_equal(r.hive.data[BASE + hbins_len + PAGE], 20);
    assert_int_equal(r.hive.data[BASE + hbins_len + 2 * PAGE - 1], 20);
    assert_memory_equal(r.hive.data + BASE, empty.data + BASE, hbins_len);
    assert_done(&r);
    v2v_bytes_done(&r.hive);
}

/* A bad base block: the newest log has another. */
static void
test_base_block_from_the_log(void **state)
{
    static const struct {
        const char *what;
        size_t at;
    } cases[] = { { "checksum", 0x1fc }, { "signature", 0 }, { "name", 0x30 } };
    V2V_AUTO(bytes)
    struct v2v_bytes log1 = make_log(&(struct log_case){ 20, 20, 2 });
    V2V_AUTO(bytes)
    struct v2v_bytes log2 = make_log(&(struct log_case){ 22, 22, 1 });

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8);
        struct reg_replayed r;
        struct v2v_error err = { 0 };

        print_message("%s\n", cases[i].what);
        hive.data[cases[i].at] ^= 0x10;
        assert_int_equal(replay(&hive, &log1, &log2, &r, &err), 0);
        assert_int_equal(r.result, REG_REPLAY_DONE);
        assert_true(r.base_recovered);
        assert_int_equal(r.entries, 1);
        assert_int_equal(r.last_sequence, 22);
        assert_int_equal(get(&r.hive, 4), 23);
        assert_memory_equal(r.hive.data + 0x30, empty.data + 0x30, 0x60);
        assert_done(&r);
        v2v_bytes_done(&r.hive);
    }
}

/* Old logs: the hive before, which log applies. */
static void
test_old_logs(void **state)
{
    static const struct {
        const char *what;
        uint32_t sequences[2]; /* of the logs' base blocks; 0: absent */
        uint32_t written[2];   /* XORed into their time stamps */
        size_t cut[2];         /* bytes off their ends */
        uint32_t applied;      /* 0: none */
    } cases[] = {
        { "LOG1", { 9, 0 }, { 0 }, { 0 }, 9 },
        { "LOG2", { 0, 9 }, { 0 }, { 0 }, 9 },
        { "newer", { 9, 10 }, { 0 }, { 0 }, 10 },
        { "newer is LOG1", { 10, 9 }, { 0 }, { 0 }, 10 },
        { "newer is cut short", { 9, 10 }, { 0 }, { 0, 1 }, 9 },
        { "newer has only its base block", { 9, 10 }, { 0 }, { 0, 8000 }, 9 },
        { "of another time", { 9, 0 }, { 1 }, { 0 }, 0 },
        { "newer is of another time", { 9, 10 }, { 0, 1 }, { 0 }, 9 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8);
        struct v2v_bytes logs[2] = { { 0 }, { 0 } };
        struct reg_replayed r;
        struct v2v_error err = { 0 };

        print_message("%s\n", cases[i].what);
        for (size_t k = 0; k < 2; k++) {
            if (cases[i].sequences[k] == 0)
                continue;
            begin_log(&logs[k], OLD, cases[i].sequences[k]);
            put(&logs[k], 0x0c, get(&logs[k], 0x0c) ^ cases[i].written[k]);
            set_checksum(&logs[k]);
            add_old_pages(&logs[k]);
            logs[k].len = cases[i].cut[k] < logs[k].len - SECTOR
                              ? logs[k].len - cases[i].cut[k]
                              : SECTOR;
        }
        assert_int_equal(replay(&hive, &logs[0], &logs[1], &r, &err), 0);
        assert_int_equal(r.last_sequence, cases[i].applied);
        assert_int_equal(r.entries, cases[i].applied != 0);
        assert_done(&r);
        if (cases[i].applied != 0) {
            assert_int_equal(r.hive.data[BASE], cases[i].applied);
            assert_int_equal(r.hive.data[BASE + PAGE - 1], cases[i].applied);
        }
        v2v_bytes_done(&r.hive);
        v2v_bytes_done(&logs[0]);
        v2v_bytes_done(&logs[1]);
    }
}

/* To a size whose bitmap ends with a sector of the log; its last bit is the
 * last sector of the hive. */
static void
test_old_log_grows_the_hive(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8);
    V2V_AUTO(bytes) struct v2v_bytes log = { 0 };
    struct v2v_bytes none = { 0 };
    struct reg_replayed r;
    struct v2v_error err = { 0 };
    size_t len = BASE + (size_t)(SECTOR - 4) * PAGE;

    (void)state;
    begin_log(&log, OLD, 9);
    put(&log, 0x28, (uint32_t)(len - BASE));
    set_checksum(&log);
    add_old_pages(&log);
    assert_int_equal(replay(&hive, &log, &none, &r, &err), 0);
    assert_int_equal(r.hive.len, len);
    assert_int_equal(get(&r.hive, 0x28), len - BASE);
    assert_int_equal(r.hive.data[BASE], 9);
    assert_int_equal(r.hive.data[len - SECTOR - 1], 0);
    assert_int_equal(r.hive.data[len - SECTOR], 0xee);
    assert_int_equal(r.hive.data[len - 1], 0xee);
    assert_done(&r);
    v2v_bytes_done(&r.hive);
}

/* Base blocks of logs that make them count as absent. */
static void
test_unsound_logs(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        bool summed;
    } cases[] = {
        { 0x00, 0, true },   { 0x30, 0x12345678, false },
        { 0x04, 21, true }, /* the numbers differ */
        { 0x1c, 0, true },   { 0x1c, 2, true },
        { 0x1c, OLD, true }, /* and no bitmap */
    };
    V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        V2V_AUTO(bytes)
        struct v2v_bytes log = make_log(&(struct log_case){ 20, 20, 2 });
        struct v2v_bytes none = { 0 };
        struct reg_replayed r;
        struct v2v_error err = { 0 };

        put(&log, cases[i].at, cases[i].value);
        if (cases[i].summed)
            set_checksum(&log);
        assert_int_equal(replay(&hive, &log, &none, &r, &err), 0);
        assert_int_equal(r.result, REG_REPLAY_NO_LOGS);
        assert_done(&r);
    }
}

static void
test_refusals(void **state)
{
    static const struct {
        size_t at; /* in the primary file */
        uint32_t value;
        bool summed;
        size_t at_log; /* in the log's base block; 0: no log */
        uint32_t log_value;
        const char *message;
    } cases[] = {
        { 0x18, 6, true, 0x18, 5,
          "registry hive of version 1.6; versions 1.3 to 1.5 are known" },
        { 0x1c, 6, true, 0x18, 5, "a transaction log, not a registry hive" },
        { 0x30, 1, false, 0, 0,
          "corrupt registry hive: the checksum of its base block (byte 0x1fc) "
          "is wrong" },
        { 0x00, 1, false, 0, 0, "not a registry hive" },
        { 0x30, 1, false, 0x18, 6,
          "registry hive of version 1.6; versions 1.3 to 1.5 are known" },
        { 0x04, 0xffffffff, true, 0x18, 5,
          "corrupt registry hive: no sequence number is left" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8), log = { 0 };
        struct v2v_bytes none = { 0 };
        struct reg_replayed r = { .entries = 7 };
        struct v2v_error err = { 0 };

        put(&hive, cases[i].at, cases[i].value);
        if (cases[i].summed)
            set_checksum(&hive);
        if (cases[i].at_log != 0) {
            log = make_log(&(struct log_case){ 20, 20, 2 });
            put(&log, cases[i].at_log, cases[i].log_value);
            set_checksum(&log);
        }
        assert_int_equal(replay(&hive, &log, &none, &r, &err), -1);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(r.entries, 7);
    }
}

static void
test_a_short_hive(void **state)
{
    V2V_AUTO(bytes)
    struct v2v_bytes log = make_log(&(struct log_case){ 20, 20, 2 });
    const struct reg_log logs[2] = { log_of(&log), log_of(&log) };
    struct reg_replayed r;
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(reg_replay_logs(NULL, 0, logs, &r, &err), -1);
    assert_string_equal(err.text, "not a registry hive");
    assert_int_equal(reg_replay_logs(empty.data, BASE - 1, logs, &r, &err), -1);
    assert_string_equal(err.text, "not a registry hive");
}

/* What an edit changed comes back out of a log of its pages. */
static void
test_an_edit_in_a_log(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = make_hive(9, 8), log = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes edited = { 0 };
    V2V_AUTO(mem) char *text = NULL;
    struct v2v_bytes none = { 0 };
    struct reg_edits edits = { 0 };
    struct reg_place at = { &edits, REG_SYSTEM, "A\\B", "test" };
    struct reg_replayed r;
    struct reg_hive *h = NULL;
    struct v2v_error err = { 0 };
    uint32_t hbins_len;

    (void)state;
    assert_int_equal(reg_string(&at, "name", REG_SZ, "value", &err), 0);
    assert_int_equal(reg_hive_open(hive.data, hive.len, &h, &err), 0);
    assert_int_equal(reg_hive_apply(h, REG_SYSTEM, &edits, &err), 0);
    assert_int_equal(reg_hive_save(h, &edited, &err), 0);
    reg_hive_close(h);
    hbins_len = get(&edited, 0x28);
    begin_log(&log, NEW, 20);
    for (uint32_t page = 0; page < hbins_len; page += PAGE) {
        size_t entry = log.len;

        add_entry(&log, 20 + page / PAGE, hbins_len, page);
        memcpy(log.data + entry + 0x30, edited.data + BASE + page, PAGE);
        seal(&log, entry);
    }
    assert_int_equal(replay(&hive, &none, &log, &r, &err), 0);
    assert_done(&r);
    assert_int_equal(reg_hive_open(r.hive.data, r.hive.len, &h, &err), 0);
    assert_int_equal(reg_get_string(h, "A\\B", "name", &text, &err), 0);
    assert_string_equal(text, "value");
    reg_hive_close(h);
    v2v_bytes_done(&r.hive);
    reg_edits_done(&edits);
}

static int
load_hive(void **state)
{
    struct v2v_error err = { 0 };

    (void)state;
    if (v2v_file_read(HIVE, 1 << 20, &empty, &err) < 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static int
free_hive(void **state)
{
    (void)state;
    v2v_bytes_done(&empty);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_which_entries_apply),
        cmocka_unit_test(test_damaged_entry_ends_the_log),
        cmocka_unit_test(test_pages_beyond_the_entry),
        cmocka_unit_test(test_any_truncation),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_base_block_from_the_log),
        cmocka_unit_test(test_old_logs),
        cmocka_unit_test(test_old_log_grows_the_hive),
        cmocka_unit_test(test_unsound_logs),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_short_hive),
        cmocka_unit_test(test_an_edit_in_a_log),
    };

    return cmocka_run_group_tests(tests, load_hive, free_hive);
}
