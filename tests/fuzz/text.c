/* text.c - any bytes as a line, as a corpus, as an option: text_source, vocab_encode and vocab_decode, the reader,
 * the corpus, the settings. The first byte chooses. */
#include "base/option.h"
#include "base/reader.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "model/config.h"
#include "text/corpus.h"
#include "text/metric.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static Vocab *vocabs[2];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    vocabs[0] = tiny_vocab(320, true);
    vocabs[1] = tiny_vocab(300, false);
    return 0;
}

static bool well_formed(const char *data, size_t size)
{
    bool good = true;
    for (size_t at = 0; at < size;) {
        uint32_t code;
        good = utf8_next(data, size, &at, &code) && good;
    }
    return good;
}

/* Inside the text and, but for the empty ones (of markers and imagined spaces), in its order. */
static void check_origins(const TextSpan *origin, size_t count, size_t size)
{
    uint32_t last = 0;
    for (size_t i = 0; i < count; i++) {
        HOLDS(origin[i].begin <= origin[i].end && origin[i].end <= size);
        if (origin[i].begin == origin[i].end)
            continue;
        HOLDS(last <= origin[i].begin);
        last = origin[i].begin;
    }
}

/* Text and back, whatever the dropout. */
static void check_pieces(const Vocab *vocab, Arena *arena, const Text *text, size_t size, double dropout)
{
    Rng rng = rng_at(1, size, 0);
    Pieces pieces = vocab_encode(vocab, arena, text, dropout, dropout > 0 ? &rng : NULL);
    check_origins(pieces.origin, pieces.count, size);
    HOLDS((pieces.count == 0) == (text->size == 0));
    TextSpan *span = arena_take(arena, (pieces.count + 1) * sizeof *span);
    Buf out = {0};
    vocab_decode(vocab, pieces.id, pieces.count, false, &out, span);
    HOLDS(out.size == text->size && (out.size == 0 || !memcmp(out.data, text->data, out.size)));
    check_origins(span, pieces.count, out.size);
    buf_free(&out);
}

static void fuzz_line(const char *data, size_t size)
{
    Arena arena = {0};
    Text source = text_source(&arena, data, size), target = text_nfc(&arena, data, size);
    HOLDS(well_formed(source.data, source.size) && well_formed(target.data, target.size));
    HOLDS(source.replaced == target.replaced && (source.replaced == 0) == well_formed(data, size));
    check_origins(source.origin, source.size, size);
    check_origins(target.origin, target.size, size);
    Text again = text_source(&arena, source.data, source.size);
    HOLDS(again.size == source.size && !memcmp(again.data, source.data, source.size));
    Text target_again = text_nfc(&arena, target.data, target.size);
    HOLDS(target_again.size == target.size && !memcmp(target_again.data, target.data, target.size));
    for (int i = 0; i < 2; i++) {
        check_pieces(vocabs[i], &arena, &source, size, 0);
        check_pieces(vocabs[i], &arena, &target, size, 0.3);
        check_pieces(vocabs[i], &arena, &target, size, 1);
    }
    arena_free(&arena);
}

/* Any ids are text. */
static void fuzz_ids(const uint8_t *data, size_t size)
{
    int *id = malloc((size / 2 + 1) * sizeof *id);
    TextSpan *span = malloc((size / 2 + 1) * sizeof *span);
    HOLDS(id && span);
    for (size_t i = 0; i < size / 2; i++)
        id[i] = (data[2 * i] | data[2 * i + 1] << 8) - 64;
    Buf out = {0};
    vocab_decode(vocabs[size & 1], id, size / 2, true, &out, span);
    HOLDS(well_formed(out.data, out.size));
    check_origins(span, size / 2, out.size);
    buf_free(&out);
    free(span);
    free(id);
}

/* As many lines as line feeds, and one for what stands behind the last. */
static void fuzz_reader(const char *data, size_t size)
{
    const char *path = memory_file("lines", data, size);
    int fd = open(path, O_RDONLY);
    HOLDS(fd >= 0);
    unlink(path);
    size_t begin = size >= 3 && !memcmp(data, "\xEF\xBB\xBF", 3) ? 3 : 0;
    long lines = size > begin && data[size - 1] != '\n', got_lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    Reader reader = reader_start(fd, "lines");
    ReaderLine line;
    ReaderGot got;
    Err err;
    while ((got = reader_line(&reader, &line, &err)) == READER_LINE) {
        got_lines++;
        HOLDS(line.number == got_lines && line.size <= READER_LINE_MAX && !line.cut);
        HOLDS(line.size == 0 || !memchr(line.data, '\n', line.size));
    }
    HOLDS(got == READER_END && got_lines == lines);
    reader_free(&reader);
    close(fd);
}

