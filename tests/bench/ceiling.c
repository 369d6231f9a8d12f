/* ceiling.c - what this machine can do at most: multiply-adds in registers, and reading, with vectors as
 * wide as the kernel's. */
#define _DEFAULT_SOURCE /* madvise */

#include "bench.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef KERNEL_X86
#include <immintrin.h>
#endif

/* Chains stay in registers only when the loops over them are unrolled completely. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define EACH(c, n) UNROLL for (int c = 0; c < (n); c++)

/* x = x / 2 + 1 / 2 in independent chains, enough of them to hide the latency of all multipliers; each starts
 * elsewhere, or the compiler would make one of them. Returns something that needs all. */
typedef float Chains(size_t rounds);

/* All of a block, whose size is a multiple of READ_STEP; returns something that needs every byte. */
typedef uint64_t ReadBlock(const char *block, size_t bytes);

#define READ_STEP 512

typedef struct {
    const char *name; /* the kernel's */
    Chains *chains;
    ReadBlock *read;
    double flop; /* of a round */
} Width;

#define CHAINS_AVX512 16 /* of 32 registers */
#define CHAINS_AVX2 12   /* of 16 */
#define CHAINS_PLAIN 12

#ifdef KERNEL_X86
__attribute__((target("avx512f"))) static float chains_avx512(size_t rounds)
{
    __m512 chain[CHAINS_AVX512], half = _mm512_set1_ps(0.5f);
    EACH(c, CHAINS_AVX512)
        chain[c] = _mm512_set1_ps((float)c);
    for (size_t i = 0; i < rounds; i++)
        EACH(c, CHAINS_AVX512)
            chain[c] = _mm512_fmadd_ps(chain[c], half, half);
    float lane[16], sum = 0;
    EACH(c, CHAINS_AVX512) {
        _mm512_storeu_ps(lane, chain[c]);
        sum += lane[0];
    }
    return sum;
}

__attribute__((target("avx512f"))) static uint64_t read_avx512(const char *block, size_t bytes)
{
    __m512i all[8];
    EACH(c, 8)
        all[c] = _mm512_setzero_si512();
    for (size_t i = 0; i < bytes; i += sizeof all)
        EACH(c, 8)
            all[c] = _mm512_or_si512(all[c], _mm512_loadu_si512(block + i + (size_t)c * sizeof *all));
    EACH(c, 7)
        all[0] = _mm512_or_si512(all[0], all[c + 1]);
    uint64_t lane[8];
    _mm512_storeu_si512(lane, all[0]);
    return lane[0];
}

__attribute__((target("avx2,fma"))) static float chains_avx2(size_t rounds)
{
    __m256 chain[CHAINS_AVX2], half = _mm256_set1_ps(0.5f);
    EACH(c, CHAINS_AVX2)
        chain[c] = _mm256_set1_ps((float)c);
    for (size_t i = 0; i < rounds; i++)
        EACH(c, CHAINS_AVX2)
            chain[c] = _mm256_fmadd_ps(chain[c], half, half);
    float lane[8], sum = 0;
    EACH(c, CHAINS_AVX2) {
        _mm256_storeu_ps(lane, chain[c]);
        sum += lane[0];
    }
    return sum;
}

__attribute__((target("avx2"))) static uint64_t read_avx2(const char *block, size_t bytes)
{
    __m256i all[8];
    EACH(c, 8)
        all[c] = _mm256_setzero_si256();
    for (size_t i = 0; i < bytes; i += sizeof all)
        EACH(c, 8) {
            const void *at = block + i + (size_t)c * sizeof *all;
            all[c] = _mm256_or_si256(all[c], _mm256_loadu_si256(at));
        }
    EACH(c, 7)
        all[0] = _mm256_or_si256(all[0], all[c + 1]);
    uint64_t lane[4];
    _mm256_storeu_si256((__m256i *)(void *)lane, all[0]);
    return lane[0];
}
#endif

/* Four floats, two integers: the vectors that a compiler has without being told of a processor. */
typedef float Four __attribute__((vector_size(16)));
typedef uint64_t Two __attribute__((vector_size(16)));

static float chains_plain(size_t rounds)
{
    Four chain[CHAINS_PLAIN], half = {0.5f, 0.5f, 0.5f, 0.5f};
    EACH(c, CHAINS_PLAIN)
        chain[c] = half * (float)c;
    for (size_t i = 0; i < rounds; i++)
        EACH(c, CHAINS_PLAIN)
            chain[c] = chain[c] * half + half;
    float sum = 0;
    EACH(c, CHAINS_PLAIN)
        sum += chain[c][0];
    return sum;
}

static uint64_t read_plain(const char *block, size_t bytes)
{
    Two all[8] = {0};
    for (size_t i = 0; i < bytes; i += sizeof all)
        EACH(c, 8)
            all[c] |= *(const Two *)(const void *)(block + i + (size_t)c * sizeof *all);
    EACH(c, 7)
        all[0] |= all[c + 1];
    return all[0][0];
}

