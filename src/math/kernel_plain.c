/* kernel_plain.c - the kernel in plain C: runs everywhere, says what the others must compute, and
 * is the only one in the double build. Multiplies, then adds; ascending k. */
#include "math/kernel_internal.h"

#include <float.h>
#include <string.h>
#include <tgmath.h> /* expf for float, exp for double */

#ifdef REAL_IS_DOUBLE
#define REAL_SMALLEST DBL_MIN
#else
#define REAL_SMALLEST FLT_MIN
#endif

#define BLOCK 64 /* panel rows at a time: 16 KiB of float */

/* out[0 .. width) += a[0 .. depth) times `depth` panel rows; the chain starts from 0 when fresh. */
static void plain_row(real *out, size_t width, const real *a, const real *b, size_t depth,
                      bool fresh)
{
    real chain[PACK_PANEL] = {0};
    if (!fresh)
        memcpy(chain, out, width * sizeof *out);
    for (size_t k = 0; k < depth; k++)
        for (size_t j = 0; j < PACK_PANEL; j++)
            chain[j] += a[k] * b[k * PACK_PANEL + j];
    memcpy(out, chain, width * sizeof *out);
}

/* Panel rows from number `at` on as real: where they stand, or widened into wide. */
static const real *plain_block(const Pack *b, size_t at, size_t rows, real *wide)
{
    if (b->type == PACK_REAL)
        return (const real *)b->data + at;
    const uint16_t *half = (const uint16_t *)b->data + at;
    half_widen(wide, half, rows * PACK_PANEL);
    return wide;
}

static void plain_product(real *out, int out_stride, const real *a, int a_stride, int rows,
                          const Pack *b, bool accumulate)
{
    size_t depth = (size_t)b->depth, cols = (size_t)b->cols;
    real wide[BLOCK * PACK_PANEL];
    for (size_t j = 0; j < cols; j += PACK_PANEL) {
        size_t width = cols - j < PACK_PANEL ? cols - j : PACK_PANEL;
        for (size_t k = 0; k < depth; k += BLOCK) {
            size_t block = depth - k < BLOCK ? depth - k : BLOCK;
            const real *panel = plain_block(b, j * depth + k * PACK_PANEL, block, wide);
            for (size_t i = 0; i < (size_t)rows; i++)
                plain_row(out + i * (size_t)out_stride + j, width, a + i * (size_t)a_stride + k,
                          panel, block, k == 0 && !accumulate);
        }
    }
}

static void plain_tanh(real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = tanh(x[i]);
}

static void plain_sigmoid(real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = 1 / (1 + exp(-x[i]));
}

static void plain_exp(real *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        real y = exp(x[i]);
        x[i] = y < REAL_SMALLEST ? 0 : y;
    }
}

/* Number i goes to chain i % CHAINS; at the end chain c takes chain c + half, half = 32 ... 1. */
#define CHAINS 64

static real chains_end(real *chain)
{
    for (size_t half = CHAINS / 2; half > 0; half /= 2)
        for (size_t c = 0; c < half; c++)
            chain[c] += chain[c + half];
    return chain[0];
}

static real plain_sum(const real *x, size_t n)
{
    real chain[CHAINS] = {0};
    size_t whole = n - n % CHAINS;
    for (size_t i = 0; i < whole; i += CHAINS)
        for (size_t c = 0; c < CHAINS; c++)
            chain[c] += x[i + c];
    for (size_t c = 0; c < n - whole; c++)
        chain[c] += x[whole + c];
    return chains_end(chain);
}

static real plain_dot(const real *x, const real *y, size_t n)
{
    real chain[CHAINS] = {0};
    size_t whole = n - n % CHAINS;
    for (size_t i = 0; i < whole; i += CHAINS)
        for (size_t c = 0; c < CHAINS; c++)
            chain[c] += x[i + c] * y[i + c];
    for (size_t c = 0; c < n - whole; c++)
        chain[c] += x[whole + c] * y[whole + c];
    return chains_end(chain);
}

static real plain_softmax(real *x, size_t n)
{
    real max = x[0];
    for (size_t i = 1; i < n; i++)
        max = x[i] > max ? x[i] : max; /* a NaN passed over here makes the sum one */
    for (size_t i = 0; i < n; i++)
        x[i] -= max;
    plain_exp(x, n);
    real sum = plain_sum(x, n);
    for (size_t i = 0; i < n; i++)
        x[i] /= sum;
    return max + log(sum);
}

static void plain_axpy(real *y, real a, const real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static void plain_add(real *y, const real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

/* g' = scale g;  m1 = beta1 m1 + (1 - beta1) g';  m2 = beta2 m2 + (1 - beta2) g'^2;
 * w -= rate (m1 correct1) / (sqrt(m2 correct2) + epsilon) */
static void plain_adam(real *weight, const real *gradient, real *moment1, real *moment2, size_t n,
                       const AdamStep *step)
{
    real keep1 = step->beta1, take1 = 1 - keep1, keep2 = step->beta2, take2 = 1 - keep2;
    for (size_t i = 0; i < n; i++) {
        real g = step->scale * gradient[i];
        real m1 = moment1[i] = keep1 * moment1[i] + take1 * g;
        real m2 = moment2[i] = keep2 * moment2[i] + take2 * (g * g);
        real divisor = sqrt(m2 * step->correct2) + step->epsilon;
        weight[i] -= step->rate * (m1 * step->correct1) / divisor;
    }
}

const Kernel kernel_plain = {
    .name = "plain",
    .product = plain_product,
    .tanh = plain_tanh,
    .sigmoid = plain_sigmoid,
    .exp = plain_exp,
    .softmax = plain_softmax,
    .sum = plain_sum,
    .dot = plain_dot,
    .axpy = plain_axpy,
    .add = plain_add,
    .adam = plain_adam,
};
