#include "loop/waits.h"

#include "loop/place.h"

static bool share_memory(const LoopProgram *program, const Buffer *a, const Buffer *b) {
    if (a == b)
        return true;
    if (a->space != BUFFER_WORKSPACE || b->space != BUFFER_WORKSPACE)
        return false;
    return a->offset < buffer_end(program->graph, b) && b->offset < buffer_end(program->graph, a);
}

/* The slices of `kernel`, and a buffer of another one. */
static bool share_slices(const LoopProgram *program, const Kernel *kernel, const Buffer *other) {
    return other->space == BUFFER_WORKSPACE && kernel->slices < buffer_end(program->graph, other) &&
           other->offset < kernel->slices_end;
}

/* `kernel` writes `other`'s buffer. */
static bool writes_buffer(const LoopProgram *program, const Kernel *kernel, const Buffer *other) {
    for (size_t w = 0; w < kernel->writes.count; w++)
        if (share_memory(program, kernel->writes.at[w], other))
            return true;
    return share_slices(program, kernel, other);
}

/* Something that `kernel` writes is touched by `other`. */
static bool disturbs(const LoopProgram *program, const Kernel *kernel, const Kernel *other) {
    for (size_t i = 0; i < other->reads.count; i++)
        if (writes_buffer(program, kernel, other->reads.at[i]))
            return true;
    for (size_t i = 0; i < other->writes.count; i++)
        if (writes_buffer(program, kernel, other->writes.at[i]))
            return true;
    return kernel->slices < other->slices_end && other->slices < kernel->slices_end;
}

bool kernels_conflict(const LoopProgram *program, const Kernel *a, const Kernel *b) {
    return disturbs(program, a, b) || disturbs(program, b, a);
}

static void find_waits(const LoopProgram *program, const LoopEntry *entry) {
    size_t first = 0; /* the first kernel since all threads have waited */
    for (size_t k = 0; k < entry->kernels.count; k++) {
        Kernel *kernel = entry->kernels.at[k];
        for (size_t i = first; i < k && !kernel->waits; i++)
            kernel->waits = kernels_conflict(program, entry->kernels.at[i], kernel);
        first = kernel->waits ? k : first;
    }
}

void place_waits(LoopProgram *program) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        if (program->entries[kind].parallel)
            find_waits(program, &program->entries[kind]);
}
