/* pair.h - two sessions in one process, and between them a wire that cuts, ends, changes and writes down what passes. */
#ifndef SYMTLS_TEST_PAIR_H
#define SYMTLS_TEST_PAIR_H

#include "identity.h"
#include "session.h"

enum { A, B };

struct pair_end {
    struct session_config config;
    int refuse; /* the alert with which it refuses the peer; 0: it accepts */
    bool hold;  /* it gives no verdict */
    bool deaf;  /* it leaves application data where it is */

    struct session *session;
    struct error error;
    unsigned verdicts;       /* how often it was asked for one */
    struct buffer said;      /* all that it put on the wire, before anything happened to it there */
    struct buffer received;  /* application data */

    /* What happens on the wire to what it says. */
    size_t cut;              /* after so many bytes the peer hears the end of the stream; SIZE_MAX: never */
    size_t flip;             /* that byte is changed; SIZE_MAX: none */
    void (*change)(struct pair_end *from, uint8_t *bytes, size_t length); /* and whatever else */
    struct buffer wire;
    size_t passed;           /* bytes that were put on the wire */
    bool ended;              /* the peer has heard the end */
};

struct pair {
    struct pair_end at[2];
    size_t piece;    /* the largest piece that the wire delivers at once; 0: everything */
    uint32_t random; /* not 0: pieces of any size up to that, chosen by this */
    unsigned stop_after; /* not 0: so many rounds, and no more */
};

/* Two identities; between group set-up and tear-down. */
int pair_setup(void **state);
int pair_teardown(void **state);
extern struct identity *alice, *bob, *nobody;

/* What makes both ends speak TLS 1.3 (NULL: they do anyway), and TLS 1.2. */
extern const char *const versions[2];

/* Two symmetric, active ends with identities, role any. */
void pair_init(struct pair *pair);
void pair_version(struct pair *pair, const char *version);

/* The same, but A will be the client, and B the server. */
void pair_init_as(struct pair *pair, const char *version);
/* This end wants that, and is active or passive. */
void pair_want(struct pair_end *end, enum role_want want, bool active);
/* This end is plain TLS. */
void pair_plain(struct pair_end *end, enum role role);
void pair_free(struct pair *pair);

/* As pair_init_as(), and until both are open. */
void pair_open(struct pair *pair, const char *version);

/* Make the sessions, unless they are there, and let them talk until neither has anything more to say. */
void pair_run(struct pair *pair);

enum session_state pair_state(const struct pair *pair, int end);
bool pair_is_open(const struct pair *pair); /* both are */

/* The end with that role, A or B; -1: none or both. */
int pair_with(const struct pair *pair, enum role role);

/* Both are open in one and the same session, as client and server: they can tell by what both export. */
bool pair_agrees(struct pair *pair);

/* Send all of it, as the other end takes it. */
void pair_send(struct pair *pair, int from, const void *bytes, size_t length);

#endif
