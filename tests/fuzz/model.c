/* model.c - a good model or run, changed as the input tells, is opened. The input is a recipe: so it stays small, and
 * stays good when the format of the file changes.
 *
 *     first byte      bit 0: the digests are made to agree; bit 1: a run, not a model; bits 2 and 3: what is tried
 *     then changes    of rows (while the tables are declared loosely, so that types and keys may be wrong), of the
 *                     schema, and of bytes, in this order
 *
 * Held to: a refusal is one sentence that begins with the file's name. A file without agreeing digests, when it
 * is taken, translates as the good one does; one with them translates somehow, and soon. */
#include "base/arena.h"
#include "fuzz.h"
#include "model/store.h"
#include "model/translator.h"
#include "sign.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANGES_MAX = 12 };

typedef struct {
    const char *name, *key; /* a row's name */
    const char *column[9];
    const char *loose; /* the same table, which takes anything */
} Table;

static const Table tables[] = {
    {"config", "key", {"key", "value"}, "config(key, value, PRIMARY KEY(key, value)) WITHOUT ROWID"},
    {"piece", "id", {"id", "text", "kind", "count"}, "piece(id INTEGER PRIMARY KEY, text, kind, count)"},
    {"merge", "rank", {"rank", "left", "right"}, "merge(rank INTEGER PRIMARY KEY, left, right)"},
    {"tensor", "rowid", {"role", "name", "rows", "cols", "type", "value"},
     "tensor(role, name, rows, cols, type, value, PRIMARY KEY(role, name))"},
    {"state", "key", {"key", "value"}, "state(key, value, PRIMARY KEY(key, value)) WITHOUT ROWID"},
    {"digest", "part", {"part", "value"}, "digest(part, value, PRIMARY KEY(part, value)) WITHOUT ROWID"},
    {"provenance", "key", {"key", "value"}, "provenance(key, value, PRIMARY KEY(key, value)) WITHOUT ROWID"},
    {"progress", "step", {"step", "epoch", "seconds", "learning_rate", "train_loss", "dev_loss", "dev_bleu"},
     "progress(step INTEGER PRIMARY KEY, epoch, seconds, learning_rate, train_loss, dev_loss, dev_bleu, dev_chrf, "
     "tokens_per_second)"},
};
enum { TABLES = sizeof tables / sizeof *tables };

/* The good files, and what they translate to. */
typedef struct {
    uint8_t *bytes;
    size_t size;
    char *translation;
} Good;

static Good good[2]; /* a model, a run */
static char path[64];

/* Opening and translating -------------------------------------------------------------------------- */

static char *translate(const Model *model, const Vocab *vocab)
{
    static const TranslatorLine line = {"The cats (12) sat\xC3\xA9, it's no mat.", 33};
    TranslatorOptions options = translator_options(model);
    options.search.beam_size = options.search.beam_size < 4 ? options.search.beam_size : 4;
    options.search.n_best = 1;
    Translator *translator = translator_new(model, vocab, &options);
    const Translation *translation = translator_run(translator, &line, 1);
    Buf text = {0};
    buf_format(&text, "%s %a", translation->text[0].data, translation->text[0].score);
    translator_free(translator);
    return text.data;
}

static void check_refusal(const char *text)
{
    size_t n = strlen(path);
    HOLDS(!strncmp(text, path, n) && !strncmp(text + n, ": ", 2) && text[n + 2] && !strchr(text, '\n'));
}

static void fuzz_load(bool init, const Good *base, bool is_signed)
{
    Model *model;
    Vocab *vocab;
    Err err = {"loaded"};
    if (!(init ? store_init(path, &model, &vocab, &err) : store_load(path, &model, &vocab, &err))) {
        check_refusal(err.text);
        HOLDS(!model && !vocab);
        return;
    }
    char *text = translate(model, vocab);
    HOLDS(is_signed || !strcmp(text, base->translation));
    free(text);
    model_free(model);
    vocab_free(vocab);
}

static void fuzz_open(void)
{
    Model *model;
    Vocab *vocab;
    Err err = {"opened"};
    Store *store = store_open(path, &model, &vocab, &err);
    if (!store) {
        check_refusal(err.text);
        HOLDS(!model && !vocab);
        return;
    }
    Checkpoint checkpoint = {0};
    for (int role = 0; role < ROLE_COUNT; role++)
        checkpoint.block[role] = memory_take_zeros(model->params.size, sizeof(real));
    if (!store_restore(store, model, &checkpoint, &err))
        check_refusal(err.text);
    else if (!store_save(store, model, &checkpoint, NULL, &err))
        check_refusal(err.text);
    for (int role = 0; role < ROLE_COUNT; role++)
        free(checkpoint.block[role]);
    store_close(store);
    model_free(model);
    vocab_free(vocab);
}

