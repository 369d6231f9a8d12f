/* kernel.c - which kernel runs, how a matrix is packed, half precision; no products. */
#include "math/kernel.h"

#include "math/kernel_internal.h"

#include <assert.h>
#include <string.h>

#ifdef KERNEL_X86
#include <cpuid.h>
#endif

/* Which kernel ------------------------------------------------------------------------------- */

#ifdef KERNEL_X86
static bool has_f16c(void)
{
    unsigned a, b, c, d; /* clang's __builtin_cpu_supports does not know this one */
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
           && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

const Kernel *kernel_best(void)
{
#ifdef KERNEL_X86
    if (has_avx512())
        return &kernel_avx512;
    if (has_avx2())
        return &kernel_avx2;
#endif
    return &kernel_plain;
}

const Kernel *kernel_named(const char *name)
{
    if (strcmp(name, kernel_plain.name) == 0)
        return &kernel_plain;
#ifdef KERNEL_X86
    if (strcmp(name, kernel_avx2.name) == 0 && has_avx2())
        return &kernel_avx2;
    if (strcmp(name, kernel_avx512.name) == 0 && has_avx512())
        return &kernel_avx512;
#endif
    return NULL;
}

/* Transposing ---------------------------------------------------------------------------------
 *
 * In tiles of 8 rows by 16 columns: 8 cache lines are read whole, and the 16 pieces written stay in
 * the nearest cache until their neighbours are written, even where the stride is a power of two. A
 * tile is made of squares of 4 by 4, each turned in registers: pairs of rows are interleaved, and
 * their halves put together. */

#define TILE_ROWS 8
#define TILE_COLS 16
#define SQUARE 4

#define DEFINE_TRANSPOSE(NAME, TYPE)                                                               \
    typedef TYPE NAME##_four __attribute__((vector_size(SQUARE * sizeof(TYPE))));                  \
                                                                                                   \
    static inline void NAME##_square(TYPE *restrict out, size_t out_stride, const TYPE *restrict in, \
                                     size_t in_stride)                                             \
    {                                                                                              \
        NAME##_four row[SQUARE], pair[SQUARE], column[SQUARE];                                     \
        for (size_t i = 0; i < SQUARE; i++)                                                        \
            memcpy(&row[i], in + i * in_stride, sizeof row[i]);                                    \
        for (size_t i = 0; i < SQUARE; i += 2) {                                                   \
            pair[i] = __builtin_shufflevector(row[i], row[i + 1], 0, 4, 1, 5);                     \
            pair[i + 1] = __builtin_shufflevector(row[i], row[i + 1], 2, 6, 3, 7);                 \
        }                                                                                          \
        for (size_t i = 0; i < 2; i++) {                                                           \
            column[2 * i] = __builtin_shufflevector(pair[i], pair[i + 2], 0, 1, 4, 5);             \
            column[2 * i + 1] = __builtin_shufflevector(pair[i], pair[i + 2], 2, 3, 6, 7);         \
        }                                                                                          \
        for (size_t j = 0; j < SQUARE; j++)                                                        \
            memcpy(out + j * out_stride, &column[j], sizeof column[j]);                            \
    }                                                                                              \
                                                                                                   \
    static void NAME(TYPE *restrict out, size_t out_stride, const TYPE *restrict in,               \
                     size_t in_stride, size_t rows, size_t cols)                                   \
    {                                                                                              \
        size_t whole_rows = rows - rows % TILE_ROWS, whole_cols = cols - cols % TILE_COLS;         \
        for (size_t j = 0; j < whole_cols; j += TILE_COLS)                                         \
            for (size_t i = 0; i < whole_rows; i += TILE_ROWS)                                     \
                for (size_t c = j; c < j + TILE_COLS; c += SQUARE)                                 \
                    for (size_t r = i; r < i + TILE_ROWS; r += SQUARE)                             \
                        NAME##_square(out + c * out_stride + r, out_stride, in + r * in_stride + c, \
                                      in_stride);                                                  \
        for (size_t i = 0; i < rows; i++)                                                          \
            for (size_t j = i < whole_rows ? whole_cols : 0; j < cols; j++)                        \
                out[j * out_stride + i] = in[i * in_stride + j];                                   \
    }

