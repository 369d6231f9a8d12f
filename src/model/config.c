#include "model/config.h"

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const cell_names[] = {"lstm", "gru", NULL};
static const char *const score_names[] = {"dot", "general", "concat", "scaled-dot", NULL};
static const char *const switch_names[] = {"off", "on", NULL};

#define AT(member) offsetof(Config, member)

const Field config_fields[] = {
    {"embedding", FIELD_MODEL, FIELD_INT, AT(embedding), "256", 1, 4096, NULL,
     "width of a piece's vector and of the attentional state", NULL},
    {"hidden", FIELD_MODEL, FIELD_INT, AT(hidden), "512", 2, 4096, NULL,
     "width of the decoder state and of the encoder memory", NULL},
    {"encoder-layers", FIELD_MODEL, FIELD_INT, AT(encoder_layers), "1", 1, 4, NULL,
     "bidirectional layers of the encoder", NULL},
    {"decoder-layers", FIELD_MODEL, FIELD_INT, AT(decoder_layers), "1", 1, 4, NULL,
     "layers of the decoder", NULL},
    {"cell", FIELD_MODEL, FIELD_CHOICE, AT(cell), "lstm", 0, 1, cell_names,
     "recurrent cell", NULL},
    {"score", FIELD_MODEL, FIELD_CHOICE, AT(score), "general", 0, 3, score_names,
     "attention score", NULL},
    {"share-embeddings", FIELD_MODEL, FIELD_CHOICE, AT(share_embeddings), "on", 0, 1, switch_names,
     "one embedding for source and target", NULL},
    {"pieces", FIELD_MODEL, FIELD_INT, AT(pieces), "5000", 300, 60000, NULL,
     "size of the joint vocabulary", NULL},
    {"case-markers", FIELD_MODEL, FIELD_CHOICE, AT(case_markers), "on", 0, 1, switch_names,
     "write upper case as a marker before the lower-case word", NULL},

    {"dropout", FIELD_TRAINING, FIELD_REAL, AT(dropout), "0.25", 0, 0.9, NULL,
     "rate at which activations are dropped", NULL},
    {"word-dropout", FIELD_TRAINING, FIELD_REAL, AT(word_dropout), "0", 0, 0.9, NULL,
     "rate at which whole embeddings are dropped", NULL},
    {"piece-dropout", FIELD_TRAINING, FIELD_REAL, AT(piece_dropout), "0.05", 0, 1, NULL,
     "rate at which merges are skipped (BPE-dropout)", NULL},
    {"capitals", FIELD_TRAINING, FIELD_REAL, AT(capitals), "0.02", 0, 1, NULL,
     "rate at which pairs are written in capitals", "0"},
    {"lower", FIELD_TRAINING, FIELD_REAL, AT(lower), "0.2", 0, 1, NULL,
     "rate at which pairs are written without capitals", "0"},
    {"bare", FIELD_TRAINING, FIELD_REAL, AT(bare), "0.1", 0, 1, NULL,
     "rate at which pairs lose the mark at their end", "0"},
    {"label-smoothing", FIELD_TRAINING, FIELD_REAL, AT(label_smoothing), "0.1", 0, 0.9, NULL,
     "share of the target probability spread over all pieces", NULL},
    {"guide", FIELD_TRAINING, FIELD_REAL, AT(guide), "0.5", 0, 10, NULL,
     "weight of attention's loss towards word alignments", "0"},
    {"batch-tokens", FIELD_TRAINING, FIELD_INT, AT(batch_tokens), "1800", 1, 1000000, NULL,
     "target pieces in one update", NULL},
    {"steps", FIELD_TRAINING, FIELD_INT, AT(steps), "16000", 1, 100000000, NULL,
     "updates; the learning rate falls to 0 over them", NULL},
    {"warmup", FIELD_TRAINING, FIELD_INT, AT(warmup), "500", 0, 1000000, NULL,
     "updates over which the learning rate rises", NULL},
    {"learning-rate", FIELD_TRAINING, FIELD_REAL, AT(learning_rate), "0.002", 0, 10, NULL,
     "largest learning rate of Adam", NULL},
    {"clip", FIELD_TRAINING, FIELD_REAL, AT(clip), "1", 1e-6, 1e6, NULL,
     "largest norm of the gradient", NULL},
    {"average", FIELD_TRAINING, FIELD_REAL, AT(average), "0.999", 0, 0.999999, NULL,
     "decay of the running average of the weights (0: none)", NULL},
    {"validate", FIELD_TRAINING, FIELD_INT, AT(validate), "1000", 1, 100000000, NULL,
     "updates between validations, each with a checkpoint", NULL},
    {"patience", FIELD_TRAINING, FIELD_INT, AT(patience), "15", 1, 1000000, NULL,
     "validations without a better dev BLEU before stopping", NULL},
    {"max-length", FIELD_TRAINING, FIELD_INT, AT(max_length), "80", 1, 1000, NULL,
     "pairs with more pieces on a side are skipped", NULL},
    {"seed", FIELD_TRAINING, FIELD_INT, AT(seed), "1", 0, INT_MAX, NULL,
     "seed of every random draw", NULL},
    {"threads", FIELD_TRAINING, FIELD_INT, AT(threads), "2", 1, 256, NULL,
     "worker threads", NULL},

    {"beam-size", FIELD_SEARCH, FIELD_INT, AT(beam_size), "5", 1, 64, NULL,
     "hypotheses kept at each step; 1 is greedy search", NULL},
    {"normalize", FIELD_SEARCH, FIELD_REAL, AT(normalize), "1", 0, 10, NULL,
     "exponent of the length that a score is divided by", NULL},
    {"max-ratio", FIELD_SEARCH, FIELD_REAL, AT(max_ratio), "2.5", 0.1, 100, NULL,
     "longest output: this times the source pieces, plus 10", NULL},
};

