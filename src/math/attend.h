/* attend.h - attention, the one op: score, softmax, weighted sum.
 *
 *     Attended read = op_attend(tape, &spec, query, &memory, NULL, NULL);
 *
 * For each query row q over the keys k[s] and values v[s] of its sentence:
 *
 *     score[s]   = scale q . k[s]            ATTEND_DOT  (dot, general, scaled dot)
 *                = w . tanh(q + k[s])        ATTEND_ADDITIVE  (concat; Bahdanau et al. 2015)
 *     weight[s]  = exp(score[s] - max) / sum of the same over the span
 *     context    = sum over the span of weight[s] v[s]
 *
 * With a history, what the steps before looked at counts too: h being a second query,
 *
 *     score[s]  += h . f[s],    f[s] = (sum[s], last[s - 3], ..., last[s + 3])
 *
 * last: the weights of the step before, zero outside the span (Cohn et al. 2016 call it Markov conditioning: to
 * stay, or to move on by so much); sum: those of all steps before (coverage: Tu et al. 2016, section 3).
 *
 * "general" (Luong et al. 2015, section 3.1) is a dot product with a projected query, "concat" an
 * additive score with both sides projected beforehand: projections are the caller's (model/layer.h).
 * The span is [0, length of the sentence); softmax, sum and backward run over the span only, so there
 * is no mask and no minus infinity. What `weights` holds is exactly what was used. */
#ifndef MATH_ATTEND_H
#define MATH_ATTEND_H

#include "math/tape.h"

typedef enum { ATTEND_DOT, ATTEND_ADDITIVE } AttendForm;

typedef struct {
    AttendForm form;
    real scale;         /* ATTEND_DOT */
    const Param *score; /* ATTEND_ADDITIVE: w, a vector [1, width of key] */
} AttendSpec;

#define ATTEND_REACH 3                          /* positions on either side that a step before is seen from */
#define ATTEND_HISTORY (2 + 2 * ATTEND_REACH)   /* width of h and f */

/* Where the steps before looked. */
typedef struct {
    Tensor query;     /* [queries, ATTEND_HISTORY]: h; no values: there is no history */
    Tensor last, sum; /* [queries, stride] */
} History;

/* What is read. One sentence's rows lie together: sentence b has rows b * stride .. b * stride +
 * length[b] - 1; rows beyond are never touched. length must outlive the tape's nodes. */
typedef struct {
    Tensor key, value; /* [sentences * stride, width of key | value] */
    int sentences, stride;
    const int *length; /* [sentences], each 1 .. stride */
} Memory;

typedef struct {
    Tensor context; /* [queries, width of value] */
    Tensor weights; /* [queries, stride], zero outside the span; its gradient is honoured */
    Tensor query;   /* what was asked with, as given */
    const real *score; /* [queries, stride], before the softmax; not set outside the span */
    const real *history; /* likewise, h . f[s]: the history's share of the score; NULL without one */
} Attended;

/* Query row i reads sentence[i], or sentence i when NULL. A history, or NULL, moves on by this step. */
Attended op_attend(Tape *tape, const AttendSpec *spec, Tensor query, const Memory *memory,
                   const int *sentence, History *history);

#endif
