/* model.h - the translator: encoder, attention, decoder.
 *
 *     Model *model = model_new(&config, pieces);
 *     params_allocate(&model->params);  model_start(model, seed);        to train
 *     Source source = {ids, lengths, batch, longest};
 *     double loss = model_loss(model, tape, &source, targets, ...);
 *
 *     Encoded encoded = model_encode(model, tape, &source);              to translate
 *     State state = model_begin(model, tape, &encoded);
 *     for each step:
 *         Decoded out = model_step(model, tape, &encoded.memory, &state, last_pieces, NULL);
 *         Tensor logits = model_logits(model, tape, out.state);
 *
 * The architecture (Luong, Pham, Manning 2015, sections 3.1 and 3.3; Bahdanau et al. 2015 for the
 * bidirectional encoder). With E the embedding width, H the hidden width, s a source position:
 *
 *     encoder    m[s]  = [forward rnn, backward rnn](Es[x[s]])               H/2 each way
 *     start      h     = tanh(W [last forward, first backward] + b)
 *     step       h     = rnn([Et[y[t-1]], feed], h)
 *                a, c  = attention(h, m)                     weights a over s, context c = sum a m
 *                feed  = tanh(W [c, h] + b)                  attentional state, width E
 *                p(y[t]) = softmax(feed Et^T + b)            the output is tied to the embedding
 *
 * Row t of the weights belongs to the piece that step t writes. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "model/layer.h"
#include "text/guide.h"

#define MODEL_LAYERS 4
#define MODEL_END 0 /* the piece that ends a sentence and starts the decoder: VOCAB_END */

typedef struct {
    Config config;
    int pieces;
    Params params;
    const Param *source_embedding; /* [pieces, E]; the target's when shared */
    const Param *target_embedding; /* [pieces, E], tied */
    const Param *output_bias;      /* [1, pieces] */
    Rnn forward[MODEL_LAYERS], backward[MODEL_LAYERS], decoder[MODEL_LAYERS];
    Linear bridge[MODEL_LAYERS]; /* last encoder state -> first state of each decoder layer */
    Attention attention;
    Linear combine; /* [context, h] -> attentional state */
} Model;

/* Declares the parameters; pieces is the size of the vocabulary. Its pointers point into itself, so it
 * is not to be copied. config has passed config_check. */
Model *model_new(const Config *config, int pieces);
void model_free(Model *model);

/* Initial values of allocated parameters, packed: a function of seed. */
void model_start(Model *model, uint64_t seed);

/* A batch of source sentences, step after step: id[s * batch + b]. Beyond length[b] any valid id. */
typedef struct {
    const int *id;     /* [longest * batch] */
    const int *length; /* [batch], each 1 .. longest; must outlive the tape's nodes */
    int batch, longest;
} Source;

typedef struct {
    Memory memory; /* what attention reads */
    Tensor last;   /* [batch, H]: both directions' final states, joined */
} Encoded;

typedef struct {
    RnnState layer[MODEL_LAYERS];
    Tensor feed; /* [rows, E] */
} State;

typedef struct {
    Tensor state;  /* [rows, E]: the attentional state */
    Attended read; /* weights [rows, longest source], and how they came about */
} Decoded;

Encoded model_encode(const Model *model, Tape *tape, const Source *source);

/* The decoder's state before its first step, a row for each sentence. */
State model_begin(const Model *model, Tape *tape, const Encoded *encoded);

/* The same state with rows row[0 .. n-1]: how a beam selects, doubles and drops hypotheses. */
State model_pick(const Model *model, Tape *tape, const State *state, const int *row, int n);

/* One decoder step with input feeding, from the pieces written last (MODEL_END at first). Row i reads
 * the memory of sentence[i], or i when NULL. Replaces the state. */
Decoded model_step(const Model *model, Tape *tape, const Memory *memory, State *state, const int *last,
                   const int *sentence);

/* [rows, pieces], before softmax. */
Tensor model_logits(const Model *model, Tape *tape, Tensor state);

/* Target sentences, each ended by MODEL_END, step after step without padding: the sentences of a batch
 * stand in the order of falling length, so step t has the first active[t] of them. */
typedef struct {
    const int *id;     /* [total]: active[0] pieces of step 0, then active[1] of step 1, ... */
    const int *active; /* [longest], falling; active[0] is the whole batch */
    const PieceRange *guide; /* [total] where attention should look; NULL: anywhere */
    int longest, total;
} Target;

/* The loss of op_cross_entropy over the batch, summed, with dropout where the tape draws; and `guide` (the
 * setting) times the loss of the attention that is guided (Chen et al. 2016, section 3):
 *
 *     - sum over the target's pieces t of log(sum of weights[t][s] over s in guide[t])
 *
 * When the tape records, the gradient of scale * loss is added to tape->gradient, and the tape is reset. `plain`
 * gets the loss of the pieces without smoothing added. */
double model_loss(const Model *model, Tape *tape, const Source *source, const Target *target, double scale,
                  double *plain);

#endif