static const Width widths[] = {
#ifdef KERNEL_X86
    {"avx512", chains_avx512, read_avx512, CHAINS_AVX512 * 16 * 2},
    {"avx2", chains_avx2, read_avx2, CHAINS_AVX2 * 8 * 2},
#endif
    {"plain", chains_plain, read_plain, CHAINS_PLAIN * 4 * 2},
};

static const Width *width_of(const Kernel *kernel)
{
    const Width *width = widths;
    while (width->chains != chains_plain && strcmp(width->name, kernel->name) != 0)
        width++;
    return width;
}

/* Multiply-adds ------------------------------------------------------------------------------- */

typedef struct {
    const Width *width;
    size_t rounds;
    float result[BENCH_CORES];
} PeakJob;

static void run_chains(void *data, int worker)
{
    PeakJob *job = data;
    job->result[worker] = job->width->chains(job->rounds);
}

double ceiling_peak(const Bench *bench, int cores)
{
    PeakJob job = {.width = width_of(bench->kernel), .rounds = bench->repeats < 5 ? 1 << 18 : 1 << 22};
    double begin = bench_now();
    pool_run(bench->pool[cores], run_chains, &job);
    return cores * job.width->flop * (double)job.rounds / (bench_now() - begin);
}

/* Reading ------------------------------------------------------------------------------------- */

typedef struct {
    const Width *width;
    const char *block;
    size_t bytes, apart, passes; /* worker w reads `bytes` from block + w * apart, again and again */
    uint64_t result[BENCH_CORES];
} ReadJob;

static void run_read(void *data, int worker)
{
    ReadJob *job = data;
    const char *block = job->block + (size_t)worker * job->apart;
    for (size_t i = 0; i < job->passes; i++)
        job->result[worker] |= job->width->read(block, job->bytes);
}

static double read_speed(const Bench *bench, const char *block, size_t apart, size_t bytes, int cores)
{
    size_t much = bench->repeats < 5 ? (size_t)1 << 27 : (size_t)1 << 31;
    ReadJob job = {.width = width_of(bench->kernel), .block = block, .bytes = bytes, .apart = apart};
    job.passes = 1; /* what fits in a cache is there after it */
    pool_run(bench->pool[cores], run_read, &job);
    job.passes = much / bytes;
    double begin = bench_now();
    pool_run(bench->pool[cores], run_read, &job);
    return (double)cores * (double)job.passes * (double)bytes / (bench_now() - begin);
}

/* Huge pages where they are to be had: a ceiling should not be one of page tables. */
static char *take_block(size_t bytes)
{
    void *block;
    if (posix_memalign(&block, (size_t)1 << 21, bytes) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    (void)madvise(block, bytes, MADV_HUGEPAGE); /* a wish: without it the block is as good */
#endif
    memset(block, 1, bytes);
    return block;
}

/* Half of the second-level cache, so that it holds all of it. */
static size_t half_l2(void)
{
    size_t bytes = bench_cache(2) ? bench_cache(2) : (size_t)1 << 19;
    return bytes / 2 / READ_STEP * READ_STEP;
}

static void add_row(Bench *bench, Buf *out, const char *name, const char *block, ReadLevel level,
                    size_t bytes)
{
    const size_t apart = (size_t)1 << 27;
    double value[BENCH_CORES + 1][BENCH_REPEATS];
    for (int r = 0; r < bench->repeats; r++)
        for (int cores = 1; cores <= BENCH_CORES; cores++)
            value[cores][r] = 1e-9 * (block ? read_speed(bench, block, apart, bytes, cores)
                                            : ceiling_peak(bench, cores));
    buf_format(out, "| %s", name);
    for (int cores = 1; cores <= BENCH_CORES; cores++) {
        Spread spread = bench_spread(value[cores], bench->repeats);
        buf_text(out, " | ");
        bench_add(out, spread, 0);
        if (block)
            bench->read[level][cores] = 1e9 * spread.median;
    }
    buf_text(out, " |\n");
}

void ceiling_section(Bench *bench, Buf *out)
{
    const size_t large = (size_t)1 << 27;
    char *block = take_block(BENCH_CORES * large);
    buf_text(out, "| ceilings | 1 core | 2 cores |\n|---|---|---|\n");
    add_row(bench, out, "fp32 multiply-add, GFLOP/s", NULL, READ_LEVELS, 0);
    if (!block) {
        buf_text(&bench->left_out, "No memory to measure reading with.\n");
        return;
    }
    Buf text = {0};
    buf_format(&text, "read from L2 (%zu KiB), GB/s", half_l2() / 1024);
    add_row(bench, out, text.data, block, READ_L2, half_l2());
    buf_free(&text);
    for (size_t mib = 2; mib <= 6; mib += 2) {
        buf_format(&text, "read from L3 (%zu MiB), GB/s", mib);
        add_row(bench, out, text.data, block, READ_L3, mib << 20);
        buf_free(&text);
    }
    add_row(bench, out, "read from memory (128 MiB), GB/s", block, READ_MEMORY, large);
    free(block);
}
