/* corpus.c - reads parallel text, line by line, and leaves pairs out again.
 *
 * Sets of texts are sets of their 128-bit XXH3 hashes: among a thousand million texts the chance
 * that any two share one is below 10^-20, and the loss would be one sentence pair. */
#include "text/corpus.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include <xxhash.h>

/* Lines ---------------------------------------------------------------------------------------- */

typedef struct {
    FILE *file;
    char *data; /* [CORPUS_LINE_MAX], of which begin .. end is read and not yet given out */
    size_t begin, end;
} Reader;

typedef enum { LINE_GOOD, LINE_LONG, LINE_NONE } LineState;

/* The next line without its end; it stands in the reader's memory until the next call. LINE_LONG:
 * the line was longer than the memory, is gone, and *line is not set. LINE_NONE: end or error. */
static LineState reader_line(Reader *reader, const char **line, size_t *size)
{
    bool over = false, end = false;
    size_t searched = 0;
    for (;;) {
        char *begin = reader->data + reader->begin;
        size_t have = reader->end - reader->begin;
        char *newline = memchr(begin + searched, '\n', have - searched);
        if (newline || (end && (have || over))) {
            *line = begin;
            *size = newline ? (size_t)(newline - begin) : have;
            reader->begin += *size + (newline != NULL);
            return over ? LINE_LONG : LINE_GOOD;
        }
        if (end)
            return LINE_NONE;
        if (have == CORPUS_LINE_MAX) {
            over = true;
            have = 0;
        }
        memmove(reader->data, begin, have);
        size_t more = fread(reader->data + have, 1, CORPUS_LINE_MAX - have, reader->file);
        end = more == 0;
        searched = have;
        reader->begin = 0;
        reader->end = have + more;
    }
}

/* Sets of hashes ------------------------------------------------------------------------------- */

typedef struct {
    XXH128_hash_t *slot; /* all zero: free */
    size_t slots, used;  /* slots: 0 or a power of two */
} HashSet;

/* The slot of the hash, or the free one where it would stand. */
static XXH128_hash_t *set_find(const HashSet *set, XXH128_hash_t hash)
{
    size_t at = (size_t)hash.low64 & (set->slots - 1);
    while ((set->slot[at].low64 || set->slot[at].high64) && !XXH128_isEqual(set->slot[at], hash))
        at = (at + 1) & (set->slots - 1);
    return &set->slot[at];
}

static bool set_has(const HashSet *set, XXH128_hash_t hash)
{
    return set->slots && XXH128_isEqual(*set_find(set, hash), hash);
}

/* Returns whether the hash is new. */
static bool set_add(HashSet *set, XXH128_hash_t hash)
{
    if (set_has(set, hash))
        return false;
    if (2 * set->used >= set->slots) {
        HashSet old = *set;
        set->slots = old.slots ? 2 * old.slots : 1024;
        set->slot = memory_take_zeros(set->slots, sizeof *set->slot);
        for (size_t i = 0; i < old.slots; i++)
            if (old.slot[i].low64 || old.slot[i].high64)
                *set_find(set, old.slot[i]) = old.slot[i];
        free(old.slot);
    }
    *set_find(set, hash) = hash;
    set->used++;
    return true;
}

/* Reading -------------------------------------------------------------------------------------- */

static const char *const reason_text[CORPUS_REASONS] = {
    [CORPUS_BLANK] = "skipped as blank",
    [CORPUS_NO_TAB] = "skipped without a tab",
    [CORPUS_NO_TEXT] = "skipped with broken UTF-8 or a NUL byte",
    [CORPUS_EMPTY] = "skipped with an empty side",
    [CORPUS_LONG] = "skipped as too long",
    [CORPUS_DUPLICATE] = "skipped as duplicates",
    [CORPUS_EXCLUDED] = "left out because a side stands in an excluded file",
};

/* Whether the text is well-formed UTF-8 without NUL; *blank: whether nothing in it can be seen. */
static bool text_check(const char *text, size_t size, bool *blank)
{
    *blank = true;
    for (size_t i = 0; i < size;) {
        unsigned char c = (unsigned char)text[i];
        if (c == 0)
            return false;
        if (c < 0x80) {
            *blank = *blank && (c <= ' ' || c == 0x7F);
            i++;
            continue;
        }
        utf8proc_int32_t code;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                                   (utf8proc_ssize_t)(size - i), &code);
        if (length < 1)
            return false;
        if (*blank) {
            utf8proc_category_t category = utf8proc_category(code);
            *blank = category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
                     category == UTF8PROC_CATEGORY_ZP || category == UTF8PROC_CATEGORY_CC ||
                     category == UTF8PROC_CATEGORY_CF;
        }
        i += (size_t)length;
    }
    return true;
}

