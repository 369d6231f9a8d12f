/* alignment.h - which words a translation looked at: attention by piece, merged into attention by word.
 *
 *     Alignment *a = alignment_new(&arena, &input);
 *     a->weight[t * (a->sources + 1) + s]           how much target word t looked at source word s
 *     int n = alignment_hard(a, links);             links[0 .. n-1]: i-j pairs
 *
 * Words. A word is a maximal run of letters, marks and digits, with one of ' ’ - _ between two of them, or one
 * of . , : between digits; a URL (scheme://... or www....) or an e-mail address is one word, without the
 * punctuation behind it; an ill-formed byte is a word, and so is every other character that is not white space,
 * together with what cannot be parted from it (Unicode's grapheme clusters: marks, variation selectors, an
 * emoji's family). Control characters count as white space; an invisible formatting character belongs to
 * the word it stands in, or to none. Words are found in the texts exactly as given and as printed:
 * text[begin:end] is the word, in bytes.
 *
 * Merging. Source: a word's weight is the sum over its pieces; target: its row is the mean over its pieces.
 * A piece with an empty origin (a case marker) or one of nothing but space belongs to the word behind it
 * (at the end: before it). A piece that covers several words (a run of marks) is shared among them in equal
 * parts on the source side, and counts for each of them on the target side (its score in equal parts). So
 * every row sums to 1. Source pieces of a text without a word count as its end.
 * The last column is the source's end-of-sentence, the last row the step that wrote the target's.
 *
 * A line that was translated in parts has one matrix: a row is zero outside its part's columns; the
 * columns of the parts' ends are added up, and the rows of their ends averaged.
 *
 * A matrix grows with the square of its line. One of more than ALIGNMENT_CELLS_MAX is left out: such an
 * Alignment has the texts and the scores, but no words. */
#ifndef VIEW_ALIGNMENT_H
#define VIEW_ALIGNMENT_H

#include "base/arena.h"
#include "base/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALIGNMENT_CELLS_MAX ((size_t)1 << 24) /* (targets + 1) * (sources + 1): a line of some 4000 words */

typedef struct {
    uint32_t begin, end; /* bytes [begin, end) of the text */
} AlignmentSpan;

/* One part as it was translated. Spans are offsets into the whole texts. */
typedef struct {
    const AlignmentSpan *source;  /* [sources] origin of each source piece */
    const AlignmentSpan *target;  /* [targets] what each target piece printed */
    const char *const *source_piece, *const *target_piece; /* their texts as the vocabulary has them: "▁cat" */
    int sources, targets;
    const real *weight;           /* [targets + 1, sources + 1]; last row and column: end-of-sentence */
    const real *piece_score;      /* [targets + 1] log-probability of each target piece, the end last */
} AlignmentPart;

typedef struct {
    const char *source, *target; /* the texts, any bytes */
    size_t source_size, target_size;
    const AlignmentPart *part;   /* [parts]; none for a blank line */
    int parts;
    bool by_piece;               /* no merging: every piece is a word of its own */
    double score, normalized;    /* handed through */
} AlignmentInput;

typedef struct {
    const char *text;  /* [size]: points into the text given; by piece: the piece as the vocabulary has it */
    size_t size;
    uint32_t begin, end;
    int pieces;        /* how many pieces it was read or written in */
    double score;      /* target words: log-probability of its pieces, summed; else 0 */
} AlignmentWord;

typedef struct {
    const char *source_text, *target_text;
    size_t source_size, target_size;
    AlignmentWord *source, *target; /* [sources], [targets] */
    int sources, targets;
    real *weight;                   /* [targets + 1, sources + 1]; every row sums to 1 (zero: blank line) */
    double score, normalized;
    double end_score;               /* log-probability of the end, summed over the parts */
    bool left_out;                  /* too large: no words, and one weight of 0 */
} Alignment;

typedef struct {
    int source, target; /* words, from 0 */
} AlignmentLink;

/* Memory from arena; points into the texts given. */
Alignment *alignment_new(Arena *arena, const AlignmentInput *input);

/* Links in the order of target, then source; returns how many. Hard: each target word's greatest column over
 * all columns, ties going left; where the end wins, no link. links has room for [targets]. */
int alignment_hard(const Alignment *alignment, AlignmentLink *links);

/* Every pair with a weight of at least `threshold`. links has room for [sources * targets]. */
int alignment_threshold(const Alignment *alignment, double threshold, AlignmentLink *links);

/* The words of a text: [count] in arena, which point into it. Their pieces and scores are 0. */
AlignmentWord *alignment_words(Arena *arena, const char *text, size_t size, int *count);
int alignment_word_count(const char *text, size_t size);

typedef struct {
    int first, last; /* words; none when last < first */
} AlignmentReach;

/* Which words the pieces of one part belong to, as under "Merging": [pieces] in arena. */
AlignmentReach *alignment_reach(Arena *arena, const AlignmentWord *word, int words,
                                const AlignmentSpan *span, int pieces);

#endif
