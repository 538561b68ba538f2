/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of tokenizer files as the stage of a pack that names them. */
#ifndef TEST_TOKEN_FOLDER_H
#define TEST_TOKEN_FOLDER_H

#include "core/core.h"

#define TOKEN_FILES 7

typedef struct token_folder {
    itemi_pack_stage stage;
    itemi_pack_file files[TOKEN_FILES];
} token_folder;

/* Takes the files that lie there. */
void token_folder_open(token_folder *folder, const char *path);
void token_folder_close(token_folder *folder);

#endif