const int config_field_count = sizeof config_fields / sizeof *config_fields;

static int *int_at(const Config *config, const Field *field)
{
    return (int *)((char *)(uintptr_t)config + field->offset);
}

static double *real_at(const Config *config, const Field *field)
{
    return (double *)((char *)(uintptr_t)config + field->offset);
}

const Field *config_find(const char *key)
{
    for (int i = 0; i < config_field_count; i++)
        if (strcmp(config_fields[i].key, key) == 0)
            return &config_fields[i];
    return NULL;
}

static bool set_choice(Config *config, const Field *field, const char *value, Err *err)
{
    Buf names = {0};
    for (int i = 0; field->names[i]; i++) {
        if (strcmp(field->names[i], value) == 0) {
            *int_at(config, field) = i;
            buf_free(&names);
            return true;
        }
        buf_format(&names, "%s%s", i ? ", " : "", field->names[i]);
    }
    err_set(err, "%s: '%s' is none of %s", field->key, value, names.data);
    buf_free(&names);
    return false;
}

bool config_set(Config *config, const char *key, const char *value, Err *err)
{
    const Field *field = config_find(key);
    if (!field)
        return err_set(err, "%s: no such setting", key);
    if (field->type == FIELD_CHOICE)
        return set_choice(config, field, value, err);
    char *end;
    errno = 0;
    double number = strtod(value, &end);
    if (end == value || *end || !isfinite(number) || strpbrk(value, "xX \t\n"))
        return err_set(err, "%s: '%s' is not a number", field->key, value);
    if (field->type == FIELD_INT && number != floor(number))
        return err_set(err, "%s: '%s' is not a whole number", field->key, value);
    if (number < field->low || number > field->high)
        return err_set(err, "%s: %s is not in %.10g .. %.10g", field->key, value, field->low,
                       field->high);
    if (field->type == FIELD_INT)
        *int_at(config, field) = (int)number;
    else
        *real_at(config, field) = number;
    return true;
}

void config_get(const Config *config, const Field *field, Buf *out)
{
    if (field->type == FIELD_INT) {
        buf_format(out, "%d", *int_at(config, field));
    } else if (field->type == FIELD_CHOICE) {
        buf_text(out, field->names[*int_at(config, field)]);
    } else {
        /* The shortest text that reads back as the same number. */
        char text[32];
        for (int digits = 6; digits <= DBL_DECIMAL_DIG; digits++) {
            Buf number = {0};
            buf_format(&number, "%.*g", digits, *real_at(config, field));
            size_t size = number.size < sizeof text ? number.size : sizeof text - 1;
            memcpy(text, number.data, size);
            text[size] = '\0';
            buf_free(&number);
            if (strtod(text, NULL) == *real_at(config, field))
                break;
        }
        buf_text(out, text);
    }
}

Config config_default(void)
{
    Config config = {0};
    Err err;
    for (int i = 0; i < config_field_count; i++)
        if (!config_set(&config, config_fields[i].key, config_fields[i].value, &err))
            abort(); /* the table contradicts itself */
    return config;
}

bool config_check(const Config *config, Err *err)
{
    if (config->hidden % 2)
        return err_set(err, "hidden: %d is odd, but each direction of the encoder gets half of it",
                       config->hidden);
    if (config->warmup > config->steps)
        return err_set(err, "warmup: %d updates are more than the %d of the whole run (steps)",
                       config->warmup, config->steps);
    return true;
}
