#include "fuzz.h"

#include <string.h>
#include <unistd.h>

uint8_t input_byte(Input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

uint64_t input_number(Input *input, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number |= (uint64_t)input_byte(input) << (8 * i);
    return number;
}

const uint8_t *input_bytes(Input *input, size_t wanted, size_t *got)
{
    const uint8_t *data = input->data;
    *got = wanted < input->size ? wanted : input->size;
    input->data += *got;
    input->size -= *got;
    return data;
}

Vocab *tiny_vocab(size_t size, bool case_markers)
{
    static const char *const text[] = {
        "the cat sat on the mat", "the cats sit on the mats", "el gato está en la alfombra",
        "los gatos están en la alfombra", "The hat of the cat", "¿Dónde está el gato?", "it's 12,5 %; \"no\" (yes)!",
    };
    enum { COUNT = sizeof text / sizeof *text };
    VocabSentence sentences[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        sentences[i] = (VocabSentence){text[i], strlen(text[i]), 2};
    VocabOptions options = {.size = size, .case_markers = case_markers};
    Err err;
    Vocab *vocab = vocab_learn(sentences, COUNT, &options, &err);
    HOLDS(vocab != NULL);
    return vocab;
}

Model *tiny_model(const Vocab *vocab, int width)
{
    Config config = config_default();
    config.embedding = config.hidden = width;
    config.pieces = (int)vocab_size(vocab);
    Model *model = model_new(&config, (int)vocab_size(vocab));
    params_allocate(&model->params);
    model_start(model, 1);
    return model;
}

const char *memory_file(const char *name, const void *data, size_t size)
{
    static char path[128];
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(path, sizeof path, "%s/atiende-fuzz-%ld-%s", folder, (long)getpid(), name);
    FILE *file = fopen(path, "wb");
    HOLDS(file != NULL);
    HOLDS(fwrite(data, 1, size, file) == size);
    HOLDS(fclose(file) == 0);
    return path;
}
