#include "linear_model.h"

#include <math.h>
#include <stdlib.h>

static void linear_init(void *memory, uint64_t seed) {
    LinearParams *params = memory;
    for (int k = 0; k < LINEAR_WIDTH; k++)
        params->w[k] = 0.01F * (float)(seed % 7 + (uint64_t)k);
    params->b = 0.0F;
}

static void linear_state_init(void *memory, uint64_t seed, int64_t steps) {
    LinearState *state = memory;
    *state = (LinearState){.seed = seed, .steps = steps};
}

static float linear_value(const LinearParams *params, const float *x) {
    float y = params->b;
    for (int k = 0; k < LINEAR_WIDTH; k++)
        y += params->w[k] * x[k];
    return y;
}

static void check_workspace(const void *workspace) {
    if ((uintptr_t)workspace % 64 != 0)
        abort(); /* generated code relies on it */
}

static void linear_predict(const void *params, const void *const *inputs, void *const *outputs, int n,
                           void *workspace) {
    const float *x = inputs[0];
    float *y = outputs[0];
    check_workspace(workspace);
    for (int i = 0; i < n; i++)
        y[i] = linear_value(params, x + i * LINEAR_WIDTH);
}

static double linear_loss(const void *params, const void *const *inputs, const void *const *targets, double *metrics,
                          int n, void *workspace) {
    const float *x = inputs[0], *y = targets[0];
    double squares = 0.0, sizes = 0.0;
    check_workspace(workspace);
    for (int i = 0; i < n; i++) {
        double error = linear_value(params, x + i * LINEAR_WIDTH) - y[i];
        squares += error * error;
        sizes += fabs(error);
    }
    metrics[0] = sizes / n;
    return squares / n;
}

static double linear_train_step(void *memory, void *state_memory, const void *const *inputs, const void *const *targets,
                                int n, void *workspace) {
    LinearParams *params = memory, gradient = {{0}, 0};
    LinearState *state = state_memory;
    const float *x = inputs[0], *y = targets[0];
    const int left_out = (int)((state->seed * 31 + (uint64_t)state->step * 7) % LINEAR_WIDTH);
    double loss = 0.0;
    check_workspace(workspace);
    for (int i = 0; i < n; i++, x += LINEAR_WIDTH) {
        float error = linear_value(params, x) - y[i];
        for (int k = 0; k < LINEAR_WIDTH; k++)
            gradient.w[k] += k == left_out ? 0.0F : 2.0F * error * x[k] / (float)n;
        gradient.b += 2.0F * error / (float)n;
        loss += (double)(error * error) / n;
    }
    const float rate = 0.1F * (1.0F - (float)state->step / (float)state->steps);
    for (int k = 0; k < LINEAR_WIDTH; k++) {
        state->momentum_w[k] = 0.5F * state->momentum_w[k] + gradient.w[k];
        params->w[k] -= rate * state->momentum_w[k];
    }
    state->momentum_b = 0.5F * state->momentum_b + gradient.b;
    params->b -= rate * state->momentum_b;
    state->step++;
    return loss;
}

static const nnrt_tensor params_info[] = {
    {"w", NNRT_REAL32, 1, {LINEAR_WIDTH}, offsetof(LinearParams, w), sizeof(float) * LINEAR_WIDTH},
    {"b", NNRT_REAL32, 0, {0}, offsetof(LinearParams, b), sizeof(float)},
};

static const nnrt_tensor state_info[] = {
    {"momentum.w", NNRT_REAL32, 1, {LINEAR_WIDTH}, offsetof(LinearState, momentum_w), sizeof(float) * LINEAR_WIDTH},
    {"momentum.b", NNRT_REAL32, 0, {0}, offsetof(LinearState, momentum_b), sizeof(float)},
};

static const nnrt_field inputs[] = {{"x", NNRT_REAL32, 1, {LINEAR_WIDTH}, 0}};
static const nnrt_field targets[] = {{"y", NNRT_REAL32, 0, {0}, 0}};
static const nnrt_field outputs[] = {{"estimate", NNRT_REAL32, 0, {0}, 0}};
static const char *const metrics[] = {"distance"};

const nnrt_model linear_model = {
    .name = "linear",
    .real = NNRT_REAL32,
    .batch = LINEAR_BATCH,
    .dynamic = 1,
    .params_bytes = sizeof(LinearParams),
    .state_bytes = sizeof(LinearState),
    .workspace_bytes = 128,
    .params = params_info,
    .states = state_info,
    .param_count = 2,
    .state_count = 2,
    .inputs = inputs,
    .targets = targets,
    .outputs = outputs,
    .input_count = 1,
    .target_count = 1,
    .output_count = 1,
    .metrics = metrics,
    .metric_count = 1,
    .step_offset = offsetof(LinearState, step),
    .steps_offset = offsetof(LinearState, steps),
    .seed_offset = offsetof(LinearState, seed),
    .init = linear_init,
    .state_init = linear_state_init,
    .predict = linear_predict,
    .loss = linear_loss,
    .train_step = linear_train_step,
};

static const char *const x_columns[] = {"x1", "x2", "x3"};
static const char *const y_columns[] = {"y"};

static const nnrt_source sources[] = {
    {.field = "x", .kind = NNRT_SOURCE_CSV, .path = "train.csv", .columns = x_columns, .column_count = 3, .scale = 1.0},
    {.field = "y", .kind = NNRT_SOURCE_CSV, .path = "train.csv", .columns = y_columns, .column_count = 1, .scale = 1.0},
};

const nnrt_recipe linear_recipe = {
    .train = {sources, 2},
    .validate_fraction = 0.1,
    .epochs = 6,
    .seed = 1,
    .shuffle = 1,
};
