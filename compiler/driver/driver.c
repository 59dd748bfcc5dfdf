#include "driver/driver.h"

#include <stdio.h>

int driver_main(int argc, char **argv) {
    (void)argv;
    fprintf(stderr, "nnc: no stage is linked yet (%d arguments)\n", argc);
    return 1;
}
