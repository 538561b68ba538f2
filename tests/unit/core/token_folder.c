/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the files of a tokenizer in a folder, by the names that they are published under. */
#include "token_folder.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[TOKEN_FILES][2] = {
    {"tokenizer", "tokenizer.json"},
    {"vocab", "vocab.json"},
    {"vocab", "vocab.txt"},
    {"merges", "merges.txt"},
    {"tokenizer_config", "tokenizer_config.json"},
    {"special_tokens_map", "special_tokens_map.json"},
    {"added_tokens", "added_tokens.json"},
};

void token_folder_open(token_folder *folder, const char *path)
{
    memset(folder, 0, sizeof *folder);
    folder->stage.files = folder->files;
    for (size_t i = 0; i < TOKEN_FILES; i++) {
        itemi_pack_file *file = &folder->files[folder->stage.count];
        itemi_buf whole;
        itemi_buf_init(&whole, NULL);
        itemi_buf_printf(&whole, "%s/%s", path, names[i][1]);
        file->path = itemi_buf_take(&whole);
        if (!file->path || stat(file->path, &file->facts) != 0) {
            itemi_free(NULL, file->path);
            continue;
        }
        file->role = names[i][0];
        file->name = names[i][1];
        file->bytes = (uint64_t)file->facts.st_size;
        file->sha256 = "";
        folder->stage.count++;
    }
}

void token_folder_close(token_folder *folder)
{
    for (size_t i = 0; i < folder->stage.count; i++)
        itemi_free(NULL, folder->files[i].path);
}
