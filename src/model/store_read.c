/* store_read.c - rows become Config, Vocab, Params and Checkpoint. Nothing in a row is believed before it
 * has been looked at, and nothing is handed out before its digest is right. */
#include "model/store_internal.h"

#include "base/arena.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PORTION 131072 /* bytes of a tensor, at least 64 rows */

/* A column's text when it is text without a NUL; else NULL. */
static const char *text_at(sqlite3_stmt *row, int column, size_t *size)
{
    *size = 0;
    if (sqlite3_column_type(row, column) != SQLITE_TEXT)
        return NULL;
    const char *text = (const char *)sqlite3_column_text(row, column);
    *size = (size_t)sqlite3_column_bytes(row, column);
    return text && strlen(text) == *size ? text : NULL;
}

static bool is_integer(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_INTEGER;
}

/* Runs a SELECT: take() is called with each row until it fails. */
typedef bool TakeRow(Store *store, sqlite3_stmt *row, void *into, Err *err);

static bool each_row(Store *store, const char *sql, TakeRow *take, void *into, Err *err)
{
    sqlite3_stmt *row = store_prepare(store, sql, err);
    if (!row)
        return false;
    int status;
    while ((status = sqlite3_step(row)) == SQLITE_ROW)
        if (!take(store, row, into, err)) {
            sqlite3_finalize(row);
            return false;
        }
    return store_finish(store, row, status, err);
}

/* Digests ------------------------------------------------------------------------------------ */

static const char file_part[] = "file";

static bool take_digest(Store *store, sqlite3_stmt *row, void *into, Err *err)
{
    size_t name_size, size;
    const char *name = text_at(row, 0, &name_size), *value = text_at(row, 1, &size);
    if (!name || !value || size != DIGEST_TEXT - 1)
        return err_set(err, "%s: damaged: a malformed row in table digest", store->path);
    char *target = strcmp(name, file_part) == 0 ? into : NULL;
    for (int part = 0; part < PART_COUNT; part++)
        if (strcmp(name, store_parts[part]) == 0)
            target = store->part[part];
    if (!target || target[0])
        return err_set(err, "%s: damaged: digest '%s' is not part of a model", store->path, name);
    memcpy(target, value, DIGEST_TEXT);
    return true;
}

static bool digest_check(Store *store, Part part, const char *text, Err *err)
{
    static const char *const what[PART_COUNT] = {"settings", "vocabulary", "state", "tensors (weight)",
                                                 "tensors (moment1)", "tensors (moment2)",
                                                 "tensors (average)", "tensors (best)"};
    return strcmp(store->part[part], text) == 0
           || err_set(err, "%s: damaged: the digest of its %s does not agree", store->path, what[part]);
}

static bool read_digests(Store *store, Err *err)
{
    char stored[DIGEST_TEXT] = "", made[DIGEST_TEXT];
    memset(store->part, 0, sizeof store->part);
    if (!each_row(store, "SELECT part, value FROM main.digest", take_digest, stored, err))
        return false;
    digest_file(store, made);
    return strcmp(stored, made) == 0
           || err_set(err, "%s: damaged: the digest of its digests does not agree", store->path);
}

/* Config: rows in the order of key -------------------------------------------------------------- */

typedef struct {
    Config config;
    Buf key; /* of the last row */
    uint64_t seen;
} ConfigRows;

static bool take_config(Store *store, sqlite3_stmt *row, void *into, Err *err)
{
    ConfigRows *rows = into;
    size_t key_size, size;
    const char *key = text_at(row, 0, &key_size), *value = text_at(row, 1, &size);
    if (!key || !value)
        return err_set(err, "%s: damaged: a malformed row in table config", store->path);
    if (rows->key.size && strcmp(rows->key.data, key) >= 0)
        return err_set(err, "%s: damaged: config: %s stands there twice or out of order", store->path, key);
    rows->key.size = 0;
    buf_text(&rows->key, key);
    Err reason;
    if (!config_set(&rows->config, key, value, &reason))
        return err_set(err, "%s: config: %s", store->path, reason.text);
    rows->seen |= UINT64_C(1) << (config_find(key) - config_fields);
    digest_text(&store->digest, key, key_size);
    digest_text(&store->digest, value, size);
    return true;
}

/* A file from before there was this setting, or one that lacks a row. */
static bool take_absent(const Store *store, Config *config, const Field *field, Err *err)
{
    if (!field->before)
        return err_set(err, "%s: config: %s is missing", store->path, field->key);
    return config_set(config, field->key, field->before, err);
}

