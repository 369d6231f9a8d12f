/* explanation_record.c - an explanation as text that other programs read. */
#include "base/escape.h"
#include "view/explanation_internal.h"

#include <math.h>
#include <string.h>

static const char nothing[] = "null";

/* What is not finite: `missing`. */
static void put_number(Buf *out, double value, const char *missing)
{
    if (isfinite(value))
        buf_format(out, "%.9g", value);
    else
        buf_text(out, missing);
}

static void put_list(Buf *out, const double *value, int count, const char *missing)
{
    for (int i = 0; i < count; i++) {
        if (i)
            buf_char(out, ',');
        put_number(out, value[i], missing);
    }
}

/* JSON --------------------------------------------------------------------------------------------- */

/* before: what stands before the member. */
static void json_text(Buf *out, const char *before, const char *name, const char *text, size_t size)
{
    buf_format(out, "%s\"%s\":\"", before, name);
    escape_json(out, text, size);
    buf_char(out, '"');
}

static void json_number(Buf *out, const char *name, double value)
{
    buf_format(out, ",\"%s\":", name);
    put_number(out, value, nothing);
}

static void json_list(Buf *out, const char *name, const double *value, int count)
{
    buf_format(out, ",\"%s\":[", name);
    put_list(out, value, count, nothing);
    buf_char(out, ']');
}

static void json_vector(Buf *out, const char *name, ExplanationVector vector, int values)
{
    buf_format(out, ",\"%s_norm\":", name);
    put_number(out, vector.norm, nothing);
    json_list(out, name, vector.first, values);
}

static void json_span(Buf *out, const ExplanationWord *word)
{
    json_text(out, "{", "text", word->text, word->size);
    buf_format(out, ",\"begin\":%lu,\"end\":%lu", (unsigned long)word->begin, (unsigned long)word->end);
}

