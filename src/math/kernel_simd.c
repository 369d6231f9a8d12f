/* kernel_simd.c - the kernel in vector instructions; compiled for AVX2 and for AVX-512.
 *
 * Both compute the same expression for each number and sum in the same order (SUM_LANES), so that
 * they give the same bits. A number's result never depends on its place among others: the tail of
 * an array goes through the same instructions as its body, with masked loads and stores. */
#include "math/kernel_internal.h"
#include "math/kernel_vec.h"

#include <math.h>
#include <string.h>

/* The chains stay in registers only when the loops over them are unrolled completely. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif
#define PANEL_VECS (PACK_PANEL / LANES)

/* Product --------------------------------------------------------------------------------------
 *
 * A tile of `rows` rows by `vecs` vectors of the output stays in registers while k runs; each step
 * reads `vecs` vectors of the panel and one number of each row. Around it: blocks of rows and of k,
 * so that the rows in use and the part of the panel in use stay in the second-level cache. Between
 * two blocks of k the chains rest in `out`; they go on from the same bits. */

#define TILE_ROWS 6
#define DEPTH_BLOCK 512 /* panel rows: 128 KiB */
#define ROW_BLOCK 192   /* 384 KiB of a */

typedef struct {
    float *out; /* [rows, PACK_PANEL] */
    size_t out_stride;
    const float *a; /* [rows, depth] */
    size_t a_stride;
    const void *b; /* [depth, PACK_PANEL], real or half */
    size_t depth;
    bool fresh; /* chains start from zero, not from out */
} Tile;

