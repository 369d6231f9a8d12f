/* test_store_damage.c - the store before files that are damaged, foreign or hostile: one sentence, soon,
 * and never a model that differs from what was written. */
#include "store_fixture.h"

#include "base/arena.h"
#include "base/rng.h"
#include "model/store_internal.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Loading m.db ends with that message, within a second of work and 50 MB for SQLite. */
static void assert_refused(const char *message)
{
    Model *model;
    Vocab *vocab;
    Err err = {"loaded"};
    double start = cpu_seconds();
    sqlite3_memory_highwater(1);
    ck_assert(!store_load("m.db", &model, &vocab, &err));
    ck_assert_str_eq(err.text, message);
    ck_assert_ptr_null(model);
    ck_assert_ptr_null(vocab);
    ck_assert_double_lt(cpu_seconds() - start, 1); /* 0.02 s seen */
    ck_assert_int_lt(sqlite3_memory_highwater(0), 50000000);
    ck_assert(!store_init("m.db", &model, &vocab, &err));
    ck_assert_str_eq(err.text, message);
}

typedef struct {
    const char *sql, *message;
} Case;

/* The same for a good model that SQL was run on. */
static void assert_all_refused(const Case *cases, size_t count)
{
    long size;
    fixture_export("m.db");
    unsigned char *good = fixture_read("m.db", &size);
    for (size_t i = 0; i < count; i++) {
        fixture_write("m.db", good, size);
        fixture_sql("m.db", cases[i].sql);
        assert_refused(cases[i].message);
    }
    free(good);
}

static void overwrite(const char *path, long at, const char *bytes, long count)
{
    long size;
    unsigned char *file = fixture_read(path, &size);
    memcpy(file + at, bytes, (size_t)count);
    fixture_write(path, file, size);
    free(file);
}

START_TEST(foreign_files)
{
    ck_assert_int_ne(access("m.db", F_OK), 0);
    assert_refused("m.db: No such file or directory");
    ck_assert_int_eq(mkdir("m.db", 0777), 0);
    assert_refused("m.db: not a model (not a regular file)");
    ck_assert_int_eq(rmdir("m.db"), 0);
    ck_assert_int_eq(mkfifo("m.db", 0666), 0);
    assert_refused("m.db: not a model (not a regular file)");
    ck_assert_int_eq(remove("m.db"), 0);
    fixture_write("m.db", "", 0);
    assert_refused("m.db: not a model (empty file)");
    fixture_write("m.db", "SQLite format 3", 16);
    assert_refused("m.db: not a model (not an SQLite database)");
    ck_assert_int_eq(remove("m.db"), 0);
}
END_TEST

START_TEST(foreign_headers)
{
    static const Case cases[] = {
        {"PRAGMA application_id=0x1234", "m.db: not a model (application_id 00001234)"},
        {"PRAGMA user_version=2", "m.db: is of model format 2, but this program knows format 1 only"},
        {"PRAGMA journal_mode=WAL",
         "m.db: is in WAL mode: run sqlite3 on it and PRAGMA journal_mode=DELETE"},
    };
    assert_all_refused(cases, sizeof cases / sizeof *cases);
}
END_TEST

START_TEST(journal_beside)
{
    fixture_export("m.db");
    fixture_write("m.db-wal", "", 0);
    assert_refused("m.db: a journal stands beside it (m.db-wal): another program is writing it, or has left "
                   "it half-written");
    ck_assert_int_eq(remove("m.db-wal"), 0);
    ck_assert_int_eq(rename("m.db", "real.db"), 0);
    ck_assert_int_eq(symlink("real.db", "m.db"), 0);
    fixture_write("real.db-journal", "x", 1);
    assert_refused("m.db: a journal stands beside it (real.db-journal): another program is writing it, or "
                   "has left it half-written");
}
END_TEST

#define ENDLESS "WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c) "

