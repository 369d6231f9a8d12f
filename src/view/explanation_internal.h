/* explanation_internal.h - what the forms of an explanation share. */
#ifndef VIEW_EXPLANATION_INTERNAL_H
#define VIEW_EXPLANATION_INTERNAL_H

#include "view/explanation.h"

/* What stands between scores and weights. */
typedef struct {
    double max, sum;
} ExplanationSoftmax;

ExplanationSoftmax explanation_softmax(const ExplanationPart *part, const ExplanationStep *step);

/* The weights of a source word's pieces, in sum. */
double explanation_word_weight(const ExplanationStep *step, const ExplanationWord *word);

/* The log-probability of a target word's pieces, in sum. */
double explanation_word_score(const ExplanationPart *part, const ExplanationWord *word);

/* The change of target word t without source word s. */
double explanation_change(const ExplanationPart *part, int t, int s);

#endif
