/* param.h - what is learned: named matrices in one block, and what is done to all of them at once.
 *
 *     Params params = {0};
 *     const Param *w = params_add(&params, "decoder.0.input", 512, 1536, PARAM_MATRIX);
 *     ...
 *     params_allocate(&params);         training: one block of values, row-major
 *     params_start(&params, seed);      initial values
 *     params_pack(&params, 0, params.count);   after each update: the layouts that products read
 *
 * or, to translate only: no block; params_load() fills a parameter from bytes as stored and keeps
 * it in the one layout that it is read in, so that weights are in memory once.
 *
 * Gradients, both Adam moments and averages are blocks of params.size numbers with the same layout:
 * to clip, update, average or save is one loop each. */
#ifndef MATH_PARAM_H
#define MATH_PARAM_H

#include "math/kernel.h"

#define PARAM_LIMIT 96
#define PARAM_NAME 48
#define PARAM_ROWS PACK_PANEL

typedef enum {
    PARAM_VECTOR, /* bias or score vector, [1, n]: read as it is */
    PARAM_MATRIX, /* y = x W, W [in, out] */
    PARAM_TABLE,  /* embedding, [pieces, width]: rows are looked up */
    PARAM_TIED,   /* embedding that is the output matrix too: rows looked up, and y = x W^T */
} ParamUse;

typedef struct {
    char name[PARAM_NAME];
    ParamUse use;
    int rows, cols;
    size_t at;      /* of its first number in every block */
    real *value;    /* [rows, cols] in the block; NULL for what is held packed only */
    uint16_t *half; /* PARAM_TABLE loaded as halves: [rows, cols]; else NULL */
    Pack forward;   /* y = x W (PARAM_MATRIX) or x W^T (PARAM_TIED) */
    Pack backward;  /* dx = dy W^T (PARAM_MATRIX) or dy W (PARAM_TIED); training only */
} Param;

typedef struct {
    Param list[PARAM_LIMIT];
    int count;
    size_t size;  /* numbers in a block: all parameters, each rounded up to 16 */
    real *value;  /* the block, or NULL when only loaded */
    Arena arena;  /* packs, and what is only loaded */
} Params;

/* Declare one; the pointer stays good as long as params does. Asserts a free slot and a new name. */
const Param *params_add(Params *params, const char *name, int rows, int cols, ParamUse use);

/* NULL when there is none of that name. */
Param *params_find(Params *params, const char *name);

/* Memory for a block that params owns, all zero, and for all packs. */
void params_allocate(Params *params);

/* Initial values: matrices uniform in +-sqrt(6 / (rows + cols)) (Glorot and Bengio 2010),
 * embeddings normal with deviation 1 / sqrt(cols), vectors zero. A function of seed and name order. */
void params_start(Params *params, uint64_t seed);

/* Lay parameters first .. last-1 out for products. Different ranges may run in different threads. */
void params_pack(Params *params, int first, int last);

/* Rows row .. row+rows-1 of a parameter from numbers as stored, row-major: float32, or float16 when half. The
 * rows come in their order, PARAM_ROWS or a multiple of that at a time, the last ones excepted. Without a block:
 * takes the memory that is kept, with row 0. With one: widens into it (pack afterwards). The bytes are copied. */
void params_load(Params *params, Param *param, int row, int rows, const void *bytes, bool half);

/* n numbers as they are stored, which need no alignment, into out. */
void params_widen(real *out, const void *bytes, size_t n, bool half);

/* Row id of an embedding into out[cols], from whichever layout is there. */
void param_row(const Param *param, int id, real *out);

void params_free(Params *params);

#endif