static const Case schema_cases[] = {
    {"DROP TABLE merge; CREATE VIEW merge(rank, left, right) AS " ENDLESS "SELECT x, 1, 2 FROM c",
     "m.db: damaged: merge is a view where a model has a table"},
    {"DROP TABLE tensor; CREATE VIEW tensor AS " ENDLESS "SELECT x FROM c",
     "m.db: damaged: tensor is a view where a model has a table"},
    {"CREATE TRIGGER t AFTER INSERT ON config BEGIN DELETE FROM piece; END",
     "m.db: damaged: trigger t is not part of a model"},
    {"CREATE TABLE more(x)", "m.db: damaged: table more is not part of a model"},
    {"CREATE INDEX i ON piece(text)", "m.db: damaged: index i is not part of a model"},
    {"CREATE VIRTUAL TABLE f USING fts5(x)", "m.db: damaged: table f is not part of a model"},
    {"DROP TABLE state", "m.db: damaged: table state is missing"},
    {"ALTER TABLE config ADD COLUMN more TEXT", "m.db: damaged: table config is not declared as in a model"},
    {"DROP TABLE piece; CREATE TABLE piece(id, text, kind, count)",
     "m.db: damaged: table piece is not declared as in a model"},
    {"PRAGMA writable_schema=1; DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_tensor_1'",
     "m.db: damaged: table sqlite_autoindex_tensor_1 is missing"},
    {"PRAGMA writable_schema=1; UPDATE sqlite_schema SET sql = 'CREATE TABLE' WHERE name = 'piece'",
     "m.db: damaged: malformed database schema (piece) - incomplete input"},
    {"PRAGMA writable_schema=1; UPDATE sqlite_schema SET sql = sql || zeroblob(200000) WHERE name = 'piece'",
     "m.db: damaged: a row is longer than any row of a model"},
    {"PRAGMA writable_schema=1; INSERT INTO sqlite_schema " ENDLESS
     "SELECT 'view', 'v' || x, 'v' || x, 0, 'CREATE VIEW v' || x || ' AS SELECT 1' FROM c LIMIT 100000",
     "m.db: damaged: its schema is larger than a model's"},
};

START_TEST(foreign_schema)
{
    assert_all_refused(schema_cases, sizeof schema_cases / sizeof *schema_cases);
}
END_TEST

/* Tables declared more loosely, changed, and declared as before: what STRICT and UNIQUE no longer see. */
#define LOOSEN(TABLE, DECLARATION)                                                                          \
    "PRAGMA writable_schema=1; CREATE TEMP TABLE was AS SELECT name, sql FROM sqlite_schema; "              \
    "UPDATE sqlite_schema SET sql = '" DECLARATION "' WHERE name = '" TABLE "'; "                           \
    "PRAGMA writable_schema=RESET; "
#define TIGHTEN                                                                                             \
    "; PRAGMA writable_schema=1; UPDATE main.sqlite_schema AS s SET sql = "                                 \
    "(SELECT sql FROM was WHERE was.name = s.name)"
#define LOOSE_PIECE LOOSEN("piece", "CREATE TABLE piece(id INTEGER PRIMARY KEY, text, kind, count)")
#define LOOSE_CONFIG LOOSEN("config", "CREATE TABLE config(key, value, PRIMARY KEY(key, value)) WITHOUT ROWID")
#define LOOSE_TENSOR \
    LOOSEN("tensor", "CREATE TABLE tensor(role, name, rows, cols, type, value, PRIMARY KEY(role, name))")

