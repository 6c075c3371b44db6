/* options_file.c - the file of settings: its lines as options, and who may have written it. */
#include "options_file.h"
#include "buffer.h"
#include "config.h"
#include "file.h"
#include "known.h"
#include "options_check.h"
#include "options_table.h"
#include "options_take.h"
#include "options_values.h"
#include "text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- What is for the command line only, where it is seen ---- */

static const char strangers[] = "it makes peers welcome without a word about who they are";
static const char secrets[] = "whoever reads that file can read the session";
static const char program[] = "it runs a program";
static const char one_session[] = "it is about one session";
static const char other_task[] = "it takes the place of a session";

static const struct {
    int option;
    const char *value; /* NULL: any, or none */
    const char *why;
} refused[] = {
    {OPT_INSECURE, NULL, strangers},
    {OPT_ALLOW_SELF, NULL, "it lets our own reflection in"},
    {OPT_REMOTE_ID, "request", strangers},
    {OPT_REMOTE_ID, "ignore", strangers},
    {OPT_TOFU, "accept-new", strangers},
    {OPT_OCSP, "never", "it looks away from a CA's word"},
    {OPT_KEYLOG, NULL, secrets},
    {OPT_ROLE_PREFERENCE, NULL, "it is for tests"},
    {'U', NULL, "it is in place of HOST and PORT"},
    {OPT_FD, NULL, one_session},
    {'e', NULL, program},
    {'c', NULL, program},
    {OPT_CONFIG, NULL, "a file does not name the next one"},
    {OPT_REPORT, NULL, one_session},
    {OPT_TRACE, NULL, one_session},
    {OPT_SAVE_CERT, NULL, one_session},
    {'z', NULL, one_session},
    {OPT_SHOW_IDENTITY, NULL, other_task},
    {OPT_MAKE_PSK, NULL, other_task},
    {OPT_KNOWN, NULL, other_task},
    {OPT_VERSION, NULL, other_task},
};

/* Options of which a section can have more than one. */
static const int repeated[] = {'i', 's', OPT_PEER, OPT_PIN, OPT_ALPN, 'v'};

/* ---- A line ---- */

/* What reading a file has: where we are in it. */
struct reader {
    struct options_file *file;
    const struct config_line *line;
    struct options scratch; /* what the section would set: it finds wrong values */
    struct error *error;
};

static bool wrong(const struct reader *reader, const char *why)
{
    char key[256];

    text_escape(key, sizeof key, reader->line->key, strlen(reader->line->key));
    error_set(reader->error, STATUS_LOCAL, "%s:%u: \"%s\" %s", reader->file->path, reader->line->number, key, why);
    return false;
}

/* Put the line in front of an error that there is. */
static bool wrong_here(const struct reader *reader)
{
    error_set(reader->error, STATUS_LOCAL, "out of memory");
    error_prefix(reader->error, "%s:%u: ", reader->file->path, reader->line->number);
    return false;
}

static bool is_refused(const struct reader *reader, const struct options_said *said)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i].option == said->option && (!refused[i].value || (said->value && strcmp(refused[i].value, said->value) == 0))) {
            error_set(reader->error, STATUS_LOCAL, "%s:%u: \"%s%s%s\" is for the command line only: %s", reader->file->path,
                      reader->line->number, reader->line->key, refused[i].value ? " " : "", refused[i].value ? refused[i].value : "",
                      refused[i].why);
            return true;
        }
    return false;
}

static bool may_be_repeated(int option)
{
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++)
        if (repeated[i] == option)
            return true;
    return false;
}

/* Where in the value the name of a file begins; -1: there is none in it. `kind` is what the table of options says of it. */
static ptrdiff_t find_place(const char *kind, const char *value)
{
    const char *place = value;

    if (strcmp(kind, "SOURCE") == 0) /* of a passphrase */
        return strncmp(value, "file:", 5) == 0 ? 5 : -1;
    if (strcmp(kind, "TARGET") == 0 || strcmp(kind, "PLACE") == 0)
        return strncmp(value, "unix:", 5) == 0 && value[5] ? 5 : -1;
    if (strcmp(kind, "[PEER=]FILE") == 0) {
        const char *sign = strchr(value, '=');

        if (sign && !memchr(value, '/', (size_t)(sign - value)) && strncmp(value, "pkcs11:", 7) != 0)
            place = sign + 1;
    } else if (strcmp(kind, "FILE") != 0 && strcmp(kind, "PATH") != 0)
        return -1;
    return *place && strncmp(place, "pkcs11:", 7) != 0 ? place - value : -1;
}

/* The value as the command line would have it: "~/" is the home folder, and files without a folder are beside the file of
 * settings, since from where somebody happens to start the program must not matter. NULL: no memory. */
static const char *read_value(const struct reader *reader, const char *kind)
{
    const char *value = reader->line->value, *ours = NULL;
    ptrdiff_t at = find_place(kind, value);
    char *path, *whole = NULL;

    if (at < 0)
        return options_own(&reader->file->texts, value);
    path = file_beside(reader->file->path, value + at);
    if (path && asprintf(&whole, "%.*s%s", (int)at, value, path) >= 0)
        ours = options_own(&reader->file->texts, whole);
    free(path);
    free(whole);
    return ours;
}