static void fuzz_corpus(const char *data, size_t size, size_t size_max)
{
    Corpus corpus = {.size_max = size_max};
    Err err = {""};
    Buf text = {0};
    const char *path = memory_file("corpus", data, size);
    bool read = corpus_read(&corpus, path, 2, &err);
    HOLDS(read == (corpus.pairs > 0) && read == !err.text[0]);
    for (size_t i = 0; i < corpus.pairs; i++) {
        const CorpusPair *pair = &corpus.pair[i];
        HOLDS(strlen(pair->source) == pair->source_size && well_formed(pair->source, pair->source_size));
        HOLDS(strlen(pair->target) == pair->target_size && well_formed(pair->target, pair->target_size));
        HOLDS(!strchr(pair->source, '\n') && !strchr(pair->target, '\n') && !strchr(pair->source, '\t'));
    }
    if (read) {
        corpus_summary(&corpus, &text);
        uint64_t digest = corpus_digest(&corpus);
        HOLDS(digest == corpus_digest(&corpus));
        HOLDS(!corpus_exclude(&corpus, path, &err)); /* all of them, or a line is no pair */
    }
    unlink(path);
    buf_free(&text);
    corpus_free(&corpus);
}

/* KEY VALUE: what is taken is in range, and comes back as it is written. */
static void fuzz_settings(const char *data, size_t size)
{
    char text[512];
    size = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, size);
    text[size] = '\0';
    char *value = strchr(text, ' ');
    if (!value)
        return;
    *value++ = '\0';
    Config config = config_default();
    Err err = {""};
    if (!config_set(&config, text, value, &err)) {
        HOLDS(err.text[0] && !strchr(err.text, '\n'));
        return;
    }
    const Field *field = config_find(text);
    Buf once = {0}, twice = {0};
    HOLDS(field != NULL);
    config_get(&config, field, &once);
    HOLDS(config_set(&config, text, once.data, &err));
    config_get(&config, field, &twice);
    HOLDS(!strcmp(once.data, twice.data));
    buf_free(&once);
    buf_free(&twice);
}

static bool take_any(void *data, int id, const char *value, Err *err)
{
    (void)data;
    (void)err;
    HOLDS(id == 'm' || id == 'n' || id == 'q' || id == OPTION_LONG);
    HOLDS(id != 'm' || value);
    HOLDS(id != 'q' || !value);
    return true;
}

/* Arguments, ended by NUL. */
static void fuzz_options(const char *data, size_t size)
{
    static const Option rows[] = {
        {.id = 'm', .name = "model", .argument = "FILE", .group = "a", .help = "h"},
        {.id = 'n', .name = "normalize", .argument = "X", .optional = true, .group = "a", .help = "h"},
        {.id = 'q', .name = "quiet", .group = "b", .help = "h"},
        {.id = OPTION_LONG, .name = "quick", .argument = "N", .group = "b", .help = "h"},
    };
    char text[512], *argv[66] = {text};
    int argc = 1;
    size = size < sizeof text - 1 ? size : sizeof text - 1;
    text[0] = '\0';
    memcpy(text + 1, data, size - (size > 0));
    text[size] = '\0';
    for (size_t at = 1; at < size && argc < 64; at += strlen(text + at) + 1)
        argv[argc++] = text + at;
    OptionTable table = {0};
    option_add(&table, rows, sizeof rows / sizeof *rows);
    Err err = {""};
    int first = option_parse(&table, argc, argv, take_any, NULL, &err);
    HOLDS(first >= 0 && first <= argc && (first > 0) == !err.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = {data, size};
    uint8_t kind = input_byte(&input);
    const char *text = (const char *)input.data;
    if (input.size > 20000)
        return 0;
    switch (kind % 8) {
    case 0: fuzz_ids(input.data, input.size); break;
    case 1: fuzz_reader(text, input.size); break;
    case 2: fuzz_corpus(text, input.size, 0); break;
    case 3: fuzz_corpus(text, input.size, 20); break;
    case 4: fuzz_settings(text, input.size); break;
    case 5: fuzz_options(text, input.size); break;
    default: fuzz_line(text, input.size); break;
    }
    return 0;
}
