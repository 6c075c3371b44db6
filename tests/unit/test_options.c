/* test_options.c - command lines: what comes of each, or what is said against it. */
#include "check.h"
#include "helpers.h"
#include "options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIN_A "pin-sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PIN_B "pin-sha256:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define CURL_B "sha256//BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* ---- Reading a line, and looking at the outcome by name ---- */

/* The words of `line` are separated by one space; _ stands for a space in a word, and "" for an empty word. */
static bool read_line(struct options *options, const char *line, struct error *error)
{
    const char *argv[64] = {"symtls"};
    char *copy = strdup(line), *rest = copy, *word;
    int argc = 1;
    bool done;

    while ((word = strsep(&rest, " ")) && argc < 63) {
        for (char *at = word; (at = strchr(at, '_'));)
            *at = ' ';
        argv[argc++] = strcmp(word, "\"\"") == 0 ? "" : word;
    }
    memset(error, 0, sizeof *error);
    done = options_read(options, argc, argv, error);
    free(copy);
    return done;
}

static const char *text(const char *value)
{
    return value ? value : "-";
}

static const char *number(long value)
{
    static char digits[32];

    snprintf(digits, sizeof digits, "%ld", value);
    return digits;
}

static const char *list(const struct options_list *values)
{
    static char joined[1024];

    strcpy(joined, values->count ? "" : "-");
    for (size_t i = 0; i < values->count; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", i ? "," : "", values->at[i] ? values->at[i] : "anybody");
    return joined;
}

static const char *one_of(int index, const char *const *names)
{
    return names[index];
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__})

/* The field of that name, as a text. */
static const char *field(const struct options *options, const char *name)
{
    const struct {
        const char *name, *value;
    } fields[] = {
        {"task", one_of((int)options->task, NAMES("connect", "listen", "both", "show", "list", "add", "del", "make-psk", "version"))},
        {"host", text(options->host)},
        {"port", text(options->port)},
        {"path", text(options->path)},
        {"from_host", text(options->from.host)},
        {"from_port", text(options->from.port)},
        {"from_path", text(options->from.path)},
        {"known_name", text(options->known_name)},
        {"known_pin", options->known_pin},
        {"family", options->family == AF_INET ? "4" : options->family == AF_INET6 ? "6" : "any"},
        {"source", text(options->source)},
        {"source_port", text(options->source_port)},
        {"role", one_of((int)options->want, NAMES("any", "client", "server", "prefer-client", "prefer-server"))},
        {"symmetric", one_of((int)options->symmetric, NAMES("allow", "require", "never"))},
        {"hello", one_of((int)options->hello, NAMES("now", "wait"))},
        {"preference", text(options->preference)},
        {"cert", text(options->certificate)},
        {"key", text(options->key)},
        {"pass", text(options->pass)},
        {"ocsp_response", text(options->ocsp_response)},
        {"psk_file", text(options->psk_file)},
        {"psk_identity", text(options->psk_identity)},
        {"cacert", text(options->cacert)},
        {"crl", text(options->crl)},
        {"ocsp", one_of((int)options->ocsp, NAMES("check", "require", "never"))},
        {"dane_file", text(options->dane_file)},
        {"tofu", one_of((int)options->tofu, NAMES("ask", "accept-new", "never"))},
        {"remote_id", one_of((int)options->remote_id, NAMES("require", "request", "ignore"))},
        {"priority", text(options->priority)},
        {"sni", text(options->server_name)},
        {"keylog", text(options->keylog)},
        {"label", text(options->export_label)},
        {"context", text(options->export_context)},
        {"report", text(options->report)},
        {"to_host", text(options->to.host)},
        {"to_port", text(options->to.port)},
        {"to_path", text(options->to.path)},
        {"session", text(options->session)},
        {"save_cert", text(options->save_cert)},
        {"binding", one_of((int)options->channel_binding, NAMES("none", "tls-exporter", "tls-unique"))},
    };
    const struct {
        const char *name;
        long value;
    } numbers[] = {
        {"numeric", options->numeric},
        {"commands", options->commands},
        {"dane", options->dane},
        {"rawpk", options->rawpk},
        {"strict_eku", options->strict_eku},
        {"wait", options->wait_ms},
        {"handshake", options->handshake_ms},
        {"idle", options->idle_ms},
        {"linger", options->linger_ms},
        {"retries", options->retries},
        {"retry_delay", options->retry_delay_ms},
        {"implicit", options->implicit},
        {"extension", options->extension_id},
        {"no_identity", options->no_identity},
        {"insecure", options->insecure},
        {"allow_self", options->allow_self},
        {"length", (long)options->export_length},
        {"record_size", (long)options->record_size},
        {"tickets", options->tickets},
        {"want_given", options->want_given},
        {"to_ms", options->to_ms},
        {"progress", options->progress},
        {"pty", options->pty},
        {"raw", options->raw},
        {"framing", options->framing},
        {"crlf", options->crlf},
        {"send_proxy", options->send_proxy},
        {"no_stdin", options->no_stdin},
        {"discard", options->discard},
        {"zero", options->zero},
        {"keep_open", options->keep_open},
        {"descriptor", options->descriptor},
        {"max", options->max_sessions},
        {"verbosity", options->verbosity},
    };

    for (size_t i = 0; i < COUNT(fields); i++)
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].value;
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (strcmp(numbers[i].name, name) == 0)
            return number(numbers[i].value);
    if (strcmp(name, "identities") == 0)
        return list(&options->identities);
    if (strcmp(name, "identity_peers") == 0)
        return list(&options->identity_peers);
    if (strcmp(name, "peers") == 0)
        return list(&options->peers);
    if (strcmp(name, "pins") == 0)
        return list(&options->pins);
    if (strcmp(name, "alpn") == 0)
        return list(&options->alpn);
    if (strcmp(name, "program") == 0)
        return list(&options->program);
    check_row(false, "there is no field \"%s\"", name);
    return NULL;
}

