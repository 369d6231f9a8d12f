/* store_fixture.h - what both tests of the store stand on: an empty directory, a small model and a run.
 *
 *     fixture_start(): in a new directory under /tmp, with model, vocab and checkpoint filled in
 *     fixture_end():   the directory is gone */
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

/* Runs SQL on a file behind the store's back. */
void fixture_sql(const char *path, const char *sql);
int64_t fixture_number(const char *path, const char *sql);

unsigned char *fixture_read(const char *path, long *size); /* to be freed */
void fixture_write(const char *path, const void *bytes, long size);

/* Same settings, pieces, merges and weights, to the bit; models without a block. */
bool fixture_same_model(const Model *a, const Vocab *x, const Model *b, const Vocab *y);

#endif
