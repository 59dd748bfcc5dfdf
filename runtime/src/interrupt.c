#include "interrupt.h"

#include <stddef.h>

static volatile sig_atomic_t signal_caught;

static void note_signal(int number) {
    signal_caught = number;
}

/* A signal that the process was started to ignore, as by nohup, stays ignored. */
static void catch_one(int number, const struct sigaction *action, struct sigaction *former) {
    sigaction(number, NULL, former);
    if (former->sa_handler != SIG_IGN)
        sigaction(number, action, NULL);
}

void nnrt_interrupt_catch(nnrt_handlers *former) {
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};
    sigemptyset(&action.sa_mask);
    signal_caught = 0;
    catch_one(SIGINT, &action, &former->interrupt);
    catch_one(SIGTERM, &action, &former->terminate);
}

void nnrt_interrupt_restore(const nnrt_handlers *former) {
    sigaction(SIGINT, &former->interrupt, NULL);
    sigaction(SIGTERM, &former->terminate, NULL);
    signal_caught = 0;
}

int nnrt_interrupt_signal(void) {
    return signal_caught;
}
