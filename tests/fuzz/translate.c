/* translate.c - any lines through the whole translator, with a tiny model: the first three bytes are options, the
 * rest is text. Held to are the promises of translator.h. */
#include "base/utf8.h"
#include "fuzz.h"
#include "model/translator.h"

#include <math.h>
#include <string.h>

enum { LINES = 16 };

static Vocab *vocab;
static Model *model;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    vocab = tiny_vocab(320, true);
    model = tiny_model(vocab, 8);
    return 0;
}

static void check_text(const TranslationText *text, bool blank)
{
    HOLDS(strlen(text->data) == text->size);
    for (size_t at = 0; at < text->size;) {
        uint32_t code;
        HOLDS(utf8_next(text->data, text->size, &at, &code));
        HOLDS(code >= 0x20 && !(code >= 0x7F && code < 0xA0) && code != 0x2028 && code != 0x2029);
    }
    HOLDS(isfinite(text->score) && text->score <= 0 && isfinite(text->normalized));
    HOLDS(!blank || (text->size == 0 && text->score == 0));
}

static void check_output(const TranslationPart *part, const TranslationOutput *output)
{
    HOLDS(strlen(output->data) == output->size);
    for (int t = 0; t < output->count; t++) {
        HOLDS(output->id[t] > 0 && output->id[t] < (int)vocab_size(vocab));
        HOLDS(output->span[t].begin <= output->span[t].end && output->span[t].end <= output->size);
    }
    for (int t = 0; output->weights && t <= output->count; t++) {
        double sum = 0;
        for (int i = 0; i <= part->count; i++)
            sum += (double)output->weights[t * (part->count + 1) + i];
        HOLDS(fabs(sum - 1) < 1e-3);
    }
}

static void check_line(const Translation *translation, const TranslatorLine *line, const TranslatorOptions *options)
{
    HOLDS(translation->texts >= 1 && translation->texts <= options->search.n_best);
    for (int i = 0; i < translation->texts; i++)
        check_text(&translation->text[i], translation->parts == 0);
    for (int p = 0; p < translation->parts; p++) {
        const TranslationPart *part = &translation->part[p];
        HOLDS(part->count >= 1 && part->count <= options->max_pieces && part->outputs >= 1);
        for (int i = 0; i < part->count; i++)
            HOLDS(part->origin[i].begin <= part->origin[i].end && part->origin[i].end <= line->size);
        for (int i = 0; i < part->outputs; i++)
            check_output(part, &part->output[i]);
    }
}

static Buf all_texts(const Translation *translation, int lines)
{
    Buf all = {0};
    for (int i = 0; i < lines; i++)
        for (int k = 0; k < translation[i].texts; k++)
            buf_format(&all, "%s\t%a\n", translation[i].text[k].data, translation[i].text[k].score);
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = {data, size};
    uint8_t a = input_byte(&input), b = input_byte(&input), c = input_byte(&input);
    TranslatorOptions options = translator_options(model);
    options.search.beam_size = 1 + a % 5;
    options.search.n_best = 1 + (a >> 4) % options.search.beam_size;
    options.search.max_ratio = 0.5 + b % 4;
    options.max_pieces = 1 + (b >> 2) % 40;
    options.keep_weights = c & 1;
    options.threads = 1 + (c >> 1) % 3;
    if (input.size > 600)
        return 0;
    TranslatorLine line[LINES];
    int lines = 0;
    const char *at = (const char *)input.data, *end = at + input.size;
    while (lines < LINES && at <= end) {
        const char *stop = lines + 1 < LINES ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        stop = stop ? stop : end;
        line[lines++] = (TranslatorLine){at, (size_t)(stop - at)};
        at = stop + 1;
    }
    Translator *translator = translator_new(model, vocab, &options);
    const Translation *translation = translator_run(translator, line, lines);
    for (int i = 0; i < lines; i++)
        check_line(&translation[i], &line[i], &options);
    Buf together = all_texts(translation, lines), alone = {0};
    for (int i = 0; i < lines; i++) { /* the others change nothing */
        Buf one = all_texts(translator_run(translator, &line[i], 1), 1);
        buf_text(&alone, one.data);
        buf_free(&one);
    }
    HOLDS(!strcmp(together.data, alone.data));
    buf_free(&together);
    buf_free(&alone);
    translator_free(translator);
    return 0;
}
