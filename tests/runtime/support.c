#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

int enter_folder(void **state) {
    /* In memory where that is possible: files are synchronised, and there are many. */
    char memory[] = "/dev/shm/nnrt-test-XXXXXX", disk[] = "/tmp/nnrt-test-XXXXXX";
    const char *name = mkdtemp(memory) != NULL ? memory : mkdtemp(disk);
    assert_non_null(name);
    assert_int_equal(chdir(name), 0);
    *state = strdup(name);
    return 0;
}

int leave_folder(void **state) {
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            remove(entry->d_name);
    closedir(folder);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(*state), 0);
    free(*state);
    return 0;
}

void write_file(const char *path, const void *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

void write_text(const char *path, const char *text) {
    write_file(path, text, strlen(text));
}

void write_gzip(const char *path, const void *bytes, size_t count) {
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)count), count);
    assert_int_equal(gzclose(file), Z_OK);
}

char *read_whole(const char *path, size_t *count) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = calloc(size + 1, 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    if (count != NULL)
        *count = size;
    return bytes;
}

void assert_same_files(const char *a, const char *b) {
    size_t a_count = 0, b_count = 0;
    char *a_bytes = read_whole(a, &a_count), *b_bytes = read_whole(b, &b_count);
    assert_int_equal(a_count, b_count);
    assert_memory_equal(a_bytes, b_bytes, a_count);
    free(a_bytes);
    free(b_bytes);
}

void assert_contains(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

void assert_file_text(const char *path, const char *text) {
    char *bytes = read_whole(path, NULL);
    assert_string_equal(bytes, text);
    free(bytes);
}

void assert_no_file_like(const char *part) {
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strstr(entry->d_name, part) != NULL)
            fail_msg("the file %s was left behind", entry->d_name);
    closedir(folder);
}

void write_linear_data(int rows) {
    FILE *file = fopen("train.csv", "w");
    assert_non_null(file);
    fprintf(file, "x1,x2,x3,y\n");
    for (int i = 0; i < rows; i++) {
        double x1 = (i * 37 % 101) / 50.0 - 1.0, x2 = (i * 53 % 89) / 44.0 - 1.0, x3 = (i * 71 % 97) / 48.0 - 1.0;
        fprintf(file, "%.6f,%.6f,%.6f,%.6f\n", x1, x2, x3, 2.0 * x1 - x2 + 0.5 * x3 + 1.0);
    }
    assert_int_equal(fclose(file), 0);
}
