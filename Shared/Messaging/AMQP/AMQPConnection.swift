import CRabbitMQ
import ConcurrencySupport
import ConfigReading
import Glibc

/// One connection. Blocking, and owned by the thread that opened it: librabbitmq forbids sharing a connection, a channel or a socket,
/// which is why this class is not `Sendable`.
///
/// Every call throws ``AMQPError``; after one of scope `.connection` only ``abandon()`` is of use.
final class AMQPConnection {
    private let state: amqp_connection_state_t
    private let arena = AMQPArena()
    private var assembler = AMQPFrameAssembler()
    private(set) var isBroken = false

    /// Connects, signs in. Blocks up to the two time-outs of the configuration.
    init(_ configuration: BrokerConfiguration, name: String) throws {
        let address = try AMQPAddress(configuration.url.exposed)
        guard let state = amqp_new_connection() else { throw AMQPError.connection("out of memory") }
        self.state = state
        do {
            try open(address, configuration, name: name)
        } catch {
            amqp_destroy_connection(state)
            // `deinit` must not free it again: mark it.
            isBroken = true
            isDestroyed = true
            throw error
        }
    }

    private var isDestroyed = false

    private func open(_ address: AMQPAddress, _ configuration: BrokerConfiguration, name: String) throws {
        let socket = try address.isEncrypted ? encryptedSocket(trusting: configuration.authorities) : plainSocket()
        var connect = timeval(configuration.connectTimeout)
        try checkStatus(amqp_socket_open_noblock(socket, address.host, address.port, &connect))
        var handshake = timeval(configuration.connectTimeout)
        try checkStatus(amqp_set_handshake_timeout(state, &handshake))
        var capabilities = arena.table([
            ("connection_name", .string(name)),
            (
                "capabilities",
                .table([
                    ("publisher_confirms", .bool(true)), ("basic.nack", .bool(true)), ("consumer_cancel_notify", .bool(true)),
                    ("connection.blocked", .bool(true)), ("authentication_failure_close", .bool(true)),
                ])
            ),
        ])
        let heartbeat = Int32(clamping: max(2, configuration.heartbeat.milliseconds / 1_000))
        try check(
            c_amqp_login_plain(state, address.virtualHost, heartbeat, &capabilities, address.user, address.password), channel: 0)
        try setAnswerTimeout(configuration.answerTimeout)
        arena.reset()
    }

    private func plainSocket() throws -> OpaquePointer {
        guard let socket = amqp_tcp_socket_new(state) else { throw AMQPError.connection("out of memory") }
        return socket
    }

