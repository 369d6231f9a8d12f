/* setup.h - the options and the start that translate and evaluate share: which model, how to search.
 *
 *     Setup setup = {0};
 *     option_add(&table, setup_rows, SETUP_ROWS);
 *     bool take(...) { switch (id) ... default: return setup_take(&setup, id, value, err); }
 *     status = setup_load(&setup, argv[0], &model, &vocab, &options, &err);
 *
 * What no option says comes from the model's own config; the model, if none is named, is
 * models/en-es.db beside the program. */
#ifndef MODEL_SETUP_H
#define MODEL_SETUP_H

#include "base/option.h"
#include "model/translator.h"

#define SETUP_MODEL "models/en-es.db"
#define SETUP_ROWS 5

typedef struct {
    const char *model, *kernel; /* as given, or NULL */
    Config config;              /* the settings that were given */
    bool beam_size, normalize, threads; /* which those are */
} Setup;

/* --model, --beam-size, --normalize, --threads, --kernel. */
extern const Option setup_rows[SETUP_ROWS];

/* One of those options; asserts that it is. */
bool setup_take(Setup *setup, int id, const char *value, Err *err) MUST_CHECK;

/* Loads the model and fills the options: 0; or with err the status to end with, 2 for a kernel that is none, 3
 * for a model that is missing or damaged. threads are those given, or all processors. */
int setup_load(const Setup *setup, const char *program, Model **model, Vocab **vocab,
               TranslatorOptions *options, Err *err) MUST_CHECK;

#endif