static const Case row_cases[] = {
    /* config */
    {"DELETE FROM config WHERE key = 'hidden'", "m.db: config: hidden is missing"},
    {"INSERT INTO config VALUES('colour', '1')", "m.db: config: colour: no such setting"},
    {"UPDATE config SET value = '5000' WHERE key = 'hidden'", "m.db: config: hidden: 5000 is not in 2 .. 4096"},
    {"UPDATE config SET value = '7' WHERE key = 'hidden'",
     "m.db: config: hidden: 7 is odd, but each direction of the encoder gets half of it"},
    {"UPDATE config SET value = '8' || char(0) WHERE key = 'hidden'",
     "m.db: damaged: a malformed row in table config"},
    {"UPDATE config SET value = '2' WHERE key = 'seed'",
     "m.db: damaged: the digest of its settings does not agree"},
    {LOOSE_CONFIG "INSERT INTO config VALUES('hidden', '4')" TIGHTEN,
     "m.db: damaged: config: hidden stands there twice or out of order"},
    {LOOSE_CONFIG "UPDATE config SET value = 6 WHERE key = 'hidden'" TIGHTEN,
     "m.db: damaged: a malformed row in table config"},
    {LOOSE_CONFIG "UPDATE config SET value = hex(zeroblob(1000000)) WHERE key = 'hidden'" TIGHTEN,
     "m.db: damaged: a row is longer than any row of a model"},
    /* vocabulary */
    {"DELETE FROM piece WHERE id = 7", "m.db: damaged: piece 7 is missing"},
    {"DELETE FROM merge", "m.db: vocabulary: piece 280: no merge makes it"},
    {"INSERT INTO piece VALUES(-1, 'x', 'byte', 0)", "m.db: damaged: piece 0 is missing"},
    {"UPDATE piece SET count = count + 1 WHERE id = 9",
     "m.db: damaged: the digest of its vocabulary does not agree"},
    {LOOSE_PIECE "UPDATE piece SET count = 'many' WHERE id = 3" TIGHTEN, "m.db: damaged: piece 3 is malformed"},
    {LOOSE_PIECE "UPDATE piece SET text = x'C3' WHERE id = 3" TIGHTEN, "m.db: damaged: piece 3 is malformed"},
    {LOOSE_PIECE "UPDATE piece SET kind = 'word' WHERE id = 3" TIGHTEN, "m.db: damaged: piece 3 is malformed"},
    {"UPDATE piece SET text = hex(zeroblob(129)) WHERE id = 3", "m.db: damaged: piece 3 is malformed"},
    {"INSERT INTO piece " ENDLESS "SELECT x + 1000 AS id, 'x', 'byte', 0 FROM c LIMIT 70000; "
     "UPDATE piece SET id = id - 1000 + (SELECT count(*) FROM piece WHERE id < 1000) WHERE id >= 1000",
     "m.db: damaged: more than 60000 pieces"},
    {"DELETE FROM merge WHERE rank = 2", "m.db: damaged: merge 2 is missing"},
    /* tensors */
    {"DELETE FROM tensor WHERE name = 'combine.bias'", "m.db: tensor 'combine.bias' (weight) is missing"},
    {"INSERT INTO tensor VALUES('weight', 'more', 1, 1, 'float16', x'0000')",
     "m.db: tensor 'more' (weight) is no part of this model"},
    {"INSERT INTO tensor VALUES('best', 'combine.bias', 1, 1, 'float16', x'0000')",
     "m.db: tensor 'combine.bias' (best) is no part of this model"},
    {"UPDATE tensor SET rows = 2, cols = 4 WHERE name = 'combine.bias'",
     "m.db: tensor 'combine.bias' (weight) is 2 x 4, but this model's is 1 x 8"},
    {"UPDATE tensor SET type = 'float32', value = zeroblob(32) WHERE name = 'combine.bias'",
     "m.db: damaged: the digest of its tensors (weight) does not agree"},
    {"UPDATE tensor SET value = x'00000000007C00000000000000000000' WHERE name = 'combine.bias'",
     "m.db: tensor 'combine.bias' holds a number that is not finite"},
    {"UPDATE tensor SET value = x'0000000001FE00000000000000000000' WHERE name = 'combine.bias'",
     "m.db: tensor 'combine.bias' holds a number that is not finite"},
    {"UPDATE tensor SET value = zeroblob(16) WHERE name = 'combine.bias'",
     "m.db: damaged: the digest of its tensors (weight) does not agree"},
    {"PRAGMA ignore_check_constraints=1; UPDATE tensor SET rows = -1 WHERE name = 'combine.bias'",
     "m.db: tensor 'combine.bias' (weight) is -1 x 8, but this model's is 1 x 8"},
    {"PRAGMA ignore_check_constraints=1; UPDATE tensor SET rows = 100000, cols = 50000 "
     "WHERE name = 'combine.bias'",
     "m.db: tensor 'combine.bias' (weight) is 100000 x 50000, but this model's is 1 x 8"},
    {"PRAGMA ignore_check_constraints=1; UPDATE tensor SET rows = 9223372036854775807 "
     "WHERE name = 'combine.bias'",
     "m.db: tensor 'combine.bias' (weight) is 9223372036854775807 x 8, but this model's is 1 x 8"},
    {"PRAGMA ignore_check_constraints=1; UPDATE tensor SET type = 'int8' WHERE name = 'combine.bias'",
     "m.db: tensor 'combine.bias' (weight) has type 'int8', which is not read here"},
    {"PRAGMA ignore_check_constraints=1; UPDATE tensor SET value = x'00' WHERE name = 'combine.bias'",
     "m.db: damaged: tensor 'combine.bias' (weight) has 1 bytes instead of 16"},
    {LOOSE_TENSOR "UPDATE tensor SET value = '0123456789abcdef' WHERE name = 'combine.bias'" TIGHTEN,
     "m.db: damaged: tensor 'combine.bias' (weight) has 16 bytes instead of 16"},
    {LOOSE_TENSOR "UPDATE tensor SET rows = 1.5 WHERE name = 'combine.bias'" TIGHTEN,
     "m.db: damaged: a malformed row in table tensor"},
    {"PRAGMA writable_schema=1; CREATE TEMP TABLE was AS SELECT name, sql FROM sqlite_schema; "
     "UPDATE sqlite_schema SET sql = 'CREATE TABLE tensor(role, name, rows, cols, type, value)' "
     "WHERE name = 'tensor'; DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_tensor_1'; "
     "PRAGMA writable_schema=RESET; "
     "INSERT INTO tensor SELECT * FROM tensor WHERE name = 'combine.bias'; "
     "CREATE INDEX i ON tensor(role, name); PRAGMA writable_schema=1; "
     "UPDATE main.sqlite_schema AS s SET name = iif(name = 'i', 'sqlite_autoindex_tensor_1', name), "
     "sql = (SELECT sql FROM was WHERE was.name = s.name)",
     "m.db: damaged: tensor 'combine.bias' (weight) stands there twice"},
    /* digests */
    {"DELETE FROM digest WHERE part = 'config'", "m.db: damaged: the digest of its digests does not agree"},
    {"DELETE FROM digest", "m.db: damaged: the digest of its digests does not agree"},
    {"INSERT INTO digest VALUES('more', hex(zeroblob(16)))",
     "m.db: damaged: digest 'more' is not part of a model"},
    {"UPDATE digest SET value = 'x' WHERE part = 'config'", "m.db: damaged: a malformed row in table digest"},
};

