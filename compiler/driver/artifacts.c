#include "driver/artifacts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "base/output.h"
#include "driver/process.h"

/* ---- names ---- */

const char *artifact_file(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *artifact_stem(Arena *arena, const char *path) {
    const char *file = artifact_file(path);
    const char *dot = strrchr(file, '.');
    size_t length = dot && dot != file ? (size_t)(dot - path) : strlen(path);
    return arena_copy_text(arena, path, length);
}

/* C knows no escapes in `#include "name"`. */
static bool can_be_included(const char *name) {
    for (const char *c = name; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < 0x20 || (c[0] == '?' && c[1] == '?'))
            return false;
    return true;
}

bool artifact_check_header(Diag *diag, const char *header) {
    const char *name = artifact_file(header);
    if (!can_be_included(name)) {
        diag_error(diag, NO_PLACE,
                   "the header would be called `%s`, which C cannot include: its name has a quote, a backslash, `??` "
                   "or a control character",
                   name);
        diag_help(diag, "choose another name for the C file: `-o model.c`");
        return false;
    }
    return true;
}

/* Standard output, a device or a pipe: nothing is written beside it, and it takes any number of texts. */
static bool is_stream(const char *path) {
    struct stat status;
    return strcmp(path, "-") == 0 || (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode));
}

