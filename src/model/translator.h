/* translator.h - text to text: the whole way of a line through the model.
 *
 *     TranslatorOptions options = translator_options(model);     the model's own settings
 *     Translator *translator = translator_new(model, vocab, &options);
 *     TranslatorLine line[] = {{"The cat sat.", 12}};
 *     const Translation *translation = translator_run(translator, line, 1);
 *     translation[0].text[0].data                                "El gato se sentó."
 *     translator_free(translator);
 *
 * A line is any bytes. Control characters become spaces, ill-formed UTF-8 becomes U+FFFD (both are counted, so
 * that the program can warn), the rest is normalised by text_source. A line of nothing but white space
 * gives an empty translation without a search.
 *
 * Cutting. A line of more pieces than max_pieces is cut into parts, each translated for itself; their
 * translations are joined by spaces. A cut is made behind the last of . ! ? in reach, else behind ; or :,
 * else behind a comma (these not in the first quarter of a part), else before a word; a word longer than a
 * whole part is cut between pieces. Hypothesis i of such a line joins hypothesis i of every part, or the
 * last one it has.
 *
 * Empty output. When the best hypothesis of a part is blank although the source has letters or digits, the
 * part is searched again for all hypotheses of a beam of at least TRANSLATOR_RESCUE, and those that are
 * not blank come first.
 *
 * An output is one line: control characters and line separators in it, which only pieces that stand for
 * single bytes can bring about, are spaces.
 *
 * A translation depends on the model, the options and its line, not on the other lines, nor on the
 * number of threads. */
#ifndef MODEL_TRANSLATOR_H
#define MODEL_TRANSLATOR_H

#include "model/search.h"
#include "text/vocab.h"

#define TRANSLATOR_BATCH 16  /* parts searched together, at most */
#define TRANSLATOR_RESCUE 5
#define TRANSLATOR_FORCE_MAX 2048 /* pieces */

typedef struct {
    SearchOptions search;
    int max_pieces;       /* longest part, at least 1 */
    int threads;
    bool keep_weights;    /* fill TranslationOutput.weights */
    const Kernel *kernel;
} TranslatorOptions;

typedef struct {
    const char *data;
    size_t size; /* at most TEXT_SIZE_MAX */
} TranslatorLine;

/* One hypothesis of one part. Step t wrote piece id[t], which made the bytes span[t] of data. */
typedef struct {
    const char *data; /* NUL-terminated */
    size_t size;
    const int *id;             /* [count] without the end */
    const TextSpan *span;      /* [count] */
    int count;
    double score, normalized;  /* as in Hypothesis */
    const real *piece_score;   /* [count + 1], the end last */
    const real *weights;       /* [count + 1, source count + 1], as in Hypothesis; NULL unless kept */
} TranslationOutput;

typedef struct {
    const int *id;          /* [count] source pieces, without the end */
    const TextSpan *origin; /* [count] bytes of the line */
    int count;
    TranslationOutput *output; /* [outputs], best first */
    int outputs;
} TranslationPart;

/* One hypothesis of the whole line. */
typedef struct {
    const char *data; /* NUL-terminated */
    size_t size;
    double score;      /* natural log-probability, summed over the parts */
    double normalized; /* score / length^normalize, the length being all pieces and ends written; 0 if none */
    const size_t *at;  /* [parts] where each part's text begins in data */
    const TranslationOutput **output; /* [parts] what is joined */
} TranslationText;

typedef struct {
    TranslationText *text; /* [texts] 1 .. n_best, best first */
    int texts;
    TranslationPart *part; /* [parts]; none for a blank line */
    int parts;
    size_t replaced; /* ill-formed sequences in the line */
    size_t controls; /* control characters in the line, white space not among them */
    bool too_long;   /* not forced */
} Translation;

typedef struct Translator Translator;

/* The search as the model's config has it, max_pieces = its max_length, one thread, the best kernel. */
TranslatorOptions translator_options(const Model *model);

/* The kernel of that name; of the environment's ATIENDE_KERNEL when name is NULL; else the best. NULL with err
 * when there is none of that name, or this processor cannot run it. */
const Kernel *translator_kernel(const char *name, Err *err) MUST_CHECK;

/* model and vocab must outlive it, and belong together. */
Translator *translator_new(const Model *model, const Vocab *vocab, const TranslatorOptions *options);

/* Translates n lines: [n], owned by the translator, good until the next call. The lines' bytes are needed
 * only while it runs. */
const Translation *translator_run(Translator *translator, const TranslatorLine *line, int n);

/* The same for translations that are given: reference[i] is one of line[i]. Each Translation has one text, the
 * reference with spaces for what would end or disturb a line; its score, spans and weights are as if the
 * search had found it. Nothing is cut: where the line or its reference has more than TRANSLATOR_FORCE_MAX
 * pieces, the translation is empty and too_long. It is empty too where both are blank. */
const Translation *translator_force(Translator *translator, const TranslatorLine *line,
                                    const TranslatorLine *reference, int n);

void translator_free(Translator *translator);

#endif
