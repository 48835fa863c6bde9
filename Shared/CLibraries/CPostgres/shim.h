#ifndef C_POSTGRES_SHIM_H
#define C_POSTGRES_SHIM_H

#include <libpq-fe.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* glibc's enums with bit flags come over to Swift in three different shapes; these are plain integers. */
static const uint32_t event_readable = EPOLLIN | EPOLLRDHUP;
static const uint32_t event_writable = EPOLLOUT;

static inline int event_queue_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int event_bell_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

#endif
