/* c_header.h: the header of the generated file, and the tables of tensors that it declares. */
#ifndef NNC_EMIT_C_HEADER_H
#define NNC_EMIT_C_HEADER_H

#include "emit/c_names.h"
#include "emit/c_write.h"
#include "emit/emit.h"

/* The banner of both files: what it is, from what it was made, whose it is. */
void c_banner(CWriter *w, const CNames *names, const EmitOptions *options);

void c_header(CWriter *w, const EmitFamily *family, const EmitOptions *options);

/* The definitions of the tables. */
void c_tables(CWriter *w, const CNames *names);

/* The initialiser of an array of sizes: "{6, 1, 5, 5}". Tensors with more axes than tools know have the first ones joined
 * to one. */
const char *c_shape(Arena *arena, const Extent *shape, int rank, int *shown_rank);

#endif
