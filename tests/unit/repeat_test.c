/* What repeats in a list, rows of blocks at equal distances, and series of buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "loop/arrange.h"
#include "loop/place_internal.h"
#include "loop/repeat.h"

/* A letter is a form; a blank is like no other. */
static RepeatList find(Arena *arena, const char *text, bool (*follows)(void *, size_t, size_t, size_t), void *context) {
    uint64_t forms[128];
    size_t count = strlen(text);
    for (size_t i = 0; i < count; i++)
        forms[i] = text[i] == ' ' ? 0 : (uint64_t)text[i];
    return repeats_find(arena, &(RepeatSearch){count, forms, follows, context});
}

static void expect(const char *text, size_t first, size_t period, size_t count) {
    Arena *arena = arena_new((ArenaFailure){0});
    const RepeatList list = find(arena, text, NULL, NULL);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.at[0].first, first);
    assert_int_equal(list.at[0].period, period);
    assert_int_equal(list.at[0].count, count);
    arena_free(arena);
}

static void finds_the_longest_repetition(void **state) {
    (void)state;
    expect("aaaa", 0, 1, 4);
    expect("xabababab", 1, 2, 4);
    expect("abcbcbcbcd", 1, 2, 4);
    expect("aabaabaabaabx", 0, 3, 4);
    expect("xyabcdabcdabcdabcdab", 2, 4, 4);
}

static void leaves_the_rest_alone(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    assert_int_equal(find(arena, "", NULL, NULL).count, 0);
    assert_int_equal(find(arena, "aaa", NULL, NULL).count, 0);
    assert_int_equal(find(arena, "        ", NULL, NULL).count, 0);
    assert_int_equal(find(arena, "ab ab ab ab ", NULL, NULL).count, 0);
    assert_int_equal(find(arena, "abcdefgh", NULL, NULL).count, 0);
    const RepeatList two = find(arena, "aaaaa bcbcbcbc", NULL, NULL);
    assert_int_equal(two.count, 2);
    assert_int_equal(two.at[1].first, 6);
    arena_free(arena);
}

static bool ends_at(void *context, size_t first, size_t period, size_t turn) {
    return first + (turn + 1) * period <= *(const size_t *)context;
}

static void asks_whether_a_repetition_follows(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    size_t end = 5;
    const RepeatList list = find(arena, "aaaaaaaa", ends_at, &end);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.at[0].count, 5);
    arena_free(arena);
}

/* ---- rows ---- */

enum { STEPS = 20 };

/* Made by one step after the other, and used again by the same steps backwards: results, and after each of those a gradient. */
typedef struct Steps {
    Block result[STEPS], gradient[STEPS], large;
    BlockRow rows[2];
    BlockRowList list;
    BlockList rest;
} Steps;

static Steps *make_steps(Arena *arena, size_t distance) {
    Steps *s = arena_one(arena, Steps);
    for (int i = 0; i < STEPS; i++) {
        s->result[i] = (Block){.bytes = 100, .first = i, .last = 2 * STEPS - 1 - i};
        s->gradient[i] = (Block){.bytes = 100, .first = 2 * STEPS - 1 - i, .last = 2 * STEPS};
        vec_push(arena, &s->rows[0].at, &s->result[i]);
        vec_push(arena, &s->rows[1].at, i == 3 ? NULL : &s->gradient[i]); /* one has no place in the row */
    }
    s->large = (Block){.bytes = 1000, .first = 0, .last = 2 * STEPS};
    vec_push(arena, &s->rest, &s->large);
    for (int r = 0; r < 2; r++) {
        s->rows[r].distance = distance;
        vec_push(arena, &s->list, &s->rows[r]);
    }
    return s;
}

static void expect_apart(const Block *a, const Block *b) {
    bool together = a->first <= b->last && b->first <= a->last;
    bool meet = a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
    assert_false(together && meet);
}

static void rows_stand_at_equal_distances(void **state) {
    (void)state;
    for (size_t distance = 128; distance <= 512; distance += 128) {
        Arena *arena = arena_new((ArenaFailure){0});
        Steps *s = make_steps(arena, distance);
        size_t end = arrange_rows(arena, &s->list, &s->rest);
        int64_t step = (int64_t)s->gradient[1].offset - (int64_t)s->gradient[0].offset;
        assert_true(step == (int64_t)distance || step == -(int64_t)distance);
        for (int i = 0; i < STEPS; i++) {
            assert_int_equal(s->result[i].offset, s->result[0].offset + (size_t)i * distance);
            if (i != 3)
                assert_int_equal((int64_t)s->gradient[i].offset, (int64_t)s->gradient[0].offset + i * step);
            assert_true(s->result[i].offset + 128 <= end);
            expect_apart(&s->result[i], &s->large);
            for (int k = 0; k < STEPS; k++) {
                if (k != 3)
                    expect_apart(&s->result[i], &s->gradient[k]);
                if (k != i)
                    expect_apart(&s->result[i], &s->result[k]);
            }
        }
        arena_free(arena);
    }
}

