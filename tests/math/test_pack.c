/* test_pack.c - the packed layout, transposing, and half precision. */
#include "suite.h"

#include "math/kernel_cases.h"

#include <math.h>
#include <stdlib.h>

static const int SIZES[] = {1, 7, 8, 15, 16, 17, 63, 64, 65, 130};

/* Half precision ------------------------------------------------------------------------------- */

/* What the bits say, without the tricks; finite only. */
static double half_value(unsigned h)
{
    unsigned exponent = h >> 10 & 31, fraction = h & 1023;
    double size = exponent ? ldexp(1024 + fraction, (int)exponent - 25) : ldexp(fraction, -24);
    return h & 0x8000 ? -size : size;
}

START_TEST(half_to_real_and_back)
{
    for (unsigned h = 0; h < 0x10000; h++) {
        real x = half_to_real((uint16_t)h);
        uint16_t back = half_from_real(x);
        EXPECT(!signbit(x) == !(h & 0x8000), "%04x", h);
        if ((h & 0x7FFF) > 0x7C00) {
            EXPECT(isnan(x), "%04x", h);
            EXPECT(back == (h | 0x200), "%04x came back as %04x", h, (unsigned)back);
            continue;
        }
        if ((h & 0x7FFF) == 0x7C00)
            ck_assert(isinf(x));
        else
            EXPECT((double)x == half_value(h), "%04x: %.9g", h, (double)x);
        EXPECT(back == h, "%04x came back as %04x", h, (unsigned)back);
    }
}
END_TEST

static real next(real x, double towards)
{
#ifdef REAL_IS_DOUBLE
    return nextafter(x, towards);
#else
    return nextafterf(x, (float)towards);
#endif
}

/* Between any two neighbours the middle goes to the even one, and what is just beside it to the
 * nearer; 65520 is the middle between the largest half and what would come after it. */
START_TEST(half_rounds_to_nearest_even)
{
    for (unsigned h = 0; h < 0x7C00; h++) {
        double above = h + 1 == 0x7C00 ? 65536 : half_value(h + 1);
        real middle = (real)((half_value(h) + above) / 2);
        unsigned even = h & 1 ? h + 1 : h;
        EXPECT(half_from_real(middle) == even, "%04x", h);
        EXPECT(half_from_real(next(middle, 0)) == h, "%04x", h);
        EXPECT(half_from_real(next(middle, 1e6)) == h + 1, "%04x", h);
        EXPECT(half_from_real(-middle) == (even | 0x8000), "%04x", h);
    }
    ck_assert_uint_eq(half_from_real((real)1e30), 0x7C00);
    ck_assert_uint_eq(half_from_real((real)-1e30), 0xFC00);
    ck_assert_uint_eq(half_from_real((real)1e-44), 0);
    ck_assert_uint_eq(half_from_real((real)-1e-44), 0x8000);
}
END_TEST

/* The instructions that widen inside a product do what half_to_real() does. */
START_TEST(half_in_a_product)
{
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    enum { N = 0x10000 };
    uint16_t *half = memory_take(N * sizeof *half);
    for (unsigned h = 0; h < N; h++)
        half[h] = (uint16_t)h;
    Arena arena = {0};
    Pack pack = pack_new(&arena, 1, N, PACK_HALF);
    pack_fill_half(&pack, 0, 1, half, N, false);
    real one = 1, *out = memory_take(N * sizeof *out);
    kernel->product(out, N, &one, 1, 1, &pack, false);
    for (unsigned h = 0; h < N; h++) {
        real right = half_to_real((uint16_t)h);
        EXPECT(out[h] == right || (isnan(out[h]) && isnan(right)), "%04x", h);
    }
    arena_free(&arena);
    free(half);
    free(out);
}
END_TEST

/* Layout --------------------------------------------------------------------------------------- */

/* Numbers that halves hold exactly and that name their place. */
static double number_at(int row, int col)
{
    return (row * 131 + col) % 2039 - 1000;
}

static double packed_at(const Pack *pack, int k, int j)
{
    int at = j / PACK_PANEL * pack->depth * PACK_PANEL + k * PACK_PANEL + j % PACK_PANEL;
    return pack->type == PACK_HALF ? (double)half_to_real(((const uint16_t *)pack->data)[at])
                                   : (double)((const real *)pack->data)[at];
}