    /// The library reads one record of TLS at a time: what is left is in the kernel, where ``Link`` sees it.
    private func encryptedSocket(trusting authorities: String) throws -> OpaquePointer {
        guard let socket = amqp_ssl_socket_new(state) else { throw AMQPError.connection("out of memory") }
        amqp_ssl_socket_set_verify_peer(socket, 1)
        amqp_ssl_socket_set_verify_hostname(socket, 1)
        try checkStatus(amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST))
        guard amqp_ssl_socket_set_cacert(socket, authorities) == AMQP_STATUS_OK.rawValue else {
            throw AMQPError.connection("cannot read the authorities' certificates in \(authorities)")
        }
        return socket
    }

    deinit {
        if !isDestroyed { amqp_destroy_connection(state) }
    }

    var socket: Int32 { isDestroyed ? -1 : amqp_get_sockfd(state) }

    /// Data that the library has read already: the socket will not become readable for it.
    var hasBufferedInput: Bool { amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0 }

    func setAnswerTimeout(_ duration: Duration) throws {
        var value = timeval(duration)
        try checkStatus(amqp_set_rpc_timeout(state, &value))
    }

    // MARK: Channels, topology

    func openChannel(_ channel: UInt16) throws {
        amqp_channel_open(state, channel)
        try checkReply(channel)
        assembler.forget(channel: channel)
    }

    func closeChannel(_ channel: UInt16) throws {
        try check(amqp_channel_close(state, channel, 200), channel: channel)
        assembler.forget(channel: channel)
    }

    func declareExchange(_ name: String, channel: UInt16) throws {
        amqp_exchange_declare(
            state, channel, arena.bytes(name), arena.bytes("topic"), 0, 1, 0, 0, arena.table([]))
        try checkReply(channel)
    }

    func declareQueue(
        _ name: String, channel: UInt16, isDurable: Bool, isExclusive: Bool, arguments: [(String, AMQPValue)]
    ) throws {
        amqp_queue_declare(
            state, channel, arena.bytes(name), 0, isDurable ? 1 : 0, isExclusive ? 1 : 0, isExclusive ? 1 : 0,
            arena.table(arguments))
        try checkReply(channel)
    }

    func bindQueue(_ name: String, exchange: String, routingKey: String, channel: UInt16) throws {
        amqp_queue_bind(
            state, channel, arena.bytes(name), arena.bytes(exchange), arena.bytes(routingKey), arena.table([]))
        try checkReply(channel)
    }

    func deleteQueue(_ name: String, channel: UInt16) throws {
        amqp_queue_delete(state, channel, arena.bytes(name), 0, 0)
        try checkReply(channel)
    }

    func deleteExchange(_ name: String, channel: UInt16) throws {
        amqp_exchange_delete(state, channel, arena.bytes(name), 0)
        try checkReply(channel)
    }

    // MARK: Consuming

    func setPrefetch(_ count: UInt16, channel: UInt16) throws {
        amqp_basic_qos(state, channel, 0, count, 0)
        try checkReply(channel)
    }

    func consume(_ queue: String, tag: String, channel: UInt16) throws {
        amqp_basic_consume(state, channel, arena.bytes(queue), arena.bytes(tag), 0, 0, 0, arena.table([]))
        try checkReply(channel)
    }

    func cancelConsumer(tag: String, channel: UInt16) throws {
        amqp_basic_cancel(state, channel, arena.bytes(tag))
        try checkReply(channel)
    }

    func acknowledge(tag: UInt64, isMultiple: Bool = false, channel: UInt16) throws {
        try checked(amqp_basic_ack(state, channel, tag, isMultiple ? 1 : 0))
    }

    func reject(tag: UInt64, channel: UInt16, requeue: Bool) throws {
        try checked(amqp_basic_nack(state, channel, tag, 0, requeue ? 1 : 0))
    }

    /// - Returns: whether a message follows as an ``AMQPEvent/delivery(_:)``.
    func get(_ queue: String, channel: UInt16) throws -> Bool {
        let reply = amqp_basic_get(state, channel, arena.bytes(queue), 0)
        arena.reset()
        try check(reply, channel: channel)
        guard reply.reply.id == c_amqp_basic_get_ok else {
            amqp_maybe_release_buffers_on_channel(state, channel)
            return false
        }
        var frame = amqp_frame_t()
        frame.frame_type = UInt8(AMQP_FRAME_METHOD)
        frame.channel = channel
        frame.payload.method = reply.reply
        _ = try assembler.take(frame)
        amqp_maybe_release_buffers_on_channel(state, channel)
        return true
    }

    // MARK: Publishing

    func selectConfirms(channel: UInt16) throws {
        amqp_confirm_select(state, channel)
        try checkReply(channel)
    }

    /// Writes the message to the socket. Blocks while the socket's buffer is full: ask ``isWritable`` first.
    func publish(_ message: OutgoingMessage, exchange: String, routingKey: String, channel: UInt16) throws {
        defer { arena.reset() }
        var properties = amqp_basic_properties_t()
        properties._flags = amqp_flags_t(
            AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_HEADERS_FLAG)
        properties.content_type = arena.bytes(message.contentType)
        properties.delivery_mode = 2
        properties.message_id = arena.bytes(message.messageId)
        properties.headers = arena.table(message.headers.map { ($0.key, .string($0.value)) })
        let status = message.body.withUnsafeBytes { body in
            amqp_basic_publish(
                state, channel, arena.bytes(exchange), arena.bytes(routingKey), message.isMandatory ? 1 : 0, 0, &properties,
                amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress)))
        }
        try checked(status)
    }

    var isWritable: Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        return poll(&descriptor, 1, 0) > 0
    }

    // MARK: Reading

    /// The next event without waiting; `nil` when nothing more is there. Also sends heartbeats that are due and notices missed ones.
    func nextEvent() throws -> AMQPEvent? {
        while true {
            var frame = amqp_frame_t()
            var now = timeval()
            let status = amqp_simple_wait_frame_noblock(state, &frame, &now)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            try checked(status)
            let event: AMQPEvent?
            do {
                event = try assembler.take(frame)
            } catch {
                isBroken = true
                throw error
            }
            if case .channelClosed(let channel, _) = event { try acceptChannelClose(channel) }
            amqp_maybe_release_buffers_on_channel(state, frame.channel)
            if let event { return event }
        }
    }

    /// Blocks until there is an event or the deadline passes. For threads that do nothing else.
    func waitForEvent(until deadline: Deadline) throws -> AMQPEvent? {
        while true {
            if let event = try nextEvent() { return event }
            let left = deadline.remaining
            guard left > .zero else { return nil }
            if !hasBufferedInput {
                var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                poll(&descriptor, 1, Int32(clamping: left.milliseconds + 1))
            }
        }
    }

    // MARK: The end

    /// Says goodbye, within the answer time-out, and frees everything.
    func close() {
        guard !isDestroyed else { return }
        if !isBroken { _ = amqp_connection_close(state, 200) }
        abandon()
    }

    /// Closes the socket without a word and frees everything.
    func abandon() {
        guard !isDestroyed else { return }
        isDestroyed = true
        isBroken = true
        amqp_destroy_connection(state)
    }

    // MARK: Replies

    private func checkReply(_ channel: UInt16) throws {
        arena.reset()
        let reply = amqp_get_rpc_reply(state)
        defer { if !isBroken { amqp_maybe_release_buffers_on_channel(state, channel) } }
        try check(reply, channel: channel)
    }

    private func checked(_ status: Int32) throws {
        guard status == AMQP_STATUS_OK.rawValue else {
            isBroken = true
            throw AMQPError.library(status)
        }
    }

    private func check(_ reply: amqp_rpc_reply_t, channel: UInt16) throws {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            if reply.reply.id == c_amqp_channel_close, let decoded = reply.reply.decoded {
                let error = AMQPError(channelClose: decoded)
                try acceptChannelClose(channel)
                throw error
            }
            isBroken = true
            guard reply.reply.id == c_amqp_connection_close, let decoded = reply.reply.decoded else {
                throw AMQPError.connection("unexpected answer \(reply.reply.id)")
            }
            throw AMQPError(connectionClose: decoded)
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            isBroken = true
            throw AMQPError.library(reply.library_error)
        default:
            isBroken = true
            throw AMQPError.connection("the broker hung up")
        }
    }

    private func acceptChannelClose(_ channel: UInt16) throws {
        var ok = amqp_channel_close_ok_t()
        try checked(amqp_send_method(state, channel, c_amqp_channel_close_ok, &ok))
        assembler.forget(channel: channel)
    }
}

extension timeval {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
