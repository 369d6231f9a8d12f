/* walk.h - a translation explained: from what the decoder did at each step to what the view shows.
 *
 *     Walk walk = {.model = model, .vocab = vocab, .kernel = options.kernel, .word = "gato"};
 *     Explanation explanation;
 *     if (!walk_explain(&walk, &arena, &line, translation, 0, &explanation, &err)) ...
 *     explanation_text(&out, &explanation);
 *
 * The pieces of the hypothesis are forced once more, which gives the weights that it was found with, and once
 * without each word of the line. */
#ifndef CLI_WALK_H
#define CLI_WALK_H

#include "cli/align.h"
#include "model/explain.h"
#include "view/explanation.h"

typedef struct {
    const Model *model;
    const Vocab *vocab;
    const Kernel *kernel;
    const char *word; /* of the translation: the only one to be explained; NULL: all */
} Walk;

/* Hypothesis `rank`, from 0, of a line. Memory from arena; points into the line, the translation and the
 * vocabulary. false with err: there is no such word, or a part has more than EXPLAIN_PIECES_MAX pieces. */
bool walk_explain(const Walk *walk, Arena *arena, const TranslatorLine *line, const Translation *translation,
                  int rank, Explanation *explanation, Err *err) MUST_CHECK;

#endif
