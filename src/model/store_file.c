/* store_file.c - how a path becomes a connection that may be trusted with a stranger's file.
 *
 * Three gates, each before anything behind it is believed:
 *   header   the first bytes, read here: SQLite, application_id, user_version, few schema entries
 *   journal  beside an exported model none may stand: its rows may be half-written
 *   schema   the very text of each CREATE TABLE; so no view, trigger or foreign column is ever asked
 * Behind them, bounds: no value longer than SMALL but tensors, which are read by portions; a number
 * of steps after which a statement is given up. */
#define _XOPEN_SOURCE 700 /* realpath: a journal stands beside the file, not beside a link to it */

#include "model/store_internal.h"

#include "base/arena.h"
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMALL 100000            /* bytes of a row that is no tensor, and of a statement */
#define GUARD_STEPS 10000       /* virtual instructions of SQLite between two calls of the guard */
#define GUARD_CALLS 2000        /* a good file of the largest size takes 800 */
#define SCHEMA_ENTRIES 32       /* more are not even parsed */
#define BUSY_MILLISECONDS 5000

typedef struct {
    const char *name, *sql; /* sql NULL: the index that belongs to a PRIMARY KEY */
} Entry;

/* Comments stay in the file: `.schema` in sqlite3 shows them. */
static const Entry schema[] = {
    {"config",
     "CREATE TABLE config(\n"
     "  key TEXT PRIMARY KEY,             -- a flag of ./train without its dashes\n"
     "  value TEXT NOT NULL\n"
     ") STRICT, WITHOUT ROWID"},
    {"piece",
     "CREATE TABLE piece(\n"
     "  id INTEGER PRIMARY KEY,           -- 0, 1, 2, ...; a row of the embeddings\n"
     "  text TEXT NOT NULL,               -- \u2581 stands for the space\n"
     "  kind TEXT NOT NULL CHECK(kind IN ('special', 'byte', 'character', 'merge')),\n"
     "  count INTEGER NOT NULL CHECK(count >= 0)  -- in the training text\n"
     ") STRICT"},
    {"merge",
     "CREATE TABLE merge(\n"
     "  rank INTEGER PRIMARY KEY,         -- 0, 1, 2, ...; lower goes first\n"
     "  left INTEGER NOT NULL REFERENCES piece(id),\n"
     "  right INTEGER NOT NULL REFERENCES piece(id)\n"
     ") STRICT"},
    {"tensor",
     "CREATE TABLE tensor(\n"
     "  role TEXT NOT NULL CHECK(role IN ('weight', 'moment1', 'moment2', 'average', 'best')),\n"
     "  name TEXT NOT NULL,\n"
     "  rows INTEGER NOT NULL CHECK(rows > 0),\n"
     "  cols INTEGER NOT NULL CHECK(cols > 0),\n"
     "  type TEXT NOT NULL CHECK(type IN ('float16', 'float32')),\n"
     "  value BLOB NOT NULL               -- row after row, little-endian\n"
     "    CHECK(length(value) = rows * cols * CASE type WHEN 'float16' THEN 2 ELSE 4 END),\n"
     "  PRIMARY KEY(role, name)\n"
     ") STRICT"},
    {"sqlite_autoindex_tensor_1", NULL},
    {"state",
     "CREATE TABLE state(\n"
     "  key TEXT PRIMARY KEY,\n"
     "  value ANY NOT NULL\n"
     ") STRICT, WITHOUT ROWID"},
    {"progress",
     "CREATE TABLE progress(\n"
     "  step INTEGER PRIMARY KEY,         -- updates so far\n"
     "  epoch REAL,                       -- passes over the corpus so far\n"
     "  seconds REAL,                     -- spent training so far\n"
     "  learning_rate REAL,\n"
     "  train_loss REAL,                  -- nats per target piece, smoothed, since the last row\n"
     "  dev_loss REAL,                    -- nats per target piece, not smoothed\n"
     "  dev_bleu REAL,                    -- 0 to 100\n"
     "  dev_chrf REAL,                    -- 0 to 100\n"
     "  tokens_per_second REAL            -- target pieces trained on, since the last row\n"
     ") STRICT"},
    {"provenance",
     "CREATE TABLE provenance(\n"
     "  key TEXT PRIMARY KEY,\n"
     "  value TEXT NOT NULL\n"
     ") STRICT, WITHOUT ROWID"},
    {"digest",
     "CREATE TABLE digest(\n"
     "  part TEXT PRIMARY KEY,\n"
     "  value TEXT NOT NULL               -- XXH3, 128 bits, hexadecimal\n"
     ") STRICT, WITHOUT ROWID"},
};
enum { SCHEMA = sizeof schema / sizeof *schema };

