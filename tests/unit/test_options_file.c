/* test_options_file.c - the file of settings: what comes of it together with a command line, and what is said against it. */
#include "check.h"
#include "helpers.h"
#include "options.h"
#include "options_check.h"
#include "options_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIN_A "pin-sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PIN_B "pin-sha256:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* ---- A file and a line, and what comes of them ---- */

static const char *config_path(void)
{
    return scratch_path("symtls/config");
}

static void put_config(const char *text)
{
    mkdir(scratch_path("symtls"), 0700);
    file_put(config_path(), text, 0600);
}

/* The words of `line` are separated by one space. */
static bool read_line(struct options *options, const char *line, struct error *error)
{
    const char *argv[16] = {"symtls"};
    char copy[512], *rest = copy;
    int argc = 1;

    snprintf(copy, sizeof copy, "%s", line);
    while (*line && argc < 15 && (argv[argc] = strsep(&rest, " ")))
        argc++;
    memset(error, 0, sizeof *error);
    return options_read(options, argc, argv, error);
}

static void add(char *story, size_t size, const char *name, const char *value)
{
    if (value)
        snprintf(story + strlen(story), size - strlen(story), " %s=%s", name, value);
}

static void add_list(char *story, size_t size, const char *name, const struct options_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        add(story, size, name, list->at[i]);
}

static void add_true(char *story, size_t size, const char *name, bool value)
{
    if (value)
        snprintf(story + strlen(story), size - strlen(story), " %s", name);
}

/* What is not as usual, in a line; the file's folder is DIR, the home folder HOME. */
static const char *story_of(const struct options *options)
{
    static const char *const tasks[] = {"connect", "listen", "both", "show", "list", "add", "del", "psk", "version"};
    static const char *const transports[] = {"tcp", "udp", "sctp"};
    static char story[2048];
    char plain[2048] = "", *at;
    size_t size = sizeof plain;
    const char *folder = scratch_path("symtls/");

    snprintf(plain, size, "%s %s", tasks[options->task], transports[options->transport]);
    add(plain, size, "host", options->host);
    add(plain, size, "port", options->port);
    add_list(plain, size, "source", &options->sources);
    add_list(plain, size, "identity", &options->identities);
    for (size_t i = 0; i < options->identity_peers.count; i++)
        add(plain, size, "for", options->identity_peers.at[i]);
    add(plain, size, "cert", options->certificate);
    add(plain, size, "key", options->key);
    add(plain, size, "pass", options->pass);
    add(plain, size, "psk", options->psk_file);
    add(plain, size, "psk_name", options->psk_identity);
    add_list(plain, size, "peer", &options->peers);
    add_list(plain, size, "pin", &options->pins);
    add_list(plain, size, "alpn", &options->alpn);
    add(plain, size, "to", options->to.path ? options->to.path : options->to.host);
    add(plain, size, "from", options->from.path ? options->from.path : options->from.port);
    add(plain, size, "cacert", options->cacert);
    add(plain, size, "dane", options->dane ? options->dane_file ? options->dane_file : "dns" : NULL);
    add(plain, size, "sni", options->server_name && strcmp(options->server_name, options->host ? options->host : "") ? options->server_name : NULL);
    add_true(plain, size, "numeric", options->numeric);
    add_true(plain, size, "no_identity", options->no_identity);
    add_true(plain, size, "strict_eku", options->strict_eku);
    add_true(plain, size, "never", options->tofu == TRUST_TOFU_NEVER);
    add_true(plain, size, "forever", options->retries == -1);
    add_true(plain, size, "hello_wait", options->hello == OPTIONS_HELLO_WAIT);
    add_true(plain, size, "no_stdin", options->no_stdin);
    add_true(plain, size, "discard", options->discard);
    add_true(plain, size, "sctp_udp", options->sctp_udp);
    if (options->mtu != 1232)
        snprintf(plain + strlen(plain), size - strlen(plain), " mtu=%zu", options->mtu);
    if (options->linger_ms != 10000)
        snprintf(plain + strlen(plain), size - strlen(plain), " linger=%d", options->linger_ms);
    if (options->verbosity)
        snprintf(plain + strlen(plain), size - strlen(plain), " verbosity=%d", options->verbosity);
    add(plain, size, "section", options->section);

    *story = '\0';
    for (at = plain; *at;) {
        char *found = strstr(at, folder);
        size_t length = found ? (size_t)(found - at) : strlen(at);

        snprintf(story + strlen(story), sizeof story - strlen(story), "%.*s%s", (int)length, at, found ? "DIR/" : "");
        at += length + (found ? strlen(folder) : 0);
    }
    return story;
}

