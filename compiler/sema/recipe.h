/* recipe.h: the `train` block, evaluated: plain data that the emitter turns into an nnrt_recipe. */
#ifndef NNC_SEMA_RECIPE_H
#define NNC_SEMA_RECIPE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/vec.h"

typedef enum RecipeSourceKind {
    RECIPE_IDX,
    RECIPE_CSV,
    RECIPE_NPY,
    RECIPE_GRID,
    RECIPE_UNIFORM,
    RECIPE_NORMAL
} RecipeSourceKind;

typedef struct RecipeSource {
    const char *field; /* input or target */
    RecipeSourceKind kind;
    const char *path;
    VEC(const char *) columns;
    double low, high; /* NORMAL: mean, deviation */
    int64_t count;
    uint64_t seed;
    double scale, shift;
} RecipeSource;

typedef VEC(RecipeSource) RecipeSplit;

typedef struct Recipe {
    bool present;
    RecipeSplit data, validate, test;
    double validate_fraction, test_fraction;
    int64_t epochs; /* default 1 */
    uint64_t seed;
    bool shuffle; /* default true */
    int64_t patience;
} Recipe;

#endif
