/* plain.c: stages that nobody feels have no tile.
 *
 *     rows i x 8, columns j x 2, and what remains of both        ->        one vector at a time
 *
 * A tile is text that somebody has to read and to compile, and what remains of its axes is more of it. A stage that takes a thousandth of the entry may take
 * several times as long: all of them together cost the entry no more than the share `unfelt` of the target. Stages of one form are one function; they have tiles
 * or none together. What was measured stays as it is, and so do blocks, which are whole tiles.
 */
#include <math.h>

#include "ir/scalar_walk.h"
#include "plan/search.h"

/* Stages that are one function where sizes are its arguments. */
typedef struct Form {
    double longer; /* cycles that all of them would take longer */
} Form;

typedef struct Candidate {
    PlanStage *stage;
    int shared;
    double longer;
    const Form *form;
} Candidate;

typedef struct Plains {
    const Planner *planner;
    Arena *scratch;
    ScalarWalk *walk;
    TextMap *forms;
    VEC(Candidate) candidates;
    double cycles; /* of the entry */
} Plains;

static bool is_tiled(const PlanStage *stage) {
    return stage->schedule.tile_rows > 1 || stage->schedule.columns > 1;
}

/* Vectors as before, one at a time. */
static Tile plain_tile(const PlanStage *stage) {
    const int slot = stage->schedule.vector_slot;
    bool output = slot >= 0 && !stage_is_reduction_slot(stage, slot);
    return (Tile){.vector_slot = slot, .tile_slot = -1, .rows = 1, .column_slot = output ? slot : -1, .columns = 1};
}

static const char *form_of(const Plains *plains, const PlanStage *stage) {
    const StageSchedule *s = &stage->schedule;
    Text *form = text_new(plains->scratch);
    text_printf(form, "%d %d %d %d", (int)stage->reduce, s->loops, s->tile_rows, s->columns);
    for (size_t i = 0; i < stage->nodes.count; i++) {
        scalar_walk(plains->walk, stage->nodes.at[i].body, NULL, NULL);
        text_printf(form, " %zu", plains->walk->count);
    }
    return text_get(form);
}

static Form *find_form(Plains *plains, const PlanStage *stage) {
    const char *key = form_of(plains, stage);
    Form *form = text_map_get(plains->forms, key);
    if (!form) {
        form = arena_one(plains->scratch, Form);
        text_map_put(plains->forms, key, form);
    }
    return form;
}

/* Streams, turns and what hides behind a tile are not in the cycles: a stage is taken to need at least as much time again. */
static void add_candidates(Plains *plains, PlanStage *stage, int shared) {
    for (size_t i = 0; i < stage->parts.count; i++)
        add_candidates(plains, &stage->parts.at[i], shared);
    bool fixed = stage->measured || stage->schedule.block > 0 || stage->scatters.count > 0;
    if (stage->parts.count > 0 || fixed || !is_tiled(stage))
        return;
    const StageCost cost = cost_gather(plains->planner, stage, shared);
    Form *form = find_form(plains, stage);
    const double longer = fmax(cost_of_tile(&cost, plain_tile(stage)) - stage->cycles, stage->cycles);
    const Candidate candidate = {stage, shared, longer, form};
    form->longer += candidate.longer;
    vec_push(plains->scratch, &plains->candidates, candidate);
}

/* What the entry takes longer without the tiles of all forms that cost it no more than so much. */
static double longer_cycles(const Plains *plains, double most) {
    double longer = 0;
    for (size_t i = 0; i < plains->candidates.count; i++)
        if (plains->candidates.at[i].form->longer <= most)
            longer += plains->candidates.at[i].longer;
    return longer;
}

static void make_plain(const Planner *p, const Candidate *candidate) {
    PlanStage *stage = candidate->stage;
    const StageCost cost = cost_gather(p, stage, candidate->shared);
    schedule_set(stage, &cost, plain_tile(stage), stage->schedule.order, stage->schedule.loops);
    stage->cycles = cost_of_tile(&cost, plain_tile(stage));
}

void plan_plain(const Planner *p, PlanEntry *entry) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Plains plains = {
        .planner = p, .scratch = scratch, .walk = scalar_walk_new(scratch), .forms = text_map_new(scratch)};
    for (size_t k = 0; k < entry->kernels.count; k++) {
        PlanKernel *kernel = &entry->kernels.at[k];
        plains.cycles += kernel->cycles;
        for (size_t i = 0; i < kernel->stages.count; i++)
            add_candidates(&plains, &kernel->stages.at[i], kernel->shared);
    }
    const double all = p->target->unfelt * plains.cycles;
    double most = all / 4;
    while (longer_cycles(&plains, most) > all)
        most /= 2;
    for (size_t i = 0; all > 0 && i < plains.candidates.count; i++)
        if (plains.candidates.at[i].form->longer <= most)
            make_plain(p, &plains.candidates.at[i]);
    arena_free(scratch);
}
