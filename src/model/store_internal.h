/* store_internal.h - what the files of the store share. Nobody else includes it but its test.
 *
 *     store_file.c    a file becomes a connection: header, journal, limits, schema; how failures are worded
 *     store_digest.c  the digest
 *     store_read.c    rows -> Config, Vocab, Params, Checkpoint
 *     store_write.c   the way back: a run and its checkpoints
 *     store_export.c  a run -> the model that is shipped */
#ifndef MODEL_STORE_INTERNAL_H
#define MODEL_STORE_INTERNAL_H

#include "model/store.h"

#include <sqlite3.h>

#include <sqlite3.h>
#include <xxhash.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensor values are little-endian in the file and are read without conversion"
#endif

#define STORE_FORMAT 1                 /* PRAGMA user_version */
#define STORE_MODEL_ID 0x41546D64u     /* PRAGMA application_id of an exported model, "ATmd" */
#define STORE_RUN_ID 0x4154726Eu       /* and of a training run, "ATrn" */
#define STORE_PAGE 16384               /* bytes; larger loads no faster, smaller slower */
/* Each checkpoint reaches the disk before it counts. With 32 MB of changed pages in memory SQLite asks the
 * disk to catch up ten times in a checkpoint of 100 MB; with its usual 2 MB a hundred times. */
#define STORE_SAFE "PRAGMA synchronous=FULL; PRAGMA cache_size=-32000"
#define STORE_MERGE_LIMIT VOCAB_SIZE_MAX

/* What has a digest of its own, so that each use checks what it consumes and no more. */
typedef enum {
    PART_CONFIG,
    PART_VOCABULARY,
    PART_STATE,
    PART_ROLE, /* + Role: the tensors of that role */
    PART_COUNT = PART_ROLE + ROLE_COUNT
} Part;

extern const char *const store_parts[PART_COUNT]; /* names: digest.part, and tensor.role */

#define DIGEST_TEXT 33 /* 32 hexadecimal digits and a NUL */

/* A hash being made. Small values are gathered first: a call of the hash costs more than their bytes. */
typedef struct {
    XXH3_state_t *state;
    size_t used;
    unsigned char pending[4096];
} Digest;

struct Store {
    sqlite3 *db;
    char *path; /* as the user gave it: for messages */
    char *file; /* the same, absolute and without links: what is opened */
    bool is_run;
    int64_t bytes;  /* of the file when it was opened */
    int64_t step;   /* of the checkpoint in the file as this process knows it; -1: none */
    int budget;     /* calls of the guard before reading is given up */
    Digest digest;
    char part[PART_COUNT][DIGEST_TEXT]; /* empty: the file has no such part */
};

/* store_file.c ------------------------------------------------------------------------------- */

typedef enum {
    STORE_READ,  /* read only, in one transaction */
    STORE_WRITE, /* an existing run; SQLite first undoes what a crash left */
    STORE_FRESH, /* an empty file that this process has just made */
} StoreAccess;

/* A connection with every limit set; for STORE_READ and STORE_WRITE a file whose header and schema are
 * a model's. file is NULL where it is path. NULL and one sentence in err when it is none. */
Store *store_connect(const char *path, const char *file, StoreAccess access, Err *err) MUST_CHECK;

/* The last failure of SQLite in one sentence. Always false. */
bool store_fail(Store *store, Err *err);

/* A run that was stopped before its first checkpoint: what to do then. Always false. */
bool store_no_checkpoint(const Store *store, Err *err);

sqlite3_stmt *store_prepare(Store *store, const char *sql, Err *err) MUST_CHECK;
bool store_exec(Store *store, const char *sql, Err *err) MUST_CHECK;

/* Ends a statement whose last sqlite3_step gave status: fine when that is SQLITE_DONE. */
bool store_finish(Store *store, sqlite3_stmt *statement, int status, Err *err) MUST_CHECK;

/* Reading is over: no more bounds on size and work. */
void store_unbound(Store *store);

/* Tables, ids and page size, into a fresh file, inside a transaction that stays open. */
bool store_begin_fresh(Store *store, unsigned id, const char *settings, Err *err) MUST_CHECK;

/* What stands at path: its application_id, or 0 when it is no regular SQLite file. */
unsigned store_id(const char *path);

/* Refuses a path beside which a journal stands. */
bool store_no_journal(const char *path, const char *file, Err *err) MUST_CHECK;

/* store_digest.c: every value goes in with its type and length ----------------------------------- */

void digest_start(Digest *digest, Part part);
void digest_integer(Digest *digest, int64_t value);
void digest_real(Digest *digest, double value);
void digest_text(Digest *digest, const char *text, size_t size);
void digest_blob(Digest *digest, size_t size); /* its bytes follow, in any portions */
void digest_bytes(Digest *digest, const void *bytes, size_t size);
void digest_end(Digest *digest, char text[DIGEST_TEXT]);

/* The digest of the digests of all parts that are there. */
void digest_file(Store *store, char text[DIGEST_TEXT]);

/* store_read.c ------------------------------------------------------------------------------- */

/* Where the tensors are. */
typedef struct {
    int64_t row[ROLE_COUNT][PARAM_LIMIT]; /* rowid */
    bool half[ROLE_COUNT][PARAM_LIMIT];
    uint8_t order[PARAM_LIMIT]; /* parameters in the order of their names: that of the digest */
} Places;

void store_order(const Params *params, uint8_t order[PARAM_LIMIT]);

/* Rows of config, and of piece and merge; text gets their digest. vocab may be NULL. */
bool store_read_config(Store *store, Config *config, char text[DIGEST_TEXT], Err *err) MUST_CHECK;
bool store_read_vocab(Store *store, Vocab **vocab, char text[DIGEST_TEXT], Err *err) MUST_CHECK;

/* All of a file but its numbers, checked: the model has no block yet. */
bool store_read_model(Store *store, Model **model, Vocab **vocab, Places *places, Err *err) MUST_CHECK;

/* The tensors of a role into block or, when NULL, into the model's parameters. */
bool store_read_role(Store *store, Model *model, Role role, const Places *places, real *block,
                     Err *err) MUST_CHECK;

/* The role that translates: best, or before the first validation average, or weight. */
bool store_choose_role(const Store *store, Role *role, Err *err) MUST_CHECK;

/* store_write.c ------------------------------------------------------------------------------ */

/* The tensors of a role, as float16 when half, and store->part of it. */
bool store_write_role(Store *store, const Params *params, Role role, const real *block, bool half,
                      Err *err) MUST_CHECK;

/* Config, pieces and merges into empty tables, and their digests into store->part. */
bool store_write_fixed(Store *store, const Config *config, const Vocab *vocab, Err *err) MUST_CHECK;

/* The table digest, from store->part. */
bool store_write_digest(Store *store, Err *err) MUST_CHECK;

#endif
