/* bench.h - what the parts of `make bench` share: the clock, medians, and the sections of the report.
 *
 *     double value[BENCH_REPEATS];
 *     for (int r = 0; r < bench->repeats; r++)
 *         value[r] = 1e6 * bench_seconds(work, &job, bench->least);
 *     bench_add(out, bench_spread(value, bench->repeats), 1);          "12.3 (11.9..13.0)"
 *
 * A section appends a Markdown table to a Buf. It names what it could not measure in `left_out`. The
 * clock of a machine drifts, so a share of the peak is the median of quotients whose two halves were
 * measured one right after the other. */
#ifndef BENCH_H
#define BENCH_H

#include "base/buf.h"
#include "base/pool.h"
#include "math/kernel.h"

#include <stdbool.h>
#include <stddef.h>

#define BENCH_REPEATS 9
#define BENCH_CORES 2

_Static_assert(sizeof(real) == sizeof(float), "speeds are those of single precision");

typedef enum { READ_L2, READ_L3, READ_MEMORY, READ_LEVELS } ReadLevel;

typedef struct {
    const char *translate, *model; /* paths */
    bool full;                     /* take minutes where that shows more */
    bool has_model;
    int repeats;                   /* each figure is the median of so many */
    double least;                  /* seconds that one repetition takes at least */
    const Kernel *kernel;
    Pool *pool[BENCH_CORES + 1];   /* [n] has n workers */
    double read[READ_LEVELS][BENCH_CORES + 1]; /* bytes a second, set by ceiling_section */
    Buf left_out;                  /* lines for the end of the report */
} Bench;

typedef struct {
    double median, least, greatest;
} Spread;

double bench_now(void); /* seconds */

/* Bytes of the data cache of that level as the first processor sees it; 0 when the system does not say. */
size_t bench_cache(int level);

/* Sorts value[0 .. n-1]. */
Spread bench_spread(double *value, int n);

/* Appends "median (least..greatest)" with so many digits behind the point. */
void bench_add(Buf *out, Spread spread, int digits);

/* Seconds that a call of work takes, from as many calls as take `least` seconds together. */
typedef void BenchWork(void *data);
double bench_seconds(BenchWork *work, void *data, double least);

/* Multiply-adds of the kernel's width in registers, on 1 or 2 cores at once: FLOP a second, measured
 * anew in about 10 ms. */
double ceiling_peak(const Bench *bench, int cores);

void ceiling_section(Bench *bench, Buf *out);
void product_section(Bench *bench, Buf *out);
void training_section(Bench *bench, Buf *out);
void process_section(Bench *bench, Buf *out);
void loading_section(Bench *bench, Buf *out);

#endif
