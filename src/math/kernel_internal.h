/* kernel_internal.h - what the files of the kernel share: the instances that kernel_best() and
 * kernel_named() choose from, and half precision in bulk. */
#ifndef MATH_KERNEL_INTERNAL_H
#define MATH_KERNEL_INTERNAL_H

#include "math/kernel.h"

extern const Kernel kernel_plain;  /* kernel_plain.c; everywhere */
extern const Kernel kernel_avx2;   /* kernel_simd.c, 8 lanes; x86-64 in single precision only */
extern const Kernel kernel_avx512; /* kernel_simd.c, 16 lanes; the same */

/* half_to_real() of n numbers that do not overlap; in kernel.c. */
void half_widen(real *restrict out, const uint16_t *restrict in, size_t n);

#endif
