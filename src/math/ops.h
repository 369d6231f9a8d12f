/* ops.h - the operations that the model is composed of, each a forward and, beside it in ops.c or
 * recur.c, its backward.
 *
 * Each takes the tape first and returns a new tensor in the tape's arena. Rows are items (sentences
 * of a batch, or time steps of all of them, step after step); columns are features. Shapes are
 * asserted. An op that draws random numbers does so by its place on the tape (tape.h, Draw). */
#ifndef MATH_OPS_H
#define MATH_OPS_H

#include "math/tape.h"

/* y[i] = table[id[i]]: [n, width]. ids are copied when recording. */
Tensor op_embed(Tape *tape, const Param *table, const int *id, int n);

/* y = x W + b; bias may be NULL. W is a PARAM_MATRIX [x.cols, n], or a PARAM_TIED [n, x.cols], which
 * is used transposed. */
Tensor op_linear(Tape *tape, Tensor x, const Param *weight, const Param *bias);

/* y += x W, in y's own memory: y must have been written by one op and read by none. */
void op_linear_onto(Tape *tape, Tensor y, Tensor x, const Param *weight);

/* As op_linear, for op_cross_entropy alone: value and gradient are one memory. */
Tensor op_logits(Tape *tape, Tensor x, const Param *weight, const Param *bias);

/* y = [a, b]: columns side by side. */
Tensor op_join(Tape *tape, Tensor a, Tensor b);

/* view = x: the only writer into a sequence. The view's rows must not have been read yet. */
void op_put(Tape *tape, Tensor view, Tensor x);

/* y[i] = x[row[i]]. */
Tensor op_pick(Tape *tape, Tensor x, const int *row, int n);

Tensor op_tanh(Tape *tape, Tensor x);

/* y = x * mask / (1 - rate), each element's mask 0 with probability `rate` (Srivastava et al. 2014);
 * x itself when the tape draws nothing. */
Tensor op_dropout(Tape *tape, Tensor x, double rate);

/* The same with one draw for each row: word dropout (Gal and Ghahramani 2016). */
Tensor op_dropout_rows(Tape *tape, Tensor x, double rate);

/* The state of a recurrent cell: h and, for LSTM, c (else {0}), [batch, hidden]. */
typedef struct {
    Tensor h, c;
} RnnState;

/* One step of a cell from its gates, [batch, gates * hidden]: x W + b + h W' for LSTM; for GRU the two halves,
 * x W + b and h W' + b', which its candidate needs apart. The gates (GRU: the recurrent half) are used up:
 * their memory holds them after their non-linearities, so nothing else may read them.
 * Row b is carried through unchanged where step >= length[b]; length NULL: no row is. So one rule
 * makes a forward direction end, and a backward direction begin, at each sentence's own end. */
RnnState op_lstm(Tape *tape, Tensor gates, RnnState state, const int *length, int step);
RnnState op_gru(Tape *tape, Tensor input, Tensor recurrent, RnnState state, const int *length, int step);

/* Label-smoothed cross-entropy of rows of logits (Szegedy et al. 2016, section 7):
 *
 *     loss = - sum_i [ (1 - smoothing) log p[i, target[i]] + smoothing / n sum_j log p[i, j] ]
 *
 * over the rows with target[i] >= 0. Computed in place, in what op_logits gave: logits, then p, then, when
 * recording, the gradient of scale * loss. `plain`, when not NULL, gets the loss without smoothing added
 * to it. Returns the loss, not scaled. */
double op_cross_entropy(Tape *tape, Tensor logits, const int *target, double smoothing, double scale,
                        double *plain);

#endif
