#include "view/record.h"

#include "base/escape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends a number as the "C" locale writes it: what is no digit, sign or exponent is the decimal point, of
 * one byte or more. */
static void put_decimal(Buf *out, const char *text)
{
    size_t whole = strspn(text, "+-0123456789");
    buf_add(out, text, whole);
    text += whole;
    if (*text && *text != 'e') {
        buf_char(out, '.');
        text += strcspn(text, "0123456789");
    }
    buf_text(out, text);
}

/* JSON has no name for what is not finite. */
static void put_score(Buf *out, double score)
{
    char text[400]; /* the largest double has 316 characters */
    snprintf(text, sizeof text, "%.6f", score);
    if (isfinite(score))
        put_decimal(out, text);
    else
        buf_text(out, "null");
}

static void put_weight(Buf *out, real weight)
{
    char text[32];
    if (weight == 0) { /* the most frequent one by far where a line has parts */
        buf_char(out, '0');
    } else if (isfinite(weight)) {
        snprintf(text, sizeof text, "%.7g", (double)weight);
        put_decimal(out, text);
    } else {
        buf_text(out, "null");
    }
}

static void put_row(Buf *out, const Alignment *a, int target)
{
    const real *row = a->weight + (size_t)target * ((size_t)a->sources + 1);
    for (int s = 0; s <= a->sources; s++) {
        if (s)
            buf_char(out, ',');
        put_weight(out, row[s]);
    }
}

/* Text --------------------------------------------------------------------------------------- */

void record_pharaoh(Buf *out, const AlignmentLink *link, int links)
{
    for (int i = 0; i < links; i++)
        buf_format(out, "%s%d-%d", i ? " " : "", link[i].source, link[i].target);
}

void record_soft(Buf *out, const Alignment *a)
{
    for (int t = 0; t <= a->targets; t++) {
        if (t)
            buf_char(out, ' ');
        put_row(out, a, t);
    }
}

static void put_words(Buf *out, const AlignmentWord *word, int words)
{
    for (int i = 0; i < words; i++) {
        if (i)
            buf_char(out, ' ');
        buf_add(out, word[i].text, word[i].size);
    }
}

void record_tokens(Buf *out, const Alignment *a)
{
    put_words(out, a->source, a->sources);
    buf_text(out, " ||| ");
    put_words(out, a->target, a->targets);
}

/* JSON --------------------------------------------------------------------------------------- */

static void json_text(Buf *out, const char *name, const char *text, size_t size)
{
    buf_format(out, ",\"%s\":\"", name);
    escape_json(out, text, size);
    buf_char(out, '"');
}

static void json_score(Buf *out, const char *name, double score)
{
    buf_format(out, ",\"%s\":", name);
    put_score(out, score);
}

static void json_words(Buf *out, const char *name, const AlignmentWord *word, int words)
{
    buf_format(out, ",\"%s\":[", name);
    for (int i = 0; i < words; i++) {
        buf_text(out, i ? ",{\"text\":\"" : "{\"text\":\"");
        escape_json(out, word[i].text, word[i].size);
        buf_format(out, "\",\"begin\":%lu,\"end\":%lu,\"pieces\":%d}", (unsigned long)word[i].begin,
                   (unsigned long)word[i].end, word[i].pieces);
    }
    buf_char(out, ']');
}

static void json_attention(Buf *out, const Alignment *a)
{
    buf_text(out, ",\"attention\":[");
    for (int t = 0; t <= a->targets; t++) {
        buf_text(out, t ? ",[" : "[");
        put_row(out, a, t);
        buf_char(out, ']');
    }
    buf_char(out, ']');
}

static void json_links(Buf *out, const Alignment *a)
{
    AlignmentLink *link = memory_take(((size_t)a->targets + 1) * sizeof *link);
    int links = alignment_hard(a, link);
    buf_text(out, ",\"alignment\":[");
    for (int i = 0; i < links; i++)
        buf_format(out, "%s[%d,%d]", i ? "," : "", link[i].source, link[i].target);
    buf_char(out, ']');
    free(link);
}

void record_json(Buf *out, const Alignment *a, const RecordId *id)
{
    buf_format(out, "{\"id\":%ld", id->line);
    if (id->rank)
        buf_format(out, ",\"rank\":%d", id->rank);
    json_text(out, "source", a->source_text, a->source_size);
    json_text(out, "translation", a->target_text, a->target_size);
    json_score(out, "score", a->score);
    json_score(out, "normalized_score", a->normalized);
    json_words(out, "source_words", a->source, a->sources);
    json_words(out, "target_words", a->target, a->targets);
    json_attention(out, a);
    json_links(out, a);
    json_text(out, "model", id->model, strlen(id->model));
    buf_text(out, "}\n");
}

/* TSV ---------------------------------------------------------------------------------------- */

static void tsv_word(Buf *out, const AlignmentWord *word, int words, int i)
{
    buf_format(out, "\t%d\t", i);
    if (i == words)
        buf_text(out, "</s>");
    else
        escape_tsv(out, word[i].text, word[i].size);
}

void record_tsv_header(Buf *out, bool ranked)
{
    buf_format(out, "sentence\t%starget_position\ttarget\tsource_position\tsource\tweight\n",
               ranked ? "rank\t" : "");
}

void record_tsv(Buf *out, const Alignment *a, const RecordId *id)
{
    const real *weight = a->weight;
    for (int t = 0; t <= a->targets; t++)
        for (int s = 0; s <= a->sources; s++) {
            buf_format(out, "%ld", id->line);
            if (id->rank)
                buf_format(out, "\t%d", id->rank);
            tsv_word(out, a->target, a->targets, t);
            tsv_word(out, a->source, a->sources, s);
            buf_char(out, '\t');
            put_weight(out, *weight++);
            buf_char(out, '\n');
        }
}
