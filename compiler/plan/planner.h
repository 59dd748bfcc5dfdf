/* planner.h: what the passes of plan/ work on, for one entry: items, gathered into groups, put into order.
 *
 *   items.c     the values to compute and where each goes
 *   paths.c     what has to be computed between two groups
 *   fuse.c      which items share a stage
 *   rows.c      which stages share a kernel
 *   samples.c   which kernels compute a sample in each lane; layout
 *   near.c      panels that are made in the loop that reads them
 *   apart.c     kernels whose shared loops read more again than they keep near
 *   homes.c     what lives in memory, in a row buffer, in scratch memory, in registers
 *   order.c     the order of the groups; gives up on writing in place where it cannot be
 *   stage.c, split.c, reshape.c, range.c, clip.c, search.c, block.c, scatter.c, schedule.c, memo.c  the loops of every stage (stage.h), by the model of cost.c
 *   tune.c, stage_key.c, tuning.c  loops that were measured (tuning.h)
 *   turns.c     functions of several vectors at a time
 *   skip.c      updates that change nothing where a condition is false
 *   traffic.c   stores past the caches, lines that are asked for early
 *   threads.c   which loops several threads share
 *   plain.c     stages that nobody feels have no tile
 *   overlap.c   where the last tile of an axis is as large as the others
 */
#ifndef NNC_PLAN_PLANNER_H
#define NNC_PLAN_PLANNER_H

#include "plan/plan.h"

/* A value to compute, or a copy to make. */
typedef struct Item {
    int index;
    PlanNode value;
    VEC(int) operands;        /* items whose values it reads, each once */
    VEC(const Node *) leaves; /* inputs, parameters and states that it reads, each once */
    VEC(int) readers;         /* items that read its value */
    VEC(int) followers;       /* items that have to come later (paths.c) */
    int group;
} Item;

typedef VEC(int) ItemList;

/* An axis of a stage whose blocks are the iterations of the shared loop. */
typedef struct Lead {
    int slot;
    int64_t width; /* 0: there is none */
} Lead;

typedef struct Group {
    int shared;
    bool samples;         /* lanes run over the first shared axis */
    Lead lead;            /* of all stages but the first (near.c) */
    VEC(ItemList) stages; /* empty: merged into another group */
} Group;

typedef struct Planner {
    Arena *arena;
    Graph *graph;
    const Entry *entry;
    const Target *target;
    int threads; /* the most that an entry has */
    VEC(Item) items;
    PointerMap *item_of;   /* node to the index of the item that computes it */
    PointerMap *source_of; /* views to what they are views of */
    VEC(Group) groups;
    struct Paths *paths;         /* between groups (paths.c) */
    TextMap *schedules;          /* of stages, for all entries (memo.c) */
    const struct Tuning *tuning; /* NULL: none */
    struct Survey *survey;       /* NULL: none */
    PointerMap *interleaved;     /* nodes whose memory is interleaved, to themselves */
} Planner;

/* Of a real number. */
int64_t planner_real_bytes(const Planner *p);
/* Of the target's vector. */
int planner_lanes(const Planner *p);

/* Fills `items`, every one in its own group. */
void planner_collect(Planner *p);
int planner_item_of(const Planner *p, const Node *node); /* -1: a leaf, or a view of one */
/* The node itself, or what it is a view of. */
const Node *planner_storage(const Planner *p, const Node *node);
/* The leaf that an item overwrites (the target of an update it is stored to); NULL: none. */
const Node *item_overwrites(const Item *item);
/* Moves an item's result to the workspace and adds a copy of it to its output. */
void planner_demote(Planner *p, int item);

/* What has to come before what, for the questions below. Before the groups are joined. */
void planner_find_paths(Planner *p);

/* Groups of one stage each. */
void planner_fuse(Planner *p);
/* Groups of several stages. */
void planner_share_rows(Planner *p);
/* Cycles to bring a value back that has left the nearest caches by the time it is read (rows.c). */
double planner_reload_cycles(const Planner *p, const Node *node);
/* Groups whose lanes are samples, and the layout of what they give to others. After all fusion. */
void planner_choose_samples(Planner *p);
/* Panels that their reader's loop makes one by one. */
void planner_keep_near(Planner *p);
/* Groups that are better kernels of one stage each. No question about paths may follow. */
void planner_take_apart(Planner *p);
/* What needs no memory, or only that of an iteration. After that. */
void planner_settle_homes(Planner *p);
/* Moves the items of `from` into the stage of `to`; both are groups of one stage. */
void planner_join_stage(Planner *p, int to, int from);

/* Something has to be computed after the one group and before the other: they cannot be one kernel. */
bool planner_path_through_others(const Planner *p, int from, int to);
/* The two, which have no such path, are going to be one group; their items have not moved yet. */
void planner_join_paths(const Planner *p, int to, int from);

/* Chooses whether the stage computes functions of several vectors at a time. After it is scheduled. */
void plan_turns(const Planner *p, PlanStage *stage, int shared);

/* Finds the condition without which the stage need not run. After it is scheduled. */
void plan_skips(const Planner *p, PlanStage *stage);

/* Chooses what is stored past the caches, and which stages ask for lines early. After the kernel is scheduled. */
void plan_traffic(const Planner *p, PlanKernel *kernel);

/* Chooses the loops that threads share. After the kernels are scheduled. */
void plan_threads(const Planner *p, PlanEntry *entry);

/* Takes the tiles of stages that nobody feels. After the loops that threads share. */
void plan_plain(const Planner *p, PlanEntry *entry);

/* Chooses where the last tile of rows begins earlier. After the loops that threads share. */
void plan_overlaps(const Planner *p, PlanEntry *entry);

/* Groups in an order in which every value is computed before it is read and every parameter is read before it is
 * overwritten. Items that make this impossible are demoted. */
ItemList planner_order(Planner *p);

/* All loads of `node` (a leaf or an item's node) in the item are at the item's own output indices. */
bool item_reads_at_identity(const Planner *p, const Item *item, const Node *node);
/* The load's indices are the slots 0, 1, ... of the node that contains it (0 for axes of size 1). */
bool load_is_identity(const Scalar *load);

#endif
