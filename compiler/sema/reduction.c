#include "sema/reduction.h"

#include <string.h>
#include "sema/tensor.h"

static const struct {
    const char *word;
    Reduction reduction;
} words[WORD_COUNT] = {
    [WORD_SUM] = {"sum", REDUCE_SUM},          [WORD_PROD] = {"prod", REDUCE_PROD},
    [WORD_MAX] = {"max", REDUCE_MAX},          [WORD_MIN] = {"min", REDUCE_MIN},
    [WORD_MEAN] = {"mean", REDUCE_SUM},        [WORD_ARGMAX] = {"argmax", REDUCE_ARGMAX},
    [WORD_ARGMIN] = {"argmin", REDUCE_ARGMIN},
};

bool reduction_by_word(const char *word, ReduceWord *out) {
    for (int i = 0; i < WORD_COUNT; i++) {
        if (strcmp(words[i].word, word) == 0) {
            *out = (ReduceWord)i;
            return true;
        }
    }
    return false;
}

const char *reduction_words(Arena *arena) {
    Text *text = text_new(arena);
    for (int i = 0; i < WORD_COUNT; i++)
        text_printf(text, "%s%s", i ? ", " : "", words[i].word);
    return text_get(text);
}

Reduction reduction_of(ReduceWord word) {
    return words[word].reduction;
}

bool reduction_gives_index(ReduceWord word) {
    return word == WORD_ARGMAX || word == WORD_ARGMIN;
}

/* argmax wants reals in the graph; a mean is real; the others keep integers. */
const Tensor *reduction_operand(Sema *s, ReduceWord word, const Tensor *tensor, Place place) {
    bool keeps = tensor->type == TYPE_INT && tensor->classes == 0 && word != WORD_MEAN && !reduction_gives_index(word);
    return keeps ? tensor : tensor_to_real(s, tensor, place);
}

const Scalar *reduction_finish(Sema *s, ReduceWord word, const Scalar *reduced, int count, const Extent *extents) {
    if (word != WORD_MEAN)
        return reduced;
    const Scalar *elements = scalar_int(s->pool, 1);
    for (int i = 0; i < count; i++)
        elements = scalar_op2(s->pool, OP_MUL, elements, scalar_extent(s->pool, extents[i]));
    return scalar_op2(s->pool, OP_DIV, reduced, scalar_to_real(s->pool, elements));
}

Value reduction_of_tensor(Sema *s, Place place, ReduceWord word, Value value, Place operand) {
    const Tensor *tensor = value_to_tensor(s, value, operand);
    tensor = tensor ? reduction_operand(s, word, tensor, operand) : NULL;
    if (tensor == NULL)
        return value_poison();
    if (scalar_is_open(tensor->body)) {
        sema_error(s, place, "`%s(x)` takes a whole tensor, but `%s` is one element", words[word].word,
                   place_snippet(s->arena, operand));
        sema_help(s, "over index variables it is written `%s(k) %s`", words[word].word,
                  place_snippet(s->arena, operand));
        return value_poison();
    }
    if (tensor->rank == 0 && !reduction_gives_index(word))
        return value_tensor(tensor);
    if (!shape_check(s, place, tensor->rank, tensor->shape))
        return value_poison();
    /* Slots 0 .. rank-1 of the body become the reduction axes of a node without axes: the same slots. */
    Origin origin = origin_of(s, place, frame_expression_name(s, place, words[word].word));
    origin_take_letters(&origin, tensor);
    const Node *node =
        graph_expr(s->graph, 0, NULL, words[word].reduction, tensor->rank, tensor->shape, tensor->body, origin);
    const Scalar *load = scalar_load(s->pool, node, NULL);
    return value_from_scalar(s, reduction_finish(s, word, load, tensor->rank, tensor->shape));
}
