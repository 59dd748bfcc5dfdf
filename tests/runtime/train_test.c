/* The training loop: what it learns, writes and says, and that an interrupted training continues bit for bit.
 *
 * Models that misbehave are the linear model with another train_step or loss. Signals are raised inside of these, so that they
 * come at a known step.
 */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "interrupt.h"
#include "linear_model.h"
#include "progress.h"
#include "support.h"

/* 100 rows, of which 10 are for validation: 12 steps of at most 8 an epoch. */
enum { ROWS = 100, STEPS_PER_EPOCH = 12 };

static int enter_with_data(void **state) {
    enter_folder(state);
    write_linear_data(ROWS);
    return 0;
}

/* Trains and expects success; the log goes to the file "log". */
static nnrt_train_result train(const nnrt_model *model, const nnrt_recipe *recipe, nnrt_train_options options) {
    nnrt_train_result result;
    nnrt_error error = {{0}};
    options.log = fopen("log", "w");
    assert_non_null(options.log);
    int status = nnrt_train(model, recipe, &options, &result, &error);
    fclose(options.log);
    if (status != NNRT_OK)
        fail_msg("%s", error.text);
    assert_int_equal(nnrt_interrupt_signal(), 0);
    return result;
}

static void expect_failure(const nnrt_model *model, const nnrt_recipe *recipe, nnrt_train_options options,
                           const char *text) {
    nnrt_error error;
    options.log = fopen("log", "w");
    assert_non_null(options.log);
    int status = nnrt_train(model, recipe, &options, NULL, &error);
    fclose(options.log);
    assert_int_equal(status, NNRT_FAILED);
    assert_string_equal(error.text, text);
}

static LinearParams load_params(const char *path) {
    LinearParams params;
    nnrt_checkpoint *checkpoint = NULL;
    assert_int_equal(nnrt_checkpoint_open(&checkpoint, path, NULL), NNRT_OK);
    assert_int_equal(nnrt_checkpoint_params(checkpoint, &linear_model, &params, NULL, NULL), NNRT_OK);
    nnrt_checkpoint_close(checkpoint);
    return params;
}

/* --- What it does --- */

static void test_learns(void **state) {
    (void)state;
    nnrt_train_result result =
        train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 30, .save = "last", .best = "best"});
    LinearParams params = load_params("last");
    assert_true(fabsf(params.w[0] - 2.0F) < 1e-3F && fabsf(params.w[1] + 1.0F) < 1e-3F);
    assert_true(fabsf(params.w[2] - 0.5F) < 1e-3F && fabsf(params.b - 1.0F) < 1e-3F);
    assert_int_equal(result.epochs, 30);
    assert_int_equal(result.steps, 30 * STEPS_PER_EPOCH);
    assert_true(result.validation_loss < 1e-6 && result.train_loss < 1e-6);
    assert_true(result.best_loss <= result.validation_loss);
    assert_int_equal(result.signal, 0);
    assert_no_file_like(".tmp");
}

/* The lines of the log, but for the speed. */
static void test_log(void **state) {
    (void)state;
    train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 2, .save = "last", .best = "best"});
    char *log = read_whole("log", NULL);
    assert_contains(log, "linear: 4 parameters; 90 training and 10 validation samples; 12 steps of 8 an epoch\n");
    assert_contains(log, "epoch 1/2  train loss ");
    assert_contains(log, "epoch 2/2  train loss ");
    assert_contains(log, "  validation loss 0.");
    assert_contains(log, "  distance 0.");
    assert_contains(log, " samples/s\n");
    assert_contains(log, "\nsaved last (epoch 2)\nsaved best (epoch 2, loss 0.");
    free(log);
}

