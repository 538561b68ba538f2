/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a fuzz target with each file of folders, where libFuzzer is not built in. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

/* False when the file cannot be read. */
static int replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data =
        malloc(size ? size : 1); /* of the file's own size: the sanitizers see its end */
    int read = file && data && fread(data, 1, size, file) == size;
    if (file)
        fclose(file);
    if (read)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return read;
}

/* How many files were read; -1 when one could not be. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    int count = dir ? 0 : -1;
    for (struct dirent *entry; count >= 0 && (entry = readdir(dir)) != NULL;) {
        char path[4096];
        struct stat facts;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode))
            continue;
        fprintf(stderr, "%s\n", path); /* the last one is to blame for a crash */
        count = replay_file(path, (size_t)facts.st_size) ? count + 1 : -1;
    }
    if (dir)
        closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);
        if (count < 0) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return 1;
        }
        total += count;
    }
    printf("%d files\n", total);
    return total == 0;
}
