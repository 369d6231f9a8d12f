#include "math/ops.h"

#include "base/rng.h"

#include <assert.h>
#include <string.h>

/* ---- embed: y[i] = E[id[i]];  dE[id[i]] += dy[i] ---- */

typedef struct {
    Node node;
    const Param *table;
    Tensor y;
    int *id;
} Embed;

static void embed_backward(Tape *tape, const Node *node)
{
    const Embed *op = (const Embed *)node;
    real *grad = tape_gradient(tape, op->table);
    size_t width = (size_t)op->y.cols;
    for (int i = 0; i < op->y.rows; i++)
        tape->kernel->add(grad + (size_t)op->id[i] * width, op->y.grad + (size_t)i * width, width);
}

Tensor op_embed(Tape *tape, const Param *table, const int *id, int n)
{
    Tensor y = tape_tensor(tape, n, table->cols);
    for (int i = 0; i < n; i++)
        param_row(table, id[i], y.value + (size_t)i * (size_t)y.cols);
    if (tape->recording) {
        Embed *op = tape_node(tape, sizeof *op, embed_backward);
        op->table = table;
        op->y = y;
        op->id = arena_take(&tape->arena, (size_t)n * sizeof *id);
        memcpy(op->id, id, (size_t)n * sizeof *id);
    }
    return y;
}

/* ---- linear: y = x W + b ----
 *
 *     dx += dy W^T      dW += x^T dy      db += sum over rows of dy
 *
 * and, for a tied matrix E with W = E^T:  dx += dy E,  dE += dy^T x. */

typedef struct {
    Node node;
    const Param *weight, *bias;
    Tensor x, y;
} Linear;

static void linear_backward(Tape *tape, const Node *node)
{
    const Linear *op = (const Linear *)node;
    Tensor x = op->x, y = op->y;
    if (x.grad)
        tape->kernel->product(x.grad, x.cols, y.grad, y.cols, y.rows, &op->weight->backward, true);
    if (op->weight->use == PARAM_TIED)
        tape_outer(tape, op->weight, y.grad, x.value, x.rows);
    else
        tape_outer(tape, op->weight, x.value, y.grad, x.rows);
    if (op->bias) {
        real *bias = tape_gradient(tape, op->bias);
        for (int i = 0; i < y.rows; i++)
            tape->kernel->add(bias, y.grad + (size_t)i * (size_t)y.cols, (size_t)y.cols);
    }
}

static void multiply(Tape *tape, Tensor y, Tensor x, const Param *weight, const Param *bias, bool onto)
{
    assert(x.rows == y.rows && x.cols == weight->forward.depth && y.cols == weight->forward.cols);
    assert(!bias || bias->cols == y.cols);
    for (int i = 0; bias && i < y.rows; i++)
        memcpy(y.value + (size_t)i * (size_t)y.cols, bias->value, (size_t)y.cols * sizeof(real));
    tape->kernel->product(y.value, y.cols, x.value, x.cols, x.rows, &weight->forward, bias || onto);
    if (tape->recording) {
        Linear *op = tape_node(tape, sizeof *op, linear_backward);
        op->weight = weight;
        op->bias = bias;
        op->x = x;
        op->y = y;
    }
}

Tensor op_linear(Tape *tape, Tensor x, const Param *weight, const Param *bias)
{
    Tensor y = tape_tensor(tape, x.rows, weight->forward.cols);
    multiply(tape, y, x, weight, bias, false);
    return y;
}

void op_linear_onto(Tape *tape, Tensor y, Tensor x, const Param *weight)
{
    multiply(tape, y, x, weight, NULL, true);
}

Tensor op_logits(Tape *tape, Tensor x, const Param *weight, const Param *bias)
{
    Tensor y = {.rows = x.rows, .cols = weight->forward.cols};
    y.value = arena_take(&tape->arena, tensor_size(y) * sizeof(real));
    y.grad = tape->recording ? y.value : NULL;
    multiply(tape, y, x, weight, bias, false);
    return y;
}

/* ---- join: y = [a, b] ---- */

