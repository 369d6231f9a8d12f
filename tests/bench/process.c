/* process.c - the program as its users run it: one sentence from start to exit, sentence by sentence
 * through pipes, and a stream. */
#define _DEFAULT_SOURCE /* wait4 */

#include "bench.h"

#include "base/arena.h"
#include "text/corpus.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SENTENCES "tests/data/pairs.tsv"
#define COLD_RUNS 20

static const char sentence[] = "My father repairs bicycles in his free time.";

/* A program that ran to its end. */
typedef struct {
    double seconds;
    double mebibytes; /* the most that was resident */
} Ended;

/* A child with in and out as its standard input and output; the pid, or -1. */
static pid_t start(char *const argv[], int in, int out)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
        execv(argv[0], argv);
    _exit(127);
}

static bool wait_end(pid_t pid, Ended *ended, Err *err)
{
    int status;
    struct rusage usage;
    while (wait4(pid, &status, 0, &usage) < 0)
        if (errno != EINTR)
            return err_set(err, "wait4: %s", strerror(errno));
    ended->mebibytes = (double)usage.ru_maxrss / 1024; /* Linux counts KiB */
    if (WIFSIGNALED(status))
        return err_set(err, "a program was ended by signal %d", WTERMSIG(status));
    return status == 0 || err_set(err, "a program ended with status %d", WEXITSTATUS(status));
}

static bool run(char *const argv[], int in, int out, Ended *ended, Err *err)
{
    double begin = bench_now();
    pid_t pid = start(argv, in, out);
    if (pid < 0)
        return err_set(err, "fork: %s", strerror(errno));
    bool ok = wait_end(pid, ended, err);
    ended->seconds = bench_now() - begin;
    return ok;
}

/* Options of a translate that is run: what each table row varies. */
typedef struct {
    char *argv[12];
    int count;
} Command;

static Command command_new(const Bench *bench)
{
    Command command = {.count = 0};
    const char *words[] = {bench->translate, "--model", bench->model, "--quiet"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        memcpy(&command.argv[command.count++], &words[i], sizeof words[i]); /* exec takes no const */
    return command;
}

static void command_add(Command *command, const char *word)
{
    memcpy(&command->argv[command->count++], &word, sizeof word);
}

/* One sentence, cold ---------------------------------------------------------------------------- */

static bool add_cold(const Bench *bench, const char *what, char *const argv[], int nothing, Buf *out, Err *err)
{
    double value[COLD_RUNS];
    Ended ended;
    int runs = bench->repeats < BENCH_REPEATS ? 3 : COLD_RUNS;
    for (int r = 0; r < runs; r++) {
        if (!run(argv, nothing, nothing, &ended, err))
            return false;
        value[r] = 1e3 * ended.seconds;
    }
    buf_format(out, "| %s | ", what);
    bench_add(out, bench_spread(value, runs), 1);
    buf_format(out, " | %.1f |\n", ended.mebibytes);
    return true;
}

/* Sentence by sentence -------------------------------------------------------------------------- */

/* One line there, one line back. */
static bool ask(int to, int from, const char *line, size_t size, Err *err)
{
    char answer[4096];
    if (write(to, line, size) != (ssize_t)size) /* shorter than PIPE_BUF: whole or not at all */
        return err_set(err, "a sentence could not be handed over");
    for (;;) {
        ssize_t n = read(from, answer, sizeof answer);
        if (n <= 0)
            return err_set(err, "a translation did not come");
        if (answer[n - 1] == '\n')
            return true;
    }
}

static bool talk(int to, int from, const Corpus *corpus, double *value, int n, Err *err)
{
    Buf line = {0};
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        line.size = 0;
        buf_format(&line, "%s\n", corpus->pair[i].source);
        double begin = bench_now();
        ok = ask(to, from, line.data, line.size, err);
        value[i] = 1e3 * (bench_now() - begin);
    }
    buf_free(&line);
    return ok;
}

