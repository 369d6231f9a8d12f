/* store.c - what the rest of the program does with a store: load, create, open, restore. */
#include "model/store.h"

#include "base/arena.h"
#include "model/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* A file's best weights, packed only or, when in_block, in a block too. */
static bool load(const char *path, bool in_block, Model **model, Vocab **vocab, Err *err)
{
    Places places;
    Role role;
    *model = NULL;
    *vocab = NULL;
    Store *store = store_connect(path, NULL, STORE_READ, err);
    if (!store)
        return false;
    bool good = store_read_model(store, model, vocab, &places, err)
                && store_choose_role(store, &role, err);
    if (good) {
        if (in_block)
            params_allocate(&(*model)->params);
        good = store_read_role(store, *model, role, &places, NULL, err);
        if (good && in_block)
            params_pack(&(*model)->params, 0, (*model)->params.count);
    }
    store_close(store);
    if (good)
        return true;
    model_free(*model);
    vocab_free(*vocab);
    *model = NULL;
    *vocab = NULL;
    return false;
}

bool store_load(const char *path, Model **model, Vocab **vocab, Err *err)
{
    return load(path, false, model, vocab, err);
}

bool store_init(const char *path, Model **model, Vocab **vocab, Err *err)
{
    return load(path, true, model, vocab, err);
}

Store *store_open(const char *path, Model **model, Vocab **vocab, Err *err)
{
    Places places;
    *model = NULL;
    *vocab = NULL;
    Store *store = store_connect(path, NULL, STORE_WRITE, err);
    if (!store || !store_read_model(store, model, vocab, &places, err)) {
        store_close(store);
        return NULL;
    }
    params_allocate(&(*model)->params);
    return store;
}

static bool write_notes(Store *store, const Note *notes, Err *err)
{
    sqlite3_stmt *row = store_prepare(store, "INSERT INTO provenance VALUES(?1, ?2)", err);
    if (!row)
        return false;
    int status = SQLITE_DONE;
    for (; status == SQLITE_DONE && notes && notes->key; notes++) {
        sqlite3_bind_text(row, 1, notes->key, -1, SQLITE_STATIC);
        sqlite3_bind_text(row, 2, notes->value, -1, SQLITE_STATIC);
        status = sqlite3_step(row);
        if ((status & 0xFF) == SQLITE_CONSTRAINT) {
            sqlite3_finalize(row);
            return err_set(err, "%s: provenance: '%s' is given twice", store->path, notes->key);
        }
        if (status == SQLITE_DONE)
            sqlite3_reset(row);
    }
    return store_finish(store, row, status, err);
}

Store *store_create(const char *path, const Model *model, const Vocab *vocab, const Note *notes, Err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) {
        err_set(err, "%s: exists already; go on with --resume, or choose another name", path);
        return NULL;
    }
    if (fd < 0) {
        err_set(err, "%s: cannot be created: %s", path, strerror(errno));
        return NULL;
    }
    close(fd);
    Store *store = store_no_journal(path, path, err) ? store_connect(path, NULL, STORE_FRESH, err) : NULL;
    if (store && store_begin_fresh(store, STORE_RUN_ID, STORE_SAFE, err)
        && store_write_fixed(store, &model->config, vocab, err) && write_notes(store, notes, err)
        && store_write_digest(store, err) && store_exec(store, "COMMIT", err))
        return store;
    store_close(store);
    unlink(path);
    return NULL;
}

/* State: rows of the table state, in this order in its digest --------------------------------- */

typedef struct {
    const char *key;
    int64_t *integer;
    double *real; /* one of the two */
} StateRow;

enum { STATE_ROWS = 8 };