DEFINE_TRANSPOSE(transpose_real, real)
DEFINE_TRANSPOSE(transpose_half, uint16_t)

void matrix_transpose(real *out, int out_stride, const real *in, int in_stride, int rows, int cols)
{
    assert(rows >= 0 && cols >= 0 && in_stride >= cols && out_stride >= rows);
    transpose_real(out, (size_t)out_stride, in, (size_t)in_stride, (size_t)rows, (size_t)cols);
}

/* Packing ------------------------------------------------------------------------------------ */

static size_t pack_item(PackType type)
{
    return type == PACK_HALF ? sizeof(uint16_t) : sizeof(real);
}

size_t pack_bytes(int depth, int cols, PackType type)
{
    assert(depth > 0 && cols > 0);
    size_t panels = ((size_t)cols + PACK_PANEL - 1) / PACK_PANEL;
    return panels * (size_t)depth * PACK_PANEL * pack_item(type);
}

Pack pack_new(Arena *arena, int depth, int cols, PackType type)
{
    return (Pack){depth, cols, type, arena_take(arena, pack_bytes(depth, cols, type))};
}

/* Columns that are really there in the panel that starts at column first. */
static size_t panel_width(const Pack *pack, size_t first)
{
    size_t left = (size_t)pack->cols - first;
    return left < PACK_PANEL ? left : PACK_PANEL;
}

/* Rows go to all panels a few at a time, so that few pages are open at once; columns panel by panel. */
#define ROWS_AT_ONCE 16

/* `panel` is the panel of the first column, `rows` by `width` numbers of it are filled. */
#define DEFINE_FILL(NAME, TYPE)                                                                    \
    static void NAME##_panel(TYPE *panel, const TYPE *source, size_t stride, size_t rows,          \
                             size_t width, bool transposed)                                        \
    {                                                                                              \
        if (transposed)                                                                            \
            transpose_##NAME(panel, PACK_PANEL, source, stride, width, rows);                      \
        else                                                                                       \
            for (size_t k = 0; k < rows; k++)                                                      \
                memcpy(panel + k * PACK_PANEL, source + k * stride, width * sizeof *panel);        \
        if (width < PACK_PANEL)                                                                    \
            for (size_t k = 0; k < rows; k++)                                                      \
                memset(panel + k * PACK_PANEL + width, 0, (PACK_PANEL - width) * sizeof *panel);   \
    }                                                                                              \
                                                                                                   \
    static void NAME##_fill(Pack *pack, size_t at, size_t n, const TYPE *source, size_t stride,    \
                            bool transposed)                                                       \
    {                                                                                              \
        TYPE *data = pack->data;                                                                   \
        size_t depth = (size_t)pack->depth, cols = (size_t)pack->cols;                             \
        for (size_t j = at; transposed && j < at + n; j += PACK_PANEL)                             \
            NAME##_panel(data + j * depth, source + (j - at) * stride, stride, depth,              \
                         panel_width(pack, j), true);                                              \
        for (size_t i = 0; !transposed && i < n; i += ROWS_AT_ONCE)                                \
            for (size_t j = 0; j < cols; j += PACK_PANEL)                                          \
                NAME##_panel(data + j * depth + (at + i) * PACK_PANEL, source + i * stride + j,    \
                             stride, n - i < ROWS_AT_ONCE ? n - i : ROWS_AT_ONCE,                  \
                             panel_width(pack, j), false);                                         \
    }

DEFINE_FILL(real, real)
DEFINE_FILL(half, uint16_t)

