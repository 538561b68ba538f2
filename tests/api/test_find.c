/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to an index, and what they find. */
#include <sys/wait.h>

#include "indexes.h"

static void rows_have_what_is_known(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    put_picture(w, "a.png", 1);
    put_text(w, "b.png", "no picture");
    scan(w);
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    query.states |= ITEM_STATE_FAILED;
    assert_ok(item_index_find(w->index, &query, &rows, &err), &err);
    assert_ok(item_index_next(rows, &row, &err), &err);
    assert_int_equal(row.state, ITEM_STATE_ANSWERED);
    assert_int_equal(row.width, 60);
    assert_int_equal(row.height, 50);
    assert_int_equal(row.modified, 1700000000);
    assert_int_equal(row.taken, 1700000000);
    assert_int_equal(strlen(row.sha256), 64);
    assert_true(*row.caption);
    char start[600];
    snprintf(start, sizeof start, "{\"file\":\"%s\",\"width\":60", row.path);
    assert_memory_equal(row.json, start, strlen(start));
    assert_ok(item_index_next(rows, &row, &err), &err);
    assert_int_equal(row.state, ITEM_STATE_FAILED);
    assert_int_equal(row.error, ITEM_E_FORMAT);
    assert_non_null(strstr(row.message, "b.png: not a picture: a text"));
    assert_non_null(strstr(row.json, "\"error\":{\"code\":\"ITEM_E_FORMAT\",\"message\":\""));
    assert_ok(item_index_next(rows, &row, &err), &err);
    assert_null(row.path);
    item_index_rows_free(rows);
}

static void words_find_captions(void **state)
{
    world *w = *state;
    char name[32];
    for (uint32_t i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "%02u.png", i);
        put_picture(w, name, i);
    }
    scan(w);
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    assert_ok(item_index_find(w->index, NULL, &rows, &err), &err);
    assert_ok(item_index_next(rows, &row, &err), &err);
    char word[64], path[600];
    snprintf(path, sizeof path, "%s", row.path + strlen(w->folder) + 1);
    assert_int_equal(sscanf(strrchr(row.caption, ' '), "%60s", word), 1);
    item_index_rows_free(rows);

    item_index_query query = ITEM_INDEX_QUERY_INIT;
    query.caption = word;
    char *names = found(w, &query);
    assert_non_null(strstr(names, path));
    free(names);
    word[1] = '*'; /* its first letter */
    word[2] = '\0';
    names = found(w, &query);
    assert_non_null(strstr(names, path));
    free(names);
    snprintf(word, sizeof word, "& %c* -", *path ? word[0] : 'a'); /* signs are no words */
    names = found(w, &query);
    assert_non_null(strstr(names, path));
    free(names);
    query.caption = "zeppelin";
    assert_found(w, &query, "");
    query.caption = "\" zeppelin OR caption : ( NOT *"; /* no language, words */
    assert_found(w, &query, "");
}

static void numbers_folders_and_limits(void **state)
{
    world *w = *state;
    char *below = inside(w, "below");
    make_folder(below);
    put_picture(w, "a.png", 1);
    put_picture(w, "below/b.png", 2);
    put_picture(w, "below.png", 3);
    scan(w);
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    query.folder = below;
    assert_found(w, &query, "below/b.png");
    query.folder = w->folder;
    query.limit = 2;
    assert_found(w, &query, "a.png below.png");
    query = (item_index_query)ITEM_INDEX_QUERY_INIT;
    query.least = 0.5; /* there is no head, and so no probability */
    assert_found(w, &query, "");
    query = (item_index_query)ITEM_INDEX_QUERY_INIT;
    query.verdicts = 1u << ITEM_VERDICT_NONE;
    query.since = 1700000000;
    query.until = 1700000001;
    query.order = ITEM_ORDER_DATE;
    assert_found(w, &query, "a.png below.png below/b.png");
    query.since = 1700000001;
    query.until = INT64_MAX;
    assert_found(w, &query, "");
    free(below);
}

/* ---- pages ---- */

static char *page_of(world *w, const item_index_query *query, const char *title)
{
    item_error err = ITEM_ERROR_INIT;
    item_page_options options = ITEM_PAGE_OPTIONS_INIT;
    char *path = temp_path("page.html");
    options.title = title;
    assert_ok(item_index_write_html(w->index, query, &options, path, &err), &err);
    char *text = read_text(path);
    free(path);
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        count++;
    return count;
}

static void a_page_shows_every_picture(void **state)
{
    world *w = *state;
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    put_picture(w, "a.png", 1);
    put_picture(w, "b.png", 2);
    put_text(w, "broken.jpg", "no picture");
    scan(w);
    remove_file(w, "b.png"); /* it is still in the index, and cannot be shown */
    query.states |= ITEM_STATE_FAILED;
    char *page = page_of(w, &query, NULL);
    assert_int_equal(count_of(page, "<article "), 3);
    assert_int_equal(count_of(page, "src=\"data:image/jpeg;base64,/9j/"), 1);
    assert_int_equal(count_of(page, "no preview: "), 2);
    assert_int_equal(count_of(page, "data-v=\"failed\""), 1);
    assert_int_equal(count_of(page, "://"), 0); /* nothing is loaded from anywhere */
    free(page);
    query.limit = 1;
    page = page_of(w, &query, NULL);
    assert_int_equal(count_of(page, "<article "), 1);
    free(page);
}