bool store_read_config(Store *store, Config *config, char text[DIGEST_TEXT], Err *err)
{
    ConfigRows rows = {.config = config_default()};
    assert(config_field_count <= 64);
    digest_start(&store->digest, PART_CONFIG);
    bool good = each_row(store, "SELECT key, value FROM main.config ORDER BY key", take_config, &rows, err);
    buf_free(&rows.key);
    for (int i = 0; good && i < config_field_count; i++)
        if (!(rows.seen >> i & 1))
            good = take_absent(store, &rows.config, &config_fields[i], err);
    Err reason;
    if (good && !config_check(&rows.config, &reason))
        good = err_set(err, "%s: config: %s", store->path, reason.text);
    digest_end(&store->digest, text);
    *config = rows.config;
    return good;
}

/* Vocabulary: piece in the order of id, then merge in the order of rank ------------------------- */

typedef struct {
    Buf text; /* of all pieces, one behind the other */
    VocabPiece *piece;
    VocabMerge *merge;
    size_t pieces, piece_room, merges, merge_room;
    size_t limit; /* of pieces */
} VocabRows;

static void *room(void *rows, size_t used, size_t *capacity, size_t size)
{
    if (used < *capacity)
        return rows;
    *capacity = *capacity ? *capacity * 2 : 8192;
    return memory_grow(rows, *capacity * size);
}

static bool take_piece(Store *store, sqlite3_stmt *row, void *into, Err *err)
{
    VocabRows *rows = into;
    size_t size, kind_size;
    int64_t id = sqlite3_column_int64(row, 0), count = sqlite3_column_int64(row, 3);
    const char *text = text_at(row, 1, &size), *name = text_at(row, 2, &kind_size);
    VocabKind kind;
    if (rows->pieces == rows->limit)
        return err_set(err, "%s: damaged: more than %zu pieces", store->path, rows->limit);
    if (!is_integer(row, 0) || id != (int64_t)rows->pieces)
        return err_set(err, "%s: damaged: piece %zu is missing", store->path, rows->pieces);
    if (!text || size > VOCAB_TEXT_MAX || !name || !vocab_kind_find(name, &kind) || !is_integer(row, 3))
        return err_set(err, "%s: damaged: piece %zu is malformed", store->path, rows->pieces);
    rows->piece = room(rows->piece, rows->pieces, &rows->piece_room, sizeof *rows->piece);
    rows->piece[rows->pieces++] = (VocabPiece){id, NULL, size, kind, count};
    buf_add(&rows->text, text, size);
    digest_integer(&store->digest, id);
    digest_text(&store->digest, text, size);
    digest_text(&store->digest, name, kind_size);
    digest_integer(&store->digest, count);
    return true;
}

static bool take_merge(Store *store, sqlite3_stmt *row, void *into, Err *err)
{
    VocabRows *rows = into;
    VocabMerge merge = {sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                        sqlite3_column_int64(row, 2)};
    if (rows->merges == STORE_MERGE_LIMIT)
        return err_set(err, "%s: damaged: more than %zu merges", store->path, STORE_MERGE_LIMIT);
    if (!is_integer(row, 0) || merge.rank != (int64_t)rows->merges)
        return err_set(err, "%s: damaged: merge %zu is missing", store->path, rows->merges);
    if (!is_integer(row, 1) || !is_integer(row, 2))
        return err_set(err, "%s: damaged: merge %zu is malformed", store->path, rows->merges);
    rows->merge = room(rows->merge, rows->merges, &rows->merge_room, sizeof *rows->merge);
    rows->merge[rows->merges++] = merge;
    digest_integer(&store->digest, merge.rank);
    digest_integer(&store->digest, merge.left);
    digest_integer(&store->digest, merge.right);
    return true;
}

bool store_read_vocab(Store *store, Vocab **vocab, char text[DIGEST_TEXT], Err *err)
{
    VocabRows rows = {.limit = (size_t)config_find("pieces")->high};
    digest_start(&store->digest, PART_VOCABULARY);
    bool good = each_row(store, "SELECT id, text, kind, count FROM main.piece ORDER BY id", take_piece,
                         &rows, err)
                && each_row(store, "SELECT rank, left, right FROM main.merge ORDER BY rank", take_merge,
                            &rows, err);
    digest_end(&store->digest, text);
    for (size_t i = 0, at = 0; i < rows.pieces; at += rows.piece[i++].size)
        rows.piece[i].text = rows.text.data + at;
    Err reason;
    if (good && vocab) {
        *vocab = vocab_from_rows(rows.piece, rows.pieces, rows.merge, rows.merges, &reason);
        good = *vocab || err_set(err, "%s: vocabulary: %s", store->path, reason.text);
    }
    free(rows.piece);
    free(rows.merge);
    buf_free(&rows.text);
    return good;
}

