#include "model/model.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void layer_name(char name[PARAM_NAME], const char *stack, int layer)
{
    snprintf(name, PARAM_NAME, "%s.%d", stack, layer);
}

Model *model_new(const Config *config, int pieces)
{
    Model *model = memory_take_zeros(1, sizeof *model);
    Params *params = &model->params;
    char name[PARAM_NAME];
    int width = config->embedding, hidden = config->hidden;
    Cell cell = (Cell)config->cell;
    model->config = *config;
    model->pieces = pieces;

    model->target_embedding = params_add(params, "target.embedding", pieces, width, PARAM_TIED);
    model->source_embedding = config->share_embeddings
                                  ? model->target_embedding
                                  : params_add(params, "source.embedding", pieces, width, PARAM_TABLE);
    model->output_bias = params_add(params, "output.bias", 1, pieces, PARAM_VECTOR);
    for (int i = 0; i < config->encoder_layers; i++) {
        int in = i ? hidden : width;
        layer_name(name, "encoder.forward", i);
        model->forward[i] = rnn_add(params, name, cell, in, hidden / 2);
        layer_name(name, "encoder.backward", i);
        model->backward[i] = rnn_add(params, name, cell, in, hidden / 2);
    }
    for (int i = 0; i < config->decoder_layers; i++) {
        layer_name(name, "bridge", i);
        model->bridge[i] = linear_add(params, name, hidden, hidden);
        layer_name(name, "decoder", i);
        model->decoder[i] = rnn_add(params, name, cell, i ? hidden : 2 * width, hidden);
    }
    model->attention = attention_add(params, "attention", (Score)config->score, hidden, hidden);
    model->combine = linear_add(params, "combine", 2 * hidden, width);
    return model;
}

void model_free(Model *model)
{
    if (!model)
        return;
    params_free(&model->params);
    free(model);
}

void model_start(Model *model, uint64_t seed)
{
    params_start(&model->params, seed);
    for (int i = 0; i < model->config.encoder_layers; i++) {
        rnn_start(&model->forward[i]);
        rnn_start(&model->backward[i]);
    }
    for (int i = 0; i < model->config.decoder_layers; i++)
        rnn_start(&model->decoder[i]);
    params_pack(&model->params, 0, model->params.count);
}

/* Pieces to vectors, with both kinds of dropout. */
static Tensor embed(const Model *model, Tape *tape, const Param *table, const int *id, int n)
{
    Tensor x = op_embed(tape, table, id, n);
    x = op_dropout_rows(tape, x, model->config.word_dropout);
    return op_dropout(tape, x, model->config.dropout);
}

/* One direction over the whole batch: the input half of the gates in one product, then step by step.
 * Returns all states, [longest * batch, H/2]; *last is the state after each sentence's last step. Nothing else
 * is kept, unless for the way back. */
static Tensor run_direction(const Rnn *rnn, Tape *tape, Tensor x, const Source *source, bool backward,
                            Tensor *last)
{
    int batch = source->batch;
    Tensor all = tape_tensor(tape, x.rows, rnn->hidden);
    *last = tape_tensor(tape, batch, rnn->hidden);
    TapeMark mark = tape_mark(tape);
    Tensor gates = op_linear(tape, x, rnn->input, rnn->bias);
    RnnState state = rnn_zero(rnn, tape, batch);
    for (int i = 0; i < source->longest; i++) {
        int s = backward ? source->longest - 1 - i : i;
        Tensor input = tensor_rows(gates, s * batch, batch);
        state = rnn_step(rnn, tape, input, state, source->length, s);
        op_put(tape, tensor_rows(all, s * batch, batch), state.h);
    }
    op_put(tape, *last, state.h);
    if (!tape->recording)
        tape_rewind(tape, mark);
    return all;
}

/* [steps * batch, n], step after step, to the same rows with each sentence's steps together. */
static Tensor by_sentence(Tape *tape, Tensor x, int batch)
{
    int steps = x.rows / batch;
    int *row = arena_take(&tape->arena, (size_t)x.rows * sizeof *row);
    for (int b = 0; b < batch; b++)
        for (int s = 0; s < steps; s++)
            row[b * steps + s] = s * batch + b;
    return op_pick(tape, x, row, x.rows);
}

Encoded model_encode(const Model *model, Tape *tape, const Source *source)
{
    const Config *config = &model->config;
    int batch = source->batch;
    Encoded encoded;
    Tensor x = embed(model, tape, model->source_embedding, source->id, batch * source->longest);
    for (int i = 0; i < config->encoder_layers; i++) {
        Tensor last_forward, last_backward;
        if (i)
            x = op_dropout(tape, x, config->dropout);
        Tensor right = run_direction(&model->forward[i], tape, x, source, false, &last_forward);
        Tensor left = run_direction(&model->backward[i], tape, x, source, true, &last_backward);
        x = op_join(tape, right, left);
        encoded.last = op_join(tape, last_forward, last_backward);
    }
    x = op_dropout(tape, x, config->dropout);
    encoded.memory = attention_memory(&model->attention, tape, by_sentence(tape, x, batch),
                                      source->longest, source->length);
    return encoded;
}