/* ---- Lines that are right ---- */

static const struct {
    const char *line, *fields; /* "name=value name=value"; _ is a space in a value */
} rights[] = {
    /* three ways to a peer, and the defaults of each */
    {"host 4433", "task=connect host=host port=4433 family=any numeric=0 source=- source_port=- wait=30000 handshake=30000 idle=-1 "
                  "linger=10000 retries=0 retry_delay=1000 role=any symmetric=allow hello=now implicit=0 extension=65363 "
                  "preference=- identities=- cert=- key=- pass=- no_identity=0 rawpk=0 ocsp_response=- psk_file=- psk_identity=- peers=- pins=- cacert=- dane=0 dane_file=- crl=- ocsp=check tofu=ask remote_id=require insecure=0 "
                  "allow_self=0 priority=- alpn=- sni=host keylog=- label=- no_stdin=0 discard=0 zero=0 verbosity=0 report=-"},
    {"-l 4433", "task=listen host=- port=4433 source_port=- wait=-1 handshake=30000 linger=10000 role=prefer-server symmetric=allow "
                "hello=wait sni=- tofu=ask remote_id=require"},
    {"-b host 4433", "task=both host=host port=4433 source_port=4433 wait=-1 role=any symmetric=require hello=now sni=host"},
    {"--listen 4433", "task=listen"},
    {"--both host 4433", "task=both"},
    {"host 4433 -l", "task=listen host=host port=4433"},
    {"-l host 4433", "task=listen host=host port=4433 sni=-"},
    {"-l -- 4433", "port=4433"},

    /* addresses and ports */
    {"[2001:db8::1] 4433", "host=2001:db8::1 sni=-"},
    {"2001:db8::1 4433", "host=2001:db8::1 sni=-"},
    {"[fe80::1%eth0] 4433", "host=fe80::1%eth0 sni=-"},
    {"-l [::1] 4433", "host=::1"},
    {"-b [::1] 4433", "host=::1"},
    {"192.0.2.1 4433", "host=192.0.2.1 sni=-"},
    {"192.0.2.1.example 4433", "sni=192.0.2.1.example"},
    {"host https", "port=https"},
    {"host 1", "port=1"},
    {"host 65535", "port=65535"},
    {"-l 0", "port=0"},
    {"-l host 0", "port=0"},
    {"-l -p 4433", "task=listen host=- port=4433"},
    {"-l -p 0", "port=0"},
    {"-l -s 192.0.2.1 -p 4433", "host=192.0.2.1 port=4433"},
    {"-l -s 192.0.2.1 4433", "host=192.0.2.1 port=4433"},
    {"-p 1 host 2", "source_port=1 port=2"},
    {"-p 0 host 2", "source_port=0"},
    {"-b -p 1 host 2", "source_port=1 port=2"},
    {"-s 192.0.2.1 host 1", "source=192.0.2.1"},
    {"--source 192.0.2.1 --source-port 5 host 1", "source=192.0.2.1 source_port=5"},
    {"-4 host 1", "family=4"},
    {"-6 host 1", "family=6"},
    {"--ipv4 host 1", "family=4"},
    {"--ipv6 host 1", "family=6"},
    {"-n host 1", "numeric=1"},
    {"--numeric host 1", "numeric=1"},

    /* time */
    {"-w 5s host 1", "wait=5000"},
    {"--wait=500ms host 1", "wait=500"},
    {"-w 0 host 1", "wait=-1"},
    {"-w 2m -l 1", "wait=120000"},
    {"-w 2m -b host 1", "wait=120000"},
    {"--handshake-timeout 1s host 1", "handshake=1000"},
    {"--handshake-timeout 0 host 1", "handshake=-1"},
    {"--idle-timeout 3 host 1", "idle=3000"},
    {"--idle-timeout 0 host 1", "idle=-1"},
    {"--linger 1h host 1", "linger=3600000"},
    {"--linger 0 host 1", "linger=0"},
    {"host 1", "commands=0"},
    {"--commands host 1", "commands=126"},
    {"--commands -l 1", "commands=126 task=listen port=1"},
    {"--commands=% host 1", "commands=37"},
    {"--commands=^] host 1", "commands=29"},
    {"--commands=^A host 1", "commands=1"},
    {"--commands=^ host 1", "commands=94"},
    {"--commands=none host 1", "commands=0"},
    {"--commands --commands=none host 1", "commands=0"},
    {"--retry -n host 1", "retries=-1 numeric=1"},
    {"-n --retry -- host 1", "retries=-1 host=host port=1"},
    {"--retry=5 host 1", "retries=5"},
    {"--retry=0 host 1", "retries=0"},
    {"--retry-delay 100ms host 1", "retry_delay=100"},

    /* role */
    {"-r any host 1", "role=any"},
    {"-r client host 1", "role=client"},
    {"--role server host 1", "role=server"},
    {"--role=prefer-client host 1", "role=prefer-client"},
    {"-r prefer-server host 1", "role=prefer-server"},
    {"-l -r any 1", "role=any"},
    {"-l -r client 1", "role=client hello=wait"},
    {"--hello wait host 1", "hello=wait"},
    {"--hello now -l 1", "hello=now"},
    {"--hello wait -b host 1", "hello=wait"},
    {"--symmetric require host 1", "symmetric=require"},
    {"--symmetric require -l 1", "symmetric=require"},
    {"--symmetric allow -b host 1", "symmetric=allow"},
    {"--symmetric never host 1", "symmetric=never role=client hello=now"},
    {"--symmetric never -l 1", "symmetric=never role=server hello=wait"},
    {"--symmetric never -l -r client 1", "symmetric=never role=client hello=now"},
    {"--symmetric never -r server host 1", "symmetric=never role=server hello=wait"},
    {"--symmetric never -r prefer-client -l 1", "role=client hello=now"},
    {"--symmetric never -r prefer-server host 1", "role=server hello=wait"},
    {"--symmetric never -b -r client host 1", "task=both symmetric=never role=client"},
    {"--implicit host 1", "implicit=1 role=any"},
    {"--implicit -l 1", "implicit=1 role=any hello=wait"},
    {"--extension-id 65280 host 1", "extension=65280"},
    {"--extension-id 0xff01 host 1", "extension=65281"},
    {"--extension-id 0 host 1", "extension=0"},
    {"--extension-id 65535 host 1", "extension=65535"},
    {"--role-preference !x host 1", "preference=!x"},

    /* our identity */
    {"-i me.pem host 1", "identities=me.pem identity_peers=anybody cert=- key=-"},
    {"-i me.pem -i bob=other.pem -i ./a=b -i /x/c=d host 1", "identities=me.pem,other.pem,./a=b,/x/c=d identity_peers=anybody,bob,anybody,anybody"},
    {"-i bob=./a=b host 1", "identities=./a=b identity_peers=bob"},
    {"-i pkcs11:token=me;object=x host 1", "identities=pkcs11:token=me;object=x identity_peers=anybody"},
    {"-i bob=pkcs11:token=me host 1", "identities=pkcs11:token=me identity_peers=bob"},
    {"--rawpk host 1", "rawpk=1 no_identity=0"},
    {"-i me.pem --ocsp-response o host 1", "ocsp_response=o"},
    {"--cert c --key k --ocsp-response o host 1", "ocsp_response=o"},
    {"--identity me.pem host 1", "identities=me.pem"},
    {"--cert c --key k host 1", "cert=c key=k"},
    {"--key k host 1", "cert=- key=k"},
    {"--cert c host 1", "cert=c key=-"},
    {"-i me.pem --pass env:X host 1", "pass=env:X"},
    {"--key k --pass file:x host 1", "pass=file:x"},
    {"--key k --pass fd:3 host 1", "pass=fd:3"},
    {"--psk-file f host 1", "psk_file=f psk_identity=- no_identity=0 role=any"},
    {"--psk-file f -l 1", "psk_file=f role=prefer-server"},
    {"--psk-file f --psk-identity me -b host 1", "psk_file=f psk_identity=me role=any"},
    {"--psk-file f --psk-identity me --peer bob --allow-self host 1", "psk_identity=me peers=bob allow_self=1"},
    {"--make-psk", "task=make-psk"},
    {"--no-identity host 1", "no_identity=1 role=client"},
    {"--no-identity -l 1", "no_identity=1 role=client"},
    {"--no-identity -b host 1", "no_identity=1 role=client"},
    {"--no-identity -r prefer-client host 1", "role=client"},
    {"--no-identity --symmetric never host 1", "role=client hello=now"},

    /* the peer */
    {"--peer bob host 1", "peers=bob"},
    {"--peer bob@b\xc3\xbc" "cher.example --peer b\xc3\xbc" "cher.example host 1", "peers=bob@xn--bcher-kva.example,xn--bcher-kva.example"},
    {"b\xc3\xbc" "cher.example 1", "host=xn--bcher-kva.example sni=xn--bcher-kva.example"},
    {"--sni b\xc3\xbc" "cher.example host 1", "host=host sni=xn--bcher-kva.example"},
    {"--known del b\xc3\xbc" "cher.example", "known_name=xn--bcher-kva.example"},
    {"-i b\xc3\xbc" "cher.example=f host 1", "identities=f identity_peers=xn--bcher-kva.example"},
    {"--strict-eku host 1", "strict_eku=1"},
    {"--peer bob --peer ann host 1", "peers=bob,ann"},
    {"--pin " PIN_A " host 1", "pins=" PIN_A},
    {"--pin " PIN_A " --pin " CURL_B " host 1", "pins=" PIN_A "," PIN_B},
    {"--cacert ca.pem host 1", "cacert=ca.pem"},
    {"--crl crl.pem host 1", "crl=crl.pem"},
    {"--ocsp check host 1", "ocsp=check"},
    {"--ocsp require host 1", "ocsp=require"},
    {"--ocsp never host 1", "ocsp=never"},
    {"--remote-id ignore --ocsp never host 1", "remote_id=ignore ocsp=never"},
    {"--insecure --crl crl.pem --ocsp require host 1", "insecure=1 crl=crl.pem ocsp=require"},
    {"--dane host 1", "dane=1 dane_file=- host=host port=1"},
    {"--dane=zone host 1", "dane=1 dane_file=zone host=host port=1"},
    {"--dane=dns host 1", "dane=1 dane_file=-"},
    {"--dane=./dns host 1", "dane=1 dane_file=./dns"},
    {"--dane -b host 1", "dane=1 dane_file=- task=both"},
    {"-u --dane=zone --pin " PIN_A " -n host 1", "dane=1 dane_file=zone numeric=1"},
    {"--tofu ask host 1", "tofu=ask"},
    {"--tofu accept-new host 1", "tofu=accept-new"},
    {"--tofu never host 1", "tofu=never"},
    {"--remote-id require host 1", "remote_id=require"},
    {"--remote-id request host 1", "remote_id=request"},
    {"--remote-id ignore host 1", "remote_id=ignore"},
    {"--insecure host 1", "insecure=1"},
    {"--allow-self host 1", "allow_self=1"},

    /* TLS */
    {"--priority NORMAL:-VERS-TLS1.3 host 1", "priority=NORMAL:-VERS-TLS1.3"},
    {"--alpn h2 host 1", "alpn=h2"},
    {"--alpn h2 --alpn http/1.1 host 1", "alpn=h2,http/1.1"},
    {"--sni other host 1", "sni=other"},
    {"--sni other -l 1", "sni=other"},
    {"--sni name 192.0.2.1 1", "sni=name"},
    {"--no-sni host 1", "sni=-"},
    {"--keylog k host 1", "keylog=k"},
    {"--export label:32 host 1", "label=label length=32 context=-"},
    {"--export label:0x10:con:text host 1", "label=label length=16 context=con:text"},
    {"--export a_label:1: host 1", "label=a_label length=1 context="},
    {"--export l:8160 host 1", "length=8160"},
    {"host 1", "binding=none record_size=0 tickets=0 session=- save_cert=- want_given=0"},
    {"--channel-binding tls-exporter host 1", "binding=tls-exporter"},
    {"--channel-binding tls-unique host 1", "binding=tls-unique"},
    {"--recordsize 512 host 1", "record_size=512"},
    {"--recordsize 16384 host 1", "record_size=16384"},
    {"--tickets --session file host 1", "tickets=1 session=file"},
    {"--save-cert file host 1", "save_cert=file"},
    {"--role any host 1", "want_given=1"},
    {"--no-identity host 1", "want_given=1"},
    {"-l 1", "role=prefer-server want_given=0"},

    /* programs */
    {"host 1", "program=-"},
    {"-e cat host 1", "program=cat"},
    {"--exec cat host 1", "program=cat"},
    {"--exec ls_-l_'a_b'_\"c_'d\"_e\\_f host 1", "program=ls,-l,a_b,c_'d,e_f"},
    {"-c a_|_b host 1", "program=/bin/sh,-c,a_|_b"},
    {"--sh-exec a_>b host 1", "program=/bin/sh,-c,a_>b"},

    /* targets */
    {"--to tcp:127.0.0.1:80 host 1", "to_host=127.0.0.1 to_port=80 to_path=- to_ms=30000 send_proxy=0"},
    {"--to tcp:[2001:db8::1]:http -w 5s host 1", "to_host=2001:db8::1 to_port=http to_ms=5000"},
    {"--to unix:/a/b:c -l 1", "to_host=- to_port=- to_path=/a/b:c to_ms=30000"},
    {"--to unix:s --send-proxy -l 1", "to_path=s send_proxy=1"},

    /* data */
    {"host 1", "progress=0"},
    {"--progress host 1", "progress=1"},
    {"host 1", "pty=0 raw=0"},
    {"--pty -e sh -l 1", "pty=1"},
    {"--pty -c sh -l 1", "pty=1"},
    {"--raw host 1", "raw=1"},
    {"host 1", "framing=0 crlf=0"},
    {"--framing read host 1", "framing=0"},
    {"--framing line -C host 1", "framing=1 crlf=1"},
    {"--framing nul --crlf host 1", "framing=2 crlf=1"},
    {"--framing len16 host 1", "framing=3"},
    {"-d host 1", "no_stdin=1 discard=0"},
    {"--no-stdin host 1", "no_stdin=1"},
    {"--recv-only host 1", "no_stdin=1 discard=0"},
    {"--recv-only -d host 1", "no_stdin=1"},
    {"--send-only host 1", "no_stdin=0 discard=1"},
    {"-U /p", "task=connect path=/p host=- descriptor=-1 sni=-"},
    {"-U /p -l", "task=listen path=/p"},
    {"--fd 0 -l", "task=listen descriptor=0 host=- sni=-"},
    {"-k host 1 --from tcp:80", "keep_open=1 from_host=127.0.0.1 from_port=80 from_path=-"},
    {"host 1 --from tcp:[::1]:80", "from_host=::1 from_port=80"},
    {"host 1 --from tcp:localhost:0", "from_host=localhost from_port=0"},
    {"host 1 --from unix:/a:b", "from_host=- from_port=- from_path=/a:b"},
    {"-k -l 1", "keep_open=1 max=100"},
    {"--keep-open --max-conns 7 -l 1", "keep_open=1 max=7"},
    {"-l 1", "keep_open=0"},
    {"-z host 1", "zero=1"},
    {"--zero host 1", "zero=1"},

    /* telling */
    {"-v host 1", "verbosity=1"},
    {"-vv host 1", "verbosity=2"},
    {"-v --verbose host 1", "verbosity=2"},
    {"-q host 1", "verbosity=-1"},
    {"-qq host 1", "verbosity=-1"},
    {"--quiet host 1", "verbosity=-1"},
    {"--report file host 1", "report=file"},
    {"--report fd:3 host 1", "report=fd:3"},
    {"--report fdx host 1", "report=fdx"},

    /* other tasks */
    {"--show-identity", "task=show"},
    {"--show-identity -i me.pem", "task=show identities=me.pem"},
    {"--show-identity --key k --pass env:X", "task=show key=k pass=env:X"},
    {"--known list", "task=list"},
    {"--known add bob " PIN_A, "task=add known_name=bob known_pin=" PIN_A},
    {"--known add bob " CURL_B, "known_pin=" PIN_B},
    {"--known del bob", "task=del known_name=bob known_pin="},
    {"--known del bob " CURL_B, "task=del known_name=bob known_pin=" PIN_B},
    {"--known del -- -bob " PIN_A, "task=del known_name=-bob known_pin=" PIN_A},
    {"--version", "task=version"},
    {"-V", "task=version"},
    {"-V host", "task=version"},

    /* letters together, options behind the words */
    {"-4nv host 1", "family=4 numeric=1 verbosity=1"},
    {"host -d 1 -z", "host=host port=1 no_stdin=1 zero=1"},
    {"-w5s host 1", "wait=5000"},
};

