#include "model/search.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A hypothesis under way or finished is a leaf of a tree of steps: each step knows its parent, so that
 * a beam that branches copies nothing. */
typedef struct Step {
    const struct Step *parent;
    int id;
    double score;        /* of everything up to here */
    real piece_score;    /* of this piece */
    const real *weights; /* what this step looked at */
} Step;

typedef struct {
    const Step *last;
    int count; /* pieces, MODEL_END included when finished */
    double normalized;
} Path;

/* One sentence's share of the beam. */
typedef struct {
    int live, done; /* hypotheses under way: rows of the batch; and finished */
    int limit;      /* most steps */
    Path *beam;     /* [beam_size] under way, best first */
    Path *finished; /* [beam_size], best first */
} Beam;

/* A way on: hypothesis `row` of a sentence's beam followed by piece `id`. */
typedef struct {
    double score;
    real piece_score;
    int row, id;
} Candidate;

typedef struct {
    const Model *model;
    Tape *tape;
    const SearchOptions *options;
    const SearchSource *source;
    int n;
    Arena *arena;       /* outlives the search: steps and results */
    Beam *beam;         /* [n] */
    Encoded encoded;
    int *last, *row, *sentence; /* [n * beam_size] for each row of the next step */
    Candidate *best;    /* [beam_size] */
} Search;

static bool is_better(const Candidate *a, const Candidate *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    return a->row != b->row ? a->row < b->row : a->id < b->id;
}

/* Insert into best[0 .. *count-1], which is sorted and holds at most `limit`. */
static void keep_best(Candidate *best, int *count, int limit, Candidate candidate)
{
    if (*count == limit && !is_better(&candidate, &best[limit - 1]))
        return;
    int at = *count < limit ? (*count)++ : limit - 1;
    for (; at > 0 && is_better(&candidate, &best[at - 1]); at--)
        best[at] = best[at - 1];
    best[at] = candidate;
}

static double normalize(const SearchOptions *options, double score, int count)
{
    return score / pow(count, options->normalize);
}

static void finish(Search *search, Beam *beam, Path path)
{
    path.normalized = normalize(search->options, path.last->score, path.count);
    int size = search->options->beam_size;
    if (beam->done == size && path.normalized <= beam->finished[size - 1].normalized)
        return;
    int at = beam->done < size ? beam->done++ : size - 1;
    for (; at > 0 && path.normalized > beam->finished[at - 1].normalized; at--)
        beam->finished[at] = beam->finished[at - 1];
    beam->finished[at] = path;
}

/* The beam_size best ways on from the rows of one sentence. log p(id) = logit - log sum. */
static int rank_candidates(Search *search, const Beam *beam, const real *logits, bool must_end)
{
    size_t pieces = (size_t)search->model->pieces;
    int limit = search->options->beam_size, count = 0;
    ArenaMark mark = arena_mark(&search->tape->arena);
    real *row = arena_take(&search->tape->arena, pieces * sizeof *row);
    for (int r = 0; r < beam->live; r++) {
        const real *logit = logits + (size_t)r * pieces;
        memcpy(row, logit, pieces * sizeof *row);
        double log_sum = (double)search->tape->kernel->softmax(row, pieces);
        double base = beam->beam[r].last ? beam->beam[r].last->score : 0;
        int end = must_end ? MODEL_END + 1 : (int)pieces;
        double worst = -HUGE_VAL; /* no logit below it can enter the full list */
        for (int id = 0; id < end; id++) {
            if ((double)logit[id] < worst)
                continue;
            double piece_score = (double)logit[id] - log_sum;
            Candidate candidate = {base + piece_score, (real)piece_score, r, id};
            keep_best(search->best, &count, limit, candidate);
            if (count == limit)
                worst = search->best[limit - 1].score - base + log_sum - 1e-9;
        }
    }
    arena_rewind(&search->tape->arena, mark);
    return count;
}

/* Take the candidates as the sentence's next beam; those that end are finished. first is the batch row
 * of the sentence's first hypothesis, now; rows for the next step are appended from *rows on. */
