#include "sign.h"

#include "model/store_internal.h"

#include <stdio.h>
#include <string.h>

/* Puts every column of every row into the digest, by its type; a blob's place takes its length too. */
static void digest_rows(sqlite3 *db, Digest *digest, const char *sql, const char *argument)
{
    sqlite3_stmt *row;
    if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
        return;
    if (argument)
        sqlite3_bind_text(row, 1, argument, -1, SQLITE_STATIC);
    while (sqlite3_step(row) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(row); i++) {
            size_t size = (size_t)sqlite3_column_bytes(row, i);
            switch (sqlite3_column_type(row, i)) {
            case SQLITE_INTEGER: digest_integer(digest, sqlite3_column_int64(row, i)); break;
            case SQLITE_FLOAT: digest_real(digest, sqlite3_column_double(row, i)); break;
            case SQLITE_TEXT:
                digest_text(digest, (const char *)sqlite3_column_text(row, i), size);
                break;
            case SQLITE_BLOB:
                digest_blob(digest, size);
                digest_bytes(digest, sqlite3_column_blob(row, i), size);
                break;
            }
        }
    sqlite3_finalize(row);
}

static void digest_part(sqlite3 *db, Store *store, Part part)
{
    static const char *const state[] = {"step", "best_step", "best_bleu", "waiting", "seconds", "loss_sum",
                                        "loss_tokens", "corpus"};
    Digest *digest = &store->digest;
    digest_start(digest, part);
    if (part == PART_CONFIG) {
        digest_rows(db, digest, "SELECT key, value FROM config ORDER BY key", NULL);
    } else if (part == PART_VOCABULARY) {
        digest_rows(db, digest, "SELECT id, text, kind, count FROM piece ORDER BY id", NULL);
        digest_rows(db, digest, "SELECT rank, left, right FROM merge ORDER BY rank", NULL);
    } else if (part == PART_STATE) {
        for (size_t i = 0; i < sizeof state / sizeof *state; i++)
            digest_rows(db, digest, "SELECT key, value FROM state WHERE key = ?1", state[i]);
    } else {
        digest_rows(db, digest, "SELECT name, rows, cols, type, value FROM tensor WHERE role = ?1 ORDER BY name",
                    store_parts[part]);
    }
    digest_end(digest, store->part[part]);
}

void sign_model(sqlite3 *db)
{
    static Store store;
    char text[128], file[DIGEST_TEXT];
    memset(store.part, 0, sizeof store.part);
    store.digest.state = XXH3_createState();
    for (int part = 0; store.digest.state && part <= PART_COUNT; part++) {
        sqlite3_stmt *row;
        bool there = false;
        const char *name = part < PART_COUNT ? store_parts[part] : "file";
        if (sqlite3_prepare_v2(db, "SELECT 1 FROM digest WHERE part = ?1", -1, &row, NULL) != SQLITE_OK)
            break;
        sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
        there = sqlite3_step(row) == SQLITE_ROW;
        sqlite3_finalize(row);
        if (there && part < PART_COUNT)
            digest_part(db, &store, (Part)part);
        if (part == PART_COUNT)
            digest_file(&store, file);
        snprintf(text, sizeof text, "UPDATE digest SET value = '%s' WHERE part = '%s'",
                 part < PART_COUNT ? store.part[part] : file, name);
        if (there)
            sqlite3_exec(db, text, NULL, NULL, NULL);
    }
    XXH3_freeState(store.digest.state);
    store.digest.state = NULL;
}
