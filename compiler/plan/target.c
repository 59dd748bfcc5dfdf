#include "plan/target.h"

#include <string.h>

#define AVX2 "sse4.1,avx,avx2,fma"

static const Target targets[] = {
    {.name = "generic",
     .vector_bytes = 32,
     .vector_registers = 16,
     .latency = 5,
     .margin = 1,
     .part = 2,
     .l1_bytes = 32 << 10,
     .l2_bytes = 512 << 10,
     .far_bytes = 8 << 20,
     .turns = 1,
     .near = true,
     .blocks = true,
     .unfelt = 0.004,
     .features = "",
     .doc = "any processor; tiles for 16 registers"},
    {.name = "avx2",
     .vector_bytes = 32,
     .vector_registers = 16,
     .latency = 5,
     .margin = 1,
     .part = 2,
     .l1_bytes = 32 << 10,
     .l2_bytes = 512 << 10,
     .far_bytes = 16 << 20,
     .ahead = 2048,
     .early = true,
     .turns = 4,
     .near = true,
     .blocks = true,
     .unfelt = 0.004,
     .machine = "__x86_64__",
     .features = AVX2,
     .doc = "x86-64 with AVX2 and FMA"},
    {.name = "avx512",
     .vector_bytes = 64,
     .vector_registers = 32,
     .latency = 4,
     .l1_bytes = 32 << 10,
     .l2_bytes = 1 << 20,
     .far_bytes = 32 << 20,
     .early = true,
     .turns = 4,
     .near = true,
     .overlaps = true,
     .broadcasts = true,
     .unfelt = 0.004,
     .machine = "__x86_64__",
     .features = AVX2 ",avx512f,avx512bw,avx512dq,avx512vl",
     .doc = "x86-64 with AVX-512"},
    {.name = "neon",
     .vector_bytes = 16,
     .vector_registers = 32,
     .latency = 4,
     .part = 2,
     .l1_bytes = 64 << 10,
     .l2_bytes = 1 << 20,
     .far_bytes = 16 << 20,
     .turns = 1,
     .machine = "__aarch64__",
     .features = "",
     .doc = "AArch64"},
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
