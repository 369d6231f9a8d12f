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
#include "cli/picture.h"
#include "cli/show.h"
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
    Show show;
    Picture picture;
    const char *input, *output, *log;
    const char *reference, *references; /* a text; a file */
    int n_best; /* 0: as many as the beam has */
    bool lists, quiet, help, version;
} Settings;

typedef struct {
    Settings settings;
    Translator *translator;
    Reader reader, references;
    Output output;
    Log *log;                  /* or NULL */
    TranslatorLine *line;      /* [room] the batch; their data is set once all are read */
    TranslatorLine *reference; /* [room] so are these; with --reference and --references */
    ReaderLine *from;          /* [room] what the reader said of the lines */
    int lines, room;
    Buf bytes, given;     /* of all lines of the batch; of their references */
    bool numbered;        /* lines come from a file: messages name their number */
    bool incomplete;      /* something was left out */
} Session;

enum { N_BEST = OPTION_LONG, REFERENCE, REFERENCES, LOG_FILE };

static const char files[] = "Input and output", other[] = "Other";

static const Option rows[] = {
    {.id = 'i', .name = "input", .argument = "FILE", .group = files,
     .help = "read lines from FILE", .initial = "standard input"},
    {.id = 'o', .name = "output", .argument = "FILE", .group = files,
     .help = "write to FILE, which appears when all is done", .initial = "standard output"},
    {.id = N_BEST, .name = "n-best", .argument = "N", .optional = true, .group = files,
     .help = "list the N best hypotheses of each line, or all of the beam: "
             "LINE ||| TEXT ||| Score= LOG-PROBABILITY ||| NORMALIZED"},
    {.id = REFERENCE, .name = "reference", .argument = "TEXT", .group = files,
     .help = "do not search: score TEXT as the translation of the SENTENCE, in the form of --n-best"},
    {.id = REFERENCES, .name = "references", .argument = "FILE", .group = files,
     .help = "the same for lines: line by line from FILE"},
    {.id = LOG_FILE, .name = "log", .argument = "FILE", .group = files,
     .help = "also add translations, words and attention to the SQLite database FILE"},
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
    case REFERENCE:
        settings->reference = value;
        return true;
    case REFERENCES:
        settings->references = value;
        return true;
    case LOG_FILE:
        settings->log = value;
        return true;
    case 'q':
        return settings->quiet = true;
    case 'h':
        return settings->help = true;
    case 'V':
        return settings->version = true;
    default:
        if (show_has(id))
            return show_take(&settings->show, id, value, err);
        if (picture_has(id))
            return picture_take(&settings->picture, id, value, err);
        return setup_take(&settings->setup, id, value, err);
    }
}

static bool is_stdin(const char *path)
{
    return !path || strcmp(path, "-") == 0;
}

