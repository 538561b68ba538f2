/* SPDX-License-Identifier: Apache-2.0 */
/* What a head says of each row of a data set. */
#include "train/eval.h"

bool itemi_answers_reserve(itemi_answers *answers, size_t rows)
{
    answers->score = itemi_alloc_array(NULL, rows, sizeof *answers->score);
    answers->verdict = itemi_alloc_array(NULL, rows, sizeof *answers->verdict);
    answers->reason = itemi_alloc_array(NULL, rows, sizeof *answers->reason);
    return answers->score && answers->verdict && answers->reason;
}

void itemi_answers_free(itemi_answers *answers)
{
    itemi_free(NULL, answers->score);
    itemi_free(NULL, answers->verdict);
    itemi_free(NULL, answers->reason);
    *answers = (itemi_answers){.score = NULL};
}

void itemi_evidence_of(const item_dataset *data, size_t row, const float *features, size_t count,
                       itemi_evidence *out)
{
    const itemi_record *record = &data->record[row];
    itemi_evidence_init(out, features, count);
    out->short_side = itemi_record_short_side(record);
    out->caption_logprob = record->caption_logprob;
    out->caption_empty = (record->flags & ITEM_ROW_CAPTION_EMPTY) != 0;
    out->caption_looping = (record->flags & ITEM_ROW_CAPTION_LOOPING) != 0;
    out->plain = record->plain;
    out->callers_caption = data->callers_captions;
    out->pipeline = data->pipeline;
}
