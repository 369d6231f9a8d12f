/* picture.h - the options about pictures, and drawing them: under a translation on the terminal, or into a file.
 *
 *     Picture picture = {.walk = &walk};
 *     option_add(&table, picture_rows, PICTURE_ROWS);
 *     bool take(...) { ... if (picture_has(id)) return picture_take(&picture, id, value, &err); }
 *     picture_begin(&picture, words > 0, output == NULL);
 *     options.keep_weights = picture_needs_weights(&picture);
 *     picture_add(&picture, &out, &line, &translation)               for each line
 *     if (!picture_end(&picture, &err)) ...                          writes the file
 *
 * A picture on the terminal is drawn when --heatmap asks for it, or when a sentence was given as an argument and
 * standard output is a terminal; --no-heatmap draws none. It is in colour on a terminal, unless NO_COLOR is set
 * and not empty, CLICOLOR is 0 or TERM is dumb; --color always and never go before all of these. */
#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include "base/option.h"
#include "cli/walk.h"
#include "view/heatmap.h"

#define PICTURE_ROWS 4
#define PICTURE_SENTENCES 500 /* most of them on one page */
#define PICTURE_EXPLAINED 20  /* of these, how many come with their explanation in numbers */

typedef enum { PICTURE_AUTO, PICTURE_ALWAYS, PICTURE_NEVER } PictureWhen;

typedef struct {
    PictureWhen heatmap, color;
    const char *file;   /* --draw: .svg or .html */
    const Walk *walk;   /* model and vocabulary; its word is not looked at */
    HeatmapStyle style; /* set by picture_begin, as is shows */
    bool shows;
    Arena arena;        /* what is drawn at the end */
    HeatmapSentence *sentence; /* [count] */
    int count, left;    /* left: not drawn, because a page is full */
} Picture;

/* --heatmap, --no-heatmap, --color, --draw. */
extern const Option picture_rows[PICTURE_ROWS];

bool picture_has(int id);
bool picture_take(Picture *picture, int id, const char *value, Err *err) MUST_CHECK;

/* one: a sentence was given as an argument; out: results go to standard output. */
void picture_begin(Picture *picture, bool one, bool out);

bool picture_needs_weights(const Picture *picture);

/* Appends the picture for the terminal to out, if there is to be one, and keeps what the file will show. */
void picture_add(Picture *picture, Buf *out, const TranslatorLine *line, const Translation *translation);

/* Writes the file, if there is to be one, and frees everything. An SVG holds one sentence: the first. */
bool picture_end(Picture *picture, Err *err) MUST_CHECK;

#endif
