#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/map.h"

enum { MANY = 5000 };

static void texts_find_their_values(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    TextMap *map = text_map_new(arena);
    static int values[MANY];
    assert_null(text_map_get(map, "w0"));
    for (int i = 0; i < MANY; i++) {
        char key[20];
        snprintf(key, sizeof key, "w%d", i);
        text_map_put(map, key, &values[i]); /* `key` is reused: the map must have copied it */
    }
    assert_int_equal(text_map_count(map), MANY);
    for (int i = 0; i < MANY; i++) {
        char key[20];
        snprintf(key, sizeof key, "w%d", i);
        assert_ptr_equal(text_map_get(map, key), &values[i]);
        assert_string_equal(text_map_key(map, (size_t)i), key);
        assert_ptr_equal(text_map_value(map, (size_t)i), &values[i]);
    }
    assert_null(text_map_get(map, "w5000"));
    assert_null(text_map_get(map, ""));
    arena_free(arena);
}

static void a_repeated_key_replaces_the_value_in_place(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    TextMap *map = text_map_new(arena);
    int a, b, c;
    text_map_put(map, "x", &a);
    text_map_put(map, "y", &b);
    text_map_put(map, "x", &c);
    assert_int_equal(text_map_count(map), 2);
    assert_string_equal(text_map_key(map, 0), "x");
    assert_ptr_equal(text_map_value(map, 0), &c);
    assert_ptr_equal(text_map_get(map, "x"), &c);
    arena_free(arena);
}

static void pointers_find_their_values(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    PointerMap *map = pointer_map_new(arena);
    static int keys[MANY], values[MANY];
    assert_null(pointer_map_get(map, &keys[0]));
    for (int i = 0; i < MANY; i++)
        pointer_map_put(map, &keys[i], &values[i]);
    pointer_map_put(map, &keys[7], &values[8]);
    assert_int_equal(pointer_map_count(map), MANY);
    for (int i = 0; i < MANY; i++) {
        assert_ptr_equal(pointer_map_get(map, &keys[i]), &values[i == 7 ? 8 : i]);
        assert_ptr_equal(pointer_map_key(map, (size_t)i), &keys[i]);
    }
    assert_null(pointer_map_get(map, &values[0]));
    arena_free(arena);
}

static void null_is_a_key_of_a_pointer_map(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    PointerMap *map = pointer_map_new(arena);
    int value;
    pointer_map_put(map, NULL, &value);
    assert_ptr_equal(pointer_map_get(map, NULL), &value);
    arena_free(arena);
}

/* Test vectors of the FNV-1a page: the empty text and "foobar". */
static void hashes_are_fnv_1a(void **state) {
    (void)state;
    assert_true(hash_bytes(HASH_SEED, "", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(hash_bytes(HASH_SEED, "foobar", 6) == UINT64_C(0x85944171f73967e8));
    assert_true(hash_bytes(hash_bytes(HASH_SEED, "foo", 3), "bar", 3) == UINT64_C(0x85944171f73967e8));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_find_their_values),    cmocka_unit_test(a_repeated_key_replaces_the_value_in_place),
        cmocka_unit_test(pointers_find_their_values), cmocka_unit_test(null_is_a_key_of_a_pointer_map),
        cmocka_unit_test(hashes_are_fnv_1a),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
