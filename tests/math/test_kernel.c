/* test_kernel.c - exp, tanh, sigmoid, rows, sums and Adam of every kernel, against double.
 *
 * Products are in test_product.c, packing and half precision in test_pack.c. */
#include "suite.h"

#include "math/kernel_cases.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define INFINITE ((double)INFINITY)
#define UNDEFINED ((double)NAN)
#define LEAST FLOAT_OR_DOUBLE(FLT_MIN, DBL_MIN)
#define MOST FLOAT_OR_DOUBLE(FLT_MAX, DBL_MAX)

START_TEST(names)
{
    ck_assert_ptr_null(kernel_named("sse"));
    ck_assert_ptr_null(kernel_named(""));
    const Kernel *best = NULL;
    for (size_t i = 0; i < COUNT(KERNELS); i++) {
        const Kernel *kernel = kernel_named(KERNELS[i]);
        if (kernel) {
            ck_assert_str_eq(kernel->name, KERNELS[i]);
            best = kernel;
        }
    }
    ck_assert_ptr_nonnull(kernel_named("plain"));
    ck_assert_ptr_eq(kernel_best(), best);
}
END_TEST

/* exp, tanh, sigmoid --------------------------------------------------------------------------- */

typedef void (*Map)(real *x, size_t n);

static real at(Map map, double x)
{
    real y = (real)x;
    map(&y, 1);
    return y;
}

/* Largest observed: 8.2e-8 in float; nothing in double, where it is the C library's. */
START_TEST(exp_is_accurate)
{
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    enum { N = 200001 };
    real *x = memory_take(N * sizeof *x), *y = memory_take(N * sizeof *y);
    double range = 1.02 * log((double)MOST), worst = 0;
    for (int i = 0; i < N; i++)
        x[i] = y[i] = (real)(range * (2.0 * i / (N - 1) - 1));
    kernel->exp(y, N);
    for (int i = 0; i < N; i++) {
        double right = exp((double)x[i]);
        if ((double)x[i] < log((double)LEAST) * (1 + 1e-7))
            EXPECT(y[i] == 0, "exp %g: %g", (double)x[i], (double)y[i]);
        else if ((double)x[i] > log((double)MOST) * (1 + 1e-7))
            EXPECT(isinf(y[i]), "exp %g: %g", (double)x[i], (double)y[i]);
        else
            worst = fmax(worst, fabs((double)y[i] - right) / right);
    }
    ck_assert_msg(worst <= 3e-7, "%g", worst);
    ck_assert(at(kernel->exp, 0) == 1 && at(kernel->exp, -0.0) == 1);
    ck_assert(at(kernel->exp, -INFINITE) == 0 && isinf(at(kernel->exp, INFINITE)));
    ck_assert(isnan(at(kernel->exp, UNDEFINED)));
    ck_assert(!isinf(at(kernel->exp, log((double)MOST) * (1 - 1e-6))));
    ck_assert(at(kernel->exp, log((double)LEAST) * (1 - 1e-6)) >= LEAST);
    free(x);
    free(y);
}
END_TEST

/* Largest observed in float: 1.6e-7 relative. */
START_TEST(tanh_is_accurate)
{
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    for (double x = 1e-30; x < 30; x *= 1.0003) {
        real y = at(kernel->tanh, x), mirrored = -at(kernel->tanh, -x);
        double right = tanh((double)(real)x);
        EXPECT(fabs((double)y - right) <= 3e-7 * right, "%g: %.9g", x, (double)y);
        EXPECT(same_bits(&y, &mirrored, 1) && y <= 1, "%g", x);
    }
    ck_assert(at(kernel->tanh, 0) == 0 && signbit(at(kernel->tanh, -0.0)));
    ck_assert(at(kernel->tanh, INFINITE) == 1 && at(kernel->tanh, -INFINITE) == -1);
    ck_assert(at(kernel->tanh, 1e30) == 1 && isnan(at(kernel->tanh, UNDEFINED)));
}
END_TEST

/* Largest observed in float: 1.8e-7 relative, where the value is a normal number. */
START_TEST(sigmoid_is_accurate)
{
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    for (double x = -87; x < 120; x += 0.003) {
        double right = 1 / (1 + exp(-(double)(real)x)), y = (double)at(kernel->sigmoid, x);
        EXPECT(fabs(y - right) <= 4e-7 * right, "%g: %.9g", x, y);
    }
    ck_assert(at(kernel->sigmoid, 0) == (real)0.5 && at(kernel->sigmoid, 1e30) == 1);
    ck_assert(at(kernel->sigmoid, INFINITE) == 1 && at(kernel->sigmoid, -INFINITE) == 0);
    ck_assert(at(kernel->sigmoid, -1000) == 0 && isnan(at(kernel->sigmoid, UNDEFINED)));
    ck_assert((double)at(kernel->sigmoid, -100) < 1e-37);
}
END_TEST

