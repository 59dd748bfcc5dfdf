/* embedded.h: the files that the compiler carries inside, made by the build from their folders.
 *
 *   embedded_prelude   the .nn files of compiler/prelude: the standard library of the language
 *   embedded_inline    the headers of runtime/inline: C that is copied into the generated file
 *
 * The files are in the order of their names. Each text ends with a NUL that is not part of its length.
 */
#ifndef NNC_BASE_EMBEDDED_H
#define NNC_BASE_EMBEDDED_H

#include <stddef.h>

typedef struct EmbeddedFile {
    const char *name; /* without a folder: "layers.nn" */
    const char *text;
    size_t length;
} EmbeddedFile;

extern const EmbeddedFile embedded_prelude[];
extern const size_t embedded_prelude_count;
extern const EmbeddedFile embedded_inline[];
extern const size_t embedded_inline_count;

#endif