/* ---- What counts ---- */

static const struct {
    const char *file, *line, *wanted;
} rights[] = {
    /* a peer is a whole command */
    {"[bob]\nhost 192.0.2.2\nport 4433\nboth\nudp\npin " PIN_A "\nidentity work.pem\n", "bob",
     "both udp host=192.0.2.2 port=4433 identity=DIR/work.pem pin=" PIN_A " section=bob"},
    {"[bob]\nport 1\n", "bob", "connect tcp host=bob port=1 section=bob"},
    {"[bob]\nport 1\n", "BOB", "connect tcp host=BOB port=1 section=bob"},
    {"[bob]\nport 1\n", "bob 2", "connect tcp host=bob port=2 section=bob"},
    {"[bob]\nhost b.example\nport 1\n", "bob 2", "connect tcp host=b.example port=2 section=bob"},
    {"[bob]\nport 1\n", "alice 2", "connect tcp host=alice port=2"},
    {"[bob]\nport 1\n[alice]\nport 2\n", "alice", "connect tcp host=alice port=2 section=alice"},
    {"[bob]\n", "bob 1", "connect tcp host=bob port=1 section=bob"},
    {"[2001:db8::1]\nport 1\n", "2001:db8::1", "connect tcp host=2001:db8::1 port=1 section=2001:db8::1"},
    {"[2001:db8::1]\nport 1\n", "[2001:db8::1]", "connect tcp host=2001:db8::1 port=1 section=2001:db8::1"},
    {"[b\xc3\xbc" "cher.example]\nport 1\n", "xn--bcher-kva.example", "connect tcp host=xn--bcher-kva.example port=1 section=xn--bcher-kva.example"},
    {"[bob]\nhost b\xc3\xbc" "cher.example\nport 1\n", "bob", "connect tcp host=xn--bcher-kva.example port=1 section=bob"},
    {"[bob]\nsource 192.0.2.1\nsource 192.0.2.2\nsctp\nport 1\n", "bob", "connect sctp host=bob port=1 source=192.0.2.1 source=192.0.2.2 section=bob"},

    /* listening for somebody */
    {"[bob]\nport 1\npin " PIN_A "\n", "-l bob", "listen tcp port=1 pin=" PIN_A " hello_wait section=bob"},
    {"[bob]\nport 1\nlisten\npin " PIN_A "\n", "bob", "listen tcp port=1 pin=" PIN_A " hello_wait section=bob"},
    {"[bob]\nport 1\nlisten\npin " PIN_A "\n", "bob 2", "listen tcp port=2 pin=" PIN_A " hello_wait section=bob"},
    {"[bob]\nport 1\n", "-l bob", "listen tcp port=1 peer=bob hello_wait section=bob"},
    {"[bob]\nport 1\npeer bob.example\n", "-l bob", "listen tcp port=1 peer=bob.example hello_wait section=bob"},
    {"[bob]\nport 1\n", "-l --insecure bob", "listen tcp port=1 hello_wait section=bob"},
    {"[bob]\nport 1\n", "-l --remote-id ignore bob", "listen tcp port=1 hello_wait section=bob"},
    {"[bob]\nport 1\npsk-file k\n", "-l bob", "listen tcp port=1 psk=DIR/k peer=bob hello_wait section=bob"},
    {"[bob]\nhost bob.example\nport 1\nsource 192.0.2.1\n", "-l bob", "listen tcp host=192.0.2.1 port=1 source=192.0.2.1 peer=bob hello_wait section=bob"},
    {"[bob]\nport 1\n", "-l -p 2 bob", "listen tcp port=2 peer=bob hello_wait section=bob"},
    {"[localhost]\nport 1\n", "-l localhost 2", "listen tcp host=localhost port=2 hello_wait"}, /* an address to listen on */
    {"[443]\nport 1\n", "-l 443", "listen tcp port=443 hello_wait"},
    {"[bob]\nport 1\nlisten\n", "-b bob", "both tcp host=bob port=1 section=bob"},

    /* defaults */
    {"port 1\nlinger 5s\n", "bob", "connect tcp host=bob port=1 linger=5000"},
    {"port 1\n", "bob 2", "connect tcp host=bob port=2"},
    {"port 1\n", "-l", "listen tcp port=1 hello_wait"},
    {"port 1\n", "-l -p 2", "listen tcp port=2 hello_wait"},
    {"port 1\n[bob]\nport 2\n", "bob", "connect tcp host=bob port=2 section=bob"},
    {"port 1\n[bob]\n", "bob", "connect tcp host=bob port=1 section=bob"},
    {"identity a.pem\n", "--show-identity", "show tcp identity=DIR/a.pem"},
    {"psk-file a\nidentity a.pem\n", "--show-identity", "show tcp identity=DIR/a.pem"},

    /* what is said first wins */
    {"linger 5s\n[bob]\nlinger 6s\n", "bob 1", "connect tcp host=bob port=1 linger=6000 section=bob"},
    {"linger 5s\n[bob]\nlinger 6s\n", "--linger 7s bob 1", "connect tcp host=bob port=1 linger=7000 section=bob"},
    {"pin " PIN_A "\n", "--pin " PIN_B " bob 1", "connect tcp host=bob port=1 pin=" PIN_B},
    {"[bob]\npin " PIN_A "\npin " PIN_B "\n", "bob 1", "connect tcp host=bob port=1 pin=" PIN_A " pin=" PIN_B " section=bob"},
    {"alpn a\nalpn b\n[bob]\nalpn c\n", "bob 1", "connect tcp host=bob port=1 alpn=c section=bob"},
    {"udp\n", "-S bob 1", "connect sctp host=bob port=1"},
    {"udp\nmtu 1000\n", "bob 1", "connect udp host=bob port=1 mtu=1000"},
    {"mtu 1000\nudp\n", "bob 1", "connect udp host=bob port=1 mtu=1000"},
    {"mtu 1000\nudp\n", "-S bob 1", "connect sctp host=bob port=1"},
    {"mtu 1000\n", "bob 1", "connect tcp host=bob port=1"},
    {"mtu 1000\n[bob]\nudp\n", "bob 1", "connect udp host=bob port=1 mtu=1000 section=bob"},
    {"sctp-udp 1:2\n", "-S bob 1", "connect sctp host=bob port=1"},
    {"verbose\nverbose\n", "bob 1", "connect tcp host=bob port=1 verbosity=2"},
    {"verbose\n", "-q bob 1", "connect tcp host=bob port=1 verbosity=-1"},
    {"send-only\n", "-d bob 1", "connect tcp host=bob port=1 no_stdin"},
    {"retry\n", "-l 1", "listen tcp port=1 hello_wait"},
    {"retry\n", "bob 1", "connect tcp host=bob port=1 forever"},
    {"hello wait\n", "--symmetric never bob 1", "connect tcp host=bob port=1"},
    {"identity a.pem\npass file:p\n", "-i b.pem bob 1", "connect tcp host=bob port=1 identity=b.pem"},
    {"cert a.pem\nkey k.pem\n", "-i b.pem bob 1", "connect tcp host=bob port=1 identity=b.pem"},
    {"cert a.pem\nkey k.pem\n", "--cert b.pem bob 1", "connect tcp host=bob port=1 cert=b.pem"},
    {"identity a.pem\n", "--no-identity bob 1", "connect tcp host=bob port=1 no_identity"},
    {"pin " PIN_A "\n", "--psk-file k bob 1", "connect tcp host=bob port=1 psk=k"},
    {"pin " PIN_A "\n[bob]\npsk-file k\n", "bob 1", "connect tcp host=bob port=1 psk=DIR/k section=bob"},
    {"psk-file k\n[bob]\npin " PIN_A "\n", "bob 1", "connect tcp host=bob port=1 pin=" PIN_A " section=bob"},
    {"cacert c\npsk-file k\n", "bob 1", "connect tcp host=bob port=1 cacert=DIR/c"},
    {"psk-identity me\n[bob]\npsk-file k\n", "bob 1", "connect tcp host=bob port=1 psk=DIR/k psk_name=me section=bob"},
    {"psk-file k\n[bob]\npsk-identity me\n", "bob 1", "connect tcp host=bob port=1 psk=DIR/k psk_name=me section=bob"},
    {"psk-file k\n", "--psk-identity me bob 1", "connect tcp host=bob port=1 psk=DIR/k psk_name=me"},
    {"pin " PIN_A "\ncacert c\n", "--remote-id ignore bob 1", "connect tcp host=bob port=1"},
    {"pin " PIN_A "\n", "--insecure bob 1", "connect tcp host=bob port=1 pin=" PIN_A},
    {"tofu never\n", "--tofu ask bob 1", "connect tcp host=bob port=1"},
    {"tofu never\n", "bob 1", "connect tcp host=bob port=1 never"},

    {"keep-open\nmax-conns 3\n", "bob 1", "connect tcp host=bob port=1"}, /* for when we listen */
    {"session s.pem\n", "bob 1", "connect tcp host=bob port=1"},

    /* yes and no */
    {"numeric\n", "192.0.2.1 1", "connect tcp host=192.0.2.1 port=1 numeric"},
    {"numeric yes\n", "192.0.2.1 1", "connect tcp host=192.0.2.1 port=1 numeric"},
    {"numeric no\n", "192.0.2.1 1", "connect tcp host=192.0.2.1 port=1"},
    {"udp\n[bob]\nudp no\n", "bob 1", "connect tcp host=bob port=1 section=bob"},
    {"udp no\n", "-u bob 1", "connect udp host=bob port=1"},

    /* files */
    {"identity ~/a.pem\n", "bob 1", "connect tcp host=bob port=1 identity=/home/me/a.pem"},
    {"identity /a.pem\n", "bob 1", "connect tcp host=bob port=1 identity=/a.pem"},
    {"identity bob=a.pem\nidentity bob=~/b.pem\nidentity pkcs11:object=x\nidentity bob=pkcs11:object=x\n", "bob 1",
     "connect tcp host=bob port=1 identity=DIR/a.pem identity=/home/me/b.pem identity=pkcs11:object=x identity=pkcs11:object=x for=bob for=bob for=bob"},
    {"identity ./a=b.pem\n", "bob 1", "connect tcp host=bob port=1 identity=DIR/./a=b.pem"},
    {"identity a.pem\npass file:~/p\n", "bob 1", "connect tcp host=bob port=1 identity=DIR/a.pem pass=file:/home/me/p"},
    {"identity a.pem\npass env:P\n", "bob 1", "connect tcp host=bob port=1 identity=DIR/a.pem pass=env:P"},
    {"cert my certificate.pem\ncacert c.pem\n", "bob 1", "connect tcp host=bob port=1 cert=DIR/my certificate.pem cacert=DIR/c.pem"},
    {"to unix:~/s\n", "bob 1", "connect tcp host=bob port=1 to=/home/me/s"},
    {"from unix:s\n", "bob 1", "connect tcp host=bob port=1 from=DIR/s"},
    {"from unix:/s\n", "bob 1", "connect tcp host=bob port=1 from=/s"},
    {"to tcp:~/s:5\n", "bob 1", "connect tcp host=bob port=1 to=~/s"}, /* a host */
    {"from tcp:5\n", "bob 1", "connect tcp host=bob port=1 from=5"},
    {"dane\n", "bob.example 1", "connect tcp host=bob.example port=1 dane=dns"},
    {"dane dns\n", "bob.example 1", "connect tcp host=bob.example port=1 dane=DIR/dns"},

    /* another file, none, and tasks that it has nothing to do with */
    {"udp\n", "-F none bob 1", "connect tcp host=bob port=1"},
    {"udp\n", "--config=none bob 1", "connect tcp host=bob port=1"},
    {"nonsense\n", "--version", "version tcp"},
    {"nonsense\n", "--make-psk", "psk tcp"},
    {"nonsense\n", "--known list", "list tcp"},
    {"nonsense\n", "-F none bob 1", "connect tcp host=bob port=1"},
};

