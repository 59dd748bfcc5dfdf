#include "driver/cc.h"

#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

void words_add(Arena *arena, Words *words, const char *word) {
    vec_push(arena, words, arena_copy_text(arena, word, strlen(word)));
}

void words_split(Arena *arena, Words *words, const char *text) {
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        vec_push(arena, words, arena_copy_text(arena, text, length));
        text += length;
    }
}

/* ---- finding it ---- */

static bool answers(CCompiler *cc, const char *compiler) {
    cc->command.count = 0;
    words_split(cc->arena, &cc->command, compiler);
    if (cc->command.count == 0)
        return false;
    FILE *nowhere = tmpfile();
    char *const command[] = {cc->command.at[0], "--version", NULL};
    int status = process_run(command, (ProcessStreams){.output = nowhere, .quiet = true});
    if (nowhere)
        fclose(nowhere);
    return status == 0;
}

bool cc_find(CCompiler *cc) {
    const char *chosen = getenv("CC");
    if (chosen && *chosen != '\0') {
        if (answers(cc, chosen))
            return true;
        diag_error(cc->diag, NO_PLACE, "cannot run the C compiler `%s` that CC names", chosen);
        diag_help(cc->diag, "set CC to a C compiler, or unset it");
        return false;
    }
    if (answers(cc, "clang") || answers(cc, "cc"))
        return true;
    diag_error(cc->diag, NO_PLACE, "%s needs a C compiler, but there is neither clang nor cc", cc->purpose);
    diag_help(cc->diag, "install clang or gcc, or name another compiler in CC%s", cc->remedy);
    return false;
}

/* ---- running it ---- */

int cc_run(const CCompiler *cc, char *const *command, ProcessStreams streams) {
    int status = process_run(command, streams);
    if (process_was_interrupted(status)) {
        cc->clean(cc->context);
        process_end(status);
    }
    return status;
}

static Words copy_words(const CCompiler *cc) {
    Words command = {0};
    for (size_t i = 0; i < cc->command.count; i++)
        vec_push(cc->arena, &command, cc->command.at[i]);
    return command;
}

bool cc_option_works(const CCompiler *cc, const char *option) {
    FILE *probe = tmpfile();
    if (!probe)
        return false;
    fputs("int main(void) { return 0; }\n", probe);
    fflush(probe);
    Words command = copy_words(cc);
    words_split(cc->arena, &command, option);
    words_split(cc->arena, &command, "-x c - -o");
    words_add(cc->arena, &command, cc->scratch);
    vec_push(cc->arena, &command, NULL);
    int status = cc_run(cc, command.at, (ProcessStreams){.input = probe, .quiet = true});
    fclose(probe);
    return status == 0;
}

/* Clang's search for vectors in straight code finds none that are not there already; GCC has no such option. All are tried at once, and one
 * by one only if that fails. */
static void add_useful_options(const CCompiler *cc, bool openmp, Words *command) {
    static const char *const options[] = {"-march=native", "-fno-slp-vectorize", "-fopenmp"};
    size_t count = openmp ? 3 : 2;
    const char *all = arena_printf(cc->arena, "%s %s %s", options[0], options[1], count > 2 ? options[2] : "");
    if (cc_option_works(cc, all)) {
        words_split(cc->arena, command, all);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (cc_option_works(cc, options[i]))
            words_add(cc->arena, command, options[i]);
}

Words cc_fast_command(const CCompiler *cc, bool openmp) {
    Words command = copy_words(cc);
    words_split(cc->arena, &command, "-std=c11 -O2");
    add_useful_options(cc, openmp, &command);
    return command;
}
