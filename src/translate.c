/* translate.c - the program `translate`: a sentence, or lines, from English to Spanish.
 *
 * It reads as much as is there, at most a batch; translates that; writes and flushes it; and only then
 * waits for more. So a pipe of a million lines is translated in full batches, and a co-process that sends
 * one line gets its answer at once. */
#include "base/arena.h"
#include "base/option.h"
#include "base/output.h"
#include "base/program.h"
#include "base/reader.h"
#include "base/version.h"
#include "model/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH_LINES = 64 }; /* for each thread */
#define BATCH_BYTES ((size_t)1 << 20)

enum { DONE = 0, FAILED = 1, USAGE = 2 };

typedef struct {
    Setup setup;
    const char *input, *output;
    int n_best; /* 0: as many as the beam has */
    bool lists, quiet, help, version;
} Settings;

/* Appends the record of one line of the input, counted from 0. */
typedef void Writer(Buf *out, const Translation *translation, long line);

typedef struct {
    Settings settings;
    Translator *translator;
    Writer *writer;
    Reader reader;
    Output output;
    TranslatorLine *line; /* [room] the batch; their data is set once all are read */
    ReaderLine *from;     /* [room] what the reader said of them */
    int lines, room;
    Buf bytes;            /* of all lines of the batch */
    bool numbered;        /* lines come from a file: messages name their number */
    bool incomplete;      /* a line was cut short */
} Session;

enum { N_BEST = OPTION_LONG };

static const char files[] = "Input and output", other[] = "Other";