static void fuzz_export(void)
{
    char to[80];
    Err err = {"exported"};
    snprintf(to, sizeof to, "%s.out", path);
    if (store_export(path, to, &err)) {
        Model *model;
        Vocab *vocab;
        HOLDS(store_load(to, &model, &vocab, &err));
        model_free(model);
        vocab_free(vocab);
        HOLDS(unlink(to) == 0);
    } else {
        HOLDS(!strncmp(err.text, path, strlen(path)) && !strchr(err.text, '\n'));
        HOLDS(access(to, F_OK) != 0);
    }
}

/* The good files --------------------------------------------------------------------------------------- */

static void keep(Good *base, const char *name)
{
    struct stat status;
    FILE *file = fopen(name, "rb");
    HOLDS(file && fstat(fileno(file), &status) == 0);
    base->size = (size_t)status.st_size;
    base->bytes = malloc(base->size);
    HOLDS(base->bytes && fread(base->bytes, 1, base->size, file) == base->size);
    fclose(file);
    Model *model;
    Vocab *vocab;
    Err err;
    HOLDS(store_load(name, &model, &vocab, &err));
    base->translation = translate(model, vocab);
    model_free(model);
    vocab_free(vocab);
    HOLDS(unlink(name) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    static const Note notes[] = {{"licence", "MIT"}, {NULL, NULL}};
    char run[80];
    Err err;
    Vocab *vocab = tiny_vocab(320, true);
    Model *model = tiny_model(vocab, 6);
    snprintf(path, sizeof path, "%s", memory_file("m.db", "", 0));
    snprintf(run, sizeof run, "%s.run", path);
    Checkpoint checkpoint = {.step = 10, .best_step = 10, .best_bleu = 1, .seconds = 2, .best_is_new = true};
    for (int role = 0; role < ROLE_COUNT; role++)
        checkpoint.block[role] = model->params.value;
    Store *store = store_create(run, model, vocab, notes, &err);
    HOLDS(store && store_save(store, model, &checkpoint, &(Progress){.step = 10}, &err));
    store_close(store);
    HOLDS(unlink(path) == 0 && store_export(run, path, &err));
    keep(&good[0], path);
    keep(&good[1], run);
    model_free(model);
    vocab_free(vocab);
    return 0;
}

/* Changes ----------------------------------------------------------------------------------------------- */

typedef enum { STAGE_ROWS, STAGE_SCHEMA, STAGE_BYTES } Stage;

/* A value, and how it goes into column `c` of a row. */
static const char *const expressions[] = {
    "?1", "?1", "c + ?1", "c || ?1", "(SELECT c FROM t LIMIT 1 OFFSET ?1)", "zeroblob(abs(?1 % 1000000))",
    "hex(zeroblob(abs(?1 % 200000)))", "substr(c, ?1)", "CAST(c AS BLOB)", "CAST(c AS TEXT)",
    "CAST(substr(c, 1, ?2) || ?1 || substr(c, ?2 + 1 + length(?1)) AS BLOB)", "NULL", "replace(c, ?1, '')",
};
enum { EXPRESSIONS = sizeof expressions / sizeof *expressions };

static void bind_value(sqlite3_stmt *statement, Input *input)
{
    static const int64_t edges[] = {0, 1, -1, 2, 255, 256, 65535, 65536, 1000000, INT32_MAX, INT32_MIN,
                                    (int64_t)INT32_MAX + 1, INT64_MAX, INT64_MIN, 60000, 4096};
    uint8_t kind = input_byte(input);
    size_t got;
    const uint8_t *bytes;
    double number;
    uint64_t bits;
    switch (kind % 6) {
    case 0: sqlite3_bind_int64(statement, 1, edges[(kind / 6) % (sizeof edges / sizeof *edges)]); break;
    case 1: sqlite3_bind_int64(statement, 1, (int8_t)input_byte(input)); break;
    case 2: sqlite3_bind_int64(statement, 1, (int64_t)input_number(input, 8)); break;
    case 3:
        bits = input_number(input, 8);
        memcpy(&number, &bits, sizeof number);
        sqlite3_bind_double(statement, 1, number);
        break;
    case 4:
        bytes = input_bytes(input, input_byte(input), &got);
        sqlite3_bind_text(statement, 1, (const char *)bytes, (int)got, SQLITE_TRANSIENT);
        break;
    default:
        bytes = input_bytes(input, input_byte(input), &got);
        sqlite3_bind_blob(statement, 1, got ? (const void *)bytes : "", (int)got, SQLITE_TRANSIENT);
        break;
    }
    sqlite3_bind_int64(statement, 2, (int64_t)input_number(input, 2));
}

/* Puts the expression into out, with the names in the places of c and t. */
static void put_expression(Buf *out, const char *expression, const char *column, const char *table)
{
    for (const char *at = expression; *at; at++) {
        bool word = at != expression && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", at[-1]);
        bool ends = !at[1] || !strchr("abcdefghijklmnopqrstuvwxyz", at[1]);
        if ((*at == 'c' || *at == 't') && !word && ends)
            buf_text(out, *at == 'c' ? column : table);
        else
            buf_char(out, *at);
    }
}

static void run_sql(sqlite3 *db, const char *sql, Input *input)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        statement = NULL;
    bind_value(statement, input); /* with NULL too: what follows in the recipe stays in step */
    if (statement)
        sqlite3_step(statement);
    sqlite3_finalize(statement);
}