START_TEST(foreign_rows)
{
    assert_all_refused(row_cases, sizeof row_cases / sizeof *row_cases);
}
END_TEST

START_TEST(vocabulary_that_contradicts_itself)
{
    /* With a digest that agrees: whoever wrote this file meant it. */
    fixture_export("m.db");
    fixture_sql("m.db", "UPDATE piece SET text = 'x' WHERE id = 0");
    Err err;
    char text[DIGEST_TEXT];
    Vocab *vocab = NULL;
    Store *store = store_connect("m.db", NULL, STORE_READ, &err);
    ck_assert_msg(store != NULL, "%s", err.text);
    ck_assert(!store_read_vocab(store, &vocab, text, &err));
    ck_assert_int_eq(strncmp(err.text, "m.db: vocabulary: ", 18), 0);
    ck_assert_ptr_null(vocab);
    store_close(store);
}
END_TEST

START_TEST(more_pages_claimed_than_there_are)
{
    fixture_export("m.db");
    overwrite("m.db", 28, "\x00\x0A\x00\x00", 4); /* 655,360 pages of 16 KiB: 10 GB */
    assert_refused("m.db: damaged: database disk image is malformed");
    ck_assert_int_eq(truncate("m.db", 655360 * (off_t)STORE_PAGE), 0); /* and a file of holes that is so large */
    Model *model;
    Vocab *vocab;
    Err err;
    ck_assert_msg(store_load("m.db", &model, &vocab, &err), "%s", err.text); /* holes change nothing */
    model_free(model);
    vocab_free(vocab);
}
END_TEST

START_TEST(truncated)
{
    long size;
    fixture_export("m.db");
    unsigned char *file = fixture_read("m.db", &size);
    for (long cut = 0; cut < size; cut += cut < 200 ? 13 : 5003) {
        Model *model;
        Vocab *vocab;
        Err err = {"loaded"};
        fixture_write("m.db", file, cut);
        ck_assert_msg(!store_load("m.db", &model, &vocab, &err), "cut at %ld", cut);
        ck_assert_int_eq(strncmp(err.text, "m.db: ", 6), 0);
    }
    free(file);
}
END_TEST