/* Tensors ------------------------------------------------------------------------------------ */

void store_order(const Params *params, uint8_t order[PARAM_LIMIT])
{
    for (int i = 0; i < params->count; i++) {
        int at = i;
        for (; at > 0 && strcmp(params->list[order[at - 1]].name, params->list[i].name) > 0; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)i;
    }
}

typedef struct {
    Params *params;
    Places *places;
    int64_t bytes; /* of all values so far */
} TensorRows;

/* Looks at a tensor's description; its value is only measured. */
static bool take_tensor(Store *store, sqlite3_stmt *row, void *into, Err *err)
{
    TensorRows *rows = into;
    const char *path = store->path;
    size_t size, role_size, type_size;
    const char *role = text_at(row, 1, &role_size), *name = text_at(row, 2, &size);
    const char *type = text_at(row, 5, &type_size);
    if (!role || !name || !type || !is_integer(row, 3) || !is_integer(row, 4) || !is_integer(row, 6))
        return err_set(err, "%s: damaged: a malformed row in table tensor", path);
    int r = 0;
    while (r < ROLE_COUNT && strcmp(role, store_parts[PART_ROLE + r]) != 0)
        r++;
    const Param *param = params_find(rows->params, name);
    if (r == ROLE_COUNT || !store->part[PART_ROLE + r][0] || !param)
        return err_set(err, "%s: tensor '%s' (%s) is no part of this model", path, name, role);
    int64_t *place = &rows->places->row[r][param - rows->params->list];
    if (*place)
        return err_set(err, "%s: damaged: tensor '%s' (%s) stands there twice", path, name, role);
    int64_t height = sqlite3_column_int64(row, 3), width = sqlite3_column_int64(row, 4);
    if (height != param->rows || width != param->cols)
        return err_set(err, "%s: tensor '%s' (%s) is %" PRId64 " x %" PRId64 ", but this model's is %d x %d",
                       path, name, role, height, width, param->rows, param->cols);
    bool half = strcmp(type, "float16") == 0;
    if (half ? store->is_run : strcmp(type, "float32") != 0)
        return err_set(err, "%s: tensor '%s' (%s) has type '%s', which is not read here", path, name, role,
                       type);
    int64_t length = sqlite3_column_int64(row, 6), need = height * width * (half ? 2 : 4);
    if (sqlite3_column_int(row, 7) != 1 || length != need)
        return err_set(err, "%s: damaged: tensor '%s' (%s) has %" PRId64 " bytes instead of %" PRId64, path,
                       name, role, length, need);
    rows->bytes += length;
    if (rows->bytes > store->bytes)
        return err_set(err, "%s: damaged: its tensors are larger than the file", path);
    *place = sqlite3_column_int64(row, 0);
    rows->places->half[r][param - rows->params->list] = half;
    return true;
}

/* Finds all tensors of all roles. */
static bool find_tensors(Store *store, Params *params, Places *places, Err *err)
{
    memset(places, 0, sizeof *places);
    store_order(params, places->order);
    TensorRows rows = {params, places, 0};
    if (!each_row(store, "SELECT rowid, role, name, rows, cols, type, length(value), "
                  "typeof(value) = 'blob' FROM main.tensor NOT INDEXED", take_tensor, &rows, err))
        return false;
    for (int role = 0; role < ROLE_COUNT; role++)
        for (int i = 0; store->part[PART_ROLE + role][0] && i < params->count; i++)
            if (!places->row[role][i])
                return err_set(err, "%s: tensor '%s' (%s) is missing", store->path, params->list[i].name,
                               store_parts[PART_ROLE + role]);
    return true;
}

/* Infinity and NaN have all exponent bits set. Written so that the compiler can take many at once. */
static bool all_finite(const void *bytes, size_t size, bool half)
{
    unsigned bad = 0;
    if (half) {
        const uint16_t *value = bytes;
        for (size_t i = 0; i < size / 2; i++)
            bad |= (value[i] & 0x7C00u) == 0x7C00u;
    } else {
        const uint32_t *value = bytes;
        for (size_t i = 0; i < size / 4; i++)
            bad |= (value[i] & 0x7F800000u) == 0x7F800000u;
    }
    return !bad;
}

