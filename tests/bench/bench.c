/* bench.c - `make bench`: this machine's ceilings and this program, measured in one run.
 *
 *     bench TRANSLATE MODEL [quick | full]
 *
 * quick: few and short repetitions, to see that it runs. full: also whether memory stays flat. The report is
 * Markdown on standard output; what is being measured is told on standard error. Run it from the top of the
 * tree, on a machine that has nothing else to do. */
#define _DEFAULT_SOURCE /* getloadavg */

#include "bench.h"

#include "base/err.h"
#include "base/program.h"
#include "model/translator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

Spread bench_spread(double *value, int n)
{
    qsort(value, (size_t)n, sizeof *value, compare);
    return (Spread){(value[(n - 1) / 2] + value[n / 2]) / 2, value[0], value[n - 1]};
}

void bench_add(Buf *out, Spread spread, int digits)
{
    buf_format(out, "%.*f (%.*f..%.*f)", digits, spread.median, digits, spread.least, digits,
               spread.greatest);
}

double bench_seconds(BenchWork *work, void *data, double least)
{
    for (double calls = 1;;) {
        double begin = bench_now();
        for (double i = 0; i < calls; i++)
            work(data);
        double seconds = bench_now() - begin;
        if (seconds >= least)
            return seconds / calls;
        calls = seconds < least / 64 ? 32 * calls : ceil(1.1 * calls * least / seconds);
    }
}

/* The machine ----------------------------------------------------------------------------------- */

/* "model name : X" of /proc/cpuinfo, or the machine's type. */
static void add_processor(Buf *out, const char *machine)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    size_t before = out->size;
    while (file && out->size == before && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (value && strncmp(line, "model name", 10) == 0) {
            value[strcspn(value, "\n")] = '\0';
            buf_text(out, value + 1 + strspn(value + 1, " "));
        }
    }
    if (file)
        fclose(file);
    if (out->size == before)
        buf_text(out, machine);
}

/* The number at the start of a file of one line, such as "1024K"; 0 when there is none. */
static size_t number_in(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[32] = "";
    if (file && !fgets(line, sizeof line, file))
        line[0] = '\0';
    if (file)
        fclose(file);
    return strtoul(line, NULL, 10);
}

size_t bench_cache(int level)
{
    char path[80];
    for (int i = 2; i < 6; i++) { /* 0 and 1 are of the first level */
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", i);
        if (number_in(path) != (size_t)level)
            continue;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i);
        return 1024 * number_in(path);
    }
    return 0;
}

static void machine_section(const Bench *bench, double load, Buf *out)
{
    struct utsname system;
    if (uname(&system) < 0)
        memset(&system, 0, sizeof system);
    buf_format(out, "Medians of %d repetitions (least..greatest).\n\n| | |\n|---|---|\n| machine | ",
               bench->repeats);
    add_processor(out, system.machine);
    buf_format(out, ", %d processors", program_processors());
    for (int level = 2; level <= 3; level++)
        if (bench_cache(level))
            buf_format(out, ", L%d %zu KiB", level, bench_cache(level) / 1024);
    buf_format(out, " |\n| system | %s %s %s |\n", system.sysname, system.release, system.machine);
#ifdef __clang__
    buf_format(out, "| compiler | clang %d.%d.%d |\n", __clang_major__, __clang_minor__,
               __clang_patchlevel__);
#else
    buf_text(out, "| compiler | gcc " __VERSION__ " |\n");
#endif
    buf_format(out, "| instructions | %s |\n| load before | %.2f |\n", bench->kernel->name, load);
    if (load > 0.5)
        buf_text(out, "\n**The machine was not idle: these figures may be too low.**\n");
}

/* The run --------------------------------------------------------------------------------------- */

typedef void Section(Bench *bench, Buf *out);

static void run(Bench *bench, double load)
{
    /* Programs first: a child's peak memory counts from what its parent has when it starts it. */
    static const struct {
        const char *name;
        Section *section;
        int place; /* in the report */
    } order[] = {
        {"translating", process_section, 3}, {"text and loading", loading_section, 4},
        {"ceilings", ceiling_section, 0},    {"products", product_section, 2},
        {"training", training_section, 1},
    };
    enum { SECTIONS = sizeof order / sizeof *order };
    Buf part[SECTIONS] = {0}, head = {0};
    machine_section(bench, load, &head);
    for (int i = 0; i < SECTIONS; i++) {
        double begin = bench_now();
        fprintf(stderr, "bench: %s", order[i].name);
        order[i].section(bench, &part[order[i].place]);
        fprintf(stderr, ", %.0f s\n", bench_now() - begin);
    }
    fwrite(head.data, 1, head.size, stdout);
    for (int i = 0; i < SECTIONS; i++) {
        if (part[i].size)
            printf("\n%s", part[i].data);
        buf_free(&part[i]);
    }
    if (bench->left_out.size)
        printf("\n%s", bench->left_out.data);
    buf_free(&head);
    buf_free(&bench->left_out);
}

int main(int argc, char **argv)
{
    const char *size = argc > 3 ? argv[3] : "";
    bool quick = strcmp(size, "quick") == 0, full = strcmp(size, "full") == 0;
    if (argc < 3 || argc > 4 || (*size && !quick && !full)) {
        fputs("usage: bench TRANSLATE MODEL [quick | full]\n", stderr);
        return 2;
    }
    Err err;
    double load = 0;
    Bench bench = {.translate = argv[1], .model = argv[2], .full = full};
    bench.repeats = quick ? 2 : BENCH_REPEATS;
    bench.least = quick ? 0.001 : 0.02;
    bench.has_model = access(bench.model, R_OK) == 0;
    bench.kernel = translator_kernel(NULL, &err);
    if (!bench.kernel) {
        fprintf(stderr, "bench: %s\n", err.text);
        return 2;
    }
    if (getloadavg(&load, 1) == 1 && load > 0.5)
        fprintf(stderr, "bench: the load average is %.2f: something else is running, or was just now\n", load);
    if (!bench.has_model)
        buf_format(&bench.left_out, "No %s: translating, text and loading are left out.\n", bench.model);
    for (int n = 1; n <= BENCH_CORES; n++)
        bench.pool[n] = pool_new(n);
    run(&bench, load);
    for (int n = 1; n <= BENCH_CORES; n++)
        pool_free(bench.pool[n]);
    return fflush(stdout) == 0 ? 0 : 1;
}
