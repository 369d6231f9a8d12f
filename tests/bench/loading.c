/* loading.c - text to pieces and back, and where the time goes when a model is loaded. Loading is the store's
 * own business: its steps are called here as store_load() calls them. */
#include "bench.h"

#include "model/store_internal.h"
#include "text/corpus.h"

#include <stdlib.h>

#define SENTENCES "tests/data/pairs.tsv"

static void add_row(const Bench *bench, Buf *out, const char *what, double *value)
{
    buf_format(out, "| %s | ", what);
    bench_add(out, bench_spread(value, bench->repeats), 2);
    buf_text(out, " |\n");
}

/* Text ------------------------------------------------------------------------------------------ */

typedef struct {
    const Vocab *vocab;
    const Corpus *corpus;
    Pieces *pieces; /* [pairs] of the targets */
    Arena arena;
    Buf text;
} TextJob;

static void run_encode(void *data)
{
    TextJob *job = data;
    for (size_t i = 0; i < job->corpus->pairs; i++) {
        ArenaMark mark = arena_mark(&job->arena);
        const CorpusPair *pair = &job->corpus->pair[i];
        Text text = text_source(&job->arena, pair->source, pair->source_size);
        (void)vocab_encode(job->vocab, &job->arena, &text, 0, NULL);
        arena_rewind(&job->arena, mark);
    }
}

static void run_decode(void *data)
{
    TextJob *job = data;
    job->text.size = 0;
    for (size_t i = 0; i < job->corpus->pairs; i++)
        vocab_decode(job->vocab, job->pieces[i].id, job->pieces[i].count, true, &job->text, NULL);
}

static void add_text(const Bench *bench, const Vocab *vocab, const Corpus *corpus, Buf *out)
{
    double encode[BENCH_REPEATS], decode[BENCH_REPEATS], bytes = 0;
    TextJob job = {.vocab = vocab, .corpus = corpus};
    Arena arena = {0};
    job.pieces = arena_take(&arena, corpus->pairs * sizeof *job.pieces);
    for (size_t i = 0; i < corpus->pairs; i++) {
        const CorpusPair *pair = &corpus->pair[i];
        Text text = text_nfc(&arena, pair->target, pair->target_size);
        job.pieces[i] = vocab_encode(vocab, &arena, &text, 0, NULL);
        bytes += pair->source_size;
    }
    for (int r = 0; r < bench->repeats; r++) {
        encode[r] = 1e-6 * bytes / bench_seconds(run_encode, &job, bench->least);
        double seconds = bench_seconds(run_decode, &job, bench->least);
        decode[r] = 1e-6 * (double)job.text.size / seconds;
    }
    buf_text(out, "| text, one core | MB/s |\n|---|---|\n");
    add_row(bench, out, "encode: normalise, split, merge", encode);
    add_row(bench, out, "decode", decode);
    arena_free(&job.arena);
    arena_free(&arena);
    buf_free(&job.text);
}

/* Loading --------------------------------------------------------------------------------------- */

typedef enum {
    LOAD_ALL,
    LOAD_OPEN,    /* header, connection, limits, schema */
    LOAD_MODEL,   /* all but the numbers */
    LOAD_CONFIG,
    LOAD_PIECES,  /* rows of the vocabulary and their digest */
    LOAD_VOCAB,   /* the vocabulary from these rows */
    LOAD_TENSORS, /* values, their digest, packing */
    LOAD_PACK,    /* the packing alone */
    LOAD_CLOSE,
    LOAD_STEPS
} LoadStep;

static const char *const load_names[LOAD_STEPS] = {
    "store_load, file in the page cache",
    "1. open, schema",
    "2. settings, vocabulary, where the tensors are",
    "- settings",
    "- vocabulary: rows and digest",
    "- vocabulary: made of the rows",
    "3. tensors",
    "- packing, in memory not used before",
    "4. close",
};

