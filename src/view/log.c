/* log.c - alignments to rows. Nothing is read back but what the file is, and the number of its last run. */
#include "view/log.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define END_WORD "</s>"

/* Comments stay in the file: `.schema` in sqlite3 shows them. */
static const char schema[] =
    "CREATE TABLE translation(\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  run INTEGER NOT NULL,             -- 1, 2, ...: which command wrote it\n"
    "  line INTEGER NOT NULL,            -- of its input, from 1\n"
    "  rank INTEGER NOT NULL,            -- of the hypothesis, from 1\n"
    "  model TEXT NOT NULL,\n"
    "  source TEXT NOT NULL,\n"
    "  target TEXT NOT NULL,\n"
    "  score REAL,                       -- natural log-probability\n"
    "  normalized REAL,                  -- score divided by length\n"
    "  UNIQUE(run, line, rank)\n"
    ") STRICT;\n"
    "CREATE TABLE word(\n"
    "  translation INTEGER NOT NULL REFERENCES translation(id) ON DELETE CASCADE,\n"
    "  side TEXT NOT NULL CHECK(side IN ('source', 'target')),\n"
    "  position INTEGER NOT NULL,        -- from 0; the last one is the end of the sentence\n"
    "  text TEXT NOT NULL,               -- '" END_WORD "' at the end\n"
    "  begin INTEGER,                    -- bytes [begin, end) of the translation's source or target\n"
    "  end INTEGER,\n"
    "  pieces INTEGER NOT NULL,\n"
    "  score REAL,                       -- natural log-probability of a target word\n"
    "  PRIMARY KEY(translation, side, position)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE attention(\n"
    "  translation INTEGER NOT NULL REFERENCES translation(id) ON DELETE CASCADE,\n"
    "  target INTEGER NOT NULL,          -- position of a word; looked\n"
    "  source INTEGER NOT NULL,          -- at the word at this position\n"
    "  weight REAL NOT NULL,             -- so much; 1 in all for each target\n"
    "  PRIMARY KEY(translation, target, source)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE VIEW alignment(translation, target, source, target_word, source_word, weight) AS\n"
    "  -- for each target word the source word that it looked at most; none where that is the end\n"
    "  SELECT t.translation, t.position, s.position, t.text, s.text, round(a.weight, 3)\n"
    "  FROM word AS t\n"
    "  JOIN attention AS a ON a.translation = t.translation AND a.target = t.position AND a.source =\n"
    "    (SELECT b.source FROM attention AS b WHERE b.translation = t.translation AND b.target = t.position\n"
    "     ORDER BY b.weight DESC, b.source LIMIT 1)\n"
    "  JOIN word AS s ON s.translation = t.translation AND s.side = 'source' AND s.position = a.source\n"
    "  WHERE t.side = 'target' AND t.begin IS NOT NULL AND s.begin IS NOT NULL\n"
    "  ORDER BY 1, 2;\n"
    "CREATE VIEW heatmap(translation, target, source, target_word, source_word, weight) AS\n"
    "  SELECT a.translation, a.target, a.source, t.text, s.text, round(a.weight, 3)\n"
    "  FROM attention AS a\n"
    "  JOIN word AS t ON t.translation = a.translation AND t.side = 'target' AND t.position = a.target\n"
    "  JOIN word AS s ON s.translation = a.translation AND s.side = 'source' AND s.position = a.source\n"
    "  ORDER BY 1, 2, 3;\n";

typedef enum { BEGIN, COMMIT, ROLLBACK, RUN, TRANSLATION, WORD, ATTENTION, STATEMENTS } Statement;

static const char *const statement_sql[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [RUN] = "SELECT coalesce(max(run), 0) + 1 FROM translation",
    [TRANSLATION] = "INSERT INTO translation(run, line, rank, model, source, target, score, normalized)\n"
                    "VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
    [WORD] = "INSERT INTO word(translation, side, position, text, begin, end, pieces, score)\n"
             "VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
    [ATTENTION] = "INSERT INTO attention(translation, target, source, weight) VALUES(?, ?, ?, ?)",
};

struct Log {
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENTS];
    Buf path; /* as given: for messages */
    Buf text; /* of a column, made fit */
    int64_t run;       /* 0: not yet known */
    bool run_is_fixed; /* a row of it is committed */
};

/* Failures ------------------------------------------------------------------------------------- */