/* The figures of the history are those of an evaluation of what was saved. */
static void test_history(void **state) {
    (void)state;
    const int wanted[NNRT_PARTS] = {[NNRT_VALIDATE] = 1};
    nnrt_train_result result =
        train(&linear_model, &linear_recipe, (nnrt_train_options){.save = "last", .history = "h.csv", .plot = "p.svg"});
    char *history = read_whole("h.csv", NULL), *plot = read_whole("p.svg", NULL), *row = strstr(history, "\n6,72,");
    assert_contains(history, "epoch,step,train_loss,validation_loss,distance\n1,12,");
    assert_non_null(row);
    double losses[3];
    assert_int_equal(sscanf(row, "\n6,72,%lf,%lf,%lf\n", &losses[0], &losses[1], &losses[2]), 3);
    assert_true(losses[0] == result.train_loss && losses[1] == result.validation_loss);
    LinearParams params = load_params("last");
    nnrt_datasets datasets;
    nnrt_figures figures;
    double distance = 0.0;
    assert_int_equal(nnrt_datasets_load(&datasets, &linear_model, &linear_recipe, linear_recipe.seed, NULL, wanted,
                                        NNRT_INPUTS_AND_TARGETS, NULL),
                     NNRT_OK);
    assert_int_equal(
        nnrt_evaluate(&linear_model, &params, &datasets.parts[NNRT_VALIDATE], 0, &figures, &distance, NULL), NNRT_OK);
    assert_true(figures.loss == losses[1] && distance == losses[2]);
    assert_int_equal(figures.samples, 10);
    assert_contains(plot, "<svg");
    nnrt_datasets_free(&datasets);
    free(history);
    free(plot);
}

static void test_seed(void **state) {
    (void)state;
    const uint64_t one = 1, two = 2;
    train(&linear_model, &linear_recipe, (nnrt_train_options){.save = "a"});
    train(&linear_model, &linear_recipe, (nnrt_train_options){.save = "b", .seed = &one});
    train(&linear_model, &linear_recipe, (nnrt_train_options){.save = "c", .seed = &two});
    assert_same_files("a", "b");
    LinearParams a = load_params("a"), c = load_params("c");
    assert_memory_not_equal(&a, &c, sizeof a);
}

/* Without validation the training loss decides, and there are no metrics. */
static void test_no_validation(void **state) {
    (void)state;
    nnrt_recipe recipe = linear_recipe;
    recipe.validate_fraction = 0.0;
    nnrt_train_result result =
        train(&linear_model, &recipe, (nnrt_train_options){.epochs = 2, .best = "best", .history = "h.csv"});
    assert_true(isnan(result.validation_loss));
    assert_true(result.best_loss == result.train_loss);
    char *log = read_whole("log", NULL), *history = read_whole("h.csv", NULL);
    assert_contains(log, "linear: 4 parameters; 100 training samples; 13 steps of 8 an epoch\n");
    assert_null(strstr(log, "validation"));
    assert_null(strstr(log, "distance"));
    assert_string_equal(history + strlen(history) - 3, ",,\n");
    free(log);
    free(history);
}

static int count_text(const char *text, const char *part) {
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}

/* Up to 100 epochs have a line each; of more, quick as they are, the first and the last are told, and one a second. */
static void test_many_epochs(void **state) {
    (void)state;
    train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 100});
    char *few = read_whole("log", NULL);
    assert_int_equal(count_text(few, "\nepoch "), 100);
    free(few);
    train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 101, .history = "h.csv"});
    char *many = read_whole("log", NULL), *history = read_whole("h.csv", NULL);
    assert_in_range(count_text(many, "\nepoch "), 2, 60);
    assert_contains(many, "\nepoch 1/101 ");
    assert_contains(many, "\nepoch 101/101 ");
    assert_int_equal(count_text(history, "\n"), 1 + 101);
    free(many);
    free(history);
}

/* A model for batches of exactly 8: what fills none is left out, and that is said. */
static void test_fixed_batch(void **state) {
    (void)state;
    nnrt_model model = linear_model;
    model.dynamic = 0;
    nnrt_train_result result = train(&model, &linear_recipe, (nnrt_train_options){.epochs = 1});
    assert_int_equal(result.steps, 11);
    char *log = read_whole("log", NULL);
    assert_contains(log, "note: 2 of 90 training samples fill no batch of 8 and are left out of each pass\n"
                         "note: 2 of 10 validation samples fill no batch of 8 and are left out of each pass\n");
    free(log);
}

