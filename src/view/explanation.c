/* explanation.c - choosing words, and the tables to be read. The other forms: explanation_record.c. */
#include "view/explanation_internal.h"

#include "view/heatmap_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { LABEL_COLUMNS = 24 }; /* a longer word or piece is cut */

ExplanationSoftmax explanation_softmax(const ExplanationPart *part, const ExplanationStep *step)
{
    ExplanationSoftmax soft = {-HUGE_VAL, 0};
    for (int s = 0; s < part->pieces; s++)
        soft.max = fmax(soft.max, step->score[s]);
    for (int s = 0; s < part->pieces; s++)
        soft.sum += exp(step->score[s] - soft.max);
    return soft;
}

double explanation_word_weight(const ExplanationStep *step, const ExplanationWord *word)
{
    double sum = 0;
    for (int i = 0; i < word->pieces; i++)
        sum += step->weight[word->first + i];
    return sum;
}

double explanation_word_score(const ExplanationPart *part, const ExplanationWord *word)
{
    double sum = 0;
    for (int i = 0; i < word->pieces; i++)
        sum += part->step[word->first + i].written.score;
    return sum;
}

double explanation_change(const ExplanationPart *part, int t, int s)
{
    return part->change[(size_t)t * (size_t)part->sources + (size_t)s];
}

/* Choosing ----------------------------------------------------------------------------------------- */

/* Without regard to letter case, composed; NULL when it is not UTF-8. To be freed. */
static char *fold(const char *text, size_t size)
{
    utf8proc_uint8_t *folded = NULL;
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
    if (utf8proc_map(bytes, (utf8proc_ssize_t)size, &folded,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD) < 0)
        return NULL;
    return (char *)folded;
}

static bool is_same(const ExplanationWord *word, const char *wanted, const char *folded)
{
    if (!folded)
        return word->size == strlen(wanted) && memcmp(word->text, wanted, word->size) == 0;
    char *own = fold(word->text, word->size);
    bool same = own && strcmp(own, folded) == 0;
    free(own);
    return same;
}

/* Hides all words that are not the same as wanted; folded: or NULL, to compare bytes. */
static int hide_others(Explanation *it, const char *wanted, const char *folded)
{
    int left = 0;
    for (int p = 0; p < it->parts; p++)
        for (int t = 0; t < it->part[p].targets; t++) {
            ExplanationWord *word = &it->part[p].target[t];
            word->hidden = !is_same(word, wanted, folded);
            left += !word->hidden;
        }
    return left;
}

int explanation_choose(Explanation *it, const char *word)
{
    int left = hide_others(it, word, NULL);
    char *folded = left ? NULL : fold(word, strlen(word));
    if (folded)
        left = hide_others(it, word, folded);
    free(folded);
    return left;
}

/* Tables ------------------------------------------------------------------------------------------- */

static int columns_of(const char *text, size_t size)
{
    Buf ignored = {0};
    int columns = heatmap_label(&ignored, text, size, LABEL_COLUMNS);
    buf_free(&ignored);
    return columns;
}

static void put_label(Buf *out, const char *text, size_t size, int columns)
{
    int done = heatmap_label(out, text, size, LABEL_COLUMNS);
    buf_format(out, "%*s", columns > done ? columns - done : 0, "");
}

static void put_vector(Buf *out, const char *name, ExplanationVector vector, int values)
{
    buf_format(out, "  %-8s norm %.4f, first values", name, vector.norm);
    for (int i = 0; i < values; i++)
        buf_format(out, " %.4f", vector.first[i]);
    buf_char(out, '\n');
}

/* A change, or nothing. */
static void put_change(Buf *out, double change)
{
    if (isfinite(change))
        buf_format(out, "  %+10.4f", change);
    buf_char(out, '\n');
}

typedef struct {
    int word, piece; /* columns */
} Widths;