static void state_rows(Checkpoint *checkpoint, StateRow rows[STATE_ROWS])
{
    const StateRow all[STATE_ROWS] = {
        {"step", &checkpoint->step, NULL},
        {"best_step", &checkpoint->best_step, NULL},
        {"best_bleu", NULL, &checkpoint->best_bleu},
        {"waiting", &checkpoint->waiting, NULL},
        {"seconds", NULL, &checkpoint->seconds},
        {"loss_sum", NULL, &checkpoint->loss_sum},
        {"loss_tokens", &checkpoint->loss_tokens, NULL},
        {"corpus", &checkpoint->corpus, NULL},
    };
    memcpy(rows, all, sizeof all);
}

static void state_digest(Store *store, const StateRow rows[STATE_ROWS], char text[DIGEST_TEXT])
{
    digest_start(&store->digest, PART_STATE);
    for (int i = 0; i < STATE_ROWS; i++) {
        digest_text(&store->digest, rows[i].key, strlen(rows[i].key));
        if (rows[i].integer)
            digest_integer(&store->digest, *rows[i].integer);
        else
            digest_real(&store->digest, *rows[i].real);
    }
    digest_end(&store->digest, text);
}

static bool read_state(Store *store, Checkpoint *checkpoint, Err *err)
{
    StateRow rows[STATE_ROWS];
    char text[DIGEST_TEXT];
    state_rows(checkpoint, rows);
    sqlite3_stmt *row = store_prepare(store, "SELECT value FROM main.state WHERE key = ?1", err);
    if (!row)
        return false;
    int status = SQLITE_DONE, i = 0;
    for (; status == SQLITE_DONE && i < STATE_ROWS; i++) {
        sqlite3_bind_text(row, 1, rows[i].key, -1, SQLITE_STATIC);
        status = sqlite3_step(row);
        int type = status == SQLITE_ROW ? sqlite3_column_type(row, 0) : SQLITE_NULL;
        if (status == SQLITE_ROW || status == SQLITE_DONE) {
            if (type != (rows[i].integer ? SQLITE_INTEGER : SQLITE_FLOAT)) {
                sqlite3_finalize(row);
                return err_set(err, "%s: damaged: state: %s is missing or malformed", store->path,
                               rows[i].key);
            }
            if (rows[i].integer)
                *rows[i].integer = sqlite3_column_int64(row, 0);
            else
                *rows[i].real = sqlite3_column_double(row, 0);
            status = SQLITE_DONE;
            sqlite3_reset(row);
        }
    }
    if (!store_finish(store, row, status, err))
        return false;
    state_digest(store, rows, text);
    return strcmp(text, store->part[PART_STATE]) == 0
           || err_set(err, "%s: damaged: the digest of its state does not agree", store->path);
}

bool store_restore(Store *store, const Model *model, Checkpoint *checkpoint, Err *err)
{
    Places places;
    Vocab *vocab;
    Model *again; /* the file is read anew: another process may have written since store_open */
    if (!store_exec(store, "BEGIN", err))
        return false;
    bool good = store_read_model(store, &again, &vocab, &places, err);
    if (good && again->params.size != model->params.size)
        good = err_set(err, "%s: changed while it was being opened", store->path);
    good = good && read_state(store, checkpoint, err);
    for (int role = 0; good && role < ROLE_COUNT; role++) {
        real *block = checkpoint->block[role];
        if (store->part[PART_ROLE + role][0] && block)
            good = store_read_role(store, again, (Role)role, &places, block, err);
        else if (block && (role != ROLE_BEST || checkpoint->best_step > 0))
            good = err_set(err, "%s: has no tensors of role '%s'", store->path, store_parts[PART_ROLE + role]);
    }
    if (again) {
        model_free(again);
        vocab_free(vocab);
    }
    sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL); /* ends the reading; it cannot fail to */
    checkpoint->best_is_new = false;
    store->step = good ? checkpoint->step : -1;
    if (good)
        store_unbound(store);
    return good;
}

/* Saving ------------------------------------------------------------------------------------- */

