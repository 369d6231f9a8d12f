#include "store_fixture.h"

#include "base/arena.h"
#include "base/buf.h"
#include "scratch.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Model *fixture_model;
Vocab *fixture_vocab;
Checkpoint fixture_checkpoint;

static Vocab *small_vocab(void)
{
    static const char *const text[] = {
        "the cat sat on the mat", "the cats sit on the mats", "el gato está en la alfombra",
        "los gatos están en la alfombra", "The hat of the cat", "¿Dónde está el gato?",
    };
    VocabSentence sentences[sizeof text / sizeof *text];
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        sentences[i] = (VocabSentence){text[i], strlen(text[i]), 2};
    VocabOptions options = {.size = 320, .case_markers = true};
    Err err;
    Vocab *vocab = vocab_learn(sentences, sizeof text / sizeof *text, &options, &err);
    ck_assert_msg(vocab != NULL, "%s", err.text);
    return vocab;
}

void fixture_start(void)
{
    scratch_start();
    Config config = config_default();
    config.embedding = 8;
    config.hidden = 6;
    config.pieces = 320;
    config.dropout = 0.1 + 0.2; /* needs all its digits */
    fixture_vocab = small_vocab();
    fixture_model = model_new(&config, (int)vocab_size(fixture_vocab));
    params_allocate(&fixture_model->params);
    fixture_checkpoint = (Checkpoint){0};
    fixture_blocks(&fixture_checkpoint);
    fixture_fill(&fixture_checkpoint, 10);
}

void fixture_end(void)
{
    scratch_end();
    fixture_blocks_free(&fixture_checkpoint);
    model_free(fixture_model);
    vocab_free(fixture_vocab);
}

void fixture_blocks(Checkpoint *checkpoint)
{
    for (int role = 0; role < ROLE_COUNT; role++)
        checkpoint->block[role] = memory_take_zeros(fixture_model->params.size, sizeof(real));
}

void fixture_blocks_free(Checkpoint *checkpoint)
{
    for (int role = 0; role < ROLE_COUNT; role++)
        free(checkpoint->block[role]);
}

/* Numbers that a float holds exactly and float16 does not; zero between the parameters. */
void fixture_fill(Checkpoint *checkpoint, int64_t step)
{
    const Params *params = &fixture_model->params;
    for (int role = 0; role < ROLE_COUNT; role++)
        for (int i = 0; i < params->count; i++)
            for (int k = 0; k < params->list[i].rows * params->list[i].cols; k++)
                checkpoint->block[role][params->list[i].at + (size_t)k] =
                    (real)(((double)step + (k * 37 + i * 101) % 4096 + role * 0.25) / 4096 - 0.5);
    checkpoint->step = step;
    checkpoint->best_step = step;
    checkpoint->best_bleu = 12.5 + (double)step / 3;
    checkpoint->waiting = step % 7;
    checkpoint->seconds = (double)step * 0.1;
    checkpoint->loss_sum = (double)step / 7;
    checkpoint->loss_tokens = step * 1000003;
    checkpoint->corpus = INT64_MIN + step;
    checkpoint->best_is_new = true;
}

bool fixture_same(const Checkpoint *a, const Checkpoint *b)
{
    for (int role = 0; role < ROLE_COUNT; role++)
        if (memcmp(a->block[role], b->block[role], fixture_model->params.size * sizeof(real)) != 0)
            return false;
    return a->step == b->step && a->best_step == b->best_step && a->waiting == b->waiting &&
           a->loss_tokens == b->loss_tokens && a->corpus == b->corpus &&
           memcmp(&a->best_bleu, &b->best_bleu, sizeof a->best_bleu) == 0 &&
           memcmp(&a->seconds, &b->seconds, sizeof a->seconds) == 0 &&
           memcmp(&a->loss_sum, &b->loss_sum, sizeof a->loss_sum) == 0;
}

