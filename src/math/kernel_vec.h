/* kernel_vec.h - the instructions that kernel_simd.c is written in, under one name for both sets.
 *
 *     KERNEL_LANES 16   AVX-512 F, DQ, BW, VL
 *     KERNEL_LANES  8   AVX2, FMA, F16C
 *
 * vec_load and vec_store take the count of numbers left and touch no more than those; what a short
 * load does not read is zero. vec_min and vec_max give the second when one of the two is NaN. */
#ifndef MATH_KERNEL_VEC_H
#define MATH_KERNEL_VEC_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define LANES KERNEL_LANES
#define INLINE static inline __attribute__((always_inline))

#if KERNEL_LANES == 16

typedef __m512 Vec;

#define vec_all(x) _mm512_set1_ps(x)
#define vec_zero() _mm512_setzero_ps()
#define vec_add(a, b) _mm512_add_ps(a, b)
#define vec_sub(a, b) _mm512_sub_ps(a, b)
#define vec_mul(a, b) _mm512_mul_ps(a, b)
#define vec_div(a, b) _mm512_div_ps(a, b)
#define vec_fma(a, b, c) _mm512_fmadd_ps(a, b, c)         /* a b + c */
#define vec_fma_minus(a, b, c) _mm512_fnmadd_ps(a, b, c)  /* c - a b */
#define vec_sqrt(a) _mm512_sqrt_ps(a)
#define vec_min(a, b) _mm512_min_ps(a, b)
#define vec_max(a, b) _mm512_max_ps(a, b)
#define vec_abs(a) _mm512_abs_ps(a)
#define vec_sign(a) _mm512_and_ps(a, vec_all(-0.0f))      /* the sign bit alone */
#define vec_or(a, b) _mm512_or_ps(a, b)
#define vec_read(p) _mm512_loadu_ps(p)
#define vec_write(p, a) _mm512_storeu_ps(p, a)
#define vec_widen(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(p)))

/* Where a < limit, x; elsewhere, also where a is NaN, y. */
INLINE Vec vec_below(Vec a, float limit, Vec x, Vec y)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, vec_all(limit), _CMP_LT_OQ), y, x);
}

/* a 2^n for the integer nearest to n, as an addition to the exponent of a. */
INLINE Vec vec_scale(Vec a, Vec n)
{
    __m512i exponent = _mm512_slli_epi32(_mm512_cvtps_epi32(n), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), exponent));
}

INLINE Vec vec_round(Vec a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE __mmask16 vec_first(size_t count)
{
    return (__mmask16)((1u << count) - 1);
}

INLINE Vec vec_load(const float *p, size_t left)
{
    return left >= LANES ? vec_read(p) : _mm512_maskz_loadu_ps(vec_first(left), p);
}

INLINE void vec_store(float *p, Vec a, size_t left)
{
    if (left >= LANES)
        vec_write(p, a);
    else
        _mm512_mask_storeu_ps(p, vec_first(left), a);
}

/* The first `left` numbers of a; y beyond. */
INLINE Vec vec_fill(Vec a, Vec y, size_t left)
{
    return left >= LANES ? a : _mm512_mask_blend_ps(vec_first(left), y, a);
}

#else

typedef __m256 Vec;

#define vec_all(x) _mm256_set1_ps(x)
#define vec_zero() _mm256_setzero_ps()
#define vec_add(a, b) _mm256_add_ps(a, b)
#define vec_sub(a, b) _mm256_sub_ps(a, b)
#define vec_mul(a, b) _mm256_mul_ps(a, b)
#define vec_div(a, b) _mm256_div_ps(a, b)
#define vec_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define vec_fma_minus(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define vec_sqrt(a) _mm256_sqrt_ps(a)
#define vec_min(a, b) _mm256_min_ps(a, b)
#define vec_max(a, b) _mm256_max_ps(a, b)
#define vec_abs(a) _mm256_andnot_ps(vec_all(-0.0f), a)
#define vec_sign(a) _mm256_and_ps(a, vec_all(-0.0f))
#define vec_or(a, b) _mm256_or_ps(a, b)
#define vec_read(p) _mm256_loadu_ps(p)
#define vec_write(p, a) _mm256_storeu_ps(p, a)
#define vec_widen(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p)))

INLINE Vec vec_below(Vec a, float limit, Vec x, Vec y)
{
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, vec_all(limit), _CMP_LT_OQ));
}

INLINE Vec vec_scale(Vec a, Vec n)
{
    __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), exponent));
}

INLINE Vec vec_round(Vec a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE __m256i vec_first(size_t count)
{
    __m256i place = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), place);
}

INLINE Vec vec_load(const float *p, size_t left)
{
    return left >= LANES ? vec_read(p) : _mm256_maskload_ps(p, vec_first(left));
}

INLINE void vec_store(float *p, Vec a, size_t left)
{
    if (left >= LANES)
        vec_write(p, a);
    else
        _mm256_maskstore_ps(p, vec_first(left), a);
}

INLINE Vec vec_fill(Vec a, Vec y, size_t left)
{
    return left >= LANES ? a : _mm256_blendv_ps(y, a, _mm256_castsi256_ps(vec_first(left)));
}

#endif

#endif
