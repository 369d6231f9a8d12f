#include "cli/show.h"

#include "view/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = OPTION_LONG + 2000, EXPLAIN, FORMAT, PIECES, TOKENS };

static const char too_large[] = "too many words for a matrix; its attention is left out";
static const char group[] = "Attention";
static const char *const formats[] = {"text", "json", "tsv", NULL};

const Option show_rows[SHOW_ROWS] = {
    {.id = ALIGNMENT, .name = "alignment", .argument = "KIND", .group = group,
     .help = "append which words a word looked at: hard (i-j, the most), soft (all weights), or i-j for "
             "weights of at least a number from 0 to 1"},
    {.id = EXPLAIN, .name = "explain", .argument = "WORD", .optional = true, .group = group,
     .help = "walk through the attention behind every word of the translation in numbers, or behind one: "
             "--explain=WORD"},
    {.id = FORMAT, .name = "format", .argument = "NAME", .group = group, .choices = formats,
     .help = "text; or JSON lines or a table with all weights", .initial = "text"},
    {.id = PIECES, .name = "pieces", .group = group,
     .help = "weights by piece, as the model saw them, not merged into words"},
    {.id = TOKENS, .name = "tokens", .group = group,
     .help = "write both sides as the words that i-j counts from 0: SOURCE ||| TARGET"},
};

bool show_has(int id)
{
    return id >= ALIGNMENT && id <= TOKENS;
}

static bool take_alignment(Show *show, const char *value, Err *err)
{
    if (strcmp(value, "hard") == 0) {
        show->links = SHOW_HARD;
    } else if (strcmp(value, "soft") == 0) {
        show->links = SHOW_SOFT;
    } else {
        char *end;
        show->links = SHOW_THRESHOLD;
        show->threshold = strtod(value, &end);
        if (end == value || *end || strspn(value, "0123456789.") != strlen(value) || show->threshold > 1)
            return err_set(err, "alignment: '%s' is none of hard, soft, a number from 0 to 1", value);
    }
    return true;
}

bool show_take(Show *show, int id, const char *value, Err *err)
{
    switch (id) {
    case ALIGNMENT:
        return take_alignment(show, value, err);
    case EXPLAIN:
        show->walk.word = value;
        return show->explain = true;
    case FORMAT:
        for (int i = 0; formats[i]; i++)
            if (strcmp(value, formats[i]) == 0) {
                show->format = (ShowFormat)i;
                return true;
            }
        return err_set(err, "format: '%s' is none of text, json, tsv", value);
    case PIECES:
        return show->pieces = true;
    default:
        assert(id == TOKENS);
        return show->tokens = true;
    }
}

bool show_check(const Show *show, Err *err)
{
    const char *format = formats[show->format];
    if (show->explain && (show->links != SHOW_NONE || show->tokens || show->pieces))
        return err_set(err, "--explain has its own form, all pieces in it; it goes with --format alone");
    if (show->format != SHOW_TEXT && show->links != SHOW_NONE)
        return err_set(err, "--alignment is for text; --format %s has all weights", format);
    if (show->format != SHOW_TEXT && show->tokens)
        return err_set(err, "--tokens is for text; --format %s has all words", format);
    if (show->pieces && !show_needs_weights(show))
        return err_set(err, "--pieces goes with --alignment, --tokens, or --format json or tsv");
    return true;
}

bool show_needs_weights(const Show *show)
{
    return (show->format != SHOW_TEXT && !show->explain) || show->links != SHOW_NONE || show->tokens;
}

void show_begin(const Show *show, Buf *out)
{
    if (show->format == SHOW_TSV && show->explain)
        explanation_tsv_header(out);
    else if (show->format == SHOW_TSV)
        record_tsv_header(out, show->ranked);
}

