/* alignment.c - attention by piece to attention by word. What a word is: alignment_words.c. */
#include "view/alignment.h"

#include <string.h>

typedef AlignmentReach Reach;

typedef struct {
    const AlignmentSpan *span; /* [pieces] */
    const char *const *piece;  /* [pieces] */
    int pieces;
} Side;

static Side source_of(const AlignmentPart *part)
{
    return (Side){part->source, part->source_piece, part->sources};
}

static Side target_of(const AlignmentPart *part)
{
    return (Side){part->target, part->target_piece, part->targets};
}

static int count_pieces(const AlignmentInput *input, Side (*side_of)(const AlignmentPart *))
{
    int pieces = 0;
    for (int p = 0; p < input->parts; p++)
        pieces += side_of(&input->part[p]).pieces;
    return pieces;
}

/* Every piece as a word. */
static AlignmentWord *piece_words(Arena *arena, const AlignmentInput *input,
                                  Side (*side_of)(const AlignmentPart *), int *count)
{
    *count = count_pieces(input, side_of);
    AlignmentWord *word = arena_take_zeros(arena, (size_t)*count * sizeof *word), *next = word;
    for (int p = 0; p < input->parts; p++) {
        Side side = side_of(&input->part[p]);
        for (int i = 0; i < side.pieces; i++)
            *next++ = (AlignmentWord){.text = side.piece[i], .size = strlen(side.piece[i]),
                                      .begin = side.span[i].begin, .end = side.span[i].end};
    }
    return word;
}

/* Pieces to words ------------------------------------------------------------------------------ */

