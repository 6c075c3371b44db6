/* options_merge.c - the command line, the peer's section and the defaults, made into one. */
#include "options_merge.h"
#include "known.h"
#include "options_check.h"
#include "options_take.h"
#include "options_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the file says, in the order in which it counts. */
struct candidate {
    const struct options_said *said;
    bool in_section;
    bool replaced; /* by something that counts more */
    bool chosen;
};

struct merge {
    const struct options_said_list *typed;
    const struct options_list *words;
    const struct options_file *file;
    const struct options_section *section; /* of the peer that the words name; NULL: none */
    struct candidate *candidates;
    size_t count;
};

/* ---- The words ---- */

static bool has(const struct options_said_list *list, int option)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i].option == option && !list->at[i].off)
            return true;
    return false;
}

/* The section that the command line means. The word after -l is a port, unless it is one's name: "-l bob"; but an address to
 * listen on is never taken for anything else. */
static const struct options_section *find_section(const struct merge *merge)
{
    const struct options_list *words = merge->words;
    const char *name = words->count ? words->at[0] : "";
    size_t length = strlen(name);
    char bare[KNOWN_NAME_SIZE];

    if (words->count == 0 || (has(merge->typed, 'l') && (words->count > 1 || strspn(words->at[0], "0123456789") == strlen(words->at[0]))))
        return NULL;
    if (length < 2 || length > sizeof bare || name[0] != '[' || name[length - 1] != ']')
        return options_file_find(merge->file, name);
    snprintf(bare, sizeof bare, "%.*s", (int)length - 2, name + 1); /* [2001:db8::1] */
    return options_file_find(merge->file, bare);
}

/* HOST and PORT as options_check() wants them: what was typed, and what the file has. */
static bool complete_words(const struct merge *merge, bool listens, bool needs_no_port, struct options_list *words)
{
    const struct options_list *typed = merge->words;
    const struct options_section *section = merge->section;
    const char *port = section && section->port ? section->port : merge->file->count ? merge->file->sections[0].port : NULL;
    size_t needed = listens ? 1 : 2;
    bool done = true;

    for (size_t i = 0; done && i < typed->count; i++) {
        if (section && i == 0 && listens)
            continue; /* it said who, not where */
        done = options_append(words, section && i == 0 && section->host ? section->host : typed->at[i]);
    }
    if (port && done && words->count == needed - 1 && !(listens && needs_no_port))
        done = options_append(words, port);
    return done;
}

/* ---- All of it ---- */

/* Whoever waits for bob means bob, unless something else says who it has to be. */
static bool expect_peer(struct options *options, const struct merge *merge, bool listens, struct error *error)
{
    if (!merge->section || !listens || options->peers.count || options->pins.count || options->insecure ||
        options->remote_id == TRUST_REMOTE_ID_IGNORE)
        return true;
    return options_take_peer(options, merge->section->name, error);
}

static bool take(struct options *options, struct options_given *given, const struct options_said *said, struct error *error)
{
    const char *value = said->value ? options_own(options, said->value) : NULL;

    given->times[said->option]++;
    return (value || !said->value) && options_take(options, said->option, value, error);
}

/* The options that follow from what was typed (or not: `typed`) and the chosen candidates. */
static bool compose(struct options *options, const struct merge *merge, bool typed, struct error *error)
{
    struct options_given given = {0};
    struct options_list words = {0};
    bool composed = true, listens;

    options_begin(options);
    for (size_t i = 0; composed && typed && i < merge->typed->count; i++)
        composed = take(options, &given, &merge->typed->at[i], error);
    for (size_t i = 0; composed && i < merge->count; i++)
        if (merge->candidates[i].chosen)
            composed = take(options, &given, merge->candidates[i].said, error);
    listens = given.times['l'] > 0;
    composed = composed && expect_peer(options, merge, listens, error) &&
               complete_words(merge, listens, given.times['p'] + given.times['U'] + given.times[OPT_FD] > 0, &words);
    for (size_t i = 0; composed && i < words.count; i++)
        composed = (words.at[i] = options_own(options, words.at[i])) != NULL;
    if (!composed)
        error_set(error, STATUS_LOCAL, "out of memory");
    composed = composed && options_check(options, &given, &words, error);
    free(words.at);
    return composed;
}

/* Does what is there now stand? If not, error says why. */
static bool stands(const struct merge *merge, bool typed, struct error *error)
{
    struct options options;
    bool composed;

    error_clear(error);
    composed = compose(&options, merge, typed, error);
    options_free(&options);
    return composed;
}

/* ---- Which of the file's options count ---- */

/* Options that belong together: whoever says the first one anew does not mean the second one, said elsewhere. */
static const struct {
    int said, other;
} belong[] = {
    {'i', OPT_CERT}, {'i', OPT_KEY}, {'i', OPT_PASS}, {'i', OPT_OCSP_RESPONSE},
    {OPT_CERT, 'i'}, {OPT_CERT, OPT_KEY}, {OPT_CERT, OPT_PASS}, {OPT_CERT, OPT_OCSP_RESPONSE},
    {OPT_KEY, 'i'}, {OPT_KEY, OPT_CERT}, {OPT_KEY, OPT_PASS}, {OPT_KEY, OPT_OCSP_RESPONSE},
    {'S', OPT_SCTP_UDP},
};

static bool replaces(int said, int other)
{
    bool does = said == other;

    for (size_t i = 0; i < sizeof belong / sizeof *belong; i++)
        does = does || (belong[i].said == said && belong[i].other == other);
    return does;
}

