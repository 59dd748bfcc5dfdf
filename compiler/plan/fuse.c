#include "plan/planner.h"

void planner_join_stage(Planner *p, int to, int from) {
    Group *target = &p->groups.at[to];
    ItemList *stage = &target->stages.at[target->stages.count - 1];
    const ItemList *moved = &p->groups.at[from].stages.at[0];
    for (size_t i = 0; i < moved->count; i++) {
        vec_push(p->arena, stage, moved->at[i]);
        p->items.at[moved->at[i]].group = to;
    }
    p->groups.at[from].stages.count = 0;
}

void planner_fuse(Planner *p) {
    (void)p;
}
