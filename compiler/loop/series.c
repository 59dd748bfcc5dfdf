#include "loop/series.h"

#include <string.h>

#include "loop/loop_walk.h"
#include "loop/repeat.h"

/* ---- what a kernel looks like ---- */

typedef VEC(const Buffer *) Buffers;

/* A kernel but for names, integers and places in the workspace: no loop goes over parameters, which are members of a struct. */
typedef struct Form {
    uint64_t hash;   /* never 0 */
    Buffers buffers; /* in the order in which they are met */
} Form;

typedef struct FormSearch {
    Arena *arena;
    Form *form;
    PointerMap *met;
} FormSearch;

static void add_number(FormSearch *search, uint64_t number) {
    search->form->hash = hash_bytes(search->form->hash, &number, sizeof number);
}

static void add_statement(void *context, const LoopStmt *s) {
    add_number(context, (uint64_t)s->kind + (s->kind == LOOP_FOR ? (uint64_t)s->loop.mode << 8 : 0));
}

static void add_expression(void *context, const LoopExpr *e) {
    uint64_t real = 0;
    memcpy(&real, &e->real, e->kind == LOOP_REAL ? sizeof real : 0);
    add_number(context, (uint64_t)e->kind + (e->kind == LOOP_OP ? (uint64_t)e->op.op << 8 : 0));
    add_number(context, real);
}

static void add_address(void *context, const LoopAddress *address, bool is_store) {
    FormSearch *search = context;
    add_number(search, (uint64_t)address->access + (is_store ? 256 : 0));
    if (!address->buffer || pointer_map_get(search->met, address->buffer))
        return;
    pointer_map_put(search->met, address->buffer, address->buffer);
    add_number(search, address->buffer->space == BUFFER_WORKSPACE ? 0 : (uint64_t)(uintptr_t)address->buffer);
    vec_push(search->arena, &search->form->buffers, address->buffer);
}

static Form form_of(Arena *arena, const Kernel *kernel) {
    Form form = {.hash = HASH_SEED};
    FormSearch search = {arena, &form, pointer_map_new(arena)};
    loop_walk_body(&kernel->body, &(LoopVisitor){add_expression, add_address, add_statement, &search});
    add_number(&search, form.buffers.count);
    form.hash |= 1;
    return form;
}

typedef struct FormList {
    VEC(Form) forms;
    VEC(const Kernel *) kernels;
} FormList;

/* What repeats in a list of kernels. */
typedef struct Repetition {
    FormList list;
    Repeat repeat;
} Repetition;

typedef struct SeriesSearch {
    Arena *arena;
    LoopEntry *entry;
    VEC(Repetition) repetitions;
    BufferSeries **series_of; /* by buffer; NULL: none yet */
    int64_t *index_in;
} SeriesSearch;

static void add_form(SeriesSearch *s, FormList *list, const Kernel *kernel) {
    vec_push(s->arena, &list->kernels, kernel);
    vec_push(s->arena, &list->forms, form_of(s->arena, kernel));
}

static void note_repetitions(SeriesSearch *s, FormList list) {
    uint64_t *hashes = arena_array(s->arena, uint64_t, list.forms.count + 1);
    for (size_t i = 0; i < list.forms.count; i++)
        hashes[i] = list.forms.at[i].hash;
    const RepeatList repeats = repeats_find(s->arena, &(RepeatSearch){.things = list.forms.count, .forms = hashes});
    for (size_t i = 0; i < repeats.count; i++)
        vec_push(s->arena, &s->repetitions, ((Repetition){list, repeats.at[i]}));
}

/* ---- rows ---- */

static void move_row(void *context, const LoopAddress *address, bool is_store) {
    const Kernel *kernel = context;
    (void)is_store;
    for (size_t i = 0; address->array && i < kernel->arrays.count; i++)
        if (kernel->arrays.at[i] == address->array)
            kernel->arrays.at[i]->scratch = true;
}

/* Repetitions with a row of their own each would need names for all of them. */
static void move_rows(Kernel *kernel, const Repetition *repetition) {
    const Repeat r = repetition->repeat;
    for (size_t i = r.first; i < r.first + r.period * r.count; i++)
        loop_walk_body(&repetition->list.kernels.at[i]->body, &(LoopVisitor){.address = move_row, .context = kernel});
}

static void collect_scratch(const SeriesSearch *s, Kernel *kernel) {
    kernel->scratch.count = 0;
    for (size_t i = 0; i < kernel->arrays.count; i++)
        if (kernel->arrays.at[i]->scratch)
            vec_push(s->arena, &kernel->scratch, kernel->arrays.at[i]);
}

/* ---- repetitions in kernels ---- */

static bool is_declaration(const LoopStmt *s) {
    return s->kind == LOOP_MARK || (s->kind == LOOP_DECLARE && s->declare.var->elements > 0);
}

/* The stages that an iteration calls, one after the other. */
static void note_calls(SeriesSearch *s, Kernel *kernel) {
    size_t first = s->repetitions.count;
    FormList list = {0};
    for (size_t i = 0; i < kernel->iteration->count; i++) {
        const LoopStmt *statement = kernel->iteration->at[i];
        if (statement->kind == LOOP_CALL) {
            add_form(s, &list, statement->call);
        } else if (!is_declaration(statement)) {
            note_repetitions(s, list);
            list = (FormList){0};
        }
    }
    note_repetitions(s, list);
    for (size_t i = first; i < s->repetitions.count; i++)
        move_rows(kernel, &s->repetitions.at[i]);
    collect_scratch(s, kernel);
}

