/* replay.c: runs a fuzz target on files, without a fuzzer: every file of the folders that are given.
 *
 * With "-damage" as the first argument, it also runs on every beginning of each file, and on each file with one byte changed, at
 * every place in several ways: for small files of a format with sizes and offsets.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly that size, so that a read beyond the end is seen. */
static void run_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size);
    if (copy || size == 0) {
        if (size > 0)
            memcpy(copy, data, size);
        LLVMFuzzerTestOneInput(copy, size);
    }
    free(copy);
}

static void run_damaged(uint8_t *data, size_t size) {
    static const uint8_t changes[] = {0x01, 0x02, 0x10, 0x80, 0xff};
    for (size_t i = 0; i < size; i++) {
        run_copy(data, i);
        for (size_t k = 0; k < sizeof changes; k++) {
            data[i] ^= changes[k];
            run_copy(data, size);
            data[i] ^= changes[k];
        }
    }
}

/* Reads the file and runs the target on it; false when it cannot be read. */
static int run_file(const char *path, int damage) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return 0;
    long size = ftell(file);
    rewind(file);
    uint8_t *data = size >= 0 ? malloc((size_t)size + 1) : NULL;
    int ok = data && fread(data, 1, (size_t)size, file) == (size_t)size;
    fclose(file);
    if (ok)
        run_copy(data, (size_t)size);
    if (ok && damage)
        run_damaged(data, (size_t)size);
    free(data);
    return ok;
}

/* The number of files run. */
static int run_folder(const char *folder, int damage) {
    DIR *directory = opendir(folder);
    if (!directory)
        return 0;
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[4096];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && length > 0 && (size_t)length < sizeof path)
            count += run_file(path, damage);
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv) {
    int damage = argc > 1 && strcmp(argv[1], "-damage") == 0;
    for (int i = 1 + damage; i < argc; i++) {
        int count = run_folder(argv[i], damage);
        if (count == 0) {
            fprintf(stderr, "no files in %s\n", argv[i]);
            return 1;
        }
        printf("%s: %d files\n", argv[i], count);
    }
    return argc < 2 + damage;
}