static bool read_said(const struct reader *reader, const struct poptOption *option, struct options_said *said)
{
    const char *value = reader->line->value;

    *said = (struct options_said){.option = option->val, .line = reader->line->number};
    if ((option->argInfo & POPT_ARG_MASK) == POPT_ARG_NONE) {
        said->off = value && strcmp(value, "no") == 0;
        return !value || said->off || strcmp(value, "yes") == 0 || wrong(reader, "takes no value but yes or no");
    }
    if (value)
        said->value = read_value(reader, option->argDescrip);
    else if (option->argInfo & POPT_ARGFLAG_OPTIONAL)
        said->value = options_usual(option->longName);
    else
        return wrong(reader, "needs a value");
    return said->value || wrong_here(reader);
}

/* ---- Sections ---- */

static struct options_section *current(const struct reader *reader)
{
    return &reader->file->sections[reader->file->count - 1];
}

static bool begin_section(struct reader *reader, const char *name, unsigned line)
{
    struct options_file *file = reader->file;
    struct options_section *grown = realloc(file->sections, (file->count + 1) * sizeof *grown);

    if (!grown)
        return false;
    file->sections = grown;
    file->sections[file->count++] = (struct options_section){.name = name, .line = line};
    options_free(&reader->scratch);
    options_begin(&reader->scratch);
    return true;
}

static bool read_section(struct reader *reader)
{
    const char *typed = reader->line->section;
    const char *name = options_own_name(&reader->file->texts, "the name of a section", typed, reader->error);
    const struct options_section *before;

    if (!name)
        return wrong_here(reader);
    if (!known_is_name(name)) {
        options_wrong(reader->error, "the name of a section", "", "one that a peer can have");
        return wrong_here(reader);
    }
    before = options_file_find(reader->file, name);
    if (before) {
        error_set(reader->error, STATUS_LOCAL, "the section [%s] has begun in line %u already", name, before->line);
        return wrong_here(reader);
    }
    return begin_section(reader, name, reader->line->number) || wrong_here(reader);
}

/* "host" and "port", which the command line has as words. */
static bool read_word(struct reader *reader, const char **word)
{
    if (*word)
        return wrong(reader, "is said twice in this section");
    if (!reader->line->value)
        return wrong(reader, "needs a value");
    *word = options_own_name(&reader->file->texts, reader->line->key, reader->line->value, reader->error);
    return *word || wrong_here(reader);
}

static bool read_option(struct reader *reader)
{
    const struct poptOption *option = options_named(reader->line->key);
    struct options_section *section = current(reader);
    struct options_said said;

    if (!option && *reader->line->key == '-')
        return wrong(reader, "is no option: they are written here by their long names, without the dashes");
    if (!option)
        return wrong(reader, "is no option; symtls --help lists them");
    if (!read_said(reader, option, &said) || is_refused(reader, &said))
        return false;
    for (size_t i = 0; i < section->said.count; i++)
        if (section->said.at[i].option == said.option && !may_be_repeated(said.option))
            return wrong(reader, "is said twice in this section");
    if (!said.off && !options_take(&reader->scratch, said.option, said.value, reader->error))
        return wrong_here(reader);
    return options_say(&section->said, &said) || wrong_here(reader);
}

static bool read_line(struct reader *reader)
{
    struct options_section *section = current(reader);

    if (reader->line->section)
        return read_section(reader);
    if (strcmp(reader->line->key, "port") == 0)
        return read_word(reader, &section->port);
    if (strcmp(reader->line->key, "host") != 0)
        return read_option(reader);
    return section->name ? read_word(reader, &section->host)
                         : wrong(reader, "belongs into the section of a peer");
}

/* ---- The file ---- */

static bool read_lines(struct options_file *file, char *bytes, size_t length, struct error *error)
{
    struct config config;
    struct config_line line;
    struct reader reader = {.file = file, .line = &line, .error = error};
    enum config_result result = CONFIG_LINE;
    bool read = begin_section(&reader, NULL, 0);

    if (!read)
        error_set(error, STATUS_LOCAL, "out of memory");
    config_init(&config, file->path, bytes, length);
    while (read && (result = config_next(&config, &line, error)) == CONFIG_LINE)
        read = read_line(&reader);
    options_free(&reader.scratch);
    return read && result == CONFIG_END;
}

bool options_file_read(struct options_file *file, const char *path, struct error *error)
{
    struct buffer contents = {0};
    bool read;

    *file = (struct options_file){.path = NULL};
    if (path && strcmp(path, "none") == 0)
        return true;
    file->path = path ? strdup(path) : file_path("XDG_CONFIG_HOME", ".config", "config");
    if (!file->path) {
        error_set(error, STATUS_LOCAL, "out of memory");
        return false;
    }
    read = file_read(file->path, FILE_OURS, &contents, STATUS_LOCAL, error);
    if (!read && !path && errno == ENOENT) {
        error_clear(error);
        read = true;
    } else if (read) {
        size_t length = buffer_used(&contents);

        file->exists = true;
        read = buffer_append(&contents, "", 1) && read_lines(file, (char *)contents.bytes + contents.start, length, error);
    }
    buffer_free(&contents);
    return read;
}

void options_file_free(struct options_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        free(file->sections[i].said.at);
    free(file->sections);
    free(file->path);
    options_free(&file->texts);
    memset(file, 0, sizeof *file);
}

const struct options_section *options_file_find(const struct options_file *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (file->sections[i].name && strcasecmp(file->sections[i].name, name) == 0)
            return &file->sections[i];
    return NULL;
}