static void nothing_in_a_page_is_markup_of_others(void **state)
{
    world *w = *state;
    put_picture(w, "<img src=x onerror=alert(1)>&\"'.png", 1);
    scan(w);
    char *page = page_of(w, NULL, "</title><script>alert(2)</script>");
    assert_int_equal(count_of(page, "<script"), 1);
    assert_null(strstr(page, "<img src=x"));
    assert_non_null(strstr(page, "&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;.png"));
    assert_non_null(strstr(page, "<title>&lt;/title&gt;&lt;script&gt;"));
    free(page);
}

static void a_page_that_cannot_be_written_is_told(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    assert_error(item_index_write_html(w->index, NULL, NULL, w->path, &err), ITEM_E_ARGUMENT, &err,
                 "is the index itself");
    reset(&err);
    assert_error(item_index_write_html(w->index, NULL, NULL, "/no/such/folder/page.html", &err),
                 ITEM_E_IO, &err, "/no/such/folder/page.html");
}

/* ---- what other machines answered ---- */

/* What a machine of a cluster would send of a row; free() it. */
static char *row_to_send(const item_index_row *row)
{
    char *text = NULL;
    if (asprintf(&text,
                 "{\"path\":\"%s\",\"bytes\":%llu,\"mtime_ns\":%lld000000000,"
                 "\"sha256\":\"%s\",\"answer\":%s}",
                 row->path, (unsigned long long)row->bytes, (long long)row->modified, row->sha256,
                 row->json) < 0)
        fail_msg("no memory");
    return text;
}

/* Every row of the index, to be sent; returns how many. */
static size_t send_all(world *w, char **rows, size_t most)
{
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *found_rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    size_t n = 0;
    query.states |= ITEM_STATE_FAILED;
    assert_ok(item_index_find(w->index, &query, &found_rows, &err), &err);
    while (n < most && item_index_next(found_rows, &row, &err) == ITEM_OK && row.path)
        rows[n++] = row_to_send(&row);
    item_index_rows_free(found_rows);
    return n;
}

