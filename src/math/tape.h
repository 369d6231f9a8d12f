/* tape.h - tensors, and the tape that remembers how they were computed.
 *
 *     Tape *tape = tape_new(kernel_best());
 *     tape->recording = true;  tape->gradient = block;      training
 *     Tensor y = op_tanh(tape, op_linear(tape, x, w, b));   each op leaves a node
 *     tape_backward(tape, start);                           walks back to the mark `start`
 *     tape_reset(tape);                                     everything is gone, its memory is kept
 *
 * One forward serves training and inference: `recording` alone decides whether nodes and gradients
 * are kept. The tape is eager: an op computes at once, and its node says how to go back.
 *
 * A Tensor is a small value: a row-major matrix somewhere in the tape's arena. Its gradient (NULL
 * when nothing was recorded) has the same shape. Views are free: tensor_rows() only moves pointers. */
#ifndef MATH_TAPE_H
#define MATH_TAPE_H

#include "base/arena.h"
#include "math/param.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int rows, cols;
    real *value, *grad; /* [rows, cols] each; grad may be NULL */
} Tensor;

typedef struct Tape Tape;
typedef struct Node Node;
typedef struct Outer Outer;

/* An op's own struct begins with a Node and holds what its backward needs. */
struct Node {
    Node *before;
    void (*backward)(Tape *tape, const Node *node); /* adds to the gradients of the op's inputs */
};

/* What random draws depend on: see rng.h. Row r of a tensor belongs to sentence key[r % rows]. */
typedef struct {
    uint64_t seed;       /* of the run and the step */
    const uint32_t *key; /* a number for each sentence of the batch; NULL: nothing is dropped */
    int rows;            /* sentences in the batch */
    uint64_t place;      /* counts the ops that draw: an op's place in the network */
} Draw;

struct Tape {
    const Kernel *kernel;
    Arena arena;
    bool recording;
    Node *last;
    Outer *outer;   /* products that wait for the end of the walk */
    real *gradient; /* block of gradients of the parameters, laid out as Params; recording only */
    Draw draw;
};

typedef struct {
    Node *last;
    ArenaMark memory;
} TapeMark;

Tape *tape_new(const Kernel *kernel);
void tape_free(Tape *tape);

/* Forget all nodes and tensors. */
void tape_reset(Tape *tape);

/* Not cleared; its gradient, when recording, is. */
Tensor tape_tensor(Tape *tape, int rows, int cols);
Tensor tape_zeros(Tape *tape, int rows, int cols);

/* An op's node, `bytes` long, first member Node; the caller fills the rest. Call only when recording. */
void *tape_node(Tape *tape, size_t bytes, void (*backward)(Tape *, const Node *));

TapeMark tape_mark(const Tape *tape);

/* Walk from the last node back to the mark; those nodes are then gone. Gradients of the tensors
 * made before the mark, and of parameters, have been added to. */
void tape_backward(Tape *tape, TapeMark mark);

/* Forget nodes and tensors made since the mark. */
void tape_rewind(Tape *tape, TapeMark mark);

/* During a walk: the gradient of param += a^T b, with a [rows, param->rows] and b [rows, param->cols]. A weight
 * is used at every time step, a few rows each: what is asked for here is done at the end of the walk, for
 * each weight in one product over all its rows, so that its gradient is read and written once. a and b
 * must stay as they are until then. */
void tape_outer(Tape *tape, const Param *param, const real *a, const real *b, int rows);

/* The gradient of a parameter, [rows, cols]; NULL when not recording. */
real *tape_gradient(const Tape *tape, const Param *param);

/* Rows at .. at+n-1 of x, as a view. */
Tensor tensor_rows(Tensor x, int at, int n);

/* rows * cols. */
size_t tensor_size(Tensor x);

#endif