/* Rows row .. row+rows-1. */
static void keep_rows(Model *model, Param *param, int row, int rows, const void *bytes, bool half, real *block)
{
    size_t width = (size_t)param->cols;
    if (block)
        params_widen(block + param->at + (size_t)row * width, bytes, (size_t)rows * width, half);
    else
        params_load(&model->params, param, row, rows, bytes, half);
}

/* As many rows at a time as are read, hashed, looked through and kept while they are in the cache. */
static int portion_rows(const Param *param)
{
    size_t unit = (size_t)param->cols * sizeof(float) * PARAM_ROWS;
    int rows = unit < PORTION ? (int)(PORTION / unit) * PARAM_ROWS : PARAM_ROWS;
    return rows < param->rows ? rows : param->rows;
}

static bool read_tensor(Store *store, sqlite3_blob *blob, Model *model, Param *param, bool half,
                        void *bytes, real *block, Err *err)
{
    const char *type = half ? "float16" : "float32";
    size_t width = (size_t)param->cols * (half ? 2 : 4), size = (size_t)param->rows * width;
    int rows = portion_rows(param);
    if (sqlite3_blob_bytes(blob) != (int)size)
        return err_set(err, "%s: damaged: tensor '%s' changes its size", store->path, param->name);
    digest_text(&store->digest, param->name, strlen(param->name));
    digest_integer(&store->digest, param->rows);
    digest_integer(&store->digest, param->cols);
    digest_text(&store->digest, type, strlen(type));
    digest_blob(&store->digest, size);
    for (int row = 0; row < param->rows; row += rows) {
        int n = param->rows - row < rows ? param->rows - row : rows;
        size_t portion = (size_t)n * width;
        if (sqlite3_blob_read(blob, bytes, (int)portion, (int)((size_t)row * width)) != SQLITE_OK)
            return store_fail(store, err);
        if (!all_finite(bytes, portion, half))
            return err_set(err, "%s: tensor '%s' holds a number that is not finite", store->path, param->name);
        digest_bytes(&store->digest, bytes, portion);
        keep_rows(model, param, row, n, bytes, half, block);
    }
    return true;
}

bool store_read_role(Store *store, Model *model, Role role, const Places *places, real *block, Err *err)
{
    Params *params = &model->params;
    sqlite3_blob *blob = NULL;
    char text[DIGEST_TEXT];
    size_t largest = 0;
    for (int i = 0; i < params->count; i++) {
        size_t n = (size_t)portion_rows(&params->list[i]) * (size_t)params->list[i].cols;
        largest = n > largest ? n : largest;
    }
    void *bytes = memory_take(largest * sizeof(float));
    bool good = true;
    digest_start(&store->digest, PART_ROLE + (Part)role);
    for (int k = 0; good && k < params->count; k++) {
        int i = places->order[k];
        int64_t row = places->row[role][i];
        int status = blob ? sqlite3_blob_reopen(blob, row)
                          : sqlite3_blob_open(store->db, "main", "tensor", "value", row, 0, &blob);
        good = (status == SQLITE_OK || store_fail(store, err))
               && read_tensor(store, blob, model, &params->list[i], places->half[role][i], bytes, block, err);
    }
    sqlite3_blob_close(blob);
    free(bytes);
    digest_end(&store->digest, text);
    return good && digest_check(store, PART_ROLE + (Part)role, text, err);
}

bool store_choose_role(const Store *store, Role *role, Err *err)
{
    static const Role preferred[] = {ROLE_BEST, ROLE_AVERAGE, ROLE_WEIGHT};
    for (size_t i = 0; i < sizeof preferred / sizeof *preferred; i++)
        if (store->part[PART_ROLE + preferred[i]][0]) {
            *role = preferred[i];
            return true;
        }
    return store_no_checkpoint(store, err);
}

bool store_read_model(Store *store, Model **model, Vocab **vocab, Places *places, Err *err)
{
    Config config;
    char text[DIGEST_TEXT];
    *model = NULL;
    *vocab = NULL;
    Role role;
    if (read_digests(store, err) && store_choose_role(store, &role, err)
        && store_read_config(store, &config, text, err) && digest_check(store, PART_CONFIG, text, err)
        && store_read_vocab(store, vocab, text, err) && digest_check(store, PART_VOCABULARY, text, err)) {
        *model = model_new(&config, (int)vocab_size(*vocab));
        if (find_tensors(store, &(*model)->params, places, err))
            return true;
    }
    model_free(*model);
    vocab_free(*vocab);
    *model = NULL;
    *vocab = NULL;
    return false;
}