/* A cell becomes another, a row goes, or comes again with one cell changed. */
static void change_row(sqlite3 *db, Input *input, uint8_t kind, bool apply)
{
    const Table *table = &tables[input_byte(input) % TABLES];
    int columns = 0, row = (int)input_number(input, 2) % 400;
    while (columns < 9 && table->column[columns])
        columns++;
    const char *column = table->column[input_byte(input) % columns];
    const char *expression = expressions[input_byte(input) % EXPRESSIONS];
    Buf sql = {0}, where = {0};
    buf_format(&where, " WHERE %s = (SELECT %s FROM %s ORDER BY %s LIMIT 1 OFFSET %d %% max(1, (SELECT count(*) "
               "FROM %s)))", table->key, table->key, table->name, table->key, row, table->name);
    if (kind == 0) {
        buf_format(&sql, "DELETE FROM %s%s", table->name, where.data);
    } else if (kind == 1) {
        buf_format(&sql, "INSERT INTO %s(", table->name);
        for (int i = 0; i < columns; i++)
            buf_format(&sql, "%s%s", i ? ", " : "", table->column[i]);
        buf_text(&sql, ") SELECT ");
        for (int i = 0; i < columns; i++) {
            buf_text(&sql, i ? ", " : "");
            if (table->column[i] == column)
                put_expression(&sql, expression, column, table->name);
            else
                buf_text(&sql, table->column[i]);
        }
        buf_format(&sql, " FROM %s%s", table->name, where.data);
    } else {
        buf_format(&sql, "UPDATE %s SET %s = ", table->name, column);
        put_expression(&sql, expression, column, table->name);
        buf_text(&sql, where.data);
    }
    run_sql(apply ? db : NULL, sql.data, input);
    buf_free(&sql);
    buf_free(&where);
}

static void change_schema(sqlite3 *db, Input *input, bool apply)
{
    static const char *const columns[] = {"type", "name", "tbl_name", "rootpage", "sql", "sql"};
    static const char *const whole[] = {
        "CREATE VIEW IF NOT EXISTS v AS SELECT * FROM piece",
        "CREATE TRIGGER g AFTER INSERT ON piece BEGIN DELETE FROM config; END",
        "DROP TABLE state", "PRAGMA user_version=2", "PRAGMA application_id=7",
        "PRAGMA journal_mode=WAL", "VACUUM", "CREATE TABLE more(x)", "CREATE INDEX i ON piece(text)",
        ("DROP TABLE merge; CREATE VIEW merge(rank, left, right) AS WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL "
         "SELECT x + 1 FROM c) SELECT x, 1, 2 FROM c"),
        "PRAGMA page_size=4096; VACUUM", "PRAGMA encoding='UTF-16'; VACUUM", "PRAGMA auto_vacuum=1; VACUUM",
    };
    uint8_t kind = input_byte(input), row = input_byte(input);
    if (kind % 3 == 0) {
        if (apply)
            sqlite3_exec(db, whole[row % (sizeof whole / sizeof *whole)], NULL, NULL, NULL);
        return;
    }
    Buf sql = {0};
    const char *column = columns[(kind / 3) % 6];
    buf_format(&sql, "UPDATE sqlite_schema SET %s = ", column);
    put_expression(&sql, expressions[input_byte(input) % EXPRESSIONS], column, "sqlite_schema");
    buf_format(&sql, " WHERE rowid = %d", 1 + row % 12);
    run_sql(apply ? db : NULL, sql.data, input);
    buf_free(&sql);
}

