/* product.c - matrix products at the shapes of training and of decoding, beside OpenBLAS where it is
 * installed: a yardstick, nothing here depends on it. */
#include "bench.h"

#include "base/arena.h"
#include "base/rng.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* out[rows, cols] = a[rows, depth] b[depth, cols] */
typedef struct {
    int rows, depth, cols;
    const char *what;
} Shape;

static const Shape training[] = {
    {64, 896, 1536, "decoder gates, one step"},
    {32, 896, 1536, "the same, half a batch"},
    {1024, 384, 1536, "gates of all steps at once"},
    {640, 256, 8000, "output layer"},
    {640, 8000, 256, "its gradient, back to the states"},
    {256, 640, 1536, "gradient of a matrix"},
};

static const Shape decoding[] = {
    {1, 768, 2048, "decoder gates"},
    {5, 768, 2048, "decoder gates, beam of 5"},
    {1, 256, 5000, "output layer"},
    {5, 256, 5000, "output layer, beam of 5"},
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* cblas_sgemm, with the values of its enumerations: row-major 101, not transposed 111. */
typedef void Sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                   const float *a, int a_stride, const float *b, int b_stride, float beta, float *c,
                   int c_stride);
typedef void SetThreads(int threads);

typedef struct {
    const Kernel *kernel;
    Sgemm *sgemm; /* NULL: not installed */
    const Shape *shape;
    real *a, *b, *out;
    Arena arena;
    Pack pack;
} Job;

/* A symbol as a function: ISO C has no conversion for it, POSIX gives both the same size. */
static void *find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol;
}

static Sgemm *find_sgemm(void **library)
{
    Sgemm *sgemm = NULL;
    SetThreads *set_threads = NULL;
    *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!*library || !find(*library, "cblas_sgemm", &sgemm))
        return NULL;
    if (find(*library, "openblas_set_num_threads", &set_threads))
        set_threads(1);
    return sgemm;
}

