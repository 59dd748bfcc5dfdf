#include "driver/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "driver/artifacts.h"
#include "driver/cc.h"

/* Everything that building needs to know. */
typedef struct Build {
    const Compilation *compilation;
    Arena *arena;
    Diag *diag;
    const char *include, *library; /* the folder of nnrt.h; libnnrt.a */
    CCompiler compiler;
    const char *folder;           /* of this program in the cache */
    const char *source, *program; /* files in it */
    const char *scratch; /* a name of our own, for what is being built: a second nnc never sees half a program */
} Build;

static bool is_file(const char *path, struct stat *status) {
    return stat(path, status) == 0 && S_ISREG(status->st_mode);
}

/* ---- what is needed ---- */

/* The folder that holds the running nnc; NULL: unknown. */
static const char *own_folder(Arena *arena) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0 || (size_t)length == sizeof path)
        return NULL;
    while (length > 0 && path[length - 1] != '/')
        length--;
    return arena_copy_text(arena, path, (size_t)length);
}

/* libnnrt.a stands beside nnc where it was built, and in the neighbouring library folder where it is installed. */
static bool find_runtime(Build *build) {
    static const struct {
        const char *library, *include;
    } places[] = {
        {"../" NNC_LIBRARY_FOLDER "/libnnrt.a", "../" NNC_INCLUDE_FOLDER},
        {"libnnrt.a", "include"},
    };
    const char *folder = own_folder(build->arena);
    for (size_t i = 0; folder && i < sizeof places / sizeof *places; i++) {
        struct stat status;
        build->library = arena_printf(build->arena, "%s%s", folder, places[i].library);
        build->include = arena_printf(build->arena, "%s%s", folder, places[i].include);
        if (is_file(build->library, &status) &&
            is_file(arena_printf(build->arena, "%s/nnrt.h", build->include), &status))
            return true;
    }
    diag_error(build->diag, NO_PLACE, "cannot find the run-time library, libnnrt.a and nnrt.h, near nnc in `%s`",
               folder ? folder : "?");
    diag_help(build->diag, "install nnc as a whole: cmake --install <build folder>");
    return false;
}

/* ---- the cache ---- */

static uint64_t hash_text(uint64_t hash, const char *text) {
    return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t program_hash(const Build *build) {
    const Compilation *compilation = build->compilation;
    struct stat library = {0};
    stat(build->library, &library);
    const int64_t facts[] = {library.st_size, library.st_mtim.tv_sec, library.st_mtim.tv_nsec};
    uint64_t hash = hash_text(HASH_SEED, NNC_VERSION);
    hash = hash_text(hash, text_get(compilation->source));
    hash = hash_text(hash, text_get(compilation->header));
    hash = hash_text(hash, build->library);
    for (size_t i = 0; i < build->compiler.command.count; i++)
        hash = hash_text(hash, build->compiler.command.at[i]);
    return hash_bytes(hash, facts, sizeof facts);
}

/* Makes the folder and those that it stands in. */
static bool make_folders(Build *build, const char *path) {
    for (const char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        const char *part = arena_copy_text(build->arena, path, (size_t)(at - path));
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            diag_error(build->diag, NO_PLACE, "cannot make the folder `%s`: %s", part, strerror(errno));
            diag_help(build->diag, "name a folder for built programs in XDG_CACHE_HOME");
            return false;
        }
        if (*at == '\0')
            return true;
    }
}

static bool find_folder(Build *build) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!cache || *cache != '/') { /* the specification ignores relative paths */
        if (!home || *home != '/') {
            diag_error(build->diag, NO_PLACE,
                       "there is no folder for built programs: neither XDG_CACHE_HOME nor HOME names one");
            diag_help(build->diag, "set XDG_CACHE_HOME to the full path of a folder");
            return false;
        }
        cache = arena_printf(build->arena, "%s/.cache", home);
    }
    build->folder = arena_printf(build->arena, "%s/nnc/%016llx", cache, (unsigned long long)program_hash(build));
    const char *name = artifact_output(build->arena, build->compilation->options);
    build->source = arena_printf(build->arena, "%s/%s", build->folder, name);
    build->program = arena_printf(build->arena, "%s/%s", build->folder, build->compilation->graph->name);
    build->scratch = arena_printf(build->arena, "%s.%ld.tmp", build->program, (long)getpid());
    return make_folders(build, build->folder);
}

/* ---- building ---- */

static void remove_scratch(void *context) {
    const Build *build = context;
    unlink(build->scratch);
}

