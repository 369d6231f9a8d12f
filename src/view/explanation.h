/* explanation.h - attention in numbers: for each target word, how each of its pieces came to its weights.
 *
 *     int words = explanation_choose(&explanation, "gato");      or all of them
 *     explanation_text(&out, &explanation);
 *     explanation_json(&out, &explanation, &id);
 *     explanation_tsv_header(&out);  explanation_tsv(&out, &explanation, &id);
 *
 * For one step of the decoder, with q its query and k, v the keys and values of the source pieces s:
 *
 *     score[s]                            what attention says of q and k[s] before anything else
 *     shifted[s] = score[s] - max         so that no exponential overflows
 *     exponential[s] = exp(shifted[s])
 *     weight[s] = exponential[s] / sum
 *     context = sum over s of weight[s] v[s]
 *
 * Scores, weights, query and context are handed in as the decoder had them; what stands between (max, shifted,
 * exponential, sum) is worked out here, in double precision, from the scores. `change` is how the
 * log-probability of the target word changes when a source word is deleted and the same translation is forced.
 *
 * Words here are sets of whole pieces: where one piece covers several words (a run of marks), they are one.
 * The last word of each side is the end of the sentence, "</s>". */
#ifndef VIEW_EXPLANATION_H
#define VIEW_EXPLANATION_H

#include "view/record.h"

#include <stdbool.h>

typedef struct {
    const char *text; /* [size] a stretch of the sentence; EXPLANATION_END for its end */
    size_t size;
    uint32_t begin, end; /* bytes of the sentence; of its end: its size, twice */
    int first, pieces;   /* which of the part's pieces (source) or steps (target) are its own */
    bool hidden;         /* target: not written */
} ExplanationWord;

#define EXPLANATION_END "</s>"

typedef struct {
    double norm;         /* Euclidean */
    const double *first; /* its first values, as many as the part says */
} ExplanationVector;

typedef struct {
    const char *text; /* the piece as the vocabulary has it: "▁cat" */
    ExplanationVector key, value;
} ExplanationSource;

typedef struct {
    const char *text;
    double score; /* natural log-probability */
} ExplanationPiece;

typedef struct {
    ExplanationPiece written;
    const ExplanationPiece *best; /* [best] the most probable, falling */
    int best_count;
    ExplanationVector query, context;
    const double *score, *weight; /* [pieces] */
} ExplanationStep;

/* A part of the sentence that was translated for itself. */
typedef struct {
    ExplanationWord *source, *target;  /* [sources], [targets] */
    const ExplanationSource *piece;    /* [pieces] */
    const ExplanationStep *step;       /* [steps] */
    int sources, targets, pieces, steps;
    int queries, values;               /* first values of queries and keys, of values and contexts */
    const double *change;              /* [targets, sources]; not a number where nothing was deleted */
} ExplanationPart;

typedef struct {
    const char *source, *target; /* the sentences, any bytes */
    size_t source_size, target_size;
    double score, normalized;
    ExplanationPart *part; /* [parts]; none for a blank line */
    int parts;
} Explanation;

/* Hides every target word but those that are `word`: to the byte, or, where there is none, whatever their letter
 * case. Returns how many are left; with 0, all are hidden. */
int explanation_choose(Explanation *explanation, const char *word);

/* The tables to be read, and below them what they do not say; nothing for a blank line. Words and pieces are
 * shown as heatmap.h shows them. */
void explanation_text(Buf *out, const Explanation *explanation);

/* One object, without a line feed; numbers have nine significant digits, what is not finite is null:
 *     id, [rank,] source, translation, score, normalized_score, model      as in record.h
 *     parts              one for each part that was translated for itself, mostly one; in each:
 *       source_words     [{text, begin, end, first, pieces}]: bytes [begin, end) of source; source_pieces
 *                        first .. first + pieces - 1 are its own; the last one is the end, "</s>"
 *       source_pieces    [{text, key_norm, key, value_norm, value}]: key and value are first values
 *       target_words     [{text, begin, end, log_probability, weight, change, steps}], those chosen; begin and
 *                        end are bytes of translation. weight, change: a number for each source word; weight is
 *                        the mean over the steps of what they looked at its pieces, in sum; change is null where
 *                        nothing was deleted. In each of its steps, one for each piece written:
 *         text, log_probability
 *         query_norm, query
 *         max, sum
 *         score, shifted, exponential, weight          [number for each of source_pieces]
 *         context_norm, context
 *         best           [{text, probability}], falling
 * A page that draws the matrix of record.h finds the explanation of its target word by the bytes: it is the
 * target word whose begin and end enclose the word's (or, for the end, the last one). */
void explanation_json(Buf *out, const Explanation *explanation, const RecordId *id);

/* A line for each step and source piece, numbers as in JSON but for an empty field where there is none:
 *     sentence part target_position target step target_piece log_probability query_norm query
 *     source_position source source_piece_position source_piece key_norm key value
 *     score shifted exponential sum weight word_weight change context_norm context best probabilities
 * Positions count from 0 in their part; query, key, value, context and probabilities are numbers parted by
 * commas, best is pieces parted by spaces; word_weight is the sum of this step's weights over the pieces of the
 * source word. Words and pieces are escaped as in record.h. */
void explanation_tsv_header(Buf *out);
void explanation_tsv(Buf *out, const Explanation *explanation, const RecordId *id);

#endif
