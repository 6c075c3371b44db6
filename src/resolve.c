/* resolve.c - names to addresses. */
#include "resolve.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What getaddrinfo() came to; small enough to go through a pipe in one piece. */
struct answer {
    int code; /* EAI_... */
    int reason; /* errno, with EAI_SYSTEM */
    struct address_list list;
};

static void ask(const struct resolve_query *query, int extra_flags, struct answer *answer)
{
    struct addrinfo hints = {.ai_family = query->family,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = (query->passive ? AI_PASSIVE : 0) | extra_flags};
    struct addrinfo *found = NULL;

    memset(answer, 0, sizeof *answer);
    answer->code = getaddrinfo(query->host, query->service, &hints, &found);
    answer->reason = errno;
    if (answer->code)
        return;
    for (struct addrinfo *at = found; at && answer->list.count < ADDRESS_LIST_MAX; at = at->ai_next) {
        struct address *address = &answer->list.at[answer->list.count];
        bool seen = false;

        if ((at->ai_family != AF_INET && at->ai_family != AF_INET6) || at->ai_addrlen > sizeof address->storage)
            continue;
        memcpy(&address->storage, at->ai_addr, at->ai_addrlen);
        address->length = at->ai_addrlen;
        for (size_t i = 0; i < answer->list.count; i++)
            seen = seen || address_same(address, &answer->list.at[i]);
        if (!seen)
            answer->list.count++;
    }
    freeaddrinfo(found);
}

static bool tell(const struct resolve_query *query, const struct answer *answer, struct error *error)
{
    const char *why = answer->code == EAI_SYSTEM ? strerror(answer->reason) : gai_strerror(answer->code);

    if (answer->code == EAI_SERVICE)
        error_set(error, STATUS_LOCAL, "no service is named \"%s\", and it is no port number from 0 to 65535", query->service);
    else if (query->numeric)
        error_set(error, STATUS_NETWORK, "\"%s\" is no numeric address, and -n asks no name server: %s", query->host, why);
    else
        error_set(error, STATUS_NETWORK, "cannot find the address of \"%s\"%s: %s", query->host ? query->host : "*",
                  query->family == AF_INET ? " for IPv4" : query->family == AF_INET6 ? " for IPv6" : "", why);
    return false;
}

/* getaddrinfo() may take minutes and cannot be interrupted, so a child asks and we wait as for everything else. */
static bool ask_in_child(const struct resolve_query *query, struct wait *wait, int64_t deadline, struct answer *answer,
                         struct error *error)
{
    struct pollfd poll_fd;
    enum wait_result result;
    ssize_t length = 0;
    int ends[2];
    pid_t child;

    if (pipe(ends) != 0) {
        error_set(error, STATUS_LOCAL, "cannot make a pipe: %s", strerror(errno));
        return false;
    }
    child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &wait->before, NULL);
        signal(SIGPIPE, SIG_DFL);
        ask(query, 0, answer);
        _exit(write(ends[1], answer, sizeof *answer) != sizeof *answer);
    }
    close(ends[1]);
    poll_fd = (struct pollfd){.fd = ends[0], .events = POLLIN};
    result = child > 0 ? wait_for(wait, &poll_fd, 1, deadline) : WAIT_READY;
    if (child > 0 && result == WAIT_READY)
        length = read(ends[0], answer, sizeof *answer); /* less than PIPE_BUF: it comes whole */
    close(ends[0]);
    if (child > 0) {
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (result == WAIT_LATE)
        error_set(error, STATUS_TIME, "time ran out while looking for the address of \"%s\"", query->host);
    else if (result == WAIT_READY && length != sizeof *answer)
        error_set(error, STATUS_NETWORK, "cannot find the address of \"%s\": the resolver failed", query->host);
    return result == WAIT_READY && length == sizeof *answer;
}

_Static_assert(sizeof(struct answer) <= 4096, "an answer fits into a pipe at once");

bool resolve(const struct resolve_query *query, struct wait *wait, int64_t deadline, struct address_list *list,
             struct error *error)
{
    struct answer answer;

    ask(query, AI_NUMERICHOST, &answer);
    if (answer.code == EAI_NONAME && !query->numeric && query->host &&
        !ask_in_child(query, wait, deadline, &answer, error))
        return false;
    if (answer.code)
        return tell(query, &answer, error);
    *list = answer.list;
    return list->count > 0 || tell(query, &(struct answer){.code = EAI_NONAME}, error);
}