/* The command that makes the program from its source. */
static Words build_command(const Build *build) {
    Arena *arena = build->arena;
    Words command = cc_fast_command(&build->compiler, build->compilation->options->openmp);
    const char *const files[] = {"-I", build->include, "-o", build->scratch, build->source, build->library};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        words_add(arena, &command, files[i]);
    words_split(arena, &command, NNC_RUNTIME_LIBRARIES);
    vec_push(arena, &command, NULL);
    return command;
}

static bool build_program(const Build *build) {
    const Compilation *compilation = build->compilation;
    if (!artifacts_write(compilation, build->source))
        return false;
    Words command = build_command(build);
    fprintf(build->diag->out, "nnc: building `%s` with %s\n", compilation->graph->name, build->compiler.command.at[0]);
    int status = cc_run(&build->compiler, command.at, (ProcessStreams){0});
    if (status == 0 && rename(build->scratch, build->program) == 0)
        return true;
    if (status == 0) {
        diag_error(build->diag, NO_PLACE, "cannot write `%s`: %s", build->program, strerror(errno));
    } else {
        diag_error(build->diag, NO_PLACE, "`%s` could not build `%s`", build->compiler.command.at[0], build->source);
        diag_help(build->diag, "if it builds other programs, this is a bug of nnc: please report it with the model");
    }
    unlink(build->scratch);
    return false;
}

static const char *command_word(Command command) {
    for (size_t i = 0; i < command_row_count; i++)
        if (command_rows[i].command == command)
            return command_rows[i].word;
    diag_bug("run", NO_PLACE, "command %d has no row", (int)command);
}

/* A word as the shell wants it: quoted unless every character is harmless; control characters are escaped. */
static void add_word(Text *out, const char *word) {
    static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+./,:=@%";
    if (*word != '\0' && word[strspn(word, harmless)] == '\0') {
        text_add(out, word);
        return;
    }
    bool has_control = false;
    for (const char *c = word; *c; c++)
        has_control = has_control || (unsigned char)*c < 0x20 || *c == 0x7F;
    text_add(out, has_control ? "$'" : "'");
    for (const char *c = word; *c; c++) {
        if (has_control && ((unsigned char)*c < 0x20 || *c == 0x7F)) {
            text_printf(out, "\\%03o", (unsigned)*c);
        } else if (*c == '\'') {
            text_add(out, has_control ? "\\'" : "'\\''");
        } else {
            text_add(out, has_control && *c == '\\' ? "\\" : "");
            text_add_bytes(out, c, 1);
        }
    }
    text_add(out, "'");
}

/* How the program names itself in what it prints: as the user called it, not by its place in the cache. See runtime/src/options.h. */
static void set_caller(const Build *build) {
    const Options *options = build->compilation->options;
    Text *caller = text_new(build->arena);
    add_word(caller, options->program);
    for (int i = 0; i < options->given_count; i++) {
        text_add(caller, i == 0 ? "\n" : " ");
        add_word(caller, options->given[i]);
    }
    setenv("NNC_CALLER", text_get(caller), 1);
}

/* Threads that wait give up their core: those of the OpenMP libraries spin otherwise, up to 0.2 s, which on a machine with other
 * work keeps the very threads from running that they wait for. What the user has set stays. */
static void set_wait_policy(void) {
    if (!getenv("OMP_WAIT_POLICY") && !getenv("GOMP_SPINCOUNT") && !getenv("KMP_BLOCKTIME"))
        setenv("OMP_WAIT_POLICY", "passive", 1);
}

static void become_program(const Build *build) {
    const Options *options = build->compilation->options;
    Words words = {0};
    const char *word = command_word(options->command);
    words_add(build->arena, &words, build->program);
    words_add(build->arena, &words, word);
    for (char **argument = options->arguments; *argument; argument++)
        vec_push(build->arena, &words, *argument);
    vec_push(build->arena, &words, NULL);
    set_caller(build);
    set_wait_policy();
    fflush(NULL);
    execv(build->program, words.at);
    diag_error(build->diag, NO_PLACE, "cannot run `%s`: %s", build->program, strerror(errno));
}

void run_program(const Compilation *compilation) {
    Build build = {
        .compilation = compilation,
        .arena = compilation->arena,
        .diag = compilation->diag,
    };
    build.compiler = (CCompiler){
        .arena = build.arena,
        .diag = build.diag,
        .purpose = "running a model",
        .remedy = arena_printf(build.arena, "; to compile elsewhere, `nnc %s -o model.c --main`",
                               compilation->options->input),
        .clean = remove_scratch,
        .context = &build,
    };
    if (!find_runtime(&build) || !cc_find(&build.compiler) || !find_folder(&build))
        return;
    build.compiler.scratch = build.scratch;
    if (access(build.program, X_OK) == 0 || build_program(&build))
        become_program(&build);
}