static void change_bytes(uint8_t *file, size_t *size, Input *input, uint8_t kind, bool apply)
{
    size_t at = (size_t)input_number(input, 3), got;
    const uint8_t *bytes = input_bytes(input, 1 + kind / 16 % 8, &got);
    if (!apply || *size == 0)
        return;
    if (kind % 16 == 0) {
        *size = at % (*size + 1);
        return;
    }
    at %= kind % 2 ? *size : *size < 512 ? *size : 512; /* headers often */
    for (size_t i = 0; i < got && at + i < *size; i++)
        file[at + i] = bytes[i];
}

/* Goes over the recipe, and makes the changes of one stage. */
static void apply_stage(Stage stage, Input input, sqlite3 *db, uint8_t *file, size_t *size)
{
    for (int i = 0; i < CHANGES_MAX && input.size > 0; i++) {
        uint8_t what = input_byte(&input);
        switch (what % 8) {
        case 0: change_schema(db, &input, stage == STAGE_SCHEMA); break;
        case 1: change_bytes(file, size, &input, what / 8 + input_byte(&input), stage == STAGE_BYTES); break;
        case 2: change_row(db, &input, 0, stage == STAGE_ROWS); break;
        case 3: change_row(db, &input, 1, stage == STAGE_ROWS); break;
        default: change_row(db, &input, 2, stage == STAGE_ROWS); break;
        }
    }
}

static void loosen(sqlite3 *db)
{
    sqlite3_exec(db, "PRAGMA writable_schema=1; CREATE TEMP TABLE was AS SELECT name, sql FROM main.sqlite_schema",
                 NULL, NULL, NULL);
    for (int i = 0; i < TABLES; i++) {
        Buf sql = {0};
        buf_format(&sql, "UPDATE main.sqlite_schema SET sql = 'CREATE TABLE %s' WHERE name = '%s'", tables[i].loose,
                   tables[i].name);
        sqlite3_exec(db, sql.data, NULL, NULL, NULL);
        buf_free(&sql);
    }
    sqlite3_exec(db, "PRAGMA writable_schema=RESET", NULL, NULL, NULL);
}

static void tighten(sqlite3 *db)
{
    sqlite3_exec(db, "PRAGMA writable_schema=1; UPDATE main.sqlite_schema AS s SET sql = (SELECT sql FROM was WHERE "
                 "was.name = s.name)", NULL, NULL, NULL);
}

static bool has_sql(Input input)
{
    for (int i = 0; i < CHANGES_MAX && input.size > 0; i++) {
        if (input_byte(&input) % 8 != 1)
            return true;
        uint8_t kind = input_byte(&input);
        change_bytes(NULL, &(size_t){0}, &input, kind, false);
    }
    return false;
}

static void cook(const Good *base, Input input, bool is_signed)
{
    memory_file("m.db", base->bytes, base->size);
    if (has_sql(input) || is_signed) {
        sqlite3 *db;
        HOLDS(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
        sqlite3_exec(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY; PRAGMA cell_size_check=1", NULL, NULL,
                     NULL);
        loosen(db);
        apply_stage(STAGE_ROWS, input, db, NULL, NULL);
        if (is_signed)
            sign_model(db);
        tighten(db);
        apply_stage(STAGE_SCHEMA, input, db, NULL, NULL);
        sqlite3_close_v2(db);
    }
    struct stat status;
    FILE *file = fopen(path, "r+b");
    HOLDS(file && fstat(fileno(file), &status) == 0);
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = malloc(size + 1);
    HOLDS(bytes && fread(bytes, 1, size, file) == size);
    fclose(file);
    apply_stage(STAGE_BYTES, input, NULL, bytes, &size);
    memory_file("m.db", bytes, size);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = {data, size};
    uint8_t flags = input_byte(&input);
    bool is_signed = flags & 1;
    const Good *base = &good[flags >> 1 & 1];
    cook(base, input, is_signed);
    switch (flags >> 2 & 3) {
    case 0: fuzz_load(true, base, is_signed || has_sql(input)); break;
    case 1: fuzz_open(); break;
    case 2: fuzz_export(); break;
    default: fuzz_load(false, base, is_signed || has_sql(input)); break;
    }
    char journal[80];
    snprintf(journal, sizeof journal, "%s-journal", path);
    unlink(journal);
    snprintf(journal, sizeof journal, "%s-wal", path);
    unlink(journal);
    snprintf(journal, sizeof journal, "%s-shm", path);
    unlink(journal);
    unlink(path);
    return 0;
}
