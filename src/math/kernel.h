/* kernel.h - the inner loops: packed matrix product, row softmax, exp, tanh, sigmoid, Adam.
 *
 *     const Kernel *kernel = kernel_best();                   or kernel_named("plain")
 *     Pack pack = pack_new(&arena, depth, cols, PACK_REAL);
 *     pack_fill(&pack, 0, depth, w, cols, false);             w is [depth, cols]
 *     kernel->product(y, cols, x, depth, rows, &pack, false); y[rows, cols] = x[rows, depth] w
 *
 * Three instances with the same interface: plain C loops (the oracle; the only one in the double
 * build), AVX2 and AVX-512, the last two compiled from one source. The best that this processor
 * has is found at run time. Memory is taken by pack_new alone, from the caller's arena.
 *
 * Order of summation. Each element of a product is one multiply-add chain over k = 0, 1, 2, ...,
 * whatever the number of rows: so a row's result does not depend on its neighbours, and a sentence's
 * translation not on its batch. dot, sum and softmax sum in an order that depends on n alone.
 *
 * Packing. A right-hand side is used for many products, so it is laid out once as the loop wants to
 * read it: panels of PACK_PANEL columns, the last one filled up with zeros; inside a panel row after
 * row. Element (k, j) stands at (j / PANEL) * depth * PANEL + k * PANEL + j % PANEL. Goto and
 * van de Geijn 2008, "Anatomy of high-performance matrix multiplication". */
#ifndef MATH_KERNEL_H
#define MATH_KERNEL_H

#include "base/arena.h"
#include "base/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACK_PANEL 64

typedef enum {
    PACK_REAL, /* real */
    PACK_HALF, /* IEEE binary16, widened exactly when read: half the memory, the same chain */
} PackType;

typedef struct {
    int depth, cols;
    PackType type;
    void *data; /* 64-byte aligned, pack_bytes() long; the arena's */
} Pack;

/* What one Adam update needs beside the four blocks (Kingma and Ba 2015, algorithm 1). */
typedef struct {
    real rate;             /* learning rate of this step */
    real beta1, beta2, epsilon;
    real correct1, correct2; /* 1 / (1 - beta1^t), 1 / (1 - beta2^t) */
    real scale;            /* the gradient is multiplied by this first (clipping, 1 / count) */
} AdamStep;

typedef struct Kernel {
    const char *name; /* "plain", "avx2", "avx512" */

    /* out[rows, b->cols] = a[rows, b->depth] b, or += when accumulate; strides count elements. */
    void (*product)(real *out, int out_stride, const real *a, int a_stride, int rows, const Pack *b, bool accumulate);

    void (*tanh)(real *x, size_t n);    /* in place */
    void (*sigmoid)(real *x, size_t n); /* in place: 1 / (1 + exp(-x)) */
    void (*exp)(real *x, size_t n);     /* in place; to 0 below the smallest normal, to inf above the largest */

    /* x = exp(x - max x) / sum, in place; returns max x + log sum, so that
     * log-probability j = old x[j] - result. n >= 1. */
    real (*softmax)(real *x, size_t n);

    real (*sum)(const real *x, size_t n);
    real (*dot)(const real *x, const real *y, size_t n);
    void (*axpy)(real *y, real a, const real *x, size_t n); /* y += a x */
    void (*add)(real *y, const real *x, size_t n);          /* y += x */

    /* moment1, moment2 and weight updated from gradient; gradient is left as it was. */
    void (*adam)(real *weight, const real *gradient, real *moment1, real *moment2, size_t n, const AdamStep *step);
} Kernel;

/* The fastest kernel that this processor runs. */
const Kernel *kernel_best(void);

/* By name; NULL when there is none of that name or this processor lacks its instructions. */
const Kernel *kernel_named(const char *name);

/* Memory for a [depth, cols] right-hand side, not filled. */
Pack pack_new(Arena *arena, int depth, int cols, PackType type);
size_t pack_bytes(int depth, int cols, PackType type);

/* From n rows of a matrix, with row stride `stride`. They are rows at .. at+n-1 of the right-hand side; or,
 * when transposed, its columns, and then at is a multiple of PACK_PANEL, and n is one too or reaches the end. */
void pack_fill(Pack *pack, int at, int n, const real *source, int stride, bool transposed);

/* The same with half-precision numbers into a PACK_HALF. */
void pack_fill_half(Pack *pack, int at, int n, const uint16_t *source, int stride, bool transposed);

/* Column j of the packed matrix into out[depth]: how an embedding is looked up in a tied output. */
void pack_column(const Pack *pack, int column, real *out);

/* out[cols, rows] = the transpose of in[rows, cols]. */
void matrix_transpose(real *out, int out_stride, const real *in, int in_stride, int rows, int cols);

/* IEEE binary16, round to nearest even; what is too large becomes infinity. */
uint16_t half_from_real(real x);
real half_to_real(uint16_t h);

#endif
