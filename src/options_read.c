/* options_read.c - collect what was said: the command line by popt, and the file of settings. */
#include "options_file.h"
#include "options_check.h"
#include "options_merge.h"
#include "options_table.h"
#include "options_take.h"
#include "options_values.h"

#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a run of options_read() has. */
struct reading {
    struct options_said_list said;
    struct options_list words;
    struct options_list arguments; /* argv for popt */
    const char *config;            /* -F */
    struct options_file file;
    struct options texts; /* owns them */
};

bool options_say(struct options_said_list *list, const struct options_said *said)
{
    struct options_said *grown = realloc(list->at, (list->count + 1) * sizeof *grown);

    if (!grown)
        return false;
    list->at = grown;
    list->at[list->count++] = *said;
    return true;
}

/* popt would take the word behind an option for its value, where that is optional and goes with "=" only. False: no memory. */
static bool settle_optional(struct reading *reading, int argc, const char **argv)
{
    bool ended = false;

    for (int i = 0; i < argc; i++) {
        const char *usual = strncmp(argv[i], "--", 2) == 0 ? options_usual(argv[i] + 2) : NULL;
        const char *word = argv[i];
        char full[64];

        ended = ended || strcmp(word, "--") == 0;
        if (usual && !ended) {
            snprintf(full, sizeof full, "%s=%s", argv[i], usual);
            word = options_own(&reading->texts, full);
        }
        if (!word || !options_append(&reading->arguments, word))
            return false;
    }
    return options_append(&reading->arguments, NULL);
}

static bool collect_options(struct reading *reading, poptContext context, struct error *error)
{
    struct options_said said = {0};

    while ((said.option = poptGetNextOpt(context)) > 0) {
        char *argument = poptGetOptArg(context);
        bool collected = !argument || (said.value = options_own(&reading->texts, argument));

        if (!argument)
            said.value = NULL;
        free(argument);
        if (said.option == OPT_CONFIG)
            reading->config = said.value;
        if (!collected || !options_say(&reading->said, &said)) {
            error_set(error, STATUS_LOCAL, "out of memory");
            return false;
        }
    }
    if (said.option < -1)
        error_set(error, STATUS_LOCAL, "%s: %s; symtls --help lists the options",
                  poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(said.option));
    return said.option >= -1;
}

static bool collect_words(struct reading *reading, poptContext context, struct error *error)
{
    const char *word;

    while ((word = poptGetArg(context))) {
        word = options_own_name(&reading->texts, reading->words.count ? "PORT" : "HOST", word, error);
        if (!word || !options_append(&reading->words, word))
            return false;
    }
    return true;
}

static bool collect(struct reading *reading, int argc, const char **argv, struct error *error)
{
    poptContext context;
    bool collected;

    if (!settle_optional(reading, argc, argv)) {
        error_set(error, STATUS_LOCAL, "out of memory");
        return false;
    }
    context = poptGetContext("symtls", argc, reading->arguments.at, options_table, 0);
    poptSetOtherOptionHelp(context, "[OPTION...] HOST PORT | -l [ADDR] PORT | -b HOST PORT | PEER");
    collected = collect_options(reading, context, error) && collect_words(reading, context, error);
    poptFreeContext(context);
    return collected;
}

/* Some tasks have no use for it, and must work even if it is broken. */
static bool wants_file(const struct options_said_list *said)
{
    for (size_t i = 0; i < said->count; i++)
        if (said->at[i].option == OPT_VERSION || said->at[i].option == OPT_MAKE_PSK || said->at[i].option == OPT_KNOWN)
            return false;
    return true;
}

bool options_read(struct options *options, int argc, const char **argv, struct error *error)
{
    struct reading reading = {.config = NULL};
    bool read;

    options_begin(options);
    read = collect(&reading, argc, argv, error) &&
           options_file_read(&reading.file, wants_file(&reading.said) ? reading.config : "none", error) &&
           options_merge(options, &reading.said, &reading.words, &reading.file, error);
    options_file_free(&reading.file);
    free(reading.said.at);
    free(reading.words.at);
    free(reading.arguments.at);
    options_free(&reading.texts);
    return read;
}
