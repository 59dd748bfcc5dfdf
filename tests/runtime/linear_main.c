/* The program that nnc would generate for the linear model. */
#include "linear_model.h"

int main(int argc, char **argv) {
    return nnrt_main(&linear_model, &linear_recipe, argc, argv);
}
