#include "math/param.h"

#include "base/arena.h"
#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const Param *params_add(Params *params, const char *name, int rows, int cols, ParamUse use)
{
    assert(params->count < PARAM_LIMIT && !params_find(params, name));
    assert(strlen(name) < PARAM_NAME && rows > 0 && cols > 0);
    Param *param = &params->list[params->count++];
    *param = (Param){.use = use, .rows = rows, .cols = cols, .at = params->size};
    memcpy(param->name, name, strlen(name) + 1);
    params->size += ((size_t)rows * (size_t)cols + 15) / 16 * 16;
    return param;
}

Param *params_find(Params *params, const char *name)
{
    for (int i = 0; i < params->count; i++)
        if (strcmp(params->list[i].name, name) == 0)
            return &params->list[i];
    return NULL;
}

static bool is_packed(const Param *param)
{
    return param->use == PARAM_MATRIX || param->use == PARAM_TIED;
}

/* The two products' right-hand sides: [depth, cols] = [rows, cols] of W or of its transpose. */
static Pack pack_forward(Arena *arena, const Param *param, PackType type)
{
    return param->use == PARAM_TIED ? pack_new(arena, param->cols, param->rows, type)
                                    : pack_new(arena, param->rows, param->cols, type);
}

static Pack pack_backward(Arena *arena, const Param *param)
{
    return param->use == PARAM_TIED ? pack_new(arena, param->rows, param->cols, PACK_REAL)
                                    : pack_new(arena, param->cols, param->rows, PACK_REAL);
}

/* All of it in one block, which the system can give in large pages: to touch memory page by page takes longer
 * than to read a model from a file. Rounded up to whole panels both ways. */
static void reserve(Params *params, size_t item, int packs)
{
    size_t bytes = 0;
    for (const Param *param = params->list; param < params->list + params->count; param++) {
        size_t rows = (size_t)param->rows + PACK_PANEL, cols = (size_t)param->cols + PACK_PANEL;
        bytes += is_packed(param) ? rows * cols * item * (size_t)packs : rows * cols * item;
    }
    arena_reserve(&params->arena, bytes);
}

void params_allocate(Params *params)
{
    params->value = memory_take_zeros(params->size, sizeof(real));
    reserve(params, sizeof(real), 2);
    for (Param *param = params->list; param < params->list + params->count; param++) {
        param->value = params->value + param->at;
        if (is_packed(param)) {
            param->forward = pack_forward(&params->arena, param, PACK_REAL);
            param->backward = pack_backward(&params->arena, param);
        }
    }
}

void params_start(Params *params, uint64_t seed)
{
    for (int i = 0; i < params->count; i++) {
        Param *param = &params->list[i];
        if (param->use == PARAM_VECTOR)
            continue;
        size_t n = (size_t)param->rows * (size_t)param->cols;
        Rng rng = rng_at(seed, 0, (uint64_t)i);
        double range = sqrt(6.0 / (param->rows + param->cols)), deviation = sqrt(1.0 / param->cols);
        for (size_t k = 0; k < n; k++)
            param->value[k] = (real)(param->use == PARAM_MATRIX
                                         ? range * (2 * rng_uniform(&rng) - 1)
                                         : deviation * rng_normal(&rng));
    }
}

void params_pack(Params *params, int first, int last)
{
    for (int i = first; i < last; i++) {
        Param *param = &params->list[i];
        if (!is_packed(param))
            continue;
        pack_fill(&param->forward, 0, param->rows, param->value, param->cols, param->use == PARAM_TIED);
        pack_fill(&param->backward, 0, param->rows, param->value, param->cols, param->use != PARAM_TIED);
    }
}

void params_widen(real *out, const void *bytes, size_t n, bool half)
{
    for (size_t k = 0; k < n; k++) {
        if (half) {
            uint16_t h;
            memcpy(&h, (const char *)bytes + k * sizeof h, sizeof h);
            out[k] = half_to_real(h);
        } else {
            float f;
            memcpy(&f, (const char *)bytes + k * sizeof f, sizeof f);
            out[k] = (real)f;
        }
    }
}

/* Memory for what is only loaded. */
static void take_room(Params *params, Param *param, bool half)
{
    Arena *arena = &params->arena;
    size_t n = (size_t)param->rows * (size_t)param->cols;
    if (!arena->first)
        reserve(params, half ? sizeof(uint16_t) : sizeof(real), 1);
    if (is_packed(param))
        param->forward = pack_forward(arena, param, half ? PACK_HALF : PACK_REAL);
    else if (param->use == PARAM_TABLE && half)
        param->half = arena_take(arena, n * sizeof *param->half);
    else
        param->value = arena_take(arena, n * sizeof *param->value);
}

void params_load(Params *params, Param *param, int row, int rows, const void *bytes, bool half)
{
    size_t at = (size_t)row * (size_t)param->cols, n = (size_t)rows * (size_t)param->cols;
    bool tied = param->use == PARAM_TIED;
    assert(row >= 0 && row + rows <= param->rows && (row % PARAM_ROWS == 0 || params->value));
    if (!params->value && row == 0)
        take_room(params, param, half);
    if (param->value) {
        params_widen(param->value + at, bytes, n, half);
    } else if (param->half) {
        memcpy(param->half + at, bytes, n * sizeof *param->half);
    } else if (half) {
        pack_fill_half(&param->forward, row, rows, bytes, param->cols, tied);
    } else {
        real *value = memory_take(n * sizeof *value);
        params_widen(value, bytes, n, false);
        pack_fill(&param->forward, row, rows, value, param->cols, tied);
        free(value);
    }
}

void param_row(const Param *param, int id, real *out)
{
    assert(id >= 0 && id < param->rows);
    size_t at = (size_t)id * (size_t)param->cols;
    if (param->value)
        memcpy(out, param->value + at, (size_t)param->cols * sizeof *out);
    else if (param->half)
        for (int j = 0; j < param->cols; j++)
            out[j] = half_to_real(param->half[at + (size_t)j]);
    else
        pack_column(&param->forward, id, out);
}

void params_free(Params *params)
{
    arena_free(&params->arena);
    free(params->value);
    *params = (Params){0};
}