/* Is it replaced by an option of that list? */
static bool is_replaced(int option, const struct options_said_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (replaces(list->at[i].option, option))
            return true;
    return false;
}

static bool add_candidates(struct merge *merge, const struct options_section *section, bool in_section)
{
    size_t count = merge->count + section->said.count;
    struct candidate *grown = realloc(merge->candidates, (count ? count : 1) * sizeof *grown);

    if (!grown)
        return false;
    merge->candidates = grown;
    for (size_t i = 0; i < section->said.count; i++)
        merge->candidates[merge->count++] = (struct candidate){.said = &section->said.at[i], .in_section = in_section};
    return true;
}

/* Choose, from the first candidate on, each that goes with what is there already. One that is wanted by another one
 * may come after it, so that is tried again until nothing changes. What is wrong all the same is for later. */
static void choose(struct merge *merge, bool typed)
{
    struct error before = {.status = STATUS_OK}, after = {.status = STATUS_OK};
    bool changed = true, stood;

    for (size_t i = 0; i < merge->count; i++) {
        struct candidate *candidate = &merge->candidates[i];

        candidate->chosen = false;
        candidate->replaced = candidate->said->off || (typed && is_replaced(candidate->said->option, merge->typed)) ||
                              (!candidate->in_section && merge->section && is_replaced(candidate->said->option, &merge->section->said));
    }
    stood = stands(merge, typed, &before);
    while (changed) {
        changed = false;
        for (size_t i = 0; i < merge->count; i++) {
            struct candidate *candidate = &merge->candidates[i];

            if (candidate->chosen || candidate->replaced)
                continue;
            candidate->chosen = true;
            bool stands_now = stands(merge, typed, &after);

            if (stands_now || (!stood && strcmp(before.story, after.story) == 0)) {
                stood = stands_now;
                before = after;
                changed = true;
            } else
                candidate->chosen = false;
        }
    }
}

/* Why this candidate was not chosen, with the line in front. */
static bool complain(struct merge *merge, struct candidate *candidate, bool typed, struct error *error)
{
    candidate->chosen = true;
    stands(merge, typed, error);
    error_prefix(error, "%s:%u: ", merge->file->path, candidate->said->line);
    return false;
}

/* Limits who is accepted: somebody relies on it. */
static bool is_limit(const struct options_said *said)
{
    switch (said->option) {
    case OPT_PIN:
    case OPT_PEER:
    case OPT_CACERT:
    case OPT_CRL:
    case OPT_DANE:
    case OPT_STRICT_EKU:
        return true;
    case OPT_OCSP:
        return strcmp(said->value, "require") == 0;
    case OPT_TOFU:
        return strcmp(said->value, "never") == 0;
    default:
        return false;
    }
}

/* Does something that was said to stand in place of all limits do so? */
static bool limits_are_replaced(const struct merge *merge)
{
    for (size_t i = 0; i < merge->typed->count; i++)
        if (merge->typed->at[i].option == OPT_PSK_FILE ||
            (merge->typed->at[i].option == OPT_REMOTE_ID && strcmp(merge->typed->at[i].value, "ignore") == 0))
            return true;
    return merge->section && has(&merge->section->said, OPT_PSK_FILE);
}

static bool choose_candidates(struct merge *merge, struct error *error)
{
    if (merge->section) { /* by itself, first: it must not contradict itself */
        choose(merge, false);
        for (size_t i = 0; i < merge->count; i++)
            if (merge->candidates[i].in_section && !merge->candidates[i].chosen && !merge->candidates[i].replaced)
                return complain(merge, &merge->candidates[i], false, error);
    }
    choose(merge, true);
    for (size_t i = 0; i < merge->count; i++)
        if (!merge->candidates[i].chosen && !merge->candidates[i].replaced && is_limit(merge->candidates[i].said) &&
            !limits_are_replaced(merge))
            return complain(merge, &merge->candidates[i], true, error);
    return true;
}

/* ---- Telling ---- */

/* One word, which could have been the name of a section. */
static void explain_section(const struct merge *merge, struct error *error)
{
    const struct options_list *words = merge->words;
    size_t length = strlen(error->story);
    char *end = error->story + length;

    if (words->count != 1 || !merge->file->path || strchr(words->at[0], ':') || strncmp(error->story, "the port is missing", 19) != 0)
        return;
    if (!merge->file->exists)
        snprintf(end, sizeof error->story - length, "; there is no %s that could have a section [%s]", merge->file->path, words->at[0]);
    else if (merge->section)
        snprintf(end, sizeof error->story - length, "; the section [%s] in %s has no port", words->at[0], merge->file->path);
    else
        snprintf(end, sizeof error->story - length, "; %s has no section [%s]", merge->file->path, words->at[0]);
}

bool options_merge(struct options *options, const struct options_said_list *typed, const struct options_list *words,
                   const struct options_file *file, struct error *error)
{
    struct merge merge = {.typed = typed, .words = words, .file = file};
    bool merged = true;

    merge.section = find_section(&merge);
    if (merge.section)
        merged = add_candidates(&merge, merge.section, true);
    if (file->count)
        merged = merged && add_candidates(&merge, &file->sections[0], false);
    merged = merged && choose_candidates(&merge, error);
    if (merged) {
        merged = compose(options, &merge, true, error);
        if (!merged)
            explain_section(&merge, error);
    }
    if (merged && file->exists)
        options->config = options_own(options, file->path);
    if (merged && merge.section)
        options->section = options_own(options, merge.section->name);
    free(merge.candidates);
    return merged;
}
