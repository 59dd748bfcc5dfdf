#include "plan/tune.h"

#include <inttypes.h>
#include <string.h>

#include "plan/search.h"

/* A stage whose loops are chosen by name. */
typedef struct Tuner {
    const Planner *p;
    PlanStage *stage;
    int shared;
    StageCost cost;
    const char *names[MAX_STAGE_SLOTS]; /* of the slots, each once */
} Tuner;

static Tuner tuner_of(const Planner *p, PlanStage *stage, int shared) {
    Tuner t = {.p = p, .stage = stage, .shared = shared, .cost = cost_gather(p, stage, shared)};
    for (int slot = 0; slot < stage->slot_count; slot++) {
        int earlier = 0;
        for (int other = 0; other < slot; other++)
            earlier += strcmp(stage->slots[other].name, stage->slots[slot].name) == 0;
        t.names[slot] = stage->slots[slot].name;
        if (earlier > 0)
            t.names[slot] = arena_printf(p->arena, "%s'%d", t.names[slot], earlier + 1);
    }
    return t;
}

/* ---- tiles and their names ---- */

/* Interleaved values are read by whole vectors of samples only. */
static bool reads_interleaved(const StageCost *cost) {
    for (size_t i = 0; i < cost->loads.count; i++)
        if (cost->loads.at[i].interleaved)
            return true;
    for (size_t i = 0; i < cost->accesses.count; i++)
        if (cost->accesses.at[i].interleaved)
            return true;
    return false;
}

/* More columns than there are elements are the same loops as fewer. */
static bool is_sensible(const StageCost *cost, Tile tile) {
    bool vectors = tile.column_slot == tile.vector_slot;
    if (tile.column_slot >= 0 && !vectors && cost->stage->slots[tile.column_slot].extent.size < tile.columns)
        return false;
    return tile.vector_slot >= 0 || !reads_interleaved(cost);
}

/* A tile with the slots that matter only. */
static Tile simple_tile(Tile tile) {
    if (tile.rows == 1)
        tile.tile_slot = -1;
    if (tile.columns == 1)
        tile.column_slot = -1;
    return tile;
}

static bool same_tile(Tile a, Tile b) {
    a = simple_tile(a);
    b = simple_tile(b);
    return a.vector_slot == b.vector_slot && a.tile_slot == b.tile_slot && a.rows == b.rows &&
           a.column_slot == b.column_slot && a.columns == b.columns;
}

static Tile present_tile(const PlanStage *stage) {
    const StageSchedule *s = &stage->schedule;
    return (Tile){s->vector_slot, s->tile_slot, s->tile_rows, s->column_slot, s->columns};
}

static LoopChoice choice_of(const Tuner *t, Tile tile, const int *order, int loops) {
    LoopChoice choice = {.loop_count = loops, .rows = tile.rows, .columns = tile.columns};
    tile = simple_tile(tile);
    for (int i = 0; i < loops; i++)
        choice.loops[i] = t->names[order[i]];
    choice.lanes = tile.vector_slot >= 0 ? t->names[tile.vector_slot] : NULL;
    choice.row_slot = tile.tile_slot >= 0 ? t->names[tile.tile_slot] : NULL;
    choice.column_slot = tile.column_slot >= 0 ? t->names[tile.column_slot] : NULL;
    return choice;
}

/* -1: no name was given; -2: no slot is called so. */
static int slot_named(const Tuner *t, const char *name) {
    for (int slot = 0; name && slot < t->stage->slot_count; slot++)
        if (strcmp(t->names[slot], name) == 0)
            return slot;
    return name ? -2 : -1;
}

/* ---- following what was measured ---- */

typedef struct TileMatch {
    const StageCost *cost;
    Tile wanted, found;
    bool is_found;
} TileMatch;

static void match_tile(void *context, Tile tile) {
    TileMatch *match = context;
    if (!match->is_found && same_tile(tile, match->wanted) && is_sensible(match->cost, tile)) {
        match->found = tile;
        match->is_found = true;
    }
}

typedef struct OrderMatch {
    const int *wanted;
    int loops;
    bool is_found;
} OrderMatch;

static void match_order(void *context, const int *order, int loops) {
    OrderMatch *match = context;
    bool same = loops == match->loops;
    for (int i = 0; same && i < loops; i++)
        same = order[i] == match->wanted[i];
    match->is_found = match->is_found || same;
}

/* false: the planner could not have chosen these loops. */
static bool follow(const Tuner *t, const LoopChoice *choice) {
    TileMatch tile = {.cost = &t->cost};
    tile.wanted.vector_slot = slot_named(t, choice->lanes);
    tile.wanted.tile_slot = slot_named(t, choice->row_slot);
    tile.wanted.rows = choice->rows;
    tile.wanted.column_slot = slot_named(t, choice->column_slot);
    tile.wanted.columns = choice->columns;
    search_tiles(&t->cost, match_tile, &tile);
    if (!tile.is_found)
        return false;
    int order[MAX_STAGE_SLOTS];
    for (int i = 0; i < choice->loop_count; i++)
        order[i] = slot_named(t, choice->loops[i]);
    OrderMatch match = {order, choice->loop_count, false};
    search_orders(&t->cost, tile.found, match_order, &match);
    if (match.is_found)
        schedule_set(t->stage, &t->cost, tile.found, order, choice->loop_count);
    return match.is_found;
}

/* ---- what can be measured ---- */

typedef struct Candidate {
    Tile tile;
    double cycles;
} Candidate;

