#ifndef C_MICROHTTPD_SHIM_H
#define C_MICROHTTPD_SHIM_H

#include <microhttpd.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// Variadic functions do not come over to Swift; these say what we use of them.

struct cmhd_configuration {
    int listening_socket;
    unsigned int threads;
    unsigned int connection_limit;
    size_t connection_memory;
    unsigned int idle_seconds;
    void *context;
    void *(*request_line)(void *context, const char *target, struct MHD_Connection *connection);
    MHD_AccessHandlerCallback access;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection_changed;
};

// Without MHD_USE_TURBO: in 0.9.75 a connection whose content reader ends with an error is not closed then until it times out.
static inline struct MHD_Daemon *cmhd_start(const struct cmhd_configuration *c) {
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, c->access, c->context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)c->listening_socket,
        MHD_OPTION_THREAD_POOL_SIZE, c->threads > 1 ? c->threads : 0u,
        MHD_OPTION_CONNECTION_LIMIT, c->connection_limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, c->connection_memory,
        MHD_OPTION_CONNECTION_TIMEOUT, c->idle_seconds,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, c->request_line, c->context,
        MHD_OPTION_NOTIFY_COMPLETED, c->completed, c->context,
        MHD_OPTION_NOTIFY_CONNECTION, c->connection_changed, c->context,
        MHD_OPTION_END);
}

static inline int cmhd_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static inline const struct sockaddr *cmhd_peer_address(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

static inline void *cmhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static inline void cmhd_each_header(struct MHD_Connection *connection, MHD_KeyValueIteratorN iterator, void *context) {
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, iterator, context);
}

static inline struct MHD_Response *cmhd_response_copying(const void *bytes, size_t count) {
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

// Casts in macros do not come over either.
static inline ssize_t cmhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t cmhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }
static inline uint64_t cmhd_size_unknown(void) { return MHD_SIZE_UNKNOWN; }

// Watching for hang-ups; Swift's Glibc module has no epoll.

static inline int cmhd_watch_create(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int cmhd_event_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

static inline int cmhd_watch_readable(int watch, int descriptor, uint64_t id) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = id};
    return epoll_ctl(watch, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int cmhd_watch_hang_up(int watch, int descriptor, uint64_t id) {
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.u64 = id};
    return epoll_ctl(watch, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int cmhd_watch_wait(int watch, uint64_t *ids, int capacity) {
    struct epoll_event events[64];
    int count = epoll_wait(watch, events, capacity < 64 ? capacity : 64, -1);
    for (int i = 0; i < count; i++) ids[i] = events[i].data.u64;
    return count;
}

#endif
