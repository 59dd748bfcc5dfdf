/* A network that is compiled for several processors, or, with ALONE defined, for one: three steps of training and a prediction, as bits on standard output.
 *
 *     several [processor]     by the functions of that table; without it, by those of the model, and its name first
 */
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "net.h"

static alignas(64) unsigned char workspace[NET_WORKSPACE + 64];
static alignas(64) net_prepared prepared;
static net_params params;
static net_state state;

#ifdef ALONE
#define CALL(function) net_##function
#else
#define CALL(function) (table ? table->function : net_##function)

static const net_functions *table;

static const net_functions *table_of(const char *name) {
    const net_functions *const tables[] = {
        &net_generic,
#if defined(__x86_64__)
        &net_avx2,
        &net_avx512,
#elif defined(__aarch64__)
        &net_neon,
#endif
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(tables[i]->processor, name) == 0)
            return tables[i];
    return NULL;
}
#endif

int main(int argc, char **argv) {
    static net_real image[NET_BATCH * 2 * 6 * 5], level[NET_BATCH * 3], value[NET_BATCH * 3];
    for (size_t i = 0; i < sizeof image / sizeof *image; i++)
        image[i] = (net_real)((i * 31) % 64) / 16 - 2;
    for (size_t i = 0; i < sizeof level / sizeof *level; i++)
        level[i] = (net_real)((i * 17) % 8) / 8;
#ifdef ALONE
    (void)argc;
    (void)argv;
#else
    table = argc > 1 ? table_of(argv[1]) : NULL;
    if (argc > 1 && !table)
        return 1;
    if (!table)
        puts(net_chosen()->processor);
#endif
    CALL(init)(&params, 1);
    CALL(state_init)(&state, 2, 3);
    for (int i = 0; i < 3; i++)
        CALL(train_step)(&params, &state, image, level, NET_BATCH, workspace);
    CALL(prepare)(&params, &prepared, workspace);
    CALL(predict)(&prepared, image, value, NET_BATCH, workspace);
    fwrite(&params, sizeof params, 1, stdout);
    fwrite(value, sizeof value, 1, stdout);
    return 0;
}