static void check_fields(const struct options *options, const char *line, const char *fields)
{
    char *copy = strdup(fields), *rest = copy, *word;

    while ((word = strsep(&rest, " "))) {
        char *wanted = strchr(word, '=');
        const char *found;

        *wanted++ = '\0';
        found = field(options, word);
        for (char *at = wanted; (strcmp(word, "label") == 0 || strcmp(word, "program") == 0) && (at = strchr(at, '_'));)
            *at = ' ';
        check_row(strcmp(found, wanted) == 0, "symtls %s: %s is \"%s\", not \"%s\"", line, word, found, wanted);
    }
    free(copy);
}

static void test_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rights); i++) {
        struct options options;
        struct error error;

        check_row(read_line(&options, rights[i].line, &error), "symtls %s: %s", rights[i].line, error.story);
        check_fields(&options, rights[i].line, rights[i].fields);
        options_free(&options);
    }
}

/* The number is joined by "=" or is not there: what follows is a HOST. */
static void test_retry_without_a_number(void **state)
{
    struct options options;
    struct error error;

    (void)state;
    check_row(read_line(&options, "--retry host 1", &error), "%s", error.story);
    check_fields(&options, "--retry host 1", "task=connect retries=-1 host=host port=1");
    options_free(&options);
}

/* ---- Lines that are wrong ---- */