/* The first word that ends behind `at`: words when there is none. */
static int word_behind(const AlignmentWord *word, int words, uint32_t at)
{
    int low = 0, high = words;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (word[middle].end > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The words that a range of bytes touches. */
static Reach words_touched(const AlignmentWord *word, int words, uint32_t begin, uint32_t end)
{
    Reach reach = {word_behind(word, words, begin), -1};
    int next = word_behind(word, words, end);
    reach.last = next < words && word[next].begin < end ? next : next - 1;
    return reach;
}

/* Which words the pieces of one part belong to, [pieces]. `within` gets all of them together. */
static Reach *reach_words(Arena *arena, const AlignmentWord *word, int words, Side side, Reach *within)
{
    Reach *reach = arena_take(arena, (size_t)side.pieces * sizeof *reach);
    *within = (Reach){0, -1};
    for (int i = 0; i < side.pieces; i++) {
        reach[i] = words_touched(word, words, side.span[i].begin, side.span[i].end);
        if (reach[i].last < reach[i].first)
            continue;
        if (within->last < 0 || reach[i].first < within->first)
            within->first = reach[i].first;
        if (reach[i].last > within->last)
            within->last = reach[i].last;
    }
    /* The others: markers and spaces belong to the word behind them, but not to another part's. */
    for (int i = 0; i < side.pieces && within->last >= 0; i++)
        if (reach[i].last < reach[i].first) {
            int behind = reach[i].first < within->last ? reach[i].first : within->last;
            if (behind < within->first)
                behind = within->first;
            reach[i] = (Reach){behind, behind};
        }
    return reach;
}

AlignmentReach *alignment_reach(Arena *arena, const AlignmentWord *word, int words,
                                const AlignmentSpan *span, int pieces)
{
    Reach within;
    return reach_words(arena, word, words, (Side){span, NULL, pieces}, &within);
}

static Reach *reach_pieces(Arena *arena, Side side, int offset, Reach *within)
{
    Reach *reach = arena_take(arena, (size_t)side.pieces * sizeof *reach);
    for (int i = 0; i < side.pieces; i++)
        reach[i] = (Reach){offset + i, offset + i};
    *within = (Reach){offset, offset + side.pieces - 1};
    return reach;
}

/* Merging -------------------------------------------------------------------------------------- */

typedef struct {
    const AlignmentPart *part;
    Reach *source, *target; /* [sources], [targets] */
} Merge;

static void count_in(AlignmentWord *word, const Reach *reach, int pieces)
{
    for (int i = 0; i < pieces; i++)
        for (int w = reach[i].first; w <= reach[i].last; w++)
            word[w].pieces++;
}

/* One step's weights over source words, row[sources + 1], from its weights over pieces. */
static void merge_row(const Merge *merge, const real *weight, int sources, double *row)
{
    const AlignmentPart *part = merge->part;
    row[sources] = (double)weight[part->sources];
    for (int s = 0; s < part->sources; s++) {
        Reach reach = merge->source[s];
        if (reach.last < reach.first)
            row[sources] += (double)weight[s];
        for (int w = reach.first; w <= reach.last; w++)
            row[w] += (double)weight[s] / (reach.last - reach.first + 1);
    }
}

static void add_row(Alignment *a, int target, const double *row, Reach within, double share)
{
    real *to = a->weight + (size_t)target * ((size_t)a->sources + 1);
    for (int w = within.first; w <= within.last; w++)
        to[w] += (real)(row[w] * share);
    to[a->sources] += (real)(row[a->sources] * share);
}

/* within: the source words of the part, outside which its rows are zero. row is zero there, and is left so. */
static void merge_part(Alignment *a, const Merge *merge, Reach within, int parts, double *row)
{
    const AlignmentPart *part = merge->part;
    for (int t = 0; t <= part->targets; t++) {
        for (int w = within.first; w <= within.last; w++)
            row[w] = 0;
        merge_row(merge, part->weight + (size_t)t * ((size_t)part->sources + 1), a->sources, row);
        double score = part->piece_score ? (double)part->piece_score[t] : 0;
        if (t == part->targets) {
            add_row(a, a->targets, row, within, 1.0 / parts);
            a->end_score += score;
            continue;
        }
        Reach reach = merge->target[t];
        for (int w = reach.first; w <= reach.last; w++) {
            add_row(a, w, row, within, 1.0 / a->target[w].pieces);
            a->target[w].score += score / (reach.last - reach.first + 1);
        }
    }
}

static void merge_parts(Alignment *a, Arena *arena, const AlignmentInput *input)
{
    size_t parts = (size_t)input->parts;
    Merge *merge = arena_take(arena, parts * sizeof *merge);
    Reach *within = arena_take(arena, parts * sizeof *within), ignored;
    double *row = arena_take_zeros(arena, ((size_t)a->sources + 1) * sizeof *row);
    for (int p = 0, source = 0, target = 0; p < input->parts; p++) {
        const AlignmentPart *part = &input->part[p];
        merge[p].part = part;
        if (input->by_piece) {
            merge[p].source = reach_pieces(arena, source_of(part), source, &within[p]);
            merge[p].target = reach_pieces(arena, target_of(part), target, &ignored);
        } else {
            merge[p].source = reach_words(arena, a->source, a->sources, source_of(part), &within[p]);
            merge[p].target = reach_words(arena, a->target, a->targets, target_of(part), &ignored);
        }
        count_in(a->source, merge[p].source, part->sources);
        count_in(a->target, merge[p].target, part->targets);
        source += part->sources;
        target += part->targets;
    }
    for (int p = 0; p < input->parts; p++)
        merge_part(a, &merge[p], within[p], input->parts, row);
}

static bool is_too_large(const AlignmentInput *input)
{
    size_t sources, targets;
    if (input->by_piece) {
        sources = (size_t)count_pieces(input, source_of);
        targets = (size_t)count_pieces(input, target_of);
    } else {
        sources = (size_t)alignment_word_count(input->source, input->source_size);
        targets = (size_t)alignment_word_count(input->target, input->target_size);
    }
    return targets + 1 > ALIGNMENT_CELLS_MAX / (sources + 1);
}

Alignment *alignment_new(Arena *arena, const AlignmentInput *input)
{
    Alignment *a = arena_take(arena, sizeof *a);
    *a = (Alignment){
        .source_text = input->source,
        .target_text = input->target,
        .source_size = input->source_size,
        .target_size = input->target_size,
        .score = input->score,
        .normalized = input->normalized,
        .left_out = is_too_large(input),
    };
    if (a->left_out) {
        a->weight = arena_take_zeros(arena, sizeof *a->weight);
        return a;
    }
    if (input->by_piece) {
        a->source = piece_words(arena, input, source_of, &a->sources);
        a->target = piece_words(arena, input, target_of, &a->targets);
    } else {
        a->source = alignment_words(arena, input->source, input->source_size, &a->sources);
        a->target = alignment_words(arena, input->target, input->target_size, &a->targets);
    }
    size_t cells = ((size_t)a->targets + 1) * ((size_t)a->sources + 1);
    a->weight = arena_take_zeros(arena, cells * sizeof *a->weight);
    ArenaMark mark = arena_mark(arena);
    merge_parts(a, arena, input);
    arena_rewind(arena, mark);
    return a;
}

/* Links ---------------------------------------------------------------------------------------- */

int alignment_hard(const Alignment *a, AlignmentLink *links)
{
    int count = 0;
    for (int t = 0; t < a->targets; t++) {
        const real *row = a->weight + (size_t)t * ((size_t)a->sources + 1);
        int best = 0;
        for (int s = 1; s <= a->sources; s++)
            if (row[s] > row[best])
                best = s;
        if (best < a->sources)
            links[count++] = (AlignmentLink){best, t};
    }
    return count;
}

int alignment_threshold(const Alignment *a, double threshold, AlignmentLink *links)
{
    int count = 0;
    for (int t = 0; t < a->targets; t++)
        for (int s = 0; s < a->sources; s++)
            if ((double)a->weight[(size_t)t * ((size_t)a->sources + 1) + (size_t)s] >= threshold)
                links[count++] = (AlignmentLink){s, t};
    return count;
}
