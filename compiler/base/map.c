#include "base/map.h"

#include <stdbool.h>
#include <string.h>

/* Both maps are one table: entries in the order of insertion, and open addressing with linear probing over slots that hold
 * an entry's index plus one (0: free). The number of slots is a power of two and at least twice that of the entries. */
typedef struct Entry {
    uint64_t hash;
    const void *key;
    void *value;
} Entry;

typedef struct Table {
    Arena *arena;
    Entry *entries;
    size_t *slots;
    size_t count, slot_count;
} Table;

struct TextMap {
    Table table;
};

struct PointerMap {
    Table table;
};

typedef bool KeysEqual(const void *a, const void *b);

static bool texts_equal(const void *a, const void *b) {
    return strcmp(a, b) == 0;
}

static bool pointers_equal(const void *a, const void *b) {
    return a == b;
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t hash_text(const char *text) {
    return hash_bytes(HASH_SEED, text, strlen(text));
}

static uint64_t hash_pointer(const void *pointer) {
    uint64_t mixed = (uint64_t)(uintptr_t)pointer * UINT64_C(0x9E3779B97F4A7C15);
    return mixed ^ mixed >> 32;
}

/* The slot of the key, or the free one where it would go. */
static size_t table_slot(const Table *table, uint64_t hash, const void *key, KeysEqual *equal) {
    size_t mask = table->slot_count - 1;
    size_t slot = (size_t)hash & mask;
    while (table->slots[slot] != 0) {
        const Entry *entry = &table->entries[table->slots[slot] - 1];
        if (entry->hash == hash && equal(entry->key, key))
            break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void table_grow(Table *table) {
    size_t slot_count = table->slot_count ? 2 * table->slot_count : 16;
    table->slots = arena_array(table->arena, size_t, slot_count);
    table->entries = arena_grow(table->arena, table->entries, table->count, slot_count / 2, sizeof *table->entries);
    table->slot_count = slot_count;
    for (size_t i = 0; i < table->count; i++) {
        size_t slot = (size_t)table->entries[i].hash & (slot_count - 1);
        while (table->slots[slot] != 0)
            slot = (slot + 1) & (slot_count - 1);
        table->slots[slot] = i + 1;
    }
}

/* The key's entry; a new one has no key yet. */
static Entry *table_entry(Table *table, uint64_t hash, const void *key, KeysEqual *equal) {
    if (2 * (table->count + 1) > table->slot_count)
        table_grow(table);
    size_t slot = table_slot(table, hash, key, equal);
    if (table->slots[slot] == 0) {
        table->entries[table->count].hash = hash;
        table->count++;
        table->slots[slot] = table->count;
    }
    return &table->entries[table->slots[slot] - 1];
}

static void *table_get(const Table *table, uint64_t hash, const void *key, KeysEqual *equal) {
    if (table->count == 0)
        return NULL;
    size_t index = table->slots[table_slot(table, hash, key, equal)];
    return index == 0 ? NULL : table->entries[index - 1].value;
}

TextMap *text_map_new(Arena *arena) {
    TextMap *map = arena_one(arena, TextMap);
    map->table.arena = arena;
    return map;
}

void text_map_put(TextMap *map, const char *key, void *value) {
    Entry *entry = table_entry(&map->table, hash_text(key), key, texts_equal);
    if (!entry->key)
        entry->key = arena_copy_text(map->table.arena, key, strlen(key));
    entry->value = value;
}

void *text_map_get(const TextMap *map, const char *key) {
    return table_get(&map->table, hash_text(key), key, texts_equal);
}

size_t text_map_count(const TextMap *map) {
    return map->table.count;
}

const char *text_map_key(const TextMap *map, size_t i) {
    return map->table.entries[i].key;
}

void *text_map_value(const TextMap *map, size_t i) {
    return map->table.entries[i].value;
}

PointerMap *pointer_map_new(Arena *arena) {
    PointerMap *map = arena_one(arena, PointerMap);
    map->table.arena = arena;
    return map;
}

void pointer_map_put(PointerMap *map, const void *key, const void *value) {
    Entry *entry = table_entry(&map->table, hash_pointer(key), key, pointers_equal);
    entry->key = key;
    entry->value = (void *)(uintptr_t)value; /* the map only hands it back */
}

void *pointer_map_get(const PointerMap *map, const void *key) {
    return table_get(&map->table, hash_pointer(key), key, pointers_equal);
}

size_t pointer_map_count(const PointerMap *map) {
    return map->table.count;
}

const void *pointer_map_key(const PointerMap *map, size_t i) {
    return map->table.entries[i].key;
}

void *pointer_map_value(const PointerMap *map, size_t i) {
    return map->table.entries[i].value;
}
