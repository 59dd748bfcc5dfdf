/* scatter.c: sums whose terms choose where they go.
 *
 *     G[v, k] = sum(i) select(v == token[i], g[i, k], 0)         for (v, k ..)  G[v, k] = 0
 *                                                                for (i ..)     v = token[i]
 *                                                                  if (v lies in G)  for (k ..)  G[v, k] += g[i, k]
 *
 * The left side is the derivative of a lookup, W[token[i], k]: it looks for each row of the table through all terms. The right side takes each term once,
 * in the same order. Its sums stand in memory. Many places are taken in blocks, all terms for each: a block stays in the second cache until the maps behind
 * the sum have read it, and threads share the blocks. Where there are few places, comparing can be the faster way.
 */
#include "ir/linear.h"
#include "plan/cost.h"
#include "plan/lanes.h"

static uint64_t slot_bit(int slot) {
    return UINT64_C(1) << slot;
}

static bool is_output(const PlanStage *stage, int slot) {
    return !stage_is_reduction_slot(stage, slot) && stage->slots[slot].extent.size > 1;
}

/* ---- conditions of a place ---- */

static uint64_t scattered_slots(const PlanStage *stage) {
    uint64_t slots = 0;
    for (size_t i = 0; i < stage->scatters.count; i++)
        slots |= slot_bit(stage->scatters.at[i].slot);
    return slots;
}

static uint64_t index_slots(const PlanStage *stage) {
    uint64_t slots = 0;
    for (size_t i = 0; i < stage->scatters.count; i++)
        slots |= stage->scatters.at[i].index->slots;
    return slots;
}

/* The longest output axis that stands alone in the difference, which is 0: -1: none. */
static int find_alone(const PlanStage *stage, const Linear *difference) {
    int best = -1;
    for (int i = 0; i < difference->count; i++) {
        const LinearTerm *term = &difference->terms[i];
        bool alone = term->atom->kind == SCALAR_INDEX && is_output(stage, term->atom->index.slot) &&
                     (term->coefficient == 1 || term->coefficient == -1);
        for (int other = 0; other < difference->count && alone; other++)
            alone = other == i || !(difference->terms[other].atom->slots & term->atom->slots);
        if (alone && (best < 0 || term->atom->index.extent.size > difference->terms[best].atom->index.extent.size))
            best = i;
    }
    return best;
}

/* slot == index, of an equality of integers in which terms of the sum choose a place. */
static bool solve(const Planner *p, const PlanStage *stage, const Scalar *test, StageScatter *scatter) {
    Linear difference;
    if (!scalar_is_op(test, OP_EQ) || test->op.arg[0]->type != TYPE_INT || !linear_of(test->op.arg[0], &difference) ||
        !linear_add(&difference, test->op.arg[1], -1))
        return false;
    const int alone = find_alone(stage, &difference);
    if (alone < 0)
        return false;
    const LinearTerm term = difference.terms[alone];
    Linear rest = {.batch = difference.batch};
    linear_add_form(&rest, &difference, -term.coefficient);
    linear_add_atom(&rest, term.atom, 1);
    *scatter = (StageScatter){term.atom->index.slot, linear_scalar(p->graph->pool, &rest)};
    return !has_unsafe_load(p->arena, p->graph->pool, scatter->index);
}

static bool is_guarded(const Scalar *s) {
    return scalar_is_op(s, OP_SELECT) && scalar_is_real(s->op.arg[2], 0);
}

/* What is left of a condition, or of what it guards, where `test` holds. */
static const Scalar *under(ScalarPool *pool, const Scalar *s, const Scalar *test) {
    if (s == test)
        return scalar_bool(pool, true);
    if (scalar_is_op(s, OP_AND))
        return scalar_op2(pool, OP_AND, under(pool, s->op.arg[0], test), under(pool, s->op.arg[1], test));
    if (is_guarded(s))
        return scalar_select(pool, under(pool, s->op.arg[0], test), under(pool, s->op.arg[1], test), s->op.arg[2]);
    return s;
}

typedef struct PlaceLoad {
    ScalarPool *pool;
    const Scalar *index, *place;
} PlaceLoad;

static const Scalar *place_of_load(void *context, const Scalar *load, const Scalar *const *at) {
    const PlaceLoad *known = context;
    return scalar_load(known->pool, load->load.tensor, at) == known->index ? known->place : NULL;
}

/* The term is only added where the place is what was read: that lies inside. */
static const Scalar *at_place(const Planner *p, const PlanStage *stage, const Scalar *body,
                              const StageScatter *scatter) {
    ScalarPool *pool = p->graph->pool;
    PlaceLoad known = {pool, scatter->index, scalar_index(pool, scatter->slot, stage->slots[scatter->slot].extent)};
    return scalar_rewrite(pool, body, (ScalarRewrite){.load = place_of_load, .context = &known});
}

