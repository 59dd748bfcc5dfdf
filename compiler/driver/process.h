/* process.h: other programs: the C compiler, Graphviz. */
#ifndef NNC_DRIVER_PROCESS_H
#define NNC_DRIVER_PROCESS_H

#include <stdbool.h>
#include <stdio.h>

typedef struct ProcessStreams {
    FILE *input;  /* NULL: ours. Read from the file's start */
    FILE *output; /* NULL: ours */
    bool quiet;   /* what it says on the standard error is dropped */
} ProcessStreams;

enum { PROCESS_NOT_FOUND = -1, PROCESS_SIGNAL = 128 };

/* Runs argv[0], found along PATH, and waits for it. Returns its exit status; PROCESS_SIGNAL plus the number when a
 * signal ended it; PROCESS_NOT_FOUND (with errno) when it could not be started. An interrupt from the keyboard ends the
 * program that runs, not nnc: when process_was_interrupted(), the caller removes what is left and calls process_end(). */
int process_run(char *const *argv, ProcessStreams streams);
bool process_was_interrupted(int status);

/* Ends nnc as the interrupted program ended: by the same signal. */
_Noreturn void process_end(int status);

#endif
