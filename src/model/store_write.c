/* store_write.c - Config, Vocab and Params become rows, inside a transaction of the caller's. */
#include "model/store_internal.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool write_config(Store *store, const Config *config, Err *err)
{
    sqlite3_stmt *row = store_prepare(store, "INSERT INTO config VALUES(?1, ?2)", err);
    if (!row)
        return false;
    int status = SQLITE_DONE;
    for (int i = 0; status == SQLITE_DONE && i < config_field_count; i++) {
        Buf value = {0};
        config_get(config, &config_fields[i], &value);
        sqlite3_bind_text(row, 1, config_fields[i].key, -1, SQLITE_STATIC);
        sqlite3_bind_text(row, 2, value.data, (int)value.size, SQLITE_STATIC); /* a copy could fail */
        status = sqlite3_step(row);
        if (status == SQLITE_DONE)
            sqlite3_reset(row);
        buf_free(&value);
    }
    return store_finish(store, row, status, err);
}

static bool write_pieces(Store *store, const Vocab *vocab, Err *err)
{
    sqlite3_stmt *row = store_prepare(store, "INSERT INTO piece VALUES(?1, ?2, ?3, ?4)", err);
    if (!row)
        return false;
    int status = SQLITE_DONE, pieces = (int)vocab_size(vocab);
    for (int id = 0; status == SQLITE_DONE && id < pieces; id++) {
        VocabPiece piece = vocab_piece(vocab, id);
        sqlite3_bind_int64(row, 1, id);
        sqlite3_bind_text(row, 2, piece.text, (int)piece.size, SQLITE_STATIC);
        sqlite3_bind_text(row, 3, vocab_kind_name(piece.kind), -1, SQLITE_STATIC);
        sqlite3_bind_int64(row, 4, piece.count);
        status = sqlite3_step(row);
        if (status == SQLITE_DONE)
            sqlite3_reset(row);
    }
    return store_finish(store, row, status, err);
}

static bool write_merges(Store *store, const Vocab *vocab, Err *err)
{
    sqlite3_stmt *row = store_prepare(store, "INSERT INTO merge VALUES(?1, ?2, ?3)", err);
    if (!row)
        return false;
    int status = SQLITE_DONE;
    size_t merges = vocab_merge_count(vocab);
    for (size_t rank = 0; status == SQLITE_DONE && rank < merges; rank++) {
        VocabMerge merge = vocab_merge(vocab, rank);
        sqlite3_bind_int64(row, 1, merge.rank);
        sqlite3_bind_int64(row, 2, merge.left);
        sqlite3_bind_int64(row, 3, merge.right);
        status = sqlite3_step(row);
        if (status == SQLITE_DONE)
            sqlite3_reset(row);
    }
    return store_finish(store, row, status, err);
}

/* The digests are those of what reading back gives: one definition for both ways. */
bool store_write_fixed(Store *store, const Config *config, const Vocab *vocab, Err *err)
{
    Config again;
    return write_config(store, config, err) && write_pieces(store, vocab, err)
           && write_merges(store, vocab, err)
           && store_read_config(store, &again, store->part[PART_CONFIG], err)
           && store_read_vocab(store, NULL, store->part[PART_VOCABULARY], err);
}

/* The numbers of one parameter as they stand in the file. False when one of them cannot. */
static bool encode(const Param *param, const real *block, bool half, void *bytes)
{
    size_t n = (size_t)param->rows * (size_t)param->cols;
    bool finite = true;
    for (size_t k = 0; half && k < n; k++) {
        uint16_t h = half_from_real(block[param->at + k]);
        ((uint16_t *)bytes)[k] = h;
        finite = finite && (h & 0x7C00) != 0x7C00;
    }
    for (size_t k = 0; !half && k < n; k++) {
        float f = (float)block[param->at + k];
        ((float *)bytes)[k] = f;
        finite = finite && isfinite(f);
    }
    return finite;
}

static bool write_tensor(Store *store, sqlite3_stmt *row, const Param *param, const real *block, bool half,
                         void *bytes, Err *err)
{
    const char *type = half ? "float16" : "float32";
    size_t size = (size_t)param->rows * (size_t)param->cols * (half ? 2 : 4);
    if (!encode(param, block, half, bytes))
        return err_set(err, "%s: not written: tensor '%s' holds a number that is %s", store->path, param->name,
                       half ? "not finite, or too large for float16" : "not finite");
    digest_text(&store->digest, param->name, strlen(param->name));
    digest_integer(&store->digest, param->rows);
    digest_integer(&store->digest, param->cols);
    digest_text(&store->digest, type, strlen(type));
    digest_blob(&store->digest, size);
    digest_bytes(&store->digest, bytes, size);
    sqlite3_bind_text(row, 2, param->name, -1, SQLITE_STATIC);
    sqlite3_bind_int(row, 3, param->rows);
    sqlite3_bind_int(row, 4, param->cols);
    sqlite3_bind_text(row, 5, type, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(row, 6, bytes, size, SQLITE_STATIC);
    if (sqlite3_step(row) != SQLITE_DONE)
        return store_fail(store, err);
    sqlite3_reset(row);
    return true;
}

bool store_write_role(Store *store, const Params *params, Role role, const real *block, bool half, Err *err)
{
    uint8_t order[PARAM_LIMIT];
    size_t largest = 0;
    store_order(params, order);
    for (int i = 0; i < params->count; i++) {
        size_t n = (size_t)params->list[i].rows * (size_t)params->list[i].cols;
        largest = n > largest ? n : largest;
    }
    /* An existing row keeps its place in the file: only what differs is written. */
    sqlite3_stmt *row = store_prepare(store, "INSERT INTO tensor VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
                                      "ON CONFLICT(role, name) DO UPDATE SET value = excluded.value", err);
    if (!row)
        return false;
    void *bytes = memory_take(largest * sizeof(float));
    bool good = true;
    digest_start(&store->digest, PART_ROLE + (Part)role);
    sqlite3_bind_text(row, 1, store_parts[PART_ROLE + role], -1, SQLITE_STATIC);
    for (int k = 0; good && k < params->count; k++)
        good = write_tensor(store, row, &params->list[order[k]], block, half, bytes, err);
    digest_end(&store->digest, store->part[PART_ROLE + role]);
    sqlite3_finalize(row);
    free(bytes);
    return good;
}

bool store_write_digest(Store *store, Err *err)
{
    char file[DIGEST_TEXT];
    digest_file(store, file);
    sqlite3_stmt *row = store_prepare(store, "INSERT OR REPLACE INTO digest VALUES(?1, ?2)", err);
    if (!row)
        return false;
    int status = SQLITE_DONE;
    for (int part = 0; status == SQLITE_DONE && part <= PART_COUNT; part++) {
        const char *value = part < PART_COUNT ? store->part[part] : file;
        if (!value[0])
            continue;
        sqlite3_bind_text(row, 1, part < PART_COUNT ? store_parts[part] : "file", -1, SQLITE_STATIC);
        sqlite3_bind_text(row, 2, value, -1, SQLITE_STATIC);
        status = sqlite3_step(row);
        if (status == SQLITE_DONE)
            sqlite3_reset(row);
    }
    return store_finish(store, row, status, err);
}