/* A gradient takes the place of the result of the step after it, which nobody needs any more. */
static void rows_take_the_place_of_others(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    Steps *s = make_steps(arena, 128);
    assert_int_equal(arrange_rows(arena, &s->list, &s->rest), (STEPS + 1) * 128 + 1024);
    arena_free(arena);
}

/* ---- series ---- */

enum { KERNELS = 2 * STEPS, MOST_BUFFERS = 2 * STEPS + 1 };

typedef struct Series {
    Placement placement;
    Buffer buffers[MOST_BUFFERS];
    Block lives[MOST_BUFFERS]; /* of the buffers */
    int count;
} Series;

static Series *series_new(Arena *arena) {
    Series *s = arena_one(arena, Series);
    s->placement = (Placement){arena, arena_one(arena, Graph), arena_one(arena, LoopEntry), NULL, {0}};
    s->placement.block_of = arena_array(arena, MemoryBlock *, MOST_BUFFERS);
    for (int i = 0; i < KERNELS; i++)
        vec_push(arena, &s->placement.entry->kernels, arena_one(arena, Kernel));
    return s;
}

static BufferSeries *add_series(Series *s) {
    BufferSeries *series = arena_one(s->placement.arena, BufferSeries);
    vec_push(s->placement.arena, &s->placement.entry->series, series);
    return series;
}

static Buffer *add_buffer(Series *s, Block life) {
    Arena *arena = s->placement.arena;
    Buffer *buffer = &s->buffers[s->count];
    MemoryBlock *block = arena_one(arena, MemoryBlock);
    block->block = s->lives[s->count] = life;
    buffer->id = s->count++;
    vec_push(arena, &block->buffers, buffer);
    vec_push(arena, &s->placement.blocks, block);
    s->placement.block_of[buffer->id] = block;
    return buffer;
}

static void add_member(Series *s, BufferSeries *series, int64_t index, Block life) {
    vec_push(s->placement.arena, &series->members, ((SeriesMember){add_buffer(s, life), index}));
}

static void expect_series_apart(Series *s) {
    place_arrange(&s->placement);
    for (int i = 0; i < s->count; i++)
        s->lives[i].offset = s->placement.block_of[i]->block.offset;
    for (int i = 0; i < s->count; i++)
        for (int k = 0; k < i; k++)
            expect_apart(&s->lives[i], &s->lives[k]);
}

/* Nobody stands at place 2 of the series; those before and behind it do not take turns. */
static void turns_with_a_gap(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    Series *s = series_new(arena);
    BufferSeries *series = add_series(s);
    add_member(s, series, 0, (Block){.bytes = 128, .first = 0, .last = 9});
    add_member(s, series, 1, (Block){.bytes = 128, .first = 1, .last = 2});
    add_member(s, series, 3, (Block){.bytes = 128, .first = 4, .last = 5});
    add_member(s, series, 4, (Block){.bytes = 128, .first = 6, .last = 8});
    expect_series_apart(s);
    arena_free(arena);
}

/* Members that live for some steps only need less of each repetition than one of them is long. */
static void members_longer_than_a_record(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    Series *s = series_new(arena);
    BufferSeries *large = add_series(s), *small = add_series(s);
    for (int i = 0; i < STEPS; i++) {
        add_member(s, large, i, (Block){.bytes = 1024, .first = i, .last = i + 3});
        add_member(s, small, i, (Block){.bytes = 128, .first = i, .last = i + 3});
    }
    add_buffer(s, (Block){.bytes = 1 << 20, .first = 0, .last = KERNELS - 1}); /* beside it, distances cost little */
    expect_series_apart(s);
    assert_int_equal(s->lives[2].offset + 1024, s->lives[4].offset);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_longest_repetition),      cmocka_unit_test(leaves_the_rest_alone),
        cmocka_unit_test(asks_whether_a_repetition_follows), cmocka_unit_test(rows_stand_at_equal_distances),
        cmocka_unit_test(rows_take_the_place_of_others),     cmocka_unit_test(turns_with_a_gap),
        cmocka_unit_test(members_longer_than_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
