/* memory_faults <model.nn>: compiles the model again and again, and memory runs out at another allocation each time: first
 * at each of the early ones, then at ever larger distances, until the compiler needs no more. Every run must end with status
 * 1 and the message, and leave no file behind; the last one must succeed. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include "driver/driver.h"

enum { EXHAUSTIVE = 500 };

/* What one run did. */
typedef struct Outcome {
    int status; /* -1: ended by a signal */
    char said[1000];
} Outcome;

static _Noreturn void fail(const char *what, uint64_t fail_at, const Outcome *outcome) {
    fprintf(stderr, "allocation %llu fails: %s (status %d): %s\n", (unsigned long long)fail_at, what, outcome->status,
            outcome->said);
    exit(1);
}

/* The compiler ends the process when memory runs out, so each run is a child. */
static Outcome compile(char *model, uint64_t fail_at) {
    char program[] = "nnc", option[] = "-o", output[] = "m.c";
    char *words[] = {program, model, option, output, NULL};
    Outcome outcome = {.status = -1};
    int ends[2];
    if (pipe(ends) != 0)
        fail("no pipe", fail_at, &outcome);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        exit(driver_main_with_fault(4, words, fail_at));
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t count; (count = read(ends[0], outcome.said + length, sizeof outcome.said - 1 - length)) > 0;)
        length += (size_t)count;
    close(ends[0]);
    int status = 0;
    if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
        outcome.status = WEXITSTATUS(status);
    return outcome;
}

static int count_files(void) {
    int count = -2; /* . and .. */
    DIR *folder = opendir(".");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

/* Returns whether the compiler had enough. */
static bool check(char *model, uint64_t fail_at) {
    Outcome outcome = compile(model, fail_at);
    if (outcome.status == 0) {
        if (count_files() != 2)
            fail("m.c and m.h should have been written", fail_at, &outcome);
        return true;
    }
    if (outcome.status != 1 || !strstr(outcome.said, "nnc: error: out of memory"))
        fail("memory ran out, but the compiler does not say so", fail_at, &outcome);
    if (count_files() != 0)
        fail("a file was left behind", fail_at, &outcome);
    return false;
}

int main(int argc, char **argv) {
    char folder[] = "/tmp/memory_faults.XXXXXX";
    if (argc != 2 || !mkdtemp(folder) || chdir(folder) != 0) {
        fprintf(stderr, "usage: memory_faults <full path of model.nn>\n");
        return 1;
    }
    uint64_t fail_at = 1;
    int runs = 1;
    while (!check(argv[1], fail_at)) {
        fail_at += fail_at < EXHAUSTIVE ? 1 : fail_at / 10;
        runs++;
    }
    printf("%d runs; the compiler makes fewer than %llu allocations\n", runs, (unsigned long long)fail_at);
    return remove("m.c") == 0 && remove("m.h") == 0 && rmdir(folder) == 0 ? 0 : 1;
}
