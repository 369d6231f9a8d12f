/* recur.c - one step of the two recurrent cells (declared in ops.h). */
#include "math/ops.h"

#include <assert.h>
#include <string.h>

typedef struct {
    Node node;
    Tensor input, gates; /* GRU: both halves; LSTM: gates only. gates holds them non-linear */
    RnnState before, after;
    real *extra;    /* LSTM: tanh(c), GRU: recurrent half of the candidate; [batch, hidden] */
    const int *length;
    int step;
} Cell;

static bool is_active(const int *length, int row, int step)
{
    return !length || step < length[row];
}

/* Rows past their sentence's end hand their state, and its gradient, on unchanged. */
static void carry(Tensor after, Tensor before, int row)
{
    size_t n = (size_t)after.cols, at = (size_t)row * n;
    memcpy(after.value + at, before.value + at, n * sizeof(real));
}

static void carry_backward(const Kernel *kernel, Tensor after, Tensor before, int row)
{
    size_t n = (size_t)after.cols, at = (size_t)row * n;
    kernel->add(before.grad + at, after.grad + at, n);
}

static Cell *cell_node(Tape *tape, const Cell *cell, void (*backward)(Tape *, const Node *))
{
    Cell *op = tape_node(tape, sizeof *op, backward);
    Node node = op->node;
    *op = *cell;
    op->node = node;
    return op;
}

/* ---- LSTM (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000) ----
 *
 *     [i, f, o, g] = gates                   each [batch, hidden]
 *     i, f, o = sigmoid(.)   g = tanh(.)
 *     c' = f c + i g         h' = o tanh(c')
 *
 * Backward, with r = tanh(c'):
 *     dc' += dh' o (1 - r^2)
 *     dg = dc' i (1 - g^2)   di = dc' g i (1 - i)   df = dc' c f (1 - f)   do = dh' r o (1 - o)
 *     dc += dc' f */

static void lstm_backward(Tape *tape, const Node *node)
{
    const Cell *op = (const Cell *)node;
    size_t n = (size_t)op->after.h.cols;
    for (int b = 0; b < op->after.h.rows; b++) {
        if (!is_active(op->length, b, op->step)) {
            carry_backward(tape->kernel, op->after.h, op->before.h, b);
            carry_backward(tape->kernel, op->after.c, op->before.c, b);
            continue;
        }
        size_t at = (size_t)b * n;
        const real *i = op->gates.value + 4 * at, *f = i + n, *o = f + n, *g = o + n;
        const real *r = op->extra + at, *c = op->before.c.value + at;
        const real *dh = op->after.h.grad + at, *dc_after = op->after.c.grad + at;
        real *dc_before = op->before.c.grad + at, *d = op->gates.grad + 4 * at;
        for (size_t j = 0; j < n; j++) {
            real dc = dc_after[j] + dh[j] * o[j] * (1 - r[j] * r[j]);
            d[j] = dc * g[j] * i[j] * (1 - i[j]);
            d[n + j] = dc * c[j] * f[j] * (1 - f[j]);
            d[2 * n + j] = dh[j] * r[j] * o[j] * (1 - o[j]);
            d[3 * n + j] = dc * i[j] * (1 - g[j] * g[j]);
            dc_before[j] += dc * f[j];
        }
    }
}

RnnState op_lstm(Tape *tape, Tensor gates, RnnState state, const int *length, int step)
{
    int batch = state.h.rows;
    size_t n = (size_t)state.h.cols;
    assert(gates.rows == batch && state.c.rows == batch);
    assert((size_t)gates.cols == 4 * n && (size_t)state.c.cols == n);
    Cell cell = {.gates = gates, .before = state, .length = length, .step = step};
    cell.after.h = tape_tensor(tape, batch, (int)n);
    cell.after.c = tape_tensor(tape, batch, (int)n);
    cell.extra = arena_take(&tape->arena, tensor_size(state.h) * sizeof(real));
    for (int b = 0; b < batch; b++) {
        if (!is_active(length, b, step)) {
            carry(cell.after.h, state.h, b);
            carry(cell.after.c, state.c, b);
            continue;
        }
        size_t at = (size_t)b * n;
        real *i = gates.value + 4 * at, *f = i + n, *o = f + n, *g = o + n, *r = cell.extra + at;
        tape->kernel->sigmoid(i, 3 * n);
        tape->kernel->tanh(g, n);
        const real *c = state.c.value + at;
        real *c_after = cell.after.c.value + at, *h_after = cell.after.h.value + at;
        for (size_t j = 0; j < n; j++)
            r[j] = c_after[j] = f[j] * c[j] + i[j] * g[j];
        tape->kernel->tanh(r, n);
        for (size_t j = 0; j < n; j++)
            h_after[j] = o[j] * r[j];
    }
    if (tape->recording)
        cell_node(tape, &cell, lstm_backward);
    return cell.after;
}

