/* target.h: what the cost model knows of the processor. One table of targets; the generated C still compiles everywhere. */
#ifndef NNC_PLAN_TARGET_H
#define NNC_PLAN_TARGET_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Target {
    const char *name;     /* "generic", "avx2", "avx512", "neon" */
    int vector_bytes;     /* 16, 32, 64 */
    int vector_registers; /* 16 or 32 */
    int latency; /* cycles from a multiply-add to one that needs its result, where two (of 512 bits: one) begin in a cycle */
    int margin;  /* cycles that a tile should have besides, where it can: loads and loops delay its operations */
    double part; /* cycles that loading or storing a part of a vector takes longer than a whole one */
    size_t l1_bytes, l2_bytes;
    size_t far_bytes; /* what is larger comes from memory every time */

    /* What pays there, as measured; where nothing was measured, what is simpler. */
    int ahead; /* bytes before they are read and written that loops over memory ask for lines; 0: the processor sees to it */
    bool early; /* tiles ask for the lines of their results before their sums */
    int turns;  /* vectors whose exponentials are computed together; 1: the processor overlaps those of several steps */
    bool near;  /* panels that the caches do not hold are made in the loop that reads them */
    bool
        blocks; /* rows of large sums in blocks, neighbours copied together, panels for fewer reads, last tiles as large */
    bool overlaps;   /* lines come from the second cache while sums go on: what takes longer decides sizes of tiles */
    bool broadcasts; /* operations take one number for all lanes from memory themselves */
    double unfelt;   /* the share of an entry's time that C which is shorter, and faster to compile, may cost it */

    const char *machine;  /* the macro of compilers that aim at the family; NULL: any does */
    const char *features; /* what not every processor of the family has, as in GCC's attribute `target`; "": nothing */
    const char *doc;
} Target;

enum { MOST_TARGETS = 8 };     /* of the table */
enum { CACHE_LINE = 64 };      /* bytes */
enum { DEFAULT_THREADS = 16 }; /* the most of an entry, unless the user says otherwise */

const Target *target_by_name(const char *name); /* NULL: unknown; "native" asks the machine */
size_t target_count(void);
const Target *target_at(size_t i);

#endif
