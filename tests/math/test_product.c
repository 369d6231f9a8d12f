/* test_product.c - the matrix product of every kernel, against three loops in double. */
#include "suite.h"

#include "math/kernel_cases.h"

#include <math.h>
#include <stdlib.h>

static real *new_canaries(size_t n)
{
    real *x = memory_take(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = CANARY;
    return x;
}

typedef struct {
    int rows, depth, cols, a_stride, out_stride;
    real *a, *weights, *out, *wide; /* out: PACK_REAL; wide: what the half pack gave */
    Arena arena;
    Pack real, half, widened; /* real: of weights; half and widened: of weights rounded to halves */
} Case;

static Case case_new(int rows, int depth, int cols)
{
    Case c = {rows, depth, cols, .a_stride = depth + 5, .out_stride = cols + 3};
    size_t n = (size_t)depth * (size_t)cols, size = (size_t)(rows + 1) * (size_t)c.out_stride;
    c.a = new_filled((size_t)rows * (size_t)c.a_stride, 1);
    c.weights = new_filled(n, 2);
    c.out = new_canaries(size);
    c.wide = new_canaries(size);
    uint16_t *half = memory_take(n * sizeof *half);
    for (size_t i = 0; i < n; i++)
        half[i] = half_from_real(c.weights[i]);
    c.real = pack_new(&c.arena, depth, cols, PACK_REAL);
    c.half = pack_new(&c.arena, depth, cols, PACK_HALF);
    c.widened = pack_new(&c.arena, depth, cols, PACK_REAL);
    pack_fill(&c.real, 0, depth, c.weights, cols, false);
    pack_fill_half(&c.half, 0, depth, half, cols, false);
    real *wide = memory_take(n * sizeof *wide);
    for (size_t i = 0; i < n; i++)
        wide[i] = half_to_real(half[i]);
    pack_fill(&c.widened, 0, depth, wide, cols, false);
    free(wide);
    free(half);
    return c;
}

static void case_free(Case *c)
{
    free(c->a);
    free(c->weights);
    free(c->out);
    free(c->wide);
    arena_free(&c->arena);
}

/* Error of the product in units of the sum of absolute products. Largest observed over the shapes
 * below: 2.5e-7 in float; none in double, where both do the same. */
static void check_oracle(const Case *c)
{
    double worst = 0;
    for (int i = 0; i < c->rows; i++)
        for (int j = 0; j < c->cols; j++) {
            double sum = 0, size = 0;
            for (int k = 0; k < c->depth; k++) {
                double term = (double)c->a[i * c->a_stride + k];
                term *= (double)c->weights[k * c->cols + j];
                sum += term;
                size += fabs(term);
            }
            worst = fmax(worst, fabs((double)c->out[i * c->out_stride + j] - sum) / size);
        }
    ck_assert_msg(worst <= FLOAT_OR_DOUBLE(2e-6, 1e-14), "%dx%dx%d: %g", c->rows, c->depth, c->cols,
                  worst);
}

static void check_canaries(const Case *c, const real *out, int rows)
{
    for (int i = 0; i <= c->rows; i++)
        for (int j = i < rows ? c->cols : 0; j < c->out_stride; j++)
            EXPECT(out[i * c->out_stride + j] == CANARY, "%d rows: wrote %d, %d", rows, i, j);
}

/* Any number of rows gives the bits that all rows together gave. */
static void check_rows(const Case *c, const Kernel *kernel)
{
    static const int ROWS[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 32, 64};
    for (size_t r = 0; r < COUNT(ROWS); r++) {
        int rows = ROWS[r];
        if (rows > c->rows)
            break;
        int first = c->rows - rows; /* the last ones: they stood elsewhere in the tiles */
        real *out = new_canaries((size_t)(c->rows + 1) * (size_t)c->out_stride);
        kernel->product(out, c->out_stride, c->a + first * c->a_stride, c->a_stride, rows, &c->real,
                        false);
        check_canaries(c, out, rows);
        for (int i = 0; i < rows; i++)
            EXPECT(same_bits(out + i * c->out_stride, c->out + (first + i) * c->out_stride,
                             (size_t)c->cols),
                   "%s %dx%dx%d: row %d differs", kernel->name, rows, c->depth, c->cols, i);
        free(out);
    }
}

static void check_product(const Kernel *kernel, int rows, int depth, int cols)
{
    Case c = case_new(rows, depth, cols);
    size_t size = (size_t)rows * (size_t)c.out_stride;
    kernel->product(c.out, c.out_stride, c.a, c.a_stride, rows, &c.real, false);
    check_oracle(&c);
    check_canaries(&c, c.out, rows);
    check_rows(&c, kernel);
    kernel->product(c.wide, c.out_stride, c.a, c.a_stride, rows, &c.half, false);
    check_canaries(&c, c.wide, rows);
    kernel->product(c.out, c.out_stride, c.a, c.a_stride, rows, &c.widened, false);
    ck_assert_msg(same_bits(c.out, c.wide, size), "%s: half differs", kernel->name);
    kernel->product(c.wide, c.out_stride, c.a, c.a_stride, 1, &c.half, false);
    ck_assert(same_bits(c.out, c.wide, (size_t)c.cols));
    case_free(&c);
}

START_TEST(product)
{
    static const int DEPTHS[] = {1, 2, 3, 7, 64, 385, 1000}, COLS[] = {1, 5, 63, 64, 65, 130};
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    for (size_t d = 0; d < COUNT(DEPTHS); d++)
        for (size_t j = 0; j < COUNT(COLS); j++)
            check_product(kernel, 64, DEPTHS[d], COLS[j]);
    check_product(kernel, 397, 70, 65); /* several blocks of rows */
    check_product(kernel, 13, 2100, 33); /* several of depth */
    Case none = case_new(1, 3, 65);
    kernel->product(none.out, none.out_stride, none.a, none.a_stride, 0, &none.real, false);
    check_canaries(&none, none.out, 0);
    case_free(&none);
}
END_TEST

/* A chain broken off at any k and taken up again by accumulating has the same bits. */
START_TEST(accumulate)
{
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    enum { ROWS = 11, DEPTH = 600, COLS = 70 };
    Case c = case_new(ROWS, DEPTH, COLS);
    kernel->product(c.out, c.out_stride, c.a, c.a_stride, ROWS, &c.real, false);
    for (int at = 1; at < DEPTH; at += 199) {
        Pack first = pack_new(&c.arena, at, COLS, PACK_REAL);
        Pack rest = pack_new(&c.arena, DEPTH - at, COLS, PACK_REAL);
        pack_fill(&first, 0, at, c.weights, COLS, false);
        pack_fill(&rest, 0, DEPTH - at, c.weights + at * COLS, COLS, false);
        kernel->product(c.wide, c.out_stride, c.a, c.a_stride, ROWS, &first, false);
        kernel->product(c.wide, c.out_stride, c.a + at, c.a_stride, ROWS, &rest, true);
        check_canaries(&c, c.wide, ROWS);
        ck_assert_msg(same_bits(c.out, c.wide, (size_t)(ROWS * c.out_stride)), "broken at %d", at);
    }
    case_free(&c);
}
END_TEST

Suite *product_suite(void)
{
    Suite *suite = suite_create("product");
    TCase *tcase = tcase_create("product");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, product, 0, (int)COUNT(KERNELS));
    tcase_add_loop_test(tcase, accumulate, 0, (int)COUNT(KERNELS));
    suite_add_tcase(suite, tcase);
    return suite;
}