/* Flips bits; half of the places among bytes that are not zero, since most of a small file is empty. */
static int count_refused(const unsigned char *file, long size, uint64_t seed)
{
    enum { FLIPS = 200 };
    int refused = 0;
    Model *good, *model;
    Vocab *good_vocab, *vocab;
    Err err;
    unsigned char *copy = memory_take((size_t)size);
    fixture_write("m.db", file, size);
    ck_assert_msg(store_load("m.db", &good, &good_vocab, &err), "%s", err.text);
    for (uint64_t i = 0; i < FLIPS; i++) {
        Rng rng = rng_at(seed, i, 0);
        long at;
        do
            at = (long)rng_below(&rng, (uint32_t)size);
        while (i % 2 && !file[at]);
        memcpy(copy, file, (size_t)size);
        copy[at] ^= (unsigned char)(1u << rng_below(&rng, 8));
        fixture_write("m.db", copy, size);
        if (!store_load("m.db", &model, &vocab, &err)) {
            ck_assert_msg(strncmp(err.text, "m.db: ", 6) == 0, "%s", err.text);
            refused++;
            continue;
        }
        ck_assert_msg(fixture_same_model(good, good_vocab, model, vocab), "flip at %ld", at);
        model_free(model);
        vocab_free(vocab);
    }
    model_free(good);
    vocab_free(good_vocab);
    free(copy);
    return refused;
}

START_TEST(flipped_bits)
{
    long size;
    fixture_export("m.db");
    unsigned char *file = fixture_read("m.db", &size);
    ck_assert_int_gt(count_refused(file, size, 1), 80); /* 115 seen */
    free(file);
    fixture_run("run.db");
    file = fixture_read("run.db", &size);
    ck_assert_int_gt(count_refused(file, size, 2), 20); /* 46 seen: translation reads one role of five */
    free(file);
}
END_TEST

/* A run is read in whole when it is resumed. */
START_TEST(damaged_run_is_not_resumed)
{
    static const Case cases[] = {
        {"UPDATE state SET value = 10.5 WHERE key = 'step'",
         "run.db: damaged: state: step is missing or malformed"},
        {"DELETE FROM state WHERE key = 'seconds'",
         "run.db: damaged: state: seconds is missing or malformed"},
        {"UPDATE state SET value = 11 WHERE key = 'step'",
         "run.db: damaged: the digest of its state does not agree"},
        {"UPDATE tensor SET value = zeroblob(32) WHERE name = 'combine.bias' AND role = 'moment2'",
         "run.db: damaged: the digest of its tensors (moment2) does not agree"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *model;
        Vocab *vocab;
        Err err = {"restored"};
        Checkpoint read = {0};
        fixture_run("run.db");
        fixture_sql("run.db", cases[i].sql);
        fixture_blocks(&read);
        Store *run = store_open("run.db", &model, &vocab, &err);
        ck_assert_msg(run != NULL, "%s", err.text);
        ck_assert(!store_restore(run, model, &read, &err));
        ck_assert_str_eq(err.text, cases[i].message);
        store_close(run);
        fixture_blocks_free(&read);
        model_free(model);
        vocab_free(vocab);
        ck_assert_int_eq(remove("run.db"), 0);
    }
}
END_TEST

Suite *store_damage_suite(void)
{
    Suite *suite = suite_create("store_damage");
    TCase *tests = tcase_create("store_damage");
    tcase_add_checked_fixture(tests, fixture_start, fixture_end);
    tcase_add_test(tests, foreign_files);
    tcase_add_test(tests, foreign_headers);
    tcase_add_test(tests, journal_beside);
    tcase_add_test(tests, foreign_schema);
    tcase_add_test(tests, foreign_rows);
    tcase_add_test(tests, vocabulary_that_contradicts_itself);
    tcase_add_test(tests, more_pages_claimed_than_there_are);
    tcase_add_test(tests, truncated);
    tcase_add_test(tests, flipped_bits);
    tcase_add_test(tests, damaged_run_is_not_resumed);
    suite_add_tcase(suite, tests);
    return suite;
}