INLINE void tile_columns(const Tile *tile, size_t column, int rows, int vecs, PackType type)
{
    Vec chain[TILE_ROWS][PANEL_VECS];
    const float *a = tile->a, *b = (const float *)tile->b + column;
    const uint16_t *half = (const uint16_t *)tile->b + column;
    size_t a_stride = tile->a_stride, out_stride = tile->out_stride, depth = tile->depth;
    float *out = tile->out + column;
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vecs; v++)
            chain[i][v] = tile->fresh ? vec_zero()
                                      : vec_read(out + (size_t)i * out_stride + v * LANES);
    for (size_t k = 0; k < depth; k++) {
        Vec right[PANEL_VECS];
        UNROLL for (int v = 0; v < vecs; v++)
            right[v] = type == PACK_HALF ? vec_widen(half + k * PACK_PANEL + v * LANES)
                                         : vec_read(b + k * PACK_PANEL + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            Vec left = vec_all(a[(size_t)i * a_stride + k]);
            UNROLL for (int v = 0; v < vecs; v++)
                chain[i][v] = vec_fma(left, right[v], chain[i][v]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vecs; v++)
            vec_write(out + (size_t)i * out_stride + v * LANES, chain[i][v]);
}

/* AVX2 has 16 registers: a tile of few rows is made wider instead, 8 to 12 chains in any case. */
#if KERNEL_LANES == 16
#define TILE_VECS(rows) 4
#else
#define TILE_VECS(rows) ((rows) == 1 ? 8 : (rows) <= 3 ? 4 : 2)
#endif

#define DEFINE_TILE(ROWS)                                                                          \
    static void tile_real_##ROWS(const Tile *tile)                                                 \
    {                                                                                              \
        for (size_t column = 0; column < PACK_PANEL; column += TILE_VECS(ROWS) * LANES)            \
            tile_columns(tile, column, ROWS, TILE_VECS(ROWS), PACK_REAL);                          \
    }                                                                                              \
    static void tile_half_##ROWS(const Tile *tile)                                                 \
    {                                                                                              \
        for (size_t column = 0; column < PACK_PANEL; column += TILE_VECS(ROWS) * LANES)            \
            tile_columns(tile, column, ROWS, TILE_VECS(ROWS), PACK_HALF);                          \
    }

DEFINE_TILE(1)
DEFINE_TILE(2)
DEFINE_TILE(3)
DEFINE_TILE(4)
DEFINE_TILE(5)
DEFINE_TILE(6)

static void (*const tile_run[2][TILE_ROWS])(const Tile *) = {
    [PACK_REAL] = {tile_real_1, tile_real_2, tile_real_3, tile_real_4, tile_real_5, tile_real_6},
    [PACK_HALF] = {tile_half_1, tile_half_2, tile_half_3, tile_half_4, tile_half_5, tile_half_6},
};

/* A tile of which only the first `width` columns exist: worked out in a tile of its own. */
static void tile_narrow(const Tile *tile, size_t rows, size_t width, PackType type)
{
    float whole[TILE_ROWS * PACK_PANEL] = {0};
    Tile own = *tile;
    own.out = whole;
    own.out_stride = PACK_PANEL;
    if (!tile->fresh)
        for (size_t i = 0; i < rows; i++)
            memcpy(whole + i * PACK_PANEL, tile->out + i * tile->out_stride, width * sizeof *whole);
    tile_run[type][rows - 1](&own);
    for (size_t i = 0; i < rows; i++)
        memcpy(tile->out + i * tile->out_stride, whole + i * PACK_PANEL, width * sizeof *whole);
}

/* All rows of one block against one panel. Tiles of one or two rows wait for the panel rather than
 * for the multiplier, so 7 and 8 rows are better divided as 4 + 3 and 4 + 4. */
static void panel_run(Tile tile, size_t rows, size_t width, PackType type)
{
    while (rows > 0) {
        size_t now = rows > 8 || rows == 6 ? 6 : rows > 6 ? 4 : rows;
        if (width == PACK_PANEL)
            tile_run[type][now - 1](&tile);
        else
            tile_narrow(&tile, now, width, type);
        tile.out += now * tile.out_stride;
        tile.a += now * tile.a_stride;
        rows -= now;
    }
}

/* The size of a block when n are divided into equal ones of at most `most`, in whole units. */
static size_t block_size(size_t n, size_t most, size_t unit)
{
    size_t blocks = (n + most - 1) / most, size = blocks ? (n + blocks - 1) / blocks : 1;
    return (size + unit - 1) / unit * unit;
}

static void simd_product(float *out, int out_stride, const float *a, int a_stride, int rows,
                         const Pack *b, bool accumulate)
{
    size_t depth = (size_t)b->depth, cols = (size_t)b->cols, n = (size_t)rows;
    size_t item = b->type == PACK_HALF ? sizeof(uint16_t) : sizeof(float);
    /* One tile reads each panel once: then from end to end. */
    size_t depth_block = n <= TILE_ROWS ? depth : block_size(depth, DEPTH_BLOCK, 8);
    size_t row_block = block_size(n, ROW_BLOCK, TILE_ROWS);
    Tile tile = {.out_stride = (size_t)out_stride, .a_stride = (size_t)a_stride};
    for (size_t i = 0; i < n; i += row_block) {
        size_t height = n - i < row_block ? n - i : row_block;
        for (size_t k = 0; k < depth; k += depth_block) {
            tile.depth = depth - k < depth_block ? depth - k : depth_block;
            tile.fresh = k == 0 && !accumulate;
            tile.a = a + i * tile.a_stride + k;
            for (size_t j = 0; j < cols; j += PACK_PANEL) {
                tile.out = out + i * tile.out_stride + j;
                tile.b = (const char *)b->data + (j * depth + k * PACK_PANEL) * item;
                panel_run(tile, height, cols - j < PACK_PANEL ? cols - j : PACK_PANEL, b->type);
            }
        }
    }
}

/* exp, tanh, sigmoid ---------------------------------------------------------------------------
 *
 * The polynomials are those of Moshier's Cephes library (expf.c, tanhf.c).
 *
 * exp x = 2^n exp r, n = round(x / log 2), r = x - n log 2 in two parts, |r| <= 0.35;
 * exp r = 1 + r + r^2 P(r). */

#define EXP_LEAST (-87.336540f)   /* log of the smallest normal number, rounded inwards */
#define EXP_GREATEST (88.722835f) /* log of the largest, rounded inwards */

INLINE Vec vec_exp(Vec x)
{
    Vec bounded = vec_min(vec_all(EXP_GREATEST), vec_max(vec_all(EXP_LEAST), x)); /* NaN stays */
    Vec n = vec_round(vec_mul(bounded, vec_all(1.44269504088896341f)));
    Vec r = vec_fma_minus(n, vec_all(0.693359375f), bounded);
    r = vec_fma_minus(n, vec_all(-2.12194440e-4f), r);
    Vec p = vec_all(1.9875691500e-4f);
    p = vec_fma(p, r, vec_all(1.3981999507e-3f));
    p = vec_fma(p, r, vec_all(8.3334519073e-3f));
    p = vec_fma(p, r, vec_all(4.1665795894e-2f));
    p = vec_fma(p, r, vec_all(1.6666665459e-1f));
    p = vec_fma(p, r, vec_all(5.0000001201e-1f));
    Vec y = vec_scale(vec_add(vec_fma(p, vec_mul(r, r), r), vec_all(1)), n);
    y = vec_below(x, EXP_LEAST, vec_zero(), y);
    return vec_below(vec_sub(vec_zero(), x), -EXP_GREATEST, vec_all(INFINITY), y);
}

/* |x| < 0.625: x + x^3 P(x^2); beyond: (1 - e) / (1 + e) with e = exp(-2 |x|). The sign last. */
INLINE Vec vec_tanh(Vec x)
{
    Vec size = vec_abs(x), z = vec_mul(x, x);
    Vec p = vec_all(-5.70498872745e-3f);
    p = vec_fma(p, z, vec_all(2.06390887954e-2f));
    p = vec_fma(p, z, vec_all(-5.37397155531e-2f));
    p = vec_fma(p, z, vec_all(1.33314422036e-1f));
    p = vec_fma(p, z, vec_all(-3.33332819422e-1f));
    Vec near = vec_fma(vec_mul(p, z), size, size);
    Vec e = vec_exp(vec_mul(size, vec_all(-2)));
    Vec far = vec_div(vec_sub(vec_all(1), e), vec_add(vec_all(1), e));
    return vec_or(vec_below(size, 0.625f, near, far), vec_sign(x));
}

/* e = exp(-|x|): 1 / (1 + e) for x >= 0, e / (1 + e) below. */
INLINE Vec vec_sigmoid(Vec x)
{
    Vec e = vec_exp(vec_sub(vec_zero(), vec_abs(x)));
    return vec_div(vec_below(x, 0, e, vec_all(1)), vec_add(vec_all(1), e));
}

#define DEFINE_MAP(NAME)                                                                           \
    static void simd_##NAME(float *x, size_t n)                                                    \
    {                                                                                              \
        for (size_t i = 0; i < n; i += LANES)                                                      \
            vec_store(x + i, vec_##NAME(vec_load(x + i, n - i)), n - i);                           \
    }

DEFINE_MAP(exp)
DEFINE_MAP(tanh)
DEFINE_MAP(sigmoid)

/* Sums ---------------------------------------------------------------------------------------
 *
 * Number i goes to chain i % SUM_LANES; at the end chain c takes chain c + half, half = 32 .. 1. */

#define SUM_LANES 64
#define SUM_VECS (SUM_LANES / LANES)

INLINE float chains_end(Vec chain[SUM_VECS])
{
    float lane[LANES];
    for (int half = SUM_VECS / 2; half > 0; half /= 2)
        for (int v = 0; v < half; v++)
            chain[v] = vec_add(chain[v], chain[v + half]);
    vec_write(lane, chain[0]);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

#define EACH_CHAIN(v) UNROLL for (size_t v = 0; v < SUM_VECS; v++)

static float simd_sum(const float *x, size_t n)
{
    Vec chain[SUM_VECS];
    EACH_CHAIN(v)
        chain[v] = vec_zero();
    size_t whole = n - n % SUM_LANES;
    for (size_t i = 0; i < whole; i += SUM_LANES)
        EACH_CHAIN(v)
            chain[v] = vec_add(chain[v], vec_read(x + i + v * LANES));
    EACH_CHAIN(v) {
        size_t i = whole + v * LANES;
        if (i < n)
            chain[v] = vec_add(chain[v], vec_load(x + i, n - i));
    }
    return chains_end(chain);
}

static float simd_dot(const float *x, const float *y, size_t n)
{
    Vec chain[SUM_VECS];
    EACH_CHAIN(v)
        chain[v] = vec_zero();
    size_t whole = n - n % SUM_LANES;
    for (size_t i = 0; i < whole; i += SUM_LANES)
        EACH_CHAIN(v)
            chain[v] = vec_fma(vec_read(x + i + v * LANES), vec_read(y + i + v * LANES), chain[v]);
    EACH_CHAIN(v) {
        size_t i = whole + v * LANES;
        if (i < n)
            chain[v] = vec_fma(vec_load(x + i, n - i), vec_load(y + i, n - i), chain[v]);
    }
    return chains_end(chain);
}

/* A NaN is passed over here; the sum of the exponentials will be one. */
static float row_max(const float *x, size_t n)
{
    Vec max = vec_all(-INFINITY);
    for (size_t i = 0; i < n; i += LANES)
        max = vec_max(vec_fill(vec_load(x + i, n - i), vec_all(-INFINITY), n - i), max);
    float lane[LANES], greatest = -INFINITY;
    vec_write(lane, max);
    for (int l = 0; l < LANES; l++)
        greatest = lane[l] > greatest ? lane[l] : greatest;
    return greatest;
}

static float simd_softmax(float *x, size_t n)
{
    float max = row_max(x, n);
    Vec chain[SUM_VECS];
    EACH_CHAIN(v)
        chain[v] = vec_zero();
    for (size_t first = 0; first < n; first += SUM_LANES)
        EACH_CHAIN(v) {
            size_t i = first + v * LANES;
            if (i >= n)
                break;
            Vec y = vec_exp(vec_sub(vec_load(x + i, n - i), vec_all(max)));
            vec_store(x + i, y, n - i);
            chain[v] = vec_add(chain[v], vec_fill(y, vec_zero(), n - i));
        }
    float sum = chains_end(chain);
    Vec scale = vec_all(1 / sum);
    for (size_t i = 0; i < n; i += LANES)
        vec_store(x + i, vec_mul(vec_load(x + i, n - i), scale), n - i);
    return max + logf(sum);
}

/* Element by element -------------------------------------------------------------------------- */

static void simd_axpy(float *y, float a, const float *x, size_t n)
{
    Vec all = vec_all(a);
    for (size_t i = 0; i < n; i += LANES)
        vec_store(y + i, vec_fma(all, vec_load(x + i, n - i), vec_load(y + i, n - i)), n - i);
}

static void simd_add(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += LANES)
        vec_store(y + i, vec_add(vec_load(y + i, n - i), vec_load(x + i, n - i)), n - i);
}

/* The formula stands in kernel_plain.c. */
static void simd_adam(float *weight, const float *gradient, float *moment1, float *moment2,
                      size_t n, const AdamStep *step)
{
    Vec keep1 = vec_all(step->beta1), take1 = vec_all(1 - step->beta1);
    Vec keep2 = vec_all(step->beta2), take2 = vec_all(1 - step->beta2);
    Vec scale = vec_all(step->scale), epsilon = vec_all(step->epsilon);
    Vec rate = vec_all(step->rate * step->correct1), correct2 = vec_all(step->correct2);
    for (size_t i = 0; i < n; i += LANES) {
        size_t left = n - i;
        Vec g = vec_mul(vec_load(gradient + i, left), scale), square = vec_mul(g, g);
        Vec m1 = vec_fma(keep1, vec_load(moment1 + i, left), vec_mul(take1, g));
        Vec m2 = vec_fma(keep2, vec_load(moment2 + i, left), vec_mul(take2, square));
        Vec divisor = vec_add(vec_sqrt(vec_mul(m2, correct2)), epsilon);
        Vec w = vec_sub(vec_load(weight + i, left), vec_div(vec_mul(rate, m1), divisor));
        vec_store(moment1 + i, m1, left);
        vec_store(moment2 + i, m2, left);
        vec_store(weight + i, w, left);
    }
}

#if KERNEL_LANES == 16
const Kernel kernel_avx512 = {
    .name = "avx512",
#else
const Kernel kernel_avx2 = {
    .name = "avx2",
#endif
    .product = simd_product,
    .tanh = simd_tanh,
    .sigmoid = simd_sigmoid,
    .exp = simd_exp,
    .softmax = simd_softmax,
    .sum = simd_sum,
    .dot = simd_dot,
    .axpy = simd_axpy,
    .add = simd_add,
    .adam = simd_adam,
};
