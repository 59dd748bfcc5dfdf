/* graph_reader.h: the state of graph_read() and its pieces, shared by graph_read.c (lines, nodes, entries) and graph_read_scalar.c (words, sizes,
 * expressions). read_fail() leaves for graph_read().
 */
#ifndef NNC_IR_GRAPH_READER_H
#define NNC_IR_GRAPH_READER_H

#include <setjmp.h>

#include "ir/graph.h"

/* Expressions nest at most this deep, parentheses and calls together. */
enum { MAX_NESTING = 2000, MAX_WORD = 256 };

typedef struct Reader {
    Arena *arena;
    Graph *graph;
    const char *at;
    int line, nesting;
    TextMap *tensors; /* as written -> Node */
    TextMap *shared;  /* of the body that is being read -> Scalar */
    char word[MAX_WORD];
    jmp_buf failed;
    const char *message;
    /* The node that is being read. */
    int rank, reduced;
    Extent extents[MAX_AXES];
    const char *axes[MAX_AXES];
} Reader;

_Noreturn void read_fail(Reader *r, const char *wanted);

/* ---- tokens: blanks before them are skipped; accept_...() leaves the place alone when it returns false ---- */
bool accept(Reader *r, const char *token);
void expect(Reader *r, const char *token);
void expect_newline(Reader *r);
bool accept_any_word(Reader *r); /* a name or %number, into r->word */
bool accept_word(Reader *r, const char *word);
const char *expect_any_word(Reader *r);
int64_t expect_integer(Reader *r);
void skip_blanks(Reader *r);

/* ---- phrases ---- */
Extent read_extent(Reader *r); /* 10, batch, 2 * batch */
const Node *expect_tensor(Reader *r);
const Scalar *read_body(Reader *r); /* over the axes of the node that is being read */

#endif
