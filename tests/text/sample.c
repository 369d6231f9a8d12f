#include "text/sample.h"

#include <check.h>
#include <string.h>

const char *const sample_sentences[SAMPLE_SENTENCES] = {
    "The old cat sleeps under the table.", "El gato viejo duerme debajo de la mesa.",
    "I don't know where she lives.", "No sé dónde vive ella.",
    "Where are you going today?", "¿Adónde vas hoy?",
    "What a beautiful garden!", "¡Qué jardín tan bonito!",
    "My sister reads the newest book.", "Mi hermana lee el libro más nuevo.",
    "They don't know the lower road.", "Ellos no conocen el camino de abajo.",
    "We bought 12 apples for 3 euros.", "Compramos 12 manzanas por 3 euros.",
    "Is the old bridge still closed?", "¿Sigue cerrado el puente viejo?",
    "The cats don't like the rain.", "A los gatos no les gusta la lluvia.",
    "She said: \"I know the garden.\"", "Ella dijo: \"Conozco el jardín.\"",
    "He lives near the station (the new one).", "Vive cerca de la estación (la nueva).",
    "Where did you read that?", "¿Dónde leíste eso?",
    "I know the way to the garden.", "Conozco el camino al jardín.",
    "The rain closed the lower bridge.", "La lluvia cerró el puente de abajo.",
    "You don't know what I know.", "No sabes lo que yo sé.",
};

Vocab *sample_learn(bool backwards, bool case_markers)
{
    VocabSentence list[SAMPLE_SENTENCES];
    for (size_t i = 0; i < SAMPLE_SENTENCES; i++) {
        const char *text = sample_sentences[backwards ? SAMPLE_SENTENCES - 1 - i : i];
        list[i] = (VocabSentence){text, strlen(text), 1};
    }
    Err err = {""};
    VocabOptions options = {.size = SAMPLE_SIZE, .case_markers = case_markers};
    Vocab *learned = vocab_learn(list, SAMPLE_SENTENCES, &options, &err);
    ck_assert_msg(learned != NULL, "%s", err.text);
    return learned;
}