static void check_layout(const Pack *pack)
{
    int width = (pack->cols + PACK_PANEL - 1) / PACK_PANEL * PACK_PANEL;
    for (int k = 0; k < pack->depth; k++)
        for (int j = 0; j < width; j++)
            EXPECT(packed_at(pack, k, j) == (j < pack->cols ? number_at(k, j) : 0),
                   "%dx%d: %d, %d", pack->depth, pack->cols, k, j);
}

/* Each column as it is looked up; nothing beyond out[depth] is written. */
static void check_columns(const Pack *pack)
{
    real *column = memory_take((size_t)(pack->depth + 1) * sizeof *column);
    for (int j = 0; j < pack->cols; j++) {
        column[pack->depth] = 12345;
        pack_column(pack, j, column);
        for (int k = 0; k < pack->depth; k++)
            EXPECT((double)column[k] == number_at(k, j), "%d, %d", k, j);
        EXPECT(column[pack->depth] == 12345, "column %d: wrote on", j);
    }
    free(column);
}

/* One shape from real and from half numbers, straight and transposed; whole, and in several goes. */
static void check_pack(int depth, int cols, bool transposed)
{
    int rows = transposed ? cols : depth, stride = (transposed ? depth : cols) + 3;
    size_t n = (size_t)rows * (size_t)stride;
    real *source = memory_take_zeros(n, sizeof *source);
    uint16_t *half = memory_take_zeros(n, sizeof *half);
    for (int k = 0; k < depth; k++)
        for (int j = 0; j < cols; j++) {
            int at = transposed ? j * stride + k : k * stride + j;
            source[at] = (real)number_at(k, j);
            half[at] = half_from_real(source[at]);
        }
    Arena arena = {0};
    Pack packs[] = {pack_new(&arena, depth, cols, PACK_REAL), pack_new(&arena, depth, cols, PACK_HALF)};
    for (size_t i = 0; i < 2 * COUNT(packs); i++) {
        Pack *pack = &packs[i / 2];
        int portion = i % 2 ? PACK_PANEL : rows;
        ck_assert(((uintptr_t)pack->data & 63) == 0);
        memset(pack->data, 0x55, pack_bytes(depth, cols, pack->type));
        for (int at = 0; at < rows; at += portion) {
            int now = rows - at < portion ? rows - at : portion;
            if (pack->type == PACK_REAL)
                pack_fill(pack, at, now, source + at * stride, stride, transposed);
            else
                pack_fill_half(pack, at, now, half + at * stride, stride, transposed);
        }
        check_layout(pack);
        check_columns(pack);
    }
    arena_free(&arena);
    free(source);
    free(half);
}

START_TEST(layout)
{
    for (size_t d = 0; d < COUNT(SIZES); d++)
        for (size_t j = 0; j < COUNT(SIZES); j++) {
            check_pack(SIZES[d], SIZES[j], false);
            check_pack(SIZES[d], SIZES[j], true);
        }
    ck_assert_uint_eq(pack_bytes(10, 65, PACK_REAL), 2 * 10 * 64 * sizeof(real));
    ck_assert_uint_eq(pack_bytes(10, 64, PACK_HALF), 10 * 64 * 2);
}
END_TEST

START_TEST(transpose)
{
    for (size_t r = 0; r < COUNT(SIZES); r++)
        for (size_t c = 0; c < COUNT(SIZES); c++) {
            int rows = SIZES[r], cols = SIZES[c], in_stride = cols + 2, out_stride = rows + 1;
            real *in = memory_take_zeros((size_t)(rows * in_stride), sizeof *in);
            real *out = memory_take_zeros((size_t)((cols + 1) * out_stride), sizeof *out);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < cols; j++)
                    in[i * in_stride + j] = (real)(number_at(i, j) + 5000);
            matrix_transpose(out, out_stride, in, in_stride, rows, cols);
            for (int j = 0; j <= cols; j++)
                for (int i = 0; i <= rows; i++)
                    if (j < cols || i < rows)
                        EXPECT((double)out[j * out_stride + i]
                                   == (j < cols && i < rows ? number_at(i, j) + 5000 : 0),
                               "%dx%d: %d, %d", rows, cols, i, j);
            free(in);
            free(out);
        }
}
END_TEST

Suite *pack_suite(void)
{
    Suite *suite = suite_create("pack");
    TCase *tcase = tcase_create("pack");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, half_to_real_and_back);
    tcase_add_test(tcase, half_rounds_to_nearest_even);
    tcase_add_loop_test(tcase, half_in_a_product, 0, (int)COUNT(KERNELS));
    tcase_add_test(tcase, layout);
    tcase_add_test(tcase, transpose);
    suite_add_tcase(suite, tcase);
    return suite;
}