static bool write_state(Store *store, const Checkpoint *checkpoint, Err *err)
{
    Checkpoint copy = *checkpoint;
    StateRow rows[STATE_ROWS];
    state_rows(&copy, rows);
    sqlite3_stmt *row = store_prepare(store, "INSERT OR REPLACE INTO state VALUES(?1, ?2)", err);
    if (!row)
        return false;
    int status = SQLITE_DONE;
    for (int i = 0; status == SQLITE_DONE && i < STATE_ROWS; i++) {
        sqlite3_bind_text(row, 1, rows[i].key, -1, SQLITE_STATIC);
        if (rows[i].integer)
            sqlite3_bind_int64(row, 2, *rows[i].integer);
        else
            sqlite3_bind_double(row, 2, *rows[i].real);
        status = sqlite3_step(row);
        if (status == SQLITE_DONE)
            sqlite3_reset(row);
    }
    state_digest(store, rows, store->part[PART_STATE]);
    return store_finish(store, row, status, err);
}

static bool write_progress(Store *store, const Progress *progress, Err *err)
{
    const double column[] = {progress->epoch,      progress->seconds,  progress->learning_rate,
                             progress->train_loss, progress->dev_loss, progress->dev_bleu,
                             progress->dev_chrf,   progress->tokens_per_second};
    sqlite3_stmt *row = store_prepare(store, "INSERT OR REPLACE INTO progress(step, epoch, seconds, "
                                      "learning_rate, train_loss, dev_loss, dev_bleu, dev_chrf, "
                                      "tokens_per_second) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)", err);
    if (!row)
        return false;
    sqlite3_bind_int64(row, 1, progress->step);
    for (int i = 0; i < (int)(sizeof column / sizeof *column); i++)
        sqlite3_bind_double(row, 2 + i, column[i]); /* NaN, not measured, becomes NULL */
    return store_finish(store, row, sqlite3_step(row), err);
}

/* Two trainers on one run would take turns in overwriting each other. */
static bool check_mine(Store *store, Err *err)
{
    sqlite3_stmt *row = store_prepare(store, "SELECT value FROM main.state WHERE key = 'step'", err);
    if (!row)
        return false;
    int status = sqlite3_step(row);
    int64_t step = status == SQLITE_ROW ? sqlite3_column_int64(row, 0) : -1;
    if (!store_finish(store, row, status == SQLITE_ROW ? SQLITE_DONE : status, err))
        return false;
    return step == store->step
           || err_set(err, "%s: not written: another process has trained on it meanwhile", store->path);
}

static bool save(Store *store, const Model *model, const Checkpoint *checkpoint, const Progress *progress,
                 Err *err)
{
    if (!check_mine(store, err))
        return false;
    for (int role = 0; role < ROLE_COUNT; role++) {
        bool there = store->part[PART_ROLE + role][0], wanted = checkpoint->block[role] != NULL;
        if (role == ROLE_BEST)
            wanted = wanted && checkpoint->best_step > 0 && (checkpoint->best_is_new || !there);
        if (wanted && !store_write_role(store, &model->params, (Role)role, checkpoint->block[role], false,
                                        err))
            return false;
    }
    return write_state(store, checkpoint, err) && (!progress || write_progress(store, progress, err))
           && store_write_digest(store, err);
}

bool store_save(Store *store, const Model *model, const Checkpoint *checkpoint, const Progress *progress,
                Err *err)
{
    char part[PART_COUNT][DIGEST_TEXT];
    if (isnan(checkpoint->best_bleu) || isnan(checkpoint->seconds) || isnan(checkpoint->loss_sum))
        return err_set(err, "%s: not written: the state of the training is not a number", store->path);
    /* Without memory even the ROLLBACK of a save that failed may have failed. */
    if (!sqlite3_get_autocommit(store->db) && !store_exec(store, "ROLLBACK", err))
        return false;
    if (!store_exec(store, "BEGIN IMMEDIATE", err))
        return false;
    memcpy(part, store->part, sizeof part);
    if (save(store, model, checkpoint, progress, err) && store_exec(store, "COMMIT", err)) {
        store->step = checkpoint->step;
        return true;
    }
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL); /* fails when SQLite has done so already */
    memcpy(store->part, part, sizeof part);
    return false;
}