typedef struct Shortlist {
    const Tuner *tuner;
    VEC(Candidate) all; /* the best first */
} Shortlist;

static void add_candidate(void *context, Tile tile) {
    Shortlist *list = context;
    if (!is_sensible(&list->tuner->cost, tile))
        return;
    for (size_t i = 0; i < list->all.count; i++)
        if (same_tile(list->all.at[i].tile, tile))
            return;
    Candidate candidate = {tile, search_cycles(&list->tuner->cost, tile)};
    vec_push(list->tuner->p->arena, &list->all, candidate);
    for (size_t i = list->all.count - 1; i > 0 && list->all.at[i - 1].cycles > candidate.cycles; i--) {
        list->all.at[i] = list->all.at[i - 1];
        list->all.at[i - 1] = candidate;
    }
}

static bool same_slots(Tile a, Tile b) {
    a = simple_tile(a);
    b = simple_tile(b);
    return a.vector_slot == b.vector_slot && a.tile_slot == b.tile_slot && a.column_slot == b.column_slot;
}

static bool has_choice(const SurveyStage *found, const LoopChoice *choice) {
    for (size_t i = 0; i < found->choices.count; i++)
        if (loop_choice_equal(&found->choices.at[i], choice))
            return true;
    return false;
}

static void add_choice(const Tuner *t, SurveyStage *found, const LoopChoice *choice) {
    const Survey *survey = t->p->survey;
    if (found->choices.count < (size_t)survey->most_choices && !has_choice(found, choice))
        vec_push(survey->arena, &found->choices, loop_choice_copy(survey->arena, choice));
}

static void add_tile(const Tuner *t, SurveyStage *found, Tile tile) {
    int order[MAX_STAGE_SLOTS];
    double misses;
    int loops = search_best_order(&t->cost, tile, order, &misses);
    LoopChoice choice = choice_of(t, tile, order, loops);
    add_choice(t, found, &choice);
}

/* The best tile of every kind, as long as it may be good; then the best of all. */
static void add_tiles(const Tuner *t, SurveyStage *found) {
    const double hopeless = 2.5;
    Shortlist list = {.tuner = t};
    search_tiles(&t->cost, add_candidate, &list);
    size_t kinds = (size_t)t->p->survey->most_choices * 2 / 3;
    for (size_t i = 0; i < list.all.count && found->choices.count < kinds; i++) {
        bool first = list.all.at[i].cycles < hopeless * list.all.at[0].cycles;
        for (size_t j = 0; j < i && first; j++)
            first = !same_slots(list.all.at[j].tile, list.all.at[i].tile);
        if (first)
            add_tile(t, found, list.all.at[i].tile);
    }
    for (size_t i = 0; i < list.all.count && list.all.at[i].cycles < hopeless * list.all.at[0].cycles; i++)
        add_tile(t, found, list.all.at[i].tile);
}

typedef struct OrderList {
    const Tuner *tuner;
    SurveyStage *found;
} OrderList;

static void add_order(void *context, const int *order, int loops) {
    OrderList *list = context;
    LoopChoice choice = choice_of(list->tuner, present_tile(list->tuner->stage), order, loops);
    add_choice(list->tuner, list->found, &choice);
}

static const char *title_of(const Planner *p, const PlanStage *stage) {
    const Node *node = stage->nodes.at[0].node;
    Text *title = text_new(p->survey->arena);
    text_add(title, node->origin.name ? node->origin.name : "values");
    if (stage->nodes.count > 1)
        text_printf(title, " and %zu more", stage->nodes.count - 1);
    if (node->origin.place.source)
        text_printf(title, " (%s:%d)", source_file_name(node->origin.place.source), place_line(node->origin.place));
    return text_get(title);
}

/* Stages of the same name are measured together. */
static void survey_stage(const Tuner *t, const char *key) {
    Survey *survey = t->p->survey;
    SurveyStage *found = text_map_get(survey->by_stage, key);
    if (!found) {
        found = arena_one(survey->arena, SurveyStage);
        vec_push(survey->arena, &survey->stages, found);
        found->stage = arena_copy_text(survey->arena, key, strlen(key));
        found->title = title_of(t->p, t->stage);
        found->mark = (int)survey->stages.count;
        const StageSchedule *s = &t->stage->schedule;
        LoopChoice present = choice_of(t, present_tile(t->stage), s->order, s->loops);
        add_choice(t, found, &present);
        if (survey->orders)
            search_orders(&t->cost, present_tile(t->stage), add_order, &(OrderList){t, found});
        else
            add_tiles(t, found);
        text_map_put(survey->by_stage, key, found);
    }
    t->stage->mark = found->mark;
}

/* ---- */

static bool is_measured(const Planner *p) {
    return p->survey && (p->entry->kind == ENTRY_PREDICT || p->entry->kind == ENTRY_TRAIN_STEP);
}

void stage_tune(const Planner *p, PlanStage *stage, int shared) {
    if ((!p->tuning && !is_measured(p)) || stage->scatters.count > 0)
        return;
    Planner scratch = *p;
    scratch.arena = arena_new((ArenaFailure){0});
    Tuner t = tuner_of(&scratch, stage, shared);
    const char *key = stage_key(&scratch, stage, shared);
    TuningEntry *entry = p->tuning ? tuning_find(p->tuning, key) : NULL;
    if (entry && follow(&t, &entry->choice)) {
        entry->followed = true;
        stage->measured = true;
    }
    if (is_measured(p))
        survey_stage(&t, key);
    arena_free(scratch.arena);
}
