/* training.c - target pieces a second of the Trainer itself, on a made-up language whose sentences all
 * have the same length: batches, encoding of the text, model, sum of gradients, Adam, average, packing. */
#include "bench.h"

#include "base/rng.h"
#include "model/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE 9  /* pieces of a sentence, its end included */
#define TARGET 10
#define PAIRS 5760 /* whole batches of 64 and of 180 pairs */

enum { LETTERS = 26, START_PIECES = 1 + 256 + LETTERS + 1 };

/* A vocabulary of exactly `size` pieces in which every word of three letters that it has is one piece. Rows:
 * </s>, the bytes, ▁ and a to z; then merges ▁a .. ▁z, ▁aa .. ▁zz, and ▁aaa on, until it is full. */
typedef struct {
    VocabPiece *piece;
    VocabMerge *merge;
    size_t pieces, merges;
    Arena arena;
} Rows;

static void add_piece(Rows *rows, VocabKind kind, const char *text)
{
    size_t size = strlen(text);
    const char *copy = arena_copy_text(&rows->arena, text, size);
    rows->piece[rows->pieces] = (VocabPiece){(int64_t)rows->pieces, copy, size, kind, 1};
    rows->pieces++;
}

static void add_merge(Rows *rows, size_t left, size_t right)
{
    char text[32];
    snprintf(text, sizeof text, "%s%s", rows->piece[left].text, rows->piece[right].text);
    rows->merge[rows->merges] = (VocabMerge){(int64_t)rows->merges, (int64_t)left, (int64_t)right};
    rows->merges++;
    add_piece(rows, VOCAB_MERGE, text);
}

static Vocab *make_vocab(size_t size, Err *err)
{
    const size_t space = 1 + 256, a = space + 1;
    Rows rows = {.piece = memory_take(size * sizeof *rows.piece),
                 .merge = memory_take(size * sizeof *rows.merge)};
    char text[8];
    add_piece(&rows, VOCAB_SPECIAL, "</s>");
    for (unsigned byte = 0; byte < 256; byte++) {
        snprintf(text, sizeof text, "<0x%02X>", byte);
        add_piece(&rows, VOCAB_BYTE, text);
    }
    add_piece(&rows, VOCAB_CHARACTER, "▁");
    for (int i = 0; i < LETTERS; i++) {
        snprintf(text, sizeof text, "%c", 'a' + i);
        add_piece(&rows, VOCAB_CHARACTER, text);
    }
    for (size_t i = 0; rows.pieces < size; i++) { /* the space, then every merge so far, in turn */
        size_t left = i < LETTERS ? space : START_PIECES + i / LETTERS - 1;
        add_merge(&rows, left, a + i % LETTERS);
    }
    Vocab *vocab = vocab_from_rows(rows.piece, rows.pieces, rows.merge, rows.merges, err);
    free(rows.piece);
    free(rows.merge);
    arena_free(&rows.arena);
    return vocab;
}

/* Sentences of `count` drawn words. */
static const char *make_side(Arena *arena, int words, int count, Rng *rng)
{
    char text[8 * TARGET];
    int at = 0;
    for (int i = 0; i < count; i++) {
        int w = (int)rng_below(rng, (uint32_t)words);
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%c%c%c", i ? " " : "",
                       'a' + w / LETTERS / LETTERS, 'a' + w / LETTERS % LETTERS, 'a' + w % LETTERS);
    }
    return arena_copy_text(arena, text, (size_t)at);
}

static Corpus make_corpus(int pieces)
{
    int words = pieces - START_PIECES - LETTERS - LETTERS * LETTERS;
    Corpus corpus = {.pairs = PAIRS, .files = 1, .capacity = PAIRS};
    corpus.pair = memory_take_zeros(PAIRS, sizeof *corpus.pair);
    corpus.file = memory_take_zeros(1, sizeof *corpus.file);
    corpus.file[0] = (CorpusFile){.name = "bench", .weight = 1, .pairs = PAIRS};
    for (size_t i = 0; i < PAIRS; i++) {
        Rng rng = rng_at(1, 0, i);
        CorpusPair *pair = &corpus.pair[i];
        pair->source = make_side(&corpus.arena, words, SOURCE - 1, &rng);
        pair->target = make_side(&corpus.arena, words, TARGET - 1, &rng);
        pair->source_size = (uint32_t)strlen(pair->source);
        pair->target_size = (uint32_t)strlen(pair->target);
        pair->line = i + 1;
    }
    return corpus;
}

/* FLOP of the products for one target piece, forward and backward; backward is twice forward. With E and H
 * the widths, A that of the attentional state (here E), V pieces, S and T the lengths:
 *
 *     encoder  (S / T) [16 (E H/2 + (H/2)^2) + 2 H^2]
 *     decoder  2 (E + A + H) 4H + 4 H A + 4 S H + 2 A V
 *
 * With A = H, as Luong's model has it, the decoder takes 2 (E + 2H) 4H + 4H^2 + 4 S H + 2 H V. */
static double flop_of(const Config *config, double pieces)
{
    double e = config->embedding, h = config->hidden, a = e, half = h / 2;
    double encoder = 16 * (e * half + half * half) + 2 * h * h;
    double decoder = 2 * (e + a + h) * 4 * h + 4 * h * a + 4 * SOURCE * h + 2 * a * pieces;
    return 3 * (encoder * SOURCE / TARGET + decoder);
}

/* Listens to a training, and ends it. */
typedef struct {
    const Bench *bench;
    const Checkpoint *checkpoint;
    int threads, blocks;
    int64_t warm, each; /* updates before the first block, and in each */
    int64_t tokens;     /* at the start of this block */
    double begin, peak, flop;
    double speed[BENCH_REPEATS], share[BENCH_REPEATS];
    volatile sig_atomic_t stop;
} Watch;

