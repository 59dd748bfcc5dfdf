/* interrupt.h: SIGINT and SIGTERM while a training runs.
 *
 * The only mutable global of the library stands behind these functions: a signal handler has no other way to speak.
 */
#ifndef NNRT_SRC_INTERRUPT_H
#define NNRT_SRC_INTERRUPT_H

#include <signal.h>

typedef struct nnrt_handlers {
    struct sigaction interrupt, terminate; /* what was there before */
} nnrt_handlers;

/* From here on the two signals are noted; a second one of the same kind has its former default effect: it ends the process. */
void nnrt_interrupt_catch(nnrt_handlers *former);
void nnrt_interrupt_restore(const nnrt_handlers *former);

/* The signal that came since nnrt_interrupt_catch(), or 0; always 0 outside of catch and restore. */
int nnrt_interrupt_signal(void);

#endif
