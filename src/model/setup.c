#include "model/setup.h"

#include "base/program.h"
#include "model/store.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { SETUP_KERNEL = OPTION_LONG + 1000 };

static const char group[] = "Model and search";

const Option setup_rows[SETUP_ROWS] = {
    {.id = 'm', .name = "model", .argument = "FILE", .group = group,
     .help = "the model", .initial = SETUP_MODEL " beside the program"},
    {.id = 'b', .name = "beam-size", .argument = "N", .group = group,
     .help = "hypotheses kept at each step; 1 is greedy search", .initial = "the model's"},
    {.id = 'n', .name = "normalize", .argument = "ALPHA", .optional = true, .group = group,
     .help = "divide scores by length^ALPHA; 1 when ALPHA is left out, 0 does not divide",
     .initial = "the model's"},
    {.id = 't', .name = "threads", .argument = "N", .group = group,
     .help = "threads that translate", .initial = "one for each processor"},
    {.id = SETUP_KERNEL, .name = "kernel", .argument = "NAME", .group = group,
     .help = "compute with plain, avx2 or avx512", .initial = "the fastest that runs here"},
};

bool setup_take(Setup *setup, int id, const char *value, Err *err)
{
    switch (id) {
    case 'm':
        setup->model = value;
        return true;
    case 'b':
        setup->beam_size = true;
        return config_set(&setup->config, "beam-size", value, err);
    case 'n':
        setup->normalize = true;
        return config_set(&setup->config, "normalize", value ? value : "1", err);
    case 't':
        setup->threads = true;
        return config_set(&setup->config, "threads", value, err);
    default:
        assert(id == SETUP_KERNEL);
        setup->kernel = value;
        return true;
    }
}

static bool load(const Setup *setup, const char *program, Model **model, Vocab **vocab, Err *err)
{
    Buf beside = {0};
    const char *path = setup->model;
    if (!path) {
        program_beside(program, SETUP_MODEL, &beside);
        path = beside.data;
    }
    bool ok = false;
    if (access(path, R_OK) == 0)
        ok = store_load(path, model, vocab, err);
    else
        err_set(err, "%s: %s%s", path, strerror(errno),
                setup->model ? "" : "; name a model with --model FILE");
    buf_free(&beside);
    return ok;
}

int setup_load(const Setup *setup, const char *program, Model **model, Vocab **vocab,
               TranslatorOptions *options, Err *err)
{
    const Kernel *kernel = translator_kernel(setup->kernel, err);
    if (!kernel)
        return 2;
    if (!load(setup, program, model, vocab, err))
        return 3;
    *options = translator_options(*model);
    options->kernel = kernel;
    options->threads = setup->threads ? setup->config.threads : program_processors();
    if (setup->beam_size)
        options->search.beam_size = setup->config.beam_size;
    if (setup->normalize)
        options->search.normalize = setup->config.normalize;
    return 0;
}