/* ---- GRU (Cho et al. 2014; candidate as in Chung et al. 2014 with the reset gate after the product) ----
 *
 *     z = sigmoid(input_z + recurrent_z)     r = sigmoid(input_r + recurrent_r)
 *     n = tanh(input_n + r recurrent_n)
 *     h' = (1 - z) n + z h
 *
 * Backward:
 *     dn = dh' (1 - z)(1 - n^2)   dz = dh' (h - n) z (1 - z)   dr = dn recurrent_n r (1 - r)
 *     drecurrent_n = dn r         dh += dh' z */

static void gru_backward(Tape *tape, const Node *node)
{
    const Cell *op = (const Cell *)node;
    size_t width = (size_t)op->after.h.cols;
    for (int b = 0; b < op->after.h.rows; b++) {
        if (!is_active(op->length, b, op->step)) {
            carry_backward(tape->kernel, op->after.h, op->before.h, b);
            continue;
        }
        size_t at = (size_t)b * width;
        const real *z = op->gates.value + 3 * at, *r = z + width, *n = r + width;
        const real *candidate = op->extra + at, *h = op->before.h.value + at;
        const real *dh = op->after.h.grad + at;
        real *dh_before = op->before.h.grad + at;
        real *dinput = op->input.grad + 3 * at, *drecurrent = op->gates.grad + 3 * at;
        for (size_t j = 0; j < width; j++) {
            real dn = dh[j] * (1 - z[j]) * (1 - n[j] * n[j]);
            real dz = dh[j] * (h[j] - n[j]) * z[j] * (1 - z[j]);
            real dr = dn * candidate[j] * r[j] * (1 - r[j]);
            dinput[j] += dz;
            dinput[width + j] += dr;
            dinput[2 * width + j] += dn;
            drecurrent[j] = dz;
            drecurrent[width + j] = dr;
            drecurrent[2 * width + j] = dn * r[j];
            dh_before[j] += dh[j] * z[j];
        }
    }
}

RnnState op_gru(Tape *tape, Tensor input, Tensor recurrent, RnnState state, const int *length, int step)
{
    int batch = state.h.rows;
    size_t width = (size_t)state.h.cols;
    assert(input.rows == batch && recurrent.rows == batch);
    assert((size_t)input.cols == 3 * width && input.cols == recurrent.cols);
    Cell cell = {.input = input, .gates = recurrent, .before = state, .length = length, .step = step};
    cell.after.h = tape_tensor(tape, batch, (int)width);
    cell.extra = arena_take(&tape->arena, tensor_size(state.h) * sizeof(real));
    for (int b = 0; b < batch; b++) {
        if (!is_active(length, b, step)) {
            carry(cell.after.h, state.h, b);
            continue;
        }
        size_t at = (size_t)b * width;
        real *z = recurrent.value + 3 * at, *r = z + width, *n = r + width;
        real *candidate = cell.extra + at;
        memcpy(candidate, n, width * sizeof(real));
        tape->kernel->add(z, input.value + 3 * at, 2 * width);
        tape->kernel->sigmoid(z, 2 * width);
        for (size_t j = 0; j < width; j++)
            n[j] = input.value[3 * at + 2 * width + j] + r[j] * candidate[j];
        tape->kernel->tanh(n, width);
        const real *h = state.h.value + at;
        real *h_after = cell.after.h.value + at;
        for (size_t j = 0; j < width; j++)
            h_after[j] = (1 - z[j]) * n[j] + z[j] * h[j];
    }
    if (tape->recording)
        cell_node(tape, &cell, gru_backward);
    return cell.after;
}
