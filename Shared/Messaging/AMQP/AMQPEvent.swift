/// What a connection says on its own, copied out of the library's memory.
enum AMQPEvent {
    case delivery(AMQPDelivery)
    case returned(channel: UInt16, reason: String, messageId: String)
    case acknowledged(channel: UInt16, tag: UInt64, multiple: Bool)
    case refused(channel: UInt16, tag: UInt64, multiple: Bool)
    /// The broker took a consumer away, as it does when its queue is deleted.
    case consumerCancelled(channel: UInt16)
    case channelClosed(channel: UInt16, AMQPError)
    case blocked(String)
    case unblocked
}

/// A message as it came, from `basic.deliver` or `basic.get`.
struct AMQPDelivery: Sendable {
    let channel: UInt16
    let tag: UInt64
    let isRedelivered: Bool
    let routingKey: String
    var messageId = ""
    var contentType = ""
    var headers: [String: String] = [:]
    var body: [UInt8] = []
}