/* The last failure of SQLite in one sentence. Ends the transaction. Always false. */
static bool fail(Log *log, Err *err)
{
    sqlite3 *db = log->db;
    const char *path = log->path.data;
    int extended = sqlite3_extended_errcode(db), code = extended & 0xFF, cause = sqlite3_system_errno(db);
    const char *message = sqlite3_errmsg(db), *reason = cause ? strerror(cause) : message;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        err_set(err, "%s: another program has it locked", path);
    else if (code == SQLITE_FULL)
        err_set(err, "%s: not written: the disk is full", path);
    else if (extended == SQLITE_READONLY_DBMOVED)
        err_set(err, "%s: not written: the file was moved or removed", path);
    else if (extended == SQLITE_READONLY_DIRECTORY)
        err_set(err, "%s: not written: its journal cannot be made: %s", path, strerror(EACCES));
    else if (code == SQLITE_CANTOPEN)
        err_set(err, "%s: not written: its journal cannot be made: %s", path, reason);
    else if (code == SQLITE_IOERR)
        err_set(err, "%s: input or output failed: %s", path, reason);
    else if (code == SQLITE_NOTADB)
        err_set(err, "%s: not a log of translations (not a SQLite database)", path);
    else if (code == SQLITE_CORRUPT)
        err_set(err, "%s: damaged: %s", path, message);
    else
        err_set(err, "%s: not written: %s", path, message);
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    if (!log->run_is_fixed)
        log->run = 0;
    return false;
}

/* Runs a statement to its end; *value, unless NULL, is the first number of its row. */
static bool run(Log *log, Statement which, int64_t *value, Err *err)
{
    sqlite3_stmt *statement = log->statement[which];
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW && value) {
        *value = sqlite3_column_int64(statement, 0);
        status = sqlite3_step(statement);
    }
    bool good = status == SQLITE_DONE || fail(log, err);
    sqlite3_reset(statement);
    return good;
}

