/* report.h: what an entry point computes, moves and keeps: the numbers of --report, from the graph after the passes. */
#ifndef NNC_OPT_REPORT_H
#define NNC_OPT_REPORT_H

#include "ir/graph.h"

typedef struct EntryReport {
    int64_t operations; /* of one call at the largest n, what is computed twice counted twice */
    int64_t traffic;    /* bytes that the equations read and write, each equation by itself */
    int64_t loss;       /* operations of its loss alone, without metrics and gradients */
    int64_t kept_bytes; /* of what the outputs' forward pass makes and the backward pass reads */
} EntryReport;

/* The forward pass is what the entry's loss, metrics and results need; the backward pass is the rest of the entry. */
EntryReport entry_report(Graph *g, const Entry *entry);

#endif