static bool fill_is_whole(const Pack *pack, int at, int n, int stride, bool transposed)
{
    int most = transposed ? pack->cols : pack->depth;
    return at >= 0 && n >= 0 && at + n <= most && stride >= (transposed ? pack->depth : pack->cols)
           && (!transposed || (at % PACK_PANEL == 0 && (n % PACK_PANEL == 0 || at + n == most)));
}

void pack_fill(Pack *pack, int at, int n, const real *source, int stride, bool transposed)
{
    assert(pack->type == PACK_REAL && fill_is_whole(pack, at, n, stride, transposed));
    real_fill(pack, (size_t)at, (size_t)n, source, (size_t)stride, transposed);
}

void pack_fill_half(Pack *pack, int at, int n, const uint16_t *source, int stride, bool transposed)
{
    assert(pack->type == PACK_HALF && fill_is_whole(pack, at, n, stride, transposed));
    half_fill(pack, (size_t)at, (size_t)n, source, (size_t)stride, transposed);
}

void pack_column(const Pack *pack, int column, real *out)
{
    assert(column >= 0 && column < pack->cols);
    size_t j = (size_t)column, depth = (size_t)pack->depth;
    size_t at = j / PACK_PANEL * PACK_PANEL * depth + j % PACK_PANEL;
    for (size_t k = 0; k < depth; k++, at += PACK_PANEL)
        out[k] = pack->type == PACK_HALF ? half_to_real(((const uint16_t *)pack->data)[at])
                                         : ((const real *)pack->data)[at];
}

/* Half precision: 1 sign, 5 exponent, 10 fraction bits; exponent bias 15 ----------------------- */

/* Through double, so that the double build rounds once too. A half is an integer times 2^-24 below
 * 2^-14; above, its 11 significant bits begin at the leading one. */
uint16_t half_from_real(real x)
{
    double wide = (double)x;
    uint64_t bits;
    memcpy(&bits, &wide, sizeof bits);
    unsigned sign = (unsigned)(bits >> 48) & 0x8000u;
    uint64_t magnitude = bits & UINT64_MAX >> 1, fraction = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(magnitude >> 52) - 1023;
    if (exponent > 15) {
        bool is_nan = exponent == 1024 && fraction;
        return (uint16_t)(sign | 0x7C00u | (is_nan ? 0x200u | (unsigned)(fraction >> 42) : 0u));
    }
    if (exponent < -25)
        return (uint16_t)sign;
    int shift = exponent < -14 ? 42 + (-14 - exponent) : 42; /* 42 to 53 */
    uint64_t significand = fraction | UINT64_C(1) << 52, tie = UINT64_C(1) << (shift - 1);
    uint64_t kept = significand >> shift, rest = significand & (2 * tie - 1);
    kept += rest > tie || (rest == tie && (kept & 1));
    /* A leading one in kept adds itself to the exponent, and so does a carry: also to infinity. */
    unsigned base = exponent < -14 ? 0u : (unsigned)(exponent + 14) << 10;
    return (uint16_t)(sign | (base + (unsigned)kept));
}

/* Exact. The exponent is moved to where float has it and its bias corrected by a multiplication,
 * which also normalises subnormals. Without branches, so that compilers can do several at once. */
static inline float widen(uint16_t h)
{
    uint32_t bits = (uint32_t)(h & 0x7FFF) << 13;
    uint32_t special = bits >= 0x1Fu << 23 ? 0xFFu << 23 : 0; /* infinity or NaN */
    float x;
    memcpy(&x, &bits, sizeof x);
    x *= 0x1p112f;
    memcpy(&bits, &x, sizeof bits);
    bits |= special | (uint32_t)(h & 0x8000) << 16;
    memcpy(&x, &bits, sizeof x);
    return x;
}

real half_to_real(uint16_t h)
{
    return (real)widen(h);
}

void half_widen(real *restrict out, const uint16_t *restrict in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (real)widen(in[i]);
}