static bool execute(Log *log, const char *sql, Err *err)
{
    return sqlite3_exec(log->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(log, err);
}

/* Opening -------------------------------------------------------------------------------------- */

static bool ask(Log *log, const char *sql, int64_t *value, Err *err)
{
    sqlite3_stmt *statement = NULL;
    bool good = sqlite3_prepare_v2(log->db, sql, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;
    if (good)
        *value = sqlite3_column_int64(statement, 0);
    else
        fail(log, err);
    sqlite3_finalize(statement);
    return good;
}

static bool check_id(const char *path, uint32_t id, Err *err)
{
    return id == LOG_APPLICATION_ID ||
           err_set(err, "%s: not a log of translations (application_id %08x)", path, (unsigned)id);
}

/* Another program's database is recognised before SQLite touches it: not even a lock is taken. A file that is not
 * there is made here, for SQLite does not say why it cannot. */
static bool check_file(const char *path, Err *err)
{
    unsigned char header[72];
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return err_set(err, "%s: not a log of translations (not a regular file)", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666), cause = fd < 0 ? errno : 0;
    if (fd < 0)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, header, sizeof header);
    if (fd >= 0)
        close(fd);
    if (size == (ssize_t)sizeof header && memcmp(header, "SQLite format 3", 16) == 0) {
        uint32_t id = 0;
        for (int i = 68; i < 72; i++)
            id = id << 8 | header[i];
        if (!check_id(path, id, err))
            return false;
    }
    return !cause || err_set(err, "%s: cannot be written: %s", path, strerror(cause));
}

static bool connect_file(Log *log, Err *err)
{
    /* Then no path means anything special to SQLite, such as ":memory:" and "file:a?b". */
    Buf file = {0};
    buf_format(&file, "%s%s", log->path.data[0] == '/' ? "" : "./", log->path.data);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int status = sqlite3_open_v2(file.data, &log->db, flags, NULL);
    buf_free(&file);
    if (!log->db)
        return err_set(err, "%s: not enough memory", log->path.data);
    if (status != SQLITE_OK)
        return err_set(err, "%s: cannot be opened: %s", log->path.data, sqlite3_errmsg(log->db));
    sqlite3_db_config(log->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(log->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(log->db, LOG_PATIENCE);
    return true;
}

/* Makes the tables in a file of no bytes. Under the lock of a writer: two processes may begin at once. */
static bool make_or_check(Log *log, Err *err)
{
    int64_t id, format, changes;
    if (!execute(log, "BEGIN IMMEDIATE", err) || !ask(log, "PRAGMA application_id", &id, err) ||
        !ask(log, "PRAGMA user_version", &format, err) || !ask(log, "PRAGMA schema_version", &changes, err))
        return false;
    if (id == 0 && changes == 0) {
        Buf sql = {0};
        buf_format(&sql, "PRAGMA application_id=%d; PRAGMA user_version=%d; %s COMMIT", LOG_APPLICATION_ID,
                   LOG_FORMAT, schema);
        bool good = execute(log, sql.data, err);
        buf_free(&sql);
        return good;
    }
    if (!execute(log, "ROLLBACK", err) || !check_id(log->path.data, (uint32_t)id, err))
        return false;
    return format == LOG_FORMAT ||
           err_set(err, "%s: a log of version %d; this program writes version %d", log->path.data,
                   (int)format, LOG_FORMAT);
}

static bool prepare(Log *log, Err *err)
{
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v2(log->db, statement_sql[i], -1, &log->statement[i], NULL) != SQLITE_OK)
            return fail(log, err);
    return true;
}

Log *log_open(const char *path, Err *err)
{
    Log *log = memory_take_zeros(1, sizeof *log);
    buf_text(&log->path, path);
    if (check_file(path, err) && connect_file(log, err) && make_or_check(log, err) && prepare(log, err))
        return log;
    log_close(log);
    return NULL;
}

void log_close(Log *log)
{
    if (!log)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(log->statement[i]);
    sqlite3_close(log->db);
    buf_free(&log->path);
    buf_free(&log->text);
    free(log);
}

/* Rows ----------------------------------------------------------------------------------------- */

/* What binding takes on itself cannot fail but for memory and size, and then leaves NULL, which the columns do
 * not take: so the step fails, and says so. */
static void bind_text(Log *log, Statement which, int column, const char *text, size_t size)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    log->text.size = 0;
    buf_text(&log->text, "");
    for (size_t at = 0, from = 0; at < size; from = at) {
        uint32_t code;
        if (utf8_next(text, size, &at, &code) && code)
            buf_add(&log->text, text + from, at - from);
        else
            buf_text(&log->text, replacement);
    }
    sqlite3_bind_text64(log->statement[which], column, log->text.data, log->text.size, SQLITE_TRANSIENT,
                        SQLITE_UTF8);
}

static bool add_translation(Log *log, const Alignment *a, long line, int rank, const char *model, Err *err)
{
    sqlite3_stmt *row = log->statement[TRANSLATION];
    sqlite3_bind_int64(row, 1, log->run);
    sqlite3_bind_int64(row, 2, line);
    sqlite3_bind_int(row, 3, rank);
    bind_text(log, TRANSLATION, 4, model, strlen(model));
    bind_text(log, TRANSLATION, 5, a->source_text, a->source_size);
    bind_text(log, TRANSLATION, 6, a->target_text, a->target_size);
    sqlite3_bind_double(row, 7, a->score);
    sqlite3_bind_double(row, 8, a->normalized);
    return run(log, TRANSLATION, NULL, err);
}

/* The words of a side and its end; end_score NULL: it has no scores. */
static bool add_words(Log *log, int64_t id, const AlignmentWord *word, int words, const double *end_score,
                      Err *err)
{
    sqlite3_stmt *row = log->statement[WORD];
    sqlite3_bind_int64(row, 1, id);
    sqlite3_bind_text(row, 2, end_score ? "target" : "source", -1, SQLITE_STATIC);
    for (int i = 0; i <= words; i++) {
        bool end = i == words;
        sqlite3_bind_int(row, 3, i);
        if (end) {
            bind_text(log, WORD, 4, END_WORD, strlen(END_WORD));
            sqlite3_bind_null(row, 5);
            sqlite3_bind_null(row, 6);
        } else {
            bind_text(log, WORD, 4, word[i].text, word[i].size);
            sqlite3_bind_int64(row, 5, word[i].begin);
            sqlite3_bind_int64(row, 6, word[i].end);
        }
        sqlite3_bind_int(row, 7, end ? 1 : word[i].pieces);
        if (end_score)
            sqlite3_bind_double(row, 8, end ? *end_score : word[i].score);
        else
            sqlite3_bind_null(row, 8);
        if (!run(log, WORD, NULL, err))
            return false;
    }
    return true;
}

static bool add_attention(Log *log, int64_t id, const Alignment *a, Err *err)
{
    sqlite3_stmt *row = log->statement[ATTENTION];
    const real *weight = a->weight;
    sqlite3_bind_int64(row, 1, id);
    for (int t = 0; t <= a->targets; t++) {
        sqlite3_bind_int(row, 2, t);
        for (int s = 0; s <= a->sources; s++) {
            sqlite3_bind_int(row, 3, s);
            sqlite3_bind_double(row, 4, (double)(float)*weight++);
            if (!run(log, ATTENTION, NULL, err))
                return false;
        }
    }
    return true;
}

bool log_add(Log *log, const Alignment *a, long line, int rank, const char *model, Err *err)
{
    if (sqlite3_get_autocommit(log->db) && !run(log, BEGIN, NULL, err))
        return false;
    if (!log->run && !run(log, RUN, &log->run, err))
        return false;
    if (!add_translation(log, a, line, rank, model, err))
        return false;
    int64_t id = sqlite3_last_insert_rowid(log->db);
    return a->left_out || (add_words(log, id, a->source, a->sources, NULL, err) &&
                           add_words(log, id, a->target, a->targets, &a->end_score, err) &&
                           add_attention(log, id, a, err));
}

bool log_commit(Log *log, Err *err)
{
    if (sqlite3_get_autocommit(log->db))
        return true;
    if (!run(log, COMMIT, NULL, err))
        return false;
    log->run_is_fixed = true;
    return true;
}
