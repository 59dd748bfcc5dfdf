/* reduction.h: sum, prod, max, min, mean, argmax, argmin: over index variables and over whole tensors. */
#ifndef NNC_SEMA_REDUCTION_H
#define NNC_SEMA_REDUCTION_H

#include "sema/context.h"

typedef enum ReduceWord {
    WORD_SUM,
    WORD_PROD,
    WORD_MAX,
    WORD_MIN,
    WORD_MEAN,
    WORD_ARGMAX,
    WORD_ARGMIN,
    WORD_COUNT
} ReduceWord;

bool reduction_by_word(const char *word, ReduceWord *out);
const char *reduction_words(Arena *arena); /* "sum, prod, ..." */
Reduction reduction_of(ReduceWord word);
bool reduction_gives_index(ReduceWord word);

/* The operand with the type that the reduction wants; NULL after a reported fault. */
const Tensor *reduction_operand(Sema *s, ReduceWord word, const Tensor *tensor, Place place);
/* What remains to be done with the reduced value: a mean divides by the number of elements, the actual one. */
const Scalar *reduction_finish(Sema *s, ReduceWord word, const Scalar *reduced, int count, const Extent *extents);
/* sum(x), mean(x), ... of a whole tensor. */
Value reduction_of_tensor(Sema *s, Place place, ReduceWord word, Value value, Place operand);

#endif
