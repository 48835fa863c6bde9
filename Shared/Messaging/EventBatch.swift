import Observability

/// Several events in one message, in CloudEvents' JSON batch format: an array of events in structured mode.
///
/// Whatever is in it, a message costs the broker an entry in the log of each of its queues, one for each that is handed out, and one for
/// what is acknowledged together: events that wait together go together.
enum EventBatch {
    static let contentType = "application/cloudevents-batch+json"

    /// Of one message. What a consumer has in hand of a queue that has grown is a multiple of it.
    static let mostEvents = 64
    static let mostBytes = 64 << 10

    static func encode(_ events: some Collection<String>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(events.reduce(1) { $0 + $1.utf8.count + 1 })
        for event in events {
            bytes.append(UInt8(ascii: bytes.isEmpty ? "[" : ","))
            bytes += event.utf8
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    /// The array's members, byte for byte. They are not looked into: one that is no event keeps no other from being handled.
    ///
    /// - Returns: `nil` where it is no array, or has no members.
    static func split(_ bytes: [UInt8]) -> [[UInt8]]? {
        var (members, start, depth) = ([[UInt8]](), 0, 0)
        var (isText, isEscaped, isOver) = (false, false, false)
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case _ where isText:
                isText = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            case _ where isSpace(byte): continue
            case UInt8(ascii: "[") where depth == 0 && !isOver: (depth, start) = (1, index + 1)
            case _ where depth == 0: return nil
            case UInt8(ascii: "\""): isText = true
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                guard depth == 0 else { continue }
                members.append(Array(bytes[start..<index]))
                isOver = true
            case UInt8(ascii: ",") where depth == 1:
                members.append(Array(bytes[start..<index]))
                start = index + 1
            default: continue
            }
        }
        let isEmpty = members.count == 1 && members[0].allSatisfy(isSpace)
        return isOver && !isEmpty ? members : nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Which rows go out together: of one type, as the exchange tells messages by it, and so that in the order of the messages each subject's
    /// events are in the order of the rows.
    ///
    /// - Returns: places in `rows`.
    static func pack(_ rows: [OutboxRow], atMost mostEvents: Int = Self.mostEvents) -> [[Int]] {
        var parcels: [(rows: [Int], bytes: Int)] = []
        var newest: [String: Int] = [:]
        var parcelOfSubject: [String: Int] = [:]
        for (index, row) in rows.enumerated() {
            let bytes = row.event.utf8.count + 1
            var place = newest[row.type] ?? parcels.count
            if place < parcels.count {
                let isFull = parcels[place].rows.count >= mostEvents || parcels[place].bytes + bytes > mostBytes
                let isTooEarly = row.subject.flatMap { parcelOfSubject[$0] }.map { $0 > place } ?? false
                if isFull || isTooEarly { place = parcels.count }
            }
            if place == parcels.count {
                parcels.append(([], 1))
                newest[row.type] = place
            }
            parcels[place].rows.append(index)
            parcels[place].bytes += bytes
            if let subject = row.subject { parcelOfSubject[subject] = place }
        }
        return parcels.map(\.rows)
    }
}

extension ReceivedMessage {
    /// A batch's events, each as a message of its own; any other message as it is.
    var events: [ReceivedMessage] {
        guard message.contentType == EventBatch.contentType, let bodies = EventBatch.split(message.body) else { return [self] }
        return bodies.enumerated().map { index, body in
            var part = message
            part.contentType = CloudEvent.contentType
            part.messageId += "/\(index)"
            part.body = body
            return ReceivedMessage(message: part, epoch: epoch, batchSize: bodies.count)
        }
    }

    /// The same where it is known to be `event`: a copy of a batch's part is named as it would have been alone.
    func named(by event: CloudEvent) -> ReceivedMessage {
        guard batchSize != nil else { return self }
        var named = self
        named.message.messageId = event.id.text
        named.message.headers[HeaderName.subject] = event.subject
        return named
    }

    /// What has the same key is handled in order.
    var laneKey: String {
        if let subject = message.headers[HeaderName.subject] { return subject }
        guard batchSize != nil, let event = try? CloudEvent(decoding: message.body) else { return message.messageId }
        return event.subject ?? event.id.text
    }
}