/* Failures ----------------------------------------------------------------------------------- */

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool store_fail(Store *store, Err *err)
{
    int code = sqlite3_extended_errcode(store->db);
    int cause = sqlite3_system_errno(store->db);
    const char *path = store->path, *reason = cause ? strerror(cause) : sqlite3_errmsg(store->db);
    switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, "%s: another program has it locked", path);
    case SQLITE_FULL:
        return err_set(err, "%s: not written: the disk is full", path);
    case SQLITE_CONSTRAINT:
        return err_set(err, "%s: not written: %s", path, sqlite3_errmsg(store->db));
    case SQLITE_READONLY:
        if (code == SQLITE_READONLY_ROLLBACK)
            return err_set(err, "%s: a journal stands beside it (%s-journal): a crash left it half-written; "
                           "open it once with ./train --resume", path, last_name(store->file));
        /* fall through */
    case SQLITE_PERM:
        return err_set(err, "%s: cannot be written: %s", path, sqlite3_errmsg(store->db));
    case SQLITE_CANTOPEN:
        return err_set(err, "%s: cannot be opened, or its journal cannot be made: %s", path, reason);
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_SHORT_READ)
            return err_set(err, "%s: damaged: it ends too early", path);
        return err_set(err, "%s: input or output failed: %s", path, reason);
    case SQLITE_NOMEM:
        return err_set(err, "%s: not enough memory", path);
    case SQLITE_TOOBIG:
        return err_set(err, "%s: damaged: a row is longer than any row of a model", path);
    case SQLITE_INTERRUPT:
        return err_set(err, "%s: damaged: reading it finds no end", path);
    default:
        return err_set(err, "%s: damaged: %s", path, sqlite3_errmsg(store->db));
    }
}

bool store_no_checkpoint(const Store *store, Err *err)
{
    return err_set(err, "%s: holds no checkpoint yet; if its training was stopped, remove it and begin anew",
                   store->path);
}

sqlite3_stmt *store_prepare(Store *store, const char *sql, Err *err)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
        store_fail(store, err);
    return statement; /* NULL when that failed */
}

bool store_exec(Store *store, const char *sql, Err *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_fail(store, err);
}

bool store_finish(Store *store, sqlite3_stmt *statement, int status, Err *err)
{
    bool good = status == SQLITE_DONE || store_fail(store, err); /* before finalize forgets it */
    sqlite3_finalize(statement);
    return good;
}

/* Gate 1: the header ------------------------------------------------------------------------- */

#define HEADER_BYTES 108 /* the file header, and the page header of sqlite_schema behind it */

static unsigned number_at(const unsigned char *at, int bytes)
{
    unsigned number = 0;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

/* Bytes that were read, or -1 with errno. Never waits, as opening a pipe would. */
static ssize_t header_read(const char *path, unsigned char header[HEADER_BYTES], struct stat *file)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t size = fstat(fd, file) != 0       ? -1
                   : S_ISREG(file->st_mode)   ? pread(fd, header, HEADER_BYTES, 0)
                                              : 0;
    int cause = errno;
    close(fd);
    errno = cause;
    return size;
}

static bool is_sqlite(const unsigned char *header, ssize_t size)
{
    return size == HEADER_BYTES && memcmp(header, "SQLite format 3", 16) == 0;
}

unsigned store_id(const char *path)
{
    unsigned char header[HEADER_BYTES];
    struct stat file;
    return is_sqlite(header, header_read(path, header, &file)) ? number_at(header + 68, 4) : 0;
}

