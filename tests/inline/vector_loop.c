/* Looked at by check_vector_code.cmake: the machine code of these loops must be vector code, without calls. */
#include "vmath.h"

void apply_exp(const nn_real *restrict x, nn_real *restrict y, int64_t count);
void apply_tanh(const nn_real *restrict x, nn_real *restrict y, int64_t count);

void apply_exp(const nn_real *restrict x, nn_real *restrict y, int64_t count) {
    for (int64_t i = 0; i + NN_LANES <= count; i += NN_LANES)
        nn_store(y + i, nn_exp(nn_load(x + i)));
}

void apply_tanh(const nn_real *restrict x, nn_real *restrict y, int64_t count) {
    for (int64_t i = 0; i + NN_LANES <= count; i += NN_LANES)
        nn_store(y + i, nn_tanh(nn_load(x + i)));
}