static const struct {
    const char *line, *story;
} wrongs[] = {
    /* words */
    {"", "nobody to talk to"},
    {"-b", "the form is symtls -b HOST PORT"},
    {"-l", "the form is symtls -l [ADDR] PORT"},
    {"-v", "the form is symtls HOST PORT"},
    {"host", "the port is missing"},
    {"-b host", "the port is missing"},
    {"host 1 2", "too many words"},
    {"-U p host", "-U is in place of HOST and PORT"},
    {"--fd 3 host 1", "--fd is in place of HOST and PORT"},
    {"--fd 2", "--fd 2: that is stderr"},
    {"--fd x", "--fd \"x\": it has to be a number"},
    {"-U p --fd 3", "choose one"},
    {"-U p -u", "-U is a UNIX socket, -u is UDP"},
    {"-U p -b", "-b is for hosts"},
    {"-U p -p 5", "it has no port for -p"},
    {"--fd 3 -k", "a listening socket is passed on as LISTEN_FDS"},
    {"--fd 3 --retry", "--retry is for calling"},
    {"-l 1 --from tcp:1", "at the end that listens there is --to"},
    {"host 1 --from tcp:1 -e cat", "choose one"},
    {"host 1 --from tcp", "tcp:[ADDR:]PORT or unix:PATH"},
    {"host 1 --from tcp::", "tcp:[ADDR:]PORT or unix:PATH"},
    {"host 1 --from tcp:a:b", "tcp:[ADDR:]PORT or unix:PATH"},
    {"host 1 --from tcp:::1:5", "with the brackets"},
    {"host 1 --from unix:", "the path of a UNIX socket has 1 to 107 bytes"},
    {"host 1 --from tcp:1 --from tcp:2", "--from names one place"},
    {"-m 5 -l 1", "-m is how many sessions there may be at a time: it goes with -k"},
    {"-k -m 0 -l 1", "-m \"0\": it has to be a number from 1 to 100000"},
    {"-k host 1", "-k goes on accepting"},
    {"-k -b host 1", "-k goes with -l"},
    {"-l a 1 2", "too many words"},
    {"host:4433", "HOST and PORT are two words: host 4433"},
    {"[::1]:4433", "HOST and PORT are two words: [::1] 4433"},
    {"-b host:4433", "HOST and PORT are two words: host 4433"},
    {"host 0", "a port is a number from 1 to 65535"},
    {"-b host 0", "a port is a number from 1 to 65535"},
    {"host 65536", "a port is a number from 1 to 65535"},
    {"-l 65536", "a port is a number from 0 to 65535"},
    {"host 99999999999999999999", "a port is a number"},
    {"host \"\"", "it is no port"},
    {"host -- -1", "it is no port"},
    {"\"\" 1", "\"\" is no host's name"},
    {"a_b 1", "is no host's name"},
    {"a\x1b[2Jb 1", "is no host's name"},
    {"-p 65536 host 1", "-p \"65536\""},
    {"-p x -l 1", "-l has its port twice"},
    {"-b -p 0 host 1", "-p \"0\""},
    {"-l -p 70000", "-p \"70000\""},
    {"-l -p 1 2", "-l has its port twice"},
    {"-l -s a b 1", "-l has its address twice"},

    /* options that contradict each other */
    {"-l -b host 1", "choose one"},
    {"-4 -6 host 1", "-4 and -6"},
    {"-e a -c b host 1", "choose one"},
    {"-e a -e b host 1", "one program is started"},
    {"-z -e a host 1", "-z leaves after the handshake"},
    {"-z -c a host 1", "-z leaves after the handshake"},
    {"--to 127.0.0.1:80 host 1", "tcp:HOST:PORT or unix:PATH"},
    {"--to tcp:80 host 1", "tcp:HOST:PORT or unix:PATH"},
    {"--to tcp:host: host 1", "tcp:HOST:PORT or unix:PATH"},
    {"--to tcp::1 host 1", "tcp:HOST:PORT or unix:PATH"},
    {"--to tcp:2001:db8::1:80 host 1", "with the brackets"},
    {"--to tcp:host:70000 host 1", "--to: the port \"70000\""},
    {"--to unix: host 1", "the path of a UNIX socket"},
    {"--to unix:a --to unix:b host 1", "--to names one service"},
    {"--to unix:a -e b host 1", "choose one"},
    {"--to unix:a -c b host 1", "choose one"},
    {"--to unix:a -z host 1", "-z leaves after the handshake"},
    {"--send-proxy host 1", "--send-proxy is for the service"},
    {"--commands --to unix:a host 1", "--commands are typed on stdin"},
    {"--commands --from tcp:1 host 1", "--commands are typed on stdin"},
    {"--progress --commands host 1", "--progress wants a line"},
    {"--progress --raw host 1", "--progress wants a line"},
    {"--progress -k -l 1", "--progress is about one session"},
    {"--pty host 1", "--pty gives a program a terminal"},
    {"--pty -e a -d host 1", "goes both ways"},
    {"--pty -e a --recv-only host 1", "goes both ways"},
    {"--pty -e a --send-only host 1", "goes both ways"},
    {"--raw -e a host 1", "--raw is about our own terminal"},
    {"--raw -c a host 1", "--raw is about our own terminal"},
    {"--raw --to unix:a host 1", "--raw is about our own terminal"},
    {"--raw --from tcp:1 host 1", "--raw is about our own terminal"},
    {"--raw -d host 1", "--raw is for keys"},
    {"--raw --recv-only host 1", "--raw is for keys"},
    {"--raw -z host 1", "-z leaves after the handshake"},
    {"--framing word host 1", "--framing \"word\""},
    {"--framing len16 -C host 1", "--framing len16 counts bytes"},
    {"-e a\\ host 1", "it has to be a program"},
    {"-e _ host 1", "it has to be a program"},
    {"-e \"\" host 1", "it has to be a program"},
    {"-i a --cert b host 1", "-i names"},
    {"-i a --key b host 1", "-i names"},
    {"b\xfc" "cher 1", "it is no name that could be looked up: "},
    {"--peer b\xfc" "cher host 1", "it is no name that could be looked up: "},
    {"--sni b\xfc" "cher host 1", "it is no name that could be looked up: "},
    {"-i bob= host 1", "-i \"bob=\": it has to be the name of a file"},
    {"--cert a --cert b --key c host 1", "--cert and --key name one identity"},
    {"--cert a --key b --key c host 1", "--cert and --key name one identity"},
    {"-i a -i b --ocsp-response o host 1", "--ocsp-response is about one certificate"},
    {"--ocsp-response o host 1", "--ocsp-response goes with -i or --cert"},
    {"--rawpk -i a --ocsp-response o host 1", "--rawpk shows no certificate"},
    {"--no-identity --rawpk host 1", "--no-identity shows nothing, --rawpk a key"},
    {"--cert a --cert b --key k host 1", "--cert and --key name one identity"},
    {"--no-identity -i a host 1", "--no-identity"},
    {"--no-identity --cert a host 1", "--no-identity"},
    {"--no-identity --key a host 1", "--no-identity"},
    {"--psk-file f -i a host 1", "nothing else: -i has no say"},
    {"--psk-file f --cert a host 1", "nothing else: --cert has no say"},
    {"--psk-file f --key a host 1", "nothing else: --key has no say"},
    {"--psk-file f --rawpk host 1", "nothing else: --rawpk has no say"},
    {"--psk-file f --no-identity host 1", "nothing else: --no-identity has no say"},
    {"--psk-file f --pin " PIN_A " host 1", "nothing else: --pin has no say"},
    {"--psk-file f --cacert a host 1", "nothing else: --cacert has no say"},
    {"--psk-file f --tofu ask host 1", "nothing else: --tofu has no say"},
    {"--psk-file f --remote-id require host 1", "nothing else: --remote-id has no say"},
    {"--psk-file f --insecure host 1", "nothing else: --insecure has no say"},
    {"--psk-file f --psk-file g host 1", "--psk-file names one file"},
    {"--psk-identity me host 1", "goes with --psk-file"},
    {"--psk-file f --psk-identity \"\" host 1", "--psk-identity: a name has 1 to 255 bytes"},
    {"--psk-file f --psk-identity #me host 1", "--psk-identity: a name has 1 to 255 bytes"},
    {"--psk-file f --psk-identity a\x1b[m host 1", "--psk-identity: a name has 1 to 255 bytes"},
    {"--sni a --no-sni host 1", "--sni and --no-sni"},
    {"--send-only --recv-only host 1", "no data to move"},
    {"--send-only -d host 1", "no data to move"},
    {"-v -q host 1", "-v and -q"},
    {"-q -v host 1", "-v and -q"},
    {"-l --retry 1", "--retry"},
    {"-l --dane 1", "with -l the peer calls us"},
    {"-l --dane=zone ::1 1", "with -l the peer calls us"},
    {"--dane=zone 192.0.2.1 1", "--dane is about a name, and \"192.0.2.1\" is an address"},
    {"--dane [2001:db8::1] 1", "--dane is about a name, and \"2001:db8::1\" is an address"},
    {"-b --dane=zone 127.0.0.1 1", "is an address"},
    {"--dane -n host 1", "-n asks no name server, and --dane does"},
    {"--dane= host 1", "--dane \"\": it has to be the name of a file"},
    {"--dane --remote-id ignore host 1", "--remote-id ignore"},
    {"-l --retry=3 1", "--retry"},

    /* roles */
    {"--no-identity -r server host 1", "a TLS server has to show who it is"},
    {"--no-identity -r prefer-server host 1", "a TLS server has to show who it is"},
    {"--implicit -r client host 1", "with --implicit"},
    {"--implicit -r any host 1", "with --implicit"},
    {"--implicit --no-identity host 1", "with --implicit"},
    {"--implicit --role-preference x host 1", "--implicit sends no role_preference"},
    {"--implicit --extension-id 65280 host 1", "--implicit sends no role_preference"},
    {"--symmetric never --implicit host 1", "--symmetric never is plain TLS"},
    {"--symmetric never --role-preference x host 1", "--symmetric never is plain TLS"},
    {"--symmetric never --extension-id 65280 host 1", "--symmetric never is plain TLS"},
    {"--symmetric never --hello now host 1", "--hello has no say"},
    {"--symmetric never -b host 1", "--role client at one end"},
    {"--symmetric never -l --no-identity -r server 1", "a TLS server has to show"},
    {"--role-preference abcdefghijklmnopqrstuvwxyz1234567 host 1", "1 to 32 printable"},
    {"--role-preference a_b host 1", "1 to 32 printable"},
    {"--role-preference \"\" host 1", "1 to 32 printable"},
    {"--role-preference \xc3\xa4 host 1", "1 to 32 printable"},

    /* values */
    {"-r both host 1", "--role \"both\": it has to be any|client"},
    {"-r clien host 1", "--role \"clien\""},
    {"-r client|server host 1", "--role"},
    {"-r \"\" host 1", "--role"},
    {"--hello later host 1", "--hello \"later\": it has to be now|wait"},
    {"--symmetric maybe host 1", "--symmetric \"maybe\""},
    {"--tofu yes host 1", "--tofu \"yes\""},
    {"--remote-id no host 1", "--remote-id \"no\""},
    {"-w soon host 1", "-w \"soon\": it has to be a time"},
    {"-w -1 host 1", "-w \"-1\""},
    {"-w 1d host 1", "-w"},
    {"-w \"\" host 1", "-w"},
    {"-w 30d host 1", "-w"},
    {"--handshake-timeout x host 1", "--handshake-timeout"},
    {"--idle-timeout x host 1", "--idle-timeout"},
    {"--linger x host 1", "--linger"},
    {"--retry-delay x host 1", "--retry-delay"},
    {"--retry=x host 1", "--retry \"x\": it has to be a number from 0"},
    {"--retry=-1 host 1", "--retry"},
    {"--commands=. host 1", "--commands \".\": it has to be a punctuation character other than . and ?"},
    {"--commands=? host 1", "--commands"},
    {"--commands=s host 1", "--commands"},
    {"--commands=~~ host 1", "--commands"},
    {"--commands= host 1", "--commands"},
    {"--commands=^M host 1", "--commands"},
    {"--commands=^J host 1", "--commands"},
    {"--commands=^Z host 1", "--commands"},
    {"--commands=^m host 1", "--commands"},
    {"--commands=\xc3\xa4 host 1", "--commands"},
    {"--commands -d host 1", "--commands are typed on stdin, and -d does not read it"},
    {"--commands --recv-only host 1", "--commands"},
    {"--commands -z host 1", "--commands"},
    {"--extension-id 65536 host 1", "--extension-id \"65536\": it has to be a number from 0 to 65535"},
    {"--extension-id -1 host 1", "--extension-id"},
    {"--extension-id x host 1", "--extension-id"},
    {"--extension-id \"\" host 1", "--extension-id"},
    {"--pin x host 1", "--pin \"x\""},
    {"--pin pin-sha256:AAAA host 1", "as --show-identity prints it"},
    {"--peer a_b host 1", "a name without spaces"},
    {"--peer \"\" host 1", "--peer"},
    {"--alpn \"\" host 1", "--alpn"},
    {"--recordsize 511 host 1", "a number from 512 to 16384"},
    {"--recordsize 16385 host 1", "a number from 512 to 16384"},
    {"--recordsize x host 1", "--recordsize"},
    {"--channel-binding tls-server host 1", "none|tls-exporter|tls-unique"},
    {"--session= host 1", "the name of a file"},
    {"--save-cert= host 1", "the name of a file"},
    {"--export label host 1", "LABEL:LEN"},
    {"--export :32 host 1", "LABEL:LEN"},
    {"--export label: host 1", "the length"},
    {"--export label:0 host 1", "the length"},
    {"--export label:8161 host 1", "a number from 1 to 8160"},
    {"--export label:x host 1", "the length"},
    {"--pass env:X host 1", "--pass is for the key"},
    {"-i a --pass secret host 1", "not what it is"},
    {"--report fd: host 1", "--report fd:N"},
    {"--report fd:x host 1", "--report fd:N"},
    {"--report fd:1234567 host 1", "--report fd:N"},
    {"--remote-id ignore --pin " PIN_A " host 1", "--remote-id ignore"},
    {"--remote-id ignore --peer bob host 1", "--remote-id ignore"},
    {"--remote-id ignore --cacert f host 1", "--remote-id ignore"},
    {"--remote-id ignore --crl f host 1", "--remote-id ignore"},
    {"--remote-id ignore --ocsp require host 1", "--remote-id ignore"},
    {"--ocsp maybe host 1", "--ocsp \"maybe\""},

    /* what popt has to say */
    {"--nonsense host 1", "--nonsense: "},
    {"-X host 1", "-X: "},
    {"host 1 -w", "-w: "},
    {"--listen=5 1", "--listen"},
    {"--chroot host 1", "--chroot: "},

    /* other tasks */
    {"--show-identity host 1", "takes no HOST"},
    {"--show-identity --no-identity -i a", "--no-identity"},
    {"--show-identity --psk-file f", "--show-identity prints pins"},
    {"--make-psk host 1", "--make-psk takes no HOST"},
    {"--show-identity --pass env:X", "--pass is for the key"},
    {"--known", "--known: "},
    {"--known change", "--known \"change\": it has to be list|add|del"},
    {"--known list x", "the forms are"},
    {"--known add bob", "the forms are"},
    {"--known add", "the forms are"},
    {"--known add bob pin", "--known add: a pin is"},
    {"--known add bob " PIN_A " " PIN_B, "the forms are"},
    {"--known add a_b " PIN_A, "a name has no spaces"},
    {"--known add #b " PIN_A, "a name has no spaces"},
    {"--known del", "the forms are"},
    {"--known del a b", "--known del: a pin is"},
    {"--known del bob " PIN_A " " PIN_B, "the forms are"},
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrongs); i++) {
        struct options options;
        struct error error;

        check_row(!read_line(&options, *wrongs[i].line ? wrongs[i].line : "--", &error), "symtls %s", wrongs[i].line);
        check_row(error.status == STATUS_LOCAL, "symtls %s: %d", wrongs[i].line, error.status);
        check_row(strstr(error.story, wrongs[i].story), "symtls %s: %s", wrongs[i].line, error.story);
        options_free(&options);
    }
}

