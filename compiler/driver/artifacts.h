/* artifacts.h: the files that nnc writes: names and content. */
#ifndef NNC_DRIVER_ARTIFACTS_H
#define NNC_DRIVER_ARTIFACTS_H

#include "driver/pipeline.h"

/* The path without the ending of its last part: "a.b/m" for "a.b/m.nn", ".nn" for ".nn". */
const char *artifact_stem(Arena *arena, const char *path);
/* The output's name: as given, or the model's stem with the ending of what is emitted. */
const char *artifact_output(Arena *arena, const Options *options);
/* "out/lenet.h" for "out/lenet.c". */
const char *artifact_header(Arena *arena, const char *output);
/* "out/lenet_avx2.c" for "out/lenet.c": the file of one processor of several. */
const char *artifact_variant(Arena *arena, const char *output, const Target *target);
/* Can the C file include a header of this name? false: reported. */
bool artifact_check_header(Diag *diag, const char *header);
/* Is none of the files that are to be written the model, or another of them, and are there files where several are needed? false: reported. */
bool artifacts_check_paths(Arena *arena, const Options *options, Diag *diag, const char *output);
/* "lenet.c" for "out/lenet.c". */
const char *artifact_file(const char *path);

/* Writes `text` as a whole or not at all. false: reported. */
bool artifact_write(Arena *arena, Diag *diag, const char *path, const char *text, size_t length);

/* Writes what the compilation made, and the make rule if it was asked for. false: reported. */
bool artifacts_write(const Compilation *compilation, const char *output);

#endif