/* ---- series ---- */

/* The buffer at place `b` of thing `k` of each repetition. */
static Buffers buffers_at(const SeriesSearch *s, const Repetition *repetition, size_t k, size_t b) {
    Buffers list = {0};
    const Repeat r = repetition->repeat;
    for (size_t turn = 0; turn < r.count; turn++)
        vec_push(s->arena, &list, repetition->list.forms.at[r.first + turn * r.period + k].buffers.at[b]);
    return list;
}

static bool are_alike(Arena *arena, const Buffers *list) {
    PointerMap *met = pointer_map_new(arena);
    for (size_t i = 0; i < list->count; i++) {
        const Buffer *a = list->at[0], *b = list->at[i];
        if (b->space != BUFFER_WORKSPACE || a->type != b->type || a->elements != b->elements || a->slack != b->slack ||
            a->interleaved != b->interleaved || pointer_map_get(met, b))
            return false;
        pointer_map_put(met, b, b);
    }
    return true;
}

/* How a list of buffers goes through a series: from which place on, in which steps. */
typedef struct Course {
    BufferSeries *series;
    int64_t from, step;
} Course;

/* The first two that are in a series say it. */
static bool find_course(const SeriesSearch *s, const Buffers *list, Course *course) {
    int64_t first = -1;
    for (int64_t i = 0; i < (int64_t)list->count; i++) {
        int id = list->at[i]->id;
        if (!s->series_of[id])
            continue;
        if (first < 0) {
            first = i;
            continue;
        }
        int64_t start = s->index_in[list->at[first]->id], distance = s->index_in[id] - start;
        if (s->series_of[id] != s->series_of[list->at[first]->id] || distance % (i - first) != 0)
            return false;
        int64_t step = distance / (i - first);
        *course = (Course){s->series_of[id], start - step * first, step};
        return step != 0;
    }
    return false;
}

static bool is_free(const BufferSeries *series, int64_t index) {
    for (size_t i = 0; i < series->members.count; i++)
        if (series->members.at[i].index == index)
            return false;
    return true;
}

static bool takes_course(const SeriesSearch *s, const Buffers *list, Course course) {
    for (size_t i = 0; i < list->count; i++) {
        int id = list->at[i]->id;
        int64_t index = course.from + course.step * (int64_t)i;
        if (s->series_of[id] ? s->series_of[id] != course.series || s->index_in[id] != index
                             : !is_free(course.series, index))
            return false;
    }
    return true;
}

static void add_members(SeriesSearch *s, const Buffers *list, Course course) {
    for (size_t i = 0; i < list->count; i++) {
        int id = list->at[i]->id;
        if (s->series_of[id])
            continue;
        s->series_of[id] = course.series;
        s->index_in[id] = course.from + course.step * (int64_t)i;
        vec_push(s->arena, &course.series->members, ((SeriesMember){list->at[i], s->index_in[id]}));
    }
}

static bool is_unknown(const SeriesSearch *s, const Buffers *list) {
    for (size_t i = 0; i < list->count; i++)
        if (s->series_of[list->at[i]->id])
            return false;
    return true;
}

static void add_series(SeriesSearch *s, const Buffers *list) {
    Course course = {NULL, 0, 1};
    if (!are_alike(s->arena, list))
        return;
    if (is_unknown(s, list)) {
        course.series = arena_one(s->arena, BufferSeries);
        vec_push(s->arena, &s->entry->series, course.series);
    } else if (!find_course(s, list, &course) || !takes_course(s, list, course)) {
        return;
    }
    add_members(s, list, course);
}

static void add_repetition(SeriesSearch *s, const Repetition *repetition) {
    for (size_t k = 0; k < repetition->repeat.period; k++)
        for (size_t b = 0; b < repetition->list.forms.at[repetition->repeat.first + k].buffers.count; b++) {
            const Buffers list = buffers_at(s, repetition, k, b);
            add_series(s, &list);
        }
}

/* Those with most repetitions say most about the order of the buffers. */
static void add_repetitions(SeriesSearch *s) {
    bool *done = arena_array(s->arena, bool, s->repetitions.count + 1);
    for (size_t n = 0; n < s->repetitions.count; n++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < s->repetitions.count; i++)
            if (!done[i] &&
                (best == SIZE_MAX || s->repetitions.at[i].repeat.count > s->repetitions.at[best].repeat.count))
                best = i;
        done[best] = true;
        add_repetition(s, &s->repetitions.at[best]);
    }
}

void series_find(Arena *arena, LoopEntry *entry) {
    SeriesSearch s = {.arena = arena, .entry = entry};
    s.series_of = arena_array(arena, BufferSeries *, entry->buffers.count + 1);
    s.index_in = arena_array(arena, int64_t, entry->buffers.count + 1);
    FormList kernels = {0};
    for (size_t i = 0; i < entry->kernels.count; i++) {
        note_calls(&s, entry->kernels.at[i]);
        add_form(&s, &kernels, entry->kernels.at[i]);
    }
    note_repetitions(&s, kernels);
    add_repetitions(&s);
}