static bool is_same_file(const char *a, const char *b) {
    struct stat of_a, of_b;
    if (stat(a, &of_a) != 0 || stat(b, &of_b) != 0)
        return strcmp(a, b) == 0;
    return !is_stream(a) && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

/* "lenet.d" for "lenet.c", or as -MF says; NULL: no make rule is written. */
static const char *dependency_path(Arena *arena, const Options *options, const char *output) {
    if (!options->dependencies)
        return NULL;
    return options->dependency_file ? options->dependency_file
                                    : arena_printf(arena, "%s.d", artifact_stem(arena, output));
}

/* A file that is read or written, and how it is called. */
typedef struct NamedFile {
    const char *name, *path;
} NamedFile;

typedef VEC(NamedFile) FileList;

static void add_file(Arena *arena, FileList *files, const char *name, const char *path) {
    if (path)
        vec_push(arena, files, ((NamedFile){name, path}));
}

/* Several processors need several files. */
static bool check_family(const Options *options, Diag *diag, const char *output) {
    if (options->targets.count > 1 && is_stream(output)) {
        diag_error(diag, NO_PLACE, "several processors need several files, but the output `%s` is none", output);
        diag_help(diag, "name the first one, as in `-o model.c`; the others stand beside it");
        return false;
    }
    return true;
}

bool artifacts_check_paths(Arena *arena, const Options *options, Diag *diag, const char *output) {
    if (!check_family(options, diag, output))
        return false;
    bool from_stdin = strcmp(options->input, "-") == 0;
    bool has_header = options->emit == EMIT_C && options->dump == DUMP_NONE && !is_stream(output);
    const char *rule = dependency_path(arena, options, output);
    FileList files = {0};
    add_file(arena, &files, "the model", from_stdin ? NULL : options->input);
    add_file(arena, &files, "the checkpoint", options->weights);
    size_t read = files.count;
    add_file(arena, &files, "the output", output);
    for (size_t i = 0; i < options->targets.count && options->targets.count > 1; i++) {
        const Target *target = options->targets.at[i];
        const char *name = arena_printf(arena, "the file for %s", target->name);
        add_file(arena, &files, name, artifact_variant(arena, output, target));
    }
    add_file(arena, &files, "the header", has_header ? artifact_header(arena, output) : NULL);
    add_file(arena, &files, "the make rule", rule);
    for (size_t written = read; written < files.count; written++) {
        for (size_t other = 0; other < written; other++) {
            const NamedFile *a = &files.at[other], *b = &files.at[written];
            if (is_same_file(a->path, b->path)) {
                diag_error(diag, NO_PLACE, "%s and %s would be one file, `%s`", a->name, b->name, b->path);
                diag_help(diag, "choose another name, as in `%s`", b->path == rule ? "-MF model.d" : "-o model.c");
                return false;
            }
        }
    }
    return true;
}

const char *artifact_output(Arena *arena, const Options *options) {
    static const char *const endings[] = {[EMIT_C] = "c", [EMIT_DOT] = "dot", [EMIT_SVG] = "svg"};
    if (options->output)
        return options->output;
    bool from_stdin = strcmp(options->input, "-") == 0;
    const char *stem = from_stdin ? "model" : artifact_stem(arena, artifact_file(options->input));
    if (options->command != COMMAND_COMPILE && !can_be_included(stem))
        stem = "model"; /* nobody sees it */
    return arena_printf(arena, "%s.%s", stem, endings[options->emit]);
}

const char *artifact_header(Arena *arena, const char *output) {
    return arena_printf(arena, "%s.h", is_stream(output) ? "model" : artifact_stem(arena, output));
}

const char *artifact_variant(Arena *arena, const char *output, const Target *target) {
    const char *stem = artifact_stem(arena, output);
    return arena_printf(arena, "%s_%s%s", stem, target->name, output + strlen(stem));
}

/* ---- content ---- */

bool artifact_write(Arena *arena, Diag *diag, const char *path, const char *text, size_t length) {
    const char *message = NULL;
    Output *output = output_open(arena, path, &message);
    if (output)
        output_write(output, text, length);
    if (!output || !output_commit(output, &message)) {
        diag_error(diag, NO_PLACE, "%s", message);
        return false;
    }
    return true;
}

static bool write_text(const Compilation *compilation, const char *path, const Text *text) {
    return artifact_write(compilation->arena, compilation->diag, path, text_get(text), text_length(text));
}

/* What Graphviz makes of the drawing; NULL: reported. */
static Text *draw(const Compilation *compilation, FILE *input, FILE *output) {
    char *const command[] = {"dot", "-Tsvg", NULL};
    const Text *dot = compilation->source;
    fwrite(text_get(dot), 1, text_length(dot), input);
    if (fflush(input) != 0) {
        diag_error(compilation->diag, NO_PLACE, "cannot write a temporary file: %s", strerror(errno));
        return NULL;
    }
    int status = process_run(command, (ProcessStreams){.input = input, .output = output});
    if (status == PROCESS_NOT_FOUND) {
        diag_error(compilation->diag, NO_PLACE, "cannot run `dot` to draw the network: %s", strerror(errno));
        diag_help(compilation->diag, "install Graphviz, or write the drawing's text with --emit=dot");
        return NULL;
    }
    if (process_was_interrupted(status))
        process_end(status);
    if (status != 0) {
        diag_error(compilation->diag, NO_PLACE, "`dot` failed with status %d", status);
        return NULL;
    }
    Text *svg = text_new(compilation->arena);
    char part[4096];
    rewind(output);
    for (size_t count; (count = fread(part, 1, sizeof part, output)) > 0;)
        text_add_bytes(svg, part, count);
    return svg;
}

static bool write_svg(const Compilation *compilation, const char *path) {
    FILE *input = tmpfile(), *output = tmpfile();
    Text *svg = NULL;
    if (input && output)
        svg = draw(compilation, input, output);
    else
        diag_error(compilation->diag, NO_PLACE, "cannot make a temporary file: %s", strerror(errno));
    if (input)
        fclose(input);
    if (output)
        fclose(output);
    return svg && write_text(compilation, path, svg);
}

/* A file's name in a make rule: blanks, `#` and `$` are escaped. */
static void rule_add(Text *rule, const char *path) {
    for (; *path != '\0'; path++) {
        text_add(rule, *path == ' ' || *path == '#' ? "\\" : *path == '$' ? "$" : "");
        text_add_bytes(rule, path, 1);
    }
}

static bool write_dependencies(const Compilation *compilation, const char *output) {
    Arena *arena = compilation->arena;
    const char *path = dependency_path(arena, compilation->options, output);
    Text *rule = text_new(arena);
    rule_add(rule, output);
    for (size_t i = 0; i < compilation->variants.count; i++) {
        text_add(rule, " ");
        rule_add(rule, compilation->variants.at[i].path);
    }
    if (compilation->header) {
        text_add(rule, " ");
        rule_add(rule, artifact_header(arena, output));
    }
    text_add(rule, ": ");
    rule_add(rule, compilation->options->input);
    const char *others[] = {compilation->options->weights, compilation->tuning_path};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i]) {
            text_add(rule, " ");
            rule_add(rule, others[i]);
        }
    }
    text_add(rule, "\n");
    return write_text(compilation, path, rule);
}

bool artifacts_write(const Compilation *compilation, const char *output) {
    const Options *options = compilation->options;
    for (size_t i = 0; i < compilation->variants.count; i++)
        if (!write_text(compilation, compilation->variants.at[i].path, compilation->variants.at[i].source))
            return false;
    if (options->emit == EMIT_SVG) {
        if (!write_svg(compilation, output))
            return false;
    } else if (!write_text(compilation, output, compilation->source)) {
        return false;
    }
    if (compilation->header && !is_stream(output) &&
        !write_text(compilation, artifact_header(compilation->arena, output), compilation->header))
        return false;
    return !options->dependencies || write_dependencies(compilation, output);
}