/* Ends of pipes that the other side must not inherit close when it starts. */
static bool open_pipes(int in[2], int out[2])
{
    if (pipe(in) < 0)
        return false;
    if (pipe(out) < 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    fcntl(in[1], F_SETFD, FD_CLOEXEC);
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    return true;
}

static bool add_talk(const Bench *bench, const char *what, Command command, const Corpus *corpus, Buf *out,
                     Err *err)
{
    int in[2], from[2], n = bench->repeats < BENCH_REPEATS ? 10 : (int)corpus->pairs;
    double *value = memory_take((size_t)n * sizeof *value);
    Ended ended = {0};
    if (!open_pipes(in, from)) {
        free(value);
        return err_set(err, "pipe: %s", strerror(errno));
    }
    pid_t pid = start(command.argv, in[0], from[1]);
    (void)signal(SIGPIPE, SIG_IGN); /* a child that died is an error of write() */
    close(in[0]);
    close(from[1]);
    bool ok = pid > 0 && talk(in[1], from[0], corpus, value, 1, err) /* until it has loaded */
              && talk(in[1], from[0], corpus, value, n, err);
    close(in[1]);
    close(from[0]);
    if (pid > 0)
        ok = wait_end(pid, &ended, ok ? err : &(Err){""}) && ok;
    if (ok) {
        buf_format(out, "| %s (of %d sentences), ms | ", what, n);
        bench_add(out, bench_spread(value, n), 2);
        buf_format(out, " | %.1f |\n", ended.mebibytes);
    }
    free(value);
    return ok;
}

/* A stream -------------------------------------------------------------------------------------- */

/* A file of so many lines, deleted already. */
static FILE *write_lines(const Corpus *corpus, int lines, Err *err)
{
    FILE *file = tmpfile();
    for (int i = 0; file && i < lines; i++)
        fprintf(file, "%s\n", corpus->pair[(size_t)i % corpus->pairs].source);
    if (!file || fflush(file) != 0)
        err_set(err, "a file for %d lines: %s", lines, strerror(errno));
    return file;
}

static bool stream(Command command, int in, int nothing, Ended *ended, Err *err)
{
    if (lseek(in, 0, SEEK_SET) < 0)
        return err_set(err, "lseek: %s", strerror(errno));
    return run(command.argv, in, nothing, ended, err);
}

static bool add_stream(const Bench *bench, const char *what, Command command, const Corpus *corpus, int nothing,
                       int lines, Buf *out, Err *err)
{
    enum { STREAMS = 3 };
    double value[STREAMS];
    int n = bench->repeats < BENCH_REPEATS || lines > 10000 ? 1 : STREAMS;
    Ended ended = {0};
    FILE *file = write_lines(corpus, lines, err);
    bool ok = file != NULL;
    for (int r = 0; ok && r < n; r++) {
        ok = stream(command, fileno(file), nothing, &ended, err);
        value[r] = lines / ended.seconds;
    }
    if (file)
        fclose(file);
    if (!ok)
        return false;
    buf_format(out, "| stream of %d, %s, sentences/s | ", lines, what);
    bench_add(out, bench_spread(value, n), 0);
    buf_format(out, " | %.1f |\n", ended.mebibytes);
    return true;
}

static bool add_streams(const Bench *bench, const Corpus *corpus, int nothing, Buf *out, Err *err)
{
    static const struct {
        const char *what, *threads, *beam;
        bool flat; /* when there is time: does memory stay flat? */
    } ways[] = {
        {"greedy, 1 core", "1", "1", false},
        {"greedy, 2 cores", "2", "1", true},
        {"default beam, 1 core", "1", NULL, false},
        {"default beam, 2 cores", "2", NULL, true},
    };
    int lines = bench->repeats < BENCH_REPEATS ? 100 : 2000;
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof ways / sizeof *ways; i++) {
        Command command = command_new(bench);
        command_add(&command, "--threads");
        command_add(&command, ways[i].threads);
        if (ways[i].beam) {
            command_add(&command, "--beam-size");
            command_add(&command, ways[i].beam);
        }
        ok = add_stream(bench, ways[i].what, command, corpus, nothing, lines, out, err);
        if (ok && bench->full && ways[i].flat)
            ok = add_stream(bench, ways[i].what, command, corpus, nothing, 100000, out, err);
    }
    return ok;
}

/* Training --------------------------------------------------------------------------------------- */

/* A few updates of a model of the shipped size, by the train that stands beside translate: what it needs is in
 * memory after the first. Only the corpus is smaller. */
static bool add_training(const Bench *bench, int nothing, Buf *out, Err *err)
{
    char folder[] = "/tmp/bench-XXXXXX";
    if (!mkdtemp(folder))
        return err_set(err, "%s: %s", folder, strerror(errno));
    Buf program = {0}, file = {0};
    const char *slash = strrchr(bench->translate, '/');
    buf_format(&program, "%.*strain", slash ? (int)(slash + 1 - bench->translate) : 0, bench->translate);
    buf_format(&file, "%s/run.db", folder);
    const char *words[] = {program.data, file.data, "--init", bench->model, "--train", SENTENCES, "--dev", SENTENCES,
                           "--steps", "8", "--warmup", "2", "--validate", "8", "--threads", "2", "--quiet"};
    enum { WORDS = sizeof words / sizeof *words };
    char *argv[WORDS + 1] = {NULL};
    memcpy(argv, words, sizeof words); /* exec takes no const */
    Ended ended;
    bool ok = run(argv, nothing, nothing, &ended, err);
    if (ok)
        buf_format(out, "| training this model, batches of 1,800 pieces, 2 cores | | %.1f |\n", ended.mebibytes);
    unlink(file.data);
    rmdir(folder);
    buf_free(&program);
    buf_free(&file);
    return ok;
}

/* ----------------------------------------------------------------------------------------------- */

static bool measure(const Bench *bench, const Corpus *corpus, int nothing, Buf *out, Err *err)
{
    Command command = command_new(bench), cold = command, greedy = command;
    command_add(&cold, sentence);
    char empty[] = "/bin/true", *const idle[] = {empty, NULL};
    command_add(&greedy, "--beam-size");
    command_add(&greedy, "1");
    bool has_idle = access(empty, X_OK) == 0;
    return (!has_idle || add_cold(bench, "start and exit of /bin/true, ms", idle, nothing, out, err))
           && add_cold(bench, "one sentence of 8 words, start to exit, ms", cold.argv, nothing, out, err)
           && add_talk(bench, "a sentence in a running process, greedy", greedy, corpus, out, err)
           && add_talk(bench, "a sentence in a running process, default beam", command, corpus, out, err)
           && add_streams(bench, corpus, nothing, out, err) && add_training(bench, nothing, out, err);
}

void process_section(Bench *bench, Buf *out)
{
    Corpus corpus = {0};
    Err err;
    if (!bench->has_model)
        return;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool ok = corpus_read(&corpus, SENTENCES, 1, &err);
    buf_format(out, "| translating the English of %s | | peak memory, MiB |\n|---|---|---|\n", SENTENCES);
    if (!ok || !measure(bench, &corpus, nothing, out, &err))
        buf_format(&bench->left_out, "translating: %s\n", err.text);
    corpus_free(&corpus);
    close(nothing);
}