typedef struct {
    Node node;
    Tensor a, b, y;
} Join;

static void join_backward(Tape *tape, const Node *node)
{
    const Join *op = (const Join *)node;
    size_t left = (size_t)op->a.cols, right = (size_t)op->b.cols;
    for (int i = 0; i < op->y.rows; i++) {
        const real *grad = op->y.grad + (size_t)i * (left + right);
        tape->kernel->add(op->a.grad + (size_t)i * left, grad, left);
        tape->kernel->add(op->b.grad + (size_t)i * right, grad + left, right);
    }
}

Tensor op_join(Tape *tape, Tensor a, Tensor b)
{
    assert(a.rows == b.rows);
    Tensor y = tape_tensor(tape, a.rows, a.cols + b.cols);
    size_t left = (size_t)a.cols, right = (size_t)b.cols;
    for (int i = 0; i < y.rows; i++) {
        real *row = y.value + (size_t)i * (left + right);
        memcpy(row, a.value + (size_t)i * left, left * sizeof *row);
        memcpy(row + left, b.value + (size_t)i * right, right * sizeof *row);
    }
    if (tape->recording) {
        Join *op = tape_node(tape, sizeof *op, join_backward);
        op->a = a;
        op->b = b;
        op->y = y;
    }
    return y;
}

/* ---- put: view = x;  dx += dview ---- */

typedef struct {
    Node node;
    Tensor view, x;
} Put;

static void put_backward(Tape *tape, const Node *node)
{
    const Put *op = (const Put *)node;
    tape->kernel->add(op->x.grad, op->view.grad, tensor_size(op->x));
}

void op_put(Tape *tape, Tensor view, Tensor x)
{
    assert(view.rows == x.rows && view.cols == x.cols);
    memcpy(view.value, x.value, tensor_size(x) * sizeof(real));
    if (tape->recording) {
        Put *op = tape_node(tape, sizeof *op, put_backward);
        op->view = view;
        op->x = x;
    }
}

/* ---- pick: y[i] = x[row[i]];  dx[row[i]] += dy[i] ---- */

typedef struct {
    Node node;
    Tensor x, y;
    int *row;
} Pick;

static void pick_backward(Tape *tape, const Node *node)
{
    const Pick *op = (const Pick *)node;
    size_t width = (size_t)op->y.cols;
    for (int i = 0; i < op->y.rows; i++)
        tape->kernel->add(op->x.grad + (size_t)op->row[i] * width,
                          op->y.grad + (size_t)i * width, width);
}

Tensor op_pick(Tape *tape, Tensor x, const int *row, int n)
{
    Tensor y = tape_tensor(tape, n, x.cols);
    size_t width = (size_t)x.cols;
    for (int i = 0; i < n; i++) {
        assert(row[i] >= 0 && row[i] < x.rows);
        memcpy(y.value + (size_t)i * width, x.value + (size_t)row[i] * width,
               width * sizeof(real));
    }
    if (tape->recording) {
        Pick *op = tape_node(tape, sizeof *op, pick_backward);
        op->x = x;
        op->y = y;
        op->row = arena_take(&tape->arena, (size_t)n * sizeof *row);
        memcpy(op->row, row, (size_t)n * sizeof *row);
    }
    return y;
}

/* ---- tanh: dx += dy (1 - y^2) ---- */

typedef struct {
    Node node;
    Tensor x, y;
} Tanh;

static void tanh_backward(Tape *tape, const Node *node)
{
    (void)tape;
    const Tanh *op = (const Tanh *)node;
    const real *y = op->y.value, *dy = op->y.grad;
    for (size_t k = 0, n = tensor_size(op->y); k < n; k++)
        op->x.grad[k] += dy[k] * (1 - y[k] * y[k]);
}

Tensor op_tanh(Tape *tape, Tensor x)
{
    Tensor y = tape_tensor(tape, x.rows, x.cols);
    memcpy(y.value, x.value, tensor_size(x) * sizeof(real));
    tape->kernel->tanh(y.value, tensor_size(y));
    if (tape->recording) {
        Tanh *op = tape_node(tape, sizeof *op, tanh_backward);
        op->x = x;
        op->y = y;
    }
    return y;
}

