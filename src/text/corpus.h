/* corpus.h - parallel text in memory.
 *
 *     Corpus corpus = {.size_max = 1000};
 *     if (!corpus_read(&corpus, "train.tsv", 1, &err) ||
 *         !corpus_read(&corpus, "phrases.tsv", 20, &err) ||
 *         !corpus_exclude(&corpus, "test.tsv", &err))
 *         ...
 *     corpus_summary(&corpus, &buf);
 *     for (size_t i = 0; i < corpus.pairs; i++)
 *         corpus.pair[i].source, corpus.file[corpus.pair[i].file].weight
 *     corpus_free(&corpus);
 *
 * A file has lines `source<TAB>target[<TAB>anything]`, ended by LF or CRLF; a byte order mark at
 * its start is dropped. "-" is standard input. Pairs stay in the order of the files and lines. Both
 * sides are kept byte for byte, nothing is normalised; each is well-formed UTF-8 without NUL, holds
 * more than white space, and takes at most size_max bytes.
 *
 * Lines that give no pair are skipped and counted, by reason, with the number of the first of them;
 * so are pairs that stood in the same file before. The same pair in two files stays in both,
 * because their weights may differ.
 *
 * Errors name the file: one that cannot be read, one without a single pair, a weight that is no
 * positive number. After an error a corpus is good for corpus_free alone. */
#ifndef TEXT_CORPUS_H
#define TEXT_CORPUS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define CORPUS_SIZE_MAX ((size_t)1 << 16) /* bytes of a side, whatever size_max says */
#define CORPUS_LINE_MAX ((size_t)1 << 20) /* bytes of a line, its end included */
#define CORPUS_WEIGHT_MAX 1e6

typedef enum {
    CORPUS_BLANK,     /* white space only, and no tab */
    CORPUS_NO_TAB,
    CORPUS_NO_TEXT,   /* a side has broken UTF-8 or a NUL byte */
    CORPUS_EMPTY,     /* a side is empty or white space only */
    CORPUS_LONG,      /* a side or the line is too long */
    CORPUS_DUPLICATE, /* the very same pair stands earlier in the file */
    CORPUS_EXCLUDED,  /* left out by corpus_exclude */
    CORPUS_REASONS
} CorpusReason;

typedef struct {
    const char *source, *target; /* NUL-terminated */
    uint32_t source_size, target_size;
    uint32_t file; /* index into Corpus.file */
    uint64_t line; /* from 1 */
} CorpusPair;

typedef struct {
    const char *name; /* "standard input" for "-" */
    double weight;    /* how many times each of its pairs counts in an epoch */
    uint64_t lines, pairs;
    struct {
        uint64_t count, first; /* first: number of the first such line, 0 without one */
    } skipped[CORPUS_REASONS];
} CorpusFile;

/* All memory belongs to the corpus. */
typedef struct {
    size_t size_max;  /* set before reading: bytes of a side; 0 stands for CORPUS_SIZE_MAX */
    CorpusPair *pair; /* [pairs] */
    CorpusFile *file; /* [files] */
    size_t pairs, files;
    size_t capacity;  /* of pair */
    Arena arena;      /* texts and names */
} Corpus;

/* Reads the pairs of one more file. */
bool corpus_read(Corpus *corpus, const char *path, double weight, Err *err) MUST_CHECK;

/* Drops every pair, of all files read so far, whose source equals a source of the file at path or
 * whose target equals a target of it. Compared are letters, marks, numbers and single spaces
 * between words, after case folding and canonical decomposition; all else is left away. If a line
 * of that file is skipped, other than as blank or duplicate, that is an error, for then a pair
 * might wrongly stay; so is dropping every pair. */
bool corpus_exclude(Corpus *corpus, const char *path, Err *err) MUST_CHECK;

/* Adds one line for each file, and one for each reason that occurred in it:
 *     train.tsv: 143492 pairs read
 *     train.tsv: 3 skipped without a tab (first at line 17) */
void corpus_summary(const Corpus *corpus, Buf *out);

/* A digest (XXH3) of all pairs in their order and their files' weights: whether two runs learn from the same. */
uint64_t corpus_digest(const Corpus *corpus);

void corpus_free(Corpus *corpus);

#endif
