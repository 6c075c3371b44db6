/* role.pml - who becomes client and who server over datagrams, and the handshake that follows, for spin.
 *
 * The rules are those of symtls-protocol(7), "Datagrams", named by their numbers there. README says what is left out.
 *
 * End 0 has the value that is ordered first, or both have the same one. All the rest is chosen by init: who speaks first,
 * who insists on symmetry, whether the one that does not speak first wants a cookie, or is a plain DTLS server.
 *
 * Defined from outside:
 *
 * GIVE_UP     each end has a time-out that may come at any moment; one of the two may crash, or leave when it is done
 * TOGETHER    the struck hello and the server's flight are one datagram, as the program sends them; else they are two
 *
 * and these break a rule, to see that it is needed and that the model can fail:
 *
 * WITHOUT_RULE_5   the server does not say its hello again
 * RULE_5_ONCE      it says it ahead of its first flight, but not of repeated ones and not of its last
 * WITHOUT_RULE_6   a ServerHello that comes first is enough for an end that insists on symmetry
 * WITHOUT_RULE_7   a late ClientHello gets through to the client's TLS library, where it is unexpected
 * WITHOUT_RULE_9   the last flight is sent only once
 * SILENT_CLIENT    a client no longer repeats its hello: rule 1, taken to the letter
 * ALERT_ONCE       who refuses says so only once
 * TIE_IS_CLIENT    who hears a value like its own takes itself for the client */

/* ---- The two ends ---- */

mtype:state = {
    SILENT,          /* undecided; waits for a hello before it says its own */
    SAID,            /* undecided, its hello is out */
    CLIENT_HELLO,    /* client, its hello is out */
    CLIENT_FINISHED, /* client, its second flight is out */
    CLIENT_DONE,
    SERVER_FLIGHT,   /* server, its first flight is out */
    SERVER_DONE,     /* server, its last flight is out */
    REFUSED
}

mtype:state state[2] = SILENT;
bool insists[2];   /* --symmetric require; else allow */
bool knows[2];     /* symmetric: true; else unknown (null) */
bool cookie[2];    /* its hello has one */
bool gone[2];      /* by a time-out or a crash, out of the state that it was in */
bool equal_values;
bool careful;      /* who does not speak first wants a cookie, and remembers nothing before that */
bool plain;        /* end 1 is a DTLS server that has never heard of role_preference */

#define UNDECIDED(e) (state[e] == SILENT || state[e] == SAID)
#define CLIENT(e)    (state[e] == CLIENT_HELLO || state[e] == CLIENT_FINISHED || state[e] == CLIENT_DONE)
#define SERVER(e)    (state[e] == SERVER_FLIGHT || state[e] == SERVER_DONE)
#define DONE(e)      (state[e] == CLIENT_DONE || state[e] == SERVER_DONE)
#define OVER(e)      (DONE(e) || state[e] == REFUSED || gone[e])

/* ---- What can be under way ---- */

mtype = {
    HELLO,
    HELLO_COOKIE,
    VERIFY,   /* HelloVerifyRequest */
    FLIGHT_S, /* ServerHello and what follows */
    FLIGHT_C, /* the client's second flight, to its Finished */
    FIN_S,    /* the server's Finished */
    ALERT     /* handshake_failure */
}
#define KINDS 7 /* they are the numbers from 1 on */

/* A set for each direction, not a queue: whatever is in it may come next, so all orders are tried. */
bool under_way[14];
#define AT(to, what) under_way[KINDS * (to) + (what) - 1]

/* From here on nothing is lost or doubled; orders are still free. This may come at any moment, or never. */
bool calm;

/* ---- What an end says ---- */

inline say(me, what)
{
    printf("%d says %e\n", me, what);
    AT(1 - me, what) = true
}

inline say_hello(me)
{
    if
    :: cookie[me] -> say(me, HELLO_COOKIE)
    :: else -> say(me, HELLO)
    fi
}

/* Rule 5. */
inline struck_hello(me)
{
#if !defined(WITHOUT_RULE_5) && !defined(RULE_5_ONCE) && !defined(TOGETHER)
    if
    :: !plain -> say_hello(me)
    :: else
    fi
#else
    skip
#endif
}

inline client_flight(me)
{
    state[me] = CLIENT_FINISHED;
    say(me, FLIGHT_C)
}

inline server_flight(me)
{
    struck_hello(me);
    say(me, FLIGHT_S)
}

/* ---- What an end does with what it hears ---- */

inline becomes_client(me)
{
    printf("%d is the client\n", me);
    state[me] = CLIENT_HELLO
}

