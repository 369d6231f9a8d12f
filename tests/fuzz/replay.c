/* replay.c - libFuzzer's place taken by one run of every file named on the command line. */
#include "fuzz.h"

int main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 1;
        }
        static uint8_t data[1 << 20];
        size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        uint8_t *copy = malloc(size ? size : 1); /* of just that size, so that reading beyond it shows */
        HOLDS(copy != NULL);
        for (size_t k = 0; k < size; k++)
            copy[k] = data[k];
        LLVMFuzzerTestOneInput(copy, size);
        free(copy);
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    printf("%s: %d inputs\n", argv[0], argc);
    return 0;
}
