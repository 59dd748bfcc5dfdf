/* kernel.h: what the files of loop/ share while one kernel is being built: scopes, variables, names, buffers.
 *
 * A scope is the body of a loop or of an if that is still open, or the kernel's own body. Statements go to the end of a scope's body; a
 * declaration may go to an outer scope, where it stands before the loop that is open there. That is how what does not change in a loop
 * leaves it.
 */
#ifndef NNC_LOOP_KERNEL_H
#define NNC_LOOP_KERNEL_H

#include "base/map.h"
#include "loop/loop.h"
#include "loop/names.h"
#include "plan/plan.h"

typedef struct Scope Scope;
struct Scope {
    Scope *parent; /* NULL: the kernel's body */
    LoopBody body;
    Names *names;
    uint64_t slots;       /* index slots that have a value here */
    bool apart;           /* a function of its own: nothing is shared with the scopes around it but their variables */
    bool conditional;     /* may run not at all: what is unsafe outside stays inside */
    PointerMap *known;    /* scalars that have been computed into a variable or a tile of this scope (lower.c) */
    PointerMap *inverses; /* divisors whose reciprocals have been (lower_quotient.c) */
};

/* The last part of a node's path: "W" of "dense_1.W"; "v" without a name. */
const char *node_short_name(const Node *node);

/* The memory of an entry. */
typedef struct EntryBuilder {
    Arena *arena;
    Graph *graph;
    LoopEntry *entry;
    Names *names;
    PointerMap *buffer_of; /* leaf, or node whose value has memory, to Buffer */
    PointerMap *memory_of; /* PlanNode to the Buffer that it is stored to */
} EntryBuilder;

/* Makes all buffers of the entry, in the order of the plan, before any kernel is built. */
void entry_make_buffers(EntryBuilder *entry, const PlanEntry *plan);
const Buffer *entry_buffer(const EntryBuilder *entry, const Node *node);
const Buffer *entry_output_buffer(const EntryBuilder *entry, const PlanNode *value);

typedef struct KernelBuilder {
    Arena *arena;
    ScalarPool *pool;
    EntryBuilder *entry;
    Kernel *kernel;
    Names *functions;     /* of kernels, in the file */
    Scope *scope;         /* the innermost open one */
    PointerMap *local_of; /* node that lives inside this kernel to its LocalValue (lower.h) */
} KernelBuilder;

Scope *scope_open(KernelBuilder *k);
LoopBody scope_close(KernelBuilder *k);     /* gives the body; the parent is innermost again */
Scope *scope_open_inside(KernelBuilder *k); /* without braces: what it knows ends with it, its names are the parent's */
void scope_close_inside(KernelBuilder *k);  /* its statements go to the end of the parent's */
void kernel_add(KernelBuilder *k, LoopStmt *stmt); /* at the end of the innermost scope */

/* A variable of `scope`, which is open; its declaration is the caller's. */
LoopVar *kernel_var(KernelBuilder *k, Scope *scope, const char *wish, Type type, bool vector);
/* A variable of `scope`, which is open, with an element for each row and each column of a register tile. Where there is one of both, it
 * is a plain variable. */
LoopVar *kernel_tile(KernelBuilder *k, Scope *scope, const char *wish, Type type, bool vector, const int size[2]);
/* Declares a variable with a value, at the end of `scope`. */
const LoopExpr *kernel_declare(KernelBuilder *k, Scope *scope, const char *wish, const LoopExpr *value);

#endif
