/* tuning.h: loops that were measured, and the file that keeps them from one compilation to the next.
 *
 *     tuning 1
 *
 *     # conv2d_1.t (lenet.nn:5): 27.4 us, before 31.0 us
 *     stage avx512 float, 1 shared, samples
 *       equation [b:64, o:6, i:28, j:28] = sum(u:5, v:5) A[o, 0, u, v] * B~[b, 0, i + u, j + v]
 *       loops o i j u v; lanes b; rows o x 6; columns i x 4
 *
 * A stage is named by what its loops depend on: target, type of reals, equations with their sizes; tensors are A, B, ... in the order in which
 * they are read, so that equal layers share an entry. `loops` are from the outermost to the innermost, as --dump=fused shows them. A line that
 * starts with a sharp is a remark; those above a stage belong to it.
 *
 * An entry is advice: it is followed where the planner itself could have chosen the same loops, and has no effect elsewhere. So a file for
 * another model, size, target or nnc can make no wrong code.
 */
#ifndef NNC_PLAN_TUNING_H
#define NNC_PLAN_TUNING_H

#include "base/diag.h"
#include "base/map.h"
#include "base/text.h"
#include "plan/plan.h"

/* The loops of a stage, by the names of its slots. */
typedef struct LoopChoice {
    const char *loops[MAX_STAGE_SLOTS];
    int loop_count;
    const char *lanes; /* NULL: scalars */
    const char *row_slot, *column_slot;
    int rows, columns; /* 1: no such tile, and no slot */
} LoopChoice;

bool loop_choice_equal(const LoopChoice *a, const LoopChoice *b);
LoopChoice loop_choice_copy(Arena *arena, const LoopChoice *choice);
void loop_choice_print(const LoopChoice *choice, Text *out); /* "loops o i j u v; lanes b; rows o x 6" */

typedef struct TuningEntry {
    const char *stage;   /* its key: the lines from `stage` to the last equation, each with its newline */
    const char *remarks; /* the lines above it, with their sharps; "" for none */
    LoopChoice choice;
    bool followed; /* by a stage of the plan */
} TuningEntry;

typedef struct Tuning Tuning;
struct Tuning {
    Arena *arena;
    VEC(TuningEntry *) entries; /* in the order of the file */
    TextMap *by_stage;
};

Tuning *tuning_new(Arena *arena);
TuningEntry *tuning_find(const Tuning *tuning, const char *stage); /* NULL: none */
/* Replaces what is known of the stage. */
void tuning_put(Tuning *tuning, const char *stage, const char *remarks, const LoopChoice *choice);

/* Reads a file's text. NULL: errors were reported. */
Tuning *tuning_read(Arena *arena, const Source *source, Diag *diag);
/* The whole file; `head` is the lines at its start, remarks. */
void tuning_print(const Tuning *tuning, const char *head, Text *out);

/* ---- what can be measured ---- */

/* A stage, and loops that may be better than those of the cost model. */
typedef struct SurveyStage {
    const char *stage;       /* its key */
    const char *title;       /* for people: "conv2d_1.t (lenet.nn:5)" */
    int mark;                /* from 1: what programs for measuring call it */
    VEC(LoopChoice) choices; /* the first one is what the plan has now */
} SurveyStage;

/* All stages of prediction and of the training step. */
typedef struct Survey Survey;
struct Survey {
    Arena *arena;
    VEC(SurveyStage *) stages;
    TextMap *by_stage;
    int most_choices; /* of a stage */
    bool orders;      /* loops in other orders around the same tile; otherwise other tiles */
};

Survey *survey_new(Arena *arena, int most_choices, bool orders);

#endif
