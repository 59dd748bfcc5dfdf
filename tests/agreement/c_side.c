/* c_side.c: the same run in compiled C: the driver program's text, its input file and its output. */
#include <ctype.h>
#include <stdio.h>

#include "agreement/stream.h"

static const char *c_type(const Node *node) {
    return node->type == TYPE_REAL ? "Real" : "int32_t";
}

static int64_t actual_count(const Node *node, int64_t n) {
    int64_t count = 1;
    for (int i = 0; i < node->rank; i++)
        count *= node->shape[i].per_sample ? node->shape[i].per_sample * n : node->shape[i].size;
    return count;
}

/* Inputs and outputs live in blocks of just the bytes of n samples: who reads or writes beyond is seen by sanitizers. */
static void add_pointers(Text *out, const Graph *g) {
    for (size_t i = 0; i < g->inputs.count; i++)
        text_printf(out, "static %s *in%zu;\n", c_type(g->inputs.at[i]), i);
    const Entry *predict = &g->entries[ENTRY_PREDICT];
    for (size_t i = 0; i < predict->outputs.count; i++)
        text_printf(out, "static %s *out%zu;\n", c_type(predict->outputs.at[i].value), i);
}

static void add_blocks(Text *out, const Graph *g, int64_t n) {
    for (size_t i = 0; i < g->inputs.count; i++) {
        const Node *input = g->inputs.at[i];
        const int64_t count = actual_count(input, n);
        text_printf(out, "    in%zu = get(sizeof *in%zu * %lld, sizeof *in%zu * %lld);\n", i, i, (long long)count, i,
                    (long long)(node_elements(input) - count));
    }
    const Entry *predict = &g->entries[ENTRY_PREDICT];
    for (size_t i = 0; i < predict->outputs.count; i++)
        text_printf(out, "    out%zu = block(sizeof *out%zu * %lld);\n", i, i,
                    (long long)actual_count(predict->outputs.at[i].value, n));
}