static Widths find_widths(const ExplanationPart *part)
{
    Widths widths = {4, 5}; /* of the headings */
    for (int s = 0; s < part->sources; s++) {
        int columns = columns_of(part->source[s].text, part->source[s].size);
        widths.word = columns > widths.word ? columns : widths.word;
    }
    for (int s = 0; s < part->pieces; s++) {
        int columns = columns_of(part->piece[s].text, strlen(part->piece[s].text));
        widths.piece = columns > widths.piece ? columns : widths.piece;
    }
    return widths;
}

static void put_rows(Buf *out, const ExplanationPart *part, int t, const ExplanationStep *step)
{
    ExplanationSoftmax soft = explanation_softmax(part, step);
    Widths widths = find_widths(part);
    double total = 0;
    buf_format(out, "  %-*s  %-*s  %9s %10s %10s %9s %8s %8s  %10s\n", widths.word, "word", widths.piece,
               "piece", "key norm", "score", "- max", "exp", "weight", "of word", "if deleted");
    for (int s = 0; s < part->sources; s++) {
        const ExplanationWord *word = &part->source[s];
        for (int i = 0; i < word->pieces; i++) {
            const ExplanationSource *piece = &part->piece[word->first + i];
            double score = step->score[word->first + i], shifted = score - soft.max;
            double weight = step->weight[word->first + i];
            buf_text(out, "  ");
            put_label(out, word->text, i ? 0 : word->size, widths.word + 2);
            put_label(out, piece->text, strlen(piece->text), widths.piece + 2);
            buf_format(out, "%9.4f %10.4f %10.4f %9.6f %8.4f", piece->key.norm, score, shifted, exp(shifted),
                       weight);
            total += weight;
            if (i) {
                buf_char(out, '\n');
                continue;
            }
            buf_format(out, " %8.4f", explanation_word_weight(step, word));
            put_change(out, explanation_change(part, t, s));
        }
    }
    buf_format(out, "  %*s  %9s %10.4f %10s %9.6f %8.4f\n", widths.word + 2 + widths.piece, "max, sum", "",
               soft.max, "", soft.sum, total);
}

static void put_best(Buf *out, const ExplanationStep *step)
{
    buf_format(out, "  %-8s ", "next");
    for (int i = 0; i < step->best_count; i++) {
        const ExplanationPiece *best = &step->best[i];
        buf_text(out, i ? ", " : "");
        put_label(out, best->text, strlen(best->text), 0);
        buf_format(out, " %.4f", exp(best->score));
    }
    buf_char(out, '\n');
}

static void put_word(Buf *out, const ExplanationPart *part, int t)
{
    const ExplanationWord *word = &part->target[t];
    buf_char(out, '\n');
    put_label(out, word->text, word->size, 0);
    buf_format(out, "  log-probability %.4f\n", explanation_word_score(part, word));
    for (int i = 0; i < word->pieces; i++) {
        const ExplanationStep *step = &part->step[word->first + i];
        buf_format(out, "\n  step %d   writes ", word->first + i + 1);
        put_label(out, step->written.text, strlen(step->written.text), 0);
        buf_format(out, ", log-probability %.4f\n", step->written.score);
        put_vector(out, "query", step->query, part->queries);
        put_rows(out, part, t, step);
        put_vector(out, "context", step->context, part->values);
        put_best(out, step);
    }
}

void explanation_text(Buf *out, const Explanation *it)
{
    static const char note[] =
        "\nThe context is the sum of the values by their weights. \"if deleted\" is how the log-probability\n"
        "of the word changes when that source word is deleted and the same translation is forced:\n"
        "attention is not explanation, and a word of great weight need not be one that matters.\n";
    if (!it->parts)
        return;
    buf_add(out, it->target, it->target_size);
    buf_char(out, '\n');
    for (int p = 0; p < it->parts; p++)
        for (int t = 0; t < it->part[p].targets; t++)
            if (!it->part[p].target[t].hidden)
                put_word(out, &it->part[p], t);
    buf_text(out, note);
}
