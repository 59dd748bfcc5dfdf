#include "plan/target.h"

#include <string.h>

#define AVX2 "sse4.1,avx,avx2,fma"

/* Name; vector, registers; latency, margin, part; caches, ahead; turns, near, blocks, unfelt, broadcasts; machine, features. */
static const Target targets[] = {
    {"generic", 32, 16, 5, 1, 2, 32 << 10, 512 << 10, 8 << 20, 0, 1, true, true, 0.004, false, NULL, "",
     "any processor; tiles for 16 registers"},
    {"avx2", 32, 16, 5, 1, 2, 32 << 10, 512 << 10, 16 << 20, 2048, 4, true, true, 0.004, false, "__x86_64__", AVX2,
     "x86-64 with AVX2 and FMA"},
    {"avx512", 64, 32, 4, 0, 0, 32 << 10, 1 << 20, 32 << 20, 0, 1, true, false, 0.004, true, "__x86_64__",
     AVX2 ",avx512f,avx512bw,avx512dq,avx512vl", "x86-64 with AVX-512"},
    {"neon", 16, 32, 4, 0, 2, 64 << 10, 1 << 20, 16 << 20, 0, 1, false, false, 0, false, "__aarch64__", "", "AArch64"},
};

_Static_assert(sizeof targets / sizeof targets[0] <= MOST_TARGETS, "MOST_TARGETS is too small");

size_t target_count(void) {
    return sizeof targets / sizeof targets[0];
}

const Target *target_at(size_t i) {
    return &targets[i];
}

/* What this compiler runs on, which is what the generated C is usually built for. */
static const char *native_name(void) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512f"))
        return "avx512";
    if (__builtin_cpu_supports("avx2"))
        return "avx2";
    return "generic";
#elif defined(__aarch64__)
    return "neon";
#else
    return "generic";
#endif
}

const Target *target_by_name(const char *name) {
    if (strcmp(name, "native") == 0)
        name = native_name();
    for (size_t i = 0; i < target_count(); i++)
        if (strcmp(targets[i].name, name) == 0)
            return &targets[i];
    return NULL;
}