static void test_load(void **state) {
    (void)state;
    train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 30, .save = "good"});
    nnrt_train_result result =
        train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 1, .load = "good", .save = "more"});
    assert_true(result.train_loss < 1e-5);
    assert_int_equal(result.steps, STEPS_PER_EPOCH);
    nnrt_train_result from_pytorch = train(
        &linear_model, &linear_recipe, (nnrt_train_options){.epochs = 1, .load = FIXTURES "/linear_f64.safetensors"});
    assert_int_equal(from_pytorch.epochs, 1);
    char *log = read_whole("log", NULL);
    assert_contains(log,
                    "note: " FIXTURES "/linear_f64.safetensors: converted to the model's reals: \"b\" and 1 more\n");
    free(log);
}

/* --- Best epoch and early stop --- */

/* Unlearns: each step adds 1 to b, so every epoch is worse than the one before. */
static double worse_step(void *params, void *state, const void *const *inputs, const void *const *targets, int n,
                         void *workspace) {
    double loss = linear_model.loss(params, inputs, targets, &(double){0}, n, workspace);
    ((LinearParams *)params)->b += 1.0F;
    ((LinearState *)state)->step++;
    return loss;
}

static void test_early_stop(void **state) {
    (void)state;
    nnrt_model model = linear_model;
    nnrt_recipe recipe = linear_recipe;
    model.train_step = worse_step;
    recipe.patience = 3;
    nnrt_train_result result =
        train(&model, &recipe, (nnrt_train_options){.epochs = 50, .save = "last", .best = "best"});
    assert_int_equal(result.epochs, 4);
    assert_int_equal(result.best_epoch, 1);
    assert_true(load_params("best").b == STEPS_PER_EPOCH);
    assert_true(load_params("last").b == 4 * STEPS_PER_EPOCH);
    char *log = read_whole("log", NULL);
    assert_contains(log, "\nstopped early: no better loss since epoch 1\nsaved last (epoch 4)\nsaved best (epoch 1, "
                         "loss ");
    free(log);
    /* Continued, it has nothing left to do. */
    result = train(&model, &recipe, (nnrt_train_options){.epochs = 50, .resume = "last", .save = "again"});
    assert_int_equal(result.epochs, 4);
    assert_same_files("again", "last");
}

/* --- Interruption --- */

/* The step at which the next training is interrupted, by which signal; after the evaluation of an epoch instead when
 * `in_evaluation` is set. Read by the misbehaving functions below, which have no other way to know. */
static struct {
    int64_t step;
    int signal;
    int in_evaluation;
} plan;

static double interrupted_step(void *params, void *state, const void *const *inputs, const void *const *targets, int n,
                               void *workspace) {
    double loss = linear_model.train_step(params, state, inputs, targets, n, workspace);
    if (!plan.in_evaluation && ((LinearState *)state)->step == plan.step)
        raise(plan.signal);
    return loss;
}

/* Counts evaluated batches: there are two for each epoch. */
static double interrupted_loss(const void *params, const void *const *inputs, const void *const *targets,
                               double *metrics, int n, void *workspace) {
    if (plan.in_evaluation && --plan.step == 0)
        raise(plan.signal);
    return linear_model.loss(params, inputs, targets, metrics, n, workspace);
}