/* Takes a condition that chooses a place out of the stage's body. */
static bool take_test(const Planner *p, PlanStage *stage, const Scalar *test) {
    StageScatter scatter;
    if (scalar_is_op(test, OP_AND))
        return take_test(p, stage, test->op.arg[0]) || take_test(p, stage, test->op.arg[1]);
    if (!solve(p, stage, test, &scatter) || ((scatter.index->slots | index_slots(stage)) & slot_bit(scatter.slot)) ||
        ((scatter.index->slots | slot_bit(scatter.slot)) & scattered_slots(stage)))
        return false;
    vec_push(p->arena, &stage->scatters, scatter);
    const Scalar *rest = under(p->graph->pool, stage->nodes.at[0].body, test);
    stage->nodes.at[0].body = at_place(p, stage, rest, &scatter);
    return true;
}

static bool take_one(const Planner *p, PlanStage *stage) {
    for (const Scalar *s = stage->nodes.at[0].body; is_guarded(s); s = s->op.arg[1])
        if (take_test(p, stage, s->op.arg[0]))
            return true;
    return false;
}

/* The longest axis comes first: it is taken in blocks. */
static void put_longest_first(PlanStage *stage) {
    for (size_t i = 1; i < stage->scatters.count; i++) {
        StageScatter *first = &stage->scatters.at[0], *other = &stage->scatters.at[i];
        if (stage->slots[other->slot].extent.size > stage->slots[first->slot].extent.size) {
            const StageScatter kept = *first;
            *first = *other;
            *other = kept;
        }
    }
}

/* ---- the loops ---- */

/* Lanes are neighbours of the result, which all belong to one place. */
static int find_lanes(const StageCost *cost) {
    const PlanStage *stage = cost->stage;
    const uint64_t places = scattered_slots(stage) | index_slots(stage);
    const StageLoad *store = &cost->accesses.at[0];
    for (int slot = stage->slot_count - 1; slot >= 0; slot--)
        if (is_output(stage, slot) && !(places & slot_bit(slot)) && (cost->lanes & slot_bit(slot)) &&
            store->step[slot] == 1)
            return slot;
    return -1;
}

static void add_loop(PlanStage *stage, int slot) {
    StageSchedule *s = &stage->schedule;
    s->order[s->loops++] = slot;
}

/* Of the other output axes, those that the places depend on stand outside, the lanes inside. */
static void set_loops(PlanStage *stage, int lanes) {
    const uint64_t scattered = scattered_slots(stage), places = index_slots(stage);
    stage->schedule.loops = 0;
    for (size_t i = 0; i < stage->scatters.count; i++)
        add_loop(stage, stage->scatters.at[i].slot);
    for (int slot = 0; slot < stage->slot_count; slot++)
        if (stage_is_reduction_slot(stage, slot) && stage->slots[slot].extent.size > 1)
            add_loop(stage, slot);
    for (int inside = 0; inside < 2; inside++)
        for (int slot = 0; slot < stage->slot_count; slot++)
            if (is_output(stage, slot) && !(scattered & slot_bit(slot)) && slot != lanes &&
                ((places & slot_bit(slot)) == 0) == (inside == 1))
                add_loop(stage, slot);
    if (lanes >= 0)
        add_loop(stage, lanes);
}

/* Places in blocks that the second cache keeps while the terms come. A block is one piece of memory. */
static int64_t block_places(const StageCost *cost) {
    const Planner *p = cost->planner;
    const int slot = cost->stage->scatters.at[0].slot;
    const Extent places = cost->stage->slots[slot].extent;
    const int64_t elements = node_elements(cost->stage->nodes.at[0].node);
    const double cache = 0.5 * (double)p->target->l2_bytes;
    const int64_t blocks = (int64_t)((double)elements * (double)planner_real_bytes(p) / cache) + 1;
    bool in_pieces = cost->accesses.at[0].step[slot] * places.size == elements;
    return places.per_sample > 0 || blocks == 1 || !in_pieces ? 0 : (places.size + blocks - 1) / blocks;
}

/* ---- what it costs ---- */

static int64_t vectors_along(const StageCost *cost, int slot, int lanes) {
    const int64_t size = cost->stage->slots[slot].extent.size;
    return slot == lanes ? (size + cost_lanes(cost) - 1) / cost_lanes(cost) : size;
}

/* Vectors (or numbers) along these slots. */
static double vectors_of(const StageCost *cost, uint64_t slots, int lanes) {
    double count = 1;
    for (int slot = 0; slot < cost->stage->slot_count; slot++)
        count *= slots & slot_bit(slot) ? (double)vectors_along(cost, slot, lanes) : 1;
    return count;
}

