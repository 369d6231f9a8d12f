#include "cli/walk.h"

#include <math.h>
#include <string.h>

/* A sentence and its words. */
typedef struct {
    const char *text;
    size_t size;
    const AlignmentWord *word;
    int words;
} Sentence;

/* What the parts of one line share. */
typedef struct {
    const Walk *walk;
    Arena *arena;
    Tape *tape;
    const Translation *translation;
    int rank;
    Sentence source, target;
} Journey;

static Sentence sentence_of(Arena *arena, const char *text, size_t size)
{
    Sentence sentence = {.text = text, .size = size};
    sentence.word = alignment_words(arena, text, size, &sentence.words);
    return sentence;
}

/* The words of a part, each with whole pieces, and the end, which has one of its own, and all of them where the
 * part has no word: [*count]. */
static ExplanationWord *group_pieces(Arena *arena, const Sentence *sentence, const AlignmentSpan *span,
                                     int pieces, int *count)
{
    const AlignmentReach *reach =
        alignment_reach(arena, sentence->word, sentence->words, span, pieces);
    ExplanationWord *group = arena_take_zeros(arena, ((size_t)pieces + 1) * sizeof *group), *now = group;
    int last = -1, i = 0; /* last: word of the group */
    for (; i < pieces && reach[i].first <= reach[i].last; i++) {
        if (last < reach[i].first) {
            now = i ? now + 1 : now;
            now->begin = sentence->word[reach[i].first].begin;
            now->first = i;
        }
        if (last < reach[i].last)
            last = reach[i].last;
        now->pieces++;
        now->end = sentence->word[last].end;
        now->text = sentence->text + now->begin;
        now->size = now->end - now->begin;
    }
    now = i ? now + 1 : now;
    *now = (ExplanationWord){.text = EXPLANATION_END, .size = strlen(EXPLANATION_END),
                             .begin = (uint32_t)sentence->size, .end = (uint32_t)sentence->size,
                             .first = i, .pieces = pieces - i + 1};
    *count = (int)(now - group) + 1;
    return group;
}

/* The word of each source piece; -1 for those of the end. */
static const int *number_pieces(Arena *arena, const ExplanationPart *part)
{
    int *number = arena_take(arena, (size_t)part->pieces * sizeof *number);
    for (int s = 0; s < part->sources; s++)
        for (int i = 0; i < part->source[s].pieces; i++)
            number[part->source[s].first + i] = s + 1 < part->sources ? s : -1;
    return number;
}

static const double *widen(Arena *arena, const real *from, int count)
{
    double *wide = arena_take(arena, (size_t)count * sizeof *wide);
    for (int i = 0; i < count; i++)
        wide[i] = (double)from[i];
    return wide;
}

static ExplanationVector vector_of(const ExplainVector *from)
{
    return (ExplanationVector){from->norm, from->first};
}

static ExplanationPiece piece_of(const Vocab *vocab, ExplainPiece piece)
{
    return (ExplanationPiece){vocab_piece(vocab, piece.id).text, piece.score};
}

static const ExplanationSource *list_sources(Arena *arena, const Explain *explain, const AlignmentPart *from)
{
    ExplanationSource *source = arena_take(arena, (size_t)explain->sources * sizeof *source);
    for (int s = 0; s < explain->sources; s++)
        source[s] = (ExplanationSource){
            .text = s < from->sources ? from->source_piece[s] : EXPLANATION_END,
            .key = vector_of(&explain->key[s]),
            .value = vector_of(&explain->value[s]),
        };
    return source;
}

static const ExplanationStep *list_steps(Arena *arena, const Vocab *vocab, const Explain *explain)
{
    ExplanationStep *step = arena_take(arena, (size_t)explain->steps * sizeof *step);
    for (int t = 0; t < explain->steps; t++) {
        const ExplainStep *from = &explain->step[t];
        ExplanationPiece *best = arena_take(arena, (size_t)explain->best * sizeof *best);
        for (int i = 0; i < explain->best; i++)
            best[i] = piece_of(vocab, from->best[i]);
        step[t] = (ExplanationStep){
            .written = piece_of(vocab, from->written),
            .best = best,
            .best_count = explain->best,
            .query = vector_of(&from->query),
            .context = vector_of(&from->context),
            .score = widen(arena, from->score, explain->sources),
            .weight = widen(arena, from->weight, explain->sources),
        };
    }
    return step;
}