/* Trains until the plan interrupts it, then resumes and compares all files with those of an undisturbed training. */
static void interrupt_and_resume(int64_t step, int signal, int in_evaluation) {
    nnrt_model model = linear_model;
    nnrt_train_result result;
    nnrt_error error = {{0}};
    const nnrt_train_options options = {.save = "last", .best = "best", .history = "history", .plot = "plot"};
    nnrt_train_options resumed = options;
    resumed.resume = "last";
    model.train_step = interrupted_step;
    model.loss = interrupted_loss;
    plan.step = step;
    plan.signal = signal;
    plan.in_evaluation = in_evaluation;
    assert_int_equal(nnrt_train(&model, &linear_recipe, &options, &result, &error), NNRT_INTERRUPTED);
    assert_int_equal(result.signal, signal);
    if (!in_evaluation)
        assert_int_equal(result.steps, step);
    assert_contains(error.text, "interrupted in epoch ");
    assert_contains(error.text, "; the training is saved in last");
    assert_int_equal(access("history", F_OK), 0);
    assert_int_equal(access("plot", F_OK), 0);
    train(&linear_model, &linear_recipe, resumed);
    assert_same_files("last", "whole.last");
    assert_same_files("best", "whole.best");
    assert_same_files("history", "whole.history");
    assert_same_files("plot", "whole.plot");
}

static void test_resume(void **state) {
    (void)state;
    train(&linear_model, &linear_recipe,
          (nnrt_train_options){
              .save = "whole.last", .best = "whole.best", .history = "whole.history", .plot = "whole.plot"});
    /* The first step, within an epoch, its last but one, its last (when only the evaluation is missing), the next one. */
    static const int64_t steps[] = {1, 5, 11, 12, 13, 30, 48, 71, 72};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        interrupt_and_resume(steps[i], i % 2 == 0 ? SIGINT : SIGTERM, 0);
    interrupt_and_resume(1, SIGINT, 1);
    interrupt_and_resume(4, SIGTERM, 1);
}

/* The two signals do what they did before as soon as the training is over. */
static void test_handlers_restored(void **state) {
    (void)state;
    struct sigaction ours = {.sa_handler = SIG_IGN}, now;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGTERM, &ours, NULL);
    train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 1});
    sigaction(SIGTERM, NULL, &now);
    assert_true(now.sa_handler == SIG_IGN);
    sigaction(SIGINT, NULL, &now);
    assert_true(now.sa_handler == SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

/* A process that was told to ignore a signal trains on. */
static void test_ignored_signal(void **state) {
    (void)state;
    nnrt_model model = linear_model;
    model.train_step = interrupted_step;
    plan.step = 5;
    plan.signal = SIGINT;
    plan.in_evaluation = 0;
    signal(SIGINT, SIG_IGN);
    nnrt_train_result result = train(&model, &linear_recipe, (nnrt_train_options){.epochs = 2});
    signal(SIGINT, SIG_DFL);
    assert_int_equal(result.epochs, 2);
}

/* More epochs than planned: the schedule's number of steps grows with them. */
static void test_more_epochs(void **state) {
    (void)state;
    LinearState restored;
    nnrt_checkpoint *checkpoint = NULL;
    train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 2, .save = "last"});
    nnrt_train_result result =
        train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 5, .resume = "last", .save = "more"});
    assert_int_equal(result.epochs, 5);
    assert_int_equal(nnrt_checkpoint_open(&checkpoint, "more", NULL), NNRT_OK);
    assert_int_equal(nnrt_checkpoint_state(checkpoint, &linear_model, &restored, NULL), NNRT_OK);
    assert_int_equal(restored.steps, 5 * STEPS_PER_EPOCH);
    assert_int_equal(restored.step, 5 * STEPS_PER_EPOCH);
    nnrt_checkpoint_close(checkpoint);
}

