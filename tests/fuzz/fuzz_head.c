/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: a head file, read as it is and with the right length of the header; then it judges. An
 * input that begins with "{" is the text of a head's metadata, as it stands escaped in the file.
 */
#include <math.h>
#include <stdlib.h>

#include "core/head_private.h"
#include "fuzz.h"

static void judge(const itemi_head *head, float value)
{
    const itemi_head_facts *facts = itemi_head_get_facts(head);
    float *features = calloc(facts->features + 1, sizeof *features);
    EXPECT(features != NULL);
    for (size_t i = 0; i < facts->features; i++)
        features[i] = i % 3 ? value : -value;

    item_error err = ITEM_ERROR_INIT;
    itemi_threshold threshold;
    EXPECT(itemi_head_threshold(head, "fpr5", &threshold, &err) == ITEM_OK);
    itemi_evidence evidence;
    itemi_evidence_init(&evidence, features, facts->features);
    evidence.short_side = 224;
    evidence.prior = 0.1;
    itemi_judgement judgement;
    item_status status = itemi_head_judge(head, &evidence, &threshold, &judgement, &err);
    EXPECT(err.code == status);
    if (status == ITEM_OK) {
        EXPECT(isfinite(judgement.score));
        EXPECT(judgement.probability >= 0 && judgement.probability <= 1);
        EXPECT(judgement.verdict >= ITEM_VERDICT_REAL && judgement.verdict <= ITEM_VERDICT_AI);
    }
    free(features);
}

static void parse(const uint8_t *data, size_t size)
{
    item_error err = ITEM_ERROR_INIT;
    itemi_head *head = NULL;
    item_status status = itemi_head_parse(NULL, data, size, "fuzz", &head, &err);
    fuzz_outcome(status, head, &err);
    if (status != ITEM_OK)
        return;
    char *json = itemi_head_facts_json(head);
    fuzz_text(json);
    itemi_free(NULL, json);
    judge(head, 0.0625f);
    judge(head, 3e38f);
    itemi_head_free(head);
}

static void read_facts(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size), *trained_on;
    item_error err = ITEM_ERROR_INIT;
    itemi_head_facts facts;
    item_status status = itemi_head_facts_read(NULL, text, "fuzz", &facts, &trained_on, &err);
    EXPECT(err.code == status);
    if (status == ITEM_OK) {
        fuzz_text(facts.embedder);
        fuzz_text(facts.pipeline);
        fuzz_text(facts.trained_on);
        (void)itemi_head_facts_check(&facts, "fuzz", &err);
    }
    json_decref(facts.trained_sources);
    itemi_free(NULL, trained_on);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_headers(parse, data, size);
    if (size > 0 && data[0] == '{')
        read_facts(data, size);
    return 0;
}
