/* damage.c - a damaged model is noticed, or harmless.
 *
 *     damage .build/release/translate models/en-es.db [CHANGES TRUNCATIONS SEED]      1000 200 1
 *
 * A copy of the model has one byte changed, or its end cut off; then the program translates with it, in a
 * process of its own, within SECONDS and MEGABYTES. It must either end with status 3 and one line that
 * begins "translate: " and the file's name, or give the very bytes that the whole model gives and say
 * nothing. All else is told, and makes the status 1. Every second change is of a byte that is not zero. */
#define _XOPEN_SOURCE 700

#include "base/arena.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 20, MEGABYTES = 2000, ROOM = 1 << 16, TOLD = 10 };

typedef struct {
    char out[ROOM], err[ROOM];
    int status; /* of waitpid */
} Result;

typedef struct {
    const char *program;
    char folder[64], path[96], out[96], err[96];
    unsigned char *bytes; /* of the whole model */
    size_t size;
    Result right;
    int refused, same, failed;
} Session;

static void quit(const char *what)
{
    fprintf(stderr, "damage: %s: %s\n", what, strerror(errno));
    exit(2);
}

static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        quit(path);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = memory_take(*size + 1);
    if (fread(bytes, 1, *size, file) != *size)
        quit(path);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

static void read_text(const char *path, char text[ROOM])
{
    size_t size;
    unsigned char *bytes = read_file(path, &size);
    size = size < ROOM - 1 ? size : ROOM - 1;
    memcpy(text, bytes, size);
    text[size] = '\0';
    free(bytes);
}

static void write_at(const char *path, const unsigned char *bytes, size_t size, size_t at)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0666);
    if (fd < 0 || pwrite(fd, bytes, size, (off_t)at) != (ssize_t)size || close(fd) != 0)
        quit(path);
}

static void run_child(const Session *session)
{
    int in = open("/dev/null", O_RDONLY);
    int out = open(session->out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int err = open(session->err, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (in < 0 || out < 0 || err < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(99);
#ifndef __SANITIZE_ADDRESS__
    setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t)MEGABYTES << 20, (rlim_t)MEGABYTES << 20});
#endif
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    alarm(SECONDS); /* stays over exec: a hang ends by SIGALRM */
    execl(session->program, "translate", "-m", session->path, "The dog is in the house, and the cat sat on the mat.",
          (char *)NULL);
    _exit(99);
}

static void translate(const Session *session, Result *result)
{
    pid_t child = fork();
    if (child == 0)
        run_child(session);
    while (child < 0 || waitpid(child, &result->status, 0) != child)
        if (errno != EINTR)
            quit("fork");
    read_text(session->out, result->out);
    read_text(session->err, result->err);
}

/* Status 3 and one line, naming the file. */
static bool is_refusal(const Session *session, const Result *result)
{
    char start[128];
    int n = snprintf(start, sizeof start, "translate: %s: ", session->path);
    const char *end = strchr(result->err, '\n');
    return WIFEXITED(result->status) && WEXITSTATUS(result->status) == 3 && !result->out[0] &&
           !strncmp(result->err, start, (size_t)n) && end && !end[1] && end > result->err + n + 5;
}

static void judge(Session *session, const char *what, size_t at)
{
    static Result result;
    translate(session, &result);
    bool same = result.status == 0 && !strcmp(result.out, session->right.out) && !result.err[0];
    if (same) {
        session->same++;
    } else if (is_refusal(session, &result)) {
        session->refused++;
    } else if (session->failed++ < TOLD) {
        fprintf(stderr, "damage: %s at %zu: wait status %#x\n  out: %s\n  err: %s\n", what, at,
                (unsigned)result.status, result.out, result.err);
    }
}

static void change_bytes(Session *session, int changes, uint64_t seed)
{
    for (int i = 0; i < changes; i++) {
        Rng rng = rng_at(seed, (uint64_t)i, 0);
        size_t at;
        do
            at = (size_t)(rng_uniform(&rng) * (double)session->size);
        while (i % 2 && !session->bytes[at]);
        unsigned char changed = (unsigned char)(session->bytes[at] + 1 + rng_below(&rng, 255));
        write_at(session->path, &changed, 1, at);
        judge(session, "change", at);
        write_at(session->path, session->bytes + at, 1, at);
    }
}

/* From long to short, so that the file need not be made anew; a third of them at a page's end. */
static void cut_ends(Session *session, int truncations, uint64_t seed)
{
    size_t size = session->size;
    for (int i = 0; i < truncations && size > 0; i++) {
        Rng rng = rng_at(seed, (uint64_t)i, 1);
        double share = 2 * rng_uniform(&rng) / (truncations - i + 1);
        size_t cut = 1 + (size_t)((double)size * share);
        size -= cut < size ? cut : size;
        if (i % 3 == 0 && size > 16384)
            size -= size % 16384;
        if (truncate(session->path, (off_t)size) != 0)
            quit(session->path);
        judge(session, "truncation", size);
    }
}

int main(int argc, char **argv)
{
    static Session session;
    if (argc != 3 && argc != 6) {
        fprintf(stderr, "usage: damage TRANSLATE MODEL [CHANGES TRUNCATIONS SEED]\n");
        return 2;
    }
    int changes = argc == 6 ? (int)strtol(argv[3], NULL, 10) : 1000;
    int truncations = argc == 6 ? (int)strtol(argv[4], NULL, 10) : 200;
    uint64_t seed = argc == 6 ? strtoull(argv[5], NULL, 10) : 1;
    session.program = argv[1];
    session.bytes = read_file(argv[2], &session.size);
    memcpy(session.folder, "/tmp/damage-XXXXXX", sizeof "/tmp/damage-XXXXXX");
    if (!mkdtemp(session.folder))
        quit(session.folder);
    snprintf(session.path, sizeof session.path, "%s/m.db", session.folder);
    snprintf(session.out, sizeof session.out, "%s/out", session.folder);
    snprintf(session.err, sizeof session.err, "%s/err", session.folder);
    write_at(session.path, session.bytes, session.size, 0);
    translate(&session, &session.right);
    bool good = session.right.status == 0 && session.right.out[0] && !session.right.err[0];
    if (!good)
        fprintf(stderr, "damage: the whole model: wait status %#x: %s\n", (unsigned)session.right.status,
                session.right.err);
    if (good) {
        change_bytes(&session, changes, seed);
        cut_ends(&session, truncations, seed);
        printf("damage: %d changes, %d truncations: %d refused, %d without effect, %d wrong\n", changes,
               truncations, session.refused, session.same, session.failed);
    }
    unlink(session.path);
    unlink(session.out);
    unlink(session.err);
    rmdir(session.folder);
    free(session.bytes);
    return good && session.failed == 0 ? 0 : 1;
}
