/* search.h - finding the translation: greedy search is a beam of one.
 *
 *     Hypothesis *best = search_run(model, tape, sources, n, &options, &arena)[0].hypothesis;
 *
 * Batched beam search. A hypothesis is finished by MODEL_END; a sentence by having beam_size finished
 * hypotheses, or by its longest output: max_ratio * source pieces + 10 pieces, where MODEL_END is forced.
 * Hypotheses are compared by score / length^normalize, where length counts MODEL_END (Wu et al. 2016,
 * section 7, without their constant). Equal ones: the smaller piece first, so results do not depend on
 * anything but the model and the sentence; not on its batch. */
#ifndef MODEL_SEARCH_H
#define MODEL_SEARCH_H

#include "model/model.h"

typedef struct {
    int beam_size;    /* 1 .. SEARCH_BEAM_MAX */
    int n_best;       /* hypotheses wanted, 1 .. beam_size */
    double normalize, max_ratio;
} SearchOptions;

#define SEARCH_BEAM_MAX 64

typedef struct {
    const int *id; /* pieces without MODEL_END */
    int count;     /* 0 .. : an empty source is allowed */
} SearchSource;

typedef struct {
    int *id;           /* [count] pieces written, without MODEL_END */
    int count;
    double score;      /* natural log-probability, MODEL_END included */
    double normalized; /* score / (count + 1)^normalize */
    real *piece_score; /* [count + 1] log-probability of each piece, MODEL_END last */
    real *weights;     /* [count + 1, source count + 1]: what each step looked at; the last column is the
                        * source's MODEL_END, the last row the step that wrote MODEL_END */
} Hypothesis;

typedef struct {
    Hypothesis *hypothesis; /* [count], best first */
    int count;              /* 1 .. n_best */
} SearchResult;

/* Translates n sentences together: [n] results, in arena. The tape must not be recording; it is reset. */
SearchResult *search_run(const Model *model, Tape *tape, const SearchSource *source, int n,
                         const SearchOptions *options, Arena *arena);

/* A step of a translation that is given, while it is made: nothing of it lasts until the next. */
typedef struct {
    int number;             /* from 0 */
    int id;                 /* the piece it writes; the last step's is MODEL_END */
    const Decoded *decoded; /* one row */
    const Memory *memory;   /* one sentence, the same at every step */
    const real *logit;      /* [pieces], before the softmax: log p(id) = logit[id] - log_sum */
    double log_sum;
} SearchStep;

typedef struct {
    void (*see)(void *data, const SearchStep *step); /* NULL: nobody looks */
    void *data;
} SearchObserver;

typedef struct {
    SearchSource source, target; /* target: its pieces without MODEL_END */
    SearchObserver observer;
} SearchGiven;

/* A given translation, piece by piece, as if the search had found it: what it scores, and what each of its
 * steps looks at. Of the options, normalize is used. */
Hypothesis search_force(const Model *model, Tape *tape, const SearchGiven *given,
                        const SearchOptions *options, Arena *arena);

#endif