/* The steps of store_load(). */
static bool time_load(const char *path, double seconds[LOAD_STEPS], Err *err)
{
    Model *model = NULL;
    Vocab *vocab = NULL;
    Places places;
    Role role;
    double at = bench_now();
    Store *store = store_connect(path, NULL, STORE_READ, err);
    seconds[LOAD_OPEN] = bench_now() - at;
    if (!store)
        return false;
    at = bench_now();
    bool ok = store_read_model(store, &model, &vocab, &places, err) && store_choose_role(store, &role, err);
    seconds[LOAD_MODEL] = bench_now() - at;
    at = bench_now();
    ok = ok && store_read_role(store, model, role, &places, NULL, err);
    seconds[LOAD_TENSORS] = bench_now() - at;
    at = bench_now();
    store_close(store);
    seconds[LOAD_CLOSE] = bench_now() - at;
    model_free(model);
    vocab_free(vocab);
    return ok;
}

/* Parts of the second, on a connection of their own: nothing has been read yet. */
static bool time_rows(const char *path, double seconds[LOAD_STEPS], Err *err)
{
    Config config;
    char text[DIGEST_TEXT];
    Store *store = store_connect(path, NULL, STORE_READ, err);
    if (!store)
        return false;
    double at = bench_now();
    bool ok = store_read_config(store, &config, text, err);
    seconds[LOAD_CONFIG] = bench_now() - at;
    at = bench_now();
    ok = ok && store_read_vocab(store, NULL, text, err);
    seconds[LOAD_PIECES] = bench_now() - at;
    store_close(store);
    return ok;
}

static double time_vocab(const Vocab *vocab)
{
    size_t pieces = vocab_size(vocab), merges = vocab_merge_count(vocab);
    VocabPiece *piece = memory_take(pieces * sizeof *piece);
    VocabMerge *merge = memory_take(merges * sizeof *merge);
    Err err;
    for (size_t i = 0; i < pieces; i++)
        piece[i] = vocab_piece(vocab, (int)i);
    for (size_t i = 0; i < merges; i++)
        merge[i] = vocab_merge(vocab, i);
    double begin = bench_now();
    Vocab *copy = vocab_from_rows(piece, pieces, merge, merges, &err);
    double seconds = bench_now() - begin;
    vocab_free(copy);
    free(piece);
    free(merge);
    return seconds;
}

/* Every parameter of the shape of this model from halves, into memory as fresh as when loading. */
static double time_packing(const Model *model)
{
    Model *copy = model_new(&model->config, model->pieces);
    Params *params = &copy->params;
    uint16_t *half = memory_take_zeros(params->size, sizeof *half);
    for (size_t i = 0; i < params->size; i++)
        half[i] = (uint16_t)(i & 0x3FFF);
    double begin = bench_now();
    for (int i = 0; i < params->count; i++)
        params_load(params, &params->list[i], 0, params->list[i].rows, half + params->list[i].at, true);
    double seconds = bench_now() - begin;
    free(half);
    model_free(copy);
    return seconds;
}

static bool add_loading(const Bench *bench, const Model *model, const Vocab *vocab, Buf *out, Err *err)
{
    double value[LOAD_STEPS][BENCH_REPEATS], seconds[LOAD_STEPS];
    for (int r = 0; r < bench->repeats; r++) {
        Model *again;
        Vocab *with;
        double begin = bench_now();
        if (!store_load(bench->model, &again, &with, err))
            return false;
        seconds[LOAD_ALL] = bench_now() - begin;
        model_free(again);
        vocab_free(with);
        if (!time_load(bench->model, seconds, err) || !time_rows(bench->model, seconds, err))
            return false;
        seconds[LOAD_VOCAB] = time_vocab(vocab);
        seconds[LOAD_PACK] = time_packing(model);
        for (int step = 0; step < LOAD_STEPS; step++)
            value[step][r] = 1e3 * seconds[step];
    }
    buf_text(out, "\n| loading the model | ms |\n|---|---|\n");
    for (int step = 0; step < LOAD_STEPS; step++)
        add_row(bench, out, load_names[step], value[step]);
    return true;
}

void loading_section(Bench *bench, Buf *out)
{
    Model *model = NULL;
    Vocab *vocab = NULL;
    Corpus corpus = {0};
    Err err;
    if (!bench->has_model)
        return;
    bool ok = store_load(bench->model, &model, &vocab, &err) && corpus_read(&corpus, SENTENCES, 1, &err);
    if (ok)
        add_text(bench, vocab, &corpus, out);
    if (!ok || !add_loading(bench, model, vocab, out, &err))
        buf_format(&bench->left_out, "text and loading: %s\n", err.text);
    corpus_free(&corpus);
    model_free(model);
    vocab_free(vocab);
}
