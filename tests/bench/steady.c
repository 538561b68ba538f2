/* SPDX-License-Identifier: Apache-2.0 */
/* Memory over many pictures: what is resident after the 200th must still be so at the end. */
#include <stdio.h>

#include "bench.h"

#define SETTLED 200 /* buffers have their sizes by then */

void bench_steady(const bench *b, size_t pictures)
{
    size_t refused = 0;
    double settled = 0, most = 0;
    for (size_t i = 0; i < pictures; i++) {
        item_error err = ITEM_ERROR_INIT;
        item_result *result = NULL;
        if (item_check_file(b->ctx, b->files[i % b->count], NULL, &result, &err) != ITEM_OK &&
            refused++ == 0)
            printf("refused first: %s\n", err.message);
        item_result_unref(result);
        double now = bench_rss_mb();
        if (i + 1 == SETTLED)
            settled = now;
        if ((i + 1) % SETTLED == 0)
            printf("  picture %5zu  %7.1f MB\n", i + 1, now);
        most = i + 1 > SETTLED && now > most ? now : most;
    }
    printf("%zu pictures, %zu of them refused\n", pictures, refused);
    printf("resident at the end %.1f MB", bench_rss_mb());
    if (pictures > SETTLED)
        printf(", after picture %d %.1f MB, at most %.1f MB since", SETTLED, settled, most);
    putchar('\n');
}
