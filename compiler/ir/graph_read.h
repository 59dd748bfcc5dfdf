/* graph_read.h: reads the text that graph_print.h describes, so that tests can state graphs and dumps can be edited.
 *
 * Every expression goes through the simplifying constructors: what is read is what the printer printed, when it was simplified. Places and
 * equations are not in the text. The result should be checked with graph_check() where it does not come from the printer: indices and types are taken
 * as they are written.
 */
#ifndef NNC_IR_GRAPH_READ_H
#define NNC_IR_GRAPH_READ_H

#include "ir/graph.h"

/* NULL when the text is not well-formed; *message then says the line and what was wanted. The graph lives in `arena`. */
Graph *graph_read(Arena *arena, const char *text, const char **message);

#endif