static void advance(Search *search, int sentence, int candidates, int first, int *rows, Tensor weights)
{
    Beam *beam = &search->beam[sentence];
    int size = search->options->beam_size, live = 0;
    size_t width = (size_t)search->source[sentence].count + 1;
    Path *next = arena_take(&search->tape->arena, (size_t)size * sizeof *next);
    for (int i = 0; i < candidates; i++) {
        Candidate c = search->best[i];
        const Path *from = &beam->beam[c.row];
        real *copy = arena_take(search->arena, width * sizeof *copy);
        memcpy(copy, weights.value + (size_t)(first + c.row) * (size_t)weights.cols,
               width * sizeof *copy);
        Step *step = arena_take(search->arena, sizeof *step);
        *step = (Step){from->last, c.id, c.score, c.piece_score, copy};
        Path path = {.last = step, .count = from->count + 1};
        if (c.id == MODEL_END) {
            finish(search, beam, path);
            continue;
        }
        next[live++] = path;
        search->row[*rows] = first + c.row;
        search->last[*rows] = c.id;
        search->sentence[(*rows)++] = sentence;
    }
    memcpy(beam->beam, next, (size_t)live * sizeof *next);
    beam->live = live;
    /* Enough are finished, or none under way can become better: scores only fall, and the most that
     * length normalisation can give back is that of the longest output. */
    double hope = live ? normalize(search->options, beam->beam[0].last->score, beam->limit) : 0;
    bool full = beam->done >= size || (beam->done && beam->finished[0].normalized >= hope &&
                                       search->options->n_best == 1);
    if (full) {
        *rows -= live;
        beam->live = 0;
    }
}

static void start(Search *search)
{
    Tape *tape = search->tape;
    int longest = 1, n = search->n;
    for (int b = 0; b < n; b++)
        if (search->source[b].count + 1 > longest)
            longest = search->source[b].count + 1;
    int *id = arena_take_zeros(&tape->arena, (size_t)longest * (size_t)n * sizeof *id);
    int *length = arena_take(&tape->arena, (size_t)n * sizeof *length);
    for (int b = 0; b < n; b++) {
        length[b] = search->source[b].count + 1; /* MODEL_END, 0, is there already */
        for (int s = 0; s < search->source[b].count; s++)
            id[s * n + b] = search->source[b].id[s];
    }
    Source source = {.id = id, .length = length, .batch = n, .longest = longest};
    search->encoded = model_encode(search->model, tape, &source);
}

/* The state that outlives a step: everything else on the tape is forgotten after each. */
static State state_new(const Search *search, int rows)
{
    const Config *config = &search->model->config;
    Tape *tape = search->tape;
    State state = {.feed = tape_tensor(tape, rows, config->embedding)};
    for (int i = 0; i < config->decoder_layers; i++)
        state.layer[i] = rnn_zero(&search->model->decoder[i], tape, rows);
    return state;
}

static Tensor keep(Tensor kept, Tensor x)
{
    if (x.value)
        memcpy(kept.value, x.value, tensor_size(x) * sizeof(real));
    return x.value ? tensor_rows(kept, 0, x.rows) : x;
}

static State state_keep(const Search *search, const State *kept, const State *state)
{
    State copy = {.feed = keep(kept->feed, state->feed)};
    for (int i = 0; i < search->model->config.decoder_layers; i++) {
        copy.layer[i].h = keep(kept->layer[i].h, state->layer[i].h);
        copy.layer[i].c = keep(kept->layer[i].c, state->layer[i].c);
    }
    return copy;
}

/* One step of all hypotheses under way; returns how many rows the next one has. */
static int step(Search *search, int t, State *state)
{
    Decoded out = model_step(search->model, search->tape, &search->encoded.memory, state, search->last,
                             search->sentence);
    Tensor logits = model_logits(search->model, search->tape, out.state);
    int first = 0, rows = 0;
    for (int b = 0; b < search->n; b++) {
        Beam *beam = &search->beam[b];
        int live = beam->live;
        if (!live)
            continue;
        const real *own = logits.value + (size_t)first * (size_t)logits.cols;
        int found = rank_candidates(search, beam, own, t + 1 >= beam->limit);
        advance(search, b, found, first, &rows, out.read.weights);
        first += live;
    }
    return rows;
}

static void run(Search *search)
{
    Tape *tape = search->tape;
    int rows = search->n;
    State state = model_begin(search->model, tape, &search->encoded);
    State kept = state_new(search, rows * search->options->beam_size);
    for (int b = 0; b < rows; b++) {
        search->last[b] = MODEL_END;
        search->sentence[b] = b;
    }
    TapeMark mark = tape_mark(tape);
    for (int t = 0; rows > 0; t++) {
        rows = step(search, t, &state);
        State next = model_pick(search->model, tape, &state, search->row, rows);
        state = state_keep(search, &kept, &next);
        tape_rewind(tape, mark);
    }
}

