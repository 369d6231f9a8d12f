/* log_fixture.h - what both tests of the log stand on, in a directory of scratch.h: an alignment, a log that must
 * work, and the rows of a file. */
#ifndef TESTS_VIEW_LOG_FIXTURE_H
#define TESTS_VIEW_LOG_FIXTURE_H

#include "view/log.h"

#include <sqlite3.h>

/* "The cat" as "El gato.", made by hand. */
extern const Alignment log_fixture_cat;

/* The calls of log.h, which must succeed. */
Log *log_fixture_open(const char *path);
void log_fixture_add(Log *log, const Alignment *a, long line, int rank);
void log_fixture_commit(Log *log);

/* One more run in the log at path, which is made if need be: the cat, as line 1. */
void log_fixture_run(const char *path);

/* A file behind the log's back. */
void log_fixture_write(const char *path, const char *bytes, size_t size);
sqlite3 *log_fixture_connect(const char *path); /* to be closed */
void log_fixture_sql(const char *path, const char *sql);

/* The rows as "a|b c|d", where sqlite3 would print them on lines of their own. */
void log_fixture_assert_rows(const char *path, const char *sql, const char *expected);

#endif