static void test_refused_resumes(void **state) {
    (void)state;
    const uint64_t seed = 9;
    nnrt_model other = linear_model;
    other.name = "mlp";
    train(&linear_model, &linear_recipe, (nnrt_train_options){.epochs = 3, .save = "c", .best = "best"});
    const nnrt_train_options resume = {.resume = "c"};
    nnrt_train_options changed = resume;
    expect_failure(&linear_model, &linear_recipe, resume,
                   "c: the training has its 3 epochs already; --epochs N with a larger N goes on");
    changed.epochs = 2;
    expect_failure(&linear_model, &linear_recipe, changed,
                   "c: the training has its 3 epochs already; --epochs N with a larger N goes on");
    changed.epochs = 5;
    expect_failure(&other, &linear_recipe, changed, "c: is a checkpoint of the model linear, not of mlp");
    changed.seed = &seed;
    expect_failure(&linear_model, &linear_recipe, changed,
                   "c: the training has seed 1, which cannot become 9 when it is resumed");
    changed.seed = NULL;
    changed.batch = 4;
    expect_failure(&linear_model, &linear_recipe, changed,
                   "c: the training has batches of 8, which cannot become 4 when it is resumed");
    changed.batch = 0;
    changed.load = "c";
    expect_failure(&linear_model, &linear_recipe, changed,
                   "a training starts from parameters (load) or continues another one (resume), not both");
    changed.load = NULL;
    changed.resume = "best";
    expect_failure(&linear_model, &linear_recipe, changed,
                   "best: holds parameters but not the state of a training: \"epochs\" is missing; start from the "
                   "parameters with train --load");
    changed.resume = "c";
    write_linear_data(ROWS + 20);
    expect_failure(&linear_model, &linear_recipe, changed,
                   "c: the training had 90 samples, but now there are 108; to train its parameters on other data, use "
                   "train --load");
}

