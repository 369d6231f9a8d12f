/* store.h - the SQLite file that is a model, or a training run. With view/log.c the only code that knows SQL.
 *
 *     Model *model; Vocab *vocab;
 *     if (!store_load("models/en-es.db", &model, &vocab, &err)) ...          to translate
 *
 *     Store *run = store_create("run.db", model, vocab, notes, &err);        to train
 *     store_save(run, model, &checkpoint, &progress, &err)                   one transaction
 *     store_close(run);
 *     Store *run = store_open("run.db", &model, &vocab, &err);               to go on
 *     store_restore(run, model, &checkpoint, &err)
 *     store_export("run.db", "en-es.db", &err)                               best weights as float16
 *
 * Schema: models/MODEL.md. Everything that loading consumes is under a digest, checked before use. A run
 * and an exported model differ in the header: a run is written in place, under SQLite's locks and journal;
 * an exported model never changes, so it is read without either.
 *
 * Whatever stands in a file, a function here fails with one sentence that begins with the file's name; what
 * it would have handed out is NULL then. Who gets a Model or a Vocab owns it. */
#ifndef MODEL_STORE_H
#define MODEL_STORE_H

#include "base/err.h"
#include "model/checkpoint.h"
#include "model/model.h"
#include "text/vocab.h"

typedef struct Store Store;

/* Rows of the table provenance: where the data came from and whose it is. */
typedef struct {
    const char *key, *value;
} Note;

/* Reads a model to translate with: an exported one, or the best weights of a run (before its first
 * validation the running average). Weights are held once, packed. The file is closed again. A run may be
 * in training: its last checkpoint is read. Refused when a journal beside the file shows that a crash has
 * left it half-written, or that somebody writes to an exported model. */
bool store_load(const char *path, Model **model, Vocab **vocab, Err *err) MUST_CHECK;

/* The same for --init: with the weights in an allocated block, and packed. */
bool store_init(const char *path, Model **model, Vocab **vocab, Err *err) MUST_CHECK;

/* A new run; refuses a path where a file stands. model's config and vocab go into it; `notes` ends
 * with a NULL key, and may be NULL. */
Store *store_create(const char *path, const Model *model, const Vocab *vocab, const Note *notes,
                    Err *err) MUST_CHECK;

/* Writes a checkpoint in one transaction: when it fails, or the process is killed, the last one stays
 * whole, and after a failure it may be tried again. A block that is NULL is left as it is in the file;
 * ROLE_BEST is written when best_step is not 0 and best_is_new, or the file has none. progress may be NULL
 * (saved on a signal, no validation); its numbers that are NaN become NULL. Numbers are kept as float32.
 * Refuses weights that are not finite, and a run that another process has saved to meanwhile. */
bool store_save(Store *store, const Model *model, const Checkpoint *checkpoint, const Progress *progress,
                Err *err) MUST_CHECK;

/* Opens a run to go on with: the model (parameters allocated, ROLE_WEIGHT not yet loaded) and the
 * vocabulary. Undoes what a crash left half-written. An exported model is refused with a sentence that
 * names --init. */
Store *store_open(const char *path, Model **model, Vocab **vocab, Err *err) MUST_CHECK;

/* Fills the blocks that are not NULL (each model->params.size, owned by the caller) and the numbers;
 * best_is_new is false then. The block of ROLE_BEST stays as it is while best_step is 0. */
bool store_restore(Store *store, const Model *model, Checkpoint *checkpoint, Err *err) MUST_CHECK;

/* The weights of a run that store_load would choose, as float16 into a new file, written beside `to`,
 * fsynced and renamed over it; `to` is untouched when that fails. The same run gives the same bytes.
 * Refuses to replace a run, and weights too large for float16. */
bool store_export(const char *from, const char *to, Err *err) MUST_CHECK;

void store_close(Store *store); /* NULL is fine */

#endif
