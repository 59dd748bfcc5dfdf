#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/arena.h"
#include "base/vec.h"

static void jump_out(void *context) {
    longjmp(*(jmp_buf *)context, 1);
}

static void memory_is_zeroed_aligned_and_apart(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    unsigned char *blocks[300];
    for (size_t i = 0; i < 300; i++) {
        size_t bytes = i * 7 + 1;
        blocks[i] = arena_alloc(arena, bytes, 1);
        assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < bytes; k++)
            assert_int_equal(blocks[i][k], 0);
        memset(blocks[i], (int)(i % 255) + 1, bytes);
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t k = 0; k < i * 7 + 1; k++)
            assert_int_equal(blocks[i][k], i % 255 + 1);
    arena_free(arena);
}

static void large_objects_do_not_waste_the_current_chunk(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    char *small = arena_alloc(arena, 16, 1);
    char *large = arena_alloc(arena, 1 << 20, 1);
    large[(1 << 20) - 1] = 1;
    char *next = arena_alloc(arena, 16, 1);
    assert_ptr_equal(next, small + 16);
    assert_int_equal(arena_used(arena), (1 << 20) + 32);
    arena_free(arena);
}

static void an_empty_allocation_is_not_null(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    assert_non_null(arena_alloc(arena, 0, 8));
    assert_non_null(arena_alloc(arena, 8, 0));
    arena_free(arena);
    arena_free(NULL);
}

/* Does arena_alloc(count, size) give up? */
static bool allocation_fails(size_t count, size_t size) {
    jmp_buf failed;
    Arena *volatile arena = NULL;
    volatile bool did_fail = true;
    if (setjmp(failed) == 0) {
        arena = arena_new((ArenaFailure){.give_up = jump_out, .context = &failed});
        arena_alloc(arena, count, size);
        did_fail = false;
    }
    arena_free(arena);
    return did_fail;
}

static void sizes_that_overflow_fail(void **state) {
    (void)state;
    assert_true(allocation_fails(SIZE_MAX, 1));
    assert_true(allocation_fails(SIZE_MAX / 2 + 1, 2));
    assert_true(allocation_fails(SIZE_MAX / 8, 16));
    assert_true(allocation_fails(SIZE_MAX - sizeof(max_align_t), 1));
    assert_false(allocation_fails(1000, 8));
}

static void the_chosen_allocation_fails(void **state) {
    (void)state;
    jmp_buf failed;
    volatile int done = 0;
    Arena *volatile arena = NULL;
    if (setjmp(failed) == 0) {
        arena = arena_new((ArenaFailure){.give_up = jump_out, .context = &failed, .fail_at = 3});
        for (; done < 10; done++)
            arena_alloc(arena, 1, 1);
    }
    assert_int_equal(done, 2);
    arena_free(arena);
}

static void growth_keeps_the_content_and_the_old_array(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    int *old = arena_array(arena, int, 3);
    for (int i = 0; i < 3; i++)
        old[i] = i + 1;
    arena_one(arena, int); /* stands in the way */
    int *grown = arena_grow(arena, old, 3, 5, sizeof *old);
    for (int i = 0; i < 5; i++)
        assert_int_equal(grown[i], i < 3 ? i + 1 : 0);
    grown[0] = 9;
    assert_int_equal(old[0], 1);
    assert_non_null(arena_grow(arena, NULL, 0, 4, sizeof *old));
    arena_free(arena);
}

/* What was handed out last becomes longer where it is; two that share a beginning do not get in each other's way. */
static void the_last_array_grows_in_place(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    int *first = arena_array(arena, int, 5);
    first[4] = 7;
    int *grown = arena_grow(arena, first, 5, 9, sizeof *first);
    assert_ptr_equal(grown, first);
    for (int i = 0; i < 9; i++)
        assert_int_equal(grown[i], i == 4 ? 7 : 0);
    int *other = arena_grow(arena, first, 5, 9, sizeof *first);
    assert_ptr_not_equal(other, first);
    assert_int_equal(other[4], 7);
    assert_ptr_not_equal(arena_grow(arena, other, 9, 1000000, sizeof *other), other);
    arena_free(arena);
}

static void vectors_grow(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    VEC(int) numbers = {0};
    for (int i = 0; i < 1000; i++)
        vec_push(arena, &numbers, i * i);
    assert_int_equal(numbers.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers.at[i], i * i);
    arena_free(arena);
}

static void texts_are_copied_and_formatted(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    assert_string_equal(arena_copy_text(arena, "layers", 5), "layer");
    assert_string_equal(arena_copy_text(arena, NULL, 0), "");
    char long_word[5000];
    memset(long_word, 'w', sizeof long_word);
    long_word[sizeof long_word - 1] = '\0';
    const char *text = arena_printf(arena, "%d %s", 42, long_word);
    assert_int_equal(strlen(text), 3 + strlen(long_word));
    assert_memory_equal(text, "42 www", 6);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(large_objects_do_not_waste_the_current_chunk),
        cmocka_unit_test(an_empty_allocation_is_not_null),
        cmocka_unit_test(sizes_that_overflow_fail),
        cmocka_unit_test(the_chosen_allocation_fails),
        cmocka_unit_test(growth_keeps_the_content_and_the_old_array),
        cmocka_unit_test(the_last_array_grows_in_place),
        cmocka_unit_test(vectors_grow),
        cmocka_unit_test(texts_are_copied_and_formatted),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
