/* driver.h: the program nnc: its command line, its pipeline, its files. */
#ifndef NNC_DRIVER_DRIVER_H
#define NNC_DRIVER_DRIVER_H

/* Runs nnc with the arguments of main() and returns the exit status: 0, 1 for a fault of the user, 70 for a fault of the
 * compiler. */
int driver_main(int argc, char **argv);

#endif