static void imported_answers_are_those_of_a_scan(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    char *sent[8], *again[8], *path = temp_path("imported");
    put_picture(w, "a.png", 1);
    put_picture(w, "copy.png", 1);
    put_text(w, "broken.jpg", "no picture");
    scan(w);
    assert_int_equal(send_all(w, sent, 8), 3);
    item_index_free(w->index);
    w->index = open_index(path);
    assert_ok(item_index_import(w->index, (const char *const *)sent, 3, &err), &err);
    assert_ok(item_index_import(w->index, (const char *const *)sent, 3, &err), &err); /* twice */
    assert_int_equal(send_all(w, again, 8), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(sent[i], again[i]);
    assert_found(w, NULL, "a.png copy.png");
    w->asked.captions = 0;
    assert_int_equal(scan(w).unchanged, 2); /* nothing is left to be done */
    assert_int_equal(w->asked.captions, 0);
    for (size_t i = 0; i < 3; i++) {
        free(sent[i]);
        free(again[i]);
    }
    free(path);
}

static void the_order_of_keys_is_nobodys_business(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    static const char *const sent[] = {
        "{\"answer\":{\"caption\":\"a dog\",\"error\":null,\"fingerprint\":\"f\",\"file\":\"x\","
        "\"probability\":0.5},\"bytes\":1,\"mtime_ns\":2,\"path\":\"/a.png\",\"sha256\":\""
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}"};
    assert_ok(item_index_import(w->index, sent, 1, &err), &err);
    assert_ok(item_index_find(w->index, NULL, &rows, &err), &err);
    assert_ok(item_index_next(rows, &row, &err), &err);
    assert_memory_equal(row.json, "{\"file\":\"/a.png\",\"caption\":", 27);
    item_index_rows_free(rows);
}

static void rows_that_are_none_are_refused(void **state)
{
    world *w = *state;
    static const char good[] = "{\"path\":\"/a.png\",\"bytes\":1,\"mtime_ns\":2,\"sha256\":null,"
                               "\"answer\":{\"file\":\"/a.png\",\"error\":{\"code\":\"ITEM_E_IO\","
                               "\"message\":\"/a.png: cannot be opened\"}}}";
    static const char *const bad[][2] = {
        {"", "row 2: a row to import"},
        {"[]", "row 2: a row to import has no \"answer\""},
        {"{\"answer\":{}}", "no \"sha256\""},
        {"{\"answer\":{\"error\":{}},\"path\":\"a.png\"}", "no absolute \"path\""},
        {"{\"answer\":{\"error\":{}},\"path\":\"/a.png\",\"bytes\":-1,\"mtime_ns\":1}",
         "\"bytes\""},
        {"{\"answer\":{\"error\":{\"code\":\"ITEM_E_FORMAT\"}},\"sha256\":\"ab\"}",
         "no \"sha256\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        item_error err = ITEM_ERROR_INIT;
        const char *const rows[] = {good, bad[i][0]};
        assert_error(item_index_import(w->index, rows, 2, &err), ITEM_E_FORMAT, &err, bad[i][1]);
    }
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    query.states = ITEM_STATE_FAILED;
    assert_found(w, &query, ""); /* all of them or none */
}

/* ---- what files say of themselves ---- */

static void claims_are_found(void **state)
{
    world *w = *state;
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    put_picture(w, "a.png", 1);
    static const char text[] =
        "parameters\0a dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 60x50";
    char *from = write_saying_picture("made.png", 2, 60, 50, text, sizeof text - 1);
    char *to = inside(w, "said.png");
    assert_int_equal(rename(from, to), 0);
    free(from);
    free(to);
    scan(w);
    query.claims = 1u << ITEM_CLAIM_AI;
    assert_found(w, &query, "said.png");
    query.claims = 1u << ITEM_CLAIM_CAPTURE;
    assert_found(w, &query, "");
    query.claims = 0;
    assert_found(w, &query, "a.png said.png");
}

static void wrong_arguments_are_told(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    item_index *index = NULL;
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    const char *nothing = w->folder, *none = "/no/such/folder";
    query.caption = "  ";
    assert_error(item_index_find(w->index, &query, &rows, &err), ITEM_E_ARGUMENT, &err, "no words");
    reset(&err);
    query.caption = "\xff";
    assert_error(item_index_find(w->index, &query, &rows, &err), ITEM_E_FORMAT, &err, "UTF-8");
    reset(&err);
    assert_error(item_index_scan(w->index, w->ctx, &none, 1, NULL, NULL, &err), ITEM_E_IO, &err,
                 "/no/such/folder: cannot be scanned");
    reset(&err);
    assert_error(item_index_scan(w->index, NULL, &nothing, 1, NULL, NULL, &err), ITEM_E_ARGUMENT,
                 &err, NULL);
    reset(&err);
    assert_ok(item_index_open(w->path, 0, &index, &err), &err);
    assert_error(item_index_scan(index, w->ctx, &nothing, 1, NULL, NULL, &err), ITEM_E_ARGUMENT,
                 &err, "without ITEM_INDEX_CREATE");
    item_scan_counts met = ITEM_SCAN_COUNTS_INIT;
    met.struct_size -= 8;
    reset(&err);
    assert_error(item_index_scan(w->index, w->ctx, &nothing, 1, NULL, &met, &err), ITEM_E_ARGUMENT,
                 &err, "item_scan_counts");
    item_index_free(index);
    item_index_free(NULL);
    item_index_rows_free(NULL);
}

/* ---- forked children ---- */

static int in_child(world *w, item_index_rows *rows)
{
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *more = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    const char *folder = w->folder;
    item_status scanned = item_index_scan(w->index, w->ctx, &folder, 1, NULL, NULL, &err);
    int wrong = scanned != ITEM_E_FORKED || !strstr(err.message, "opened by the parent");
    wrong |= item_index_find(w->index, NULL, &more, NULL) != ITEM_E_FORKED || more;
    wrong |= item_index_next(rows, &row, NULL) != ITEM_E_FORKED;
    wrong |= item_index_import(w->index, NULL, 0, NULL) != ITEM_E_FORKED;
    wrong |= item_index_write_html(w->index, NULL, NULL, folder, NULL) != ITEM_E_FORKED;
    item_index_rows_free(rows); /* nothing of SQLite is closed */
    item_index_free(w->index);
    return wrong;
}

static void a_forked_child_gets_an_error(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    put_picture(w, "b.png", 2);
    scan(w);
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    assert_ok(item_index_find(w->index, NULL, &rows, &err), &err);
    assert_ok(item_index_next(rows, &row, &err), &err);
    const pid_t child = fork();
    if (child == 0)
        _exit(in_child(w, rows));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_ok(item_index_next(rows, &row, &err), &err);
    assert_non_null(strstr(row.path, "b.png"));
    item_index_rows_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INDEX_TEST(rows_have_what_is_known),
        INDEX_TEST(words_find_captions),
        INDEX_TEST(numbers_folders_and_limits),
        INDEX_TEST(a_page_shows_every_picture),
        INDEX_TEST(nothing_in_a_page_is_markup_of_others),
        INDEX_TEST(a_page_that_cannot_be_written_is_told),
        INDEX_TEST(imported_answers_are_those_of_a_scan),
        INDEX_TEST(the_order_of_keys_is_nobodys_business),
        INDEX_TEST(rows_that_are_none_are_refused),
        INDEX_TEST(claims_are_found),
        INDEX_TEST(wrong_arguments_are_told),
        INDEX_TEST(a_forked_child_gets_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