static const char *upper(Arena *arena, const char *name) {
    char *copy = arena_printf(arena, "%s", name);
    for (char *c = copy; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return copy;
}

/* Arguments common to all calls: the inputs (and targets), then `middle`, n and a fresh workspace of just the bytes that `entry` wants. */
static void add_call(Text *out, const Graph *g, const char *head, bool targets, const char *middle, const char *entry) {
    text_printf(out, "%s", head);
    for (size_t i = 0; i < g->inputs.count; i++)
        if (targets || !g->inputs.at[i]->leaf.is_target)
            text_printf(out, ", in%zu", i);
    text_printf(out, "%s%s, fresh(%s_WORKSPACE));\n", middle, g->batch.per_sample ? ", N" : "", entry);
}

static void add_predict(Text *out, Arena *arena, const Graph *g, int64_t n, bool prepares) {
    const Entry *predict = &g->entries[ENTRY_PREDICT];
    const char *middle = "", *M = upper(arena, g->name);
    if (prepares)
        text_printf(out, "    %s_prepare(&params, &prepared, fresh(%s_PREPARE_WORKSPACE));\n", g->name, M);
    for (size_t i = 0; i < predict->outputs.count; i++)
        middle = arena_printf(arena, "%s, out%zu", middle, i);
    add_call(out, g, arena_printf(arena, "    %s_predict(&%s", g->name, prepares ? "prepared" : "params"), false,
             middle, arena_printf(arena, "%s_PREDICT", M));
    for (size_t i = 0; i < predict->outputs.count; i++)
        text_printf(out, "    put(out%zu, sizeof *out%zu * %lld);\n", i, i,
                    (long long)actual_count(predict->outputs.at[i].value, n));
}

static size_t metric_count(const Graph *g) {
    size_t count = 0;
    for (size_t i = 0; i < g->entries[ENTRY_LOSS].outputs.count; i++)
        count += g->entries[ENTRY_LOSS].outputs.at[i].role == OUTPUT_METRIC;
    return count;
}

static void add_training(Text *out, Arena *arena, const Graph *g) {
    size_t metrics = metric_count(g);
    const char *M = upper(arena, g->name);
    if (g->entries[ENTRY_LOSS].present) {
        add_call(out, g, arena_printf(arena, "    loss = %s_loss(&params", g->name), true, metrics ? ", metrics" : "",
                 arena_printf(arena, "%s_LOSS", M));
        text_printf(out, "    put(&loss, sizeof loss);\n    put(metrics, sizeof *metrics * %zu);\n", metrics);
    }
    if (g->entries[ENTRY_GRADIENT].present) {
        add_call(out, g, arena_printf(arena, "    loss = %s_gradient(&params, &state", g->name), true, ", &gradient",
                 arena_printf(arena, "%s_GRADIENT", M));
        text_printf(out, "    put(&loss, sizeof loss);\n    put_tensors(&gradient, %s_params_info, PARAMS);\n",
                    g->name);
    }
    if (g->entries[ENTRY_TRAIN_STEP].present) {
        text_printf(out, "    for (int step = 0; step < %d; step++) {\n", AGREEMENT_STEPS);
        add_call(out, g, arena_printf(arena, "        loss = %s_train_step(&params, &state", g->name), true, "",
                 arena_printf(arena, "%s_TRAIN_STEP", M));
        text_printf(out, "        put(&loss, sizeof loss);\n    }\n    put_tensors(&params, %s_params_info, PARAMS);\n",
                    g->name);
        text_printf(out, "    put_tensors(&state, %s_state_info, STATES);\n", g->name);
    }
}

static const char helpers[] =
    "static FILE *in_file, *out_file;\n"
    "static void put(const void *bytes, size_t count) {\n"
    "    if (fwrite(bytes, 1, count, out_file) != count)\n        exit(2);\n}\n"
    "static void *block(size_t bytes) {\n"
    "    void *bytes_of_block = malloc(bytes);\n"
    "    if (!bytes_of_block)\n        exit(4);\n"
    "    return bytes_of_block;\n}\n"
    "static void *get(size_t count, size_t skipped) {\n"
    "    void *bytes = block(count);\n"
    "    if (fread(bytes, 1, count, in_file) != count || fseek(in_file, (long)skipped, SEEK_CUR))\n"
    "        exit(3);\n"
    "    return bytes;\n}\n"
    "static void *workspace;\n"
    "static void *fresh(size_t bytes) {\n"
    "    free(workspace);\n    workspace = NULL;\n"
    "    if (bytes && posix_memalign(&workspace, 64, bytes))\n        exit(4);\n"
    "    return workspace;\n}\n";

const char *driver_text(Arena *arena, const Graph *g, const RunInputs *inputs, const char *header, bool prepares) {
    Text *out = text_new(arena);
    const char *m = g->name, *M = upper(arena, m);
    bool trains = g->entries[ENTRY_TRAIN_STEP].present || g->entries[ENTRY_GRADIENT].present;
    text_printf(out, "#define _POSIX_C_SOURCE 200112L\n#include <stdio.h>\n#include <stdlib.h>\n#include \"%s\"\n\n",
                header);
    text_printf(out, "typedef %s_real Real;\nenum { N = %lld };\n%s", m, (long long)inputs->n, helpers);
    text_printf(out, "static void put_tensors(const void *base, const %s_tensor_info *info, int count) {\n", m);
    text_add(out, "    for (int i = 0; i < count; i++)\n"
                  "        put((const char *)base + info[i].offset, info[i].bytes);\n}\n");
    text_printf(out, "static %s_params params;\nenum { PARAMS = %s_PARAMS_COUNT };\n", m, M);
    if (prepares)
        text_printf(out, "static %s_prepared prepared;\n", m);
    if (trains)
        text_printf(out, "static %s_params gradient;\nstatic %s_state state;\nenum { STATES = %s_STATE_COUNT };\n", m,
                    m, M);
    add_pointers(out, g);
    text_printf(out, "static Real loss, metrics[%zu];\n", metric_count(g) + 1);
    text_printf(out, "int main(int argc, char **argv) {\n    if (argc != 3 || !(in_file = fopen(argv[1], \"rb\")) || "
                     "!(out_file = fopen(argv[2], \"wb\")))\n        return 1;\n");
    add_blocks(out, g, inputs->n);
    text_printf(out, "    %s_init(&params, %llu);\n", m, (unsigned long long)inputs->seed);
    text_printf(out, "    put_tensors(&params, %s_params_info, PARAMS);\n", m);
    if (trains) {
        text_printf(out, "    %s_state_init(&state, %llu, %d);\n", m, (unsigned long long)inputs->seed,
                    AGREEMENT_STEPS);
        text_printf(out, "    put_tensors(&state, %s_state_info, STATES);\n", m);
    }
    add_predict(out, arena, g, inputs->n, prepares);
    add_training(out, arena, g);
    text_add(out, "    free(workspace);\n    (void)loss;\n    (void)metrics;\n"
                  "    return fclose(out_file) == 0 && fclose(in_file) == 0 ? 0 : 1;\n}\n");
    return text_get(out);
}

static bool write_value(FILE *file, double value, bool is_int, bool real_is_double) {
    if (is_int) {
        int32_t v = (int32_t)value;
        return fwrite(&v, sizeof v, 1, file) == 1;
    }
    if (real_is_double)
        return fwrite(&value, sizeof value, 1, file) == 1;
    float f = (float)value;
    return fwrite(&f, sizeof f, 1, file) == 1;
}

bool inputs_write(const Graph *g, const RunInputs *inputs, const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file)
        return false;
    bool good = true;
    for (size_t i = 0; i < g->inputs.count; i++)
        for (int64_t k = 0; k < node_elements(g->inputs.at[i]); k++)
            good &= write_value(file, inputs->values[i][k], g->inputs.at[i]->type == TYPE_INT, g->real_is_double);
    return fclose(file) == 0 && good;
}

static bool read_value(FILE *file, bool is_int, bool real_is_double, double *value) {
    int32_t i;
    float f;
    if (is_int)
        return fread(&i, sizeof i, 1, file) == 1 ? (*value = (double)i, true) : false;
    if (real_is_double)
        return fread(value, sizeof *value, 1, file) == 1;
    return fread(&f, sizeof f, 1, file) == 1 ? (*value = (double)f, true) : false;
}

bool stream_read(Arena *arena, const Stream *like, bool real_is_double, const char *path, Stream *out) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    bool good = true;
    for (size_t i = 0; i < like->count && good; i++) {
        Piece piece = like->at[i];
        piece.values = arena_array(arena, double, (size_t)piece.count);
        for (int64_t k = 0; k < piece.count && good; k++)
            good = read_value(file, piece.is_int, real_is_double, &piece.values[k]);
        vec_push(arena, out, piece);
    }
    good = good && fgetc(file) == EOF;
    fclose(file);
    return good;
}
