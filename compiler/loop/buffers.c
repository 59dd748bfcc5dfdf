#include "loop/kernel.h"

static Buffer *buffer_new(EntryBuilder *entry, const Node *node, BufferSpace space, int ordinal, const char *name) {
    Buffer *buffer = arena_one(entry->arena, Buffer);
    buffer->id = (int)entry->entry->buffers.count;
    buffer->name = names_take(entry->names, name ? name : "v");
    buffer->space = space;
    buffer->type = node->type == TYPE_REAL ? TYPE_REAL : TYPE_INT;
    buffer->rank = node->rank;
    buffer->elements = 1;
    for (int d = node->rank - 1; d >= 0; d--) {
        buffer->shape[d] = node->shape[d];
        buffer->elements *= node->shape[d].size;
    }
    buffer->ordinal = ordinal;
    buffer->node = node;
    vec_push(entry->arena, &entry->entry->buffers, buffer);
    return buffer;
}

static BufferSpace leaf_space(const Node *leaf) {
    switch (leaf->kind) {
    case NODE_INPUT: return BUFFER_INPUT;
    case NODE_PARAM: return BUFFER_PARAM;
    case NODE_PREPARED: return BUFFER_PREPARED;
    default: return BUFFER_STATE;
    }
}

static Buffer *leaf_buffer(EntryBuilder *entry, const Node *leaf) {
    Buffer *buffer = pointer_map_get(entry->buffer_of, leaf);
    if (!buffer) {
        buffer = buffer_new(entry, leaf, leaf_space(leaf), leaf->leaf.ordinal, leaf->origin.name);
        pointer_map_put(entry->buffer_of, leaf, buffer);
    }
    return buffer;
}

/* How many outputs of the same role come before this one. */
static int output_ordinal(const EntryBuilder *entry, const GraphOutput *output) {
    const Entry *from = &entry->graph->entries[entry->entry->kind];
    int ordinal = 0;
    for (size_t i = 0; i < from->outputs.count && &from->outputs.at[i] != output; i++)
        ordinal += from->outputs.at[i].role == output->role;
    return ordinal;
}

static Buffer *new_output(EntryBuilder *entry, const Node *node, const GraphOutput *output) {
    switch (output->role) {
    case OUTPUT_LOSS: return buffer_new(entry, node, BUFFER_LOSS, 0, "loss");
    case OUTPUT_METRIC: return buffer_new(entry, node, BUFFER_METRIC, output_ordinal(entry, output), output->name);
    case OUTPUT_GRADIENT:
        return buffer_new(entry, node, BUFFER_GRADIENT, output->target->leaf.ordinal,
                          arena_printf(entry->arena, "d_%s", output->target->origin.name));
    case OUTPUT_RESULT: return buffer_new(entry, node, BUFFER_OUTPUT, output_ordinal(entry, output), output->name);
    case OUTPUT_UPDATE:
    case OUTPUT_INIT:
    case OUTPUT_PREPARED: break;
    }
    return leaf_buffer(entry, output->target);
}

static void make_operand_buffer(void *context, const Node *operand) {
    if (operand->kind != NODE_EXPR)
        leaf_buffer(context, operand);
}

/* Whole vectors of samples, however many lanes a vector has. */
static void interleave(const EntryBuilder *entry, Buffer *buffer) {
    int64_t lanes = most_lanes(entry->graph), samples = buffer->shape[0].size;
    buffer->interleaved = true;
    buffer->elements = buffer->elements / samples * ((samples + lanes - 1) / lanes * lanes);
}

static void make_buffers(EntryBuilder *entry, const PlanNode *value) {
    const Node *node = value->node;
    if (value->copy)
        make_operand_buffer(entry, node);
    else
        node_each_operand(entry->arena, node, make_operand_buffer, entry);
    if (value->home != HOME_MEMORY)
        return;
    Buffer *buffer = value->output ? new_output(entry, node, value->output)
                                   : buffer_new(entry, node, BUFFER_WORKSPACE, 0, node->origin.name);
    if (value->interleaved)
        interleave(entry, buffer);
    pointer_map_put(entry->memory_of, value, buffer);
    if (!value->copy)
        pointer_map_put(entry->buffer_of, node, buffer);
}

static void make_view(EntryBuilder *entry, const PlanView *view) {
    const Buffer *buffer = pointer_map_get(entry->buffer_of, view->source);
    if (!buffer && view->source->kind != NODE_EXPR)
        buffer = leaf_buffer(entry, view->source);
    pointer_map_put(entry->buffer_of, view->node, buffer);
}

void entry_make_buffers(EntryBuilder *entry, const PlanEntry *plan) {
    for (size_t i = 0; i < plan->kernels.count; i++)
        for (size_t s = 0; s < plan->kernels.at[i].stages.count; s++) {
            const PlanStage *stage = &plan->kernels.at[i].stages.at[s];
            for (size_t v = 0; v < stage->nodes.count; v++)
                make_buffers(entry, &stage->nodes.at[v]);
        }
    for (size_t i = 0; i < plan->views.count; i++)
        make_view(entry, &plan->views.at[i]);
}

static const Buffer *existing(const Node *node, const Buffer *buffer) {
    if (!buffer)
        diag_bug("loops", node->origin.place, "`%s` has no memory", node->origin.name ? node->origin.name : "a value");
    return buffer;
}

const Buffer *entry_buffer(const EntryBuilder *entry, const Node *node) {
    return existing(node, pointer_map_get(entry->buffer_of, node));
}

const Buffer *entry_output_buffer(const EntryBuilder *entry, const PlanNode *value) {
    return existing(value->node, pointer_map_get(entry->memory_of, value));
}