/* Finds the sides of a line. Returns the reason why it is no pair, or CORPUS_REASONS. */
static CorpusReason line_split(const char *line, size_t size, size_t size_max, CorpusPair *pair)
{
    bool blank, target_blank;
    const char *tab = memchr(line, '\t', size);
    if (!tab)
        return text_check(line, size, &blank) && blank ? CORPUS_BLANK : CORPUS_NO_TAB;
    size_t source_size = (size_t)(tab - line), target_size = size - source_size - 1;
    const char *second = memchr(tab + 1, '\t', target_size);
    if (second)
        target_size = (size_t)(second - tab - 1);
    if (source_size > size_max || target_size > size_max)
        return CORPUS_LONG;
    if (!text_check(line, source_size, &blank) || !text_check(tab + 1, target_size, &target_blank))
        return CORPUS_NO_TEXT;
    if (blank || target_blank)
        return CORPUS_EMPTY;
    *pair = (CorpusPair){.source = line, .source_size = (uint32_t)source_size,
                         .target = tab + 1, .target_size = (uint32_t)target_size};
    return CORPUS_REASONS;
}

static void file_skip(CorpusFile *file, CorpusReason reason, uint64_t line)
{
    if (file->skipped[reason].count++ == 0 || line < file->skipped[reason].first)
        file->skipped[reason].first = line;
}

/* Keeps a pair whose sides stand in a line that will be overwritten. */
static void corpus_keep(Corpus *corpus, CorpusPair pair)
{
    if (corpus->pairs == corpus->capacity) {
        corpus->capacity = corpus->capacity ? 2 * corpus->capacity : 1024;
        corpus->pair = memory_grow(corpus->pair, corpus->capacity * sizeof *corpus->pair);
    }
    char *text = arena_take(&corpus->arena, (size_t)pair.source_size + pair.target_size + 2);
    memcpy(text, pair.source, pair.source_size);
    text[pair.source_size] = '\0';
    pair.source = text;
    text += pair.source_size + 1;
    memcpy(text, pair.target, pair.target_size);
    text[pair.target_size] = '\0';
    pair.target = text;
    corpus->pair[corpus->pairs++] = pair;
}

static void corpus_read_lines(Corpus *corpus, CorpusFile *file, Reader *reader)
{
    size_t size_max = corpus->size_max;
    if (size_max == 0 || size_max > CORPUS_SIZE_MAX)
        size_max = CORPUS_SIZE_MAX;
    HashSet seen = {0};
    const char *line;
    size_t size;
    for (LineState state; (state = reader_line(reader, &line, &size)) != LINE_NONE;) {
        file->lines++;
        if (state == LINE_LONG) {
            file_skip(file, CORPUS_LONG, file->lines);
            continue;
        }
        if (file->lines == 1 && size >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
            line += 3;
            size -= 3;
        }
        if (size && line[size - 1] == '\r')
            size--;
        CorpusPair pair;
        CorpusReason reason = line_split(line, size, size_max, &pair);
        /* The pair in the line, its tab included, is what must not come twice. */
        if (reason == CORPUS_REASONS &&
            !set_add(&seen, XXH3_128bits(line, (size_t)pair.source_size + 1 + pair.target_size)))
            reason = CORPUS_DUPLICATE;
        if (reason != CORPUS_REASONS) {
            file_skip(file, reason, file->lines);
            continue;
        }
        pair.file = (uint32_t)(corpus->files - 1);
        pair.line = file->lines;
        corpus_keep(corpus, pair);
        file->pairs++;
    }
    free(seen.slot);
}

/* "train.tsv: no sentence pairs in it", and the most frequent reason if it has lines. */
static bool no_pairs(const CorpusFile *file, Err *err)
{
    CorpusReason most = CORPUS_BLANK;
    for (CorpusReason i = 0; i < CORPUS_REASONS; i++)
        if (file->skipped[i].count > file->skipped[most].count)
            most = i;
    if (!file->skipped[most].count)
        return err_set(err, "%s: no sentence pairs in it", file->name);
    return err_set(err, "%s: no sentence pairs in it; %" PRIu64 " %s (first at line %" PRIu64 ")",
                   file->name, file->skipped[most].count, reason_text[most],
                   file->skipped[most].first);
}