/* ---- dropout: y = m x / (1 - rate);  dx += m dy / (1 - rate) ----
 *
 * A draw is 16 bits of a generator that is a function of run, step, place, sentence and time step:
 * the rate is honoured to 1 / 65536. */

typedef struct {
    Node node;
    Tensor x, y;
    uint8_t *mask; /* [rows, cols], 0 or 1 */
    real keep;     /* 1 / (1 - rate) */
} Dropout;

static void dropout_backward(Tape *tape, const Node *node)
{
    (void)tape;
    const Dropout *op = (const Dropout *)node;
    for (size_t k = 0, n = tensor_size(op->y); k < n; k++)
        op->x.grad[k] += op->y.grad[k] * op->keep * (real)op->mask[k];
}

static void draw_mask(uint8_t *mask, int n, Rng *rng, uint32_t limit)
{
    for (int j = 0; j < n; j += 4) {
        uint64_t bits = rng_next(rng);
        for (int k = j; k < n && k < j + 4; k++, bits >>= 16)
            mask[k] = (bits & 0xFFFF) >= limit;
    }
}

static Tensor dropout(Tape *tape, Tensor x, double rate, bool whole_rows)
{
    Draw *draw = &tape->draw;
    if (rate <= 0 || !draw->key)
        return x;
    uint32_t limit = (uint32_t)(rate * 65536 + 0.5);
    real keep = (real)(1 / (1 - rate));
    uint64_t place = draw->place++;
    Tensor y = tape_tensor(tape, x.rows, x.cols);
    uint8_t *mask = arena_take(&tape->arena, tensor_size(x));
    for (int i = 0; i < x.rows; i++) {
        uint64_t sentence = draw->key[i % draw->rows], time = (uint64_t)(i / draw->rows);
        Rng rng = rng_at(draw->seed, place << 32 | time, sentence);
        uint8_t *row = mask + (size_t)i * (size_t)x.cols;
        draw_mask(row, whole_rows ? 1 : x.cols, &rng, limit);
        if (whole_rows)
            memset(row, row[0], (size_t)x.cols);
    }
    for (size_t k = 0, n = tensor_size(x); k < n; k++)
        y.value[k] = x.value[k] * keep * (real)mask[k];
    if (tape->recording) {
        Dropout *op = tape_node(tape, sizeof *op, dropout_backward);
        op->x = x;
        op->y = y;
        op->mask = mask;
        op->keep = keep;
    }
    return y;
}

Tensor op_dropout(Tape *tape, Tensor x, double rate)
{
    return dropout(tape, x, rate, false);
}

Tensor op_dropout_rows(Tape *tape, Tensor x, double rate)
{
    return dropout(tape, x, rate, true);
}

/* ---- cross-entropy ----
 *
 * With q the smoothed target distribution, d loss / d logit[j] = p[j] - q[j]: no node is needed, the
 * gradient is known at once. */

double op_cross_entropy(Tape *tape, Tensor logits, const int *target, double smoothing, double scale,
                        double *plain)
{
    const Kernel *kernel = tape->kernel;
    size_t n = (size_t)logits.cols;
    assert(!tape->recording || logits.grad == logits.value);
    double loss = 0, even = smoothing / (double)n;
    for (int i = 0; i < logits.rows; i++) {
        real *row = logits.value + (size_t)i * n;
        if (target[i] < 0) {
            memset(row, 0, n * sizeof *row);
            continue;
        }
        assert(target[i] < logits.cols);
        double right = (double)row[target[i]], sum = (double)kernel->sum(row, n);
        double log_sum = (double)kernel->softmax(row, n);
        loss -= (1 - smoothing) * (right - log_sum) + even * (sum - (double)n * log_sum);
        if (plain)
            *plain -= right - log_sum;
        if (!tape->recording)
            continue;
        for (size_t j = 0; j < n; j++)
            row[j] = (real)scale * (row[j] - (real)even);
        row[target[i]] -= (real)(scale * (1 - smoothing));
    }
    return loss;
}
