/* npy.h: NPY files are also written: predictions. */
#ifndef NNRT_SRC_NPY_H
#define NNRT_SRC_NPY_H

#include "file.h"

/* Writes the header of an NPY file of `rank` axes; the numbers follow by nnrt_file_write(). */
void nnrt_npy_write_header(nnrt_file *file, nnrt_element element, int rank, const int64_t *shape);

#endif
