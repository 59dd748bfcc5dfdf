#include "driver/help.h"

#include <string.h>
#include "driver/options.h"

/* Columns of the help page: where explanations start, and where lines end. */
enum { HELP_INDENT = 28, HELP_WIDTH = 100 };

/* Words of `doc`, broken into lines; the first one starts at `column`. */
static void print_wrapped(Text *out, const char *doc, size_t column) {
    while (*doc != '\0') {
        size_t width = strcspn(doc, " ");
        if (column + 1 + width > HELP_WIDTH) {
            text_printf(out, "\n%*s", HELP_INDENT, "");
            column = HELP_INDENT;
        } else if (column > HELP_INDENT) {
            text_add(out, " ");
            column++;
        }
        text_add_bytes(out, doc, width);
        column += width;
        doc += width + strspn(doc + width, " ");
    }
    text_add(out, "\n");
}

static void print_entry(Text *out, const char *entry, const char *doc) {
    size_t width = strlen(entry) + 2;
    text_printf(out, "  %s", entry);
    if (width + 2 > HELP_INDENT)
        text_printf(out, "\n%*s", HELP_INDENT, "");
    else
        text_printf(out, "%*s", HELP_INDENT - (int)width, "");
    print_wrapped(out, doc, HELP_INDENT);
}

/* "-o, --output FILE", "--dump=ast|graph", "-MD". */
static const char *option_spelling(Arena *arena, const OptionRow *row) {
    bool is_long = strncmp(row->name, "--", 2) == 0;
    const char *letter = row->letter ? arena_printf(arena, "-%c, ", row->letter) : "";
    const char *argument = row->argument ? arena_printf(arena, "%s%s", is_long ? "=" : " ", row->argument) : "";
    return arena_printf(arena, "%s%s%s", letter, row->name, argument);
}

void help_print(Arena *arena, Text *out) {
    text_add(out, "nnc compiles a neural network, described in one small file, to C that predicts and "
                  "trains.\n\n"
                  "  nnc [OPTION...] MODEL.nn [-o MODEL.c]\n"
                  "  nnc COMMAND [OPTION...] MODEL.nn [ARGUMENT...]\n\n"
                  "Commands: compile, build with the C compiler and run in one step; the arguments "
                  "are the program's\n");
    for (size_t i = 0; i < command_row_count; i++)
        print_entry(out, command_rows[i].word, command_rows[i].doc);
    for (size_t i = 0; i < option_row_count; i++) {
        const OptionRow *row = &option_rows[i];
        if (row->group)
            text_printf(out, "\n%s\n", row->group);
        else
            print_entry(out, option_spelling(arena, row), row->doc);
    }
}

/* Text that stands in roff: minus signs and backslashes are escaped, and no line may start with a dot or a quote. */
static void roff_add(Text *out, const char *text) {
    if (*text == '.' || *text == '\'')
        text_add(out, "\\&");
    for (; *text != '\0'; text++) {
        if (*text == '-' || *text == '\\')
            text_add(out, "\\");
        text_add_bytes(out, text, 1);
    }
}

static void roff_entry(Text *out, const char *entry, const char *doc) {
    text_add(out, ".TP\n.B ");
    roff_add(out, entry);
    text_add(out, "\n");
    roff_add(out, doc);
    text_add(out, "\n");
}

static const char manual_head[] =
    ".TH NNC 1 \"\" \"nnc " NNC_VERSION "\"\n"
    ".SH NAME\n"
    "nnc \\- compile a neural network to C\n"
    ".SH SYNOPSIS\n"
    ".B nnc\n[\\fIoption\\fR...] \\fImodel.nn\\fR [\\fB\\-o\\fR \\fImodel.c\\fR]\n"
    ".br\n"
    ".B nnc\n\\fIcommand\\fR [\\fIoption\\fR...] \\fImodel.nn\\fR [\\fIargument\\fR...]\n"
    ".SH DESCRIPTION\n"
    "nnc reads the description of a neural network and writes one C file and its header, "
    "specialised "
    "to that network: they predict, compute the loss and its gradient, and train. With a command "
    "it "
    "compiles, builds with the C compiler and runs in one step.\n"
    ".SH COMMANDS\n"
    "What follows the model is passed on to the program.\n";

static const char manual_tail[] =
    ".SH EXIT STATUS\n"
    "0 when all went well, 1 when the model, the options or the files are at fault, 70 when the "
    "compiler is. With a command: the status of the program.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B CC\nThe C compiler of the commands and of \\-\\-tune, with options if need be; default: clang, else "
    "cc.\n"
    ".TP\n.B XDG_CACHE_HOME\nHolds the folder nnc with the programs that the commands built; "
    "default: "
    "~/.cache. It may be removed at any time.\n"
    ".TP\n.B TMPDIR\nThe folder for the programs that \\-\\-tune builds and removes; default: /tmp.\n"
    ".TP\n.B OMP_NUM_THREADS\nHow many threads a program of the commands has at most; default: one for each core.\n"
    ".TP\n.B OMP_WAIT_POLICY\nThe commands set it to passive, unless it, GOMP_SPINCOUNT or KMP_BLOCKTIME is set: "
    "threads "
    "that wait then leave their core to others. On a machine that does nothing else, active may be faster.\n";

void manual_print(Arena *arena, Text *out) {
    text_add(out, manual_head);
    for (size_t i = 0; i < command_row_count; i++)
        roff_entry(out, command_rows[i].word, command_rows[i].doc);
    text_add(out, ".SH OPTIONS\n");
    for (size_t i = 0; i < option_row_count; i++) {
        const OptionRow *row = &option_rows[i];
        if (row->group)
            text_printf(out, ".SS %s\n", row->group);
        else
            roff_entry(out, option_spelling(arena, row), row->doc);
    }
    text_add(out, manual_tail);
}