bool corpus_read(Corpus *corpus, const char *path, double weight, Err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    if (!(weight > 0 && weight <= CORPUS_WEIGHT_MAX))
        return err_set(err, "%s: its weight is %g, not a number above 0 and up to %g", name, weight,
                       CORPUS_WEIGHT_MAX);
    Reader reader = {.file = is_stdin ? stdin : fopen(path, "rb")};
    if (!reader.file)
        return err_set(err, "%s: cannot be read: %s", name, strerror(errno));

    corpus->file = memory_grow(corpus->file, (corpus->files + 1) * sizeof *corpus->file);
    CorpusFile *file = &corpus->file[corpus->files++];
    *file = (CorpusFile){.name = arena_copy_text(&corpus->arena, name, strlen(name)),
                         .weight = weight};
    reader.data = memory_take(CORPUS_LINE_MAX);
    errno = 0;
    corpus_read_lines(corpus, file, &reader);
    int failed = !ferror(reader.file) ? 0 : errno ? errno : EIO;
    free(reader.data);
    if (!is_stdin)
        fclose(reader.file);
    if (failed)
        return err_set(err, "%s: cannot be read: %s", name, strerror(failed));
    return file->pairs > 0 || no_pairs(file, err);
}

void corpus_free(Corpus *corpus)
{
    free(corpus->pair);
    free(corpus->file);
    arena_free(&corpus->arena);
    *corpus = (Corpus){0};
}

/* Leaving out ---------------------------------------------------------------------------------- */

/* No byte becomes more code points than this: U+0390 has two bytes and becomes three, the most. */
#define FOLD_GROWTH ((size_t)2)

typedef struct {
    utf8proc_int32_t *code; /* room for the code points of one text */
    size_t capacity;
} Fold;

typedef enum { CODE_DROPPED, CODE_SPACE, CODE_KEPT } CodeUse;

static CodeUse code_use(utf8proc_int32_t code)
{
    if (code < 0x80) {
        bool kept = (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9');
        return kept ? CODE_KEPT : code == ' ' || (code >= '\t' && code <= '\r') ? CODE_SPACE
                                                                                : CODE_DROPPED;
    }
    utf8proc_category_t category = utf8proc_category(code);
    if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO)
        return CODE_KEPT; /* the letters, the marks and the numbers are numbered in a row */
    return category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP ? CODE_SPACE
                                                                                 : CODE_DROPPED;
}

/* Moves the mark that was added last before those of a higher combining class (Unicode 15, section
 * 3.11, canonical ordering). Text that is meant to be read has no 30 marks on one letter (UAX #15,
 * stream-safe text), and the limit keeps the time linear for any other. */
static void fold_order(utf8proc_int32_t *code, size_t last)
{
    utf8proc_int32_t mark = code[last];
    utf8proc_propval_t class = utf8proc_get_property(mark)->combining_class;
    size_t stop = last > 30 ? last - 30 : 0;
    while (class && last > stop && utf8proc_get_property(code[last - 1])->combining_class > class) {
        code[last] = code[last - 1];
        last--;
    }
    code[last] = mark;
}

/* Case folding and decomposition; well-formed text. Returns the number of code points. */
static size_t fold_text(Fold *fold, const char *text, size_t size)
{
    size_t count = 0;
    if (fold->capacity < FOLD_GROWTH * size) {
        fold->capacity = 2 * FOLD_GROWTH * size;
        fold->code = memory_grow(fold->code, fold->capacity * sizeof *fold->code);
    }
    for (size_t i = 0; i < size;) {
        utf8proc_int32_t code = (unsigned char)text[i];
        if (code < 0x80) {
            fold->code[count++] = code >= 'A' && code <= 'Z' ? code - 'A' + 'a' : code;
            i++;
            continue;
        }
        i += (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                      (utf8proc_ssize_t)(size - i), &code);
        int boundary = 0;
        utf8proc_ssize_t more = utf8proc_decompose_char(
            code, fold->code + count, (utf8proc_ssize_t)(fold->capacity - count),
            UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD, &boundary);
        assert(more >= 0 && (size_t)more <= fold->capacity - count);
        for (; more > 0; more--)
            fold_order(fold->code, count++);
    }
    return count;
}

