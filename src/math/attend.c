#include "math/attend.h"

#include <assert.h>
#include <string.h>

typedef struct {
    Node node;
    AttendSpec spec;
    Tensor query;
    Memory memory;
    int *sentence;
    Attended out;
} Attend;

typedef struct {
    int begin, end; /* of the source positions that one query may read */
} Span;

/* All masking is here. */
static Span span(const Memory *memory, int sentence)
{
    return (Span){0, memory->length[sentence]};
}

/* score = w . tanh(q + k) = w . u; u, [width], is left in `sum`. */
static real additive_score(const Kernel *kernel, const Param *w, const real *q, const real *k, real *sum)
{
    size_t n = (size_t)w->cols;
    memcpy(sum, k, n * sizeof *sum);
    kernel->add(sum, q, n);
    kernel->tanh(sum, n);
    return kernel->dot(w->value, sum, n);
}

static void attend_row(Tape *tape, const Attend *op, int i, real *score, real *sum)
{
    const Kernel *kernel = tape->kernel;
    const Memory *memory = &op->memory;
    size_t keys = (size_t)memory->key.cols, values = (size_t)memory->value.cols;
    int sentence = op->sentence[i];
    Span s = span(memory, sentence);
    real *weight = op->out.weights.value + (size_t)i * (size_t)memory->stride;
    const real *q = op->query.value + (size_t)i * keys;
    const real *key = memory->key.value + (size_t)sentence * (size_t)memory->stride * keys;
    const real *value = memory->value.value + (size_t)sentence * (size_t)memory->stride * values;
    real *context = op->out.context.value + (size_t)i * values;

    for (int j = s.begin; j < s.end; j++) {
        const real *k = key + (size_t)j * keys;
        score[j] = op->spec.form == ATTEND_DOT
                       ? op->spec.scale * kernel->dot(q, k, keys)
                       : additive_score(kernel, op->spec.score, q, k, sum);
        weight[j] = score[j];
    }
    kernel->softmax(weight + s.begin, (size_t)(s.end - s.begin));
    for (int j = s.begin; j < s.end; j++)
        kernel->axpy(context, weight[j], value + (size_t)j * values, values);
}

/* With dy the context's gradient and dw[s] = dy . v[s] + the gradient that the weights got themselves:
 *
 *     dv[s] += weight[s] dy         dscore[s] = weight[s] (dw[s] - sum over s of weight[s] dw[s])
 *     dot:       dq += scale dscore[s] k[s]       dk[s] += scale dscore[s] q
 *     additive:  dw += dscore[s] u[s]             dq, dk[s] += dscore[s] w (1 - u[s]^2) */
static void attend_row_backward(Tape *tape, const Attend *op, int i, real *dscore, real *sum)
{
    const Kernel *kernel = tape->kernel;
    const Memory *memory = &op->memory;
    size_t keys = (size_t)memory->key.cols, values = (size_t)memory->value.cols;
    size_t row = (size_t)op->sentence[i] * (size_t)memory->stride, at = (size_t)i;
    Span s = span(memory, op->sentence[i]);
    const real *weight = op->out.weights.value + at * (size_t)memory->stride;
    const real *dweight = op->out.weights.grad + at * (size_t)memory->stride;
    const real *dcontext = op->out.context.grad + at * values;
    const real *q = op->query.value + at * keys;
    real *dq = op->query.grad + at * keys, mean = 0;

    for (int j = s.begin; j < s.end; j++) {
        size_t v = (row + (size_t)j) * values;
        dscore[j] = kernel->dot(dcontext, memory->value.value + v, values) + dweight[j];
        mean += weight[j] * dscore[j];
        kernel->axpy(memory->value.grad + v, weight[j], dcontext, values);
    }
    for (int j = s.begin; j < s.end; j++) {
        const real *k = memory->key.value + (row + (size_t)j) * keys;
        real *dk = memory->key.grad + (row + (size_t)j) * keys;
        real d = weight[j] * (dscore[j] - mean);
        if (op->spec.form == ATTEND_DOT) {
            kernel->axpy(dq, op->spec.scale * d, k, keys);
            kernel->axpy(dk, op->spec.scale * d, q, keys);
            continue;
        }
        const Param *w = op->spec.score;
        additive_score(kernel, w, q, k, sum);
        kernel->axpy(tape_gradient(tape, w), d, sum, keys);
        for (size_t n = 0; n < keys; n++)
            sum[n] = d * w->value[n] * (1 - sum[n] * sum[n]);
        kernel->add(dq, sum, keys);
        kernel->add(dk, sum, keys);
    }
}

static void attend_backward(Tape *tape, const Node *node)
{
    const Attend *op = (const Attend *)node;
    ArenaMark mark = arena_mark(&tape->arena);
    real *dscore = arena_take(&tape->arena, (size_t)op->memory.stride * sizeof *dscore);
    real *sum = arena_take(&tape->arena, (size_t)op->memory.key.cols * sizeof *sum);
    for (int i = 0; i < op->query.rows; i++)
        attend_row_backward(tape, op, i, dscore, sum);
    arena_rewind(&tape->arena, mark);
}

Attended op_attend(Tape *tape, const AttendSpec *spec, Tensor query, const Memory *memory,
                   const int *sentence)
{
    assert(query.cols == memory->key.cols && memory->key.rows == memory->value.rows);
    assert(memory->key.rows == memory->sentences * memory->stride);
    assert(spec->form == ATTEND_DOT || spec->score->cols == query.cols);
    Attend op = {.spec = *spec, .query = query, .memory = *memory};
    op.out.context = tape_zeros(tape, query.rows, memory->value.cols);
    op.out.weights = tape_zeros(tape, query.rows, memory->stride);
    op.out.query = query;
    size_t stride = (size_t)memory->stride;
    real *score = arena_take(&tape->arena, (size_t)query.rows * stride * sizeof *score);
    op.out.score = score;
    op.sentence = arena_take(&tape->arena, (size_t)query.rows * sizeof *op.sentence);
    real *sum = arena_take(&tape->arena, (size_t)query.cols * sizeof *sum);
    for (int i = 0; i < query.rows; i++) {
        op.sentence[i] = sentence ? sentence[i] : i;
        assert(op.sentence[i] >= 0 && op.sentence[i] < memory->sentences);
        attend_row(tape, &op, i, score + (size_t)i * stride, sum);
    }
    if (tape->recording) {
        Attend *kept = tape_node(tape, sizeof *kept, attend_backward);
        op.node = kept->node;
        *kept = op;
    }
    return op.out;
}
