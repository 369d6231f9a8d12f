/* show.h - the options about what is written of a translation, and the writing.
 *
 *     Show show = {.vocab = vocab, .model = "en-es", .ranked = lists};
 *     option_add(&table, show_rows, SHOW_ROWS);
 *     bool take(...) { switch (id) ... default: if (show_has(id)) return show_take(&show, id, value, &err); }
 *     if (!show_check(&show, &err)) ...                                  status 2
 *     options.keep_weights = show_needs_weights(&show);
 *     show_begin(&show, &out);
 *     show_translation(&show, &out, &line, &translation, number, &left_out);
 *
 * The forms of a line of text, of which [] are there when asked for:
 *     TEXT [||| ALIGNMENT]
 *     LINE ||| TEXT [||| ALIGNMENT] ||| Score= LOG-PROBABILITY ||| NORMALIZED      n-best lists and references
 * where TEXT is, with --tokens, SOURCE WORDS ||| TARGET WORDS. The LINE counts from 0, as Moses and Marian have
 * it. JSON and TSV are those of view/record.h; with --explain all forms are those of view/explanation.h. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "base/option.h"
#include "cli/walk.h"
#include "view/log.h"

#define SHOW_ROWS 5

typedef enum { SHOW_TEXT, SHOW_JSON, SHOW_TSV } ShowFormat;
typedef enum { SHOW_NONE, SHOW_HARD, SHOW_SOFT, SHOW_THRESHOLD } ShowLinks;

typedef struct {
    ShowFormat format;
    ShowLinks links;
    double threshold;
    bool pieces, tokens; /* --pieces, --tokens */
    bool ranked;         /* all hypotheses, not the first alone */
    bool forced;         /* translations that were given: their scores are what is asked for */
    const char *model;   /* its name, for the records */
    const Vocab *vocab;
    bool explain;        /* --explain */
    Walk walk;           /* its word; the rest is the caller's to fill */
} Show;

/* --alignment, --explain, --format, --pieces, --tokens. */
extern const Option show_rows[SHOW_ROWS];

bool show_has(int id);
bool show_take(Show *show, int id, const char *value, Err *err) MUST_CHECK;

/* Do the options go together? */
bool show_check(const Show *show, Err *err) MUST_CHECK;

bool show_needs_weights(const Show *show);

/* What stands before all records. */
void show_begin(const Show *show, Buf *out);

/* The records of line `number`, from 1. left_out is set where something was left out: a matrix that was too large,
 * or the explanation; else it stays as it is. */
void show_translation(const Show *show, Buf *out, const TranslatorLine *line, const Translation *translation,
                      long number, Err *left_out);

/* The same hypotheses into a log. */
bool show_log(const Show *show, Log *log, const TranslatorLine *line, const Translation *translation,
              long number, Err *left_out, Err *err) MUST_CHECK;

/* "en-es" for models/en-es.db: appended. */
void show_model_name(const char *path, Buf *out);

#endif
