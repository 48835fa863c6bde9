import CRabbitMQ

/// Puts frames together: a method, its header and its body parts, per channel.
struct AMQPFrameAssembler {
    private enum Method {
        case delivery(AMQPDelivery)
        case returned(reason: String)
    }

    private struct Partial {
        let method: Method
        var missing: UInt64?
        var messageId = ""
        var contentType = ""
        var headers: [String: String] = [:]
        var body: [UInt8] = []
    }

    private var partials: [UInt16: Partial] = [:]

    /// - Returns: the event that this frame completes, if it does.
    mutating func take(_ frame: amqp_frame_t) throws -> AMQPEvent? {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD: return try takeMethod(frame.payload.method, channel: frame.channel)
        case AMQP_FRAME_HEADER: return takeHeader(frame)
        case AMQP_FRAME_BODY: return takeBody(frame.payload.body_fragment, channel: frame.channel)
        default: return nil
        }
    }

    mutating func forget(channel: UInt16) { partials[channel] = nil }

    private mutating func takeMethod(_ method: amqp_method_t, channel: UInt16) throws -> AMQPEvent? {
        guard let decoded = method.decoded else { return nil }
        switch method.id {
        case c_amqp_basic_deliver:
            let deliver = decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee
            partials[channel] = Partial(
                method: .delivery(
                    AMQPDelivery(
                        channel: channel, tag: deliver.delivery_tag, isRedelivered: deliver.redelivered != 0,
                        routingKey: deliver.routing_key.string)))
        case c_amqp_basic_get_ok:
            let got = decoded.assumingMemoryBound(to: amqp_basic_get_ok_t.self).pointee
            partials[channel] = Partial(
                method: .delivery(
                    AMQPDelivery(
                        channel: channel, tag: got.delivery_tag, isRedelivered: got.redelivered != 0,
                        routingKey: got.routing_key.string)))
        case c_amqp_basic_return:
            let returned = decoded.assumingMemoryBound(to: amqp_basic_return_t.self).pointee
            partials[channel] = Partial(
                method: .returned(reason: "\(returned.reply_text.string) \(returned.routing_key.string)"))
        case c_amqp_basic_ack:
            let ack = decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
            return .acknowledged(channel: channel, tag: ack.delivery_tag, multiple: ack.multiple != 0)
        case c_amqp_basic_nack:
            let nack = decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
            return .refused(channel: channel, tag: nack.delivery_tag, multiple: nack.multiple != 0)
        case c_amqp_basic_cancel:
            return .consumerCancelled(channel: channel)
        case c_amqp_connection_blocked:
            return .blocked(decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee.reason.string)
        case c_amqp_connection_unblocked:
            return .unblocked
        case c_amqp_channel_close:
            partials[channel] = nil
            return .channelClosed(channel: channel, AMQPError(channelClose: decoded))
        case c_amqp_connection_close:
            throw AMQPError(connectionClose: decoded)
        default: break
        }
        return nil
    }

    private mutating func takeHeader(_ frame: amqp_frame_t) -> AMQPEvent? {
        guard var partial = partials[frame.channel] else { return nil }
        let header = frame.payload.properties
        if let decoded = header.decoded {
            let properties = decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee
            if properties.has(AMQP_BASIC_MESSAGE_ID_FLAG) { partial.messageId = properties.message_id.string }
            if properties.has(AMQP_BASIC_CONTENT_TYPE_FLAG) { partial.contentType = properties.content_type.string }
            if properties.has(AMQP_BASIC_HEADERS_FLAG) { partial.headers = properties.headers.textEntries }
        }
        partial.missing = header.body_size
        partial.body.reserveCapacity(Int(clamping: min(header.body_size, 1 << 20)))
        return finish(partial, channel: frame.channel)
    }

    private mutating func takeBody(_ fragment: amqp_bytes_t, channel: UInt16) -> AMQPEvent? {
        guard var partial = partials[channel], let missing = partial.missing else { return nil }
        partials[channel] = nil  // one owner, so that appending does not copy
        if let bytes = fragment.bytes {
            partial.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: fragment.len))
        }
        partial.missing = missing - min(missing, UInt64(fragment.len))
        return finish(partial, channel: channel)
    }

    private mutating func finish(_ partial: Partial, channel: UInt16) -> AMQPEvent? {
        guard partial.missing == 0 else {
            partials[channel] = partial
            return nil
        }
        partials[channel] = nil
        switch partial.method {
        case .delivery(var delivery):
            delivery.messageId = partial.messageId
            delivery.contentType = partial.contentType
            delivery.headers = partial.headers
            delivery.body = partial.body
            return .delivery(delivery)
        case .returned(let reason):
            return .returned(channel: channel, reason: reason, messageId: partial.messageId)
        }
    }
}

extension amqp_basic_properties_t {
    func has(_ flag: Int32) -> Bool { _flags & amqp_flags_t(flag) != 0 }
}

extension AMQPError {
    init(channelClose decoded: UnsafeMutableRawPointer) {
        let close = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
        self.init(scope: .channel, code: Int(close.reply_code), text: close.reply_text.string)
    }

    init(connectionClose decoded: UnsafeMutableRawPointer) {
        let close = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
        self.init(scope: .connection, code: Int(close.reply_code), text: close.reply_text.string)
    }
}
