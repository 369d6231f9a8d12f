/* table.h - two small hash tables: numbers to numbers, and a list of distinct texts.
 *
 *     Table table = {0};
 *     *table_put(&table, key) = 7;              0 when the key is new
 *     uint32_t *value = table_find(&table, key);     NULL when it is not there
 *     table_free(&table);
 *
 *     TextTable texts = {0};
 *     size_t index = text_table_add(&texts, data, size);    0, 1, 2, ... in the order of adding
 *     text_table_free(&texts);
 *
 * Open addressing, linear probing, at most half full, nothing is ever removed. Nobody walks over
 * the slots, so no result depends on the order of hashes. */
#ifndef TEXT_TABLE_H
#define TEXT_TABLE_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define TEXT_TABLE_NONE SIZE_MAX

typedef struct {
    uint64_t key;
    uint32_t value;
    uint32_t used;
} TableSlot;

typedef struct {
    TableSlot *slot;
    size_t capacity, count;
} Table;

uint32_t *table_find(const Table *table, uint64_t key);
uint32_t *table_put(Table *table, uint64_t key); /* valid until the next table_put */
void table_reserve(Table *table, size_t count);  /* room for so many, so as not to grow on the way */
void table_free(Table *table);

typedef struct {
    Buf bytes;      /* the texts, each followed by a NUL */
    size_t *start;  /* [count + 1] */
    uint32_t *slot; /* index + 1; 0: free */
    size_t count, room, capacity;
} TextTable;

/* The index of a text, or TEXT_TABLE_NONE. */
size_t text_table_find(const TextTable *table, const char *data, size_t size);
/* Finds it or adds it. */
size_t text_table_add(TextTable *table, const char *data, size_t size);
void text_table_reserve(TextTable *table, size_t count); /* as table_reserve */
const char *text_table_text(const TextTable *table, size_t index, size_t *size);
void text_table_free(TextTable *table);

#endif
