/* tensor.h: tensors as values: from nodes and bodies, and back to nodes.
 *
 * tensor_node() is where an expression of the source becomes a node; the graph gives the existing node when the same one was built
 * before, so that asking twice costs nothing.
 */
#ifndef NNC_SEMA_TENSOR_H
#define NNC_SEMA_TENSOR_H

#include "sema/context.h"

const Tensor *tensor_from_node(Sema *s, const Node *node);
/* The tensor of a node that was made from `from`: indices stay indices. */
const Tensor *tensor_from_node_of(Sema *s, const Node *node, const Tensor *from);
/* Rank 0: an element or a computed number. */
const Tensor *tensor_from_scalar(Sema *s, const Scalar *body);
/* A tensor with this body, over slots 0 .. rank-1. */
const Tensor *tensor_from_body(Sema *s, int rank, const Extent *shape, const Scalar *body, const char *const *letters);
Value value_from_node(Sema *s, const Node *node);
Value value_from_scalar(Sema *s, const Scalar *body);

/* The tensor that a value is, or can be: numbers and truth values have rank 0. NULL: it is none; reported, unless it is poison. */
const Tensor *value_to_tensor(Sema *s, Value value, Place place);
/* The same tensor, which remembers what gave it: a place, and a name to call its node after (NULL: the one it has). A tensor that is a
 * node already stays as it is. */
const Tensor *tensor_with_origin(Sema *s, const Tensor *tensor, Place place, const char *hint);
/* Its node; NULL when it is open (reported). `name` names a new node; NULL: unnamed. */
const Node *tensor_node(Sema *s, const Tensor *tensor, Place place, const char *name);
/* value_to_tensor() and tensor_node() in one. */
const Node *value_to_node(Sema *s, Value value, Place place, const char *name);

/* The same tensor with real elements; class data are refused (reported, NULL). */
const Tensor *tensor_to_real(Sema *s, const Tensor *tensor, Place place);

/* place, name and source text of what becomes a node. */
Origin origin_of(Sema *s, Place place, const char *name);

/* Prints the axes with the tensor's letters; the samples are `b` where it has none. */
void origin_take_letters(Origin *origin, const Tensor *tensor);

/* False when a tensor of this shape would be too large or have too many axes: reported. */
bool shape_check(Sema *s, Place place, int rank, const Extent *shape);
/* The product of the sizes behind an axis (with the largest n); of all of them for axis -1. */
int64_t shape_stride(int rank, const Extent *shape, int axis);
/* Row-major position of the element at slots 0 .. rank-1: an integer. */
const Scalar *shape_linear(Sema *s, int rank, const Extent *shape);

/* Is there a node that `wanted` accepts among those that `node` is made of, itself included? */
bool node_reaches(Sema *s, const Node *node, bool (*wanted)(const Node *node, const void *context),
                  const void *context);

#endif