static void on_step(void *data, const Progress *progress)
{
    Watch *watch = data;
    double now = bench_now(), before = watch->peak;
    int64_t step = progress->step - watch->warm, tokens = watch->checkpoint->loss_tokens;
    if (step < 0 || step % watch->each)
        return;
    watch->peak = ceiling_peak(watch->bench, watch->threads);
    if (step > 0) {
        double speed = (double)(tokens - watch->tokens) / (now - watch->begin);
        watch->speed[watch->blocks] = speed;
        watch->share[watch->blocks] = 100 * speed * watch->flop / ((before + watch->peak) / 2);
        watch->stop = ++watch->blocks == watch->bench->repeats;
    }
    watch->tokens = tokens;
    watch->begin = bench_now();
}

/* That every sentence has as many pieces as it was made to have. */
static bool check_batches(const Trainer *trainer, const Config *config, Err *err)
{
    TrainerCounts counts = trainer_counts(trainer);
    return counts.batches * config->batch_tokens == counts.pairs * TARGET
           || err_set(err, "%d pairs make %d batches", (int)counts.pairs, (int)counts.batches);
}

static bool train(Watch *watch, const Config *config, const Vocab *vocab, const Corpus *corpus, Err *err)
{
    Corpus dev = *corpus;
    dev.pairs = 1; /* there must be one; the training ends before it is used */
    Model *model = model_new(config, (int)vocab_size(vocab));
    params_allocate(&model->params);
    model_start(model, (uint64_t)config->seed);
    Checkpoint checkpoint = {.block = {[ROLE_WEIGHT] = model->params.value}};
    for (int role = ROLE_WEIGHT + 1; role < ROLE_COUNT; role++)
        checkpoint.block[role] = memory_take_zeros(model->params.size, sizeof(real));
    watch->checkpoint = &checkpoint;
    TrainerSetup setup = {.model = model, .vocab = vocab, .train = corpus, .dev = &dev,
                          .checkpoint = &checkpoint, .kernel = watch->bench->kernel,
                          .events = {.data = watch, .step = on_step}, .stop = &watch->stop};
    Trainer *trainer = trainer_new(&setup, err);
    bool ok = trainer && check_batches(trainer, config, err) && trainer_run(trainer, err);
    trainer_free(trainer);
    for (int role = ROLE_WEIGHT + 1; role < ROLE_COUNT; role++)
        free(checkpoint.block[role]);
    model_free(model);
    return ok;
}

typedef struct {
    const char *what;
    int hidden, pieces, share, pairs;
    double dropout, guide;
} Case;

static const Case cases[] = {
    {"E=256, H=256, V=8000, batch of 64", 256, 8000, 0, 64, 0, 0},
    {"E=256, H=512, V=5000, one embedding, batch of 64", 512, 5000, 1, 64, 0, 0},
    {"the same, dropout of 0.25, guided, batch of 180", 512, 5000, 1, 180, 0.25, 0.1},
};

static Config config_of(const Case *which, int threads)
{
    Config config = config_default();
    config.embedding = 256;
    config.hidden = which->hidden;
    config.cell = CELL_LSTM;
    config.score = SCORE_GENERAL;
    config.encoder_layers = config.decoder_layers = 1;
    config.share_embeddings = which->share;
    config.pieces = which->pieces;
    config.case_markers = 0;
    config.dropout = which->dropout;
    config.guide = which->guide;
    config.capitals = config.lower = config.bare = 0; /* would change the sentences' lengths */
    config.word_dropout = 0;
    config.piece_dropout = 0; /* the same */
    config.batch_tokens = TARGET * which->pairs;
    config.steps = config.validate = 100000000; /* it is ended before that */
    config.threads = threads;
    return config;
}

static bool add_row(const Bench *bench, const Case *which, const Vocab *vocab, int threads, Buf *out, Err *err)
{
    bool quick = bench->repeats < BENCH_REPEATS;
    Corpus corpus = make_corpus(which->pieces);
    Config config = config_of(which, threads);
    Watch watch = {.bench = bench, .threads = threads, .warm = quick ? 1 : 5, .each = quick ? 1 : 5 * threads,
                   .flop = flop_of(&config, which->pieces)};
    bool ok = train(&watch, &config, vocab, &corpus, err);
    if (ok) {
        buf_format(out, "| %s, %d thread%s | ", which->what, threads, threads > 1 ? "s" : "");
        bench_add(out, bench_spread(watch.speed, watch.blocks), 0);
        buf_format(out, " | %.1f | ", 1e-6 * watch.flop);
        bench_add(out, bench_spread(watch.share, watch.blocks), 0);
        buf_text(out, " |\n");
    }
    corpus_free(&corpus);
    return ok;
}

void training_section(Bench *bench, Buf *out)
{
    Err err;
    buf_format(out, "| training, source %d and target %d pieces, LSTM, general score, Adam | target "
               "pieces/s | MFLOP for each | %% of multiply-add |\n|---|---|---|---|\n", SOURCE, TARGET);
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof cases / sizeof *cases; i++) {
        Vocab *vocab = make_vocab((size_t)cases[i].pieces, &err);
        ok = vocab != NULL;
        for (int threads = 1; ok && threads <= BENCH_CORES; threads++)
            ok = add_row(bench, &cases[i], vocab, threads, out, &err);
        vocab_free(vocab);
    }
    if (!ok)
        buf_format(&bench->left_out, "training: %s\n", err.text);
}
