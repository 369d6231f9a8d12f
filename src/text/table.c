#include "text/table.h"

#include "base/arena.h"
#include "base/rng.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static TableSlot *number_slot(const Table *table, uint64_t key)
{
    size_t mask = table->capacity - 1;
    size_t at = (size_t)rng_mix(key) & mask;
    while (table->slot[at].used && table->slot[at].key != key)
        at = (at + 1) & mask;
    return &table->slot[at];
}

uint32_t *table_find(const Table *table, uint64_t key)
{
    if (!table->count)
        return NULL;
    TableSlot *slot = number_slot(table, key);
    return slot->used ? &slot->value : NULL;
}

void table_reserve(Table *table, size_t count)
{
    Table larger = {.capacity = table->capacity ? table->capacity : 64, .count = table->count};
    while (larger.capacity < 2 * count)
        larger.capacity *= 2;
    if (larger.capacity == table->capacity)
        return;
    larger.slot = memory_take_zeros(larger.capacity, sizeof *larger.slot);
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slot[i].used)
            *number_slot(&larger, table->slot[i].key) = table->slot[i];
    free(table->slot);
    *table = larger;
}

uint32_t *table_put(Table *table, uint64_t key)
{
    if (table->count * 2 >= table->capacity)
        table_reserve(table, table->count + 1);
    TableSlot *slot = number_slot(table, key);
    if (!slot->used) {
        *slot = (TableSlot){.key = key, .used = 1};
        table->count++;
    }
    return &slot->value;
}

void table_free(Table *table)
{
    free(table->slot);
    *table = (Table){0};
}

static uint64_t text_hash(const char *data, size_t size)
{
    uint64_t hash = size;
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        hash = rng_mix(hash ^ word);
    }
    uint64_t last = 0;
    if (size)
        memcpy(&last, data, size);
    return rng_mix(hash * 31 + last);
}

static uint32_t *text_slot(const TextTable *table, const char *data, size_t size)
{
    size_t mask = table->capacity - 1;
    size_t at = (size_t)text_hash(data, size) & mask;
    for (; table->slot[at]; at = (at + 1) & mask) {
        size_t length;
        const char *text = text_table_text(table, table->slot[at] - 1, &length);
        if (length == size && !memcmp(text, data, size))
            break;
    }
    return &table->slot[at];
}

size_t text_table_find(const TextTable *table, const char *data, size_t size)
{
    if (!table->count)
        return TEXT_TABLE_NONE;
    return *text_slot(table, data, size) - (size_t)1; /* a free slot's 0 becomes TEXT_TABLE_NONE */
}

void text_table_reserve(TextTable *table, size_t count)
{
    if (count <= table->room)
        return;
    table->room = table->room ? table->room : 64;
    while (table->room < count)
        table->room *= 2;
    table->start = memory_grow(table->start, (table->room + 1) * sizeof *table->start);
    table->start[0] = 0;
    table->capacity = table->room * 2;
    free(table->slot);
    table->slot = memory_take_zeros(table->capacity, sizeof *table->slot);
    for (size_t i = 0; i < table->count; i++) {
        size_t size;
        const char *text = text_table_text(table, i, &size);
        *text_slot(table, text, size) = (uint32_t)(i + 1);
    }
}

size_t text_table_add(TextTable *table, const char *data, size_t size)
{
    if (table->count == table->room)
        text_table_reserve(table, table->count + 1);
    uint32_t *slot = text_slot(table, data, size);
    if (!*slot) {
        assert(table->count < UINT32_MAX - 1);
        buf_add(&table->bytes, data, size);
        buf_char(&table->bytes, '\0');
        table->start[++table->count] = table->bytes.size;
        *slot = (uint32_t)table->count;
    }
    return *slot - (size_t)1;
}

const char *text_table_text(const TextTable *table, size_t index, size_t *size)
{
    *size = table->start[index + 1] - table->start[index] - 1;
    return table->bytes.data + table->start[index];
}

void text_table_free(TextTable *table)
{
    buf_free(&table->bytes);
    free(table->start);
    free(table->slot);
    *table = (TextTable){0};
}