static bool check_settings(const Settings *settings, int words, Err *err)
{
    const Setup *setup = &settings->setup;
    if (settings->input && words)
        return err_set(err, "a sentence is given, and --input too");
    if (setup->beam_size && settings->n_best > setup->config.beam_size)
        return err_set(err, "n-best: %d are more than the %d of --beam-size", settings->n_best,
                       setup->config.beam_size);
    if (settings->reference && !words)
        return err_set(err, "--reference goes with a SENTENCE; for lines there is --references FILE");
    if (settings->references && words)
        return err_set(err, "--references goes with lines; for a SENTENCE there is --reference TEXT");
    if (settings->lists && (settings->reference || settings->references))
        return err_set(err, "--n-best lists what a search finds; with a reference there is no search");
    if (settings->lists && settings->show.explain)
        return err_set(err, "--explain walks through one translation; it does not go with --n-best");
    if (settings->references && is_stdin(settings->references) && is_stdin(settings->input))
        return err_set(err, "the lines and their references cannot both come from standard input");
    if (settings->picture.heatmap == PICTURE_ALWAYS && settings->show.format != SHOW_TEXT)
        return err_set(err, "--heatmap is for text; a picture would break the records of --format");
    return show_check(&settings->show, err);
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

/* left_out: what of the records was left out, if anything. */
static void warn(Session *session, const ReaderLine *from, const Translation *translation,
                 const Err *left_out)
{
    char place[32] = "";
    if (session->numbered)
        snprintf(place, sizeof place, "line %ld: ", from->number);
    if (from->cut)
        say("%slonger than %zu bytes; the rest of it is left out", place, READER_LINE_MAX);
    if (translation->too_long)
        say("%smore than %d pieces, here or in its reference; not scored", place, TRANSLATOR_FORCE_MAX);
    if (left_out->text[0])
        say("%s%s", place, left_out->text);
    session->incomplete |= from->cut || translation->too_long || left_out->text[0];
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
    buf_add(&session->bytes, from->data, from->size);
}

/* Of the line added last. */
static void add_reference(Session *session, const char *data, size_t size)
{
    session->reference[session->lines - 1].size = size;
    buf_add(&session->given, data, size);
}

static void place_lines(TranslatorLine *line, int lines, const Buf *bytes)
{
    size_t at = 0;
    for (int i = 0; i < lines; at += line[i++].size)
        line[i].data = bytes->data + at;
}

static bool translate_batch(Session *session, Err *err)
{
    const Translation *translation;
    place_lines(session->line, session->lines, &session->bytes);
    if (session->settings.show.forced) {
        place_lines(session->reference, session->lines, &session->given);
        translation = translator_force(session->translator, session->line, session->reference, session->lines);
    } else {
        translation = translator_run(session->translator, session->line, session->lines);
    }
    Buf record = {0};
    bool ok = true;
    for (int i = 0; ok && i < session->lines; i++) {
        const ReaderLine *from = &session->from[i];
        const Show *show = &session->settings.show;
        const TranslatorLine *line = &session->line[i];
        Err left_out = {""};
        record.size = 0;
        show_translation(show, &record, line, &translation[i], from->number, &left_out);
        ok = !session->log ||
             show_log(show, session->log, line, &translation[i], from->number, &left_out, err);
        picture_add(&session->settings.picture, &record, line, &translation[i]);
        warn(session, from, &translation[i], &left_out);
        output_add(&session->output, record.data, record.size);
    }
    buf_free(&record);
    return ok && (!session->log || log_commit(session->log, err)) && output_flush(&session->output, err);
}

static bool translate_words(Session *session, char **word, int words, Err *err)
{
    Buf sentence = {0};
    for (int i = 0; i < words; i++)
        buf_format(&sentence, "%s%s", i ? " " : "", word[i]);
    add_line(session, &(ReaderLine){.data = sentence.data, .size = sentence.size, .number = 1});
    buf_free(&sentence);
    if (session->settings.reference)
        add_reference(session, session->settings.reference, strlen(session->settings.reference));
    return translate_batch(session, err);
}

/* The reference of the line added last. READER_END: there is none, and the line is taken back. */
static ReaderGot read_reference(Session *session, Err *err)
{
    ReaderLine line;
    ReaderGot got = reader_line(&session->references, &line, err);
    if (got == READER_LINE)
        add_reference(session, line.data, line.size);
    else
        session->lines--;
    return got;
}

/* Has every line its reference? Reads what is left of both. */
static bool check_references(Session *session, Err *err)
{
    Reader *lines = &session->reader, *references = &session->references;
    Reader *reader[] = {lines, references};
    for (int i = 0; i < 2; i++) {
        ReaderLine line;
        ReaderGot got;
        while ((got = reader_line(reader[i], &line, err)) == READER_LINE)
            ;
        if (got == READER_FAILED)
            return false;
    }
    if (lines->lines != references->lines)
        return err_set(err, "%s has %ld lines, and %s has %ld", lines->name, lines->lines, references->name,
                       references->lines);
    return true;
}

static bool is_full(const Session *session)
{
    return session->lines == session->room || session->bytes.size + session->given.size >= BATCH_BYTES;
}

static bool translate_lines(Session *session, Err *err)
{
    bool prompts = isatty(session->reader.fd) && !session->settings.quiet;
    bool paired = session->settings.references != NULL;
    ReaderGot got, given = READER_LINE;
    session->numbered = true;
    do {
        ReaderLine line;
        session->lines = 0;
        session->bytes.size = session->given.size = 0;
        if (prompts)
            fputs("> ", stderr);
        while ((got = reader_line(&session->reader, &line, err)) == READER_LINE) {
            add_line(session, &line);
            if (paired && (given = read_reference(session, err)) != READER_LINE)
                break;
            if (is_full(session) || !reader_is_ready(&session->reader))
                break;
        }
        if (session->lines && !translate_batch(session, err))
            return false;
    } while (got == READER_LINE && given == READER_LINE);
    if (prompts)
        fputc('\n', stderr);
    if (got == READER_FAILED || given == READER_FAILED)
        return false;
    return !paired || check_references(session, err);
}

/* The run -------------------------------------------------------------------------------------- */

static bool open_input(const char *path, Reader *reader, Err *err)
{
    int fd = STDIN_FILENO;
    if (is_stdin(path))
        path = "standard input";
    else
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, "%s: %s", path, strerror(errno));
    *reader = reader_start(fd, path);
    return true;
}

