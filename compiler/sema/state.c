#include "sema/state.h"

#include "sema/expr.h"
#include "sema/instance.h"
#include "sema/optimizer.h"
#include "sema/pattern.h"
#include "sema/tensor.h"

const Node *update_value(Sema *s, const AstStmt *stmt, const Node *target) {
    Value value = eval(s, stmt->value);
    const Tensor *tensor = value_to_tensor(s, value, stmt->value->place);
    tensor = tensor ? tensor_to_real(s, tensor, stmt->value->place) : NULL;
    if (tensor == NULL)
        return NULL;
    const Tensor *whole = tensor_from_node(s, target);
    bool fits = tensor->rank == 0 || tensor->rank == whole->rank;
    for (int i = 0; fits && i < tensor->rank; i++)
        fits = extent_equal(tensor->shape[i], whole->shape[i]);
    if (!fits) {
        sema_error(s, stmt->value->place, "the new value of `%s` is %s, but `%s` is %s", stmt->name.text,
                   sema_describe(s, value), stmt->name.text, tensor_describe(s->arena, s->graph, whole));
        return NULL;
    }
    const char *name = arena_printf(s->arena, "new %s", target->origin.name);
    return tensor_node(s, tensor_from_body(s, whole->rank, whole->shape, tensor->body, whole->letters), stmt->place,
                       name);
}

/* ---- states of layers ---- */

static void layer_state(Sema *s, const AstStmt *stmt) {
    Value value = param_statement(s, stmt);
    value.name = stmt->name.text;
    value.place = stmt->place;
    frame_bind(s, stmt->name, value);
}

void state_statement(Sema *s, const AstStmt *stmt) {
    if (s->frame->optimizer != NULL)
        optimizer_state(s, stmt);
    else
        layer_state(s, stmt);
}

static void report_no_state(Sema *s, const AstStmt *stmt) {
    const Value *local = frame_find(s->frame, stmt->name.text);
    sema_error(s, stmt->place, "`<-` changes a state, and `%s` is none", stmt->name.text);
    if (local != NULL)
        sema_note_origin(s, *local);
    sema_help(s,
              "what training keeps is declared by `state %s: real[...] = zeros`; a name for a value is given with `=`",
              stmt->name.text);
}

/* The name means something else by now: `<-` would change what the line does not read. */
static void report_renamed(Sema *s, const AstStmt *stmt, const Value *local) {
    sema_error(s, stmt->place, "`%s` was given another value: it is no longer the state", stmt->name.text);
    sema_note_origin(s, *local);
    sema_help(s, "call that value something else");
}

static void layer_update(Sema *s, const AstStmt *stmt) {
    const Value *local = frame_find(s->frame, stmt->name.text);
    if (local != NULL && value_is_poison(*local))
        return;
    ParamRecord *record = s->frame->states ? text_map_get(s->frame->states, stmt->name.text) : NULL;
    if (record == NULL) {
        report_no_state(s, stmt);
        return;
    }
    if (!s->training) {
        sema_error(s, stmt->place, "the state `%s` changes in training only", stmt->name.text);
        sema_help(s, "put the line into `if training { ... }`");
        return;
    }
    if (local->kind != VALUE_TENSOR || local->tensor->node != record->value) {
        report_renamed(s, stmt, local);
        return;
    }
    const Node *value = update_value(s, stmt, record->node);
    if (value != NULL)
        record->value = value;
    frame_bind(s, stmt->name, value ? value_from_node(s, value) : value_poison());
}

void update_statement(Sema *s, const AstStmt *stmt) {
    if (s->frame->optimizer != NULL)
        optimizer_update(s, stmt);
    else
        layer_update(s, stmt);
}

/* ---- runs ---- */

void states_restart(Sema *s) {
    for (size_t i = 0; i < text_map_count(s->params->by_path); i++) {
        ParamRecord *record = text_map_get(s->params->by_path, text_map_key(s->params->by_path, i));
        record->value = record->node;
    }
}

void states_add_updates(Sema *s) {
    Entry *entry = &s->graph->entries[ENTRY_TRAIN_STEP];
    for (size_t i = 0; i < s->graph->params.count; i++) {
        const Node *param = s->graph->params.at[i];
        const ParamRecord *record = text_map_get(s->params->by_path, param->origin.name);
        if (record->value != param) {
            GraphOutput output = {OUTPUT_UPDATE, param->origin.name, param, record->value};
            vec_push(s->arena, &entry->outputs, output);
        }
    }
}
