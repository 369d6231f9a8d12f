#include "model/explain.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct {
    Explain *explain;
    Arena *arena;
    int pieces; /* of the vocabulary */
} Witness;

static int first_of(int width)
{
    return width < EXPLAIN_FIRST ? width : EXPLAIN_FIRST;
}

static ExplainVector vector_of(const real *x, int width)
{
    ExplainVector v = {0};
    double sum = 0;
    for (int i = 0; i < width; i++)
        sum += (double)x[i] * (double)x[i];
    v.norm = sqrt(sum);
    for (int i = 0; i < first_of(width); i++)
        v.first[i] = (double)x[i];
    return v;
}

static ExplainVector *vectors_of(Arena *arena, Tensor x, int rows)
{
    ExplainVector *v = arena_take(arena, (size_t)rows * sizeof *v);
    for (int i = 0; i < rows; i++)
        v[i] = vector_of(x.value + (size_t)i * (size_t)x.cols, x.cols);
    return v;
}

static const real *copy_row(Arena *arena, const real *x, int count)
{
    real *copy = arena_take(arena, (size_t)count * sizeof *copy);
    memcpy(copy, x, (size_t)count * sizeof *copy);
    return copy;
}

static double score_of(const SearchStep *step, int id)
{
    return (double)step->logit[id] - step->log_sum;
}

static int find_best(const SearchStep *step, int pieces, ExplainPiece *best)
{
    int count = 0;
    for (int id = 0; id < pieces; id++) {
        double score = score_of(step, id);
        if (count == EXPLAIN_BEST && !(score > best[count - 1].score))
            continue;
        int at = count < EXPLAIN_BEST ? count++ : count - 1;
        for (; at > 0 && score > best[at - 1].score; at--)
            best[at] = best[at - 1];
        best[at] = (ExplainPiece){id, score};
    }
    return count;
}

/* What is read at every step is the same memory: its vectors are kept at the first. */
static void see(void *data, const SearchStep *step)
{
    const Witness *witness = data;
    Explain *explain = witness->explain;
    const Attended *read = &step->decoded->read;
    const Memory *memory = step->memory;
    ExplainStep *to = &explain->step[step->number];
    assert(memory->length[0] == explain->sources && read->query.rows == 1);
    if (step->number == 0) {
        explain->queries = first_of(memory->key.cols);
        explain->values = first_of(memory->value.cols);
        explain->key = vectors_of(witness->arena, memory->key, explain->sources);
        explain->value = vectors_of(witness->arena, memory->value, explain->sources);
    }
    to->written = (ExplainPiece){step->id, score_of(step, step->id)};
    explain->best = find_best(step, witness->pieces, to->best);
    to->query = vector_of(read->query.value, read->query.cols);
    to->context = vector_of(read->context.value, read->context.cols);
    to->score = copy_row(witness->arena, read->score, explain->sources);
    to->weight = copy_row(witness->arena, read->weights.value, explain->sources);
}

/* The source without the pieces of one word. id has room for them. */
static SearchSource delete_word(const ExplainInput *input, int word, int *id)
{
    int count = 0;
    for (int s = 0; s < input->source.count; s++)
        if (input->word[s] != word)
            id[count++] = input->source.id[s];
    return (SearchSource){id, count};
}

static void keep_score(void *data, const SearchStep *step)
{
    double *score = data;
    score[step->number] = score_of(step, step->id);
}

static void force_without(const Model *model, Tape *tape, const ExplainInput *input, Explain *explain,
                          Arena *arena)
{
    const SearchOptions options = {.beam_size = 1, .n_best = 1};
    size_t steps = (size_t)explain->steps;
    ArenaMark mark = arena_mark(arena);
    int *id = arena_take(arena, (size_t)input->source.count * sizeof *id);
    for (int w = 0; w < input->words; w++) {
        ArenaMark inner = arena_mark(arena);
        SearchObserver observer = {keep_score, explain->without + (size_t)w * steps};
        SearchGiven given = {delete_word(input, w, id), input->target, observer};
        search_force(model, tape, &given, &options, arena);
        arena_rewind(arena, inner);
    }
    arena_rewind(arena, mark);
}

Explain explain_run(const Model *model, Tape *tape, const ExplainInput *input, Arena *arena)
{
    const SearchOptions options = {.beam_size = 1, .n_best = 1};
    Explain explain = {.steps = input->target.count + 1, .sources = input->source.count + 1};
    size_t steps = (size_t)explain.steps;
    explain.step = arena_take_zeros(arena, steps * sizeof *explain.step);
    explain.without = arena_take(arena, (size_t)input->words * steps * sizeof *explain.without);
    Witness witness = {&explain, arena, model->pieces};
    SearchGiven given = {input->source, input->target, {see, &witness}};
    explain.score = search_force(model, tape, &given, &options, arena).score;
    force_without(model, tape, input, &explain, arena);
    return explain;
}
