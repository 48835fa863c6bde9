#ifndef C_MICROHTTPD_SHIM_H
#define C_MICROHTTPD_SHIM_H

#include <microhttpd.h>
#include <stddef.h>
#include <sys/socket.h>

// Variadic functions do not come over to Swift; these say what we use of them.

struct cmhd_configuration {
    unsigned int connection_limit;
    size_t connection_memory;
    unsigned int idle_seconds;
    void *context;
    void *(*request_line)(void *context, const char *target, struct MHD_Connection *connection);
    MHD_AccessHandlerCallback access;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection_changed;
};

// Without a thread and without a listening socket of its own: its owner's event loop watches its epoll and hands it connections.
//
// MHD_ALLOW_SUSPEND_RESUME comes without the eventfd by which a resume wakes the library's thread: here a resume
// happens on the one thread there is, which then runs the library anyway.
//
// Without MHD_USE_TURBO: in 0.9.75 a connection whose content reader ends with an error is not closed then until it times out.
static inline struct MHD_Daemon *cmhd_start(const struct cmhd_configuration *c) {
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | (MHD_ALLOW_SUSPEND_RESUME & ~MHD_USE_ITC), 0, NULL, NULL, c->access, c->context,
        MHD_OPTION_CONNECTION_LIMIT, c->connection_limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, c->connection_memory,
        MHD_OPTION_CONNECTION_TIMEOUT, c->idle_seconds,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        // Event loops block the signal. Without this word the library sends files by read and write, for sendfile could raise it.
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, c->request_line, c->context,
        MHD_OPTION_NOTIFY_COMPLETED, c->completed, c->context,
        MHD_OPTION_NOTIFY_CONNECTION, c->connection_changed, c->context,
        MHD_OPTION_END);
}

static inline int cmhd_epoll_descriptor(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

// Milliseconds until the library wants to run again; negative = not before a descriptor is ready.
static inline long long cmhd_timeout(struct MHD_Daemon *daemon) {
    MHD_UNSIGNED_LONG_LONG milliseconds;
    return MHD_get_timeout(daemon, &milliseconds) == MHD_YES ? (long long)milliseconds : -1;
}

// The socket is the library's from here on, closed too where it does not take the connection.
static inline enum MHD_Result cmhd_add(struct MHD_Daemon *daemon, int descriptor, const struct sockaddr_storage *address, socklen_t length) {
    return MHD_add_connection(daemon, descriptor, (const struct sockaddr *)address, length);
}

// glibc hides it behind a feature macro, which would make this module's view of other headers differ from its neighbours'.
extern int accept4(int, struct sockaddr *, socklen_t *, int);

static inline int cmhd_accept(int listening, struct sockaddr_storage *address, socklen_t *length) {
    return accept4(listening, (struct sockaddr *)address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
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

#endif