static bool open_files(Session *session, bool reads, Err *err)
{
    const Settings *settings = &session->settings;
    if (reads && !open_input(settings->input, &session->reader, err))
        return false;
    if (settings->references && !open_input(settings->references, &session->references, err))
        return false;
    program_unlinks(session->output.temporary);
    return output_open(&session->output, settings->output, err);
}

/* The status to end with; err is set unless it is 0. */
static int run(Session *session, const char *program, char **word, int words, Err *err)
{
    Settings *settings = &session->settings;
    Show *show = &settings->show;
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
    Picture *picture = &settings->picture;
    picture->walk = &show->walk;
    picture_begin(picture, words > 0 && show->format == SHOW_TEXT && !show->explain, !settings->output);
    options.keep_weights = show_needs_weights(show) || settings->log || picture_needs_weights(picture);
    size_t room = (size_t)BATCH_LINES * (size_t)options.threads;
    session->room = (int)room;
    session->line = memory_take(room * sizeof *session->line);
    session->reference = memory_take(room * sizeof *session->reference);
    session->from = memory_take(room * sizeof *session->from);
    session->translator = translator_new(model, vocab, &options);
    Buf name = {0}, head = {0};
    show_model_name(settings->setup.model ? settings->setup.model : SETUP_MODEL, &name);
    show->model = name.data;
    show->vocab = show->walk.vocab = vocab;
    show->walk.model = model;
    show->walk.kernel = options.kernel;
    show->ranked = settings->lists;
    show->forced = settings->reference || settings->references;
    show_begin(show, &head);
    output_add(&session->output, head.data, head.size);

    bool ok = !settings->log || (session->log = log_open(settings->log, err));
    if (ok)
        ok = words ? translate_words(session, word, words, err) : translate_lines(session, err);
    Err draw_err;
    if (!picture_end(picture, ok ? err : &draw_err))
        ok = false;
    log_close(session->log);
    translator_free(session->translator);
    vocab_free(vocab);
    model_free(model);
    free(session->line);
    free(session->reference);
    free(session->from);
    buf_free(&session->bytes);
    buf_free(&session->given);
    buf_free(&name);
    buf_free(&head);
    reader_free(&session->reader);
    reader_free(&session->references);
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
    option_add(&table, show_rows, SHOW_ROWS);
    option_add(&table, picture_rows, PICTURE_ROWS);
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
