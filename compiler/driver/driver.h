/* driver.h: the program nnc: its command line, its pipeline, its files. */
#ifndef NNC_DRIVER_DRIVER_H
#define NNC_DRIVER_DRIVER_H

#include <stdint.h>

/* Runs nnc with the arguments of main() and returns the exit status: 0, 1 for a fault of the user, 70 for a fault of the
 * compiler. */
int driver_main(int argc, char **argv);

/* The same, but memory runs out at the allocation with this ordinal (from 1; 0: never): for tests. */
int driver_main_with_fault(int argc, char **argv, uint64_t fail_at);

#endif
