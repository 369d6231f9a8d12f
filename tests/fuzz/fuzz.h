/* fuzz.h - what the fuzz targets share: each file TARGET.c defines the two functions of libFuzzer.
 *
 *     make fuzz TARGET=text SECONDS=600      clang's libFuzzer, address and undefined-behaviour sanitizers
 *     make run-fuzz-corpus                   every kept input once, with replay.c in libFuzzer's place
 *
 * A target ends the process when a property does not hold. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "model/model.h"
#include "text/vocab.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(CONDITION)                                                                   \
    do {                                                                                   \
        if (!(CONDITION)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #CONDITION); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

/* The input, taken from its front; zeros when it is used up. */
typedef struct {
    const uint8_t *data;
    size_t size;
} Input;

uint8_t input_byte(Input *input);
uint64_t input_number(Input *input, int bytes); /* little-endian */
const uint8_t *input_bytes(Input *input, size_t wanted, size_t *got);

/* Learned from a few sentences; with case markers or without. */
Vocab *tiny_vocab(size_t size, bool case_markers);

/* Untrained: what it writes is noise, but never the same noise for other weights. */
Model *tiny_model(const Vocab *vocab, int width);

/* A file in memory: its path. */
const char *memory_file(const char *name, const void *data, size_t size);

#endif
