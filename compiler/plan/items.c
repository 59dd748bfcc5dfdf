#include "ir/cost.h"
#include "plan/lanes.h"
#include "plan/planner.h"

int64_t planner_real_bytes(const Planner *p) {
    return type_bytes(p->graph, TYPE_REAL);
}

int planner_lanes(const Planner *p) {
    return p->target->vector_bytes / (int)planner_real_bytes(p);
}

bool load_is_identity(const Scalar *load) {
    for (int d = 0; d < load->load.rank; d++) {
        const Scalar *at = load->load.at[d];
        bool own = at->kind == SCALAR_INDEX && at->index.slot == d;
        bool single = load->load.tensor->shape[d].size == 1 && scalar_is_int(at, 0);
        if (!own && !single)
            return false;
    }
    return true;
}

typedef struct IdentityCheck {
    const Planner *planner;
    const Node *node;
} IdentityCheck;

static bool reads_elsewhere(const void *context, const Scalar *load) {
    const IdentityCheck *check = context;
    const Node *tensor = load->load.tensor;
    return planner_storage(check->planner, tensor) == check->node && (tensor != check->node || !load_is_identity(load));
}

bool item_reads_at_identity(const Planner *p, const Item *item, const Node *node) {
    if (item->value.copy)
        return true;
    const IdentityCheck check = {p, node};
    Arena *scratch = arena_new((ArenaFailure){0});
    bool elsewhere = scalar_any_load(scratch, item->value.node->expr.body, reads_elsewhere, &check);
    arena_free(scratch);
    return !elsewhere;
}

const Node *planner_storage(const Planner *p, const Node *node) {
    const Node *source = pointer_map_get(p->source_of, node);
    return source ? source : node;
}

int planner_item_of(const Planner *p, const Node *node) {
    const int *index = pointer_map_get(p->item_of, planner_storage(p, node));
    return index ? *index : -1;
}

const Node *item_overwrites(const Item *item) {
    const GraphOutput *output = item->value.output;
    return output && output->role == OUTPUT_UPDATE ? output->target : NULL;
}

typedef struct OperandVisit {
    Planner *planner;
    Item *item;
} OperandVisit;

static bool item_has_operand(const Item *item, int index) {
    for (size_t i = 0; i < item->operands.count; i++)
        if (item->operands.at[i] == index)
            return true;
    return false;
}

static void visit_operand(void *context, const Node *operand) {
    OperandVisit *visit = context;
    Planner *p = visit->planner;
    int index = planner_item_of(p, operand);
    if (index < 0) {
        vec_push(p->arena, &visit->item->leaves, planner_storage(p, operand));
    } else if (!item_has_operand(visit->item, index)) {
        vec_push(p->arena, &visit->item->operands, index);
        vec_push(p->arena, &p->items.at[index].readers, visit->item->index);
    }
}

static int add_item(Planner *p, PlanNode value) {
    Item item = {.index = (int)p->items.count, .value = value, .group = (int)p->groups.count};
    OperandVisit visit = {p, &item};
    if (value.copy)
        visit_operand(&visit, value.node);
    else
        node_each_operand(p->arena, value.node, visit_operand, &visit);
    vec_push(p->arena, &p->items, item);
    Group group = {0};
    ItemList stage = {0};
    vec_push(p->arena, &stage, item.index);
    vec_push(p->arena, &group.stages, stage);
    vec_push(p->arena, &p->groups, group);
    return item.index;
}

static void add_copy(Planner *p, const Node *node, const GraphOutput *output) {
    add_item(p, (PlanNode){.node = node, .copy = true, .output = output});
}

/* The first output that a computed node is the value of becomes its memory; every other output is a copy. */
static void give_output(Planner *p, const GraphOutput *output) {
    if (output->value == output->target)
        return; /* an update that changes nothing */
    int index = planner_item_of(p, output->value);
    if (index < 0 || p->items.at[index].value.output)
        add_copy(p, output->value, output);
    else
        p->items.at[index].value.output = output;
}

void planner_demote(Planner *p, int item) {
    PlanNode *value = &p->items.at[item].value;
    const GraphOutput *output = value->output;
    value->output = NULL;
    add_copy(p, value->node, output);
}

/* Writing over a parameter while other elements of it are still needed is not possible. */
static void demote_shuffles(Planner *p) {
    size_t count = p->items.count;
    for (size_t i = 0; i < count; i++) {
        const Item *item = &p->items.at[i];
        const Node *target = item_overwrites(item);
        if (target && !item_reads_at_identity(p, item, target))
            planner_demote(p, (int)i);
    }
}

static bool is_output_value(const Planner *p, const Node *node) {
    for (size_t i = 0; i < p->entry->outputs.count; i++)
        if (p->entry->outputs.at[i].value == node)
            return true;
    return false;
}

static void collect_node(Planner *p, const Node *node) {
    if (node->kind != NODE_EXPR)
        return;
    const Node *source = is_output_value(p, node) ? NULL : view_source(p->graph, node);
    if (source) {
        pointer_map_put(p->source_of, node, planner_storage(p, source));
        return;
    }
    int *index = arena_one(p->arena, int);
    *index = add_item(p, (PlanNode){.node = node});
    pointer_map_put(p->item_of, node, index);
}

void planner_collect(Planner *p) {
    NodeList order = graph_order(p->graph, p->arena, p->entry);
    p->item_of = pointer_map_new(p->arena);
    p->source_of = pointer_map_new(p->arena);
    p->interleaved = pointer_map_new(p->arena);
    for (size_t i = 0; i < order.count; i++)
        collect_node(p, order.at[i]);
    for (size_t i = 0; i < p->entry->outputs.count; i++)
        give_output(p, &p->entry->outputs.at[i]);
    demote_shuffles(p);
}