/* Whatever stands around it, a number has one result; nothing outside the n is written. */
START_TEST(place_does_not_matter)
{
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    const Map maps[] = {kernel->exp, kernel->tanh, kernel->sigmoid};
    for (size_t m = 0; m < COUNT(maps); m++)
        for (size_t n = 0; n <= 70; n++) {
            real x[72], y[72];
            fill(x, 72, n);
            for (size_t i = 0; i < 72; i++)
                y[i] = x[i] *= 5;
            maps[m](y + 1, n);
            for (size_t i = 1; i <= n; i++)
                maps[m](x + i, 1);
            EXPECT(same_bits(x, y, 72), "map %zu of %zu numbers", m, n);
        }
}
END_TEST

/* Rows and sums -------------------------------------------------------------------------------- */

/* Largest observed in float: for a probability 4.7e-7 (1 + d / 10) of itself, d below the greatest:
 * the rounding of d itself shows; for the result 8e-8. */
static void check_softmax(const Kernel *kernel, size_t n, double scale, double shift)
{
    real *x = new_filled(n, 3), *y = memory_take((n + 1) * sizeof *y);
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] = (real)(scale * (double)x[i] + shift);
    y[n] = CANARY;
    double max = -INFINITE, sum = 0, total = 0, result = (double)kernel->softmax(y, n);
    for (size_t i = 0; i < n; i++)
        max = fmax(max, (double)x[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp((double)x[i] - max);
    for (size_t i = 0; i < n; i++) {
        double right = exp((double)x[i] - max) / sum;
        EXPECT(fabs((double)y[i] - right) <= (1e-6 + 1e-7 * (max - (double)x[i])) * right + 1e-37,
               "%zu of %zu: %g, not %g", i, n, (double)y[i], right);
        total += (double)y[i];
    }
    ck_assert_double_le(fabs(total - 1), 2e-6);
    ck_assert_double_le(fabs(result - (max + log(sum))), 1e-6 * (fabs(max) + log(sum)));
    ck_assert(y[n] == CANARY);
    free(x);
    free(y);
}

START_TEST(softmax)
{
    static const size_t SIZES[] = {1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 200, 1000, 8000};
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    for (size_t i = 0; i < COUNT(SIZES); i++) {
        check_softmax(kernel, SIZES[i], 1, 0);
        check_softmax(kernel, SIZES[i], 30, 0);
        check_softmax(kernel, SIZES[i], 5, 1e4);
        check_softmax(kernel, SIZES[i], 5, -1e4);
    }
    real one_out[] = {0, (real)-INFINITY, 0};
    ck_assert_double_le(fabs((double)kernel->softmax(one_out, 3) - log(2)), 1e-7);
    ck_assert(one_out[0] == (real)0.5 && one_out[1] == 0 && one_out[2] == (real)0.5);
    for (size_t n = 1; n < 140; n += 23) /* what is not finite shows, wherever it stands */
        for (size_t i = 0; i < n; i++) {
            real x[140] = {0};
            x[i] = (real)NAN;
            EXPECT(isnan(kernel->softmax(x, n)), "a NaN at %zu of %zu", i, n);
            memset(x, 0, sizeof x);
            x[i] = (real)INFINITY;
            EXPECT(!isfinite(kernel->softmax(x, n)), "infinity at %zu of %zu", i, n);
        }
}
END_TEST

/* Largest observed in float, in units of the sum of absolute terms: 7e-8. */
START_TEST(sums)
{
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    real *x = new_filled(401, 4), *y = new_filled(401, 5), moved[402], into[402], added[402];
    for (size_t n = 0; n <= 400; n++) {
        double sum = 0, dot = 0, size = 0, dot_size = 0;
        for (size_t i = 0; i < n; i++) {
            double a = (double)x[i], b = (double)y[i];
            sum += a;
            size += fabs(a);
            dot += a * b;
            dot_size += fabs(a * b);
        }
        memcpy(moved + 1, x, n * sizeof *x); /* another alignment, the same bits */
        real got[] = {kernel->sum(x, n), kernel->dot(x, y, n)};
        real again[] = {kernel->sum(moved + 1, n), kernel->dot(y, moved + 1, n)};
        EXPECT(same_bits(got, again, 2), "%zu", n);
        ck_assert_double_le(fabs((double)got[0] - sum), 1e-6 * size);
        ck_assert_double_le(fabs((double)got[1] - dot), 1e-6 * dot_size);
        memcpy(into, y, sizeof(real) * 401);
        memcpy(added, y, sizeof(real) * 401);
        kernel->axpy(into, (real)0.3, x, n);
        kernel->add(added, x, n);
        for (size_t i = 0; i < 401; i++) {
            double right = (double)y[i] + (i < n ? (double)(real)0.3 * (double)x[i] : 0);
            EXPECT(fabs((double)into[i] - right) <= 2e-7, "axpy %zu of %zu", i, n);
            EXPECT(added[i] == (i < n ? y[i] + x[i] : y[i]), "add %zu of %zu", i, n);
        }
    }
    free(x);
    free(y);
}
END_TEST

/* Adam ---------------------------------------------------------------------------------------- */

/* Five updates against the formula in double. Largest observed in float: 7e-8 of a weight, and
 * for the moments 2e-7 of the largest. */
START_TEST(adam)
{
    const Kernel *kernel = kernel_named(KERNELS[_i]);
    if (!kernel)
        return;
    enum { N = 37 };
    real weight[N + 1], gradient[N], before[N], moment1[N + 1] = {0}, moment2[N + 1] = {0};
    double w[N], m1[N] = {0}, m2[N] = {0}, scale = 0.25, rate = 1e-2;
    fill(weight, N, 6);
    weight[N] = moment1[N] = moment2[N] = CANARY;
    for (int i = 0; i < N; i++)
        w[i] = (double)weight[i];
    for (int t = 1; t <= 5; t++) {
        double correct1 = 1 / (1 - pow(0.9, t)), correct2 = 1 / (1 - pow(0.98, t));
        AdamStep step = {(real)rate, (real)0.9, (real)0.98, (real)1e-3, (real)correct1,
                         (real)correct2, (real)scale};
        fill(gradient, N, (uint64_t)t + 10);
        memcpy(before, gradient, sizeof before);
        kernel->adam(weight, gradient, moment1, moment2, N, &step);
        ck_assert(same_bits(before, gradient, N));
        for (int i = 0; i < N; i++) {
            double g = scale * (double)gradient[i];
            m1[i] = 0.9 * m1[i] + (1 - 0.9) * g;
            m2[i] = 0.98 * m2[i] + (1 - 0.98) * g * g;
            w[i] -= rate * (m1[i] * correct1) / (sqrt(m2[i] * correct2) + 1e-3);
            ck_assert_double_le(fabs((double)weight[i] - w[i]), 3e-7);
            ck_assert_double_le(fabs((double)moment1[i] - m1[i]), 1e-7);
            ck_assert_double_le(fabs((double)moment2[i] - m2[i]), 1e-8);
        }
    }
    ck_assert(weight[N] == CANARY && moment1[N] == CANARY && moment2[N] == CANARY);
}
END_TEST

/* The two vector kernels ----------------------------------------------------------------------- */

typedef struct {
    real out[33 * 130], map[3][1000], row[1000], result[3], weight[1000];
} Everything;

static void run_everything(const Kernel *kernel, Everything *all)
{
    real *a = new_filled(33 * 700, 1), *b = new_filled(700 * 130, 2);
    Arena arena = {0};
    Pack pack = pack_new(&arena, 700, 130, PACK_REAL);
    pack_fill(&pack, 0, 700, b, 130, false);
    kernel->product(all->out, 130, a, 700, 33, &pack, false);
    arena_free(&arena);
    free(a);
    free(b);
    const Map maps[] = {kernel->exp, kernel->tanh, kernel->sigmoid};
    for (int m = 0; m < 3; m++) {
        fill(all->map[m], 1000, 7);
        maps[m](all->map[m], 1000 - (size_t)m);
    }
    real gradient[1000], moment1[1000] = {0}, moment2[1000] = {0};
    fill(all->row, 1000, 8);
    fill(all->weight, 1000, 9);
    fill(gradient, 1000, 10);
    all->result[0] = kernel->softmax(all->row, 999);
    all->result[1] = kernel->sum(gradient, 997);
    all->result[2] = kernel->dot(gradient, all->weight, 995);
    AdamStep step = {(real)0.01, (real)0.9, (real)0.99, (real)1e-8, 10, 100, (real)0.3};
    kernel->adam(all->weight, gradient, moment1, moment2, 993, &step);
    kernel->axpy(all->weight, (real)0.7, moment1, 991);
}

START_TEST(vector_kernels_agree)
{
    const Kernel *narrow = kernel_named("avx2"), *wide = kernel_named("avx512");
    if (!narrow || !wide)
        return;
    Everything *a = memory_take_zeros(2, sizeof *a), *b = a + 1;
    run_everything(narrow, a);
    run_everything(wide, b);
    ck_assert(memcmp(a, b, sizeof *a) == 0);
    free(a);
}
END_TEST

Suite *kernel_suite(void)
{
    Suite *suite = suite_create("kernel");
    TCase *tcase = tcase_create("kernel");
    int kernels = (int)COUNT(KERNELS);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, names);
    tcase_add_loop_test(tcase, exp_is_accurate, 0, kernels);
    tcase_add_loop_test(tcase, tanh_is_accurate, 0, kernels);
    tcase_add_loop_test(tcase, sigmoid_is_accurate, 0, kernels);
    tcase_add_loop_test(tcase, place_does_not_matter, 0, kernels);
    tcase_add_loop_test(tcase, softmax, 0, kernels);
    tcase_add_loop_test(tcase, sums, 0, kernels);
    tcase_add_loop_test(tcase, adam, 0, kernels);
    tcase_add_test(tcase, vector_kernels_agree);
    suite_add_tcase(suite, tcase);
    return suite;
}