/* Many of one that may come again; a long one. */
static void test_long_values(void **state)
{
    struct options options;
    struct error error;
    char line[2000] = "--alpn ";

    (void)state;
    memset(line + 7, 'x', 256);
    strcpy(line + 7 + 31, " host 1");
    assert_true(read_line(&options, line, &error));
    options_free(&options);
    memset(line + 7, 'x', 256);
    strcpy(line + 7 + 32, " host 1");
    assert_false(read_line(&options, line, &error));
    assert_true(has(error.story, "1 to 31 bytes"));
    options_free(&options);
    memset(line, 'h', 300);
    strcpy(line + 300, " 1");
    assert_false(read_line(&options, line, &error));
    assert_true(has(error.story, "is no host's name"));
    options_free(&options);
}

/* ---- What popt prints ---- */

static int print_help(void *argument)
{
    struct options options;
    struct error error;
    int fd = open(scratch_path("out"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    dup2(fd, STDOUT_FILENO);
    read_line(&options, argument, &error);
    return 99; /* popt has ended the process with 0 */
}

static void test_help(void **state)
{
    static const char *const options[] = {
        "--listen", "--both", "--ipv4", "--ipv6", "--numeric", "--source", "--source-port", "--wait", "--handshake-timeout",
        "--idle-timeout", "--linger", "--retry", "--retry-delay", "--role", "--hello", "--symmetric", "--implicit",
        "--extension-id", "--role-preference", "--identity", "--cert", "--key", "--pass", "--psk-file", "--psk-identity", "--no-identity", "--peer", "--pin",
        "--cacert", "--dane", "--crl", "--ocsp", "--tofu", "--remote-id", "--insecure", "--allow-self", "--priority", "--alpn", "--sni", "--no-sni",
        "--keylog", "--export", "--unixsock", "--fd", "--from", "--keep-open", "--max-conns", "--channel-binding", "--recordsize", "--tickets", "--session", "--save-cert", "--no-stdin", "--send-only", "--recv-only", "--zero", "--commands", "--verbose", "--quiet", "--report",
        "--show-identity", "--make-psk", "--known", "--version", "--help", "--usage",
    };
    char *help;

    (void)state;
    assert_int_equal(in_child(print_help, "--help"), 0);
    help = file_get(scratch_path("out"));
    for (size_t i = 0; i < COUNT(options); i++)
        assert_true(has(help, options[i]));
    assert_true(has(help, "HOST PORT | -l [ADDR] PORT | -b HOST PORT"));
    assert_null(strstr(help, "--chroot")); /* what is not there is not told of */
    for (const char *at = help; *at;) { /* and it fits into a terminal */
        size_t length = strcspn(at, "\n");

        check_row(length < 80, "%.*s", (int)length, at);
        at += length + 1;
    }
    free(help);
    assert_int_equal(in_child(print_help, "--usage"), 0);
    help = file_get(scratch_path("out"));
    assert_true(has(help, "--listen"));
    free(help);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_retry_without_a_number),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_help),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
