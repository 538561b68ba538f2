/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan that is killed at random moments and begun again comes to the same index as one that is
 * not: nothing is lost, nothing is there twice. Files are moved, deleted and changed between.
 */
#include <signal.h>
#include <sys/wait.h>

#include "indexes.h"

#define PICTURES 90
#define KILLS    20

static void put_some(const world *w, uint32_t from, uint32_t to)
{
    char name[32];
    for (uint32_t i = from; i < to; i++) {
        snprintf(name, sizeof name, "%03u.png", i);
        put_picture(w, name, i / 2); /* each has a copy */
    }
}

/* Half of the pictures are known, then some of them move, go or change, and others come. */
static void begin_a_folder(world *w)
{
    put_some(w, 0, PICTURES / 2);
    scan(w);
    char *from = inside(w, "004.png"), *to = inside(w, "moved.png");
    assert_int_equal(rename(from, to), 0);
    free(from);
    free(to);
    remove_file(w, "008.png"); /* it has a copy */
    remove_file(w, "010.png");
    remove_file(w, "011.png");
    put_text(w, "012.png", "broken now");
    put_some(w, PICTURES / 2, PICTURES);
}

/* Everything that an index says, without times; free() it. */
static char *all_of(world *w)
{
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    query.states = ITEM_STATE_ANSWERED | ITEM_STATE_STALE | ITEM_STATE_FAILED | ITEM_STATE_MISSING;
    assert_ok(item_index_find(w->index, &query, &rows, &err), &err);
    while (item_index_next(rows, &row, &err) == ITEM_OK && row.path)
        fprintf(out, "%s %u %s %s %d %u\n", row.path + strlen(w->folder), row.state, row.sha256,
                row.caption, row.error, row.width);
    item_index_rows_free(rows);
    fclose(out);
    return text;
}

/* A process of its own that scans; its pictures take a while. */
static pid_t scan_elsewhere(const world *w)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    world mine = {.folder = w->folder, .path = w->path};
    item_error err = ITEM_ERROR_INIT;
    open_counting(&mine, "1", NULL);
    mine.asked.pause_us = 4000;
    const char *folder = mine.folder;
    if (item_index_open(mine.path, ITEM_INDEX_CREATE, &mine.index, &err) == ITEM_OK)
        item_index_scan(mine.index, mine.ctx, &folder, 1, NULL, NULL, &err);
    _exit(err.code == ITEM_OK ? 0 : 1);
}

/* Returns how many of the scans were killed before their end. */
static int kill_again_and_again(const world *w)
{
    int killed = 0;
    srand(7);
    for (int i = 0; i < KILLS; i++) {
        int status;
        pid_t child = scan_elsewhere(w);
        usleep((useconds_t)(rand() % 30000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    }
    return killed;
}

static void kills_change_nothing(void **state)
{
    world *w = *state, *unbroken = NULL;
    begin((void **)&unbroken);
    begin_a_folder(w);
    begin_a_folder(unbroken);
    assert_true(kill_again_and_again(w) > KILLS / 4);
    scan(w);
    scan(unbroken);
    char *a = all_of(w), *b = all_of(unbroken);
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "/moved.png 1 "));
    assert_non_null(strstr(a, "/010.png 9 ")); /* missing, and the answer is kept */
    free(a);
    free(b);
    end((void **)&unbroken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {INDEX_TEST(kills_change_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
