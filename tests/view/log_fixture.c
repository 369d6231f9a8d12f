#include "log_fixture.h"

#include "base/buf.h"

#include <check.h>
#include <stdio.h>

void log_fixture_write(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

sqlite3 *log_fixture_connect(const char *path)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

void log_fixture_sql(const char *path, const char *sql)
{
    sqlite3 *db = log_fixture_connect(path);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

void log_fixture_assert_rows(const char *path, const char *sql, const char *expected)
{
    Buf text = {0};
    sqlite3 *db = log_fixture_connect(path);
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

static AlignmentWord source_words[] = {{"The", 3, 0, 3, 1, 0}, {"cat", 3, 4, 7, 2, 0}};
static AlignmentWord target_words[] = {{"El", 2, 0, 2, 1, -0.25}, {"gato", 4, 3, 7, 2, -0.5},
                                       {".", 1, 7, 8, 1, -2}};
static real weights[] = {(real)0.5, (real)0.25, (real)0.25, (real)0.1, (real)0.8, (real)0.1,
                         0, (real)0.125, (real)0.875, 0, 0, 1};

const Alignment log_fixture_cat = {
    .source_text = "The cat", .target_text = "El gato.", .source_size = 7, .target_size = 8,
    .source = source_words, .target = target_words, .sources = 2, .targets = 3, .weight = weights,
    .score = -3, .normalized = -0.75, .end_score = -0.25,
};

Log *log_fixture_open(const char *path)
{
    Err err;
    Log *log = log_open(path, &err);
    ck_assert_msg(log != NULL, "%s", err.text);
    return log;
}

void log_fixture_add(Log *log, const Alignment *a, long line, int rank)
{
    Err err;
    ck_assert_msg(log_add(log, a, line, rank, "en-es", &err), "%s", err.text);
}

void log_fixture_commit(Log *log)
{
    Err err;
    ck_assert_msg(log_commit(log, &err), "%s", err.text);
}

void log_fixture_run(const char *path)
{
    Log *log = log_fixture_open(path);
    log_fixture_add(log, &log_fixture_cat, 1, 1);
    log_fixture_commit(log);
    log_close(log);
}