inline becomes_server(me)
{
    printf("%d is the server\n", me);
    state[me] = SERVER_FLIGHT;
#ifdef RULE_5_ONCE
    say_hello(me);
#endif
    server_flight(me)
}

inline refuses(me)
{
    printf("%d refuses\n", me);
    state[me] = REFUSED;
    say_hello(me);
    say(me, ALERT)
}

/* Rule 4. */
inline decides(me)
{
    if
    :: state[me] == SILENT && !plain -> say_hello(me)
    :: else
    fi;
    knows[me] = !plain;
    if
#ifdef TIE_IS_CLIENT
    :: equal_values -> becomes_client(me)
#else
    :: equal_values -> refuses(me)
#endif
    :: !equal_values && me == 0 -> becomes_client(me)
    :: !equal_values && me == 1 -> becomes_server(me)
    fi
}

inline hears_hello(me, what)
{
    if
    :: state[me] == SILENT && careful && what == HELLO -> say(me, VERIFY) /* rule 10 */
    :: state[me] == SILENT && !(careful && what == HELLO) -> decides(me)
    :: state[me] == SAID -> decides(me)
    :: CLIENT(me) ->
#ifdef WITHOUT_RULE_7
        printf("%d fails: unexpected_message\n", me);
        state[me] = REFUSED
#else
        if
        :: state[me] != CLIENT_DONE -> knows[me] = true /* rule 6 */
        :: else /* rule 7 */
        fi
#endif
    :: state[me] == SERVER_FLIGHT -> server_flight(me) /* rule 8 */
    :: state[me] == SERVER_DONE
    :: state[me] == REFUSED ->
#ifdef ALERT_ONCE
        skip
#else
        say(me, ALERT)
#endif
    fi
}

/* Rule 3. */
inline hears_verify(me)
{
    if
    :: state[me] == SAID -> cookie[me] = true; say_hello(me)
    :: else
    fi
}

inline hears_server_flight(me)
{
#if defined(TOGETHER) && !defined(WITHOUT_RULE_5)
    if
    :: state[me] == SAID && !plain -> decides(me)
    :: else
    fi;
#endif
    if
    :: state[me] == SAID -> /* rule 6 */
#ifdef WITHOUT_RULE_6
        client_flight(me)
#else
        if
        :: insists[me] -> printf("%d drops it\n", me)
        :: else -> client_flight(me)
        fi
#endif
    :: state[me] == CLIENT_HELLO || state[me] == CLIENT_FINISHED -> client_flight(me)
    :: else
    fi
}

inline hears_client_flight(me)
{
    if
    :: state[me] == SERVER_FLIGHT ->
        printf("%d is done\n", me);
        state[me] = SERVER_DONE;
        struck_hello(me);
        say(me, FIN_S)
    :: state[me] == SERVER_DONE -> /* rule 9 */
#ifdef WITHOUT_RULE_9
        skip
#else
        if /* Is the handshake over, for rule 5? Either is good. */
        :: struck_hello(me)
        :: skip
        fi;
        say(me, FIN_S)
#endif
    :: else
    fi
}

inline hears_finished(me)
{
    if
    :: state[me] == CLIENT_FINISHED -> printf("%d is done\n", me); state[me] = CLIENT_DONE
    :: else
    fi
}

inline hears_alert(me)
{
    if
    :: state[me] == SAID -> printf("%d is refused\n", me); state[me] = REFUSED
    :: else
    fi
}

/* ---- What comes about by itself ---- */

/* One for each thing that can be under way: spin's fairness is between processes, so that none is overtaken for ever. */
proctype path(bit to; byte what)
{
end:
    do
    :: atomic {
           AT(to, what) ->
           printf("%d hears %e\n", to, what);
           if
           :: AT(to, what) = false
           :: !calm -> printf("  (and a copy is still under way)\n")
           fi;
           if
           :: gone[to]
           :: !gone[to] && (what == HELLO || what == HELLO_COOKIE) -> hears_hello(to, what)
           :: !gone[to] && what == VERIFY -> hears_verify(to)
           :: !gone[to] && what == FLIGHT_S -> hears_server_flight(to)
           :: !gone[to] && what == FLIGHT_C -> hears_client_flight(to)
           :: !gone[to] && what == FIN_S -> hears_finished(to)
           :: !gone[to] && what == ALERT -> hears_alert(to)
           fi
       }
    od
}

