#ifndef C_RABBITMQ_SHIM_H
#define C_RABBITMQ_SHIM_H

/* From 0.12 on the headers live in a folder of their own. */
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

/* Method ids are macros with casts, which Swift does not import. */
static const uint32_t c_amqp_connection_close = AMQP_CONNECTION_CLOSE_METHOD;
static const uint32_t c_amqp_connection_blocked = AMQP_CONNECTION_BLOCKED_METHOD;
static const uint32_t c_amqp_connection_unblocked = AMQP_CONNECTION_UNBLOCKED_METHOD;
static const uint32_t c_amqp_channel_close = AMQP_CHANNEL_CLOSE_METHOD;
static const uint32_t c_amqp_channel_close_ok = AMQP_CHANNEL_CLOSE_OK_METHOD;
static const uint32_t c_amqp_basic_cancel = AMQP_BASIC_CANCEL_METHOD;
static const uint32_t c_amqp_basic_return = AMQP_BASIC_RETURN_METHOD;
static const uint32_t c_amqp_basic_deliver = AMQP_BASIC_DELIVER_METHOD;
static const uint32_t c_amqp_basic_get_ok = AMQP_BASIC_GET_OK_METHOD;
static const uint32_t c_amqp_basic_ack = AMQP_BASIC_ACK_METHOD;
static const uint32_t c_amqp_basic_nack = AMQP_BASIC_NACK_METHOD;

/* Swift's Glibc module leaves <sys/eventfd.h> out. */
#include <sys/eventfd.h>

static inline int c_make_wake_descriptor(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

/* Variadic in C: PLAIN is the one mechanism in use here. */
static inline amqp_rpc_reply_t c_amqp_login_plain(
    amqp_connection_state_t state, const char *vhost, int heartbeat, const amqp_table_t *properties,
    const char *user, const char *password)
{
    return amqp_login_with_properties(
        state, vhost, 0, AMQP_DEFAULT_FRAME_SIZE, heartbeat, properties, AMQP_SASL_METHOD_PLAIN, user, password);
}

#endif
