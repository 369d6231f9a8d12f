/* layer.h - the building blocks of the model: parameters, and a forward composed of ops.
 *
 *     Rnn rnn = rnn_add(params, "decoder.0", CELL_LSTM, 512, 384);
 *     state = rnn_step(&rnn, tape, op_linear(tape, x, rnn.input, rnn.bias), state, NULL, t);
 *
 * X_add declares the parameters of a layer in a Params; the names are the model file's tensor names. */
#ifndef MODEL_LAYER_H
#define MODEL_LAYER_H

#include "math/attend.h"
#include "math/ops.h"
#include "model/config.h"

/* y = x W + b */
typedef struct {
    const Param *weight, *bias;
} Linear;

Linear linear_add(Params *params, const char *name, int in, int out);
Tensor linear(const Linear *layer, Tape *tape, Tensor x);

/* A recurrent layer of either cell. The input half of its gates, x W + b, is one product over a
 * whole sequence where the sequence is known; rnn_step adds the recurrent half. */
typedef struct {
    Cell cell;
    int hidden;
    const Param *input, *bias;                    /* [in, gates hidden], [1, gates hidden] */
    const Param *recurrent, *recurrent_bias;      /* [hidden, gates hidden]; bias for GRU only */
} Rnn;

Rnn rnn_add(Params *params, const char *name, Cell cell, int in, int hidden);

/* All zero but an LSTM's forget gate, which starts open (bias 1; Jozefowicz et al. 2015). */
void rnn_start(const Rnn *rnn);

RnnState rnn_zero(const Rnn *rnn, Tape *tape, int batch);

/* gates: x W + b, [batch, gates * hidden]; it is used up. */
RnnState rnn_step(const Rnn *rnn, Tape *tape, Tensor gates, RnnState state, const int *length, int step);

/* Attention of a query of one width over states of another: the projections that each score needs,
 * around the one op.
 *
 *     dot         q . k                       no parameters; both widths equal
 *     general     (q Wq) . k
 *     concat      v . tanh(q Wq + k Wk)
 *     scaled dot  (q Wq) . (k Wk) / sqrt(width), values k Wv, result times Wo */
typedef struct {
    Score score;
    const Param *query, *key, *value, *output, *vector; /* those that the score has; else NULL */
} Attention;

Attention attention_add(Params *params, const char *name, Score score, int query, int memory);

/* What the attention will read, computed once per batch from states [sentences * stride, width]. */
Memory attention_memory(const Attention *layer, Tape *tape, Tensor states, int stride, const int *length);

/* The context, [queries, width of memory]. *read is what the op did: its weights, scores and query. */
Tensor attention_read(const Attention *layer, Tape *tape, Tensor query, const Memory *memory,
                      const int *sentence, Attended *read);

#endif
