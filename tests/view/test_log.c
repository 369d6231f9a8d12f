/* test_log.c - rows of a log against the alignments they came from; and what goes wrong with files. */
#include "base/buf.h"
#include "suite.h"
#include "view/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file system on which the disk can be full and nobody really sleeps --------------------------- */

static sqlite3_vfs *usual, faulty;
static sqlite3_io_methods usual_methods, faulty_methods;
static bool is_full;
static long slept;        /* microseconds */
static sqlite3 *stubborn; /* gives up its lock once somebody has slept for a second */

static int faulty_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    return is_full ? SQLITE_FULL : usual_methods.xWrite(file, data, size, at);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    int status = usual->xOpen(usual, name, file, flags, out);
    if (status == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB)) {
        usual_methods = faulty_methods = *file->pMethods;
        faulty_methods.xWrite = faulty_write;
        file->pMethods = &faulty_methods;
    }
    return status;
}

static int faulty_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    slept += microseconds;
    if (stubborn && slept >= 1000000)
        sqlite3_exec(stubborn, "ROLLBACK", NULL, NULL, NULL);
    return microseconds;
}

/* An empty directory to stand in ----------------------------------------------------------------- */

static char folder[32];
static int home = -1;

static void start(void)
{
    memcpy(folder, "/tmp/log-test-XXXXXX", sizeof "/tmp/log-test-XXXXXX");
    home = open(".", O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(home, 0);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    usual = sqlite3_vfs_find(NULL);
    faulty = *usual;
    faulty.zName = "faulty";
    faulty.xOpen = faulty_open;
    faulty.xSleep = faulty_sleep;
    ck_assert_int_eq(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
    is_full = false;
    slept = 0;
    stubborn = NULL;
}

static void end(void)
{
    sqlite3_vfs_unregister(&faulty);
    sqlite3_vfs_register(usual, 1);
    DIR *all = opendir(".");
    ck_assert_ptr_nonnull(all);
    for (struct dirent *entry; (entry = readdir(all));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ck_assert_int_eq(remove(entry->d_name), 0);
    closedir(all);
    ck_assert_int_eq(fchdir(home), 0);
    ck_assert_int_eq(close(home), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* Up to 64 KiB. */
static size_t read_file(const char *path, char *bytes)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(bytes, 1, 1 << 16, file);
    ck_assert_int_eq(fclose(file), 0);
    return size;
}

static sqlite3 *connect_to(const char *path)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void change(const char *path, const char *sql)
{
    sqlite3 *db = connect_to(path);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* The rows as "a|b c|d", as sqlite3 would print them on lines of their own. */
static void assert_rows(const char *path, const char *sql, const char *expected)
{
    Buf text = {0};
    sqlite3 *db = connect_to(path);
    sqlite3_stmt *row = NULL;
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    buf_text(&text, "");
    while (sqlite3_step(row) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(row); i++) {
            const char *value = (const char *)sqlite3_column_text(row, i);
            buf_format(&text, "%s%s", i ? "|" : text.size ? " " : "", value ? value : "NULL");
        }
    sqlite3_finalize(row);
    sqlite3_close(db);
    ck_assert_str_eq(text.data, expected);
    buf_free(&text);
}

/* Alignments by hand ----------------------------------------------------------------------------- */

static AlignmentWord source_words[] = {{"The", 3, 0, 3, 1, 0}, {"cat", 3, 4, 7, 2, 0}};
static AlignmentWord target_words[] = {{"El", 2, 0, 2, 1, -0.25}, {"gato", 4, 3, 7, 2, -0.5},
                                       {".", 1, 7, 8, 1, -2}};
static real weights[] = {(real)0.5, (real)0.25, (real)0.25, (real)0.1, (real)0.8, (real)0.1,
                         0, (real)0.125, (real)0.875, 0, 0, 1};
static const Alignment cat = {
    .source_text = "The cat", .target_text = "El gato.", .source_size = 7, .target_size = 8,
    .source = source_words, .target = target_words, .sources = 2, .targets = 3, .weight = weights,
    .score = -3, .normalized = -0.75, .end_score = -0.25,
};

static Log *open_log(const char *path)
{
    Err err;
    Log *log = log_open(path, &err);
    ck_assert_msg(log != NULL, "%s", err.text);
    return log;
}

static void add(Log *log, const Alignment *a, long line, int rank)
{
    Err err;
    ck_assert_msg(log_add(log, a, line, rank, "en-es", &err), "%s", err.text);
}

static void commit(Log *log)
{
    Err err;
    ck_assert_msg(log_commit(log, &err), "%s", err.text);
}

static void log_cat(const char *path)
{
    Log *log = open_log(path);
    add(log, &cat, 1, 1);
    commit(log);
    log_close(log);
}

static void assert_unopened(const char *path, const char *message)
{
    Err err = {"opened"};
    Log *log = log_open(path, &err);
    ck_assert_str_eq(err.text, message);
    ck_assert_ptr_null(log);
}

static void assert_not_added(Log *log, const char *message)
{
    Err err = {"added"};
    ck_assert(!log_add(log, &cat, 9, 1, "en-es", &err));
    ck_assert_str_eq(err.text, message);
}

/* Rows --------------------------------------------------------------------------------------------- */

START_TEST(rows_say_what_the_alignment_says)
{
    log_cat("log.db");
    assert_rows("log.db", "SELECT * FROM translation", "1|1|1|1|en-es|The cat|El gato.|-3.0|-0.75");
    assert_rows("log.db", "SELECT side, position, text, begin, end, pieces, score FROM word",
                "source|0|The|0|3|1|NULL source|1|cat|4|7|2|NULL source|2|</s>|NULL|NULL|1|NULL "
                "target|0|El|0|2|1|-0.25 target|1|gato|3|7|2|-0.5 target|2|.|7|8|1|-2.0 "
                "target|3|</s>|NULL|NULL|1|-0.25");
    assert_rows("log.db", "SELECT substr(CAST(t.target AS BLOB), begin + 1, end - begin) = CAST(w.text AS BLOB)"
                " FROM word AS w JOIN translation AS t ON t.id = w.translation"
                " WHERE side = 'target' AND begin IS NOT NULL", "1 1 1");
    assert_rows("log.db", "SELECT target, source, weight FROM attention WHERE target <> 1",
                "0|0|0.5 0|1|0.25 0|2|0.25 2|0|0.0 2|1|0.125 2|2|0.875 3|0|0.0 3|1|0.0 3|2|1.0");
    assert_rows("log.db", "SELECT weight FROM attention WHERE target = 1 AND source = 1", "0.800000011920929");
    assert_rows("log.db", "SELECT * FROM heatmap WHERE target IN (1, 3)",
                "1|1|0|gato|The|0.1 1|1|1|gato|cat|0.8 1|1|2|gato|</s>|0.1 "
                "1|3|0|</s>|The|0.0 1|3|1|</s>|cat|0.0 1|3|2|</s>|</s>|1.0");
    assert_rows("log.db", "SELECT * FROM alignment", "1|0|0|El|The|0.5 1|1|1|gato|cat|0.8");
}
END_TEST

/* Random matrices of few different weights: many ties, and often the end wins. */
START_TEST(links_are_those_of_alignment_hard)
{
    enum { SIDE = 6, COUNT = 40 };
    AlignmentWord word[SIDE];
    AlignmentLink link[SIDE];
    real weight[(SIDE + 1) * (SIDE + 1)];
    unsigned state = 1;
    int links = 0;
    Buf expected = {0};
    Log *log = open_log("log.db");
    for (int i = 0; i < SIDE; i++)
        word[i] = (AlignmentWord){"word", 4, 0, 4, 1, 0};
    for (int n = 0; n < COUNT; n++) {
        Alignment a = {.source_text = "word", .target_text = "word", .source_size = 4, .target_size = 4,
                       .source = word, .target = word, .sources = n % SIDE, .targets = n / SIDE % SIDE + 1,
                       .weight = weight};
        for (int i = 0; i < (a.sources + 1) * (a.targets + 1); i++) {
            state = state * 1664525 + 1013904223;
            weight[i] = (real)(state >> 30) / 4;
        }
        add(log, &a, n + 1, 1);
        int count = alignment_hard(&a, link);
        for (int i = 0; i < count; i++)
            buf_format(&expected, "%s%d|%d|%d", links++ ? " " : "", n + 1, link[i].target, link[i].source);
    }
    commit(log);
    log_close(log);
    ck_assert_int_gt(links, COUNT);
    assert_rows("log.db", "SELECT translation, target, source FROM alignment", expected.data);
    buf_free(&expected);
}
END_TEST

START_TEST(nothing_is_there_before_its_commit)
{
    Log *log = open_log("log.db");
    assert_rows("log.db", "SELECT count(*) FROM translation", "0");
    commit(log); /* of nothing */
    add(log, &cat, 1, 1);
    add(log, &cat, 2, 1);
    assert_rows("log.db", "SELECT count(*) FROM translation", "0");
    commit(log);
    assert_rows("log.db", "SELECT count(*) FROM translation", "2");
    add(log, &cat, 3, 1);
    log_close(log);
    assert_rows("log.db", "SELECT count(*) FROM translation", "2");
    log_close(NULL);
}
END_TEST

/* Two logs on one file, taking turns. */
START_TEST(a_log_is_appended_to)
{
    log_cat("log.db");
    change("log.db", "CREATE TABLE mine(note TEXT); CREATE INDEX word_text ON word(text)");
    Log *one = open_log("log.db"), *two = open_log("log.db");
    add(one, &cat, 1, 1);
    add(one, &cat, 1, 2);
    commit(one);
    add(two, &cat, 7, 1);
    commit(two);
    add(one, &cat, 2, 1);
    commit(one);
    log_close(one);
    log_close(two);
    assert_rows("log.db", "SELECT id, run, line, rank FROM translation ORDER BY id",
                "1|1|1|1 2|2|1|1 3|2|1|2 4|3|7|1 5|2|2|1");
    assert_rows("log.db", "SELECT count(*) FROM word", "35");
    assert_rows("log.db", "PRAGMA integrity_check", "ok");
    change("log.db", "PRAGMA foreign_keys = ON; DELETE FROM translation WHERE run = 2");
    assert_rows("log.db", "SELECT DISTINCT translation FROM attention", "1 4");
}
END_TEST

START_TEST(any_bytes_become_text)
{
    AlignmentWord source[] = {{"a\0b\xFF", 4, 0, 4, 1, 0}, {"'); DROP TABLE word; --", 23, 5, 28, 1, 0}};
    Alignment a = cat;
    a.source_text = "a\0b\xFF '); DROP TABLE word; --";
    a.source_size = 28;
    a.source = source;
    Log *log = open_log("log.db");
    add(log, &a, 1, 1);
    commit(log);
    log_close(log);
    assert_rows("log.db", "SELECT source FROM translation", "a\uFFFDb\uFFFD '); DROP TABLE word; --");
    assert_rows("log.db", "SELECT text, begin, end FROM word WHERE side = 'source' AND position < 2",
                "a\uFFFDb\uFFFD|0|4 '); DROP TABLE word; --|5|28");
}
END_TEST

START_TEST(lines_without_words)
{
    real none = 0;
    Alignment blank = {.source_text = "", .target_text = "", .weight = &none};
    Alignment large = {.source_text = "The cat", .target_text = "El gato.", .source_size = 7,
                       .target_size = 8, .weight = &none, .score = -3, .left_out = true};
    Log *log = open_log("log.db");
    add(log, &blank, 1, 1);
    add(log, &large, 2, 1);
    commit(log);
    log_close(log);
    assert_rows("log.db", "SELECT line, source, target, score FROM translation", "1|||0.0 2|The cat|El gato.|-3.0");
    assert_rows("log.db", "SELECT translation, side, text FROM word", "1|source|</s> 1|target|</s>");
    assert_rows("log.db", "SELECT translation, weight FROM attention", "1|0.0");
    assert_rows("log.db", "SELECT count(*) FROM alignment", "0");
}
END_TEST

/* Files -------------------------------------------------------------------------------------------- */

START_TEST(paths_mean_nothing_but_files)
{
    static const char *const names[] = {":memory:", "file:a?mode=ro", "a%20b#c", "./log.db"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        log_cat(names[i]);
        ck_assert_int_eq(access(names[i], F_OK), 0);
    }
    write_file("empty", "", 0);
    log_cat("empty");
    assert_rows("empty", "SELECT count(*) FROM translation", "1");
}
END_TEST

START_TEST(what_is_no_log_is_refused_and_kept)
{
    static char before[1 << 16], after[1 << 16];
    static const struct {
        const char *sql, *message;
    } cases[] = {
        {"PRAGMA application_id=0x41546D64; PRAGMA user_version=1",
         "other.db: not a log of translations (application_id 41546d64)"},
        {"PRAGMA application_id=0x4154726E; PRAGMA journal_mode=WAL",
         "other.db: not a log of translations (application_id 4154726e)"},
        {"CREATE TABLE mine(x)", "other.db: not a log of translations (application_id 00000000)"},
        {"PRAGMA user_version=1", "other.db: not a log of translations (application_id 00000000)"},
        {"PRAGMA application_id=0x41546C67; PRAGMA user_version=2",
         "other.db: a log of version 2; this program writes version 1"},
        {"PRAGMA application_id=0x41546C67; PRAGMA user_version=1",
         "other.db: not written: no such table: translation"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        change("other.db", cases[i].sql);
        size_t size = read_file("other.db", before);
        assert_unopened("other.db", cases[i].message);
        ck_assert_uint_eq(read_file("other.db", after), size);
        ck_assert_mem_eq(after, before, size);
        ck_assert_int_ne(access("other.db-journal", F_OK), 0);
        ck_assert_int_ne(access("other.db-wal", F_OK), 0);
        ck_assert_int_eq(remove("other.db"), 0);
    }
    static const char text[] = "The cat sat on the mat.\n";
    write_file("text", text, strlen(text));
    assert_unopened("text", "text: not a log of translations (not a SQLite database)");
    ck_assert_uint_eq(read_file("text", after), strlen(text));
    ck_assert_mem_eq(after, text, strlen(text));
    memset(before, 'x', sizeof before);
    write_file("long", before, sizeof before);
    assert_unopened("long", "long: not a log of translations (not a SQLite database)");
    assert_unopened("/dev/null", "/dev/null: not a log of translations (not a regular file)");
    assert_unopened(".", ".: not a log of translations (not a regular file)");
    assert_unopened("none/log.db", "none/log.db: cannot be written: No such file or directory");
    assert_unopened("text/log.db", "text/log.db: cannot be written: Not a directory");
}
END_TEST

START_TEST(a_damaged_log_is_named)
{
    static char bytes[1 << 16];
    log_cat("log.db");
    size_t size = read_file("log.db", bytes);
    memset(bytes + 4096, 0xAA, size - 4096); /* all pages but the schema's */
    write_file("log.db", bytes, size);
    Log *log = open_log("log.db");
    assert_not_added(log, "log.db: damaged: database disk image is malformed");
    log_close(log);
}
END_TEST

START_TEST(a_locked_log_is_waited_for)
{
    log_cat("log.db");
    Log *log = open_log("log.db");
    sqlite3 *other = connect_to("log.db");
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_not_added(log, "log.db: another program has it locked");
    ck_assert_int_ge(slept, (LOG_PATIENCE - 100) * 1000L);
    assert_unopened("log.db", "log.db: another program has it locked");
    slept = 0;
    stubborn = other;
    add(log, &cat, 1, 1); /* the other gives up after a second */
    ck_assert_int_ge(slept, 1000000);
    commit(log);

    /* A reader in the way of the commit alone. */
    add(log, &cat, 2, 1);
    stubborn = NULL;
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN; SELECT count(*) FROM word", NULL, NULL, NULL), SQLITE_OK);
    Err err = {"committed"};
    ck_assert(!log_commit(log, &err));
    ck_assert_str_eq(err.text, "log.db: another program has it locked");
    sqlite3_close(other);
    add(log, &cat, 3, 1);
    commit(log);
    log_close(log);
    assert_rows("log.db", "SELECT run, line FROM translation ORDER BY id", "1|1 2|1 2|3");
}
END_TEST

START_TEST(a_full_disk_is_named)
{
    Err err = {"committed"};
    is_full = true;
    assert_unopened("log.db", "log.db: not written: the disk is full");
    is_full = false;
    Log *log = open_log("log.db");
    add(log, &cat, 1, 1);
    is_full = true;
    ck_assert(!log_commit(log, &err));
    ck_assert_str_eq(err.text, "log.db: not written: the disk is full");
    is_full = false;
    add(log, &cat, 2, 1);
    commit(log);
    log_close(log);
    assert_rows("log.db", "SELECT run, line FROM translation", "1|2");
    assert_rows("log.db", "SELECT DISTINCT translation FROM word", "1");
    assert_rows("log.db", "PRAGMA integrity_check", "ok");
}
END_TEST

/* Without the powers of root, whom modes do not stop. */
START_TEST(places_that_are_not_to_be_written)
{
    bool is_root = geteuid() == 0;
    log_cat("log.db");
    ck_assert_int_eq(chmod(".", 0755), 0);
    ck_assert_int_eq(chmod("log.db", 0444), 0);
    if (is_root)
        ck_assert_int_eq(seteuid(65534), 0);
    else
        ck_assert_int_eq(chmod(".", 0555), 0);
    assert_unopened("log.db", "log.db: cannot be written: Permission denied");
    assert_unopened("new.db", "new.db: cannot be written: Permission denied");
    if (is_root)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod("log.db", 0666), 0);
    if (is_root)
        ck_assert_int_eq(seteuid(65534), 0);
    Log *log = open_log("log.db"); /* it can be written, but not its directory */
    assert_not_added(log, "log.db: not written: its journal cannot be made: Permission denied");
    log_close(log);
    if (is_root)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(".", 0755), 0);
    assert_rows("log.db", "SELECT count(*) FROM translation", "1");
}
END_TEST

START_TEST(a_file_that_is_gone)
{
    Log *log = open_log("log.db");
    add(log, &cat, 1, 1);
    commit(log);
    ck_assert_int_eq(rename("log.db", "moved.db"), 0);
    assert_not_added(log, "log.db: not written: the file was moved or removed");
    log_close(log);
    assert_rows("moved.db", "SELECT line FROM translation", "1");
}
END_TEST

START_TEST(a_table_that_is_gone)
{
    log_cat("log.db");
    change("log.db", "DROP VIEW heatmap; DROP VIEW alignment; DROP TABLE attention");
    assert_unopened("log.db", "log.db: not written: no such table: attention");
    log_cat("twice.db");
    Log *log = open_log("twice.db");
    add(log, &cat, 9, 1);
    assert_not_added(log, "twice.db: not written: UNIQUE constraint failed: "
                          "translation.run, translation.line, translation.rank");
    log_close(log);
    assert_rows("twice.db", "SELECT run, line FROM translation", "1|1");
}
END_TEST

Suite *log_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("log");
    tcase_add_checked_fixture(tests, start, end);
    tcase_add_test(tests, rows_say_what_the_alignment_says);
    tcase_add_test(tests, links_are_those_of_alignment_hard);
    tcase_add_test(tests, nothing_is_there_before_its_commit);
    tcase_add_test(tests, a_log_is_appended_to);
    tcase_add_test(tests, any_bytes_become_text);
    tcase_add_test(tests, lines_without_words);
    tcase_add_test(tests, paths_mean_nothing_but_files);
    tcase_add_test(tests, what_is_no_log_is_refused_and_kept);
    tcase_add_test(tests, a_damaged_log_is_named);
    tcase_add_test(tests, a_locked_log_is_waited_for);
    tcase_add_test(tests, a_full_disk_is_named);
    tcase_add_test(tests, places_that_are_not_to_be_written);
    tcase_add_test(tests, a_file_that_is_gone);
    tcase_add_test(tests, a_table_that_is_gone);
    suite_add_tcase(suite, tests);
    return suite;
}
