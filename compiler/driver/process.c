#include "driver/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* 0, or an error number. */
static int spawn(pid_t *child, char *const *argv, ProcessStreams streams, const posix_spawnattr_t *attributes) {
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    if (streams.input) {
        rewind(streams.input);
        error = posix_spawn_file_actions_adddup2(&actions, fileno(streams.input), STDIN_FILENO);
    }
    if (!error && streams.output)
        error = posix_spawn_file_actions_adddup2(&actions, fileno(streams.output), STDOUT_FILENO);
    if (!error && streams.quiet)
        error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!error)
        error = posix_spawnp(child, argv[0], &actions, attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? PROCESS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* As system() does: nnc ignores SIGINT and SIGQUIT as long as the program runs, and the program does not. */
int process_run(char *const *argv, ProcessStreams streams) {
    posix_spawnattr_t attributes;
    int error = posix_spawnattr_init(&attributes);
    if (error) {
        errno = error;
        return PROCESS_NOT_FOUND;
    }
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old_interrupt, old_quit;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaction(SIGINT, &ignore, &old_interrupt);
    sigaction(SIGQUIT, &ignore, &old_quit);
    if (old_interrupt.sa_handler != SIG_IGN)
        sigaddset(&defaults, SIGINT);
    if (old_quit.sa_handler != SIG_IGN)
        sigaddset(&defaults, SIGQUIT);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

    pid_t child = 0;
    error = spawn(&child, argv, streams, &attributes);
    int status = error ? PROCESS_NOT_FOUND : wait_for(child);

    sigaction(SIGINT, &old_interrupt, NULL);
    sigaction(SIGQUIT, &old_quit, NULL);
    posix_spawnattr_destroy(&attributes);
    errno = error;
    return status;
}

bool process_was_interrupted(int status) {
    switch (status - PROCESS_SIGNAL) {
    case SIGINT:
    case SIGQUIT:
    case SIGTERM:
    case SIGHUP: return true;
    default: return false;
    }
}

void process_end(int status) {
    signal(status - PROCESS_SIGNAL, SIG_DFL);
    raise(status - PROCESS_SIGNAL);
    exit(status); /* where the signal is held back */
}
