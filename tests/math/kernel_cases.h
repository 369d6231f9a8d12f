/* kernel_cases.h - what the tests of the kernels share. They loop over KERNELS; a kernel that this
 * processor or this build lacks is passed over. */
#ifndef TESTS_MATH_KERNEL_CASES_H
#define TESTS_MATH_KERNEL_CASES_H

#include "base/arena.h"
#include "base/rng.h"
#include "math/kernel.h"

#include <check.h>
#include <string.h>

/* For inner loops: ck_assert_msg() makes a system call each time, this only when it fails. */
#define EXPECT(condition, ...)          \
    do {                                \
        if (!(condition))               \
            ck_abort_msg(__VA_ARGS__);  \
    } while (0)

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Thresholds are for float; the double build has its own. */
#ifdef REAL_IS_DOUBLE
#define FLOAT_OR_DOUBLE(f, d) (d)
#else
#define FLOAT_OR_DOUBLE(f, d) (f)
#endif

#define CANARY ((real)12345) /* stands where nothing may be written */

static const char *const KERNELS[] = {"plain", "avx2", "avx512"};

/* Uniform in [-1, 1). */
static inline void fill(real *x, size_t n, uint64_t seed)
{
    Rng rng = rng_at(seed, n, 0);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(2 * rng_uniform(&rng) - 1);
}

static inline real *new_filled(size_t n, uint64_t seed)
{
    real *x = memory_take(n * sizeof *x);
    fill(x, n, seed);
    return x;
}

static inline bool same_bits(const real *x, const real *y, size_t n)
{
    return memcmp(x, y, n * sizeof *x) == 0;
}

#endif
