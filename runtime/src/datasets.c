/* The three splits of a recipe: from their own sources, or cut from the training data. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include "data.h"
#include "error.h"
#include "memory.h"
#include "random.h"

const char *nnrt_part_label(nnrt_part_name part) {
    static const char *const labels[] = {
        [NNRT_TRAIN] = "training", [NNRT_VALIDATE] = "validation", [NNRT_TEST] = "test"};
    return labels[part];
}

/* What the cut is made of. */
typedef struct Cut {
    int64_t count[NNRT_PARTS];
} Cut;

static const nnrt_split *recipe_split(const nnrt_recipe *recipe, int part) {
    const nnrt_split *splits[] = {&recipe->train, &recipe->validate, &recipe->test};
    return splits[part];
}

/* The fraction of the training data that becomes `part`: 0 if the part has sources of its own. */
static double fraction_of(const nnrt_recipe *recipe, int part) {
    const double fractions[] = {0.0, recipe->validate_fraction, recipe->test_fraction};
    return recipe_split(recipe, part)->source_count > 0 ? 0.0 : fractions[part];
}

bool nnrt_recipe_has(const nnrt_recipe *recipe, nnrt_part_name part) {
    return recipe_split(recipe, (int)part)->source_count > 0 || fraction_of(recipe, (int)part) != 0.0;
}

static int plan_cut(Cut *cut, const nnrt_recipe *recipe, int64_t samples, nnrt_error *error) {
    cut->count[NNRT_TRAIN] = samples;
    for (int part = NNRT_VALIDATE; part < NNRT_PARTS; part++) {
        double fraction = fraction_of(recipe, part);
        if (!(fraction >= 0.0 && fraction < 1.0)) {
            return nnrt_fail(error, "%s data: the fraction is %g; it must be from 0 to below 1",
                             nnrt_part_label((nnrt_part_name)part), fraction);
        }
        cut->count[part] = (int64_t)(fraction * (double)samples + 0.5);
        if (fraction > 0.0 && cut->count[part] == 0) {
            return nnrt_fail(error, "%s data: %g of %" PRId64 " samples is less than one",
                             nnrt_part_label((nnrt_part_name)part), fraction, samples);
        }
        cut->count[NNRT_TRAIN] -= cut->count[part];
    }
    if (cut->count[NNRT_TRAIN] < 1)
        return nnrt_fail(error, "training data: validation and test take all of the %" PRId64 " samples", samples);
    return NNRT_OK;
}

/* Says for every sample which part it belongs to. */
static void choose_owners(unsigned char *owner, int64_t *order, const Cut *cut, int64_t samples, uint64_t seed) {
    for (int64_t i = 0; i < samples; i++) {
        order[i] = i;
        owner[i] = NNRT_TRAIN;
    }
    nnrt_random random = nnrt_random_new(seed, nnrt_random_hash("split"));
    nnrt_random_shuffle(&random, order, samples);
    const int64_t test_end = cut->count[NNRT_TEST];
    const int64_t validate_end = test_end + cut->count[NNRT_VALIDATE];
    for (int64_t i = 0; i < validate_end; i++)
        owner[order[i]] = i < test_end ? NNRT_TEST : NNRT_VALIDATE;
}

/* The samples of one part, in ascending order. */
static int collect_rows(nnrt_rows *rows, int part, const Cut *cut, const unsigned char *owner, int64_t samples,
                        nnrt_error *error) {
    size_t count = (size_t)cut->count[part];
    *rows = (nnrt_rows){.index = nnrt_allocate(count, sizeof *rows->index)};
    if (rows->index == NULL)
        return nnrt_fail_memory(error, "the split of the data", count * sizeof *rows->index);
    for (int64_t i = 0; i < samples; i++)
        if (owner[i] == part)
            rows->index[rows->count++] = i;
    return NNRT_OK;
}

