/* store_fixture.h - what the tests of the store stand on: an empty directory, a small model and a run.
 *
 *     fixture_start(): in a new directory under /tmp, with model, vocab and checkpoint filled in
 *     fixture_end():   the directory is gone (scratch.h) */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "model/store.h"

#include <sqlite3.h>

extern Model *fixture_model; /* its parameters stand in a block */
extern Vocab *fixture_vocab;
extern Checkpoint fixture_checkpoint;

void fixture_start(void);
void fixture_end(void);

/* Every block and number of the checkpoint as a function of step. */
void fixture_fill(Checkpoint *checkpoint, int64_t step);

/* Blocks of their own; for a second checkpoint to restore into. */
void fixture_blocks(Checkpoint *checkpoint);
void fixture_blocks_free(Checkpoint *checkpoint);
bool fixture_same(const Checkpoint *a, const Checkpoint *b);

/* A closed run at path with one checkpoint (step 10, with a best), and a model exported from it. */
void fixture_run(const char *path);
void fixture_export(const char *path);

/* An open run, run.db, that holds fixture_checkpoint (step 10, and no best yet); next: of step 20, to be saved. */
Store *fixture_open_run(Checkpoint *next);

/* What the run at path holds, in blocks of read's own. */
void fixture_restore(const char *path, Checkpoint *read);

/* The run at path, opened anew, holds exactly what was expected. */
void fixture_assert_holds(const char *path, const Checkpoint *expected);

/* To translate, and as a start for training, the file at path gives the model of fixture_start() with the weights of
 * that role of fixture_checkpoint; rounded: as float16 has them. */
void fixture_assert_loads(const char *path, Role role, bool rounded);

/* Runs SQL on a file behind the store's back. */
void fixture_sql(const char *path, const char *sql);
int64_t fixture_number(const char *path, const char *sql);

unsigned char *fixture_read(const char *path, long *size); /* to be freed */
void fixture_write(const char *path, const void *bytes, long size);

/* Same settings, pieces, merges and weights, to the bit; models without a block. */
bool fixture_same_model(const Model *a, const Vocab *x, const Model *b, const Vocab *y);

#endif
