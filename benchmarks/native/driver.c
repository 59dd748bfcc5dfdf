/* Runs one compiled model on command, so that the harness can interleave it with other contenders.
 *
 * Compiled once for each model, with -DCASE_GLUE="case.h". The harness writes that file; it includes the model's header and defines
 *
 *     CASE(name)          the model's functions: CASE(predict) is lenet_predict
 *     CASE_INPUTS(EACH)   EACH(name, type, count) for each input, in the model's order
 *     CASE_TARGETS(EACH)  the same for the targets
 *     CASE_OUTPUTS(EACH)  and for the outputs, where it predicts
 *     CASE_PARAMETERS     how many tensors the parameters are
 *     CASE_WORKSPACE      bytes
 *     CASE_TRAINS         1 when the program trains
 *     CASE_PREDICTS       1 when it predicts
 *     CASE_PREPARES       1 when predictions read prepared parameters
 *
 * The folder in argv[1] holds a raw file for each tensor, named as in the model. Commands, one a line, each answered by one line:
 *
 *     load        reads parameters and data, starts the optimizer anew          -> ok
 *     train N     N training steps                                              -> seconds S loss L (of the last step)
 *     predict N   N predictions                                                 -> seconds S
 *     save DIR    writes parameters and outputs as raw files                    -> ok
 *     memory      resident memory: at the start, and the most since             -> base_kib B peak_kib P
 */
#include CASE_GLUE

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef CASE(params) Params;
#if CASE_TRAINS
typedef CASE(state) State;
#endif
#if CASE_PREPARES
typedef CASE(prepared) Prepared;
#else
typedef Params Prepared;
#endif

#define FIELD(name, type, count) type *name;
#define ALLOCATE(name, type, count) session->data.name = allocate(sizeof(type) * (count));
#define READ(name, type, count) read_file(session->folder, #name, session->data.name, sizeof(type) * (count));
#define WRITE(name, type, count) write_file(folder, #name, session->data.name, sizeof(type) * (count));
#define PASS(name, type, count) session->data.name,

typedef struct Session {
    const char *folder;
    Params *params;
#if CASE_TRAINS
    State *state;
#endif
    Prepared *prepared; /* what predictions read */
    struct {
        CASE_INPUTS(FIELD)
        CASE_TARGETS(FIELD)
        CASE_OUTPUTS(FIELD)
        char *end; /* a model may have none of a kind, but a struct wants a member */
    } data;
    void *workspace;
    long base_kib;
} Session;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("error ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    exit(1);
}

/* Whole cache lines, as the workspace wants them. */
static void *allocate(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (!memory)
        fail("no memory for %zu bytes", bytes);
    return memory;
}

static FILE *open_file(const char *folder, const char *name, const char *mode) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.raw", folder, name);
    FILE *file = fopen(path, mode);
    if (!file)
        fail("cannot open %s", path);
    return file;
}

static void read_file(const char *folder, const char *name, void *memory, size_t bytes) {
    FILE *file = open_file(folder, name, "rb");
    if (fread(memory, 1, bytes, file) != bytes || fgetc(file) != EOF)
        fail("%s/%s.raw does not have the %zu bytes that the model wants", folder, name, bytes);
    fclose(file);
}

static void write_file(const char *folder, const char *name, const void *memory, size_t bytes) {
    FILE *file = open_file(folder, name, "wb");
    if (fwrite(memory, 1, bytes, file) != bytes || fclose(file) != 0)
        fail("cannot write %s/%s.raw", folder, name);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A figure of /proc/self/status in KiB. */
static long status_kib(const char *key) {
    long kib = 0;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtol(line + strlen(key) + 1, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* The memory of the commands themselves: what every process has is not counted. */
static void forget_peak(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file) {
        fputs("5", file);
        fclose(file);
    }
}

static void load(Session *session) {
    for (int i = 0; i < CASE_PARAMETERS; i++) {
        const CASE(tensor_info) *info = &CASE(params_info)[i];
        read_file(session->folder, info->name, (char *)session->params + info->offset, info->bytes);
    }
    CASE_INPUTS(READ)
    CASE_TARGETS(READ)
#if CASE_TRAINS
    CASE(state_init)(session->state, 1, 1000000000);
#endif
#if CASE_PREPARES
    CASE(prepare)(session->params, session->prepared, session->workspace);
#endif
    puts("ok");
}

static void train(Session *session, long count) {
#if CASE_TRAINS
    double loss = 0;
    double start = seconds_now();
    for (long i = 0; i < count; i++) {
        loss = (double)CASE(train_step)(session->params, session->state,
                                        CASE_INPUTS(PASS) CASE_TARGETS(PASS) session->workspace);
    }
    printf("seconds %.9g loss %.9g\n", seconds_now() - start, loss);
#else
    (void)session;
    fail("there is no training step to run %ld times", count);
#endif
}

static void predict(Session *session, long count) {
#if CASE_PREDICTS
    double start = seconds_now();
    for (long i = 0; i < count; i++)
        CASE(predict)(session->prepared, CASE_INPUTS(PASS) CASE_OUTPUTS(PASS) session->workspace);
    printf("seconds %.9g\n", seconds_now() - start);
#else
    (void)session;
    fail("there is no prediction to run %ld times", count);
#endif
}

static void save(Session *session, const char *folder) {
    for (int i = 0; i < CASE_PARAMETERS; i++) {
        const CASE(tensor_info) *info = &CASE(params_info)[i];
        write_file(folder, info->name, (const char *)session->params + info->offset, info->bytes);
    }
    CASE_OUTPUTS(WRITE)
    puts("ok");
}

int main(int count, char **arguments) {
    if (count != 2)
        fail("usage: %s FOLDER", arguments[0]);
    Session *session = &(Session){.folder = arguments[1], .base_kib = status_kib("VmRSS")};
    forget_peak();
    session->params = allocate(sizeof *session->params);
#if CASE_TRAINS
    session->state = allocate(sizeof *session->state);
#endif
#if CASE_PREPARES
    session->prepared = allocate(sizeof *session->prepared);
#else
    session->prepared = session->params;
#endif
    session->workspace = allocate(CASE_WORKSPACE);
    CASE_INPUTS(ALLOCATE)
    CASE_TARGETS(ALLOCATE)
    CASE_OUTPUTS(ALLOCATE)

    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "load") == 0)
            load(session);
        else if (strncmp(line, "train ", 6) == 0)
            train(session, strtol(line + 6, NULL, 10));
        else if (strncmp(line, "predict ", 8) == 0)
            predict(session, strtol(line + 8, NULL, 10));
        else if (strncmp(line, "save ", 5) == 0)
            save(session, line + 5);
        else if (strcmp(line, "memory") == 0)
            printf("base_kib %ld peak_kib %ld\n", session->base_kib, status_kib("VmHWM"));
        else
            fail("unknown command: %s", line);
    }
    return 0;
}