static void test_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rights); i++) {
        struct options options;
        struct error error;
        const char *got;

        put_config(rights[i].file);
        got = read_line(&options, rights[i].line, &error) ? story_of(&options) : error.story;
        check_row(strcmp(got, rights[i].wanted) == 0, "row %zu: %s: \"%s\"", i, rights[i].line, got);
        options_free(&options);
    }
}

/* ---- What is said against it: FILE stands for its name ---- */

#define FOR_THE_COMMAND_LINE(option) "FILE:1: \"" option "\" is for the command line only: "

static const struct {
    const char *file, *line, *wanted; /* the beginning of what is said */
} wrongs[] = {
    {"udp\nnonsense 3\n", "bob 1", "FILE:2: \"nonsense\" is no option; symtls --help lists them"},
    {"[carol]\nnonsense 3\n", "bob 1", "FILE:2: \"nonsense\" is no option"}, /* in other sections too */
    {"\x1b[31mred\n", "bob 1", "FILE:1: \"\\x1b[31mred\" is no option"},
    {"UDP\n", "bob 1", "FILE:1: \"UDP\" is no option"},
    {"-u\n", "bob 1", "FILE:1: \"-u\" is no option: they are written here by their long names, without the dashes"},
    {"--udp\n", "bob 1", "FILE:1: \"--udp\" is no option: they are written"},
    {"help\n", "bob 1", "FILE:1: \"help\" is no option"},
    {"linger\n", "bob 1", "FILE:1: \"linger\" needs a value"},
    {"linger =\n", "bob 1", "FILE:1: \"linger\" needs a value"},
    {"linger soon\n", "bob 1", "FILE:1: --linger \"soon\": it has to be a time like"},
    {"[carol]\nlinger soon\n", "bob 1", "FILE:2: --linger \"soon\": it has to be"},
    {"udp on\n", "bob 1", "FILE:1: \"udp\" takes no value but yes or no"},
    {"pin x\n", "bob 1", "FILE:1: --pin \"x\": it has to be"},
    {"linger 1s\nlinger 2s\n", "bob 1", "FILE:2: \"linger\" is said twice in this section"},
    {"udp\nudp\n", "bob 1", "FILE:2: \"udp\" is said twice in this section"},
    {"[bob]\nhost a\nhost b\n", "bob 1", "FILE:3: \"host\" is said twice in this section"},
    {"[bob]\nport 1\nport 2\n", "bob", "FILE:3: \"port\" is said twice in this section"},
    {"[bob]\nport\n", "bob", "FILE:2: \"port\" needs a value"},
    {"[bob]\nport 70000\n", "bob", "PORT \"70000\": a port is a number from 1 to 65535"},
    {"[bob]\nhost a b\nport 1\n", "bob", "\"a b\" is no host's name or address"},
    {"host a\n", "bob 1", "FILE:1: \"host\" belongs into the section of a peer"},
    {"[bob]\n[alice]\n[Bob]\n", "bob 1", "FILE:3: the section [Bob] has begun in line 1 already"},
    {"[bob\n", "bob 1", "FILE:1: a section begins with a name in brackets"},
    {"[#bob]\n", "bob 1", "FILE:1: the name of a section \"\": it has to be one that a peer can have"},
    {"[b\xff]\n", "bob 1", "FILE:1: the name of a section \"b\xff\": it is no name that could be looked up"},

    /* sections that contradict themselves; limits that would go silently */
    {"[bob]\nudp\nsctp\n", "bob 1", "FILE:3: -u is UDP, -S is SCTP: choose one"},
    {"[bob]\nudp\nsctp\n", "-S bob 1", "FILE:3: -u is UDP, -S is SCTP: choose one"},
    {"[bob]\nmtu 1000\n", "bob 1", "FILE:2: --mtu is the size of datagrams: it goes with -u"},
    {"[bob]\npsk-identity me\n", "bob 1", "FILE:2: --psk-identity is our name with a shared key: it goes with --psk-file"},
    {"[bob]\nhost 192.0.2.2\ndane\n", "bob 1", "FILE:3: --dane is about a name, and \"192.0.2.2\" is an address"},
    {"dane\n", "192.0.2.2 1", "FILE:1: --dane is about a name, and \"192.0.2.2\" is an address"},
    {"dane\n", "-n bob.example 1", "FILE:1: -n asks no name server, and --dane does"},
    {"dane\n", "-l 1", "FILE:1: --dane is about the name that we call"},
    {"psk-file k\ncacert c\n", "bob 1", "FILE:2: with --psk-file"},

    /* the command line by itself */
    {"udp\n", "-u -S bob 1", "-u is UDP, -S is SCTP: choose one"},
    {"[bob]\nport 1\n", "alice", "the port is missing; the form is symtls HOST PORT, and symtls --help lists the options; FILE has no section [alice]"},
    {"[bob]\nudp\n", "bob", "the port is missing; the form is symtls HOST PORT, and symtls --help lists the options; the section [bob] in FILE has no port"},
    {"[bob]\nudp\n", "-l bob", "the port is missing; the form is symtls -l [ADDR] PORT, and symtls --help lists the options; the section [bob] in FILE has no port"},
    {"[bob]\n", "bob:4433", "HOST and PORT are two words: bob 4433"},
    {"[bob]\nport 1\n", "bob 1 2", "too many words"},
    {"port 1\n", "", "nobody to talk to"},
    {"", "-F none bob", "the port is missing; the form is symtls HOST PORT, and symtls --help lists the options"},
    {"", "-F /does/not/exist bob 1", "cannot open \"/does/not/exist\": No such file or directory"},
    {"", "-F / bob 1", "cannot read \"/\": Is a directory"},

    /* what is not for files */
    {"insecure\n", "bob 1", FOR_THE_COMMAND_LINE("insecure")},
    {"insecure no\n", "bob 1", FOR_THE_COMMAND_LINE("insecure")},
    {"allow-self\n", "bob 1", FOR_THE_COMMAND_LINE("allow-self")},
    {"remote-id request\n", "bob 1", FOR_THE_COMMAND_LINE("remote-id request")},
    {"remote-id ignore\n", "bob 1", FOR_THE_COMMAND_LINE("remote-id ignore")},
    {"tofu accept-new\n", "bob 1", FOR_THE_COMMAND_LINE("tofu accept-new")},
    {"ocsp never\n", "bob 1", FOR_THE_COMMAND_LINE("ocsp never")},
    {"keylog k\n", "bob 1", FOR_THE_COMMAND_LINE("keylog")},
    {"role-preference m\n", "bob 1", FOR_THE_COMMAND_LINE("role-preference")},
    {"unixsock s\n", "bob 1", FOR_THE_COMMAND_LINE("unixsock")},
    {"fd 3\n", "bob 1", FOR_THE_COMMAND_LINE("fd")},
    {"save-cert f\n", "bob 1", FOR_THE_COMMAND_LINE("save-cert")},
    {"exec f\n", "bob 1", FOR_THE_COMMAND_LINE("exec")},
    {"sh-exec f\n", "bob 1", FOR_THE_COMMAND_LINE("sh-exec")},
    {"config f\n", "bob 1", FOR_THE_COMMAND_LINE("config")},
    {"report f\n", "bob 1", FOR_THE_COMMAND_LINE("report")},
    {"trace\n", "bob 1", FOR_THE_COMMAND_LINE("trace")},
    {"trace t.svg\n", "bob 1", FOR_THE_COMMAND_LINE("trace")},
    {"zero\n", "bob 1", FOR_THE_COMMAND_LINE("zero")},
    {"show-identity\n", "bob 1", FOR_THE_COMMAND_LINE("show-identity")},
    {"make-psk\n", "bob 1", FOR_THE_COMMAND_LINE("make-psk")},
    {"known list\n", "bob 1", FOR_THE_COMMAND_LINE("known")},
    {"version\n", "bob 1", FOR_THE_COMMAND_LINE("version")},
};

