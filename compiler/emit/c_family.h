/* c_family.h: what the C of a model for several processors has besides: a table of its functions for each of them, and the choice.
 *
 *     lenet.h          the type of the table, and one table for each processor
 *     lenet_avx2.c     c_variant_open(), the functions, c_variant_close()
 *     lenet.c          the choice, and the functions of the model, which call those of the chosen table
 *
 * A file for one processor says itself what it needs of it, so that it is compiled like any other; for another machine it is empty.
 */
#ifndef NNC_EMIT_C_FAMILY_H
#define NNC_EMIT_C_FAMILY_H

#include "emit/c_names.h"
#include "emit/c_write.h"
#include "emit/emit.h"

/* For the header. */
void c_family_declare(CWriter *w, const CNames *names, const EmitFamily *family);

/* Before everything else of the file, its header excepted, and behind it. `names`: those of the variant. */
void c_variant_open(CWriter *w, const Target *variant);
void c_variant_close(CWriter *w, const CNames *names, const LoopProgram *program, const Target *variant);

/* The choice and the functions. */
void c_family_choose(CWriter *w, const CNames *names, const EmitFamily *family);

#endif