State model_begin(const Model *model, Tape *tape, const Encoded *encoded)
{
    State state = {.feed = tape_zeros(tape, encoded->last.rows, model->config.embedding)};
    for (int i = 0; i < model->config.decoder_layers; i++) {
        state.layer[i] = rnn_zero(&model->decoder[i], tape, encoded->last.rows);
        state.layer[i].h = op_tanh(tape, linear(&model->bridge[i], tape, encoded->last));
    }
    return state;
}

State model_pick(const Model *model, Tape *tape, const State *state, const int *row, int n)
{
    State picked = {.feed = op_pick(tape, state->feed, row, n)};
    for (int i = 0; i < model->config.decoder_layers; i++) {
        picked.layer[i].h = op_pick(tape, state->layer[i].h, row, n);
        if (state->layer[i].c.value)
            picked.layer[i].c = op_pick(tape, state->layer[i].c, row, n);
    }
    return picked;
}

Decoded model_step(const Model *model, Tape *tape, const Memory *memory, State *state, const int *last,
                   const int *sentence)
{
    const Config *config = &model->config;
    Tensor word = embed(model, tape, model->target_embedding, last, state->feed.rows);
    Tensor x = op_join(tape, word, state->feed);
    for (int i = 0; i < config->decoder_layers; i++) {
        const Rnn *rnn = &model->decoder[i];
        if (i)
            x = op_dropout(tape, x, config->dropout);
        Tensor gates = op_linear(tape, x, rnn->input, rnn->bias);
        state->layer[i] = rnn_step(rnn, tape, gates, state->layer[i], NULL, 0);
        x = state->layer[i].h;
    }
    Decoded out;
    Tensor context = attention_read(&model->attention, tape, x, memory, sentence, &out.read);
    Tensor combined = linear(&model->combine, tape, op_join(tape, context, x));
    state->feed = op_dropout(tape, op_tanh(tape, combined), config->dropout);
    out.state = state->feed;
    return out;
}

Tensor model_logits(const Model *model, Tape *tape, Tensor state)
{
    return op_logits(tape, state, model->target_embedding, model->output_bias);
}

/* The output layer is most of the work and, at thousands of pieces, would be most of the memory: it
 * goes forward and backward in blocks of rows, each forgotten before the next. */
static double output_loss(const Model *model, Tape *tape, Tensor states, const int *id, double scale,
                          double *plain)
{
    enum { BLOCK = 256 };
    double loss = 0;
    for (int at = 0; at < states.rows; at += BLOCK) {
        int n = states.rows - at < BLOCK ? states.rows - at : BLOCK;
        TapeMark mark = tape_mark(tape);
        Tensor logits = model_logits(model, tape, tensor_rows(states, at, n));
        loss += op_cross_entropy(tape, logits, id + at, model->config.label_smoothing, scale, plain);
        tape_backward(tape, mark);
        tape_rewind(tape, mark);
    }
    return loss;
}

/* The first n sentences: their state goes on, the others have ended. Views, so gradients flow. */
static State first_rows(const Model *model, const State *state, int n)
{
    State first = {.feed = tensor_rows(state->feed, 0, n)};
    for (int i = 0; i < model->config.decoder_layers; i++) {
        first.layer[i].h = tensor_rows(state->layer[i].h, 0, n);
        if (state->layer[i].c.value)
            first.layer[i].c = tensor_rows(state->layer[i].c, 0, n);
    }
    return first;
}

/* The loss of n rows of weights, as model.h has it, and, when recorded, scale times its gradient. The least
 * weight keeps the logarithm finite. */
static double guide_loss(const Tensor *weights, const PieceRange *guide, int n, double scale)
{
    const double least = 1e-10;
    double loss = 0;
    for (int i = 0; i < n; i++) {
        const real *weight = weights->value + (size_t)i * (size_t)weights->cols;
        double sum = least;
        for (int s = guide[i].begin; s < guide[i].end; s++)
            sum += (double)weight[s];
        loss -= log(sum);
        for (int s = guide[i].begin; s < guide[i].end && weights->grad; s++)
            weights->grad[(size_t)i * (size_t)weights->cols + (size_t)s] -= (real)(scale / sum);
    }
    return loss;
}

double model_loss(const Model *model, Tape *tape, const Source *source, const Target *target,
                  double scale, double *plain)
{
    assert(source->batch == target->active[0]);
    Encoded encoded = model_encode(model, tape, source);
    State state = model_begin(model, tape, &encoded);
    Tensor all = tape_tensor(tape, target->total, model->config.embedding);
    double guide = model->config.guide, loss = 0;
    int *last = arena_take_zeros(&tape->arena, (size_t)source->batch * sizeof *last); /* MODEL_END */
    for (int t = 0, at = 0; t < target->longest; t++) {
        int n = target->active[t];
        state = first_rows(model, &state, n);
        Decoded out = model_step(model, tape, &encoded.memory, &state, last, NULL);
        op_put(tape, tensor_rows(all, at, n), out.state);
        if (target->guide && guide > 0)
            loss += guide * guide_loss(&out.read.weights, target->guide + at, n, scale * guide);
        memcpy(last, target->id + at, (size_t)n * sizeof *last);
        at += n;
    }
    loss += output_loss(model, tape, all, target->id, scale, plain);
    tape_backward(tape, (TapeMark){0});
    tape_reset(tape);
    return loss;
}
