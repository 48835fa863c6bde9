#ifndef C_EPOLL_SHIM_H
#define C_EPOLL_SHIM_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

// Swift's Glibc module has neither epoll nor eventfd, and a union in a packed structure is no fun there.

struct cepoll_event {
    uint64_t token;
    uint32_t events;
};

enum { cepoll_batch = 128 };

static inline int cepoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int cepoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

// `found` has room for cepoll_batch.
static inline int cepoll_wait(int epoll, struct cepoll_event *found, int milliseconds) {
    struct epoll_event events[cepoll_batch];
    int count = epoll_wait(epoll, events, cepoll_batch, milliseconds);
    for (int i = 0; i < count; i++) {
        found[i].token = events[i].data.u64;
        found[i].events = events[i].events;
    }
    return count;
}

static inline int cepoll_event_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void cepoll_event_raise(int descriptor) { (void)!eventfd_write(descriptor, 1); }
static inline void cepoll_event_clear(int descriptor) {
    eventfd_t count;
    (void)!eventfd_read(descriptor, &count);
}

// Casts in macros do not come over.
static inline uint32_t cepoll_edge_triggered(void) { return (uint32_t)EPOLLET; }

#endif