/* `text` begins with `wanted`, in which FILE is the path of the file. */
static bool begins(const char *text, const char *wanted)
{
    char whole[1024] = "";

    for (const char *at = wanted; *at;) {
        const char *file = strstr(at, "FILE") && strncmp(strstr(at, "FILE"), "FILE=", 5) != 0 ? strstr(at, "FILE") : NULL;
        size_t length = file ? (size_t)(file - at) : strlen(at);

        snprintf(whole + strlen(whole), sizeof whole - strlen(whole), "%.*s%s", (int)length, at, file ? config_path() : "");
        at += length + (file ? 4 : 0);
    }
    return strncmp(text, whole, strlen(whole)) == 0;
}

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrongs); i++) {
        struct options options;
        struct error error;

        put_config(wrongs[i].file);
        check_row(!read_line(&options, wrongs[i].line, &error), "row %zu: %s: it is taken: %s", i, wrongs[i].line, story_of(&options));
        check_row(error.status == STATUS_LOCAL && begins(error.story, wrongs[i].wanted), "row %zu: \"%s\"", i, error.story);
        options_free(&options);
    }
}

/* ---- Who could have written it ---- */

static const char *outcome(const char *line)
{
    static char text[sizeof((struct error *)0)->story];
    struct options options;
    struct error error;

    snprintf(text, sizeof text, "%s", read_line(&options, line, &error) ? "read" : error.story);
    options_free(&options);
    return text;
}