void fixture_run(const char *path)
{
    static const Note notes[] = {{"licence", "CC BY 2.0 FR"}, {"source", "¡hola!"}, {NULL, NULL}};
    Progress progress = {.step = 10, .epoch = 0.5, .seconds = 1, .dev_bleu = 15};
    Err err;
    Store *run = store_create(path, fixture_model, fixture_vocab, notes, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    ck_assert_msg(store_save(run, fixture_model, &fixture_checkpoint, &progress, &err), "%s", err.text);
    store_close(run);
}

Store *fixture_open_run(Checkpoint *next)
{
    Err err;
    Store *run = store_create("run.db", fixture_model, fixture_vocab, NULL, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    fixture_checkpoint.best_step = 0;
    ck_assert_msg(store_save(run, fixture_model, &fixture_checkpoint, NULL, &err), "%s", err.text);
    memset(fixture_checkpoint.block[ROLE_BEST], 0, fixture_model->params.size * sizeof(real));
    fixture_blocks(next);
    fixture_fill(next, 20);
    return run;
}

void fixture_export(const char *path)
{
    Err err;
    fixture_run("fixture.db");
    ck_assert_msg(store_export("fixture.db", path, &err), "%s", err.text);
    ck_assert_int_eq(remove("fixture.db"), 0);
}

void fixture_restore(const char *path, Checkpoint *read)
{
    Model *model;
    Vocab *vocab;
    Err err;
    Store *run = store_open(path, &model, &vocab, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    *read = (Checkpoint){0};
    fixture_blocks(read);
    ck_assert_msg(store_restore(run, model, read, &err), "%s", err.text);
    store_close(run);
    model_free(model);
    vocab_free(vocab);
}

void fixture_assert_holds(const char *path, const Checkpoint *expected)
{
    Checkpoint read;
    fixture_restore(path, &read);
    ck_assert(fixture_same(&read, expected));
    ck_assert(!read.best_is_new);
    fixture_blocks_free(&read);
}

/* The weights that a packed model computes with, as reals. */
static real weight_at(const Param *param, int row, int col)
{
    if (param->value)
        return param->value[row * param->cols + col];
    if (param->half)
        return half_to_real(param->half[row * param->cols + col]);
    real *column = memory_take((size_t)param->forward.depth * sizeof *column);
    pack_column(&param->forward, param->use == PARAM_TIED ? row : col, column);
    real value = column[param->use == PARAM_TIED ? col : row];
    free(column);
    return value;
}

static void assert_weights(const Model *model, const real *block, bool rounded)
{
    for (int i = 0; i < model->params.count; i++) {
        const Param *param = &model->params.list[i];
        for (int row = 0; row < param->rows; row++)
            for (int col = 0; col < param->cols; col++) {
                real x = block[param->at + (size_t)(row * param->cols + col)];
                if (rounded)
                    x = half_to_real(half_from_real(x));
                ck_assert_msg(weight_at(param, row, col) == x, "%s[%d, %d]", param->name, row, col);
            }
    }
}

void fixture_assert_loads(const char *path, Role role, bool rounded)
{
    Model *model;
    Vocab *vocab;
    Err err;
    ck_assert_msg(store_load(path, &model, &vocab, &err), "%s", err.text);
    ck_assert_ptr_null(model->params.value);
    ck_assert(model->config.dropout == fixture_model->config.dropout);
    ck_assert_uint_eq(vocab_size(vocab), vocab_size(fixture_vocab));
    assert_weights(model, fixture_checkpoint.block[role], rounded);
    model_free(model);
    vocab_free(vocab);

    ck_assert_msg(store_init(path, &model, &vocab, &err), "%s", err.text);
    ck_assert_ptr_nonnull(model->params.value);
    assert_weights(model, fixture_checkpoint.block[role], rounded);
    model_free(model);
    vocab_free(vocab);
}

static sqlite3 *open_plain(const char *path)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    return db;
}

void fixture_sql(const char *path, const char *sql)
{
    sqlite3 *db = open_plain(path);
    char *message = NULL;
    sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    sqlite3_exec(db, sql, NULL, NULL, &message);
    ck_assert_msg(!message, "%s: %s", sql, message);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

int64_t fixture_number(const char *path, const char *sql)
{
    sqlite3 *db = open_plain(path);
    sqlite3_stmt *row;
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(row), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    return number;
}

unsigned char *fixture_read(const char *path, long *size)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *size = ftell(file);
    rewind(file);
    unsigned char *bytes = memory_take((size_t)*size);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)*size, file), (size_t)*size);
    fclose(file);
    return bytes;
}

void fixture_write(const char *path, const void *bytes, long size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, (size_t)size, file), (size_t)size);
    ck_assert_int_eq(fclose(file), 0);
}

static bool same_pack(const Pack *a, const Pack *b)
{
    if (a->depth != b->depth || a->cols != b->cols || a->type != b->type || !a->data != !b->data)
        return false;
    return !a->data || memcmp(a->data, b->data, pack_bytes(a->depth, a->cols, a->type)) == 0;
}

static bool same_bytes(const void *a, const void *b, size_t size)
{
    return a && b ? memcmp(a, b, size) == 0 : a == b;
}

static bool same_config(const Config *a, const Config *b)
{
    bool same = true;
    for (int i = 0; same && i < config_field_count; i++) {
        Buf x = {0}, y = {0};
        config_get(a, &config_fields[i], &x);
        config_get(b, &config_fields[i], &y);
        same = strcmp(x.data, y.data) == 0;
        buf_free(&x);
        buf_free(&y);
    }
    return same;
}

static bool same_vocab(const Vocab *x, const Vocab *y)
{
    if (vocab_size(x) != vocab_size(y) || vocab_merge_count(x) != vocab_merge_count(y))
        return false;
    for (int id = 0; id < (int)vocab_size(x); id++) {
        VocabPiece a = vocab_piece(x, id), b = vocab_piece(y, id);
        if (a.size != b.size || memcmp(a.text, b.text, a.size) != 0 || a.kind != b.kind || a.count != b.count)
            return false;
    }
    for (size_t rank = 0; rank < vocab_merge_count(x); rank++) {
        VocabMerge a = vocab_merge(x, rank), b = vocab_merge(y, rank);
        if (a.left != b.left || a.right != b.right)
            return false;
    }
    return true;
}

bool fixture_same_model(const Model *a, const Vocab *x, const Model *b, const Vocab *y)
{
    if (!same_config(&a->config, &b->config) || !same_vocab(x, y) || a->params.count != b->params.count)
        return false;
    for (int i = 0; i < a->params.count; i++) {
        const Param *p = &a->params.list[i], *q = &b->params.list[i];
        size_t n = (size_t)p->rows * (size_t)p->cols;
        if (strcmp(p->name, q->name) != 0 || p->rows != q->rows || p->cols != q->cols ||
            !same_bytes(p->value, q->value, n * sizeof(real)) ||
            !same_bytes(p->half, q->half, n * sizeof(uint16_t)) || !same_pack(&p->forward, &q->forward))
            return false;
    }
    return true;
}