static void write_links(const Show *show, Buf *out, const Alignment *a)
{
    size_t room = (size_t)a->targets * (show->links == SHOW_HARD ? 1 : (size_t)a->sources);
    AlignmentLink *link = memory_take(room * sizeof *link);
    int links = show->links == SHOW_HARD ? alignment_hard(a, link)
                                         : alignment_threshold(a, show->threshold, link);
    record_pharaoh(out, link, links);
    free(link);
}

/* a is NULL when no weights are needed; empty: there is no matrix. */
static void write_text(const Show *show, Buf *out, const TranslationText *text, const Alignment *a, bool empty,
                       long number)
{
    bool scored = show->ranked || show->forced;
    if (scored)
        buf_format(out, "%ld ||| ", number - 1);
    if (show->tokens)
        record_tokens(out, a);
    else
        buf_add(out, text->data, text->size);
    if (show->links != SHOW_NONE) {
        buf_text(out, " ||| ");
        if (show->links != SHOW_SOFT)
            write_links(show, out, a);
        else if (!empty)
            record_soft(out, a);
    }
    if (scored)
        buf_format(out, " ||| Score= %.6f ||| %.6f", text->score, text->normalized);
    buf_char(out, '\n');
}

/* The first hypothesis, step by step; nothing when it cannot be done. */
static void show_explanation(const Show *show, Buf *out, const TranslatorLine *line,
                             const Translation *translation, long number, Err *left_out)
{
    Arena arena = {0};
    Explanation explanation;
    RecordId id = {.line = number, .model = show->model};
    bool ok = walk_explain(&show->walk, &arena, line, translation, 0, &explanation, left_out);
    if (ok && show->format == SHOW_JSON) {
        explanation_json(out, &explanation, &id);
        buf_char(out, '\n');
    } else if (ok && show->format == SHOW_TSV) {
        explanation_tsv(out, &explanation, &id);
    } else if (ok) {
        buf_text(out, number > 1 && explanation.parts ? "\n" : "");
        explanation_text(out, &explanation);
    }
    arena_free(&arena);
}

void show_translation(const Show *show, Buf *out, const TranslatorLine *line, const Translation *translation,
                      long number, Err *left_out)
{
    if (show->explain) {
        show_explanation(show, out, line, translation, number, left_out);
        return;
    }
    Arena arena = {0};
    int texts = show->ranked ? translation->texts : 1;
    for (int i = 0; i < texts; i++) {
        const ArenaMark none = {0};
        const Alignment *a = NULL;
        RecordId id = {.line = number, .rank = show->ranked ? i + 1 : 0, .model = show->model};
        arena_rewind(&arena, none);
        if (show_needs_weights(show))
            a = align_text(&arena, show->vocab, line, translation, i, show->pieces);
        bool empty = translation->parts == 0 || (a && a->left_out);
        if (a && a->left_out)
            err_set(left_out, "%s", too_large);
        if (show->format == SHOW_JSON)
            record_json(out, a, &id);
        else if (show->format == SHOW_TEXT)
            write_text(show, out, &translation->text[i], a, empty, number);
        else if (!empty)
            record_tsv(out, a, &id);
    }
    arena_free(&arena);
}

bool show_log(const Show *show, Log *log, const TranslatorLine *line, const Translation *translation,
              long number, Err *left_out, Err *err)
{
    int texts = show->ranked ? translation->texts : 1;
    Arena arena = {0};
    bool ok = true;
    for (int i = 0; ok && i < texts; i++) {
        const ArenaMark none = {0};
        arena_rewind(&arena, none);
        Alignment *a = align_text(&arena, show->vocab, line, translation, i, false);
        if (a->left_out)
            err_set(left_out, "%s", too_large);
        ok = log_add(log, a, number, i + 1, show->model, err);
    }
    arena_free(&arena);
    return ok;
}

void show_model_name(const char *path, Buf *out)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t size = strlen(name);
    if (size > 3 && strcmp(name + size - 3, ".db") == 0)
        size -= 3;
    buf_add(out, name, size);
}