static void test_others_can_write(void **state)
{
    static const struct {
        unsigned mode;
        const char *wanted;
    } rows[] = {
        {0600, "read"}, {0644, "read"}, {0400, "read"}, {0444, "read"},
        {0622, "(mode 0622), so it is not used; chmod go-w mends it"},
        {0620, "(mode 0620), so it is not used"}, {0602, "(mode 0602), so it is not used"}, {0666, "(mode 0666), so it is not used"},
    };

    (void)state;
    put_config("udp\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod(config_path(), rows[i].mode), 0);
        check_row(has(outcome("bob 1"), rows[i].wanted), "mode %04o: %s", rows[i].mode, outcome("bob 1"));
        check_row(has(outcome("-F none bob 1"), "read"), "mode %04o: -F none", rows[i].mode);
    }
    assert_int_equal(chmod(config_path(), 0600), 0);
    if (geteuid() != 0)
        return; /* nobody else's file can be made */
    assert_int_equal(chown(config_path(), 12345, 0), 0);
    assert_true(has(outcome("bob 1"), "belongs to another user (uid 12345), who could write anything into it, so it is not used"));
    assert_int_equal(chown(config_path(), 0, 0), 0);
}

static int read_as_nobody(void *argument)
{
    become_nobody();
    return has(outcome("bob 1"), argument) ? 0 : 1;
}