/* Metadata that someone changed: every entry is checked. `changed` replaces the value of its key. */
static void expect_metadata_failure(nnrt_pair changed, const char *text) {
    static const LinearParams params = {{0}, 0};
    const LinearState linear_state = {.seed = 1, .step = 29, .steps = 72};
    nnrt_pair pairs[] = {
        {"epoch", "2"},          {"epochs", "6"},
        {"epoch_step", "5"},     {"epoch_loss", "1.5"},
        {"epoch_samples", "40"}, {"batch", "8"},
        {"samples", "90"},       {"best_loss", "1"},
        {"best_epoch", "1"},     {"history", "epoch,step,train_loss,validation_loss,distance\n"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(pairs[i].key, changed.key) == 0)
            pairs[i].value = changed.value;
    assert_int_equal(
        nnrt_checkpoint_save("c", &linear_model, &params, &linear_state, pairs, sizeof pairs / sizeof *pairs, NULL),
        NNRT_OK);
    expect_failure(&linear_model, &linear_recipe, (nnrt_train_options){.resume = "c"}, text);
}

static void test_hostile_metadata(void **state) {
    (void)state;
    static const struct {
        nnrt_pair changed;
        const char *text;
    } cases[] = {
        {{"epoch", "x"}, "c: \"epoch\" is \"x\", not a whole number from 0"},
        {{"epoch", "7"}, "c: 7 of 6 epochs cannot be"},
        {{"epochs", "99999999999"}, "c: 2 of 99999999999 epochs cannot be"},
        {{"epoch", "1"}, "c: step 29 does not agree with 1 epochs of 12 steps and 5 more"},
        {{"epoch_step", "13"}, "c: step 29 does not agree with 2 epochs of 12 steps and 13 more"},
        {{"epoch_step", "-1"}, "c: \"epoch_step\" is \"-1\", not a whole number from 0"},
        {{"epoch_loss", "many"}, "c: \"epoch_loss\" is missing or not a number"},
        {{"epoch_loss", ""}, "c: \"epoch_loss\" is missing or not a number"},
        {{"epoch_samples", "4x"}, "c: \"epoch_samples\" is \"4x\", not a whole number from 0"},
        {{"best_loss", "1,5"}, "c: \"best_loss\" is missing or not a number"},
        {{"best_epoch", "99999999999999999999"},
         "c: \"best_epoch\" is \"99999999999999999999\", not a whole number from 0"},
        {{"batch", "0"}, "c: the training has batches of 0, which cannot become 8 when it is resumed"},
        {{"batch", "9"}, "c: the training has batches of 9, which cannot become 8 when it is resumed"},
        {{"samples", "91"},
         "c: the training had 91 samples, but now there are 90; to train its parameters on other data, use train "
         "--load"},
        {{"history", "1,2,3"}, "c: the history of the training is missing, damaged, or of other metrics"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_metadata_failure(cases[i].changed, cases[i].text);
}

/* --- Numbers that are not finite --- */

/* Two epochs go well; then w[1] becomes infinite, and the next loss shows it. */
static double exploding_step(void *params, void *state, const void *const *inputs, const void *const *targets, int n,
                             void *workspace) {
    double loss = linear_model.train_step(params, state, inputs, targets, n, workspace);
    if (((LinearState *)state)->step == plan.step)
        ((LinearParams *)params)->w[1] = INFINITY;
    return loss;
}

static double nan_step(void *params, void *state, const void *const *inputs, const void *const *targets, int n,
                       void *workspace) {
    linear_model.train_step(params, state, inputs, targets, n, workspace);
    return -(double)NAN;
}

/* Which epoch the checkpoint keeps depends on the time that saving takes: the second, or the first. */
static void test_not_finite(void **state) {
    (void)state;
    nnrt_model model = linear_model;
    nnrt_error error;
    const nnrt_train_options options = {.save = "c", .history = "h.csv", .plot = "p.svg", .best = "best"};
    model.train_step = exploding_step;
    plan.step = 2 * STEPS_PER_EPOCH + 3;
    assert_int_equal(nnrt_train(&model, &linear_recipe, &options, NULL, &error), NNRT_FAILED);
    assert_contains(error.text, "the loss is infinite at epoch 3, step 4 of 12; 4 of 4 parameters are not finite, the "
                                "first is w[0]; c keeps epoch ");
    assert_contains(error.text, "; try a smaller learning rate, or look for extreme values in the data");
    LinearParams params = load_params("c");
    assert_true(isfinite(params.w[1]));
    char *history = read_whole("h.csv", NULL);
    assert_contains(history, "\n2,24,");
    free(history);
    free(read_whole("p.svg", NULL));
    free(read_whole("best", NULL));
    /* From there it goes on. */
    train(&linear_model, &linear_recipe, (nnrt_train_options){.resume = "c"});
    expect_failure(
        &model, &linear_recipe, (nnrt_train_options){.resume = "c"},
        "the loss is infinite at epoch 3, step 4 of 12; 4 of 4 parameters are not finite, the first is w[0]; c is "
        "untouched; try a smaller learning rate, or look for extreme values in the data");
}

/* The last step of an epoch breaks a parameter: no loss tells, but the epoch is not saved. */
static void test_broken_at_the_end(void **state) {
    (void)state;
    nnrt_model model = linear_model;
    model.train_step = exploding_step;
    plan.step = STEPS_PER_EPOCH;
    expect_failure(&model, &linear_recipe, (nnrt_train_options){.save = "c"},
                   "the parameters broke at the end of epoch 1; 1 of 4 parameters are not finite, the first is w[1]; "
                   "try a smaller learning rate, or look for extreme values in the data");
    assert_int_equal(access("c", F_OK), -1);
    model.train_step = nan_step;
    expect_failure(&model, &linear_recipe, (nnrt_train_options){.save = "c"},
                   "the loss is nan at epoch 1, step 1 of 12; all parameters are finite; try a smaller learning rate, "
                   "or look for extreme values in the data");
}

/* --- Faults before and after --- */

static void test_refused(void **state) {
    (void)state;
    nnrt_recipe recipe = linear_recipe;
    nnrt_model fixed = linear_model;
    fixed.dynamic = 0;
    recipe.epochs = 0;
    expect_failure(&linear_model, &recipe, (nnrt_train_options){0},
                   "0 epochs are nothing to train; at least 1 is needed");
    expect_failure(&linear_model, &linear_recipe, (nnrt_train_options){.batch = 9},
                   "batches of 9 do not fit: linear takes 1 to 8 samples at a time");
    expect_failure(&fixed, &linear_recipe, (nnrt_train_options){.batch = 4},
                   "batches of 4 do not fit: linear was compiled for exactly 8 samples; compile it with -D batch=4");
    expect_failure(&linear_model, &linear_recipe, (nnrt_train_options){.save = "no/folder"},
                   "cannot write no/folder: No such file or directory; check the folder and its permissions");
    expect_failure(&linear_model, &linear_recipe, (nnrt_train_options){.save = "c", .best = "c"},
                   "c would be written twice; give each file its own name");
    expect_failure(&linear_model, &linear_recipe, (nnrt_train_options){.load = "none"},
                   "none: cannot be opened: No such file or directory");
    expect_failure(
        &linear_model, &linear_recipe, (nnrt_train_options){.folder = "elsewhere"},
        "elsewhere/train.csv: data of x cannot be read: No such file or directory; --data DIR says where the "
        "data files are");
    write_linear_data(7);
    recipe = linear_recipe;
    recipe.validate_fraction = 0.0;
    expect_failure(&fixed, &recipe, (nnrt_train_options){0},
                   "training data: 7 samples are less than one batch of 8; compile linear with -D batch=7");
    recipe.train.source_count = 0;
    expect_failure(&linear_model, &recipe, (nnrt_train_options){0},
                   "linear has no training data: its train block names none");
}

/* A full disk: the training goes on with a warning, and its end is a failure. */
static void test_full_disk(void **state) {
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    expect_failure(&linear_model, &linear_recipe,
                   (nnrt_train_options){.epochs = 3, .save = "/dev/full", .history = "h.csv"},
                   "cannot write /dev/full: No space left on device; free some space or choose another folder");
    char *log = read_whole("log", NULL), *history = read_whole("h.csv", NULL);
    assert_contains(log,
                    "\nwarning: cannot write /dev/full: No space left on device; free some space or choose another "
                    "folder\n");
    assert_contains(log, "\nepoch 3/3  ");
    assert_contains(history, "\n3,36,");
    free(log);
    free(history);
}

/* --- The progress bar --- */

static void test_progress(void **state) {
    (void)state;
    FILE *terminal = fopen("terminal", "w");
    nnrt_progress progress = {.terminal = terminal};
    nnrt_moment moment = {.epoch = 3, .epochs = 10, .step = 45, .steps = 100, .loss = 0.23451};
    assert_non_null(terminal);
    nnrt_progress_draw(&progress, &moment);
    nnrt_progress_draw(&progress, &moment); /* too soon */
    nnrt_progress_clear(&progress);
    nnrt_progress_clear(&progress); /* there is nothing to clear */
    progress.drawn = 0.0;
    moment.samples_per_second = 12345.4;
    moment.seconds_left = 3723.2;
    nnrt_progress_draw(&progress, &moment);
    fclose(terminal);
    assert_file_text("terminal",
                     "\r\033[Kepoch 3/10 [=============>                ]  45%  loss 0.2345"
                     "\r\033[K"
                     "\r\033[Kepoch 3/10 [=======>         ]  45%  loss 0.2345  12345 samples/s  1:02:03 left");
}

static void test_numbers(void **state) {
    (void)state;
    assert_string_equal(nnrt_number_print(0.29124).text, "0.2912");
    assert_string_equal(nnrt_number_print(12.5).text, "12.5000");
    assert_string_equal(nnrt_number_print(0.0).text, "0.0000");
    assert_string_equal(nnrt_number_print(0.000123456).text, "1.235e-04");
    assert_string_equal(nnrt_number_print(-1234567.0).text, "-1.235e+06");
    assert_string_equal(nnrt_number_print(-(double)NAN).text, "nan");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_learns, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_log, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_history, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_seed, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_no_validation, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_many_epochs, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_fixed_batch, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_load, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_early_stop, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_resume, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_handlers_restored, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_ignored_signal, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_more_epochs, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_refused_resumes, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_hostile_metadata, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_not_finite, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_broken_at_the_end, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_refused, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_full_disk, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_progress, enter_folder, leave_folder),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