static const Option rows[] = {
    {.id = 'i', .name = "input", .argument = "FILE", .group = files,
     .help = "read lines from FILE", .initial = "standard input"},
    {.id = 'o', .name = "output", .argument = "FILE", .group = files,
     .help = "write to FILE, which appears when all is done", .initial = "standard output"},
    {.id = N_BEST, .name = "n-best", .argument = "N", .optional = true, .group = files,
     .help = "list the N best hypotheses of each line, or all of the beam: "
             "LINE ||| TEXT ||| Score= LOG-PROBABILITY ||| NORMALIZED"},
    {.id = 'q', .name = "quiet", .group = files, .help = "no warnings, no prompt"},
    {.id = 'h', .name = "help", .group = other, .help = "show this help and end"},
    {.id = 'V', .name = "version", .group = other, .help = "show the version and end"},
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("translate: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static bool take_option(void *data, int id, const char *value, Err *err)
{
    Settings *settings = data;
    switch (id) {
    case 'i':
        settings->input = value;
        return true;
    case 'o':
        settings->output = value;
        return true;
    case N_BEST:
        settings->lists = true;
        settings->n_best = 0;
        return !value || option_int("n-best", value, 1, SEARCH_BEAM_MAX, &settings->n_best, err);
    case 'q':
        return settings->quiet = true;
    case 'h':
        return settings->help = true;
    case 'V':
        return settings->version = true;
    default:
        return setup_take(&settings->setup, id, value, err);
    }
}

static bool check_settings(const Settings *settings, int words, Err *err)
{
    const Setup *setup = &settings->setup;
    if (settings->input && words)
        return err_set(err, "a sentence is given, and --input too");
    if (setup->beam_size && settings->n_best > setup->config.beam_size)
        return err_set(err, "n-best: %d are more than the %d of --beam-size", settings->n_best,
                       setup->config.beam_size);
    return true;
}

static void show_help(const OptionTable *table, Buf *out)
{
    buf_text(out, "Usage: translate [OPTION]... [SENTENCE]...\n"
                  "Translate English to Spanish: the SENTENCE, or every line of the input.\n\n");
    option_help(table, out);
    buf_text(out, "\nA line of input gives a line of output, a blank one too.\n"
                  "The environment variable ATIENDE_KERNEL stands for --kernel.\n"
                  "Status: 0 done, 1 the data or the system, 2 usage, 3 the model.\n");
}

/* Records -------------------------------------------------------------------------------------- */

static void write_plain(Buf *out, const Translation *translation, long line)
{
    (void)line;
    buf_add(out, translation->text[0].data, translation->text[0].size);
    buf_char(out, '\n');
}

static void write_n_best(Buf *out, const Translation *translation, long line)
{
    for (int i = 0; i < translation->texts; i++) {
        const TranslationText *text = &translation->text[i];
        buf_format(out, "%ld ||| %s ||| Score= %.6f ||| %.6f\n", line, text->data, text->score,
                   text->normalized);
    }
}

static void warn(const Session *session, const ReaderLine *from, const Translation *translation)
{
    char place[32] = "";
    if (session->numbered)
        snprintf(place, sizeof place, "line %ld: ", from->number);
    if (from->cut)
        say("%slonger than %zu bytes; the rest of it is left out", place, READER_LINE_MAX);
    if (session->settings.quiet)
        return;
    if (translation->replaced)
        say("%sbroken UTF-8 replaced by U+FFFD (%zu)", place, translation->replaced);
    if (translation->controls)
        say("%scontrol characters replaced by spaces (%zu)", place, translation->controls);
    if (translation->parts > 1)
        say("%slong; translated in %d parts", place, translation->parts);
}

/* Batches -------------------------------------------------------------------------------------- */

static void add_line(Session *session, const ReaderLine *from)
{
    session->from[session->lines] = *from;
    session->line[session->lines++].size = from->size;
    session->incomplete |= from->cut;
    buf_add(&session->bytes, from->data, from->size);
}

static bool translate_batch(Session *session, Err *err)
{
    size_t at = 0;
    for (int i = 0; i < session->lines; at += session->line[i++].size)
        session->line[i].data = session->bytes.data + at;
    const Translation *translation = translator_run(session->translator, session->line, session->lines);
    Buf record = {0};
    for (int i = 0; i < session->lines; i++) {
        warn(session, &session->from[i], &translation[i]);
        record.size = 0;
        session->writer(&record, &translation[i], session->from[i].number - 1);
        output_add(&session->output, record.data, record.size);
    }
    buf_free(&record);
    return output_flush(&session->output, err);
}

static bool translate_words(Session *session, char **word, int words, Err *err)
{
    Buf sentence = {0};
    for (int i = 0; i < words; i++)
        buf_format(&sentence, "%s%s", i ? " " : "", word[i]);
    add_line(session, &(ReaderLine){.data = sentence.data, .size = sentence.size, .number = 1});
    buf_free(&sentence);
    return translate_batch(session, err);
}

static bool translate_lines(Session *session, Err *err)
{
    bool prompts = isatty(session->reader.fd) && !session->settings.quiet;
    ReaderGot got;
    session->numbered = true;
    do {
        ReaderLine line;
        session->lines = 0;
        session->bytes.size = 0;
        if (prompts)
            fputs("> ", stderr);
        while ((got = reader_line(&session->reader, &line, err)) == READER_LINE) {
            add_line(session, &line);
            if (session->lines == session->room || session->bytes.size >= BATCH_BYTES ||
                !reader_is_ready(&session->reader))
                break;
        }
        if (session->lines && !translate_batch(session, err))
            return false;
    } while (got == READER_LINE);
    if (prompts)
        fputc('\n', stderr);
    return got == READER_END;
}

/* The run -------------------------------------------------------------------------------------- */

static bool open_files(Session *session, bool reads, Err *err)
{
    const char *input = session->settings.input;
    int fd = STDIN_FILENO;
    if (input && strcmp(input, "-") != 0)
        fd = open(input, O_RDONLY | O_CLOEXEC);
    else
        input = "standard input";
    if (fd < 0)
        return err_set(err, "%s: %s", input, strerror(errno));
    if (reads)
        session->reader = reader_start(fd, input);
    program_unlinks(session->output.temporary);
    return output_open(&session->output, session->settings.output, err);
}

/* The status to end with; err is set unless it is 0. */
static int run(Session *session, const char *program, char **word, int words, Err *err)
{
    const Settings *settings = &session->settings;
    Model *model = NULL;
    Vocab *vocab = NULL;
    TranslatorOptions options;
    int status = setup_load(&settings->setup, program, &model, &vocab, &options, err);
    if (status)
        return status;
    SearchOptions *search = &options.search;
    if (settings->lists)
        search->n_best = settings->n_best ? settings->n_best : search->beam_size;
    if (search->n_best > search->beam_size)
        search->beam_size = search->n_best;
    if (words && !settings->setup.threads)
        options.threads = 1;
    session->room = BATCH_LINES * options.threads;
    session->line = memory_take((size_t)session->room * sizeof *session->line);
    session->from = memory_take((size_t)session->room * sizeof *session->from);
    session->translator = translator_new(model, vocab, &options);
    session->writer = settings->lists ? write_n_best : write_plain;

    bool ok = words ? translate_words(session, word, words, err) : translate_lines(session, err);
    translator_free(session->translator);
    vocab_free(vocab);
    model_free(model);
    free(session->line);
    free(session->from);
    buf_free(&session->bytes);
    reader_free(&session->reader);
    return ok ? DONE : FAILED;
}

static int translate(const Settings *settings, const char *program, char **word, int words)
{
    static Session session; /* a signal may come as long as the program runs */
    Err err;
    session.settings = *settings;
    int status = FAILED;
    if (open_files(&session, words == 0, &err))
        status = run(&session, program, word, words, &err);
    if (status == DONE && !output_close(&session.output, &err))
        status = FAILED;
    if (status != DONE) {
        if (!output_is_unread(&session.output))
            say("%s", err.text);
        output_discard(&session.output);
    }
    return status == DONE && session.incomplete ? FAILED : status;
}

int main(int argc, char **argv)
{
    Settings settings = {.setup.config = config_default()};
    OptionTable table = {0};
    Err err;
    Buf text = {0};
    option_add(&table, setup_rows, SETUP_ROWS);
    option_add(&table, rows, sizeof rows / sizeof *rows);
    int first = option_parse(&table, argc, argv, take_option, &settings, &err);
    if (settings.help || settings.version) {
        if (settings.help)
            show_help(&table, &text);
        else
            buf_text(&text, "translate (atiende) " ATIENDE_VERSION "\n");
        bool ok = output_show(&text, &err);
        buf_free(&text);
        if (!ok)
            say("%s", err.text);
        return ok ? DONE : FAILED;
    }
    if (!first || !check_settings(&settings, argc - first, &err)) {
        say("%s", err.text);
        return USAGE;
    }
    return translate(&settings, argv[0], argv + first, argc - first);
}