/* One vector is added to what stands in memory. */
static double add_cycles(const StageCost *cost, int lanes) {
    const double store = 1.5; /* and the load and the sum before it */
    double cycles = store + 0.5 * cost->step_flops;
    for (size_t i = 0; i < cost->loads.count; i++)
        cycles += cost_of_access(cost, &cost->loads.at[i], lanes);
    return cycles + cost_of_access(cost, &cost->accesses.at[0], lanes) - 0.5;
}

/* The maps behind the sum, for one vector, which they find in the nearest cache or the next one. */
static double map_cycles(const StageCost *cost, int lanes) {
    const double overhead = 6; /* of a step, as that of maps alone (cost.c) */
    double cycles = overhead + 0.5 * cost->element_flops;
    if (cost->stage->nodes.count == 1)
        return 0;
    for (size_t i = 0; i < cost->accesses.count; i++)
        cycles += cost_of_access(cost, &cost->accesses.at[i], lanes);
    return cycles;
}

/* All blocks look at all places. */
static double cycles_of(const StageCost *cost, int lanes) {
    enum { LOOP_OVERHEAD = 4, LOOK = 3, CHOOSE = 8 };
    const PlanStage *stage = cost->stage;
    const StageSchedule *s = &stage->schedule;
    uint64_t outputs = 0, reductions = 0;
    for (int slot = 0; slot < stage->slot_count; slot++)
        *(stage_is_reduction_slot(stage, slot) ? &reductions : &outputs) |= slot_bit(slot);
    const uint64_t scattered = scattered_slots(stage), looked_at = reductions | (index_slots(stage) & outputs);
    const int64_t places = stage->slots[s->tile_slot].extent.size;
    const double blocks = s->block > 0 ? (double)((places + s->block - 1) / s->block) : 1;
    const double looks = vectors_of(cost, looked_at, lanes);
    const double adds = vectors_of(cost, reductions | (outputs & ~scattered), lanes);
    const double clear = (double)node_elements(stage->nodes.at[0].node) / cost_lanes(cost);
    return clear + looks * (LOOK * blocks + CHOOSE + LOOP_OVERHEAD) + adds * add_cycles(cost, lanes) +
           vectors_of(cost, outputs, lanes) * map_cycles(cost, lanes);
}

/* ---- */

static bool is_load_of(const void *context, const Scalar *load) {
    return load->load.tensor == context;
}

/* It reads what it overwrites itself, element by element. */
static bool works_in_place(const Planner *p, const PlanNode *value) {
    return value->output && value->output->role == OUTPUT_UPDATE &&
           scalar_any_load(p->arena, value->body, is_load_of, value->output->target);
}

/* Its sums need memory of their own, of which the entry is to use little. */
static bool spends_memory(const Planner *p, const PlanNode *value) {
    return p->entry && p->entry->spares_memory && !value->output;
}

static bool can_scatter(const Planner *p, const PlanStage *stage, int shared) {
    const PlanNode *value = &stage->nodes.at[0];
    return stage->reduce == REDUCE_SUM && shared == 0 && !stage->samples && value->node->type == TYPE_REAL &&
           !works_in_place(p, value) && !spends_memory(p, value);
}

static bool is_interleaved(const StageCost *cost) {
    bool found = false;
    for (size_t i = 0; i < cost->loads.count; i++)
        found = found || cost->loads.at[i].interleaved;
    for (size_t i = 0; i < cost->accesses.count; i++)
        found = found || cost->accesses.at[i].interleaved;
    return found;
}

static void set_schedule(PlanStage *stage, const StageCost *cost, int lanes) {
    stage->schedule = (StageSchedule){.form = FORM_REDUCTION,
                                      .vector_slot = lanes,
                                      .tile_slot = stage->scatters.at[0].slot,
                                      .tile_rows = 1,
                                      .column_slot = -1,
                                      .columns = 1,
                                      .parallel_slot = -1};
    set_loops(stage, lanes);
    stage->schedule.block = block_places(cost);
}

void stage_scatter(const Planner *p, PlanStage *stage, int shared) {
    if (!can_scatter(p, stage, shared))
        return;
    PlanStage scattered = stage_copy(p, stage);
    scattered.clips.count = 0;
    scattered.nodes.at[0].home = scatter_home(scattered.nodes.at[0].home);
    while (take_one(p, &scattered)) {
    }
    if (scattered.scatters.count == 0)
        return;
    put_longest_first(&scattered);
    const StageCost cost = cost_gather(p, &scattered, shared);
    if (is_interleaved(&cost))
        return;
    const int lanes = find_lanes(&cost);
    set_schedule(&scattered, &cost, lanes);
    scattered.cycles = cycles_of(&cost, lanes);
    scattered.hidden = scattered.misses = 0;
    if (scattered.cycles < stage->cycles)
        *stage = scattered;
}
