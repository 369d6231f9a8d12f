/* test_log_fault.c - a log before files that are none, are damaged, locked, gone or not to be written, and on a
 * full disk: one sentence, and what is no log stays as it was. */
#include "log_fixture.h"

#include "scratch.h"
#include "suite.h"

#include <stdio.h>
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

static void start(void)
{
    scratch_start();
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
    scratch_end();
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
    ck_assert(!log_add(log, &log_fixture_cat, 9, 1, "en-es", &err));
    ck_assert_str_eq(err.text, message);
}

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
        log_fixture_sql("other.db", cases[i].sql);
        size_t size = read_file("other.db", before);
        assert_unopened("other.db", cases[i].message);
        ck_assert_uint_eq(read_file("other.db", after), size);
        ck_assert_mem_eq(after, before, size);
        ck_assert_int_ne(access("other.db-journal", F_OK), 0);
        ck_assert_int_ne(access("other.db-wal", F_OK), 0);
        ck_assert_int_eq(remove("other.db"), 0);
    }
    static const char text[] = "The cat sat on the mat.\n";
    log_fixture_write("text", text, strlen(text));
    assert_unopened("text", "text: not a log of translations (not a SQLite database)");
    ck_assert_uint_eq(read_file("text", after), strlen(text));
    ck_assert_mem_eq(after, text, strlen(text));
    memset(before, 'x', sizeof before);
    log_fixture_write("long", before, sizeof before);
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
    log_fixture_run("log.db");
    size_t size = read_file("log.db", bytes);
    memset(bytes + 4096, 0xAA, size - 4096); /* all pages but the schema's */
    log_fixture_write("log.db", bytes, size);
    Log *log = log_fixture_open("log.db");
    assert_not_added(log, "log.db: damaged: database disk image is malformed");
    log_close(log);
}
END_TEST

START_TEST(a_locked_log_is_waited_for)
{
    log_fixture_run("log.db");
    Log *log = log_fixture_open("log.db");
    sqlite3 *other = log_fixture_connect("log.db");
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_not_added(log, "log.db: another program has it locked");
    ck_assert_int_ge(slept, (LOG_PATIENCE - 100) * 1000L);
    assert_unopened("log.db", "log.db: another program has it locked");
    slept = 0;
    stubborn = other;
    log_fixture_add(log, &log_fixture_cat, 1, 1); /* the other gives up after a second */
    ck_assert_int_ge(slept, 1000000);
    log_fixture_commit(log);

    /* A reader in the way of the commit alone. */
    log_fixture_add(log, &log_fixture_cat, 2, 1);
    stubborn = NULL;
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN; SELECT count(*) FROM word", NULL, NULL, NULL), SQLITE_OK);
    Err err = {"committed"};
    ck_assert(!log_commit(log, &err));
    ck_assert_str_eq(err.text, "log.db: another program has it locked");
    sqlite3_close(other);
    log_fixture_add(log, &log_fixture_cat, 3, 1);
    log_fixture_commit(log);
    log_close(log);
    log_fixture_assert_rows("log.db", "SELECT run, line FROM translation ORDER BY id", "1|1 2|1 2|3");
}
END_TEST

START_TEST(a_full_disk_is_named)
{
    Err err = {"committed"};
    is_full = true;
    assert_unopened("log.db", "log.db: not written: the disk is full");
    is_full = false;
    Log *log = log_fixture_open("log.db");
    log_fixture_add(log, &log_fixture_cat, 1, 1);
    is_full = true;
    ck_assert(!log_commit(log, &err));
    ck_assert_str_eq(err.text, "log.db: not written: the disk is full");
    is_full = false;
    log_fixture_add(log, &log_fixture_cat, 2, 1);
    log_fixture_commit(log);
    log_close(log);
    log_fixture_assert_rows("log.db", "SELECT run, line FROM translation", "1|2");
    log_fixture_assert_rows("log.db", "SELECT DISTINCT translation FROM word", "1");
    log_fixture_assert_rows("log.db", "PRAGMA integrity_check", "ok");
}
END_TEST

/* Without the powers of root, whom modes do not stop. */
START_TEST(places_that_are_not_to_be_written)
{
    bool is_root = geteuid() == 0;
    log_fixture_run("log.db");
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
    Log *log = log_fixture_open("log.db"); /* it can be written, but not its directory */
    assert_not_added(log, "log.db: not written: its journal cannot be made: Permission denied");
    log_close(log);
    if (is_root)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(".", 0755), 0);
    log_fixture_assert_rows("log.db", "SELECT count(*) FROM translation", "1");
}
END_TEST

START_TEST(a_file_that_is_gone)
{
    Log *log = log_fixture_open("log.db");
    log_fixture_add(log, &log_fixture_cat, 1, 1);
    log_fixture_commit(log);
    ck_assert_int_eq(rename("log.db", "moved.db"), 0);
    assert_not_added(log, "log.db: not written: the file was moved or removed");
    log_close(log);
    log_fixture_assert_rows("moved.db", "SELECT line FROM translation", "1");
}
END_TEST

START_TEST(a_table_that_is_gone)
{
    log_fixture_run("log.db");
    log_fixture_sql("log.db", "DROP VIEW heatmap; DROP VIEW alignment; DROP TABLE attention");
    assert_unopened("log.db", "log.db: not written: no such table: attention");
    log_fixture_run("twice.db");
    Log *log = log_fixture_open("twice.db");
    log_fixture_add(log, &log_fixture_cat, 9, 1);
    assert_not_added(log, "twice.db: not written: UNIQUE constraint failed: "
                          "translation.run, translation.line, translation.rank");
    log_close(log);
    log_fixture_assert_rows("twice.db", "SELECT run, line FROM translation", "1|1");
}
END_TEST

Suite *log_fault_suite(void)
{
    Suite *suite = suite_create("log_fault");
    TCase *tests = tcase_create("log_fault");
    tcase_add_checked_fixture(tests, start, end);
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