/* The hash of what corpus_exclude compares. Decomposed rather than composed text: two texts have
 * the same decomposition when they have the same composition, and it saves the composing. */
static XXH128_hash_t fold_hash(Fold *fold, const char *text, size_t size)
{
    size_t count = fold_text(fold, text, size);
    size_t kept = 0;
    bool gap = false;
    for (size_t i = 0; i < count; i++) {
        CodeUse use = code_use(fold->code[i]);
        if (use == CODE_SPACE)
            gap = kept > 0;
        if (use != CODE_KEPT)
            continue;
        utf8proc_int32_t code = fold->code[i];
        if (gap)
            fold->code[kept++] = ' '; /* in the place of the space that made the gap, or before */
        gap = false;
        fold->code[kept++] = code;
    }
    return XXH3_128bits(fold->code, kept * sizeof *fold->code);
}

/* Drops the pairs with a side in one of the sets. */
static void corpus_drop(Corpus *corpus, const HashSet *sources, const HashSet *targets, Fold *fold)
{
    size_t kept = 0;
    for (size_t i = 0; i < corpus->pairs; i++) {
        CorpusPair pair = corpus->pair[i];
        if (set_has(sources, fold_hash(fold, pair.source, pair.source_size)) ||
            set_has(targets, fold_hash(fold, pair.target, pair.target_size))) {
            file_skip(&corpus->file[pair.file], CORPUS_EXCLUDED, pair.line);
            corpus->file[pair.file].pairs--;
        } else {
            corpus->pair[kept++] = pair;
        }
    }
    corpus->pairs = kept;
}

bool corpus_exclude(Corpus *corpus, const char *path, Err *err)
{
    Corpus test = {0};
    HashSet sources = {0}, targets = {0};
    Fold fold = {0};
    bool good = corpus_read(&test, path, 1, err);
    for (CorpusReason i = 0; good && i < CORPUS_REASONS; i++)
        if (test.file->skipped[i].count && i != CORPUS_BLANK && i != CORPUS_DUPLICATE)
            good = err_set(err, "%s: cannot exclude what cannot be read: %" PRIu64
                           " %s (first at line %" PRIu64 ")", test.file->name,
                           test.file->skipped[i].count, reason_text[i],
                           test.file->skipped[i].first);
    if (good) {
        for (size_t i = 0; i < test.pairs; i++) {
            CorpusPair pair = test.pair[i];
            set_add(&sources, fold_hash(&fold, pair.source, pair.source_size));
            set_add(&targets, fold_hash(&fold, pair.target, pair.target_size));
        }
        corpus_drop(corpus, &sources, &targets, &fold);
        if (corpus->pairs == 0)
            good = err_set(err, "%s: excluding its sentences leaves no pair", test.file->name);
    }
    free(fold.code);
    free(sources.slot);
    free(targets.slot);
    corpus_free(&test);
    return good;
}

uint64_t corpus_digest(const Corpus *corpus)
{
    XXH64_hash_t digest = 0;
    for (size_t i = 0; i < corpus->pairs; i++) {
        const CorpusPair *pair = &corpus->pair[i];
        double weight = corpus->file[pair->file].weight;
        /* The sides' NULs are hashed too: they keep "ab", "c" and "a", "bc" apart. */
        digest = XXH3_64bits_withSeed(pair->source, (size_t)pair->source_size + 1, digest);
        digest = XXH3_64bits_withSeed(pair->target, (size_t)pair->target_size + 1, digest);
        digest = XXH3_64bits_withSeed(&weight, sizeof weight, digest);
    }
    return digest;
}

/* Summary -------------------------------------------------------------------------------------- */

void corpus_summary(const Corpus *corpus, Buf *out)
{
    for (size_t f = 0; f < corpus->files; f++) {
        const CorpusFile *file = &corpus->file[f];
        uint64_t read = file->pairs + file->skipped[CORPUS_EXCLUDED].count;
        buf_format(out, "%s: %" PRIu64 " pair%s read\n", file->name, read, read == 1 ? "" : "s");
        for (CorpusReason i = 0; i < CORPUS_REASONS; i++)
            if (file->skipped[i].count)
                buf_format(out, "%s: %" PRIu64 " %s (first at line %" PRIu64 ")\n", file->name,
                           file->skipped[i].count, reason_text[i], file->skipped[i].first);
    }
}