static void json_sources(Buf *out, const ExplanationPart *part)
{
    buf_text(out, "\"source_words\":[");
    for (int s = 0; s < part->sources; s++) {
        buf_text(out, s ? "," : "");
        json_span(out, &part->source[s]);
        buf_format(out, ",\"first\":%d,\"pieces\":%d}", part->source[s].first, part->source[s].pieces);
    }
    buf_text(out, "],\"source_pieces\":[");
    for (int s = 0; s < part->pieces; s++) {
        const ExplanationSource *piece = &part->piece[s];
        json_text(out, s ? ",{" : "{", "text", piece->text, strlen(piece->text));
        json_vector(out, "key", piece->key, part->queries);
        json_vector(out, "value", piece->value, part->values);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void json_step(Buf *out, const ExplanationPart *part, const ExplanationStep *step)
{
    ExplanationSoftmax soft = explanation_softmax(part, step);
    json_text(out, "{", "text", step->written.text, strlen(step->written.text));
    json_number(out, "log_probability", step->written.score);
    json_vector(out, "query", step->query, part->queries);
    json_number(out, "max", soft.max);
    json_number(out, "sum", soft.sum);
    json_list(out, "score", step->score, part->pieces);
    for (int exponential = 0; exponential <= 1; exponential++) {
        buf_text(out, exponential ? ",\"exponential\":[" : ",\"shifted\":[");
        for (int s = 0; s < part->pieces; s++) {
            double shifted = step->score[s] - soft.max;
            buf_text(out, s ? "," : "");
            put_number(out, exponential ? exp(shifted) : shifted, nothing);
        }
        buf_char(out, ']');
    }
    json_list(out, "weight", step->weight, part->pieces);
    json_vector(out, "context", step->context, part->values);
    buf_text(out, ",\"best\":[");
    for (int i = 0; i < step->best_count; i++) {
        json_text(out, i ? ",{" : "{", "text", step->best[i].text, strlen(step->best[i].text));
        json_number(out, "probability", exp(step->best[i].score));
        buf_char(out, '}');
    }
    buf_text(out, "]}");
}

static void json_target(Buf *out, const ExplanationPart *part, int t)
{
    const ExplanationWord *word = &part->target[t];
    json_span(out, word);
    json_number(out, "log_probability", explanation_word_score(part, word));
    buf_text(out, ",\"weight\":[");
    for (int s = 0; s < part->sources; s++) {
        double sum = 0;
        for (int i = 0; i < word->pieces; i++)
            sum += explanation_word_weight(&part->step[word->first + i], &part->source[s]);
        buf_text(out, s ? "," : "");
        put_number(out, sum / word->pieces, nothing);
    }
    buf_char(out, ']');
    json_list(out, "change", part->change + (size_t)t * (size_t)part->sources, part->sources);
    buf_text(out, ",\"steps\":[");
    for (int i = 0; i < word->pieces; i++) {
        buf_text(out, i ? "," : "");
        json_step(out, part, &part->step[word->first + i]);
    }
    buf_text(out, "]}");
}

static void json_part(Buf *out, const ExplanationPart *part)
{
    bool first = true;
    buf_char(out, '{');
    json_sources(out, part);
    buf_text(out, ",\"target_words\":[");
    for (int t = 0; t < part->targets; t++) {
        if (part->target[t].hidden)
            continue;
        buf_text(out, first ? "" : ",");
        first = false;
        json_target(out, part, t);
    }
    buf_text(out, "]}");
}

void explanation_json(Buf *out, const Explanation *it, const RecordId *id)
{
    buf_format(out, "{\"id\":%ld", id->line);
    if (id->rank)
        buf_format(out, ",\"rank\":%d", id->rank);
    json_text(out, ",", "source", it->source, it->source_size);
    json_text(out, ",", "translation", it->target, it->target_size);
    json_number(out, "score", it->score);
    json_number(out, "normalized_score", it->normalized);
    json_text(out, ",", "model", id->model, strlen(id->model));
    buf_text(out, ",\"parts\":[");
    for (int p = 0; p < it->parts; p++) {
        buf_text(out, p ? "," : "");
        json_part(out, &it->part[p]);
    }
    buf_text(out, "]}");
}

/* TSV ---------------------------------------------------------------------------------------------- */

void explanation_tsv_header(Buf *out)
{
    buf_text(out, "sentence\tpart\ttarget_position\ttarget\tstep\ttarget_piece\tlog_probability\tquery_norm\t"
                  "query\tsource_position\tsource\tsource_piece_position\tsource_piece\tkey_norm\tkey\tvalue\t"
                  "score\tshifted\texponential\tsum\tweight\tword_weight\tchange\tcontext_norm\tcontext\t"
                  "best\tprobabilities\n");
}

static void tsv_text(Buf *out, const char *text, size_t size)
{
    buf_char(out, '\t');
    escape_tsv(out, text, size);
}

static void tsv_number(Buf *out, double value)
{
    buf_char(out, '\t');
    put_number(out, value, "");
}

static void tsv_list(Buf *out, const double *value, int count)
{
    buf_char(out, '\t');
    put_list(out, value, count, "");
}

static void tsv_best(Buf *out, const ExplanationStep *step)
{
    for (int i = 0; i < step->best_count; i++) {
        buf_char(out, i ? ' ' : '\t');
        escape_tsv(out, step->best[i].text, strlen(step->best[i].text));
    }
    for (int i = 0; i < step->best_count; i++) {
        buf_char(out, i ? ',' : '\t');
        put_number(out, exp(step->best[i].score), "");
    }
}

/* What every line of a step ends with. */
static void tsv_context(Buf *out, const ExplanationPart *part, const ExplanationStep *step)
{
    tsv_number(out, step->context.norm);
    tsv_list(out, step->context.first, part->values);
    tsv_best(out, step);
    buf_char(out, '\n');
}

static void tsv_source(Buf *out, const ExplanationPart *part, int s, int piece)
{
    const ExplanationSource *source = &part->piece[piece];
    buf_format(out, "\t%d", s);
    tsv_text(out, part->source[s].text, part->source[s].size);
    buf_format(out, "\t%d", piece);
    tsv_text(out, source->text, strlen(source->text));
    tsv_number(out, source->key.norm);
    tsv_list(out, source->key.first, part->queries);
    tsv_list(out, source->value.first, part->values);
}

/* The lines of one step of target word t. start: the fields before its own. */
static void tsv_step(Buf *out, const ExplanationPart *part, int t, int number, const Buf *start)
{
    const ExplanationStep *step = &part->step[number];
    ExplanationSoftmax soft = explanation_softmax(part, step);
    for (int s = 0; s < part->sources; s++) {
        const ExplanationWord *word = &part->source[s];
        for (int piece = word->first; piece < word->first + word->pieces; piece++) {
            double shifted = step->score[piece] - soft.max;
            buf_add(out, start->data, start->size);
            buf_format(out, "\t%d", number);
            tsv_text(out, step->written.text, strlen(step->written.text));
            tsv_number(out, step->written.score);
            tsv_number(out, step->query.norm);
            tsv_list(out, step->query.first, part->queries);
            tsv_source(out, part, s, piece);
            tsv_number(out, step->score[piece]);
            tsv_number(out, shifted);
            tsv_number(out, exp(shifted));
            tsv_number(out, soft.sum);
            tsv_number(out, step->weight[piece]);
            tsv_number(out, explanation_word_weight(step, word));
            tsv_number(out, explanation_change(part, t, s));
            tsv_context(out, part, step);
        }
    }
}

void explanation_tsv(Buf *out, const Explanation *it, const RecordId *id)
{
    Buf start = {0};
    for (int p = 0; p < it->parts; p++)
        for (int t = 0; t < it->part[p].targets; t++) {
            const ExplanationWord *word = &it->part[p].target[t];
            if (word->hidden)
                continue;
            start.size = 0;
            buf_format(&start, "%ld\t%d\t%d", id->line, p, t);
            tsv_text(&start, word->text, word->size);
            for (int i = 0; i < word->pieces; i++)
                tsv_step(out, &it->part[p], t, word->first + i, &start);
        }
    buf_free(&start);
}
