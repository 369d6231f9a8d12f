/* attend.h - attention, the one op: score, softmax, weighted sum.
 *
 *     Attended read = op_attend(tape, &spec, query, &memory, NULL);
 *
 * For each query row q over the keys k[s] and values v[s] of its sentence:
 *
 *     score[s]   = scale q . k[s]            ATTEND_DOT  (dot, general, scaled dot)
 *                = w . tanh(q + k[s])        ATTEND_ADDITIVE  (concat; Bahdanau et al. 2015)
 *     weight[s]  = exp(score[s] - max) / sum of the same over the span
 *     context    = sum over the span of weight[s] v[s]
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
} Attended;

/* Query row i reads sentence[i], or sentence i when NULL. */
Attended op_attend(Tape *tape, const AttendSpec *spec, Tensor query, const Memory *memory,
                   const int *sentence);

#endif