static real *take_random(size_t n, uint64_t key)
{
    Rng rng = rng_at(1, key, n);
    real *x = memory_take(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(2 * rng_uniform(&rng) - 1);
    return x;
}

static void job_start(Job *job, const Shape *shape, PackType type)
{
    size_t rows = (size_t)shape->rows, depth = (size_t)shape->depth, cols = (size_t)shape->cols;
    job->shape = shape;
    job->a = take_random(rows * depth, 1);
    job->b = take_random(depth * cols, 2);
    job->out = memory_take_zeros(rows * cols, sizeof(real));
    job->pack = pack_new(&job->arena, shape->depth, shape->cols, type);
    if (type == PACK_REAL) {
        pack_fill(&job->pack, 0, shape->depth, job->b, shape->cols, false);
        return;
    }
    uint16_t *half = memory_take(depth * cols * sizeof *half);
    for (size_t i = 0; i < depth * cols; i++)
        half[i] = half_from_real(job->b[i]);
    pack_fill_half(&job->pack, 0, shape->depth, half, shape->cols, false);
    free(half);
}

static void job_end(Job *job)
{
    free(job->a);
    free(job->b);
    free(job->out);
    arena_free(&job->arena);
}

static void run_product(void *data)
{
    const Job *job = data;
    const Shape *s = job->shape;
    job->kernel->product(job->out, s->cols, job->a, s->depth, s->rows, &job->pack, false);
}

/* As OpenBLAS must do it: the right side is laid out for each product anew. */
static void run_packing(void *data)
{
    Job *job = data;
    pack_fill(&job->pack, 0, job->shape->depth, job->b, job->shape->cols, false);
    run_product(job);
}

static void run_sgemm(void *data)
{
    const Job *job = data;
    const Shape *s = job->shape;
    job->sgemm(101, 111, 111, s->rows, s->cols, s->depth, 1, job->a, s->depth, job->b, s->cols, 0,
               job->out, s->cols);
}

/* " | median (least..greatest)", or a dash when there is nothing. */
static void add_cell(Buf *out, double *value, int n, int digits)
{
    buf_text(out, " | ");
    if (value)
        bench_add(out, bench_spread(value, n), digits);
    else
        buf_text(out, "–");
}

static void add_training(const Bench *bench, Job *job, const Shape *shape, Buf *out)
{
    double own[BENCH_REPEATS], share[BENCH_REPEATS], packing[BENCH_REPEATS], blas[BENCH_REPEATS];
    double flop = 2.0 * shape->rows * shape->depth * shape->cols;
    job_start(job, shape, PACK_REAL);
    for (int r = 0; r < bench->repeats; r++) {
        double peak = ceiling_peak(bench, 1);
        own[r] = 1e-9 * flop / bench_seconds(run_product, job, bench->least);
        share[r] = 1e11 * own[r] / peak;
        packing[r] = 1e-9 * flop / bench_seconds(run_packing, job, bench->least);
        blas[r] = job->sgemm ? 1e-9 * flop / bench_seconds(run_sgemm, job, bench->least) : 0;
    }
    buf_format(out, "| %d x %d x %d, %s", shape->rows, shape->depth, shape->cols, shape->what);
    add_cell(out, own, bench->repeats, 0);
    add_cell(out, share, bench->repeats, 0);
    add_cell(out, packing, bench->repeats, 0);
    add_cell(out, job->sgemm ? blas : NULL, bench->repeats, 0);
    buf_text(out, " |\n");
    job_end(job);
}

/* A few rows wait for the weights: what counts is how fast those are read. They come from the third-level
 * cache, as in a program that goes on from one product to the next. */
static void add_decoding(const Bench *bench, Job *job, const Shape *shape, PackType type, Buf *out)
{
    double micro[BENCH_REPEATS], gigabytes[BENCH_REPEATS], read[BENCH_REPEATS];
    double share[BENCH_REPEATS], blas[BENCH_REPEATS];
    double flop = 2.0 * shape->rows * shape->depth * shape->cols;
    double bytes = (type == PACK_HALF ? 2.0 : 4.0) * shape->depth * shape->cols;
    bool beside = job->sgemm && type == PACK_REAL;
    job_start(job, shape, type);
    for (int r = 0; r < bench->repeats; r++) {
        double peak = ceiling_peak(bench, 1), seconds = bench_seconds(run_product, job, bench->least);
        micro[r] = 1e6 * seconds;
        gigabytes[r] = 1e-9 * bytes / seconds;
        read[r] = 100 * bytes / seconds / bench->read[READ_L3][1];
        share[r] = 100 * flop / seconds / peak;
        blas[r] = beside ? 1e6 * bench_seconds(run_sgemm, job, bench->least) : 0;
    }
    buf_format(out, "| %d x %d x %d, %s, %s", shape->rows, shape->depth, shape->cols, shape->what,
               type == PACK_HALF ? "half" : "real");
    add_cell(out, micro, bench->repeats, 0);
    add_cell(out, gigabytes, bench->repeats, 0);
    add_cell(out, bench->read[READ_L3][1] > 0 ? read : NULL, bench->repeats, 0);
    add_cell(out, share, bench->repeats, 0);
    add_cell(out, beside ? blas : NULL, bench->repeats, 0);
    buf_text(out, " |\n");
    job_end(job);
}

void product_section(Bench *bench, Buf *out)
{
    void *library;
    Job job = {.kernel = bench->kernel, .sgemm = find_sgemm(&library)};
    if (!job.sgemm)
        buf_text(&bench->left_out, "No libopenblas.so.0: its columns are left out.\n");
    buf_text(out, "| products in training, one core: rows x depth x columns | GFLOP/s | % of multiply-add "
                  "| GFLOP/s, packed each time | OpenBLAS, GFLOP/s |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < COUNT(training); i++)
        add_training(bench, &job, &training[i], out);
    buf_text(out, "\n| products in decoding, one core: rows x depth x columns | µs | GB/s | % of reading "
                  "from L3 | % of multiply-add | OpenBLAS, µs |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < COUNT(decoding); i++)
        for (PackType type = PACK_REAL; type <= PACK_HALF; type++)
            add_decoding(bench, &job, &decoding[i], type, out);
    if (library)
        dlclose(library);
}