/* [targets, sources]: of a word's pieces in sum. Of the end nothing was deleted. */
static const double *list_changes(Arena *arena, const Explain *explain, const ExplanationPart *part)
{
    double *change = arena_take(arena, (size_t)part->targets * (size_t)part->sources * sizeof *change);
    double *to = change;
    for (int t = 0; t < part->targets; t++)
        for (int s = 0; s < part->sources; s++, to++) {
            const ExplanationWord *word = &part->target[t];
            *to = s + 1 < part->sources ? 0 : (double)NAN;
            for (int i = word->first; i < word->first + word->pieces && s + 1 < part->sources; i++)
                *to += explain->without[s * explain->steps + i] - explain->step[i].written.score;
        }
    return change;
}

static ExplanationPart explain_part(const Journey *journey, int p)
{
    Arena *arena = journey->arena;
    const Vocab *vocab = journey->walk->vocab;
    const TranslationPart *source = &journey->translation->part[p];
    const TranslationOutput *target = journey->translation->text[journey->rank].output[p];
    AlignmentPart from = align_part(arena, vocab, journey->translation, journey->rank, p);
    ExplanationPart part = {.pieces = from.sources + 1, .steps = from.targets + 1};
    part.source = group_pieces(arena, &journey->source, from.source, from.sources, &part.sources);
    part.target = group_pieces(arena, &journey->target, from.target, from.targets, &part.targets);
    ExplainInput input = {
        .source = {source->id, source->count},
        .target = {target->id, target->count},
        .word = number_pieces(arena, &part),
        .words = part.sources - 1,
    };
    Explain explain = explain_run(journey->walk->model, journey->tape, &input, arena);
    part.piece = list_sources(arena, &explain, &from);
    part.step = list_steps(arena, vocab, &explain);
    part.queries = explain.queries;
    part.values = explain.values;
    part.change = list_changes(arena, &explain, &part);
    return part;
}

static bool is_short(const Translation *translation, int rank)
{
    for (int p = 0; p < translation->parts; p++)
        if (translation->part[p].count > EXPLAIN_PIECES_MAX ||
            translation->text[rank].output[p]->count > EXPLAIN_PIECES_MAX)
            return false;
    return true;
}

bool walk_explain(const Walk *walk, Arena *arena, const TranslatorLine *line, const Translation *translation,
                  int rank, Explanation *explanation, Err *err)
{
    const TranslationText *text = &translation->text[rank];
    if (!is_short(translation, rank))
        return err_set(err, "more than %d pieces, here or in its translation; not explained",
                       EXPLAIN_PIECES_MAX);
    Journey journey = {.walk = walk, .arena = arena, .translation = translation, .rank = rank};
    journey.source = sentence_of(arena, line->data, line->size);
    journey.target = sentence_of(arena, text->data, text->size);
    journey.tape = tape_new(walk->kernel);
    *explanation = (Explanation){
        .source = line->data,
        .target = text->data,
        .source_size = line->size,
        .target_size = text->size,
        .score = text->score,
        .normalized = text->normalized,
        .part = arena_take(arena, (size_t)translation->parts * sizeof(ExplanationPart)),
        .parts = translation->parts,
    };
    for (int p = 0; p < translation->parts; p++)
        explanation->part[p] = explain_part(&journey, p);
    tape_free(journey.tape);
    if (!walk->word || translation->too_long || explanation_choose(explanation, walk->word))
        return true;
    return err_set(err, "the translation has no word '%s'%s%s", walk->word,
                   text->size ? ": " : "; it is empty", text->data);
}
