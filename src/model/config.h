/* config.h - every setting of a model, its training and its search, in one table.
 *
 *     Config config = config_default();
 *     if (!config_set(&config, "hidden", "384", &err)) ...
 *     if (!config_check(&config, &err)) ...
 *
 * The table `config_fields` is the only list of settings: a row is a command-line flag (--KEY VALUE),
 * a row of the SQLite table config(key, value), a line of the help text, and its range and default. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "base/buf.h"
#include "base/err.h"

typedef enum { CELL_LSTM, CELL_GRU } Cell;
typedef enum { SCORE_DOT, SCORE_GENERAL, SCORE_CONCAT, SCORE_SCALED_DOT } Score;

typedef struct {
    /* The model: what shape it has. Fixed when a run starts. */
    int embedding;          /* width of a piece's vector and of the attentional state */
    int hidden;             /* width of the decoder state and of the memory (each direction has half) */
    int encoder_layers, decoder_layers;
    int cell;               /* Cell */
    int score;              /* Score */
    int share_embeddings;   /* source and target use one embedding */
    int pieces;             /* size of the vocabulary to learn */
    int case_markers;       /* encode "THE" as <upper> "the" */

    /* Training. */
    double dropout;
    double word_dropout;
    double piece_dropout;   /* BPE-dropout */
    double capitals;        /* rate of pairs written in capitals */
    double lower;           /* rate of pairs written without capitals */
    double bare;            /* rate of pairs without the mark at their end */
    double label_smoothing;
    double guide;           /* weight of the loss that guides attention */
    int batch_tokens;       /* target pieces in one update */
    int steps;              /* updates; the learning rate reaches 0 there */
    int warmup;             /* updates during which the learning rate rises */
    double learning_rate;
    double clip;            /* largest norm of the gradient */
    double average;         /* decay of the running average of the weights */
    int validate;           /* updates between validations */
    int patience;           /* validations without a better dev BLEU before stopping */
    int max_length;         /* pairs with more pieces on a side are skipped */
    int seed;
    int threads;

    /* Search. */
    int beam_size;
    double normalize;       /* score / length^normalize */
    double max_ratio;       /* output of at most max_ratio * source pieces + 10 pieces */
} Config;

typedef enum { FIELD_MODEL, FIELD_TRAINING, FIELD_SEARCH } FieldUse;
typedef enum { FIELD_INT, FIELD_REAL, FIELD_CHOICE } FieldType;

typedef struct {
    const char *key;   /* "label-smoothing": the flag without its dashes, and the SQLite key */
    FieldUse use;
    FieldType type;
    size_t offset;     /* of an int (FIELD_INT, FIELD_CHOICE) or a double (FIELD_REAL) in Config */
    const char *value; /* the default, as text */
    double low, high;  /* legal range */
    const char *const *names; /* FIELD_CHOICE: NULL-terminated; the index is the value */
    const char *help;  /* one line, without the default */
    const char *before; /* what holds for files from before there was this setting; NULL: it was always there */
} Field;

extern const Field config_fields[];
extern const int config_field_count;

Config config_default(void);

/* The field of that key, or NULL. */
const Field *config_find(const char *key);

/* Set one field from text; refuses unknown keys, malformed numbers and values out of range. */
bool config_set(Config *config, const char *key, const char *value, Err *err) MUST_CHECK;

/* Append the field's value as config_set reads it: config_set(config_get(x)) gives x exactly. */
void config_get(const Config *config, const Field *field, Buf *out);

/* Combinations that no single field shows to be wrong. */
bool config_check(const Config *config, Err *err) MUST_CHECK;

#endif