proctype faults()
{
    byte what;

    do
    :: atomic {
           select(what : 1 .. KINDS);
           if
           :: AT(0, what) -> AT(0, what) = false; printf("  (%e of 1 is lost)\n", what)
           :: AT(1, what) -> AT(1, what) = false; printf("  (%e of 0 is lost)\n", what)
           :: else
           fi;
           what = 0
       }
    :: atomic { calm = true; printf("  (from here on nothing is lost)\n"); break }
    od
}

/* Rule 1, and the timer of DTLS. It may always come too early. */
proctype timer(bit me)
{
end:
    do
    :: atomic { !gone[me] && state[me] == SAID -> say_hello(me) }
#ifndef SILENT_CLIENT
    :: atomic { !gone[me] && state[me] == CLIENT_HELLO -> say_hello(me) }
#endif
    :: atomic { !gone[me] && state[me] == CLIENT_FINISHED -> client_flight(me) }
    :: atomic { !gone[me] && state[me] == SERVER_FLIGHT -> server_flight(me) }
    od
}

proctype time_out(bit me)
{
end:
    atomic { !OVER(me) -> gone[me] = true; printf("%d gives up\n", me) }
}

proctype crash()
{
    atomic {
        if
        :: gone[0] = true; printf("0 crashes, or leaves\n")
        :: gone[1] = true; printf("1 crashes, or leaves\n")
        :: skip
        fi
    }
}

init {
    byte what;

    atomic {
        /* Two that wait for each other's hello are not asked for: they wait until the time-out. */
        if
        :: state[0] = SAID; state[1] = SAID
        :: state[0] = SAID
        :: state[1] = SAID
        fi;
        if
        :: insists[0] = true
        :: skip
        fi;
        if
        :: insists[1] = true
        :: skip
        fi;
        if
        :: skip
        :: state[0] == SILENT || state[1] == SILENT -> careful = true
        fi;
        if
        :: skip
        :: equal_values = true
        :: state[1] == SILENT && !insists[1] -> plain = true
        fi;
        printf("0 is %e, insists: %d. 1 is %e, insists: %d. careful: %d, equal values: %d, plain: %d\n",
               state[0], insists[0], state[1], insists[1], careful, equal_values, plain);

        for (what : 1 .. KINDS) {
            run path(0, what);
            run path(1, what)
        }
        what = 0;
        if
        :: state[0] == SAID -> say(0, HELLO)
        :: else
        fi;
        if
        :: state[1] == SAID -> say(1, HELLO)
        :: else
        fi;
        run timer(0);
        run timer(1);
        run faults();
#ifdef GIVE_UP
        run time_out(0);
        run time_out(1);
        run crash()
#endif
    }
}

/* ---- What has to be true ---- */

/* One is the client and the other the server; with equal values neither is anything. When the server is done the client
 * has said its Finished, and when the client is done so is the server: nobody is done with a peer of another mind. */
ltl opposite {
    [] (!SERVER(0) && !CLIENT(1) && (equal_values -> !CLIENT(0) && !SERVER(1)) &&
        (state[1] == SERVER_DONE -> state[0] == CLIENT_FINISHED || state[0] == CLIENT_DONE) &&
        (state[0] == CLIENT_DONE -> state[1] == SERVER_DONE))
}

/* Who insists on symmetry is never done without knowing of it; and nobody takes a plain server for a symmetric peer. */
ltl required {
    [] ((DONE(0) && insists[0] -> knows[0]) && (DONE(1) && insists[1] -> knows[1]) && (plain -> !knows[0]))
}

#define AGREED (state[0] == CLIENT_DONE && state[1] == SERVER_DONE)
#define BOTH_REFUSED (state[0] == REFUSED && state[1] == REFUSED)

/* Wherever the faults end, both get done, or both refuse: in no state does each wait for the other. An end that insists on
 * symmetry and has met a plain server is alone left to its time-out. */
ltl finished {
    [] (calm -> <> ((!equal_values && AGREED) || (equal_values && BOTH_REFUSED) || (plain && insists[0])))
}

/* Whatever is lost, and whoever crashes: who is left comes to an end. */
ltl over {
    <> (OVER(0) && OVER(1))
}

/* Two symmetric ends that are done know that they are symmetric, even where they need not. */
ltl known {
    [] (!plain -> (DONE(0) -> knows[0]) && (DONE(1) -> knows[1]))
}

/* To be violated, each of them, or the model says nothing. */
ltl never_agreed { [] !(AGREED && cookie[0] && insists[0] && insists[1]) }
ltl never_plain  { [] !(AGREED && plain) }
ltl never_equal  { [] !BOTH_REFUSED }
ltl never_alone  { [] !(state[1] == SERVER_DONE && state[0] == CLIENT_FINISHED && gone[0]) }
