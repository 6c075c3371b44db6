/* fdpass.c - messages between two processes, with a descriptor attached. */
#include "fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor. */
union attachment {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

bool fdpass_send(int socket, const void *bytes, size_t size, int fd, int flags)
{
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    union attachment attachment = {.bytes = {0}};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *header;

        message.msg_control = attachment.bytes;
        message.msg_controllen = sizeof attachment.bytes;
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | flags) == (ssize_t)size;
}

bool fdpass_receive(int socket, void *bytes, size_t size, int *fd)
{
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    union attachment attachment;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = attachment.bytes, .msg_controllen = sizeof attachment.bytes};
    struct cmsghdr *header;
    ssize_t length = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    *fd = -1;
    if (length < 0)
        return false;
    header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof *fd);
    if (length == (ssize_t)size && !(message.msg_flags & MSG_TRUNC))
        return true;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = ECONNRESET;
    return false;
}
