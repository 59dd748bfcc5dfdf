/* inline.h: inlining of one entry, for opt_inline and opt_recompute. */
#ifndef NNC_OPT_INLINE_H
#define NNC_OPT_INLINE_H

#include "ir/graph.h"

/* The entry with maps inlined into their readers where that pays. `forced` (NULL: none) is a map that is inlined whether it pays or not, if every reader can
 * take it. The result's outputs live in the graph's arena; the graph itself is not changed. */
Entry entry_inlined(Graph *g, const Entry *entry, const Node *forced, int *changes);

/* Puts the outputs of `inlined` in the place of those of the entry. */
void entry_replace(Graph *g, Entry *entry, const Entry *inlined);

#endif