/* Deals the training data out to the parts. */
static int cut_parts(nnrt_datasets *datasets, const Cut *cut, uint64_t seed, nnrt_error *error) {
    const nnrt_data *data = datasets->owned[NNRT_TRAIN];
    const int64_t samples = data->samples;
    int64_t *order = nnrt_allocate((size_t)samples, sizeof *order);
    unsigned char *owner = nnrt_allocate((size_t)samples, sizeof *owner);
    int status = NNRT_OK;
    if (order == NULL || owner == NULL)
        status = nnrt_fail_memory(error, "the split of the data", (size_t)samples * sizeof *order);
    else
        choose_owners(owner, order, cut, samples, seed);
    for (int part = 0; status == NNRT_OK && part < NNRT_PARTS; part++) {
        if (cut->count[part] > 0) {
            datasets->parts[part].data = data;
            status = collect_rows(&datasets->parts[part].rows, part, cut, owner, samples, error);
        }
    }
    free(order);
    free(owner);
    return status;
}

/* Whether anything is cut from the training data. */
static bool has_fractions(const nnrt_recipe *recipe) {
    return fraction_of(recipe, NNRT_VALIDATE) != 0.0 || fraction_of(recipe, NNRT_TEST) != 0.0;
}

/* Loads the sources of `part` as they are. */
static int load_part(nnrt_datasets *datasets, const nnrt_model *model, const nnrt_recipe *recipe, int part,
                     const char *folder, nnrt_fields fields, nnrt_error *error) {
    const char *label = nnrt_part_label((nnrt_part_name)part);
    if (nnrt_data_load(&datasets->owned[part], model, recipe_split(recipe, part), label, folder, fields, error) !=
        NNRT_OK)
        return NNRT_FAILED;
    datasets->parts[part] =
        (nnrt_part){.data = datasets->owned[part], .rows = {.count = datasets->owned[part]->samples}};
    return NNRT_OK;
}

/* Whether the sources of `part` must be read: for itself, or, of the training data, for what is cut from them. */
static bool needs_sources(const nnrt_recipe *recipe, int part, const int wanted[NNRT_PARTS]) {
    bool needed = wanted[part] != 0;
    for (int other = NNRT_VALIDATE; part == NNRT_TRAIN && other < NNRT_PARTS; other++)
        needed = needed || (wanted[other] != 0 && fraction_of(recipe, other) != 0.0);
    return needed && recipe_split(recipe, part)->source_count > 0;
}

static int load_parts(nnrt_datasets *datasets, const nnrt_model *model, const nnrt_recipe *recipe, uint64_t seed,
                      const char *folder, const int wanted[NNRT_PARTS], nnrt_fields fields, nnrt_error *error) {
    for (int part = 0; part < NNRT_PARTS; part++)
        if (needs_sources(recipe, part, wanted) &&
            load_part(datasets, model, recipe, part, folder, fields, error) != NNRT_OK)
            return NNRT_FAILED;
    Cut cut = {{0}};
    if (datasets->owned[NNRT_TRAIN] == NULL || !has_fractions(recipe))
        return NNRT_OK;
    return plan_cut(&cut, recipe, datasets->owned[NNRT_TRAIN]->samples, error) == NNRT_OK
               ? cut_parts(datasets, &cut, seed, error)
               : NNRT_FAILED;
}

int nnrt_datasets_load(nnrt_datasets *datasets, const nnrt_model *model, const nnrt_recipe *recipe, uint64_t seed,
                       const char *folder, const int wanted[NNRT_PARTS], nnrt_fields fields, nnrt_error *error) {
    *datasets = (nnrt_datasets){0};
    int status = load_parts(datasets, model, recipe, seed, folder, wanted, fields, error);
    if (status != NNRT_OK)
        nnrt_datasets_free(datasets);
    return status;
}

void nnrt_datasets_free(nnrt_datasets *datasets) {
    if (datasets == NULL)
        return;
    for (int part = 0; part < NNRT_PARTS; part++) {
        free(datasets->parts[part].rows.index);
        nnrt_data_free(datasets->owned[part]);
    }
    *datasets = (nnrt_datasets){0};
}