static void test_others(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    put_config("udp\n");
    assert_int_equal(chmod(scratch_path("symtls"), 0755), 0);
    assert_int_equal(in_child(read_as_nobody, "Permission denied"), 0);
    assert_int_equal(chmod(config_path(), 0644), 0);
    assert_int_equal(in_child(read_as_nobody, "read"), 0); /* root may write everywhere anyway */
}

/* Missing is nothing; a folder in its place is wrong. */
static void test_no_file(void **state)
{
    (void)state;
    scratch_clear();
    assert_string_equal(outcome("bob 1"), "read");
    assert_true(has(outcome("bob"), "symtls/config that could have a section [bob]"));
    assert_int_equal(mkdir(scratch_path("symtls"), 0700), 0);
    assert_int_equal(mkdir(config_path(), 0700), 0);
    assert_true(has(outcome("bob 1"), "Is a directory"));
    rmdir(config_path());
}

/* ---- Every option, in the file, together with every other one on the command line ---- */

/* Some value that would do. A new option needs a line here only where its kind does not say enough. */
static const char *sample(const struct poptOption *option)
{
    static const struct {
        const char *name, *value;
    } samples[] = {
        {"source", "192.0.2.1"}, {"role", "client"}, {"hello", "wait"}, {"symmetric", "require"}, {"role-preference", "m"},
        {"pass", "env:P"}, {"pin", PIN_A}, {"ocsp", "require"}, {"tofu", "never"}, {"remote-id", "require"},
        {"priority", "NORMAL"}, {"alpn", "a"}, {"to", "unix:/a"}, {"from", "unix:/a"}, {"framing", "line"}, {"export", "a:1"}, {"known", "list"}, {"report", "/dev/null"},
        {"extension-id", "1"}, {"mtu", "1000"}, {"recordsize", "1000"}, {"channel-binding", "tls-exporter"}, {"sctp-udp", "9899"}, {"source-port", "5"}, {"config", "none"}, {"commands", "~"},
    };

    if ((option->argInfo & POPT_ARG_MASK) == POPT_ARG_NONE)
        return NULL;
    for (size_t i = 0; i < COUNT(samples); i++)
        if (strcmp(samples[i].name, option->longName) == 0)
            return samples[i].value;
    if (strcmp(option->argDescrip, "TIME") == 0)
        return "5s";
    if (strcmp(option->argDescrip, "N") == 0)
        return "3";
    if (strcmp(option->argDescrip, "NAME") == 0)
        return "carol";
    return "/dev/null";
}