static Hypothesis unroll(const Search *search, const SearchSource *source, Path path)
{
    size_t count = (size_t)path.count, width = (size_t)source->count + 1;
    Hypothesis h = {.count = path.count - 1, .score = path.last->score, .normalized = path.normalized};
    h.id = arena_take(search->arena, count * sizeof *h.id);
    h.piece_score = arena_take(search->arena, count * sizeof *h.piece_score);
    h.weights = arena_take(search->arena, count * width * sizeof *h.weights);
    const Step *step = path.last;
    for (size_t t = count; t-- > 0; step = step->parent) {
        h.id[t] = step->id; /* the last one, MODEL_END, is not counted */
        h.piece_score[t] = step->piece_score;
        memcpy(h.weights + t * width, step->weights, width * sizeof *h.weights);
    }
    return h;
}

SearchResult *search_run(const Model *model, Tape *tape, const SearchSource *source, int n,
                         const SearchOptions *options, Arena *arena)
{
    assert(n > 0 && !tape->recording && options->beam_size >= 1 && options->n_best >= 1);
    assert(options->beam_size <= SEARCH_BEAM_MAX && options->n_best <= options->beam_size);
    size_t size = (size_t)options->beam_size, rows = (size_t)n * size;
    Search search = {.model = model, .tape = tape, .options = options, .source = source, .n = n,
                     .arena = arena};
    tape_reset(tape);
    search.beam = arena_take_zeros(&tape->arena, (size_t)n * sizeof *search.beam);
    for (int b = 0; b < n; b++) {
        Beam *beam = &search.beam[b];
        beam->live = 1;
        beam->limit = (int)(options->max_ratio * (source[b].count + 1)) + 10;
        beam->beam = arena_take_zeros(&tape->arena, size * sizeof *beam->beam);
        beam->finished = arena_take_zeros(&tape->arena, size * sizeof *beam->finished);
    }
    search.last = arena_take(&tape->arena, rows * sizeof *search.last);
    search.row = arena_take(&tape->arena, rows * sizeof *search.row);
    search.sentence = arena_take(&tape->arena, rows * sizeof *search.sentence);
    search.best = arena_take(&tape->arena, size * sizeof *search.best);
    start(&search);
    run(&search);

    SearchResult *result = arena_take(arena, (size_t)n * sizeof *result);
    for (int b = 0; b < n; b++) {
        const Beam *beam = &search.beam[b];
        result[b].count = beam->done < options->n_best ? beam->done : options->n_best;
        result[b].hypothesis = arena_take(arena, (size_t)result[b].count * sizeof(Hypothesis));
        for (int i = 0; i < result[b].count; i++)
            result[b].hypothesis[i] = unroll(&search, &source[b], beam->finished[i]);
    }
    tape_reset(tape);
    return result;
}

Hypothesis search_force(const Model *model, Tape *tape, const SearchGiven *given,
                        const SearchOptions *options, Arena *arena)
{
    assert(!tape->recording);
    const SearchSource *target = &given->target;
    Search search = {.model = model, .tape = tape, .options = options, .source = &given->source, .n = 1};
    size_t count = (size_t)target->count + 1, width = (size_t)given->source.count + 1;
    size_t pieces = (size_t)model->pieces;
    Hypothesis h = {.count = target->count};
    h.id = arena_take(arena, count * sizeof *h.id);
    h.piece_score = arena_take(arena, count * sizeof *h.piece_score);
    h.weights = arena_take(arena, count * width * sizeof *h.weights);
    tape_reset(tape);
    start(&search);
    const Memory *memory = &search.encoded.memory;
    State state = model_begin(model, tape, &search.encoded), kept = state_new(&search, 1);
    real *probability = arena_take(&tape->arena, pieces * sizeof *probability);
    TapeMark mark = tape_mark(tape);
    int last = MODEL_END;
    for (size_t t = 0; t < count; t++) {
        Decoded out = model_step(model, tape, memory, &state, &last, NULL);
        const real *logit = model_logits(model, tape, out.state).value;
        memcpy(probability, logit, pieces * sizeof *probability);
        double log_sum = (double)tape->kernel->softmax(probability, pieces);
        last = t + 1 < count ? target->id[t] : MODEL_END;
        double piece_score = (double)logit[last] - log_sum;
        h.id[t] = last;
        h.score += piece_score;
        h.piece_score[t] = (real)piece_score;
        memcpy(h.weights + t * width, out.read.weights.value, width * sizeof *h.weights);
        if (given->observer.see)
            given->observer.see(given->observer.data,
                                &(SearchStep){(int)t, last, &out, memory, logit, log_sum});
        state = state_keep(&search, &kept, &state);
        tape_rewind(tape, mark);
    }
    h.normalized = normalize(options, h.score, (int)count);
    tape_reset(tape);
    return h;
}