static bool header_check(Store *store, StoreAccess access, Err *err)
{
    unsigned char header[HEADER_BYTES];
    struct stat file;
    const char *path = store->path;
    ssize_t size = header_read(store->file, header, &file);
    if (size < 0)
        return err_set(err, "%s: %s", path, strerror(errno));
    if (!S_ISREG(file.st_mode))
        return err_set(err, "%s: not a model (not a regular file)", path);
    if (size == 0)
        return access == STORE_WRITE ? store_no_checkpoint(store, err)
                                     : err_set(err, "%s: not a model (empty file)", path);
    if (!is_sqlite(header, size))
        return err_set(err, "%s: not a model (not an SQLite database)", path);
    unsigned id = number_at(header + 68, 4), format = number_at(header + 60, 4);
    if (id != STORE_MODEL_ID && id != STORE_RUN_ID)
        return err_set(err, "%s: not a model (application_id %08x)", path, id);
    if (format != STORE_FORMAT)
        return err_set(err, "%s: is of model format %u, but this program knows format %d only", path,
                       format, STORE_FORMAT);
    if (header[18] != 1 || header[19] != 1)
        return err_set(err, "%s: is in WAL mode: run sqlite3 on it and PRAGMA journal_mode=DELETE", path);
    enum { LEAF = 13 }; /* a table that needs no second page */
    if (header[100] != LEAF || number_at(header + 103, 2) > SCHEMA_ENTRIES)
        return err_set(err, "%s: damaged: its schema is larger than a model's", path);
    store->is_run = id == STORE_RUN_ID;
    store->bytes = file.st_size;
    return true;
}

/* Gate 2: no journal ------------------------------------------------------------------------- */

/* Only for files without locks: SQLite itself waits for a run that is being written. */
bool store_no_journal(const char *path, const char *file, Err *err)
{
    static const char *const endings[] = {"-journal", "-wal"};
    for (int i = 0; i < 2; i++) {
        Buf name = {0};
        struct stat journal;
        buf_format(&name, "%s%s", file, endings[i]);
        bool there = lstat(name.data, &journal) == 0;
        if (there)
            err_set(err, "%s: a journal stands beside it (%s): another program is writing it, or has left "
                    "it half-written", path, last_name(name.data));
        buf_free(&name);
        if (there)
            return false;
    }
    return true;
}

/* Gate 3: the schema ------------------------------------------------------------------------- */

static bool entry_check(Store *store, sqlite3_stmt *row, bool seen[SCHEMA], Err *err)
{
    const char *type = (const char *)sqlite3_column_text(row, 0);
    const char *name = (const char *)sqlite3_column_text(row, 1);
    const char *sql = (const char *)sqlite3_column_text(row, 2);
    if (!type || !name)
        return err_set(err, "%s: damaged: a nameless entry in its schema", store->path);
    int at = 0;
    while (at < SCHEMA && strcmp(schema[at].name, name) != 0)
        at++;
    if (at == SCHEMA || seen[at])
        return err_set(err, "%s: damaged: %s %s is not part of a model", store->path, type, name);
    if (strcmp(type, schema[at].sql ? "table" : "index") != 0)
        return err_set(err, "%s: damaged: %s is a %s where a model has a table", store->path, name, type);
    if (schema[at].sql ? !sql || strcmp(sql, schema[at].sql) != 0 : sql != NULL)
        return err_set(err, "%s: damaged: table %s is not declared as in a model", store->path, name);
    seen[at] = true;
    return true;
}

static bool schema_check(Store *store, Err *err)
{
    bool seen[SCHEMA] = {false}, good = true;
    sqlite3_stmt *row = store_prepare(store, "SELECT type, name, sql FROM main.sqlite_schema", err);
    if (!row)
        return false;
    int status = SQLITE_DONE;
    while (good && (status = sqlite3_step(row)) == SQLITE_ROW)
        good = entry_check(store, row, seen, err);
    if (!good) {
        sqlite3_finalize(row);
        return false;
    }
    if (!store_finish(store, row, status, err))
        return false;
    for (int at = 0; at < SCHEMA; at++)
        if (!seen[at])
            return err_set(err, "%s: damaged: table %s is missing", store->path, schema[at].name);
    return true;
}

/* Connecting --------------------------------------------------------------------------------- */

static int guard(void *store)
{
    return --((Store *)store)->budget < 0;
}

void store_unbound(Store *store)
{
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, 0x7FFFFFFF); /* as far as SQLite was built for */
}