/* The options, one after the other; NULL at the end. */
static const struct poptOption *next_option(const struct poptOption **group, const struct poptOption *option)
{
    option = option ? option + 1 : (*group)->arg;
    while (!option->longName) {
        do
            ++*group;
        while ((*group)->arg == poptHelpOptions);
        option = (*group)->arg;
        if (!option)
            return NULL;
    }
    return option;
}

static void line_with(char *line, size_t size, const struct poptOption *option)
{
    const char *value = sample(option);

    if (value)
        snprintf(line, size, "--%s=%s bob.example 4433", option->longName, value);
    else
        snprintf(line, size, "--%s bob.example 4433", option->longName);
}

/* What stands without the file stands with it, unless the file limits who is accepted: then it may be refused, by its line. */
static void check_together(const struct poptOption *file, const struct poptOption *typed)
{
    char line[256], without[sizeof line + 16];
    const char *got;

    line_with(line, sizeof line, typed);
    snprintf(without, sizeof without, "-F none %s", line);
    if (strcmp(typed->longName, "config") == 0 || strcmp(outcome(without), "read") != 0)
        return;
    got = outcome(line);
    check_row(strcmp(got, "read") == 0 || (strcmp(file->longName, "dane") == 0 && begins(got, "FILE:1: ")),
              "\"%s\" in the file, and %s: %s", file->longName, line, got);
}

static void test_every_pair(void **state)
{
    const struct poptOption *file_group = options_table, *file = NULL, *typed_group, *typed;
    size_t number = 0, step = stride(7);
    char text[256];
    const char *value;

    (void)state;
    while ((file = next_option(&file_group, file))) {
        if (number++ % step)
            continue;
        value = sample(file);
        snprintf(text, sizeof text, "%s%s%s\n", file->longName, value ? " " : "", value ? value : "");
        put_config(text);
        if (strstr(outcome("bob.example 4433"), "is for the command line only"))
            continue;
        check_row(strcmp(outcome("bob.example 4433"), "read") == 0, "\"%s\" in the file: %s", file->longName, outcome("bob.example 4433"));
        typed_group = options_table;
        for (typed = NULL; (typed = next_option(&typed_group, typed));)
            check_together(file, typed);
    }
    assert_true(number > 50);
}

static int setup(void **state)
{
    if (scratch_setup(state) != 0)
        return -1;
    setenv("HOME", "/home/me", 1);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_others_can_write),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_every_pair),
    };

    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
