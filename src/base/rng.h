/* rng.h - a small random generator kept in a struct (splitmix64: Steele, Lea, Flood 2014).
 *
 *     Rng rng = rng_at(seed, step, sentence);    the same three numbers, the same draws, for ever
 *     double u = rng_uniform(&rng);              [0, 1)
 *
 * Every draw in this program is a function of a seed and of what it is for (step, sentence, place in
 * the network). So a resumed run needs no generator state, and no draw depends on which thread
 * makes it. The bodies stand here because dropout draws once per activation. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <math.h>
#include <stdint.h>

typedef struct {
    uint64_t state;
} Rng;

static inline uint64_t rng_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static inline Rng rng_at(uint64_t seed, uint64_t a, uint64_t b)
{
    const uint64_t odd = 0x9E3779B97F4A7C15u;
    return (Rng){rng_mix(rng_mix(rng_mix(seed + odd) + a * odd + 1) + b * odd + 2)};
}

static inline uint64_t rng_next(Rng *rng)
{
    return rng_mix(rng->state += 0x9E3779B97F4A7C15u);
}

/* Uniform in [0, 1), 53 bits. */
static inline double rng_uniform(Rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

/* Uniform in 0 .. n-1. The bias, n / 2^32, is below anything that training could notice. */
static inline uint32_t rng_below(Rng *rng, uint32_t n)
{
    return (uint32_t)(((rng_next(rng) >> 32) * n) >> 32);
}

/* Standard normal (Box and Muller 1958). */
static inline double rng_normal(Rng *rng)
{
    double u = 1 - rng_uniform(rng), v = rng_uniform(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

#endif