static void bind_hands(Store *store)
{
    static const int limits[][2] = {
        {SQLITE_LIMIT_LENGTH, SMALL},      {SQLITE_LIMIT_SQL_LENGTH, SMALL},
        {SQLITE_LIMIT_COLUMN, 100},        {SQLITE_LIMIT_EXPR_DEPTH, 100},
        {SQLITE_LIMIT_COMPOUND_SELECT, 3}, {SQLITE_LIMIT_VDBE_OP, 25000},
        {SQLITE_LIMIT_ATTACHED, 0},        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    static const int off[] = {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                              SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        sqlite3_limit(store->db, limits[i][0], limits[i][1]);
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        sqlite3_db_config(store->db, off[i], 0, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_busy_timeout(store->db, BUSY_MILLISECONDS);
    store->budget = GUARD_CALLS;
    sqlite3_progress_handler(store->db, GUARD_STEPS, guard, store);
}

/* As a URI: no path means anything special to SQLite then (":memory:", "", "a?b"). */
static void uri(Buf *out, const char *file, bool immutable)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    buf_text(out, "file://"); /* file is absolute */
    for (; *file; file++)
        if (strchr(plain, *file))
            buf_char(out, *file);
        else
            buf_format(out, "%%%02X", (unsigned char)*file);
    if (immutable)
        buf_text(out, "?immutable=1");
}

static bool connect_file(Store *store, StoreAccess access, Err *err)
{
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    Buf name = {0};
    uri(&name, store->file, access == STORE_READ && !store->is_run);
    flags |= access == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int status = sqlite3_open_v2(name.data, &store->db, flags, NULL);
    buf_free(&name);
    if (!store->db)
        return err_set(err, "%s: not enough memory", store->path);
    if (status != SQLITE_OK)
        return store_fail(store, err);
    bind_hands(store);
    return true;
}

/* Forbidden, or on a disk that takes nothing. */
static bool fail_read_only(Store *store, Err *err)
{
    int cause = access(store->file, W_OK) != 0 ? errno : EACCES;
    return err_set(err, "%s: cannot be written: %s", store->path, strerror(cause));
}

/* An exported model never changes in place, so it is read without locks and out of a mapping. A run
 * may be in training: its locks are honoured, and BEGIN makes all reading see one checkpoint. */
static bool connect_checked(Store *store, StoreAccess access, Err *err)
{
    if (access == STORE_READ)
        return header_check(store, access, err)
               && (store->is_run || store_no_journal(store->path, store->file, err))
               && connect_file(store, access, err)
               && (store->is_run || store_exec(store, "PRAGMA mmap_size=1073741824", err))
               && store_exec(store, "PRAGMA cell_size_check=1; BEGIN", err)
               && schema_check(store, err);
    if (!header_check(store, access, err))
        return false;
    if (!store->is_run)
        return err_set(err, "%s: is an exported model, not a run: start a run from it with --init",
                       store->path);
    if (!connect_file(store, access, err))
        return false;
    if (sqlite3_db_readonly(store->db, "main") == 1)
        return fail_read_only(store, err);
    /* SQLite undoes a half-written checkpoint when it first reads; so the header is looked at again. */
    return store_exec(store, "PRAGMA main.application_id", err)
           && header_check(store, access, err)
           && store_exec(store, STORE_SAFE "; PRAGMA cell_size_check=1", err)
           && schema_check(store, err);
}

Store *store_connect(const char *path, const char *file, StoreAccess access, Err *err)
{
    Store *store = memory_take_zeros(1, sizeof *store);
    const char *named = file ? file : path;
    char *real_path = realpath(named, NULL);
    if (!real_path) {
        err_set(err, "%s: %s", path, strerror(errno));
        free(store);
        return NULL;
    }
    Buf text = {0};
    buf_text(&text, path);
    store->path = text.data;
    store->file = real_path;
    store->step = -1;
    store->digest.state = XXH3_createState();
    bool good = store->digest.state || err_set(err, "%s: not enough memory", path);
    good = good && (access == STORE_FRESH ? connect_file(store, access, err)
                                          : connect_checked(store, access, err));
    if (good)
        return store;
    store_close(store);
    return NULL;
}

void store_close(Store *store)
{
    if (!store)
        return;
    sqlite3_close(store->db);
    XXH3_freeState(store->digest.state);
    free(store->path);
    free(store->file);
    free(store);
}

bool store_begin_fresh(Store *store, unsigned id, const char *settings, Err *err)
{
    Buf sql = {0};
    store_unbound(store);
    buf_format(&sql, "PRAGMA page_size=%d; PRAGMA encoding='UTF-8'; %s; BEGIN IMMEDIATE; "
               "PRAGMA application_id=%u; PRAGMA user_version=%d;", STORE_PAGE, settings, id, STORE_FORMAT);
    for (int i = 0; i < SCHEMA; i++)
        if (schema[i].sql)
            buf_format(&sql, "%s;", schema[i].sql);
    bool good = store_exec(store, sql.data, err);
    buf_free(&sql);
    return good;
}
