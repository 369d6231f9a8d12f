#include "model/layer.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static const Param *add(Params *params, const char *name, const char *part, int rows, int cols,
                        ParamUse use)
{
    char full[PARAM_NAME];
    int length = snprintf(full, sizeof full, "%s.%s", name, part);
    assert(length > 0 && (size_t)length < sizeof full);
    return params_add(params, full, rows, cols, use);
}

Linear linear_add(Params *params, const char *name, int in, int out)
{
    return (Linear){.weight = add(params, name, "weight", in, out, PARAM_MATRIX),
                    .bias = add(params, name, "bias", 1, out, PARAM_VECTOR)};
}

Tensor linear(const Linear *layer, Tape *tape, Tensor x)
{
    return op_linear(tape, x, layer->weight, layer->bias);
}

Rnn rnn_add(Params *params, const char *name, Cell cell, int in, int hidden)
{
    int gates = (cell == CELL_LSTM ? 4 : 3) * hidden;
    Rnn rnn = {.cell = cell, .hidden = hidden};
    rnn.input = add(params, name, "input", in, gates, PARAM_MATRIX);
    rnn.bias = add(params, name, "bias", 1, gates, PARAM_VECTOR);
    rnn.recurrent = add(params, name, "recurrent", hidden, gates, PARAM_MATRIX);
    if (cell == CELL_GRU)
        rnn.recurrent_bias = add(params, name, "recurrent-bias", 1, gates, PARAM_VECTOR);
    return rnn;
}

void rnn_start(const Rnn *rnn)
{
    for (int j = rnn->hidden; rnn->cell == CELL_LSTM && j < 2 * rnn->hidden; j++)
        rnn->bias->value[j] = 1;
}

RnnState rnn_zero(const Rnn *rnn, Tape *tape, int batch)
{
    RnnState state = {.h = tape_zeros(tape, batch, rnn->hidden)};
    if (rnn->cell == CELL_LSTM)
        state.c = tape_zeros(tape, batch, rnn->hidden);
    return state;
}

RnnState rnn_step(const Rnn *rnn, Tape *tape, Tensor gates, RnnState state, const int *length, int step)
{
    if (rnn->cell == CELL_LSTM) {
        op_linear_onto(tape, gates, state.h, rnn->recurrent);
        return op_lstm(tape, gates, state, length, step);
    }
    Tensor recurrent = op_linear(tape, state.h, rnn->recurrent, rnn->recurrent_bias);
    return op_gru(tape, gates, recurrent, state, length, step);
}

Attention attention_add(Params *params, const char *name, Score score, int query, int memory)
{
    Attention layer = {.score = score};
    int width = score == SCORE_CONCAT || score == SCORE_SCALED_DOT ? query : memory;
    assert(score != SCORE_DOT || query == memory);
    if (score != SCORE_DOT)
        layer.query = add(params, name, "query", query, width, PARAM_MATRIX);
    if (score == SCORE_CONCAT || score == SCORE_SCALED_DOT)
        layer.key = add(params, name, "key", memory, width, PARAM_MATRIX);
    if (score == SCORE_CONCAT)
        layer.vector = add(params, name, "vector", 1, width, PARAM_VECTOR);
    if (score == SCORE_SCALED_DOT) {
        layer.value = add(params, name, "value", memory, memory, PARAM_MATRIX);
        layer.output = add(params, name, "output", memory, memory, PARAM_MATRIX);
    }
    return layer;
}

static Tensor project(Tape *tape, Tensor x, const Param *weight)
{
    return weight ? op_linear(tape, x, weight, NULL) : x;
}

Memory attention_memory(const Attention *layer, Tape *tape, Tensor states, int stride, const int *length)
{
    return (Memory){.key = project(tape, states, layer->key),
                    .value = project(tape, states, layer->value),
                    .sentences = states.rows / stride,
                    .stride = stride,
                    .length = length};
}

Tensor attention_read(const Attention *layer, Tape *tape, Tensor query, const Memory *memory,
                      const int *sentence, Attended *read)
{
    AttendSpec spec = {.form = ATTEND_DOT, .scale = 1, .score = layer->vector};
    if (layer->score == SCORE_CONCAT)
        spec.form = ATTEND_ADDITIVE;
    if (layer->score == SCORE_SCALED_DOT)
        spec.scale = (real)(1 / sqrt((double)memory->key.cols));
    *read = op_attend(tape, &spec, project(tape, query, layer->query), memory, sentence);
    return project(tape, read->context, layer->output);
}
