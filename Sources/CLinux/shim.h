// Linux calls that the Glibc overlay leaves out.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int culvert_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    extern int accept4(int, struct sockaddr *, socklen_t *, int);
    return accept4(fd, address, length, flags);
}

static inline int culvert_pipe(int ends[2]) {
    extern int pipe2(int[2], int);
    return pipe2(ends, O_NONBLOCK | O_CLOEXEC);
}

// Between fork and exec only calls are allowed that are async-signal-safe, which Swift code is not: so the child's part is C.
struct culvert_child {
    const char *path;            // the program's file
    char *const *arguments;      // NULL at the end
    char *const *environment;    // NULL at the end
    const char *directory;       // or NULL
    int input, output, errors;   // become 0, 1 and 2
    int kept;                    // stays open in the child, or -1
    int has_user;
    unsigned user, group;
    const unsigned *groups;
    int group_count;
};

// The child leads a process group of its own and dies with the thread that called this. Returns its id, or -1; *failed gets the
// errno of what the child could not do, through a pipe that exec closes.
static inline int culvert_spawn(const struct culvert_child *child, int *failed) {
    extern int pipe2(int[2], int);
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) { *failed = errno; return -1; }
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    int parent = getpid(), id = fork();
    if (id == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
        for (int number = 1; number < 65; number++) signal(number, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        int ok = dup2(child->input, 0) == 0 && dup2(child->output, 1) == 1 && dup2(child->errors, 2) == 2;
        if (ok && child->kept >= 0) ok = fcntl(child->kept, F_SETFD, 0) == 0;
        if (ok && child->has_user)
            ok = setgroups(child->group_count, child->groups) == 0 && setgid(child->group) == 0 && setuid(child->user) == 0
                && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
        if (ok && child->directory) ok = chdir(child->directory) == 0;
        if (ok) execve(child->path, child->arguments, child->environment);
        int code = errno;
        (void)!write(report[1], &code, sizeof code);
        _exit(127);
    }
    int code = id < 0 ? errno : 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (id > 0) {
        long count;
        while ((count = read(report[0], &code, sizeof code)) < 0 && errno == EINTR) {}
        if (count != sizeof code) code = 0;
        if (code != 0) { while (waitpid(id, NULL, 0) < 0 && errno == EINTR) {} }
    }
    close(report[0]);
    *failed = code;
    return code == 0 ? id : -1;
}

static inline int culvert_exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }
static inline int culvert_exit_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

// A descriptor that turns readable when the process ends.
static inline int culvert_pidfd(int id) { return (int)syscall(SYS_pidfd_open, id, 0); }

static inline int culvert_blocking_pipe(int ends[2]) {
    extern int pipe2(int[2], int);
    return pipe2(ends, O_CLOEXEC);
}

// Messages of a local socket with open descriptors beside them; the CMSG macros do not reach Swift.
#define CULVERT_DESCRIPTORS_MAX 253

static inline long culvert_send_message(int fd, const void *bytes, size_t count, const int *numbers, int number_count) {
    struct iovec part = {(void *)bytes, count};
    union { char bytes[CMSG_SPACE(sizeof(int) * CULVERT_DESCRIPTORS_MAX)]; struct cmsghdr align; } control;
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (number_count > CULVERT_DESCRIPTORS_MAX) { errno = EINVAL; return -1; }
    if (number_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * number_count);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * number_count);
        __builtin_memcpy(CMSG_DATA(head), numbers, sizeof(int) * number_count);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

// Returns the message's bytes, or -1; a message that did not fit is EMSGSIZE. `numbers` has room for CULVERT_DESCRIPTORS_MAX.
static inline long culvert_receive_message(int fd, void *bytes, size_t capacity, int *numbers, int *number_count) {
    struct iovec part = {bytes, capacity};
    union { char bytes[CMSG_SPACE(sizeof(int) * CULVERT_DESCRIPTORS_MAX)]; struct cmsghdr align; } control;
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    *number_count = 0;
    long count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (count < 0) return count;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        *number_count = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        __builtin_memcpy(numbers, CMSG_DATA(head), sizeof(int) * *number_count);
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (int index = 0; index < *number_count; index++) close(numbers[index]);
        *number_count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return count;
}

// Who is at the other end of a local socket, as the kernel saw when the two were joined.
static inline int culvert_peer(int fd, unsigned *user, int *process) {
    struct { int process; unsigned user, group; } peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
    *user = peer.user;
    *process = peer.process;
    return 0;
}

static inline int culvert_bind_local(int fd, const char *path) {
    struct sockaddr_un address = {0};
    address.sun_family = AF_UNIX;
    if (__builtin_strlen(path) >= sizeof address.sun_path) { errno = ENAMETOOLONG; return -1; }
    __builtin_strcpy(address.sun_path, path);
    return bind(fd, (struct sockaddr *)&address, sizeof address);
}

// A name that begins with @ is one of the abstract ones, which lie in no folder.
static inline int culvert_connect_abstract(int fd, const char *name) {
    struct sockaddr_un address = {0};
    address.sun_family = AF_UNIX;
    size_t count = __builtin_strlen(name);
    if (count >= sizeof address.sun_path) { errno = ENAMETOOLONG; return -1; }
    __builtin_memcpy(address.sun_path + 1, name + 1, count - 1);
    return connect(fd, (struct sockaddr *)&address, (socklen_t)(__builtin_offsetof(struct sockaddr_un, sun_path) + count));
}

static inline int culvert_connect_local(int fd, const char *path) {
    struct sockaddr_un address = {0};
    address.sun_family = AF_UNIX;
    if (__builtin_strlen(path) >= sizeof address.sun_path) { errno = ENAMETOOLONG; return -1; }
    __builtin_strcpy(address.sun_path, path);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}
